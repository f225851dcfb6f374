//! The hostile files. Large ones are made when they are wanted.

use std::fs;
use std::path::Path;

/// Files by name.
pub(super) type Files = Vec<(&'static str, Vec<u8>)>;

/// A folder.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) files: fn() -> Files,
}

pub(super) fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Writes a document with a spec.
pub(super) fn object(kind: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: stationbill.dev/v1alpha1\nkind: {kind}\nmetadata: {{ name: pochi }}\nspec:\n{spec}"
    )
}

fn one(text: impl Into<Vec<u8>>) -> Files {
    vec![("a.yaml", text.into())]
}

fn runbook(content: &str) -> Files {
    one(object("Runbook", &format!("  content: {content}\n")))
}

/// Ten to the tenth, in a line each.
fn laughs() -> String {
    let mut text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.extend([format!("a{level}: &a{level} [{items}]\n")]);
    }
    text
}

/// One long text, and thousands of aliases of it.
fn long_laughs() -> String {
    let aliases = vec!["*a"; 90_000].join(",");
    format!("a: &a {}\nb: [{aliases}]\n", "x".repeat(1_000_000))
}

fn many(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}\n", open.repeat(levels), close.repeat(levels))
}

fn steps(levels: usize) -> String {
    many(levels, |level| format!("{}a:\n", " ".repeat(level)))
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    let bytes = units.map(|unit| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    });
    bytes.flatten().collect()
}

const PLAIN: &str = "apiVersion: stationbill.dev/v1alpha1\nkind: Dashboard\nmetadata: { name: pochi }\nspec:\n  body: { widgets: [] }\n";

