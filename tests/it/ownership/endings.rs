//! What goes once no document declares it, and what stays all the same.

use std::collections::BTreeSet;

use serde_json::json;
use stationbill::engine::Ending;
use stationbill::kinds;
use stationbill::model::lifecycle::OnDelete;
use stationbill::model::plan::{Action, Wish};
use stationbill::model::reference::references;
use stationbill::model::stamp;
use stationbill::sandbox::Faults;

use super::{Case, SUBJECTS, prune, subject_of};
use crate::support::told;

#[tokio::test(start_paused = true)]
async fn what_stays_keeps_what_it_refers_to() {
    let mut case = Case::new(("ResponsePlan", "banana-checkout-down")).await;
    for document in &mut case.documents {
        if document.address == case.subject.address {
            document.lifecycle.on_delete = Some(OnDelete::Retain);
        }
    }
    case.run(&Wish::default()).await;
    let before = case.everything().await;
    case.documents
        .retain(|d| d.address.kind == "ReplicationSet");
    let plan = case.plan(&prune()).await;
    let needed: BTreeSet<String> = references(&subject_of("ResponsePlan").spec)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert!(needed.len() > 1);
    for name in &needed {
        let change = plan
            .changes
            .iter()
            .find(|change| change.address.to_string() == *name);
        let Some(change) = change else {
            // People stay anyway.
            assert!(name.starts_with("Contact/"), "{name} {}", told(&plan));
            continue;
        };
        assert_eq!(change.action, Action::Blocked, "{name}");
        let why = change.reason.as_deref().unwrap();
        assert_eq!(
            why,
            "ResponsePlan/banana-checkout-down, which refers to it, stays"
        );
    }
    case.scene.apply(&plan).await;
    let after = case.everything().await;
    for (key, live) in &before {
        let address = live.tags.get(stamp::OBJECT).cloned().unwrap_or_default();
        if needed.contains(&address) {
            assert_eq!(after.get(key), Some(live), "{address}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_document_declares_goes_only_when_asked_and_people_not_even_then() {
    for subject in SUBJECTS {
        let mut case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let before = case.everything().await;
        case.documents.retain(|d| d.address != case.subject.address);
        let plan = case.plan(&Wish::default()).await;
        assert!(plan.is_empty(), "{subject:?}");
        let plan = case.plan(&prune()).await;
        case.scene.apply(&plan).await;
        let kept = kinds::find(subject.0).unwrap().loses().is_some();
        assert_eq!(plan.is_empty(), kept, "{subject:?}");
        let gone = before.len() - case.everything().await.len();
        assert_eq!(gone, usize::from(!kept), "{subject:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_shall_stay_stays_without_its_document() {
    for subject in SUBJECTS {
        let mut case = Case::new(*subject).await;
        for document in &mut case.documents {
            if document.address == case.subject.address {
                document.lifecycle.on_delete = Some(OnDelete::Retain);
            }
        }
        case.run(&Wish::default()).await;
        let before = case.everything().await;
        case.documents.retain(|d| d.address != case.subject.address);
        let plan = case.plan(&prune()).await;
        assert!(plan.is_empty() && plan.retained.len() == 1, "{subject:?}");
        case.scene.apply(&plan).await;
        assert_eq!(case.everything().await, before, "{subject:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_document_said_last_of_its_end_counts_once_it_is_gone() {
    for subject in SUBJECTS {
        let mut case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let lasting = kinds::find(subject.0).unwrap().loses().is_some();
        let other = if lasting {
            OnDelete::Delete
        } else {
            OnDelete::Retain
        };
        for document in &mut case.documents {
            if document.address == case.subject.address {
                document.lifecycle.on_delete = Some(other);
            }
        }
        let plan = case.plan(&Wish::default()).await;
        let reason = case.line(&plan).and_then(|change| change.reason.as_deref());
        let told = "`lifecycle.onDelete` changed; only the stamp changes";
        assert_eq!(reason, Some(told), "{subject:?}");
        case.scene.apply(&plan).await;
        case.holds().await;
        let before = case.everything().await;
        case.documents.retain(|d| d.address != case.subject.address);
        let plan = case.plan(&prune()).await;
        case.scene.apply(&plan).await;
        let gone = before.len() - case.everything().await.len();
        assert_eq!(gone, usize::from(lasting), "{subject:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_while_nobody_knows_who_refers_to_it() {
    for (refers, operation) in [
        ("ResponsePlan", "ListResponsePlans"),
        ("OnCallSchedule", "ListContacts"),
    ] {
        let subject = SUBJECTS.iter().find(|(kind, _)| *kind == refers).unwrap();
        let mut case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let before = case.everything().await;
        case.documents
            .retain(|d| d.address.kind == "ReplicationSet");
        let rule = json!([{"match": {"operation": operation}, "then": "deny"}]);
        let denied = Faults::parse(&rule.to_string()).unwrap();
        case.scene.sandbox.set_faults(denied);
        let plan = case.plan(&prune()).await;
        // It is said even though no document declares any of that kind.
        assert!(!plan.complete() && plan.changes.iter().any(|c| c.address.kind == refers));
        case.scene.apply(&plan).await;
        case.scene.sandbox.set_faults(Faults::default());
        let after = case.everything().await;
        let kept = ["EscalationPlan", "Rotation", "OnCallSchedule", refers];
        for (key, live) in before
            .iter()
            .filter(|(key, _)| kept.contains(&key.0.as_str()))
        {
            assert_eq!(after.get(key), Some(live), "{refers}: {}", told(&plan));
        }
        let plan = case.plan(&prune()).await;
        case.scene.apply(&plan).await;
        assert!(case.plan(&prune()).await.is_empty());
    }
}

/// A response plan that is there and calls an escalation plan, and documents in which it calls another.
async fn calls_another_now() -> (Case, &'static str) {
    let mut case = Case::new(("ResponsePlan", "banana-checkout-down")).await;
    case.run(&Wish::default()).await;
    let (old, new) = ("EscalationPlan/banana-checkout", "EscalationPlan/other");
    for document in &mut case.documents {
        if document.address.to_string() == old {
            "other".clone_into(&mut document.address.name);
            document.spec["name"] = json!("other");
        }
        let text = document.spec.to_string().replace(old, new);
        document.spec = serde_json::from_str(&text).unwrap();
    }
    (case, old)
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_while_what_may_refer_to_it_could_not_be_made() {
    let (case, old) = calls_another_now().await;
    let before = case.everything().await;
    // A list comes back without the one which still refers to the old, so that it would be made anew.
    let rule = json!([{"match": {"operation": "ListResponsePlans"}, "then": "missingItem"}]);
    let faults = Faults::parse(&rule.to_string()).unwrap();
    case.scene.sandbox.set_faults(faults);
    let plan = case.plan(&prune()).await;
    let acts = |address: &str| {
        let change = plan
            .changes
            .iter()
            .find(|c| c.address.to_string() == address);
        change.map(|change| (change.action, change.acts()))
    };
    assert_eq!(acts(old), Some((Action::Delete, true)), "{}", told(&plan));
    let there = "ResponsePlan/banana-checkout-down";
    assert_eq!(acts(there), Some((Action::Create, true)), "{}", told(&plan));
    let outcome = case.scene.apply(&plan).await;
    let ending = |address: &str| {
        let mut changes = plan.changes.iter().zip(&outcome.endings);
        let (_, ending) = changes.find(|(c, _)| c.address.to_string() == address)?;
        ending.clone()
    };
    assert!(matches!(ending(there), Some(Ending::Failed(_))));
    let Some(Ending::Skipped(why)) = ending(old) else {
        panic!("{:?}", ending(old));
    };
    let expected = format!("it waits for {there}, which failed or was not tried");
    assert_eq!(why, expected);
    case.scene.sandbox.set_faults(Faults::default());
    let after = case.everything().await;
    for (key, live) in &before {
        assert_eq!(after.get(key), Some(live));
    }
    let (rest, _) = case.scene.converge(&case.documents, &prune(), 1).await;
    assert!(rest.is_empty(), "{}", told(&rest));
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_while_what_may_refer_to_it_is_not_found_and_not_known() {
    let (case, old) = calls_another_now().await;
    let before = case.everything().await;
    // Nobody knows whom the new plan calls, so that it does not come; and a list comes back without the one which still
    // refers to the old.
    let rules = json!([
        {"match": {"operation": "ListContactChannels"}, "then": "deny"},
        {"match": {"operation": "ListResponsePlans"}, "then": "missingItem"},
    ]);
    let faults = Faults::parse(&rules.to_string()).unwrap();
    case.scene.sandbox.set_faults(faults);
    let plan = case.plan(&prune()).await;
    let change = plan.changes.iter().find(|c| c.address.to_string() == old);
    let change = change.unwrap_or_else(|| panic!("{}", told(&plan)));
    assert_eq!(change.action, Action::Unknown, "{}", told(&plan));
    assert_eq!(
        change.reason.as_deref(),
        Some(
            "ResponsePlan/banana-checkout-down, which may refer to it, was not found, and is not known"
        )
    );
    case.scene.apply(&plan).await;
    case.scene.sandbox.set_faults(Faults::default());
    assert_eq!(case.everything().await, before);
    let (rest, _) = case.scene.converge(&case.documents, &prune(), 1).await;
    assert!(rest.is_empty(), "{}", told(&rest));
}
