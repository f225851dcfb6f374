//! What every kind obeys, by the registry. What happens to their fields in AWS is in `fields`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stationbill::aws::Class;
use stationbill::engine::Breadth;
use stationbill::export::{Exported, dashed, export};
use stationbill::kinds::{self, AnyKind, KINDS, Select};
use stationbill::load::Declared;
use stationbill::model::Report;
use stationbill::model::lifecycle::OnDelete;
use stationbill::model::plan::Wish;
use stationbill::model::schema::Schema;
use stationbill::model::stamp::{APPLIED, OBJECT, STACK};
use tokio::task::JoinSet;

use crate::fields;
use crate::scene::{Scene, loaded};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every spec at hand: of the examples, and of the data of `fields`.
fn specs() -> Vec<(&'static dyn AnyKind, Value)> {
    let examples = loaded(&root().join("examples/kinds")).unwrap().objects;
    let stand = loaded(&root().join("examples/banana-stand"))
        .unwrap()
        .objects;
    let mut specs: Vec<(&dyn AnyKind, Value)> = examples
        .into_iter()
        .chain(stand)
        .map(|object| (kinds::find(&object.address.kind).unwrap(), object.spec))
        .collect();
    for kind in KINDS {
        specs.extend(
            fields::specs(*kind)
                .unwrap()
                .into_iter()
                .map(|spec| (*kind, spec)),
        );
    }
    specs
}

#[test]
fn every_kind_has_an_example() {
    for kind in KINDS {
        let file = root()
            .join("examples/kinds")
            .join(format!("{}.yaml", dashed(kind.kind())));
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            text.contains(&format!("kind: {}\n", kind.kind())),
            "{} shows none",
            file.display()
        );
    }
    loaded(&root().join("examples/kinds")).unwrap();
}

#[test]
fn a_spec_survives_printing() {
    for (kind, spec) in specs() {
        assert_eq!(kind.parse(&spec).unwrap(), spec, "{}", kind.kind());
        let text = serde_yaml::to_string(&spec).unwrap();
        let read: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(kind.parse(&read).unwrap(), spec, "{}", kind.kind());
    }
}

#[test]
fn what_settles_stays_settled() {
    let specs = specs();
    for (kind, spec) in &specs {
        assert_eq!(kind.settle(spec, spec).unwrap(), *spec, "{}", kind.kind());
        for (other, live) in specs
            .iter()
            .filter(|(other, _)| other.kind() == kind.kind())
        {
            let once = kind.settle(spec, live).unwrap();
            assert_eq!(other.settle(&once, live).unwrap(), once, "{}", kind.kind());
            assert_eq!(
                kind.parse(&once).unwrap(),
                once,
                "{}: settled is canonical",
                kind.kind()
            );
        }
    }
}

#[test]
fn what_is_said_about_fields_is_about_fields() {
    for kind in KINDS {
        let schema = Schema::compile(&kind.schema(), &[]);
        for at in kind.create_only().iter().chain(kind.write_only()) {
            assert!(schema.knows(at), "{} has no field {at}", kind.kind());
        }
        for other in kind.after() {
            assert!(
                kinds::find(other).is_some(),
                "{} comes after {other}",
                kind.kind()
            );
        }
    }
}

#[test]
fn fields_of_every_kind_are_left_to_the_loader() {
    for kind in KINDS {
        for reserved in ["targets", "lifecycle"] {
            let taken = kind.schema()["properties"].get(reserved).is_some();
            assert!(!taken, "{} has a field `{reserved}`", kind.kind());
        }
    }
}

#[test]
fn no_kind_takes_the_tags_of_the_stamp() {
    for (kind, mut spec) in specs() {
        if kind.schema()["properties"].get("tags").is_none() {
            continue;
        }
        for key in [STACK, OBJECT, APPLIED] {
            spec["tags"] = json!({ key: "x" });
            let mut report = Report::default();
            kind.validate(&kind.parse(&spec).unwrap(), &mut report);
            let at = format!("/tags/{key}");
            let mut found = report.diagnostics.iter();
            assert!(
                found.any(|finding| finding.code == "bad-tag" && finding.at == at),
                "{} takes the tag `{key}`",
                kind.kind()
            );
        }
    }
}

