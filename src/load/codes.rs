//! Every diagnostic code, with the one sentence that documents it.

/// The codes, sorted, with what each says.
///
/// Codes are stable: scripts and code scanning services match on them.
pub static CODES: &[(&str, &str)] = &[
    (
        "alias-bomb",
        "Anchors and aliases of a file would expand to more than is sensible.",
    ),
    (
        "bad-address",
        "The address of a channel is not one of its type.",
    ),
    (
        "bad-alarm",
        "An alarm asks for what CloudWatch does not allow.",
    ),
    (
        "bad-alarm-rule",
        "The rule of a composite alarm is not one that CloudWatch reads, or does not fit its `alarms`.",
    ),
    ("bad-annotation", "A label or an annotation is not a text."),
    (
        "bad-approval-rule",
        "An approval rule of a patch baseline asks for what AWS does not allow.",
    ),
    (
        "bad-association",
        "An association has what its schedule or its document does not take, or lacks what it wants.",
    ),
    (
        "bad-association-target",
        "An association is for no nodes, or selects by properties that do not go together.",
    ),
    (
        "bad-automation-rule",
        "An automation rule of Security Hub says nothing, or what does not go together.",
    ),
    (
        "bad-change-template",
        "The content of a change template is not what AWS takes.",
    ),
    (
        "bad-channel-name",
        "The name of a contact's channel has characters that AWS does not accept.",
    ),
    (
        "bad-configuration-policy",
        "A configuration policy of Security Hub says what does not go together.",
    ),
    (
        "bad-control",
        "A control of Security Hub is not named, explained or parametrised as AWS wants it.",
    ),
    (
        "bad-dashboard",
        "A dashboard body lacks what CloudWatch wants.",
    ),
    (
        "bad-date",
        "A date is not of the form YYYY-MM-DD or does not exist.",
    ),
    (
        "bad-document",
        "An embedded document cannot be read as YAML or JSON.",
    ),
    (
        "bad-document-reference",
        "A document of AWS's own or by its ARN is named in a wrong way.",
    ),
    (
        "bad-document-type",
        "The content of a document is of another type than the document.",
    ),
    (
        "bad-duration",
        "A duration is not of a form such as `10m` or `1h30m`, or is not positive.",
    ),
    (
        "bad-engagement",
        "A response plan engages not exactly one party in an entry.",
    ),
    (
        "bad-finding-aggregator",
        "A finding aggregator names regions that its mode does not speak of, or what is no region, or none.",
    ),
    (
        "bad-name",
        "A name of an object has other characters than Kubernetes allows in one.",
    ),
    (
        "bad-organization-configuration",
        "Settings of an organization do not go with central configuration.",
    ),
    (
        "bad-parameter",
        "A parameter of a runbook has a name or values that AWS does not take.",
    ),
    (
        "bad-pointer",
        "A path in `lifecycle.ignore` names no field of the kind.",
    ),
    (
        "bad-recurrence",
        "The recurrence of a rotation is not one that AWS takes.",
    ),
    (
        "bad-regions",
        "The regions of a replication set do not fit together.",
    ),
    (
        "bad-schedule",
        "A schedule is of no form that Systems Manager takes there.",
    ),
    (
        "bad-schema-version",
        "The schema version of a document does not fit its type.",
    ),
    (
        "bad-session",
        "The content of session preferences is not what AWS takes.",
    ),
    (
        "bad-setting",
        "A service setting has an id or a value that AWS does not take.",
    ),
    (
        "bad-sharing",
        "A document is shared in a way that AWS does not allow.",
    ),
    (
        "bad-source",
        "A patch source of a baseline is not one that AWS takes.",
    ),
    (
        "bad-spec",
        "A spec passes the schema and still cannot be read.",
    ),
    (
        "bad-stage",
        "A stage of a Target is empty, or shares an account with another.",
    ),
    (
        "bad-steps",
        "The steps of a document or a runbook are not what Systems Manager runs.",
    ),
    (
        "bad-tag",
        "A tag has a key or a value that AWS does not accept there.",
    ),
    (
        "bad-target",
        "A stage of an escalation plan engages not exactly one party in an entry.",
    ),
    (
        "bad-time-zone",
        "A time zone is not in the IANA database, or is spelt differently there.",
    ),
    ("bad-window", "A maintenance window is not as AWS takes it."),
    (
        "bad-window-target",
        "The target of a maintenance window selects nothing, or by properties that do not go together.",
    ),
    (
        "bad-window-task",
        "A task of a maintenance window lacks what its type wants, or has what it does not take.",
    ),
    (
        "both-approved-and-rejected",
        "A patch is approved and rejected at once.",
    ),
    (
        "content-missing",
        "A file named by `contentFrom` is not there or cannot be read.",
    ),
    (
        "content-needs-cluster",
        "`contentFrom.configMap` works in a Kubernetes cluster only.",
    ),
    (
        "content-needs-folder",
        "`contentFrom.file` works beside a document in a folder only, not in a cluster.",
    ),
    (
        "content-outside",
        "A file named by `contentFrom` lies outside the folder that was given.",
    ),
    (
        "content-twice",
        "A text is given both inline and by `contentFrom`.",
    ),
    (
        "cyclic-ref",
        "Objects refer to each other in a circle, so none can be made first.",
    ),
    (
        "duplicate-item",
        "A list without an order holds the same item twice.",
    ),
    ("duplicate-key", "A map holds the same key twice."),
    (
        "duplicate-name",
        "Two objects would be the same object in AWS.",
    ),
    (
        "duplicate-object",
        "Two documents have the same kind and name.",
    ),
    ("empty-stage", "A stage neither waits nor engages anybody."),
    (
        "foreign-channel",
        "A stage notifies a channel that is not in the document.",
    ),
    (
        "link-outside",
        "A symbolic link leads out of the folder that was given, and was not followed.",
    ),
    ("missing-field", "A required field is missing."),
    ("no-documents", "No Stationbill document was found."),
    (
        "not-a-document",
        "A YAML or JSON file holds no Stationbill document and no `contentFrom` names it.",
    ),
    ("not-text", "A file is not UTF-8 text."),
    (
        "odd-patch-group",
        "The name of a patch group begins or ends with spaces.",
    ),
    (
        "one-of",
        "Not exactly one of several alternatives is given.",
    ),
    ("out-of-range", "A number is too small or too large."),
    (
        "outside-target",
        "An override or a stage names an account or a region that its Target does not reach.",
    ),
    (
        "pattern-mismatch",
        "A text does not match the pattern that AWS asks for.",
    ),
    (
        "place-twice",
        "Two Targets put an object into the same account and region.",
    ),
    (
        "reserved-name",
        "A name begins like those that AWS keeps for itself.",
    ),
    (
        "second-owner",
        "Two objects ask for the same thing, and AWS gives it to one only.",
    ),
    (
        "second-singleton",
        "An account and region can have one object of this kind only, and two are declared.",
    ),
    ("second-stack", "More than one Stack is declared."),
    ("too-deep", "A document is nested too deeply."),
    ("too-large", "A file is too large."),
    ("too-long", "A text has too many characters."),
    (
        "too-many-problems",
        "A document has so many problems that not all are shown.",
    ),
    ("too-many-tags", "An object has more tags than AWS allows."),
    ("too-short", "A text has too few characters."),
    (
        "unassociated-nodes",
        "A task names nodes, and its window runs on registered targets only.",
    ),
    (
        "unknown-channel",
        "A stage notifies a channel that the contact does not have.",
    ),
    ("unknown-field", "A field is not known here."),
    ("unknown-kind", "A document's kind is not known."),
    (
        "unknown-ref",
        "A reference names an object that no document declares.",
    ),
    (
        "unknown-target",
        "A target is named that no document declares.",
    ),
    (
        "unknown-value",
        "A value is none of those that are allowed.",
    ),
    ("unknown-variable", "A `${target.…}` stands for nothing."),
    (
        "unknown-version",
        "The `apiVersion` is not one that this version reads.",
    ),
    (
        "unmatched-filter",
        "A filter of an automation rule goes by a value that no finding has.",
    ),
    ("unreadable", "A file or folder cannot be read."),
    (
        "unsupported-yaml",
        "YAML is used in a way that has no meaning here: tags, keys that are no texts.",
    ),
    (
        "unused-filter",
        "A patch filter has no effect for the operating system.",
    ),
    (
        "wrong-count",
        "A list or map has too few or too many entries.",
    ),
    (
        "wrong-operating-system",
        "A field does not exist for the operating system of the patch baseline.",
    ),
    ("wrong-ref", "A reference names an object of another kind."),
    ("wrong-type", "A value has the wrong type."),
    ("yaml-syntax", "A file is not well-formed YAML or JSON."),
];

