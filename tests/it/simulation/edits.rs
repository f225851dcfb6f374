//! What people do meanwhile, to the documents and behind the back of them.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use stationbill::kinds::{self, Live};
use stationbill::load::Declared;
use stationbill::model::reference::references;
use stationbill::model::report::Report;
use stationbill::model::stamp::{self, Owner, Stamp};
use stationbill::model::{Address, substitute};

use super::Story;
use super::invariants::is_singleton;
use crate::support::{STACK, free_name};

/// Without which nothing can be of the kinds that come after them.
const FOUNDATIONS: [&str; 3] = [
    "SecurityHub",
    "FindingAggregator",
    "OrganizationConfiguration",
];

/// Kinds whose objects carry no tags.
const UNTAGGED: [&str; 3] = [
    "ServiceSetting",
    "FindingAggregator",
    "OrganizationConfiguration",
];

impl Story {
    /// Adds a document of the catalogue, and those that it needs.
    pub(super) fn declare_another(&mut self) {
        let Some(first) = self.catalogue.choose(&mut self.rng) else {
            return;
        };
        let (before, mut waiting) = (self.documents.len(), vec![first.address.to_string()]);
        while let Some(name) = waiting.pop() {
            if self.documents.iter().any(|d| d.address.to_string() == name) {
                continue;
            }
            let Some(found) = self
                .catalogue
                .iter()
                .find(|d| d.address.to_string() == name)
            else {
                continue;
            };
            // A renamed document may still have the name in AWS.
            let same = |d: &Declared| {
                (d.address.kind == found.address.kind && d.spec["name"] == found.spec["name"])
                    && d.address.kind != "ReplicationSet"
            };
            let claims = |d: &Declared| disputes(d, found);
            if self.documents.iter().any(|d| same(d) || claims(d)) {
                return self.documents.truncate(before);
            }
            self.documents.push(found.clone());
            waiting.extend(references(&found.spec).into_iter().map(|(_, name)| name));
            let after = kinds::find(&found.address.kind).unwrap().after();
            let sets = self
                .catalogue
                .iter()
                .filter(|d| after.contains(&d.address.kind.as_str()));
            waiting.extend(sets.map(|d| d.address.to_string()));
        }
    }

    /// Makes an object that is not ours: nobody's, or another stack's. Sometimes it has the name of one of ours.
    pub(super) async fn foreign(&mut self) {
        let alone: Vec<&Declared> = self
            .catalogue
            .iter()
            .filter(|d| references(&d.spec).is_empty() && !is_singleton(&d.address.kind))
            .collect();
        let Some(model) = alone.choose(&mut self.rng) else {
            return;
        };
        let (kind, mut spec) = (
            kinds::find(&model.address.kind).unwrap(),
            model.spec.clone(),
        );
        let variables = substitute::Variables {
            location: self.scene.aws.location.clone(),
            target: "here".to_owned(),
            vars: BTreeMap::new(),
        };
        spec = substitute::substitute(spec, &variables).unwrap();
        if !self.rng.random_bool(0.2) && model.address.name != "session-preferences" {
            self.made_up += 1;
            let name = format!("foreign-{}", self.made_up);
            spec["name"] = json!(free_name(&model.address.kind, &name));
            if let Some(spec) = spec.as_object_mut() {
                spec.remove("patchGroups");
                spec.remove("default");
            }
        }
        if model.address.kind == "Contact" {
            spec["channels"] =
                json!({"mail": {"type": "EMAIL", "address": {"$sensitive": "f@example.com"}}});
            spec["stages"] = json!([]);
        }
        let stamp = if self.rng.random_bool(0.5) {
            Stamp {
                tags: BTreeMap::new(),
                token: format!("foreign-{}-{}", self.seed, self.made_up),
            }
        } else {
            Stamp::new("another", &model.address, &spec, None)
        };
        let spec = kind.parse(&spec).unwrap();
        let made = kind.create(&self.scene.aws, &spec, &stamp).await;
        let line = format!(
            "foreign {} {}: {:?}",
            kind.kind(),
            spec["name"],
            made.map_err(|e| e.to_string())
        );
        self.say(line);
    }

