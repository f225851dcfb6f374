"""Systems Manager by boto3: documents, parameters, patch baselines, windows, service settings, automation, tags."""

import hashlib
import json

from harness import ACCOUNT, REGION, all_called, aws, eventually, holds, refused, same

RUNBOOK = """\
# A comment that stays.
schemaVersion: '0.3'
description: Restarts the stand.
parameters:
  Service:
    type: String
    default: checkout
    description: What to restart.
mainSteps:
  - name: wait
    action: aws:sleep
    inputs: { Duration: PT1S }
    isEnd: true
"""
COMMAND = {
    "schemaVersion": "2.2", "description": "Shows the disk.",
    "mainSteps": [{"action": "aws:runShellScript", "name": "disk", "inputs": {"runCommand": ["df -h"]}}],
}

CHANGE = {
    "schemaVersion": "0.3", "description": "A change that somebody approves.", "emergencyChange": False,
    "autoApprovable": False, "templateInformation": "### What is this for?", "executableRunBooks": [],
    "mainSteps": [{
        "name": "ApproveAction1", "action": "aws:approve", "timeoutSeconds": 604800,
        "inputs": {"Message": "Please look", "EnhancedApprovals": {
            "NotificationArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:changes",
            "Approvers": [{"approver": "operations", "type": "IamGroup", "minRequiredApprovals": 1}],
        }},
    }],
}


def tags_of(client, kind, resource):
    return {t["Key"]: t["Value"] for t in client.list_tags_for_resource(ResourceType=kind, ResourceId=resource)["TagList"]}


def active(client, name, version="$LATEST"):
    ask = lambda: client.describe_document(Name=name, DocumentVersion=version)["Document"]  # noqa: E731
    return eventually(lambda: (found := ask())["Status"] == "Active" and found)


def documents(client):
    made = client.create_document(
        Name="banana-restart", Content=RUNBOOK, DocumentType="Automation", DocumentFormat="YAML",
        TargetType="/AWS::EC2::Instance", VersionName="first", DisplayName="Banana restart",
        Tags=[{"Key": "team", "Value": "banana"}],
    )["DocumentDescription"]
    holds(made, {
        "Name": "banana-restart", "Status": "Creating", "DocumentVersion": "1", "LatestVersion": "1", "DefaultVersion": "1",
        "HashType": "Sha256", "Hash": hashlib.sha256(RUNBOOK.encode()).hexdigest(), "SchemaVersion": "0.3",
        "Description": "Restarts the stand.", "Owner": ACCOUNT, "DocumentType": "Automation", "DocumentFormat": "YAML",
    })
    with refused(client.exceptions.DocumentAlreadyExists, "DocumentAlreadyExists"):
        client.create_document(Name="banana-restart", Content=RUNBOOK, DocumentType="Automation", DocumentFormat="YAML")
    found = active(client, "banana-restart")
    holds(found, {"VersionName": "first", "DisplayName": "Banana restart", "TargetType": "/AWS::EC2::Instance"})
    holds(found["Parameters"][0], {"Name": "Service", "Type": "String", "DefaultValue": "checkout"})
    same(client.get_document(Name="banana-restart", DocumentFormat="YAML")["Content"], RUNBOOK)
    # Without a format it is JSON, whatever was stored.
    got = client.get_document(Name="banana-restart")
    same((got["DocumentFormat"], json.loads(got["Content"])["mainSteps"][0]["name"]), ("JSON", "wait"))

    with refused(client.exceptions.InvalidDocument, "InvalidDocument"):
        client.describe_document(Name="nobody-made-it")
    with refused(client.exceptions.InvalidDocumentContent, "InvalidDocumentContent"):
        client.create_document(Name="yaml-as-json", Content=RUNBOOK, DocumentType="Automation")
    with refused("InvalidDocumentSchemaVersion"):
        client.create_document(Name="no-schema", Content="{}", DocumentType="Command")
    with refused("ValidationException"):
        client.create_document(Name="no spaces", Content="{}")

    text = {"Name": "banana-restart", "DocumentFormat": "YAML", "TargetType": "/AWS::EC2::Instance"}
    with refused(client.exceptions.DuplicateDocumentContent, "DuplicateDocumentContent"):
        client.update_document(**text, Content=RUNBOOK, DocumentVersion="$LATEST")
    newer = RUNBOOK.replace("PT1S", "PT2S")
    updated = client.update_document(**text, Content=newer, DocumentVersion="1", VersionName="second")
    holds(updated["DocumentDescription"], {"Status": "Updating", "DocumentVersion": "2", "DefaultVersion": "1"})
    active(client, "banana-restart")
    with refused(client.exceptions.InvalidDocumentVersion, "InvalidDocumentVersion"):
        client.update_document(**text, Content=newer + "#\n", DocumentVersion="1")
    with refused("DuplicateDocumentVersionName"):
        client.update_document(**text, Content=newer + "#\n", DocumentVersion="2", VersionName="first")
    holds(client.describe_document(Name="banana-restart")["Document"], {"DocumentVersion": "1", "LatestVersion": "2"})
    changed = client.update_document_default_version(Name="banana-restart", DocumentVersion="2")["Description"]
    holds(changed, {"Name": "banana-restart", "DefaultVersion": "2", "DefaultVersionName": "second"})
    same(client.get_document(Name="banana-restart", VersionName="first", DocumentFormat="YAML")["Content"], RUNBOOK)
    versions = client.list_document_versions(Name="banana-restart")["DocumentVersions"]
    same({v["DocumentVersion"]: v["IsDefaultVersion"] for v in versions}, {"1": False, "2": True})
    pages = list(client.get_paginator("list_document_versions").paginate(
        Name="banana-restart", PaginationConfig={"PageSize": 1},
    ))
    same([len(page["DocumentVersions"]) for page in pages], [1, 1])


