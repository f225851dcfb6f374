//! What no table of today uses, but the protocols have: flattened lists, maps, blobs, headers, payloads.

use serde_json::json;

use super::*;
use crate::sandbox::models::made_up;

const TABLE: &str = r#"{
"metadata":{"apiVersion":"2020-01-01","endpointPrefix":"made-up","protocol":"query","xmlNamespace":"urn:made-up"},
"operations":{
  "Try":{"http":{"method":"POST","requestUri":"/try/{Id}?fixed=1","responseCode":202},"input":"Thing","output":"Thing","errors":[]},
  "Pay":{"http":{"method":"POST","requestUri":"/pay"},"input":"Paid","output":"Paid","errors":[]},
  "Say":{"http":{"method":"POST","requestUri":"/say"},"errors":[]}
},
"shapes":{
  "Thing":{"type":"structure","members":{
    "Id":{"shape":"Text","location":"uri","locationName":"Id"},
    "Token":{"shape":"Text","location":"header","locationName":"x-token"},
    "When":{"shape":"Moment","location":"header","locationName":"x-when"},
    "Since":{"shape":"Moment","location":"querystring","locationName":"since"},
    "Kinds":{"shape":"Texts","location":"querystring","locationName":"kind"},
    "Others":{"shape":"Labels","location":"querystring"},
    "Meta":{"shape":"Labels","location":"headers","locationName":"x-meta-"},
    "Flag":{"shape":"Flag"},"Count":{"shape":"Count"},"Ratio":{"shape":"Ratio"},"Blob":{"shape":"Blob"},
    "At":{"shape":"Moment"},"AtText":{"shape":"Moment","timestampFormat":"iso8601"},
    "Texts":{"shape":"Texts"},"Flat":{"shape":"FlatTexts"},"Renamed":{"shape":"Text","locationName":"renamed"},
    "Labels":{"shape":"Labels"},"FlatLabels":{"shape":"FlatLabels"},"Inner":{"shape":"Thing"}}},
  "Plain":{"type":"structure","members":{
    "Flag":{"shape":"Flag"},"Count":{"shape":"Count"},"Ratio":{"shape":"Ratio"},"Blob":{"shape":"Blob"},
    "At":{"shape":"Moment"},"Texts":{"shape":"Texts"},"Flat":{"shape":"FlatTexts"},
    "Renamed":{"shape":"Text","locationName":"renamed"},"Labels":{"shape":"Labels"},"FlatLabels":{"shape":"FlatLabels"},
    "Inner":{"shape":"Plain"}}},
  "Paid":{"type":"structure","payload":"Body","members":{"Body":{"shape":"Blob"}}},
  "Text":{"type":"string"},"Flag":{"type":"boolean"},"Count":{"type":"integer"},"Ratio":{"type":"double"},
  "Blob":{"type":"blob"},"Moment":{"type":"timestamp"},
  "Texts":{"type":"list","member":{"shape":"Text"}},
  "FlatTexts":{"type":"list","member":{"shape":"Text","locationName":"Item"},"flattened":true},
  "Labels":{"type":"map","key":{"shape":"Text"},"value":{"shape":"Text"}},
  "FlatLabels":{"type":"map","key":{"shape":"Text","locationName":"Name"},"value":{"shape":"Count"},"flattened":true}
}}"#;

fn everything() -> Map {
    let value = json!({
        "Flag": true, "Count": -3, "Ratio": 0.5, "Blob": "AAEC", "At": 1_767_225_600, "Texts": ["a", "<b> & \r\n"],
        "Flat": ["c", "d"], "Renamed": "r", "Labels": {"k": "v", "l": ""}, "FlatLabels": {"n": 1},
        "Inner": {"Flag": false, "Texts": []}
    });
    serde_json::from_value(value).unwrap()
}

fn plain(service: &Service) -> &Shape {
    service.shape("Plain")
}

fn route_to(name: &str, protocol: Protocol) -> Route {
    let service = made_up(TABLE);
    super::found(protocol, Some(service), name, Vec::new()).unwrap()
}

#[test]
fn json_and_cbor_go_round() {
    let service = made_up(TABLE);
    let written = json::write_structure(service, plain(service), &everything()).unwrap();
    assert_eq!(written["renamed"], "r");
    let read = json::read_structure(service, plain(service), &Value::Object(written)).unwrap();
    assert_eq!(read, everything());
    let written: Bytes = cbor::write(service, plain(service), &everything())
        .unwrap()
        .into();
    assert_eq!(
        cbor::read(service, plain(service), &written).unwrap(),
        everything()
    );
}

