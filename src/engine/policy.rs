//! The least IAM policy that documents need, from the table that names each operation a kind calls.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::lease;
use crate::kinds::{Access, Action, KINDS, Limit, reads, writes};
use crate::load::{Declared, Target};
use crate::model::spec::aws_name;
use crate::model::stamp;
use crate::model::substitute::{Variables, substitute};
use crate::model::{Document, Location, pointer, sensitive};

/// What a policy shall allow; each allows what the one before it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Reading what the documents are about.
    Plan,
    /// Creating and changing it, too.
    Apply,
    /// Deleting what the stack owns, declared or not: every kind is read for that.
    Destroy,
}

/// What a policy is made for.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// The stack.
    pub stack: &'a str,
    /// Its documents.
    pub declared: &'a [Declared],
    /// Where they go to; none for the account of the credentials at hand.
    pub targets: &'a [&'a Target],
    /// What shall be allowed.
    pub purpose: Purpose,
    /// Whether objects that nobody owns may be changed.
    pub adopt: bool,
    /// Whether names of objects are resources; without, all names are.
    pub names: bool,
    /// Where; `*` for any account or region.
    pub location: &'a Location,
}

/// What lists the accounts of a unit. AWS knows resources for these, whose ARNs name what only AWS tells: the
/// organization and its management account.
const DIRECTORY: [&str; 2] = [
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
];

const PARAMETERS: &str = "arn:{partition}:ssm:{region}:{account}:parameter/{value}";

/// One action on one resource, under a condition that is written as JSON.
struct Permission {
    access: Access,
    condition: String,
    action: &'static str,
    resource: String,
}

/// What one statement allows.
#[derive(Default)]
struct Statement {
    actions: BTreeSet<&'static str>,
    resources: BTreeSet<String>,
}

