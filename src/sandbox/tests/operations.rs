//! Operations made for tests: just enough behaviour to see what came in and to answer every kind of value.

use serde_json::{Value, json};

use crate::sandbox::{Access, Answer, Call, Fault, Map, Operation, State};

const fn read(
    service: &'static str,
    name: &'static str,
    run: fn(&mut State, &mut Call<'_>) -> Answer,
) -> Operation {
    Operation {
        service,
        name,
        access: Access::Read,
        run,
    }
}

const fn write(
    service: &'static str,
    name: &'static str,
    run: fn(&mut State, &mut Call<'_>) -> Answer,
) -> Operation {
    Operation {
        service,
        name,
        access: Access::Write,
        run,
    }
}

pub(super) static ALL: &[Operation] = &[
    write("ssm", "PutParameter", put_parameter),
    read("ssm", "GetParameter", get_parameter),
    write("ssm", "AddTagsToResource", |_, _| Ok(Map::new())),
    write("ssm", "DeleteParameter", |_, _| panic!("on purpose")),
    read("ssm-contacts", "GetRotation", |_, call| {
        map(json!({
            "RotationArn": call.required("RotationId"), "Name": "primary", "ContactIds": ["arn:a", "arn:b"],
            "StartTime": 1_767_225_600.0, "TimeZoneId": "Europe/Dublin",
            "Recurrence": {"NumberOfOnCalls": 1, "RecurrenceMultiplier": 1,
                "WeeklySettings": [{"DayOfWeek": "MON", "HandOffTime": {"HourOfDay": 9, "MinuteOfHour": 0}}]}
        }))
    }),
    read("ssm-contacts", "GetContact", |_, call| {
        let id = call.required("ContactId");
        Err(Fault::new("ResourceNotFoundException", "no such contact")
            .with("ResourceId", id)
            .with("ResourceType", "CONTACT"))
    }),
    read("ssm-contacts", "ListContacts", |_, _| {
        Err(Fault::new(
            "ValidationException",
            "Invalid value provided - Account not found for the request",
        ))
    }),
    write("ssm-incidents", "CreateReplicationSet", |_, call| {
        assert!(
            call.map("regions")
                .is_some_and(|regions| regions.contains_key("eu-west-1"))
        );
        map(json!({"arn": format!("arn:aws:ssm-incidents::{}:replication-set/x", call.account)}))
    }),
    write("ssm-incidents", "UpdateResponsePlan", |_, call| {
        assert_eq!(call.list("engagements").map(Vec::len), Some(0));
        assert!(
            call.map("chatChannel")
                .is_some_and(|chat| chat.contains_key("empty"))
        );
        Ok(Map::new())
    }),
    read("ssm-incidents", "GetReplicationSet", |_, call| {
        Err(Fault::new(
            "ResourceNotFoundException",
            format!("no {}", call.required("arn")),
        ))
    }),
    read("ssm-incidents", "ListTagsForResource", |state, call| {
        let tags = state
            .sessions
            .get(call.required("resourceArn"))
            .cloned()
            .unwrap_or_default();
        map(json!({"tags": {"keys": tags}}))
    }),
    write("ssm-incidents", "UntagResource", |state, call| {
        let keys = call.strings("tagKeys").join("+");
        state
            .sessions
            .insert(call.required("resourceArn").to_owned(), keys);
        Ok(Map::new())
    }),
    read("ssm-incidents", "ListIncidentRecords", |_, _| {
        Err(Fault::new("ConflictException", "later").with("retryAfter", 1_767_225_600.5))
    }),
    write("cloudwatch", "PutDashboard", |state, call| {
        let body = call.required("DashboardBody").to_owned();
        if serde_json::from_str::<Value>(&body).is_err() {
            let messages = json!([{"DataPath": "/", "Message": "not <JSON>"}]);
            return Err(Fault::new(
                "InvalidParameterInput",
                "The field DashboardBody must be a valid JSON object",
            )
            .with("dashboardValidationMessages", messages));
        }
        state
            .sessions
            .insert(call.required("DashboardName").to_owned(), body);
        map(json!({"DashboardValidationMessages": []}))
    }),
    read("cloudwatch", "GetDashboard", |state, call| {
        let name = call.required("DashboardName");
        match state.sessions.get(name) {
            Some(body) => map(json!({"DashboardName": name, "DashboardBody": body})),
            None => Err(Fault::new(
                "ResourceNotFound",
                format!("Dashboard {name} does not exist"),
            )),
        }
    }),
    read("cloudwatch", "ListDashboards", |state, _| {
        let entries: Vec<Value> = state
            .sessions
            .iter()
            .map(|(name, body)| json!({"DashboardName": name, "Size": body.len(), "LastModified": 1_767_225_600.25}))
            .collect();
        map(json!({"DashboardEntries": entries}))
    }),
    write("cloudwatch", "DeleteDashboards", |state, call| {
        for name in call.strings("DashboardNames") {
            state.sessions.remove(&name);
        }
        Ok(Map::new())
    }),
    read("sts", "GetCallerIdentity", |_, call| {
        map(json!({"Account": call.account, "Arn": call.caller, "UserId": "AIDAEXAMPLE"}))
    }),
    write("sts", "AssumeRole", |state, call| {
        let role = call.required("RoleArn").to_owned();
        let account = role.split(':').nth(4).unwrap_or_default();
        let key = format!("ASIA{account}ABCD");
        let session = format!(
            "arn:aws:sts::{account}:assumed-role/r/{}",
            call.required("RoleSessionName")
        );
        state.sessions.insert(key.clone(), session.clone());
        map(json!({
            "Credentials": {"AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t",
                "Expiration": call.now_seconds() + 3600.0},
            "AssumedRoleUser": {"AssumedRoleId": "AROAEXAMPLE:s", "Arn": session}
        }))
    }),
];

fn map(value: Value) -> Answer {
    serde_json::from_value(value).map_err(|e| Fault::new("InternalFailure", e.to_string()))
}

fn put_parameter(state: &mut State, call: &mut Call<'_>) -> Answer {
    let key = format!("{}/{}/{}", call.account, call.region, call.required("Name"));
    if state.sessions.contains_key(&key) && call.bool("Overwrite") != Some(true) {
        return Err(Fault::new(
            "ParameterAlreadyExists",
            "The parameter already exists.",
        ));
    }
    let value = call.required("Value").to_owned();
    state.sessions.insert(key, value);
    map(json!({"Version": 1, "Tier": "Standard"}))
}

fn get_parameter(state: &mut State, call: &mut Call<'_>) -> Answer {
    let name = call.required("Name");
    let key = format!("{}/{}/{name}", call.account, call.region);
    let Some(value) = state.sessions.get(&key) else {
        return Err(Fault::new("ParameterNotFound", ""));
    };
    map(
        json!({"Parameter": {"Name": name, "Value": value, "Version": 1, "LastModifiedDate": call.now_seconds()}}),
    )
}
