//! What may go wrong with a list: short pages, items that are missing or come twice, tokens that expire.

use serde_json::{Value, json};

use crate::sandbox::faults::Then;
use crate::sandbox::wire::Route;
use crate::sandbox::{Fault, Map};

/// Changes what a list is asked for, or refuses it.
pub(super) fn before(route: &Route, fault: &Then, input: &mut Map) -> Result<(), Fault> {
    let further = |name: &str| name.eq_ignore_ascii_case("NextToken");
    match fault {
        Then::ShortPages => {
            let shape = route.operation.input.as_deref();
            let members = shape.map(|shape| &route.service.shape(shape).members);
            for size in ["MaxResults", "maxResults", "MaxRecords"] {
                if members.is_some_and(|members| members.get(size).is_some()) {
                    input.insert(size.to_owned(), json!(1));
                }
            }
            Ok(())
        }
        Then::ExpiredPage if input.keys().any(|name| further(name)) => {
            let code = match route.service.name {
                // Lists whose model has no such error get the front end's own.
                _ if route.operation.fails_with("InvalidNextToken") => "InvalidNextToken",
                "cloudwatch" => "InvalidParameterValue",
                "securityhub" => "InvalidInputException",
                _ => "ValidationException",
            };
            Err(Fault::new(code, "The specified token is not valid."))
        }
        _ => Ok(()),
    }
}

/// Changes what a list answers.
pub(super) fn after(fault: &Then, output: &mut Map) {
    let Some(items) = output.values_mut().find_map(Value::as_array_mut) else {
        return;
    };
    match fault {
        Then::MissingItem => drop(items.pop()),
        Then::RepeatedItem => items.extend(items.last().cloned()),
        _ => {}
    }
}