def document_lists(client):
    for number in range(5):
        client.create_document(
            Name=f"page-{number}", Content=json.dumps(COMMAND), DocumentType="Command", DocumentFormat="JSON",
            Tags=[{"Key": "number", "Value": str(number)}],
        )
    own = [{"Key": "Owner", "Values": ["Self"]}]
    paginator = client.get_paginator("list_documents")
    pages = list(paginator.paginate(Filters=own, PaginationConfig={"PageSize": 4}))
    names = [one["Name"] for page in pages for one in page["DocumentIdentifiers"]]
    same(sorted(names), ["banana-restart"] + [f"page-{number}" for number in range(5)])
    assert len(pages) >= 2
    assert paginator.paginate(
        Filters=[{"Key": "Owner", "Values": ["Amazon"]}], PaginationConfig={"PageSize": 2},
    ).build_full_result()["DocumentIdentifiers"], "AWS has documents of its own"
    for filters, wanted in [
        ({"Key": "Name", "Values": ["page-"]}, 5), ({"Key": "DocumentType", "Values": ["Automation"]}, 1),
        ({"Key": "tag:number", "Values": ["1", "3"]}, 2),
    ]:
        same(len(client.list_documents(Filters=[*own, filters])["DocumentIdentifiers"]), wanted)
    with refused(client.exceptions.InvalidFilterKey, "InvalidFilterKey"):
        client.list_documents(Filters=[{"Key": "Colour", "Values": ["yellow"]}])
    with refused(client.exceptions.InvalidNextToken, "InvalidNextToken"):
        client.list_documents(NextToken="nobody gave this")
    for number in range(5):
        client.delete_document(Name=f"page-{number}")


def document_sharing_and_reviews(client):
    share = {"Name": "banana-restart", "PermissionType": "Share"}
    client.modify_document_permission(**share, AccountIdsToAdd=["444455556666", "777788889999"])
    client.modify_document_permission(**share, AccountIdsToRemove=["777788889999"])
    got = client.describe_document_permission(**share)
    same(got["AccountIds"], ["444455556666"])
    holds(got["AccountSharingInfoList"][0], {"AccountId": "444455556666"})
    with refused(client.exceptions.InvalidDocumentOperation, "InvalidDocumentOperation"):
        client.delete_document(Name="banana-restart")
    client.modify_document_permission(**share, AccountIdsToRemove=["444455556666"])

    client.create_document(
        Name="banana-change", Content=json.dumps(CHANGE), DocumentType="Automation.ChangeTemplate", DocumentFormat="JSON",
    )
    active(client, "banana-change")
    for action in ("SendForReview", "Approve"):
        client.update_document_metadata(
            Name="banana-change", DocumentVersion="1",
            DocumentReviews={"Action": action, "Comment": [{"Type": "Comment", "Content": "Please look"}]},
        )
    got = client.list_document_metadata_history(Name="banana-change", DocumentVersion="1", Metadata="DocumentReviews")
    holds(got, {"Name": "banana-change", "DocumentVersion": "1"})
    assert "APPROVED" in [one["ReviewStatus"] for one in got["Metadata"]["ReviewerResponse"]], got
    same(client.describe_document(Name="banana-change")["Document"]["ReviewStatus"], "APPROVED")
    client.delete_document(Name="banana-change")

    same(tags_of(client, "Document", "banana-restart"), {"team": "banana"})
    client.add_tags_to_resource(
        ResourceType="Document", ResourceId="banana-restart",
        Tags=[{"Key": "team", "Value": "fruit"}, {"Key": "stage", "Value": ""}],
    )
    client.remove_tags_from_resource(ResourceType="Document", ResourceId="banana-restart", TagKeys=["stage", "never"])
    same(tags_of(client, "Document", "banana-restart"), {"team": "fruit"})
    with refused(client.exceptions.InvalidResourceId, "InvalidResourceId"):
        client.list_tags_for_resource(ResourceType="Document", ResourceId="nobody-made-it")