impl Need<'_> {
    /// Makes the policy.
    pub fn policy(&self) -> Value {
        let mut by_action: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for permission in self.permissions() {
            let Permission {
                access,
                condition,
                action,
                resource,
            } = permission;
            let resources = by_action.entry((access, condition, action)).or_default();
            resources.insert(resource);
        }
        let wide: Vec<_> = by_action
            .iter()
            .flat_map(|((_, condition, action), resources)| {
                let wide = resources.iter().filter(|resource| resource.ends_with('*'));
                wide.map(|wide| (condition.clone(), *action, wide.clone()))
            })
            .collect();
        let mut statements: BTreeMap<_, Statement> = BTreeMap::new();
        for ((access, condition, action), mut resources) in by_action {
            // Nothing is allowed twice: whoever takes a line out shall see what it is for.
            resources.retain(|resource| {
                !wide.iter().any(|(under, of, wide)| {
                    (under, of) == (&condition, &action)
                        && resource != wide
                        && resource.starts_with(wide.trim_end_matches('*'))
                })
            });
            if resources.is_empty() {
                continue;
            }
            let group = group(access, &condition, action, &resources);
            let statement = statements.entry((access, condition, group)).or_default();
            statement.actions.insert(action);
            statement.resources.extend(resources);
        }
        let statements = statements.into_iter().enumerate();
        let statements = statements.map(|(index, ((access, condition, _), statement))| {
            let Statement { actions, resources } = statement;
            let sid = match access {
                Access::Read => "Read",
                Access::Write => "Write",
            };
            let mut statement = json!({
                "Sid": format!("{sid}{index}"),
                "Effect": "Allow",
                "Action": actions,
                "Resource": resources,
            });
            let condition: Value = serde_json::from_str(&condition).unwrap_or_default();
            if condition != json!({}) {
                statement["Condition"] = condition;
            }
            statement
        });
        json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
    }

    fn permissions(&self) -> Vec<Permission> {
        let specs: Vec<(&str, Value)> = self.declared.iter().map(|d| self.spec(d)).collect();
        let mut found = Vec::new();
        for kind in KINDS {
            let of_kind = specs.iter().filter(|(name, _)| *name == kind.kind());
            let of_kind: Vec<&Value> = of_kind.map(|(_, spec)| spec).collect();
            for action in kind.actions() {
                let of_kind: Vec<&Value> = { of_kind.iter().copied() }
                    .filter(|spec| concerns(action, spec))
                    .collect();
                let reads = action.access == Access::Read;
                let needed = match self.purpose {
                    Purpose::Plan => reads && !of_kind.is_empty(),
                    Purpose::Apply => !of_kind.is_empty(),
                    Purpose::Destroy => !of_kind.is_empty() || reads || action.deletes,
                };
                if needed {
                    found.extend(self.permitted(action, &of_kind));
                }
            }
        }
        let mut parameters = BTreeSet::new();
        for (_, spec) in &specs {
            sensitive::parameters(spec, &mut parameters);
        }
        for name in &parameters {
            found.push(self.parameter(&reads("ssm:GetParameter", PARAMETERS), name));
        }
        if self.purpose > Purpose::Plan {
            // With Targets it is in the first of their regions, which need not be the one that is asked about.
            let region = if self.targets.is_empty() {
                "{region}"
            } else {
                "*"
            };
            let lease = PARAMETERS.replace("{region}", region).replace(
                "{value}",
                lease::parameter(self.stack).trim_start_matches('/'),
            );
            let lease = self.filled(&lease);
            for name in ["ssm:GetParameter", "ssm:PutParameter"] {
                found.push(self.parameter(&writes(name, PARAMETERS), &lease));
            }
        }
        found.extend(self.targets.iter().flat_map(|target| self.ways(target)));
        found
    }

    /// What leads to the accounts of a Target.
    fn ways(&self, target: &Target) -> Vec<Permission> {
        let spec = &target.spec;
        let mut found = Vec::new();
        if spec.organization.is_some() {
            let one = |name| permission(&reads(name, "*"), &json!({}), "*".to_owned());
            found.extend(DIRECTORY.map(one));
        }
        if let Some(role) = &spec.role {
            let here = &self.location.account;
            let known = spec.organization.is_none() && here == "*" && !spec.accounts.is_empty();
            let accounts: Vec<&String> = if known {
                spec.accounts.iter().collect()
            } else {
                vec![here]
            };
            let (partition, path, name) = (self.location.partition(), &role.path, &role.name);
            let arn = |account| format!("arn:{partition}:iam::{account}:role{path}{name}");
            let roles = accounts.into_iter().map(arn).chain(role.via.clone());
            let one = |arn| permission(&reads("sts:AssumeRole", "*"), &json!({}), arn);
            found.extend(roles.map(one));
        }
        found
    }

    /// The kind and the spec of an object as they are at the place.
    fn spec<'d>(&self, declared: &'d Declared) -> (&'d str, Value) {
        let mut target = self.location.to_string();
        let mut vars = BTreeMap::new();
        // What differs from Target to Target may be anything.
        for Target { spec, .. } in self.targets {
            "*".clone_into(&mut target);
            let others = spec.overrides.iter().map(|other| &other.variables);
            for name in others.chain([&spec.variables]).flat_map(BTreeMap::keys) {
                vars.insert(name.clone(), "*".to_owned());
            }
        }
        let variables = Variables {
            location: self.location.clone(),
            target,
            vars,
        };
        let spec = substitute(declared.spec.clone(), &variables);
        (
            &declared.address.kind,
            spec.unwrap_or_else(|_| declared.spec.clone()),
        )
    }

    fn parameter(&self, action: &Action, name: &str) -> Permission {
        let resource = if name.starts_with("arn:") {
            name.to_owned()
        } else {
            // An ARN has one slash before the name, and neither version nor label behind it.
            let name = name.split(':').next().unwrap_or_default();
            let name = name.trim_start_matches('/');
            self.filled(action.resource).replace("{value}", name)
        };
        permission(action, &json!({}), resource)
    }

    fn permitted(&self, action: &Action, specs: &[&Value]) -> Vec<Permission> {
        let stack = stamp::stack_tag(self.stack);
        let tag = |of: &str| json!({ format!("aws:{of}/{}", stamp::STACK): stack });
        let (request, resource) = (tag("RequestTag"), tag("ResourceTag"));
        let named = self.resources(action, specs);
        let all = vec![self.filled(action.resource).replace("{name}", "*")];
        let limits = match action.limit {
            Limit::Unlimited => vec![(json!({}), named)],
            Limit::Stamps => vec![(json!({ "StringEquals": request }), named)],
            Limit::Ours if self.adopt => vec![(json!({ "StringEqualsIfExists": resource }), all)],
            Limit::Ours => vec![(json!({ "StringEquals": resource }), all)],
            Limit::NotOthers => vec![(json!({ "StringEqualsIfExists": resource }), named)],
            // A change may leave out the tag of the stack, and must not give the object away.
            Limit::Tags => vec![
                (
                    json!({ "StringEquals": request, "StringEqualsIfExists": resource }),
                    named,
                ),
                (
                    json!({ "StringEquals": resource, "StringEqualsIfExists": request }),
                    all,
                ),
            ],
        };
        let mut found = Vec::new();
        for (condition, resources) in limits {
            let one = |resource| permission(action, &condition, resource);
            found.extend(resources.into_iter().map(one));
        }
        found
    }

    /// The resources of an action: for what the specs name, as far as it can be limited to that.
    fn resources(&self, action: &Action, specs: &[&Value]) -> Vec<String> {
        let pattern = self.filled(action.resource);
        // Reading finds out what is ours, and so is about everything.
        let one_by_one = self.names && action.access == Access::Write;
        if let Some(pointer) = action.at {
            let found = specs.iter().flat_map(|spec| at(spec, pointer));
            return found.filter_map(|value| named(&pattern, &value)).collect();
        }
        if !pattern.contains("{name}") || !one_by_one {
            return vec![pattern.replace("{name}", "*")];
        }
        let names = specs.iter().filter_map(|spec| aws_name(spec));
        names.map(|name| pattern.replace("{name}", name)).collect()
    }

    fn filled(&self, pattern: &str) -> String {
        let Location { account, region } = self.location;
        pattern
            .replace("{partition}", self.location.partition())
            .replace("{region}", region)
            .replace("{account}", account)
    }
}

