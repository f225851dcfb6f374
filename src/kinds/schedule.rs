//! When Systems Manager runs something: what can be said about an expression before AWS sees it.
//! [D] user guide, "Reference: Cron and rate expressions for Systems Manager".

use std::collections::BTreeSet;

use crate::kinds::contact::rules::has_variable;
use crate::model::Report;

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

const FORMS: &str = "`cron(0 2 ? * SUN *)`, `rate(7 days)` or `at(2030-07-07T15:55:00)`";

/// Reports an expression that a maintenance window does not take.
pub(in crate::kinds) fn check(text: &str, at: &str, report: &mut Report) {
    if !has_variable(text) {
        tell(text, problem(text).or_else(|| too_often(text)), at, report);
    }
}

/// Reports an expression that an association does not take; it knows fewer than a maintenance window.
pub(in crate::kinds) fn check_association(text: &str, at: &str, report: &mut Report) {
    if !has_variable(text) {
        let problem = problem(text).or_else(|| too_fine(text));
        tell(text, problem, at, report);
    }
}

fn problem(text: &str) -> Option<Problem> {
    if let Some(fields) = inside(text, "cron") {
        cron(&fields.split_whitespace().collect::<Vec<_>>()).err()
    } else if let Some(rate) = inside(text, "rate") {
        minutes(rate).err()
    } else if let Some(time) = inside(text, "at") {
        let read = time.parse::<jiff::civil::DateTime>();
        let problem = ("the moment cannot be read", "write UTC without an offset");
        read.err().map(|_| problem)
    } else {
        Some(("it is of no known form", "write one of the forms"))
    }
}

/// How many minutes at least are between two runs of a cron expression. [D] the same page: faster ones are not supported.
const LEAST_MINUTES: u32 = 5;

/// Says that a cron expression, which is right as such, runs more often than AWS supports.
fn too_often(text: &str) -> Option<Problem> {
    let fields: Vec<&str> = inside(text, "cron")?.split_whitespace().collect();
    let (seconds, minutes, hours) = match fields[..] {
        [seconds, minutes, hours, _, _, _, _] => (seconds, minutes, hours),
        [minutes, hours, ..] => ("0", minutes, hours),
        _ => return None,
    };
    let minutes = values(minutes, 59)?;
    let (first, last) = (*minutes.first()?, *minutes.last()?);
    let close = |(one, next): (&u32, &u32)| next - one < LEAST_MINUTES;
    // From the last of an hour to the first of the next one.
    let around = values(hours, 23)?.len() > 1 && first + 60 - last < LEAST_MINUTES;
    let often = values(seconds, 59)?.len() > 1
        || minutes.iter().zip(minutes.iter().skip(1)).any(close)
        || around;
    often.then_some((
        "it runs more often than every five minutes",
        "for instance `cron(0/5 * * * ? *)`",
    ))
}

/// Returns the numbers that a field of a cron expression stands for, from 0 on.
fn values(field: &str, high: u32) -> Option<BTreeSet<u32>> {
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().ok()?)),
            None => (part, None),
        };
        let (low, end) = match range.split_once('-') {
            Some((low, end)) => (low.parse().ok()?, end.parse().ok()?),
            None if range == "*" => (0, high),
            None => {
                let low = range.parse().ok()?;
                (low, if step.is_some() { high } else { low })
            }
        };
        all.extend((low..=end).step_by(step.unwrap_or(1).max(1)));
    }
    Some(all)
}

/// Says what an association does not know of a schedule that is right as such. [D] the same page, the sections for
/// associations.
fn too_fine(text: &str) -> Option<Problem> {
    if let Some(rate) = inside(text, "rate") {
        let minutes = minutes(rate).ok()?;
        return (!(30..31 * 24 * 60).contains(&minutes)).then_some((
            "an association is applied every 30 minutes at most, and every 30 days at least",
            "for instance",
        ));
    }
    let fields: Vec<&str> = inside(text, "cron")?.split_whitespace().collect();
    let fields = match &fields[..] {
        [seconds, rest @ ..] if rest.len() == 6 => {
            if *seconds != "0" {
                return Some((
                    "an association knows no seconds",
                    "write `0` for them, or nothing",
                ));
            }
            rest
        }
        all => all,
    };
    let [minutes, hours, of_month, months, of_week, years] = *fields else {
        return None;
    };
    if (months, years) != ("*", "*") || !["*", "?", "1/1"].contains(&of_month) {
        return Some((
            "an association knows days of the week, and neither days of the month nor months nor years",
            "write `?` for the day of the month and `*` for month and year",
        ));
    }
    let number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let half = (minutes, hours) == ("0/30", "*");
    let step = hours.split_once('/').map(|(_, step)| step);
    let hourly = number(minutes)
        && (hours == "*" || step.is_some_and(|step| ["1", "2", "4", "8", "12"].contains(&step)));
    let every_day = ["*", "?"].contains(&of_week);
    let once = number(minutes) && number(hours);
    (!once && !(every_day && (half || hourly))).then_some((
        "an association is applied every half hour, every 1, 2, 4, 8 or 12 hours, once a day, or once on days of the week",
        "for instance `cron(0/30 * * * ? *)`, `cron(0 0/4 * * ? *)`",
    ))
}

