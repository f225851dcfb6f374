//! From the text of a file to trees, one per document.
//!
//! Built on the events of `granit-parser` and not on a deserializer: every node needs its place, duplicate keys need
//! both places, and a broken document must not hide the next one. JSON is read the same way, YAML being a superset.

use granit_parser::{ErrorKind, Parser, ScanError, Span as Parsed};

use super::build::{self, Builder, Step};
use super::tree::{Node, Span};
use super::{MOST_PROBLEMS, beyond};

/// How deep a document may be nested.
pub(super) const MAX_DEPTH: usize = 64;

/// Something wrong in a file, found before anything is known about kinds.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) at: Span,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Where the first of two equal keys is, which the hint names.
    pub(super) first: Option<Span>,
}

impl Problem {
    pub(super) fn new(code: &'static str, at: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            at,
            message: message.into(),
            hint: None,
            first: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    /// What is wrong with it although it could be read; of interest only when it is one of ours.
    pub(super) problems: Vec<Problem>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) documents: Vec<Document>,
    /// Documents that could not be read.
    pub(super) problems: Vec<Problem>,
}

/// Reads a file. Empty documents are left out; a document that cannot be read is a problem, and the next one is read.
pub(super) fn parse(text: &str) -> File {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        simple_key_max_lookahead: 8192,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::new(text);
    let mut file = File::default();
    loop {
        let problem = match parser.next() {
            None => break,
            Some(Ok((event, span))) => match builder.event(event, span) {
                Ok(Step::More) => continue,
                Ok(Step::Document(document)) => {
                    file.documents.extend(document);
                    continue;
                }
                Err(problem) => *problem,
            },
            Some(Err(error)) => syntax(&error, &builder),
        };
        let fatal = problem.code == "too-large";
        let at = problem.at;
        file.problems.push(problem);
        builder.abandon();
        if file.problems.len() == MOST_PROBLEMS {
            let message = "the rest of the file is not read";
            let problem = Problem::new("too-many-problems", at, message);
            file.problems.push(problem.hint(beyond(0).1));
            break;
        }
        if fatal || !matches!(parser.proceed_next_document(), Ok(true)) {
            break;
        }
    }
    file
}

fn syntax(error: &ScanError, builder: &Builder<'_>) -> Problem {
    let at = builder.span(&Parsed::empty(*error.marker()));
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return build::too_deep(at);
    }
    let hint = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => "indent with spaces, not with tabs",
        ErrorKind::UnclosedQuotedScalar => "close the quote that is opened here",
        ErrorKind::UnclosedFlowCollection { .. } => "close the bracket that is opened here",
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            "a bracket that was opened before is not closed, or a comma is missing"
        }
        ErrorKind::UnexpectedCharacter { .. } => "put quotes around the text",
        ErrorKind::MappingValueNotAllowed => {
            "a text that holds `: ` needs quotes; otherwise check the indentation"
        }
        _ => "check the indentation and the brackets here",
    };
    Problem::new("yaml-syntax", at, error.info()).hint(hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::schema::Focus;

    fn only(text: &str) -> Document {
        let mut file = parse(text);
        assert!(file.problems.is_empty(), "{:?}", file.problems);
        assert_eq!(file.documents.len(), 1);
        file.documents.remove(0)
    }

    fn place(text: &str, pointer: &str, focus: Focus) -> (usize, usize, usize) {
        let document = only(text);
        let at = document.root.locate(document.root.at, pointer, focus);
        (at.line, at.column, at.length)
    }

    #[test]
    fn every_value_has_its_place() {
        let text = "a: 1\nb:\n  - x: \"é\"\n    y: {z: [1, 22]}\nc: |\n  text\nd:\n";
        assert_eq!(place(text, "/a", Focus::Value), (1, 4, 1));
        assert_eq!(place(text, "/b/0/x", Focus::Value), (3, 8, 3));
        assert_eq!(place(text, "/b/0/y/z/1", Focus::Value), (4, 16, 2));
        assert_eq!(place(text, "/b/0/y", Focus::Value), (4, 8, 12));
        assert_eq!(place(text, "/b/0", Focus::Value), (3, 5, 1));
        assert_eq!(place(text, "/b", Focus::Value), (2, 1, 1));
        assert_eq!(place(text, "/c", Focus::Value), (5, 1, 1));
        assert_eq!(place(text, "/d", Focus::Value), (7, 1, 1));
        assert_eq!(place(text, "/b/0/nothing/here", Focus::Value), (3, 5, 1));
    }

    #[test]
    fn anchors_aliases_and_merges_work() {
        let document = only("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nlist: [*b]\n");
        let value = document.root.to_value();
        assert_eq!(value["use"], json!({"y": 3, "x": 1}));
        assert_eq!(value["list"], json!([{"x": 1, "y": 2}]));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let item = format!("*a{}", level - 1);
            let items = vec![item; 10].join(", ");
            text.extend([format!("b{level}: &a{level} [{items}]\n")]);
        }
        let file = parse(&text);
        assert_eq!(file.problems[0].code, "alias-bomb");
        assert_eq!(parse("&a [*a]").problems[0].code, "alias-bomb");
    }

    #[test]
    fn both_places_of_a_duplicate_key_are_named() {
        let document = only("a: 1\nb: 2\na: 3\n");
        let problem = &document.problems[0];
        assert_eq!((problem.code, problem.at.line), ("duplicate-key", 3));
        assert!(
            problem
                .hint
                .as_deref()
                .unwrap()
                .contains("line 1, column 1")
        );
        assert_eq!(document.root.to_value(), json!({"a": 1, "b": 2}));
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next() {
        let file = parse("a: [1\n---\nb: 1\n---\nc: d: e\n---\nf: 2\n");
        assert_eq!(file.problems.len(), 2);
        assert_eq!(file.documents.len(), 2);
        assert_eq!(file.problems[1].at.line, 5);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(parse(&text).problems[0].code, "too-deep");
    }

    #[test]
    fn json_with_tabs_and_surrogates_is_read() {
        let document = only("{\n\t\"a\": [1,\n\t\t2], \"k\": \"\\ud83d\\ude00\\/\"\n}\n");
        assert_eq!(document.root.to_value(), json!({"a": [1, 2], "k": "😀/"}));
    }

    #[test]
    fn empty_documents_are_left_out() {
        assert!(parse("---\n---\n# nothing\n").documents.is_empty());
        assert!(parse("").documents.is_empty());
    }

    #[test]
    fn carriage_returns_and_a_byte_order_mark_do_not_move_places() {
        assert_eq!(
            place("\u{feff}a: 1\r\nb: x\r\n", "/b", Focus::Value),
            (2, 4, 1)
        );
    }
}