/// Says which actions share a statement: AWS takes no long policies. Each then goes with the resources of all, which
/// allows nothing more where those are of other types than the action knows, carry our tag, or are read anyway.
fn group(access: Access, condition: &str, action: &str, resources: &BTreeSet<String>) -> String {
    let all = resources.contains("*");
    let one_by_one = condition == "{}"
        && (access == Access::Write || matches!(action, "ssm:GetParameter" | "sts:AssumeRole"));
    match (all, one_by_one) {
        (true, _) => "*".to_owned(),
        (false, false) => String::new(),
        (false, true) => resources
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// Says whether a spec is among those that an action is needed for.
fn concerns(action: &Action, spec: &Value) -> bool {
    action
        .when
        .is_none_or(|(pointer, value)| at(spec, pointer).contains(&Value::from(value)))
}

fn permission(action: &Action, condition: &Value, resource: String) -> Permission {
    Permission {
        access: action.access,
        condition: condition.to_string(),
        action: action.name,
        resource,
    }
}

/// Returns what is at a pointer that may lead into an embedded document, each item of a list for itself. The step `*`
/// stands for every key of a map.
fn at(spec: &Value, pointer: &str) -> Vec<Value> {
    let mut values = vec![spec.clone()];
    for step in pointer::steps(pointer) {
        let inner = values.into_iter().flat_map(|value| {
            let document =
                Document::marked(&value).and_then(|document| document.parse().ok().flatten());
            let value = document.unwrap_or(value);
            match value.as_object() {
                Some(map) if step == "*" => map.values().cloned().collect(),
                _ => Vec::from_iter(value.get(&step).cloned()),
            }
        });
        values = inner.collect();
    }
    let items = values.into_iter().flat_map(|value| match value {
        Value::Array(list) => list,
        Value::Object(map) if map.is_empty() => Vec::new(),
        Value::Null => Vec::new(),
        other => vec![other],
    });
    items.collect()
}

/// Returns the resource that a value names; nothing for a text that only a later run fills in.
fn named(pattern: &str, value: &Value) -> Option<String> {
    match value.as_str() {
        None => Some(pattern.to_owned()),
        Some(arn) if arn.starts_with("arn:") => Some(arn.to_owned()),
        Some(name) => pattern
            .contains("{value}")
            .then(|| pattern.replace("{value}", name)),
    }
}
