//! The kinds of Systems Manager, the replication set and response plans, against the simulated AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use stationbill::aws::{Aws, Connector, connect};
use stationbill::engine::{self, Breadth, Ending, Outcome, Patience, World};
use stationbill::kinds::{self, KINDS};
use stationbill::model::Address;
use stationbill::model::plan::{Action, Desired, Note, Object, Observed, Plan, Wish, plan};
use stationbill::model::spec::Identity;
use stationbill::model::substitute::{Variables, substitute};
use stationbill::sandbox::{Enforce, Faults, Options, Sandbox};

struct Scene {
    aws: Aws,
    world: World,
}

impl Scene {
    async fn new() -> Self {
        Self::with(None).await
    }

    async fn with(faults: Option<Faults>) -> Self {
        let options = Options {
            quotas: Enforce::Off,
            faults,
            settings: crate::support::administering(),
            exchanges: Some(crate::support::exchanges()),
            ..Options::default()
        };
        let connector = Connector {
            sandbox: Some(Sandbox::open(options).unwrap()),
            ..Connector::default()
        };
        let aws = connect(&connector).await.unwrap().aws;
        let world = World {
            places: BTreeMap::from([(aws.location.clone(), aws.clone())]),
            kinds: KINDS,
            patience: Patience {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(4),
                limit: Duration::from_secs(5),
            },
        };
        Self { aws, world }
    }

    fn objects(&self, yaml: &str) -> Vec<Object> {
        let location = &self.aws.location;
        let variables = Variables {
            location: location.clone(),
            target: "here".to_owned(),
            vars: BTreeMap::new(),
        };
        let documents = serde_yaml::Deserializer::from_str(yaml);
        documents
            .map(|document| {
                let mut document: Value = serde::Deserialize::deserialize(document).unwrap();
                let kind = document["kind"].as_str().unwrap().to_owned();
                let name = document["metadata"]["name"].as_str().unwrap().to_owned();
                let spec = document["spec"].as_object_mut().unwrap();
                let lifecycle = spec
                    .remove("lifecycle")
                    .map(|l| serde_json::from_value(l).unwrap());
                if kinds::find(&kind).unwrap().identity() != Identity::Singleton {
                    spec.entry("name").or_insert(json!(name));
                }
                let spec = substitute(document["spec"].take(), &variables).unwrap();
                Object {
                    spec: kinds::find(&kind).unwrap().parse(&spec).unwrap().into(),
                    address: Address::new(kind, name),
                    location: location.clone(),
                    lifecycle: lifecycle.unwrap_or_default(),
                    problem: None,
                }
            })
            .collect()
    }

    fn desired(&self, yaml: &[&str]) -> Desired {
        Desired {
            homes: BTreeMap::new(),
            left_out: std::collections::BTreeSet::new(),
            kinds: None,
            stack: "test".to_owned(),
            objects: yaml.iter().flat_map(|yaml| self.objects(yaml)).collect(),
        }
    }

    async fn observe(&self, desired: &Desired, breadth: Breadth) -> Observed {
        engine::observe(&self.world, desired, breadth, &|_| {}).await
    }

    async fn plan(&self, yaml: &[&str], wish: &Wish) -> Plan {
        let desired = self.desired(yaml);
        let observed = self.observe(&desired, Breadth::Owned).await;
        plan(&desired, &observed, &kinds::specs(), wish)
    }

    async fn run(&self, yaml: &[&str], wish: &Wish) -> (Plan, Outcome) {
        let plan = self.plan(yaml, wish).await;
        let cancel = tokio_util::sync::CancellationToken::new();
        let outcome = engine::apply(&plan, &self.world, &|_| {}, &cancel).await;
        (plan, outcome)
    }