fn tell(text: &str, problem: Option<Problem>, at: &str, report: &mut Report) {
    if let Some((problem, hint)) = problem {
        let message = format!("`{text}` is no schedule: {problem}");
        report.error("bad-schedule", at, message, format!("{hint}: {FORMS}"));
    }
}

/// Says whether an expression is of the one form that takes an offset of days.
pub(in crate::kinds) fn is_cron(text: &str) -> bool {
    text.starts_with("cron(") || has_variable(text)
}

fn inside<'a>(text: &'a str, form: &str) -> Option<&'a str> {
    text.strip_prefix(form)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

type Problem = (&'static str, &'static str);

/// Returns the minutes of a rate.
fn minutes(rate: &str) -> Result<i64, Problem> {
    let hint = "a number and a unit, `rate(1 hour)` or `rate(2 hours)`";
    let (number, unit) = rate.split_once(' ').ok_or(("the rate has no unit", hint))?;
    let number: i64 = number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or(("the rate has no number above zero", hint))?;
    let factor = match (unit, number) {
        ("minute", 1) | ("minutes", 2..) => 1,
        ("hour", 1) | ("hours", 2..) => 60,
        ("day", 1) | ("days", 2..) => 24 * 60,
        _ => {
            return Err((
                "its unit is not one of minutes, hours and days, one in the singular",
                hint,
            ));
        }
    };
    Ok(number.saturating_mul(factor))
}

fn cron(fields: &[&str]) -> Result<(), Problem> {
    // Seconds may come first.
    let fields = match fields {
        [seconds, rest @ ..] if rest.len() == 6 && is_set(seconds, 0, 59, &[]) => rest,
        all => all,
    };
    let [minutes, hours, of_month, months, of_week, years] = *fields else {
        let hint = "minutes, hours, day of the month, month, day of the week, year";
        return Err(("a cron expression has six fields", hint));
    };
    for (field, low, high, names, problem) in [
        (minutes, 0, 59, &[][..], "its minutes are not from 0 to 59"),
        (hours, 0, 23, &[][..], "its hours are not from 0 to 23"),
        (
            months,
            1,
            12,
            &MONTHS[..],
            "its months are not from 1 to 12 or JAN to DEC",
        ),
        (
            years,
            1970,
            2199,
            &[][..],
            "its years are not from 1970 to 2199",
        ),
    ] {
        if !is_set(field, low, high, names) {
            return Err((problem, "for instance"));
        }
    }
    let hint = "write `?` for the one of them that does not matter";
    match (of_month, of_week) {
        ("?", "?") => Err(("it says no day", hint)),
        ("?", day) if is_weekday(day) => Ok(()),
        (day, "?") if is_day(day) => Ok(()),
        ("?", _) => Err((
            "its day of the week is none",
            "for instance `SUN`, `MON-FRI`, `TUE#3` or `5L`",
        )),
        (_, "?") => Err((
            "its day of the month is none",
            "for instance `1`, `1,15`, `L` or `15W`",
        )),
        _ => Err((
            "it says both a day of the month and a day of the week",
            hint,
        )),
    }
}

fn is_day(text: &str) -> bool {
    let workday = text.strip_suffix('W');
    matches!(text, "L" | "LW")
        || workday.is_some_and(|day| is_one(day, 1, 31, &[]))
        || is_set(text, 1, 31, &[])
}

fn is_weekday(text: &str) -> bool {
    let nth = text.split_once('#');
    text == "L"
        || nth.is_some_and(|(day, nth)| is_one(day, 1, 7, &DAYS) && is_one(nth, 1, 5, &[]))
        || text
            .strip_suffix('L')
            .is_some_and(|day| is_one(day, 1, 7, &DAYS))
        || is_set(text, 1, 7, &DAYS)
}

