"""Security Hub of an organization by boto3 and by the AWS CLI: its administrator, the aggregator, central configuration."""

import json
import pathlib
import tempfile

from harness import ACCOUNT, REGION, all_called, aws, eventually, holds, refused, same
from programs import Programs

# What needs an organization; `part_security_hub` has the rest.
OPERATIONS = {
    "CreateFindingAggregator", "GetFindingAggregator", "ListFindingAggregators", "UpdateFindingAggregator",
    "DeleteFindingAggregator", "EnableOrganizationAdminAccount", "DisableOrganizationAdminAccount",
    "ListOrganizationAdminAccounts", "DescribeOrganizationConfiguration", "UpdateOrganizationConfiguration",
    "CreateConfigurationPolicy", "GetConfigurationPolicy", "ListConfigurationPolicies", "UpdateConfigurationPolicy",
    "DeleteConfigurationPolicy", "StartConfigurationPolicyAssociation", "StartConfigurationPolicyDisassociation",
    "GetConfigurationPolicyAssociation", "BatchGetConfigurationPolicyAssociations", "ListConfigurationPolicyAssociations",
}
SECURITY, CHECKOUT = "333344445555", "222233334444"
ROOT, WORKLOADS = "r-ab12", "ou-ab12-11111111"
LINKED = "eu-central-1"
FSBP = f"arn:aws:securityhub:{REGION}::standards/aws-foundational-security-best-practices/v/1.0.0"
POLICY = {
    "ServiceEnabled": True, "EnabledStandardIdentifiers": [FSBP], "SecurityControlsConfiguration": {
        "DisabledSecurityControlIdentifiers": ["EC2.8", "IAM.6"],
        "SecurityControlCustomParameters": [{"SecurityControlId": "ACM.1", "Parameters": {
            "daysToExpiration": {"ValueType": "CUSTOM", "Value": {"Integer": 20}},
        }}],
    },
}


def administrator(sandbox, client):
    management = sandbox.client("securityhub")
    client.enable_security_hub(EnableDefaultStandards=False)
    with refused(client.exceptions.InvalidAccessException, "InvalidAccessException") as said:
        client.describe_organization_configuration()
    same(said["Error"]["Message"], f"Account {SECURITY} is not an administrator for this organization")
    with refused("InvalidAccessException"):
        client.enable_organization_admin_account(AdminAccountId=SECURITY)
    same(management.list_organization_admin_accounts()["AdminAccounts"], [])
    holds(management.enable_organization_admin_account(AdminAccountId=SECURITY), {"AdminAccountId": SECURITY})
    with refused("InvalidInputException"):
        management.enable_organization_admin_account(AdminAccountId=CHECKOUT)
    pages = management.get_paginator("list_organization_admin_accounts").paginate(Feature="SecurityHub")
    same([one for page in pages for one in page["AdminAccounts"]], [{"AccountId": SECURITY, "Status": "ENABLED"}])
    # Whoever administers a service may look around in the organization.
    sandbox.client("organizations", region="us-east-1", account=SECURITY).list_roots()
    same(management.list_organization_admin_accounts(Feature="SecurityHubV2")["AdminAccounts"], [])


def aggregator(sandbox, client):
    with refused(client.exceptions.InvalidInputException, "InvalidInputException"):
        client.create_finding_aggregator(RegionLinkingMode="ALL_REGIONS", Regions=[LINKED])
    made = client.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=[LINKED])
    arn = made["FindingAggregatorArn"]
    assert arn.startswith(f"arn:aws:securityhub:{REGION}:{SECURITY}:finding-aggregator/"), arn
    wanted = {"FindingAggregationRegion": REGION, "RegionLinkingMode": "SPECIFIED_REGIONS", "Regions": [LINKED]}
    holds(made, wanted)
    # It is seen from everywhere, and changed at home.
    there = sandbox.client("securityhub", region=LINKED, account=SECURITY)
    there.enable_security_hub(EnableDefaultStandards=False)
    same(there.list_finding_aggregators()["FindingAggregators"], [{"FindingAggregatorArn": arn}])
    holds(there.get_finding_aggregator(FindingAggregatorArn=arn), wanted)
    for call in (
        lambda: there.update_finding_aggregator(FindingAggregatorArn=arn, RegionLinkingMode="NO_REGIONS"),
        lambda: there.delete_finding_aggregator(FindingAggregatorArn=arn),
        lambda: there.create_finding_aggregator(RegionLinkingMode="NO_REGIONS"),
    ):
        with refused("InvalidInputException"):
            call()
    updated = client.update_finding_aggregator(FindingAggregatorArn=arn, RegionLinkingMode="ALL_REGIONS")
    assert "Regions" not in updated, updated
    return arn


