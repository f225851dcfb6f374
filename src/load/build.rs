//! Builds located trees from the parser's events.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, ScalarStyle, Span as Parsed, StructureStyle, Tag};
use serde_json::Value;

use super::scalar;
use super::sources::lines;
use super::tree::{Content, Key, Node, Range, Span};
use super::yaml::{Document, MAX_DEPTH, Problem};
use super::{MOST_PROBLEMS, beyond};

/// How many nodes a file may have.
const MAX_NODES: usize = 1_000_000;
/// How many nodes all aliases of a file may stand for; a long text counts as many.
const MAX_EXPANDED: usize = 100_000;

/// What an event led to.
pub(super) enum Step {
    More,
    Document(Option<Document>),
}

enum Frame {
    List {
        open: Open,
        items: Vec<Node>,
    },
    Map {
        open: Open,
        entries: Vec<(Key, Node)>,
        seen: HashMap<String, Span>,
        merges: Vec<Node>,
        key: Pending,
    },
}

/// The key that waits for its value.
enum Pending {
    None,
    Key(Key),
    Merge,
    /// A key that is reported and forgotten with its value.
    Bad,
}

struct Open {
    anchor: usize,
    flow: bool,
    span: Parsed,
}

struct Anchored {
    node: Node,
    weight: usize,
    height: usize,
}

pub(super) struct Builder<'t> {
    lines: Vec<&'t str>,
    stack: Vec<Frame>,
    root: Option<Node>,
    /// What aliases stand for; nothing for what is too much to be copied even once.
    anchors: HashMap<usize, Option<Anchored>>,
    problems: Vec<Problem>,
    /// How many problems were found and not kept.
    dropped: usize,
    nodes: usize,
    expanded: usize,
}

