use serde_json::{Value, json};

use super::*;
use crate::model::{AnySpec, Erased};

const KIND: Erased<Contact> = Erased::new();

fn kayoko() -> Value {
    json!({
        "name": "kayoko",
        "channels": {
            "email": { "type": "EMAIL", "address": { "value": "kayoko@example.com" } },
            "sms": { "type": "SMS", "address": { "fromEnv": "KAYOKO_PHONE" } },
        },
        "stages": [
            { "durationMinutes": 5, "notify": [{ "channel": "sms" }, { "channel": "email", "retryIntervalMinutes": 0 }] },
            { "durationMinutes": 1 },
        ],
    })
}

fn findings(spec: &Value) -> Vec<(String, String)> {
    let mut report = Report::default();
    KIND.validate(&KIND.parse(spec).unwrap(), &mut report);
    let found = report.diagnostics.into_iter();
    found.map(|d| (d.code, d.at)).collect()
}

fn with(path: &str, value: Value) -> Value {
    let mut spec = kayoko();
    *spec.pointer_mut(path).unwrap() = value;
    spec
}

#[test]
fn targets_of_a_stage_have_no_order_and_a_retry_of_zero_is_none() {
    let spec = KIND.parse(&kayoko()).unwrap();
    assert_eq!(
        spec["stages"][0]["notify"],
        json!([{ "channel": "email" }, { "channel": "sms" }])
    );
    assert_eq!(KIND.parse(&spec).unwrap(), spec);
    assert!(findings(&kayoko()).is_empty());
}

#[test]
fn an_unknown_field_is_an_error() {
    let error = KIND
        .parse(&with(
            "/stages/0",
            json!({ "durationMinutes": 1, "nofity": [] }),
        ))
        .unwrap_err();
    assert!(error.message.contains("`nofity`"), "{error}");
}

#[test]
fn a_stage_names_channels_of_the_contact() {
    let at = "/stages/1/notify/0/channel".to_owned();
    let stage = |channel: &str| {
        with(
            "/stages/1",
            json!({ "durationMinutes": 0, "notify": [{ "channel": channel }] }),
        )
    };
    assert_eq!(
        findings(&stage("fax")),
        [("unknown-channel".to_owned(), at.clone())]
    );
    assert_eq!(
        findings(&stage("arn:aws:x")),
        [("foreign-channel".to_owned(), at)]
    );
    assert!(findings(&stage("sms")).is_empty());
}

#[test]
fn a_stage_must_do_something() {
    let found = findings(&with("/stages/1/durationMinutes", json!(0)));
    assert_eq!(found, [("empty-stage".to_owned(), "/stages/1".to_owned())]);
}

#[test]
fn addresses_are_checked_and_never_repeated() {
    for (kind, address, good) in [
        ("EMAIL", "kayoko@example.com", true),
        ("EMAIL", "kayoko@example", false),
        ("EMAIL", "kayoko tanaka@example.com", false),
        ("EMAIL", "${target.vars.MAIL}", true),
        ("SMS", "+819012345678", true),
        ("SMS", "090-1234-5678", false),
        ("SMS", "+0012345678", false),
        ("VOICE", "+123456", false),
        ("VOICE", "+1234567890123456", false),
    ] {
        let channel = json!({ "type": kind, "address": { "value": address } });
        let mut report = Report::default();
        KIND.validate(
            &KIND.parse(&with("/channels/email", channel)).unwrap(),
            &mut report,
        );
        assert_eq!(report.is_ok(), good, "{address}");
        for diagnostic in &report.diagnostics {
            assert_eq!(diagnostic.at, "/channels/email/address");
            assert!(!format!("{diagnostic:?}").contains(address));
        }
    }
}

#[test]
fn a_channel_name_must_be_acceptable_to_aws() {
    let channels = json!({ "e/mail": { "type": "EMAIL", "address": { "fromEnv": "X" } } });
    let spec = json!({ "name": "kayoko", "channels": channels });
    assert_eq!(
        findings(&spec),
        [(
            "bad-channel-name".to_owned(),
            "/channels/e~1mail".to_owned()
        )]
    );
}

#[test]
fn what_the_user_left_out_is_left_alone() {
    let mut live = KIND.parse(&kayoko()).unwrap();
    live["displayName"] = json!("Kayoko Tanaka");
    live["tags"] = json!({ "team": "shop" });
    let wanted = KIND.parse(&kayoko()).unwrap();
    let settled = KIND.settle(&wanted, &live).unwrap();
    assert_eq!(settled, KIND.parse(&live).unwrap());
    assert_eq!(KIND.settle(&settled, &live).unwrap(), settled);
}

#[test]
fn every_field_is_described_and_constrained() {
    let schema = KIND.schema();
    let name = &schema["properties"]["name"];
    assert_eq!(name["maxLength"], 255);
    assert_eq!(name["pattern"], r"^[a-z0-9_\-]*$");
    let stage = &schema["properties"]["stages"]["items"];
    assert_eq!(stage["properties"]["durationMinutes"]["maximum"], 30);
    let notify = &stage["properties"]["notify"]["items"];
    assert_eq!(notify["properties"]["retryIntervalMinutes"]["maximum"], 60);
    assert!(notify["properties"]["channel"]["description"].is_string());
}
