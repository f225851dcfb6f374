"""Incident Manager by boto3: every operation of ssm-incidents, each replication set from its creation to its end."""

import datetime
import json

from harness import ACCOUNT, REGION, all_called, aws, holds, refused, same

UTC = datetime.UTC
NOW = datetime.datetime.now(UTC).replace(microsecond=0)
WAIT = {"Delay": 1, "MaxAttempts": 30}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:banana-chat"


def plan_arn(name):
    return f"arn:aws:ssm-incidents::{ACCOUNT}:response-plan/{name}"


def replication_set(client):
    same(client.list_replication_sets()["replicationSetArns"], [])
    made = {"regions": {REGION: {}}, "tags": {"team": "banana"}, "clientToken": "set-0001"}
    arn = client.create_replication_set(**made)["arn"]
    same(client.create_replication_set(**made)["arn"], arn)
    assert arn.startswith(f"arn:aws:ssm-incidents::{ACCOUNT}:replication-set/"), arn
    same(client.get_replication_set(arn=arn)["replicationSet"]["status"], "CREATING")
    client.get_waiter("wait_for_replication_set_active").wait(arn=arn, WaiterConfig=WAIT)
    with refused(client.exceptions.ConflictException, "ConflictException"):
        client.create_replication_set(regions={REGION: {}})
    same(client.list_replication_sets()["replicationSetArns"], [arn])
    got = client.get_replication_set(arn=arn)["replicationSet"]
    holds(got, {"arn": arn, "status": "ACTIVE", "deletionProtected": False})
    holds(got["regionMap"][REGION], {"status": "ACTIVE", "sseKmsKeyId": "DefaultKey"})

    client.update_replication_set(arn=arn, actions=[{"addRegionAction": {"regionName": "us-west-2"}}])
    with refused(client.exceptions.ConflictException, "ConflictException"):
        client.update_replication_set(arn=arn, actions=[{"addRegionAction": {"regionName": "eu-west-1"}}])
    same(client.get_replication_set(arn=arn)["replicationSet"]["status"], "UPDATING")
    client.get_waiter("wait_for_replication_set_active").wait(arn=arn, WaiterConfig=WAIT)
    same(set(client.get_replication_set(arn=arn)["replicationSet"]["regionMap"]), {REGION, "us-west-2"})
    client.update_replication_set(arn=arn, actions=[{"deleteRegionAction": {"regionName": "us-west-2"}}])
    client.get_waiter("wait_for_replication_set_active").wait(arn=arn, WaiterConfig=WAIT)
    same(set(client.get_replication_set(arn=arn)["replicationSet"]["regionMap"]), {REGION})
    same(client.list_tags_for_resource(resourceArn=arn)["tags"], {"team": "banana"})
    client.update_deletion_protection(arn=arn, deletionProtected=True)
    same(client.get_replication_set(arn=arn)["replicationSet"]["deletionProtected"], True)
    with refused("ValidationException"):
        client.delete_replication_set(arn=arn)
    client.update_deletion_protection(arn=arn, deletionProtected=False)
    return arn