fn is_one(text: &str, low: u16, high: u16, names: &[&str]) -> bool {
    names.iter().any(|name| text.eq_ignore_ascii_case(name))
        || text
            .parse()
            .is_ok_and(|number: u16| (low..=high).contains(&number))
}

fn is_set(text: &str, low: u16, high: u16, names: &[&str]) -> bool {
    text.split(',').all(|part| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step = step.parse().is_ok_and(|step: u16| step > 0);
        let range = range == "*"
            || match range.split_once('-') {
                Some((first, last)) => {
                    is_one(first, low, high, names) && is_one(last, low, high, names)
                }
                None => is_one(range, low, high, names),
            };
        step && range
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        let mut report = Report::default();
        check(text, "/schedule", &mut report);
        report.diagnostics.pop().map(|finding| finding.message)
    }

    #[test]
    fn schedules_of_every_form_are_taken() {
        for text in [
            "cron(0 2 ? * SUN *)",
            "cron(0 0 2 ? * SUN *)",
            "cron(30 23 ? * TUE#3 *)",
            "cron(0/30 1-5,22 1,15 JAN-MAR ? 2026/2)",
            "cron(0 4 LW * ? *)",
            "cron(0 4 15W * ? *)",
            "cron(0 4 ? * 5L *)",
            "cron(0 4 ? * mon-fri *)",
            "rate(1 hour)",
            "rate(7 days)",
            "at(2030-07-07T15:55:00)",
            "cron(0 ${target.vars.hour} ? * SUN *)",
        ] {
            assert_eq!(problem(text), None);
        }
    }

    #[test]
    fn what_runs_every_other_minute_is_refused() {
        for text in [
            "cron(* * * * ? *)",
            "cron(0/1 * * * ? *)",
            "cron(*/4 2 ? * SUN *)",
            "cron(10-12 2 ? * SUN *)",
            "cron(2,58 * ? * SUN *)",
            "cron(* 0 2 ? * SUN *)",
        ] {
            let problem = problem(text).unwrap_or_default();
            assert!(problem.contains("more often"), "{text}: {problem}");
        }
        for text in [
            "cron(0/5 * * * ? *)",
            "cron(0,5,55 * ? * SUN *)",
            "cron(2,58 3 ? * SUN *)",
            "cron(7 * * * ? *)",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    #[test]
    fn an_association_knows_fewer() {
        let problem = |text: &str| {
            let mut report = Report::default();
            check_association(text, "/schedule", &mut report);
            report.diagnostics.pop().map(|finding| finding.message)
        };
        for text in [
            "cron(0/30 * * * ? *)",
            "cron(0 0/4 * * ? *)",
            "cron(15 13 ? * * *)",
            "cron(0 0 2 ? * SUN *)",
            "cron(30 23 ? * TUE#3 *)",
            "cron(0 4 ? * 3L *)",
            "rate(30 minutes)",
            "rate(30 days)",
            "at(2030-07-07T15:55:00)",
            "cron(0 ${target.vars.hour} ? * SUN *)",
        ] {
            assert_eq!(problem(text), None);
        }
        for (text, words) in [
            ("cron(0/10 * * * ? *)", "half hour"),
            ("cron(0 0/3 * * ? *)", "half hour"),
            ("cron(0 0/4 ? * SUN *)", "half hour"),
            ("cron(0 2 1 * ? *)", "days of the month"),
            ("cron(0 2 ? 6 SUN *)", "months"),
            ("cron(5 0 2 ? * SUN *)", "seconds"),
            ("rate(29 minutes)", "30 minutes"),
            ("rate(31 days)", "30 days"),
            ("rate(1 days)", "singular"),
        ] {
            let message = problem(text).unwrap_or_default();
            assert!(message.contains(words), "{text}: {message}");
        }
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (text, words) in [
            ("cron(0 2 * * *)", "six fields"),
            ("cron(0 2 * * * *)", "both a day"),
            ("cron(0 2 ? * ? *)", "no day"),
            ("cron(60 2 ? * SUN *)", "minutes"),
            ("cron(0 24 ? * SUN *)", "hours"),
            ("cron(0 2 32 * ? *)", "day of the month"),
            ("cron(0 2 ? * SUN#6 *)", "day of the week"),
            ("cron(0 2 ? 13 SUN *)", "months"),
            ("cron(0 2 ? * SUN 99)", "years"),
            ("rate(7)", "unit"),
            ("rate(0 days)", "number"),
            ("rate(1 days)", "singular"),
            ("at(tomorrow)", "moment"),
            ("0 2 * * *", "form"),
        ] {
            let message = problem(text).unwrap_or_default();
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
