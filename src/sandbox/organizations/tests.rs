//! The tree as clients read it, who may, and which roles let whom in.

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use super::super::sts;
use super::*;

const FILE: &str = r#"
id: o-bananastand
managementAccount: "111122223333"
delegatedAdministrators: ["222233334444"]
root:
  id: r-ab12
  accounts: [{ id: "111122223333" }]
  units:
    - id: ou-ab12-11111111
      name: Production
      accounts:
        - id: "444455556666"
          name: Checkout
          enabledRegions: [eu-south-1]
          roles:
            - { name: stationbill, path: /ops/, externalId: banana }
            - { name: nested, trusts: ["arn:aws:iam::222233334444:role/hub"], maxSessionSeconds: 900 }
      units:
        - id: ou-ab12-22222222
          accounts: [{ id: "555566667777", state: CLOSED, roles: [{ name: stationbill }] }]
    - id: ou-ab12-33333333
      accounts: [{ id: "222233334444" }]
"#;

fn state() -> State {
    let mut state = State::default();
    state.settings.organization = Some(Organization::parse(FILE).unwrap());
    state
}

fn call_as(state: &mut State, caller: &str, name: &str, input: &Value) -> Answer {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut call = Call {
        account: caller.split(':').nth(4).unwrap(),
        region: "us-east-1",
        caller,
        input: input.as_object().unwrap(),
        now: Timestamp::from_second(1_767_225_600).unwrap(),
        rng: &mut rng,
    };
    let mut all = OPERATIONS.iter().chain(sts::OPERATIONS).copied().flatten();
    (all.find(|o| o.name == name).unwrap().run)(state, &mut call)
}

fn user(account: &str) -> String {
    format!("arn:aws:iam::{account}:user/sandbox")
}

fn ask(name: &str, input: &Value) -> Answer {
    call_as(&mut state(), &user("111122223333"), name, input)
}

#[test]
fn accounts_and_units_are_listed_where_they_are() {
    let accounts = ask(
        "ListAccountsForParent",
        &json!({ "ParentId": "ou-ab12-11111111" }),
    )
    .unwrap();
    assert_eq!(
        Value::from(accounts),
        json!({ "Accounts": [{
            "Id": "444455556666",
            "Arn": "arn:aws:organizations::111122223333:account/o-bananastand/444455556666",
            "Email": "aws+444455556666@example.com",
            "Name": "Checkout",
            "Status": "ACTIVE",
            "State": "ACTIVE",
            "Paths": ["o-bananastand/r-ab12/ou-ab12-11111111/444455556666/"],
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": 1_577_836_800,
        }] })
    );
    let units = ask(
        "ListOrganizationalUnitsForParent",
        &json!({ "ParentId": "r-ab12" }),
    )
    .unwrap();
    assert_eq!(units["OrganizationalUnits"][0]["Name"], "Production");
    assert_eq!(
        units["OrganizationalUnits"][1]["Path"],
        "o-bananastand/r-ab12/ou-ab12-33333333/"
    );
    let closed = ask("DescribeAccount", &json!({ "AccountId": "555566667777" })).unwrap();
    assert_eq!(closed["Account"]["State"], "CLOSED");
    assert_eq!(closed["Account"]["Status"], "SUSPENDED");
    let parents = ask("ListParents", &json!({ "ChildId": "ou-ab12-22222222" })).unwrap();
    let unit = json!([{ "Id": "ou-ab12-11111111", "Type": "ORGANIZATIONAL_UNIT" }]);
    assert_eq!(parents["Parents"], unit);
    let parents = ask("ListParents", &json!({ "ChildId": "111122223333" })).unwrap();
    assert_eq!(
        parents["Parents"],
        json!([{ "Id": "r-ab12", "Type": "ROOT" }])
    );
    let children = json!({ "ParentId": "ou-ab12-11111111", "ChildType": "ORGANIZATIONAL_UNIT" });
    let children = ask("ListChildren", &children).unwrap();
    assert_eq!(children["Children"][0]["Id"], "ou-ab12-22222222");
}

