//! Patch baselines: create, update, read, list, delete.

use serde_json::{Value, json};

use super::super::{invalid, members, operations, put, tags};
use super::{
    Baseline, Patching, check_id, does_not_exist, filters, listing, own_id, predefined, rules,
};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// How many baselines an account has in a region.
const MOST: usize = 50;

operations! {
    Write "CreatePatchBaseline" => create,
    Write "UpdatePatchBaseline" => update,
    Read "GetPatchBaseline" => get,
    Read "DescribePatchBaselines" => list,
    Write "DeletePatchBaseline" => delete,
}

fn create(state: &mut State, call: &mut Call<'_>) -> Answer {
    let quotas = state.settings.quotas;
    let mut request = call.input.clone();
    let token = request
        .remove("ClientToken")
        .and_then(|t| t.as_str().map(str::to_owned));
    request.sort_keys();
    let text = Value::Object(request).to_string();
    let store = state.ssm(call.account, call.region);
    if let Some((before, id)) = token
        .as_ref()
        .and_then(|token| store.patch.tokens.get(token))
    {
        return if *before == text {
            Ok(members(json!({ "BaselineId": id })))
        } else {
            Err(Fault::new(
                "IdempotentParameterMismatch",
                "The client token was used before with other parameters.",
            ))
        };
    }
    let system = call.str("OperatingSystem").unwrap_or("WINDOWS").to_owned();
    let mut fields = rules::defaults();
    rules::merge(&mut fields, &system, call.input)?;
    let sent = tags::sent(call)?;
    if quotas && store.patch.baselines.len() >= MOST {
        return Err(Fault::new(
            "ResourceLimitExceededException",
            format!("You can have at most {MOST} patch baselines."),
        ));
    }
    let id = format!("pb-0{}", call.hex(16));
    let now = call.now_seconds();
    let baseline = Baseline {
        id: id.clone(),
        system,
        fields,
        created: now,
        modified: now,
    };
    store.patch.baselines.insert(id.clone(), baseline);
    if let Some(token) = token {
        store.patch.tokens.insert(token, (text, id.clone()));
    }
    tags::set(store, "PatchBaseline", &id, sent);
    Ok(members(json!({ "BaselineId": id })))
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let patch = &mut state.ssm(call.account, call.region).patch;
    let id = own_id(call, call.required("BaselineId"));
    let baseline = patch.baselines.get_mut(id).ok_or_else(does_not_exist)?;
    let replace = call.bool("Replace") == Some(true);
    if replace && call.str("Name").is_none() {
        return Err(invalid("Name is required when Replace is true."));
    }
    let mut fields = if replace {
        rules::defaults()
    } else {
        baseline.fields.clone()
    };
    rules::merge(&mut fields, &baseline.system, call.input)?;
    baseline.fields = fields;
    baseline.modified = call.now_seconds();
    Ok(shown(baseline))
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let patch = &state.ssm(call.account, call.region).patch;
    let named = call.required("BaselineId");
    check_id(named)?;
    let baseline = patch.find(call, named).ok_or_else(does_not_exist)?;
    let mut answer = shown(&baseline);
    let groups: Vec<&String> = patch.groups_of(&baseline).collect();
    answer.insert("PatchGroups".to_owned(), json!(groups));
    Ok(answer)
}

/// Returns the members that the update and the read of a baseline answer.
fn shown(baseline: &Baseline) -> Map {
    let mut map = members(json!({
        "BaselineId": baseline.id,
        "OperatingSystem": baseline.system,
        "CreatedDate": baseline.created,
        "ModifiedDate": baseline.modified,
    }));
    map.extend(baseline.fields.clone());
    map
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let filters = filters(call, &["NAME_PREFIX", "OWNER", "OPERATING_SYSTEM"])?;
    let owners = ["AWS", "Self", "All"];
    let owner_values = filters
        .iter()
        .filter(|f| f.key == "OWNER")
        .flat_map(|f| &f.values);
    if let Some(value) = owner_values
        .into_iter()
        .find(|v| !owners.contains(&v.as_str()))
    {
        return Err(invalid(format!(
            "The value {value} is not valid for filter OWNER."
        )));
    }
    let patch = &state.ssm(call.account, call.region).patch;
    let matches = |baseline: &Baseline, owner: &str| {
        filters.iter().all(|filter| {
            let mut values = filter.values.iter();
            match filter.key.as_str() {
                "OWNER" => values.any(|v| v == owner || v == "All"),
                "NAME_PREFIX" => values.any(|v| name(baseline).starts_with(v.as_str())),
                _ => values.any(|v| *v == baseline.system),
            }
        })
    };
    let listing = listing("DescribePatchBaselines", 100);
    // An account may have thousands: what was shown is not looked at again.
    let after = listing.after(call)?.unwrap_or_default();
    let from = after.strip_prefix("Self\n").unwrap_or_default();
    let mut of_aws = predefined::baselines(call.region);
    of_aws.sort_by(|a, b| a.id.cmp(&b.id));
    let own = patch.baselines.range(from.to_owned()..);
    let found = of_aws
        .iter()
        .map(|baseline| ("AWS", baseline))
        .chain(own.map(|(_, baseline)| ("Self", baseline)))
        .filter(|(owner, baseline)| matches(baseline, owner));
    let (page, token) = listing.page(call, found, |(owner, baseline)| {
        format!("{owner}\n{}", baseline.id)
    })?;
    let shown: Vec<Map> = page.iter().map(|(_, b)| patch.identity(call, b)).collect();
    let mut answer = members(json!({ "BaselineIdentities": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

fn name(baseline: &Baseline) -> &str {
    baseline
        .fields
        .get("Name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = state.ssm(call.account, call.region);
    let named = call.required("BaselineId");
    let id = own_id(call, named).to_owned();
    let answer = Ok(members(json!({ "BaselineId": named })));
    let Some(baseline) = store.patch.baselines.get(&id).cloned() else {
        let of_aws = predefined::baselines(call.region)
            .iter()
            .any(|b| b.id == named);
        // Deleting what is not there succeeds; CloudFormation's handler relies on it. AWS's own stay.
        return if of_aws {
            Err(does_not_exist())
        } else {
            answer
        };
    };
    check_unused(&store.patch, call, &baseline)?;
    store.patch.baselines.remove(&id);
    // A token stands for the baseline that it made: without one, the next request makes another.
    store.patch.tokens.retain(|_, (_, made)| *made != id);
    tags::forget(store, "PatchBaseline", &id);
    answer
}

fn check_unused(patch: &Patching, call: &Call<'_>, baseline: &Baseline) -> Result<(), Fault> {
    let in_use = |message: String| Err(Fault::new("ResourceInUseException", message));
    if let Some(group) = patch.groups_of(baseline).next() {
        return in_use(format!(
            "PatchBaseline to be deleted is used for Patch Group: {group}"
        ));
    }
    if patch.default_of(call, &baseline.system).as_ref() == Some(&baseline.id) {
        return in_use(format!(
            "PatchBaseline to be deleted is the default baseline for operating system {}",
            baseline.system
        ));
    }
    Ok(())
}
