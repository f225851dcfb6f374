"""Incident Manager's contacts by boto3: every operation of ssm-contacts."""

import datetime
import json

from device import code_of
from harness import ACCOUNT, REGION, all_called, aws, eventually, holds, refused, same

UTC = datetime.UTC
MONDAY = datetime.datetime(2030, 1, 7, 0, 0, tzinfo=UTC)  # 09:00 in Tokyo
WEEKLY = {
    "NumberOfOnCalls": 1,
    "RecurrenceMultiplier": 1,
    "WeeklySettings": [{"DayOfWeek": "MON", "HandOffTime": {"HourOfDay": 9, "MinuteOfHour": 0}}],
}


def day(number):
    return MONDAY + datetime.timedelta(days=number)


def arn(kind, name):
    return f"arn:aws:ssm-contacts:{REGION}:{ACCOUNT}:{kind}/{name}"


def tags(client, resource):
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceARN=resource)["Tags"]}


def before_the_replication_set(client):
    """An account that Incident Manager does not know: neither a lack of permission nor something missing."""
    for ask in (client.list_contacts, lambda: client.get_contact(ContactId=arn("contact", "kayoko"))):
        with refused(client.exceptions.ValidationException, "ValidationException") as said:
            ask()
        assert "Account not found" in said["Error"]["Message"], said


def person(client, alias):
    return client.create_contact(
        Alias=alias, DisplayName=f"{alias.title()} Tanaka", Type="PERSONAL", Plan={"Stages": []},
        Tags=[{"Key": "team", "Value": "banana"}],
    )["ContactArn"]


def people(client):
    kayoko = person(client, "kayoko")
    same(kayoko, arn("contact", "kayoko"))
    got = client.get_contact(ContactId=kayoko)
    holds(got, {"ContactArn": kayoko, "Alias": "kayoko", "DisplayName": "Kayoko Tanaka", "Type": "PERSONAL"})
    same(got["Plan"].get("Stages", []), [])
    with refused(client.exceptions.ConflictException, "ConflictException"):
        person(client, "kayoko")
    with refused("ValidationException"):
        person(client, "Kayoko")
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
        client.get_contact(ContactId=arn("contact", "nobody"))

    # The same token is the same call: it makes nothing twice.
    once = {"Alias": "taro", "Type": "PERSONAL", "Plan": {"Stages": []}, "IdempotencyToken": "taro-0001"}
    same(client.create_contact(**once)["ContactArn"], client.create_contact(**once)["ContactArn"])

    same(tags(client, kayoko), {"team": "banana"})
    client.tag_resource(ResourceARN=kayoko, Tags=[{"Key": "team", "Value": "fruit"}, {"Key": "a/b", "Value": "c"}])
    client.untag_resource(ResourceARN=kayoko, TagKeys=["a/b"])
    same(tags(client, kayoko), {"team": "fruit"})
    with refused("ValidationException"):
        client.tag_resource(ResourceARN=kayoko, Tags=[{"Key": "no.dots", "Value": "x"}])

    client.update_contact(ContactId=kayoko, DisplayName="Kayoko Mori")
    same(client.get_contact(ContactId=kayoko)["DisplayName"], "Kayoko Mori")
    return kayoko


def listing(client):
    for number in range(7):
        person(client, f"page-{number}")
    pages = list(client.get_paginator("list_contacts").paginate(AliasPrefix="page-", PaginationConfig={"PageSize": 3}))
    same([len(page["Contacts"]) for page in pages], [3, 3, 1])
    same(sorted(c["Alias"] for page in pages for c in page["Contacts"]), [f"page-{n}" for n in range(7)])
    same(client.list_contacts(Type="ESCALATION")["Contacts"], [])
    for number in range(7):
        client.delete_contact(ContactId=arn("contact", f"page-{number}"))
    same(client.list_contacts(AliasPrefix="page-")["Contacts"], [])


