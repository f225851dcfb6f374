//! `export`: write live AWS as documents.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use super::context::{Context, Session};
use super::exit::Exit;
use crate::engine::Breadth;
use crate::export::{Exported, export};
use crate::kinds;
use crate::load::Loaded;
use crate::model::plan::{Observed, Unreadable};

/// Write live AWS as documents
///
/// One document a file, the same bytes each time. Addresses of people are never written into them: each becomes
/// `fromEnv`, and `--secrets` collects the values in a file of their own.
#[derive(Debug, Args)]
pub struct Export {
    /// Documents whose Targets say where to export from; with several places each gets a folder ACCOUNT/REGION in DIR
    ///
    /// Without any, from the account of the credentials at hand and the configured region.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The folder to write to; without it documents go to stdout
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The file that gets the addresses as NAME=value lines, readable by its owner alone; must lie outside DIR
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if let (Some(dir), Some(file)) = (&self.out, &self.secrets) {
            refuse_inside(dir, file)?;
        }
        let loaded = if self.paths.is_empty() {
            Some(Loaded::default())
        } else {
            context.load(&self.paths)?
        };
        let Some(loaded) = loaded else {
            return Ok(Exit::Failed);
        };
        let selection = context.selection(&loaded);
        let mut session = context.connect(&loaded, &selection).await?;
        session.world.kinds = wanted(context)?;
        let Session { fleet, world, .. } = &session;
        let nothing = fleet
            .desired("", &Loaded::default(), &Context::sources())
            .await;
        let observed = fleet
            .observe(world, &nothing, Breadth::Everything, &|_| {})
            .await;
        let many = fleet.places().len() > 1;
        if many && (self.out.is_none() || self.secrets.is_some()) {
            bail!(
                "there are {} places to export, and {}\nhint: choose one with --target, --account and --region, or give \
                 --out DIR alone, which gets a folder for each account and region",
                fleet.places().len(),
                if self.secrets.is_some() {
                    "--secrets is for one"
                } else {
                    "stdout is for one"
                }
            );
        }
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
        let wish = |name: &str| {
            context.global.name.is_empty() || context.global.name.iter().any(|n| n == name)
        };
        for (location, kinds) in observed.0 {
            let own = Path::new(&location.account).join(&location.region);
            let folder = self.out.as_ref();
            let folder = folder.map(|out| if many { out.join(own) } else { out.clone() });
            let mut exported = export(&Observed([(location, kinds)].into()), &kinds::specs())?;
            exported
                .documents
                .retain(|document| wish(&document.address.name));
            exported.secrets.retain(|secret| wish(&secret.address.name));
            self.write(context, folder.as_deref(), &exported)?;
        }
        Ok(if failed { Exit::Failed } else { Exit::Ok })
    }

    fn write(
        &self,
        context: &Context,
        folder: Option<&Path>,
        exported: &Exported,
    ) -> anyhow::Result<()> {
        match folder {
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
