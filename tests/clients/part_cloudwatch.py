"""CloudWatch by boto3, in each of the three protocols that AWS serves."""

import json

from harness import ACCOUNT, all_called, aws, holds, refused, same

PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")
BODY = {
    "start": "-PT6H",
    "widgets": [
        {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": "# Banana <stand> & co"}},
        {
            "type": "metric", "x": 0, "y": 2, "width": 12, "height": 6,
            "properties": {"region": "ap-northeast-1", "metrics": [["Banana", "Errors"]], "view": "timeSeries"},
        },
    ],
}


def arn(name):
    return f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"


def dashboards(client, name):
    text = json.dumps(BODY)
    made = client.put_dashboard(DashboardName=name, DashboardBody=text, Tags=[{"Key": "team", "Value": "banana"}])
    same(made.get("DashboardValidationMessages", []), [])
    got = client.get_dashboard(DashboardName=name)
    holds(got, {"DashboardName": name, "DashboardArn": arn(name)})
    same(json.loads(got["DashboardBody"]), BODY)

    entries = client.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    same([entry["DashboardName"] for entry in entries], [name])
    holds(entries[0], {"DashboardArn": arn(name), "Size": len(got["DashboardBody"])})
    assert entries[0]["LastModified"].tzinfo

    client.tag_resource(ResourceARN=arn(name), Tags=[{"Key": "team", "Value": "fruit"}, {"Key": "stage", "Value": ""}])
    tags = {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceARN=arn(name))["Tags"]}
    same(tags, {"team": "fruit", "stage": ""})
    client.untag_resource(ResourceARN=arn(name), TagKeys=["stage", "never-there"])
    same(client.list_tags_for_resource(ResourceARN=arn(name))["Tags"], [{"Key": "team", "Value": "fruit"}])

    # A whole replacement; tags are of the first call only.
    client.put_dashboard(DashboardName=name, DashboardBody='{"widgets":[]}')
    same(json.loads(client.get_dashboard(DashboardName=name)["DashboardBody"]), {"widgets": []})
    same(client.list_tags_for_resource(ResourceARN=arn(name))["Tags"], [{"Key": "team", "Value": "fruit"}])


def refusals(client, name):
    with refused(client.exceptions.DashboardInvalidInputError, "InvalidParameterInput") as said:
        client.put_dashboard(DashboardName=name, DashboardBody="{")
    assert said["Error"]["Message"], said
    same(said["ResponseMetadata"]["HTTPStatusCode"], 400)
    with refused("ResourceNotFound") as said:
        client.get_dashboard(DashboardName="nobody-made-it")
    same(said["ResponseMetadata"]["HTTPStatusCode"], 404)
    # As many as possible are deleted, in spite of the one that is not there.
    with refused("ResourceNotFound"):
        client.delete_dashboards(DashboardNames=["nobody-made-it", name])
    with refused("ResourceNotFound"):
        client.get_dashboard(DashboardName=name)
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
        client.list_tags_for_resource(ResourceARN=arn("nobody-made-it"))
    client.put_dashboard(DashboardName=name, DashboardBody='{"widgets":[]}')
    client.delete_dashboards(DashboardNames=[name])


def pages(client, many):
    """1,000 entries are a page, and the paginator finds them all."""
    for number in range(many):
        client.put_dashboard(DashboardName=f"page-{number:04}", DashboardBody='{"widgets":[]}')
    names = [
        entry["DashboardName"]
        for page in client.get_paginator("list_dashboards").paginate(DashboardNamePrefix="page-")
        for entry in page["DashboardEntries"]
    ]
    same(sorted(names), [f"page-{number:04}" for number in range(many)])
    with refused("InvalidParameterValue"):
        client.list_dashboards(NextToken="nobody gave this")
    client.delete_dashboards(DashboardNames=names)
    same(client.list_dashboards(DashboardNamePrefix="page-")["DashboardEntries"], [])


def main():
    with aws() as sandbox:
        for protocol in PROTOCOLS:
            client = sandbox.client("cloudwatch", protocol=protocol)
            same(client.meta.service_model.resolved_protocol, protocol)
            dashboards(client, f"banana-{protocol}")
            refusals(client, f"banana-{protocol}")
        # The dashboards of an account are the same in every region.
        client.put_dashboard(DashboardName="everywhere", DashboardBody='{"widgets":[]}')
        elsewhere = sandbox.client("cloudwatch", region="eu-west-1")
        same(elsewhere.get_dashboard(DashboardName="everywhere")["DashboardArn"], arn("everywhere"))
        with refused("ResourceNotFound"):
            sandbox.client("cloudwatch", account="444455556666").get_dashboard(DashboardName="everywhere")
        pages(sandbox.client("cloudwatch"), 30)
        all_called(sandbox.recorder, "cloudwatch", "rpc-v2-cbor", "json", "query")
