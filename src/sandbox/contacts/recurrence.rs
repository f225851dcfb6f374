//! When a rotation hands off and which hours it covers, as the wire has it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault;
use super::shifts::{Coverage, HandOffs, Hours, Turns};
use crate::sandbox::{Fault, Map};

/// A rotation's `Recurrence`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Recurrence {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    monthly_settings: Vec<MonthlySetting>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weekly_settings: Vec<WeeklySetting>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    daily_settings: Vec<HandOffTime>,
    number_of_on_calls: i64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    shift_coverages: BTreeMap<String, Vec<CoverageTime>>,
    #[serde(rename = "RecurrenceMultiplier")]
    multiplier: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HandOffTime {
    hour_of_day: i8,
    minute_of_hour: i8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WeeklySetting {
    day_of_week: String,
    hand_off_time: HandOffTime,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MonthlySetting {
    day_of_month: i8,
    hand_off_time: HandOffTime,
}

/// The model requires neither bound; a window without one says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CoverageTime {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<HandOffTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<HandOffTime>,
}

/// Reads a recurrence and checks what the model cannot say.
pub(super) fn parse(input: Option<&Map>) -> Result<Recurrence, Fault> {
    let input = Value::Object(input.cloned().unwrap_or_default());
    let recurrence: Recurrence = serde_json::from_value(input)
        .map_err(|e| fault::field("Recurrence", format_args!("cannot be read: {e}")))?;
    // An empty list is how some clients leave a group out.
    let groups = [
        recurrence.monthly_settings.is_empty(),
        recurrence.weekly_settings.is_empty(),
        recurrence.daily_settings.is_empty(),
    ];
    if groups.iter().filter(|empty| !**empty).count() != 1 {
        return Err(fault::field(
            "Recurrence",
            "must have exactly one of DailySettings, WeeklySettings and MonthlySettings",
        ));
    }
    let half_open = recurrence
        .shift_coverages
        .values()
        .flatten()
        .any(|window| window.start.is_none() || window.end.is_none());
    if half_open {
        return Err(fault::field(
            "ShiftCoverages",
            "a coverage time needs a Start and an End",
        ));
    }
    Ok(recurrence)
}

/// The time zones that come with the program, so that an answer does not depend on the machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Reads a time zone by its IANA name.
pub(super) fn zone(name: &str) -> Result<TimeZone, Fault> {
    // IANA keeps these for old systems; they are abbreviations without rules for daylight saving time, which the
    // service does not take (`PST` and its like are no IANA names at all).
    let abbreviation = matches!(name, "EST" | "HST" | "MST");
    ZONES
        .get(name)
        .ok()
        .filter(|zone| zone.iana_name() == Some(name) && !abbreviation)
        .ok_or_else(|| fault::field("TimeZoneId", format_args!("{name} is not supported")))
}

impl Recurrence {
    /// Joins the recurrence with the rest of a rotation.
    pub(super) fn turns(&self, zone: TimeZone, start: Timestamp, members: Vec<String>) -> Turns {
        let hand_offs = if !self.monthly_settings.is_empty() {
            HandOffs::Monthly(
                self.monthly_settings
                    .iter()
                    .map(|s| (s.day_of_month, s.hand_off_time.time()))
                    .collect(),
            )
        } else if !self.weekly_settings.is_empty() {
            HandOffs::Weekly(
                self.weekly_settings
                    .iter()
                    .map(|s| (weekday(&s.day_of_week), s.hand_off_time.time()))
                    .collect(),
            )
        } else {
            HandOffs::Daily(self.daily_settings.iter().map(|time| time.time()).collect())
        };
        Turns {
            zone,
            start,
            members,
            on_calls: usize::try_from(self.number_of_on_calls).unwrap_or(1),
            multiplier: u32::try_from(self.multiplier).unwrap_or(1),
            hand_offs,
            coverage: self.coverage(),
        }
    }

    fn coverage(&self) -> Option<Coverage> {
        if self.shift_coverages.is_empty() {
            return None;
        }
        let mut week = Coverage::default();
        for (day, windows) in &self.shift_coverages {
            let day = usize::try_from(weekday(day).to_monday_zero_offset()).unwrap_or(0);
            week.0[day] = windows
                .iter()
                .filter_map(|window| {
                    Some(Hours {
                        start: window.start?.time(),
                        end: window.end?.time(),
                    })
                })
                .collect();
        }
        Some(week)
    }
}

impl HandOffTime {
    fn time(self) -> Time {
        Time::new(self.hour_of_day, self.minute_of_hour, 0, 0).unwrap_or(Time::midnight())
    }
}

fn weekday(name: &str) -> Weekday {
    match name {
        "TUE" => Weekday::Tuesday,
        "WED" => Weekday::Wednesday,
        "THU" => Weekday::Thursday,
        "FRI" => Weekday::Friday,
        "SAT" => Weekday::Saturday,
        "SUN" => Weekday::Sunday,
        // The model's enum has no eighth name.
        _ => Weekday::Monday,
    }
}