    /// Applies, and checks that everything took and that nothing is left to do.
    async fn apply(&self, yaml: &[&str]) -> Vec<(String, Action)> {
        let (plan, outcome) = self.run(yaml, &Wish::default()).await;
        for (change, ending) in plan.changes.iter().zip(&outcome.endings) {
            assert_eq!(
                ending,
                &Some(Ending::Done),
                "{} {:?}",
                change.address,
                change.reason
            );
        }
        let again = self.plan(yaml, &Wish::default()).await;
        let left = again
            .changes
            .iter()
            .map(|c| (c.address.to_string(), c.differences.clone()));
        assert_eq!(left.collect::<Vec<_>>(), [], "apply, then plan is empty");
        let notes = again
            .notes
            .iter()
            // Channels wait for their owners, and associations for nodes, of which there are none.
            .filter(|note| !["Contact", "Association"].contains(&note.address.kind.as_str()));
        assert_eq!(notes.collect::<Vec<_>>(), [] as [&Note; 0]);
        let changes = plan.changes.iter();
        changes
            .map(|change| (change.address.to_string(), change.action))
            .collect()
    }
}

macro_rules! example {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/kinds/",
            $name,
            ".yaml"
        ))
    };
}

const ALL: &[&str] = &[
    example!("alarm"),
    example!("association"),
    example!("automation-rule"),
    example!("configuration-policy"),
    example!("contact"),
    example!("dashboard"),
    example!("document"),
    example!("escalation-plan"),
    example!("finding-aggregator"),
    example!("maintenance-window"),
    example!("on-call-schedule"),
    example!("organization-configuration"),
    example!("patch-baseline"),
    example!("replication-set"),
    example!("response-plan"),
    example!("rotation"),
    example!("runbook"),
    example!("security-hub"),
    example!("service-setting"),
];

fn differences(plan: &Plan) -> Vec<(Action, Vec<&str>)> {
    let of = |change: &'_ stationbill::model::plan::Change| change.action;
    plan.changes
        .iter()
        .map(|c| {
            (
                of(c),
                c.differences.iter().map(|d| d.path.as_str()).collect(),
            )
        })
        .collect()
}

#[test]
fn every_example_is_valid_and_there_is_one_for_each_kind() {
    let mut seen = BTreeSet::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let scene = runtime.block_on(Scene::new());
    for object in scene.desired(ALL).objects {
        let mut report = stationbill::model::Report::default();
        kinds::find(&object.address.kind)
            .unwrap()
            .validate(&object.spec, &mut report);
        assert_eq!(report.diagnostics, [], "{}", object.address);
        seen.insert(object.address.kind);
    }
    let kinds: BTreeSet<_> = KINDS.iter().map(|kind| kind.kind().to_owned()).collect();
    assert_eq!(seen, kinds);
}

#[tokio::test]
async fn all_examples_are_applied_at_once_and_destroyed() {
    let scene = Scene::new().await;
    let created = scene.apply(ALL).await;
    assert!(
        created.iter().all(|(_, action)| *action == Action::Create),
        "{created:?}"
    );
    let wish = Wish {
        destroy: true,
        ..Wish::default()
    };
    let (plan, outcome) = scene.run(&[], &wish).await;
    let failed: Vec<_> = outcome
        .endings
        .iter()
        .flatten()
        .filter(|e| **e != Ending::Done)
        .collect();
    assert_eq!(failed, [] as [&Ending; 0]);
    let kept: BTreeSet<_> = plan
        .retained
        .iter()
        .map(|note| note.address.to_string())
        .collect();
    assert!(kept.contains("ReplicationSet/incidents"), "{kept:?}");
    // The same documents make the same idempotency tokens.
    scene.apply(ALL).await;
}