def channels(client, kayoko):
    mail = client.create_contact_channel(
        ContactId=kayoko, Name="email", Type="EMAIL", DeliveryAddress={"SimpleAddress": "kayoko@example.com"},
        DeferActivation=True,
    )["ContactChannelArn"]
    sms = client.create_contact_channel(
        ContactId=kayoko, Name="sms", Type="SMS", DeliveryAddress={"SimpleAddress": "+12065550100"}
    )["ContactChannelArn"]
    assert mail.startswith(arn("contact-channel", "kayoko/")), mail
    holds(client.get_contact_channel(ContactChannelId=mail), {
        "ContactArn": kayoko, "ContactChannelArn": mail, "Name": "email", "Type": "EMAIL",
        "DeliveryAddress": {"SimpleAddress": "kayoko@example.com"}, "ActivationStatus": "NOT_ACTIVATED",
    })
    same({c["Name"] for c in client.list_contact_channels(ContactId=kayoko)["ContactChannels"]}, {"email", "sms"})
    pages = list(client.get_paginator("list_contact_channels").paginate(
        ContactId=kayoko, PaginationConfig={"PageSize": 1},
    ))
    same([len(page["ContactChannels"]) for page in pages], [1, 1])
    client.update_contact_channel(ContactChannelId=mail, Name="work email")
    same(client.get_contact_channel(ContactChannelId=mail)["DeliveryAddress"]["SimpleAddress"], "kayoko@example.com")
    with refused("ValidationException"):
        client.create_contact_channel(
            ContactId=kayoko, Name="voice", Type="VOICE", DeliveryAddress={"SimpleAddress": "not a number"}
        )

    for channel in (mail, sms):
        client.send_activation_code(ContactChannelId=channel)
        client.activate_contact_channel(ContactChannelId=channel, ActivationCode=code_of(channel))
        same(client.get_contact_channel(ContactChannelId=channel)["ActivationStatus"], "ACTIVATED")
    client.deactivate_contact_channel(ContactChannelId=mail)
    same(client.get_contact_channel(ContactChannelId=mail)["ActivationStatus"], "NOT_ACTIVATED")
    wrong = "000000" if code_of(mail) != "000000" else "000001"
    with refused("ValidationException"):
        client.activate_contact_channel(ContactChannelId=mail, ActivationCode=wrong)
    client.delete_contact_channel(ContactChannelId=mail)
    with refused("ResourceNotFoundException"):
        client.get_contact_channel(ContactChannelId=mail)

    stages = [{"DurationInMinutes": 5, "Targets": [
        {"ChannelTargetInfo": {"ContactChannelId": sms, "RetryIntervalInMinutes": 1}},
    ]}]
    client.update_contact(ContactId=kayoko, Plan={"Stages": stages})
    got = client.get_contact(ContactId=kayoko)
    same(got["Plan"]["Stages"], stages)
    same(got["DisplayName"], "Kayoko Mori")
    return sms


def rotations(client, kayoko, taro):
    rotation = client.create_rotation(
        Name="banana weeks", ContactIds=[kayoko, taro], StartTime=MONDAY, TimeZoneId="Asia/Tokyo", Recurrence=WEEKLY,
        Tags=[{"Key": "team", "Value": "banana"}], IdempotencyToken="rotation-0001",
    )["RotationArn"]
    same(tags(client, rotation), {"team": "banana"})
    got = client.get_rotation(RotationId=rotation)
    holds(got, {
        "RotationArn": rotation, "Name": "banana weeks", "ContactIds": [kayoko, taro], "StartTime": MONDAY,
        "TimeZoneId": "Asia/Tokyo", "Recurrence": WEEKLY,
    })
    holds(client.list_rotations(RotationNamePrefix="banana")["Rotations"][0], {"RotationArn": rotation})
    same(client.list_rotations(RotationNamePrefix="apple")["Rotations"], [])
    with refused("ValidationException"):
        client.create_rotation(Name="zone", ContactIds=[kayoko], TimeZoneId="Banana/Stand", Recurrence=WEEKLY)

    listed = client.list_rotation_shifts(RotationId=rotation, StartTime=day(0), EndTime=day(21))["RotationShifts"]
    same([(s["StartTime"], s["EndTime"], s["ContactIds"]) for s in listed], [
        (day(0), day(7), [kayoko]), (day(7), day(14), [taro]), (day(14), day(21), [kayoko]),
    ])
    same({shift["Type"] for shift in listed}, {"REGULAR"})
    pages = list(client.get_paginator("list_rotation_shifts").paginate(
        RotationId=rotation, StartTime=day(0), EndTime=day(21), PaginationConfig={"PageSize": 2},
    ))
    same([len(page["RotationShifts"]) for page in pages], [2, 1])

    preview = client.list_preview_rotation_shifts(
        RotationStartTime=MONDAY, StartTime=day(0), EndTime=day(14), Members=[kayoko, taro], TimeZoneId="Asia/Tokyo",
        Recurrence=WEEKLY, Overrides=[{"NewMembers": [taro], "StartTime": day(1), "EndTime": day(2)}],
    )["RotationShifts"]
    same([(s["StartTime"], s["ContactIds"], s["Type"]) for s in preview], [
        (day(0), [kayoko], "REGULAR"), (day(1), [taro], "OVERRIDDEN"), (day(2), [kayoko], "REGULAR"),
        (day(7), [taro], "REGULAR"),
    ])
    client.update_rotation(RotationId=rotation, ContactIds=[taro, kayoko], Recurrence={**WEEKLY, "RecurrenceMultiplier": 2})
    holds(client.get_rotation(RotationId=rotation), {
        "ContactIds": [taro, kayoko], "StartTime": MONDAY, "TimeZoneId": "Asia/Tokyo",
        "Recurrence": {**WEEKLY, "RecurrenceMultiplier": 2},
    })
    return rotation


