//! Units of an organization: nested, excluded, not active; roles, external ids and regions as each account has them.

use serde_json::{Value, json};
use stationbill::engine::Ending;
use stationbill::engine::fleet::Selection;
use stationbill::engine::policy::{Need, Purpose};
use stationbill::model::Location;
use stationbill::model::plan::Wish;
use stationbill::sandbox::iam::Policy;
use stationbill::sandbox::{Faults, Organization, Settings};

use super::company::Company;

/// Three units and five accounts beside the management account.
const ORGANIZATION: &str = r#"
id: o-bananastand
managementAccount: "111122223333"
root:
  id: r-ab12
  accounts: [{ id: "111122223333" }]
  units:
    - id: ou-ab12-11111111
      name: Production
      accounts:
        - { id: "222233334444", enabledRegions: [eu-south-1], roles: [{ name: ops, externalId: banana }] }
        - { id: "333344445555", roles: [{ name: ops, externalId: banana }] }
        - { id: "999988887777", state: SUSPENDED, roles: [{ name: ops, externalId: banana }] }
      units:
        - id: ou-ab12-22222222
          name: Payments
          accounts: [{ id: "444455556666", roles: [{ name: ops, externalId: apple }] }]
    - id: ou-ab12-33333333
      name: Sandbox
      accounts: [{ id: "555566667777", roles: [{ name: other }] }]
"#;

const TARGET: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: Target
metadata: { name: all }
spec:
  organization:
    units: [r-ab12]
    exclude: { accounts: ['111122223333'] }
  regions: [eu-west-1, eu-south-1]
  role: { name: ops, externalId: banana }
";

const BASELINE: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: PatchBaseline
metadata: { name: linux }
spec: { operatingSystem: AMAZON_LINUX_2023 }
";

fn company(target: &str) -> Company {
    let company = Company::with(Settings {
        organization: Some(Organization::parse(ORGANIZATION).unwrap()),
        ..Settings::default()
    });
    company.declare(&[target, BASELINE]);
    company
}

#[tokio::test]
async fn nested_units_are_walked_and_accounts_that_are_not_active_are_named() {
    let company = company(TARGET);
    let look = company.look().await;
    assert_eq!(
        look.fleet.remarks,
        ["Target `all` skips account 999988887777: it is suspended"]
    );
    let accounts: Vec<_> = look
        .fleet
        .places()
        .into_iter()
        .map(|place| place.account)
        .collect();
    assert!(
        accounts.contains(&"444455556666".to_owned()),
        "nested: {accounts:?}"
    );
    assert!(
        !accounts.contains(&"111122223333".to_owned()),
        "excluded: {accounts:?}"
    );
    assert_eq!(accounts.len(), 8);
}

#[tokio::test]
async fn excluded_units_go_with_everything_in_them() {
    let company = company(&TARGET.replace("exclude: {", "exclude: { units: [ou-ab12-11111111],"));
    let accounts: Vec<_> = company.look().await.fleet.places().into_iter().collect();
    assert!(accounts.iter().all(|place| place.account == "555566667777"));
}

#[tokio::test]
async fn each_account_has_its_own_trouble_and_the_others_are_done() {
    let company = company(TARGET);
    let look = company.look().await;
    let outcome = look.apply().await;
    assert_eq!((outcome.done(), outcome.failed()), (3, 0));
    let look = company.look().await;
    let unknown: Vec<_> = look.unknown().into_iter().collect();
    let doubt = "it may be missing, not trust these credentials, or want another external id";
    for (why, account) in unknown.iter().zip([
        "444455556666",
        "444455556666",
        "555566667777",
        "555566667777",
    ]) {
        assert!(
            why.contains(&format!(
                "sts:AssumeRole of `arn:aws:iam::{account}:role/ops` failed; {doubt}"
            )),
            "{why}"
        );
        assert!(
            why.contains(
                "AccessDenied: User: arn:aws:iam::111122223333:user/sandbox is not authorized"
            ),
            "{why}"
        );
    }
    assert_eq!(unknown.len(), 4);
    assert_eq!(look.told().len(), 4, "nothing but these");
    assert_eq!(look.plan.unchanged, 3);
    assert_eq!(
        look.plan
            .notes
            .iter()
            .map(|note| note.text.as_str())
            .collect::<Vec<_>>(),
        ["the region is not enabled in this account"]
    );
}

