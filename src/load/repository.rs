//! Documents of a repository that a Stack of a cluster names: the same loader, under another Stack.

use std::path::Path;

use super::across::Entry;
use super::stack::{Stack, StackSpec};
use super::{LoadError, Loaded, Loader, files, kind};
use crate::model::{Address, AnySpec};

/// What a repository says.
#[derive(Debug, Default)]
pub struct Repository {
    /// The documents, under the cluster's Stack.
    pub loaded: Loaded,
    /// The Stack that the repository itself declares.
    pub own: Option<Stack>,
}

/// Loads the documents of a folder for a Stack that an API server keeps; a Stack in the folder is not what counts, but
/// [held beside it](Stack::over).
///
/// # Errors
/// When the folder cannot be looked at. A problem of a document is in the report.
pub fn of_repository(
    folder: &Path,
    name: &str,
    spec: StackSpec,
    kinds: &[&dyn AnySpec],
) -> Result<Repository, LoadError> {
    let kinds = kind::kinds(kinds);
    let (mut loader, found) = Loader::of(&[folder.to_owned()], &kinds)?;
    let own = loader.stack.take();
    loader.govern(
        Stack::new(name.to_owned(), spec, files::start_of("")),
        own.as_ref(),
    );
    Ok(Repository {
        loaded: loader.finish(&found),
        own,
    })
}

impl Repository {
    /// Returns the documents under the cluster's Stack as it is now.
    pub fn under(&self, name: &str, spec: StackSpec) -> Loaded {
        let stack = Stack::new(name.to_owned(), spec, files::start_of(""));
        Loaded {
            stack: Some(stack.over(self.own.as_ref())),
            ..self.loaded.clone()
        }
    }
}

impl Loader<'_> {
    /// Puts a Stack over what was read: whatever it names must be there.
    fn govern(&mut self, stack: Stack, own: Option<&Stack>) {
        let targets = stack.targets.iter();
        let targets: Vec<_> = targets
            .map(|name| (name.clone(), stack.place.clone()))
            .collect();
        let mut entries = self.entries.iter_mut();
        match entries.find(|entry| entry.address.kind == "Stack") {
            Some(_) if targets.is_empty() => {}
            Some(entry) => entry.targets = targets,
            None => {
                let address = Address::new("Stack", stack.name.clone());
                let mut entry = Entry::bare(address, stack.place.clone());
                entry.targets = targets;
                self.entries.push(entry);
            }
        }
        self.stack = Some(stack.over(own));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::kinds;

    const DASHBOARD: &str = "apiVersion: stationbill.dev/v1alpha1\nkind: Dashboard\nmetadata: { name: one }\n\
        spec: { body: { widgets: [] } }\n";

    fn read(folder: &Path, spec: &str) -> Repository {
        let spec = serde_yaml::from_str(spec).unwrap();
        of_repository(folder, "shop", spec, &kinds::specs()).unwrap()
    }

    #[test]
    fn the_stack_of_the_cluster_counts_and_names_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("one.yaml"), DASHBOARD).unwrap();
        let plain = read(folder, "{ prune: true }");
        assert!(plain.loaded.report.is_ok(), "{:?}", plain.loaded.report);
        assert!(plain.own.is_none() && plain.loaded.stack.unwrap().prune);
        let wrong = read(folder, "{ targets: [production] }").loaded.report;
        assert!(
            format!("{wrong:?}").contains("no Target named `production`"),
            "{wrong:?}"
        );
        let own = "apiVersion: stationbill.dev/v1alpha1\nkind: Stack\nmetadata: { name: other }\n\
                   spec: { mode: report, targets: [nowhere] }\n";
        fs::write(folder.join("stack.yaml"), own).unwrap();
        let both = read(folder, "{ targets: [production] }");
        assert_eq!(both.own.unwrap().name, "other");
        assert_eq!(both.loaded.stack.unwrap().name, "shop");
        let report = format!("{:?}", both.loaded.report);
        assert!(
            report.contains("production") && !report.contains("nowhere"),
            "{report}"
        );
    }
}
