//! A simulated AWS of one test's own, and the engine over it, put together as the CLI does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use stationbill::aws::{Aws, Connector, connect};
use stationbill::engine::desired::desired;
use stationbill::engine::secrets::Sources;
use stationbill::engine::{self, Breadth, Ending, Patience, World};
use stationbill::kinds::{self, AnyKind, KINDS, Select};
use stationbill::load::{Declared, Loaded, load};
use stationbill::model::plan::{Change, Desired, Observed, Plan, Wish, plan};
use stationbill::model::stamp::Stamp;
use stationbill::model::{Address, Document, Live, reference};
use stationbill::sandbox::{Enforce, Options, Sandbox, Settings, State};

use crate::support::{ADMINISTRATORS, administering};

/// The stack that everything belongs to.
pub(crate) const STACK: &str = "test";

/// What AWS has when nothing is left to do.
pub(crate) struct InSync {
    /// AWS ids by address.
    pub(crate) ids: BTreeMap<String, String>,
    pub(crate) observed: Observed,
}

impl InSync {
    /// The object of that address.
    pub(crate) fn live(&self, address: &Address) -> Result<Live<Value>> {
        let id = self.ids.get(&address.to_string()).context("it has no id")?;
        let of_kind = self
            .observed
            .0
            .values()
            .filter_map(|kinds| kinds.get(&address.kind));
        let mut live = of_kind.filter_map(|found| found.as_ref().ok()).flatten();
        live.find(|live| live.id.0 == *id)
            .map(Live::whole)
            .with_context(|| format!("{id} is not there"))
    }
}

pub(crate) struct Scene {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) aws: Aws,
    pub(crate) world: World,
    /// What environment variables hold.
    pub(crate) variables: BTreeMap<String, String>,
    /// What was seen of kinds that are not looked at again.
    seen: Observed,
}

impl Scene {
    pub(crate) async fn new() -> Result<Self> {
        Self::with(Settings::default()).await
    }

    /// A scene in which there can be what all these kinds make.
    pub(crate) async fn fit_for(mut kinds: impl Iterator<Item = &str>) -> Result<Self> {
        let administers = kinds.any(|kind| ADMINISTRATORS.contains(&kind));
        Self::with(if administers {
            administering()
        } else {
            Settings::default()
        })
        .await
    }

    pub(crate) async fn with(settings: Settings) -> Result<Self> {
        let options = Options {
            quotas: Enforce::Off,
            settings,
            exchanges: Some(crate::support::exchanges()),
            ..Options::default()
        };
        let sandbox = Sandbox::open(options)?;
        let connector = Connector {
            sandbox: Some(Arc::clone(&sandbox)),
            ..Connector::default()
        };
        let aws = connect(&connector).await?.aws;
        let world = World {
            places: BTreeMap::from([(aws.location.clone(), aws.clone())]),
            kinds: KINDS,
            patience: Patience {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(4),
                limit: Duration::from_mins(5),
            },
        };
        Ok(Self {
            sandbox,
            aws,
            world,
            variables: BTreeMap::new(),
            seen: Observed::default(),
        })
    }

    /// Returns the same scene in which only one kind is looked at from now on; the others are as they are now.
    pub(crate) async fn focused(&self, kind: &dyn AnyKind, declared: &[Declared]) -> Result<Self> {
        let at = KINDS.iter().position(|k| k.kind() == kind.kind());
        let at = at.context("a registered kind")?;
        let mut seen = self.observe(declared, Breadth::Declared).await;
        for kinds in seen.0.values_mut() {
            kinds.remove(kind.kind());
        }
        Ok(Self {
            sandbox: Arc::clone(&self.sandbox),
            aws: self.aws.clone(),
            world: World {
                kinds: &KINDS[at..=at],
                ..self.world.clone()
            },
            variables: self.variables.clone(),
            seen,
        })
    }

    /// Remembers everything that AWS has.
    pub(crate) fn state(&self) -> Result<Value> {
        Ok(self
            .sandbox
            .with_state(|state| serde_json::to_value(&*state))?)
    }

