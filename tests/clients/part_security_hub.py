"""Security Hub by boto3: every operation that needs no organization, a hub from its beginning to its end."""

from harness import ACCOUNT, REGION, all_called, aws, eventually, holds, refused, same, tables
from part_security_hub_organization import OPERATIONS

HUB = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default"
RULE = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:automation-rule/a1b2c3d4-5678-90ab-cdef-111111111111"
CIS12 = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
FSBP = f"arn:aws:securityhub:{REGION}::standards/aws-foundational-security-best-practices/v/1.0.0"
NIST = f"arn:aws:securityhub:{REGION}::standards/nist-800-53/v/5.0.0"


def subscription(standard):
    name = standard.split("/", 1)[1]
    return f"arn:aws:securityhub:{REGION}:{ACCOUNT}:subscription/{name}"


def statuses(client):
    pages = client.get_paginator("get_enabled_standards").paginate()
    return {one["StandardsArn"]: one["StandardsStatus"] for page in pages for one in page["StandardsSubscriptions"]}


def without_a_hub(client):
    calls = {
        "describe_hub": {}, "update_security_hub_configuration": {"AutoEnableControls": True}, "disable_security_hub": {},
        "describe_standards": {}, "get_enabled_standards": {}, "list_security_control_definitions": {},
        "list_standards_control_associations": {"SecurityControlId": "IAM.6"},
        "list_automation_rules": {}, "batch_get_automation_rules": {"AutomationRulesArns": [RULE]},
        "batch_delete_automation_rules": {"AutomationRulesArns": [RULE]},
    }
    for operation, given in calls.items():
        with refused(client.exceptions.InvalidAccessException, "InvalidAccessException") as said:
            getattr(client, operation)(**given)
        same(said["ResponseMetadata"]["HTTPStatusCode"], 401)
        assert "not subscribed to AWS Security Hub" in said["Error"]["Message"], said
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
        client.list_tags_for_resource(ResourceArn=HUB)


def hub(client):
    client.enable_security_hub(Tags={"team": "banana"})
    with refused(client.exceptions.ResourceConflictException, "ResourceConflictException") as said:
        client.enable_security_hub()
    same(said["ResponseMetadata"]["HTTPStatusCode"], 409)
    got = client.describe_hub(HubArn=HUB)
    holds(got, {"HubArn": HUB, "AutoEnableControls": True, "ControlFindingGenerator": "SECURITY_CONTROL"})
    assert got["SubscribedAt"].endswith("Z"), got
    client.update_security_hub_configuration(AutoEnableControls=False)
    client.update_security_hub_configuration(ControlFindingGenerator="STANDARD_CONTROL")
    holds(client.describe_hub(), {"AutoEnableControls": False, "ControlFindingGenerator": "STANDARD_CONTROL"})
    client.tag_resource(ResourceArn=HUB, Tags={"stage": "", "team": "fruit"})
    same(client.list_tags_for_resource(ResourceArn=HUB)["Tags"], {"team": "fruit", "stage": ""})
    client.untag_resource(ResourceArn=HUB, TagKeys=["stage", "never-there"])
    same(client.list_tags_for_resource(ResourceArn=HUB)["Tags"], {"team": "fruit"})


