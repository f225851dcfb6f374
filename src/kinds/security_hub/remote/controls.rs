//! Controls: what of them is not as AWS has it, and how that changes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::operation::list_security_control_definitions::ListSecurityControlDefinitionsOutput;
use aws_sdk_securityhub::operation::list_standards_control_associations::ListStandardsControlAssociationsOutput;
use aws_sdk_securityhub::types as sdk;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::super::Control;
use super::super::standard::short;
use super::parameters;
use crate::aws::transport::IN_FLIGHT;
use crate::aws::{Aws, AwsError, Class, Pages};

/// How many controls, or pairs of a standard and a control, one call takes. [M] says none; AWS's console and Terraform
/// send a hundred.
const A_CALL: usize = 100;

/// Whether a control is on in a standard; if not, somebody's reason.
type State = (bool, Option<String>);

/// The controls of a hub.
pub(super) struct Controls {
    /// Those that are not as AWS has them.
    pub(super) remarkable: BTreeMap<String, Control>,
    /// Whether AWS is still taking over parameters.
    pub(super) at_work: bool,
}

/// Reads the controls of some standards, which are given by short name and ARN.
pub(super) async fn read(
    aws: &Aws,
    standards: &BTreeMap<String, String>,
) -> Result<Controls, AwsError> {
    let reading = standards.values().map(|arn| definitions(aws, arn));
    let reading = stream::iter(reading.collect::<Vec<_>>()).buffered(IN_FLIGHT);
    let all: Vec<Vec<Definition>> = reading.try_collect().await?;
    let (mut pairs, mut with_parameters) = (Vec::new(), BTreeSet::new());
    for (arn, controls) in standards.values().zip(all) {
        for Definition { id, parameters } in controls {
            if parameters {
                with_parameters.insert(id.clone());
            }
            pairs.push((arn.clone(), id));
        }
    }
    let reading = pairs.chunks(A_CALL).map(|pairs| states(aws, pairs));
    let reading = stream::iter(reading.collect::<Vec<_>>()).buffered(IN_FLIGHT);
    let found: Vec<Vec<(String, String, State)>> = reading.try_collect().await?;
    let mut by_control: BTreeMap<String, BTreeMap<String, State>> = BTreeMap::new();
    for (id, standard, state) in found.into_iter().flatten() {
        by_control.entry(id).or_default().insert(standard, state);
    }
    let mut remarkable: BTreeMap<String, Control> = by_control
        .into_iter()
        .map(|(id, states)| (id, control(&states)))
        .collect();
    let with_parameters: Vec<String> = with_parameters.into_iter().collect();
    let mut at_work = false;
    for ids in with_parameters.chunks(A_CALL) {
        for (id, parameters) in parameters::read(aws, ids).await? {
            at_work |= parameters.at_work;
            let control = remarkable.entry(id).or_insert_with(usual);
            control.parameters = parameters.values;
        }
    }
    remarkable.retain(|_, control| !control.is_usual());
    Ok(Controls {
        remarkable,
        at_work,
    })
}

/// A control of which nothing is said.
fn usual() -> Control {
    Control {
        enabled: true,
        reason: None,
        enabled_in: BTreeSet::new(),
        parameters: BTreeMap::new(),
    }
}

/// Says what a document would have to say of a control that is in these states.
fn control(states: &BTreeMap<String, State>) -> Control {
    let reasons: BTreeSet<&String> = states
        .values()
        .filter_map(|(_, why)| why.as_ref())
        .collect();
    if reasons.is_empty() {
        // It is on everywhere, or where it is off AWS has done that, and nobody gave a reason.
        return usual();
    }
    let reasons: Vec<&str> = reasons.into_iter().map(String::as_str).collect();
    let on = states.iter().filter(|(_, (on, _))| *on);
    Control {
        enabled: false,
        reason: Some(reasons.join("; ")),
        enabled_in: on.map(|(standard, _)| standard.clone()).collect(),
        parameters: BTreeMap::new(),
    }
}

