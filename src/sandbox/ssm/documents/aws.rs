//! The documents that AWS owns: enough of them to plan and to run against, in words of our own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Document, Version, derive};

/// When AWS's documents were made: a constant, so that answers do not depend on when the simulator was built.
const CREATED: f64 = 1_614_556_800.0;

/// Name, type, target type, format and text of each document.
const SOURCES: [(&str, &str, Option<&str>, &str, &str); 8] = [
    (
        "AWS-GatherSoftwareInventory",
        "Policy",
        None,
        "JSON",
        include_str!("aws/gather-software-inventory.json"),
    ),
    (
        "AWS-RestartEC2Instance",
        "Automation",
        Some("/AWS::EC2::Instance"),
        "JSON",
        include_str!("aws/restart-ec2-instance.json"),
    ),
    (
        "AWS-RunPatchBaseline",
        "Command",
        None,
        "JSON",
        include_str!("aws/run-patch-baseline.json"),
    ),
    (
        "AWS-RunPowerShellScript",
        "Command",
        None,
        "JSON",
        include_str!("aws/run-powershell-script.json"),
    ),
    (
        "AWS-RunShellScript",
        "Command",
        None,
        "JSON",
        include_str!("aws/run-shell-script.json"),
    ),
    (
        "AWS-UpdateSSMAgent",
        "Command",
        None,
        "JSON",
        include_str!("aws/update-ssm-agent.json"),
    ),
    (
        "AWSIncidents-CriticalIncidentRunbookTemplate",
        "Automation",
        None,
        "YAML",
        include_str!("aws/critical-incident-runbook-template.yaml"),
    ),
    (
        "AWSIncidents-PostIncidentAnalysisTemplate",
        "ProblemAnalysisTemplate",
        None,
        "JSON",
        include_str!("aws/post-incident-analysis-template.json"),
    ),
];

/// Returns AWS's documents by name; they are the same in every account and region.
pub(super) fn documents() -> &'static BTreeMap<String, Document> {
    static DOCUMENTS: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
        SOURCES
            .into_iter()
            .map(|(name, kind, target, format, content)| {
                (
                    name.to_owned(),
                    document(name, kind, target, format, content),
                )
            })
            .collect()
    });
    &DOCUMENTS
}

fn document(name: &str, kind: &str, target: Option<&str>, format: &str, content: &str) -> Document {
    let version = Version {
        number: 1,
        content: content.to_owned(),
        format: format.to_owned(),
        named: None,
        display_name: None,
        target_type: target.map(str::to_owned),
        attachments: Vec::new(),
        created: CREATED,
        author: "Amazon".to_owned(),
        derived: derive::derive(kind, format, content).unwrap_or_default(),
        settling: None,
        review: None,
    };
    Document {
        name: name.to_owned(),
        kind: kind.to_owned(),
        requires: None,
        default: 1,
        last: 1,
        versions: BTreeMap::from([(1, version)]),
        shares: BTreeMap::new(),
    }
}
