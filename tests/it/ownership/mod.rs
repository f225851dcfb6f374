//! Whose is it? What a plan says of objects that are not ours, or no longer, or in halves, and what an apply does.
//!
//! The same table is in `docs/ownership.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stationbill::kinds::{self, KINDS, Live, Select};
use stationbill::load::Declared;
use stationbill::model::plan::{Action, Change, Plan, Wish};
use stationbill::model::reference::{references, resolve};
use stationbill::model::spec::Identity;
use stationbill::model::stamp::{self, Owner, Stamp};
use stationbill::model::substitute::{Variables, substitute};
use stationbill::sandbox::Faults;

use crate::support::{ADMINISTRATORS, Estate, STACK, Scene};
use crate::support::{administering, documents, free_name, told};

mod endings;

/// One case: the example of one kind, with all that it needs in place.
struct Case {
    scene: Scene,
    documents: Vec<Declared>,
    /// The document that the case is about.
    subject: Declared,
    ids: BTreeMap<String, String>,
}

/// The document of each kind that the cases are about. The documents of `examples/kinds` need nothing but each other.
const SUBJECTS: &[(&str, &str)] = &[
    ("Contact", "kayoko"),
    ("Rotation", "banana-weeks"),
    ("OnCallSchedule", "banana-primary"),
    ("EscalationPlan", "banana-checkout"),
    ("ResponsePlan", "banana-checkout-down"),
    ("Runbook", "banana-restart"),
    ("Document", "banana-disk-usage"),
    ("PatchBaseline", "linux-production"),
    ("MaintenanceWindow", "sunday-night"),
    ("Association", "scan-patches"),
    ("AutomationRule", "accepted-risk"),
    ("ConfigurationPolicy", "stalls"),
    ("Dashboard", "banana-impact"),
    ("Alarm", "banana-checkout-down"),
    ("ServiceSetting", "default-host-management"),
];

impl Case {
    /// Applies what the subject needs, and not the subject itself.
    async fn new((kind, name): (&str, &str)) -> Self {
        let all = documents("kinds");
        let mut wanted = BTreeSet::from([format!("{kind}/{name}")]);
        loop {
            let more: Vec<String> = all
                .iter()
                .filter(|d| wanted.contains(&d.address.to_string()))
                .flat_map(|d| references(&d.spec).into_iter().map(|(_, name)| name))
                .filter(|name| !wanted.contains(name))
                .collect();
            if more.is_empty() {
                break;
            }
            wanted.extend(more);
        }
        let kinds = wanted.iter().filter_map(|name| name.split_once('/'));
        let mut open: Vec<&str> = kinds.map(|(kind, _)| kind).collect();
        let mut after = BTreeSet::new();
        while let Some(kind) = open.pop() {
            let first = kinds::find(kind).unwrap().after();
            open.extend(first.iter().filter(|kind| after.insert(**kind)));
        }
        let needed = |d: &Declared| {
            wanted.contains(&d.address.to_string()) || after.contains(d.address.kind.as_str())
        };
        let documents: Vec<Declared> = all.into_iter().filter(needed).collect();
        let (subjects, others): (Vec<_>, Vec<_>) = documents
            .iter()
            .cloned()
            .partition(|d| d.address.kind == kind && d.address.name == name);
        let scene = if ADMINISTRATORS.contains(&kind) {
            Scene::with(1, administering()).await
        } else {
            Scene::new(1).await
        };
        let (rest, _) = scene.converge(&others, &Wish::default(), 1).await;
        assert!(rest.is_empty(), "{}", told(&rest));
        let mut case = Self {
            ids: rest
                .ids
                .get(&scene.aws.location)
                .cloned()
                .unwrap_or_default()
                .into_iter()
                .collect(),
            scene,
            documents,
            subject: subjects.into_iter().next().unwrap(),
        };
        case.subject.spec = case.ready(&case.subject.spec);
        case
    }

