//! `application/x-www-form-urlencoded` pairs, as query strings and awsQuery bodies hold them.

use percent_encoding::percent_decode_str;

/// Splits and decodes pairs, in the order of the text.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Decodes one segment of a path, once; a plus sign is itself there.
pub(crate) fn segment(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_once() {
        let decoded = pairs("a=1%252F&b=x+y&c&a=2&&%C3%A9=%26");
        let expected = [
            ("a", "1%2F"),
            ("b", "x y"),
            ("c", ""),
            ("a", "2"),
            ("é", "&"),
        ];
        assert_eq!(decoded, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(segment("a+b%2Fc"), "a+b/c");
    }
}
