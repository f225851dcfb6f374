//! Service settings: all of them exist always, and can only be customized and reset.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Store, arn, invalid, members, operations};
use crate::sandbox::{Answer, Call, Fault, Map, State};

/// Whether documents can be shared with everybody.
pub(super) const PUBLIC_SHARING: &str = "/ssm/documents/console/public-sharing-permission";
/// The tier of a parameter that is written without one.
pub(super) const PARAMETER_TIER: &str = "/ssm/parameter-store/default-parameter-tier";
/// The tier of hybrid nodes: the one setting that changes slowly.
const ACTIVATION_TIER: &str = "/ssm/managed-instance/activation-tier";

/// When the defaults were made: a constant, so that answers do not change.
const PROVISIONED: f64 = 1_519_862_400.0;

/// A setting's id, its default, and the values it can have; none listed means any.
const SETTINGS: [(&str, &str, &[&str]); 10] = [
    (
        "/ssm/appmanager/appmanager-enabled",
        "False",
        &["True", "False"],
    ),
    (
        "/ssm/automation/customer-script-log-destination",
        "None",
        &["CloudWatch"],
    ),
    (
        "/ssm/automation/customer-script-log-group-name",
        "/aws/ssm/automation/executeScript",
        &[],
    ),
    (
        "/ssm/automation/enable-adaptive-concurrency",
        "False",
        &["True", "False"],
    ),
    (PUBLIC_SHARING, "Enable", &["Enable", "Disable"]),
    (ACTIVATION_TIER, "standard", &["standard", "advanced"]),
    (
        "/ssm/managed-instance/default-ec2-instance-management-role",
        "$None",
        &[],
    ),
    (
        "/ssm/opsinsights/opscenter",
        "Disabled",
        &["Enabled", "Disabled"],
    ),
    (
        PARAMETER_TIER,
        "Standard",
        &["Standard", "Advanced", "Intelligent-Tiering"],
    ),
    (
        "/ssm/parameter-store/high-throughput-enabled",
        "false",
        &["true", "false"],
    ),
];

/// A setting that is not, or was not always, at its default.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setting {
    /// The value in effect; none means the default.
    value: Option<String>,
    /// The value that is to come into effect, and how many reads still see the old one.
    pending: Option<(Option<String>, u32)>,
    modified: f64,
    user: String,
}

operations! {
    Read "GetServiceSetting" => get,
    Write "UpdateServiceSetting" => update,
    Write "ResetServiceSetting" => reset,
}

/// Returns the value of a setting that is in effect.
pub(super) fn value(store: &Store, id: &str) -> String {
    let custom = store.service_settings.get(id).and_then(|s| s.value.clone());
    custom.unwrap_or_else(|| {
        SETTINGS
            .iter()
            .find(|(known, ..)| *known == id)
            .map(|(_, default, _)| (*default).to_owned())
            .unwrap_or_default()
    })
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (id, _) = find(call)?;
    let store = state.ssm(call.account, call.region);
    let answer = shown(store, call, id);
    if let Some(setting) = store.service_settings.get_mut(id) {
        setting.pending = match setting.pending.take() {
            Some((value, left)) if left <= 1 => {
                setting.value = value;
                None
            }
            Some((value, left)) => Some((value, left - 1)),
            None => None,
        };
    }
    Ok(members(json!({ "ServiceSetting": answer })))
}

fn update(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (id, allowed) = find(call)?;
    let value = call.required("SettingValue");
    if !allowed.is_empty() && !allowed.contains(&value) {
        return Err(invalid(format!(
            "Setting value {value} is not valid for {id}. Valid values are: {}.",
            allowed.join(", ")
        )));
    }
    set(state, call, id, Some(value.to_owned()));
    Ok(Map::new())
}

fn reset(state: &mut State, call: &mut Call<'_>) -> Answer {
    let (id, _) = find(call)?;
    set(state, call, id, None);
    let answer = shown(state.ssm(call.account, call.region), call, id);
    Ok(members(json!({ "ServiceSetting": answer })))
}

fn set(state: &mut State, call: &Call<'_>, id: &str, value: Option<String>) {
    let reads = if id == ACTIVATION_TIER {
        state.settings.async_reads
    } else {
        0
    };
    let settings = &mut state.ssm(call.account, call.region).service_settings;
    let before = settings.get(id).and_then(|s| s.value.clone());
    let slow = reads > 0 && before != value;
    let setting = Setting {
        value: if slow { before } else { value.clone() },
        pending: slow.then_some((value, reads)),
        modified: call.now_seconds(),
        user: call.caller.to_owned(),
    };
    settings.insert(id.to_owned(), setting);
}

