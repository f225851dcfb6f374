"""The AWS CLI as people type it: each family of operations, `--query`, `--output`, files, shorthand, pages, waiters."""

import json
import pathlib
import tempfile

from harness import ACCOUNT, REGION, aws, eventually, holds, refused, same, side_by_side
from programs import Programs

COMMAND = """\
schemaVersion: "2.2"
description: Shows the disk.
mainSteps:
  - action: aws:runShellScript
    name: disk
    inputs:
      runCommand: [df -h]
"""


def accounts(run):
    same(run.aws("sts", "get-caller-identity", "--query", "Account"), ACCOUNT)
    role = ("--role-arn", "arn:aws:iam::444455556666:role/deployer", "--role-session-name", "by-hand")
    got = run.aws("sts", "assume-role", *role, "--duration-seconds", "900", "--tags", "Key=team,Value=banana")
    same(got["AssumedRoleUser"]["Arn"], "arn:aws:sts::444455556666:assumed-role/deployer/by-hand")


def dashboards(run):
    body = run.folder / "body.json"
    body.write_text(json.dumps({"widgets": [{"type": "text", "width": 24, "height": 2, "properties": {"markdown": "# Hi"}}]}))
    named = ("--dashboard-name", "banana")
    run.aws("cloudwatch", "put-dashboard", *named, "--dashboard-body", f"file://{body}", "--tags", "Key=team,Value=banana")
    got = run.aws("cloudwatch", "get-dashboard", *named)
    same(json.loads(got["DashboardBody"]), json.loads(body.read_text()))
    names = ("--dashboard-name-prefix", "ban", "--query", "DashboardEntries[].DashboardName")
    same(run.aws("cloudwatch", "list-dashboards", *names), ["banana"])
    same(run.aws("cloudwatch", "list-tags-for-resource", "--resource-arn", got["DashboardArn"])["Tags"], [
        {"Key": "team", "Value": "banana"},
    ])
    run.aws("cloudwatch", "delete-dashboards", "--dashboard-names", "banana")
    run.refused("ResourceNotFound", "cloudwatch", "get-dashboard", *named)


def documents(run):
    content = run.folder / "disk.yaml"
    content.write_text(COMMAND)
    named = ("--name", "banana-disk")
    made = run.aws(
        "ssm", "create-document", *named, "--content", f"file://{content}", "--document-type", "Command",
        "--document-format", "YAML", "--tags", "Key=team,Value=banana",
    )["DocumentDescription"]
    holds(made, {"Name": "banana-disk", "Status": "Creating", "PlatformTypes": ["Linux", "MacOS"]})
    run.refused("DocumentAlreadyExists", "ssm", "create-document", *named, "--content", f"file://{content}",
                "--document-type", "Command", "--document-format", "YAML")
    listed = run.aws(
        "ssm", "list-documents", "--filters", "Key=Owner,Values=Self", "--query", "DocumentIdentifiers[].Name",
    )
    same(listed, ["banana-disk"])
    # `--max-items` stops, `--starting-token` goes on.
    theirs = ("ssm", "list-documents", "--filters", "Key=Owner,Values=Amazon", "--page-size", "2", "--max-items", "3")
    first = run.aws(*theirs)
    after = run.aws(*theirs, "--starting-token", first["NextToken"])
    names = [one["Name"] for page in (first, after) for one in page["DocumentIdentifiers"]]
    same(len(set(names)), 6)
    got = run.aws("ssm", "get-document", *named, "--document-format", "YAML")
    same(got["Content"], COMMAND)


