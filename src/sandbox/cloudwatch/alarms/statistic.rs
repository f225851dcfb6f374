//! The statistics of metrics (user guide, "CloudWatch statistics definitions"; API reference, `ExtendedStatistic`).

const SIMPLE: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

/// Says whether a text is a statistic of a query's metric: a simple one or an extended one.
pub(super) fn is_any(text: &str) -> bool {
    SIMPLE.contains(&text) || is_extended(text)
}

/// Says whether a text is an extended statistic: `p99.9`, `tm90`, `IQM`, `PR(:300)`, `TM(10%:90%)`.
pub(super) fn is_extended(text: &str) -> bool {
    let percent = |text: &str| number(text).is_some_and(|number| number <= 100.0);
    let of_one = ["tm", "tc", "ts", "wm", "p"];
    if text == "IQM"
        || of_one
            .iter()
            .any(|name| text.strip_prefix(name).is_some_and(percent))
    {
        return true;
    }
    let Some((name, range)) = text.split_once('(') else {
        return false;
    };
    let Some((from, to)) = range
        .strip_suffix(')')
        .and_then(|range| range.split_once(':'))
    else {
        return false;
    };
    let bound = |text: &str| match text.strip_suffix('%') {
        Some(of_hundred) => name != "PR" && percent(of_hundred),
        None => text.is_empty() || number(text).is_some(),
    };
    ["PR", "TM", "TC", "TS", "WM"].contains(&name)
        && !(from.is_empty() && to.is_empty())
        && bound(from)
        && bound(to)
}

/// Reads a number without a sign, with at most ten decimals.
fn number(text: &str) -> Option<f64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fits = match text.split_once('.') {
        None => digits(text),
        Some((whole, decimals)) => digits(whole) && digits(decimals) && decimals.len() <= 10,
    };
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_guide_names_is_a_statistic_and_nothing_else() {
        for good in [
            "p0",
            "p90",
            "p99.9",
            "p100",
            "tm90",
            "tc95",
            "ts5",
            "wm98.5",
            "IQM",
            "PR(:300)",
            "PR(100:2000)",
            "PR(1.5:)",
            "TM(10%:90%)",
            "TM(:0.5)",
            "WM(80%:)",
            "TC(0.005:0.030)",
            "TS(:99%)",
        ] {
            assert!(is_extended(good) && is_any(good), "{good}");
        }
        for bad in [
            "",
            "foo",
            "q90",
            "p",
            "p101",
            "p100.1",
            "p-1",
            "p1e1",
            "p9.",
            "P90",
            "iqm",
            "TM()",
            "TM(:)",
            "TM(90)",
            "TM(10%:101%)",
            "PR(1%:2%)",
            "XX(1:2)",
            "TM(1:2",
            "average",
        ] {
            assert!(!is_extended(bad) && !is_any(bad), "{bad}");
        }
        assert!(is_any("Average") && !is_extended("Average"));
    }
}