def overrides(client, kayoko, taro):
    """An override begins at most six months ahead, so these rotations are of today."""
    start = datetime.datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + datetime.timedelta(days=1)
    end = start + datetime.timedelta(hours=8)
    daily = {
        "NumberOfOnCalls": 1, "RecurrenceMultiplier": 1,
        "DailySettings": [{"HourOfDay": start.hour, "MinuteOfHour": 0}],
    }
    rotation = client.create_rotation(
        Name="daily", ContactIds=[kayoko, taro], StartTime=start, TimeZoneId="UTC", Recurrence=daily
    )["RotationArn"]
    made = client.create_rotation_override(RotationId=rotation, NewContactIds=[taro], StartTime=start, EndTime=end)
    override = made["RotationOverrideId"]
    wanted = {
        "RotationOverrideId": override, "RotationArn": rotation, "NewContactIds": [taro], "StartTime": start, "EndTime": end,
    }
    got = client.get_rotation_override(RotationId=rotation, RotationOverrideId=override)
    holds({**got, "RotationArn": got.get("RotationArn")}, wanted)
    listed = client.list_rotation_overrides(RotationId=rotation, StartTime=start, EndTime=end)["RotationOverrides"]
    same([one["RotationOverrideId"] for one in listed], [override])
    shifts = client.list_rotation_shifts(RotationId=rotation, StartTime=start, EndTime=end)["RotationShifts"]
    holds(shifts[0], {
        "ContactIds": [taro], "Type": "OVERRIDDEN", "ShiftDetails": {"OverriddenContactIds": [kayoko]}, "EndTime": end,
    })
    client.delete_rotation_override(RotationId=rotation, RotationOverrideId=override)
    with refused("ResourceNotFoundException"):
        client.get_rotation_override(RotationId=rotation, RotationOverrideId=override)
    client.delete_rotation(RotationId=rotation)
    with refused(client.exceptions.ResourceNotFoundException, "ResourceNotFoundException"):
        client.get_rotation(RotationId=rotation)


def schedule_and_escalation(client, kayoko, rotation):
    schedule = client.create_contact(
        Alias="banana-primary", Type="ONCALL_SCHEDULE", Plan={"RotationIds": [rotation]},
    )["ContactArn"]
    same(client.get_contact(ContactId=schedule)["Plan"]["RotationIds"], [rotation])
    with refused("ValidationException"):
        client.create_contact(
            Alias="staged", Type="ONCALL_SCHEDULE", Plan={"Stages": [{"DurationInMinutes": 1, "Targets": []}]},
        )
    stages = [
        {"DurationInMinutes": 5, "Targets": [{"ContactTargetInfo": {"ContactId": kayoko, "IsEssential": True}}]},
        {"DurationInMinutes": 10, "Targets": [{"ContactTargetInfo": {"ContactId": schedule, "IsEssential": False}}]},
    ]
    escalation = client.create_contact(Alias="banana", Type="ESCALATION", Plan={"Stages": stages})["ContactArn"]
    same(client.get_contact(ContactId=escalation)["Plan"]["Stages"], stages)
    same([c["Alias"] for c in client.list_contacts(Type="ONCALL_SCHEDULE")["Contacts"]], ["banana-primary"])
    with refused(client.exceptions.ConflictException, "ConflictException") as said:
        client.delete_contact(ContactId=kayoko)
    assert said["DependentEntities"], said
    return escalation


