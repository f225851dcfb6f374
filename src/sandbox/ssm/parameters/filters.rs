//! Conditions on parameters.

use serde_json::Value;

use super::super::{invalid, tags::Tags};
use super::{Parameter, names};
use crate::sandbox::{Call, Fault};

/// Which operation a filter is for: each knows other keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// `DescribeParameters`.
    Describe,
    /// `GetParametersByPath`.
    Path,
}

/// One condition.
pub(super) struct Filter {
    pub(super) key: String,
    option: String,
    pub(super) values: Vec<String>,
}

/// Reads the filters of a request, in both their forms, and checks them.
pub(super) fn parse(call: &Call<'_>, operation: For) -> Result<Vec<Filter>, Fault> {
    let old = call.list("Filters").map(Vec::as_slice).unwrap_or_default();
    let new = call
        .list("ParameterFilters")
        .map(Vec::as_slice)
        .unwrap_or_default();
    if !old.is_empty() && !new.is_empty() {
        return Err(invalid(
            "You can use either Filters or ParameterFilters in a single request.",
        ));
    }
    let mut filters: Vec<Filter> = Vec::new();
    for value in old.iter().chain(new) {
        let mut filter = read(value);
        if !old.is_empty() && filter.key == "Name" {
            // The deprecated form matches the beginnings of names.
            "BeginsWith".clone_into(&mut filter.option);
        }
        check(&filter, operation)?;
        if filters.iter().any(|other| other.key == filter.key) {
            return Err(Fault::new(
                "InvalidFilterKey",
                format!(
                    "The following filter is duplicated in the request: {}. A request can contain only one \
                     occurrence of a specific filter.",
                    filter.key
                ),
            ));
        }
        filters.push(filter);
    }
    Ok(filters)
}

fn read(value: &Value) -> Filter {
    let text = |member: &str| value.get(member).and_then(Value::as_str);
    let key = text("Key").unwrap_or_default().to_owned();
    let default = if key == "Path" { "OneLevel" } else { "Equals" };
    Filter {
        option: text("Option").unwrap_or(default).to_owned(),
        values: value
            .get("Values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        key,
    }
}

fn check(filter: &Filter, operation: For) -> Result<(), Fault> {
    let Filter {
        key,
        option,
        values,
    } = filter;
    let keys: &[&str] = match operation {
        For::Describe => &["Path", "Name", "Type", "KeyId", "Tier", "DataType"],
        For::Path => &["Type", "KeyId", "Label"],
    };
    let is_tag = operation == For::Describe && key.starts_with("tag:");
    if !is_tag && !keys.contains(&key.as_str()) {
        return Err(Fault::new(
            "InvalidFilterKey",
            format!(
                "The following filter key is not valid: {key}. Valid filter keys include: [{}].",
                keys.join(", ")
            ),
        ));
    }
    if values.is_empty() && !is_tag {
        return Err(Fault::new(
            "InvalidFilterValue",
            format!("The following filter values are missing : null for filter key {key}."),
        ));
    }
    let options: &[&str] = match key.as_str() {
        "Path" => &["Recursive", "OneLevel"],
        "Name" => &["BeginsWith", "Contains", "Equals"],
        "Label" => &["Equals"],
        _ => &["BeginsWith", "Equals"],
    };
    if !options.contains(&option.as_str()) {
        return Err(Fault::new(
            "InvalidFilterOption",
            format!(
                "The following filter option is not valid: {option}. Valid options include: [{}].",
                options.join(", ")
            ),
        ));
    }
    let known: &[&str] = match key.as_str() {
        "Type" => &["String", "StringList", "SecureString"],
        "Tier" => &["Standard", "Advanced", "Intelligent-Tiering"],
        _ => &[],
    };
    let stranger = values
        .iter()
        .find(|value| option == "Equals" && !known.contains(&value.as_str()));
    if let Some(value) = stranger.filter(|_| !known.is_empty()) {
        return Err(Fault::new(
            "InvalidFilterValue",
            format!(
                "The following filter value is not valid: {value}. Valid values include: [{}].",
                known.join(", ")
            ),
        ));
    }
    if key == "Path" {
        for value in values {
            let path = names::check_path(value)?.to_ascii_lowercase();
            if path.starts_with("/aws") || path.starts_with("/ssm") {
                return Err(invalid(
                    "Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). When \
                     using global parameters, please specify within a global namespace.",
                ));
            }
        }
    }
    Ok(())
}

impl Filter {
    /// Returns whether a parameter meets the condition.
    pub(super) fn matches(&self, parameter: &Parameter, tags: Option<&Tags>) -> bool {
        let Some(latest) = parameter.latest() else {
            return false;
        };
        match self.key.as_str() {
            "Name" => self.name(&parameter.name),
            "Path" => self.values.iter().any(|path| {
                names::check_path(path).is_ok_and(|path| {
                    names::is_under(&parameter.name, &path, self.option == "Recursive")
                })
            }),
            "Type" => self.compare(&parameter.kind),
            "KeyId" => latest.key.as_deref().is_some_and(|key| self.compare(key)),
            "Tier" => self.compare(&latest.tier),
            "DataType" => self.compare(&latest.data_type),
            "Label" => parameter
                .versions
                .iter()
                .flat_map(|v| &v.labels)
                .any(|label| self.compare(label)),
            key => {
                let key = key.strip_prefix("tag:").unwrap_or(key);
                tags.and_then(|tags| tags.get(key))
                    .is_some_and(|value| self.values.is_empty() || self.compare(value))
            }
        }
    }

    fn compare(&self, text: &str) -> bool {
        self.values.iter().any(|value| match self.option.as_str() {
            "BeginsWith" => text.starts_with(value),
            "Contains" => text.contains(value),
            _ => text == value,
        })
    }

    /// A name's leading slash does not count, except for `Contains`.
    fn name(&self, name: &str) -> bool {
        let bare = name.trim_start_matches('/');
        self.values.iter().any(|value| {
            let wanted = value.trim_start_matches('/');
            match self.option.as_str() {
                "BeginsWith" => bare.starts_with(wanted),
                "Contains" => name.contains(value),
                _ => bare == wanted,
            }
        })
    }
}