def automation(client):
    started = client.start_automation_execution(
        DocumentName="banana-restart", DocumentVersion="$LATEST", Parameters={"Service": ["catalogue"]},
        ClientToken="2b0ff3a5-8f30-4f43-9a4c-2f1bd5a5b7c0", Tags=[{"Key": "team", "Value": "banana"}],
    )["AutomationExecutionId"]
    got = client.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]
    holds(got, {"AutomationExecutionId": started, "DocumentName": "banana-restart", "DocumentVersion": "2"})
    same(got["Parameters"]["Service"], ["catalogue"])
    # As the AWS CLI's examples have it.
    holds(got, {"Targets": [], "ResolvedTargets": {"ParameterValues": [], "Truncated": False}})
    listed = client.describe_automation_executions(
        Filters=[{"Key": "DocumentNamePrefix", "Values": ["banana-"]}]
    )["AutomationExecutionMetadataList"]
    same([one["AutomationExecutionId"] for one in listed], [started])
    holds(listed[0], {"LogFile": "", "Targets": [], "Mode": "Auto", "AutomationType": "Local"})
    status = lambda one: client.get_automation_execution(  # noqa: E731
        AutomationExecutionId=one
    )["AutomationExecution"]["AutomationExecutionStatus"]
    eventually(lambda: status(started) == "Success")
    with refused(client.exceptions.InvalidAutomationStatusUpdateException, "InvalidAutomationStatusUpdateException"):
        client.stop_automation_execution(AutomationExecutionId=started)
    other = client.start_automation_execution(DocumentName="banana-restart")["AutomationExecutionId"]
    client.stop_automation_execution(AutomationExecutionId=other, Type="Cancel")
    eventually(lambda: status(other) == "Cancelled")
    with refused(client.exceptions.AutomationDefinitionNotFoundException, "AutomationDefinitionNotFoundException"):
        client.start_automation_execution(DocumentName="nobody-made-it")
    with refused("InvalidAutomationExecutionParametersException"):
        client.start_automation_execution(DocumentName="banana-restart", Parameters={"Colour": ["yellow"]})
    with refused(client.exceptions.AutomationExecutionNotFoundException, "AutomationExecutionNotFoundException"):
        client.get_automation_execution(AutomationExecutionId="00000000-0000-0000-0000-000000000000")
    client.delete_document(Name="banana-restart", DocumentVersion="1")
    client.delete_document(Name="banana-restart")
    with refused("InvalidDocument"):
        client.delete_document(Name="banana-restart")


