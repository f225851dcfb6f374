//! What an account has once, and who refers to it in its regions.

use stationbill::engine::fleet::Selection;
use stationbill::engine::run::leased;
use stationbill::model::plan::Wish;
use stationbill::sandbox::Faults;
use tokio_util::sync::CancellationToken;

use super::company::{Company, HUB, Look};

const TARGET: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: Target
metadata: { name: production }
spec:
  accounts: ['111122223333']
  regions: [us-east-1, eu-west-1]
";

const INCIDENTS: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: ReplicationSet
metadata: { name: incidents }
spec: { regions: [{ name: us-east-1 }, { name: eu-west-1 }] }
";

/// The response plan that the alarm of every region names, by this name in AWS.
fn plan(name: &str) -> String {
    format!(
        "
apiVersion: stationbill.dev/v1alpha1
kind: ResponsePlan
metadata: {{ name: down }}
spec: {{ name: {name}, incidentTemplate: {{ title: Nobody can pay, impact: 2 }} }}
"
    )
}

fn alarm(actions: &str) -> String {
    format!(
        "
apiVersion: stationbill.dev/v1alpha1
kind: Alarm
metadata: {{ name: errors }}
spec:
  namespace: Banana
  metricName: Errors
  statistic: Sum
  period: 60
  evaluationPeriods: 1
  comparisonOperator: GreaterThanThreshold
  threshold: 5
  alarmActions: {actions}
"
    )
}

/// A company in which alarms of two regions open incidents from one plan.
async fn alarmed() -> Company {
    let company = Company::new();
    let alarm = alarm("[{ ref: down }]");
    company.declare(&[TARGET, INCIDENTS, &plan("down"), &alarm]);
    assert_eq!(company.apply().await.told(), [""; 0]);
    company
}

async fn prune(company: &Company, regions: &[&str]) -> Look {
    let wish = Wish {
        prune: true,
        ..Wish::default()
    };
    let selection = Selection {
        regions: regions.iter().map(|region| (*region).to_owned()).collect(),
        ..Selection::default()
    };
    company.look_for(&wish, &selection).await
}

/// Carries a plan out, and nothing is left to do then.
async fn does_all(company: &Company, look: &Look) {
    let outcome = look.apply().await;
    assert_eq!((outcome.failed(), outcome.skipped()), (0, 0), "{outcome:?}");
    assert_eq!(prune(company, &[]).await.told(), [""; 0]);
}

fn of_plan(look: &Look) -> Vec<String> {
    let told = look.told().into_iter();
    told.filter(|line| line.contains("ResponsePlan/")).collect()
}

/// Asserts that this and nothing else is to be done with the plan.
fn is_told(look: &Look, action: &str) {
    let line = format!("{action} 111122223333/us-east-1 ResponsePlan/down");
    assert_eq!(of_plan(look), [line]);
}

#[tokio::test]
async fn it_goes_once_every_region_has_let_go_of_it() {
    let company = alarmed().await;
    company.declare(&[TARGET, INCIDENTS, &alarm("[]")]);
    let look = prune(&company, &[]).await;
    assert_eq!(
        look.told(),
        [
            "update 111122223333/eu-west-1 Alarm/errors",
            "delete 111122223333/us-east-1 ResponsePlan/down",
            "update 111122223333/us-east-1 Alarm/errors",
        ]
    );
    does_all(&company, &look).await;
}

#[tokio::test]
async fn it_stays_while_a_region_cannot_be_read() {
    let company = alarmed().await;
    company.declare(&[TARGET, INCIDENTS, &alarm("[]")]);
    let faults = "- match: { operation: DescribeAlarms, region: eu-west-1 }\n  then: deny";
    company.sandbox.set_faults(Faults::parse(faults).unwrap());
    let look = prune(&company, &[]).await;
    let kept = look
        .plan
        .changes
        .iter()
        .find(|c| c.address.kind == "ResponsePlan");
    let (action, why) = (kept.unwrap().action, kept.unwrap().reason.clone().unwrap());
    assert_eq!(action.word(), "unknown");
    assert_eq!(
        why,
        "in eu-west-1, a Alarm, which may refer to it, could not be read"
    );
    company.sandbox.set_faults(Faults::default());
    assert_eq!(of_plan(&prune(&company, &[]).await).len(), 1);
}

