//! Times as a rotation has them: moments to the second, and times of the day.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, to the second, which is what AWS keeps. However it is written, it is compared and shown in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// Makes a moment from seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(self.0) {
            Ok(moment) => moment.fmt(f),
            // Beyond the year 9999; no calendar that we know writes it.
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

/// A text that is no moment.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no date and time with an offset, such as `2026-01-05T09:00:00+09:00`")]
pub struct NotAMoment(String);

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        if let Some(seconds) = text.strip_prefix('@').and_then(|s| s.parse().ok()) {
            return Ok(Self(seconds));
        }
        let moment: Timestamp = text.parse().map_err(|_| NotAMoment(text.to_owned()))?;
        Ok(Self(moment.as_second()))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A time of the day, written `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl TimeOfDay {
    /// Makes a time of the day; `None` when there is no such time.
    pub fn new(hour: i32, minute: i32) -> Option<Self> {
        let (hour, minute) = (u8::try_from(hour).ok()?, u8::try_from(minute).ok()?);
        (hour < 24 && minute < 60).then_some(Self { hour, minute })
    }

    /// Returns the hour, 0 to 23.
    pub fn hour(self) -> i32 {
        self.hour.into()
    }

    /// Returns the minute, 0 to 59.
    pub fn minute(self) -> i32 {
        self.minute.into()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// A text that is no time of the day.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no time of the day; it is written `HH:MM`, from `00:00` to `23:59`, in quotation marks"
)]
pub struct NotATime(String);

impl FromStr for TimeOfDay {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let two_digits = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let time = text
            .split_once(':')
            .and_then(|(hour, minute)| Self::new(two_digits(hour)?, two_digits(minute)?));
        time.ok_or_else(|| NotATime(text.to_owned()))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TimeOfDay {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeOfDay".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A time of the day, `HH:MM`.",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_the_same_however_they_are_written() {
        let moment: Moment = "2026-01-05T09:00:00.75+09:00".parse().unwrap();
        assert_eq!(moment, "2026-01-05T00:00:00Z".parse().unwrap());
        assert_eq!(moment.to_string(), "2026-01-05T00:00:00Z");
        assert!("2026-01-05T09:00:00".parse::<Moment>().is_err());
        let far = Moment::from_seconds(i64::MAX);
        assert_eq!(far, far.to_string().parse().unwrap());
    }

    #[test]
    fn times_of_the_day_are_strict_and_sort() {
        let time = |text: &str| text.parse::<TimeOfDay>();
        assert!(time("09:00").unwrap() < time("10:00").unwrap());
        assert_eq!(time("23:59").unwrap().to_string(), "23:59");
        for bad in [
            "9:00", "24:00", "09:60", "09:0", "+9:00", "0900", "09:00:00",
        ] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
