//! Behaviour of the Security Token Service: who is calling, and sessions of roles in any account.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Access, Answer, Call, Fault, Map, Operation, State, organizations};

/// The operations of this service, in groups.
pub const OPERATIONS: &[&[Operation]] = &[&[
    Operation {
        service: "sts",
        name: "GetCallerIdentity",
        access: Access::Read,
        run: get_caller_identity,
    },
    Operation {
        service: "sts",
        name: "AssumeRole",
        access: Access::Write,
        run: assume_role,
    },
]];

/// How long a session lasts when the caller does not say.
const DEFAULT_SECONDS: i64 = 3600;

/// How long a session lasts at most that a session asked for.
const CHAINED_SECONDS: i64 = 3600;

/// How many characters session policies may have together.
const MOST_POLICY: usize = 2048;

/// How many managed policies a session may name.
const MOST_POLICY_ARNS: usize = 10;

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("ValidationError", message)
}

#[expect(clippy::unnecessary_wraps, reason = "an operation may fail")]
fn get_caller_identity(_state: &mut State, call: &mut Call<'_>) -> Answer {
    Ok(Map::from_iter([
        ("UserId".to_owned(), Value::from(user_id(call))),
        ("Account".to_owned(), Value::from(call.account)),
        ("Arn".to_owned(), Value::from(call.caller)),
    ]))
}

/// `aws:userid`: the account for its root, an id for a user, an id and the session's name for a role.
fn user_id(call: &Call<'_>) -> String {
    let name = call.caller.rsplit_once(':').map_or("", |(_, name)| name);
    let mut parts = name.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("assumed-role"), Some(role), Some(session)) => {
            format!("{}:{session}", unique_id("AROA", call.account, role))
        }
        (Some("root"), ..) => call.account.to_owned(),
        _ => unique_id("AIDA", call.account, name),
    }
}

/// Makes the unique id that IAM would have given: the same one each time.
fn unique_id(prefix: &str, account: &str, name: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(format!("{account}/{name}"));
    let id: String = hash
        .iter()
        .take(17)
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    format!("{prefix}{id}")
}

/// A role named by its ARN.
struct Role<'a> {
    partition: &'a str,
    account: &'a str,
    /// `/`, or for instance `/teams/ops/`.
    path: &'a str,
    name: &'a str,
}

impl<'a> Role<'a> {
    fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (scheme, partition, service, region) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (account, resource) = (parts.next()?, parts.next()?);
        let path = resource
            .strip_prefix("role")
            .filter(|path| path.starts_with('/'))?;
        // A session's ARN has no path: only the last part is the role's name.
        let (path, name) = path.split_at(path.rfind('/')? + 1);
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let fits = scheme == "arn" && service == "iam" && region.is_empty() && digits;
        (fits && !name.is_empty()).then_some(Self {
            partition,
            account,
            path,
            name,
        })
    }
}

fn assume_role(state: &mut State, call: &mut Call<'_>) -> Answer {
    let arn = call.required("RoleArn");
    let session = call.required("RoleSessionName");
    let role = Role::parse(arn).ok_or_else(|| invalid(format!("{arn} is invalid")))?;
    let longest = trusted(state, call, &role)?;
    let seconds = duration(call, longest)?;
    let packed = packed_size(call)?;
    check_tags(call)?;
    let source_identity = call.str("SourceIdentity");
    if source_identity.is_some_and(|identity| identity.starts_with("aws:")) {
        return Err(invalid("The source identity cannot start with `aws:`."));
    }

    let caller = format!(
        "arn:{}:sts::{}:assumed-role/{}/{session}",
        role.partition, role.account, role.name
    );
    let id = format!("{}:{session}", unique_id("AROA", role.account, role.name));
    let account = role.account.to_owned();
    let source_identity = source_identity.map(str::to_owned);
    // Whoever reads the key id finds the account of the role in it.
    let letters: String = (0..4)
        .map(|_| char::from(call.rng.random_range(b'A'..=b'Z')))
        .collect();
    let access_key = format!("ASIA{account}{letters}");
    let secret: [u8; 30] = call.rng.random();
    let token: [u8; 192] = call.rng.random();
    let expires = call.now_seconds().floor() + f64::from(seconds);

    state.sessions.insert(access_key.clone(), caller.clone());
    let mut answer = Map::from_iter([
        (
            "Credentials".to_owned(),
            json!({
                "AccessKeyId": access_key,
                "SecretAccessKey": STANDARD.encode(secret),
                "SessionToken": STANDARD.encode(token),
                "Expiration": expires,
            }),
        ),
        (
            "AssumedRoleUser".to_owned(),
            json!({ "AssumedRoleId": id, "Arn": caller }),
        ),
    ]);
    if let Some(packed) = packed {
        answer.insert("PackedPolicySize".to_owned(), json!(packed));
    }
    if let Some(identity) = source_identity {
        answer.insert("SourceIdentity".to_owned(), json!(identity));
    }
    Ok(answer)
}

