"""CloudWatch by boto3, in each of the three protocols that AWS serves."""

import json

from harness import ACCOUNT, REGION, all_called, aws, holds, refused, same

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


def alarm_arn(name):
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def both(client, **more):
    """Describes metric and composite alarms alike."""
    return client.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"], **more)


def alarms(client, name):
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
    one = {
        "AlarmName": f"{name}-errors", "Namespace": "Banana", "MetricName": name, "Statistic": "Sum", "Period": 60,
        "Dimensions": [{"Name": "Service", "Value": "checkout"}], "EvaluationPeriods": 3, "DatapointsToAlarm": 2,
        "Threshold": 5.5, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        "AlarmActions": [topic], "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5},
        "EvaluationWindow": {"WallClockWindow": {"Timezone": "Asia/Tokyo"}},
    }
    client.put_metric_alarm(**one, Tags=[{"Key": "team", "Value": "banana"}])
    stat = {"Metric": {"Namespace": "Banana", "MetricName": "Orders"}, "Period": 300, "Stat": "p99"}
    band = {
        "AlarmName": f"{name}-band", "EvaluationPeriods": 2, "ThresholdMetricId": "usual",
        "ComparisonOperator": "LessThanLowerThreshold",
        "Metrics": [
            {"Id": "m1", "MetricStat": stat, "ReturnData": True},
            {"Id": "usual", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "Label": "usual", "ReturnData": True},
        ],
    }
    client.put_metric_alarm(**band)
    rule = f'ALARM("{name}-errors") AND NOT OK({alarm_arn(name + "-band")})'
    client.put_composite_alarm(AlarmName=name, AlarmRule=rule, AlarmDescription="both <of> them & more")

    found = both(client, AlarmNamePrefix=name)
    holds(found["MetricAlarms"][1], one | {"AlarmArn": alarm_arn(one["AlarmName"]), "ActionsEnabled": True})
    holds(found["MetricAlarms"][0], band | {"StateValue": "INSUFFICIENT_DATA", "OKActions": []})
    holds(found["CompositeAlarms"][0], {"AlarmName": name, "AlarmRule": rule, "StateValue": "OK"})
    assert found["CompositeAlarms"][0]["AlarmConfigurationUpdatedTimestamp"].tzinfo
    # Whoever does not ask for composite alarms gets none.
    same(client.describe_alarms(AlarmNames=[name]).get("CompositeAlarms", []), [])
    same(len(client.describe_alarms(ChildrenOfAlarmName=name)["MetricAlarms"]), 2)
    of = {"Namespace": "Banana", "MetricName": name, "Dimensions": one["Dimensions"]}
    same([a["AlarmName"] for a in client.describe_alarms_for_metric(**of)["MetricAlarms"]], [one["AlarmName"]])

    tags = client.list_tags_for_resource(ResourceARN=alarm_arn(one["AlarmName"]))["Tags"]
    same(tags, [{"Key": "team", "Value": "banana"}])
    client.tag_resource(ResourceARN=alarm_arn(name), Tags=[{"Key": "stage", "Value": ""}])
    client.untag_resource(ResourceARN=alarm_arn(name), TagKeys=["stage"])
    same(client.list_tags_for_resource(ResourceARN=alarm_arn(name))["Tags"], [])

    client.disable_alarm_actions(AlarmNames=[name])
    same(both(client, AlarmNames=[name])["CompositeAlarms"][0]["ActionsEnabled"], False)
    client.enable_alarm_actions(AlarmNames=[name])
    client.set_alarm_state(AlarmName=one["AlarmName"], StateValue="ALARM", StateReason="to see what happens")
    same(both(client, AlarmNames=[name])["CompositeAlarms"][0]["StateValue"], "ALARM")
    said = client.describe_alarm_history(AlarmName=one["AlarmName"])["AlarmHistoryItems"]
    same([item["HistoryItemType"] for item in said], ["Action", "StateUpdate", "ConfigurationUpdate"])
    same(said[1]["HistorySummary"], "Alarm updated from INSUFFICIENT_DATA to ALARM")
    client.get_waiter("composite_alarm_exists").wait(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])

    with refused("ValidationError"):
        client.delete_alarms(AlarmNames=[one["AlarmName"]])
    with refused("ValidationError"):
        client.put_metric_alarm(AlarmName=name, Namespace="Banana", MetricName="Orders")
    with refused("ValidationError"):
        client.put_composite_alarm(AlarmName=name, AlarmRule="ALARM(nobody-made-it)")
    with refused(client.exceptions.ResourceNotFound, "ResourceNotFound"):
        client.set_alarm_state(AlarmName="nobody-made-it", StateValue="OK", StateReason="")
    with refused(client.exceptions.InvalidNextToken, "InvalidNextToken"):
        client.describe_alarms(NextToken="nobody gave this")
    client.delete_alarms(AlarmNames=[name])
    client.delete_alarms(AlarmNames=[one["AlarmName"], band["AlarmName"]])
    same(both(client, AlarmNamePrefix=name)["MetricAlarms"], [])


def alarm_pages(client):
    """A page has a hundred, composite alarms among them."""
    for number in range(104):
        client.put_composite_alarm(AlarmName=f"page-{number:04}", AlarmRule="FALSE")
    pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix="page-", AlarmTypes=["CompositeAlarm"])
    sizes = [len(page["CompositeAlarms"]) for page in pages]
    same(sizes, [100, 4])


def main():
    with aws() as sandbox:
        for protocol in PROTOCOLS:
            client = sandbox.client("cloudwatch", protocol=protocol)
            same(client.meta.service_model.resolved_protocol, protocol)
            dashboards(client, f"banana-{protocol}")
            refusals(client, f"banana-{protocol}")
            alarms(client, f"banana-{protocol}")
        # The dashboards of an account are the same in every region.
        client.put_dashboard(DashboardName="everywhere", DashboardBody='{"widgets":[]}')
        elsewhere = sandbox.client("cloudwatch", region="eu-west-1")
        same(elsewhere.get_dashboard(DashboardName="everywhere")["DashboardArn"], arn("everywhere"))
        with refused("ResourceNotFound"):
            sandbox.client("cloudwatch", account="444455556666").get_dashboard(DashboardName="everywhere")
        pages(sandbox.client("cloudwatch"), 30)
        alarm_pages(sandbox.client("cloudwatch"))
        all_called(sandbox.recorder, "cloudwatch", "rpc-v2-cbor", "json", "query")
