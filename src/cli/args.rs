//! What was typed. What it means is [`super::context`].

use std::path::PathBuf;

use clap::builder::Styles;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::{
    apply, completions, crds, destroy, drift, export, iam_policy, man, operator, plan, sandbox,
    schema, validate, watch,
};

/// Declares AWS operations as code: who is called, what they run, what they look at, how servers stay patched.
///
/// Documents are read from files, compared with live AWS, and applied or reported. There is no state file: tags on
/// the AWS objects are the state.
#[derive(Debug, Parser)]
#[command(
    name = "stationbill",
    version,
    styles = Styles::plain(),
    max_term_width = 100,
    after_help = "Exit codes: 0 done, in sync, valid; 1 the answer is no (differences with --exit-code, drift, invalid \
                  documents); 2 failed, in whole or in part; 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags that every command has.
    #[command(flatten)]
    pub global: Global,
}

/// The commands, one file each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check documents offline: all problems at once
    Validate(validate::Validate),
    /// Compare documents with live AWS; reads, never writes
    Plan(plan::PlanArgs),
    /// Plan, ask, and make AWS as declared
    Apply(apply::Apply),
    /// Report what changed in AWS behind our back
    Drift(drift::Drift),
    /// Write live AWS as documents
    Export(export::Export),
    /// Delete everything the stack owns, after asking twice
    Destroy(destroy::Destroy),
    /// Print the JSON Schema of documents or of plans
    Schema(schema::Schema),
    /// Print the Kubernetes custom resource definitions
    Crds(crds::Crds),
    /// Print the least IAM policy that the documents need
    IamPolicy(iam_policy::IamPolicy),
    /// Print shell completions
    Completions(completions::Completions),
    /// Print the manual page
    Man(man::Man),
    /// Serve the simulated AWS on loopback
    Sandbox(sandbox::SandboxArgs),
    /// Keep AWS as the newest commit of a Git repository declares
    Watch(watch::Watch),
    /// Run the Kubernetes controller
    Operator(operator::OperatorArgs),
}

impl Command {
    /// Returns the outputs that a command has: all of them where it does not say, or writes one thing alone anyway.
    pub(super) fn outputs(&self) -> &'static [Output] {
        use Output::{Human, Json, Junit, Markdown, Sarif};
        match self {
            Self::Validate(_) => &[Human, Json, Sarif, Junit],
            Self::Apply(_) | Self::Destroy(_) => &[Human, Json, Markdown, Junit],
            Self::Export(_) => &[Human],
            Self::Watch(_) => &[Human, Json],
            _ => Output::value_variants(),
        }
    }
}

/// Flags that every command has.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Use the simulated AWS instead of the real one
    ///
    /// Its state is kept in DIR; without DIR in `.stationbill/sandbox` of the current folder.
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true,
          default_missing_value = ".stationbill/sandbox", env = "STATIONBILL_SANDBOX", hide_env_values = true)]
    pub sandbox: Option<PathBuf>,
    /// Only places of these Targets; may be repeated
    #[arg(long, global = true, value_name = "TARGET")]
    pub target: Vec<String>,
    /// Only places in these accounts; may be repeated
    #[arg(long, global = true, value_name = "ID")]
    pub account: Vec<String>,
    /// Region to act in [default: the environment's or the profile's]; with Targets, only places in this region
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// Only objects of these kinds; may be repeated
    #[arg(long, global = true, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only objects of these names; may be repeated
    #[arg(long, global = true, value_name = "NAME")]
    pub name: Vec<String>,
    /// Keep in DIR what was read, so that a later run need not read again what has not changed
    ///
    /// Safe to lose; nothing is deleted because of what it says.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "STATIONBILL_CACHE",
        hide_env_values = true
    )]
    pub cache: Option<PathBuf>,
    /// Only what can be affected by what changed since this Git revision, files that documents read included
    #[arg(long, global = true, value_name = "REV")]
    pub changed_since: Option<String>,
    /// How to write the answer
    #[arg(long, short = 'o', global = true, value_enum, default_value_t = Output::Human, env = "STATIONBILL_OUTPUT", hide_env_values = true)]
    pub output: Output,
    /// When to use colour; `auto` looks at the terminal and at `NO_COLOR`
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, env = "STATIONBILL_COLOR", hide_env_values = true)]
    pub color: Color,
    /// Show everything; twice: log each AWS call, three times: everything the libraries have to say
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Write nothing but the answer and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// How to write logs
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "STATIONBILL_LOG_FORMAT",
          hide_env_values = true)]
    pub log_format: LogFormat,
}

/// How to write the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Human,
    /// For scripts; stable.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// For code-scanning services.
    Sarif,
    /// For CI systems.
    Junit,
    /// For GitLab's merge requests: counts, as `artifacts:reports:terraform` takes them.
    Gitlab,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// When the stream is a terminal and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to write logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The documents to work on.
#[derive(Clone, Debug, Args)]
pub(super) struct Paths {
    /// Folders or files with documents
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
}