/// Returns how long sessions of a role may last, if it is there and trusts the caller. Without an organization every
/// role is there and trusts everybody.
///
/// AWS gives one answer for whatever is wrong, so that nobody can find out which roles there are:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html>.
fn trusted(state: &State, call: &Call<'_>, role: &Role<'_>) -> Result<Option<i32>, Fault> {
    let Some(organization) = &state.settings.organization else {
        return Ok(None);
    };
    let member = organization.member(role.account).map(|(member, _)| member);
    let member = member.filter(|member| member.state == "ACTIVE");
    let mut roles = member.into_iter().flat_map(|member| &member.roles);
    let found = roles.find(|known| known.name == role.name && known.path == role.path);
    let trusts = |known: &&organizations::Role| {
        let wanted = known.external_id.as_deref();
        let external = wanted.is_none_or(|wanted| call.str("ExternalId") == Some(wanted));
        let by = &known.trusts;
        let default = by.is_empty() && call.account == organization.management_account;
        external && (default || principals(call).iter().any(|who| by.contains(who)))
    };
    if let Some(known) = found.filter(trusts) {
        return Ok(Some(known.max_session_seconds));
    }
    let mut fault = Fault::new(
        "AccessDenied",
        format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            call.caller,
            call.required("RoleArn")
        ),
    );
    fault.status = 403;
    Err(fault)
}

/// The names by which a trust policy may know the caller: its account, itself, and the role of its session, which
/// here has no path.
fn principals(call: &Call<'_>) -> Vec<String> {
    let (account, caller) = (call.account.to_owned(), call.caller.to_owned());
    let root = format!("arn:aws:iam::{account}:root");
    let session = caller
        .split_once(":assumed-role/")
        .and_then(|(_, rest)| rest.split_once('/'));
    let role = session.map(|(role, _)| format!("arn:aws:iam::{account}:role/{role}"));
    [account, caller, root].into_iter().chain(role).collect()
}

