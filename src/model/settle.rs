//! How a value that the user left open takes over what AWS has.

/// Settles an optional text: absent takes over what AWS has; `""` clears, and is the same as absent where AWS has
/// nothing.
pub fn text(wanted: &mut Option<String>, live: Option<&String>) {
    match wanted.as_deref() {
        None => *wanted = live.cloned(),
        Some("") if live.is_none() => *wanted = None,
        Some(_) => {}
    }
}

/// Settles any other optional value: absent takes over what AWS has.
pub fn value<T: Clone>(wanted: &mut Option<T>, live: Option<&T>) {
    if wanted.is_none() {
        *wanted = live.cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_an_absent_one() {
        let mut wanted = Some(String::new());
        text(&mut wanted, None);
        assert_eq!(wanted, None);
    }

    #[test]
    fn an_empty_text_clears() {
        let (mut wanted, live) = (Some(String::new()), "x".to_owned());
        text(&mut wanted, Some(&live));
        assert_eq!(wanted.as_deref(), Some(""));
    }
}