/// Returns the sentence that documents a code.
pub fn describe(code: &str) -> Option<&'static str> {
    CODES
        .binary_search_by_key(&code, |(code, _)| code)
        .ok()
        .map(|index| CODES[index].1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn codes_are_sorted() {
        assert!(CODES.is_sorted_by_key(|(code, _)| *code));
        assert_eq!(
            describe("bad-name").map(|text| text.ends_with('.')),
            Some(true)
        );
        assert_eq!(describe("no-such-code"), None);
    }

    /// Reads the sources: whatever is handed to a constructor of diagnostics must be in the table.
    #[test]
    fn every_emitted_code_is_documented() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let emitted = fancy_regex::Regex::new(
            r#"(?:report\s*\.\s*(?:error|warning)|Diagnostic::(?:error|warning)|Problem::new|\.push)\(\s*"([a-z]+(?:-[a-z]+)+)"|code: "([a-z-]+)""#,
        )
        .unwrap();
        let mut folders = vec![src.join("load"), src.join("model"), src.join("kinds")];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let shipped = text.split("mod tests {").next().unwrap();
                for found in emitted.captures_iter(shipped) {
                    let found = found.unwrap();
                    let code = found.get(1).or_else(|| found.get(2)).unwrap().as_str();
                    seen += 1;
                    assert!(
                        describe(code).is_some(),
                        "{}: `{code}` is not in CODES",
                        path.display()
                    );
                }
            }
        }
        assert!(seen > 30, "the pattern finds only {seen} codes");
    }
}
