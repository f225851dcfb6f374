//! How the program ends.

/// The exit codes that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, in sync, valid.
    Ok,
    /// The answer is no: differences with `--exit-code`, drift, invalid documents.
    No,
    /// Failed, in whole or in part.
    Failed,
    /// Somebody interrupted.
    Interrupted,
}

impl Exit {
    /// Returns the number.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::No => 1,
            Self::Failed => 2,
            Self::Interrupted => 130,
        }
    }
}
