//! The least IAM policy that documents need, from the table that names each operation a kind calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::lease;
use crate::kinds::{Access, Action, Deletes, KINDS, Limit, reads, writes};
use crate::load::{Declared, Target};
use crate::model::plan::Wish;
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
    /// Whether all objects may be taken over that nobody owns, and not only those whose documents say so.
    pub adopt: bool,
    /// Whether names of objects are resources; without, all names are.
    pub names: bool,
    /// Where; `*` for any account or region.
    pub locations: &'a [Location],
    /// The partition of AWS that they are in.
    pub partition: &'a str,
    /// Which kinds and names it is about.
    pub wish: &'a Wish,
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
    /// Whether it is for taking something over, which goes with nothing else.
    adopts: bool,
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
                adopts,
                action,
                resource,
            } = permission;
            let key = (access, condition, adopts, action);
            let resources = by_action.entry(key).or_default();
            resources.insert(resource);
        }
        let wide: Vec<_> = by_action
            .iter()
            .flat_map(|((_, condition, _, action), resources)| {
                let wide = resources.iter().filter(|resource| resource.ends_with('*'));
                wide.map(|wide| (condition.clone(), *action, wide.clone()))
            })
            .collect();
        let mut statements: BTreeMap<_, Statement> = BTreeMap::new();
        for ((access, condition, adopts, action), mut resources) in by_action {
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
            let group = if adopts {
                "adopts".to_owned()
            } else {
                group(access, &condition, action, &resources)
            };
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
        let declared = self.declared.iter();
        let by_name: HashMap<String, &Declared> = declared
            .map(|declared| (declared.address.to_string(), declared))
            .collect();
        let at = |location| Site {
            need: self,
            by_name: &by_name,
            location,
        };
        let sites = self.locations.iter().map(at);
        sites.flat_map(|site| site.permissions()).collect()
    }
}

/// What is needed in one place.
struct Site<'a> {
    need: &'a Need<'a>,
    /// What is declared, by `Kind/name`.
    by_name: &'a HashMap<String, &'a Declared>,
    location: &'a Location,
}

/// What an object becomes in a place.
struct Wanted<'d> {
    declared: &'d Declared,
    spec: Value,
    /// Whether it may be one that nobody owns by now.
    adopts: bool,
}

