//! Explicit accounts and regions: planned, applied, nothing left; variables, homes, selection.

use stationbill::engine::fleet::Selection;
use stationbill::model::plan::Wish;
use stationbill::sandbox::Faults;

use super::company::{Company, HUB};

const TARGET: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: Target
metadata: { name: production }
spec:
  accounts: ['111122223333', '444455556666']
  regions: [us-east-1, eu-west-1]
  role: { name: stationbill, path: /ops/ }
  variables: { tier: gold }
  overrides:
    - { accounts: ['444455556666'], regions: [eu-west-1], variables: { tier: silver } }
";

const BASELINE: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: PatchBaseline
metadata: { name: linux }
spec:
  operatingSystem: AMAZON_LINUX_2023
  description: ${target.vars.tier} in ${target.account}/${target.region} by ${target.name}
";

const INCIDENTS: &str = "
apiVersion: stationbill.dev/v1alpha1
kind: ReplicationSet
metadata: { name: incidents }
spec: { regions: [{ name: us-east-1 }, { name: eu-west-1 }] }
---
apiVersion: stationbill.dev/v1alpha1
kind: Contact
metadata: { name: kayoko }
spec:
  displayName: Kayoko
  channels: { mail: { type: EMAIL, address: { value: kayoko@example.com } } }
  stages: []
";

#[tokio::test]
async fn one_folder_is_kept_true_in_every_place() {
    let company = Company::new();
    company.declare(&[TARGET, BASELINE]);
    let look = company.look().await;
    let places = [
        "111122223333/eu-west-1",
        "111122223333/us-east-1",
        "444455556666/eu-west-1",
        "444455556666/us-east-1",
    ];
    let create = places.map(|place| format!("create {place} PatchBaseline/linux"));
    assert_eq!(look.told(), create);
    let described: Vec<_> = look
        .plan
        .changes
        .iter()
        .map(|change| change.desired.as_ref().unwrap()["description"].clone())
        .collect();
    assert_eq!(
        described,
        [
            "gold in 111122223333/eu-west-1 by production",
            "gold in 111122223333/us-east-1 by production",
            "silver in 444455556666/eu-west-1 by production",
            "gold in 444455556666/us-east-1 by production",
        ]
    );
    let after = company.apply().await;
    assert_eq!(after.told(), [""; 0]);
    assert_eq!(after.plan.unchanged, 4);
    company.sandbox.with_state(|state| {
        let accounts: Vec<_> = state.accounts.keys().cloned().collect();
        assert_eq!(accounts, ["111122223333", "444455556666"]);
    });
}

#[tokio::test]
async fn what_an_account_has_once_is_kept_by_its_first_region() {
    let company = Company::new();
    company.declare(&[TARGET, BASELINE, INCIDENTS]);
    let look = company.look().await;
    let once: Vec<_> = look
        .told()
        .into_iter()
        .filter(|change| !change.ends_with("linux"))
        .collect();
    assert_eq!(
        once,
        [
            "create 111122223333/us-east-1 ReplicationSet/incidents",
            "create 111122223333/us-east-1 Contact/kayoko",
            "create 444455556666/us-east-1 ReplicationSet/incidents",
            "create 444455556666/us-east-1 Contact/kayoko",
        ]
    );
    assert_eq!(company.apply().await.told(), [""; 0]);

    // Seen from the other region the same objects are there, with the same stamps: they are not taken for leftovers.
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let look = company.look_for(&prune, &Selection::default()).await;
    assert_eq!(look.told(), [""; 0]);
    let other = Selection {
        regions: ["eu-west-1".to_owned()].into(),
        ..Selection::default()
    };
    let look = company.look_for(&prune, &other).await;
    assert_eq!((look.told(), look.plan.unchanged), (vec![], 2));
    let destroy = Wish {
        destroy: true,
        ..Wish::default()
    };
    let look = company.look_for(&destroy, &other).await;
    assert_eq!(
        look.told(),
        [
            "delete 111122223333/eu-west-1 PatchBaseline/linux",
            "delete 444455556666/eu-west-1 PatchBaseline/linux"
        ]
    );
}

#[tokio::test]
async fn a_role_is_assumed_once_for_an_account() {
    let company = Company::new();
    company.declare(&[TARGET, BASELINE, INCIDENTS]);
    let look = company.look().await;
    let calls = look.connection.calls.by_operation();
    let assumed = calls.get(&("sts".to_owned(), "AssumeRole".to_owned()));
    assert_eq!(assumed, Some(&2), "{calls:?}");
}

#[tokio::test]
async fn the_role_of_another_leads_to_the_accounts() {
    let company = Company::new();
    let via = "role: { via: 'arn:aws:iam::777788889999:role/hub', ";
    company.declare(&[&TARGET.replace("role: {", via), BASELINE]);
    let look = company.look().await;
    assert_eq!(look.plan.changes.len(), 4);
    let calls = look.connection.calls.by_operation();
    let assumed = calls.get(&("sts".to_owned(), "AssumeRole".to_owned()));
    assert_eq!(assumed, Some(&3), "{calls:?}");
}

