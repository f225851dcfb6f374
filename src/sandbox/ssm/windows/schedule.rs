//! When a maintenance window opens. [D] user guide, "Cron and rate expressions for Systems Manager", and "Maintenance
//! window scheduling and active period options".

use std::collections::BTreeSet;
use std::iter;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Span, Timestamp, ZonedDateTime};
use serde_json::Value;

use super::super::invalid;
use super::Window;
use crate::sandbox::Fault;

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

/// How far ahead an execution is looked for.
const HORIZON: i32 = 366 * 5;

/// How many minutes are between two moments of a cron expression at least: nothing faster is supported. [D] user guide,
/// "Cron and rate expressions".
const LEAST_MINUTES: i16 = 5;

/// How far ahead the executions of a window are listed, and how many of them. AWS documents neither.
const LISTED_FOR: SignedDuration = SignedDuration::from_hours(24 * 366);
const MOST_LISTED: usize = 100;

/// A schedule expression.
enum Schedule {
    At(DateTime),
    Rate(SignedDuration),
    Cron(Box<Cron>),
}

struct Cron {
    seconds: BTreeSet<i16>,
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    day: Day,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

/// Which days of a month: one of two fields says it, the other is `?`.
enum Day {
    OfMonth(BTreeSet<i16>),
    /// The last one, or the last one that is no Saturday or Sunday.
    Last {
        weekday: bool,
    },
    /// The one that is no Saturday or Sunday and nearest to a day.
    Nearest(i16),
    OfWeek(BTreeSet<i16>),
    LastOfWeek(i16),
    NthOfWeek(i16, i16),
}

/// Refuses what is no schedule of a maintenance window.
pub(super) fn check(text: &str) -> Result<(), Fault> {
    match parse(text) {
        Some(Schedule::Cron(cron)) if cron.is_closer_than(LEAST_MINUTES) => Err(invalid(format!(
            "The schedule expression {text} is not valid: it runs more often than every {LEAST_MINUTES} minutes."
        ))),
        Some(_) => Ok(()),
        None => Err(invalid(format!(
            "The schedule expression {text} is not valid."
        ))),
    }
}

/// Returns the time zone of an IANA name, as it came with the program.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// Says whether a text is a date in ISO-8601's extended format.
pub(super) fn is_date(text: &str) -> bool {
    instant(text).is_some()
}

/// Reads such a date, in UTC where it does not say otherwise.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    moment(text, &TimeZone::UTC)
}

/// Says whether there is no time between two dates of a window.
pub(super) fn is_no_span(start: &str, end: &str, timezone: Option<&str>) -> bool {
    let zone = timezone.and_then(zone).unwrap_or(TimeZone::UTC);
    let dates = moment(start, &zone).zip(moment(end, &zone));
    dates.is_some_and(|(start, end)| end <= start)
}

/// Returns when a window opens next, as answers carry it.
pub(super) fn next(window: &Window, now: Timestamp) -> Option<String> {
    let opening = Opening::of(window)?;
    Some(opening.shown(opening.after(now)?))
}

/// Returns the moments at which a window opens after another one, as such and as answers carry them: all of a year, and
/// the first in any case.
pub(super) fn upcoming(window: &Window, after: Timestamp) -> Vec<(Timestamp, String)> {
    let Some(opening) = Opening::of(window) else {
        return Vec::new();
    };
    let until = after.checked_add(LISTED_FOR).unwrap_or(Timestamp::MAX);
    let first = opening.after(after);
    iter::successors(first, |last| opening.after(*last))
        .take(MOST_LISTED)
        .take_while(|time| *time <= until || Some(*time) == first)
        .map(|time| (time, opening.shown(time)))
        .collect()
}

/// When a window opens.
struct Opening {
    schedule: Schedule,
    /// How many days after the day that a cron expression means.
    offset: i64,
    zone: TimeZone,
    from: Timestamp,
    end: Option<Timestamp>,
}

