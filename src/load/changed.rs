//! What changed between two versions of the same documents, and which objects that can affect.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Declared, Loaded, Target, TargetSpec};
use crate::model::plan::Scope;
use crate::model::reference::references;
use crate::model::spec::{Identity, aws_name};
use crate::model::{Address, AnySpec};

/// One version of the documents.
pub struct Version<'a> {
    /// The documents.
    pub loaded: &'a Loaded,
    /// For each object that reads personal values from files, something that differs when such a file does.
    pub files: BTreeMap<Address, Vec<String>>,
}

/// What a change of the documents can affect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concerned {
    /// Everything, and why.
    Everything(String),
    /// Some objects, and those places alone that these Targets lead to.
    Some {
        /// The objects.
        scope: Scope,
        /// The names of Targets.
        targets: BTreeSet<String>,
    },
}

/// Says what the step from one version to another can affect.
///
/// Objects are affected when they are declared otherwise, the texts of their files included; when they refer to one
/// that is, directly or not; when a variable that they use or a place of one of their Targets is another; and when AWS
/// could take them for one that is.
pub fn concerned(before: &Version<'_>, now: &Version<'_>, specs: &[&dyn AnySpec]) -> Concerned {
    let everything = |why: &str| Concerned::Everything(why.to_owned());
    if !before.loaded.report.is_ok() {
        return everything("the documents were not valid then");
    }
    if run(before.loaded) != run(now.loaded) {
        return everything("the Stack changed");
    }
    let targets = |version: &Version<'_>| version.loaded.targets.is_empty();
    if targets(before) != targets(now) {
        return everything("the run is in other places");
    }
    let mut found = Search {
        before,
        now,
        specs,
        affected: BTreeSet::new(),
        undeclared: false,
        places: BTreeSet::new(),
    };
    found.documents();
    found.targets();
    found.neighbours();
    found.referrers();
    found.end()
}

/// What a Stack says that can make another plan.
fn run(loaded: &Loaded) -> Value {
    let stack = loaded.stack.as_ref();
    let said = stack.map(|s| json!([s.targets, s.mode, s.prune, s.limits]));
    json!([stack.map_or("default", |stack| &stack.name), said])
}

struct Search<'a> {
    before: &'a Version<'a>,
    now: &'a Version<'a>,
    specs: &'a [&'a dyn AnySpec],
    affected: BTreeSet<Address>,
    undeclared: bool,
    /// Targets that changed in where or how they lead.
    places: BTreeSet<&'a str>,
}

impl<'a> Search<'a> {
    fn both(&self) -> [&'a Version<'a>; 2] {
        [self.before, self.now]
    }

