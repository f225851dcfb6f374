//! The IAM actions that kinds need, and what each can be limited to.

/// One IAM action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// For instance `ssm-contacts:GetContact`.
    pub name: &'static str,
    /// Whether `plan` needs it, or only `apply`.
    pub access: Access,
    /// The ARN pattern it can be limited to, with `{partition}`, `{region}` and `{account}`, `{name}` for the name in
    /// AWS and `{value}` for what [`Action::at`] finds; `*` where AWS knows no resource for it.
    pub resource: &'static str,
    /// The tags that it can be limited to.
    pub limit: Limit,
    /// The field of a spec that makes the action needed; its values are the resources, where they are ARNs.
    pub at: Option<&'static str>,
    /// The field of a spec, and the texts of which one must be in it for the action to be needed.
    pub when: Option<(&'static str, &'static [&'static str])>,
    /// Whether deleting an object needs it.
    pub deletes: Deletes,
}

/// Whether deleting an object needs an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deletes {
    /// It does not.
    No,
    /// It does, whether or not other changes do.
    Too,
    /// It does, and nothing else does.
    Alone,
}

/// When an action is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// By `plan`, `drift`, `export`, and by everything that plans first.
    Read,
    /// By `apply` and `destroy` alone.
    Write,
}

/// To which tags a policy can limit an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// To none.
    Unlimited,
    /// The request carries our stamp: it creates an object.
    Stamps,
    /// The object carries our stamp.
    Ours,
    /// The object does not carry another stack's stamp: it may not be there yet, or be nobody's.
    NotOthers,
    /// It writes tags: on an object of ours, or the stamp on one that is nobody's or not there yet.
    Tags,
}

/// An action that `plan` needs.
pub const fn reads(name: &'static str, resource: &'static str) -> Action {
    Action {
        name,
        access: Access::Read,
        resource,
        limit: Limit::Unlimited,
        at: None,
        when: None,
        deletes: Deletes::No,
    }
}

/// An action that only `apply` needs.
pub const fn writes(name: &'static str, resource: &'static str) -> Action {
    Action {
        access: Access::Write,
        ..reads(name, resource)
    }
}

impl Action {
    /// The request carries our stamp, and AWS lets a policy insist on that.
    #[must_use]
    pub const fn stamps(self) -> Self {
        self.limited(Limit::Stamps)
    }

    /// Only an object that carries our stamp is touched, and AWS lets a policy insist on that.
    #[must_use]
    pub const fn ours(self) -> Self {
        self.limited(Limit::Ours)
    }

    /// The object is ours, nobody's, or not there yet, and AWS lets a policy insist on that.
    #[must_use]
    pub const fn not_others(self) -> Self {
        self.limited(Limit::NotOthers)
    }

    /// Writes tags on an object, in a call of its own or in the one that creates it.
    #[must_use]
    pub const fn tags(self) -> Self {
        self.limited(Limit::Tags)
    }

    /// Needed for specs that have something at this JSON Pointer alone, and there for what it names; a step `*` stands
    /// for every key of a map.
    #[must_use]
    pub const fn at(self, pointer: &'static str) -> Self {
        Self {
            at: Some(pointer),
            ..self
        }
    }

    /// Needed for specs alone in which one of these texts is in what is at this JSON Pointer.
    #[must_use]
    pub const fn when(self, pointer: &'static str, texts: &'static [&'static str]) -> Self {
        Self {
            when: Some((pointer, texts)),
            ..self
        }
    }

    /// Deleting an object needs it, whether or not other changes do.
    #[must_use]
    pub const fn deletes(self) -> Self {
        Self {
            deletes: Deletes::Too,
            ..self
        }
    }

    /// Deletes the object; no other change needs it.
    #[must_use]
    pub const fn ends(self) -> Self {
        Self {
            deletes: Deletes::Alone,
            ..self
        }
    }

    const fn limited(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }
}