impl Opening {
    /// Reads a window; one that is not enabled never opens.
    fn of(window: &Window) -> Option<Self> {
        let text = |member: &str| window.fields.get(member).and_then(Value::as_str);
        if window.fields.get("Enabled") != Some(&Value::Bool(true)) {
            return None;
        }
        let zone = match text("ScheduleTimezone") {
            Some(name) => zone(name)?,
            None => TimeZone::UTC,
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seconds since 1970 fit 64 bits"
        )]
        let created = Timestamp::from_second(window.created as i64).ok()?;
        let start = text("StartDate").and_then(|date| moment(date, &zone));
        let offset = window.fields.get("ScheduleOffset").and_then(Value::as_i64);
        Some(Self {
            schedule: parse(text("Schedule")?)?,
            offset: offset.unwrap_or_default(),
            from: start.map_or(created, |start| start.max(created)),
            end: text("EndDate").and_then(|date| moment(date, &zone)),
            zone,
        })
    }

    /// Returns the first moment after another one at which it opens.
    fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let next = match &self.schedule {
            Schedule::At(time) => time.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp(),
            Schedule::Rate(period) => {
                let passed = now.duration_since(self.from).as_secs().max(-1);
                let periods = passed.div_euclid(period.as_secs()) + 1;
                self.from
                    .checked_add(SignedDuration::from_secs(periods * period.as_secs()))
                    .ok()?
            }
            Schedule::Cron(cron) => cron.next(self.from, now, self.offset, &self.zone)?,
        };
        let is_over = self.end.is_some_and(|end| next > end);
        (next > now && next >= self.from && !is_over).then_some(next)
    }

    fn shown(&self, moment: Timestamp) -> String {
        shown(&moment.to_zoned_datetime(self.zone.clone()))
    }
}

/// Writes a moment without seconds that are none, as AWS does.
fn shown(moment: &ZonedDateTime) -> String {
    let seconds = if moment.second() == 0 { "" } else { ":%S" };
    let offset = if moment.offset().is_zero() {
        "Z"
    } else {
        "%:z"
    };
    moment
        .strftime(&format!("%Y-%m-%dT%H:%M{seconds}{offset}"))
        .to_string()
}

fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let civil = text.parse::<DateTime>().ok();
    let civil = civil.or_else(|| Some(text.parse::<Date>().ok()?.at(0, 0, 0, 0)))?;
    Some(civil.to_zoned_datetime(zone.clone()).ok()?.timestamp())
}

fn parse(text: &str) -> Option<Schedule> {
    let inside = |name: &str| {
        text.strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(time) = inside("at") {
        return Some(Schedule::At(time.parse().ok()?));
    }
    if let Some(rate) = inside("rate") {
        let (number, unit) = rate.split_once(' ')?;
        let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
        let seconds = match (unit, number) {
            ("minute", 1) | ("minutes", 2..) => 60,
            ("hour", 1) | ("hours", 2..) => 3600,
            ("day", 1) | ("days", 2..) => 86400,
            _ => return None,
        };
        let seconds = number.checked_mul(seconds)?;
        return Some(Schedule::Rate(SignedDuration::from_secs(seconds)));
    }
    let fields: Vec<&str> = inside("cron")?.split_whitespace().collect();
    // Seconds may come first.
    let (seconds, fields) = match &fields[..] {
        [seconds, rest @ ..] if rest.len() == 6 => (*seconds, rest),
        all => ("0", all),
    };
    let [minutes, hours, of_month, months, of_week, years] = *fields else {
        return None;
    };
    Some(Schedule::Cron(Box::new(Cron {
        seconds: set(seconds, 0, 59, &[])?,
        minutes: set(minutes, 0, 59, &[])?,
        hours: set(hours, 0, 23, &[])?,
        day: day(of_month, of_week)?,
        months: set(months, 1, 12, &MONTHS)?,
        years: set(years, 1970, 2199, &[])?,
    })))
}

fn day(of_month: &str, of_week: &str) -> Option<Day> {
    if of_week == "?" {
        return match of_month {
            "L" => Some(Day::Last { weekday: false }),
            "LW" => Some(Day::Last { weekday: true }),
            _ => match of_month.strip_suffix('W') {
                Some(day) => Some(Day::Nearest(one(day, 1, 31, &[])?)),
                None => Some(Day::OfMonth(set(of_month, 1, 31, &[])?)),
            },
        };
    }
    if of_month != "?" {
        return None;
    }
    if let Some((day, nth)) = of_week.split_once('#') {
        return Some(Day::NthOfWeek(one(day, 1, 7, &DAYS)?, one(nth, 1, 5, &[])?));
    }
    match of_week.strip_suffix('L') {
        Some("") => Some(Day::OfWeek(BTreeSet::from([7]))),
        Some(day) => Some(Day::LastOfWeek(one(day, 1, 7, &DAYS)?)),
        None => Some(Day::OfWeek(set(of_week, 1, 7, &DAYS)?)),
    }
}

/// Reads one number, or the name that stands for it.
fn one(text: &str, min: i16, max: i16, names: &[&str]) -> Option<i16> {
    let position = names
        .iter()
        .position(|name| text.eq_ignore_ascii_case(name));
    let number = match position {
        Some(index) => i16::try_from(index).ok()? + 1,
        None => text.parse().ok()?,
    };
    (min..=max).contains(&number).then_some(number)
}

/// Reads a list of numbers, ranges and steps.
fn set(text: &str, min: i16, max: i16, names: &[&str]) -> Option<BTreeSet<i16>> {
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (one(first, min, max, names)?, one(last, min, max, names)?),
            None if range == "*" => (min, max),
            // A number with a step is where the steps begin.
            None if part.contains('/') => (one(range, min, max, names)?, max),
            None => (one(range, min, max, names)?, one(range, min, max, names)?),
        };
        if first > last {
            return None;
        }
        found.extend((first..=last).step_by(step));
    }
    Some(found)
}

