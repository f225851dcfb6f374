//! When an association may run: less than a maintenance window knows. [D] user guide, "Reference: Cron and rate
//! expressions for Systems Manager", the sections for associations.

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Says whether an association takes a schedule.
pub(super) fn is_valid(text: &str) -> bool {
    if let Some(time) = inside(text, "at") {
        return time.parse::<jiff::civil::DateTime>().is_ok();
    }
    if let Some(rate) = inside(text, "rate") {
        return is_rate(rate);
    }
    inside(text, "cron").is_some_and(|fields| {
        let fields: Vec<&str> = fields.split_whitespace().collect();
        is_cron(&fields)
    })
}

fn inside<'a>(text: &'a str, form: &str) -> Option<&'a str> {
    text.strip_prefix(form)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

/// A rate is of 30 minutes at least, and of less than 31 days.
fn is_rate(rate: &str) -> bool {
    let Some((number, unit)) = rate.split_once(' ') else {
        return false;
    };
    let Ok(number) = number.parse::<i64>() else {
        return false;
    };
    let minutes = match (unit, number) {
        ("minute", 1) | ("minutes", 2..) => 1,
        ("hour", 1) | ("hours", 2..) => 60,
        ("day", 1) | ("days", 2..) => 24 * 60,
        _ => return false,
    };
    let minutes = number.saturating_mul(minutes);
    (30..31 * 24 * 60).contains(&minutes)
}

/// Every half hour; every 1, 2, 4, 8 or 12 hours; or once a day, or on days of the week. No days of the month, no
/// months, no years. Seconds may come first, and are none.
fn is_cron(fields: &[&str]) -> bool {
    let fields = match fields {
        ["0", rest @ ..] if rest.len() == 6 => rest,
        all => all,
    };
    let [minutes, hours, of_month, "*", of_week, "*"] = *fields else {
        return false;
    };
    let number = |text: &str, below: u8| text.parse::<u8>().is_ok_and(|number| number < below);
    // The last as in AWS's own example: AWS CLI reference, `update-association`.
    let every_day = |text: &str| matches!(text, "*" | "?" | "1/1");
    let often = match (minutes, hours) {
        ("0/30", "*") => true,
        (minutes, hours) if number(minutes, 60) => {
            let step = hours.split_once('/').map(|(first, step)| {
                (first == "*" || number(first, 24)) && ["1", "2", "4", "8", "12"].contains(&step)
            });
            hours == "*" || step == Some(true)
        }
        _ => false,
    };
    let once = number(minutes, 60) && number(hours, 24);
    match (of_month, of_week) {
        ("?", "?") | ("*", "*") => false,
        (of_month, of_week) if every_day(of_month) && every_day(of_week) => often || once,
        ("?", of_week) => once && is_weekday(of_week),
        _ => false,
    }
}

fn is_weekday(text: &str) -> bool {
    let one = |text: &str| {
        DAYS.iter().any(|day| text.eq_ignore_ascii_case(day))
            || text.parse().is_ok_and(|day: u8| (1..=7).contains(&day))
    };
    if let Some((day, nth)) = text.split_once('#') {
        return one(day) && nth.parse().is_ok_and(|nth: u8| (1..=5).contains(&nth));
    }
    if let Some(day) = text.strip_suffix('L') {
        return one(day);
    }
    text.split(',').all(|part| match part.split_once('-') {
        Some((first, last)) => one(first) && one(last),
        None => one(part),
    })
}
