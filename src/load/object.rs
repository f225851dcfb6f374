//! One document of a known kind: what it declares, and what the other documents must know of it.

use std::sync::Arc;

use serde_json::Value;

use super::across::{Entry, Referred, Variable};
use super::draft::Draft;
use super::envelope::Envelope;
use super::files::Found;
use super::kind::Kind;
use super::metadata::Metadata;
use super::origin::{self, Origin};
use super::personal;
use super::reserved::{self, Reserved};
use super::stack::{Stack, StackSpec};
use super::target::{Target, TargetSpec};
use super::tree::{Content, Node};
use super::variables;
use super::{Declared, Loader};
use crate::model::schema::{Findings, Focus, Schema};
use crate::model::{Address, Place, spec};

impl Loader<'_> {
    /// Takes one document of a known kind.
    pub(super) fn object(&mut self, file: &Found, root: Node, envelope: Envelope) {
        let Envelope { kind, metadata } = envelope;
        let Metadata {
            name,
            at: name_at,
            ok: name_ok,
            labels,
        } = metadata;
        let address = name
            .as_ref()
            .map(|name| Address::new(kind.clone(), name.clone()));
        let place = origin::place(&file.name, name_at);
        let root = Arc::new(root);
        let spec = root
            .get("spec")
            .filter(|node| matches!(node.content, Content::Map(_)));
        let (Some(kind), Some(spec)) = (self.kinds.get(kind.as_str()), spec) else {
            self.sources.distrust(&file.name);
            self.entries
                .extend(address.map(|address| Entry::bare(address, place)));
            return;
        };
        let mut value = spec.to_value();
        let mut draft = Draft::new(address, Origin::new(&file.name, Arc::clone(&root), name_at));
        let schema = kind.schema();
        let reserved = match kind.reserved {
            [] => Reserved::default(),
            _ => reserved::take(&mut value, schema, &mut draft),
        };
        let failed = draft.contents(file, schema, &mut value, &mut self.reader);
        for (_, content) in &draft.origin.contents {
            self.sources
                .insert(&content.name, Arc::clone(&content.text));
        }
        // A wrong name has been reported where it stands; the kind need not do so again.
        fill_name(schema, &mut value, name.filter(|_| name_ok), &mut draft);
        let findings = schema.walk(&value);
        if schema.has_personal_values() {
            self.sources.beware(&file.name, root.range);
        }
        for node in findings
            .sensitive
            .iter()
            .filter_map(|at| draft.origin.node(at))
        {
            personal::hide(node, &mut |node, range| {
                self.sources.hide(&file.name, range);
                draft.secrets.extend(node.and_then(personal::written));
            });
        }
        draft.violations(&findings, &failed);
        draft.variables(&value);
        draft.documents(&findings, &value, &self.sources);
        let parsed = draft.parse(kind.spec, &value, &findings, &failed);
        self.report.diagnostics.extend(draft.findings());

        let Some(address) = draft.address else {
            return;
        };
        let targets = targets(&reserved, parsed.as_ref(), kind, &draft.origin);
        self.entries.push(entry(
            address.clone(),
            place.clone(),
            (&value, parsed.as_ref()),
            findings,
            targets,
            kind,
            &draft.origin,
        ));
        let Some(spec) = parsed.filter(|_| draft.clean) else {
            return;
        };
        match kind.spec.kind() {
            "Stack" => {
                let spec = spec::typed::<StackSpec>(&spec).ok();
                let stack = spec.map(|spec| Stack::new(address.name, spec, place));
                self.stack = self.stack.take().or(stack);
                return;
            }
            "Target" => {
                let name = address.name;
                let spec = spec::typed::<TargetSpec>(&spec).ok();
                self.targets
                    .extend(spec.map(|spec| Target { name, spec, place }));
                return;
            }
            _ => {}
        }
        self.objects.push(Declared {
            address,
            spec,
            lifecycle: reserved.lifecycle,
            targets: reserved.targets,
            labels,
            place,
            problem: None,
        });
    }
}

/// Fills `spec.name` from `metadata.name` where the kind wants one and the spec has none.
fn fill_name(schema: &Schema, value: &mut Value, name: Option<String>, draft: &mut Draft) {
    let Value::Object(map) = value else {
        return;
    };
    if schema.requires_text("name") && !map.contains_key("name") {
        draft.origin.filled = true;
        map.insert(
            "name".to_owned(),
            Value::String(name.unwrap_or_else(|| "unnamed".to_owned())),
        );
    }
}

/// Returns what other documents must know of this one.
fn entry(
    address: Address,
    place: Place,
    (value, parsed): (&Value, Option<&Value>),
    findings: Findings,
    targets: Vec<(String, Place)>,
    kind: &Kind<'_>,
    origin: &Origin,
) -> Entry {
    let references = findings.references.into_iter().map(|found| Referred {
        place: origin.place(&found.at, Focus::Value),
        kind: found.kind,
        name: found.name,
    });
    let variables = variables::used(value).into_iter().map(|used| Variable {
        place: origin.place_in_text(&used.at, used.offset),
        at: used.at,
        name: used.name,
    });
    let name = value
        .get("name")
        .and_then(Value::as_str)
        .filter(|_| kind.schema().requires_text("name"));
    let asked = kind.spec.exclusive().iter();
    let exclusive = asked
        .flat_map(|exclusive| exclusive.asked(value, parsed.unwrap_or(value)))
        .map(|(what, at, text)| (what, text, origin.place(&at, Focus::Value)));
    Entry {
        address,
        place,
        references: references.collect(),
        identity: name.map(|name| (name.to_owned(), origin.place("/name", Focus::Value))),
        exclusive: exclusive.collect(),
        targets,
        variables: variables.collect(),
    }
}

/// Returns the targets that are named, with their places.
fn targets(
    reserved: &Reserved,
    parsed: Option<&Value>,
    kind: &Kind<'_>,
    origin: &Origin,
) -> Vec<(String, Place)> {
    let of_stack = parsed
        .filter(|_| kind.reserved.is_empty())
        .and_then(|spec| spec.get("targets"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|target| target.as_str().map(str::to_owned));
    reserved
        .targets
        .iter()
        .cloned()
        .chain(of_stack)
        .enumerate()
        .map(|(index, target)| {
            (
                target,
                origin.place(&format!("/targets/{index}"), Focus::Value),
            )
        })
        .collect()
}
