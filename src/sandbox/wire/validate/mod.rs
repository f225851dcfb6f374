//! What AWS's front end refuses before an operation sees it, in AWS's words.
//!
//! The wording is that of errors which users of AWS report: `Value '…' at 'tags.1.member.key' failed to satisfy
//! constraint: …`, for simple elements of a list `Value '[…]' at 'ids' failed to satisfy constraint: Member must satisfy
//! constraint: […]`, for maps `Map keys must satisfy constraint: […]`, and for sensitive ones no value at all.

mod constraint;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::Protocol;
use crate::sandbox::models::{Kind, Member, OperationModel, Service, Shape};
use crate::sandbox::{Fault, Map};
use constraint::{all_hold, all_texts, holds_structures, own_constraints};

/// One violated constraint.
#[derive(Debug)]
struct Violation {
    path: String,
    /// The value as it is printed; nothing when it is sensitive.
    value: Option<String>,
    constraint: String,
}

impl Violation {
    fn message(&self) -> String {
        let value = self
            .value
            .as_ref()
            .map_or(String::new(), |value| format!(" {value}"));
        format!(
            "Value{value} at '{}' failed to satisfy constraint: {}",
            self.path, self.constraint
        )
    }
}

/// Checks an operation's input against its shape's constraints.
pub(crate) fn validate(
    service: &Service,
    protocol: Protocol,
    operation: &OperationModel,
    value: &Map,
) -> Result<(), Fault> {
    let Some(name) = operation.input.as_deref() else {
        return Ok(());
    };
    let mut check = Check {
        service,
        violations: Vec::new(),
        unions: Vec::new(),
    };
    check.structure(service.shape(name), value, "");
    if let Some(path) = check.unions.first() {
        // A union with no member or several is not a value of its type at all.
        return Err(Fault::new(
            "SerializationException",
            format!("Exactly one member of the union at '{path}' must be set"),
        ));
    }
    if check.violations.is_empty() {
        return Ok(());
    }
    if let [first, ..] = &check.violations[..]
        && service.metadata.signing_name() == SECURITY_HUB
        && operation.fails_with(INVALID_INPUT)
    {
        return Err(invalid_parameter(first));
    }
    Err(fault(service, protocol, &check.violations))
}

/// The service that refuses such input by an error of its own, [M], which all of its operations have but those two that
/// enable and disable it.
const SECURITY_HUB: &str = "securityhub";
const INVALID_INPUT: &str = "InvalidInputException";

/// What Security Hub says, as users report it: `Invalid parameter 'RuleOrder'. …`. Only the first violation is told.
fn invalid_parameter(violation: &Violation) -> Fault {
    let capital = |step: &str| {
        let mut letters = step.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let path: Vec<String> = violation.path.split('.').map(capital).collect();
    let message = format!(
        "Invalid parameter '{}'. {}",
        path.join("."),
        violation.constraint
    );
    Fault::new(INVALID_INPUT, message).with("Code", INVALID_INPUT)
}

fn fault(service: &Service, protocol: Protocol, violations: &[Violation]) -> Fault {
    let count = violations.len();
    let errors = if count == 1 { "error" } else { "errors" };
    let messages: Vec<String> = violations.iter().map(Violation::message).collect();
    let message = format!(
        "{count} validation {errors} detected: {}",
        messages.join("; ")
    );
    // awsQuery services, CloudWatch among them whatever it speaks, call it `ValidationError`.
    let code = if protocol == Protocol::Query || service.metadata.query_compatible() {
        "ValidationError"
    } else {
        "ValidationException"
    };
    let fault = Fault::new(code, message);
    let says_fields = service
        .error(None, code)
        .is_some_and(|(_, shape)| shape.members.get("Fields").is_some());
    if !says_fields {
        return fault;
    }
    let fields: Vec<Value> = violations
        .iter()
        .map(|v| json!({ "Name": v.path, "Message": v.constraint }))
        .collect();
    fault
        .with("Reason", "FIELD_VALIDATION_FAILED")
        .with("Fields", fields)
}

struct Check<'a> {
    service: &'a Service,
    violations: Vec<Violation>,
    /// Paths of unions that do not have exactly one member set.
    unions: Vec<String>,
}

