"""An organization: its tree by boto3 and by the AWS CLI, the roles that its accounts have, the regions they enabled."""

import pathlib
import tempfile

from harness import ACCOUNT, all_called, aws, holds, refused, same, side_by_side
from programs import Programs

WORKLOADS = "ou-ab12-11111111"
CANARY = "ou-ab12-22222222"
CHECKOUT = "222233334444"
ROLE = f"arn:aws:iam::{CHECKOUT}:role/ops/stationbill"


def tree(sandbox):
    client = sandbox.client("organizations", region="us-east-1")
    holds(client.describe_organization()["Organization"], {"Id": "o-bananastand", "MasterAccountId": ACCOUNT, "FeatureSet": "ALL"})
    root = client.list_roots()["Roots"][0]["Id"]
    units = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=root, PaginationConfig={"PageSize": 1})
    same([unit["Name"] for page in units for unit in page["OrganizationalUnits"]], ["Workloads", "Playground"])
    accounts = client.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    states = {account["Id"]: account["State"] for page in accounts for account in page["Accounts"]}
    same(len(states), 5)
    same([account for account, state in states.items() if state != "ACTIVE"], ["444455556666"])
    here = client.list_accounts_for_parent(ParentId=CANARY)["Accounts"]
    same([account["Paths"] for account in here], [[f"o-bananastand/{root}/{WORKLOADS}/{CANARY}/555566667777/"]])
    holds(client.describe_account(AccountId="444455556666")["Account"], {"Name": "Retired", "Status": "SUSPENDED"})
    holds(client.describe_organizational_unit(OrganizationalUnitId=CANARY)["OrganizationalUnit"], {"Name": "Canary"})
    same(client.list_parents(ChildId=CANARY)["Parents"], [{"Id": WORKLOADS, "Type": "ORGANIZATIONAL_UNIT"}])
    same(client.list_children(ParentId=WORKLOADS, ChildType="ORGANIZATIONAL_UNIT")["Children"], [{"Id": CANARY, "Type": "ORGANIZATIONAL_UNIT"}])
    with refused(client.exceptions.ParentNotFoundException, "ParentNotFoundException"):
        client.list_accounts_for_parent(ParentId="ou-ab12-99999999")
    with refused(client.exceptions.AccountNotFoundException, "AccountNotFoundException"):
        client.describe_account(AccountId="999999999999")
    with refused(client.exceptions.InvalidInputException, "InvalidInputException"):
        client.list_accounts(NextToken="nonsense")
    member = sandbox.client("organizations", region="us-east-1", account=CHECKOUT)
    holds(member.describe_organization()["Organization"], {"Id": "o-bananastand"})
    with refused(member.exceptions.AccessDeniedException, "AccessDeniedException"):
        member.list_accounts()
    stranger = sandbox.client("organizations", region="us-east-1", account="999999999999")
    with refused(stranger.exceptions.AWSOrganizationsNotInUseException, "AWSOrganizationsNotInUseException"):
        stranger.describe_organization()
    all_called(sandbox.recorder, "organizations", "json")


def roles(sandbox):
    client = sandbox.client("sts")
    for arn, external in (
        (ROLE, "apple"), (ROLE, None), (f"arn:aws:iam::{CHECKOUT}:role/stationbill", "banana"),
        ("arn:aws:iam::444455556666:role/ops/stationbill", "banana"), ("arn:aws:iam::999999999999:role/ops/stationbill", "banana"),
    ):
        with refused("AccessDenied"):
            client.assume_role(RoleArn=arn, RoleSessionName="boto3", **({"ExternalId": external} if external else {}))
    keys = client.assume_role(RoleArn=ROLE, RoleSessionName="boto3", ExternalId="banana")["Credentials"]
    there = {"account": keys["AccessKeyId"], "token": keys["SessionToken"]}
    same(sandbox.client("sts", **there).get_caller_identity()["Account"], CHECKOUT)
    # A region that the account has not enabled does not know its credentials.
    with refused("UnrecognizedClientException"):
        sandbox.client("ssm", region="eu-south-1", **there).describe_parameters()
    with refused("InvalidClientTokenId"):
        sandbox.client("sts", region="eu-south-1", **there).get_caller_identity()
    sandbox.client("ssm", region="eu-south-1", account="333344445555").describe_parameters()


def command_line(run):
    listed = run.aws("organizations", "list-accounts", "--page-size", "2", "--query", "Accounts[].Id")
    same(len(listed), 5)
    units = run.aws(
        "organizations", "list-organizational-units-for-parent", "--parent-id", WORKLOADS, "--query", "OrganizationalUnits[].Id",
    )
    same(units, [CANARY])
    run.refused("ParentNotFoundException", "organizations", "list-accounts-for-parent", "--parent-id", "ou-ab12-99999999")
    assume = ("sts", "assume-role", "--role-session-name", "cli", "--role-arn", ROLE)
    run.aws(*assume, "--external-id", "banana")
    run.refused("AccessDenied", *assume, "--external-id", "apple")


def main():
    with tempfile.TemporaryDirectory() as folder, aws() as sandbox:
        run = Programs(sandbox, pathlib.Path(folder))
        side_by_side([lambda: tree(sandbox), lambda: roles(sandbox), lambda: command_line(run)])
