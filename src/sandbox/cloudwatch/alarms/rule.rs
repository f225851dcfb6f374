//! The rule of a composite alarm: read, and held against the states of other alarms.
//!
//! Grammar: `CloudWatch` user guide, "Composite alarms" (rule expressions, alarm references, syntax).

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::vec::IntoIter;

/// What a rule says.
#[derive(Debug)]
pub(super) enum Rule {
    Constant(bool),
    /// The alarm is in the state.
    In(String, String),
    Not(Box<Rule>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
    AtLeast(AtLeast),
}

/// How many of some alarms are in a state, or are not.
#[derive(Debug)]
pub(super) struct AtLeast {
    number: u32,
    percent: bool,
    not: bool,
    state: String,
    alarms: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Word(String),
    Quoted(String),
}

const STATES: [&str; 3] = ["ALARM", "OK", "INSUFFICIENT_DATA"];

/// How many elements a rule has at most: "child alarms, TRUE or FALSE statements, and parentheses" (API reference,
/// `AlarmRule`). A pair of parentheses counts once here.
const MOST_ELEMENTS: usize = 500;

/// Reads a rule.
pub(super) fn parse(text: &str) -> Result<Rule, String> {
    let tokens = tokens(text)?;
    let count = elements(&tokens);
    if count > MOST_ELEMENTS {
        return Err(format!("{count} elements are more than {MOST_ELEMENTS}"));
    }
    let mut parser = Parser(tokens.into_iter().peekable());
    let rule = parser.any()?;
    match parser.0.next() {
        None => Ok(rule),
        Some(token) => Err(format!("unexpected {token:?}")),
    }
}

/// Counts the elements: each alarm and each group is one pair of parentheses.
fn elements(tokens: &[Token]) -> usize {
    let is_element = |token: &&Token| match token {
        Token::Open => true,
        Token::Word(word) => ["TRUE", "FALSE"].contains(&word.as_str()),
        Token::Close | Token::Comma | Token::Quoted(_) => false,
    };
    tokens.iter().filter(is_element).count()
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' => tokens.push(Token::Comma),
            '"' => {
                let mut name = String::new();
                loop {
                    match chars.next() {
                        None => return Err("a quotation mark is not closed".to_owned()),
                        Some('"') => break,
                        Some('\\') if chars.peek() == Some(&'"') => {
                            name.extend(chars.next());
                        }
                        Some(c) => name.push(c),
                    }
                }
                tokens.push(Token::Quoted(name));
            }
            c => {
                let mut word = String::from(c);
                while let Some(c) =
                    chars.next_if(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | ','))
                {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Parser(Peekable<IntoIter<Token>>);

impl Parser {
    fn takes(&mut self, word: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(found) if found == word);
        self.0.next_if(is).is_some()
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), String> {
        match self.0.next() {
            Some(found) if found == *wanted => Ok(()),
            found => Err(format!("{wanted:?} expected, not {found:?}")),
        }
    }

    fn any(&mut self) -> Result<Rule, String> {
        let mut parts = vec![self.all()?];
        while self.takes("OR") {
            parts.push(self.all()?);
        }
        Ok(Rule::Any(parts))
    }

    fn all(&mut self) -> Result<Rule, String> {
        let mut parts = vec![self.one()?];
        while self.takes("AND") {
            parts.push(self.one()?);
        }
        Ok(Rule::All(parts))
    }

    fn one(&mut self) -> Result<Rule, String> {
        let word = match self.0.next() {
            Some(Token::Open) => {
                let inner = self.any()?;
                self.expect(&Token::Close)?;
                return Ok(inner);
            }
            Some(Token::Word(word)) => word,
            other => return Err(format!("a condition expected, not {other:?}")),
        };
        match word.as_str() {
            "NOT" => Ok(Rule::Not(Box::new(self.one()?))),
            // "Change the AlarmRule of one of the alarms to `false`" (API reference, DeleteAlarms).
            "TRUE" | "true" => Ok(Rule::Constant(true)),
            "FALSE" | "false" => Ok(Rule::Constant(false)),
            "AT_LEAST" => self.at_least().map(Rule::AtLeast),
            state if STATES.contains(&state) => {
                self.expect(&Token::Open)?;
                let alarm = self.alarm()?;
                self.expect(&Token::Close)?;
                Ok(Rule::In(word, alarm))
            }
            other => Err(format!("unknown function {other}")),
        }
    }

    fn alarm(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Token::Word(name) | Token::Quoted(name)) if !name.is_empty() => Ok(name),
            other => Err(format!("an alarm expected, not {other:?}")),
        }
    }