    pub(super) fn edit_documents(&mut self) {
        for _ in 0..self.rng.random_range(0..3) {
            match self.rng.random_range(0..10) {
                0 => self.declare_another(),
                1 | 2 => self.drop_one(),
                3 => self.rename_one(),
                _ => {
                    if self.documents.is_empty() {
                        continue;
                    }
                    let at = self.rng.random_range(0..self.documents.len());
                    let people: Vec<String> = self
                        .documents
                        .iter()
                        .filter(|d| d.address.kind == "Contact")
                        .map(|d| d.address.to_string())
                        .collect();
                    let kind = self.documents[at].address.kind.clone();
                    if let Some(spec) =
                        change(&mut self.rng, &kind, &self.documents[at].spec, &people)
                    {
                        let mut changed = self.documents[at].clone();
                        changed.spec = spec;
                        let others = self
                            .documents
                            .iter()
                            .filter(|d| d.address != changed.address);
                        if others.clone().any(|other| disputes(other, &changed)) {
                            continue;
                        }
                        let line = format!("document {} changed", changed.address);
                        self.say(line);
                        self.documents[at] = changed;
                    }
                }
            }
        }
    }

    /// Drops a document that nothing refers to.
    pub(super) fn drop_one(&mut self) {
        let needed: BTreeSet<String> = self
            .documents
            .iter()
            .flat_map(|d| references(&d.spec).into_iter().map(|(_, name)| name))
            .collect();
        // Without Security Hub, its home and central configuration nothing can be that is part of it.
        let first: BTreeSet<&str> = self
            .documents
            .iter()
            .flat_map(|d| kinds::find(&d.address.kind).unwrap().after())
            .filter(|kind| FOUNDATIONS.contains(kind))
            .copied()
            .collect();
        let free: Vec<usize> = (0..self.documents.len())
            .filter(|&i| {
                let address = &self.documents[i].address;
                let first =
                    address.kind == "ReplicationSet" || first.contains(address.kind.as_str());
                !first && !needed.contains(&address.to_string())
            })
            .collect();
        if let Some(&at) = free.choose(&mut self.rng) {
            let gone = self.documents.remove(at);
            self.say(format!("document {} dropped", gone.address));
        }
    }

    /// Gives a document another name, in AWS too or only here, and tells those that refer to it.
    pub(super) fn rename_one(&mut self) {
        if self.documents.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..self.documents.len());
        self.made_up += 1;
        let (kind, old) = {
            let address = &self.documents[at].address;
            (address.kind.clone(), address.name.clone())
        };
        if kind == "ReplicationSet" || old == "session-preferences" {
            return;
        }
        let new = format!("renamed-{}", self.made_up);
        // People keep their name in AWS: another would lose their history, which is refused.
        // There are no other settings than AWS's.
        let fixed = kind == "Contact" || kind == "ServiceSetting" || is_singleton(&kind);
        if !fixed && self.rng.random_bool(0.5) {
            self.documents[at].spec["name"] = json!(new);
        }
        self.documents[at].address = Address::new(kind.clone(), new.clone());
        let (from, to) = (format!("{kind}/{old}"), format!("{kind}/{new}"));
        for document in &mut self.documents {
            retarget(&mut document.spec, &from, &to);
        }
        self.say(format!("document {from} renamed to {new}"));
    }

    /// Changes AWS by hand: only what is ours, for what is not must stay as it is.
    pub(super) async fn edit_aws(&mut self) {
        for _ in 0..self.rng.random_range(0..3) {
            let estate = self.scene.everything().await;
            let ours: Vec<_> = estate
                .into_iter()
                .filter(|(_, live)| stamp::owner(&live.tags, STACK) == Owner::Us)
                .collect();
            let Some(((kind, _), live)) = ours.choose(&mut self.rng) else {
                return;
            };
            let (aws, any) = (&self.scene.aws, kinds::find(kind).unwrap());
            let done = match self.rng.random_range(0..4) {
                0 if kind != "ReplicationSet" => ("deleted", any.delete(aws, live).await),
                _ => {
                    let Some(spec) = change(&mut self.rng, kind, &live.spec, &[]) else {
                        continue;
                    };
                    let stamp = Stamp {
                        tags: stamp_of(live),
                        token: "by-hand".to_owned(),
                    };
                    ("changed", any.update(aws, &spec, live, &stamp).await)
                }
            };
            let said = format!(
                "AWS: {kind}/{} {}: {:?}",
                live.name,
                done.0,
                done.1.map_err(|e| e.to_string())
            );
            self.say(said);
        }
    }
}

