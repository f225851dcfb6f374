//! Pages and their opaque tokens, which remember the last key that was shown.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::fault;
use crate::sandbox::{Answer, Call, Map};

/// Answers one page of `items`, which are sorted by their key; `usual` is its size when the caller asks for none.
pub(super) fn page(
    call: &Call<'_>,
    member: &str,
    usual: i64,
    items: impl IntoIterator<Item = (String, Value)>,
) -> Answer {
    // [M] `ListAutomationRules`: "On your first call […] set the value of this parameter to NULL".
    let token = call.str("NextToken");
    let after = match token.filter(|token| !["", "NULL"].contains(token)) {
        None => None,
        Some(token) => Some(open(member, token).ok_or_else(|| {
            fault::invalid("Invalid parameter 'NextToken'. The token is not valid.")
        })?),
    };
    let size = usize::try_from(call.int("MaxResults").unwrap_or(usual)).unwrap_or(1);
    let mut rest = items
        .into_iter()
        .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after))
        .peekable();
    let (mut shown, mut last) = (Vec::new(), String::new());
    while shown.len() < size
        && let Some((key, value)) = rest.next()
    {
        shown.push(value);
        last = key;
    }
    let mut answer = Map::from_iter([(member.to_owned(), Value::Array(shown))]);
    if rest.peek().is_some() {
        let token = URL_SAFE_NO_PAD.encode(format!("{member}\n{last}"));
        answer.insert("NextToken".to_owned(), token.into());
    }
    Ok(answer)
}

fn open(member: &str, token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (of, key) = text.split_once('\n')?;
    (of == member).then(|| key.to_owned())
}
