//! Deleting parameters.

use serde_json::json;

use super::super::{members, operations};
use super::{current, names, not_found, remove};
use crate::sandbox::{Answer, Call, Map, State};

operations! {
    Write "DeleteParameter" => delete,
    Write "DeleteParameters" => delete_several,
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let name = names::trimmed(call.required("Name"))?;
    if remove(current(state, call), call, name) {
        Ok(Map::new())
    } else {
        Err(not_found(name))
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every operation answers an `Answer`"
)]
fn delete_several(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = current(state, call);
    let (deleted, unknown): (Vec<String>, Vec<String>) = call
        .strings("Names")
        .into_iter()
        .partition(|name| remove(store, call, name.trim()));
    Ok(members(
        json!({ "DeletedParameters": deleted, "InvalidParameters": unknown }),
    ))
}