/// Finds the setting that a request names by its path or by its ARN.
fn find(call: &Call<'_>) -> Result<(&'static str, &'static [&'static str]), Fault> {
    let named = call.required("SettingId");
    let id = if named.starts_with("arn:") {
        named
            .strip_prefix(&arn(call, "servicesetting"))
            .ok_or_else(|| invalid(format!("Invalid settingId : {named}.")))?
    } else {
        named
    };
    SETTINGS
        .iter()
        .find(|(known, ..)| *known == id)
        .map(|(known, _, allowed)| (*known, *allowed))
        .ok_or_else(|| {
            Fault::new(
                "ServiceSettingNotFound",
                format!("The specified service setting {id} was not found."),
            )
        })
}

fn shown(store: &Store, call: &Call<'_>, id: &str) -> Map {
    let setting = store.service_settings.get(id);
    let status = match setting {
        Some(setting) if setting.pending.is_some() => "PendingUpdate",
        Some(setting) if setting.value.is_some() => "Customized",
        _ => "Default",
    };
    let changed = setting.filter(|_| status != "Default");
    members(json!({
        "SettingId": id,
        "SettingValue": value(store, id),
        "LastModifiedDate": changed.map_or(PROVISIONED, |s| s.modified),
        "LastModifiedUser": changed.map_or("System", |s| s.user.as_str()),
        "ARN": arn(call, &format!("servicesetting{id}")),
        "Status": status,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::ssm::testing::{ACCOUNT, Aws, REGION};

    const THROUGHPUT: &str = "/ssm/parameter-store/high-throughput-enabled";

    fn get(aws: &mut Aws, id: &str) -> Value {
        aws.ok("GetServiceSetting", json!({ "SettingId": id }))["ServiceSetting"].clone()
    }

    #[test]
    fn a_setting_exists_with_its_default() {
        let mut aws = Aws::new();
        let setting = get(&mut aws, THROUGHPUT);
        assert_eq!(setting["SettingId"], THROUGHPUT);
        assert_eq!(setting["SettingValue"], "false");
        assert_eq!(setting["Status"], "Default");
        assert_eq!(setting["LastModifiedUser"], "System");
        assert_eq!(
            setting["ARN"],
            format!("arn:aws:ssm:{REGION}:{ACCOUNT}:servicesetting{THROUGHPUT}")
        );
    }

    #[test]
    fn a_setting_is_customized_and_reset() {
        let mut aws = Aws::new();
        let arn = get(&mut aws, THROUGHPUT)["ARN"].clone();
        aws.ok(
            "UpdateServiceSetting",
            json!({ "SettingId": arn, "SettingValue": "true" }),
        );
        let setting = get(&mut aws, THROUGHPUT);
        assert_eq!(
            (&setting["SettingValue"], &setting["Status"]),
            (&json!("true"), &json!("Customized"))
        );
        assert_eq!(
            setting["LastModifiedUser"],
            format!("arn:aws:iam::{ACCOUNT}:user/kayoko")
        );
        let reset =
            aws.ok("ResetServiceSetting", json!({ "SettingId": THROUGHPUT }))["ServiceSetting"]
                .clone();
        assert_eq!(
            (&reset["SettingValue"], &reset["Status"]),
            (&json!("false"), &json!("Default"))
        );
    }

    #[test]
    fn the_default_written_on_purpose_is_customized() {
        let mut aws = Aws::new();
        aws.ok(
            "UpdateServiceSetting",
            json!({ "SettingId": THROUGHPUT, "SettingValue": "false" }),
        );
        assert_eq!(get(&mut aws, THROUGHPUT)["Status"], "Customized");
    }

    #[test]
    fn the_activation_tier_takes_its_time() {
        let mut aws = Aws::new();
        let id = "/ssm/managed-instance/activation-tier";
        aws.ok(
            "UpdateServiceSetting",
            json!({ "SettingId": id, "SettingValue": "advanced" }),
        );
        let pending = get(&mut aws, id);
        assert_eq!(
            (&pending["SettingValue"], &pending["Status"]),
            (&json!("standard"), &json!("PendingUpdate"))
        );
        let settled = get(&mut aws, id);
        assert_eq!(
            (&settled["SettingValue"], &settled["Status"]),
            (&json!("advanced"), &json!("Customized"))
        );
    }

    #[test]
    fn unknown_ids_wrong_values_and_other_regions_are_refused() {
        let mut aws = Aws::new();
        for operation in ["GetServiceSetting", "ResetServiceSetting"] {
            assert_eq!(
                aws.err(operation, json!({ "SettingId": "/ssm/other" })),
                "ServiceSettingNotFound"
            );
        }
        let wrong = json!({ "SettingId": THROUGHPUT, "SettingValue": "True" });
        assert_eq!(
            aws.err("UpdateServiceSetting", wrong),
            "ValidationException"
        );
        let elsewhere = format!("arn:aws:ssm:us-east-1:{ACCOUNT}:servicesetting{THROUGHPUT}");
        assert_eq!(
            aws.err("GetServiceSetting", json!({ "SettingId": elsewhere })),
            "ValidationException"
        );
    }
}
