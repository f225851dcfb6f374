//! What is going on: a line for each change where nobody watches, and one moving line on a terminal.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::style::duration;
use super::{Style, text};
use crate::engine::{Ending, Event};
use crate::model::plan::Action;
use crate::model::{Address, Location};

/// Returns the line that tells of an event, where it is worth one. `places` are those of the run.
pub fn line(event: &Event, places: &BTreeSet<Location>, style: &Style) -> Option<String> {
    let at = |location: &Location| {
        if places.len() > 1 {
            let place = format!("in {location}");
            format!("  {}", style.dim(&text::clean(&place)))
        } else {
            String::new()
        }
    };
    match event {
        Event::Observed {
            location,
            kind,
            found,
        } => match found {
            Ok(1) if style.verbose => Some(format!("  {kind}  1 read in {location}")),
            Ok(count) if style.verbose => Some(format!("  {kind}  {count} read in {location}")),
            Ok(_) => None,
            Err(why) => {
                let mark = style.action(Action::Unknown, Action::Unknown.mark());
                Some(format!(
                    "{mark} {kind}  in {location}: {}",
                    text::clean(why)
                ))
            }
        },
        Event::Waiting { address, location } => {
            let address = address.to_string();
            Some(format!(
                "  {}  AWS is at work on it{}",
                text::clean(&address),
                at(location)
            ))
        }
        Event::Ended {
            address,
            location,
            action,
            ending,
        } => {
            let mark = style.action(*action, action.mark());
            let address = address.to_string();
            let how = match ending {
                Ending::Done => "done".to_owned(),
                Ending::Failed(why) => format!("failed: {}", text::clean(why)),
                Ending::Skipped(why) => format!("not tried: {}", text::clean(why)),
            };
            Some(format!(
                "{mark} {}  {how}{}",
                text::clean(&address),
                at(location)
            ))
        }
        Event::Observing { .. } | Event::Started { .. } => None,
    }
}

/// What a progress line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// So many lists of objects are read.
    Reading(usize),
    /// So many changes are made.
    Doing(usize),
}

/// One moving line: how many are done of how many, what is in flight, and how long it will take.
#[derive(Debug)]
pub struct Terminal {
    bar: ProgressBar,
    flight: Mutex<Flight>,
    style: Style,
}

