//! Moments as this service writes them: epoch seconds, with milliseconds where there are any.

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::fault;
use crate::sandbox::{Call, Fault};

/// Writes a moment.
pub(super) fn seconds(at: Timestamp) -> Value {
    let millis = at.as_millisecond();
    if millis % 1000 == 0 {
        return Value::from(millis / 1000);
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double exactly"
    )]
    let seconds = millis as f64 / 1000.0;
    Number::from_f64(seconds).map_or(Value::Null, Value::Number)
}

/// Reads a moment, rounded to the millisecond that this service keeps.
pub(super) fn instant(member: &str, value: &Value) -> Result<Timestamp, Fault> {
    let seconds = value.as_f64().unwrap_or(f64::NAN);
    let millis = (seconds * 1000.0).round();
    // Beyond this no calendar date exists, and the cast below would saturate.
    if !millis.is_finite() || millis.abs() > 4.0e14 {
        return Err(fault::field(member, "is not a moment"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a rounded number, and bounded above"
    )]
    let millis = millis as i64;
    Timestamp::from_millisecond(millis).map_err(|_| fault::field(member, "is not a moment"))
}

/// Returns the moment of the call as this service keeps it.
pub(super) fn now(call: &Call<'_>) -> Timestamp {
    Timestamp::from_millisecond(call.now.as_millisecond()).unwrap_or(call.now)
}

/// Writes a moment so that texts sort as moments do.
pub(super) fn sortable(at: Timestamp) -> String {
    // Moments before 1970 are negative; shifted, they sort too.
    format!("{:020}", i128::from(at.as_millisecond()) + (1 << 50))
}

/// Writes a moment so that texts sort newest first.
pub(super) fn newest_first(at: Timestamp) -> String {
    format!("{:020}", (1_i128 << 50) - i128::from(at.as_millisecond()))
}

/// Reads a member, if it was sent.
pub(super) fn member(call: &Call<'_>, member: &str) -> Result<Option<Timestamp>, Fault> {
    call.input
        .get(member)
        .filter(|value| !value.is_null())
        .map(|value| instant(member, value))
        .transpose()
}

/// Reads a member that the model requires.
pub(super) fn required(call: &Call<'_>, name: &str) -> Result<Timestamp, Fault> {
    member(call, name)?.ok_or_else(|| fault::field(name, "is required"))
}

/// Refuses a range of time that ends before it begins, or at once.
pub(super) fn ordered(start: Timestamp, end: Timestamp) -> Result<(), Fault> {
    if start < end {
        Ok(())
    } else {
        Err(fault::field("EndTime", "must be after StartTime"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_seconds_are_integers_and_milliseconds_survive() {
        let at = instant("T", &json!(1_767_225_600)).unwrap();
        assert_eq!(seconds(at), json!(1_767_225_600));
        let at = instant("T", &json!(1_767_225_600.151)).unwrap();
        assert_eq!(seconds(at), json!(1_767_225_600.151));
        assert!(instant("T", &json!(1e300)).is_err());
    }
}