#[tokio::test]
async fn a_denied_account_is_unknown_and_the_others_go_on() {
    let company = Company::new();
    company.declare(&[TARGET, BASELINE]);
    let faults =
        "- match: { service: sts, operation: AssumeRole }\n  when: { calls: [1] }\n  then: deny";
    company.sandbox.set_faults(Faults::parse(faults).unwrap());
    let look = company.look().await;
    let unknown: Vec<_> = look.unknown().into_iter().collect();
    assert_eq!(unknown.len(), 2);
    let arn = "sts:AssumeRole of `arn:aws:iam::";
    assert!(unknown.iter().all(|why| why.contains(arn)), "{unknown:?}");
    assert_eq!(
        look.told()
            .iter()
            .filter(|told| told.starts_with("create"))
            .count(),
        2
    );
    assert!(!look.plan.complete());
}

#[tokio::test]
async fn without_a_role_only_the_own_account_is_reached() {
    let company = Company::new();
    company.declare(&[
        &TARGET.replace("  role: { name: stationbill, path: /ops/ }\n", ""),
        BASELINE,
    ]);
    let look = company.look().await;
    let unknown: Vec<_> = look.unknown().into_iter().collect();
    assert!(
        unknown.iter().all(|why| why.starts_with("444455556666")),
        "{unknown:?}"
    );
    assert!(
        unknown[0].contains("names no `role` to assume"),
        "{unknown:?}"
    );
    let created = look
        .told()
        .into_iter()
        .filter(|told| told.starts_with("create"));
    assert!(created.clone().all(|told| told.contains(HUB)));
    assert_eq!(created.count(), 2);
}

#[tokio::test]
async fn only_what_is_asked_for_is_looked_at() {
    let company = Company::new();
    company.declare(&[TARGET, BASELINE]);
    let selection = Selection {
        accounts: ["444455556666".to_owned()].into(),
        regions: ["eu-west-1".to_owned()].into(),
        ..Selection::default()
    };
    let look = company.look_for(&Wish::default(), &selection).await;
    assert_eq!(
        look.told(),
        ["create 444455556666/eu-west-1 PatchBaseline/linux"]
    );
    let stray = Selection {
        targets: ["prodution".to_owned()].into(),
        ..Selection::default()
    };
    let error = company.find(&stray).await.err().unwrap().to_string();
    assert_eq!(
        error,
        "no Target named `prodution`\nhint: did you mean `production`?"
    );
}

#[test]
fn what_documents_and_targets_have_wrong_together_is_found_offline() {
    let company = Company::new();
    let second = TARGET
        .replace("production", "second")
        .replace("variables: { tier: gold }\n", "variables: { teir: gold }\n");
    company.declare(&[TARGET, &second, BASELINE]);
    assert_eq!(
        company.wrong(),
        [
            "17 place-twice: Targets `production` and `second` both put PatchBaseline/linux into 111122223333/eu-west-1 \
             (name one of them in `spec.targets` of the object, or take the place out of one of them)",
            "33 unknown-variable: `${target.vars.tier}` stands for nothing in 111122223333/eu-west-1 of Target `second` \
             (add `tier` to `variables` of the Target, which every place has)",
        ]
    );
    company.declare(&[TARGET, &BASELINE.replace("vars.tier", "vars.teir")]);
    assert_eq!(
        company.wrong(),
        [
            "20 unknown-variable: `${target.vars.teir}` stands for nothing in Target `production` (did you mean \
          `${target.vars.tier}`?)"
        ]
    );
}

#[tokio::test]
async fn two_targets_that_meet_in_an_account_are_told_what_is_wrong() {
    let company = Company::new();
    let target = |name: &str, region: &str, role: &str| {
        TARGET
            .replace("production", name)
            .replace("[us-east-1, eu-west-1]", region)
            .replace("name: stationbill", role)
            .replace("regions: [eu-west-1],", "")
    };
    let (a, b) = (
        target("a", "[us-east-1]", "name: ops"),
        target("b", "[eu-west-1]", "name: ops"),
    );
    let set = |name: &str, target: &str| {
        INCIDENTS
            .split("---")
            .next()
            .unwrap()
            .replace("name: incidents", &format!("name: {name}"))
            .replace("spec: {", &format!("spec: {{ targets: [{target}],"))
    };
    company.declare(&[&a, &b, &set("one", "a"), &set("two", "b")]);
    let error = company
        .find(&Selection::default())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with(
            "ReplicationSet/one and ReplicationSet/two would be the same in account 111122223333"
        ),
        "{error}"
    );

    // One of them for both is kept by the region of the first.
    company.declare(&[&a, &b, &set("one", "b, a")]);
    assert_eq!(
        company.look().await.told(),
        [
            "create 111122223333/us-east-1 ReplicationSet/one",
            "create 444455556666/us-east-1 ReplicationSet/one"
        ]
    );

    company.declare(&[&a, &target("b", "[eu-west-1]", "name: other"), BASELINE]);
    let error = company
        .find(&Selection::default())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("Targets `a` and `b` reach account 111122223333 by different roles"),
        "{error}"
    );
}
