//! What a request needs to be allowed: actions and the resources they are about, by the table `requests.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::evaluate::{Tags, matches};
use crate::sandbox::Map;
use crate::sandbox::call::partition;

/// One action on one resource that a request needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needed {
    pub(super) action: String,
    pub(super) resource: String,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) account: &'a str,
    pub(super) region: &'a str,
}

#[derive(Debug)]
struct Table {
    types: BTreeMap<&'static str, Type>,
    /// The lines of each operation, by service and name.
    lines: BTreeMap<(&'static str, &'static str), Vec<Line>>,
}

#[derive(Debug)]
struct Type {
    arn: &'static str,
    tags: bool,
}

#[derive(Clone, Debug)]
struct Line {
    action: &'static str,
    resource: &'static str,
    member: Option<&'static str>,
    /// The member that the line is conditional on, and what its value must be or have in it.
    when: Option<(&'static str, Wanted)>,
}

/// What a member's value must be for a line to apply.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Any,
    Just(&'static str),
    With(&'static str),
}

impl Wanted {
    fn read(when: &'static str) -> (&'static str, Self) {
        if let Some((member, value)) = when.split_once('=') {
            (member, Self::Just(value))
        } else if let Some((member, part)) = when.split_once('~') {
            (member, Self::With(part))
        } else {
            (when, Self::Any)
        }
    }

    fn is(self, found: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Just(value) => found == value,
            Self::With(part) => found.contains(part),
        }
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("requests.txt")));

impl Table {
    fn read(text: &'static str) -> Self {
        let (mut types, mut lines) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["type", name, arn, ref rest @ ..] => {
                    let tags = rest == ["tags"];
                    types.insert(name, Type { arn, tags });
                }
                [service, operations, action, resource, member, ref rest @ ..] => {
                    let when = match rest {
                        ["if", when] => Some(Wanted::read(when)),
                        _ => member.strip_suffix('?').map(|member| (member, Wanted::Any)),
                    };
                    let member = Some(member.trim_end_matches('?')).filter(|member| *member != "-");
                    let line = Line {
                        action,
                        resource,
                        member,
                        when,
                    };
                    for operation in operations.split(',') {
                        let known: &mut Vec<Line> = lines.entry((service, operation)).or_default();
                        known.push(line.clone());
                    }
                }
                _ => debug_assert!(false, "requests.txt: {line}"),
            }
        }
        Self { types, lines }
    }
}

/// Returns what a request needs.
pub(super) fn needed(service: &str, operation: &str, input: &Map, place: Place<'_>) -> Vec<Needed> {
    let mut needed = Vec::new();
    let lines = TABLE.lines.get(&(service, operation));
    for line in lines.into_iter().flatten() {
        let Line {
            action,
            resource,
            member,
            when,
        } = line;
        let applies = when.is_none_or(|(member, wanted)| {
            let found = values(input, member);
            found.iter().any(|found| wanted.is(found))
        });
        if !applies {
            continue;
        }
        let action = match *action {
            "-" => return Vec::new(),
            "." => format!("{service}:{operation}"),
            other => other.to_owned(),
        };
        let mut names = member.map_or(Vec::new(), |member| values(input, member));
        if names.is_empty() {
            names.push("*".to_owned());
        }
        // Something that is no ARN where one must stand is a placeholder, to be filled in later.
        names.retain(|name| *resource != "arn" || name.starts_with("arn:") || when.is_none());
        needed.extend(names.into_iter().map(|name| Needed {
            action: action.clone(),
            resource: arn(resource, &name, place),
        }));
    }
    if needed.is_empty() {
        needed.push(Needed {
            action: format!("{service}:{operation}"),
            resource: "*".to_owned(),
        });
    }
    needed
}

