//! Plain text that can be pasted into a page.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::collections::BTreeMap;

use crate::floor::floor;
use crate::measure::{Call, Run};

/// Prints a line, after an empty one.
pub(crate) fn say(line: &str) {
    println!("\n{line}\n");
}

/// Prints a line.
pub(crate) fn line(line: &str) {
    println!("{line}");
}

/// Prints the names of the columns.
pub(crate) fn head(against_aws: bool) {
    let aws = format!(
        "{:>8} {:>10} {:>9} {:>7}  bound by",
        "calls", "throttled", "floor s", "×floor"
    );
    println!(
        "{:>8} {:>9} {:>8} {:>8} {:>7} {}",
        "objects",
        "seconds",
        "cpu s",
        "peak MB",
        "growth",
        if against_aws { &aws } else { "" }
    );
}

/// What one run took.
pub(crate) struct Row {
    size: usize,
    seconds: f64,
    cpu: f64,
    peak: u64,
    rest: Vec<String>,
}

impl Row {
    /// A run without AWS.
    pub(crate) fn alone(size: usize, ran: &Run) -> Self {
        Self::new(size, ran.seconds, ran.cpu, ran.peak)
    }

    /// A run of so many seconds, seconds of processors, and bytes.
    pub(crate) fn new(size: usize, seconds: f64, cpu: f64, peak: u64) -> Self {
        Self {
            size,
            seconds,
            cpu,
            peak,
            rest: Vec::new(),
        }
    }

    /// A run against a sandbox that recorded its calls.
    pub(crate) fn against(size: usize, ran: &Run, calls: &[Call]) -> Self {
        let floor = floor(calls);
        let throttled = calls.iter().filter(|call| is_throttled(call)).count();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for call in calls {
            *counts.entry((&call.service, &call.operation)).or_default() += 1;
        }
        let mut rest = vec![format!(
            "{:>8} {throttled:>10} {:>9.2} {:>7.2}  {}",
            calls.len(),
            floor.seconds,
            ran.seconds / floor.seconds,
            floor.by
        )];
        let mut services: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for ((service, operation), count) in counts {
            let of = services.entry(service).or_default();
            of.push(format!("{operation} {count}"));
        }
        rest.extend(
            services
                .into_iter()
                .map(|(service, of)| format!("{:>17}: {}", service, of.join(", "))),
        );
        Self {
            rest,
            ..Self::alone(size, ran)
        }
    }

    /// Adds a word to its line.
    pub(crate) fn remark(mut self, remark: String) -> Self {
        self.rest.insert(0, remark);
        self
    }

    /// Prints it; answers with what the next row grows from.
    #[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a megabyte")]
    pub(crate) fn print(self, before: Option<f64>) -> f64 {
        let Self {
            size,
            seconds,
            cpu,
            peak,
            rest,
        } = self;
        let growth = before.map_or(String::new(), |before| format!("×{:.1}", seconds / before));
        let mut rest = rest.into_iter();
        println!(
            "{size:>8} {seconds:>9.3} {cpu:>8.2} {:>8.1} {growth:>7} {}",
            peak as f64 / 1e6,
            rest.next().unwrap_or_default()
        );
        rest.for_each(|line| println!("{line}"));
        seconds
    }
}

fn is_throttled(call: &Call) -> bool {
    let code = call.code.as_deref().unwrap_or_default();
    code.contains("Throttl") || code == "TooManyRequestsException"
}
