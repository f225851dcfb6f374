//! A plan with something of everything, for the tests of all formats.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Style, Title, Wording};
use crate::engine::{Ending, Outcome};
use crate::model::diff::{Difference, diff};
use crate::model::plan::{Action, Because, Change, Note, Plan};
use crate::model::{Address, Document, Id, Live, Location};

/// The personal texts in the samples; none may reach an output.
pub(super) const PERSONAL: [&str; 6] = [
    "kayoko@example.com",
    "+819012345612",
    "+819098765498",
    "yu@example.com",
    "yu.new@example.com",
    "correct-horse-battery",
];

pub(super) fn tokyo() -> Location {
    Location {
        account: "111122223333".to_owned(),
        region: "ap-northeast-1".to_owned(),
    }
}

fn ireland() -> Location {
    Location {
        account: "444455556666".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

pub(super) fn change(kind: &str, name: &str, action: Action) -> Change {
    Change::new(Address::new(kind, name), tokyo(), action)
}

fn live(spec: &Value) -> Live<Value> {
    Live {
        id: Id("arn:aws:ssm-contacts:ap-northeast-1:111122223333:contact/x".to_owned()),
        name: "x".to_owned(),
        spec: spec.clone(),
        tags: std::collections::BTreeMap::default(),
        ready: true,
        notes: Vec::new(),
    }
}

/// A change from one spec to another.
pub(super) fn differs(
    kind: &str,
    name: &str,
    action: Action,
    because: &[Because],
    old: &Value,
    new: &Value,
) -> Change {
    Change {
        because: because.to_vec(),
        differences: diff(old, new),
        desired: Some(Arc::new(new.clone())),
        live: Some(live(old)),
        lifted: Some(old.clone()),
        ..change(kind, name, action)
    }
}

fn create(kind: &str, name: &str, spec: Value) -> Change {
    Change {
        because: vec![Because::Missing],
        desired: Some(Arc::new(spec)),
        ..change(kind, name, Action::Create)
    }
}

fn document(text: &str) -> Value {
    serde_json::to_value(Document::from_text(text)).unwrap()
}

const RUNBOOK: &str = "
# Restarts the checkout.
schemaVersion: '0.3'
mainSteps:
  - name: look
    action: aws:runCommand
    inputs: { DocumentName: AWS-RunShellScript, Commands: [uptime] }
  - name: drain
    action: aws:executeAwsApi
    inputs: { Service: elbv2, Api: DeregisterTargets }
    timeoutSeconds: 60
  - name: restart
    action: aws:runCommand
    inputs: { DocumentName: AWS-RunShellScript, Commands: [systemctl restart checkout] }
";

fn contact() -> Value {
    json!({
        "alias": "kayoko",
        "channels": {
            "email": { "type": "EMAIL", "address": { "$sensitive": PERSONAL[0] } },
            "sms": { "type": "SMS", "address": { "$sensitive": PERSONAL[1] } },
            "voice": { "type": "VOICE", "address": { "$sensitive": PERSONAL[2] } },
        },
        "displayName": "Kayoko",
    })
}

fn drifted_contact() -> Change {
    let spec = |address: &str, name: &str| {
        json!({
            "channels": {
                "email": { "type": "EMAIL", "address": { "$sensitive": address } },
                "pager": { "type": "SMS", "address": { "$sensitive": PERSONAL[1] } },
            },
            "displayName": name,
        })
    };
    let mut old = spec(PERSONAL[3], "Yu");
    old["channels"].as_object_mut().unwrap().remove("pager");
    let both = [Because::Pending, Because::Drift];
    differs(
        "Contact",
        "yu",
        Action::Update,
        &both,
        &old,
        &spec(PERSONAL[4], "Yu Sato"),
    )
}

fn updates() -> Vec<Change> {
    let stage = |minutes: u32, to: &str| json!({ "stages": [{ "durationMinutes": minutes, "engage": [{ "contact": { "ref": to } }] }] });
    let plan = differs(
        "EscalationPlan",
        "banana-checkout",
        Action::Update,
        &[Because::Drift],
        &stage(15, "Contact/yu"),
        &stage(5, "Contact/kayoko"),
    );
    let spec = |document: &Value, description: &str| {
        json!({
            "content": document,
            "attachments": [{ "name": "x", "source": "s3://banana/x" }],
            "description": description,
        })
    };
    let mut old = spec(&document(RUNBOOK), "");
    old["description"] = Value::Null;
    let after = document(&RUNBOOK.replace("timeoutSeconds: 60", "timeoutSeconds: 120"));
    let runbook = differs(
        "Runbook",
        "restart-checkout",
        Action::Update,
        &[Because::Pending],
        &old,
        &spec(
            &after,
            "Drains the checkout, restarts it, and puts it back when its health check answers three times in a row",
        ),
    );
    let mut drifted = differs(
        "Runbook",
        "scale-out",
        Action::Update,
        &[Because::Drift],
        &json!({ "content": document(&RUNBOOK.replace("uptime", "'true'")), "targetType": "/" }),
        &json!({ "content": document(RUNBOOK) }),
    );
    drifted.held = Some("`lifecycle.mode` is `report`".to_owned());
    vec![plan, runbook, drifted]
}

fn replaced() -> Vec<Change> {
    let zone =
        |zone: &str| json!({ "timeZoneId": zone, "contacts": [{ "ref": "Contact/kayoko" }] });
    let mut rotation = differs(
        "Rotation",
        "weekend",
        Action::Replace,
        &[Because::Pending],
        &zone("Asia/Tokyo"),
        &zone("Europe/Dublin"),
    );
    rotation.reason = Some(
        "/timeZoneId cannot be changed in place; the overrides of the coming shifts would be lost"
            .to_owned(),
    );
    let mut schedule = change("OnCallSchedule", "all-day", Action::Update);
    schedule.because = vec![Because::Pending];
    schedule.reason = Some("Rotation/weekend is replaced".to_owned());
    let same = Some(json!({ "ref": "Rotation/weekend" }));
    schedule.differences = vec![Difference {
        path: "/rotations/0".to_owned(),
        old: same.clone(),
        new: same,
    }];
    vec![rotation, schedule]
}

fn response_plan() -> Change {
    let key = |service: &str, key: &str| {
        json!({
            "integrations": [{ "pagerDuty": { "name": service, "apiKey": { "$sensitive": key } } }],
            "chat": { "arn": "arn:aws:chatbot::111122223333:chat-configuration/slack-channel/banana-operations-incidents" },
        })
    };
    let mut old = key("checkout", "12345");
    old["chat"] = json!({ "arn": "arn:aws:chatbot::111122223333:chat-configuration/slack-channel/banana-operations-archived" });
    let mut change = differs(
        "ResponsePlan",
        "checkout",
        Action::Adopt,
        &[],
        &old,
        &key("checkout", PERSONAL[5]),
    );
    change.held = Some("it is there and nobody owns it: take it over with `--adopt`".to_owned());
    change
}

fn stuck() -> Vec<Change> {
    let mut blocked = change("Dashboard", "impact", Action::Blocked);
    blocked.reason = Some(
        "owned by stack `shop-eu`: give it another name, or hand it over by removing its `stationbill-stack` tag"
            .to_owned(),
    );
    blocked.live = Some(live(&json!({ "name": "impact" })));
    let mut refused = differs(
        "Document",
        "session-preferences",
        Action::Blocked,
        &[Because::Drift],
        &json!({ "documentType": "Session" }),
        &json!({ "documentType": "Command" }),
    );
    refused.reason = Some(
        "/documentType cannot be changed in place, and `lifecycle.protect` forbids to replace it"
            .to_owned(),
    );
    let mut unknown = change("PatchBaseline", "windows", Action::Unknown);
    unknown.reason =
        Some("DescribePatchBaselines: AccessDeniedException (request 7f3c)".to_owned());
    let mut leaking = change("Contact", "leaking", Action::Blocked);
    leaking.desired = Some(Arc::new(contact()));
    leaking.reason = Some(format!("AWS refuses {}: \u{1b}[31mno", PERSONAL[0]));
    vec![blocked, refused, unknown, leaking]
}

fn note(kind: &str, name: &str, text: &str) -> Note {
    Note {
        address: Address::new(kind, name),
        location: tokyo(),
        text: text.to_owned(),
    }
}

/// Something of everything, at two places.
pub(super) fn rich() -> Plan {
    let mut changes = vec![
        create("Contact", "kayoko", contact()),
        create(
            "Dashboard",
            "orders",
            json!({ "body": document("{\"widgets\": []}") }),
        ),
        create(
            "EscalationPlan",
            "database",
            json!({ "displayName": "Banana database" }),
        ),
        drifted_contact(),
        change("Runbook", "forgotten", Action::Delete),
        response_plan(),
    ];
    changes.extend(updates());
    changes.extend(replaced());
    changes.extend(stuck());
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    let mut abroad = create("Contact", "kayoko", contact());
    abroad.location = ireland();
    changes.push(abroad);
    let prune = "in no document any more; `--prune` would delete it";
    let mut elsewhere = note("Runbook", "older", prune);
    elsewhere.location = ireland();
    Plan {
        stack: "banana-stand".to_owned(),
        locations: [tokyo(), ireland()].into(),
        changes,
        unchanged: 31,
        orphans: vec![
            note("Runbook", "old", prune),
            note("Runbook", "older", prune),
            elsewhere,
        ],
        retained: vec![note(
            "Contact",
            "former",
            "`lifecycle.onDelete` is `retain`",
        )],
        notes: vec![note(
            "Contact",
            "yu",
            "channel `email` is not activated: nobody is reached by it",
        )],
        ..Plan::default()
    }
}

/// Many creations of one kind, among them something that must not be hidden.
pub(super) fn many() -> Plan {
    let mut changes: Vec<Change> = (0..40)
        .map(|index| create("Contact", &format!("person-{index:02}"), contact()))
        .collect();
    changes.insert(20, change("Contact", "person-19-old", Action::Delete));
    Plan {
        stack: "banana-stand".to_owned(),
        locations: [tokyo()].into(),
        changes,
        ..Plan::default()
    }
}

/// The same in two hundred places, except in three accounts.
pub(super) fn fleet() -> Plan {
    let mut fleet = Plan {
        stack: "shop".to_owned(),
        ..Plan::default()
    };
    for account in 0..100_u64 {
        for region in ["eu-west-1", "us-east-1"] {
            let mut one = change("PatchBaseline", "linux", Action::Create);
            one.location.account = format!("{:012}", 100_000_000_000 + account);
            one.location.region = region.to_owned();
            if account < 3 {
                one.action = Action::Blocked;
                one.reason = Some("owned by stack `other`".to_owned());
            }
            fleet.locations.insert(one.location.clone());
            if region == "eu-west-1" {
                let mut dashboard = change("Dashboard", "impact", Action::Create);
                dashboard.location = one.location.clone();
                fleet.changes.push(dashboard);
            }
            fleet.changes.push(one);
        }
    }
    fleet
}

/// How the rich plan went.
pub(super) fn ended(plan: &Plan) -> Outcome {
    let mut failed = false;
    let endings = plan.changes.iter().map(|change| {
        if !change.acts() {
            return None;
        }
        Some(match change.action {
            Action::Replace => {
                failed = true;
                Ending::Failed(
                    "UpdateRotation: ValidationException: Invalid value (request 8a1f)".to_owned(),
                )
            }
            _ if failed => Ending::Skipped(
                "it waits for Rotation/weekend, which failed or was not tried".to_owned(),
            ),
            _ => Ending::Done,
        })
    });
    Outcome {
        endings: endings.collect(),
        interrupted: false,
    }
}

pub(super) fn title(wording: Wording) -> Title {
    Title {
        wording,
        calls: Some(14),
        elapsed: Some(Duration::from_millis(900)),
        narrowed: false,
    }
}

pub(super) fn style() -> Style {
    Style {
        color: false,
        width: 100,
        verbose: false,
    }
}

/// Fails when a text contains anything personal, or anything that steers a terminal.
#[track_caller]
pub(super) fn assert_discreet(text: &str) {
    for personal in PERSONAL {
        assert!(!text.contains(personal), "{personal} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "an escape in\n{text}");
}
