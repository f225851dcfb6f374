//! The patch baselines that AWS owns: one for each operating system, and two more for Windows.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::paging::hex;
use super::super::{arn_in, members};
use super::{Baseline, rules};

/// When AWS's baselines were made: a constant, so that answers do not change.
const CREATED: f64 = 1_480_550_400.0;

/// One rule: days, filters, and whether it takes what is not about security too.
type Rule = (
    i64,
    &'static [(&'static str, &'static [&'static str])],
    bool,
);

struct Source {
    name: &'static str,
    system: &'static str,
    description: &'static str,
    rules: &'static [Rule],
}

const ALL: (&str, &[&str]) = ("PRODUCT", &["*"]);

/// Security updates of the two highest severities, and every bug fix.
const SECURITY_AND_BUGFIX: &[Rule] = &[
    (
        7,
        &[
            ALL,
            ("CLASSIFICATION", &["Security"]),
            ("SEVERITY", &["Critical", "Important"]),
        ],
        false,
    ),
    (7, &[ALL, ("CLASSIFICATION", &["Bugfix"])], false),
];

const WINDOWS_SYSTEM: Rule = (
    7,
    &[
        ("PATCH_SET", &["OS"]),
        ALL,
        ("CLASSIFICATION", &["CriticalUpdates", "SecurityUpdates"]),
        ("MSRC_SEVERITY", &["Critical", "Important"]),
    ],
    false,
);

const DEBIAN: &[Rule] = &[(
    0,
    &[
        ALL,
        ("SECTION", &["*"]),
        (
            "PRIORITY",
            &["Required", "Important", "Standard", "Optional", "Extra"],
        ),
    ],
    false,
)];

const SOURCES: &[Source] = &[
    linux(
        "AWS-AlmaLinuxDefaultPatchBaseline",
        "ALMA_LINUX",
        SECURITY_AND_BUGFIX,
    ),
    linux(
        "AWS-AmazonLinuxDefaultPatchBaseline",
        "AMAZON_LINUX",
        SECURITY_AND_BUGFIX,
    ),
    linux(
        "AWS-AmazonLinux2DefaultPatchBaseline",
        "AMAZON_LINUX_2",
        SECURITY_AND_BUGFIX,
    ),
    linux(
        "AWS-AmazonLinux2022DefaultPatchBaseline",
        "AMAZON_LINUX_2022",
        SECURITY_AND_BUGFIX,
    ),
    linux(
        "AWS-AmazonLinux2023DefaultPatchBaseline",
        "AMAZON_LINUX_2023",
        SECURITY_AND_BUGFIX,
    ),
    linux(
        "AWS-CentOSDefaultPatchBaseline",
        "CENTOS",
        &[(7, &[ALL], true)],
    ),
    linux("AWS-DebianDefaultPatchBaseline", "DEBIAN", DEBIAN),
    linux("AWS-DefaultRaspbianPatchBaseline", "RASPBIAN", DEBIAN),
    linux(
        "AWS-MacOSDefaultPatchBaseline",
        "MACOS",
        &[(0, &[ALL, ("CLASSIFICATION", &["*"])], false)],
    ),
    linux(
        "AWS-OracleLinuxDefaultPatchBaseline",
        "ORACLE_LINUX",
        &[
            (
                7,
                &[
                    ALL,
                    ("CLASSIFICATION", &["Security"]),
                    ("SEVERITY", &["Important", "Moderate"]),
                ],
                false,
            ),
            (7, &[ALL, ("CLASSIFICATION", &["Bugfix"])], false),
        ],
    ),
    linux(
        "AWS-RedHatDefaultPatchBaseline",
        "REDHAT_ENTERPRISE_LINUX",
        SECURITY_AND_BUGFIX,
    ),
    linux(
        "AWS-RockyLinuxDefaultPatchBaseline",
        "ROCKY_LINUX",
        SECURITY_AND_BUGFIX,
    ),
    linux(
        "AWS-SuseDefaultPatchBaseline",
        "SUSE",
        &[(
            7,
            &[
                ALL,
                ("CLASSIFICATION", &["Security"]),
                ("SEVERITY", &["Critical", "Important"]),
            ],
            false,
        )],
    ),
    linux("AWS-UbuntuDefaultPatchBaseline", "UBUNTU", DEBIAN),
    Source {
        name: "AWS-DefaultPatchBaseline",
        system: "WINDOWS",
        description: "Default Patch Baseline Provided by AWS.",
        rules: &[WINDOWS_SYSTEM],
    },
    Source {
        name: "AWS-WindowsPredefinedPatchBaseline-OS",
        system: "WINDOWS",
        description: "AWS predefined patch baseline for Windows operating system updates.",
        rules: &[WINDOWS_SYSTEM],
    },
    Source {
        name: "AWS-WindowsPredefinedPatchBaseline-OS-Applications",
        system: "WINDOWS",
        description: "AWS predefined patch baseline for Windows operating system and Microsoft application updates.",
        rules: &[
            WINDOWS_SYSTEM,
            (7, &[("PATCH_SET", &["APPLICATION"]), ALL], false),
        ],
    },
];

