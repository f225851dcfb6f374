//! `export`: write live AWS as documents.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use super::args::Output;
use super::context::Context;
use super::exit::Exit;
use crate::engine::{self, Breadth};
use crate::export::{Exported, export};
use crate::kinds;
use crate::model::plan::{Desired, Unreadable};

/// Write live AWS as documents
///
/// One document a file, the same bytes each time. Addresses of people are never written into them: each becomes
/// `fromEnv`, and `--secrets` collects the values in a file of their own.
#[derive(Debug, Args)]
pub struct Export {
    /// The folder to write to; without it documents go to stdout
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The file that gets the addresses as NAME=value lines, readable by its owner alone; must lie outside DIR
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.only(&[Output::Human])?;
        if let (Some(dir), Some(file)) = (&self.out, &self.secrets) {
            refuse_inside(dir, file)?;
        }
        let mut session = context.connect().await?;
        session.world.kinds = wanted(context)?;
        let observed = engine::observe(
            &session.world,
            &Desired::default(),
            Breadth::Everything,
            &|_| {},
        )
        .await;
        let mut failed = false;
        for (location, kinds) in &observed.0 {
            for (kind, found) in kinds {
                match found {
                    Err(Unreadable::Failed(why)) => {
                        failed = true;
                        context
                            .printer
                            .complain(&format!("error: cannot read {kind} in {location}: {why}"));
                    }
                    Err(Unreadable::NotAvailable(why) | Unreadable::NotEnabled(why)) => {
                        context
                            .printer
                            .say(&format!("{kind} is not available in {location}: {why}"));
                    }
                    Ok(_) => {}
                }
            }
        }
        let mut exported = export(&observed, &kinds::specs())?;
        let wish = |name: &str| {
            context.global.name.is_empty() || context.global.name.iter().any(|n| n == name)
        };
        exported
            .documents
            .retain(|document| wish(&document.address.name));
        exported.secrets.retain(|secret| wish(&secret.address.name));
        self.write(context, &exported)?;
        Ok(if failed { Exit::Failed } else { Exit::Ok })
    }

    fn write(&self, context: &Context, exported: &Exported) -> anyhow::Result<()> {
        match &self.out {
            None => {
                for document in &exported.documents {
                    context.printer.answer(&format!("---\n{}", document.text))?;
                }
            }
            Some(dir) => {
                for document in &exported.documents {
                    let file = dir.join(document.file());
                    let folder = file.parent().unwrap_or(dir);
                    std::fs::create_dir_all(folder)
                        .and_then(|()| std::fs::write(&file, &document.text))
                        .with_context(|| format!("cannot write `{}`", file.display()))?;
                }
                let count = exported.documents.len();
                context
                    .printer
                    .say(&format!("{count} documents written to {}", dir.display()));
            }
        }
        if let Some(file) = &self.secrets {
            let mut lines = String::new();
            for secret in &exported.secrets {
                lines.extend([&secret.variable, "=", &secret.value, "\n"]);
            }
            write_private(file, &lines)
                .with_context(|| format!("cannot write `{}`", file.display()))?;
            context.printer.say(&format!(
                "{} addresses written to {}",
                exported.secrets.len(),
                file.display()
            ));
        } else if !exported.secrets.is_empty() {
            let count = exported.secrets.len();
            context.printer.say(&format!(
                "{count} addresses were not written; `--secrets FILE` collects them"
            ));
        }
        Ok(())
    }
}

/// The kinds asked for. References are only known for what is read, so a narrow export may name ARNs.
fn wanted(context: &Context) -> anyhow::Result<&'static [&'static dyn kinds::AnyKind]> {
    if context.global.kind.is_empty() {
        return Ok(kinds::KINDS);
    }
    let wanted = context
        .global
        .kind
        .iter()
        .map(|name| super::context::kind(name));
    let wanted: Vec<_> = wanted.collect::<anyhow::Result<_>>()?;
    Ok(wanted.leak())
}

/// Addresses never lie among documents, where they would end in Git.
fn refuse_inside(dir: &Path, file: &Path) -> anyhow::Result<()> {
    let dir = std::path::absolute(dir)?;
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let file = std::path::absolute(file)?;
    let parent = file.parent().map(real).unwrap_or_default();
    if parent.starts_with(real(&dir)) || file.starts_with(&dir) {
        bail!(
            "the secrets file lies inside `{}`\nhint: choose a place outside of it",
            dir.display()
        );
    }
    Ok(())
}

/// Writes a file that only its owner can read, from its first byte on.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        let mut file = options.open(path)?;
        // The mode above only counts for a new file.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())
    }
    #[cfg(not(unix))]
    options.open(path)?.write_all(text.as_bytes())
}
