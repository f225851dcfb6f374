//! What a patch baseline is made of.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Approves patches, some time after they appear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalRule {
    /// The patches that it is about: those that fit every filter.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = 4))]
    pub patch_filters: BTreeSet<PatchFilter>,
    /// How bad it is when one of them is missing.
    #[serde(default)]
    pub compliance_level: ComplianceLevel,
    /// How many days after its release a patch is approved. This or `approveUntilDate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 360))]
    pub approve_after_days: Option<i32>,
    /// The last day (`YYYY-MM-DD`) whose patches are approved. This or `approveAfterDays`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub approve_until_date: Option<String>,
    /// Whether patches that are not about security count too; Linux only.
    #[serde(default)]
    pub enable_non_security: bool,
}

/// Chooses patches by one property.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchFilter {
    /// The property.
    pub key: FilterKey,
    /// What it may be; `*` is anything.
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 64)))]
    pub values: BTreeSet<String>,
}

/// A repository of patches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// A name for it.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.]{3,50}$"))]
    pub name: String,
    /// The versions of the operating system that it is for, for instance `AmazonLinux2023`.
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 128)))]
    pub products: BTreeSet<String>,
    /// What stands in the repository's configuration file.
    #[schemars(length(min = 1, max = 1024))]
    pub configuration: String,
}

/// Operating systems.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum OperatingSystem {
    /// Windows.
    #[default]
    Windows,
    /// Amazon Linux 1.
    AmazonLinux,
    /// Amazon Linux 2.
    #[serde(rename = "AMAZON_LINUX_2")]
    AmazonLinux2,
    /// Amazon Linux 2022.
    #[serde(rename = "AMAZON_LINUX_2022")]
    AmazonLinux2022,
    /// Amazon Linux 2023.
    #[serde(rename = "AMAZON_LINUX_2023")]
    AmazonLinux2023,
    /// Ubuntu.
    Ubuntu,
    /// Red Hat Enterprise Linux.
    RedhatEnterpriseLinux,
    /// SUSE Linux Enterprise Server.
    Suse,
    /// `CentOS`.
    Centos,
    /// Oracle Linux.
    OracleLinux,
    /// Debian.
    Debian,
    /// macOS.
    Macos,
    /// Raspberry Pi OS.
    Raspbian,
    /// Rocky Linux.
    RockyLinux,
    /// `AlmaLinux`.
    AlmaLinux,
}

impl OperatingSystem {
    /// Says whether it is a Linux.
    pub(super) fn is_linux(self) -> bool {
        !matches!(self, Self::Windows | Self::Macos)
    }

    /// Says whether its packages are Debian's.
    pub(super) fn is_debian(self) -> bool {
        matches!(self, Self::Debian | Self::Ubuntu | Self::Raspbian)
    }
}

/// How bad a missing patch is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum ComplianceLevel {
    /// Critical.
    Critical,
    /// High.
    High,
    /// Medium.
    Medium,
    /// Low.
    Low,
    /// For information.
    Informational,
    /// Nobody said.
    #[default]
    Unspecified,
}

/// What happens when another patch needs a rejected one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum RejectedAction {
    /// The rejected patch is installed all the same.
    #[default]
    AllowAsDependency,
    /// Neither is installed.
    Block,
}

/// How a server counts that lacks security patches which are there but not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum UpdatesStatus {
    /// As compliant.
    Compliant,
    /// As not compliant.
    NonCompliant,
}

/// Properties of patches.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum FilterKey {
    /// Architecture.
    Arch,
    /// Number of the advisory.
    AdvisoryId,
    /// Number in Bugzilla.
    BugzillaId,
    /// `OS` or `APPLICATION`; Windows.
    PatchSet,
    /// Version of the operating system, or an application.
    Product,
    /// Family of products; Windows.
    ProductFamily,
    /// For instance `Security`, `SecurityUpdates`.
    Classification,
    /// Number of the vulnerability.
    CveId,
    /// Epoch of the package.
    Epoch,
    /// Severity as Microsoft rates it; Windows.
    MsrcSeverity,
    /// Name of the package.
    Name,
    /// Number of the patch.
    PatchId,
    /// Section of the archive; Debian and its kin.
    Section,
    /// Priority of the package; Debian and its kin.
    Priority,
    /// Repository.
    Repository,
    /// Release of the package.
    Release,
    /// Severity; Linux.
    Severity,
    /// Whether it is about security.
    Security,
    /// Version of the package.
    Version,
}