/// A control as a standard lists it.
struct Definition {
    id: String,
    /// Whether it has parameters that can be changed.
    parameters: bool,
}

/// Lists the controls of a standard that there are in this region.
async fn definitions(aws: &Aws, standard: &str) -> Result<Vec<Definition>, AwsError> {
    let request = aws.securityhub.list_security_control_definitions();
    let request = request.standards_arn(standard).max_results(100);
    let mut pages = Pages::of(
        request.into_paginator().send(),
        ListSecurityControlDefinitionsOutput::next_token,
    );
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for definition in page?.security_control_definitions.unwrap_or_default() {
            let id = aws.required(
                "ListSecurityControlDefinitions",
                "SecurityControlId",
                definition.security_control_id,
            )?;
            let there = definition.current_region_availability;
            if there != Some(sdk::RegionAvailabilityStatus::Unavailable) {
                let properties = definition.customizable_properties.unwrap_or_default();
                found.insert(id, !properties.is_empty());
            }
        }
    }
    let found = found.into_iter();
    Ok(found
        .map(|(id, parameters)| Definition { id, parameters })
        .collect())
}

/// Reads whether controls are on in standards; `pairs` are a standard's ARN and a control's id. Answers with the id, the
/// standard's short name and the state.
async fn states(
    aws: &Aws,
    pairs: &[(String, String)],
) -> Result<Vec<(String, String, State)>, AwsError> {
    let operation = "BatchGetStandardsControlAssociations";
    let ids = pairs.iter().map(|(standard, control)| {
        sdk::StandardsControlAssociationId::builder()
            .standards_arn(standard)
            .security_control_id(control)
            .build()
    });
    let request = aws.securityhub.batch_get_standards_control_associations();
    let request = request.set_standards_control_association_ids(Some(ids.collect()));
    let answer = request.send().await?;
    let mut found = Vec::new();
    for detail in answer
        .standards_control_association_details
        .unwrap_or_default()
    {
        let id = aws.required(operation, "SecurityControlId", detail.security_control_id)?;
        let standard = aws.required(operation, "StandardsArn", detail.standards_arn)?;
        let status = aws.required(operation, "AssociationStatus", detail.association_status)?;
        found.push((
            id,
            short(&standard).to_owned(),
            state(&status, detail.updated_reason),
        ));
    }
    let mut missing = 0;
    for unprocessed in answer.unprocessed_associations.unwrap_or_default() {
        let code = unprocessed
            .error_code
            .as_ref()
            .map_or("", |code| code.as_str());
        // A control that went since it was listed.
        if !code.ends_with("NOT_FOUND") {
            let why = unprocessed.error_reason.unwrap_or_default();
            return Err(refused(code, &why));
        }
        missing += 1;
    }
    let answered: BTreeSet<_> = found
        .iter()
        .map(|(id, standard, _)| (id, standard))
        .collect();
    if answered.len() + missing < pairs.len() {
        let message = "the answer leaves out some of the controls that were asked for";
        return Err(AwsError::unexpected(operation, message));
    }
    Ok(found)
}

fn state(status: &sdk::AssociationStatus, reason: Option<String>) -> State {
    let on = *status == sdk::AssociationStatus::Enabled;
    // What was once off may keep the reason that it was off for.
    (on, reason.filter(|why| !on && !why.trim().is_empty()))
}