/// How long the session lasts. One that a session asked for is a chain, and ends within the hour.
fn duration(call: &Call<'_>, longest: Option<i32>) -> Result<i32, Fault> {
    let seconds = call.int("DurationSeconds").unwrap_or(DEFAULT_SECONDS);
    if longest.is_some_and(|longest| seconds > i64::from(longest)) {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let chained = call.caller.contains(":assumed-role/");
    if chained && seconds > CHAINED_SECONDS {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    i32::try_from(seconds).map_err(|_| invalid("The requested DurationSeconds is too large."))
}

/// How full the session is of policies and tags, in percent; nothing when there are none.
fn packed_size(call: &Call<'_>) -> Result<Option<usize>, Fault> {
    let policy = call.str("Policy").unwrap_or_default();
    if !policy.is_empty() && !serde_json::from_str::<Value>(policy).is_ok_and(|p| p.is_object()) {
        return Err(Fault::new(
            "MalformedPolicyDocument",
            "The session policy is not a JSON document.",
        ));
    }
    let arns = call.list("PolicyArns").map_or(&[][..], Vec::as_slice);
    if arns.len() > MOST_POLICY_ARNS {
        return Err(invalid("A session can name at most 10 managed policies."));
    }
    let text = |value: &Value, member: &str| {
        value
            .get(member)
            .and_then(Value::as_str)
            .map_or(0, str::len)
    };
    let named: usize = arns.iter().map(|policy| text(policy, "arn")).sum();
    let tags = call.list("Tags").map_or(&[][..], Vec::as_slice);
    let tagged: usize = tags.iter().map(|t| text(t, "Key") + text(t, "Value")).sum();
    if policy.len() + named > MOST_POLICY {
        return Err(invalid(
            "Session policies can have at most 2048 characters together.",
        ));
    }
    let size = policy.len() + named + tagged;
    Ok((size > 0).then(|| (size * 100).div_ceil(2 * MOST_POLICY).min(100)))
}

/// Tag keys differ by more than their case, and a transitive key is the key of a tag.
fn check_tags(call: &Call<'_>) -> Result<(), Fault> {
    let tags = call.list("Tags").map_or(&[][..], Vec::as_slice);
    let mut keys: Vec<String> = tags
        .iter()
        .filter_map(|tag| tag.get("Key")?.as_str())
        .map(str::to_lowercase)
        .collect();
    let transitive = call.strings("TransitiveTagKeys");
    if transitive
        .iter()
        .any(|key| !keys.contains(&key.to_lowercase()))
    {
        return Err(invalid(
            "The specified transitive tag key must be included in the requested tags.",
        ));
    }
    keys.sort();
    keys.dedup();
    if keys.len() < tags.len() {
        return Err(invalid(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    const USER: &str = "arn:aws:iam::111122223333:user/tester";

    fn call_as(state: &mut State, caller: &str, name: &str, input: &Value) -> Answer {
        let account = caller.split(':').nth(4).unwrap();
        let input = input.as_object().unwrap();
        let mut rng = SmallRng::seed_from_u64(1);
        let mut call = Call {
            account,
            region: "us-east-1",
            caller,
            input,
            now: Timestamp::from_second(1_767_225_600).unwrap(),
            rng: &mut rng,
        };
        let operation = OPERATIONS[0].iter().find(|o| o.name == name).unwrap();
        (operation.run)(state, &mut call)
    }

    fn role(more: &Value) -> Value {
        let mut input = json!({
            "RoleArn": "arn:aws:iam::444455556666:role/teams/ops/deployer",
            "RoleSessionName": "banana",
        });
        for (member, value) in more.as_object().unwrap() {
            input[member] = value.clone();
        }
        input
    }

    #[test]
    fn assumed_role_acts_in_the_roles_account_without_its_path() {
        let mut state = State::default();
        let answer = call_as(&mut state, USER, "AssumeRole", &role(&json!({}))).unwrap();
        let user = &answer["AssumedRoleUser"];
        let arn = "arn:aws:sts::444455556666:assumed-role/deployer/banana";
        assert_eq!(user["Arn"], arn);
        let key = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
        assert!(key.starts_with("ASIA444455556666"));
        assert_eq!(key.len(), 20);
        assert_eq!(state.sessions[key], arn);
        assert_eq!(answer["Credentials"]["Expiration"], 1_767_229_200.0);
        assert!(!answer.contains_key("PackedPolicySize"));

        let identity = call_as(&mut state, arn, "GetCallerIdentity", &json!({})).unwrap();
        assert_eq!(identity["Account"], "444455556666");
        assert_eq!(identity["Arn"], arn);
        assert_eq!(identity["UserId"], user["AssumedRoleId"]);
    }

    #[test]
    fn chained_role_lasts_an_hour_at_most() {
        let mut state = State::default();
        let long = role(&json!({ "DurationSeconds": 7200 }));
        assert!(call_as(&mut state, USER, "AssumeRole", &long).is_ok());
        let session = "arn:aws:sts::111122223333:assumed-role/hub/ci";
        let fault = call_as(&mut state, session, "AssumeRole", &long).unwrap_err();
        assert_eq!(fault.code, "ValidationError");
        let hour = role(&json!({ "DurationSeconds": 3600 }));
        assert!(call_as(&mut state, session, "AssumeRole", &hour).is_ok());
    }

    #[test]
    fn role_arn_must_name_a_role() {
        let mut state = State::default();
        for arn in [
            "arn:aws:iam::444455556666:user/someone",
            "arn:aws:iam::4444:role/deployer-role",
            "arn:aws:s3:::bucket/role/deployer",
        ] {
            let input = role(&json!({ "RoleArn": arn }));
            let fault = call_as(&mut state, USER, "AssumeRole", &input).unwrap_err();
            assert_eq!(fault.code, "ValidationError", "{arn}");
        }
        assert!(state.sessions.is_empty());
    }

    #[test]
    fn session_tags_must_differ_by_more_than_case() {
        let mut state = State::default();
        let tags = json!([{ "Key": "Team", "Value": "a" }, { "Key": "team", "Value": "b" }]);
        let input = role(&json!({ "Tags": tags }));
        assert!(call_as(&mut state, USER, "AssumeRole", &input).is_err());
        let input = role(&json!({ "Tags": [tags[0]], "TransitiveTagKeys": ["Cost"] }));
        assert!(call_as(&mut state, USER, "AssumeRole", &input).is_err());
        let input = role(&json!({ "Tags": [tags[0]], "TransitiveTagKeys": ["Team"] }));
        let answer = call_as(&mut state, USER, "AssumeRole", &input).unwrap();
        assert_eq!(answer["PackedPolicySize"], 1);
    }

    #[test]
    fn session_policy_must_be_json() {
        let mut state = State::default();
        let input = role(&json!({ "Policy": "allow all" }));
        let fault = call_as(&mut state, USER, "AssumeRole", &input).unwrap_err();
        assert_eq!(fault.code, "MalformedPolicyDocument");
    }

    #[test]
    fn user_and_root_have_their_own_ids() {
        let mut state = State::default();
        let user = call_as(&mut state, USER, "GetCallerIdentity", &json!({})).unwrap();
        assert!(user["UserId"].as_str().unwrap().starts_with("AIDA"));
        let root = "arn:aws:iam::111122223333:root";
        let root = call_as(&mut state, root, "GetCallerIdentity", &json!({})).unwrap();
        assert_eq!(root["UserId"], "111122223333");
    }
}