impl Cron {
    /// Returns the first moment after `now` that is `offset` days after one that the expression means.
    ///
    /// One that was meant before the window began to count does not open it, however long the offset is.
    fn next(
        &self,
        from: Timestamp,
        now: Timestamp,
        offset: i64,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        let offset = Span::new().try_days(offset).ok()?;
        let first = now.max(from).to_zoned_datetime(zone.clone()).date();
        let mut date = first.checked_sub(offset).ok()?;
        for _ in 0..HORIZON {
            if self.means(date) {
                for (hour, minute) in self.times() {
                    let meant = date.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
                    let meant = meant.to_zoned_datetime(zone.clone()).ok()?;
                    let opens = meant.checked_add(offset).ok()?.timestamp();
                    if opens > now && meant.timestamp() >= from {
                        return Some(opens);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// Says whether two of its moments in a row on one day are fewer minutes apart.
    fn is_closer_than(&self, least: i16) -> bool {
        let hours = self.hours.iter();
        let minutes: Vec<i16> = hours
            .flat_map(|hour| self.minutes.iter().map(move |minute| hour * 60 + minute))
            .collect();
        let mut pairs = minutes.iter().zip(minutes.iter().skip(1));
        self.seconds.len() > 1 || pairs.any(|(one, other)| other - one < least)
    }

    fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        self.hours.iter().flat_map(|hour| {
            let minutes = self.minutes.iter();
            minutes
                .filter_map(|minute| Some((i8::try_from(*hour).ok()?, i8::try_from(*minute).ok()?)))
        })
    }

    fn means(&self, date: Date) -> bool {
        let (day, last) = (i16::from(date.day()), i16::from(date.days_in_month()));
        let weekday = i16::from(date.weekday().to_sunday_one_offset());
        let day_fits = match &self.day {
            Day::OfMonth(days) => days.contains(&day),
            Day::OfWeek(days) => days.contains(&weekday),
            Day::Last { weekday: false } => day == last,
            Day::Last { weekday: true } => Some(date) == nearest(date, last),
            Day::Nearest(wanted) => *wanted <= last && Some(date) == nearest(date, *wanted),
            Day::LastOfWeek(wanted) => weekday == *wanted && day + 7 > last,
            Day::NthOfWeek(wanted, nth) => weekday == *wanted && (day - 1) / 7 + 1 == *nth,
        };
        day_fits
            && self.months.contains(&i16::from(date.month()))
            && self.years.contains(&date.year())
    }
}

/// Returns the day of the month of `date` that is no Saturday or Sunday and nearest to `wanted`.
fn nearest(date: Date, wanted: i16) -> Option<Date> {
    let last = i16::from(date.days_in_month());
    let day = Date::new(date.year(), date.month(), i8::try_from(wanted).ok()?).ok()?;
    let moved = match day.weekday().to_sunday_one_offset() {
        7 if wanted > 1 => wanted - 1,
        7 => wanted + 2,
        1 if wanted < last => wanted + 1,
        1 => wanted - 2,
        _ => wanted,
    };
    Date::new(date.year(), date.month(), i8::try_from(moved).ok()?).ok()
}
