//! The one place that reads environment variables, apart from those that clap and the AWS SDK read themselves.

use std::path::PathBuf;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `AWS_REGION` or `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// `AWS_ACCESS_KEY_ID` when it names an account of the simulated AWS: twelve digits.
    pub sandbox_account: Option<String>,
    /// `AWS_CA_BUNDLE`.
    pub ca_bundle: Option<PathBuf>,
}

/// Reads the environment.
pub(super) fn read() -> Environment {
    let account = |key: &String| key.len() == 12 && key.bytes().all(|b| b.is_ascii_digit());
    Environment {
        region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
        sandbox_account: variable("AWS_ACCESS_KEY_ID").filter(account),
        ca_bundle: variable("AWS_CA_BUNDLE").map(PathBuf::from),
    }
}

/// Reads one variable; an empty one counts as not set.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Says whether a variable is set to nothing.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(super) fn is_empty(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value.is_empty())
}

/// Says whether somebody asked for no colour: <https://no-color.org>.
pub(super) fn no_color() -> bool {
    variable("NO_COLOR").is_some()
}

/// Returns the width to write for: `COLUMNS`, where a shell exports it.
pub(super) fn width() -> Option<usize> {
    variable("COLUMNS")
        .and_then(|columns| columns.parse().ok())
        .filter(|&columns| columns >= 40)
}
