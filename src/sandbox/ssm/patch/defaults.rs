//! The default baseline of an operating system: there is always one.

use serde_json::json;

use super::super::{members, operations};
use super::{check_id, does_not_exist, predefined};
use crate::sandbox::{Answer, Call, State};

operations! {
    Read "GetDefaultPatchBaseline" => get,
    Write "RegisterDefaultPatchBaseline" => register,
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let system = call.str("OperatingSystem").unwrap_or("WINDOWS");
    let patch = &state.ssm(call.account, call.region).patch;
    let id = patch.default_of(call, system).ok_or_else(does_not_exist)?;
    Ok(members(
        json!({ "BaselineId": id, "OperatingSystem": system }),
    ))
}

fn register(state: &mut State, call: &mut Call<'_>) -> Answer {
    let named = call.required("BaselineId");
    check_id(named)?;
    let patch = &mut state.ssm(call.account, call.region).patch;
    let baseline = patch.find(call, named).ok_or_else(does_not_exist)?;
    if predefined::default_of(call.region, &baseline.system).as_ref() == Some(&baseline.id) {
        patch.defaults.remove(&baseline.system);
    } else {
        patch.defaults.insert(baseline.system, baseline.id.clone());
    }
    Ok(members(json!({ "BaselineId": baseline.id })))
}