/// Says whether two documents ask for what only one can have, which is refused.
fn disputes(one: &Declared, other: &Declared) -> bool {
    let kind = kinds::find(&one.address.kind).unwrap();
    let asked = |document: &Declared| -> BTreeSet<(&str, String)> {
        let claims = kind.exclusive().iter();
        claims
            .flat_map(|claim| claim.asked(&document.spec, &document.spec))
            .map(|(at, _, what)| (at, what))
            .collect()
    };
    one.address.kind == other.address.kind && !asked(one).is_disjoint(&asked(other))
}

/// Returns the tags of the stamp that an object carries.
fn stamp_of(live: &Live<Value>) -> stamp::Tags {
    let ours = [stamp::STACK, stamp::OBJECT, stamp::APPLIED];
    let tags = live
        .tags
        .iter()
        .filter(|(key, _)| ours.contains(&key.as_str()));
    tags.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn retarget(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(map) => {
            if map.get("ref").and_then(Value::as_str) == Some(from) {
                map.insert("ref".to_owned(), json!(to));
            }
            map.values_mut()
                .for_each(|member| retarget(member, from, to));
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|member| retarget(member, from, to)),
        _ => {}
    }
}

/// Changes one thing about a spec, if that leaves it valid.
fn change(rng: &mut SmallRng, kind: &str, spec: &Value, people: &[String]) -> Option<Value> {
    let any = kinds::find(kind).unwrap();
    let mut spec = spec.clone();
    let number = rng.random_range(1..20);
    let tagged = !UNTAGGED.contains(&kind);
    if tagged && rng.random_bool(0.25) {
        let value = json!(format!("v{number}"));
        match spec.get_mut("tags").and_then(Value::as_object_mut) {
            Some(tags) => drop(tags.insert("changed".to_owned(), value)),
            None => spec["tags"] = json!({ "changed": value }),
        }
    } else {
        one_field(rng, kind, &mut spec, number, people)?;
    }
    let spec = any.parse(&spec).ok()?;
    let mut report = Report::default();
    any.validate(&spec, &mut report);
    report.is_ok().then_some(spec)
}

