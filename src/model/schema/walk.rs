//! One walk over a value.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::super::suggest;
use super::cures::type_hint;
use super::path::{Path, Step};
use super::repair;
use super::words::{allowed, count, kind_of, sentence, shown, wanted};
use super::{
    Findings, Focus, Found, Node, Number, Record, Repair, Rest, Schema, Shape, Text, Violation,
};

const CHARACTERS: [&str; 2] = ["character", "characters"];

struct Walk<'s> {
    schema: &'s Schema,
    findings: Findings,
}

pub(super) fn walk(schema: &Schema, value: &Value) -> Findings {
    let mut walk = Walk {
        schema,
        findings: Findings::default(),
    };
    let root = Path {
        parent: None,
        step: Step::Root,
        secret: false,
        description: None,
    };
    walk.node(&schema.root, value, &root);
    walk.findings
}

impl Walk<'_> {
    fn push(
        &mut self,
        code: &'static str,
        path: &Path<'_>,
        focus: Focus,
        message: String,
        hint: Option<String>,
    ) {
        self.findings.violations.push(Violation {
            code,
            at: path.pointer(),
            focus,
            message,
            hint,
            quote: false,
            missing: None,
            repair: None,
        });
    }

    fn node(&mut self, node: &Node, value: &Value, path: &Path<'_>) {
        let mut path = *path;
        path.description = node.description.as_deref().or(path.description);
        if node.sensitive && !path.secret {
            path.secret = true;
            self.findings.sensitive.push(path.pointer());
        }
        let path = &path;
        match (&node.shape, value) {
            (Shape::Document, Value::String(_)) => self.findings.documents.push(path.pointer()),
            (Shape::Any, _)
            | (Shape::Document, Value::Object(_))
            | (Shape::Bool, Value::Bool(_)) => {}
            (Shape::Text(text), Value::String(value)) => self.text(text, value, path),
            (Shape::Choice(words), Value::String(word)) => {
                if !words.contains(word) {
                    self.not_among(words, word, path);
                }
            }
            (Shape::Number(number), Value::Number(value)) if !(number.whole && value.is_f64()) => {
                self.number(number, value, path);
            }
            (
                Shape::List {
                    items,
                    min,
                    max,
                    unique,
                },
                Value::Array(list),
            ) => {
                self.counted(list.len(), ["item", "items"], *min, *max, path);
                for (index, item) in list.iter().enumerate() {
                    self.node(items, item, &path.then(Step::Index(index)));
                }
                if *unique {
                    self.unique(list, path);
                }
            }
            (Shape::Record(record), Value::Object(map)) => self.record(node, record, map, path),
            (Shape::Tagged { keys, words }, Value::Object(map)) => {
                self.tagged(keys, words, map, path);
            }
            (Shape::Tagged { words, .. }, Value::String(word)) if words.contains(word) => {}
            (Shape::Union(variants), value) => self.union(variants, value, path),
            _ => self.wrong_type(node, value, path),
        }
    }

    fn wrong_type(&mut self, node: &Node, value: &Value, path: &Path<'_>) {
        let found = match value {
            Value::Bool(_) | Value::Number(_) if !path.secret => shown(value),
            other => kind_of(other).to_owned(),
        };
        let text_wanted = matches!(node.shape, Shape::Text(_) | Shape::Choice(_));
        let quote = text_wanted && (value.is_number() || value.is_boolean());
        let wanted = match &node.shape {
            Shape::Tagged { words, .. } if !words.is_empty() => "a map or a text",
            shape => wanted(shape),
        };
        self.findings.violations.push(Violation {
            code: "wrong-type",
            at: path.pointer(),
            focus: Focus::Value,
            message: format!("{} wants {wanted}, found {found}", path.label()),
            hint: type_hint(node, value, path.secret).or_else(|| path.describe()),
            quote,
            missing: None,
            repair: repair::of_type(node, value).map(Repair::Replace),
        });
    }

    fn not_among(&mut self, words: &[String], word: &str, path: &Path<'_>) {
        let message = if path.secret {
            format!("{} has a value that is not known here", path.label())
        } else {
            let word = shown(&Value::String(word.to_owned()));
            format!("{} cannot be {word}", path.label())
        };
        let all = suggest::names(words.iter().map(String::as_str));
        let hint = match suggest::closest(word, words.iter().map(String::as_str)) {
            Some(near) if words.len() > 1 => format!("did you mean `{near}`? The values are {all}"),
            Some(near) => format!("did you mean `{near}`?"),
            None if words.len() == 1 => format!("the only value is {all}"),
            None => format!("the values are {all}"),
        };
        self.push("unknown-value", path, Focus::Value, message, Some(hint));
        self.repair(
            match suggest::closest(word, words.iter().map(String::as_str)) {
                Some(near) => Some(Repair::Replace(near.into())),
                None => words
                    .first()
                    .map(|word| Repair::Suppose(None, word.as_str().into())),
            },
        );
    }

    fn text(&mut self, text: &Text, value: &str, path: &Path<'_>) {
        let Text { min, max, pattern } = text;
        if min.is_some() || max.is_some() {
            let length = value.chars().count() as u64;
            if min.is_some_and(|min| length < min) {
                let message = if length == 0 {
                    format!("{} is empty", path.label())
                } else {
                    format!(
                        "{} has {}, at least {} are wanted",
                        path.label(),
                        count(length, CHARACTERS),
                        min.unwrap_or_default()
                    )
                };
                let hint = path.describe();
                return self.push("too-short", path, Focus::Value, message, hint);
            }
            if let Some(max) = max.filter(|max| length > *max) {
                let message = format!(
                    "{} has {}, at most {max} are allowed",
                    path.label(),
                    count(length, CHARACTERS)
                );
                let hint = format!("shorten it by {}", count(length - max, CHARACTERS));
                self.push("too-long", path, Focus::Value, message, Some(hint));
            }
        }
        // What a variable stands for is only known when its target is.
        let variable = value.contains("${target.");
        if let Some(pattern) = pattern.as_ref().filter(|p| !variable && !p.matches(value)) {
            let found = if path.secret {
                path.label()
            } else {
                format!(
                    "{} is {}, which",
                    path.label(),
                    shown(&Value::String(value.to_owned()))
                )
            };
            let message = format!("{found} does not match `{}`", pattern.source);
            let hint = match allowed(&pattern.source) {
                Some(words) => Some(format!("use only {words}")),
                None => path.describe(),
            };
            self.push("pattern-mismatch", path, Focus::Value, message, hint);
        }
    }

    fn reference(&mut self, kinds: &[String], value: &str, path: &Path<'_>) {
        let wanted = kinds.join(" or ");
        let (kind, name) = match value.split_once('/') {
            Some((other, _)) if !kinds.iter().any(|kind| kind == other) => {
                let message = format!("a {wanted} is wanted here, not a {other}");
                let hint = format!(
                    "a reference is written `{{ ref: name }}`, with the `metadata.name` of a {wanted}"
                );
                return self.push("wrong-ref", path, Focus::Value, message, Some(hint));
            }
            Some(named) => named,
            None => (kinds[0].as_str(), value),
        };
        self.findings.references.push(Found {
            at: path.pointer(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        });
    }

    fn number(&mut self, number: &Number, value: &serde_json::Number, path: &Path<'_>) {
        let float = value.as_f64().unwrap_or_default();
        let wanted = match (number.min, number.max) {
            (Some(min), _) if float < min => number,
            (_, Some(max)) if float > max => number,
            _ => return,
        };
        let range = match (wanted.min, wanted.max) {
            (Some(min), Some(max)) => format!("from {min} to {max}"),
            (Some(min), None) => format!("{min} or more"),
            (None, Some(max)) => format!("{max} or less"),
            (None, None) => return,
        };
        let message = format!("{} is {value}, allowed is {range}", path.label());
        self.push("out-of-range", path, Focus::Value, message, path.describe());
        let near = if wanted.min.is_some_and(|min| float < min) {
            wanted.min
        } else {
            wanted.max
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "limits of whole numbers are whole"
        )]
        self.repair(near.map(|near| {
            Repair::Replace(if number.whole {
                (near as i64).into()
            } else {
                near.into()
            })
        }));
    }

    fn counted(
        &mut self,
        length: usize,
        what: [&str; 2],
        min: Option<u64>,
        max: Option<u64>,
        path: &Path<'_>,
    ) {
        let length = length as u64;
        let rule = match (min, max) {
            (Some(min), Some(max)) if min == max && length != min => format!("exactly {min}"),
            (Some(min), _) if length < min => format!("at least {min}"),
            (_, Some(max)) if length > max => format!("at most {max}"),
            _ => return,
        };
        let has = match length {
            0 => "is empty".to_owned(),
            _ => format!("has {}", count(length, what)),
        };
        let wanted = if rule.starts_with("at most") {
            "allowed"
        } else {
            "wanted"
        };
        let verb = if rule.ends_with(" 1") { "is" } else { "are" };
        let message = format!("{} {has}, {rule} {verb} {wanted}", path.label());
        self.push("wrong-count", path, Focus::Key, message, path.describe());
    }

    fn unique(&mut self, list: &[Value], path: &Path<'_>) {
        // Texts that differ in their type only are written differently as JSON, so this is exact.
        let mut seen = std::collections::BTreeMap::new();
        for (index, item) in list.iter().enumerate() {
            if let Some(first) = seen.insert(item.to_string(), index) {
                let place = path.then(Step::Index(index));
                let message = format!(
                    "item {} of {} is the same as item {}",
                    index + 1,
                    path.label(),
                    first + 1
                );
                let hint = "remove one of them: the order does not matter here".to_owned();
                self.push("duplicate-item", &place, Focus::Value, message, Some(hint));
            }
        }
    }

    fn record(&mut self, node: &Node, record: &Record, map: &Map<String, Value>, path: &Path<'_>) {
        let mut meant = Vec::new();
        for (key, member) in map {
            let place = path.key(key);
            match (record.field(key), &record.rest) {
                (Some(_) | None, _) if member.is_null() => {
                    if let Some(entry) = record.entry(key) {
                        self.empty(entry, &place);
                    } else if record.field(key).is_none() && matches!(record.rest, Rest::Forbidden)
                    {
                        meant.extend(self.unknown_field(record, key, &place));
                    }
                }
                (Some(field), _) => match (&node.references[..], member) {
                    (kinds @ [_, ..], Value::String(name)) if key == "ref" && !name.is_empty() => {
                        self.reference(kinds, name, &place);
                    }
                    _ => self.node(field, member, &place),
                },
                (None, Rest::Of(rest)) => self.node(rest, member, &place),
                (None, Rest::Anything) => {}
                (None, Rest::Forbidden) => meant.extend(self.unknown_field(record, key, &place)),
            }
        }
        for name in &record.required {
            // A misspelt field is one mistake, not two.
            if map.get(name).is_none_or(Value::is_null) && !meant.contains(&name.as_str()) {
                self.missing(record, name, path);
            }
        }
        let present = map
            .iter()
            .filter(|(key, member)| !member.is_null() || record.entry(key).is_some())
            .count();
        if record.max == Some(1) && record.min == Some(1) {
            let known: Vec<&str> = map
                .iter()
                .filter(|(k, v)| record.field(k).is_some() && !v.is_null())
                .map(|(k, _)| k.as_str())
                .collect();
            if known.len() != 1 {
                self.exactly_one(record.names(), &known, path);
            }
        } else {
            self.counted(present, ["entry", "entries"], record.min, record.max, path);
        }
    }

    /// Reports an entry of a map that has no value.
    fn empty(&mut self, node: &Node, path: &Path<'_>) {
        let message = format!("{} is empty", path.label());
        let hint = "write its value, or remove the line".to_owned();
        self.push("wrong-type", path, Focus::Value, message, Some(hint));
        let value = repair::placeholder(node);
        self.repair(value.map(|value| Repair::Suppose(None, value)));
    }

    fn exactly_one<'a>(
        &mut self,
        names: impl Iterator<Item = &'a str>,
        found: &[&str],
        path: &Path<'_>,
    ) {
        let names = suggest::names(names);
        let (message, hint) = if found.is_empty() {
            (
                format!("{} has none of {names}", path.label()),
                "write exactly one of them",
            )
        } else {
            (
                format!(
                    "{} has {} at once",
                    path.label(),
                    suggest::names(found.iter().copied())
                ),
                "keep exactly one of them",
            )
        };
        self.push("one-of", path, Focus::Key, message, Some(hint.to_owned()));
    }

    /// Reports an unknown field of a map; returns the field that is probably meant.
    fn unknown_field<'r>(
        &mut self,
        record: &'r Record,
        key: &str,
        place: &Path<'_>,
    ) -> Option<&'r str> {
        let mut names: Vec<String> = record.names().map(str::to_owned).collect();
        for (name, field) in &record.fields {
            if matches!(field.shape, Shape::Document) {
                names.push(format!("{name}From"));
            }
        }
        if place.parent.is_some_and(|parent| parent.parent.is_none()) {
            names.extend(self.schema.reserved.iter().map(|name| (*name).to_owned()));
        }
        let near = self.unknown(names.iter().map(String::as_str), key, place)?;
        record.names().find(|name| *name == near)
    }

    fn unknown<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str> + Clone,
        key: &str,
        place: &Path<'_>,
    ) -> Option<&'n str> {
        let near = suggest::closest(key, names.clone());
        let message = if place.secret {
            "unknown field".to_owned()
        } else {
            format!("unknown field {}", shown(&Value::String(key.to_owned())))
        };
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => match suggest::names(names) {
                all if all.is_empty() => "no field is allowed here: remove it".to_owned(),
                all => format!("the fields here are {all}"),
            },
        };
        // Even the key may be an address, written in the wrong place.
        let focus = place.parent.filter(|_| place.secret).unwrap_or(place);
        self.push("unknown-field", focus, Focus::Key, message, Some(hint));
        if !place.secret {
            self.repair(Some(
                near.map_or(Repair::Remove, |near| Repair::Rename(near.to_owned())),
            ));
        }
        near
    }

    /// Adds to the last violation what would most likely make it right.
    fn repair(&mut self, repair: Option<Repair>) {
        if let Some(last) = self.findings.violations.last_mut() {
            last.repair = repair;
        }
    }

    fn missing(&mut self, record: &Record, name: &str, path: &Path<'_>) {
        let field = record.field(name);
        let mut hint = format!("add `{name}");
        if field.is_some_and(|field| matches!(field.shape, Shape::Document)) {
            let _ = write!(hint, ":` or `{name}From: {{ file: … }}");
        } else {
            hint.push_str(": …");
        }
        hint.push('`');
        if let Some(text) = field.and_then(|field| field.description.as_deref()) {
            let _ = write!(hint, ": {}", sentence(text));
        }
        let message = format!("`{name}` is missing in {}", path.label());
        self.push("missing-field", path, Focus::Key, message, Some(hint));
        if let Some(last) = self.findings.violations.last_mut() {
            last.missing = Some(name.to_owned());
            last.repair = field
                .and_then(repair::placeholder)
                .map(|value| Repair::Suppose(Some(name.to_owned()), value));
        }
    }

    fn tagged(
        &mut self,
        keys: &[(String, Node)],
        words: &[String],
        map: &Map<String, Value>,
        path: &Path<'_>,
    ) {
        let names = || keys.iter().map(|(name, _)| name.as_str());
        let mut found = Vec::new();
        for (key, member) in map {
            let place = path.key(key);
            match keys.iter().find(|(name, _)| name == key) {
                Some((name, node)) => {
                    found.push(name.as_str());
                    self.node(node, member, &place);
                }
                // The marker that a personal value has in canonical form.
                None if path.secret && key == super::super::sensitive::MARKER => found.push(key),
                None => {
                    self.unknown(names(), key, &place);
                }
            }
        }
        // One unknown key alone is a misspelt one, and has been reported.
        if found.len() > 1 || map.is_empty() {
            let all = names().chain(words.iter().map(String::as_str));
            self.exactly_one(all, &found, path);
        }
    }

    fn union(&mut self, variants: &[Node], value: &Value, path: &Path<'_>) {
        let mut best: Option<(usize, Findings)> = None;
        for variant in variants {
            let mut trial = Walk {
                schema: self.schema,
                findings: Findings::default(),
            };
            trial.node(variant, value, path);
            // A wrong discriminator (`type: sms` against the variant for e-mail) outweighs everything else.
            let cost = trial
                .findings
                .violations
                .iter()
                .map(|v| {
                    if v.code == "unknown-value" || v.at == path.pointer() {
                        100
                    } else {
                        1
                    }
                })
                .sum();
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, trial.findings));
            }
        }
        if let Some((_, findings)) = best {
            self.findings.violations.extend(findings.violations);
            self.findings.references.extend(findings.references);
            self.findings.sensitive.extend(findings.sensitive);
        }
    }
}
