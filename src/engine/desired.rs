//! From loaded documents to what is desired at each place: variables replaced, personal values read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, Stream};
use serde_json::Value;

use super::World;
use super::secrets::Sources;
use crate::aws::Aws;
use crate::kinds::AnyKind;
use crate::load::Declared;
use crate::model::plan::{Desired, Object};
use crate::model::sensitive::hide_addresses;
use crate::model::substitute::{Variables, substitute};
use crate::model::{AnySpec, Report, Severity};

/// How many objects are made at once; some read a parameter first.
const OBJECTS: usize = 16;

/// Says what the documents declare at every place of the run.
///
/// What cannot be read or replaced becomes a problem of its object alone.
pub async fn desired(
    stack: &str,
    declared: &[Declared],
    world: &World,
    sources: &Sources,
) -> Desired {
    let jobs = world.places.iter().flat_map(|(location, aws)| {
        declared.iter().map(move |declared| {
            let variables = Variables {
                location: location.clone(),
                target: location.to_string(),
                vars: BTreeMap::new(),
            };
            let kind = world.kind(&declared.address.kind);
            async move { object(declared, &variables, kind, sources, Some(aws)).await }
        })
    });
    let objects = stream::iter(jobs.collect::<Vec<_>>()).buffered(OBJECTS);
    Desired {
        stack: stack.to_owned(),
        objects: shared(objects).await,
        homes: BTreeMap::new(),
        left_out: BTreeSet::new(),
        kinds: None,
    }
}

/// Makes a declared object at one place. Nothing is read where there are no clients: nothing can be planned there.
pub(super) async fn object(
    declared: &Declared,
    variables: &Variables,
    kind: Option<&dyn AnyKind>,
    sources: &Sources,
    aws: Option<&Aws>,
) -> Object {
    let mut object = Object {
        address: declared.address.clone(),
        location: variables.location.clone(),
        spec: Arc::new(Value::Null),
        lifecycle: declared.lifecycle.clone(),
        problem: declared.problem.clone(),
    };
    if object.problem.is_some() {
        return object;
    }
    let spec = substitute(declared.spec.clone(), variables).map_err(|e| e.to_string());
    let spec = match (spec, aws) {
        (Ok(spec), Some(aws)) => {
            let file = std::path::Path::new(&declared.place.file);
            let folder = file.parent().unwrap_or(std::path::Path::new("."));
            sources.read(spec, folder, aws).await
        }
        (spec, _) => spec,
    };
    // Read again: sets are ordered by what is in them now.
    let spec = spec.and_then(|spec| match kind {
        Some(kind) => {
            let spec = AnySpec::parse(kind, &spec).map_err(|e| e.to_string())?;
            // What was put in was not there to be checked when the documents were loaded.
            if spec != declared.spec {
                valid(kind, &spec)?;
            }
            Ok(spec)
        }
        None => Ok(spec),
    });
    match spec {
        Ok(spec) => object.spec = Arc::new(spec),
        // It may quote an address in a wrong place, or what AWS said about one.
        Err(why) => {
            object.spec = Arc::new(declared.spec.clone());
            object.problem = Some(hide_addresses(&why));
        }
    }
    object
}

/// Refuses what the kind itself can tell to be wrong; the message shows no personal value.
fn valid(kind: &dyn AnyKind, spec: &Value) -> Result<(), String> {
    let mut report = Report::default();
    kind.validate(spec, &mut report);
    let mut findings = report.diagnostics.into_iter();
    let wrong = findings.find(|finding| finding.severity == Severity::Error);
    wrong.map_or(Ok(()), |finding| {
        let hint = finding.hint.map(|hint| format!(" ({hint})"));
        let at = finding.at.trim_start_matches('/');
        Err(format!(
            "`{at}`: {}{}",
            finding.message,
            hint.unwrap_or_default()
        ))
    })
}

/// Collects objects; what is the same as at the place before is in memory once.
pub(super) async fn shared(objects: impl Stream<Item = Object>) -> Vec<Object> {
    let same = |before: &Object, object: &Object| {
        before.address == object.address && before.spec == object.spec
    };
    let collect = |mut all: Vec<Object>, mut object: Object| {
        if let Some(before) = all.last().filter(|before| same(before, &object)) {
            object.spec = Arc::clone(&before.spec);
        }
        all.push(object);
        std::future::ready(all)
    };
    objects.fold(Vec::new(), collect).await
}