#[tokio::test]
async fn every_write_may_lose_its_first_answer() {
    const WRITES: [&str; 37] = [
        "CreateDocument",
        "UpdateDocument",
        "UpdateDocumentDefaultVersion",
        "ModifyDocumentPermission",
        "DeleteDocument",
        "CreatePatchBaseline",
        "UpdatePatchBaseline",
        "RegisterPatchBaselineForPatchGroup",
        "RegisterDefaultPatchBaseline",
        "DeletePatchBaseline",
        "CreateMaintenanceWindow",
        "UpdateMaintenanceWindow",
        "DeleteMaintenanceWindow",
        "RegisterTargetWithMaintenanceWindow",
        "UpdateMaintenanceWindowTarget",
        "RegisterTaskWithMaintenanceWindow",
        "UpdateMaintenanceWindowTask",
        "DeregisterTaskFromMaintenanceWindow",
        "CreateAssociation",
        "UpdateAssociation",
        "DeleteAssociation",
        "CreateAutomationRule",
        "BatchUpdateAutomationRules",
        "BatchDeleteAutomationRules",
        "CreateFindingAggregator",
        "UpdateFindingAggregator",
        "DeleteFindingAggregator",
        "UpdateOrganizationConfiguration",
        "CreateConfigurationPolicy",
        "UpdateConfigurationPolicy",
        "DeleteConfigurationPolicy",
        "StartConfigurationPolicyAssociation",
        "StartConfigurationPolicyDisassociation",
        "CreateReplicationSet",
        "CreateResponsePlan",
        "UpdateResponsePlan",
        "DeleteResponsePlan",
    ];
    let rules = WRITES.map(|write| {
        format!(
            "- {{ match: {{ operation: {write} }}, when: {{ first: 1 }}, then: disconnectAfter }}"
        )
    });
    let scene = Scene::with(Some(Faults::parse(&rules.join("\n")).unwrap())).await;
    scene.apply(ALL).await;
    let changed = ALL.iter().map(|yaml| {
        yaml.replace("description: ", "description: Now it ")
            .replace("impact: 2", "impact: 3")
            .replace("SPECIFIED_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED")
    });
    let changed: Vec<String> = changed.collect();
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    assert!(scene.apply(&changed).await.len() >= 5);
    let wish = Wish {
        destroy: true,
        ..Wish::default()
    };
    let (_, outcome) = scene.run(&[], &wish).await;
    assert_eq!((outcome.failed(), outcome.skipped()), (0, 0), "{outcome:?}");
}

const RUNBOOK: &str = "
kind: Runbook
metadata: { name: restart }
spec:
  content: |
    # kept
    schemaVersion: '0.3'
    description: one
    mainSteps:
      - { name: wait, action: 'aws:sleep', inputs: { Duration: PT1S } }
";

async fn described(aws: &Aws, name: &str) -> (String, String, Option<String>) {
    let answer = aws.ssm.describe_document().name(name).send().await.unwrap();
    let document = answer.document.unwrap();
    (
        document.latest_version.unwrap(),
        document.default_version.unwrap(),
        document.version_name,
    )
}

#[tokio::test]
async fn a_changed_runbook_becomes_the_default_version() {
    let scene = Scene::new().await;
    scene.apply(&[RUNBOOK]).await;
    let changed = RUNBOOK.replace("description: one", "description: two");
    assert_eq!(
        differences(&scene.plan(&[&changed], &Wish::default()).await),
        [(Action::Update, vec!["/content"])]
    );
    scene.apply(&[&changed]).await;
    assert_eq!(
        described(&scene.aws, "restart").await,
        ("2".into(), "2".into(), None)
    );

    // Written differently it means the same, and nothing happens.
    let reformatted = changed.replace("# kept", "# other words");
    assert_eq!(scene.apply(&[&reformatted]).await, []);

    // Back to what an older version has: AWS takes a content once, so the default goes back.
    scene.apply(&[RUNBOOK]).await;
    let content = scene
        .aws
        .ssm
        .get_document()
        .name("restart")
        .document_format("YAML".into());
    let content = content.send().await.unwrap().content.unwrap();
    assert!(
        content.contains("description: one") && content.starts_with("# kept"),
        "{content}"
    );
}

#[tokio::test]
async fn settings_of_a_version_are_changed_by_a_new_version() {
    let scene = Scene::new().await;
    scene.apply(&[RUNBOOK]).await;
    let typed = format!("{RUNBOOK}  targetType: /AWS::EC2::Instance\n");
    scene.apply(&[&typed]).await;
    let named = format!("{}  versionName: two\n", typed.replace("one", "two"));
    scene.apply(&[&named]).await;
    assert_eq!(
        described(&scene.aws, "restart").await.2.as_deref(),
        Some("two")
    );
    // A version cannot be renamed.
    let renamed = named.replace("versionName: two", "versionName: three");
    let plan = scene.plan(&[&renamed], &Wish::default()).await;
    assert_eq!(plan.changes[0].action, Action::Blocked);
    // Left out, the name of the version stays; with a new content it goes.
    assert_eq!(scene.apply(&[&typed.replace("one", "two")]).await, []);
    scene.apply(&[&typed.replace("one", "three")]).await;
    assert_eq!(described(&scene.aws, "restart").await.2, None);
}

