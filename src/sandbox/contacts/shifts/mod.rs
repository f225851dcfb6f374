//! The calculus of turns: who is on call when. Pure: no clock, no store, no wire.
//!
//! People of a rotation take turns in list order. A *hand-off* is a moment at which the turn passes on; hand-offs are
//! wall-clock times in the rotation's time zone, and every [`Turns::multiplier`]th day, week or month has some. A
//! *shift* is what lies between two hand-offs, less the hours that [`Coverage`] leaves out. An [`Override`] puts other
//! people in for a span of time.
//!
//! Documented by AWS: the first shift counts from the rotation's start, the zone rules every wall-clock value, the
//! multiplier is the length of a turn, people wrap around, several may be on call together. The rest was decided
//! here, and is the same for stored rotations and previews: a wall-clock time that does not exist (spring) moves
//! forward by the gap, one that exists twice (autumn) is the earlier; a day of the month that a month lacks is its
//! last day; what hands off is a position in the list, `on_calls` places at a time.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// How the people of a rotation take turns.
#[derive(Clone, Debug)]
pub struct Turns {
    /// The zone of all wall-clock values.
    pub zone: TimeZone,
    /// When the first shift begins.
    pub start: Timestamp,
    /// The people, in the order of their turns.
    pub members: Vec<String>,
    /// How many of them are on call together.
    pub on_calls: usize,
    /// Every how many days, weeks or months there are hand-offs; at least 1.
    pub multiplier: u32,
    /// When the turn passes on.
    pub hand_offs: HandOffs,
    /// The hours that are covered; without it, all of them.
    pub coverage: Option<Coverage>,
}

/// When the turn passes on, within one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOffs {
    /// At these times of the day.
    Daily(Vec<Time>),
    /// On these days of the (Monday to Sunday) week.
    Weekly(Vec<(Weekday, Time)>),
    /// On these days of the month.
    Monthly(Vec<(i8, Time)>),
}

/// The hours of each weekday that are covered, Monday first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(pub [Vec<Hours>; 7]);

/// Hours of one day; when the end is not after the start they run into the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The first covered moment.
    pub start: Time,
    /// The first moment that is not covered any more.
    pub end: Time,
}

/// Other people for a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Who is on call instead; may be nobody.
    pub members: Vec<String>,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// When it was made: where overrides overlap, the latest rules.
    pub created: Timestamp,
}

/// A span of time with the same people on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// Who is on call.
    pub members: Vec<String>,
    /// Who would be, but for an override.
    pub displaced: Option<Vec<String>>,
}

/// A span of time, end excluded.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

impl Turns {
    /// Lists the shifts that overlap the time from `from` until `to`, in order of time.
    ///
    /// A shift is returned whole, even where it reaches over these bounds. The work grows with the time since the
    /// rotation's start, and goes no further than the caller takes.
    pub fn shifts<'a>(
        &'a self,
        overrides: &'a [Override],
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = Shift> + 'a {
        let mut moments = self.moments().peekable();
        let mut turn = 0;
        let turns = std::iter::from_fn(move || {
            let start = moments.next()?;
            let end = moments.peek().copied().unwrap_or(Timestamp::MAX);
            turn += 1;
            Some((turn - 1, Stretch { start, end }))
        });
        turns
            .skip_while(move |(_, stretch)| stretch.end <= from)
            .take_while(move |(_, stretch)| stretch.start < to)
            .flat_map(move |(turn, stretch)| {
                let members = self.members_in(turn);
                self.covered(stretch)
                    .into_iter()
                    .flat_map(move |piece| cut(piece, &members, overrides))
            })
            .filter(move |shift| from < shift.end && shift.start < to)
    }

    /// Returns who is on call at one moment; nobody before the start, and outside the covered hours.
    pub fn on_call(&self, overrides: &[Override], at: Timestamp) -> Vec<String> {
        let Ok(next) = at.checked_add(Span::new().nanoseconds(1)) else {
            return Vec::new();
        };
        self.shifts(overrides, at, next)
            .next()
            .map(|shift| shift.members)
            .unwrap_or_default()
    }

    /// Returns the people whose turn it is.
    fn members_in(&self, turn: usize) -> Vec<String> {
        let count = self.members.len();
        let together = self.on_calls.min(count);
        (0..together)
            .map(|place| self.members[(turn * together + place) % count].clone())
            .collect()
    }

    /// Lists the start and every hand-off after it.
    fn moments(&self) -> Moments<'_> {
        Moments {
            turns: self,
            last: None,
            ready: BTreeSet::new(),
            period: 0,
            complete: Some(self.start),
        }
    }

    /// Returns the first day of a period, counted from the one that the start lies in.
    fn first_day(&self, period: u32) -> Option<Date> {
        let day = self.zone.to_datetime(self.start).date();
        let steps = i64::from(period) * i64::from(self.multiplier.max(1));
        match &self.hand_offs {
            HandOffs::Daily(_) => after(day, steps),
            HandOffs::Weekly(_) => {
                let monday = after(day, -i64::from(day.weekday().to_monday_zero_offset()))?;
                after(monday, steps * 7)
            }
            HandOffs::Monthly(_) => {
                let months = Span::new().try_months(steps).ok()?;
                day.first_of_month().checked_add(months).ok()
            }
        }
    }

    /// Returns the hand-offs of a period that begins on this day.
    fn hand_offs_from(&self, first: Date) -> Vec<Timestamp> {
        let local: Vec<Option<(Date, Time)>> = match &self.hand_offs {
            HandOffs::Daily(times) => times.iter().map(|time| Some((first, *time))).collect(),
            HandOffs::Weekly(times) => times
                .iter()
                .map(|(day, time)| {
                    let day = after(first, i64::from(day.to_monday_zero_offset()))?;
                    Some((day, *time))
                })
                .collect(),
            HandOffs::Monthly(times) => times
                .iter()
                .map(|(day, time)| {
                    let day = i64::from((*day).min(first.days_in_month()));
                    Some((after(first, day - 1)?, *time))
                })
                .collect(),
        };
        local
            .into_iter()
            .flatten()
            .filter_map(|(day, time)| self.at(day, time))
            .collect()
    }

    /// Returns the moment of a wall-clock time: the later one in a gap, the earlier one in a fold.
    fn at(&self, day: Date, time: Time) -> Option<Timestamp> {
        self.zone.to_timestamp(day.to_datetime(time)).ok()
    }

    /// Returns the covered parts of a stretch, merged where they touch.
    fn covered(&self, stretch: Stretch) -> Vec<Stretch> {
        let Some(Coverage(week)) = &self.coverage else {
            return vec![stretch];
        };
        let last = self.zone.to_datetime(stretch.end).date();
        let mut pieces = Vec::new();
        // Hours that began on the evening before may reach into the stretch.
        let mut day = after(self.zone.to_datetime(stretch.start).date(), -1);
        while let Some(today) = day.filter(|day| *day <= last) {
            let weekday = usize::try_from(today.weekday().to_monday_zero_offset()).unwrap_or(0);
            pieces.extend(week[weekday].iter().filter_map(|hours| {
                let until = if hours.end > hours.start {
                    today
                } else {
                    after(today, 1)?
                };
                let start = self.at(today, hours.start)?.max(stretch.start);
                let end = self.at(until, hours.end)?.min(stretch.end);
                (start < end).then_some(Stretch { start, end })
            }));
            day = after(today, 1);
        }
        pieces.sort_by_key(|piece| (piece.start, piece.end));
        let mut merged: Vec<Stretch> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match merged.last_mut() {
                Some(before) if piece.start <= before.end => before.end = before.end.max(piece.end),
                _ => merged.push(piece),
            }
        }
        merged
    }
}