#[tokio::test]
async fn a_region_that_is_not_enabled_is_no_error() {
    let target = TARGET
        .replace("units: [r-ab12]", "units: [ou-ab12-11111111]")
        .replace(
            "exclude: { accounts: ['111122223333'] }",
            "exclude: { units: [ou-ab12-22222222] }",
        );
    let company = company(&target);
    let after = company.apply().await;
    assert!(after.plan.is_empty() && after.plan.complete());
    assert_eq!((after.plan.unchanged, after.plan.notes.len()), (3, 1));
    let destroy = Wish {
        destroy: true,
        ..Wish::default()
    };
    let look = company.look_for(&destroy, &Selection::default()).await;
    assert_eq!(look.plan.changes.len(), 3);
    assert_eq!(look.apply().await.done(), 3);
    assert_eq!(company.look().await.plan.changes.len(), 3);
}

#[tokio::test]
async fn a_region_that_is_always_there_is_unknown_when_it_does_not_know_the_credentials() {
    let company = company(&TARGET.replace("units: [r-ab12]", "units: [ou-ab12-11111111]"));
    let faults = "- match: { account: '222233334444', region: eu-west-1 }\n  \
                  then: { error: { code: UnrecognizedClientException, message: The security token is invalid } }";
    company.sandbox.set_faults(Faults::parse(faults).unwrap());
    let unknown = company.look().await.unknown();
    assert!(
        unknown
            .iter()
            .any(|why| why.starts_with("222233334444/eu-west-1")),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn without_the_organization_nothing_is_planned() {
    let company = company(TARGET);
    let faults = "- match: { service: organizations }\n  then: deny";
    company.sandbox.set_faults(Faults::parse(faults).unwrap());
    let error = company
        .find(&Selection::default())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error
            .starts_with("the accounts of `r-ab12`, which Target `all` is about, cannot be listed"),
        "{error}"
    );
    assert!(
        error.contains("organizations:ListAccountsForParent"),
        "{error}"
    );
}

#[tokio::test]
async fn four_accounts_in_trouble_are_named_and_the_others_finish() {
    // One role is missing, one asks for another external id, one account is throttled, one has a region that is down.
    let regions = "us-east-1, us-east-2, us-west-1, us-west-2, eu-central-1";
    let company = company(&TARGET.replace("eu-south-1", regions));
    let faults = "- match: { service: ssm, account: '222233334444' }\n  when: { rate: 0.9 }\n  then: throttle\n\
                  - match: { account: '333344445555', region: us-east-1 }\n  \
                  then: { error: { code: InternalServerError, status: 500, message: down } }";
    company.sandbox.set_faults(Faults::parse(faults).unwrap());
    let look = company.look().await;
    let unknown = look.unknown();
    for trouble in [
        "222233334444/",
        "333344445555/us-east-1: InternalServerError: down",
        "444455556666/us-west-2: sts:AssumeRole of `arn:aws:iam::444455556666:role/ops` failed",
        "555566667777/us-west-2: sts:AssumeRole of `arn:aws:iam::555566667777:role/ops` failed",
    ] {
        let named = unknown.iter().any(|why| why.starts_with(trouble));
        assert!(named, "{trouble}: {unknown:?}");
    }
    assert!(!look.plan.complete());
    let outcome = look.apply().await;
    let mut changes = look.plan.changes.iter().zip(&outcome.endings);
    let well = changes.clone().filter(|(change, ending)| {
        change.location.account == "333344445555" && **ending == Some(Ending::Done)
    });
    assert_eq!(well.count(), 5, "{outcome:?}");
    let closed = |account: &str| ["444455556666", "555566667777"].contains(&account);
    assert!(changes.all(|(change, ending)| !closed(&change.location.account) || ending.is_none()));
}

/// The policy of `iam-policy`, without one action.
fn policy(company: &Company, without: &str) -> Policy {
    let loaded = company.loaded();
    let any = || "*".to_owned();
    let need = Need {
        stack: "shop",
        declared: &loaded.objects,
        targets: &loaded.targets.iter().collect::<Vec<_>>(),
        purpose: Purpose::Apply,
        adopt: false,
        names: true,
        locations: &[Location {
            account: any(),
            region: any(),
        }],
        partition: "aws",
        wish: &Wish::default(),
    };
    let mut policy = need.policy();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let actions = statement["Action"].as_array_mut().unwrap();
        actions.retain(|action| action != without);
        if actions.is_empty() {
            statement["Action"] = json!("none:None");
        }
    }
    Policy::parse(&policy.to_string()).unwrap()
}

