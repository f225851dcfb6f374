//! `validate`: check documents offline.

use clap::Args;

use super::args::{Output, Paths};
use super::context::Context;
use super::exit::Exit;
use super::render::diagnostics;
use super::since;
use crate::kinds;
use crate::load;

/// Check documents offline: all problems at once
///
/// Parses every document, checks it against its kind's schema and rules, and follows every reference. Needs neither
/// AWS nor credentials. With `--changed-since` only problems are told that were not there then.
#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    paths: Paths,
}

impl Validate {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut loaded = load::load(&self.paths.paths, &kinds::specs())?;
        if let Some(revision) = &context.global.changed_since {
            since::new_problems(revision, &self.paths.paths, &mut loaded).await?;
        }
        let (report, printer) = (&loaded.report, &context.printer);
        match context.global.output {
            Output::Json => printer.answer(&pretty(&diagnostics::to_json(report)))?,
            Output::Sarif => printer.answer(&pretty(&diagnostics::to_sarif(report)))?,
            Output::Junit => printer.answer(&diagnostics::to_junit(report, &loaded.sources))?,
            Output::Human | Output::Markdown | Output::Gitlab => {
                if !report.diagnostics.is_empty() {
                    printer.answer(&diagnostics::human(
                        report,
                        &loaded.sources,
                        printer.color_out,
                    ))?;
                }
                if report.is_ok() && !context.global.quiet {
                    let count = loaded.objects.len();
                    printer.answer(&format!("{count} objects are valid\n"))?;
                }
            }
        }
        Ok(if report.is_ok() { Exit::Ok } else { Exit::No })
    }
}

/// Writes JSON as scripts and people like it.
pub(super) fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
