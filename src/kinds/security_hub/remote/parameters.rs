//! Parameters of controls.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_securityhub::types as sdk;

use super::super::Parameter;
use crate::aws::{Aws, AwsError};

/// The parameters of one control.
pub(super) struct Parameters {
    /// Those that somebody has given a value.
    pub(super) values: BTreeMap<String, Parameter>,
    /// Whether AWS is still taking over a change.
    pub(super) at_work: bool,
}

/// Reads the parameters of controls, a hundred at most.
pub(super) async fn read(
    aws: &Aws,
    ids: &[String],
) -> Result<BTreeMap<String, Parameters>, AwsError> {
    let operation = "BatchGetSecurityControls";
    let request = aws.securityhub.batch_get_security_controls();
    let request = request.set_security_control_ids(Some(ids.to_vec()));
    let answer = request.send().await?;
    let mut found = BTreeMap::new();
    for control in answer.security_controls.unwrap_or_default() {
        let id = aws.required(operation, "SecurityControlId", control.security_control_id)?;
        let values = customized(control.parameters)?;
        let at_work = control.update_status == Some(sdk::UpdateStatus::Updating);
        found.insert(id, Parameters { values, at_work });
    }
    let missing = ids.iter().find(|id| !found.contains_key(*id));
    let unprocessed = answer.unprocessed_ids.unwrap_or_default();
    let why = unprocessed
        .iter()
        .find_map(|one| one.error_reason.as_deref());
    match missing {
        None => Ok(found),
        Some(id) => {
            let why = why.unwrap_or("the answer leaves it out");
            Err(AwsError::unexpected(operation, &format!("{id}: {why}")))
        }
    }
}

/// Returns the parameters that somebody has given a value.
pub(in crate::kinds) fn customized(
    parameters: Option<HashMap<String, sdk::ParameterConfiguration>>,
) -> Result<BTreeMap<String, Parameter>, AwsError> {
    let mut values = BTreeMap::new();
    for (name, configuration) in parameters.into_iter().flatten() {
        let custom = configuration.value_type == Some(sdk::ParameterValueType::Custom);
        if let Some(value) = configuration.value.filter(|_| custom) {
            values.insert(name, parameter(value)?);
        }
    }
    Ok(values)
}

/// Returns what gives a parameter a value, or AWS's.
pub(in crate::kinds) fn configured(value: Option<&Parameter>) -> sdk::ParameterConfiguration {
    let configuration = sdk::ParameterConfiguration::builder();
    let configuration = match value {
        Some(value) => configuration
            .value_type(sdk::ParameterValueType::Custom)
            .set_value(Some(sent(value))),
        None => configuration.value_type(sdk::ParameterValueType::Default),
    };
    configuration.build()
}

/// Gives parameters the wanted values, and those that are not wanted AWS's.
pub(super) async fn write(
    aws: &Aws,
    id: &str,
    want: &BTreeMap<String, Parameter>,
    have: &BTreeMap<String, Parameter>,
) -> Result<(), AwsError> {
    let names: BTreeSet<&String> = want.keys().chain(have.keys()).collect();
    let differ = names
        .into_iter()
        .filter(|name| want.get(*name) != have.get(*name));
    let mut request = aws
        .securityhub
        .update_security_control()
        .security_control_id(id);
    let mut any = false;
    for name in differ {
        request = request.parameters(name, configured(want.get(name)));
        any = true;
    }
    if !any {
        return Ok(());
    }
    match request.send().await.map_err(AwsError::from) {
        // AWS is still taking over another change, or this one, whose answer was lost: the engine reads, waits, and
        // comes back.
        Err(error) if error.code.as_deref() == Some("ResourceInUseException") => Ok(()),
        answer => answer.map(drop),
    }
}

fn sent(parameter: &Parameter) -> sdk::ParameterValue {
    use sdk::ParameterValue as V;
    let Parameter {
        integer,
        integer_list,
        double,
        string,
        string_list,
        boolean,
        word,
        words,
    } = parameter;
    let texts = |set: &BTreeSet<String>| set.iter().cloned().collect();
    let value = integer
        .map(V::Integer)
        .or_else(|| {
            integer_list
                .as_ref()
                .map(|set| V::IntegerList(set.iter().copied().collect()))
        })
        .or_else(|| double.map(V::Double))
        .or_else(|| string.clone().map(V::String))
        .or_else(|| string_list.as_ref().map(|set| V::StringList(texts(set))))
        .or_else(|| boolean.map(V::Boolean))
        .or_else(|| word.clone().map(V::Enum));
    value.unwrap_or_else(|| V::EnumList(words.as_ref().map(texts).unwrap_or_default()))
}

fn parameter(value: sdk::ParameterValue) -> Result<Parameter, AwsError> {
    use sdk::ParameterValue as V;
    let mut read = Parameter::default();
    match value {
        V::Integer(number) => read.integer = Some(number),
        V::IntegerList(list) => read.integer_list = Some(list.into_iter().collect()),
        V::Double(number) => read.double = Some(number),
        V::String(text) => read.string = Some(text),
        V::StringList(list) => read.string_list = Some(list.into_iter().collect()),
        V::Boolean(yes) => read.boolean = Some(yes),
        V::Enum(word) => read.word = Some(word),
        V::EnumList(list) => read.words = Some(list.into_iter().collect()),
        other => {
            let message = format!("AWS answered {other:?}, which this version does not know");
            return Err(AwsError::unexpected("ParameterValue", &message));
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_value_goes_there_and_back() {
        let values = [
            json!({"integer": 20}),
            json!({"integerList": [80, 443]}),
            json!({"double": 0.5}),
            json!({"string": "168"}),
            json!({"stringList": ["stage", "team"]}),
            json!({"boolean": false}),
            json!({"enum": "ERROR"}),
            json!({"enumList": ["a", "b"]}),
        ];
        for value in values {
            let there: Parameter = serde_json::from_value(value.clone()).unwrap();
            let back = parameter(sent(&there)).unwrap();
            assert_eq!(
                serde_json::to_value::<_>(back).unwrap(),
                Value::clone(&value)
            );
        }
    }
}
