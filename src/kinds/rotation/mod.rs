//! `Rotation`: whose turn it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZoneDatabase;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::contact::{Contact, rules};
use crate::model::spec::Identity;
use crate::model::{Ref, Report, Spec};

mod remote;
mod time;

pub use time::{Moment, TimeOfDay};

/// A rotation of Incident Manager: people who take turns, and when the turn passes on. On-call schedules are made of
/// rotations.
///
/// **AWS chooses** `startTime`, if it is left out: better not, for the turns are counted from it.
/// **Forces replacement:** `name`, which cannot be changed and need not be unique: a rotation is recognised by its
/// stamp.
///
/// Changing the people, their order, the recurrence or the time zone computes all future shifts anew, and overrides
/// that people have made may not fit any more. AWS takes a deleted rotation out of every schedule.
///
/// Left out: overrides, which people make for a day or two in the console. They are never touched.
///
/// ```yaml
/// apiVersion: stationbill.dev/v1alpha1
/// kind: Rotation
/// metadata: { name: banana-weeks }
/// spec:
///   contacts: [{ ref: kayoko }, { ref: bruno }] # week A, week B
///   timeZoneId: Asia/Tokyo
///   startTime: "2026-01-05T09:00:00+09:00"
///   recurrence:
///     numberOfOnCalls: 1
///     recurrenceMultiplier: 1
///     weeklySettings: [{ dayOfWeek: MON, handOffTime: "09:00" }]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotation {
    /// The rotation's name in Incident Manager. Default: `metadata.name`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[a-zA-Z0-9_\-\s\.]*$"))]
    pub name: String,
    /// The people, in the order of their turns.
    #[schemars(length(min = 1, max = 30))]
    pub contacts: Vec<Ref<Contact>>,
    /// The time zone of all hours and days, by its IANA name, for instance `Asia/Tokyo`. Abbreviations and names with
    /// a `+` are not accepted by AWS.
    #[schemars(
        length(min = 1, max = 255),
        regex(pattern = r"^[:a-zA-Z0-9_\-\s\.\\/]*$")
    )]
    pub time_zone_id: String,
    /// When the first turn begins, to the second: RFC 3339 with an offset. Left out, it is left to AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Moment>,
    /// When the turn passes on.
    pub recurrence: Recurrence,
    /// Tags. Left out, tags that others set are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// When the turn passes on: exactly one of `dailySettings`, `weeklySettings` and `monthlySettings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recurrence {
    /// How many people are on call at the same time.
    #[schemars(range(min = 1))]
    pub number_of_on_calls: i32,
    /// How many days, weeks or months a turn lasts.
    #[schemars(range(min = 1, max = 100))]
    pub recurrence_multiplier: i32,
    /// For turns of days: at which times of the day the turn passes on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub daily_settings: BTreeSet<TimeOfDay>,
    /// For turns of weeks: on which days of the week.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub weekly_settings: BTreeSet<WeeklySetting>,
    /// For turns of months: on which days of the month.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub monthly_settings: BTreeSet<MonthlySetting>,
    /// The hours that are covered, by day of the week. Left out, all hours of all days are; a day that is not
    /// mentioned among others is not covered.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "covered"
    )]
    #[schemars(schema_with = "coverage_schema")]
    pub shift_coverages: BTreeMap<DayOfWeek, BTreeSet<Coverage>>,
}

/// A day of the week.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum DayOfWeek {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl DayOfWeek {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// Returns the name that AWS has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "MON",
            Self::Tue => "TUE",
            Self::Wed => "WED",
            Self::Thu => "THU",
            Self::Fri => "FRI",
            Self::Sat => "SAT",
            Self::Sun => "SUN",
        }
    }

    /// Reads the name that AWS has for it.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.as_str() == name)
    }
}

/// A weekly moment at which the turn passes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WeeklySetting {
    /// The day of the week.
    pub day_of_week: DayOfWeek,
    /// The time of the day, in the rotation's time zone.
    pub hand_off_time: TimeOfDay,
}

