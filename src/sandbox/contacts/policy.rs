//! Resource policies of contacts: one document each, put and read. There is no operation to delete one.

use serde_json::Value;

use super::arn::{self, Kind};
use super::{contact, enter, fault, read, write};
use crate::sandbox::{Answer, Call, Map, Operation, State};

/// The policy operations.
pub(super) const OPERATIONS: &[Operation] = &[
    write("PutContactPolicy", put),
    read("GetContactPolicy", get),
];

fn put(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactArn", Kind::Contact)?;
    let contact = contact::find(store, &id)?;
    let policy = call.required("Policy");
    let sound =
        serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.get("Statement").is_some());
    if !sound {
        return Err(fault::field("Policy", "is not a policy document"));
    }
    contact.policy = Some(policy.to_owned());
    store.shared.insert(id);
    Ok(Map::new())
}

fn get(state: &mut State, call: &mut Call<'_>) -> Answer {
    let store = enter(state, call)?;
    let id = arn::member(call, "ContactArn", Kind::Contact)?;
    let contact = contact::find(store, &id)?;
    let mut answer = Map::from_iter([("ContactArn".to_owned(), Value::from(id))]);
    if let Some(policy) = &contact.policy {
        answer.insert("Policy".to_owned(), policy.clone().into());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;

    #[test]
    fn a_policy_is_put_read_and_replaced() {
        let mut world = World::new();
        let ana = world.person("ana");
        let get = json!({ "ContactArn": ana });
        assert_eq!(
            world.ok("GetContactPolicy", get.clone()),
            json!({ "ContactArn": ana })
        );
        for sid in ["One", "Two"] {
            let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}"}}]}}"#);
            world.ok(
                "PutContactPolicy",
                json!({ "ContactArn": ana, "Policy": policy }),
            );
            assert_eq!(world.ok("GetContactPolicy", get.clone())["Policy"], policy);
        }
        for bad in ["not json", "[]", "{}"] {
            let put = json!({ "ContactArn": ana, "Policy": bad });
            assert_eq!(world.code("PutContactPolicy", put), "ValidationException");
        }
        let missing = "arn:aws:ssm-contacts:eu-west-1:111122223333:contact/nobody";
        let get = json!({ "ContactArn": missing });
        assert_eq!(
            world.code("GetContactPolicy", get),
            "ResourceNotFoundException"
        );
    }
}
