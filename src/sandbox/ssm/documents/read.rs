//! Reading documents: one, its text, its versions, all of them.

use serde_json::{Value, json};

use super::super::paging::Listing;
use super::super::{invalid, members, operations, put};
use super::{Found, Version, amazon_found, aws, content, find, own, review, settle, shared_found};
use crate::sandbox::{Answer, Call, Fault, Map, State};

operations! {
    Read "DescribeDocument" => describe,
    Read "GetDocument" => get,
    Read "ListDocumentVersions" => list_versions,
    Read "ListDocuments" => list,
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Answer {
    let found = find(state, call, call.required("Name"))?;
    let version = found.version(call.str("DocumentVersion"), call.str("VersionName"))?;
    let answer = members(json!({ "Document": found.description(version) }));
    let own = found.own_name(call);
    settle(state, call, own);
    Ok(answer)
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let found = find(state, call, call.required("Name"))?;
    let version = found.version(call.str("DocumentVersion"), call.str("VersionName"))?;
    let answer = content_of(
        &found,
        version,
        call.str("DocumentFormat").unwrap_or("JSON"),
    );
    let own = found.own_name(call);
    settle(state, call, own);
    Ok(answer)
}

fn content_of(found: &Found<'_>, version: &Version, wanted: &str) -> Map {
    // Text has no structure to convert, so it comes back as it is, whatever was asked for.
    let converted = (wanted != version.format && wanted != "TEXT" && version.format != "TEXT")
        .then(|| content::convert(&version.content, &version.format, wanted))
        .flatten();
    let format = if converted.is_some() {
        wanted
    } else {
        &version.format
    };
    let mut map = members(json!({
        "Name": found.name,
        "CreatedDate": version.created,
        "DocumentVersion": version.number.to_string(),
        "Status": version.status(),
        "Content": converted.as_ref().unwrap_or(&version.content),
        "DocumentType": found.document.kind,
        "DocumentFormat": format,
    }));
    put(&mut map, "DisplayName", version.display_name.as_deref());
    put(&mut map, "VersionName", version.named.as_deref());
    put(&mut map, "Requires", found.document.requires.clone());
    let attachments: Vec<Value> = version
        .attachment_names()
        .map(|name| json!({ "Name": name }))
        .collect();
    put(
        &mut map,
        "AttachmentsContent",
        (!attachments.is_empty()).then_some(attachments),
    );
    put(&mut map, "ReviewStatus", review::status(version));
    map
}

fn list_versions(state: &mut State, call: &mut Call<'_>) -> Answer {
    let found = find(state, call, call.required("Name"))?;
    let versions: Vec<&Version> = found
        .document
        .versions
        .values()
        .filter(|v| found.version(Some(&v.number.to_string()), None).is_ok())
        .collect();
    let (page, token) = Listing::of("ListDocumentVersions")
        .page(call, versions, |v| format!("{:020}", v.number))?;
    let shown: Vec<Value> = page
        .iter()
        .map(|version| {
            let mut map = members(json!({
                "Name": found.document.name,
                "DocumentVersion": version.number.to_string(),
                "CreatedDate": version.created,
                "IsDefaultVersion": version.number == found.document.default,
                "DocumentFormat": version.format,
                "Status": version.status(),
            }));
            put(&mut map, "DisplayName", version.display_name.as_deref());
            put(&mut map, "VersionName", version.named.as_deref());
            put(&mut map, "ReviewStatus", review::status(version));
            Value::Object(map)
        })
        .collect();
    let own = found.own_name(call);
    settle(state, call, own);
    let mut answer = members(json!({ "DocumentVersions": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

/// One condition of a listing.
struct Filter {
    key: String,
    values: Vec<String>,
}

fn list(state: &mut State, call: &mut Call<'_>) -> Answer {
    let filters = filters(call)?;
    let owner = filters
        .iter()
        .find(|f| f.key == "Owner")
        .and_then(|f| f.values.first());
    let mut found = candidates(state, call, owner.map(String::as_str));
    found.retain(|f| filters.iter().all(|filter| matches(f, filter)));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let (page, token) = Listing::of("ListDocuments").page(call, found, |f| f.name.clone())?;
    let shown: Vec<Value> = page.iter().filter_map(identifier).collect();
    let mut answer = members(json!({ "DocumentIdentifiers": shown }));
    put(&mut answer, "NextToken", token);
    Ok(answer)
}

/// Reads both forms of the filters; the deprecated one has single values.
fn filters(call: &Call<'_>) -> Result<Vec<Filter>, Fault> {
    let text = |filter: &Value, member: &str| {
        filter
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut filters: Vec<Filter> = call
        .list("Filters")
        .into_iter()
        .flatten()
        .map(|filter| Filter {
            key: text(filter, "Key"),
            values: filter
                .get("Values")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|v| v.as_str().map(str::to_owned))
                .collect(),
        })
        .collect();
    let old = call.list("DocumentFilterList").into_iter().flatten();
    filters.extend(old.map(|filter| Filter {
        key: text(filter, "key"),
        values: vec![text(filter, "value")],
    }));
    let known = [
        "Owner",
        "Name",
        "PlatformTypes",
        "DocumentType",
        "TargetType",
    ];
    for (at, filter) in filters.iter().enumerate() {
        let is_tag = filter
            .key
            .strip_prefix("tag:")
            .is_some_and(|key| !key.is_empty());
        // `SearchKeyword` is what the console's search box sends.
        if !is_tag && !known.contains(&filter.key.as_str()) && filter.key != "SearchKeyword" {
            return Err(Fault::new(
                "InvalidFilterKey",
                format!("The filter key {} is not valid.", filter.key),
            ));
        }
        if filters.iter().take(at).any(|other| other.key == filter.key) {
            return Err(invalid(format!(
                "The filter {} is given more than once.",
                filter.key
            )));
        }
    }
    if filters.iter().filter(|f| f.key.starts_with("tag:")).count() > 1 {
        return Err(invalid(
            "Documents can be filtered by a single tag key only.",
        ));
    }
    if let Some(owner) = filters.iter().find(|f| f.key == "Owner") {
        let known = ["Self", "Amazon", "Private", "Public", "ThirdParty"];
        match owner.values.as_slice() {
            [value] if known.contains(&value.as_str()) => {}
            [value] => {
                return Err(invalid(format!(
                    "The value {value} is not valid for filter Owner."
                )));
            }
            _ => return Err(invalid("Owner filter can only have one value.")),
        }
    }
    Ok(filters)
}

/// Returns every document that the owner filter lets the caller see.
fn candidates<'a>(state: &'a State, call: &'a Call<'_>, owner: Option<&str>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    if matches!(owner, None | Some("Self")) {
        let names = state
            .accounts
            .get(call.account)
            .and_then(|account| account.ssm.get(call.region))
            .into_iter()
            .flat_map(|store| store.documents.keys());
        found.extend(names.filter_map(|name| own(state, call, name)));
    }
    if matches!(owner, None | Some("Amazon" | "Public")) {
        found.extend(aws::documents().values().map(amazon_found));
    }
    let others = state
        .accounts
        .iter()
        .filter(|(id, _)| id.as_str() != call.account);
    for (id, account) in others {
        for document in account
            .ssm
            .get(call.region)
            .into_iter()
            .flat_map(|s| s.documents.values())
        {
            let to_us = document.shares.contains_key(call.account);
            let to_all = document.shares.contains_key("all");
            let wanted = match owner {
                None | Some("Private") => to_us,
                Some("Public") => to_all,
                _ => false,
            };
            if wanted {
                found.extend(shared_found(call, id, document));
            }
        }
    }
    found
}

fn matches(found: &Found<'_>, filter: &Filter) -> bool {
    let Ok(version) = found.version(None, None) else {
        return false;
    };
    let any = |test: &dyn Fn(&str) -> bool| filter.values.iter().any(|value| test(value));
    match filter.key.as_str() {
        "Owner" => true,
        "Name" => {
            any(&|value| found.document.name.starts_with(value) || found.name.starts_with(value))
        }
        "SearchKeyword" => any(&|value| found.name.contains(value)),
        "DocumentType" => any(&|value| found.document.kind == value),
        "TargetType" => any(&|value| version.target_type.as_deref() == Some(value)),
        "PlatformTypes" => any(&|value| version.derived.platform_types.iter().any(|p| p == value)),
        key => {
            let key = key.strip_prefix("tag:").unwrap_or(key);
            found.tags.as_array().into_iter().flatten().any(|tag| {
                tag["Key"] == key
                    && (filter.values.is_empty() || any(&|value| tag["Value"] == value))
            })
        }
    }
}

/// Returns a `DocumentIdentifier`: it speaks of the default version.
fn identifier(found: &Found<'_>) -> Option<Value> {
    let version = found.version(None, None).ok()?;
    let mut map = members(json!({
        "Name": found.name,
        "CreatedDate": version.created,
        "Owner": found.owner,
        "PlatformTypes": version.derived.platform_types,
        "DocumentVersion": version.number.to_string(),
        "DocumentType": found.document.kind,
        "DocumentFormat": version.format,
        "Tags": found.tags,
    }));
    put(&mut map, "DisplayName", version.display_name.as_deref());
    put(&mut map, "VersionName", version.named.as_deref());
    put(
        &mut map,
        "SchemaVersion",
        version.derived.schema_version.as_deref(),
    );
    put(&mut map, "TargetType", version.target_type.as_deref());
    put(&mut map, "Requires", found.document.requires.clone());
    put(&mut map, "ReviewStatus", review::status(version));
    if review::status(version).is_some() {
        put(&mut map, "Author", Some(version.author.as_str()));
    }
    Some(Value::Object(map))
}