impl Check<'_> {
    fn structure(&mut self, shape: &Shape, members: &Map, path: &str) {
        if shape.union && members.len() != 1 {
            self.unions.push(path.to_owned());
        }
        for (name, member) in shape.members.iter() {
            let at = join(path, &lower_camel(name));
            match members.get(name) {
                Some(value) => self.value(member, value, &at),
                // The service makes up a missing idempotency token as the SDKs do.
                None if member.idempotency_token => {}
                None if shape.required.iter().any(|required| required == name) => {
                    self.violations.push(Violation {
                        path: at,
                        value: Some("null".to_owned()),
                        constraint: "Member must not be null".to_owned(),
                    });
                }
                None => {}
            }
        }
    }

    fn value(&mut self, member: &Member, value: &Value, path: &str) {
        let shape = self.service.of(member);
        for constraint in own_constraints(shape) {
            if !constraint.holds(shape, value) {
                self.report(shape, value, path, constraint.text(shape));
            }
        }
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => self.structure(shape, members, path),
            (Kind::List, Value::Array(items)) => self.list(shape, items, value, path),
            (Kind::Map, Value::Object(entries)) => self.map(shape, entries, value, path),
            _ => {}
        }
    }

    /// Elements that are structures are checked one by one; the constraints of simple ones are reported once, for the
    /// whole list.
    fn list(&mut self, shape: &Shape, items: &[Value], whole: &Value, path: &str) {
        let Some(member) = &shape.member else { return };
        if holds_structures(self.service, member) {
            for (i, item) in items.iter().enumerate() {
                self.element(member, item, &format!("{path}.{}.member", i + 1));
            }
        } else if items
            .iter()
            .any(|item| !all_hold(self.service, member, item))
        {
            let text = format!(
                "Member must satisfy constraint: {}",
                all_texts(self.service, member)
            );
            self.report(shape, whole, path, text);
        }
    }

    fn map(&mut self, shape: &Shape, entries: &Map, whole: &Value, path: &str) {
        if let Some(key) = &shape.key
            && entries
                .keys()
                .any(|k| !all_hold(self.service, key, &Value::from(k.as_str())))
        {
            let text = format!(
                "Map keys must satisfy constraint: {}",
                all_texts(self.service, key)
            );
            self.report(shape, whole, path, text);
        }
        let Some(member) = &shape.value else { return };
        if holds_structures(self.service, member) {
            for (key, value) in entries {
                self.element(member, value, &format!("{path}.{key}.member"));
            }
        } else if entries
            .values()
            .any(|value| !all_hold(self.service, member, value))
        {
            let text = format!(
                "Map value must satisfy constraint: {}",
                all_texts(self.service, member)
            );
            self.report(shape, whole, path, text);
        }
    }

    fn element(&mut self, member: &Member, value: &Value, path: &str) {
        if value.is_null() {
            let shape = self.service.of(member);
            self.report(shape, value, path, "Member must not be null".to_owned());
        } else {
            self.value(member, value, path);
        }
    }

    fn report(&mut self, shape: &Shape, value: &Value, path: &str, constraint: String) {
        let printed = (!is_sensitive(self.service, shape)).then(|| match value {
            Value::Null => "null".to_owned(),
            value => format!("'{}'", print(value)),
        });
        self.violations.push(Violation {
            path: path.to_owned(),
            value: printed,
            constraint,
        });
    }
}

/// Says whether a value of this shape may not be printed.
fn is_sensitive(service: &Service, shape: &Shape) -> bool {
    let part = |member: &Option<Member>| {
        let shape = member.as_ref().map(|member| service.of(member));
        shape.is_some_and(|shape| shape.kind != Kind::Structure && is_sensitive(service, shape))
    };
    // Structures are looked at one level deep: models may be recursive.
    let direct = |shape: &Shape| {
        shape
            .members
            .iter()
            .any(|(_, member)| service.of(member).sensitive)
    };
    let of_structure = |member: &Option<Member>| {
        member
            .as_ref()
            .is_some_and(|member| direct(service.of(member)))
    };
    shape.sensitive
        || direct(shape)
        || part(&shape.member)
        || part(&shape.value)
        || of_structure(&shape.member)
        || of_structure(&shape.value)
}

/// Prints a value as AWS's front end does: `[a, b]`, `{k=v}`.
fn print(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(print).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{k}={}", print(v)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Lower-cases the first letter only: `DBName` is printed as `dBName`.
fn lower_camel(name: &str) -> String {
    let mut chars = name.chars();
    let mut out = String::with_capacity(name.len());
    if let Some(first) = chars.next() {
        out.push(first.to_ascii_lowercase());
    }
    out.push_str(chars.as_str());
    out
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