/// Changes the controls that differ.
pub(super) async fn write(
    aws: &Aws,
    wanted: Option<&BTreeMap<String, Control>>,
    have: Option<&BTreeMap<String, Control>>,
) -> Result<(), AwsError> {
    let none = BTreeMap::new();
    let (wanted, have) = (wanted.unwrap_or(&none), have.unwrap_or(&none));
    let usual = usual();
    let of = |all: &'_ BTreeMap<String, Control>, id: &String| all.get(id).cloned();
    let ids: BTreeSet<&String> = wanted.keys().chain(have.keys()).collect();
    let differ: Vec<(&String, Control, Control)> = ids
        .into_iter()
        .map(|id| {
            let of = |all| of(all, id).unwrap_or_else(|| usual.clone());
            (id, of(wanted), of(have))
        })
        .filter(|(_, want, have)| want != have)
        .collect();
    let reading = differ.iter().map(|(id, want, have)| async move {
        let states = associations(aws, id).await?;
        let updates = updates(id, want, have, &states)?;
        Ok::<_, AwsError>(updates)
    });
    let reading = stream::iter(reading.collect::<Vec<_>>()).buffered(IN_FLIGHT);
    let updates: Vec<Vec<_>> = reading.try_collect().await?;
    let updates: Vec<_> = updates.into_iter().flatten().collect();
    for some in updates.chunks(A_CALL) {
        send(aws, some).await?;
    }
    for (id, want, have) in &differ {
        parameters::write(aws, id, &want.parameters, &have.parameters).await?;
    }
    Ok(())
}

/// Reads in which of the hub's standards a control is, by ARN, and whether it is on there.
async fn associations(aws: &Aws, id: &str) -> Result<BTreeMap<String, State>, AwsError> {
    let operation = "ListStandardsControlAssociations";
    let request = aws.securityhub.list_standards_control_associations();
    let request = request.security_control_id(id).max_results(100);
    let mut pages = Pages::of(
        request.into_paginator().send(),
        ListStandardsControlAssociationsOutput::next_token,
    );
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for one in page?
            .standards_control_association_summaries
            .unwrap_or_default()
        {
            let standard = aws.required(operation, "StandardsArn", one.standards_arn)?;
            let status = aws.required(operation, "AssociationStatus", one.association_status)?;
            found.insert(standard, state(&status, one.updated_reason));
        }
    }
    Ok(found)
}

/// Returns what must change for a control, or why it cannot be as the document has it.
fn updates(
    id: &str,
    want: &Control,
    have: &Control,
    states: &BTreeMap<String, State>,
) -> Result<Vec<sdk::StandardsControlAssociationUpdate>, AwsError> {
    let invalid = |why: String| Err(AwsError::of(Class::Invalid, format!("{id} {why}")));
    if states.is_empty() {
        return invalid("is in none of the standards that the hub subscribes to".to_owned());
    }
    if (want.enabled, &want.reason, &want.enabled_in)
        == (have.enabled, &have.reason, &have.enabled_in)
    {
        return Ok(Vec::new());
    }
    let there: BTreeSet<&str> = states.keys().map(|arn| short(arn)).collect();
    if let Some(name) = want
        .enabled_in
        .iter()
        .find(|name| !there.contains(name.as_str()))
    {
        return invalid(format!("is not in `{name}`: take it out of `enabledIn`"));
    }
    if !want.enabled && there.len() == want.enabled_in.len() {
        return invalid("would be on in every standard: take it out of `controls`".to_owned());
    }
    let mut updates = Vec::new();
    for (standard, (on, reason)) in states {
        let then = if want.is_on_in(short(standard)) {
            (true, None)
        } else {
            (false, want.reason.clone())
        };
        let (on_then, reason_then) = then;
        if (on_then, &reason_then) == (*on, reason) {
            continue;
        }
        let word = if on_then {
            sdk::AssociationStatus::Enabled
        } else {
            sdk::AssociationStatus::Disabled
        };
        let update = sdk::StandardsControlAssociationUpdate::builder()
            .standards_arn(standard)
            .security_control_id(id)
            .association_status(word)
            .set_updated_reason(reason_then);
        updates.push(update.build());
    }
    Ok(updates)
}

async fn send(
    aws: &Aws,
    updates: &[sdk::StandardsControlAssociationUpdate],
) -> Result<(), AwsError> {
    let request = aws
        .securityhub
        .batch_update_standards_control_associations();
    let request = request.set_standards_control_association_updates(Some(updates.to_vec()));
    let answer = request.send().await?;
    done(answer.unprocessed_association_updates.unwrap_or_default())
}

