//! The rules of parameter names.

use super::super::{Store, arn, invalid};
use crate::sandbox::{Call, Fault};

/// How long a name can be, with the ARN's part before it; and how deep its hierarchy.
const LONGEST: usize = 1011;
const DEEPEST: usize = 15;

/// Takes the spaces off around a name; spaces within it are refused.
pub(super) fn trimmed(name: &str) -> Result<&str, Fault> {
    let name = name.trim();
    if name.contains(char::is_whitespace) {
        return Err(ill_formed());
    }
    Ok(name)
}

/// Checks the name of a parameter to be written, and returns it without the spaces around it.
pub(super) fn check<'n>(call: &Call<'_>, name: &'n str) -> Result<&'n str, Fault> {
    let name = name.trim();
    let bare = name.trim_start_matches('/').to_ascii_lowercase();
    if bare.starts_with("aws") && name.starts_with('/') && bare.contains('/') {
        // Names under /aws exist: they are AWS's own public parameters.
        return Err(Fault::new(
            "AccessDeniedException",
            format!("No access to reserved parameter name: {name}."),
        ));
    }
    if bare.starts_with("aws") || bare.starts_with("ssm") {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
        ));
    }
    check_form(name)?;
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    if depth(name) > DEEPEST {
        return Err(Fault::new(
            "HierarchyLevelLimitExceededException",
            format!("A hierarchy can have a maximum of {DEEPEST} levels."),
        ));
    }
    let prefix = arn(call, "parameter/");
    if prefix.len() + name.trim_start_matches('/').len() > LONGEST {
        return Err(invalid(format!(
            "Parameter name: the name and its ARN prefix can have at most {LONGEST} characters."
        )));
    }
    Ok(name)
}

fn check_form(name: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if name.is_empty() || !name.chars().all(allowed) || name.contains("//") || name.ends_with('/') {
        return Err(ill_formed());
    }
    Ok(())
}

/// AWS's words for every name that is not formed well, whatever is wrong with it (boto3 #1499).
fn ill_formed() -> Fault {
    invalid(
        "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of \
         sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following \
         3 symbols .-_",
    )
}

/// Checks the path of a hierarchy, and returns it with one slash at each end.
pub(super) fn check_path(path: &str) -> Result<String, Fault> {
    let path = path.trim();
    let inner = path
        .strip_prefix('/')
        .unwrap_or(path)
        .strip_suffix('/')
        .unwrap_or_else(|| path.trim_start_matches('/'));
    if !path.starts_with('/') || (!inner.is_empty() && check_form(inner).is_err()) {
        return Err(invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward \
             slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, \
             numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not \
             allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: \
             /get/parameters2-/by1./path0_.",
        ));
    }
    Ok(if inner.is_empty() {
        "/".to_owned()
    } else {
        format!("/{inner}/")
    })
}

/// Returns whether a name lies under a path that [`check_path`] returned.
pub(super) fn is_under(name: &str, path: &str, recursive: bool) -> bool {
    let qualified = format!("/{}", name.trim_start_matches('/'));
    qualified
        .strip_prefix(path)
        .is_some_and(|rest| !rest.is_empty() && (recursive || !rest.contains('/')))
}

fn depth(name: &str) -> usize {
    name.trim_start_matches('/').split('/').count()
}

/// A reference to a parameter: its name, and the version or label after the colon.
pub(super) struct Reference<'n> {
    pub(super) name: &'n str,
    pub(super) selector: Option<&'n str>,
}

/// Takes apart what a reading operation names: a name or an ARN, with or without `:version` or `:label`.
pub(super) fn reference<'n>(
    store: &Store,
    call: &Call<'_>,
    text: &'n str,
) -> Result<Reference<'n>, Fault> {
    let text = trimmed(text)?;
    let prefix = arn(call, "parameter");
    let Some(path) = text
        .strip_prefix(&prefix)
        .filter(|path| path.starts_with('/'))
    else {
        // An ARN of somewhere else names nothing here.
        let (name, selector) = match text.split_once(':') {
            Some((name, selector)) if name != "arn" => (name, Some(selector)),
            _ => (text, None),
        };
        return Ok(Reference { name, selector });
    };
    let (path, selector) = match path.split_once(':') {
        Some((path, selector)) => (path, Some(selector)),
        None => (path, None),
    };
    // The slash belongs to the ARN, and in a hierarchy to the name as well.
    let name = path
        .strip_prefix('/')
        .filter(|name| store.parameters.contains_key(*name))
        .unwrap_or(path);
    Ok(Reference { name, selector })
}
