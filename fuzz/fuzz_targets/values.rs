//! Substitution, its inverse, and JSON Pointers, over arbitrary values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use stationbill::model::substitute::{Variables, escape, substitute};
use stationbill::model::{Location, pointer};

fuzz_target!(|input: (&str, &str)| {
    let (text, at) = input;
    let value: Value =
        serde_json::from_str(text).unwrap_or_else(|_| json!({ "a": text, "list": [text] }));
    let variables = Variables {
        location: Location {
            account: "111122223333".into(),
            region: "eu-west-1".into(),
        },
        target: "x".into(),
        vars: [("tier".to_owned(), "gold".to_owned())].into(),
    };
    let _ = substitute(value.clone(), &variables);
    assert_eq!(
        substitute(escape(value.clone()), &variables).as_ref(),
        Ok(&value)
    );
    let steps = pointer::steps(at);
    let again = steps
        .iter()
        .fold(String::new(), |base, step| pointer::join(&base, step));
    assert_eq!(pointer::steps(&again), steps);
    assert!(pointer::under(at, at));
    let mut other = value.clone();
    pointer::remove(&mut other, at);
    pointer::transplant(&value, &mut other, at);
});