def standards(client):
    # Whoever does not say otherwise gets AWS's two.
    same(statuses(client), {CIS12: "PENDING", FSBP: "PENDING"})
    with refused("InvalidInputException") as said:
        client.batch_enable_standards(StandardsSubscriptionRequests=[{"StandardsArn": NIST + "x"}])
    assert NIST + "x" in said["Error"]["Message"], said
    eventually(lambda: set(statuses(client).values()) == {"READY"})
    listed = client.get_paginator("describe_standards").paginate(PaginationConfig={"PageSize": 4})
    listed = [one for page in listed for one in page["Standards"]]
    same({one["StandardsArn"] for one in listed if one["EnabledByDefault"]}, {CIS12, FSBP})
    assert NIST in {one["StandardsArn"] for one in listed}, listed

    made = client.batch_enable_standards(StandardsSubscriptionRequests=[{"StandardsArn": NIST}])["StandardsSubscriptions"]
    holds(made[0], {"StandardsSubscriptionArn": subscription(NIST), "StandardsArn": NIST, "StandardsStatus": "PENDING",
                    "StandardsControlsUpdatable": "NOT_READY_FOR_UPDATES", "StandardsInput": {}})
    with refused("InvalidInputException") as said:
        client.batch_disable_standards(StandardsSubscriptionArns=[subscription(NIST)])
    assert "in state PENDING, please try later" in said["Error"]["Message"], said
    # What is not ready is not there yet, one way or the other.
    listed = client.list_standards_control_associations(SecurityControlId="ACM.1")["StandardsControlAssociationSummaries"]
    same([one["StandardsArn"] for one in listed], [FSBP])
    got = client.batch_get_standards_control_associations(
        StandardsControlAssociationIds=[{"SecurityControlId": "ACM.1", "StandardsArn": NIST}],
    )
    same(got["StandardsControlAssociationDetails"], [])
    holds(got["UnprocessedAssociations"][0], {"ErrorCode": "RESOURCE_NOT_FOUND"})
    eventually(lambda: statuses(client)[NIST] == "READY")
    got = client.get_enabled_standards(StandardsSubscriptionArns=[subscription(NIST)])["StandardsSubscriptions"]
    same([one["StandardsControlsUpdatable"] for one in got], ["READY_FOR_UPDATES"])

    gone = client.batch_disable_standards(StandardsSubscriptionArns=[subscription(CIS12)])["StandardsSubscriptions"]
    holds(gone[0], {"StandardsArn": CIS12, "StandardsStatus": "DELETING"})
    eventually(lambda: CIS12 not in statuses(client))


def controls(client):
    found = [
        one["SecurityControlId"]
        for page in client.get_paginator("list_security_control_definitions").paginate(StandardsArn=FSBP)
        for one in page["SecurityControlDefinitions"]
    ]
    assert len(found) == len(set(found)) > 250, len(found)
    same(len(client.list_security_control_definitions()["SecurityControlDefinitions"]), 25)
    with refused("InvalidInputException"):
        client.list_security_control_definitions(NextToken="nobody gave this")
    got = client.get_security_control_definition(SecurityControlId="ACM.1")["SecurityControlDefinition"]
    holds(got, {"SecurityControlId": "ACM.1", "CustomizableProperties": ["Parameters"], "SeverityRating": "MEDIUM"})
    same(got["ParameterDefinitions"]["daysToExpiration"]["ConfigurationOptions"], {
        "Integer": {"DefaultValue": 30, "Min": 14, "Max": 365},
    })
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
        client.get_security_control_definition(SecurityControlId="ACM.99")


def associations(client):
    def update(control, standard, status, **more):
        answer = client.batch_update_standards_control_associations(StandardsControlAssociationUpdates=[
            {"SecurityControlId": control, "StandardsArn": standard, "AssociationStatus": status, **more},
        ])
        return [one["ErrorCode"] for one in answer.get("UnprocessedAssociationUpdates", [])]

    def state(control):
        both = [{"SecurityControlId": control, "StandardsArn": standard} for standard in (FSBP, NIST)]
        got = client.batch_get_standards_control_associations(StandardsControlAssociationIds=both)
        return [(one["AssociationStatus"], one.get("UpdatedReason")) for one in got["StandardsControlAssociationDetails"]]

    same(state("EC2.8"), [("ENABLED", None), ("ENABLED", None)])
    same(update("EC2.8", FSBP, "DISABLED", UpdatedReason="Old tills"), [])
    same(state("EC2.8"), [("DISABLED", "Old tills"), ("ENABLED", None)])
    # Failures come with HTTP 200.
    same(update("EC2.8", NIST, "DISABLED"), ["INVALID_INPUT"])
    same(update("EC2.8", CIS12, "DISABLED", UpdatedReason="x"), ["RESOURCE_NOT_FOUND"])
    same(update("EC2.99", FSBP, "DISABLED", UpdatedReason="x"), ["RESOURCE_NOT_FOUND"])
    same(update("EC2.8", FSBP, "ENABLED"), [])
    same(state("EC2.8"), [("ENABLED", None), ("ENABLED", None)])
    many = [{"SecurityControlId": "EC2.8", "StandardsArn": FSBP}] * 101
    with refused("InvalidInputException"):
        client.batch_get_standards_control_associations(StandardsControlAssociationIds=many)