/// Folders of ordinary files.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "alias bomb",
        files: || one(laughs()),
    },
    Case {
        name: "alias bomb in a document of ours",
        files: || {
            let text = format!("    {}\n", laughs().trim_end().replace('\n', "\n    "));
            runbook(&format!("\n{text}"))
        },
    },
    Case {
        name: "aliases of a long text",
        files: || one(long_laughs()),
    },
    Case {
        name: "aliases of a long key",
        files: || {
            one(format!(
                "a: &a {{? {} : 1}}\nb: [{}]\n",
                "k".repeat(1_000_000),
                "*a,".repeat(40_000)
            ))
        },
    },
    Case {
        name: "anchors in anchors",
        files: || {
            let open = many(60, |n| format!("&a{n} ["));
            one(format!(
                "a: {open}{}{}\n",
                "x".repeat(7_000_000),
                "]".repeat(60)
            ))
        },
    },
    Case {
        name: "deep by aliases",
        files: || {
            let (open, close) = ("[".repeat(40), "]".repeat(40));
            let mut text = format!("a0: &a0 {open}x{close}\n");
            text.extend((1..40).map(|n| format!("a{n}: &a{n} {open}*a{}{close}\n", n - 1)));
            one(text)
        },
    },
    Case {
        name: "an alias of itself",
        files: || one("a: &a [*a]\n"),
    },
    Case {
        name: "a text of 100 MB",
        files: || one(format!("a: {}\n", "x".repeat(100 << 20))),
    },
    Case {
        name: "a text of 7 MB",
        files: || runbook(&format!("'{}'", "x".repeat(7 << 20))),
    },
    Case {
        name: "a key of 7 MB",
        files: || one(format!("{}: 1\n", "k".repeat(7 << 20))),
    },
    Case {
        name: "nothing but colons",
        files: || one(":".repeat(1 << 20)),
    },
    Case {
        name: "nothing but brackets",
        files: || one("[".repeat(1 << 20)),
    },
    Case {
        name: "nothing but line breaks",
        files: || one("\n".repeat(1 << 20)),
    },
    Case {
        name: "nothing but dashes",
        files: || one("- ".repeat(1 << 20)),
    },
    Case {
        name: "nothing but question marks",
        files: || one("? ".repeat(1 << 20)),
    },
    Case {
        name: "a number of 1 MB",
        files: || one(format!("a: 1e{}\n", "9".repeat(1 << 20))),
    },
    Case {
        name: "brackets, 10,000 deep",
        files: || one(nested("[", "]", 10_000)),
    },
    Case {
        name: "braces, 10,000 deep",
        files: || one(nested("{a: ", "}", 10_000)),
    },
    Case {
        name: "JSON, 10,000 deep",
        files: || vec![("a.json", nested("{\"a\":", "}", 10_000).into())],
    },
    Case {
        name: "blocks, 3,000 deep",
        files: || one(steps(3000)),
    },
    Case {
        name: "100,000 duplicate keys in a line",
        files: || runbook(&format!("{{{}}}", "a: 1, ".repeat(100_000))),
    },
    Case {
        name: "50,000 unknown fields in a line",
        files: || {
            let fields = many(50_000, |n| format!("k{n}: 1, "));
            one(format!(
                "{{apiVersion: stationbill.dev/v1alpha1, kind: Dashboard, metadata: {{name: x}}, spec: {{{fields}}}}}\n"
            ))
        },
    },
    Case {
        name: "50,000 unknown fields",
        files: || {
            one(object(
                "Dashboard",
                &many(50_000, |n| format!("  k{n}: 1\n")),
            ))
        },
    },
    Case {
        name: "100,000 tags",
        files: || runbook(&format!("[{}]", "!x 1, ".repeat(100_000))),
    },
    Case {
        name: "100,000 variables",
        files: || {
            one(object(
                "Dashboard",
                &format!("  body: '{}'\n", "${target.".repeat(100_000)),
            ))
        },
    },
    Case {
        name: "50,000 broken documents",
        files: || one("---\n[\n".repeat(50_000)),
    },
    Case {
        name: "50,000 documents of nothing",
        files: || one("---\na\n".repeat(50_000)),
    },
    Case {
        name: "5,000 channels with an address each",
        files: || {
            let channel = |n| format!("    c{n}: {{ email: a{n}@example.com }}\n");
            one(object(
                "Contact",
                &format!(
                    "  channels:\n{}",
                    (0..5000).map(channel).collect::<String>()
                ),
            ))
        },
    },
    Case {
        name: "NUL",
        files: || one("a: 1\nb: \0\n"),
    },
    Case {
        name: "bytes that are no text",
        files: || one(b"a: 1\nb: \xff\xfe\n".to_vec()),
    },
    Case {
        name: "UTF-16, little end first",
        files: || one(utf16(PLAIN, false)),
    },
    Case {
        name: "UTF-16, big end first",
        files: || one(utf16(PLAIN, true)),
    },
    Case {
        name: "lines that end as on Windows",
        files: || one(PLAIN.replace('\n', "\r\n")),
    },
    Case {
        name: "lines that end as on the first Macs",
        files: || one(PLAIN.replace('\n', "\r")),
    },
    Case {
        name: "a byte order mark",
        files: || one(format!("\u{feff}{PLAIN}")),
    },
    Case {
        name: "a duplicate key",
        files: || one(format!("{PLAIN}  body: {{}}\n")),
    },
    Case {
        name: "texts that look like something else",
        files: || {
            let values = [
                "no",
                "off",
                "yes",
                "012",
                "1e3",
                "0x10",
                "~",
                "2026-01-05",
                "12:30:45",
                "true",
                "1.0",
                "0o7",
                "+5",
                ".5",
                ".inf",
                ".nan",
                "1_000",
                "null",
            ];
            let document = |(n, value): (usize, &&str)| {
                object(
                    "Dashboard",
                    &format!("  name: {value}\n  body: {{ widgets: [] }}\n"),
                )
                .replace("pochi", &format!("p{n}"))
            };
            one(values.iter().enumerate().map(document).collect::<String>())
        },
    },
    Case {
        name: "numbers that no machine holds",
        files: || {
            let values = [
                "99999999999999999999",
                "-9223372036854775809",
                "1e400",
                ".inf",
                "-.inf",
                ".nan",
                "18446744073709551615",
            ];
            let document = |(n, value): (usize, &&str)| {
                object(
                    "EscalationPlan",
                    &format!("  displayName: x\n  stages: [{{ durationMinutes: {value} }}]\n"),
                )
                .replace("pochi", &format!("p{n}"))
            };
            one(values.iter().enumerate().map(document).collect::<String>())
        },
    },
    Case {
        name: "merge keys",
        files: || {
            one(format!(
                "{PLAIN}  tags:\n    <<: {{ a: x, b: y }}\n    b: z\n"
            ))
        },
    },
    Case {
        name: "merge keys of no map",
        files: || one(format!("{PLAIN}  tags:\n    <<: x\n")),
    },
    Case {
        name: "tabs",
        files: || one(PLAIN.replace("  body", "\tbody")),
    },
    Case {
        name: "tags",
        files: || one(PLAIN.replace("{ widgets", "!Sub { widgets")),
    },
    Case {
        name: "an object of a language",
        files: || one(PLAIN.replace("[]", "!!python/object/apply:os.system ['true']")),
    },
    Case {
        name: "a directive",
        files: || one(format!("%YAML 9.9\n---\n{PLAIN}")),
    },
    Case {
        name: "a key that is a map",
        files: || one(format!("{PLAIN}  ? {{ a: b }}\n  : c\n")),
    },
    Case {
        name: "an empty file",
        files: || one(""),
    },
    Case {
        name: "comments alone",
        files: || one("# nothing\n---\n# here\n"),
    },
    Case {
        name: "a name of 1 MB",
        files: || one(PLAIN.replace("pochi", &"p".repeat(1 << 20))),
    },
    Case {
        name: "a file with a long name",
        files: || {
            vec![(
                "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.yaml",
                b"x: 1".to_vec(),
            )]
        },
    },
    Case {
        name: "control characters",
        files: || {
            one(PLAIN
                .replace("widgets", "\"\\e[2J\\a\"")
                .replace("pochi", "\"\\e]0;x\\a\""))
        },
    },
];

/// Texts for `content` and `body`.
pub(super) fn embedded() -> Vec<(&'static str, String)> {
    vec![
        ("alias bomb", laughs()),
        ("aliases of a long text", long_laughs()),
        (
            "brackets, 10,000 deep",
            format!("a: {}", nested("[", "]", 10_000)),
        ),
        (
            "nothing but brackets",
            format!("a: {}", "[".repeat(1 << 20)),
        ),
        ("JSON, 10,000 deep", nested("{\"a\":", "}", 10_000)),
        ("blocks, 1,000 deep", steps(1000)),
        (
            "a duplicate key",
            "schemaVersion: '0.3'\nmainSteps: []\nmainSteps: []\n".into(),
        ),
        (
            "a broken line",
            "schemaVersion: '0.3'\nmainSteps: [\n".into(),
        ),
        ("a tag", "schemaVersion: !Ref x\n".into()),
        (
            "infinity",
            "schemaVersion: '0.3'\nmainSteps: [.inf]\n".into(),
        ),
        ("nothing", String::new()),
        ("a byte order mark", "\u{feff}schemaVersion: '0.3'\n".into()),
        ("several documents", "a: 1\n---\nb: 2\n".into()),
    ]
}
