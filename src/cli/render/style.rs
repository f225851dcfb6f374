//! What a format is told beside the plan: colour, width, wording, and what the run cost.

use std::time::Duration;

use anstyle::AnsiColor;

use crate::model::plan::Action;

/// How a text for people is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour; the text is understood without.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
    /// Whether to show what is otherwise shortened or collapsed.
    pub verbose: bool,
}

impl Style {
    /// Returns the width that can be laid out in at all.
    pub(super) fn columns(&self) -> usize {
        self.width.max(40)
    }

    /// Returns the text in a colour, when colours are wanted.
    pub(super) fn paint(&self, paint: anstyle::Style, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{paint}{text}{paint:#}")
        } else {
            text.to_owned()
        }
    }

    /// Returns the text in the colour of an action.
    pub(super) fn action(&self, action: Action, text: &str) -> String {
        self.paint(action_style(action), text)
    }

    /// Returns the text in the background.
    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(anstyle::Style::new().dimmed(), text)
    }

    /// Returns the text in the foreground.
    pub(super) fn bold(&self, text: &str) -> String {
        self.paint(anstyle::Style::new().bold(), text)
    }

    /// Returns a line of a text difference in the colour of its mark.
    pub(super) fn line(&self, mark: char, text: &str) -> String {
        match mark {
            '+' => self.paint(AnsiColor::Green.on_default(), text),
            '-' => self.paint(AnsiColor::Red.on_default(), text),
            '@' => self.paint(AnsiColor::Cyan.on_default(), text),
            _ => text.to_owned(),
        }
    }
}

fn action_style(action: Action) -> anstyle::Style {
    match action {
        Action::Create => AnsiColor::Green.on_default(),
        Action::Update | Action::Unknown => AnsiColor::Yellow.on_default(),
        Action::Replace => AnsiColor::Magenta.on_default(),
        Action::Delete => AnsiColor::Red.on_default(),
        Action::Adopt => AnsiColor::Cyan.on_default(),
        Action::Blocked => AnsiColor::Red.on_default().bold(),
    }
}

/// What a plan is about, for its wording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// What would be done.
    #[default]
    Plan,
    /// What AWS did.
    Drift,
    /// What of the stack would go.
    Destroy,
}

/// What a plan is about, and what it cost to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Title {
    /// What it is about.
    pub wording: Wording,
    /// How many calls AWS answered.
    pub calls: Option<u64>,
    /// How long it took.
    pub elapsed: Option<Duration>,
    /// Whether it is about what a change can affect alone.
    pub narrowed: bool,
}

impl Title {
    /// Returns `14 calls, 0.9 s`, as far as known.
    pub(super) fn cost(&self) -> String {
        let calls = self.calls.map(|calls| match calls {
            1 => "1 call".to_owned(),
            more => format!("{more} calls"),
        });
        let parts: Vec<String> = calls
            .into_iter()
            .chain(self.elapsed.map(duration))
            .collect();
        parts.join(", ")
    }
}

/// Returns `0.9 s`, `42 s`, `3 min 5 s`.
pub(super) fn duration(elapsed: Duration) -> String {
    let tenths = elapsed.as_millis().div_ceil(100);
    if tenths < 100 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        match elapsed.as_secs() {
            seconds @ 0..60 => format!("{seconds} s"),
            seconds => format!("{} min {} s", seconds / 60, seconds % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_a_person_needs() {
        let shown = [40, 900, 9_900, 42_300, 185_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["0.1 s", "0.9 s", "9.9 s", "42 s", "3 min 5 s"]);
    }

    #[test]
    fn the_cost_says_what_is_known() {
        let mut title = Title::default();
        assert_eq!(title.cost(), "");
        title.calls = Some(1);
        assert_eq!(title.cost(), "1 call");
        title.elapsed = Some(Duration::from_millis(900));
        assert_eq!(title.cost(), "1 call, 0.9 s");
    }
}