def engagement(client, escalation, kayoko):
    started = client.start_engagement(
        ContactId=escalation, Sender="boto3", Subject="No bananas", Content="The stand is empty.",
        PublicSubject="Page", PublicContent="Look at the console.", IncidentId="incident-1", IdempotencyToken="engage-0001",
    )["EngagementArn"]
    holds(client.describe_engagement(EngagementId=started), {
        "ContactArn": escalation, "EngagementArn": started, "Sender": "boto3", "Subject": "No bananas",
        "Content": "The stand is empty.", "PublicSubject": "Page", "IncidentId": "incident-1",
    })
    same([e["EngagementArn"] for e in client.list_engagements(IncidentId="incident-1")["Engagements"]], [started])
    pages = eventually(lambda: client.list_pages_by_engagement(EngagementId=started)["Pages"])
    same(len(pages), 1)
    page = pages[0]["PageArn"]
    same(client.list_pages_by_contact(ContactId=kayoko)["Pages"][0]["PageArn"], page)
    holds(client.describe_page(PageId=page), {
        "PageArn": page, "EngagementArn": started, "ContactArn": kayoko, "Sender": "boto3", "IncidentId": "incident-1",
    })
    path = client.list_page_resolutions(PageId=page)["PageResolutions"]
    same([(step["Type"], step["ContactArn"]) for step in path], [("ESCALATION", escalation), ("PERSONAL", kayoko)])
    with refused("ValidationException"):
        client.accept_page(PageId=page, AcceptType="READ", AcceptCode="bananas")
    client.accept_page(PageId=page, AcceptType="READ", AcceptCode="123456", AcceptCodeValidation="IGNORE", Note="On it")
    kinds = {receipt["ReceiptType"] for receipt in client.list_page_receipts(PageId=page)["Receipts"]}
    assert {"SENT", "DELIVERED", "READ"} <= kinds, kinds
    assert client.describe_page(PageId=page)["ReadTime"]
    client.stop_engagement(EngagementId=started, Reason="Bananas came")
    assert client.describe_engagement(EngagementId=started)["StopTime"]
    with refused("ResourceNotFoundException"):
        client.describe_engagement(EngagementId=arn("engagement", "banana/00000000-0000-0000-0000-000000000000"))


def policy(client, kayoko):
    text = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Sid": "share", "Effect": "Allow", "Principal": {"AWS": "444455556666"},
        "Action": ["ssm-contacts:GetContact", "ssm-contacts:StartEngagement"], "Resource": [kayoko],
    }]})
    client.put_contact_policy(ContactArn=kayoko, Policy=text)
    got = client.get_contact_policy(ContactArn=kayoko)
    same(got["ContactArn"], kayoko)
    same(json.loads(got["Policy"]), json.loads(text))


def main():
    with aws() as sandbox:
        client, incidents = sandbox.client("ssm-contacts"), sandbox.client("ssm-incidents")
        before_the_replication_set(client)
        found = incidents.create_replication_set(regions={REGION: {}})["arn"]
        incidents.get_waiter("wait_for_replication_set_active").wait(arn=found, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        kayoko, taro = people(client), arn("contact", "taro")
        listing(client)
        channels(client, kayoko)
        rotation = rotations(client, kayoko, taro)
        overrides(client, kayoko, taro)
        escalation = schedule_and_escalation(client, kayoko, rotation)
        engagement(client, escalation, kayoko)
        policy(client, kayoko)
        client.delete_rotation(RotationId=rotation)
        client.delete_contact(ContactId=kayoko)
        all_called(sandbox.recorder, "ssm-contacts", "json")