def configuration(client):
    def status():
        return client.describe_organization_configuration()["OrganizationConfiguration"]

    holds(client.describe_organization_configuration(), {
        "AutoEnable": False, "AutoEnableStandards": "DEFAULT",
        "OrganizationConfiguration": {"ConfigurationType": "LOCAL", "Status": "ENABLED"},
    })
    client.update_organization_configuration(AutoEnable=True, AutoEnableStandards="NONE")
    holds(client.describe_organization_configuration(), {"AutoEnable": True, "AutoEnableStandards": "NONE"})
    central = {"ConfigurationType": "CENTRAL"}
    with refused("InvalidInputException") as said:
        client.update_organization_configuration(AutoEnable=True, OrganizationConfiguration=central)
    same(said["Error"]["Message"], "Auto Enable and AutoEnableStandards can not be enabled for Central Configuration")
    with refused(client.exceptions.AccessDeniedException, "AccessDeniedException"):
        client.list_configuration_policies()
    client.update_organization_configuration(
        AutoEnable=False, AutoEnableStandards="NONE", OrganizationConfiguration=central,
    )
    same(status(), {"ConfigurationType": "CENTRAL", "Status": "PENDING"})
    eventually(lambda: status() == {"ConfigurationType": "CENTRAL", "Status": "ENABLED"})


def policy(client):
    with refused("InvalidInputException") as said:
        client.create_configuration_policy(Name="x", ConfigurationPolicy={"SecurityHub": {"ServiceEnabled": True}})
    assert said["Error"]["Message"].startswith("Invalid semantics"), said
    made = client.create_configuration_policy(
        Name="base", Description="For all", ConfigurationPolicy={"SecurityHub": POLICY}, Tags={"team": "banana"},
    )
    holds(made, {"Name": "base", "Description": "For all", "ConfigurationPolicy": {"SecurityHub": POLICY}})
    same(made["Arn"], f"arn:aws:securityhub:{REGION}:{SECURITY}:configuration-policy/{made['Id']}")
    client.tag_resource(ResourceArn=made["Arn"], Tags={"stage": "test"})
    client.untag_resource(ResourceArn=made["Arn"], TagKeys=["team"])
    same(client.list_tags_for_resource(ResourceArn=made["Arn"])["Tags"], {"stage": "test"})
    other = client.create_configuration_policy(Name="off", ConfigurationPolicy={"SecurityHub": {"ServiceEnabled": False}})
    pages = client.get_paginator("list_configuration_policies").paginate(PaginationConfig={"PageSize": 1})
    listed = {one["Name"]: one["ServiceEnabled"] for page in pages for one in page["ConfigurationPolicySummaries"]}
    same(listed, {"base": True, "off": False})
    updated = client.update_configuration_policy(Identifier=other["Id"], Name="none", UpdatedReason="A better name")
    holds(updated, {"Name": "none", "ConfigurationPolicy": {"SecurityHub": {"ServiceEnabled": False}}})
    client.delete_configuration_policy(Identifier=other["Arn"])
    for identifier in (other["Id"], other["Arn"]):
        with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
            client.get_configuration_policy(Identifier=identifier)
    got = client.get_configuration_policy(Identifier=made["Arn"])
    same({**got, "ResponseMetadata": None}, {**made, "ResponseMetadata": None})
    return made["Id"]


