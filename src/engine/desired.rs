//! From loaded documents to what is desired at each place: variables replaced, personal values read.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream;

use super::World;
use super::secrets::Sources;
use crate::load::Declared;
use crate::model::AnySpec;
use crate::model::plan::{Desired, Object};
use crate::model::sensitive::hide_addresses;
use crate::model::substitute::{Variables, substitute};

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
        declared.iter().map(move |declared| async move {
            let variables = Variables {
                location: location.clone(),
                target: location.to_string(),
                vars: BTreeMap::new(),
            };
            let mut object = Object {
                address: declared.address.clone(),
                location: location.clone(),
                spec: declared.spec.clone(),
                lifecycle: declared.lifecycle.clone(),
                problem: None,
            };
            let spec = substitute(declared.spec.clone(), &variables).map_err(|e| e.to_string());
            let spec = match spec {
                Ok(spec) => {
                    let file = std::path::Path::new(&declared.place.file);
                    let folder = file.parent().unwrap_or(std::path::Path::new("."));
                    sources.read(spec, folder, aws).await
                }
                Err(why) => Err(why),
            };
            // Read again: sets are ordered by what is in them now.
            let spec = spec.and_then(|spec| match world.kind(&declared.address.kind) {
                Some(kind) => AnySpec::parse(kind, &spec).map_err(|e| e.to_string()),
                None => Ok(spec),
            });
            match spec {
                Ok(spec) => object.spec = spec,
                // It may quote an address in a wrong place, or what AWS said about one.
                Err(why) => object.problem = Some(hide_addresses(&why)),
            }
            object
        })
    });
    let objects = stream::iter(jobs.collect::<Vec<_>>())
        .buffered(16)
        .collect()
        .await;
    Desired {
        stack: stack.to_owned(),
        objects,
        homes: BTreeMap::new(),
    }
}
