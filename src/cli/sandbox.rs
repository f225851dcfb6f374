//! `sandbox`: serve the simulated AWS on loopback.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use super::context::Context;
use super::exit::Exit;
use crate::sandbox::iam::Policy;
use crate::sandbox::{Enforce, Faults, Options, Organization, Sandbox, Settings, server};

/// Serve the simulated AWS on loopback
///
/// The first line on stdout is the base URL, for `AWS_ENDPOINT_URL`. Any AWS client can use it; an access key id of
/// twelve digits names the account. Ends on SIGTERM and Ctrl-C.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Folder to keep the state in; without it the state ends with the process
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// How long each call takes, for instance 40ms
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    latency: Duration,
    /// Whether AWS's documented quotas and rates are enforced
    #[arg(long, value_enum, default_value_t = Quotas::Documented)]
    quotas: Quotas,
    /// Where generated ids and random faults begin
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A file of faults to inject
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// An IAM identity policy that every call is held to
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A file that describes an organization: its units, accounts, their regions and roles
    ///
    /// Without it every account is there, has every region, and lets every role be assumed.
    #[arg(long, value_name = "FILE")]
    organization: Option<PathBuf>,
    /// Append one JSON line for each call to this file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Refuse a first replication set, as AWS does to new customers
    #[arg(long)]
    closed_to_new_customers: bool,
    /// Let others than this machine connect
    #[arg(long)]
    allow_remote: bool,
}

/// Whether quotas are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Quotas {
    /// As AWS documents them
    Documented,
    /// Not at all
    Off,
}

impl SandboxArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if !self.listen.ip().is_loopback() && !self.allow_remote {
            bail!(
                "{} is not on loopback\nhint: pass --allow-remote if others shall reach it",
                self.listen
            );
        }
        let organization = self.organization.as_deref().map(Organization::read);
        let organization = organization.transpose()?;
        let faults = self.faults.as_deref().map(Faults::read).transpose()?;
        let policy = self.policy.as_deref().map(Policy::read).transpose()?;
        let sandbox = Sandbox::open(Options {
            state: self.state,
            latency: self.latency,
            quotas: if self.quotas == Quotas::Documented {
                Enforce::Documented
            } else {
                Enforce::Off
            },
            seed: self.seed,
            faults,
            policy,
            record: self.record,
            exchanges: None,
            settings: Settings {
                closed_to_new_customers: self.closed_to_new_customers,
                quotas: self.quotas == Quotas::Documented,
                organization,
                ..Settings::default()
            },
        })?;
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        context
            .printer
            .answer(&format!("http://{}\n", listener.local_addr()?))?;
        server::serve(sandbox, listener, context.cancel.clone()).await;
        Ok(Exit::Ok)
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) =
        text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len()));
    let number: f64 = number
        .trim()
        .parse()
        .map_err(|_| "a number and `ms` or `s`, for instance 40ms".to_owned())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" => number,
        _ => return Err("the unit is `ms` or `s`, for instance 40ms".to_owned()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}
