//! Getting parameters: one, some, those of a hierarchy, and the history of one.

use serde_json::{Value, json};

use super::super::paging::Listing;
use super::super::{Store, members, operations, put};
use super::{Parameter, current, filters, names, no_version, not_found};
use crate::sandbox::{Answer, Call, Fault, Map, State};

operations! {
    Read "GetParameter" => get,
    Read "GetParameters" => get_several,
    Read "GetParametersByPath" => get_by_path,
    Read "GetParameterHistory" => history,
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = current(state, call);
    let parameter = resolve(store, call, call.required("Name"))?;
    Ok(members(json!({ "Parameter": parameter })))
}

fn get_several(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = current(state, call);
    let mut asked = call.strings("Names");
    let mut unknown: Vec<String> = Vec::new();
    for name in &asked {
        names::trimmed(name)?;
        if resolve(store, call, name).is_err() && !unknown.contains(name) {
            unknown.push(name.clone());
        }
    }
    // The results are in alphabetical order, whatever the order of the question.
    asked.sort();
    asked.dedup();
    let found: Vec<Map> = asked
        .iter()
        .filter_map(|name| resolve(store, call, name).ok())
        .collect();
    Ok(members(
        json!({ "Parameters": found, "InvalidParameters": unknown }),
    ))
}

/// Finds what a name with its selector refers to.
fn resolve(store: &Store, call: &Call<'_>, text: &str) -> Result<Map, Fault> {
    let reference = names::reference(store, call, text)?;
    let name = reference.name;
    let parameter = store.parameters.get(name).ok_or_else(|| not_found(name))?;
    let version = match reference.selector {
        None => parameter.latest(),
        Some(selector) => match selector.parse::<i64>() {
            Ok(number) => parameter.versions.iter().find(|v| v.number == number),
            Err(_) => parameter
                .versions
                .iter()
                .find(|v| v.labels.iter().any(|label| label == selector)),
        },
    };
    let version =
        version.ok_or_else(|| no_version(reference.selector.unwrap_or_default(), name))?;
    let mut shown = parameter.shown(call, version, call.bool("WithDecryption") == Some(true));
    put(
        &mut shown,
        "Selector",
        reference.selector.map(|selector| format!(":{selector}")),
    );
    Ok(shown)
}

fn get_by_path(state: &mut State, call: &mut Call<'_>) -> Answer {
    let path = names::check_path(call.required("Path"))?;
    let filters = filters::parse(call, filters::For::Path)?;
    let recursive = call.bool("Recursive") == Some(true);
    let decrypt = call.bool("WithDecryption") == Some(true);
    let label = filters.iter().find(|filter| filter.key == "Label");
    let store = current(state, call);
    let found: Vec<&Parameter> = store
        .parameters
        .values()
        .filter(|p| names::is_under(&p.name, &path, recursive))
        .filter(|p| filters.iter().all(|filter| filter.matches(p, None)))
        .collect();
    let listing = Listing {
        default: 10,
        ..Listing::of("GetParametersByPath")
    };
    let (page, token) = listing.page(call, found, |p| p.name.clone())?;
    let shown: Vec<Map> = page
        .iter()
        .filter_map(|p| {
            let labelled = label.and_then(|filter| {
                p.versions
                    .iter()
                    .find(|v| v.labels.iter().any(|l| filter.values.contains(l)))
            });
            Some(p.shown(call, labelled.or_else(|| p.latest())?, decrypt))
        })
        .collect();
    let mut answer = members(json!({ "Parameters": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

fn history(state: &mut State, call: &mut Call<'_>) -> Answer {
    let decrypt = call.bool("WithDecryption") == Some(true);
    let store = current(state, call);
    let name = names::reference(store, call, call.required("Name"))?.name;
    let parameter = store.parameters.get(name).ok_or_else(|| not_found(name))?;
    let versions = &parameter.versions;
    let (page, token) =
        Listing::of("GetParameterHistory").page(call, versions, |v| format!("{:020}", v.number))?;
    let shown: Vec<Value> = page
        .into_iter()
        .map(|version| {
            let mut map = parameter.metadata(version);
            put(&mut map, "Value", Some(parameter.value(version, decrypt)));
            put(&mut map, "Labels", Some(version.labels.clone()));
            Value::Object(map)
        })
        .collect();
    let mut answer = members(json!({ "Parameters": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}