const fn linux(name: &'static str, system: &'static str, rules: &'static [Rule]) -> Source {
    Source {
        name,
        system,
        description: "Default Patch Baseline Provided by AWS.",
        rules,
    }
}

/// Returns AWS's baselines in a region; their ids are ARNs of an account of AWS's.
pub(super) fn baselines(region: &str) -> Vec<Baseline> {
    SOURCES
        .iter()
        .map(|source| baseline(region, source))
        .collect()
}

/// Returns the ARN of the baseline that is the default until another is registered.
///
/// Windows has three, and the other two are not named `AWS-…PatchBaseline`.
pub(super) fn default_of(region: &str, system: &str) -> Option<String> {
    SOURCES
        .iter()
        .find(|source| source.system == system && source.name.ends_with("PatchBaseline"))
        .map(|source| id(region, source.name))
}

fn baseline(region: &str, source: &Source) -> Baseline {
    let mut fields = rules::defaults();
    let rules: Vec<Value> = source.rules.iter().map(rule).collect();
    fields.extend(members(json!({
        "Name": source.name,
        "Description": source.description,
        "ApprovalRules": { "PatchRules": rules },
    })));
    Baseline {
        id: id(region, source.name),
        system: source.system.to_owned(),
        fields,
        created: CREATED,
        modified: CREATED,
    }
}

fn rule((days, filters, non_security): &Rule) -> Value {
    let filters: Vec<Value> = filters
        .iter()
        .map(|(key, values)| json!({ "Key": key, "Values": values }))
        .collect();
    json!({
        "PatchFilterGroup": { "PatchFilters": filters },
        "ComplianceLevel": "UNSPECIFIED",
        "ApproveAfterDays": days,
        "EnableNonSecurity": non_security,
    })
}

/// Makes the ARN of one of AWS's baselines: account and id differ from region to region.
fn id(region: &str, name: &str) -> String {
    // The account and the two ids that the API's documentation shows for us-east-2 are kept.
    let account = match region {
        "us-east-2" => "733109147000".to_owned(),
        _ => account(region),
    };
    let id = match (region, name) {
        ("us-east-2", "AWS-AmazonLinuxDefaultPatchBaseline") => "0e392de35e7c563b7".to_owned(),
        ("us-east-2", "AWS-CentOSDefaultPatchBaseline") => "0574b43a65ea646ed".to_owned(),
        _ => format!(
            "0{}",
            hex(&Sha256::digest(format!("{region}\n{name}"))[..8])
        ),
    };
    arn_in(region, &account, &format!("patchbaseline/pb-{id}"))
}

fn account(region: &str) -> String {
    let digest = Sha256::digest(region.as_bytes());
    let number = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:012}", 100_000_000_000 + number % 900_000_000_000)
}