impl Terminal {
    /// Makes one that is drawn to a target, usually the terminal's stderr.
    pub fn new(target: ProgressDrawTarget, style: Style) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), target);
        // The template is a constant; a test holds that it is well formed.
        if let Ok(look) = look() {
            bar.set_style(look);
        }
        Self {
            bar,
            flight: Mutex::new(Flight::default()),
            style,
        }
    }

    /// Begins a phase; what was in flight is forgotten.
    pub fn begin(&self, phase: Phase) {
        let (word, total) = match phase {
            Phase::Reading(total) => ("reading", total),
            Phase::Doing(total) => ("applying", total),
        };
        *self.lock() = Flight::default();
        self.bar.reset();
        self.bar.set_prefix(word);
        self.bar.set_length(total as u64);
        self.bar.set_position(0);
        self.bar.set_message("");
        if !self.bar.is_hidden() {
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// Takes in an event. What failed is written above the moving line at once.
    pub fn tell(&self, event: &Event) {
        let message = {
            let mut flight = self.lock();
            flight.tell(event);
            flight.message()
        };
        self.bar.set_message(message);
        if matches!(event, Event::Observed { .. } | Event::Ended { .. }) {
            self.bar.inc(1);
        }
        let bad = matches!(
            event,
            Event::Ended {
                ending: Ending::Failed(_),
                ..
            }
        );
        if let Some(line) = line(event, &BTreeSet::new(), &self.style).filter(|_| bad) {
            self.bar.println(line);
        }
    }

    /// Runs something that writes to the terminal while the moving line is away.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look() -> Result<ProgressStyle, indicatif::style::TemplateError> {
    let left = |state: &ProgressState, out: &mut dyn Write| {
        let (done, all) = (state.pos(), state.len().unwrap_or(0));
        if done > 0 && done < all {
            // A line that cannot be drawn is no reason to stop.
            let _ = write!(out, "about {} left", duration(state.eta()));
        }
    };
    let style = ProgressStyle::with_template("{prefix} {pos}/{len}  {wide_msg}  {left}")?;
    Ok(style.with_key("left", left))
}

/// What is in flight, oldest first.
#[derive(Debug, Default)]
struct Flight(Vec<(Location, String, bool)>);

impl Flight {
    fn tell(&mut self, event: &Event) {
        match event {
            Event::Observing { location, kind } => self.start(location, (*kind).to_owned()),
            Event::Started {
                address, location, ..
            } => self.start(location, named(address)),
            Event::Waiting { address, location } => {
                let name = named(address);
                for (at, what, waits) in &mut self.0 {
                    *waits |= at == location && *what == name;
                }
            }
            Event::Observed { location, kind, .. } => self.stop(location, kind),
            Event::Ended {
                address, location, ..
            } => self.stop(location, &named(address)),
        }
    }

    /// A replacement starts twice: once to create, once to delete.
    fn start(&mut self, location: &Location, what: String) {
        if !self
            .0
            .iter()
            .any(|(at, known, _)| at == location && *known == what)
        {
            self.0.push((location.clone(), what, false));
        }
    }

    fn stop(&mut self, location: &Location, what: &str) {
        self.0
            .retain(|(at, known, _)| !(at == location && known == what));
    }

    fn message(&self) -> String {
        let names: Vec<String> = self
            .0
            .iter()
            .map(|(_, what, waits)| {
                let suffix = if *waits {
                    " (AWS is at work on it)"
                } else {
                    ""
                };
                format!("{what}{suffix}")
            })
            .collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Reading the same kind at a hundred places is one thing to a reader.
        names.dedup();
        let places: BTreeSet<&Location> = self.0.iter().map(|(place, ..)| place).collect();
        match places.len() {
            0 | 1 => text::names(names, 60),
            count => format!("{} in {count} places", text::names(names, 48)),
        }
    }
}

fn named(address: &Address) -> String {
    text::clean(&address.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{style, tokyo};
    use super::*;

    fn ended(name: &str, action: Action, ending: Ending) -> Event {
        Event::Ended {
            address: Address::new("Contact", name),
            location: tokyo(),
            action,
            ending,
        }
    }

    fn started(name: &str) -> Event {
        Event::Started {
            address: Address::new("Contact", name),
            location: tokyo(),
            action: Action::Create,
        }
    }

    #[test]
    fn each_change_is_a_line() {
        let places = BTreeSet::from([tokyo()]);
        let line = |event: &Event| line(event, &places, &style());
        let done = ended("kayoko", Action::Create, Ending::Done);
        assert_eq!(line(&done).unwrap(), "+ Contact/kayoko  done");
        let failed = ended(
            "yu",
            Action::Replace,
            Ending::Failed("no\u{1b}[0m".to_owned()),
        );
        assert_eq!(line(&failed).unwrap(), "± Contact/yu  failed: no\\u{1b}[0m");
        let skipped = ended(
            "yu",
            Action::Delete,
            Ending::Skipped("interrupted".to_owned()),
        );
        assert_eq!(
            line(&skipped).unwrap(),
            "- Contact/yu  not tried: interrupted"
        );
        assert_eq!(line(&started("kayoko")), None);
    }

    #[test]
    fn the_place_is_named_when_there_are_several() {
        let mut other = tokyo();
        other.region = "eu-west-1".to_owned();
        let done = ended("kayoko", Action::Create, Ending::Done);
        assert_eq!(
            line(&done, &BTreeSet::from([tokyo(), other]), &style()).unwrap(),
            "+ Contact/kayoko  done  in 111122223333/ap-northeast-1"
        );
    }

    #[test]
    fn what_is_in_flight_is_named() {
        let mut flight = Flight::default();
        for name in ["ayumi", "kayoko", "yu", "yu"] {
            flight.tell(&started(name));
        }
        flight.tell(&ended("ayumi", Action::Create, Ending::Done));
        flight.tell(&Event::Waiting {
            address: Address::new("Contact", "yu"),
            location: tokyo(),
        });
        assert_eq!(
            flight.message(),
            "Contact/kayoko, Contact/yu (AWS is at work on it)"
        );
    }

    #[test]
    fn the_moving_line_counts() {
        assert!(look().is_ok());
        let terminal = Terminal::new(ProgressDrawTarget::hidden(), style());
        terminal.begin(Phase::Doing(2));
        terminal.tell(&started("kayoko"));
        assert_eq!(terminal.bar.message(), "Contact/kayoko");
        terminal.tell(&ended("kayoko", Action::Create, Ending::Done));
        assert_eq!(
            (terminal.bar.position(), terminal.bar.length()),
            (1, Some(2))
        );
        terminal.end();
    }
}