#[test]
fn query_reads_every_kind() {
    let service = made_up(TABLE);
    let body = "Flag=true&Count=-3&Ratio=0.5&Blob=AAEC&At=2026-01-01T00%3A00%3A00Z&Texts.member.1=a\
                &Texts.member.10=%3Cb%3E+%26+%0D%0A&Item.1=c&Item.2=d&renamed=r&Labels.entry.1.key=k\
                &Labels.entry.1.value=v&Labels.entry.2.key=l&Labels.entry.2.value=&FlatLabels.1.Name=n\
                &FlatLabels.1.value=1&Inner.Flag=false&Inner.Texts=&Unheard.of=1";
    assert_eq!(
        query::read(service, plain(service), &form::pairs(body)).unwrap(),
        everything()
    );
    for bad in [
        "Flag=yes",
        "Count=1.5",
        "Count=",
        "At=yesterday",
        "Ratio=NaN",
        "Inner.Count=x",
    ] {
        assert!(
            query::read(service, plain(service), &form::pairs(bad)).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn xml_writes_every_kind() {
    let service = made_up(TABLE);
    let mut document = xml::Document::new();
    xml::structure(&mut document, service, plain(service), &everything()).unwrap();
    let written = String::from_utf8(document.finish()).unwrap();
    assert_eq!(
        written,
        "<Flag>true</Flag><Count>-3</Count><Ratio>0.5</Ratio><Blob>AAEC</Blob><At>2026-01-01T00:00:00Z</At>\
         <Texts><member>a</member><member>&lt;b&gt; &amp; &#13;\n</member></Texts><Item>c</Item><Item>d</Item>\
         <renamed>r</renamed><Labels><entry><key>k</key><value>v</value></entry><entry><key>l</key><value></value>\
         </entry></Labels><FlatLabels><Name>n</Name><value>1</value></FlatLabels>\
         <Inner><Flag>false</Flag><Texts></Texts></Inner>"
    );
}

#[test]
fn rest_spreads_the_input() {
    let mut route = route_to("Try", Protocol::Rest);
    route.pairs = vec![("Id".to_owned(), "i/d".to_owned())];
    let request = http::Request::builder()
        .uri("/try/i%2Fd?fixed=1&kind=a&kind=b%20c&since=2026-01-01T00:00:00Z")
        .header("x-token", "t")
        .header("x-when", "Thu, 01 Jan 2026 00:00:00 GMT")
        .header("x-meta-a", "1")
        .body(())
        .unwrap();
    let body = Bytes::from(r#"{"Count":2,"Id":"not from here","AtText":"2026-01-01T00:00:00Z"}"#);
    let input = decode(&route, &request.into_parts().0, &body).unwrap();
    let expected = json!({
        "Id": "i/d", "Token": "t", "When": 1_767_225_600, "Since": 1_767_225_600, "Kinds": ["a", "b c"],
        "Others": {"fixed": "1"}, "Meta": {"a": "1"}, "Count": 2, "AtText": 1_767_225_600
    });
    assert_eq!(Value::Object(input), expected);
}

#[test]
fn rest_spreads_the_answer() {
    let route = route_to("Try", Protocol::Rest);
    let output = json!({"Token": "t", "When": 1_767_225_600, "Count": 2, "AtText": 1_767_225_600});
    let answer = encode(&route, output.as_object().unwrap(), "id").unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.headers()["x-token"], "t");
    assert_eq!(answer.headers()["x-when"], "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_eq!(
        answer.body(),
        r#"{"Count":2,"AtText":"2026-01-01T00:00:00Z"}"#
    );

    let nothing = encode(&route_to("Say", Protocol::Rest), &Map::new(), "id").unwrap();
    assert_eq!((nothing.status().as_u16(), nothing.body().len()), (200, 0));
}

#[test]
fn rest_payloads_are_the_body() {
    let route = route_to("Pay", Protocol::Rest);
    let parts = http::Request::new(()).into_parts().0;
    let input = decode(&route, &parts, &Bytes::from_static(&[0, 1, 2])).unwrap();
    assert_eq!(Value::Object(input.clone()), json!({"Body": "AAEC"}));
    assert_eq!(
        encode(&route, &input, "id").unwrap().body().as_ref(),
        [0, 1, 2]
    );
}

#[test]
fn operations_without_output_answer_nothing() {
    let answer = |protocol| encode(&route_to("Say", protocol), &Map::new(), "id").unwrap();
    assert_eq!(answer(Protocol::Json("1.1")).body(), "{}");
    assert_eq!(answer(Protocol::Cbor).body(), "");
    assert_eq!(
        answer(Protocol::Cbor).headers()["smithy-protocol"],
        "rpc-v2-cbor"
    );
    assert_eq!(
        answer(Protocol::Query).body(),
        "<SayResponse xmlns=\"urn:made-up\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></SayResponse>"
    );
}

#[test]
fn an_answer_that_the_model_does_not_know_is_a_mistake() {
    let service = made_up(TABLE);
    for (members, why) in [
        (json!({"Cuont": 1}), "Cuont: the model has no such member"),
        (
            json!({"Inner": {"Count": "1"}}),
            "Inner.Count: \"1\" is not of the type Integer",
        ),
        (
            json!({"Count": 1.5}),
            "Count: 1.5 is not of the type Integer",
        ),
    ] {
        let members = members.as_object().unwrap();
        let shape = plain(service);
        assert_eq!(
            json::write_structure(service, shape, members)
                .unwrap_err()
                .to_string(),
            why
        );
        assert_eq!(
            cbor::write(service, shape, members)
                .unwrap_err()
                .to_string(),
            why
        );
        let mut document = xml::Document::new();
        assert_eq!(
            xml::structure(&mut document, service, shape, members)
                .unwrap_err()
                .to_string(),
            why
        );
    }
}