#[tokio::test]
async fn it_stays_while_a_region_is_not_asked_for() {
    let company = alarmed().await;
    company.declare(&[TARGET, INCIDENTS, &alarm("[]")]);
    let look = prune(&company, &["us-east-1"]).await;
    is_told(&look, "blocked");
    // Whoever looks only where it is not does nothing about it.
    assert_eq!(of_plan(&prune(&company, &["eu-west-1"]).await), [""; 0]);
}

#[tokio::test]
async fn it_stays_while_an_alarm_of_a_region_stays_as_it_is() {
    let company = alarmed().await;
    let held = alarm("[]") + "  lifecycle: { mode: report }\n";
    company.declare(&[TARGET, INCIDENTS, &held]);
    let look = prune(&company, &[]).await;
    let kept = look
        .plan
        .changes
        .iter()
        .find(|c| c.address.kind == "ResponsePlan");
    let why = kept.unwrap().reason.clone().unwrap();
    assert!(why.starts_with("Alarm/errors"), "{why}");
    is_told(&look, "blocked");
}

#[tokio::test]
async fn a_replacement_takes_all_with_it_or_waits() {
    let company = alarmed().await;
    let named = alarm("[{ ref: down }]");
    company.declare(&[TARGET, INCIDENTS, &plan("shop-down"), &named]);
    let only = |kind: &str| Wish {
        kinds: [kind.to_owned()].into(),
        ..Wish::default()
    };
    let all = Selection::default();
    // Without its alarms it would leave them with the id of what is gone.
    let look = company.look_for(&only("ResponsePlan"), &all).await;
    is_told(&look, "blocked");
    let look = company.look().await;
    is_told(&look, "replace");
    does_all(&company, &look).await;
}

#[tokio::test]
async fn a_replacement_waits_for_an_alarm_that_no_document_declares_any_more() {
    let company = alarmed().await;
    company.declare(&[TARGET, INCIDENTS, &plan("shop-down")]);
    let look = company.look().await;
    is_told(&look, "blocked");
    // With what refers to it, it may.
    let look = prune(&company, &[]).await;
    is_told(&look, "replace");
    does_all(&company, &look).await;
}

#[tokio::test]
async fn what_only_refers_to_something_undeclared_has_not_drifted() {
    let company = alarmed().await;
    company.declare(&[TARGET, INCIDENTS, &alarm("[]")]);
    let drift = company.look().await.plan.drift_only();
    assert_eq!(drift.changes, []);
    company.declare(&[TARGET, &alarm("[]")]);
    let drift = company.look().await.plan.drift_only();
    assert_eq!(drift.changes, []);
}

/// Two machines with other regions configured still meet at one lease.
#[tokio::test]
async fn the_lease_is_where_the_targets_are() {
    let company = Company::new();
    company.declare(&[TARGET, &alarm("[]")]);
    let mut holders = Vec::new();
    for region in ["ap-northeast-1", "us-west-2"] {
        let connection = company.connection_in(region).await;
        assert_eq!(connection.aws.location.region, region);
        let selection = Selection::default();
        let fleet = company.find_from(&connection, &selection).await.unwrap();
        assert_eq!(fleet.lease_region(&connection), "eu-west-1");
        let other = Selection {
            regions: ["us-east-1".to_owned()].into(),
            ..Selection::default()
        };
        let narrow = company.find_from(&connection, &other).await.unwrap();
        assert_eq!(narrow.lease_region(&connection), "eu-west-1");
        holders.push((connection, fleet));
    }
    let [(one, here), (other, there)] = &holders[..] else {
        unreachable!()
    };
    let cancel = CancellationToken::new();
    let second = async |_| {
        let work = async |_| panic!("both are at work");
        leased(
            other,
            there.lease_region(other),
            "shop",
            None,
            &|_| {},
            &cancel,
            work,
        )
        .await
    };
    let answer = leased(
        one,
        here.lease_region(one),
        "shop",
        None,
        &|_| {},
        &cancel,
        second,
    )
    .await;
    let refused = answer.unwrap().map(drop).unwrap_err().to_string();
    assert!(
        refused.contains(HUB) && refused.contains("is at work"),
        "{refused}"
    );
}