def parameters(client):
    put = {"Name": "/banana/stand/url", "Value": "https://example.com", "Type": "String"}
    same(client.put_parameter(**put, Tags=[{"Key": "team", "Value": "banana"}])["Version"], 1)
    with refused(client.exceptions.ParameterAlreadyExists, "ParameterAlreadyExists"):
        client.put_parameter(**put)
    same(client.put_parameter(**{**put, "Value": "https://example.org"}, Overwrite=True)["Version"], 2)
    client.put_parameter(Name="/banana/stand/token", Value="ripe", Type="SecureString", Description="Do not tell")
    client.put_parameter(Name="/banana/list", Value="a,b", Type="StringList")
    holds(client.get_parameter(Name="/banana/stand/url")["Parameter"], {
        "Name": "/banana/stand/url", "Type": "String", "Value": "https://example.org", "Version": 2, "DataType": "text",
        "ARN": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/banana/stand/url",
    })
    same(client.get_parameter(Name="/banana/stand/url:1")["Parameter"]["Value"], "https://example.com")
    assert client.get_parameter(Name="/banana/stand/token")["Parameter"]["Value"] != "ripe"
    same(client.get_parameter(Name="/banana/stand/token", WithDecryption=True)["Parameter"]["Value"], "ripe")
    got = client.get_parameters(Names=["/banana/list", "/nobody"])
    same(([p["Value"] for p in got["Parameters"]], got["InvalidParameters"]), (["a,b"], ["/nobody"]))
    with refused(client.exceptions.ParameterNotFound, "ParameterNotFound"):
        client.get_parameter(Name="/nobody")
    with refused(client.exceptions.ParameterVersionNotFound, "ParameterVersionNotFound"):
        client.get_parameter(Name="/banana/stand/url:9")

    same([p["Name"] for p in client.get_parameters_by_path(Path="/banana")["Parameters"]], ["/banana/list"])
    pages = list(client.get_paginator("get_parameters_by_path").paginate(
        Path="/banana", Recursive=True, WithDecryption=True, PaginationConfig={"PageSize": 2},
    ))
    same(sum(len(page["Parameters"]) for page in pages), 3)
    described = client.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": ["/banana/stand"]}],
    )["Parameters"]
    same({p["Name"]: p.get("Description") for p in described}, {
        "/banana/stand/url": None, "/banana/stand/token": "Do not tell",
    })
    with refused(client.exceptions.InvalidFilterKey, "InvalidFilterKey"):
        client.get_parameters_by_path(Path="/banana", ParameterFilters=[{"Key": "Tier", "Values": ["Standard"]}])

    labelled = client.label_parameter_version(Name="/banana/stand/url", ParameterVersion=1, Labels=["first", "1st"])
    same((labelled["ParameterVersion"], labelled["InvalidLabels"]), (1, ["1st"]))
    same(client.get_parameter(Name="/banana/stand/url:first")["Parameter"]["Version"], 1)
    history = client.get_parameter_history(Name="/banana/stand/url")["Parameters"]
    same([(one["Version"], one["Labels"]) for one in history], [(1, ["first"]), (2, [])])
    got = client.unlabel_parameter_version(Name="/banana/stand/url", ParameterVersion=1, Labels=["first", "other"])
    same((got["RemovedLabels"], got["InvalidLabels"]), (["first"], ["other"]))
    same(tags_of(client, "Parameter", "/banana/stand/url"), {"team": "banana"})

    client.delete_parameter(Name="/banana/list")
    with refused("ParameterNotFound"):
        client.delete_parameter(Name="/banana/list")
    got = client.delete_parameters(Names=["/banana/stand/url", "/banana/stand/token", "/nobody"])
    same((sorted(got["DeletedParameters"]), got["InvalidParameters"]), (
        ["/banana/stand/token", "/banana/stand/url"], ["/nobody"],
    ))