def response_plans(client, contact):
    template = {
        "title": "No bananas", "impact": 2, "summary": "The stand is empty.", "dedupeString": "banana",
        "notificationTargets": [{"snsTopicArn": TOPIC}], "incidentTags": {"service": "checkout"},
    }
    action = {"ssmAutomation": {
        "documentName": "banana-restart", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/runbooks", "documentVersion": "$DEFAULT",
        "targetAccount": "RESPONSE_PLAN_OWNER_ACCOUNT", "parameters": {"Service": ["checkout"]},
        "dynamicParameters": {"IncidentRecordArn": {"variable": "INCIDENT_RECORD_ARN"}},
    }}
    pager = {"pagerDutyConfiguration": {
        "name": "pager", "secretId": "banana/pager", "pagerDutyIncidentConfiguration": {"serviceId": "P123"},
    }}
    made = {
        "name": "banana", "displayName": "Banana stand", "incidentTemplate": template, "chatChannel": {"chatbotSns": [TOPIC]},
        "engagements": [contact], "actions": [action], "tags": {"team": "banana"}, "clientToken": "plan-0001",
    }
    arn = client.create_response_plan(**made)["arn"]
    same(arn, plan_arn("banana"))
    same(client.create_response_plan(**made)["arn"], arn)
    with refused(client.exceptions.ConflictException, "ConflictException"):
        client.create_response_plan(name="banana", incidentTemplate={"title": "x", "impact": 1})
    wanted = {key: made[key] for key in made.keys() - {"tags", "clientToken"}}
    holds(client.get_response_plan(arn=arn), {"arn": arn, **wanted})
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException") as said:
        client.get_response_plan(arn=plan_arn("nobody"))
    same(said["ResponseMetadata"]["HTTPStatusCode"], 404)
    with refused("ValidationException"):
        client.create_response_plan(name="no spaces", incidentTemplate={"title": "x", "impact": 1})

    # What is left out stays; what is empty goes.
    client.update_response_plan(arn=arn, incidentTemplateTitle="Still none", integrations=[pager])
    got = client.get_response_plan(arn=arn)
    holds(got, {"displayName": "Banana stand", "engagements": [contact], "actions": [action], "integrations": [pager]})
    same(got["incidentTemplate"], {**template, "title": "Still none"})
    client.update_response_plan(
        arn=arn, chatChannel={"empty": {}}, engagements=[], actions=[], integrations=[], displayName="",
        incidentTemplateSummary="", incidentTemplateNotificationTargets=[], incidentTemplateTags={},
    )
    got = client.get_response_plan(arn=arn)
    for member in ("engagements", "actions", "integrations", "displayName"):
        assert not got.get(member), (member, got)
    assert not got.get("chatChannel", {}).get("chatbotSns"), got
    assert not got["incidentTemplate"].get("notificationTargets"), got
    client.update_response_plan(
        arn=arn, chatChannel={"chatbotSns": [TOPIC]}, engagements=[contact], actions=[action],
        incidentTemplateTags={"service": "checkout"}, incidentTemplateSummary="The stand is empty.",
    )

    for number in range(5):
        client.create_response_plan(name=f"page-{number}", incidentTemplate={"title": "x", "impact": 5})
    pages = list(client.get_paginator("list_response_plans").paginate(PaginationConfig={"PageSize": 4}))
    same([len(page["responsePlanSummaries"]) for page in pages], [4, 2])
    same(pages[0]["responsePlanSummaries"][0]["arn"], arn)
    for number in range(5):
        client.delete_response_plan(arn=plan_arn(f"page-{number}"))
    client.delete_response_plan(arn=plan_arn("nobody"))

    client.tag_resource(resourceArn=arn, tags={"stage": "", "team": "fruit"})
    same(client.list_tags_for_resource(resourceArn=arn)["tags"], {"team": "fruit", "stage": ""})
    client.untag_resource(resourceArn=arn, tagKeys=["stage", "none of it"])
    same(client.list_tags_for_resource(resourceArn=arn)["tags"], {"team": "fruit"})
    with refused("ResourceNotFoundException"):
        client.list_tags_for_resource(resourceArn=plan_arn("nobody"))
    return arn


def sharing(client, plan):
    policy = {"Version": "2012-10-17", "Statement": [{
        "Sid": "share", "Effect": "Allow", "Principal": {"AWS": "444455556666"},
        "Action": ["ssm-incidents:GetResponsePlan", "ssm-incidents:StartIncident"], "Resource": [plan],
    }]}
    policy_id = client.put_resource_policy(resourceArn=plan, policy=json.dumps(policy))["policyId"]
    found = client.get_resource_policies(resourceArn=plan)["resourcePolicies"]
    same([one["policyId"] for one in found], [policy_id])
    same(json.loads(found[0]["policyDocument"]), policy)
    pages = list(client.get_paginator("get_resource_policies").paginate(
        resourceArn=plan, PaginationConfig={"PageSize": 1},
    ))
    same(sum(len(page["resourcePolicies"]) for page in pages), 1)
    client.delete_resource_policy(resourceArn=plan, policyId=policy_id)
    same(client.get_resource_policies(resourceArn=plan)["resourcePolicies"], [])
    with refused("ResourceNotFoundException"):
        client.delete_resource_policy(resourceArn=plan, policyId=policy_id)


def incident(client, plan):
    started = {"responsePlanArn": plan, "clientToken": "start-0001", "title": "By boto3", "impact": 1}
    arn = client.start_incident(**started)["incidentRecordArn"]
    same(client.start_incident(**started)["incidentRecordArn"], arn)
    assert arn.startswith(f"arn:aws:ssm-incidents::{ACCOUNT}:incident-record/banana/"), arn
    got = client.get_incident_record(arn=arn)["incidentRecord"]
    holds(got, {
        "arn": arn, "title": "By boto3", "impact": 1, "status": "OPEN", "dedupeString": "banana",
        "summary": "The stand is empty.", "chatChannel": {"chatbotSns": [TOPIC]},
    })
    same(got["incidentRecordSource"]["source"], "aws.ssm-incidents.custom")
    same(client.list_tags_for_resource(resourceArn=arn)["tags"], {"service": "checkout"})
    # The same dedupe string, while the first is open: it folds.
    same(client.start_incident(responsePlanArn=plan)["incidentRecordArn"], arn)

    listed = client.list_incident_records(filters=[
        {"key": "status", "condition": {"equals": {"stringValues": ["OPEN"]}}},
        {"key": "impact", "condition": {"equals": {"integerValues": [1]}}},
    ])["incidentRecordSummaries"]
    same([one["arn"] for one in listed], [arn])
    older = [{"key": "creationTime", "condition": {"before": NOW - datetime.timedelta(days=1)}}]
    same(client.list_incident_records(filters=older)["incidentRecordSummaries"], [])

    client.update_incident_record(arn=arn, summary="Bananas are on the way", impact=3)
    holds(client.get_incident_record(arn=arn)["incidentRecord"], {
        "summary": "Bananas are on the way", "impact": 3, "title": "By boto3",
    })
    return arn