/// A monthly moment at which the turn passes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonthlySetting {
    /// The day of the month.
    #[schemars(range(min = 1, max = 31))]
    pub day_of_month: i32,
    /// The time of the day, in the rotation's time zone.
    pub hand_off_time: TimeOfDay,
}

/// Hours of a day that are covered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Coverage {
    /// When the cover begins.
    pub start: TimeOfDay,
    /// When the cover ends; up to the start of the next day it is written `00:00`.
    pub end: TimeOfDay,
}

/// Refuses a day without hours: it reads like a day off, and without any other day it would mean all hours of all days.
fn covered<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<DayOfWeek, BTreeSet<Coverage>>, D::Error> {
    let days = BTreeMap::<DayOfWeek, BTreeSet<Coverage>>::deserialize(deserializer)?;
    match days.iter().find(|(_, hours)| hours.is_empty()) {
        None => Ok(days),
        Some((day, _)) => Err(serde::de::Error::custom(format!(
            "{} has no hours; leave the day out if it is not covered",
            day.as_str()
        ))),
    }
}

fn coverage_schema(generator: &mut SchemaGenerator) -> Schema {
    let hours = generator.subschema_for::<Coverage>();
    let days = DayOfWeek::ALL.iter().map(|day| {
        let day_schema = json_schema!({
            "type": "array",
            "description": format!("The hours that are covered on {}.", day.as_str()),
            "items": hours.clone(),
            "minItems": 1,
        });
        (day.as_str().to_owned(), day_schema.to_value())
    });
    json_schema!({
        "type": "object",
        "properties": days.collect::<serde_json::Map<_, _>>(),
        "additionalProperties": false,
    })
}

impl Spec for Rotation {
    const KIND: &'static str = "Rotation";
    const CREATE_ONLY: &'static [&'static str] = &["/name"];
    const AFTER: &'static [&'static str] = &["ReplicationSet"];
    const PER_ACCOUNT: bool = true;
    const IDENTITY: Identity = Identity::SharedName;

    fn validate(&self, report: &mut Report) {
        check_zone(&self.time_zone_id, "/timeZoneId", report);
        let Recurrence {
            number_of_on_calls: _,
            recurrence_multiplier: _,
            daily_settings,
            weekly_settings,
            monthly_settings,
            shift_coverages: _,
        } = &self.recurrence;
        let groups = [
            ("dailySettings", !daily_settings.is_empty()),
            ("weeklySettings", !weekly_settings.is_empty()),
            ("monthlySettings", !monthly_settings.is_empty()),
        ];
        let given: Vec<String> = groups
            .iter()
            .filter(|(_, given)| *given)
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        if given.len() != 1 {
            let message = if given.is_empty() {
                "nothing says when the turn passes on".to_owned()
            } else {
                format!("{} exclude each other", given.join(" and "))
            };
            report.error(
                "bad-recurrence",
                "/recurrence",
                message,
                "give exactly one of `dailySettings`, `weeklySettings` and `monthlySettings`",
            );
        }
        rules::check_tags(self.tags.as_ref(), report);
    }

    fn settle(&mut self, live: &Self) {
        let Self {
            name: _,
            contacts: _,
            time_zone_id: _,
            start_time,
            recurrence: _,
            tags,
        } = self;
        *start_time = start_time.take().or(live.start_time);
        *tags = tags.take().or_else(|| live.tags.clone());
    }
}

/// Checks the name against the time zones that the program was built with: the machine's own may differ.
pub(super) fn check_zone(name: &str, at: &str, report: &mut Report) {
    if rules::has_variable(name) {
        return;
    }
    let zone = TimeZoneDatabase::bundled().get(name).ok();
    match zone.as_ref().and_then(|zone| zone.iana_name()) {
        Some(known) if known == name => {}
        Some(known) => report.error(
            "bad-time-zone",
            at,
            format!("the time zone `{name}` is spelt `{known}`"),
            format!("write `{known}`"),
        ),
        None => report.error(
            "bad-time-zone",
            at,
            format!("there is no time zone `{name}`"),
            "an IANA name, for instance `Europe/Dublin`; abbreviations such as `PST` are none",
        ),
    }
}

#[cfg(test)]
mod tests;
