//! Requests as clients write them, byte by byte.

use std::time::Duration;

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::{Faults, Lost};

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

fn cbor_of(response: &Response<Bytes>) -> Value {
    let value: Cbor = ciborium::from_reader(response.body().as_ref()).unwrap();
    value.deserialized().unwrap()
}

fn ssm(operation: &str) -> http::request::Builder {
    signed("ssm")
        .header("x-amz-target", format!("AmazonSSM.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
}

fn cbor(operation: &str) -> http::request::Builder {
    signed("monitoring")
        .uri(format!(
            "/service/GraniteServiceVersion20100801/operation/{operation}"
        ))
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
        .header("accept", "application/cbor")
}

fn cbor_body(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn form(service: &str) -> http::request::Builder {
    signed(service).header(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    )
}

#[tokio::test]
async fn json_1_1() {
    let sandbox = sandbox(unhurried());
    let body = r#"{"Name":"/a","Value":"1","Type":"String","Overwrite":null,"Unheard":{"of":[1]}}"#;
    let put = send(&sandbox, ssm("PutParameter"), body).await;
    assert_eq!(
        (put.status().as_u16(), text(&put)),
        (200, r#"{"Version":1,"Tier":"Standard"}"#)
    );
    assert_eq!(header(&put, "content-type"), "application/x-amz-json-1.1");
    assert_eq!(header(&put, "x-amzn-requestid").len(), 36);
    assert!(header(&put, "date").ends_with(" GMT"));

    let again = send(&sandbox, ssm("PutParameter"), body).await;
    let expected =
        json!({"__type": "ParameterAlreadyExists", "message": "The parameter already exists."});
    assert_eq!((again.status().as_u16(), json_of(&again)), (400, expected));

    let get = send(&sandbox, ssm("GetParameter"), r#"{"Name":"/a"}"#).await;
    assert!(json_of(&get)["Parameter"]["LastModifiedDate"].is_number());
}

#[tokio::test]
async fn json_of_the_reference() {
    let sandbox = sandbox(unhurried());
    let contacts = |operation: &str| {
        signed("ssm-contacts").header("x-amz-target", format!("SSMContacts.{operation}"))
    };
    let arn = "arn:aws:ssm-contacts:eu-west-1:111122223333:rotation/0b1c";
    let get = send(
        &sandbox,
        contacts("GetRotation"),
        json!({"RotationId": arn}).to_string(),
    )
    .await;
    let expected = format!(
        r#"{{"RotationArn":"{arn}","Name":"primary","ContactIds":["arn:a","arn:b"],"StartTime":1767225600,"TimeZoneId":"Europe/Dublin","Recurrence":{{"WeeklySettings":[{{"DayOfWeek":"MON","HandOffTime":{{"HourOfDay":9,"MinuteOfHour":0}}}}],"NumberOfOnCalls":1,"RecurrenceMultiplier":1}}}}"#
    );
    assert_eq!(text(&get), expected);

    let list = send(&sandbox, contacts("ListContacts"), "{}").await;
    assert_eq!(list.status(), 400);
    assert_eq!(
        text(&list),
        r#"{"__type":"ValidationException","Message":"Invalid value provided - Account not found for the request"}"#
    );
    let invalid = send(&sandbox, contacts("GetContact"), "{}").await;
    assert_eq!(json_of(&invalid)["Reason"], "FIELD_VALIDATION_FAILED");
    assert_eq!(json_of(&invalid)["Fields"][0]["Name"], "contactId");
}

#[tokio::test]
async fn targets_match_by_their_end() {
    let sandbox = sandbox(unhurried());
    let long = signed("ssm").header("x-amz-target", "com.amazonaws.ssm.AmazonSSM.GetParameter");
    assert_eq!(
        json_of(&send(&sandbox, long, r#"{"Name":"/a"}"#).await)["__type"],
        "ParameterNotFound"
    );
    let other = signed("ssm").header("x-amz-target", "NotAmazonSSM.GetParameter");
    assert_eq!(
        json_of(&send(&sandbox, other, "{}").await)["__type"],
        "UnknownOperationException"
    );
}

#[tokio::test]
async fn wrong_types_do_not_deserialize() {
    let sandbox = sandbox(unhurried());
    for body in [
        r#"{"Name":1}"#,
        r#"{"Name":["a"]}"#,
        r#"{"Name":{"a":1}}"#,
        r#"{"Name":"/a","WithDecryption":"true"}"#,
        "[]",
        "{",
        "\u{0}",
        "nul",
        "\"x\"",
    ] {
        let answer = send(&sandbox, ssm("GetParameter"), body).await;
        assert_eq!(answer.status(), 400, "{body}");
        assert_eq!(
            json_of(&answer)["__type"],
            "SerializationException",
            "{body}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let sandbox = sandbox(unhurried());
    for operation in ["GetDocument", "SendCommand"] {
        let answer = send(&sandbox, ssm(operation), r#"{"Name":"AWS-RunShellScript"}"#).await;
        assert_eq!(answer.status(), 400);
        assert_eq!(json_of(&answer)["__type"], "UnknownOperationException");
        assert!(
            text(&answer).contains("The sandbox does not have the operation"),
            "{}",
            text(&answer)
        );
    }
    let rest = send(&sandbox, signed("ssm-incidents").uri("/nothing"), "").await;
    assert_eq!(
        (rest.status().as_u16(), header(&rest, "x-amzn-errortype")),
        (404, "UnknownOperationException")
    );
    let query = send(
        &sandbox,
        form("sts"),
        "Action=GetSessionToken&Version=2011-06-15",
    )
    .await;
    assert_eq!(query.status(), 400);
    assert!(
        text(&query).contains("<Code>InvalidAction</Code>"),
        "{}",
        text(&query)
    );
    let cbor = send(&sandbox, cbor("PutMetricData"), "").await;
    assert_eq!(
        (cbor.status().as_u16(), cbor_of(&cbor)["__type"].as_str()),
        (404, Some("UnknownOperationException"))
    );
}

#[tokio::test]
async fn unsigned_requests_are_refused() {
    let sandbox = sandbox(unhurried());
    let unsigned = Request::builder()
        .method("POST")
        .header("x-amz-target", "AmazonSSM.GetParameter");
    let answer = send(&sandbox, unsigned, r#"{"Name":"/a"}"#).await;
    assert_eq!(
        (answer.status().as_u16(), &json_of(&answer)["__type"]),
        (403, &json!("MissingAuthenticationTokenException"))
    );
    let unsigned = Request::builder()
        .method("POST")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = send(
        &sandbox,
        unsigned,
        "Action=GetCallerIdentity&Version=2011-06-15",
    )
    .await;
    assert_eq!(answer.status(), 403);
    assert!(text(&answer).contains("<Code>MissingAuthenticationToken</Code>"));
}

#[tokio::test]
async fn rest_json() {
    let sandbox = sandbox(unhurried());
    let rest = |method: &str, uri: &str| signed("ssm-incidents").method(method).uri(uri);
    let set = r#"{"regions":{"eu-west-1":{}},"clientToken":"x"}"#;
    let created = send(&sandbox, rest("POST", "/createReplicationSet"), set).await;
    let expected = json!({"arn": "arn:aws:ssm-incidents::222233334444:replication-set/x"});
    assert_eq!(
        (created.status().as_u16(), json_of(&created)),
        (201, expected)
    );
    assert_eq!(header(&created, "content-type"), "application/json");

    let plan = r#"{"arn":"arn:aws:ssm-incidents::222233334444:response-plan/p","engagements":[],"chatChannel":{"empty":{}},"incidentTemplateSummary":""}"#;
    let updated = send(&sandbox, rest("POST", "/updateResponsePlan"), plan).await;
    assert_eq!((updated.status().as_u16(), text(&updated)), (204, ""));

    let get = rest(
        "GET",
        "/getReplicationSet?arn=arn%3Aaws%3Assm-incidents%3A%3A222233334444%3Areplication-set%2Fy",
    );
    let missing = send(&sandbox, get, "").await;
    assert_eq!(
        (
            missing.status().as_u16(),
            header(&missing, "x-amzn-errortype")
        ),
        (404, "ResourceNotFoundException")
    );
    assert_eq!(
        json_of(&missing)["message"],
        "no arn:aws:ssm-incidents::222233334444:replication-set/y"
    );

    let tags = "/tags/arn%3Aaws%3Assm-incidents%3A%3A222233334444%3Aresponse-plan%2Fp";
    let untagged = send(
        &sandbox,
        rest("DELETE", &format!("{tags}?tagKeys=a%20b&tagKeys=c")),
        "",
    )
    .await;
    assert_eq!(untagged.status(), 204);
    let listed = send(&sandbox, rest("GET", tags), "").await;
    assert_eq!(json_of(&listed), json!({"tags": {"keys": "a b+c"}}));

    let conflict = send(&sandbox, rest("POST", "/listIncidentRecords"), "{}").await;
    assert_eq!(
        (
            conflict.status().as_u16(),
            header(&conflict, "x-amzn-errortype")
        ),
        (409, "ConflictException")
    );
    assert_eq!(json_of(&conflict)["retryAfter"], json!(1_767_225_600.5));
    let missing = send(&sandbox, rest("GET", "/getReplicationSet"), "").await;
    assert_eq!(
        (
            missing.status().as_u16(),
            header(&missing, "x-amzn-errortype")
        ),
        (400, "ValidationException")
    );
}

#[tokio::test]
async fn cloudwatch_in_three_protocols() {
    let sandbox = sandbox(unhurried());
    let put = send(
        &sandbox,
        cbor("PutDashboard"),
        cbor_body(&json!({"DashboardName": "a", "DashboardBody": "{\"é\":1}"})),
    )
    .await;
    assert_eq!(
        (put.status().as_u16(), cbor_of(&put)),
        (200, json!({"DashboardValidationMessages": []}))
    );
    assert_eq!(header(&put, "smithy-protocol"), "rpc-v2-cbor");
    assert_eq!(header(&put, "content-type"), "application/cbor");

    let json_1_0 = signed("monitoring")
        .header("x-amz-target", "GraniteServiceVersion20100801.GetDashboard")
        .header("content-type", "application/x-amz-json-1.0");
    let get = send(&sandbox, json_1_0, r#"{"DashboardName":"a"}"#).await;
    assert_eq!(
        json_of(&get),
        json!({"DashboardName": "a", "DashboardBody": "{\"é\":1}"})
    );
    assert_eq!(header(&get, "content-type"), "application/x-amz-json-1.0");

    let list = send(
        &sandbox,
        form("monitoring"),
        "Action=ListDashboards&Version=2010-08-01",
    )
    .await;
    let xml = text(&list);
    assert!(xml.starts_with("<ListDashboardsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><ListDashboardsResult><DashboardEntries><member><DashboardName>a</DashboardName>"), "{xml}");
    assert!(
        xml.contains("<LastModified>2026-01-01T00:00:00.25Z</LastModified><Size>8</Size>"),
        "{xml}"
    );
    assert!(
        xml.contains("</ListDashboardsResult><ResponseMetadata><RequestId>"),
        "{xml}"
    );
    assert_eq!(header(&list, "content-type"), "text/xml");

    let delete = "Action=DeleteDashboards&Version=2010-08-01&DashboardNames.member.1=a&DashboardNames.member.2=b";
    let deleted = send(&sandbox, form("monitoring"), delete).await;
    assert!(
        text(&deleted).contains("<DeleteDashboardsResult></DeleteDashboardsResult>"),
        "{}",
        text(&deleted)
    );
    let gone = send(
        &sandbox,
        cbor("GetDashboard"),
        cbor_body(&json!({"DashboardName": "a"})),
    )
    .await;
    assert_eq!(
        header(&gone, "x-amzn-query-error"),
        "ResourceNotFound;Sender"
    );
    assert_eq!(
        (gone.status().as_u16(), cbor_of(&gone)),
        (
            404,
            json!({"__type": "DashboardNotFoundError", "message": "Dashboard a does not exist"})
        )
    );
}

#[tokio::test]
async fn errors_of_query_carry_their_members() {
    let sandbox = sandbox(unhurried());
    let body = "Action=PutDashboard&Version=2010-08-01&DashboardName=a&DashboardBody=%7B";
    let bad = send(&sandbox, form("monitoring"), body).await;
    let xml = text(&bad);
    assert_eq!(bad.status(), 400);
    assert!(
        xml.contains(
            "<Error><Type>Sender</Type><Code>InvalidParameterInput</Code><Message>The field"
        ),
        "{xml}"
    );
    assert!(xml.contains("<dashboardValidationMessages><member><DataPath>/</DataPath><Message>not &lt;JSON&gt;</Message>"), "{xml}");
    let long = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=x&RoleArn={}",
        "a".repeat(20)
    );
    let short = send(&sandbox, form("sts"), long).await;
    assert!(text(&short).contains("<Code>ValidationError</Code><Message>1 validation error detected: Value 'x' at 'roleSessionName' failed"), "{}", text(&short));
}

#[tokio::test]
async fn assumed_roles_are_who_they_are() {
    let sandbox = sandbox(unhurried());
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    let me = send(&sandbox, form("sts"), who).await;
    assert!(
        text(&me).contains("<Arn>arn:aws:iam::222233334444:user/sandbox</Arn>"),
        "{}",
        text(&me)
    );
    let role = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn=arn%3Aaws%3Aiam%3A%3A333344445555%3Arole%2Fr";
    let assumed = send(&sandbox, form("sts"), role).await;
    assert!(
        text(&assumed).contains("<AccessKeyId>ASIA333344445555ABCD</AccessKeyId>"),
        "{}",
        text(&assumed)
    );
    let request = Request::builder().uri(format!("/?{who}")).header(
        "authorization",
        authorization("ASIA333344445555ABCD", "sts"),
    );
    let it = send(&sandbox, request, "").await;
    assert!(
        text(&it).contains("<Arn>arn:aws:sts::333344445555:assumed-role/r/me</Arn>"),
        "{}",
        text(&it)
    );
}

#[tokio::test]
async fn the_request_decides_not_the_scope() {
    let sandbox = sandbox(unhurried());
    let request = signed("execute-api").header("x-amz-target", "AmazonSSM.GetParameter");
    assert_eq!(
        json_of(&send(&sandbox, request, r#"{"Name":"/a"}"#).await)["__type"],
        "ParameterNotFound"
    );
}

#[tokio::test]
async fn a_failing_operation_is_an_internal_error() {
    let sandbox = sandbox(unhurried());
    let answer = send(&sandbox, ssm("DeleteParameter"), r#"{"Name":"/a"}"#).await;
    assert_eq!(
        (answer.status().as_u16(), &json_of(&answer)["__type"]),
        (500, &json!("InternalFailure"))
    );
    assert_eq!(
        send(&sandbox, ssm("GetParameter"), r#"{"Name":"/a"}"#)
            .await
            .status(),
        400
    );
}

#[tokio::test]
async fn documented_rates_hold() {
    let sandbox = sandbox(Options::default());
    for _ in 0..3 {
        send(
            &sandbox,
            ssm("PutParameter"),
            r#"{"Name":"/a","Value":"1","Type":"String"}"#,
        )
        .await;
    }
    let fourth = send(&sandbox, ssm("PutParameter"), "{}").await;
    let expected = json!({"__type": "ThrottlingException", "Message": "Rate exceeded"});
    assert_eq!(
        (fourth.status().as_u16(), json_of(&fourth)),
        (400, expected)
    );
}

#[tokio::test]
async fn faults_strike() {
    let rules = "
- { match: { operation: GetParameter }, when: { calls: [1] }, then: throttle }
- { match: { operation: GetParameter }, when: { calls: [2] }, then: deny }
- { match: { operation: GetParameter }, when: { calls: [3] }, then: { error: { code: InternalServerError, message: oh } } }
- { match: { operation: GetParameter }, when: { calls: [4] }, then: { error: { code: Odd, status: 503 } } }
- { match: { operation: PutParameter }, when: { first: 1 }, then: timeoutBefore }
- { match: { operation: PutParameter }, when: { calls: [2] }, then: disconnectAfter }
- { match: { service: ssm-incidents }, then: throttle }
- { match: { service: cloudwatch }, then: throttle }
";
    let sandbox = sandbox(Options {
        faults: Some(Faults::parse(rules).unwrap()),
        latency: Duration::from_millis(1),
        ..unhurried()
    });
    let get = async || {
        let answer = send(&sandbox, ssm("GetParameter"), r#"{"Name":"/a"}"#).await;
        (
            answer.status().as_u16(),
            json_of(&answer)["__type"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(get().await, (400, "ThrottlingException".to_owned()));
    assert_eq!(get().await, (400, "AccessDeniedException".to_owned()));
    assert_eq!(get().await, (500, "InternalServerError".to_owned()));
    assert_eq!(get().await, (503, "Odd".to_owned()));
    let put = async || {
        let body = r#"{"Name":"/a","Value":"1","Type":"String"}"#;
        sandbox
            .exchange(ssm("PutParameter").body(body.into()).unwrap())
            .await
    };
    assert_eq!(put().await.unwrap_err(), Lost::TimedOut);
    assert_eq!(get().await, (400, "ParameterNotFound".to_owned()));
    assert_eq!(put().await.unwrap_err(), Lost::Disconnected);
    assert_eq!(
        put().await.unwrap().status(),
        400,
        "the second one took effect"
    );
    let limited = send(
        &sandbox,
        signed("ssm-incidents").uri("/listIncidentRecords"),
        "{}",
    )
    .await;
    assert_eq!(
        (
            limited.status().as_u16(),
            header(&limited, "x-amzn-errortype")
        ),
        (429, "ThrottlingException")
    );
    let limited = send(&sandbox, cbor("ListDashboards"), "").await;
    assert_eq!(
        (
            limited.status().as_u16(),
            header(&limited, "x-amzn-query-error")
        ),
        (400, "Throttling;Sender")
    );
}

#[tokio::test]
async fn reads_may_lag_behind_a_write() {
    let rules =
        "[{ match: { operation: PutParameter }, when: { first: 1 }, then: { staleReads: 2 } }]";
    let sandbox = sandbox(Options {
        faults: Some(Faults::parse(rules).unwrap()),
        ..unhurried()
    });
    let put = async |name: &str| {
        let body = json!({"Name": name, "Value": "1", "Type": "String"}).to_string();
        send(&sandbox, ssm("PutParameter"), body).await.status()
    };
    let get = async |key: &str| {
        let request = ssm("GetParameter").header("authorization", authorization(key, "ssm"));
        send(&sandbox, request, r#"{"Name":"/a"}"#)
            .await
            .status()
            .as_u16()
    };
    assert_eq!(put("/a").await, 200);
    assert_eq!(get("222233334444").await, 400);
    assert_eq!(put("/a").await, 400, "a write sees it");
    assert_eq!(get("222233334444").await, 400);
    assert_eq!(get("222233334444").await, 200);
    assert_eq!(put("/b").await, 200);
    assert_eq!(get("222233334444").await, 200);
}

#[tokio::test]
async fn writes_are_kept_and_ids_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let record = directory.path().join("calls.jsonl");
    let options = || Options {
        state: Some(directory.path().join("state")),
        record: Some(record.clone()),
        ..unhurried()
    };
    let first = sandbox(options());
    let put = send(
        &first,
        ssm("PutParameter"),
        r#"{"Name":"/a","Value":"1","Type":"String"}"#,
    )
    .await;
    drop(first);
    let second = sandbox(options());
    let get = send(&second, ssm("GetParameter"), r#"{"Name":"/a"}"#).await;
    assert_eq!(json_of(&get)["Parameter"]["Value"], "1");
    assert_ne!(
        header(&put, "x-amzn-requestid"),
        header(&get, "x-amzn-requestid")
    );
    let lines = std::fs::read_to_string(record).unwrap();
    assert_eq!(
        lines.lines().next().unwrap(),
        r#"{"service":"ssm","operation":"PutParameter","account":"222233334444","region":"eu-west-1","protocol":"awsJson1_1","status":200,"code":null,"access":"write"}"#
    );
    assert_eq!(lines.lines().count(), 2);
}

#[tokio::test]
async fn no_bytes_make_it_panic() {
    use rand::{RngExt, SeedableRng};
    let sandbox = sandbox(unhurried());
    let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
    let seeds: [&[u8]; 5] = [
        br#"{"Name":"/a","Tags":[{"Key":"k","Value":"v"}],"Type":"String","Value":"x"}"#,
        b"Action=AssumeRole&Version=2011-06-15&Tags.member.1.Key=a&Tags.member.1.Value=b&RoleArn=%F0%9F",
        b"\xa2\x6dDashboardName\x61a\x6dDashboardBody\x62{}",
        b"\x9f\xbf\x5f\x7f\xff",
        &[0xff; 40],
    ];
    for round in 0..400 {
        let mut body = seeds[round % seeds.len()].to_vec();
        for _ in 0..rng.random_range(0..6) {
            let at = rng.random_range(0..body.len());
            body[at] = rng.random();
        }
        for request in [
            ssm("PutParameter"),
            ssm("AddTagsToResource"),
            cbor("PutDashboard"),
            form("sts"),
        ] {
            assert!(
                !send(&sandbox, request, body.clone())
                    .await
                    .status()
                    .is_informational()
            );
        }
        let rest = signed("ssm-incidents").uri("/createReplicationSet");
        assert!(!send(&sandbox, rest, body).await.status().is_informational());
    }
    let deep = format!("Action=AssumeRole&{}=1", "a.".repeat(200_000));
    assert_eq!(send(&sandbox, form("sts"), deep).await.status(), 400);
    let deep = "[".repeat(200_000);
    assert_eq!(
        send(&sandbox, ssm("PutParameter"), deep.clone())
            .await
            .status(),
        400
    );
    assert_eq!(
        send(&sandbox, cbor("PutDashboard"), vec![0x81; 200_000])
            .await
            .status(),
        400
    );
}