/// AWS answers with success, and lists what it did not do.
fn done(failed: Vec<sdk::UnprocessedStandardsControlAssociationUpdate>) -> Result<(), AwsError> {
    let more = failed.len().saturating_sub(1);
    let Some(first) = failed.into_iter().next() else {
        return Ok(());
    };
    let update = first.standards_control_association_update;
    let (control, standard) = update
        .map(|update| (update.security_control_id, update.standards_arn))
        .unwrap_or_default();
    let code = first.error_code.as_ref().map_or("", |code| code.as_str());
    let mut why = format!(
        "{} in {}: {}",
        control.unwrap_or_default(),
        standard.as_deref().map(short).unwrap_or_default(),
        first.error_reason.unwrap_or_default()
    );
    if more > 0 {
        why = format!("{why} (and {more} more)");
    }
    Err(refused(code, &why))
}

/// Makes an error of what a batch call left out.
fn refused(code: &str, why: &str) -> AwsError {
    let class = match code {
        // The standard is being subscribed to: [M] the operations' documentation.
        "NOT_FOUND" | "RESOURCE_NOT_FOUND" => Class::Busy,
        "ACCESS_DENIED" => Class::Denied,
        "LIMIT_EXCEEDED" => Class::Throttled,
        _ => Class::Invalid,
    };
    AwsError {
        class,
        code: Some(code.to_owned()),
        message: why.to_owned(),
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIS: &str = "cis-aws-foundations-benchmark/v/3.0.0";
    const PCI: &str = "pci-dss/v/3.2.1";

    fn states(cis: State, pci: State) -> BTreeMap<String, State> {
        [CIS, PCI]
            .map(str::to_owned)
            .into_iter()
            .zip([cis, pci])
            .collect()
    }

    fn off(why: &str) -> State {
        (false, Some(why.to_owned()))
    }

    #[test]
    fn what_is_off_without_a_reason_is_off_by_aws() {
        let on = (true, None);
        assert!(control(&states(on.clone(), (false, None))).is_usual());
        let mixed = control(&states(off("x"), (false, None)));
        assert!(!mixed.enabled && mixed.enabled_in.is_empty());
        let some = control(&states(off("x"), on));
        assert_eq!(some.enabled_in, BTreeSet::from([PCI.to_owned()]));
        assert_eq!(
            control(&states(off("x"), off("x"))).reason.as_deref(),
            Some("x")
        );
        assert_eq!(
            control(&states(off("x"), off("a"))).reason.as_deref(),
            Some("a; x")
        );
    }

    #[test]
    fn what_a_batch_leaves_out_is_an_error() {
        let failed = |code: sdk::UnprocessedErrorCode| {
            let update = sdk::StandardsControlAssociationUpdate::builder()
                .security_control_id("IAM.6")
                .standards_arn(
                    "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0",
                );
            sdk::UnprocessedStandardsControlAssociationUpdate::builder()
                .standards_control_association_update(update.build())
                .error_code(code)
                .error_reason("no")
                .build()
        };
        assert!(done(Vec::new()).is_ok());
        for (code, class) in [
            (sdk::UnprocessedErrorCode::InvalidInput, Class::Invalid),
            (sdk::UnprocessedErrorCode::AccessDenied, Class::Denied),
            (sdk::UnprocessedErrorCode::LimitExceeded, Class::Throttled),
            (sdk::UnprocessedErrorCode::ResourceNotFound, Class::Busy),
        ] {
            let error = done(vec![failed(code.clone()), failed(code)]).unwrap_err();
            assert_eq!(error.class, class);
            let said = error.to_string();
            let wanted = "IAM.6 in cis-aws-foundations-benchmark/v/1.2.0: no (and 1 more)";
            assert!(said.contains(wanted), "{said}");
        }
    }
}