#[tokio::test]
async fn the_policy_has_what_leads_to_the_accounts_and_nothing_else() {
    let production = "units: [ou-ab12-11111111]";
    let target = TARGET
        .replace("units: [r-ab12]", production)
        .replace(
            "exclude: { accounts: ['111122223333'] }",
            "exclude: { units: [ou-ab12-22222222] }",
        )
        .replace("role: {", "variables: { tier: gold }\n  role: {");
    let company = company(&target);
    company.declare(&[
        &target,
        &BASELINE.replace("spec: {", "spec: { name: 'linux-${target.vars.tier}',"),
    ]);
    company.sandbox.set_policy(Some(policy(&company, "")));
    let after = company.apply().await;
    assert!(after.plan.is_empty() && after.plan.complete());
    assert_eq!(after.plan.unchanged, 3);

    let sts = "sts:AssumeRole";
    company.sandbox.set_policy(Some(policy(&company, sts)));
    let unknown = company.look().await.unknown();
    assert!(unknown.iter().all(|why| why.contains(sts)), "{unknown:?}");
    assert_eq!(unknown.len(), 4);
    for action in [
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    ] {
        company.sandbox.set_policy(Some(policy(&company, action)));
        let error = company.find(&Selection::default()).await.err();
        assert!(error.is_some_and(|error| error.to_string().contains(action)));
    }
}

#[test]
fn a_policy_names_the_roles_of_known_accounts_and_leaves_open_what_differs() {
    let company = Company::new();
    let target = "
apiVersion: stationbill.dev/v1alpha1
kind: Target
metadata: { name: two }
spec:
  accounts: ['222233334444', '333344445555']
  regions: [eu-west-1]
  role: { name: ops, path: /hub/, via: 'arn:aws:iam::999988887777:role/way' }
  variables: { tier: gold }
";
    let dashboard = "
apiVersion: stationbill.dev/v1alpha1
kind: Dashboard
metadata: { name: impact }
spec: { name: '${target.name}-${target.vars.tier}-impact', body: { widgets: [] } }
";
    company.declare(&[target, dashboard]);
    let loaded = company.loaded();
    let allowed = |account: &str, action: &str| -> Vec<Value> {
        let need = Need {
            stack: "shop",
            declared: &loaded.objects,
            targets: &loaded.targets.iter().collect::<Vec<_>>(),
            purpose: Purpose::Apply,
            adopt: false,
            names: true,
            locations: &[Location {
                account: account.to_owned(),
                region: "*".to_owned(),
            }],
            partition: "aws",
            wish: &Wish::default(),
        };
        let policy = need.policy();
        let mut statements = policy["Statement"].as_array().unwrap().iter();
        let with = statements.find(|s| s["Action"].as_array().unwrap().contains(&json!(action)));
        with.unwrap()["Resource"].as_array().unwrap().clone()
    };
    let way = "arn:aws:iam::999988887777:role/way";
    let [a, b] = ["222233334444", "333344445555"]
        .map(|account| format!("arn:aws:iam::{account}:role/hub/ops"));
    assert_eq!(allowed("*", "sts:AssumeRole"), [a.as_str(), &b, way]);
    assert_eq!(allowed("333344445555", "sts:AssumeRole"), [b.as_str(), way]);
    assert_eq!(
        allowed("*", "cloudwatch:PutDashboard"),
        ["arn:aws:cloudwatch::*:dashboard/*-*-impact"]
    );
}