def baselines(client):
    rules = {"PatchRules": [{
        "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
        "ComplianceLevel": "CRITICAL", "ApproveAfterDays": 7, "EnableNonSecurity": False,
    }]}
    made = {
        "Name": "banana-linux", "OperatingSystem": "AMAZON_LINUX_2023", "ApprovalRules": rules, "Description": "The fleet",
        "RejectedPatches": ["docker*"], "RejectedPatchesAction": "BLOCK", "ClientToken": "baseline-0001",
        "Tags": [{"Key": "team", "Value": "banana"}],
    }
    baseline = client.create_patch_baseline(**made)["BaselineId"]
    same(client.create_patch_baseline(**made)["BaselineId"], baseline)
    with refused(client.exceptions.IdempotentParameterMismatch, "IdempotentParameterMismatch"):
        client.create_patch_baseline(**{**made, "Name": "other"})
    got = client.get_patch_baseline(BaselineId=baseline)
    holds(got, {
        "BaselineId": baseline, "Name": "banana-linux", "OperatingSystem": "AMAZON_LINUX_2023", "ApprovalRules": rules,
        "GlobalFilters": {"PatchFilters": []}, "ApprovedPatches": [], "RejectedPatches": ["docker*"],
        "ApprovedPatchesComplianceLevel": "UNSPECIFIED", "RejectedPatchesAction": "BLOCK", "Description": "The fleet",
    })
    updated = client.update_patch_baseline(BaselineId=baseline, Description="All of the fleet")
    holds(updated, {"Description": "All of the fleet", "RejectedPatches": ["docker*"]})
    replaced = client.update_patch_baseline(BaselineId=baseline, Name="banana-linux", ApprovalRules=rules, Replace=True)
    assert "Description" not in replaced, replaced
    same(replaced["RejectedPatches"], [])
    same(tags_of(client, "PatchBaseline", baseline), {"team": "banana"})

    listed = client.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["Self"]}])["BaselineIdentities"]
    same([one["BaselineId"] for one in listed], [baseline])
    pages = list(client.get_paginator("describe_patch_baselines").paginate(
        Filters=[{"Key": "OWNER", "Values": ["AWS"]}], PaginationConfig={"PageSize": 5},
    ))
    assert len(pages) > 1 and all(one["BaselineId"].startswith("arn:") for page in pages for one in page["BaselineIdentities"])

    client.register_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup="banana prod")
    with refused(client.exceptions.AlreadyExistsException, "AlreadyExistsException"):
        client.register_patch_baseline_for_patch_group(
            BaselineId=client.create_patch_baseline(Name="second", OperatingSystem="AMAZON_LINUX_2023")["BaselineId"],
            PatchGroup="banana prod",
        )
    same(client.get_patch_baseline(BaselineId=baseline)["PatchGroups"], ["banana prod"])
    mapping = client.describe_patch_groups()["Mappings"]
    same([(one["PatchGroup"], one["BaselineIdentity"]["BaselineId"]) for one in mapping], [("banana prod", baseline)])
    holds(client.get_patch_baseline_for_patch_group(PatchGroup="banana prod", OperatingSystem="AMAZON_LINUX_2023"), {
        "BaselineId": baseline, "PatchGroup": "banana prod", "OperatingSystem": "AMAZON_LINUX_2023",
    })
    same(client.describe_patch_group_state(PatchGroup="banana prod")["Instances"], 0)
    with refused(client.exceptions.ResourceInUseException, "ResourceInUseException"):
        client.delete_patch_baseline(BaselineId=baseline)
    client.deregister_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup="banana prod")

    before = client.get_default_patch_baseline(OperatingSystem="AMAZON_LINUX_2023")["BaselineId"]
    assert before.startswith("arn:aws:ssm:"), before
    client.register_default_patch_baseline(BaselineId=baseline)
    holds(client.get_default_patch_baseline(OperatingSystem="AMAZON_LINUX_2023"), {
        "BaselineId": baseline, "OperatingSystem": "AMAZON_LINUX_2023",
    })
    with refused("ResourceInUseException"):
        client.delete_patch_baseline(BaselineId=baseline)
    client.register_default_patch_baseline(BaselineId=before)
    same(client.delete_patch_baseline(BaselineId=baseline)["BaselineId"], baseline)
    with refused(client.exceptions.DoesNotExistException, "DoesNotExistException"):
        client.get_patch_baseline(BaselineId=baseline)