def parameters(client):
    def read(*ids):
        return client.batch_get_security_controls(SecurityControlIds=list(ids))

    def set_days(**value):
        client.update_security_control(SecurityControlId="ACM.1", Parameters={"daysToExpiration": value})

    def settled():
        return read("ACM.1")["SecurityControls"][0]["UpdateStatus"] == "READY"

    got = read("ACM.1", "ACM.99", f"arn:aws:securityhub:{REGION}:{ACCOUNT}:security-control/IAM.6")
    same([one["SecurityControlId"] for one in got["SecurityControls"]], ["ACM.1", "IAM.6"])
    same(got["SecurityControls"][0]["Parameters"], {"daysToExpiration": {"ValueType": "DEFAULT", "Value": {"Integer": 30}}})
    holds(got["SecurityControls"][1], {"SecurityControlStatus": "ENABLED", "UpdateStatus": "READY"})
    same([(one["SecurityControlId"], one["ErrorCode"]) for one in got["UnprocessedIds"]], [("ACM.99", "RESOURCE_NOT_FOUND")])
    set_days(ValueType="CUSTOM", Value={"Integer": 20})
    with refused(client.exceptions.ResourceInUseException, "ResourceInUseException"):
        set_days(ValueType="CUSTOM", Value={"Integer": 21})
    holds(read("ACM.1")["SecurityControls"][0], {
        "UpdateStatus": "UPDATING", "Parameters": {"daysToExpiration": {"ValueType": "CUSTOM", "Value": {"Integer": 20}}},
    })
    eventually(settled)
    for wrong in (
        {"ValueType": "CUSTOM", "Value": {"Integer": 5}}, {"ValueType": "CUSTOM", "Value": {"String": "20"}},
        {"ValueType": "CUSTOM"},
    ):
        with refused(client.exceptions.InvalidInputException, "InvalidInputException"):
            set_days(**wrong)
    with refused("InvalidInputException"):
        client.update_security_control(SecurityControlId="ACM.1", Parameters={"nobody": {"ValueType": "DEFAULT"}})
    with refused("ResourceNotFoundException"):
        client.update_security_control(SecurityControlId="ACM.99", Parameters={"x": {"ValueType": "DEFAULT"}})
    # What stands beside DEFAULT is ignored: service model, ParameterConfiguration.
    set_days(ValueType="DEFAULT", Value={"Integer": 20})
    eventually(settled)
    same(read("ACM.1")["SecurityControls"][0]["Parameters"]["daysToExpiration"]["ValueType"], "DEFAULT")