def parameters(run):
    for name, kind, value in (("url", "String", "stand.example.com"), ("token", "SecureString", "ripe"), ("deep/er", "String", "x")):
        run.aws("ssm", "put-parameter", "--name", f"/banana/{name}", "--type", kind, "--value", value)
    path = ("ssm", "get-parameters-by-path", "--path", "/banana")
    same(run.aws(*path, "--query", "Parameters[].Name"), ["/banana/token", "/banana/url"])
    got = run.aws(*path, "--recursive", "--with-decryption", "--page-size", "1", "--query", "Parameters[].[Name,Value]")
    same(sorted(map(tuple, got)), [("/banana/deep/er", "x"), ("/banana/token", "ripe"), ("/banana/url", "stand.example.com")])
    run.refused("ParameterNotFound", "ssm", "get-parameter", "--name", "/banana/nobody")


def patching_and_settings(run):
    baseline = run.aws(
        "ssm", "create-patch-baseline", "--name", "banana-windows", "--operating-system", "WINDOWS", "--approval-rules",
        "PatchRules=[{PatchFilterGroup={PatchFilters=[{Key=MSRC_SEVERITY,Values=[Critical]}]},ApproveAfterDays=7}]",
        "--query", "BaselineId", "--output", "text",
    )
    group = ("--baseline-id", baseline, "--patch-group", "tills")
    holds(run.aws("ssm", "register-patch-baseline-for-patch-group", *group), {"PatchGroup": "tills"})
    mapped = run.aws("ssm", "describe-patch-groups", "--query", "Mappings[].BaselineIdentity.BaselineName")
    same(mapped, ["banana-windows"])
    run.refused("ResourceInUseException", "ssm", "delete-patch-baseline", "--baseline-id", baseline)
    window = run.aws(
        "ssm", "create-maintenance-window", "--name", "tills", "--schedule", "rate(7 days)", "--duration", "3", "--cutoff", "1",
        "--no-allow-unassociated-targets", "--query", "WindowId",
    )
    target = run.aws(
        "ssm", "register-target-with-maintenance-window", "--window-id", window, "--resource-type", "INSTANCE",
        "--targets", "Key=tag:Patch Group,Values=tills", "--query", "WindowTargetId",
    )
    run.aws(
        "ssm", "register-task-with-maintenance-window", "--window-id", window, "--task-arn", "AWS-RunPatchBaseline",
        "--task-type", "RUN_COMMAND", "--targets", f"Key=WindowTargetIds,Values={target}", "--max-concurrency", "2",
        "--max-errors", "1", "--task-invocation-parameters", "RunCommand={Parameters={Operation=Install}}",
    )
    tasks = ("ssm", "describe-maintenance-window-tasks", "--window-id", window, "--query", "Tasks[].TaskArn")
    same(run.aws(*tasks), ["AWS-RunPatchBaseline"])
    association = run.aws(
        "ssm", "create-association", "--name", "AWS-GatherSoftwareInventory", "--association-name", "inventory",
        "--targets", "Key=InstanceIds,Values=*", "--schedule-expression", "rate(30 minutes)", "--parameters", "services=Disabled",
        "--query", "AssociationDescription.AssociationId", "--output", "text",
    )
    listed = run.aws("ssm", "list-associations", "--association-filter-list", "key=AssociationName,value=inventory")
    same([one["AssociationId"] for one in listed["Associations"]], [association])
    named = ("--association-id", association)
    run.aws("ssm", "update-association", *named, "--targets", "Key=tag:role,Values=till")
    described = run.aws("ssm", "describe-association", *named, "--query", "AssociationDescription")
    holds(described, {"AssociationVersion": "2", "Targets": [{"Key": "tag:role", "Values": ["till"]}]})
    assert "ScheduleExpression" not in described and "AssociationName" not in described, described
    run.aws("ssm", "delete-association", *named)
    run.refused("AssociationDoesNotExist", "ssm", "delete-association", *named)
    setting = ("--setting-id", "/ssm/documents/console/public-sharing-permission")
    status = ("ssm", "get-service-setting", *setting, "--query", "ServiceSetting.Status")
    same(run.aws(*status), "Default")
    run.aws("ssm", "update-service-setting", *setting, "--setting-value", "Disable")
    same(run.aws(*status), "Customized")
    same(run.aws("ssm", "reset-service-setting", *setting)["ServiceSetting"]["SettingValue"], "Enable")
    run.refused("ServiceSettingNotFound", "ssm", "get-service-setting", "--setting-id", "/ssm/nobody/knows-it")