def associations(sandbox, client, policy):
    def status(target):
        got = client.get_configuration_policy_association(Target=target)
        return got["ConfigurationPolicyId"], got["AssociationType"], got["AssociationStatus"]

    member = {"AccountId": CHECKOUT}
    with refused("ResourceNotFoundException"):
        status(member)
    with refused("ResourceNotFoundException"):
        client.start_configuration_policy_association(ConfigurationPolicyIdentifier=policy, Target={"AccountId": "999999999999"})
    made = client.start_configuration_policy_association(ConfigurationPolicyIdentifier=policy, Target={"RootId": ROOT})
    holds(made, {"ConfigurationPolicyId": policy, "TargetId": ROOT, "TargetType": "ROOT", "AssociationType": "APPLIED",
                 "AssociationStatus": "PENDING"})
    eventually(lambda: status(member) == (policy, "INHERITED", "SUCCESS"))
    own = {"OrganizationalUnitId": WORKLOADS}
    client.start_configuration_policy_association(ConfigurationPolicyIdentifier="SELF_MANAGED_SECURITY_HUB", Target=own)
    eventually(lambda: status(own) == ("SELF_MANAGED_SECURITY_HUB", "APPLIED", "SUCCESS"))
    pages = client.get_paginator("list_configuration_policy_associations").paginate(
        Filters={"AssociationType": "APPLIED"}, PaginationConfig={"PageSize": 1},
    )
    listed = {one["TargetId"] for page in pages for one in page["ConfigurationPolicyAssociationSummaries"]}
    same(listed, {ROOT, WORKLOADS})
    got = client.batch_get_configuration_policy_associations(
        ConfigurationPolicyAssociationIdentifiers=[{"Target": {"RootId": ROOT}}, {"Target": {"AccountId": "999999999999"}}],
    )
    same([one["TargetId"] for one in got["ConfigurationPolicyAssociations"]], [ROOT])
    same([one["ErrorCode"] for one in got["UnprocessedConfigurationPolicyAssociations"]], ["404"])

    # The management account is the root's, and became what the policy says.
    hub = sandbox.client("securityhub")
    hub.describe_hub()
    with refused(hub.exceptions.AccessDeniedException, "AccessDeniedException") as said:
        hub.update_security_hub_configuration(AutoEnableControls=False)
    assert said["Error"]["Message"].startswith("This account is currently associated with a central configuration policy")
    same([one["StandardsArn"] for one in hub.get_enabled_standards()["StandardsSubscriptions"]], [FSBP])
    off = hub.list_standards_control_associations(SecurityControlId="EC2.8")["StandardsControlAssociationSummaries"]
    same([one["AssociationStatus"] for one in off], ["DISABLED"])

    with refused(client.exceptions.ResourceConflictException, "ResourceConflictException"):
        client.delete_configuration_policy(Identifier=policy)
    for identifier, target in (("SELF_MANAGED_SECURITY_HUB", own), (policy, {"RootId": ROOT})):
        client.start_configuration_policy_disassociation(ConfigurationPolicyIdentifier=identifier, Target=target)
        eventually(lambda: not client.list_configuration_policy_associations(
            Filters={"ConfigurationPolicyId": identifier, "AssociationType": "APPLIED"},
        )["ConfigurationPolicyAssociationSummaries"])
    client.delete_configuration_policy(Identifier=policy)


def command_line(run):
    run.environment["AWS_ACCESS_KEY_ID"] = SECURITY

    def call(*words):
        return run.aws("securityhub", *words)

    arn = call("list-finding-aggregators", "--query", "FindingAggregators[0].FindingAggregatorArn")
    holds(call("get-finding-aggregator", "--finding-aggregator-arn", arn), {"RegionLinkingMode": "ALL_REGIONS"})
    policy = json.dumps({"SecurityHub": POLICY})
    made = call("create-configuration-policy", "--name", "cli", "--configuration-policy", policy, "--query", "Arn")
    got = call("get-configuration-policy", "--identifier", made, "--query", "ConfigurationPolicy.SecurityHub")
    same(got, POLICY)
    call("start-configuration-policy-association", "--configuration-policy-identifier", made, "--target", f"AccountId={CHECKOUT}")
    listed = call("list-configuration-policy-associations", "--query", "ConfigurationPolicyAssociationSummaries[].TargetId")
    same(listed, [CHECKOUT])
    call("start-configuration-policy-disassociation", "--configuration-policy-identifier", made, "--target", f"AccountId={CHECKOUT}")
    eventually(lambda: not call("list-configuration-policy-associations")["ConfigurationPolicyAssociationSummaries"])
    call("delete-configuration-policy", "--identifier", made)


def the_way_back(sandbox, client, arn):
    management = sandbox.client("securityhub")
    with refused("InvalidInputException"):
        client.delete_finding_aggregator(FindingAggregatorArn=arn)
    with refused("InvalidInputException"):
        management.disable_organization_admin_account(AdminAccountId=SECURITY)
    client.update_organization_configuration(AutoEnable=False, OrganizationConfiguration={"ConfigurationType": "LOCAL"})
    client.delete_finding_aggregator(FindingAggregatorArn=arn)
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
        client.get_finding_aggregator(FindingAggregatorArn=arn)
    management.disable_organization_admin_account(AdminAccountId=SECURITY)
    eventually(lambda: not management.list_organization_admin_accounts()["AdminAccounts"])


def main():
    with tempfile.TemporaryDirectory() as folder, aws() as sandbox:
        client = sandbox.client("securityhub", account=SECURITY)
        administrator(sandbox, client)
        arn = aggregator(sandbox, client)
        configuration(client)
        associations(sandbox, client, policy(client))
        command_line(Programs(sandbox, pathlib.Path(folder)))
        the_way_back(sandbox, client, arn)
        all_called(sandbox.recorder, "securityhub", "rest-json", names=OPERATIONS)
