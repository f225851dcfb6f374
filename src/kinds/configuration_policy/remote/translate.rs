//! Between the spec of a policy and the SDK's types.

use std::collections::BTreeMap;

use aws_sdk_securityhub::operation::get_configuration_policy::GetConfigurationPolicyOutput;
use aws_sdk_securityhub::types as sdk;

use super::super::{Associations, ConfigurationPolicy, Controls};
use crate::aws::{Aws, AwsError};
use crate::kinds::security_hub::remote::parameters::{configured, customized};
use crate::kinds::security_hub::standard;
use crate::model::stamp::{Tags, user_tags};

const OPERATION: &str = "GetConfigurationPolicy";

/// Returns the configuration that a policy stands for.
pub(super) fn body(aws: &Aws, policy: &ConfigurationPolicy) -> sdk::Policy {
    let ConfigurationPolicy {
        name: _,
        description: _,
        service_enabled,
        standards,
        controls,
        associations: _,
        tags: _,
    } = policy;
    let body = sdk::SecurityHubPolicy::builder().service_enabled(*service_enabled);
    if !service_enabled {
        return sdk::Policy::SecurityHub(body.build());
    }
    // AWS wants both, be there anything to say or not: [T] "Enabled standards and security control configurations must be
    // configured when Security Hub is enabled".
    let arns = standards.iter();
    let arns = arns.map(|name| standard::arn(&aws.location, name));
    let body = body
        .set_enabled_standard_identifiers(Some(arns.collect()))
        .security_controls_configuration(sent(controls));
    sdk::Policy::SecurityHub(body.build())
}

fn sent(controls: &Controls) -> sdk::SecurityControlsConfiguration {
    let Controls {
        enabled,
        disabled,
        parameters,
    } = controls;
    let configuration = sdk::SecurityControlsConfiguration::builder();
    let configuration = match enabled {
        Some(enabled) => configuration
            .set_enabled_security_control_identifiers(Some(enabled.iter().cloned().collect())),
        None => configuration
            .set_disabled_security_control_identifiers(Some(disabled.iter().cloned().collect())),
    };
    let parameters = parameters.iter().map(|(id, values)| {
        let one = sdk::SecurityControlCustomParameter::builder().security_control_id(id);
        let set = |one: sdk::builders::SecurityControlCustomParameterBuilder, (name, value)| {
            one.parameters(Clone::clone(name), configured(Some(value)))
        };
        values.iter().fold(one, set).build()
    });
    let parameters: Vec<_> = parameters.collect();
    let parameters = (!parameters.is_empty()).then_some(parameters);
    configuration
        .set_security_control_custom_parameters(parameters)
        .build()
}

/// Turns AWS's answer into the spec a user would have written.
pub(super) fn spec(
    aws: &Aws,
    answer: GetConfigurationPolicyOutput,
    associations: Associations,
    tags: &Tags,
) -> Result<ConfigurationPolicy, AwsError> {
    let body = aws.required(
        OPERATION,
        "ConfigurationPolicy",
        answer.configuration_policy,
    )?;
    let sdk::Policy::SecurityHub(body) = body else {
        let message = "AWS answered a policy of another service, which this version does not know";
        return Err(AwsError::unexpected("ConfigurationPolicy", message));
    };
    let service_enabled = aws.required(OPERATION, "ServiceEnabled", body.service_enabled)?;
    // Where Security Hub is off, what AWS says besides means nothing.
    let standards = body.enabled_standard_identifiers.into_iter().flatten();
    let standards = standards
        .filter(|_| service_enabled)
        .map(|arn| standard::short(&arn).to_owned());
    let controls = body.security_controls_configuration;
    let controls = controls.filter(|_| service_enabled).map(read).transpose()?;
    Ok(ConfigurationPolicy {
        name: aws.required(OPERATION, "Name", answer.name)?,
        description: answer.description.filter(|text| !text.is_empty()),
        service_enabled,
        standards: standards.collect(),
        controls: controls.unwrap_or_default(),
        associations,
        tags: Some(user_tags(tags)),
    })
}

fn read(configuration: sdk::SecurityControlsConfiguration) -> Result<Controls, AwsError> {
    let enabled = configuration.enabled_security_control_identifiers;
    let disabled = configuration.disabled_security_control_identifiers;
    // Of the two lists one is meant; whether AWS answers an empty one beside it is documented nowhere.
    let meant = |list: &Vec<String>| !list.is_empty() || disabled.is_none();
    let enabled = enabled.filter(meant);
    let disabled = disabled.unwrap_or_default().into_iter();
    let mut parameters = BTreeMap::new();
    for control in configuration
        .security_control_custom_parameters
        .into_iter()
        .flatten()
    {
        let values = customized(control.parameters)?;
        if let Some(id) = control.security_control_id.filter(|_| !values.is_empty()) {
            parameters.insert(id, values);
        }
    }
    Ok(Controls {
        disabled: disabled.filter(|_| enabled.is_none()).collect(),
        enabled: enabled.map(|list| list.into_iter().collect()),
        parameters,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn controls(value: Value) -> Controls {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn controls_go_there_and_back() {
        for value in [
            json!({}),
            json!({"enabled": []}),
            json!({"enabled": ["IAM.6"], "parameters": {"ACM.1": {"daysToExpiration": {"integer": 5}}}}),
            json!({"disabled": ["IAM.4", "IAM.6"]}),
        ] {
            let there = controls(value);
            assert_eq!(read(sent(&there)).unwrap(), there);
        }
    }

    #[test]
    fn one_list_is_always_said() {
        let all = sent(&controls(json!({})));
        assert_eq!(all.disabled_security_control_identifiers, Some(Vec::new()));
        assert_eq!(all.enabled_security_control_identifiers, None);
        let none = sent(&controls(json!({"enabled": []})));
        assert_eq!(none.enabled_security_control_identifiers, Some(Vec::new()));
        assert_eq!(none.disabled_security_control_identifiers, None);
    }

    #[test]
    fn an_empty_list_beside_the_other_means_nothing() {
        let both = sdk::SecurityControlsConfiguration::builder()
            .set_enabled_security_control_identifiers(Some(Vec::new()))
            .disabled_security_control_identifiers("IAM.6")
            .build();
        assert_eq!(
            read(both).unwrap(),
            controls(json!({"disabled": ["IAM.6"]}))
        );
        let both = sdk::SecurityControlsConfiguration::builder()
            .set_disabled_security_control_identifiers(Some(Vec::new()))
            .enabled_security_control_identifiers("IAM.6")
            .build();
        assert_eq!(read(both).unwrap(), controls(json!({"enabled": ["IAM.6"]})));
    }

    #[test]
    fn parameters_with_values_of_aws_are_none() {
        let aws = sdk::SecurityControlCustomParameter::builder()
            .security_control_id("ACM.1")
            .parameters("daysToExpiration", configured(None))
            .build();
        let read = read(
            sdk::SecurityControlsConfiguration::builder()
                .security_control_custom_parameters(aws)
                .build(),
        );
        assert_eq!(read.unwrap(), Controls::default());
    }
}
