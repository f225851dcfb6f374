//! What holds of every input, whatever it is. The same is fuzzed for longer by `fuzz/`; what that finds becomes a line
//! in `FOUND` here. `PROPTEST_CASES=N` tries more.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stationbill::kinds;
use stationbill::model::substitute::{Variables, escape, substitute};
use stationbill::model::{Document, Location, Report, pointer};
use stationbill::sandbox::{Enforce, Operation, Options, Sandbox, operations};

/// Texts that once made something fail, or are of the sort that does.
const FOUND: &[&str] = &[
    "",
    "\u{feff}",
    "---",
    "...",
    "&a *a",
    "<<: *x",
    "? ",
    "!",
    "!!",
    "%",
    "|",
    ">",
    "[",
    "{",
    "- ",
    "a: b: c",
    "\t",
    "\u{0}",
    "~",
    ".nan",
    "1e999",
    "-0",
    "0x",
    "99999999999999999999999999999999999999",
    "BEGIN:VCALENDAR",
    "BEGIN:",
    "{\"a\":",
    "${target.",
    "$${target.",
    "${target.}",
    "cron(",
    "cron(* * * * ? *)",
    "rate(0 minutes)",
    "24:00",
    "-9999999999999",
    "2026-02-30T25:61:61Z",
    "Europe/Berlin",
    "é",
    "\u{10ffff}",
    "a\r\nb",
    "arn:aws:ssm:::x",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(FOUND);
    let part = prop_oneof![
        3 => pieces.prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "schemaVersion: '0.3'\n", "mainSteps:\n", "  - name: x\n", "    action: aws:sleep\n", "    inputs: {}\n", "parameters:\n",
            "  A: { type: String }\n", "DTSTART:20260105T090000Z\n", "BEGIN:VEVENT\n", "END:VCALENDAR\n", "{\"widgets\": [", "]}", "\"type\": \"metric\"",
            "\"x\": 1", ",", ": ", "\n", "  ", "sessionType: Standard_Stream\n", "inputs:\n",
        ]).prop_map(str::to_owned),
        1 => ".{0,12}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![
            Just(0),
            Just(-1),
            Just(i64::MAX),
            Just(i64::MIN),
            any::<i64>()
        ]
        .prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Puts a value somewhere into another, or takes a member away.
fn mutate(value: &mut Value, mut at: usize, with: Option<Value>) {
    let mut here = value;
    loop {
        let count = match here {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        };
        if count == 0 || at.is_multiple_of(5) {
            *here = with.unwrap_or_default();
            return;
        }
        let index = at % count;
        at /= 7;
        match here {
            Value::Array(items) => here = &mut items[index],
            Value::Object(members) => {
                let key = members.keys().nth(index).cloned().unwrap_or_default();
                if with.is_none() && at.is_multiple_of(3) {
                    members.remove(&key);
                    return;
                }
                here = &mut members[&key];
            }
            _ => return,
        }
    }
}

fn check_spec(kind: &str, spec: &Value) {
    let kind = kinds::find(kind).unwrap();
    if let Ok(spec) = kind.parse(spec) {
        kind.validate(&spec, &mut Report::default());
        assert_eq!(kind.parse(&spec).unwrap(), spec, "{}", kind.kind());
        assert_eq!(kind.settle(&spec, &spec).unwrap(), spec, "{}", kind.kind());
    }
}

fn variables() -> Variables {
    Variables {
        location: Location {
            account: "111122223333".into(),
            region: "eu-west-1".into(),
        },
        target: "x".into(),
        vars: [("tier".to_owned(), "gold".to_owned())].into(),
    }
}

/// How many inputs each property is tried on.
fn cases() -> u32 {
    let asked = crate::support::number("PROPTEST_CASES").map(u32::try_from);
    asked.transpose().unwrap().unwrap_or(200)
}

/// Specs of the examples, to be spoilt.
fn good() -> &'static [(String, Value)] {
    static GOOD: std::sync::OnceLock<Vec<(String, Value)>> = std::sync::OnceLock::new();
    GOOD.get_or_init(|| {
        ["kinds", "banana-stand"]
            .iter()
            .flat_map(|name| crate::support::documents(name))
            .map(|object| (object.address.kind, object.spec))
            .collect()
    })
}