#[test]
fn pages_go_on_until_everything_was_shown() {
    let mut seen = Vec::new();
    let mut input = json!({ "MaxResults": 1 });
    loop {
        let page = ask("ListAccounts", &input).unwrap();
        seen.push(page["Accounts"][0]["Id"].as_str().unwrap().to_owned());
        let Some(token) = page.get("NextToken") else {
            break;
        };
        input["NextToken"] = token.clone();
    }
    assert_eq!(
        seen,
        [
            "111122223333",
            "222233334444",
            "444455556666",
            "555566667777"
        ]
    );
    let fault = ask("ListAccounts", &json!({ "NextToken": "x" })).unwrap_err();
    assert_eq!(
        (fault.code.as_str(), &fault.members["Reason"]),
        ("InvalidInputException", &json!("INVALID_NEXT_TOKEN"))
    );
}

#[test]
fn members_only_see_that_there_is_an_organization() {
    let mut state = state();
    let mut code = |account: &str, name: &str| {
        let answer = call_as(&mut state, &user(account), name, &json!({}));
        answer.map_or_else(|fault| fault.code, |_| "ok".to_owned())
    };
    assert_eq!(code("444455556666", "DescribeOrganization"), "ok");
    assert_eq!(code("444455556666", "ListRoots"), "AccessDeniedException");
    assert_eq!(code("222233334444", "ListRoots"), "ok");
    assert_eq!(
        code("999988887777", "DescribeOrganization"),
        "AWSOrganizationsNotInUseException"
    );
}

#[test]
fn whatever_is_wrong_with_a_role_has_one_answer() {
    let mut state = state();
    let mut assume = |caller: &str, arn: &str, more: Value| {
        let mut input = json!({ "RoleArn": arn, "RoleSessionName": "banana" });
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = call_as(&mut state, caller, "AssumeRole", &input);
        answer.map_or_else(
            |fault| format!("{}: {}", fault.code, fault.message),
            |_| "ok".to_owned(),
        )
    };
    let (hub, id) = (user("111122223333"), json!({ "ExternalId": "banana" }));
    let role = "arn:aws:iam::444455556666:role/ops/stationbill";
    assert_eq!(assume(&hub, role, id.clone()), "ok");
    let denied = |arn: &str| {
        format!(
            "AccessDenied: User: {hub} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        )
    };
    assert_eq!(
        assume(&hub, role, json!({ "ExternalId": "apple" })),
        denied(role)
    );
    assert_eq!(assume(&hub, role, json!({})), denied(role));
    for arn in [
        "arn:aws:iam::444455556666:role/stationbill",
        "arn:aws:iam::444455556666:role/missing",
        "arn:aws:iam::444455556666:role/nested",
        "arn:aws:iam::555566667777:role/stationbill",
        "arn:aws:iam::999988887777:role/ops/stationbill",
    ] {
        assert_eq!(assume(&hub, arn, id.clone()), denied(arn));
    }
    let nested = "arn:aws:iam::444455556666:role/nested";
    let session = "arn:aws:sts::222233334444:assumed-role/hub/ci";
    assert_eq!(
        assume(session, nested, json!({ "DurationSeconds": 900 })),
        "ok"
    );
    let long = assume(session, nested, json!({ "DurationSeconds": 1800 }));
    assert!(long.starts_with("ValidationError"), "{long}");
    assert!(assume(&user("222233334444"), nested, json!({})).starts_with("AccessDenied"));
}

#[test]
fn regions_are_switched_on_account_by_account() {
    let organization = Organization::parse(FILE).unwrap();
    assert!(organization.has_region("444455556666", "eu-south-1"));
    assert!(!organization.has_region("222233334444", "eu-south-1"));
    assert!(organization.has_region("222233334444", "eu-west-1"));
    assert!(organization.has_region("999988887777", "eu-south-1"));
}

#[test]
fn a_file_that_describes_no_organization_is_refused() {
    for (what, with) in [
        ("state: CLOSED", "state: GONE"),
        ("id: \"555566667777\"", "id: \"444455556666\""),
        (
            "managementAccount: \"111122223333\"",
            "managementAccount: \"123412341234\"",
        ),
        ("externalId", "externalID"),
        ("r-ab12", "ab12"),
    ] {
        assert!(
            Organization::parse(&FILE.replace(what, with)).is_err(),
            "{with}"
        );
    }
}
