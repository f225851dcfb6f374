//! Listing what there is to know of parameters, except their values.

use serde_json::{Value, json};

use super::super::paging::Listing;
use super::super::{members, operations, put, tags};
use super::{Parameter, current, filters, parameter_arn};
use crate::sandbox::{Answer, Call, State};

operations! {
    Read "DescribeParameters" => describe,
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let filters = filters::parse(call, filters::For::Describe)?;
    let store = current(state, call);
    // Parameters are shared through Resource Access Manager, which is not here: nothing is shared with anybody.
    let shared = call.bool("Shared") == Some(true);
    let found: Vec<&Parameter> = store
        .parameters
        .values()
        .filter(|_| !shared)
        .filter(|p| {
            let tags = tags::of(store, "Parameter", &p.name);
            filters.iter().all(|filter| filter.matches(p, tags))
        })
        .collect();
    let (page, token) = Listing::of("DescribeParameters").page(call, found, |p| p.name.clone())?;
    let shown: Vec<Value> = page
        .into_iter()
        .filter_map(|p| {
            let mut map = p.metadata(p.latest()?);
            put(&mut map, "ARN", Some(parameter_arn(call, &p.name)));
            Some(Value::Object(map))
        })
        .collect();
    let mut answer = members(json!({ "Parameters": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}
