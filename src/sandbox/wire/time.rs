//! Moments: epoch seconds inside, and as each protocol writes them outside.

use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::sandbox::models::TimestampFormat;

/// Reads a moment written as text into epoch seconds.
pub(crate) fn parse(text: &str, format: TimestampFormat) -> Option<Value> {
    let moment = match format {
        TimestampFormat::Epoch => return epoch(text.parse().ok()?),
        TimestampFormat::Iso8601 => text.parse::<Timestamp>().ok()?,
        TimestampFormat::HttpDate => jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(text)
            .ok()?,
    };
    epoch(seconds(moment))
}

/// Writes a moment as text; nothing when it is outside of what a calendar holds.
pub(crate) fn text(value: &Value, format: TimestampFormat) -> Option<String> {
    if format == TimestampFormat::Epoch {
        return Some(epoch(value.as_f64()?)?.to_string());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a moment beyond the range saturates, and the calendar refuses it"
    )]
    let moment = Timestamp::from_millisecond((value.as_f64()? * 1000.0).round() as i64).ok()?;
    match format {
        TimestampFormat::HttpDate => http_date(moment),
        TimestampFormat::Epoch | TimestampFormat::Iso8601 => Some(moment.to_string()),
    }
}

/// Writes a moment as HTTP's headers do.
pub(crate) fn http_date(moment: Timestamp) -> Option<String> {
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&moment)
        .ok()
}

/// Returns epoch seconds as a number: whole where it is whole, and never finer than a millisecond.
pub(crate) fn epoch(seconds: f64) -> Option<Value> {
    let rounded = (seconds * 1000.0).round() / 1000.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared with what it came from"
    )]
    let whole = rounded as i64;
    #[expect(
        clippy::cast_precision_loss,
        reason = "compared with what it came from"
    )]
    let is_whole = (whole as f64 - rounded).abs() < f64::EPSILON;
    if is_whole {
        Some(Value::from(whole))
    } else {
        Number::from_f64(rounded).map(Value::Number)
    }
}

fn seconds(moment: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of a calendar's range fit a double"
    )]
    let milliseconds = moment.as_millisecond() as f64;
    milliseconds / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_go_both_ways() {
        for (format, written) in [
            (TimestampFormat::Iso8601, "2026-01-01T00:00:00.5Z"),
            (TimestampFormat::Epoch, "1767225600.5"),
        ] {
            let value = parse(written, format).unwrap();
            assert_eq!(value, json!(1_767_225_600.5));
            assert_eq!(text(&value, format).unwrap(), written);
        }
        let value = parse("Thu, 01 Jan 2026 00:00:00 GMT", TimestampFormat::HttpDate).unwrap();
        assert_eq!(value, json!(1_767_225_600));
        assert_eq!(
            text(&value, TimestampFormat::HttpDate).unwrap(),
            "Thu, 01 Jan 2026 00:00:00 GMT"
        );
        assert_eq!(text(&json!(1e300), TimestampFormat::Iso8601), None);
    }
}
