//! Every field of every kind: set, changed, cleared, changed behind our back. Each either takes, or the plan says why
//! not.
//!
//! `fields/Kind.yaml` holds what objects of the kind need, and pairs of documents A and B that set all fields of its
//! schema to different values. A new kind needs such a file, a new field a value in it, and no new test.

mod case;
mod data;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::Value;
use stationbill::kinds::{self, AnyKind, KINDS};
use stationbill::load::Declared;
use stationbill::model::plan::{Action, Wish};
use stationbill::model::schema::Schema;

use crate::scene::{Scene, unstamped};
use case::{Became, Case};
use data::Data;
use tokio::task::JoinSet;

/// Fields that no in-process run can read or write; their reason is tested on its own.
const ELSEWHERE: [(&str, &str); 4] = [
    ("Contact", "/channels/*/address/fromSecret"),
    // It is where the run is, or the plan is blocked.
    ("FindingAggregator", "/homeRegion"),
    // No control of AWS's has a parameter of this type yet; a unit test of the kind takes it there and back.
    ("SecurityHub", "/controls/*/parameters/*/double"),
    ("ConfigurationPolicy", "/controls/parameters/*/*/double"),
];

/// What happened in all cases.
#[derive(Default)]
struct Results {
    took: usize,
    /// The reasons that plans state, by case.
    reasons: BTreeMap<String, String>,
    failures: Vec<String>,
}

impl Results {
    fn add(&mut self, what: String, became: Result<Became>) {
        match became {
            Ok(Became::Took) => self.took += 1,
            Ok(Became::Refused(reason)) => drop(self.reasons.insert(what, reason)),
            Ok(Became::NoDocument) => {}
            Err(error) => self.failures.push(format!("{what}: {error:#}")),
        }
    }
}