/// Makes a request as a client of that protocol would.
fn request(
    protocol: u8,
    operation: &Operation,
    body: &Value,
    bytes: &[u8],
) -> Option<Request<Bytes>> {
    let Operation { service, name, .. } = operation;
    let signed = if *service == "cloudwatch" {
        "monitoring"
    } else {
        service
    };
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=111122223333/20260105/eu-west-1/{signed}/aws4_request, SignedHeaders=host, Signature=00"
    );
    let request = Request::builder()
        .method("POST")
        .header("authorization", scope);
    let target = match *service {
        "ssm" => "AmazonSSM",
        "ssm-contacts" => "SSMContacts",
        _ => "GraniteServiceVersion20100801",
    };
    let json = body.to_string().into_bytes();
    let (request, body) = match protocol % 6 {
        0..=2 if *service != "ssm-incidents" && *service != "sts" => {
            let request = request
                .uri("/")
                .header("x-amz-target", format!("{target}.{name}"))
                .header("content-type", "application/x-amz-json-1.1");
            (request, json)
        }
        3 => {
            let mut written = Vec::new();
            ciborium::into_writer(body, &mut written).ok()?;
            let path = format!("/service/{target}/operation/{name}");
            (
                request.uri(path).header("smithy-protocol", "rpc-v2-cbor"),
                written,
            )
        }
        4 => {
            let mut form = format!("Action={name}&Version=2011-06-15");
            for (key, value) in body.as_object().into_iter().flatten() {
                let _ = write!(
                    form,
                    "&{key}={value}&{key}.member.1={value}&{key}.1.Key={value}"
                );
            }
            (
                request
                    .uri("/")
                    .header("content-type", "application/x-www-form-urlencoded"),
                form.into_bytes(),
            )
        }
        5 => (
            request.uri(format!("/{name}?x=%ff&maxResults=-1")),
            bytes.to_vec(),
        ),
        _ => {
            let path: String = name
                .chars()
                .enumerate()
                .map(|(n, c)| if n == 0 { c.to_ascii_lowercase() } else { c })
                .collect();
            (
                request
                    .uri(format!("/{path}"))
                    .header("content-type", "application/json"),
                json,
            )
        }
    };
    request.body(Bytes::from(body)).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_text_is_a_document_or_none(text in text()) {
        let document = Document::from_text(text.clone());
        prop_assert!(document.same_meaning(&document));
        document.readable();
        if let Ok(Some(value)) = document.parse() {
            let written = Document::from_value(&value, document.format);
            prop_assert_eq!(written.parse(), Ok(Some(value)), "{}", written.text);
        }
        for (kind, kind_of) in [
            ("Runbook", ""), ("Document", "Command"), ("Document", "ChangeCalendar"), ("Document", "Session"),
            ("Document", "Automation.ChangeTemplate"), ("Document", "ProblemAnalysis"),
        ] {
            let mut spec = json!({"name": "pochi", "content": text});
            if !kind_of.is_empty() {
                spec["documentType"] = kind_of.into();
            }
            check_spec(kind, &spec);
        }
        check_spec("Dashboard", &json!({"name": "pochi", "body": text}));
    }

    #[test]
    fn any_spoilt_spec_is_read_or_refused(which in any::<usize>(), changes in prop::collection::vec((any::<usize>(), prop::option::of(value())), 1..4)) {
        let (kind, spec) = &good()[which % good().len()];
        let mut spec = spec.clone();
        for (at, with) in changes {
            mutate(&mut spec, at, with);
        }
        check_spec(kind, &spec);
    }

    #[test]
    fn escaping_is_undone_whatever_the_value(value in value()) {
        let _ = substitute(value.clone(), &variables());
        prop_assert_eq!(substitute(escape(value.clone()), &variables()), Ok(value));
    }

    #[test]
    fn a_pointer_names_what_it_was_made_of(steps in prop::collection::vec("[~/*a01é]{0,4}", 0..5), value in value()) {
        let at = steps.iter().fold(String::new(), |base, step| pointer::join(&base, step));
        prop_assert_eq!(pointer::steps(&at), steps);
        prop_assert!(pointer::under(&at, &at));
        let mut other = value.clone();
        pointer::remove(&mut other, &at);
        pointer::transplant(&value, &mut other, &at);
    }

    #[test]
    fn the_simulated_aws_answers_whatever_is_asked(
        calls in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>(), value(), prop::collection::vec(any::<u8>(), 0..40)), 1..6),
    ) {
        let sandbox = Sandbox::open(Options { quotas: Enforce::Off, ..Options::default() }).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let all: Vec<&Operation> = operations().collect();
        for (protocol, which, at, with, bytes) in calls {
            let operation = all[which % all.len()];
            let mut body = json!({
                "Name": "pochi", "Content": "{\"schemaVersion\": \"2.2\", \"mainSteps\": []}", "DocumentType": "Command", "Alias": "a", "DisplayName": "b",
                "Type": "PERSONAL", "Plan": {"Stages": []}, "MaxResults": 5, "ResourceType": "Document", "ResourceId": "pochi", "Tags": [{"Key": "a", "Value": "b"}],
                "name": "x", "DashboardName": "x", "DashboardBody": "{\"widgets\": []}", "OperatingSystem": "WINDOWS", "Value": "v", "Overwrite": true,
                "arn": "arn:aws:ssm-incidents::111122223333:response-plan/x", "incidentTemplate": {"title": "x", "impact": 1}, "regions": {"eu-west-1": {}},
            });
            mutate(&mut body, at, Some(with));
            let Some(request) = request(protocol, operation, &body, &bytes) else { continue };
            let response = runtime.block_on(sandbox.handle(request));
            let text = String::from_utf8_lossy(response.body()).into_owned();
            prop_assert!(response.status().as_u16() != 500, "{} {}: {text}", operation.service, operation.name);
        }
    }
}
