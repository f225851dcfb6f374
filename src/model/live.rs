//! Objects as AWS has them.

use super::stamp::Tags;

/// What identifies an object in AWS and what a reference to it resolves to: its ARN, or its id where it has no ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub String);

/// An object as AWS has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Live<S> {
    /// What references to it resolve to.
    pub id: Id,
    /// The name that AWS knows it by; empty for a singleton.
    pub name: String,
    /// The same spec a user would have written.
    pub spec: S,
    /// All its tags, ours and AWS's included; empty where the kind has none.
    pub tags: Tags,
    /// Whether it has left every state in which AWS is still at work on it.
    pub ready: bool,
    /// What a person should know though it is no difference, for instance a channel that nobody activated.
    pub notes: Vec<String>,
}

impl<S> Live<S> {
    /// Returns the same object with its spec in another form.
    pub fn map<T>(self, form: impl FnOnce(S) -> T) -> Live<T> {
        let Self {
            id,
            name,
            spec,
            tags,
            ready,
            notes,
        } = self;
        Live {
            id,
            name,
            spec: form(spec),
            tags,
            ready,
            notes,
        }
    }

    /// Returns a copy with a spec in another form.
    pub fn with<T>(&self, spec: T) -> Live<T> {
        Live {
            id: self.id.clone(),
            name: self.name.clone(),
            spec,
            tags: self.tags.clone(),
            ready: self.ready,
            notes: self.notes.clone(),
        }
    }
}