    /// Makes AWS what it was.
    pub(crate) fn restore(&self, then: &Value) -> Result<()> {
        let mut then: State = serde_json::from_value(then.clone())?;
        self.sandbox.with_state(|state| {
            then.settings = state.settings.clone();
            *state = then;
        });
        Ok(())
    }

    pub(crate) async fn observe(&self, declared: &[Declared], breadth: Breadth) -> Observed {
        let desired = self.desired(declared).await;
        let mut observed = engine::observe(&self.world, &desired, breadth, &|_| {}).await;
        for (location, kinds) in &self.seen.0 {
            let observed = observed.0.entry(location.clone()).or_default();
            observed.extend(
                kinds
                    .iter()
                    .map(|(kind, live)| (kind.clone(), live.clone())),
            );
        }
        observed
    }

    async fn desired(&self, declared: &[Declared]) -> Desired {
        let variables = self.variables.clone();
        let sources = Sources::Machine(Arc::new(move |name| variables.get(name).cloned()));
        desired(STACK, declared, &self.world, &sources).await
    }

    pub(crate) async fn plan(&self, declared: &[Declared], wish: &Wish) -> Plan {
        let breadth = if wish.prune || wish.destroy {
            Breadth::Owned
        } else {
            Breadth::Declared
        };
        let observed = self.observe(declared, breadth).await;
        self.plan_for(declared, &observed, wish).await
    }

    /// Plans for what was seen in AWS.
    pub(crate) async fn plan_for(
        &self,
        declared: &[Declared],
        observed: &Observed,
        wish: &Wish,
    ) -> Plan {
        let desired = self.desired(declared).await;
        plan(&desired, observed, &kinds::specs(), wish)
    }

    /// Applies a plan; everything that acts must be done.
    pub(crate) async fn carry_out(&self, plan: &Plan) -> Result<()> {
        let cancel = tokio_util::sync::CancellationToken::new();
        let outcome = engine::apply(plan, &self.world, &|_| {}, &cancel).await;
        for (change, ending) in plan.changes.iter().zip(&outcome.endings) {
            match ending {
                Some(Ending::Done) => {}
                None if !change.acts() => {}
                other => bail!("{} ended as {other:?}", told(change)),
            }
        }
        Ok(())
    }

    /// Applies documents, and checks that nothing is left to do then.
    pub(crate) async fn apply(&self, declared: &[Declared]) -> Result<Plan> {
        let made = self.plan(declared, &Wish::default()).await;
        if let Some(change) = made.changes.iter().find(|change| !change.acts()) {
            bail!("does not act: {}", told(change));
        }
        self.carry_out(&made).await?;
        self.nothing_left(declared).await?;
        Ok(made)
    }

    /// Checks that a plan is empty, and returns what AWS has.
    pub(crate) async fn nothing_left(&self, declared: &[Declared]) -> Result<InSync> {
        let observed = self.observe(declared, Breadth::Declared).await;
        let plan = self.plan_for(declared, &observed, &Wish::default()).await;
        let left: Vec<String> = plan.changes.iter().map(told).collect();
        ensure!(
            left.is_empty(),
            "applied, and the plan is not empty: {}",
            left.join("; ")
        );
        ensure!(plan.orphans.is_empty(), "orphans: {:?}", plan.orphans);
        let ids = plan.ids.get(&self.aws.location).cloned();
        Ok(InSync {
            ids: ids.unwrap_or_default().into_iter().collect(),
            observed,
        })
    }

    /// Everything of a kind.
    pub(crate) async fn all(&self, kind: &dyn AnyKind) -> Result<Vec<Live<Value>>> {
        Ok(kind.list(&self.aws, &Select::Everything).await?)
    }

    /// The spec of a declared object as a call gets it: sources read, references resolved.
    pub(crate) async fn ready(
        &self,
        declared: &Declared,
        ids: &BTreeMap<String, String>,
    ) -> Result<Value> {
        let desired = self.desired(std::slice::from_ref(declared)).await;
        let object = desired.objects.into_iter().next().context("no object")?;
        if let Some(problem) = object.problem {
            bail!("{}: {problem}", object.address);
        }
        Ok(reference::resolve(Value::clone(&object.spec), ids))
    }

