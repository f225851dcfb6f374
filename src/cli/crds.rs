//! `crds`: print the Kubernetes custom resource definitions.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::context::Context;
use super::exit::Exit;
use crate::operator::{crd, resource};

/// Print the Kubernetes custom resource definitions
#[derive(Debug, Args)]
pub struct Crds {
    /// Write one file a kind into this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Crds {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        for kind in resource::kinds() {
            let text = serde_yaml::to_string(&crd::crd(kind)?)?;
            match &self.out {
                None => context.printer.answer(&format!("---\n{text}"))?,
                Some(dir) => {
                    let file = dir.join(crd::file_name(kind));
                    std::fs::create_dir_all(dir)
                        .and_then(|()| std::fs::write(&file, text))
                        .with_context(|| format!("cannot write `{}`", file.display()))?;
                }
            }
        }
        Ok(Exit::Ok)
    }
}
