//! `operator`: run the Kubernetes controller.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use kube::{Client, Config};
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::exit::Exit;
use crate::aws::{Connector, Owners};
use crate::load::Loaded;
use crate::operator::limits::Limits;
use crate::operator::{GitOptions, Operator, Options};
use crate::service;

/// Run the Kubernetes controller
///
/// It keeps AWS as the objects of a cluster say, one Stack a namespace. The cluster is the one that it runs in, or that
/// of KUBECONFIG. Ends on SIGTERM and Ctrl-C: what is in flight ends, nothing new starts.
#[derive(Debug, Args)]
pub struct OperatorArgs {
    /// Watch this namespace alone; may be repeated [default: all of them]
    #[arg(
        long,
        value_name = "NAMESPACE",
        value_delimiter = ',',
        env = "STATIONBILL_NAMESPACES",
        hide_env_values = true
    )]
    namespace: Vec<String>,
    /// Where the Leases are [default: the namespace that the operator runs in]
    #[arg(
        long,
        value_name = "NAMESPACE",
        env = "STATIONBILL_LEASE_NAMESPACE",
        hide_env_values = true
    )]
    lease_namespace: Option<String>,
    /// Among how many shards namespaces are spread; the same for every replica
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256),
          env = "STATIONBILL_SHARDS", hide_env_values = true)]
    shards: u32,
    /// How many namespaces are looked at at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000),
          env = "STATIONBILL_CONCURRENCY", hide_env_values = true)]
    concurrency: u32,
    /// A file that says which namespaces may use which accounts and roles [default: all may use all]
    #[arg(
        long,
        value_name = "FILE",
        env = "STATIONBILL_LIMITS",
        hide_env_values = true
    )]
    limits: Option<PathBuf>,
    /// Folder for the repositories that Stacks name by `source.git`; safe to lose [default: such Stacks are refused]
    #[arg(
        long,
        value_name = "DIR",
        env = "STATIONBILL_GIT_STATE",
        hide_env_values = true
    )]
    git_state: Option<PathBuf>,
    /// The protocols that `source.git.url` may have, as Git calls them
    #[arg(
        long,
        value_name = "PROTOCOL",
        value_delimiter = ',',
        default_value = "https,ssh",
        env = "STATIONBILL_GIT_PROTOCOLS",
        hide_env_values = true
    )]
    git_protocols: Vec<String>,
    /// Where to answer /metrics, /healthz and /readyz; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080",
        env = "STATIONBILL_LISTEN",
        hide_env_values = true
    )]
    listen: SocketAddr,
    /// What to call this replica [default: the host's name]
    #[arg(long, value_name = "NAME", env = "POD_NAME", hide_env_values = true)]
    identity: Option<String>,
}

impl OperatorArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let limits = self.limits.as_deref().map(Limits::read).transpose()?;
        let config = Config::infer().await.context(
            "no cluster is known\nhint: run it in a cluster, or name a file with the way to one in KUBECONFIG",
        )?;
        let home = self.lease_namespace;
        let home = home.unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).context("the cluster cannot be reached")?;
        let name = self
            .identity
            .or_else(|| super::environment::variable("HOSTNAME"));
        let name = name.unwrap_or_else(|| "stationbill".to_owned());
        let protocols = self.git_protocols;
        let git = self.git_state.map(|folder| {
            let made = std::fs::create_dir_all(&folder).and_then(|()| folder.canonicalize());
            let folder = made.with_context(|| format!("cannot write to `{}`", folder.display()))?;
            Ok::<_, anyhow::Error>(GitOptions { folder, protocols })
        });
        let connector = context.connector(&Loaded::default())?.configured().await?;
        let options = Options {
            namespaces: self.namespace,
            home,
            shards: self.shards,
            concurrency: self.concurrency as usize,
            limits,
            git: git.transpose()?,
            connector: Connector {
                owners: Some(Owners::default()),
                ..connector
            },
            // A process that was started again is another one.
            service: service::Status::default(),
            me: format!("{name}_{}", uuid::Uuid::new_v4()),
        };
        let listener = service::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        tracing::info!(address = %listener.local_addr()?, "listening");
        let served = options.service.clone();
        let operator = Operator::new(client, options);
        // It answers to the end: whoever looks meanwhile shall see it end in good order.
        let ended = CancellationToken::new();
        let work = async {
            operator.run(&context.cancel).await;
            ended.cancel();
        };
        tokio::join!(work, service::serve(listener, served, ended.clone()));
        Ok(Exit::Ok)
    }
}