#[tokio::test]
async fn an_interrupted_update_is_finished_by_the_next_run() {
    let scene = Scene::new().await;
    scene.apply(&[RUNBOOK]).await;
    let changed = RUNBOOK.replace("description: one", "description: two");
    let content =
        scene.desired(&[&changed]).objects[0].spec["content"]["$document"]["text"].clone();
    let request = scene
        .aws
        .ssm
        .update_document()
        .name("restart")
        .document_version("$LATEST");
    let request = request
        .content(content.as_str().unwrap())
        .document_format("YAML".into());
    request.send().await.unwrap();
    let plan = scene.plan(&[RUNBOOK], &Wish::default()).await;
    assert_eq!(plan.changes, [], "the default is still as declared");
    assert_eq!(
        plan.notes[0].text,
        "version 2 is newer than the default version 1"
    );
    scene.apply(&[&changed]).await;
    assert_eq!(
        described(&scene.aws, "restart").await,
        ("2".into(), "2".into(), None)
    );
}

const COMMAND: &str = "
kind: Document
metadata: { name: usage }
spec:
  documentType: Command
  content: { schemaVersion: '2.2', mainSteps: [{ name: x, action: 'aws:runShellScript', inputs: { runCommand: [df] } }] }
";

#[tokio::test]
async fn a_document_is_shared_and_unshared_and_deleted() {
    let scene = Scene::new().await;
    let accounts: Vec<String> = (0..45)
        .map(|n| format!("'{:012}'", 100_000_000_000_u64 + n))
        .collect();
    let shared = format!(
        "{COMMAND}  sharing: {{ accounts: [{}], version: $LATEST }}\n",
        accounts.join(", ")
    );
    scene.apply(&[&shared]).await;
    let fewer = format!(
        "{COMMAND}  sharing: {{ accounts: [{}], version: $DEFAULT }}\n",
        accounts[..3].join(", ")
    );
    assert_eq!(
        differences(&scene.plan(&[&fewer], &Wish::default()).await)[0]
            .1
            .len(),
        45 - 3 + 1
    );
    scene.apply(&[&fewer]).await;
    scene
        .apply(&[&format!("{COMMAND}  sharing: {{ public: true }}\n")])
        .await;
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let (_, outcome) = scene.run(&[], &prune).await;
    assert_eq!(outcome.endings, [Some(Ending::Done)]);
}

#[tokio::test]
async fn preferences_that_the_console_saved_are_adopted() {
    let scene = Scene::new().await;
    let saved = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {
        "s3BucketName": "", "s3EncryptionEnabled": true, "cloudWatchLogGroupName": "", "cloudWatchEncryptionEnabled": true,
        "cloudWatchStreamingEnabled": true, "runAsEnabled": false}});
    let request = scene
        .aws
        .ssm
        .create_document()
        .name("SSM-SessionManagerRunShell");
    let request = request
        .document_type("Session".into())
        .content(saved.to_string());
    request.send().await.unwrap();
    let done = scene.apply(&[example!("document")]).await;
    assert_eq!(
        done[1],
        ("Document/session-preferences".to_owned(), Action::Adopt)
    );
}

#[tokio::test]
async fn a_change_template_is_a_document_and_no_runbook() {
    let scene = Scene::new().await;
    let template = "
kind: Document
metadata: { name: change }
spec:
  documentType: Automation.ChangeTemplate
  content:
    schemaVersion: '0.3'
    templateInformation: What it is for
    emergencyChange: false
    autoApprovable: false
    executableRunBooks: [{ name: AWS-HelloWorld, version: '1' }]
    mainSteps:
      - name: approve
        action: 'aws:approve'
        timeoutSeconds: 3600
        inputs:
          Message: please
          EnhancedApprovals: { Approvers: [{ approver: lead, type: IamRole, minRequiredApprovals: 1 }] }
";
    scene.apply(&[template, RUNBOOK]).await;
    let everything = scene
        .observe(&Desired::default(), Breadth::Everything)
        .await;
    let kinds = &everything.0[&scene.aws.location];
    let names = |kind: &str| -> Vec<String> {
        kinds[kind]
            .as_ref()
            .unwrap()
            .iter()
            .map(|live| live.name.clone())
            .collect()
    };
    assert_eq!(
        (names("Document"), names("Runbook")),
        (vec!["change".into()], vec!["restart".into()])
    );
}

