//! The alarm in the SDK's types.

use aws_sdk_ssm::types as sdk;

use super::StopAlarm;
use crate::aws::AwsError;

/// Returns an alarm as it is sent.
pub(in crate::kinds) fn sent(alarm: &StopAlarm) -> Result<sdk::AlarmConfiguration, AwsError> {
    let StopAlarm {
        name,
        ignore_poll_alarm_failure,
    } = alarm;
    let alarm = sdk::Alarm::builder().name(name).build().map_err(unbuilt)?;
    sdk::AlarmConfiguration::builder()
        .alarms(alarm)
        .ignore_poll_alarm_failure(*ignore_poll_alarm_failure)
        .build()
        .map_err(unbuilt)
}

/// Reads the one alarm that there can be.
pub(in crate::kinds) fn read(sent: sdk::AlarmConfiguration) -> Option<StopAlarm> {
    Some(StopAlarm {
        name: sent.alarms.into_iter().next()?.name,
        ignore_poll_alarm_failure: sent.ignore_poll_alarm_failure,
    })
}

fn unbuilt(error: impl std::error::Error) -> AwsError {
    AwsError::unexpected("the alarm", &error.to_string())
}
