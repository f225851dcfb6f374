//! What has to happen to a contact's channels, decided without AWS.

use std::collections::{BTreeMap, BTreeSet};

use super::{Channel, Stage};

/// The steps from the channels that are there to those that shall be, in this order: delete, rename, readdress, create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Channels that are wanted no more, or wanted with another type.
    pub(super) delete: BTreeSet<String>,
    /// Channels that stay as they are under another name, from and to: a rename keeps the activation.
    pub(super) rename: BTreeMap<String, String>,
    /// Channels that get another address.
    pub(super) readdress: BTreeSet<String>,
    /// Channels that are missing.
    pub(super) create: BTreeSet<String>,
}

impl Steps {
    /// Compares the channels of a contact with those that are wanted.
    pub(super) fn between(
        live: &BTreeMap<String, Channel>,
        wanted: &BTreeMap<String, Channel>,
    ) -> Self {
        let stays = |name: &String| match (live.get(name), wanted.get(name)) {
            (Some(old), Some(new)) => old.kind == new.kind,
            _ => false,
        };
        let mut steps = Self {
            delete: live.keys().filter(|name| !stays(name)).cloned().collect(),
            rename: BTreeMap::new(),
            readdress: wanted
                .keys()
                .filter(|name| stays(name) && live.get(*name) != wanted.get(*name))
                .cloned()
                .collect(),
            create: wanted.keys().filter(|name| !stays(name)).cloned().collect(),
        };
        for new in steps.create.clone() {
            let same = |old: &&String| live.get(*old) == wanted.get(&new);
            if let Some(old) = steps.delete.iter().find(same).cloned() {
                steps.delete.remove(&old);
                steps.create.remove(&new);
                steps.rename.insert(old, new);
            }
        }
        steps
    }
}

/// Returns the stages without the channels that are not at hand, and without stages that would do nothing then.
pub(super) fn reduced(stages: &[Stage], at_hand: &BTreeMap<String, String>) -> Vec<Stage> {
    let mut reduced = stages.to_vec();
    for stage in &mut reduced {
        let there = |channel: &str| at_hand.contains_key(channel) || channel.starts_with("arn:");
        stage.notify.retain(|notify| there(&notify.channel));
    }
    reduced.retain(|stage| stage.duration_minutes > 0 || !stage.notify.is_empty());
    reduced
}

#[cfg(test)]
mod tests {
    use super::super::{ChannelType, Notify};
    use super::*;
    use crate::model::Sensitive;

    fn channels(list: &[(&str, ChannelType, &str)]) -> BTreeMap<String, Channel> {
        let channel = |kind, address: &str| Channel {
            kind,
            address: Sensitive::Value(address.to_owned()),
        };
        list.iter()
            .map(|(name, kind, address)| ((*name).to_owned(), channel(*kind, address)))
            .collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn another_address_keeps_the_channel_and_another_type_does_not() {
        use ChannelType::{Email, Sms, Voice};
        let live = channels(&[
            ("mail", Email, "a@b.c"),
            ("phone", Sms, "+1"),
            ("old", Sms, "+2"),
        ]);
        let wanted = channels(&[
            ("mail", Email, "x@b.c"),
            ("phone", Voice, "+1"),
            ("new", Sms, "+3"),
        ]);
        let steps = Steps::between(&live, &wanted);
        assert_eq!(steps.delete, set(&["old", "phone"]));
        assert_eq!(steps.readdress, set(&["mail"]));
        assert_eq!(steps.create, set(&["new", "phone"]));
        assert!(steps.rename.is_empty());
        assert_eq!(Steps::between(&wanted, &wanted), Steps::default());
    }

    #[test]
    fn the_same_address_under_another_name_is_renamed() {
        let live = channels(&[("mail", ChannelType::Email, "a@b.c")]);
        let wanted = channels(&[("email", ChannelType::Email, "a@b.c")]);
        let steps = Steps::between(&live, &wanted);
        assert_eq!(
            steps.rename,
            [("mail".to_owned(), "email".to_owned())].into()
        );
        assert!(steps.delete.is_empty() && steps.create.is_empty());
    }

    #[test]
    fn stages_that_would_do_nothing_are_dropped() {
        let stage = |duration_minutes, names: &[&str]| Stage {
            duration_minutes,
            notify: names
                .iter()
                .map(|name| Notify {
                    channel: (*name).to_owned(),
                    retry_interval_minutes: None,
                })
                .collect(),
        };
        let at_hand = [("a".to_owned(), "arn:a".to_owned())].into();
        let stages = [stage(0, &["b"]), stage(5, &["b"]), stage(0, &["a", "b"])];
        assert_eq!(
            reduced(&stages, &at_hand),
            [stage(5, &[]), stage(0, &["a"])]
        );
    }
}