/// Returns the day so many days later.
fn after(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// Divides a stretch at the bounds of the overrides that touch it.
fn cut(piece: Stretch, members: &[String], overrides: &[Override]) -> Vec<Shift> {
    let touching: Vec<&Override> = overrides
        .iter()
        .filter(|o| o.start < piece.end && piece.start < o.end)
        .collect();
    let bounds: BTreeSet<Timestamp> = touching
        .iter()
        .flat_map(|o| [o.start, o.end])
        .map(|bound| bound.clamp(piece.start, piece.end))
        .chain([piece.start, piece.end])
        .collect();
    let bounds: Vec<Timestamp> = bounds.into_iter().collect();
    let mut parts: Vec<(Stretch, Option<&Override>)> = Vec::new();
    for pair in bounds.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let ruling = touching
            .iter()
            .copied()
            .filter(|o| o.start <= start && end <= o.end)
            .max_by_key(|o| o.created);
        match parts.last_mut() {
            Some((before, same)) if *same == ruling => before.end = end,
            _ => parts.push((Stretch { start, end }, ruling)),
        }
    }
    parts
        .into_iter()
        .map(|(stretch, ruling)| Shift {
            start: stretch.start,
            end: stretch.end,
            members: ruling.map_or_else(|| members.to_vec(), |o| o.members.clone()),
            displaced: ruling.map(|_| members.to_vec()),
        })
        .collect()
}

/// The start of a rotation and its hand-offs, one after the other.
struct Moments<'a> {
    turns: &'a Turns,
    /// The moment returned last.
    last: Option<Timestamp>,
    /// Hand-offs of the periods looked at so far.
    ready: BTreeSet<Timestamp>,
    /// The next period to look at.
    period: u32,
    /// Until when `ready` is complete; nothing once there are no more periods.
    complete: Option<Timestamp>,
}

impl Moments<'_> {
    /// Looks at one more period.
    fn extend(&mut self) {
        let turns = self.turns;
        let Some(first) = turns.first_day(self.period) else {
            self.complete = None;
            return;
        };
        let hand_offs = turns.hand_offs_from(first);
        if hand_offs.is_empty() {
            self.complete = None;
            return;
        }
        self.ready
            .extend(hand_offs.into_iter().filter(|at| *at > turns.start));
        self.period += 1;
        // A day's wall-clock times lie in its own hours, or (in a gap of a whole day: Samoa 2011) in the next day's.
        self.complete = turns
            .first_day(self.period)
            .and_then(|next| after(next, -1))
            .and_then(|day| turns.at(day, Time::midnight()));
    }
}

impl Iterator for Moments<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let Some(last) = self.last else {
            self.last = Some(self.turns.start);
            return self.last;
        };
        loop {
            let next = self
                .ready
                .first()
                .copied()
                .filter(|at| self.complete.is_none_or(|complete| *at < complete));
            match next {
                Some(at) => {
                    self.ready.pop_first();
                    if at > last {
                        self.last = Some(at);
                        return Some(at);
                    }
                }
                None if self.complete.is_none() => return None,
                None => self.extend(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
