//! One object, and everything that can happen to each of its fields.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use stationbill::engine::Breadth;
use stationbill::kinds::AnyKind;
use stationbill::load::Declared;
use stationbill::model::lifecycle::OnDelete;
use stationbill::model::plan::{Action, Because, Change, Observed, Plan, Unreadable, Wish};
use stationbill::model::schema::Schema;
use stationbill::model::spec::Identity;
use stationbill::model::stamp::Stamp;
use stationbill::model::{Live, pointer, reference};

use super::data;
use crate::scene::{InSync, STACK, Scene, by_id, missing, told, unstamped};

/// A pair of documents in a scene in which A is applied.
pub(super) struct Case<'a> {
    pub(super) scene: Scene,
    /// The same, with all kinds.
    pub(super) whole: &'a Scene,
    pub(super) kind: &'a dyn AnyKind,
    pub(super) schema: &'a Schema,
    pub(super) needs: &'a [Declared],
    pub(super) document: &'a Value,
    pub(super) a: &'a Value,
    pub(super) b: &'a Value,
    /// AWS before A was applied, and after.
    pub(super) before: Value,
    pub(super) after: Value,
    /// What is seen after.
    pub(super) seen: Observed,
    pub(super) object: Declared,
    pub(super) id: String,
    pub(super) ids: BTreeMap<String, String>,
    pub(super) stamp: Stamp,
}

/// What became of a try.
#[derive(Debug)]
pub(super) enum Became {
    /// AWS has it.
    Took,
    /// The plan says why not.
    Refused(String),
    /// There is no such document.
    NoDocument,
}

use Became::{NoDocument, Refused, Took};

impl<'a> Case<'a> {
    pub(super) async fn begin(
        scene: &'a Scene,
        kind: &'a dyn AnyKind,
        schema: &'a Schema,
        needs: &'a [Declared],
        document: &'a Value,
        a: &'a Value,
        b: &'a Value,
    ) -> Result<Self> {
        let object = data::declared(kind, schema, document, a).map_err(anyhow::Error::msg)?;
        let before = scene.state()?;
        let mut case = Self {
            scene: scene.focused(kind, needs).await?,
            whole: scene,
            kind,
            schema,
            needs,
            document,
            a,
            b,
            before,
            after: Value::Null,
            seen: Observed::default(),
            object,
            id: String::new(),
            ids: BTreeMap::new(),
            stamp: unstamped(""),
        };
        let all = case.all(&case.object);
        let plan = scene.apply(&all).await?;
        let change = case.change(&plan).context("A is not created")?;
        ensure!(change.action == Action::Create, "{}", told(change));
        let now = scene.nothing_left(&all).await?;
        let read = scene.ready(&case.object, &BTreeMap::new()).await?;
        let on_delete = case.object.lifecycle.on_delete;
        case.stamp = Stamp::new(STACK, &case.object.address, &read, on_delete);
        case.agrees(&case.object, &now).await.context("A is set")?;
        case.id = now.live(&case.object.address)?.id.0;
        case.ids = now.ids;
        case.seen = now.observed;
        case.after = scene.state()?;
        Ok(case)
    }

    fn all(&self, object: &Declared) -> Vec<Declared> {
        let needs = self.needs.iter().filter(|d| d.address != object.address);
        needs.cloned().chain([object.clone()]).collect()
    }