    /// Writes a spec as a call gets it.
    fn ready(&self, spec: &Value) -> Value {
        let variables = Variables {
            location: self.scene.aws.location.clone(),
            target: "here".to_owned(),
            vars: BTreeMap::new(),
        };
        let spec = substitute(spec.clone(), &variables).unwrap();
        let kind = kinds::find(&self.subject.address.kind).unwrap();
        kind.parse(&resolve(spec, &self.ids)).unwrap()
    }

    /// Runs, and asserts that this is the object which was made whole.
    async fn completes(&self, live: &Live<Value>) {
        let said = self.run(&Wish::default()).await;
        assert_eq!(said, Some((Action::Update, true)));
        self.holds().await;
        assert_eq!(self.objects().await[0].id, live.id);
    }

    /// Makes the subject's object by hand, with these tags as its stamp.
    async fn by_hand(&self, tags: &[(&str, &str)]) -> Live<Value> {
        let kind = kinds::find(&self.subject.address.kind).unwrap();
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let stamp = Stamp {
            tags: tags.collect(),
            token: format!("by-hand-{}", self.objects().await.len()),
        };
        // Where there is no token, what has the stamp already is what a second call finds: a copy gets it afterwards.
        let late = ["Association", "AutomationRule", "ConfigurationPolicy"]
            .contains(&self.subject.address.kind.as_str());
        let first = Stamp {
            tags: if late {
                BTreeMap::new()
            } else {
                stamp.tags.clone()
            },
            token: stamp.token,
        };
        let id = kind
            .create(&self.scene.aws, &self.subject.spec, &first)
            .await
            .unwrap();
        if late && !stamp.tags.is_empty() {
            self.tag(&id.0, stamp.tags).await;
        }
        loop {
            let found = self.objects().await;
            let live = found.into_iter().find(|live| live.id == id).unwrap();
            if live.ready {
                return live;
            }
        }
    }

    /// Writes tags on what is there already.
    async fn tag(&self, id: &str, tags: BTreeMap<String, String>) {
        let aws = &self.scene.aws;
        if self.subject.address.kind == "Association" {
            let request = aws.ssm.add_tags_to_resource();
            let tags = stationbill::aws::ssm::tag_list(tags).unwrap();
            let request =
                request.resource_type(aws_sdk_ssm::types::ResourceTypeForTagging::Association);
            let request = request.resource_id(id).set_tags(Some(tags));
            request.send().await.unwrap();
        } else {
            let request = aws.securityhub.tag_resource().resource_arn(id);
            let tags = tags.into_iter().collect();
            request.set_tags(Some(tags)).send().await.unwrap();
        }
    }

    /// Lists the objects that have the subject's name in AWS.
    async fn objects(&self) -> Vec<Live<Value>> {
        let kind = kinds::find(&self.subject.address.kind).unwrap();
        let name = self.subject.spec["name"].as_str().unwrap_or_default();
        let select = Select::Named(BTreeSet::from([name.to_owned()]));
        kind.list(&self.scene.aws, &select).await.unwrap()
    }

    async fn plan(&self, wish: &Wish) -> Plan {
        self.scene.plan(STACK, &self.documents, wish).await.2
    }

    /// Returns the plan's line about the subject, if it has one.
    fn line<'a>(&self, plan: &'a Plan) -> Option<&'a Change> {
        let others: Vec<_> = plan
            .changes
            .iter()
            .filter(|change| change.address != self.subject.address)
            .collect();
        assert!(
            others.is_empty(),
            "only the subject changes: {}",
            told(plan)
        );
        plan.changes.first()
    }

    /// Plans and applies once; answers with what the plan said.
    async fn run(&self, wish: &Wish) -> Option<(Action, bool)> {
        let plan = self.plan(wish).await;
        self.scene.apply(&plan).await;
        self.line(&plan)
            .map(|change| (change.action, change.acts()))
    }

    async fn everything(&self) -> Estate {
        self.scene.everything().await
    }

    /// Nothing is left to do, and there is one object of ours.
    async fn holds(&self) {
        let rest = self.plan(&Wish::default()).await;
        assert!(rest.is_empty(), "{}", told(&rest));
        let ours = self.objects().await.into_iter().filter(|live| {
            stamp::owner(&live.tags, STACK) == Owner::Us
                && stamp::names(&live.tags, &self.subject.address)
        });
        assert_eq!(ours.count(), 1, "{}", self.subject.address);
    }

    fn shared_name(&self) -> bool {
        kinds::find(&self.subject.address.kind).unwrap().identity() == Identity::SharedName
    }

    fn stamp(&self) -> Stamp {
        Stamp::new(STACK, &self.subject.address, &self.subject.spec, None)
    }
}

