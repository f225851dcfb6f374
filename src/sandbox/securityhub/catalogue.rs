//! AWS's own standards and controls: `catalogue.json`, which names its sources.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::partition;
use crate::sandbox::Map;

#[derive(Deserialize)]
struct Catalogue {
    standards: Vec<Standard>,
    controls: BTreeMap<String, (String, String, String)>,
    parameters: BTreeMap<String, BTreeMap<String, Definition>>,
}

/// A standard.
#[derive(Deserialize)]
pub(super) struct Standard {
    /// The letter that controls name it by.
    code: char,
    /// The end of its ARN.
    arn: String,
    pub(super) name: String,
    /// Whether `EnableSecurityHub` subscribes to it.
    #[serde(rename = "default")]
    pub(super) by_default: bool,
}

/// A parameter: what it is, and what it may be.
#[derive(Deserialize)]
pub(super) struct Definition(String, BTreeMap<String, Map>);

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("catalogue.json")).expect("the committed table can be read")
});

/// A control.
pub(super) struct Control {
    pub(super) id: &'static str,
    severity: &'static str,
    /// The letters of the standards that it is in.
    standards: &'static str,
    pub(super) title: &'static str,
}

impl Standard {
    /// Returns `NAME/v/VERSION`.
    pub(super) fn short(&self) -> &str {
        self.arn.split_once('/').map_or("", |(_, name)| name)
    }

    /// Returns its ARN in a region; that of CIS 1.2.0 is the same everywhere.
    pub(super) fn arn(&self, region: &str) -> String {
        let of = if self.arn.starts_with("ruleset/") {
            ""
        } else {
            region
        };
        format!("arn:{}:securityhub:{of}::{}", partition(region), self.arn)
    }

    /// Returns how the ARN of a control in it ends: `control/NAME/v/VERSION/ID`. The controls of CIS and of PCI DSS have
    /// names of the standard's own there, which are not in the table. CLI examples
    /// batch-get-standards-control-associations and describe-standards-controls.
    pub(super) fn resource(&self, control: &Control) -> Option<String> {
        let short = self.short();
        let numbers = ["cis-aws-foundations-benchmark/", "pci-dss/"];
        let has_own = numbers.iter().any(|name| short.starts_with(name));
        (!has_own).then(|| format!("control/{short}/{}", control.id))
    }

    /// Says whether a control is in it.
    pub(super) fn has(&self, control: &Control) -> bool {
        control.standards.contains(self.code)
    }
}

/// Returns all standards.
pub(super) fn standards() -> impl Iterator<Item = &'static Standard> {
    CATALOGUE.standards.iter()
}

/// Returns the standard of that ARN in a region.
pub(super) fn standard(arn: &str, region: &str) -> Option<&'static Standard> {
    standards().find(|standard| standard.arn(region) == arn)
}

/// Returns the standard of that short name.
pub(super) fn named(short: &str) -> Option<&'static Standard> {
    standards().find(|standard| standard.short() == short)
}

/// Returns all controls, sorted by id.
pub(super) fn controls() -> impl Iterator<Item = Control> {
    CATALOGUE
        .controls
        .iter()
        .map(|(id, (severity, standards, title))| Control {
            id,
            severity,
            standards,
            title,
        })
}

/// Returns the control of that id, or of that ARN.
pub(super) fn control(named: &str) -> Option<Control> {
    let id = named
        .rsplit_once(":security-control/")
        .map_or(named, |(_, id)| id);
    let (id, (severity, standards, title)) = CATALOGUE.controls.get_key_value(id)?;
    Some(Control {
        id,
        severity,
        standards,
        title,
    })
}

impl Control {
    /// Returns what can be changed of it.
    pub(super) fn parameters(&self) -> Option<&'static BTreeMap<String, Definition>> {
        CATALOGUE.parameters.get(self.id)
    }

    /// Returns what its definition and its details have in common.
    pub(super) fn about(&self) -> Map {
        let url = format!(
            "https://docs.aws.amazon.com/console/securityhub/{}/remediation",
            self.id
        );
        let about = json!({
            "SecurityControlId": self.id,
            "Title": self.title,
            "Description": self.title,
            "RemediationUrl": url,
            "SeverityRating": self.severity,
            "Provider": "AWS",
        });
        about.as_object().cloned().unwrap_or_default()
    }

    /// Returns its definition.
    pub(super) fn definition(&self) -> Value {
        let mut definition = self.about();
        let parameters = self.parameters();
        let customizable = if parameters.is_some() {
            json!(["Parameters"])
        } else {
            json!([])
        };
        definition.insert("CurrentRegionAvailability".to_owned(), json!("AVAILABLE"));
        definition.insert("CustomizableProperties".to_owned(), customizable);
        if let Some(parameters) = parameters {
            let parameters: Map = parameters
                .iter()
                .map(|(name, Definition(about, options))| {
                    let definition = json!({"Description": about, "ConfigurationOptions": options});
                    (name.clone(), definition)
                })
                .collect();
            definition.insert("ParameterDefinitions".to_owned(), parameters.into());
        }
        definition.into()
    }
}

impl Definition {
    /// Returns its type and what it may be.
    pub(super) fn options(&self) -> Option<(&str, &Map)> {
        let (kind, options) = self.1.iter().next()?;
        Some((kind, options))
    }
}