    /// Creates an object behind the engine's back, with whatever stamp.
    pub(crate) async fn create(
        &self,
        kind: &dyn AnyKind,
        spec: &Value,
        stamp: &Stamp,
    ) -> Result<String> {
        let id = kind.create(&self.aws, spec, stamp).await?.0;
        self.write(kind, self.all(kind).await?, &id, spec, stamp)
            .await?;
        Ok(id)
    }

    /// Writes an object behind the engine's back, until AWS has it all, and returns all objects of the kind.
    pub(crate) async fn write(
        &self,
        kind: &dyn AnyKind,
        mut all: Vec<Live<Value>>,
        id: &str,
        spec: &Value,
        stamp: &Stamp,
    ) -> Result<Vec<Live<Value>>> {
        for _ in 0..20 {
            let live = by_id(&all, id)?;
            if live.ready {
                let mut settled = kind.settle(spec, &live.spec)?;
                for only in kind.write_only() {
                    stationbill::model::pointer::remove(&mut settled, only);
                }
                if stationbill::model::diff::diff(&live.spec, &settled).is_empty() {
                    return Ok(all);
                }
                kind.update(&self.aws, spec, live, stamp).await?;
            }
            all = self.all(kind).await?;
        }
        bail!("AWS does not take what is written behind our back")
    }
}

/// Finds an object by its AWS id.
pub(crate) fn by_id<'a>(all: &'a [Live<Value>], id: &str) -> Result<&'a Live<Value>> {
    all.iter()
        .find(|live| live.id.0 == id)
        .with_context(|| format!("{id} is not there"))
}

/// What somebody else writes on an object who knows nothing of stamps.
pub(crate) fn unstamped(token: &str) -> Stamp {
    Stamp {
        tags: BTreeMap::from([("made-by".to_owned(), "hand".to_owned())]),
        token: token.to_owned(),
    }
}

/// Loads documents from a folder or file; they must be right.
pub(crate) fn loaded(path: &Path) -> Result<Loaded> {
    let loaded = load(&[path.to_owned()], &kinds::specs())?;
    let findings: Vec<String> = loaded
        .report
        .diagnostics
        .iter()
        .map(|d| format!("{:?} {} {}: {}", d.severity, d.code, d.at, d.message))
        .collect();
    ensure!(loaded.report.is_ok(), "{}", findings.join("\n"));
    Ok(loaded)
}

/// A change in one line.
pub(crate) fn told(change: &Change) -> String {
    let differences: Vec<String> = change
        .differences
        .iter()
        .map(|d| {
            let side =
                |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
            format!("{} {} -> {}", d.path, side(&d.old), side(&d.new))
        })
        .collect();
    format!(
        "{} {} {:?} reason {:?} held {:?} [{}]",
        change.action.word(),
        change.address,
        change.because,
        change.reason,
        change.held,
        differences.join(", ")
    )
}

/// Says where AWS does not have what is declared: everything that is written must be there.
pub(crate) fn missing(declared: &Value, live: Option<&Value>, at: &str, found: &mut Vec<String>) {
    if let (Some(a), Some(b)) = (Document::marked(declared), live.and_then(Document::marked)) {
        if !a.same_meaning(&b) {
            found.push(at.to_owned());
        }
        return;
    }
    match (declared, live) {
        (Value::Object(declared), live) => {
            for (key, member) in declared {
                let live = live.and_then(|live| live.get(key));
                missing(member, live, &format!("{at}/{key}"), found);
            }
        }
        (Value::Array(a), Some(Value::Array(b))) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                missing(a, Some(b), &format!("{at}/{index}"), found);
            }
        }
        (Value::String(text), None) if text.is_empty() => {}
        (declared, Some(live)) if declared == live => {}
        _ => found.push(at.to_owned()),
    }
}