impl Site<'_> {
    fn permissions(&self) -> Vec<Permission> {
        let Need { declared, wish, .. } = self.need;
        let specs: Vec<Wanted<'_>> = { declared.iter() }
            .map(|declared| Wanted {
                declared,
                spec: self.spec(declared),
                adopts: self.need.adopt || declared.lifecycle.adopt,
            })
            .collect();
        let mut found = Vec::new();
        for kind in KINDS {
            let of_kind = specs
                .iter()
                .filter(|wanted| wanted.declared.address.kind == kind.kind());
            let of_kind: Vec<&Wanted<'_>> = of_kind.collect();
            for action in kind.actions() {
                let reads = action.access == Access::Read;
                // A run looks at everything, and writes what was asked for.
                let asked = |wanted: &&Wanted<'_>| reads || wish.selects(&wanted.declared.address);
                let of_kind: Vec<&Wanted<'_>> = { of_kind.iter().copied() }
                    .filter(asked)
                    .filter(|wanted| concerns(action, &wanted.spec))
                    .collect();
                let deletes = action.deletes != Deletes::No
                    && (wish.kinds.is_empty() || wish.kinds.contains(kind.kind()));
                let needed = match self.need.purpose {
                    Purpose::Plan => reads && !of_kind.is_empty(),
                    Purpose::Apply => !of_kind.is_empty(),
                    Purpose::Destroy => !of_kind.is_empty() || reads || deletes,
                };
                if needed {
                    found.extend(self.permitted(action, &of_kind));
                }
            }
        }
        let mut parameters = BTreeSet::new();
        for Wanted { spec, .. } in &specs {
            sensitive::parameters(spec, &mut parameters);
        }
        for name in &parameters {
            found.push(self.parameter(&reads("ssm:GetParameter", PARAMETERS), name));
        }
        if self.need.purpose > Purpose::Plan {
            // With Targets it is in the first of their regions, which need not be the one that is asked about.
            let region = if self.need.targets.is_empty() {
                "{region}"
            } else {
                "*"
            };
            let lease = PARAMETERS.replace("{region}", region).replace(
                "{value}",
                lease::parameter(self.need.stack).trim_start_matches('/'),
            );
            let lease = self.filled(&lease);
            for name in ["ssm:GetParameter", "ssm:PutParameter"] {
                found.push(self.parameter(&writes(name, PARAMETERS), &lease));
            }
        }
        found.extend(
            self.need
                .targets
                .iter()
                .flat_map(|target| self.ways(target)),
        );
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
            let (partition, path, name) = (self.need.partition, &role.path, &role.name);
            let arn = |account| format!("arn:{partition}:iam::{account}:role{path}{name}");
            let roles = accounts.into_iter().map(arn).chain(role.via.clone());
            let one = |arn| permission(&reads("sts:AssumeRole", "*"), &json!({}), arn);
            found.extend(roles.map(one));
        }
        found
    }

    /// The spec of an object as it is at the place.
    fn spec(&self, declared: &Declared) -> Value {
        let mut target = self.location.to_string();
        let mut vars = BTreeMap::new();
        // What differs from Target to Target may be anything.
        for Target { spec, .. } in self.need.targets {
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
        spec.unwrap_or_else(|_| declared.spec.clone())
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

    fn permitted(&self, action: &Action, wanted: &[&Wanted<'_>]) -> Vec<Permission> {
        let specs: Vec<&Value> = wanted.iter().map(|wanted| &wanted.spec).collect();
        let adopting = wanted.iter().filter(|wanted| wanted.adopts);
        let adopting: Vec<&Value> = adopting.map(|wanted| &wanted.spec).collect();
        let stack = stamp::stack_tag(self.need.stack);
        let tag = |of: &str| json!({ format!("aws:{of}/{}", stamp::STACK): stack });
        let (request, resource) = (tag("RequestTag"), tag("ResourceTag"));
        let named = self.resources(action, &specs);
        let all = vec![self.filled(action.resource).replace("{name}", "*")];
        let mut found = Vec::new();
        // What nobody owns is never deleted, and only changed where a document takes it over.
        if action.limit == Limit::Ours && action.deletes != Deletes::Alone {
            let condition = json!({ "StringEqualsIfExists": resource });
            let resources = if adopting.is_empty() {
                Vec::new()
            } else {
                self.resources(action, &adopting)
            };
            found.extend(resources.into_iter().map(|resource| Permission {
                adopts: true,
                ..permission(action, &condition, resource)
            }));
        }
        let limits = match action.limit {
            Limit::Unlimited => vec![(json!({}), named)],
            Limit::Stamps => vec![(json!({ "StringEquals": request }), named)],
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
        let one_by_one = self.need.names && action.access == Access::Write;
        if let Some(pointer) = action.at {
            let found = specs.iter().flat_map(|spec| at(spec, pointer));
            return found
                .filter_map(|value| self.named(&pattern, &value))
                .collect();
        }
        if !pattern.contains("{name}") || !one_by_one {
            return vec![pattern.replace("{name}", "*")];
        }
        let names = specs.iter().filter_map(|spec| aws_name(spec));
        names.map(|name| pattern.replace("{name}", name)).collect()
    }

    /// Returns the resource that a value names; nothing for a text that only a later run fills in.
    fn named(&self, pattern: &str, value: &Value) -> Option<String> {
        let Some(name) = value.as_str() else {
            return Some(pattern.to_owned());
        };
        if name.starts_with("arn:") {
            return Some(name.to_owned());
        }
        let ours = self.by_name.get(name).map(|declared| self.spec(declared));
        let name = ours.as_ref().and_then(aws_name).unwrap_or(name);
        pattern
            .contains("{value}")
            .then(|| pattern.replace("{value}", name))
    }

    fn filled(&self, pattern: &str) -> String {
        let Location { account, region } = self.location;
        pattern
            .replace("{partition}", self.need.partition)
            .replace("{region}", region)
            .replace("{account}", account)
    }
}

/// Divides a policy into several, none with more characters than that where that can be done.
pub fn split(policy: &Value, most: usize) -> Vec<Value> {
    let policy_of = |statements: &[Value]| {
        let mut part = policy.clone();
        part["Statement"] = Value::from(statements.to_vec());
        part
    };
    let length = |statements: &[Value]| policy_of(statements).to_string().len();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    let mut whole: Vec<Value> = statements.into_iter().rev().collect();
    let mut small = Vec::new();
    while let Some(statement) = whole.pop() {
        match halves(&statement) {
            Some([one, other]) if length(std::slice::from_ref(&statement)) > most => {
                whole.extend([other, one]);
            }
            _ => small.push(statement),
        }
    }
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for statement in small {
        let fits = |part: &&mut Vec<Value>| {
            let more = [&part[..], std::slice::from_ref(&statement)].concat();
            length(&more) <= most
        };
        match parts.iter_mut().find(fits) {
            Some(part) => part.push(statement),
            None => parts.push(vec![statement]),
        }
    }
    parts.iter().map(|part| policy_of(part)).collect()
}

/// Divides a statement by its resources, or by its actions where it has one resource.
fn halves(statement: &Value) -> Option<[Value; 2]> {
    let by = ["Resource", "Action"].into_iter().find_map(|member| {
        let items = statement[member].as_array()?;
        (items.len() > 1).then_some((member, items))
    });
    let (member, items) = by?;
    let (first, second) = items.split_at(items.len() / 2);
    let sid = statement["Sid"].as_str().unwrap_or_default();
    let half = |items: &[Value], of: &str| {
        let mut half = statement.clone();
        half[member] = Value::from(items.to_vec());
        half["Sid"] = Value::from(format!("{sid}{of}"));
        half
    };
    Some([half(first, "a"), half(second, "b")])
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
    action.when.is_none_or(|(pointer, texts)| {
        let found = at(spec, pointer);
        let mut found = found.iter().map(Value::to_string);
        found.any(|found| texts.iter().any(|text| found.contains(text)))
    })
}

fn permission(action: &Action, condition: &Value, resource: String) -> Permission {
    Permission {
        access: action.access,
        condition: condition.to_string(),
        adopts: false,
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
