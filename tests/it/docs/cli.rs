//! `docs/cli.md`: every command and flag, from clap.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::GENERATED;

/// Writes the page.
pub(crate) fn page() -> String {
    let mut program = stationbill::cli::command();
    program.build();
    let mut page = format!("{GENERATED}\n\n# Command line\n\n");
    writeln!(page, "{}\n", about(&program)).unwrap();
    writeln!(page, "| Command | Does |\n|---|---|").unwrap();
    for command in commands(&program) {
        let (name, about) = (command.get_name(), command.get_about().unwrap());
        writeln!(page, "| [`{name}`](#stationbill-{name}) | {about} |").unwrap();
    }
    if let Some(after) = program.get_after_help() {
        writeln!(page, "\n{after}").unwrap();
    }
    for command in commands(&program) {
        section(&mut page, command);
    }
    writeln!(
        page,
        "\n## Global options\n\nEvery command has these. A flag wins over its environment variable.\n"
    )
    .unwrap();
    for argument in program.get_arguments().filter(|a| a.is_global_set()) {
        entry(&mut page, argument);
    }
    page
}

fn commands(program: &Command) -> impl Iterator<Item = &Command> {
    let commands = program.get_subcommands();
    commands.filter(|command| command.get_name() != "help" && !command.is_hide_set())
}

fn about(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about()).unwrap();
    let text = about.to_string();
    // clap takes the full stop off a first line that stands alone.
    text.replacen("patched\n", "patched.\n", 1)
}

fn section(page: &mut String, command: &Command) {
    let usage = command.clone().render_usage().to_string();
    writeln!(page, "\n## `stationbill {}`\n", command.get_name()).unwrap();
    writeln!(page, "{}\n", about(command)).unwrap();
    writeln!(
        page,
        "```text\n{}\n```",
        usage.trim_start_matches("Usage: ")
    )
    .unwrap();
    let own = |a: &&Arg| !a.is_global_set() && !a.is_hide_set() && a.get_id() != "help";
    let mut first = true;
    for argument in command.get_arguments().filter(own) {
        if std::mem::take(&mut first) {
            page.push('\n');
        }
        entry(page, argument);
    }
}

fn entry(page: &mut String, argument: &Arg) {
    let help = argument
        .get_long_help()
        .or(argument.get_help())
        .unwrap()
        .to_string();
    write!(page, "- {}: {}", name(argument), help.replace('\n', " ")).unwrap();
    let values: Vec<_> = argument.get_possible_values();
    let values: Vec<_> = values.iter().filter(|value| !value.is_hide_set()).collect();
    if argument.get_action().takes_values() && !values.is_empty() {
        let described = values.iter().any(|value| value.get_help().is_some());
        for value in &values {
            let help = value.get_help().map(|help| format!(": {help}"));
            let lead = if described { "\n  - " } else { " " };
            write!(
                page,
                "{lead}`{}`{}",
                value.get_name(),
                help.unwrap_or_default()
            )
            .unwrap();
        }
        if described {
            page.push_str("\n\n ");
        }
    }
    let default: Vec<_> = argument.get_default_values().iter().collect();
    if argument.get_action().takes_values()
        && let [default] = default[..]
    {
        sentence(page);
        write!(page, " Default: `{}`.", default.to_string_lossy()).unwrap();
    }
    if let Some(variable) = argument.get_env() {
        sentence(page);
        write!(page, " Environment: `{}`.", variable.to_string_lossy()).unwrap();
    }
    while page.ends_with(['\n', ' ']) {
        page.pop();
    }
    page.push('\n');
}

/// Ends what clap leaves without a full stop, for more follows.
fn sentence(page: &mut String) {
    if !page.ends_with(['.', '\n', ' ']) {
        page.push('.');
    }
}

fn name(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| format!("`-{short}`, "));
    let values = argument.get_value_names().map(|names| names[0].as_str());
    let Some(long) = argument.get_long() else {
        return format!("`{}`", values.unwrap_or_default());
    };
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let value = match values.filter(|_| takes) {
        Some(value) if argument.is_require_equals_set() => format!("[={value}]"),
        Some(value) => format!(" {value}"),
        None => String::new(),
    };
    format!("{}`--{long}{value}`", short.unwrap_or_default())
}
