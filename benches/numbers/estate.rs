//! Folders of documents to measure with, and a simulated AWS that has what they say.
//!
//! Documents are made from templates: the example of a kind in `examples/kinds`, under as many names as are wanted. So a
//! new kind can be measured without a line here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize as _;
use serde_json::{Value, json};
use stationbill::aws::{Connector, connect};
use stationbill::engine::desired::desired;
use stationbill::engine::secrets::Sources;
use stationbill::engine::{self, Breadth, Patience, World};
use stationbill::kinds::{self, KINDS};
use stationbill::load;
use stationbill::model::plan::{Wish, plan};
use stationbill::model::reference::references;
use stationbill::sandbox::{Enforce, Options, Organization, Sandbox, Settings};
use tokio_util::sync::CancellationToken;

use crate::table;

/// The stack of documents that name none.
pub(crate) const STACK: &str = "default";

/// Of ten documents of a mixed estate, so many are of each kind. Dashboards are few: reading one takes a tenth of a
/// second of the account's rate.
const MIX: [&str; 10] = [
    "Runbook", "Document", "Runbook", "Contact", "Runbook", "Document", "Runbook", "Contact",
    "Runbook", "Runbook",
];

/// Says what a mixed estate is.
pub(crate) fn about() -> Result<()> {
    let length = |document: &Value| serde_yaml::to_string(document).map(|text| text.len());
    let (runbook, small) = (
        length(&copy("Runbook", 0)?)?,
        length(&small_copy("Runbook", 0)?)?,
    );
    table::line(&format!(
        "A mixed estate: of ten documents six are runbooks of 30 steps ({runbook} bytes), two are commands, and two are \
         people with three channels each; with the replication set that people need. A small one has runbooks of {small} \
         bytes."
    ));
    Ok(())
}

/// A folder of documents.
pub(crate) struct Estate {
    folder: tempfile::TempDir,
    count: usize,
}

impl Estate {
    /// A mixed estate, with what it needs.
    pub(crate) fn mixed(size: usize) -> Result<Self> {
        let mut documents = needs("Contact")?;
        for index in 0..size {
            documents.push(copy(MIX[index % MIX.len()], index)?);
        }
        Self::write(&documents)
    }

    /// The same, with runbooks like the example of `examples/kinds`.
    pub(crate) fn small(size: usize) -> Result<Self> {
        let mut documents = needs("Contact")?;
        for index in 0..size {
            documents.push(small_copy(MIX[index % MIX.len()], index)?);
        }
        Self::write(&documents)
    }

    /// Objects of one kind.
    pub(crate) fn of(kind: &str, size: usize) -> Result<Self> {
        let documents: Result<Vec<Value>> = (0..size).map(|index| copy(kind, index)).collect();
        Self::write(&documents?)
    }

    /// What objects of a kind need before they can be made.
    pub(crate) fn needs(kind: &str) -> Result<Self> {
        Self::write(&needs(kind)?)
    }