def timeline(client, arn):
    made = client.create_timeline_event(
        incidentRecordArn=arn, eventTime=NOW, eventType="Note", eventData=json.dumps("Called the plantation"),
        eventReferences=[{"resource": TOPIC}],
    )
    event = made["eventId"]
    same(made["incidentRecordArn"], arn)
    holds(client.get_timeline_event(incidentRecordArn=arn, eventId=event)["event"], {
        "eventId": event, "eventType": "Note", "eventTime": NOW, "eventData": json.dumps("Called the plantation"),
        "eventReferences": [{"resource": TOPIC}], "incidentRecordArn": arn,
    })
    client.update_timeline_event(incidentRecordArn=arn, eventId=event, eventData=json.dumps("They answered"))
    holds(client.get_timeline_event(incidentRecordArn=arn, eventId=event)["event"], {
        "eventData": json.dumps("They answered"), "eventType": "Note", "eventTime": NOW,
    })
    notes = client.list_timeline_events(
        incidentRecordArn=arn, filters=[{"key": "eventType", "condition": {"equals": {"stringValues": ["Note"]}}}],
        sortBy="EVENT_TIME", sortOrder="DESCENDING",
    )["eventSummaries"]
    same([note["eventId"] for note in notes], [event])
    pages = list(client.get_paginator("list_timeline_events").paginate(
        incidentRecordArn=arn, PaginationConfig={"PageSize": 1},
    ))
    assert len(pages) > 1, pages
    with refused("ValidationException"):
        client.create_timeline_event(incidentRecordArn=arn, eventTime=NOW, eventType="SSM Contacts Page", eventData="{}")
    client.delete_timeline_event(incidentRecordArn=arn, eventId=event)
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
        client.get_timeline_event(incidentRecordArn=arn, eventId=event)


def related_items(client, arn):
    item = {"identifier": {"type": "OTHER", "value": {"url": "https://example.com/bananas"}}, "title": "The stand"}
    client.update_related_items(incidentRecordArn=arn, relatedItemsUpdate={"itemToAdd": item})
    listed = client.list_related_items(incidentRecordArn=arn)["relatedItems"]
    found = [one for one in listed if one["identifier"] == item["identifier"]]
    same([one.get("title") for one in found], ["The stand"])
    client.update_related_items(incidentRecordArn=arn, relatedItemsUpdate={"itemToRemove": item["identifier"]})
    listed = client.list_related_items(incidentRecordArn=arn)["relatedItems"]
    same([one for one in listed if one["identifier"] == item["identifier"]], [])

    same(client.list_incident_findings(incidentRecordArn=arn)["findings"], [])
    unknown = "00000000-0000-0000-0000-000000000000"
    got = client.batch_get_incident_findings(incidentRecordArn=arn, findingIds=[unknown])
    same(got["findings"], [])
    same([error["findingId"] for error in got["errors"]], [unknown])


def the_end(client, plan, record):
    client.update_incident_record(arn=record, status="RESOLVED")
    got = client.get_incident_record(arn=record)["incidentRecord"]
    same(got["status"], "RESOLVED")
    assert got["resolvedTime"]
    again = client.start_incident(
        responsePlanArn=plan,
        triggerDetails={"source": "aws.cloudwatch", "timestamp": NOW,
                        "triggerArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:bananas"},
        relatedItems=[{"identifier": {"type": "METRIC", "value": {"metricDefinition": "{}"}}}],
    )["incidentRecordArn"]
    assert again != record
    client.delete_incident_record(arn=again)
    with refused("ResourceNotFoundException"):
        client.get_incident_record(arn=again)
    with refused("ResourceNotFoundException"):
        client.start_incident(responsePlanArn=plan_arn("nobody"))
    client.delete_response_plan(arn=plan)
    with refused("ResourceNotFoundException"):
        client.get_response_plan(arn=plan)


def main():
    with aws() as sandbox:
        client, contacts = sandbox.client("ssm-incidents"), sandbox.client("ssm-contacts")
        found = replication_set(client)
        contact = contacts.create_contact(Alias="kayoko", Type="PERSONAL", Plan={"Stages": []})["ContactArn"]
        plan = response_plans(client, contact)
        sharing(client, plan)
        record = incident(client, plan)
        same([e["ContactArn"] for e in contacts.list_engagements(IncidentId=record)["Engagements"]], [contact])
        timeline(client, record)
        related_items(client, record)
        the_end(client, plan, record)
        client.delete_replication_set(arn=found)
        client.get_waiter("wait_for_replication_set_deleted").wait(arn=found, WaiterConfig=WAIT)
        with refused("ValidationException"):
            contacts.list_contacts()
        all_called(sandbox.recorder, "ssm-incidents", "rest-json")
