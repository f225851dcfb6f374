//! How many accounts at once, which first, and when to stop.

use std::collections::BTreeSet;
use std::sync::Mutex;

use stationbill::engine::{Ending, Event};
use stationbill::sandbox::Faults;

use super::company::{Company, Look};

const ACCOUNTS: [&str; 5] = [
    "111122223333",
    "222233334444",
    "333344445555",
    "444455556666",
    "555566667777",
];

const BASELINE: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: PatchBaseline
metadata: { name: linux }
spec: { operatingSystem: AMAZON_LINUX_2023 }
";

fn company(more: &str) -> Company {
    let company = Company::new();
    let target = format!(
        "
apiVersion: stationbill.dev/v1alpha1
kind: Target
metadata: {{ name: production }}
spec:
  accounts: ['{}']
  regions: [eu-west-1, us-east-1]
  role: {{ name: ops }}
{more}",
        ACCOUNTS.join("', '")
    );
    company.declare(&[&target, BASELINE]);
    company
}

/// The accounts in which changes ended so, with why.
fn ended(look: &Look, endings: &[Option<Ending>], how: fn(&Ending) -> Option<&str>) -> Vec<String> {
    let changes = look.plan.changes.iter().zip(endings);
    let ended = changes.filter_map(|(change, ending)| {
        let why = how(ending.as_ref()?)?;
        Some(format!("{}: {why}", change.location.account))
    });
    let unique: BTreeSet<String> = ended.collect();
    unique.into_iter().collect()
}

fn skipped(ending: &Ending) -> Option<&str> {
    match ending {
        Ending::Skipped(why) => Some(why),
        Ending::Done | Ending::Failed(_) => None,
    }
}

const STAGES: &str = "  stages:
    - { name: canary, accounts: ['444455556666'] }
    - { name: early, accounts: ['555566667777'] }
";

fn deny(company: &Company, operation: &str, account: &str) {
    let faults = format!(
        "- match: {{ operation: {operation}, account: '{account}', region: us-east-1 }}\n  then: deny"
    );
    company.sandbox.set_faults(Faults::parse(&faults).unwrap());
}

#[tokio::test]
async fn stages_go_one_after_the_other() {
    let company = company(STAGES);
    let order = Mutex::new(Vec::new());
    let look = company.look().await;
    let outcome = look
        .roll_out(None, &|event| {
            if let Event::Started { location, .. } = event {
                order.lock().unwrap().push(location.account);
            }
        })
        .await;
    assert_eq!(outcome.done(), 10);
    let order = order.into_inner().unwrap();
    assert_eq!(order[..2], ["444455556666"; 2]);
    assert_eq!(order[2..4], ["555566667777"; 2]);
    assert!(company.look().await.plan.is_empty());
}

#[tokio::test]
async fn a_failure_in_the_canary_leaves_the_others_untouched() {
    let company = company(STAGES);
    deny(&company, "CreatePatchBaseline", "444455556666");
    let look = company.look().await;
    let outcome = look.apply().await;
    assert_eq!(
        (outcome.done(), outcome.failed(), outcome.skipped()),
        (1, 1, 8)
    );
    let why = "stage `canary` of Target `production` is not as declared in account 444455556666; what comes after it \
               is left untouched";
    let others = [
        "111122223333",
        "222233334444",
        "333344445555",
        "555566667777",
    ];
    assert_eq!(
        ended(&look, &outcome.endings, skipped),
        others.map(|account| format!("{account}: {why}"))
    );
    assert!(!outcome.complete(&look.plan));
    assert!(!outcome.interrupted);
    let touched = company.sandbox.with_state(|state| {
        let made = |account: &&str| {
            let ssm = serde_json::to_string(&state.account(account).ssm).unwrap();
            ssm.contains("linux")
        };
        ACCOUNTS.into_iter().filter(made).collect::<Vec<_>>()
    });
    assert_eq!(touched, ["444455556666"]);

    company.sandbox.set_faults(Faults::default());
    let after = company.apply().await;
    assert!(after.plan.is_empty());
    assert_eq!(after.plan.unchanged, 10);
}

#[tokio::test]
async fn a_canary_that_cannot_be_verified_stops_the_rollout() {
    let company = company(STAGES);
    let look = company.look().await;
    let outcome = look
        .roll_out(None, &|event| {
            if matches!(
                event,
                Event::Ended {
                    ending: Ending::Done,
                    ..
                }
            ) {
                deny(&company, "DescribePatchBaselines", "444455556666");
            }
        })
        .await;
    assert_eq!((outcome.failed(), outcome.skipped()), (0, 8));
}

#[tokio::test]
async fn a_failure_within_the_tolerance_goes_on() {
    let company = company(&format!("{STAGES}  failureTolerance: 1\n"));
    deny(&company, "CreatePatchBaseline", "444455556666");
    let outcome = company.look().await.apply().await;
    assert_eq!(
        (outcome.done(), outcome.failed(), outcome.skipped()),
        (9, 1, 0)
    );
}

#[tokio::test]
async fn more_failures_than_tolerated_begin_no_further_account() {
    let company = company("  concurrency: 1\n  failureTolerance: 0\n");
    deny(&company, "CreatePatchBaseline", "222233334444");
    let look = company.look().await;
    let outcome = look.apply().await;
    assert_eq!(
        (outcome.done(), outcome.failed(), outcome.skipped()),
        (3, 1, 6)
    );
    let why =
        "1 account of Target `production` failed, which is more than its `failureTolerance` allows";
    let left = ["333344445555", "444455556666", "555566667777"];
    assert_eq!(
        ended(&look, &outcome.endings, skipped),
        left.map(|account| format!("{account}: {why}"))
    );
}

#[tokio::test]
async fn an_account_that_fails_stops_no_other_by_itself() {
    let company = company("");
    deny(&company, "CreatePatchBaseline", "222233334444");
    let outcome = company.look().await.apply().await;
    assert_eq!(
        (outcome.done(), outcome.failed(), outcome.skipped()),
        (9, 1, 0)
    );
}

#[tokio::test]
async fn no_more_accounts_than_allowed_are_worked_on_at_once() {
    let company = company("  concurrency: 2\n");
    let now: Mutex<(BTreeSet<String>, usize)> = Mutex::default();
    let look = company.look().await;
    let outcome = look
        .roll_out(None, &|event| {
            let (busy, most) = &mut *now.lock().unwrap();
            match event {
                Event::Started { location, .. } => {
                    busy.insert(location.to_string());
                    let accounts: BTreeSet<_> =
                        busy.iter().map(|place| place[..12].to_owned()).collect();
                    *most = accounts.len().max(*most);
                }
                Event::Ended { location, .. } => {
                    busy.remove(&location.to_string());
                }
                _ => {}
            }
        })
        .await;
    assert_eq!(outcome.done(), 10);
    assert_eq!(now.into_inner().unwrap().1, 2);
}

#[tokio::test]
async fn max_failures_begins_nothing_new() {
    let company = company("  concurrency: 1\n");
    deny(&company, "CreatePatchBaseline", "222233334444");
    let look = company.look().await;
    let outcome = look.roll_out(Some(1), &|_| {}).await;
    assert_eq!((outcome.failed(), outcome.interrupted), (1, false));
    let why = "1 change has failed, and --max-failures begins nothing new then";
    let left = ["333344445555", "444455556666", "555566667777"];
    assert_eq!(
        ended(&look, &outcome.endings, skipped),
        left.map(|account| format!("{account}: {why}"))
    );
}
