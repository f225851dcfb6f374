//! A glance behind the simulated AWS after each step of a run, without asking it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use stationbill::kinds::Live;
use stationbill::model::Location;
use stationbill::model::stamp::{self, Owner, Tags};
use stationbill::sandbox::{Account, Sandbox};

use super::STACK;

/// Everything there is, by ARN or whatever else tells it apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glance {
    objects: BTreeMap<String, Object>,
    /// What can be referred to besides.
    channels: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Object {
    tags: Tags,
    content: Value,
}

impl Object {
    fn is_ours(&self) -> bool {
        stamp::owner(&self.tags, STACK) == Owner::Us
    }
}

impl Glance {
    /// What a live object is called here.
    pub(crate) fn key(kind: &str, location: &Location, live: &Live<Value>) -> String {
        match kind {
            "Document" | "Runbook" => format!("document {} in {}", live.name, location.region),
            "Dashboard" => format!("dashboard {}", live.name),
            _ => live.id.0.clone(),
        }
    }

    pub(crate) fn at(sandbox: &Sandbox) -> Self {
        sandbox.with_state(|state| {
            let mut glance = Self::default();
            for (id, account) in &state.accounts {
                glance.account(id, account);
            }
            glance
        })
    }

    fn account(&mut self, id: &str, account: &Account) {
        let contacts = serde_json::to_value(&account.contacts).unwrap();
        let channels = map(&contacts["channels"]);
        for (arn, contact) in map(&contacts["contacts"]) {
            let own: Vec<&Value> = channels
                .values()
                .filter(|channel| channel["contact"] == **arn)
                .collect();
            self.add(arn, &contact["tags"], json!([contact, own]));
        }
        self.channels.extend(channels.keys().cloned());
        for (arn, rotation) in map(&contacts["rotations"]) {
            self.add(arn, &rotation["tags"], rotation.clone());
        }
        let incidents = serde_json::to_value(&account.incidents).unwrap();
        for (name, plan) in map(&incidents["plans"]) {
            let arn = format!("arn:aws:ssm-incidents::{id}:response-plan/{name}");
            self.add(&arn, &plan["tags"], plan.clone());
        }
        for (region, ssm) in &account.ssm {
            let ssm = serde_json::to_value(ssm).unwrap();
            let tags = &ssm["tags"];
            for (name, document) in map(&ssm["documents"]) {
                let key = format!("document {name} in {region}");
                self.add(&key, &tags["Document"][name], document.clone());
            }
            let groups = map(&ssm["patch"]["groups"]);
            for (baseline, what) in map(&ssm["patch"]["baselines"]) {
                // A group may have a baseline of another operating system besides.
                let own = groups.iter().flat_map(|(group, systems)| {
                    let systems = map(systems).iter().filter(|(_, id)| *id == baseline);
                    systems.map(move |(system, _)| (group, system))
                });
                let own: Vec<_> = own.collect();
                let content = json!([what, own]);
                self.add(baseline, &tags["PatchBaseline"][baseline], content);
            }
            for (window, what) in map(&ssm["windows"]["windows"]) {
                self.add(window, &tags["MaintenanceWindow"][window], what.clone());
            }
            for (association, what) in map(&ssm["associations"]) {
                let tags = &tags["Association"][association];
                self.add(association, tags, what["versions"].clone());
            }
            self.settings(id, region, &ssm);
        }
        let cloudwatch = serde_json::to_value(&account.cloudwatch).unwrap();
        for (name, dashboard) in map(&cloudwatch["dashboards"]) {
            let key = format!("dashboard {name}");
            self.add(&key, &dashboard["tags"], dashboard.clone());
        }
        for (region, alarms) in map(&cloudwatch["alarms"]) {
            for (name, alarm) in map(&alarms["by_name"]) {
                let arn = format!("arn:aws:cloudwatch:{region}:{id}:alarm:{name}");
                self.add(&arn, &alarm["tags"], alarm["settings"].clone());
            }
        }
        let everywhere = serde_json::to_value(&account.securityhub_everywhere).unwrap();
        let aggregator = &everywhere["aggregator"];
        if let (Some(arn), Some(home)) = (aggregator["arn"].as_str(), aggregator["home"].as_str()) {
            let ssm = serde_json::to_value(account.ssm.get(home)).unwrap();
            let (_, tags) = claim(map(&ssm["parameters"]), AGGREGATOR);
            self.add(
                arn,
                &tags,
                json!([aggregator["mode"], aggregator["regions"]]),
            );
        }
        for (policy, what) in map(&everywhere["central"]["policies"]) {
            // How far AWS is with an association changes by itself.
            let targets = map(&everywhere["central"]["targets"]).iter();
            let targets = targets.filter(|(_, there)| there["policy"] == **policy);
            let targets = targets.filter(|(_, there)| there["leaving"] == false);
            let targets: Vec<&String> = targets.map(|(target, _)| target).collect();
            let (name, body) = (&what["name"], &what["body"]);
            let content = json!([name, what["description"], body, targets]);
            let arn = what["arn"].as_str().unwrap_or_default();
            self.add(arn, &what["tags"], content);
        }
        for (region, hub) in &account.securityhub {
            let store = serde_json::to_value(hub).unwrap();
            let central = &everywhere["central"]["on"];
            let central = !central.is_null() && aggregator["home"] == **region;
            let ssm = serde_json::to_value(account.ssm.get(region)).unwrap();
            let (claimed, tags) = claim(map(&ssm["parameters"]), ORGANIZATION);
            let joining = &store["joining"];
            let usual = json!({"auto_enable": false, "standards": "DEFAULT"});
            if claimed || central || *joining != usual {
                let key = format!("securityhub:{region}:{id}:organization-configuration");
                self.add(&key, &tags, json!([central, joining]));
            }
            // Rules are there without the hub too, though out of sight.
            for (arn, rule) in map(&store["rules"]) {
                self.add(arn, &rule["tags"], rule["fields"].clone());
            }
            let hub = &store["hub"];
            if !hub.is_null() {
                let arn = format!("arn:aws:securityhub:{region}:{id}:hub/default");
                // How far AWS is with a standard changes by itself.
                let standards: Vec<&String> = map(&hub["subscriptions"]).keys().collect();
                let (auto, generator) = (&hub["auto_enable_controls"], &hub["finding_generator"]);
                self.add(&arn, &hub["tags"], json!([auto, generator, standards]));
            }
        }
    }

