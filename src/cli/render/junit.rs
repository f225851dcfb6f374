//! Plans as `JUnit` XML: what is not as declared has failed, what could not be read is an error.

use std::collections::BTreeMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::difference::{Body, shown};
use super::{Title, text, words};
use crate::engine::{Ending, Outcome};
use crate::model::Location;
use crate::model::plan::{Action, Change, Plan};

type Xml = Writer<Vec<u8>>;

/// Returns a plan as `JUnit` XML: a suite for each place, and a case for each object that is not as declared.
///
/// Objects that are as declared are only counted, by the one case of a suite of their own.
///
/// # Errors
/// When the writer fails, which it does not in memory.
pub fn plan(plan: &Plan, title: &Title) -> io::Result<String> {
    let mut places: BTreeMap<&Location, Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        places.entry(&change.location).or_default().push(change);
    }
    let time = title
        .elapsed
        .map(|elapsed| format!("{:.3}", elapsed.as_secs_f64()));
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let errors = plan.count(Action::Unknown);
    let suites = xml
        .create_element("testsuites")
        .with_attribute(("name", text::clean(&plan.stack).as_ref()))
        .with_attribute(("tests", (plan.changes.len() + 1).to_string().as_str()))
        .with_attribute((
            "failures",
            (plan.changes.len() - errors).to_string().as_str(),
        ))
        .with_attribute(("errors", errors.to_string().as_str()))
        .with_attributes(time.iter().map(|time| ("time", time.as_str())));
    suites.write_inner_content(|xml| {
        for (location, changes) in &places {
            suite(xml, location, changes, title)?;
        }
        unchanged(xml, plan)
    })?;
    let mut out = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    out.push('\n');
    Ok(out)
}