def windows(client):
    made = {
        "Name": "banana-night", "Schedule": "cron(0 2 ? * SUN *)", "ScheduleTimezone": "Asia/Tokyo", "Duration": 3, "Cutoff": 1,
        "AllowUnassociatedTargets": False, "Description": "At night", "ClientToken": "window-0001",
        "Tags": [{"Key": "team", "Value": "banana"}],
    }
    window = client.create_maintenance_window(**made)["WindowId"]
    same(client.create_maintenance_window(**made)["WindowId"], window)
    with refused(client.exceptions.IdempotentParameterMismatch, "IdempotentParameterMismatch"):
        client.create_maintenance_window(**{**made, "Duration": 4})
    for wrong in ({"Schedule": "cron(0 2 * * *)"}, {"Cutoff": 3}, {"ScheduleOffset": 7}, {"Schedule": "rate(1 days)"}):
        with refused("ValidationException"):
            client.create_maintenance_window(**{**made, "ClientToken": "window-0002", **wrong})
    same(tags_of(client, "MaintenanceWindow", window), {"team": "banana"})
    got = client.get_maintenance_window(WindowId=window)
    holds(got, {"Name": "banana-night", "Enabled": True, "AllowUnassociatedTargets": False, "Description": "At night"})
    assert got["NextExecutionTime"].endswith("T02:00+09:00"), got
    pages = client.get_paginator("describe_maintenance_window_schedule").paginate(WindowId=window)
    scheduled = [one for page in pages for one in page["ScheduledWindowExecutions"]]
    same({one["WindowId"] for one in scheduled}, {window})
    same(scheduled[0]["ExecutionTime"], got["NextExecutionTime"])
    assert len({one["ExecutionTime"] for one in scheduled}) == len(scheduled) in (52, 53), scheduled
    for number in range(11):
        client.create_maintenance_window(**{**made, "Name": f"other-{number}", "ClientToken": f"window-1{number:03}"})
    pages = list(client.get_paginator("describe_maintenance_windows").paginate(PaginationConfig={"PageSize": 10}))
    same([len(page["WindowIdentities"]) for page in pages], [10, 2])
    listed = client.describe_maintenance_windows(Filters=[{"Key": "Name", "Values": ["banana-night"]}])["WindowIdentities"]
    same([one["WindowId"] for one in listed], [window])

    patch_group = [{"Key": "tag:Patch Group", "Values": ["production"]}]
    target = {"WindowId": window, "ResourceType": "INSTANCE", "Targets": patch_group, "Name": "servers", "ClientToken": "target-1"}
    servers = client.register_target_with_maintenance_window(**target)["WindowTargetId"]
    same(client.register_target_with_maintenance_window(**target)["WindowTargetId"], servers)
    with refused("ValidationException"):
        client.register_target_with_maintenance_window(WindowId=window, ResourceType="RESOURCE_GROUP", Targets=patch_group)
    client.update_maintenance_window_target(WindowId=window, WindowTargetId=servers, OwnerInformation="banana")
    got = client.describe_maintenance_window_targets(WindowId=window)["Targets"][0]
    holds(got, {"Name": "servers", "OwnerInformation": "banana", "Targets": patch_group, "ResourceType": "INSTANCE"})
    found = client.describe_maintenance_windows_for_target(Targets=patch_group, ResourceType="INSTANCE")["WindowIdentities"]
    same(found, [{"WindowId": window, "Name": "banana-night"}])

    task = {
        "WindowId": window, "TaskArn": "AWS-RunPatchBaseline", "TaskType": "RUN_COMMAND", "Name": "patch",
        "Targets": [{"Key": "WindowTargetIds", "Values": [servers]}], "MaxConcurrency": "10%", "MaxErrors": "1",
        "TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Scan"]}, "TimeoutSeconds": 600}},
    }
    patch = client.register_task_with_maintenance_window(**task)["WindowTaskId"]
    with refused("ValidationException") as said:
        client.register_task_with_maintenance_window(**{**task, "Targets": []})
    assert "is an invalid window task target type" in said["Error"]["Message"], said
    payload = json.dumps({"window": "{{WINDOW_ID}}"}).encode()
    clean = client.register_task_with_maintenance_window(
        WindowId=window, TaskArn="SSMClean", TaskType="LAMBDA", TaskInvocationParameters={"Lambda": {"Payload": payload}},
    )["WindowTaskId"]
    got = client.get_maintenance_window_task(WindowId=window, WindowTaskId=clean)
    holds(got, {"TaskType": "LAMBDA", "MaxConcurrency": "1", "MaxErrors": "1", "CutoffBehavior": "CONTINUE_TASK"})
    same(got["TaskInvocationParameters"]["Lambda"]["Payload"], payload)
    listed = client.describe_maintenance_window_tasks(WindowId=window, Filters=[{"Key": "TaskType", "Values": ["RUN_COMMAND"]}])
    same([(one["WindowTaskId"], one["Type"]) for one in listed["Tasks"]], [(patch, "RUN_COMMAND")])
    assert "TaskInvocationParameters" not in listed["Tasks"][0]
    whole = {key: value for key, value in task.items() if key not in ("TaskType", "TaskInvocationParameters")}
    replaced = client.update_maintenance_window_task(**whole, WindowTaskId=patch, Replace=True)
    assert not replaced.get("TaskInvocationParameters"), replaced

    named = {"WindowId": window, "WindowTargetId": servers}
    with refused(client.exceptions.TargetInUseException, "TargetInUseException"):
        client.deregister_target_from_maintenance_window(**named, Safe=True)
    for one in (patch, clean):
        client.deregister_task_from_maintenance_window(WindowId=window, WindowTaskId=one)
    client.deregister_target_from_maintenance_window(**named, Safe=True)
    with refused(client.exceptions.DoesNotExistException, "DoesNotExistException"):
        client.deregister_target_from_maintenance_window(**named)
    kept = {"WindowId": window, "Name": "banana-night", "Schedule": "rate(1 day)", "Duration": 2, "Cutoff": 0}
    with refused("ValidationException"):
        client.update_maintenance_window(**kept, Replace=True)
    updated = client.update_maintenance_window(**kept, AllowUnassociatedTargets=True, Enabled=False, Replace=True)
    holds(updated, {"Enabled": False, "Schedule": "rate(1 day)"})
    assert "Description" not in updated and "ScheduleTimezone" not in updated, updated
    assert "NextExecutionTime" not in client.get_maintenance_window(WindowId=window)
    same(client.delete_maintenance_window(WindowId=window)["WindowId"], window)
    same(client.delete_maintenance_window(WindowId=window)["WindowId"], window)
    with refused(client.exceptions.DoesNotExistException, "DoesNotExistException"):
        client.get_maintenance_window(WindowId=window)