const BASELINE: &str = "
kind: PatchBaseline
metadata: { name: linux }
spec:
  operatingSystem: AMAZON_LINUX_2023
  description: one
  approvalRules: [{ approveAfterDays: 0 }, { approveUntilDate: '2026-01-31', complianceLevel: HIGH }]
  approvedPatches: [b, a]
  patchGroups: [one, two]
  default: true
";

#[tokio::test]
async fn a_baseline_is_written_whole_and_gives_its_default_back() {
    let scene = Scene::new().await;
    scene.apply(&[BASELINE]).await;
    // Everything that is left out is cleared; the description is left alone unless it is cleared by "".
    let bare = "
kind: PatchBaseline
metadata: { name: linux }
spec: { name: renamed, operatingSystem: AMAZON_LINUX_2023, description: '', patchGroups: [two, three] }
";
    scene.apply(&[bare]).await;
    let everything = scene
        .observe(&Desired::default(), Breadth::Everything)
        .await;
    let live = everything.0[&scene.aws.location]["PatchBaseline"]
        .as_ref()
        .unwrap()
        .clone();
    assert_eq!(live.len(), 1);
    assert_eq!(
        live[0].spec.get("patchGroups"),
        Some(&json!(["three", "two"]))
    );
    assert_eq!(live[0].spec.get("approvalRules"), None);
    assert_eq!(live[0].spec.get("description"), None);
    let request = scene.aws.ssm.get_default_patch_baseline();
    let request = request.operating_system("AMAZON_LINUX_2023".into());
    let default = request.send().await.unwrap().baseline_id.unwrap();
    assert!(default.starts_with("arn:"), "{default}");
}

#[tokio::test]
async fn a_group_stays_with_its_baseline_and_a_default_can_be_deleted() {
    let scene = Scene::new().await;
    scene.apply(&[BASELINE]).await;
    let thief = BASELINE
        .replace("linux", "thief")
        .replace("default: true", "default: false");
    let (_, outcome) = scene.run(&[BASELINE, &thief], &Wish::default()).await;
    assert!(
        matches!(&outcome.endings[0], Some(Ending::Failed(why)) if why.contains("AlreadyExists")),
        "{outcome:?}"
    );
    let other = BASELINE.replace("AMAZON_LINUX_2023", "ROCKY_LINUX");
    let plan = scene.plan(&[&other], &Wish::default()).await;
    assert_eq!(plan.changes[0].action, Action::Replace);
    let prune = Wish {
        prune: true,
        ..Wish::default()
    };
    let (_, outcome) = scene.run(&[], &prune).await;
    assert_eq!(outcome.endings, [Some(Ending::Done), Some(Ending::Done)]);
}

#[tokio::test]
async fn a_default_is_handed_over_in_one_run() {
    for names in [["a-first", "b-second"], ["b-second", "a-first"]] {
        let scene = Scene::new().await;
        let baseline = |name: &str, default: bool| {
            format!(
                "{{ kind: PatchBaseline, metadata: {{ name: {name} }}, spec: {{ default: {default} }} }}"
            )
        };
        scene
            .apply(&[&baseline(names[0], true), &baseline(names[1], false)])
            .await;
        scene
            .apply(&[&baseline(names[0], false), &baseline(names[1], true)])
            .await;
        // A new one takes over, and the old one goes.
        let wish = Wish {
            prune: true,
            ..Wish::default()
        };
        let third = baseline("third", true);
        let (_, outcome) = scene.run(&[&third], &wish).await;
        assert_eq!(outcome.failed(), 0, "{outcome:?}");
        assert_eq!(scene.plan(&[&third], &wish).await.changes, []);
    }
}

