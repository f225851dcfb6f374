//! Controls as AWS defines them.

use super::standards::wants_aws;
use super::{catalogue, fault, hub, operation, page};
use crate::sandbox::{Access, Answer, Call, Map, Operation, State};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ListSecurityControlDefinitions", Access::Read, list),
    operation("GetSecurityControlDefinition", Access::Read, get),
];

/// The page size when the caller asks for none (service model).
pub(super) const USUAL_PAGE: i64 = 25;

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    hub(state, call)?;
    let standard = match call.str("StandardsArn") {
        None => None,
        Some(named) => Some(
            catalogue::standard(named, call.region)
                .ok_or_else(|| fault::invalid(format!("Standard not found: {named}")))?,
        ),
    };
    let wanted = wants_aws(call);
    let controls = catalogue::controls()
        .filter(|control| wanted && standard.is_none_or(|standard| standard.has(control)))
        .map(|control| (control.id.to_owned(), control.definition()));
    page::page(call, "SecurityControlDefinitions", USUAL_PAGE, controls)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    hub(state, call)?;
    let id = call.required("SecurityControlId");
    // An ARN is not taken here (service model).
    let control = catalogue::control(id).filter(|control| control.id == id);
    let control = control.ok_or_else(|| fault::not_found(format!("{id} does not exist.")))?;
    Ok(Map::from_iter([(
        "SecurityControlDefinition".to_owned(),
        control.definition(),
    )]))
}
