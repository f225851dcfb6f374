//! "Did you mean …?"

/// Returns the candidate that `wrong` most likely stands for, if any comes close.
///
/// Case and punctuation do not count, a beginning is enough (`duration` for `durationMinutes`), and about one letter
/// in three may be wrong.
pub fn closest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = letters(wrong);
    let length = wrong.chars().count();
    if length == 0 {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(&wrong, length, &letters(candidate))?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn distance(wrong: &str, length: usize, candidate: &str) -> Option<usize> {
    if wrong == candidate {
        return Some(0);
    }
    let other = candidate.chars().count();
    let allowed = (length.max(other) / 3).max(1);
    if length.abs_diff(other) <= allowed {
        let distance = strsim::damerau_levenshtein(wrong, candidate);
        if distance <= allowed && distance < length.min(other) {
            return Some(distance);
        }
    }
    let begins = candidate.starts_with(wrong) || wrong.starts_with(candidate);
    (begins && length.min(other) >= 3).then_some(allowed + 1)
}

/// Returns names in backticks with commas between them, cut when there are many.
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = all.iter().take(20).map(|n| format!("`{n}`")).collect();
    let rest = all.len().saturating_sub(shown.len());
    let list = shown.join(", ");
    if rest > 0 {
        format!("{list} and {rest} more")
    } else {
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let fields = ["durationMinutes", "engage", "name"];
        assert_eq!(closest("durationMinuts", fields), Some("durationMinutes"));
        assert_eq!(closest("duration", fields), Some("durationMinutes"));
        assert_eq!(closest("duration_minutes", fields), Some("durationMinutes"));
        assert_eq!(closest("colour", fields), None);
        assert_eq!(closest("", fields), None);
        assert_eq!(
            closest("primary-onclal", ["primary-oncall"]),
            Some("primary-oncall")
        );
    }

    #[test]
    fn short_names_need_more_than_one_letter_in_common() {
        assert_eq!(closest("x", ["y"]), None);
        assert_eq!(closest("xy", ["y"]), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        let many: Vec<String> = (0..22).map(|n| format!("f{n}")).collect();
        assert!(names(many.iter().map(String::as_str)).ends_with("`f19` and 2 more"));
    }
}
