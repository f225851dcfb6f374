//! The rule of a composite alarm: read, compared by meaning, and printed.
//!
//! Grammar: `CloudWatch` user guide, "Composite alarms" (rule expressions, alarm references, syntax).

use std::collections::BTreeSet;
use std::fmt;
use std::iter::Peekable;
use std::vec::IntoIter;

/// How deep a rule may be nested: its text is at most 10,240 characters long, and a stack has an end.
const DEEPEST: usize = 200;

/// When a composite alarm is in ALARM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Always, or never.
    Constant(bool),
    /// When an alarm is in a state.
    In(State, String),
    /// When something is not so.
    Not(Box<Rule>),
    /// When all of it is so.
    All(Vec<Rule>),
    /// When any of it is so.
    Any(Vec<Rule>),
    /// When so many of some alarms are in a state, or are not.
    AtLeast {
        /// How many, or which part of them.
        number: u32,
        /// Whether the number is a percentage.
        percent: bool,
        /// Whether those count that are not in the state.
        not: bool,
        /// The state.
        state: State,
        /// The alarms.
        alarms: Vec<String>,
    },
}

/// A state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Alarm,
    Ok,
    InsufficientData,
}

impl State {
    fn of(word: &str) -> Option<Self> {
        let all = [Self::Alarm, Self::Ok, Self::InsufficientData];
        all.into_iter().find(|state| word == state.word())
    }

    fn word(self) -> &'static str {
        match self {
            Self::Alarm => "ALARM",
            Self::Ok => "OK",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Word(String),
    Quoted(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("`(`"),
            Self::Close => f.write_str("`)`"),
            Self::Comma => f.write_str("`,`"),
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Quoted(name) => write!(f, "`\"{name}\"`"),
        }
    }
}

/// Reads a rule, or says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Rule, String> {
    let mut parser = Parser {
        tokens: tokens(text)?.into_iter().peekable(),
        depth: 0,
    };
    let rule = parser.any()?;
    match parser.tokens.next() {
        None => Ok(rule),
        Some(token) => Err(format!("AND or OR is wanted before {token}")),
    }
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
                        Some('\\') if chars.peek() == Some(&'"') => name.extend(chars.next()),
                        Some(c) => name.push(c),
                    }
                }
                tokens.push(Token::Quoted(name));
            }
            c => {
                let mut word = String::from(c);
                let inside = |c: &char| !c.is_whitespace() && !"(),".contains(*c);
                while let Some(c) = chars.next_if(inside) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn takes(&mut self, word: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(found) if found == word);
        self.tokens.next_if(is).is_some()
    }

    fn wanted<T>(found: Option<&Token>, what: &str) -> Result<T, String> {
        Err(match found {
            Some(token) => format!("{what} is wanted, not {token}"),
            None => format!("it ends where {what} is wanted"),
        })
    }

    fn expect(&mut self, token: &Token) -> Result<(), String> {
        match self.tokens.next() {
            Some(found) if found == *token => Ok(()),
            found => Self::wanted(found.as_ref(), &token.to_string()),
        }
    }

    fn any(&mut self) -> Result<Rule, String> {
        let mut parts = vec![self.all()?];
        while self.takes("OR") {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule, String> {
        let mut parts = vec![self.one()?];
        while self.takes("AND") {
            parts.push(self.one()?);
        }
        Ok(joined(parts, Rule::All))
    }

    fn one(&mut self) -> Result<Rule, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        let rule = self.condition();
        self.depth -= 1;
        rule
    }

    fn condition(&mut self) -> Result<Rule, String> {
        let word = match self.tokens.next() {
            Some(Token::Open) => {
                let inner = self.any()?;
                self.expect(&Token::Close)?;
                return Ok(inner);
            }
            Some(Token::Word(word)) => word,
            other => return Self::wanted(other.as_ref(), "a condition"),
        };
        match word.as_str() {
            "NOT" => Ok(Rule::Not(Box::new(self.one()?))),
            "TRUE" | "true" => Ok(Rule::Constant(true)),
            "FALSE" | "false" => Ok(Rule::Constant(false)),
            "AT_LEAST" => self.at_least(),
            _ => {
                let Some(state) = State::of(&word) else {
                    return Err(format!(
                        "`{word}` is none of ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, NOT, TRUE and FALSE"
                    ));
                };
                self.expect(&Token::Open)?;
                let alarm = self.alarm()?;
                self.expect(&Token::Close)?;
                Ok(Rule::In(state, alarm))
            }
        }
    }

    fn alarm(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(name) | Token::Quoted(name)) if !name.is_empty() => Ok(name),
            other => Self::wanted(other.as_ref(), "an alarm"),
        }
    }

    fn at_least(&mut self) -> Result<Rule, String> {
        self.expect(&Token::Open)?;
        let (number, percent) = match self.tokens.next() {
            Some(Token::Word(word)) => {
                let digits = word.strip_suffix('%');
                match digits.unwrap_or(&word).parse::<u32>() {
                    Ok(number) => (number, digits.is_some()),
                    Err(_) => return Err(format!("`{word}` is no number and no percentage")),
                }
            }
            other => return Self::wanted(other.as_ref(), "a number or a percentage"),
        };
        self.expect(&Token::Comma)?;
        let not = self.takes("NOT");
        let state = match self.tokens.next() {
            Some(Token::Word(word)) if State::of(&word).is_some() => State::of(&word),
            other => return Self::wanted(other.as_ref(), "a state"),
        };
        self.expect(&Token::Comma)?;
        self.expect(&Token::Open)?;
        let mut alarms = vec![self.alarm()?];
        while self.tokens.next_if(|t| *t == Token::Comma).is_some() {
            alarms.push(self.alarm()?);
        }
        self.expect(&Token::Close)?;
        self.expect(&Token::Close)?;
        let most = if percent { 100 } else { alarms.len() };
        if number == 0 || number as usize > most {
            return Err(format!("AT_LEAST takes a number from 1 to {most} here"));
        }
        Ok(Rule::AtLeast {
            number,
            percent,
            not,
            state: state.unwrap_or(State::Alarm),
            alarms,
        })
    }
}