def associations(client):
    targets = [{"Key": "tag:Patch Group", "Values": ["production"]}]
    made = {
        "Name": "AWS-RunPatchBaseline", "AssociationName": "banana-scan", "Parameters": {"Operation": ["Scan"]}, "Targets": targets,
        "ScheduleExpression": "rate(1 day)", "MaxErrors": "1", "MaxConcurrency": "10%", "ComplianceSeverity": "HIGH",
        "AlarmConfiguration": {"Alarms": [{"Name": "banana-errors"}]}, "Tags": [{"Key": "team", "Value": "banana"}],
        "OutputLocation": {"S3Location": {"OutputS3BucketName": "banana-logs", "OutputS3KeyPrefix": "scans"}},
    }
    created = client.create_association(**made)["AssociationDescription"]
    association = created["AssociationId"]
    holds(created, {"AssociationVersion": "1", "DocumentVersion": "$DEFAULT", "SyncCompliance": "AUTO"})
    holds(created["Overview"], {"Status": "Pending", "DetailedStatus": "Creating"})
    same(created["ApplyOnlyAtCronInterval"], False)
    same(tags_of(client, "Association", association), {"team": "banana"})
    for wrong, error in (
        ({"Name": "nobody"}, "InvalidDocument"),
        ({"DocumentVersion": "7"}, "InvalidDocumentVersion"),
        ({"Parameters": {"Operation": ["Guess"]}}, "InvalidParameters"),
        ({"Parameters": {}}, "InvalidParameters"),
        ({"Targets": []}, "InvalidTarget"),
        ({"TargetMaps": [{"Operation": ["Scan"]}]}, "InvalidTargetMaps"),
        ({"ScheduleExpression": "rate(5 minutes)"}, "InvalidSchedule"),
        ({"ScheduleOffset": 2}, "InvalidSchedule"),
        ({"OutputLocation": {"S3Location": {"OutputS3Region": "eu-west-1"}}}, "InvalidOutputLocation"),
        ({"Tags": [{"Key": "aws:team", "Value": ""}]}, "InvalidTag"),
    ):
        with refused(getattr(client.exceptions, error), error):
            client.create_association(**{**made, **wrong})
    with refused("ValidationException"):
        client.create_association(**{**made, "AssociationName": "no spaces"})

    # What an update leaves out is gone, and it begins a run.
    kept = {"AssociationId": association, "Targets": targets, "Parameters": {"Operation": ["Scan"]}}
    updated = client.update_association(**kept, ScheduleExpression="rate(2 days)")["AssociationDescription"]
    holds(updated, {"AssociationVersion": "2", "Name": "AWS-RunPatchBaseline", "ScheduleExpression": "rate(2 days)"})
    for gone in ("AssociationName", "MaxErrors", "AlarmConfiguration", "OutputLocation", "ComplianceSeverity"):
        assert gone not in updated, updated
    with refused(client.exceptions.InvalidAssociationVersion, "InvalidAssociationVersion"):
        client.update_association(**kept, AssociationVersion="1")
    first = client.describe_association(AssociationId=association, AssociationVersion="1")["AssociationDescription"]
    holds(first, {"AssociationName": "banana-scan", "MaxErrors": "1"})
    versions = client.list_association_versions(AssociationId=association)["AssociationVersions"]
    same([one["AssociationVersion"] for one in versions], ["1", "2"])
    assert "AlarmConfiguration" not in versions[0], versions
    runs = lambda: client.describe_association_executions(AssociationId=association)["AssociationExecutions"]  # noqa: E731
    same([one["AssociationVersion"] for one in runs()], ["2", "1"])
    client.start_associations_once(AssociationIds=[association])
    same(len(runs()), 3)
    waits = client.create_association(
        **{**made, "ScheduleExpression": "cron(0 2 ? * SUN *)", "ScheduleOffset": 2, "ApplyOnlyAtCronInterval": True, "Duration": 3},
    )["AssociationDescription"]["AssociationId"]
    same(client.describe_association_executions(AssociationId=waits)["AssociationExecutions"], [])

    pages = list(client.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": 1}))
    same(sorted(page["Associations"][0]["AssociationId"] for page in pages if page["Associations"]), sorted([association, waits]))
    named = client.list_associations(AssociationFilterList=[{"key": "AssociationName", "value": "banana-scan"}])["Associations"]
    same([one["AssociationId"] for one in named], [waits])
    assert "Parameters" not in named[0] and "MaxErrors" not in named[0], named

    # The old form: one document of the old schema and one node.
    old = json.dumps({
        "schemaVersion": "1.2", "description": "Old.",
        "runtimeConfig": {"aws:runShellScript": {"properties": [{"runCommand": ["ls"]}]}},
    })
    client.create_document(Name="banana-old", Content=old)
    node = {"Name": "banana-old", "InstanceId": "i-0123456789abcdef0"}
    client.create_association(**node)
    with refused(client.exceptions.AssociationAlreadyExists, "AssociationAlreadyExists"):
        client.create_association(**node)
    status = {"Date": 1777888000, "Name": "Failed", "Message": "no"}
    reported = client.update_association_status(**node, AssociationStatus=status)["AssociationDescription"]
    same(reported["Overview"]["Status"], "Failed")
    with refused(client.exceptions.StatusUnchanged, "StatusUnchanged"):
        client.update_association_status(**node, AssociationStatus=status)
    failed = client.list_associations(AssociationFilterList=[{"key": "AssociationStatusName", "value": "Failed"}])["Associations"]
    same([one["InstanceId"] for one in failed], [node["InstanceId"]])
    with refused(client.exceptions.AssociatedInstances, "AssociatedInstances"):
        client.delete_document(Name="banana-old")
    client.delete_association(**node)
    client.delete_document(Name="banana-old")
    for one in (association, waits):
        client.delete_association(AssociationId=one)
    with refused(client.exceptions.AssociationDoesNotExist, "AssociationDoesNotExist"):
        client.describe_association(AssociationId=association)
    with refused(client.exceptions.InvalidResourceId, "InvalidResourceId"):
        tags_of(client, "Association", association)


def settings(client):
    name = "/ssm/documents/console/public-sharing-permission"
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:servicesetting{name}"
    before = client.get_service_setting(SettingId=name)["ServiceSetting"]
    holds(before, {"SettingId": name, "SettingValue": "Enable", "Status": "Default", "ARN": arn})
    client.update_service_setting(SettingId=arn, SettingValue="Disable")
    holds(client.get_service_setting(SettingId=name)["ServiceSetting"], {"SettingValue": "Disable", "Status": "Customized"})
    holds(client.reset_service_setting(SettingId=name)["ServiceSetting"], {"SettingValue": "Enable", "Status": "Default"})
    with refused(client.exceptions.ServiceSettingNotFound, "ServiceSettingNotFound"):
        client.get_service_setting(SettingId="/ssm/nobody/knows-it")
    with refused(client.exceptions.ServiceSettingNotFound, "ServiceSettingNotFound"):
        client.reset_service_setting(SettingId="/ssm/nobody/knows-it")
    with refused("ValidationException"):
        client.update_service_setting(SettingId=name, SettingValue="disable")
    with refused("ValidationException"):
        client.get_service_setting(SettingId=arn.replace(REGION, "eu-west-1"))

    # One takes its time, to change and to go back.
    tier = "/ssm/managed-instance/activation-tier"
    get = lambda: client.get_service_setting(SettingId=tier)["ServiceSetting"]  # noqa: E731
    client.update_service_setting(SettingId=tier, SettingValue="advanced")
    holds(get(), {"SettingValue": "standard", "Status": "PendingUpdate"})
    changed = eventually(lambda: (found := get())["Status"] != "PendingUpdate" and found)
    holds(changed, {"SettingValue": "advanced", "Status": "Customized"})
    assert changed["LastModifiedUser"].startswith("arn:"), changed
    holds(client.reset_service_setting(SettingId=tier)["ServiceSetting"], {"SettingValue": "advanced", "Status": "PendingUpdate"})
    reset = eventually(lambda: (found := get())["Status"] != "PendingUpdate" and found)
    holds(reset, {"SettingValue": "standard", "Status": "Default", "LastModifiedUser": "System"})
    # What was written on purpose is customized, even if it is the default.
    client.update_service_setting(SettingId=name, SettingValue="Enable")
    holds(client.get_service_setting(SettingId=name)["ServiceSetting"], {"SettingValue": "Enable", "Status": "Customized"})
    client.reset_service_setting(SettingId=name)


def main():
    with aws() as sandbox:
        client = sandbox.client("ssm")
        documents(client)
        document_lists(client)
        document_sharing_and_reviews(client)
        automation(client)
        parameters(client)
        baselines(client)
        windows(client)
        associations(client)
        settings(client)
        with refused("InvalidDocument"):
            sandbox.client("ssm", region="eu-west-1").describe_document(Name="banana-restart")
        all_called(sandbox.recorder, "ssm", "json")