    /// Writes a file for each document.
    pub(crate) fn write(documents: &[Value]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (index, document) in documents.iter().enumerate() {
            let path = folder.path().join(format!("{index:06}.yaml"));
            std::fs::write(path, serde_yaml::to_string(document)?)?;
        }
        Ok(Self {
            folder,
            count: documents.len(),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Makes a simulated AWS in a directory have what the documents say, as fast as this machine can: no latency, no
    /// quotas.
    pub(crate) fn fill(&self, state: &Path) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let text = std::fs::read_to_string(organization())?;
        let organization = Organization::parse(&text).map_err(anyhow::Error::msg)?;
        runtime.block_on(async {
            let sandbox = Sandbox::open(Options {
                state: Some(state.to_owned()),
                quotas: Enforce::Off,
                settings: Settings {
                    async_reads: 0,
                    organization: Some(organization),
                    ..Settings::default()
                },
                ..Options::default()
            })?;
            let connector = Connector {
                sandbox: Some(sandbox),
                ..Connector::default()
            };
            let aws = connect(&connector).await?.aws;
            let pause = Duration::from_millis(1);
            let world = World {
                places: BTreeMap::from([(aws.location.clone(), aws)]),
                kinds: KINDS,
                patience: Patience {
                    first: pause,
                    longest: pause,
                    limit: Duration::from_mins(1),
                },
            };
            let loaded = load::load(&[self.folder().to_owned()], &kinds::specs())?;
            ensure!(
                loaded.report.is_ok(),
                "invalid: {:?}",
                loaded.report.diagnostics
            );
            let sources = Sources::Machine(Arc::new(|_| None));
            let desired = desired(STACK, &loaded.objects, &world, &sources).await;
            let observed = engine::observe(&world, &desired, Breadth::Declared, &|_| {}).await;
            let plan = plan(&desired, &observed, &kinds::specs(), &Wish::default());
            let outcome = engine::apply(&plan, &world, &|_| {}, &CancellationToken::new()).await;
            ensure!(outcome.complete(&plan), "not filled: {:?}", outcome.endings);
            Ok(())
        })
    }
}

/// Returns the documents that objects of a kind need, and not they themselves.
fn needs(kind: &str) -> Result<Vec<Value>> {
    let all = examples()?;
    let loaded = load::load(&[folder()], &kinds::specs())?;
    let mut found = BTreeSet::new();
    let mut waiting = vec![address(&template(kind)?)];
    while let Some(name) = waiting.pop() {
        let declared = loaded
            .objects
            .iter()
            .find(|declared| declared.address.to_string() == name);
        let declared = declared.with_context(|| format!("no example is called {name}"))?;
        let after = kinds::find(&declared.address.kind).map_or(&[][..], |kind| kind.after());
        let needed = references(&declared.spec).into_iter().map(|(_, name)| name);
        let needed = needed.chain(
            all.iter()
                .filter(|example| after.iter().any(|kind| example["kind"] == **kind))
                .map(address),
        );
        waiting.extend(needed.filter(|name| found.insert(name.clone())));
    }
    Ok(all
        .into_iter()
        .filter(|example| found.contains(&address(example)))
        .collect())
}

/// Returns a document's `Kind/name`.
pub(crate) fn address(document: &Value) -> String {
    let text = |at: &str| document.pointer(at).and_then(Value::as_str);
    format!(
        "{}/{}",
        text("/kind").unwrap_or_default(),
        text("/metadata/name").unwrap_or_default()
    )
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kinds")
}

/// The file of an organization whose Security Hub the account administers: some kinds are for nobody else.
pub(crate) fn organization() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/organization.yaml")
}

/// Reads the examples of all kinds.
pub(crate) fn examples() -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let text = std::fs::read_to_string(entry?.path())?;
        for document in serde_yaml::Deserializer::from_str(&text) {
            found.push(Value::deserialize(document)?);
        }
    }
    Ok(found)
}

/// Returns a kind's example that a folder can have twice: the last that refers to nothing, or the last.
fn template(kind: &str) -> Result<Value> {
    let several =
        |example: &Value| example["kind"] == kind && example.pointer("/spec/name").is_none();
    let found: Vec<Value> = examples()?.into_iter().filter(several).collect();
    let refers = |example: &Value| example["spec"].to_string().contains("\"ref\":");
    let alone = found.iter().rfind(|example| !refers(example));
    match alone.or(found.last()) {
        Some(example) => Ok(example.clone()),
        None => bail!("no example of the kind {kind} can be copied"),
    }
}

/// Returns a kind's example under another name; a runbook has thirty steps.
pub(crate) fn copy(kind: &str, index: usize) -> Result<Value> {
    let mut document = small_copy(kind, index)?;
    if kind == "Runbook" {
        let name = name(kind, index);
        document["spec"]["content"] = runbook(&name);
    }
    Ok(document)
}

fn name(kind: &str, index: usize) -> String {
    format!("{}-{index:06}", kind.to_lowercase())
}

fn small_copy(kind: &str, index: usize) -> Result<Value> {
    let mut document = template(kind)?;
    document["metadata"]["name"] = json!(name(kind, index));
    if let Some(spec) = document["spec"].as_object_mut() {
        // An account has these once.
        for only_one in ["patchGroups", "default", "sharing", "associations"] {
            spec.remove(only_one);
        }
    }
    Ok(document)
}

/// A runbook of thirty steps.
fn runbook(name: &str) -> Value {
    let step = |number: usize| {
        json!({
            "name": format!("step{number}"),
            "action": "aws:runCommand",
            "description": format!("Step {number} of the recovery of {name}: stop, look, and go on"),
            "timeoutSeconds": 600,
            "onFailure": "Abort",
            "inputs": {
                "DocumentName": "AWS-RunShellScript",
                "InstanceIds": "{{ InstanceId }}",
                "Parameters": { "commands": [
                    format!("systemctl status banana-{number} --no-pager"),
                    "journalctl --since '10 minutes ago' | tail -n 50",
                ] },
            },
            "isEnd": number == 30,
        })
    };
    json!({
        "schemaVersion": "0.3",
        "description": format!("Recovers the banana stand, {name}"),
        "assumeRole": "{{ AutomationAssumeRole }}",
        "parameters": {
            "AutomationAssumeRole": { "type": "String" },
            "InstanceId": { "type": "StringList" },
        },
        "mainSteps": (1..=30).map(step).collect::<Vec<_>>(),
    })
}