/// Returns the ARN of what a request names.
fn arn(resource: &str, name: &str, place: Place<'_>) -> String {
    let Some(Type { arn, .. }) = TABLE.types.get(resource) else {
        return if resource == "arn" { name } else { "*" }.to_owned();
    };
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let mut place = place;
    let name = match resource {
        // A parameter's ARN has one slash before its name, and neither version nor label behind it.
        "parameter" => name
            .trim_start_matches('/')
            .split(':')
            .next()
            .unwrap_or_default(),
        // What belongs to AWS has no account: user guide, "Setting up identity based policies examples".
        "document"
            if ["AWS-", "AWS", "Amazon"]
                .iter()
                .any(|own| name.starts_with(own)) =>
        {
            place.account = "";
            name
        }
        _ => name,
    };
    filled(arn, place).replace("{}", name)
}

fn filled(arn: &str, place: Place<'_>) -> String {
    let Place { account, region } = place;
    arn.replace("{partition}", partition(region))
        .replace("{region}", region)
        .replace("{account}", account)
}

/// The texts at a path of members; a list on the way stands for each of its items, a text for the document in it.
fn values(input: &Map, path: &str) -> Vec<String> {
    let mut found = vec![Value::Object(input.clone())];
    for step in path.split('.') {
        found = found.iter().flat_map(|value| below(value, step)).collect();
    }
    let texts = found.iter().flat_map(|value| match value {
        Value::Array(list) => list.clone(),
        Value::Object(map) if map.is_empty() => Vec::new(),
        other => vec![other.clone()],
    });
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    texts.map(text).filter(|text| !text.is_empty()).collect()
}

fn below(value: &Value, step: &str) -> Vec<Value> {
    match value {
        Value::Object(map) => map.get(step).cloned().into_iter().collect(),
        Value::Array(list) => list.iter().flat_map(|item| below(item, step)).collect(),
        Value::String(text) => match serde_yaml::from_str(text) {
            Ok(document @ Value::Object(_)) => below(&document, step),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Returns the service, and the input of its `ListTagsForResource`, that tells the tags of a resource; nothing where
/// policies cannot look at its tags.
pub(super) fn tags_request<'a>(resource: &'a str, place: Place<'_>) -> Option<(&'a str, Map)> {
    let service = resource.split(':').nth(2)?;
    let pattern = |name: &str| Some(filled(TABLE.types.get(name)?.arn, place));
    let types = TABLE.types.iter().filter(|(_, known)| known.tags);
    let mut types = types.filter_map(|(name, _)| Some((*name, pattern(name)?)));
    let (kind, arn) = types.find(|(_, arn)| matches(&arn.replace("{}", "*"), resource))?;
    let id = resource.strip_prefix(arn.split("{}").next()?)?;
    let lines = TABLE.lines.get(&(service, "ListTagsForResource"))?;
    let line = lines
        .iter()
        .find(|line| ["arn", kind].contains(&line.resource))?;
    let name = match line.resource {
        "arn" => resource.to_owned(),
        // Only a parameter in a folder begins with a slash.
        "parameter" if id.contains('/') => format!("/{id}"),
        _ => id.to_owned(),
    };
    let mut input = Map::from_iter([(line.member?.to_owned(), Value::String(name))]);
    if let Some((member, Wanted::Just(value))) = line.when {
        input.insert(member.to_owned(), json!(value));
    }
    Some((service, input))
}

/// Returns the tags that an input or an answer holds, however the service writes them.
pub(super) fn tags_in(members: &Map) -> Tags {
    let found = ["Tags", "tags", "TagList"]
        .iter()
        .find_map(|name| members.get(*name));
    let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
    match found {
        Some(Value::Object(map)) => map
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), text(Some(value))?)))
            .collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|tag| Some((text(tag.get("Key"))?, text(tag.get("Value"))?)))
            .collect(),
        _ => Tags::new(),
    }
}

