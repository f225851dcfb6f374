"""The scenario of the example, with this program and the AWS CLI on one account; their traffic is checked strictly."""

import json
import pathlib
import shutil
import tempfile

from device import code_of
from harness import ACCOUNT, REGION, ROOT, aws, eventually, same, side_by_side
from programs import Programs

CONTACTS = f"arn:aws:ssm-contacts:{REGION}:{ACCOUNT}"
PLAN = f"arn:aws:ssm-incidents::{ACCOUNT}:response-plan/banana-checkout"
STAND = "banana-stand"


def first_apply(run):
    plan = run.answer("plan", STAND)
    same({change["action"] for change in plan["changes"]}, {"create"})
    run.answer("plan", STAND, "--exit-code", code=1)
    applied = run.answer("apply", STAND, "--yes")
    same(applied["summary"]["create"], plan["summary"]["create"])
    drift = run.answer("drift", STAND)
    same(drift["changes"], [])
    same(run.answer("plan", STAND, "--exit-code")["summary"]["unchanged"], plan["summary"]["create"])


def break_by_hand(run):
    """Four people, four quick fixes in the console."""
    def escalation():
        arn = f"{CONTACTS}:contact/banana-database"
        plan = run.aws("ssm-contacts", "get-contact", "--contact-id", arn, "--query", "Plan")
        plan["Stages"][1]["DurationInMinutes"] = 30
        run.aws("ssm-contacts", "update-contact", "--contact-id", arn, "--plan", json.dumps({"Stages": plan["Stages"]}))

    def document():
        content = run.aws(
            "ssm", "get-document", "--name", "banana-drain-node", "--document-format", "YAML", "--query", "Content",
        )
        path = run.folder / "broken.yaml"
        path.write_text(content.replace("300", "30"))
        made = run.aws(
            "ssm", "update-document", "--name", "banana-drain-node", "--document-version", "$LATEST",
            "--document-format", "YAML", "--target-type", "/AWS::EC2::Instance", "--content", f"file://{path}",
        )
        version = made["DocumentDescription"]["DocumentVersion"]
        run.aws("ssm", "update-document-default-version", "--name", "banana-drain-node", "--document-version", version)

    def response_plan():
        run.aws("ssm-incidents", "update-response-plan", "--arn", PLAN, "--incident-template-title", "Never mind")

    def dashboard():
        run.aws("cloudwatch", "delete-dashboards", "--dashboard-names", "banana-business")

    side_by_side([escalation, document, response_plan, dashboard])


def drift_and_repair(run, incidents):
    found = run.answer("drift", STAND, code=1)
    changes = {change["object"]: change for change in found["changes"]}
    same({name: (change["action"], change["because"]) for name, change in changes.items()}, {
        "EscalationPlan/banana-database": ("update", ["drift"]),
        "Document/banana-drain-node": ("update", ["drift"]),
        "ResponsePlan/banana-checkout": ("update", ["drift"]),
        "Dashboard/banana-business": ("create", ["missing"]),
    })
    paths = {name: [one["path"] for one in change["differences"]] for name, change in changes.items()}
    same(paths["EscalationPlan/banana-database"], ["/stages/1/durationMinutes"])
    same(paths["ResponsePlan/banana-checkout"], ["/incidentTemplate/title"])
    same(paths["Document/banana-drain-node"], ["/content"])
    same({(change["account"], change["region"]) for change in changes.values()}, {(ACCOUNT, REGION)})
    repaired = run.answer("apply", STAND, "--yes")
    same((repaired["summary"]["update"], repaired["summary"]["create"]), (3, 1))
    same(run.answer("drift", STAND)["changes"], [])
    # Repaired is what boto3 says, too.
    same(incidents.get_response_plan(arn=PLAN)["incidentTemplate"]["title"], "Nobody can pay for bananas")


def people_are_called(run, incidents, contacts):
    """Activates the telephones, starts an incident, and looks at who is engaged."""
    people = contacts.get_paginator("list_contacts").paginate(Type="PERSONAL").build_full_result()["Contacts"]
    same(sorted(one["Alias"] for one in people), ["jonas", "kayoko", "mei", "supervisor", "taro"])
    for person in people:
        for channel in contacts.list_contact_channels(ContactId=person["ContactArn"])["ContactChannels"]:
            channel = channel["ContactChannelArn"]
            contacts.send_activation_code(ContactChannelId=channel)
            contacts.activate_contact_channel(ContactChannelId=channel, ActivationCode=code_of(channel))
    # An activated channel is nothing that the documents speak about.
    same(run.answer("drift", STAND)["changes"], [])

    record = run.aws("ssm-incidents", "start-incident", "--response-plan-arn", PLAN, "--query", "incidentRecordArn")
    got = incidents.get_incident_record(arn=record)["incidentRecord"]
    same((got["title"], got["impact"], got["status"]), ("Nobody can pay for bananas", 1, "OPEN"))
    execution = got["automationExecutions"][0]["ssmExecutionArn"]
    assert f":{REGION}:{ACCOUNT}:automation-execution/" in execution, execution
    engaged = run.aws("ssm-contacts", "list-engagements", "--incident-id", record, "--query", "Engagements")
    same([one["ContactArn"] for one in engaged], [f"{CONTACTS}:contact/banana-checkout"])
    pages = eventually(lambda: run.aws(
        "ssm-contacts", "list-pages-by-engagement", "--engagement-id", engaged[0]["EngagementArn"], "--query", "Pages",
    ))
    on_call = {page["ContactArn"].rpartition("/")[2] for page in pages}
    assert on_call <= {"kayoko", "taro", "mei", "jonas"}, on_call
    path = contacts.list_page_resolutions(PageId=pages[0]["PageArn"])["PageResolutions"]
    same([step["Type"] for step in path], ["ESCALATION", "ONCALL_SCHEDULE", "PERSONAL"])


def export_and_destroy(run, sandbox, contacts):
    run.stationbill("export", "--out", "exported", "--secrets", "addresses.env")
    assert (run.folder / "addresses.env").stat().st_mode & 0o777 == 0o600
    texts = [path.read_text() for path in (run.folder / "exported").rglob("*.yaml")]
    assert len(texts) > 25 and not any("@example.com" in text for text in texts)
    # The stack allows one run five deletions; whoever means to end it says so in its document first.
    stack = run.folder / STAND / "stack.yaml"
    stack.write_text(stack.read_text().replace("deletes: 5", "deletes: 50"))
    destroyed = run.answer("destroy", STAND, "--yes")
    assert destroyed["summary"]["delete"] > 15, destroyed["summary"]
    same(sandbox.client("cloudwatch").list_dashboards()["DashboardEntries"], [])
    # People and the replication set stay.
    same(len(contacts.list_contacts(Type="PERSONAL")["Contacts"]), 5)


def main():
    with tempfile.TemporaryDirectory() as folder, aws(strict=True) as sandbox:
        folder = pathlib.Path(folder)
        shutil.copytree(ROOT / "examples" / STAND, folder / STAND)
        run = Programs(sandbox, folder)
        incidents, contacts = sandbox.client("ssm-incidents"), sandbox.client("ssm-contacts")
        first_apply(run)
        break_by_hand(run)
        drift_and_repair(run, incidents)
        people_are_called(run, incidents, contacts)
        export_and_destroy(run, sandbox, contacts)
