//! Plans as counts, for the widget of GitLab's merge requests.
//! <https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsterraform>

use serde_json::{Value, json};

use crate::model::plan::{Action, Change, Plan};

/// Counts what `apply` would do. A replacement is a creation and a deletion, as Terraform counts it.
pub fn plan(plan: &Plan) -> Value {
    let count = |actions: &[Action]| {
        let changes = plan.changes.iter().filter(|change| Change::acts(change));
        changes
            .filter(|change| actions.contains(&change.action))
            .count()
    };
    json!({
        "create": count(&[Action::Create, Action::Replace]),
        "update": count(&[Action::Update, Action::Adopt]),
        "delete": count(&[Action::Delete, Action::Replace]),
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::rich;
    use super::*;

    #[test]
    fn what_would_be_left_alone_does_not_count() {
        let rich = rich();
        let of = |action| {
            rich.changes
                .iter()
                .filter(|c| c.action == action && c.acts())
                .count()
        };
        let (creates, replaces) = (of(Action::Create), of(Action::Replace));
        let shown = plan(&rich);
        assert_eq!(shown["create"], creates + replaces);
        assert_eq!(shown["delete"], of(Action::Delete) + replaces);
        assert_eq!(shown["update"], of(Action::Update) + of(Action::Adopt));
        let words: Vec<&String> = shown.as_object().unwrap().keys().collect();
        assert_eq!(words, ["create", "update", "delete"]);
    }
}