impl<'t> Builder<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            lines: lines(text).collect(),
            stack: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            problems: Vec::new(),
            dropped: 0,
            nodes: 0,
            expanded: 0,
        }
    }

    pub(super) fn abandon(&mut self) {
        self.stack.clear();
        self.root = None;
        self.anchors.clear();
        self.problems.clear();
        self.dropped = 0;
    }

    /// Keeps a problem, unless there are so many that nobody would read it.
    fn report(&mut self, problem: Problem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.dropped += 1;
        }
    }

    /// Returns the problems of the document that ends here.
    fn problems(&mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.problems);
        if let Some(last) = problems.last().filter(|_| self.dropped > 0) {
            let (message, hint) = beyond(self.dropped);
            problems.push(Problem::new("too-many-problems", last.at, message).hint(hint));
        }
        problems
    }

    pub(super) fn event(&mut self, event: Event<'t>, span: Parsed) -> Result<Step, Box<Problem>> {
        match event {
            Event::DocumentEnd => {
                let root = self.root.take().filter(|root| !root.is_null());
                let problems = self.problems();
                self.abandon();
                return Ok(Step::Document(root.map(|root| Document { root, problems })));
            }
            Event::Alias(anchor) => {
                let node = self.alias(anchor, &span)?;
                self.finish(node, Leaf::Inline, 0);
            }
            Event::UnresolvedAlias(name) => {
                let at = self.span(&span);
                self.report(
                    Problem::new(
                        "yaml-syntax",
                        at,
                        format!("nothing is anchored as `&{name}`"),
                    )
                    .hint("a text that begins with `*` needs quotes"),
                );
                let node = self.scalar(Value::Null, None, &span);
                self.finish(node, Leaf::Inline, 0);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.room(&span)?;
                let empty = style == ScalarStyle::Plain && span.is_empty();
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let node = self.leaf(&text, style, tag.as_deref(), &span);
                let kind = match (empty, block) {
                    (true, _) => Leaf::Empty,
                    (_, true) => Leaf::Block,
                    _ if style == ScalarStyle::Plain => Leaf::Plain,
                    _ => Leaf::Inline,
                };
                self.finish(node, kind, anchor);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(style, anchor, tag.as_ref(), span, |open| Frame::List {
                    open,
                    items: Vec::new(),
                })?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(style, anchor, tag.as_ref(), span, |open| Frame::Map {
                    open,
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    merges: Vec::new(),
                    key: Pending::None,
                })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&span),
            _ => {}
        }
        Ok(Step::More)
    }

    /// Counts a node.
    fn room(&mut self, span: &Parsed) -> Result<(), Box<Problem>> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("the file has more than {MAX_NODES} values");
        Err(Box::new(
            Problem::new("too-large", self.span(span), message).hint("split the file"),
        ))
    }

    fn open(
        &mut self,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&Cow<'_, Tag>>,
        span: Parsed,
        frame: impl FnOnce(Open) -> Frame,
    ) -> Result<(), Box<Problem>> {
        self.room(&span)?;
        if self.stack.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(self.span(&span))));
        }
        if let Some(tag) = tag.filter(|tag| !matches!(tag.core_suffix(), Some("map" | "seq"))) {
            self.tag(tag, &span);
        }
        self.stack.push(frame(Open {
            anchor,
            flow: style == StructureStyle::Flow,
            span,
        }));
        Ok(())
    }

    fn tag(&mut self, tag: &Tag, span: &Parsed) {
        let at = self.span(&span.tag_span().unwrap_or(*span));
        let message = format!("the tag `{}` has no meaning here", tag.original());
        let hint = "remove it, or quote the text if it shall begin with `!`";
        self.report(Problem::new("unsupported-yaml", at, message).hint(hint));
    }

    fn leaf(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Parsed) -> Node {
        let plain = style == ScalarStyle::Plain;
        let meant = match tag {
            None if plain => scalar::plain(text),
            None => None,
            Some(tag) => match tag.core_suffix() {
                Some("str") => None,
                Some("int" | "float" | "bool" | "null") => scalar::plain(text),
                _ => {
                    self.tag(tag, span);
                    None
                }
            },
        };
        let raw = meant.is_some().then(|| text.to_owned());
        let value = meant.unwrap_or_else(|| Value::String(text.to_owned()));
        self.scalar(value, raw, span)
    }

    fn scalar(&self, value: Value, raw: Option<String>, span: &Parsed) -> Node {
        Node {
            at: self.span(span),
            range: range(span, span),
            content: Content::Scalar { value, raw },
        }
    }

    fn alias(&mut self, anchor: usize, span: &Parsed) -> Result<Node, Box<Problem>> {
        let at = self.span(span);
        let Some(anchored) = self.anchors.get(&anchor) else {
            let message = "an alias stands inside what it stands for".to_owned();
            return Err(Box::new(
                Problem::new("alias-bomb", at, message).hint("write the value out"),
            ));
        };
        let fits = |anchored: &&Anchored| self.expanded + anchored.weight <= MAX_EXPANDED;
        let Some(anchored) = anchored.as_ref().filter(fits) else {
            let message =
                format!("the aliases of this file stand for more than {MAX_EXPANDED} values");
            return Err(Box::new(
                Problem::new("alias-bomb", at, message)
                    .hint("write the values out, or use fewer aliases"),
            ));
        };
        self.expanded += anchored.weight;
        if self.stack.len() + anchored.height > MAX_DEPTH {
            return Err(Box::new(too_deep(at)));
        }
        Ok(Node {
            at,
            ..anchored.node.clone()
        })
    }

    fn close(&mut self, end: &Parsed) {
        let Some(frame) = self.stack.pop() else {
            return;
        };
        let (open, content, first) = match frame {
            Frame::List { open, items } => {
                let first = items.first().map(|item| item.at);
                (open, Content::List(items), first)
            }
            Frame::Map {
                open,
                mut entries,
                mut seen,
                merges,
                ..
            } => {
                for merge in merges {
                    self.merge(merge, &mut entries, &mut seen);
                }
                let first = entries.first().map(|(key, _)| key.at);
                (open, Content::Map(entries), first)
            }
        };
        let at = if open.flow {
            self.span(&Parsed::new(open.span.start, end.end))
        } else {
            first.unwrap_or_else(|| self.span(&open.span))
        };
        let node = Node {
            at,
            range: range(&open.span, end),
            content,
        };
        let kind = if open.flow { Leaf::Inline } else { Leaf::Block };
        self.finish(node, kind, open.anchor);
    }

    fn merge(
        &mut self,
        merge: Node,
        entries: &mut Vec<(Key, Node)>,
        seen: &mut HashMap<String, Span>,
    ) {
        match merge.content {
            Content::Map(members) => {
                for (key, node) in members {
                    if !seen.contains_key(&key.text) {
                        seen.insert(key.text.clone(), key.at);
                        entries.push((key, node));
                    }
                }
            }
            Content::List(maps) => {
                for map in maps {
                    self.merge(map, entries, seen);
                }
            }
            Content::Scalar { .. } => self.report(
                Problem::new(
                    "unsupported-yaml",
                    merge.at,
                    "`<<` wants a map, or a list of maps",
                )
                .hint("name an anchored map, as in `<<: *defaults`"),
            ),
        }
    }

    /// Puts a node where it belongs.
    fn finish(&mut self, mut node: Node, kind: Leaf, anchor: usize) {
        if let Some(Frame::Map { key, .. }) = self.stack.last()
            && matches!(kind, Leaf::Block | Leaf::Empty)
        {
            match key {
                Pending::Key(key) => node.at = key.at,
                Pending::Merge | Pending::Bad | Pending::None => {}
            }
        }
        if anchor > 0 {
            let weight = node.weight();
            let fits = self.expanded + weight <= MAX_EXPANDED;
            let anchored = fits.then(|| Anchored {
                node: node.clone(),
                weight,
                height: node.height(),
            });
            self.expanded += if fits { weight } else { 0 };
            self.anchors.insert(anchor, anchored);
        }
        let problem = match self.stack.last_mut() {
            None => {
                self.root = Some(node);
                None
            }
            Some(Frame::List { items, .. }) => {
                items.push(node);
                None
            }
            Some(Frame::Map {
                entries,
                seen,
                merges,
                key,
                ..
            }) => match std::mem::replace(key, Pending::None) {
                Pending::None => take_key(node, kind, seen, key),
                Pending::Bad => None,
                Pending::Merge => {
                    merges.push(node);
                    None
                }
                Pending::Key(key) => {
                    entries.push((key, node));
                    None
                }
            },
        };
        if let Some(problem) = problem {
            self.report(problem);
        }
    }

    /// Returns what a caret underlines: to the end of the line for what goes over several.
    pub(super) fn span(&self, span: &Parsed) -> Span {
        let (start, end) = (&span.start, &span.end);
        let length = if start.line() == end.line() {
            end.col().saturating_sub(start.col())
        } else {
            let line = self.lines.get(start.line().saturating_sub(1));
            let width = line.map_or(0, |line| line.trim_end().chars().count());
            width.saturating_sub(start.col())
        };
        Span {
            line: start.line().max(1),
            column: start.col() + 1,
            length: length.max(1),
        }
    }
}

