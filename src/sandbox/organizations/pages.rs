//! Pages of at most twenty, and their opaque tokens, which remember the last id that was shown.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Answer, Call, Fault, Map};

/// The page size when the caller asks for none, and the most it can ask for.
const MOST: i64 = 20;

/// Answers one page of `items`, by their ids.
pub(super) fn page(call: &Call<'_>, member: &str, mut items: Vec<(String, Value)>) -> Answer {
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    let after = match call.str("NextToken").filter(|token| !token.is_empty()) {
        Some(token) => Some(open(member, token)?),
        None => None,
    };
    let size = usize::try_from(call.int("MaxResults").unwrap_or(MOST)).unwrap_or(1);
    let mut rest = items
        .into_iter()
        .skip_while(|(id, _)| after.as_ref().is_some_and(|after| id <= after))
        .peekable();
    let (mut shown, mut last) = (Vec::new(), String::new());
    while shown.len() < size
        && let Some((id, value)) = rest.next()
    {
        shown.push(value);
        last = id;
    }
    let mut answer = Map::from_iter([(member.to_owned(), Value::Array(shown))]);
    if rest.peek().is_some() {
        let token = URL_SAFE_NO_PAD.encode(format!("{member}\n{last}"));
        answer.insert("NextToken".to_owned(), Value::from(token));
    }
    Ok(answer)
}

fn open(member: &str, token: &str) -> Result<String, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    match text.split_once('\n') {
        Some((of, last)) if of == member => Ok(last.to_owned()),
        _ => {
            let message = "You provided an invalid value for the NextToken parameter.";
            let fault = Fault::new("InvalidInputException", message);
            Err(fault.with("Reason", "INVALID_NEXT_TOKEN"))
        }
    }
}
