"""STS, and that every table of the sandbox has a part here."""

import datetime

from harness import ACCOUNT, all_called, aws, holds, refused, same, tables

PROVEN = {"cloudwatch", "organizations", "securityhub", "ssm", "ssm-contacts", "ssm-incidents", "sts"}
ROLE = "arn:aws:iam::444455556666:role/ops/banana-deployer"


def sts(sandbox):
    client = sandbox.client("sts")
    holds(client.get_caller_identity(), {"Account": ACCOUNT})
    got = client.assume_role(
        RoleArn=ROLE, RoleSessionName="from-boto3", DurationSeconds=900, ExternalId="banana",
        Tags=[{"Key": "team", "Value": "banana"}], SourceIdentity="kayoko",
    )
    keys = got["Credentials"]
    left = keys["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=14) < left <= datetime.timedelta(minutes=16), left
    holds(got["AssumedRoleUser"], {"Arn": "arn:aws:sts::444455556666:assumed-role/banana-deployer/from-boto3"})
    assert got["AssumedRoleUser"]["AssumedRoleId"].endswith(":from-boto3")
    same(got["SourceIdentity"], "kayoko")

    there = sandbox.client("sts", account=keys["AccessKeyId"], token=keys["SessionToken"])
    same(
        {key: there.get_caller_identity()[key] for key in ("Account", "Arn", "UserId")},
        {"Account": "444455556666", "Arn": got["AssumedRoleUser"]["Arn"], "UserId": got["AssumedRoleUser"]["AssumedRoleId"]},
    )
    # Role chaining is limited to an hour.
    with refused("ValidationError"):
        there.assume_role(RoleArn=ROLE, RoleSessionName="chained", DurationSeconds=7200)
    with refused("ValidationError"):
        client.assume_role(RoleArn="arn:aws:iam::444455556666:user/kayoko", RoleSessionName="no-role")
    with refused(client.exceptions.MalformedPolicyDocumentException, "MalformedPolicyDocument"):
        client.assume_role(RoleArn=ROLE, RoleSessionName="policy", Policy="{")
    all_called(sandbox.recorder, "sts", "query")


def what_is_not_there_says_so(sandbox):
    organizations = sandbox.client("organizations", region="us-east-1")
    with refused("UnknownOperationException"):
        organizations.list_handshakes_for_organization()
    # Nobody described one: every account is there, and in no organization.
    with refused(organizations.exceptions.AWSOrganizationsNotInUseException, "AWSOrganizationsNotInUseException"):
        organizations.describe_organization()


def main():
    same(set(tables()), PROVEN)
    with aws() as sandbox:
        sts(sandbox)
        what_is_not_there_says_so(sandbox)