fn suite(xml: &mut Xml, location: &Location, changes: &[&Change], title: &Title) -> io::Result<()> {
    let errors = changes
        .iter()
        .filter(|change| change.action == Action::Unknown)
        .count();
    let place = text::clean(&location.to_string()).into_owned();
    xml.create_element("testsuite")
        .with_attribute(("name", place.as_str()))
        .with_attribute(("tests", changes.len().to_string().as_str()))
        .with_attribute(("failures", (changes.len() - errors).to_string().as_str()))
        .with_attribute(("errors", errors.to_string().as_str()))
        .write_inner_content(|xml| {
            for change in changes {
                case(xml, &place, change, title)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn case(xml: &mut Xml, place: &str, change: &Change, title: &Title) -> io::Result<()> {
    let class = format!("{place}.{}", text::clean(&change.address.kind));
    let address = change.address.to_string();
    let verdict = if change.action == Action::Unknown {
        "error"
    } else {
        "failure"
    };
    let mut kind = change.action.word().to_owned();
    if !change.because.is_empty() {
        text::put(&mut kind, format_args!(" ({})", words::because(change)));
    }
    let sentence = words::sentence(change, title.wording);
    let message = if sentence.is_empty() {
        kind.clone()
    } else {
        sentence
    };
    xml.create_element("testcase")
        .with_attribute(("classname", class.as_str()))
        .with_attribute(("name", text::clean(&address).as_ref()))
        .write_inner_content(|xml| {
            xml.create_element(verdict)
                .with_attribute(("type", kind.as_str()))
                .with_attribute(("message", message.as_str()))
                .write_text_content(BytesText::new(&details(change)))?;
            Ok(())
        })?;
    Ok(())
}

/// Returns what became of a plan as `JUnit` XML: a suite for each place, and a case for each change, which passes when it
/// was made.
///
/// # Errors
/// When the writer fails, which it does not in memory.
pub fn outcome(plan: &Plan, outcome: &Outcome, title: &Title) -> io::Result<String> {
    let mut places: BTreeMap<&Location, Vec<Ended<'_>>> = BTreeMap::new();
    for (index, change) in plan.changes.iter().enumerate() {
        let ending = outcome.endings.get(index).and_then(Option::as_ref);
        let place = places.entry(&change.location).or_default();
        place.push((change, ending));
    }
    let all: Vec<Ended<'_>> = places.values().flatten().copied().collect();
    let time = title
        .elapsed
        .map(|elapsed| format!("{:.3}", elapsed.as_secs_f64()));
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let [tests, failures, errors, skipped] = counts(&all, 1);
    xml.create_element("testsuites")
        .with_attribute(("name", text::clean(&plan.stack).as_ref()))
        .with_attribute(("tests", tests.as_str()))
        .with_attribute(("failures", failures.as_str()))
        .with_attribute(("errors", errors.as_str()))
        .with_attribute(("skipped", skipped.as_str()))
        .with_attributes(time.iter().map(|time| ("time", time.as_str())))
        .write_inner_content(|xml| {
            for (location, changes) in &places {
                outcome_suite(xml, location, changes)?;
            }
            unchanged(xml, plan)
        })?;
    let mut out = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    out.push('\n');
    Ok(out)
}

/// A change and how it ended.
type Ended<'a> = (&'a Change, Option<&'a Ending>);

/// How a case of an outcome ends: the element and why; nothing for one that passes.
fn verdict((change, ending): Ended<'_>) -> Option<(&'static str, &str)> {
    match ending {
        Some(Ending::Done) => None,
        Some(Ending::Failed(why)) => Some(("failure", why)),
        Some(Ending::Skipped(why)) => Some(("skipped", why)),
        None => {
            let element = match change.action {
                Action::Unknown => "error",
                Action::Blocked => "failure",
                _ => "skipped",
            };
            Some((element, words::left(change)))
        }
    }
}

fn counts(changes: &[Ended<'_>], more: usize) -> [String; 4] {
    let of = |element: &str| {
        let ended = changes.iter().filter_map(|ended| verdict(*ended));
        ended.filter(|(is, _)| *is == element).count()
    };
    let counts = [
        changes.len() + more,
        of("failure"),
        of("error"),
        of("skipped"),
    ];
    counts.map(|count| count.to_string())
}

fn outcome_suite(xml: &mut Xml, location: &Location, changes: &[Ended<'_>]) -> io::Result<()> {
    let place = text::clean(&location.to_string()).into_owned();
    let [tests, failures, errors, skipped] = counts(changes, 0);
    xml.create_element("testsuite")
        .with_attribute(("name", place.as_str()))
        .with_attribute(("tests", tests.as_str()))
        .with_attribute(("failures", failures.as_str()))
        .with_attribute(("errors", errors.as_str()))
        .with_attribute(("skipped", skipped.as_str()))
        .write_inner_content(|xml| {
            for ended in changes {
                let change = ended.0;
                let class = format!("{place}.{}", text::clean(&change.address.kind));
                let name = format!("{} {}", change.action.word(), change.address);
                let name = text::clean(&name).into_owned();
                let case = xml
                    .create_element("testcase")
                    .with_attribute(("classname", class.as_str()))
                    .with_attribute(("name", name.as_str()));
                match verdict(*ended) {
                    None => case.write_empty()?,
                    Some((element, why)) => case.write_inner_content(|xml| {
                        let why = words::said(change, why);
                        xml.create_element(element)
                            .with_attribute(("message", why.as_str()))
                            .write_empty()?;
                        Ok(())
                    })?,
                };
            }
            Ok(())
        })?;
    Ok(())
}

fn details(change: &Change) -> String {
    let mut lines = Vec::new();
    if let Some(held) = &change.held {
        lines.push(format!("left alone: {}", words::said(change, held)));
    }
    for difference in &change.differences {
        let difference = shown(change, difference);
        let path = difference.path;
        match difference.body {
            Body::Values { from, to } => {
                let none = || "(none)".to_owned();
                let (from, to) = (from.unwrap_or_else(none), to.unwrap_or_else(none));
                lines.push(format!("{path}: {from} → {to}"));
            }
            Body::Remark(remark) => lines.push(format!("{path}: {remark}")),
            Body::Text(hunks) => {
                for hunk in hunks {
                    let header = format!("{path} @@ {}", text::clean(&hunk.place));
                    lines.push(header.trim_end().to_owned());
                    let marked = hunk.lines.iter();
                    lines
                        .extend(marked.map(|(mark, line)| format!("{mark} {}", text::clean(line))));
                }
            }
        }
        lines.extend(difference.fate.map(|fate| format!("  {fate}")));
    }
    lines.join("\n")
}

fn unchanged(xml: &mut Xml, plan: &Plan) -> io::Result<()> {
    let name = match plan.unchanged {
        1 => "1 object is as declared".to_owned(),
        count => format!("{count} objects are as declared"),
    };
    xml.create_element("testsuite")
        .with_attribute(("name", "as declared"))
        .with_attribute(("tests", "1"))
        .with_attribute(("failures", "0"))
        .with_attribute(("errors", "0"))
        .write_inner_content(|xml| {
            xml.create_element("properties")
                .write_inner_content(|xml| {
                    xml.create_element("property")
                        .with_attribute(("name", "unchanged"))
                        .with_attribute(("value", plan.unchanged.to_string().as_str()))
                        .write_empty()?;
                    Ok(())
                })?;
            xml.create_element("testcase")
                .with_attribute(("classname", "as declared"))
                .with_attribute(("name", name.as_str()))
                .write_empty()?;
            Ok(())
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Wording;
    use super::super::samples::{assert_discreet, ended, rich, title};
    use super::*;

    #[test]
    fn a_plan_with_something_of_everything() {
        let shown = plan(&rich(), &title(Wording::Plan)).unwrap();
        assert_discreet(&shown);
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn an_outcome_passes_where_a_change_was_made() {
        let rich = rich();
        let shown = outcome(&rich, &ended(&rich), &title(Wording::Plan)).unwrap();
        assert_discreet(&shown);
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn with_nothing_to_do_one_case_passes() {
        let shown = plan(
            &Plan {
                unchanged: 3,
                ..Plan::default()
            },
            &Title::default(),
        )
        .unwrap();
        assert!(shown.contains(r#"tests="1" failures="0" errors="0""#));
        assert!(shown.contains(r#"name="3 objects are as declared""#));
    }

    #[test]
    fn it_is_well_formed() {
        let shown = plan(&rich(), &Title::default()).unwrap();
        let mut reader = quick_xml::Reader::from_str(&shown);
        let mut cases = 0;
        loop {
            match reader.read_event().unwrap() {
                Event::Start(e) if e.name().as_ref() == "testcase" => cases += 1,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(cases, rich().changes.len());
    }
}
