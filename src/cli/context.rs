//! What was meant: everything a command needs, made from what was typed and from the environment.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use tokio_util::sync::CancellationToken;

use super::args::Global;
use super::environment;
use super::printer::Printer;
use super::render::Style;
use crate::aws::{ConnectError, Connection, Connector, connect};
use crate::engine::fleet::{Fleet, Selection};
use crate::engine::secrets::Sources;
use crate::engine::{Patience, World, run};
use crate::kinds::{self, AnyKind, KINDS};
use crate::load::{self, Loaded};
use crate::model::plan::Wish;
use crate::model::suggest;
use crate::sandbox::{Options, Sandbox};

/// Everything a command needs.
pub struct Context {
    /// Flags that every command has.
    pub global: Global,
    /// The way to the terminal.
    pub printer: Printer,
    /// Cancelled by the first Ctrl-C or SIGTERM.
    pub cancel: CancellationToken,
}

/// A connected run.
pub struct Session {
    /// The connection, with its counters.
    pub connection: Connection,
    /// The places of the run.
    pub fleet: Fleet,
    /// Those that can be reached, and the kinds.
    pub world: World,
    /// When the run began.
    pub began: std::time::Instant,
}

impl Context {
    /// Loads documents; problems are told, and are an error unless they are only warnings.
    pub fn load(&self, paths: &[PathBuf]) -> anyhow::Result<Option<Loaded>> {
        let loaded = load::load(paths, &kinds::specs())?;
        if !loaded.report.diagnostics.is_empty() {
            self.printer.complain(&super::render::diagnostics::human(
                &loaded.report,
                &loaded.sources,
                self.printer.color_err,
            ));
        }
        Ok(loaded.report.is_ok().then_some(loaded))
    }

    /// Connects to AWS, real or simulated, and finds the places that the documents are for.
    pub async fn connect(&self, loaded: &Loaded, selection: &Selection) -> anyhow::Result<Session> {
        let began = std::time::Instant::now();
        let mut connector = self.connector(loaded)?;
        let mut connection = connect(&connector).await;
        let mut regions = loaded
            .targets
            .iter()
            .flat_map(|target| &target.spec.regions);
        if let (Err(ConnectError::NoRegion), Some(region)) = (&connection, regions.next()) {
            connector.region = Some(region.clone());
            connection = connect(&connector).await;
        }
        // Whoever asks for the simulated AWS has no use for advice about credentials.
        let advice = |error: &ConnectError| match (error, &connector.sandbox) {
            (ConnectError::Identity(_), Some(_)) => String::new(),
            _ => format!("\nhint: {}", error.hint()),
        };
        let connection = connection
            .map_err(|error| anyhow!("{}{}", crate::aws::chain(&error), advice(&error)))?;
        if let Some(folder) = &self.global.cache {
            let read = connection.aws.memory.load(folder);
            read.with_context(|| format!("cannot read the cache in `{}`", folder.display()))?;
        }
        let fleet = Box::pin(Fleet::find(&connection, loaded, selection)).await?;
        for remark in &fleet.remarks {
            self.printer.say(remark);
        }
        Ok(Session {
            connection,
            world: fleet.world(Patience::default()),
            fleet,
            began,
        })
    }

    /// Keeps what was read for a later run, where that is asked for; that it cannot be kept is no failure.
    pub fn remember(&self, connection: &Connection) {
        if let Some(folder) = &self.global.cache
            && let Err(error) = connection.aws.memory.save(folder)
        {
            let folder = folder.display();
            let text = format!("warning: cannot write the cache in `{folder}`: {error}");
            self.printer.complain(&text);
        }
    }

    /// Returns which places are asked for. Without a Target `--region` says which region the run is in.
    pub fn selection(&self, loaded: &Loaded) -> Selection {
        let region = self
            .global
            .region
            .iter()
            .filter(|_| !loaded.targets.is_empty());
        Selection {
            targets: self.global.target.iter().cloned().collect(),
            accounts: self.global.account.iter().cloned().collect(),
            regions: region.cloned().collect(),
            concerned: None,
        }
    }

    /// Returns the way to AWS that flags and environment lead to.
    pub(super) fn connector(&self, loaded: &Loaded) -> anyhow::Result<Connector> {
        let env = environment::read();
        let sandbox =
            match &self.global.sandbox {
                None => None,
                Some(dir) => {
                    let options = Options {
                        state: Some(dir.to_owned()),
                        ..Options::default()
                    };
                    Some(Sandbox::open(options).with_context(|| {
                        format!("cannot open the sandbox in `{}`", dir.display())
                    })?)
                }
            };
        // With Targets the run's own region must not depend on which places are asked for.
        let chosen = self.global.region.clone();
        let chosen = chosen.filter(|_| loaded.targets.is_empty());
        let region = chosen.or_else(|| env.region.clone().filter(|_| sandbox.is_some()));
        Ok(Connector {
            sandbox,
            sandbox_account: env.sandbox_account,
            region,
            ca_bundle: env.ca_bundle,
            ..Connector::default()
        })
    }

    /// Returns the sources of personal values.
    pub fn sources() -> Sources {
        Sources::Machine(Arc::new(environment::variable))
    }

    /// Returns what the flags and the stack document ask for.
    pub fn wish(&self, loaded: &Loaded) -> Wish {
        let today = jiff::ZonedDateTime::now().date().to_string();
        Wish {
            kinds: self.global.kind.iter().cloned().collect(),
            names: self.global.name.iter().cloned().collect(),
            ..run::wish(loaded, today)
        }
    }

    /// Returns how answers for people look.
    pub fn style(&self) -> Style {
        Style {
            color: self.printer.color_out,
            width: environment::width().unwrap_or(100),
            verbose: self.global.verbose > 0,
        }
    }
}

/// Returns the kind of that name, or an error that says which one was probably meant.
pub fn kind(name: &str) -> anyhow::Result<&'static dyn AnyKind> {
    if let Some(kind) = kinds::find(name) {
        return Ok(kind);
    }
    let known = || KINDS.iter().map(|kind| kind.kind());
    let hint = match suggest::closest(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the kinds are {}", suggest::names(known())),
    };
    bail!("no kind is called `{name}`\nhint: {hint}")
}