    fn at_least(&mut self) -> Result<AtLeast, String> {
        self.expect(&Token::Open)?;
        let Some(Token::Word(number)) = self.0.next() else {
            return Err("AT_LEAST begins with a number".to_owned());
        };
        let percent = number.ends_with('%');
        let number: u32 = number
            .trim_end_matches('%')
            .parse()
            .map_err(|_| format!("{number} is not a number"))?;
        self.expect(&Token::Comma)?;
        let not = self.takes("NOT");
        let state = match self.0.next() {
            Some(Token::Word(state)) if STATES.contains(&state.as_str()) => state,
            other => return Err(format!("a state expected, not {other:?}")),
        };
        self.expect(&Token::Comma)?;
        self.expect(&Token::Open)?;
        let mut alarms = vec![self.alarm()?];
        while self.0.next_if(|token| *token == Token::Comma).is_some() {
            alarms.push(self.alarm()?);
        }
        self.expect(&Token::Close)?;
        self.expect(&Token::Close)?;
        let most = if percent { 100 } else { alarms.len() };
        if number == 0 || number as usize > most {
            return Err(format!("AT_LEAST takes a number from 1 to {most}"));
        }
        Ok(AtLeast {
            number,
            percent,
            not,
            state,
            alarms,
        })
    }
}

impl Rule {
    /// Lists the alarms, as they are written.
    pub(super) fn alarms(&self) -> BTreeSet<&str> {
        match self {
            Self::Constant(_) => BTreeSet::new(),
            Self::In(_, alarm) => BTreeSet::from([alarm.as_str()]),
            Self::Not(inner) => inner.alarms(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::alarms).collect(),
            Self::AtLeast(of) => of.alarms.iter().map(String::as_str).collect(),
        }
    }

    /// Says whether the rule holds, given the state of each alarm.
    pub(super) fn holds(&self, state: &dyn Fn(&str) -> String) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::In(wanted, alarm) => state(alarm) == *wanted,
            Self::Not(inner) => !inner.holds(state),
            Self::All(parts) => parts.iter().all(|part| part.holds(state)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(state)),
            Self::AtLeast(of) => {
                let fits = |alarm: &&String| (state(alarm) == of.state) != of.not;
                let count = of.alarms.iter().filter(fits).count();
                if of.percent {
                    count * 100 >= of.number as usize * of.alarms.len()
                } else {
                    count >= of.number as usize
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(rule: &str) -> bool {
        let state = |alarm: &str| match alarm.chars().next() {
            Some('a') => "ALARM".to_owned(),
            Some('o') => "OK".to_owned(),
            _ => "INSUFFICIENT_DATA".to_owned(),
        };
        parse(rule).unwrap().holds(&state)
    }

    #[test]
    fn rules_of_the_user_guide() {
        for (rule, holding) in [
            ("ALARM(a) AND ALARM(o)", false),
            ("ALARM(a) AND NOT ALARM(o)", true),
            ("ALARM(o) OR ALARM(a) AND OK(o)", true),
            ("(ALARM(a) OR ALARM(o)) AND FALSE", false),
            ("AT_LEAST(2, ALARM, (a1, a2, o1, o2))", true),
            ("AT_LEAST(3, ALARM, (a1, a2, o1, o2))", false),
            ("AT_LEAST(50%, OK, (a1, a2, o1, o2))", true),
            ("AT_LEAST(51%, NOT OK, (a1, a2, o1, o2))", false),
            ("ALARM(\"a (b), \\\"c\\\"\")", true),
            ("INSUFFICIENT_DATA(x)\n AND\tTRUE", true),
            ("false", false),
        ] {
            assert_eq!(holds(rule), holding, "{rule}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "ALARM",
            "ALARM()",
            "ALARM(a",
            "ALARM(a b)",
            "ALARM(a) ALARM(b)",
            "ALARM(a) AND",
            "WARNING(a)",
            "ALARM(\"a)",
            "AT_LEAST(0, ALARM, (a))",
            "AT_LEAST(2, ALARM, (a))",
            "AT_LEAST(101%, ALARM, (a))",
            "AT_LEAST(1, AND, (a))",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