fn joined(mut parts: Vec<Rule>, join: fn(Vec<Rule>) -> Rule) -> Rule {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

impl Rule {
    /// The alarms, as they are named.
    pub(super) fn alarms(&self) -> BTreeSet<&str> {
        match self {
            Self::Constant(_) => BTreeSet::new(),
            Self::In(_, alarm) => BTreeSet::from([alarm.as_str()]),
            Self::Not(inner) => inner.alarms(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::alarms).collect(),
            Self::AtLeast { alarms, .. } => alarms.iter().map(String::as_str).collect(),
        }
    }

    /// Returns the rule with its alarms named otherwise.
    pub(super) fn renamed(&self, name: &dyn Fn(&str) -> String) -> Self {
        let all = |parts: &[Self]| parts.iter().map(|part| part.renamed(name)).collect();
        match self {
            Self::Constant(value) => Self::Constant(*value),
            Self::In(state, alarm) => Self::In(*state, name(alarm)),
            Self::Not(inner) => Self::Not(Box::new(inner.renamed(name))),
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            Self::AtLeast {
                number,
                percent,
                not,
                state,
                alarms,
            } => Self::AtLeast {
                number: *number,
                percent: *percent,
                not: *not,
                state: *state,
                alarms: alarms.iter().map(|alarm| name(alarm)).collect(),
            },
        }
    }

    /// Returns one form for all rules that mean the same by their operators: order, nesting and repetition go.
    pub(super) fn normal(self) -> Self {
        match self {
            Self::Not(inner) => match inner.normal() {
                Self::Not(twice) => *twice,
                Self::Constant(value) => Self::Constant(!value),
                inner => Self::Not(Box::new(inner)),
            },
            Self::All(parts) => {
                let parts = parts.into_iter().map(Self::normal);
                let flat = parts.flat_map(|part| match part {
                    Self::All(inner) => inner,
                    other => vec![other],
                });
                joined(sorted(flat), Self::All)
            }
            Self::Any(parts) => {
                let parts = parts.into_iter().map(Self::normal);
                let flat = parts.flat_map(|part| match part {
                    Self::Any(inner) => inner,
                    other => vec![other],
                });
                joined(sorted(flat), Self::Any)
            }
            Self::AtLeast {
                number,
                percent,
                not,
                state,
                mut alarms,
            } => {
                alarms.sort();
                Self::AtLeast {
                    number,
                    percent,
                    not,
                    state,
                    alarms,
                }
            }
            leaf => leaf,
        }
    }

    /// Prints the rule; `quote` puts every name in quotation marks, not only those that need them.
    pub(super) fn printed(&self, quote: bool) -> String {
        let name = |alarm: &str| {
            let plain = !alarm.contains(|c: char| c.is_whitespace() || "(),\"".contains(c));
            if plain && !quote {
                alarm.to_owned()
            } else {
                format!("\"{}\"", alarm.replace('"', "\\\""))
            }
        };
        match self {
            Self::Constant(value) => value.to_string().to_uppercase(),
            Self::In(state, alarm) => format!("{}({})", state.word(), name(alarm)),
            Self::Not(inner) => match **inner {
                Self::All(_) | Self::Any(_) => format!("NOT ({})", inner.printed(quote)),
                _ => format!("NOT {}", inner.printed(quote)),
            },
            Self::All(parts) => Self::list(parts, " AND ", quote),
            Self::Any(parts) => Self::list(parts, " OR ", quote),
            Self::AtLeast {
                number,
                percent,
                not,
                state,
                alarms,
            } => {
                let percent = if *percent { "%" } else { "" };
                let not = if *not { "NOT " } else { "" };
                let alarms: Vec<String> = alarms.iter().map(|alarm| name(alarm)).collect();
                let (state, alarms) = (state.word(), alarms.join(", "));
                format!("AT_LEAST({number}{percent}, {not}{state}, ({alarms}))")
            }
        }
    }

    /// AND and OR inside one another get parentheses, whoever binds tighter: people need not know.
    fn list(parts: &[Self], between: &str, quote: bool) -> String {
        let parts = parts.iter().map(|part| match part {
            Self::All(_) | Self::Any(_) => format!("({})", part.printed(quote)),
            _ => part.printed(quote),
        });
        parts.collect::<Vec<_>>().join(between)
    }
}

fn sorted(parts: impl Iterator<Item = Rule>) -> Vec<Rule> {
    let parts: BTreeSet<Rule> = parts.collect();
    parts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_printed_as_it_was_read() {
        for text in [
            "ALARM(errors)",
            "ALARM(a) AND NOT OK(b)",
            "(ALARM(a) AND INSUFFICIENT_DATA(b)) OR TRUE",
            "NOT (ALARM(a) OR ALARM(b))",
            "AT_LEAST(2, ALARM, (a, b, c)) AND NOT ALARM(upkeep)",
            "AT_LEAST(50%, NOT OK, (a, \"b c\"))",
            "ALARM(\"Latency (p99), \\\"eu\\\"\")",
            "ALARM(arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a)",
        ] {
            assert_eq!(parse(text).unwrap().printed(false), text);
        }
        let quoted = parse("ALARM(a) OR false").unwrap().printed(true);
        assert_eq!(quoted, "ALARM(\"a\") OR FALSE");
    }

    #[test]
    fn rules_are_compared_by_meaning() {
        let normal = |text: &str| parse(text).unwrap().normal();
        for (one, other) in [
            ("ALARM(a)\n  AND ALARM(\"b\")", "(ALARM(b) AND (ALARM(a)))"),
            (
                "ALARM(a) OR ALARM(b) AND OK(c)",
                "(OK(c) AND ALARM(b)) OR ALARM(a)",
            ),
            ("ALARM(a) OR (ALARM(b) OR ALARM(a))", "ALARM(b) OR ALARM(a)"),
            ("NOT NOT ALARM(a)", "ALARM(a)"),
            ("AT_LEAST(2, OK, (a, b, c))", "AT_LEAST(2, OK, (c, b, a))"),
        ] {
            assert_eq!(normal(one), normal(other), "{one}");
        }
        for (one, other) in [
            ("ALARM(a) AND ALARM(b)", "ALARM(a) OR ALARM(b)"),
            ("ALARM(a)", "NOT ALARM(a)"),
            (
                "(ALARM(a) OR ALARM(b)) AND OK(c)",
                "ALARM(a) OR ALARM(b) AND OK(c)",
            ),
            ("AT_LEAST(2, OK, (a, b, c))", "AT_LEAST(2%, OK, (a, b, c))"),
            ("AT_LEAST(2, OK, (a, b))", "AT_LEAST(2, NOT OK, (a, b))"),
        ] {
            assert_ne!(normal(one), normal(other), "{one}");
        }
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (text, why) in [
            ("", "it ends where a condition is wanted"),
            ("ALARM(a", "it ends where `)` is wanted"),
            ("ALARM(a b)", "`)` is wanted, not `b`"),
            ("ALARM(a) ALARM(b)", "AND or OR is wanted before `ALARM`"),
            ("WARNING(a)", "`WARNING` is none of"),
            ("ALARM(\"a)", "a quotation mark is not closed"),
            ("AT_LEAST(3, OK, (a, b))", "from 1 to 2"),
            ("AT_LEAST(most, OK, (a, b))", "`most` is no number"),
            ("AT_LEAST(1, FINE, (a, b))", "a state is wanted, not `FINE`"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(parse(&"(".repeat(5000)).unwrap_err().contains("too deeply"));
    }
}
