//! What is wrong with an embedded document in JSON, with its place in the text.

use serde_json::Value;

use super::sources::span_at;
use super::yaml::Problem;

/// Returns why a text is no JSON.
pub(super) fn problem(text: &str) -> Option<Problem> {
    let error = serde_json::from_str::<Value>(text).err()?;
    let place = format!(" at line {} column {}", error.line(), error.column());
    let said = error.to_string();
    let said = said.strip_suffix(place.as_str()).unwrap_or(said.as_str());
    let (message, hint) = if said == "recursion limit exceeded" {
        (
            "the JSON is nested too deeply".to_owned(),
            "nothing of AWS is nested so deeply: flatten it",
        )
    } else {
        (
            format!("the JSON cannot be read: {said}"),
            "check the brackets, commas and quotes here",
        )
    };
    let at = span_at(text, offset(text, &error));
    Some(Problem::new("bad-document", at, message).hint(hint))
}

/// Returns the byte that an error is about; of a text that ends too soon, the last one.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let above = error.line().saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(above).map(str::len).sum();
    let last = text.trim_end().len().saturating_sub(1);
    let offset = (start + error.column()).saturating_sub(1).min(last);
    let mut before = (0..=offset).rev();
    before
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_place_in_characters() {
        for (text, found) in [
            ("{\n  \"a\": [\n    1, 2, ]\n}\n", "3:11 trailing comma"),
            ("{\"バナナ\": 1,, \"b\": 2}", "1:11 key must be a string"),
            ("{\"a\": [\n\n", "1:7 EOF while parsing a list"),
            (
                "{\"a\": \"x\ny\"}",
                "1:9 control character (\\u0000-\\u001F) found while parsing a string",
            ),
        ] {
            let problem = problem(text).unwrap();
            let message = problem.message.replace("the JSON cannot be read: ", "");
            let (line, column) = (problem.at.line, problem.at.column);
            assert_eq!(format!("{line}:{column} {message}"), found);
        }
        assert!(problem("{\"a\": [1]}\n").is_none());
        let deep = problem(&"[".repeat(1000)).unwrap();
        assert_eq!(deep.message, "the JSON is nested too deeply");
    }
}