fn adopt() -> Wish {
    Wish {
        adopt: true,
        ..Wish::default()
    }
}

fn prune() -> Wish {
    Wish {
        prune: true,
        ..Wish::default()
    }
}

fn borrowed(tags: &stamp::Tags) -> Vec<(&str, &str)> {
    tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

#[test]
fn the_cases_are_about_every_kind_but_the_singleton() {
    let subjects: BTreeSet<&str> = SUBJECTS.iter().map(|(kind, _)| *kind).collect();
    for kind in KINDS {
        let singleton = kind.identity() == Identity::Singleton;
        assert_eq!(
            subjects.contains(kind.kind()),
            !singleton,
            "{}",
            kind.kind()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_owns_is_left_alone_until_somebody_asks_to_adopt_it() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        case.by_hand(&[]).await;
        let before = case.everything().await;
        for wish in [Wish::default(), prune()] {
            assert_eq!(
                case.run(&wish).await,
                Some((Action::Adopt, false)),
                "{subject:?}"
            );
            assert_eq!(case.everything().await, before, "{subject:?}");
        }
        assert_eq!(
            case.run(&adopt()).await,
            Some((Action::Adopt, true)),
            "{subject:?}"
        );
        case.holds().await;
        assert_eq!(case.everything().await.len(), before.len());
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_stack_owns_is_never_touched() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        let theirs = Stamp::new("another", &case.subject.address, &case.subject.spec, None);
        let live = case.by_hand(&borrowed(&theirs.tags)).await;
        for wish in [Wish::default(), prune(), adopt()] {
            let said = case.run(&wish).await;
            let key = (subject.0.to_owned(), live.id.0.clone());
            assert_eq!(
                case.everything().await.get(&key),
                Some(&live),
                "{subject:?}"
            );
            if !case.shared_name() {
                assert_eq!(said, Some((Action::Blocked, false)), "{subject:?}");
            }
        }
        if case.shared_name() && subject.0 == "Rotation" {
            // AWS lets names repeat: ours stands beside theirs.
            case.holds().await;
            assert_eq!(case.objects().await.len(), 2);
        }
    }
}

/// AWS has one call to make some things and to write over them.
#[tokio::test(start_paused = true)]
async fn what_somebody_made_since_the_plan_is_not_written_over() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        let plan = case.plan(&Wish::default()).await;
        let acts = case
            .line(&plan)
            .map(|change| (change.action, change.acts()));
        assert_eq!(acts, Some((Action::Create, true)), "{subject:?}");
        let theirs = Stamp::new("another", &case.subject.address, &case.subject.spec, None);
        let live = case.by_hand(&borrowed(&theirs.tags)).await;
        case.scene.apply(&plan).await;
        let key = (subject.0.to_owned(), live.id.0.clone());
        let after = case.everything().await;
        assert_eq!(after.get(&key), Some(&live), "{subject:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_that_nobody_owns_are_not_told_apart() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        if !case.shared_name() {
            continue;
        }
        let mut one = case.subject.clone();
        one.spec.as_object_mut().unwrap().remove("patchGroups");
        let case = Case {
            subject: one,
            ..case
        };
        case.by_hand(&[]).await;
        case.by_hand(&[]).await;
        let before = case.everything().await;
        assert_eq!(
            case.run(&adopt()).await,
            Some((Action::Blocked, false)),
            "{subject:?}"
        );
        assert_eq!(case.everything().await, before, "{subject:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_stamp_was_stripped_is_nobodys() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        case.holds().await;
        strip(&case, stamp::STACK).await;
        let before = case.everything().await;
        for wish in [Wish::default(), prune()] {
            assert_eq!(
                case.run(&wish).await,
                Some((Action::Adopt, false)),
                "{subject:?}"
            );
            assert_eq!(case.everything().await, before, "{subject:?}");
        }
        case.run(&adopt()).await;
        case.holds().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stamp_that_lost_a_part_is_made_whole() {
    for subject in SUBJECTS {
        for tag in [stamp::OBJECT, stamp::APPLIED] {
            let case = Case::new(*subject).await;
            case.run(&Wish::default()).await;
            strip(&case, tag).await;
            let said = case.run(&prune()).await;
            let alone = tag == stamp::APPLIED && said.is_none();
            // What was last applied is for people alone: without it nothing differs.
            assert!(
                alone || matches!(said, Some((Action::Update, true))),
                "{subject:?} {tag}: {said:?}"
            );
            case.holds().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_forged_memory_of_what_was_applied_changes_no_decision() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let live = case.objects().await.remove(0);
        forge(&case, &live, stamp::APPLIED, "nonsense").await;
        assert!(
            case.run(&prune())
                .await
                .is_none_or(|(action, _)| action == Action::Update)
        );
        case.holds().await;
        assert_eq!(case.objects().await[0].id, live.id, "{subject:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stamp_that_names_another_object_of_the_stack_is_an_orphan_or_a_renamed_document() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let live = case.objects().await.remove(0);
        forge(
            &case,
            &live,
            stamp::OBJECT,
            &format!("{}/somebody-else", subject.0),
        )
        .await;
        let said = case.run(&prune()).await;
        // The name in AWS and the stack are ours, so it is the same object under a new name.
        assert_eq!(said, Some((Action::Update, true)), "{subject:?}");
        case.holds().await;
        assert_eq!(case.objects().await[0].id, live.id, "{subject:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_made_by_hand_goes_only_when_asked_and_people_not_even_then() {
    for subject in SUBJECTS {
        let mut case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        // Somebody copies the object with its tags, under a name of its own where names are unique.
        let stamp = case.stamp();
        if !case.shared_name() {
            case.subject.spec["name"] = json!(free_name(subject.0, "a-copy"));
        }
        if let Some(spec) = case.subject.spec.as_object_mut() {
            spec.remove("patchGroups");
        }
        case.by_hand(&borrowed(&stamp.tags)).await;
        let plan = case.plan(&Wish::default()).await;
        assert_eq!(plan.count(Action::Delete), 0, "{subject:?} {}", told(&plan));
        let mut notes = plan.orphans.iter().chain(&plan.retained);
        assert!(
            notes.any(|note| note.text.contains("has the same stamp")),
            "{subject:?}"
        );
        let kept = kinds::find(subject.0).unwrap().loses().is_some();
        let before = case.everything().await;
        case.scene.converge(&case.documents, &prune(), 2).await;
        let gone = before.len() - case.everything().await.len();
        assert_eq!(gone, usize::from(!kept), "{subject:?}");
        let rest = case.plan(&prune()).await;
        assert!(rest.is_empty(), "{subject:?} {}", told(&rest));
    }
}

/// Where AWS renames nothing, what carries our stamp under a name that we never gave it is no object of ours under
/// another name, whether or not ours is there.
#[tokio::test(start_paused = true)]
async fn a_copy_stays_one_when_the_object_is_gone() {
    let mut tried = 0;
    for subject in SUBJECTS {
        let kind = kinds::find(subject.0).unwrap();
        if !kind.create_only().contains(&"/name") {
            continue;
        }
        tried += 1;
        let mut case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let original = case.objects().await.remove(0);
        let (stamp, declared) = (case.stamp(), case.subject.clone());
        case.subject.spec["name"] = json!(free_name(subject.0, "a-copy"));
        let copy = case.by_hand(&borrowed(&stamp.tags)).await;
        let aws = &case.scene.aws;
        kind.delete(aws, &original).await.unwrap();
        case.subject = declared;
        let plan = case.plan(&Wish::default()).await;
        let line = case.line(&plan).map(|change| change.action);
        assert_eq!(line, Some(Action::Create), "{subject:?} {}", told(&plan));
        assert_eq!(plan.count(Action::Delete), 0, "{subject:?} {}", told(&plan));
        case.scene
            .converge(&case.documents, &Wish::default(), 3)
            .await;
        let key = (subject.0.to_owned(), copy.id.0.clone());
        let after = case.everything().await;
        assert_eq!(after.get(&key), Some(&copy), "{subject:?}");
        assert!(case.plan(&Wish::default()).await.is_empty(), "{subject:?}");
    }
    assert!(tried > 5);
}

#[tokio::test(start_paused = true)]
async fn what_an_interrupted_replacement_left_goes_without_being_asked() {
    for subject in SUBJECTS {
        let mut case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let old = case.objects().await.remove(0);
        let kind = kinds::find(subject.0).unwrap();
        // People are never replaced, and all of these can be changed in place.
        let in_place = [
            "MaintenanceWindow",
            "Association",
            "AutomationRule",
            "ConfigurationPolicy",
        ];
        let in_place = in_place.contains(&subject.0);
        if kind.loses().is_some() || in_place {
            continue;
        }
        for document in &mut case.documents {
            if document.address == case.subject.address {
                if subject.0 == "PatchBaseline" {
                    document.spec["operatingSystem"] = json!("ORACLE_LINUX");
                    document.spec["approvalRules"] = json!([]);
                } else {
                    document.spec["name"] = json!(free_name(subject.0, "replaced"));
                }
                document.spec = kind.parse(&document.spec).unwrap();
                case.subject.spec = document.spec.clone();
            }
        }
        let plan = case.plan(&Wish::default()).await;
        let action = case.line(&plan).map(|change| change.action);
        assert_eq!(action, Some(Action::Replace), "{subject:?}");
        // The process dies between the creation of the new one and the deletion of the old one.
        let stamp = case.stamp();
        case.subject.spec = case.ready(&case.subject.spec);
        if let Some(spec) = case.subject.spec.as_object_mut() {
            spec.remove("patchGroups");
        }
        case.by_hand(&borrowed(&stamp.tags)).await;
        let plan = case.plan(&Wish::default()).await;
        let mut deleted = plan.changes.iter().filter(|c| c.action == Action::Delete);
        let change = deleted.next().unwrap();
        assert_eq!(change.live.as_ref().unwrap().id, old.id, "{subject:?}");
        let why = change.reason.as_deref();
        assert_eq!(why, Some("left over from an interrupted replacement"));
        case.scene
            .converge(&case.documents, &Wish::default(), 2)
            .await;
        case.holds().await;
    }
}

/// Returns the document of an example that the cases of a kind are about.
fn subject_of(kind: &str) -> Declared {
    let (_, name) = SUBJECTS.iter().find(|(k, _)| *k == kind).unwrap();
    let mut all = documents("kinds").into_iter();
    all.find(|d| d.address.kind == kind && d.address.name == *name)
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_object_that_a_list_names_twice_is_one_object() {
    for subject in SUBJECTS {
        let case = Case::new(*subject).await;
        case.run(&Wish::default()).await;
        let twice = Faults::parse("[{\"then\": \"repeatedItem\"}]").unwrap();
        case.scene.sandbox.set_faults(twice);
        let plan = case.plan(&prune()).await;
        assert!(plan.is_empty(), "{subject:?} {}", told(&plan));
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_without_its_channels_is_completed() {
    let case = Case::new(("Contact", "kayoko")).await;
    case.run(&Wish::default()).await;
    let live = case.objects().await.remove(0);
    let list = case.scene.aws.contacts.list_contact_channels();
    let channels = list
        .contact_id(&live.id.0)
        .send()
        .await
        .unwrap()
        .contact_channels;
    assert_eq!(channels.len(), 3);
    for channel in channels {
        let delete = case.scene.aws.contacts.delete_contact_channel();
        delete
            .contact_channel_id(channel.contact_channel_arn)
            .send()
            .await
            .unwrap();
    }
    case.completes(&live).await;
}

#[tokio::test(start_paused = true)]
async fn a_document_whose_newest_version_is_not_the_default_is_completed() {
    for subject in [
        ("Document", "banana-disk-usage"),
        ("Runbook", "banana-restart"),
    ] {
        let case = Case::new(subject).await;
        case.run(&Wish::default()).await;
        let update = case.scene.aws.ssm.update_document().name(subject.1);
        let text = case.subject.spec["content"]["$document"]["text"]
            .as_str()
            .unwrap();
        let text = text.replacen("escription: ", "escription: By hand. ", 1);
        let format = aws_sdk_ssm::types::DocumentFormat::Yaml;
        update
            .content(text)
            .document_format(format)
            .document_version("$LATEST")
            .send()
            .await
            .unwrap();
        let said = case.run(&Wish::default()).await;
        assert!(
            said.is_none_or(|(action, acts)| action == Action::Update && acts),
            "{said:?}"
        );
        case.holds().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_baseline_without_its_groups_is_completed() {
    let case = Case::new(("PatchBaseline", "linux-production")).await;
    case.run(&Wish::default()).await;
    let live = case.objects().await.remove(0);
    let request = case
        .scene
        .aws
        .ssm
        .deregister_patch_baseline_for_patch_group();
    request
        .baseline_id(&live.id.0)
        .patch_group("production")
        .send()
        .await
        .unwrap();
    case.completes(&live).await;
}

/// Takes one tag off the subject's object, by hand.
async fn strip(case: &Case, tag: &str) {
    let live = case.objects().await.remove(0);
    let aws = &case.scene.aws;
    match case.subject.address.kind.as_str() {
        "Document" | "Runbook" | "PatchBaseline" | "MaintenanceWindow" | "Association" => {
            let (kind, id) = systems(case, &live);
            let request = aws.ssm.remove_tags_from_resource().resource_type(kind);
            request.resource_id(id).tag_keys(tag).send().await.unwrap();
        }
        // Its stamp is in a parameter.
        "ServiceSetting" => {
            let name = format!("/stationbill/claims{}", live.name);
            let mut tags = live.tags.clone();
            tags.remove(tag);
            let value = serde_json::to_string(&tags).unwrap();
            let request = aws.ssm.put_parameter().name(name).value(value);
            request.overwrite(true).send().await.unwrap();
        }
        "AutomationRule" | "ConfigurationPolicy" => {
            let request = aws.securityhub.untag_resource().resource_arn(&live.id.0);
            request.tag_keys(tag).send().await.unwrap();
        }
        "ResponsePlan" => {
            let request = aws.incidents.untag_resource().resource_arn(&live.id.0);
            request.tag_keys(tag).send().await.unwrap();
        }
        "Dashboard" | "Alarm" => {
            let request = aws.cloudwatch.untag_resource().resource_arn(&live.id.0);
            request.tag_keys(tag).send().await.unwrap();
        }
        _ => {
            let request = aws.contacts.untag_resource().resource_arn(&live.id.0);
            request.tag_keys(tag).send().await.unwrap();
        }
    }
}

fn systems(
    case: &Case,
    live: &Live<Value>,
) -> (aws_sdk_ssm::types::ResourceTypeForTagging, String) {
    use aws_sdk_ssm::types::ResourceTypeForTagging as Type;
    match case.subject.address.kind.as_str() {
        "PatchBaseline" => (Type::PatchBaseline, live.id.0.clone()),
        "MaintenanceWindow" => (Type::MaintenanceWindow, live.id.0.clone()),
        "Association" => (Type::Association, live.id.0.clone()),
        _ => (Type::Document, live.name.clone()),
    }
}

/// Writes one tag of an object by hand, through the kind itself.
async fn forge(case: &Case, live: &Live<Value>, tag: &str, value: &str) {
    let mut tags = case.stamp().tags;
    tags.insert(tag.to_owned(), value.to_owned());
    let stamp = Stamp {
        tags,
        token: "forged".to_owned(),
    };
    let kind = kinds::find(&case.subject.address.kind).unwrap();
    kind.update(&case.scene.aws, &live.spec, live, &stamp)
        .await
        .unwrap();
}