#[test]
fn kinds_have_names_of_their_own() {
    let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.kind()).collect();
    assert_eq!(names.len(), KINDS.len());
}

async fn exported(scene: &Scene) -> Result<Exported> {
    let observed = scene.observe(&[], Breadth::Everything).await;
    Ok(export(&observed, &kinds::specs())?)
}

/// Exports, loads that, applies it elsewhere, and exports again: the same bytes.
async fn goes_round(scene: &Scene) -> Result<()> {
    let first = exported(scene).await?;
    let folder = tempfile::tempdir()?;
    for document in &first.documents {
        let file = folder.path().join(document.file());
        std::fs::create_dir_all(file.parent().context("a folder")?)?;
        std::fs::write(file, &document.text)?;
    }
    let objects = loaded(folder.path())?.objects;
    let kinds = objects.iter().map(|object| object.address.kind.as_str());
    let mut elsewhere = Scene::fit_for(kinds).await?;
    let secrets = first
        .secrets
        .iter()
        .map(|s| (s.variable.clone(), s.value.clone()));
    elsewhere.variables = secrets.collect::<BTreeMap<_, _>>();
    elsewhere.apply(&objects).await?;
    let second = exported(&elsewhere).await?;
    let (mut before, mut after) = (text(&first), text(&second));
    for (name, text) in std::mem::take(&mut before) {
        let again = after.remove(&name);
        ensure!(
            again.as_ref() == Some(&text),
            "{name}: {text}\nbecame {}",
            again.unwrap_or_default()
        );
    }
    ensure!(after.is_empty(), "new: {after:?}");
    Ok(())
}

fn text(exported: &Exported) -> BTreeMap<String, String> {
    let documents = exported.documents.iter();
    let secrets = exported
        .secrets
        .iter()
        .map(|s| (s.variable.clone(), s.value.clone()));
    documents
        .map(|d| (d.file(), d.text.clone()))
        .chain(secrets)
        .collect()
}

async fn stand() -> Result<(Scene, Vec<Declared>)> {
    let scene = Scene::new().await?;
    let mut objects = loaded(&root().join("examples/banana-stand"))?.objects;
    for object in &mut objects {
        object.lifecycle.on_delete = Some(OnDelete::Delete);
    }
    scene.apply(&objects).await?;
    Ok((scene, objects))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_banana_stand_can_be_exported_and_built_elsewhere() {
    let (scene, _) = stand().await.unwrap();
    goes_round(&scene).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_destroyed_banana_stand_only_the_replication_set_stays() {
    let (scene, objects) = stand().await.unwrap();
    let wish = Wish {
        destroy: true,
        ..Wish::default()
    };
    let plan = scene.plan(&objects, &wish).await;
    assert_eq!(plan.changes.len(), objects.len() - 1);
    scene.carry_out(&plan).await.unwrap();
    for kind in KINDS {
        let left = match kind.list(&scene.aws, &Select::Everything).await {
            // What it was part of is gone.
            Err(error) if error.class == Class::NotAvailable => Vec::new(),
            left => left.unwrap(),
        };
        let expected = usize::from(kind.never_deleted().is_some());
        assert_eq!(left.len(), expected, "{}: {left:?}", kind.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_can_be_exported_and_built_elsewhere() {
    let mut running = JoinSet::new();
    for kind in KINDS {
        for pair in fields::pairs(*kind).unwrap() {
            running.spawn(async move {
                let round = async {
                    let scene = fields::applied(*kind, &pair).await?;
                    goes_round(&scene).await
                };
                round
                    .await
                    .map_err(|error| format!("{} {pair}: {error:#}", kind.kind()))
            });
        }
    }
    let mut failures = Vec::new();
    while let Some(round) = running.join_next().await {
        failures.extend(round.unwrap().err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