/// Returns the keys of the tags that a request would set or remove.
pub(super) fn tag_keys(input: &Map) -> Vec<String> {
    let removed = ["TagKeys", "tagKeys"]
        .iter()
        .flat_map(|name| values(input, name));
    tags_in(input).into_keys().chain(removed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::models::services;

    const PLACE: Place<'_> = Place {
        account: "111122223333",
        region: "eu-west-1",
    };

    fn asked(service: &str, operation: &str, input: &Value) -> Vec<String> {
        let needed = needed(service, operation, input.as_object().unwrap(), PLACE);
        needed
            .into_iter()
            .map(|Needed { action, resource }| format!("{action} {resource}"))
            .collect()
    }

    #[test]
    fn the_table_fits_the_models() {
        for ((service, operation), lines) in &TABLE.lines {
            let Some(service) = services().find(|known| known.name == *service) else {
                continue;
            };
            let Some(model) = service.operations.get(*operation) else {
                continue;
            };
            for line in lines {
                let known = TABLE.types.contains_key(line.resource);
                assert!(
                    known || ["arn", "*"].contains(&line.resource),
                    "{operation}: {line:?}"
                );
                let when = line.when.map(|(member, _)| member);
                for path in line.member.iter().copied().chain(when) {
                    let first = path.split('.').next().unwrap();
                    let input = service.shape(model.input.as_deref().unwrap());
                    assert!(
                        input.members.get(first).is_some(),
                        "{operation} has no {path}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_request_needs_what_the_reference_says() {
        let document = json!({
            "Name": "fix", "Tags": [{"Key": "a", "Value": "b"}],
            "Content": "schemaVersion: '0.3'\nassumeRole: arn:aws:iam::111122223333:role/fixer\n",
        });
        assert_eq!(
            asked("ssm", "CreateDocument", &document),
            [
                "ssm:CreateDocument arn:aws:ssm:eu-west-1:111122223333:document/fix",
                "ssm:AddTagsToResource arn:aws:ssm:eu-west-1:111122223333:document/fix",
                "iam:PassRole arn:aws:iam::111122223333:role/fixer",
            ]
        );
        let parameter = json!({ "Name": "/people/kayoko:3" });
        assert_eq!(
            asked("ssm", "GetParameter", &parameter),
            ["ssm:GetParameter arn:aws:ssm:eu-west-1:111122223333:parameter/people/kayoko"]
        );
        let setting = json!({
            "SettingId": "/ssm/managed-instance/default-ec2-instance-management-role",
            "SettingValue": "service-role/Host",
        });
        assert_eq!(
            asked("ssm", "UpdateServiceSetting", &setting),
            [
                "ssm:UpdateServiceSetting arn:aws:ssm:eu-west-1:111122223333:servicesetting/ssm/managed-instance/default-ec2-instance-management-role",
                "iam:PassRole arn:aws:iam::111122223333:role/service-role/Host",
            ]
        );
        let placeholder = json!({ "Name": "fix", "Content": "{\"assumeRole\": \"{{ Role }}\"}" });
        assert_eq!(asked("ssm", "CreateDocument", &placeholder).len(), 1);
        assert_eq!(
            asked("ssm", "ListDocuments", &json!({})),
            ["ssm:ListDocuments *"]
        );
        assert_eq!(asked("sts", "GetCallerIdentity", &json!({})), [""; 0]);
        let tags =
            json!({ "ResourceType": "PatchBaseline", "ResourceId": "pb-1", "TagKeys": ["a"] });
        assert_eq!(
            asked("ssm", "RemoveTagsFromResource", &tags),
            ["ssm:RemoveTagsFromResource arn:aws:ssm:eu-west-1:111122223333:patchbaseline/pb-1"]
        );
    }

    #[test]
    fn tags_are_asked_for_where_policies_can_see_them() {
        let request = |arn: &str| {
            tags_request(arn, PLACE)
                .map(|(service, input)| format!("{service} {}", Value::Object(input)))
        };
        assert_eq!(
            request("arn:aws:ssm:eu-west-1:111122223333:parameter/a/b").unwrap(),
            r#"ssm {"ResourceId":"/a/b","ResourceType":"Parameter"}"#
        );
        let contact = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/kayoko";
        assert_eq!(
            request(contact).unwrap(),
            format!(r#"ssm-contacts {{"ResourceARN":"{contact}"}}"#)
        );
        assert_eq!(
            request("arn:aws:ssm-contacts:eu-west-1:111122223333:contact-channel/kayoko/1"),
            None
        );
        assert_eq!(request("*"), None);
    }
}