#[expect(
    clippy::too_many_lines,
    reason = "a table of edits, one or two lines each"
)]
fn one_field(
    rng: &mut SmallRng,
    kind: &str,
    spec: &mut Value,
    number: u32,
    people: &[String],
) -> Option<()> {
    let coin = rng.random_range(0..4);
    match (kind, coin) {
        ("Contact", 0) => spec["displayName"] = json!(format!("Person {number}")),
        ("Contact", 1) => {
            let name = format!("extra{}", number % 3);
            let address = json!({"$sensitive": format!("p{number}@example.com")});
            spec["channels"][&name] = json!({"type": "EMAIL", "address": address});
            let notify = spec["stages"]
                .get_mut(0)?
                .get_mut("notify")?
                .as_array_mut()?;
            notify.push(json!({"channel": name}));
        }
        ("Contact", 2) => {
            let channels = spec.get_mut("channels")?.as_object_mut()?;
            let names: Vec<String> = channels.keys().cloned().collect();
            let gone = names.choose(rng)?.clone();
            channels.remove(&gone);
            for stage in spec["stages"].as_array_mut()? {
                if let Some(notify) = stage.get_mut("notify").and_then(Value::as_array_mut) {
                    notify.retain(|n| n["channel"] != gone.as_str());
                }
            }
        }
        ("Contact", _) => {
            for channel in spec.get_mut("channels")?.as_object_mut()?.values_mut() {
                if channel["type"] != "EMAIL" {
                    channel["address"] = json!({"$sensitive": format!("+8190123400{number:02}")});
                }
            }
        }
        ("Rotation", 0) => spec["recurrence"]["recurrenceMultiplier"] = json!(number % 5 + 1),
        ("Rotation", 1) => {
            spec["timeZoneId"] = json!(["Asia/Tokyo", "Europe/Berlin", "UTC"][number as usize % 3]);
        }
        ("Rotation", 2) if !people.is_empty() => {
            let some: Vec<Value> = people
                .sample(rng, 2)
                .map(|name| json!({ "ref": name }))
                .collect();
            spec["contacts"] = json!(some);
        }
        ("Rotation", _) => spec["contacts"].as_array_mut()?.reverse(),
        ("OnCallSchedule", 0 | 1) => drop(spec.get_mut("rotations")?.as_array_mut()?.pop()?),
        ("OnCallSchedule", _) => spec["displayName"] = json!(format!("Schedule {number}")),
        ("EscalationPlan", 0) => drop(spec.get_mut("stages")?.as_array_mut()?.pop()?),
        ("EscalationPlan", 1) => spec["stages"].get_mut(0)?["durationMinutes"] = json!(number),
        ("EscalationPlan", 2) if !people.is_empty() => {
            let who = people.choose(rng)?;
            let stage = json!({"durationMinutes": number, "engage": [{"contact": {"ref": who}}]});
            spec["stages"].as_array_mut()?.push(stage);
        }
        ("EscalationPlan", _) => spec["displayName"] = json!(format!("Plan {number}")),
        ("ResponsePlan", 0) => spec["incidentTemplate"]["impact"] = json!(number % 5 + 1),
        ("ResponsePlan", 1) => drop(spec.get_mut("engagements")?.as_array_mut()?.pop()?),
        ("ResponsePlan", 2) => drop(spec.as_object_mut()?.remove("runbook")?),
        ("ResponsePlan", _) => {
            spec["incidentTemplate"]["summary"] = json!(format!("Summary {number}"));
        }
        ("Runbook" | "Document", _) => {
            let text = spec["content"]["$document"]["text"].as_str()?;
            // The description of the document itself, wherever its format has it.
            let changed = text.replacen("escription: ", &format!("escription: {number} "), 1);
            let changed = changed.replacen(
                "\"description\": \"",
                &format!("\"description\": \"{number} "),
                1,
            );
            // AWS takes no other display name for the same content; the plan says so.
            if coin == 0 && changed != text {
                spec["displayName"] = json!(format!("Document {number}"));
            }
            spec["content"]["$document"]["text"] = json!(changed);
        }
        ("PatchBaseline", 0) => spec["description"] = json!(format!("Baseline {number}")),
        ("PatchBaseline", 1) => spec["rejectedPatches"] = json!([format!("KB50{number:02}")]),
        ("PatchBaseline", 2) => spec["patchGroups"] = json!([format!("group-{}", number % 4)]),
        ("PatchBaseline", _) => {
            let systems = ["RHEL", "CENTOS", "AMAZON_LINUX_2", "ORACLE_LINUX"];
            spec["operatingSystem"] = json!(systems[number as usize % 4]);
            spec["approvalRules"] = json!([]);
            spec["default"] = json!(number.is_multiple_of(3));
        }
        ("MaintenanceWindow", 0) => spec["duration"] = json!(number % 20 + 4),
        ("MaintenanceWindow", 1) => {
            let tasks = spec.get_mut("tasks")?.as_object_mut()?;
            let names: Vec<String> = tasks.keys().cloned().collect();
            tasks.remove(names.choose(rng)?);
        }
        ("MaintenanceWindow", 2) => {
            // A target of another sort, which takes the place of the one that tasks name.
            let sort = if number.is_multiple_of(2) {
                "resource-groups:Name"
            } else {
                "tag:role"
            };
            let select = json!([{"key": sort, "values": [format!("group-{number}")]}]);
            let targets = spec.get_mut("windowTargets")?.as_object_mut()?;
            targets.values_mut().next()?["select"] = select;
        }
        ("MaintenanceWindow", _) => {
            let task = json!({"lambda": {"function": format!("SSM{number}")}});
            spec["tasks"][format!("extra{}", number % 3)] = task;
        }
        ("Association", 0) => spec["maxErrors"] = json!(number.to_string()),
        ("Association", 1) => {
            let select = json!([{"key": "tag:role", "values": [format!("role-{number}")]}]);
            spec["select"] = select;
        }
        ("Association", 2) => {
            let only = spec["applyOnlyAtCronInterval"] == json!(true);
            spec["applyOnlyAtCronInterval"] = json!(!only);
            spec["schedule"] = json!(format!("cron(0 {number} ? * SUN *)"));
            spec.as_object_mut()?.remove("duration");
        }
        ("Association", _) => {
            spec["document"] = json!({"name": "AWS-UpdateSSMAgent"});
            spec["documentVersion"] = json!("$LATEST");
            spec["parameters"] = json!({"allowDowngrade": ["false"]});
        }
        ("Dashboard", _) => {
            let text = spec["body"]["$document"]["text"].as_str()?;
            spec["body"]["$document"]["text"] =
                json!(text.replacen("24", &format!("{}", number + 1), 1));
        }
        ("Alarm", 0) => spec["description"] = json!(format!("Alarm {number}")),
        ("Alarm", 1) => spec["actionsEnabled"] = json!(number.is_multiple_of(2)),
        ("Alarm", 2) if spec["type"] == "composite" => {
            let rule = spec["rule"].as_str()?;
            let (one, other) = if rule.contains(" AND ") {
                (" AND ", " OR ")
            } else {
                (" OR ", " AND ")
            };
            spec["rule"] = json!(rule.replace(one, other));
        }
        ("Alarm", _) if spec["type"] == "metric" => spec["evaluationPeriods"] = json!(number),
        ("Alarm", _) => spec["actionsSuppressor"]["waitPeriod"] = json!(number),
        ("SecurityHub", 0) => {
            let auto = spec["autoEnableControls"] == json!(true);
            spec["autoEnableControls"] = json!(!auto);
        }
        ("SecurityHub", 1) => {
            let controls = spec.get_mut("controls")?.as_object_mut()?;
            let names: Vec<String> = controls.keys().cloned().collect();
            controls.remove(names.choose(rng)?);
        }
        ("SecurityHub", 2) => {
            let standards = spec.get_mut("standards")?.as_array_mut()?;
            let another = json!("pci-dss/v/3.2.1");
            match standards.iter().position(|standard| *standard == another) {
                Some(at) => drop(standards.remove(at)),
                None => standards.push(another),
            }
        }
        ("SecurityHub", _) => {
            let reason = format!("Reason {number}");
            spec.get_mut("controls")?["IAM.9"] = json!({"enabled": false, "reason": reason});
        }
        ("AutomationRule", 0) => spec["order"] = json!(number),
        ("AutomationRule", 1) => {
            let enabled = spec["enabled"] == json!(true);
            spec["enabled"] = json!(!enabled);
        }
        ("AutomationRule", 2) => {
            let title = json!([{"comparison": "PREFIX", "value": format!("Title {number}")}]);
            spec["criteria"] = json!({ "title": title });
        }
        ("AutomationRule", _) => {
            let note = json!({"text": format!("Note {number}"), "updatedBy": "somebody"});
            spec["findingFieldsUpdate"]["note"] = note;
        }
        ("FindingAggregator", 0) => {
            *spec = json!({"regionLinkingMode": "ALL_REGIONS"});
        }
        ("FindingAggregator", _) => {
            let mode = ["SPECIFIED_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED"][number as usize % 2];
            let region = ["eu-west-1", "us-east-1", "sa-east-1"][number as usize % 3];
            *spec = json!({"regionLinkingMode": mode, "regions": [region]});
        }
        ("ConfigurationPolicy", 0) => spec["description"] = json!(format!("Policy {number}")),
        ("ConfigurationPolicy", 1) => {
            let controls = json!({ "disabled": [format!("IAM.{}", number % 8 + 1)] });
            spec["serviceEnabled"] = json!(true);
            spec["controls"] = controls;
        }
        // Of all documents this one alone has accounts: a target has one policy.
        ("ConfigurationPolicy", _) => {
            let accounts = spec.get_mut("associations")?.get_mut("accounts")?;
            let account = ["222233334444", "333344445555"][number as usize % 2];
            *accounts = json!([account]);
        }
        ("ServiceSetting", _) => {
            let value = spec["value"].as_str()?;
            spec["value"] = match value {
                "Enable" => json!("Disable"),
                "Disable" => json!("Enable"),
                _ => json!(format!("service-role/role-{number}")),
            };
        }
        ("ReplicationSet", 0 | 1) => {
            let protected = spec["deletionProtected"] == json!(true);
            spec["deletionProtected"] = json!(!protected);
        }
        ("ReplicationSet", _) => {
            let regions = spec.get_mut("regions")?.as_array_mut()?;
            if regions.len() > 1 {
                // The first one is where the run is, and stays.
                regions.truncate(1);
            } else {
                regions.push(json!({"name": "eu-west-1"}));
            }
        }
        // How an organization is configured among them: no policy may be left where each account is for itself again.
        _ => return None,
    }
    Some(())
}