def incidents_and_people(run):
    run.refused("ValidationException", "ssm-contacts", "list-contacts")
    made = run.aws("ssm-incidents", "create-replication-set", "--regions", json.dumps({REGION: {}}))
    got = ("ssm-incidents", "get-replication-set", "--arn", made["arn"], "--query", "replicationSet.status")
    eventually(lambda: run.aws(*got) == "ACTIVE")
    run.aws("ssm-incidents", "wait", "wait-for-replication-set-active", "--arn", made["arn"])
    contact = run.aws(
        "ssm-contacts", "create-contact", "--alias", "kayoko", "--display-name", "Kayoko Tanaka", "--type", "PERSONAL",
        "--plan", "Stages=[]", "--tags", "Key=team,Value=banana", "--query", "ContactArn", "--output", "text",
    )
    side_by_side([lambda: people(run, contact), lambda: incident(run, contact)])


def people(run, contact):
    channel = run.aws(
        "ssm-contacts", "create-contact-channel", "--contact-id", contact, "--name", "sms", "--type", "SMS",
        "--delivery-address", "SimpleAddress=+12065550100", "--defer-activation",
    )["ContactChannelArn"]
    run.aws("ssm-contacts", "update-contact", "--contact-id", contact, "--plan",
            f"Stages=[{{DurationInMinutes=5,Targets=[{{ChannelTargetInfo={{ContactChannelId={channel}}}}}]}}]")
    recurrence = json.dumps({
        "NumberOfOnCalls": 1, "RecurrenceMultiplier": 1, "DailySettings": [{"HourOfDay": 9, "MinuteOfHour": 0}],
    })
    rotation = run.aws(
        "ssm-contacts", "create-rotation", "--name", "daily", "--contact-ids", contact, "--time-zone-id", "Asia/Tokyo",
        "--start-time", "2030-01-01T09:00:00+09:00", "--recurrence", recurrence,
    )["RotationArn"]
    shifts = run.aws(
        "ssm-contacts", "list-rotation-shifts", "--rotation-id", rotation, "--start-time", "2030-01-01T09:00:00+09:00",
        "--end-time", "2030-01-04T09:00:00+09:00", "--page-size", "2", "--query", "RotationShifts[].ContactIds[]",
    )
    same(shifts, [contact] * 3)
    same(run.aws("ssm-contacts", "list-contacts", "--alias-prefix", "kay", "--query", "Contacts[].Alias"), ["kayoko"])
    run.refused("ConflictException", "ssm-contacts", "delete-contact", "--contact-id", contact)
    engagement = run.aws(
        "ssm-contacts", "start-engagement", "--contact-id", contact, "--sender", "me", "--subject", "s", "--content", "c",
    )["EngagementArn"]
    assert engagement in run.aws("ssm-contacts", "list-engagements", "--query", "Engagements[].EngagementArn")


def incident(run, contact):
    plan = run.aws(
        "ssm-incidents", "create-response-plan", "--name", "banana", "--incident-template", "title=No bananas,impact=1",
        "--engagements", contact, "--tags", "team=banana", "--query", "arn", "--output", "text",
    )
    same(run.aws("ssm-incidents", "list-response-plans")["responsePlanSummaries"], [{"arn": plan, "name": "banana"}])
    record = run.aws("ssm-incidents", "start-incident", "--response-plan-arn", plan, "--title", "By hand")["incidentRecordArn"]
    opened = run.aws(
        "ssm-incidents", "list-incident-records", "--filters",
        "key=status,condition={equals={stringValues=[OPEN]}}", "--query", "incidentRecordSummaries[].title",
    )
    same(opened, ["By hand"])
    run.aws("ssm-incidents", "create-timeline-event", "--incident-record-arn", record, "--event-type", "Note",
            "--event-time", "2030-01-01T00:00:00Z", "--event-data", '"Called the plantation"')
    run.aws("ssm-incidents", "update-incident-record", "--arn", record, "--status", "RESOLVED")
    same(run.aws("ssm-incidents", "list-tags-for-resource", "--resource-arn", plan)["tags"], {"team": "banana"})
    run.refused("ResourceNotFoundException", "ssm-incidents", "get-response-plan", "--arn", plan + "-none")