def rules(client):
    given = {
        "RuleName": "accepted", "Description": "Risks that we bear", "RuleOrder": 10,
        "Criteria": {
            "SeverityLabel": [{"Value": "LOW", "Comparison": "EQUALS"}],
            "Confidence": [{"Gte": 50.5, "Lt": 90}],
            "UpdatedAt": [{"DateRange": {"Value": 30, "Unit": "DAYS", "Comparison": "OLDER_THAN"}}],
            "ResourceTags": [{"Key": "stage", "Value": "test", "Comparison": "CONTAINS"}],
        },
        "Actions": [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {
            "Severity": {"Normalized": 40}, "Workflow": {"Status": "SUPPRESSED"},
            "Note": {"Text": "Accepted", "UpdatedBy": "security-team"},
        }}],
    }

    def create(**more):
        return client.create_automation_rule(**{**given, **more})["RuleArn"]

    def get(*arns):
        return client.batch_get_automation_rules(AutomationRulesArns=list(arns))

    def update(arn, **more):
        answer = client.batch_update_automation_rules(UpdateAutomationRulesRequestItems=[{"RuleArn": arn, **more}])
        return [one["ErrorCode"] for one in answer.get("UnprocessedAutomationRules", [])]

    one = create(Tags={"team": "banana"})
    assert one.startswith(f"arn:aws:securityhub:{REGION}:{ACCOUNT}:automation-rule/"), one
    got = get(one)["Rules"][0]
    holds(got, {"RuleStatus": "ENABLED", "IsTerminal": False, "Criteria": given["Criteria"], "RuleOrder": 10})
    # A severity by number gets its label.
    same(got["Actions"][0]["FindingFieldsUpdate"]["Severity"], {"Normalized": 40, "Label": "MEDIUM"})
    assert got["CreatedAt"] == got["UpdatedAt"] and got["CreatedBy"], got
    same(client.list_tags_for_resource(ResourceArn=one)["Tags"], {"team": "banana"})
    client.tag_resource(ResourceArn=one, Tags={"stage": "test"})
    client.untag_resource(ResourceArn=one, TagKeys=["team"])
    same(client.list_tags_for_resource(ResourceArn=one)["Tags"], {"stage": "test"})
    # The same again is another, and a list has pages.
    other = create()
    pages, token = [], {}
    while token is not None:
        page = client.list_automation_rules(MaxResults=1, **token)
        pages.append([rule["RuleArn"] for rule in page["AutomationRulesMetadata"]])
        assert all("Criteria" not in rule for rule in page["AutomationRulesMetadata"]), page
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    same(pages, [[arn] for arn in sorted([one, other])])
    with refused("InvalidInputException"):
        client.list_automation_rules(NextToken="nobody gave this")

    # What an update leaves out stays, what it has replaces the old one whole.
    same(update(one, RuleStatus="DISABLED", Criteria={"Title": [{"Value": "x", "Comparison": "PREFIX"}]}), [])
    holds(get(one)["Rules"][0], {"RuleStatus": "DISABLED", "RuleOrder": 10, "RuleName": "accepted",
                                 "Criteria": {"Title": [{"Value": "x", "Comparison": "PREFIX"}]}})
    # Failures come with HTTP 200.
    both = [{"Value": "x", "Comparison": word} for word in ("EQUALS", "NOT_EQUALS")]
    same(update(one, Criteria={"Title": both}), [400])
    same(update(RULE, RuleOrder=1), [404])
    same([one["RuleArn"] for one in get(RULE, other)["UnprocessedAutomationRules"]], [RULE])
    for wrong in ({"Criteria": {}}, {"Criteria": {"Title": both}}, {"Criteria": {"Type": both[:1] * 21}}):
        with refused(client.exceptions.InvalidInputException, "InvalidInputException"):
            create(**wrong)
    gone = client.batch_delete_automation_rules(AutomationRulesArns=[one, RULE])
    same(gone["ProcessedAutomationRules"], [one])
    same([one["RuleArn"] for one in gone["UnprocessedAutomationRules"]], [RULE])
    with refused("ResourceNotFoundException"):
        client.list_tags_for_resource(ResourceArn=one)


def main():
    with aws() as sandbox:
        client = sandbox.client("securityhub")
        without_a_hub(client)
        hub(client)
        standards(client)
        controls(client)
        associations(client)
        parameters(client)
        rules(client)
        with refused("InvalidAccessException"):
            sandbox.client("securityhub", region="eu-west-1").describe_hub()
        client.disable_security_hub()
        without_a_hub(client)
        names = tables()["securityhub"] - OPERATIONS
        all_called(sandbox.recorder, "securityhub", "rest-json", names=names)
