//! The difference between the tags an object has and the tags it shall have.

use crate::model::stamp::{Stamp, Tags, user_tags};

/// What to set and what to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Keys to add or overwrite.
    pub set: Vec<(String, String)>,
    /// Keys to remove.
    pub remove: Vec<String>,
}

/// Compares live tags with the user's (`None`: others may set what they like) and the stamp's.
pub fn change(live: &Tags, user: Option<&Tags>, stamp: &Stamp) -> Change {
    let wanted = stamp.with(user.unwrap_or(&Tags::new()));
    let set = wanted
        .iter()
        .filter(|(key, value)| live.get(*key) != Some(*value));
    let ours = user_tags(live);
    let remove = ours
        .keys()
        .filter(|key| user.is_some() && !wanted.contains_key(*key));
    Change {
        set: set.map(|(k, v)| (k.clone(), v.clone())).collect(),
        remove: remove.cloned().collect(),
    }
}