def security_hub(run):
    hub = ("securityhub", "--region", "eu-west-1")
    run.refused("InvalidAccessException", *hub[:1], "describe-hub", *hub[1:])

    def call(*words):
        return run.aws(hub[0], *words, *hub[1:])

    call("enable-security-hub", "--no-enable-default-standards", "--tags", "team=banana")
    arn = call("describe-hub", "--query", "HubArn")
    same(call("list-tags-for-resource", "--resource-arn", arn)["Tags"], {"team": "banana"})
    cis = "cis-aws-foundations-benchmark/v/3.0.0"
    standard = call("describe-standards", "--query", f"Standards[?contains(StandardsArn, '{cis}')].StandardsArn")[0]
    call("batch-enable-standards", "--standards-subscription-requests", f"StandardsArn={standard}")
    status = ("get-enabled-standards", "--query", "StandardsSubscriptions[0].StandardsStatus")
    eventually(lambda: call(*status) == "READY")
    # Several pages are one list to the AWS CLI.
    definitions = ("list-security-control-definitions", "--standards-arn", standard, "--page-size", "10")
    same(len(call(*definitions, "--query", "SecurityControlDefinitions[].SecurityControlId")), 37)
    update = f"StandardsArn={standard},SecurityControlId=IAM.6,AssociationStatus=DISABLED,UpdatedReason=No tokens"
    same(call("batch-update-standards-control-associations", "--standards-control-association-updates", update), {})
    off = call("list-standards-control-associations", "--security-control-id", "IAM.6")
    holds(off["StandardsControlAssociationSummaries"][0], {"AssociationStatus": "DISABLED", "UpdatedReason": "No tokens"})
    criteria = "ComplianceSecurityControlId=[{Value=EC2.13,Comparison=EQUALS}]"
    actions = "Type=FINDING_FIELDS_UPDATE,FindingFieldsUpdate={Workflow={Status=SUPPRESSED}}"
    rule = call("create-automation-rule", "--rule-name", "accepted", "--description", "Accepted", "--rule-order", "5",
                "--criteria", criteria, "--actions", actions, "--query", "RuleArn")
    item = f"RuleArn={rule},RuleOrder=7"
    same(call("batch-update-automation-rules", "--update-automation-rules-request-items", item), {"ProcessedAutomationRules": [rule], "UnprocessedAutomationRules": []})
    same(call("list-automation-rules", "--query", "AutomationRulesMetadata[].[RuleName,RuleOrder]"), [["accepted", 7]])
    same(call("batch-delete-automation-rules", "--automation-rules-arns", rule), {"ProcessedAutomationRules": [rule], "UnprocessedAutomationRules": []})
    call("disable-security-hub")
    run.refused("InvalidAccessException", "securityhub", "get-enabled-standards", *hub[1:])


def main():
    with tempfile.TemporaryDirectory() as folder, aws() as sandbox:
        run = Programs(sandbox, pathlib.Path(folder))
        families = (accounts, dashboards, documents, parameters, patching_and_settings, incidents_and_people, security_hub)
        side_by_side([lambda family=family: family(run) for family in families])
        # What the AWS CLI made is what boto3 sees.
        same(sandbox.client("ssm").get_parameter(Name="/banana/url")["Parameter"]["Value"], "stand.example.com")
        with refused("ResourceNotFound"):
            sandbox.client("cloudwatch").get_dashboard(DashboardName="banana")