#[test]
fn the_data_sets_every_field_of_every_kind() {
    let mut lacking = Vec::new();
    for kind in KINDS {
        let schema = kind.schema();
        let mut all = BTreeSet::new();
        data::properties(&schema, "", &mut all);
        all.retain(|at| {
            !ELSEWHERE
                .iter()
                .any(|(k, p)| *k == kind.kind() && at.starts_with(p))
        });
        let data = Data::read(*kind).unwrap();
        let (mut a, mut b) = (BTreeSet::new(), BTreeSet::new());
        for (one, other) in data.pairs.values() {
            data::set_by(&one["spec"], &schema, "", &mut a);
            data::set_by(&other["spec"], &schema, "", &mut b);
        }
        for at in all {
            for (side, set) in [("A", &a), ("B", &b)] {
                if !set.contains(&at) {
                    lacking.push(format!("{}: no document {side} sets {at}", kind.kind()));
                }
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]
fn documents_a_and_b_differ_in_every_field() {
    for kind in KINDS {
        let data = Data::read(*kind).unwrap();
        let json = kind.schema();
        let mut same: BTreeSet<String> = BTreeSet::new();
        let mut differ = BTreeSet::new();
        for (a, b) in data.pairs.values() {
            differ.extend(data::differing(&a["spec"], &b["spec"], &json));
            same.extend(
                a["spec"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|key| format!("/{key}")),
            );
        }
        same.remove("/lifecycle");
        let same: Vec<_> = same.difference(&differ).collect();
        assert!(same.is_empty(), "{}: {same:?}", kind.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_every_kind_takes_or_the_plan_says_why_not() {
    let mut running = JoinSet::new();
    for kind in KINDS {
        let pairs = Data::read(*kind).unwrap().pairs;
        for number in pairs.into_keys() {
            running.spawn(pair(*kind, number));
        }
    }
    let mut all = Results::default();
    while let Some(results) = running.join_next().await {
        let results = results.unwrap();
        all.took += results.took;
        all.reasons.extend(results.reasons);
        all.failures.extend(results.failures);
    }
    all.failures.sort();
    assert!(
        all.failures.is_empty(),
        "{} of {} cases:\n{}",
        all.failures.len(),
        all.took + all.failures.len(),
        all.failures.join("\n")
    );
    let mut reasons = BTreeMap::new();
    for (what, why) in all.reasons {
        let cases: &mut String = reasons.entry(why).or_default();
        cases.extend(["    ", what.as_str(), "\n"]);
    }
    let reasons = reasons.iter().map(|(why, cases)| format!("{why}\n{cases}"));
    insta::assert_snapshot!("reasons", reasons.collect::<String>());
}

async fn pair(kind: &'static dyn AnyKind, number: String) -> Results {
    let mut results = Results::default();
    let name = format!("{} {number}", kind.kind());
    if let Err(error) = all_of_pair(kind, &number, &name, &mut results).await {
        results.failures.push(format!("{name}: {error:#}"));
    }
    results
}

/// A scene with all that a pair needs, and the pair in it.
struct Set {
    scene: Scene,
    needs: Vec<Declared>,
    foreign: Vec<(&'static dyn AnyKind, String)>,
    document: Value,
    json: Value,
    schema: Schema,
    a: Value,
    b: Value,
}

impl Set {
    async fn up(kind: &'static dyn AnyKind, number: &str) -> Result<Self> {
        let data = Data::read(kind)?;
        let scene = scene(kind.kind()).await?;
        let needs = prepare(&scene, &data.needs)
            .await
            .context("what it needs")?;
        let foreign = strangers(&scene, &data.foreign, &needs).await;
        let foreign = foreign.context("what is not ours")?;
        let ids = foreign
            .iter()
            .map(|(_, name, id)| (name.clone(), id.clone()))
            .collect();
        let (document, other) = &data.pairs[number];
        let json = kind.schema();
        let schema = Schema::compile(&json, &[]);
        let a = filled(data::spec_of(document, &schema), &ids);
        let b = filled(data::spec_of(other, &schema), &ids);
        data::declared(kind, &schema, other, &b)
            .map_err(anyhow::Error::msg)
            .context("B")?;
        Ok(Self {
            scene,
            needs,
            foreign: foreign
                .into_iter()
                .map(|(kind, _, id)| (kind, id))
                .collect(),
            document: document.clone(),
            json,
            schema,
            a,
            b,
        })
    }
}

/// The numbers of a kind's pairs.
pub(crate) fn pairs(kind: &dyn AnyKind) -> Result<Vec<String>> {
    Ok(Data::read(kind)?.pairs.into_keys().collect())
}

/// The specs of all pairs of a kind.
pub(crate) fn specs(kind: &dyn AnyKind) -> Result<Vec<Value>> {
    let schema = Schema::compile(&kind.schema(), &[]);
    let mut specs = Vec::new();
    for (a, b) in Data::read(kind)?.pairs.into_values() {
        for document in [a, b] {
            let declared =
                data::declared(kind, &schema, &document, &data::spec_of(&document, &schema));
            specs.push(declared.map_err(anyhow::Error::msg)?.spec);
        }
    }
    Ok(specs)
}

/// A scene with what a pair of documents needs, those needs, and the two.
pub(crate) async fn prepared(
    kind: &'static dyn AnyKind,
    number: &str,
) -> Result<(Scene, Vec<Declared>, [Declared; 2])> {
    let Set {
        scene,
        needs,
        document,
        schema,
        a,
        b,
        ..
    } = Set::up(kind, number).await?;
    let declared =
        |spec| data::declared(kind, &schema, &document, spec).map_err(anyhow::Error::msg);
    let pair = [declared(&a)?, declared(&b)?];
    Ok((scene, needs, pair))
}

/// A scene in which document A of a pair is applied.
pub(crate) async fn applied(kind: &'static dyn AnyKind, number: &str) -> Result<Scene> {
    let Set {
        scene,
        mut needs,
        document,
        schema,
        a,
        ..
    } = Set::up(kind, number).await?;
    let object = data::declared(kind, &schema, &document, &a);
    needs.push(object.map_err(anyhow::Error::msg)?);
    scene.apply(&needs).await?;
    Ok(scene)
}

async fn all_of_pair(
    kind: &'static dyn AnyKind,
    number: &str,
    name: &str,
    results: &mut Results,
) -> Result<()> {
    let set = Set::up(kind, number).await?;
    let Set {
        document,
        json,
        a,
        b,
        foreign,
        ..
    } = &set;
    let case = Case::begin(&set.scene, kind, &set.schema, &set.needs, document, a, b);
    let case = case.await.context("A")?;

    let groups = data::together(document);
    let places = data::differing(a, b, json)
        .into_iter()
        .map(|at| vec![at])
        .chain(groups);
    for places in places {
        let at = places.join("+");
        results.add(format!("{name} changed {at}"), case.changed(&places).await);
        results.add(format!("{name} drifted {at}"), case.drifted(&places).await);
    }
    for at in data::members(a, json) {
        results.add(format!("{name} cleared {at}"), case.cleared(&at).await);
        results.add(format!("{name} emptied {at}"), case.emptied(&at).await);
    }
    let fields: Vec<String> = a
        .as_object()
        .into_iter()
        .flatten()
        .map(|(f, _)| format!("/{f}"))
        .collect();
    for (here, there) in fields.iter().zip(fields.iter().cycle().skip(1)) {
        results.add(
            format!("{name} changed {here} and drifted {there}"),
            case.both(here, there).await,
        );
        results.add(
            format!("{name} changed and drifted {here}"),
            case.both(here, here).await,
        );
    }
    results.add(format!("{name} deleted"), case.deleted().await);
    results.add(format!("{name} unowned"), case.adopted().await);
    results.add(format!("{name} of another stack"), case.owned().await);
    results.add(format!("{name} destroyed"), case.destroyed(foreign).await);
    Ok(())
}

async fn scene(kind: &str) -> Result<Scene> {
    let mut scene = Scene::fit_for(std::iter::once(kind)).await?;
    scene.variables = BTreeMap::from([
        ("TELEPHONE_A".to_owned(), "+12065550101".to_owned()),
        ("TELEPHONE_B".to_owned(), "+12065550102".to_owned()),
    ]);
    for (name, value) in [("/people/a", "+12065550103"), ("/people/b", "+12065550104")] {
        let put = scene.aws.ssm.put_parameter().name(name).value(value);
        put.r#type(aws_sdk_ssm::types::ParameterType::SecureString)
            .send()
            .await?;
    }
    Ok(scene)
}

/// Applies what a kind's objects need.
async fn prepare(scene: &Scene, documents: &[Value]) -> Result<Vec<Declared>> {
    let mut needs = Vec::new();
    for document in documents {
        needs.push(object(document)?.1);
    }
    scene.apply(&needs).await?;
    Ok(needs)
}

fn object(document: &Value) -> Result<(&'static dyn AnyKind, Declared)> {
    let kind =
        kinds::find(document["kind"].as_str().unwrap_or_default()).context("no such kind")?;
    let schema = Schema::compile(&kind.schema(), &[]);
    let spec = data::spec_of(document, &schema);
    let declared = data::declared(kind, &schema, document, &spec);
    Ok((kind, declared.map_err(anyhow::Error::msg)?))
}

/// Creates what nobody owns, and returns the ids by name.
async fn strangers(
    scene: &Scene,
    documents: &[Value],
    needs: &[Declared],
) -> Result<Vec<(&'static dyn AnyKind, String, String)>> {
    let mut found = Vec::new();
    let now = scene.nothing_left(needs).await?;
    for document in documents {
        let (kind, declared) = object(document)?;
        let spec = scene.ready(&declared, &now.ids).await?;
        let id = scene
            .create(kind, &spec, &unstamped(&declared.address.name))
            .await?;
        found.push((kind, declared.address.name, id));
    }
    Ok(found)
}

/// Fills in the ids of what nobody owns, `${foreign.NAME}`.
fn filled(value: Value, ids: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            let text = ids.iter().fold(text, |text, (name, id)| {
                text.replace(&format!("${{foreign.{name}}}"), id)
            });
            Value::String(text)
        }
        Value::Array(list) => list.into_iter().map(|v| filled(v, ids)).collect(),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(k, v)| (k, filled(v, ids))).collect())
        }
        other => other,
    }
}

#[tokio::test]
async fn what_only_a_cluster_can_read_is_refused_elsewhere_and_why() {
    let scene = scene("Contact").await.unwrap();
    let document = serde_json::json!({
        "kind": "Contact",
        "metadata": { "name": "kayoko" },
        "spec": { "channels": { "mail": {
            "type": "EMAIL", "address": { "fromSecret": { "name": "people", "key": "kayoko" } },
        } } },
    });
    let set = serde_json::json!({
        "kind": "ReplicationSet",
        "metadata": { "name": "incidents" },
        "spec": { "regions": [{ "name": "ap-northeast-1" }] },
    });
    let needs = prepare(&scene, &[set]).await.unwrap();
    let all = [needs, vec![object(&document).unwrap().1]].concat();
    let plan = scene.plan(&all, &Wish::default()).await;
    let reason = plan.changes[0].reason.as_deref().unwrap_or_default();
    assert_eq!(plan.changes[0].action, Action::Blocked);
    assert!(reason.contains("only be read in a cluster"), "{reason}");
}