/// How a node is written, which decides where its caret goes.
#[derive(Clone, Copy, PartialEq)]
enum Leaf {
    Plain,
    /// Quoted, an alias, or a collection in brackets.
    Inline,
    /// Over several lines.
    Block,
    /// Nothing at all.
    Empty,
}

fn take_key(
    node: Node,
    kind: Leaf,
    seen: &mut HashMap<String, Span>,
    pending: &mut Pending,
) -> Option<Problem> {
    let (at, range) = (node.at, node.range);
    let text = match node.content {
        Content::Scalar {
            value: Value::String(text),
            ..
        } => text,
        Content::Scalar {
            raw: Some(raw),
            value,
        } if !value.is_null() => raw,
        _ => {
            *pending = Pending::Bad;
            return Some(
                Problem::new("unsupported-yaml", at, "a key must be a text")
                    .hint("a text that begins with `{`, `[` or `?` needs quotes"),
            );
        }
    };
    if text == "<<" && kind == Leaf::Plain {
        *pending = Pending::Merge;
        return None;
    }
    if let Some(first) = seen.get(&text) {
        *pending = Pending::Bad;
        let message = format!("the key `{}` stands here a second time", shorten(&text));
        let hint = remove_one(first.line, first.column, "");
        let mut problem = Problem::new("duplicate-key", at, message).hint(hint);
        problem.first = Some(*first);
        return Some(problem);
    }
    seen.insert(text.clone(), at);
    *pending = Pending::Key(Key { text, at, range });
    None
}

/// Says where the first of two equal keys is.
pub(super) fn remove_one(line: usize, column: usize, of: &str) -> String {
    format!("the first is in line {line}, column {column}{of}: remove one of them")
}

pub(super) fn too_deep(at: Span) -> Problem {
    let message = format!("the document is nested more than {MAX_DEPTH} levels deep");
    Problem::new("too-deep", at, message).hint("nothing of AWS is nested so deeply: flatten it")
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

fn range(from: &Parsed, to: &Parsed) -> Range {
    Range {
        start: (from.start.line(), from.start.col() + 1),
        end: (to.end.line(), to.end.col() + 1),
    }
}
