//! The command line: one file a command, each a thin wrapper around the engine.

use clap::builder::{PossibleValue, Resettable};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, ValueEnum as _};
use std::io::Write;
use tokio_util::sync::CancellationToken;
use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

mod answer;
mod apply;
mod args;
mod completions;
pub mod context;
mod crds;
mod destroy;
mod drift;
mod environment;
mod exit;
mod export;
mod iam_policy;
mod man;
mod operator;
pub mod panics;
mod plan;
mod planning;
mod printer;
mod question;
pub mod render;
mod sandbox;
mod saved;
mod schema;
pub mod since;
mod validate;
mod watch;

pub use args::{Cli, Output};
pub use exit::Exit;

use args::{Command, Global, LogFormat};
use context::Context;
use printer::Printer;

use crate::model::sensitive::hide_addresses;
use crate::service::shutdown;

/// Runs the program.
pub fn run() -> Exit {
    panics::hide();
    let matches = lenient(Cli::command()).get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    log(&cli.global);
    let printer = Printer::new(&cli.global, environment::no_color());
    let allowed = cli.command.outputs();
    if !allowed.contains(&cli.global.output) {
        if !prefers(&matches) {
            let names: Vec<_> = allowed
                .iter()
                .filter_map(Output::to_possible_value)
                .collect();
            let names: Vec<_> = names.iter().map(PossibleValue::get_name).collect();
            printer.complain("error: this command has no such output");
            printer.complain(&format!("hint: use --output {}", names.join(" or ")));
            return Exit::Failed;
        }
        cli.global.output = Output::Human;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.complain(&format!("error: cannot start: {error}"));
            return Exit::Failed;
        }
    };
    let cancel = CancellationToken::new();
    let context = Context {
        global: cli.global,
        printer,
        cancel: cancel.clone(),
    };
    let exit = runtime.block_on(async {
        // Only what writes, or serves others, has something to bring to an end.
        let finishes = matches!(
            cli.command,
            Command::Apply(_)
                | Command::Destroy(_)
                | Command::Sandbox(_)
                | Command::Watch(_)
                | Command::Operator(_)
        );
        let serves = matches!(
            cli.command,
            Command::Sandbox(_) | Command::Watch(_) | Command::Operator(_)
        );
        let work = dispatch(cli.command, &context);
        let result = if finishes {
            let told = || {
                if !serves {
                    printer.say("interrupted: what is in flight ends, nothing new starts; once more to stop at once");
                }
            };
            Box::pin(shutdown::gracefully(work, &cancel, told)).await
        } else {
            tokio::select! { result = work => Some(result), () = shutdown::asked() => None }
        };
        let Some(result) = result else {
            return Exit::Interrupted;
        };
        result.unwrap_or_else(|error| {
            let text = format!("{error:#}");
            let (message, hint) = text.split_once("\nhint: ").map_or((text.as_str(), None), |(m, h)| (m, Some(h)));
            printer.complain(&format!("error: {message}"));
            if let Some(hint) = hint {
                printer.complain(&format!("hint: {hint}"));
            }
            Exit::Failed
        })
    });
    // Whoever asks a second time to stop does not wait for what is in flight.
    runtime.shutdown_background();
    exit
}

async fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    for name in &context.global.kind {
        context::kind(name)?;
    }
    let knows_git = matches!(
        command,
        Command::Validate(_) | Command::Plan(_) | Command::Apply(_) | Command::Drift(_)
    );
    if context.global.changed_since.is_some() && !knows_git {
        anyhow::bail!(
            "this command has no --changed-since\nhint: validate, plan, apply and drift have it"
        );
    }
    match command {
        Command::Validate(command) => command.run(context).await,
        Command::Plan(command) => command.run(context).await,
        Command::Apply(command) => Box::pin(command.run(context)).await,
        Command::Drift(command) => command.run(context).await,
        Command::Export(command) => Box::pin(command.run(context)).await,
        Command::Destroy(command) => command.run(context).await,
        Command::Schema(command) => command.run(context),
        Command::Crds(command) => command.run(context),
        Command::IamPolicy(command) => command.run(context),
        Command::Completions(command) => command.run(context),
        Command::Man(command) => command.run(context),
        Command::Sandbox(command) => command.run(context).await,
        Command::Watch(command) => command.run(context).await,
        Command::Operator(command) => Box::pin(command.run(context)).await,
    }
}

fn log(global: &Global) {
    let filter = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "stationbill=warn",
        (_, 1) => "stationbill=info",
        (_, 2) => "stationbill=debug",
        _ => "stationbill=trace,debug",
    };
    let filter = EnvFilter::builder().parse_lossy(
        environment::variable("STATIONBILL_LOG")
            .as_deref()
            .unwrap_or(filter),
    );
    // The SDK's traces hold whole requests and answers: personal values, and the tokens of credentials.
    let ours = filter_fn(|event| {
        *event.level() < Level::TRACE || event.target().starts_with("stationbill")
    });
    let filter = filter.and(ours);
    let layer = fmt::layer().with_writer(|| Hiding(std::io::stderr()));
    let registry = tracing_subscriber::registry();
    // Only a library user could have installed another subscriber before; theirs stays.
    let _ = match global.log_format {
        LogFormat::Text => registry
            .with(layer.with_ansi(false).with_filter(filter))
            .try_init(),
        LogFormat::Json => registry.with(layer.json().with_filter(filter)).try_init(),
    };
}

/// A log that masks whatever looks like an address, whoever wrote it.
struct Hiding(std::io::Stderr);

impl Write for Hiding {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let hidden = hide_addresses(&String::from_utf8_lossy(line));
        self.0.write_all(hidden.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Says whether the output is what the environment prefers for all commands, and not what was asked for of this one.
fn prefers(matches: &ArgMatches) -> bool {
    let source = matches
        .subcommand()
        .map(|(_, own)| own.value_source("output"));
    source.flatten() == Some(ValueSource::EnvVariable)
}

/// Takes variables that are set to nothing for not set where they only say how answers look and what is kept. Where that
/// would reach another AWS, or more of a cluster, they stay refused.
fn lenient(command: clap::Command) -> clap::Command {
    const MAY_BE_EMPTY: [&str; 4] = [
        "STATIONBILL_OUTPUT",
        "STATIONBILL_COLOR",
        "STATIONBILL_LOG_FORMAT",
        "STATIONBILL_CACHE",
    ];
    command.mut_args(|arg| {
        let name = arg.get_env().and_then(|name| name.to_str());
        let empty =
            name.is_some_and(|name| MAY_BE_EMPTY.contains(&name) && environment::is_empty(name));
        if empty {
            arg.env(Resettable::Reset)
        } else {
            arg
        }
    })
}

/// Returns the command line as clap knows it, for completions, the manual page and tests.
pub fn command() -> clap::Command {
    Cli::command()
}