    fn change<'p>(&self, plan: &'p Plan) -> Option<&'p Change> {
        plan.changes
            .iter()
            .find(|change| change.address == self.object.address)
    }

    fn declared(&self, spec: &Value) -> Option<Declared> {
        data::declared(self.kind, self.schema, self.document, spec).ok()
    }

    /// Checks that AWS has all that an object declares.
    async fn agrees(&self, object: &Declared, now: &InSync) -> Result<()> {
        let live = now.live(&object.address)?;
        let names = now
            .ids
            .iter()
            .map(|(name, id)| (id.clone(), name.clone()))
            .collect();
        let lifted = self
            .kind
            .parse(&reference::lift(live.spec.clone(), &names))?;
        let mut wanted = self.scene.ready(object, &BTreeMap::new()).await?;
        for only in self.kind.write_only() {
            pointer::remove(&mut wanted, only);
        }
        let mut found = Vec::new();
        missing(&wanted, Some(&lifted), "", &mut found);
        ensure!(
            found.is_empty(),
            "AWS does not have {found:?}: {lifted} instead of {wanted}"
        );
        Ok(())
    }

    /// Carries a plan out, and checks what comes of it.
    async fn finish(&self, plan: &Plan, object: &Declared) -> Result<()> {
        self.scene.carry_out(plan).await?;
        let now = self.scene.nothing_left(&self.all(object)).await?;
        self.agrees(object, &now).await
    }

    /// The document changes.
    pub(super) async fn changed(&self, places: &[String]) -> Result<Became> {
        let spec = data::with(self.a, self.b, places);
        let Some(mut object) = self.declared(&spec) else {
            return Ok(NoDocument);
        };
        let became = self.redeclared(&object, Some(places)).await?;
        let forced = places.iter().any(|at| {
            self.kind
                .create_only()
                .iter()
                .any(|only| pointer::under(at, only))
        });
        if let Refused(_) = became
            && forced
            && self.kind.loses().is_some()
            && self.kind.never_deleted().is_none()
        {
            object.lifecycle.on_delete = Some(OnDelete::Delete);
            let replaced = self.redeclared(&object, Some(places)).await?;
            ensure!(
                matches!(replaced, Took),
                "may be replaced, and: {replaced:?}"
            );
        }
        Ok(became)
    }

    /// A field goes from the document.
    pub(super) async fn cleared(&self, place: &str) -> Result<Became> {
        match self.declared(&data::without(self.a, place)) {
            Some(object) => self.redeclared(&object, None).await,
            None => Ok(NoDocument),
        }
    }

    /// A text becomes empty.
    pub(super) async fn emptied(&self, place: &str) -> Result<Became> {
        match data::emptied(self.a, place).and_then(|spec| self.declared(&spec)) {
            Some(object) => self.redeclared(&object, None).await,
            None => Ok(NoDocument),
        }
    }

    /// Plans another document over A and carries it out; `places` must be in the plan if given.
    async fn redeclared(&self, object: &Declared, places: Option<&[String]>) -> Result<Became> {
        self.scene.restore(&self.after)?;
        let (all, wish) = (self.all(object), Wish::default());
        let plan = self.scene.plan_for(&all, &self.seen, &wish).await;
        let Some(change) = self.change(&plan) else {
            ensure!(plan.is_empty(), "others change: {}", told(&plan.changes[0]));
            if places.is_some() && object.spec != self.object.spec {
                bail!("the plan does not notice");
            }
            return Ok(Took);
        };
        if !change.acts() {
            let reason = change.held.as_ref().or(change.reason.as_ref());
            let reason = reason.filter(|reason| !reason.is_empty());
            return Ok(Refused(reason.context("no reason is stated")?.clone()));
        }
        for place in places.into_iter().flatten() {
            let field = &pointer::steps(place)[0];
            ensure!(
                change
                    .differences
                    .iter()
                    .any(|d| pointer::steps(&d.path)[0] == *field),
                "no difference in {place}: {}",
                told(change)
            );
        }
        ensure!(change.because == [Because::Pending], "{}", told(change));
        ensure!(
            plan.changes.len() == 1 || change.action == Action::Replace,
            "others change: {:?}",
            plan.changes.iter().map(told).collect::<Vec<_>>()
        );
        self.finish(&plan, object)
            .await
            .with_context(|| told(change))?;
        Ok(Took)
    }

    /// Somebody writes into AWS what a spec says; returns what is seen then, if AWS took it and it differs from A.
    async fn behind(&self, spec: &Value) -> Result<Result<Observed, Became>> {
        let Some(object) = self.declared(spec) else {
            return Ok(Err(NoDocument));
        };
        self.scene.restore(&self.after)?;
        let all = self.of_kind(&self.seen)?;
        let live = by_id(&all, &self.id)?;
        let wanted = self.scene.ready(&object, &self.ids).await?;
        let mut settled = self.kind.settle(&wanted, &live.spec)?;
        for only in self.kind.write_only() {
            pointer::remove(&mut settled, only);
        }
        // What we could not write ourselves cannot be tried this way.
        if self
            .kind
            .impossible(&settled, &live.spec, &self.scene.aws.location)
            .is_some()
        {
            return Ok(Err(NoDocument));
        }
        let now = self
            .scene
            .write(self.kind, all.clone(), &self.id, &wanted, &self.stamp);
        let now = now.await?;
        if by_id(&now, &self.id)?.spec == live.spec {
            return Ok(Err(NoDocument));
        }
        let mut seen = self.seen.clone();
        for kinds in seen.0.values_mut() {
            let held = now.iter().cloned().map(|live| live.held(None));
            kinds.insert(self.kind.kind().to_owned(), Ok(held.collect()));
        }
        Ok(Ok(seen))
    }

    /// The objects of the kind among what is seen.
    fn of_kind(&self, seen: &Observed) -> Result<Vec<Live<Value>>> {
        let mut kinds = seen.0.values();
        let found = kinds.find_map(|kinds| kinds.get(self.kind.kind()));
        let found = found.context("it was looked at")?.as_ref();
        let found = found.map_err(|why| anyhow::anyhow!("{why:?}"))?;
        Ok(found.iter().map(Live::whole).collect())
    }

    fn only_once(&self, places: &[String]) -> bool {
        let once = [self.kind.create_only(), self.kind.write_only()].concat();
        places
            .iter()
            .any(|at| once.iter().any(|only| pointer::under(at, only)))
    }

    /// AWS changes behind our back.
    pub(super) async fn drifted(&self, places: &[String]) -> Result<Became> {
        if self.only_once(places) {
            return Ok(NoDocument);
        }
        let spec = data::with(self.a, self.b, places);
        let seen = match self.behind(&spec).await? {
            Ok(seen) => seen,
            Err(became) => return Ok(became),
        };
        let (all, wish) = (self.all(&self.object), Wish::default());
        let plan = self.scene.plan_for(&all, &seen, &wish).await;
        let change = self.change(&plan).context("the plan does not notice")?;
        if !change.acts() {
            let reason = change.reason.clone().filter(|reason| !reason.is_empty());
            return Ok(Refused(reason.with_context(|| told(change))?));
        }
        ensure!(change.because == [Because::Drift], "{}", told(change));
        for place in places {
            let field = &pointer::steps(place)[0];
            ensure!(
                change
                    .differences
                    .iter()
                    .any(|d| pointer::steps(&d.path)[0] == *field),
                "no difference in {place}: {}",
                told(change)
            );
        }
        ensure!(
            plan.changes.len() == 1,
            "others change: {}",
            told(&plan.changes[1])
        );
        self.finish(&plan, &self.object)
            .await
            .with_context(|| told(change))?;
        Ok(Took)
    }

    /// One field changes in the document and another (or the same in another way) in AWS.
    pub(super) async fn both(&self, document: &str, aws: &str) -> Result<Became> {
        let places = [document.to_owned(), aws.to_owned()];
        let differ =
            |at: &String| self.b.pointer(at).is_some() && self.a.pointer(at) != self.b.pointer(at);
        if self.only_once(&places) || !places.iter().all(differ) {
            return Ok(NoDocument);
        }
        let there = if document == aws {
            data::without(self.a, aws)
        } else {
            data::with(self.a, self.b, &places[1..])
        };
        let here = data::with(self.a, self.b, &places[..1]);
        let Some(object) = self.declared(&here) else {
            return Ok(NoDocument);
        };
        let seen = match self.behind(&there).await? {
            Ok(seen) => seen,
            Err(became) => return Ok(became),
        };
        let plan = self
            .scene
            .plan_for(&self.all(&object), &seen, &Wish::default())
            .await;
        let Some(change) = self.change(&plan) else {
            // What the field is without a value may be what the document now says.
            ensure!(document == aws, "the plan does not notice");
            return Ok(NoDocument);
        };
        ensure!(
            change.because == [Because::Pending, Because::Drift],
            "{}",
            told(change)
        );
        if !change.acts() {
            return Ok(Refused(change.reason.clone().unwrap_or_default()));
        }
        self.finish(&plan, &object)
            .await
            .with_context(|| told(change))?;
        Ok(Took)
    }

    /// The object is deleted behind our back, twice; and once more after it was changed.
    pub(super) async fn deleted(&self) -> Result<Became> {
        if self.kind.never_deleted().is_some() {
            return Ok(NoDocument);
        }
        self.scene.restore(&self.after)?;
        let all = self.all(&self.object);
        for _ in 0..2 {
            let now = self.scene.nothing_left(&all).await?;
            let live = now.live(&self.object.address)?;
            self.kind.delete(&self.scene.aws, &live).await?;
            // What is gone already is a success.
            let again = self.kind.delete(&self.scene.aws, &live).await;
            again.context("deleting what is gone")?;
            let plan = self.scene.plan(&all, &Wish::default()).await;
            let change = self.change(&plan).context("the plan does not notice")?;
            ensure!(
                change.action == Action::Create && change.because == [Because::Missing],
                "{}",
                told(change)
            );
            self.finish(&plan, &self.object)
                .await
                .with_context(|| told(change))?;
        }
        Ok(Took)
    }

    /// Somebody else's object stands where ours shall be: B, as far as A can become of it.
    async fn stranger(&self, stamp: &Stamp) -> Result<Value> {
        self.scene.restore(&self.before)?;
        let mut spec = self.b.clone();
        let kept: Vec<String> = self
            .kind
            .create_only()
            .iter()
            .map(|only| (*only).to_owned())
            .chain(["/name".to_owned()])
            .filter(|only| self.a.pointer(only).is_some())
            .collect();
        // Whose tags they are is for the stamp to say.
        spec = data::without(&data::with(&spec, self.a, &kept), "/tags");
        let object = data::declared(self.kind, self.schema, self.document, &spec);
        // Where A and B do not go together, A itself does.
        let same = || {
            data::declared(
                self.kind,
                self.schema,
                self.document,
                &data::without(self.a, "/tags"),
            )
        };
        let object = object.or_else(|_| same()).map_err(anyhow::Error::msg)?;
        let wanted = self.scene.ready(&object, &self.ids).await?;
        self.scene.create(self.kind, &wanted, stamp).await?;
        Ok(wanted)
    }

    /// An object that nobody owns is there already.
    pub(super) async fn adopted(&self) -> Result<Became> {
        self.stranger(&unstamped("stranger")).await?;
        let all = self.all(&self.object);
        let plan = self.scene.plan(&all, &Wish::default()).await;
        let change = self.change(&plan).context("the plan does not notice")?;
        if change.action == Action::Blocked {
            let reason = change.reason.clone().filter(|reason| !reason.is_empty());
            return Ok(Refused(reason.context("no reason is stated")?));
        }
        ensure!(
            change.action == Action::Adopt && change.held.is_some(),
            "{}",
            told(change)
        );
        self.scene.carry_out(&plan).await?;
        let wish = Wish {
            adopt: true,
            ..Wish::default()
        };
        let plan = self.scene.plan(&all, &wish).await;
        let change = self.change(&plan).context("the plan does not notice")?;
        ensure!(
            change.action == Action::Adopt && change.acts(),
            "{}",
            told(change)
        );
        self.finish(&plan, &self.object)
            .await
            .with_context(|| told(change))?;
        ensure!(
            self.scene
                .all(self.kind)
                .await?
                .iter()
                .filter(|live| live.tags.contains_key("stationbill-stack"))
                .count()
                == 1 + self.others()
        );
        Ok(Took)
    }

    /// How many objects of the kind are needed besides.
    fn others(&self) -> usize {
        let same = self
            .needs
            .iter()
            .filter(|d| d.address.kind == self.kind.kind());
        same.count()
    }

    /// An object of another stack is there already.
    pub(super) async fn owned(&self) -> Result<Became> {
        let theirs = Stamp::new("others", &self.object.address, self.a, None);
        self.stranger(&theirs).await?;
        let all = self.all(&self.object);
        let plan = self
            .scene
            .plan(
                &all,
                &Wish {
                    adopt: true,
                    ..Wish::default()
                },
            )
            .await;
        let change = self.change(&plan).context("the plan does not notice")?;
        if self.kind.identity() == Identity::SharedName {
            ensure!(change.action == Action::Create, "{}", told(change));
            return match self.finish(&plan, &self.object).await {
                Ok(()) => Ok(Took),
                // Two baselines cannot have one patch group.
                Err(error) if format!("{error:#}").contains("AlreadyExists") => Ok(NoDocument),
                Err(error) => Err(error),
            };
        }
        ensure!(change.action == Action::Blocked, "{}", told(change));
        let reason = change.reason.clone().unwrap_or_default();
        ensure!(reason.contains("`others`"), "{reason}");
        self.scene.carry_out(&plan).await?;
        Ok(Refused(reason))
    }

    /// Everything goes.
    pub(super) async fn destroyed(&self, foreign: &[(&dyn AnyKind, String)]) -> Result<Became> {
        self.scene.restore(&self.after)?;
        for (kind, id) in foreign.iter().rev() {
            let all = self.scene.all(*kind).await?;
            let live = by_id(&all, id)?;
            // What ours still names stays, as far as it matters: a person does not.
            drop(kind.delete(&self.scene.aws, live).await);
        }
        let mut all = self.all(&self.object);
        for object in &mut all {
            object.lifecycle.on_delete = Some(OnDelete::Delete);
        }
        let wish = Wish {
            destroy: true,
            ..Wish::default()
        };
        let plan = self.whole.plan(&all, &wish).await;
        let retained: Vec<_> = plan
            .retained
            .iter()
            .map(|n| n.address.kind.as_str())
            .collect();
        ensure!(
            retained.iter().all(|kind| *kind == "ReplicationSet"),
            "{:?}",
            plan.retained
        );
        ensure!(
            plan.changes.len() + retained.len() == all.len(),
            "{:?}",
            plan.changes.iter().map(told).collect::<Vec<_>>()
        );
        self.whole.carry_out(&plan).await?;
        let observed = self.whole.observe(&[], Breadth::Everything).await;
        let mut left = Vec::new();
        for (kind, found) in observed.0.values().flatten() {
            let found = match found {
                Ok(found) => found,
                Err(Unreadable::NotAvailable(_)) => continue,
                Err(Unreadable::Failed(why) | Unreadable::NotEnabled(why)) => {
                    bail!("{kind}: {why}")
                }
            };
            let ours = found
                .iter()
                .filter(|live| live.tags.contains_key("stationbill-stack"));
            left.extend(ours.map(|live| format!("{kind} {}", live.name)));
        }
        left.retain(|left| !left.starts_with("ReplicationSet"));
        ensure!(left.is_empty(), "left over: {left:?}");
        Ok(Took)
    }
}