#[tokio::test]
async fn a_group_moves_in_one_run() {
    for names in [["a-first", "b-second"], ["b-second", "a-first"]] {
        let scene = Scene::new().await;
        let baseline = |name: &str, groups: &str| {
            format!(
                "{{ kind: PatchBaseline, metadata: {{ name: {name} }}, spec: {{ patchGroups: [{groups}] }} }}"
            )
        };
        scene
            .apply(&[&baseline(names[0], "moving"), &baseline(names[1], "")])
            .await;
        scene
            .apply(&[&baseline(names[0], ""), &baseline(names[1], "moving")])
            .await;
    }
}

fn regions(names: &[&str]) -> String {
    format!(
        "{{ kind: ReplicationSet, metadata: {{ name: set }}, spec: {{ regions: [{}], deletionProtected: true }} }}",
        names
            .iter()
            .map(|name| format!("{{ name: {name} }}"))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

#[tokio::test]
async fn regions_change_one_at_a_time_and_the_own_one_stays() {
    let scene = Scene::new().await;
    scene
        .apply(&[&regions(&["ap-northeast-1", "eu-west-1"])])
        .await;
    scene
        .apply(&[&regions(&["us-east-1", "eu-north-1", "ap-northeast-1"])])
        .await;
    let plan = scene
        .plan(&[&regions(&["us-east-1"])], &Wish::default())
        .await;
    let reason = plan.changes[0].reason.clone().unwrap_or_default();
    assert_eq!(plan.changes[0].action, Action::Blocked);
    assert!(reason.contains("this run is in"), "{reason}");
    let keyed = "{ kind: ReplicationSet, metadata: { name: set }, spec: { regions: [{ name: ap-northeast-1, \
                 sseKmsKeyId: 'arn:aws:kms:ap-northeast-1:111122223333:key/1' }] } }";
    let plan = scene.plan(&[keyed], &Wish::default()).await;
    assert_eq!(plan.changes[0].action, Action::Blocked);
}

#[tokio::test]
async fn a_response_plan_is_cleared_member_by_member() {
    let scene = Scene::new().await;
    let set = regions(&["ap-northeast-1"]);
    let full = "
kind: ResponsePlan
metadata: { name: plan }
spec:
  displayName: Plan
  incidentTemplate:
    title: t
    impact: 1
    summary: s
    dedupeString: d
    notificationTargets: ['arn:aws:sns:ap-northeast-1:111122223333:topic']
    incidentTags: { a: b }
  engagements:
    - contact: { arn: 'arn:aws:ssm-contacts:ap-northeast-1:444455556666:contact/foreign' }
    - escalationPlan: { arn: 'arn:aws:ssm-contacts:ap-northeast-1:444455556666:contact/other' }
  chatbotSns: ['arn:aws:sns:ap-northeast-1:111122223333:topic']
  runbook:
    document: { arn: 'arn:aws:ssm:ap-northeast-1:111122223333:document/not-ours' }
    documentVersion: '3'
    roleArn: arn:aws:iam::111122223333:role/r
    targetAccount: IMPACTED_ACCOUNT
    parameters: { a: [x, y], b: [] }
    dynamicParameters: { c: INVOLVED_RESOURCES }
  tags: { x: '' }
";
    scene.apply(&[&set, full]).await;
    let kept = "{ kind: ResponsePlan, metadata: { name: plan }, spec: { incidentTemplate: { title: t, impact: 2 } } }";
    scene.apply(&[&set, kept]).await;
    let answer = scene.aws.incidents.get_response_plan();
    let answer = answer
        .arn("arn:aws:ssm-incidents::111122223333:response-plan/plan")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.display_name.as_deref(), Some("Plan"));
    assert!(answer.engagements.unwrap_or_default().is_empty());
    assert!(answer.actions.unwrap_or_default().is_empty());
    let cleared = kept.replace(
        "incidentTemplate: { title: t, impact: 2 }",
        "displayName: '', incidentTemplate: { title: t, impact: 2, summary: '', dedupeString: '' }, tags: { y: z }",
    );
    assert_eq!(
        differences(&scene.plan(&[&set, &cleared], &Wish::default()).await),
        [(
            Action::Update,
            vec![
                "/displayName",
                "/incidentTemplate/dedupeString",
                "/incidentTemplate/summary",
                "/tags"
            ]
        )]
    );
    scene.apply(&[&set, &cleared]).await;
}