    /// Every object of both versions, with the version.
    fn all(&self) -> impl Iterator<Item = (&'a Loaded, &'a Declared)> + use<'a> {
        let of = |version: &'a Version<'a>| {
            let objects = version.loaded.objects.iter();
            objects.map(move |object| (version.loaded, object))
        };
        self.both().into_iter().flat_map(of)
    }

    /// Objects that are declared otherwise, or in one version alone.
    fn documents(&mut self) {
        let [before, now] = self.both().map(declarations);
        let addresses = before.keys().chain(now.keys());
        let differs = |address: &&&Address| before.get(**address) != now.get(**address);
        let differing: Vec<Address> = addresses.filter(differs).map(|a| (*a).clone()).collect();
        self.affected.extend(differing);
    }

    /// Objects in places that are new, gone or reached otherwise, and objects that use a variable which changed.
    fn targets(&mut self) {
        let by_name = |version: &'a Version<'a>| -> BTreeMap<&'a str, &'a TargetSpec> {
            let targets = version.loaded.targets.iter();
            targets.map(|t| (t.name.as_str(), &t.spec)).collect()
        };
        let [before, now] = self.both().map(by_name);
        let names: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
        let mut variables: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for name in names {
            match (before.get(name), now.get(name)) {
                (Some(then), Some(now)) if whereabouts(then) == whereabouts(now) => {
                    variables.insert(name, differing(then, now));
                }
                _ => {
                    self.places.insert(name);
                }
            }
        }
        self.undeclared = !self.places.is_empty();
        for (loaded, object) in self.all() {
            let meant = loaded.targets_of(object);
            let moved = |target: &&Target| self.places.contains(target.name.as_str());
            let uses = |target: &&Target| {
                let changed = variables.get(target.name.as_str());
                changed.is_some_and(|names| names.iter().any(|name| uses(&object.spec, name)))
            };
            // Which region keeps what an account has once depends on all Targets.
            let once = self.undeclared
                && (self.spec(&object.address.kind)).is_some_and(AnySpec::per_account);
            if once || meant.iter().any(moved) || meant.iter().any(uses) {
                self.affected.insert(object.address.clone());
            }
        }
    }

    fn spec(&self, kind: &str) -> Option<&'a dyn AnySpec> {
        self.specs.iter().copied().find(|spec| spec.kind() == kind)
    }

    /// Objects that AWS could take for one that is affected: of the same name, or the only one of their kind.
    fn neighbours(&mut self) {
        let key = |object: &Declared| -> Option<(&'static str, String)> {
            let spec = self.spec(&object.address.kind)?;
            let name = match spec.identity() {
                Identity::Singleton => String::new(),
                // What a variable makes of a name is not known here.
                _ => aws_name(&object.spec)
                    .filter(|name| !name.contains("${target."))
                    .unwrap_or("${target.}")
                    .to_owned(),
            };
            Some((spec.namespace(), name))
        };
        let affected = |object: &Declared| self.affected.contains(&object.address);
        let taken: BTreeSet<_> = self
            .all()
            .filter(|(_, object)| affected(object))
            .filter_map(|(_, object)| key(object))
            .collect();
        let open: BTreeSet<&str> = taken
            .iter()
            .filter(|(_, name)| name.contains("${target."))
            .map(|(namespace, _)| *namespace)
            .collect();
        let near: Vec<Address> = self
            .all()
            .filter(|(_, object)| {
                key(object).is_some_and(|(namespace, name)| {
                    let variable = name.contains("${target.");
                    open.contains(namespace)
                        || variable && taken.iter().any(|(of, _)| *of == namespace)
                        || taken.contains(&(namespace, name))
                })
            })
            .map(|(_, object)| object.address.clone())
            .collect();
        self.affected.extend(near);
    }

    /// Objects that refer to one that is affected, directly or not.
    fn referrers(&mut self) {
        let mut users: BTreeMap<String, BTreeSet<&Address>> = BTreeMap::new();
        for (_, object) in self.all() {
            for (_, name) in references(&object.spec) {
                users.entry(name).or_default().insert(&object.address);
            }
        }
        let mut open: Vec<String> = self.affected.iter().map(Address::to_string).collect();
        while let Some(name) = open.pop() {
            for user in users.get(&name).into_iter().flatten() {
                if self.affected.insert((*user).clone()) {
                    open.push(user.to_string());
                }
            }
        }
    }

    fn end(self) -> Concerned {
        let affected = |object: &Declared| self.affected.contains(&object.address);
        let mut targets: BTreeSet<String> = self.places.iter().map(|&t| t.to_owned()).collect();
        for (loaded, object) in self.all().filter(|(_, object)| affected(object)) {
            let meant = loaded.targets_of(object).into_iter();
            targets.extend(meant.map(|target| target.name.clone()));
        }
        Concerned::Some {
            scope: Scope {
                objects: self.affected.iter().map(Address::to_string).collect(),
                undeclared: self.undeclared,
            },
            targets,
        }
    }
}

/// Everything that a version declares of each object.
fn declarations<'a>(version: &'a Version<'a>) -> BTreeMap<&'a Address, Value> {
    let objects = version.loaded.objects.iter();
    let declared = objects.map(|object| {
        let Declared {
            address,
            spec,
            lifecycle,
            targets,
            labels: _,
            place: _,
            problem,
        } = object;
        let files = version.files.get(address);
        (address, json!([spec, lifecycle, targets, problem, files]))
    });
    declared.collect()
}

/// What of a Target says where it leads and how.
fn whereabouts(target: &TargetSpec) -> Value {
    let TargetSpec {
        accounts,
        organization,
        regions,
        role,
        variables: _,
        overrides: _,
        concurrency: _,
        failure_tolerance: _,
        stages: _,
    } = target;
    json!([accounts, organization, regions, role])
}

/// The names of variables that are not defined alike.
fn differing<'a>(then: &'a TargetSpec, now: &'a TargetSpec) -> BTreeSet<&'a str> {
    let names = [then, now].into_iter().flat_map(|target| {
        let others = target.overrides.iter().flat_map(|o| o.variables.keys());
        target.variables.keys().chain(others)
    });
    let defined = |target: &TargetSpec, name: &str| {
        let overrides = target.overrides.iter().filter_map(|other| {
            let value = other.variables.get(name)?;
            Some(json!([other.accounts, other.regions, value]))
        });
        json!([target.variables.get(name), overrides.collect::<Vec<_>>()])
    };
    names
        .map(String::as_str)
        .filter(|name| defined(then, name) != defined(now, name))
        .collect()
}

/// Says whether a text of a spec speaks of a variable.
fn uses(value: &Value, variable: &str) -> bool {
    match value {
        Value::String(text) => text.contains(&format!("${{target.vars.{variable}}}")),
        Value::Array(list) => list.iter().any(|member| uses(member, variable)),
        Value::Object(map) => {
            let wanted = format!("${{target.vars.{variable}}}");
            map.iter()
                .any(|(key, member)| key.contains(&wanted) || uses(member, variable))
        }
        _ => false,
    }
}