    /// Settings that somebody changed or claimed; whose they are stands in parameters.
    fn settings(&mut self, id: &str, region: &str, ssm: &Value) {
        let (settings, parameters) = (map(&ssm["service_settings"]), map(&ssm["parameters"]));
        let claimed = parameters
            .keys()
            .filter_map(|name| name.strip_prefix(CLAIMS))
            .filter(|name| !name.starts_with(SECURITY_HUB));
        let names: BTreeSet<&str> = settings.keys().map(String::as_str).chain(claimed).collect();
        for name in names {
            let (claimed, tags) = claim(parameters, name);
            // When a slow one takes its new value is AWS's affair.
            let setting = settings.get(name).unwrap_or(&Value::Null);
            let value = setting["pending"].get(0).unwrap_or(&setting["value"]);
            if claimed || !value.is_null() {
                let arn = format!("arn:aws:ssm:{region}:{id}:servicesetting{name}");
                self.add(&arn, &tags, value.clone());
            }
        }
    }

    fn add(&mut self, key: &str, tags: &Value, content: Value) {
        let tags = map(tags).iter();
        let tags = tags.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned()));
        let object = Object {
            tags: tags.collect(),
            content,
        };
        assert!(self.objects.insert(key.to_owned(), object).is_none());
    }

    /// What is not ours, nor about to be, and is not as it was.
    pub(crate) fn touched(&self, before: &Self, adopted: &BTreeSet<String>) -> Vec<String> {
        let theirs = before.objects.iter();
        let theirs = theirs.filter(|(key, was)| !was.is_ours() && !adopted.contains(*key));
        let touched = theirs.filter(|(key, was)| self.objects.get(*key) != Some(was));
        touched
            .map(|(key, was)| format!("{key} is not ours, and was {was:?}"))
            .collect()
    }

    /// The objects of ours that are there more than once.
    pub(crate) fn twice(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let ours = self.objects.values().filter(|object| object.is_ours());
        let names = ours.filter_map(|object| object.tags.get(stamp::OBJECT));
        names
            .filter(|name| !seen.insert((*name).clone()))
            .cloned()
            .collect()
    }

    /// Who refers in vain to whom, among what has ARNs.
    pub(crate) fn dangling(&self) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for (key, object) in &self.objects {
            let mut named = Vec::new();
            arns(&object.content, &mut named);
            for arn in named {
                if !self.objects.contains_key(&arn) && !self.channels.contains(&arn) {
                    found.insert((key.clone(), arn));
                }
            }
        }
        found
    }
}

/// Below which the claims are, and those that are of no setting.
const CLAIMS: &str = "/stationbill/claims";
const SECURITY_HUB: &str = "/securityhub/";
const ORGANIZATION: &str = "/securityhub/organization-configuration";
const AGGREGATOR: &str = "/securityhub/finding-aggregator";

/// Says whether somebody claimed what has this id, and returns the stamp.
fn claim(parameters: &Map<String, Value>, id: &str) -> (bool, Value) {
    let versions = parameters.get(&format!("{CLAIMS}{id}"));
    let claim = versions.and_then(|claim| claim["versions"].as_array()?.last());
    let tags = claim.and_then(|claim| serde_json::from_str(claim["value"].as_str()?).ok());
    (claim.is_some(), tags.unwrap_or_default())
}

fn map(value: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

fn arns(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("arn:aws:ssm-contacts:") => {
            into.push(text.clone());
        }
        Value::Object(map) => map.values().for_each(|member| arns(member, into)),
        Value::Array(list) => list.iter().for_each(|member| arns(member, into)),
        _ => {}
    }
}
