//! How Systems Manager writes on how many nodes something runs at the same time, and how many may fail.

/// `MaxConcurrency`: a number or a percentage, and not none. [M] service model.
pub(super) const CONCURRENCY: &str = r"^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$";

/// `MaxErrors`: a number or a percentage, which may be none. [M] service model.
pub(super) const ERRORS: &str = r"^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$";
