//! What every document has in common: `apiVersion`, `kind`, `metadata`, `spec`.

use super::files::Found;
use super::metadata::{Metadata, metadata};
use super::tree::{Content, Node, Span};
use super::yaml::{Document, Problem};
use super::{API_VERSION, Loader, diagnostic};
use crate::model::schema::kind_of;
use crate::model::{Diagnostic, suggest};

const GROUP: &str = "stationbill.dev";
const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// What a document turned out to be.
enum Class {
    Ours,
    /// Somebody else's, with an `apiVersion` of its own.
    Foreign,
    /// A list of documents, as `kubectl get -o yaml` writes it.
    List,
    /// Nothing that anybody knows.
    Stray(Problem),
}

/// What was taken from the envelope.
pub(super) struct Envelope {
    pub(super) kind: String,
    pub(super) metadata: Metadata,
}

impl Loader<'_> {
    /// Takes one document of a file.
    pub(super) fn document(
        &mut self,
        file: &Found,
        document: Document,
        strays: &mut Vec<Diagnostic>,
    ) {
        let Document { root, problems } = document;
        match self.classify(&root, file) {
            Class::Foreign => {}
            Class::Stray(problem) => strays.push(diagnostic(&file.name, problem)),
            Class::List => {
                let items = match root.content {
                    Content::Map(entries) => {
                        entries.into_iter().find(|(key, _)| key.text == "items")
                    }
                    _ => None,
                };
                if let Some((
                    _,
                    Node {
                        content: Content::List(items),
                        ..
                    },
                )) = items
                {
                    let mut problems = problems;
                    for root in items {
                        let problems = std::mem::take(&mut problems);
                        self.document(file, Document { root, problems }, strays);
                    }
                }
            }
            Class::Ours => {
                self.ours += 1;
                for problem in problems {
                    self.report.push(diagnostic(&file.name, problem));
                }
                let mut found = Vec::new();
                let envelope = self.envelope(&root, &mut found);
                for problem in found {
                    self.report.push(diagnostic(&file.name, problem));
                }
                match envelope {
                    Some(envelope) => self.object(file, root, envelope),
                    None => self.sources.distrust(&file.name),
                }
            }
        }
    }

    fn classify(&self, root: &Node, file: &Found) -> Class {
        let stray = |message: String, hint: &str| {
            Class::Stray(Problem::new("not-a-document", root.at, message).hint(hint))
        };
        if !matches!(root.content, Content::Map(_)) {
            let message = format!(
                "this is no Stationbill document but {}",
                kind_of(&root.to_value())
            );
            return stray(
                message,
                "name the file by `contentFrom`, or move it out of the folder",
            );
        }
        let kind = root.get("kind").and_then(Node::text);
        let known = kind.is_some_and(|kind| self.kinds.contains_key(kind));
        let Some(version) = root.get("apiVersion").filter(|node| !node.is_null()) else {
            let like_ours = known || (root.get("metadata").is_some() && root.get("spec").is_some());
            if like_ours {
                return Class::Ours;
            }
            if file.is_passing_json() && !FIELDS.iter().any(|field| root.get(field).is_some()) {
                // package.json, tsconfig.json and their like stand in many repositories.
                return Class::Foreign;
            }
            return stray(
                "this is no Stationbill document: it has no `apiVersion`".to_owned(),
                "if it is the content of one, name it there by `contentFrom`; otherwise move it out of the folder",
            );
        };
        let Some(version) = version.text() else {
            return if known {
                Class::Ours
            } else {
                stray(
                    "`apiVersion` is no text".to_owned(),
                    "write `apiVersion: stationbill.dev/v1alpha1`",
                )
            };
        };
        let group = version.split('/').next().unwrap_or_default();
        if kind == Some("List") && (version == "v1" || group == GROUP) {
            return Class::List;
        }
        if group == GROUP && kind == Some("Plan") && file.is_passing_json() && is_saved(root) {
            return Class::Foreign;
        }
        let near = suggest::closest(group, [GROUP]).is_some_and(|_| group.contains("stationb"));
        if group == GROUP || near || (known && !version.contains('/')) {
            Class::Ours
        } else {
            Class::Foreign
        }
    }

    /// Checks what every document has in common; `None` when the kind is not known.
    fn envelope(&self, root: &Node, found: &mut Vec<Problem>) -> Option<Envelope> {
        version(root, found);
        for (key, _) in root.entries() {
            if !FIELDS.contains(&key.text.as_str()) {
                let hint = match suggest::closest(&key.text, FIELDS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "what a kind takes belongs under `spec`".to_owned(),
                };
                found.push(
                    Problem::new(
                        "unknown-field",
                        key.at,
                        format!("unknown field `{}`", key.text),
                    )
                    .hint(hint),
                );
            }
        }
        let metadata = metadata(root, found);
        let kind = self.kind(root, found)?;
        match root.entry("spec") {
            Some((_, node)) if matches!(node.content, Content::Map(_)) => {}
            Some((_, node)) if node.is_null() => {
                found.push(missing(
                    node.at,
                    "`spec` is empty",
                    "write what the kind takes; `spec: {}` if nothing",
                ));
            }
            Some((_, node)) => {
                let message = format!("`spec` wants a map, found {}", kind_of(&node.to_value()));
                found.push(Problem::new("wrong-type", node.at, message));
            }
            None => found.push(missing(
                root.at,
                "`spec` is missing",
                "add `spec:` with what the kind takes",
            )),
        }
        Some(Envelope { kind, metadata })
    }

    fn kind(&self, root: &Node, found: &mut Vec<Problem>) -> Option<String> {
        let names = || self.kinds.keys().copied();
        let Some((key, node)) = root.entry("kind") else {
            let hint = format!("add `kind: …`, one of {}", suggest::names(names()));
            found.push(missing(root.at, "`kind` is missing", hint));
            return None;
        };
        let Some(kind) = node.text() else {
            let at = if node.is_null() { key.at } else { node.at };
            let hint = format!("the kinds are {}", suggest::names(names()));
            found.push(
                Problem::new(
                    "wrong-type",
                    at,
                    format!("`kind` wants a text, found {}", kind_of(&node.to_value())),
                )
                .hint(hint),
            );
            return None;
        };
        if self.kinds.contains_key(kind) {
            return Some(kind.to_owned());
        }
        let hint = match suggest::closest(kind, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the kinds are {}", suggest::names(names())),
        };
        found.push(
            Problem::new(
                "unknown-kind",
                node.at,
                format!("there is no kind `{kind}`"),
            )
            .hint(hint),
        );
        None
    }
}

/// Says whether a document has the form of a plan that `plan --out` wrote, perhaps into this very folder.
fn is_saved(root: &Node) -> bool {
    root.get("spec").is_none() && root.get("digest").and_then(Node::text).is_some()
}

/// Makes the problem of a missing part.
pub(super) fn missing(at: Span, message: &str, hint: impl Into<String>) -> Problem {
    Problem::new("missing-field", at, message).hint(hint)
}

fn version(root: &Node, found: &mut Vec<Problem>) {
    let hint = format!("write `apiVersion: {API_VERSION}`");
    match root.get("apiVersion").filter(|node| !node.is_null()) {
        None => found.push(missing(root.at, "`apiVersion` is missing", hint)),
        Some(node) => match node.text() {
            Some(API_VERSION) => {}
            Some(text) => found.push(
                Problem::new(
                    "unknown-version",
                    node.at,
                    format!("`apiVersion` cannot be `{text}`"),
                )
                .hint(hint),
            ),
            None => {
                let message = format!(
                    "`apiVersion` wants a text, found {}",
                    kind_of(&node.to_value())
                );
                found.push(Problem::new("wrong-type", node.at, message).hint(hint));
            }
        },
    }
}
