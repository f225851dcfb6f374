use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::testing::World;
use crate::sandbox::Organization;

const MANAGEMENT: &str = "111122223333";
const SECURITY: &str = "222233334444";
const CHECKOUT: &str = "444455556666";
const SHOP: &str = "ou-ab12-11111111";
const TEST: &str = "555566667777";
const HOME: &str = "eu-west-1";
const LINKED: &str = "eu-central-1";
const FAR: &str = "us-east-1";

const FILE: &str = r#"
id: o-bananastand
managementAccount: "111122223333"
securityHubAdministrator: "222233334444"
root:
  id: r-ab12
  accounts: [{ id: "111122223333" }, { id: "222233334444" }]
  units:
    - id: ou-ab12-11111111
      accounts: [{ id: "444455556666" }]
      units:
        - id: ou-ab12-22222222
          accounts: [{ id: "555566667777" }]
"#;

const DENIED: &str = "AccessDeniedException";
const INVALID: &str = "InvalidInputException";
const CONFLICT: &str = "ResourceConflictException";
const NO_ACCESS: &str = "InvalidAccessException";
const GONE: &str = "ResourceNotFoundException";

impl World {
    fn organized() -> Self {
        let mut world = Self::new();
        world.state.settings.organization = Some(Organization::parse(FILE).unwrap());
        world
    }

    /// The same, as far as the administrator's home region with its aggregator.
    fn at_home() -> Self {
        let mut world = Self::organized();
        world
            .at(SECURITY, LINKED)
            .ok("EnableSecurityHub", &json!({}));
        world.at(SECURITY, HOME).ok("EnableSecurityHub", &json!({}));
        let input = json!({ "RegionLinkingMode": "SPECIFIED_REGIONS", "Regions": [LINKED] });
        world.ok("CreateFindingAggregator", &input);
        world
    }

    /// The same, with central configuration.
    fn central() -> Self {
        let mut world = Self::at_home();
        world.ok("UpdateOrganizationConfiguration", &central());
        world.pass();
        world
    }

    fn at(&mut self, account: &'static str, region: &'static str) -> &mut Self {
        self.account = account;
        self.region = region;
        self
    }

    /// Lets time pass in which nobody looks.
    fn pass(&mut self) {
        self.now += SignedDuration::from_mins(4);
    }

    fn code(&mut self, operation: &str, input: &Value) -> String {
        self.refused(operation, input).0
    }

    fn policy(&mut self, body: &Value) -> String {
        let input = json!({ "Name": "base", "ConfigurationPolicy": { "SecurityHub": body } });
        let made = self.ok("CreateConfigurationPolicy", &input);
        made["Id"].as_str().unwrap().to_owned()
    }

    fn associate(&mut self, policy: &str, target: &Value) -> Value {
        let input = json!({ "ConfigurationPolicyIdentifier": policy, "Target": target });
        self.ok("StartConfigurationPolicyAssociation", &input)
    }

    fn disassociate(&mut self, policy: &str, target: &Value) {
        let input = json!({ "ConfigurationPolicyIdentifier": policy, "Target": target });
        self.ok("StartConfigurationPolicyDisassociation", &input);
    }

    /// Returns policy, type and status of a target's association.
    fn association(&mut self, target: &Value) -> [String; 3] {
        let got = self.ok(
            "GetConfigurationPolicyAssociation",
            &json!({ "Target": target }),
        );
        [
            "ConfigurationPolicyId",
            "AssociationType",
            "AssociationStatus",
        ]
        .map(|member| got[member].as_str().unwrap().to_owned())
    }

    fn standards(&mut self) -> Vec<String> {
        let got = self.ok("GetEnabledStandards", &json!({}));
        let found = got["StandardsSubscriptions"].as_array().unwrap().iter();
        found
            .map(|one| {
                format!(
                    "{} {}",
                    one["StandardsArn"].as_str().unwrap(),
                    one["StandardsStatus"]
                )
            })
            .collect()
    }
}

fn central() -> Value {
    json!({
        "AutoEnable": false, "AutoEnableStandards": "NONE",
        "OrganizationConfiguration": { "ConfigurationType": "CENTRAL" },
    })
}

fn local() -> Value {
    json!({ "AutoEnable": false, "OrganizationConfiguration": { "ConfigurationType": "LOCAL" } })
}

fn fsbp(region: &str) -> String {
    format!(
        "arn:aws:securityhub:{region}::standards/aws-foundational-security-best-practices/v/1.0.0"
    )
}

/// A policy that enables a standard, without one control.
fn body() -> Value {
    json!({
        "ServiceEnabled": true, "EnabledStandardIdentifiers": [fsbp(HOME)],
        "SecurityControlsConfiguration": {
            "DisabledSecurityControlIdentifiers": ["EC2.8"],
            "SecurityControlCustomParameters": [{
                "SecurityControlId": "ACM.1",
                "Parameters": { "daysToExpiration": { "ValueType": "CUSTOM", "Value": { "Integer": 20 } } },
            }],
        },
    })
}

fn account(id: &str) -> Value {
    json!({ "AccountId": id })
}

fn root() -> Value {
    json!({ "RootId": "r-ab12" })
}

#[test]
fn an_aggregator_is_one_in_the_account_and_changed_at_home() {
    let mut world = World::at_home();
    let listed = world
        .at(SECURITY, LINKED)
        .ok("ListFindingAggregators", &json!({}));
    let arn = listed["FindingAggregators"][0]["FindingAggregatorArn"].clone();
    assert!(
        arn.as_str()
            .unwrap()
            .starts_with("arn:aws:securityhub:eu-west-1:222233334444:finding-aggregator/")
    );
    let named = json!({ "FindingAggregatorArn": arn });
    let got = world.ok("GetFindingAggregator", &named);
    assert_eq!(got["FindingAggregationRegion"], HOME);
    assert_eq!(got["Regions"], json!([LINKED]));
    let all = json!({ "FindingAggregatorArn": arn, "RegionLinkingMode": "ALL_REGIONS" });
    for (operation, input) in [
        ("CreateFindingAggregator", &all),
        ("UpdateFindingAggregator", &all),
        ("DeleteFindingAggregator", &named),
    ] {
        assert_eq!(world.code(operation, input), INVALID, "{operation}");
    }
    world.at(SECURITY, HOME).ok("UpdateFindingAggregator", &all);
    assert_eq!(
        world.ok("GetFindingAggregator", &named).get("Regions"),
        None
    );
    for (mode, regions) in [
        ("ALL_REGIONS", json!([FAR])),
        ("NO_REGIONS", json!([FAR])),
        ("SPECIFIED_REGIONS", json!([])),
        ("ALL_REGIONS_EXCEPT_SPECIFIED", Value::Null),
        ("SOME_REGIONS", json!([FAR])),
    ] {
        let input =
            json!({ "FindingAggregatorArn": arn, "RegionLinkingMode": mode, "Regions": regions });
        assert_eq!(
            world.code("UpdateFindingAggregator", &input),
            INVALID,
            "{mode}"
        );
    }
    world.ok("DeleteFindingAggregator", &named);
    assert_eq!(world.code("GetFindingAggregator", &named), GONE);
    // Another region may be home now, but none that accounts must enable first.
    let input = json!({ "RegionLinkingMode": "NO_REGIONS" });
    world
        .at(SECURITY, "eu-south-1")
        .ok("EnableSecurityHub", &json!({}));
    assert_eq!(world.code("CreateFindingAggregator", &input), INVALID);
    world
        .at(SECURITY, LINKED)
        .ok("CreateFindingAggregator", &input);
    assert_eq!(
        world
            .at(SECURITY, FAR)
            .code("ListFindingAggregators", &json!({})),
        NO_ACCESS
    );
}

#[test]
fn the_management_account_says_who_administers_in_each_region() {
    let mut world = World::organized();
    let named = |id: &str| json!({ "AdminAccountId": id });
    let list = json!({});
    assert_eq!(
        world
            .at(SECURITY, HOME)
            .code("ListOrganizationAdminAccounts", &list),
        NO_ACCESS
    );
    world.at(MANAGEMENT, HOME);
    let listed = world.ok("ListOrganizationAdminAccounts", &list);
    assert_eq!(
        listed["AdminAccounts"],
        json!([{ "AccountId": SECURITY, "Status": "ENABLED" }])
    );
    assert_eq!(
        world.code("EnableOrganizationAdminAccount", &named(CHECKOUT)),
        INVALID
    );
    assert_eq!(
        world.code("EnableOrganizationAdminAccount", &named("999999999999")),
        INVALID
    );
    assert_eq!(
        world.code("DisableOrganizationAdminAccount", &named(CHECKOUT)),
        INVALID
    );
    world.ok("EnableOrganizationAdminAccount", &named(SECURITY));
    world.ok("DisableOrganizationAdminAccount", &named(SECURITY));
    let listed = world.ok("ListOrganizationAdminAccounts", &list);
    assert_eq!(listed["AdminAccounts"][0]["Status"], "DISABLE_IN_PROGRESS");
    assert_eq!(
        world.ok("ListOrganizationAdminAccounts", &list)["AdminAccounts"],
        json!([])
    );
    world.ok("EnableOrganizationAdminAccount", &named(CHECKOUT));
    assert_eq!(
        world
            .at(SECURITY, HOME)
            .code("ListOrganizationAdminAccounts", &list),
        NO_ACCESS
    );
    // Elsewhere nothing changed; and what the one may in its region the other may not.
    let listed = world
        .at(MANAGEMENT, FAR)
        .ok("ListOrganizationAdminAccounts", &list);
    assert_eq!(listed["AdminAccounts"][0]["AccountId"], SECURITY);
    for (id, fits) in [(SECURITY, false), (CHECKOUT, true)] {
        world.at(id, HOME).ok("EnableSecurityHub", &json!({}));
        let described = world.call("DescribeOrganizationConfiguration", &json!({}));
        assert_eq!(described.is_ok(), fits, "{id}");
    }
    let (code, why) = world.refused("DisableSecurityHub", &json!({}));
    assert_eq!(code, INVALID);
    assert_eq!(
        why,
        "Cannot disable Security Hub on the Security Hub administrator"
    );
}

#[test]
fn central_configuration_has_conditions() {
    let mut world = World::organized();
    let update = "UpdateOrganizationConfiguration";
    assert_eq!(world.at(SECURITY, HOME).code(update, &central()), NO_ACCESS);
    world.ok("EnableSecurityHub", &json!({}));
    let described = world.ok("DescribeOrganizationConfiguration", &json!({}));
    assert_eq!(
        described,
        json!({
            "AutoEnable": false, "MemberAccountLimitReached": false, "AutoEnableStandards": "DEFAULT",
            "OrganizationConfiguration": { "ConfigurationType": "LOCAL", "Status": "ENABLED" },
        })
    );
    assert_eq!(world.code(update, &central()), INVALID, "no aggregator");
    world.ok(
        "CreateFindingAggregator",
        &json!({ "RegionLinkingMode": "ALL_REGIONS" }),
    );
    for (member, value) in [
        ("AutoEnable", json!(true)),
        ("AutoEnableStandards", json!("DEFAULT")),
    ] {
        let mut input = central();
        input[member] = value;
        assert_eq!(world.code(update, &input), INVALID, "{member}");
    }
    world.at(SECURITY, FAR).ok("EnableSecurityHub", &json!({}));
    assert_eq!(world.code(update, &central()), DENIED, "not at home");
    world.at(SECURITY, HOME).ok(update, &central());
    let status = |world: &mut World| {
        let described = world.ok("DescribeOrganizationConfiguration", &json!({}));
        described["OrganizationConfiguration"]["Status"].clone()
    };
    let (code, why) = world.refused("ListConfigurationPolicies", &json!({}));
    assert_eq!(
        (
            code.as_str(),
            why.starts_with("Must be a Security Hub delegated")
        ),
        (DENIED, true)
    );
    assert_eq!(status(&mut world), "PENDING");
    assert_eq!(status(&mut world), "ENABLED");
    world.ok("ListConfigurationPolicies", &json!({}));
    assert_eq!(world.code(update, &json!({ "AutoEnable": true })), INVALID);
    world.ok(update, &json!({ "AutoEnable": false }));
    assert_eq!(status(&mut world), "ENABLED");
    // It is the same in linked regions, and asked for at home alone.
    assert_eq!(status(world.at(SECURITY, FAR)), "ENABLED");
    let (code, why) = world.refused("ListConfigurationPolicies", &json!({}));
    assert_eq!(code, DENIED);
    assert_eq!(
        why,
        "Central Configuration APIs can only be called from the aggregation region"
    );
    world.at(SECURITY, HOME);
    let listed = world.ok("ListFindingAggregators", &json!({}));
    let named = &listed["FindingAggregators"][0];
    assert_eq!(world.code("DeleteFindingAggregator", named), INVALID);
    let dismissed = json!({ "AdminAccountId": SECURITY });
    assert_eq!(
        world
            .at(MANAGEMENT, HOME)
            .code("DisableOrganizationAdminAccount", &dismissed),
        INVALID
    );
    world.at(SECURITY, HOME).ok(update, &local());
    world.ok("DeleteFindingAggregator", named);
}

#[test]
fn the_management_account_configures_nothing_centrally() {
    let mut world = World::new();
    let file = FILE.replace(
        r#"Administrator: "222233334444""#,
        r#"Administrator: "111122223333""#,
    );
    world.state.settings.organization = Some(Organization::parse(&file).unwrap());
    world.ok("EnableSecurityHub", &json!({}));
    world.ok(
        "CreateFindingAggregator",
        &json!({ "RegionLinkingMode": "ALL_REGIONS" }),
    );
    assert_eq!(
        world.code("UpdateOrganizationConfiguration", &central()),
        INVALID
    );
    world.ok(
        "UpdateOrganizationConfiguration",
        &json!({ "AutoEnable": true, "AutoEnableStandards": "NONE" }),
    );
    let described = world.ok("DescribeOrganizationConfiguration", &json!({}));
    assert_eq!(
        (&described["AutoEnable"], &described["AutoEnableStandards"]),
        (&json!(true), &json!("NONE"))
    );
}

#[test]
fn a_policy_is_whole_or_refused() {
    let mut world = World::central();
    let mut refused = |change: &dyn Fn(&mut Value)| {
        let mut body = body();
        change(&mut body);
        let input = json!({ "Name": "base", "ConfigurationPolicy": { "SecurityHub": body } });
        world.code("CreateConfigurationPolicy", &input)
    };
    let changes: [&dyn Fn(&mut Value); 9] = [
        &|body| drop(body.as_object_mut().unwrap().remove("ServiceEnabled")),
        &|body| {
            drop(
                body.as_object_mut()
                    .unwrap()
                    .remove("EnabledStandardIdentifiers"),
            );
        },
        &|body| {
            drop(
                body.as_object_mut()
                    .unwrap()
                    .remove("SecurityControlsConfiguration"),
            );
        },
        &|body| body["ServiceEnabled"] = json!(false),
        &|body| body["EnabledStandardIdentifiers"] = json!([fsbp(LINKED)]),
        &|body| body["SecurityControlsConfiguration"] = json!({}),
        &|body| {
            body["SecurityControlsConfiguration"]["EnabledSecurityControlIdentifiers"] = json!([]);
        },
        &|body| {
            body["SecurityControlsConfiguration"]["DisabledSecurityControlIdentifiers"] =
                json!(["EC2.99"]);
        },
        &|body| {
            let at = "/SecurityControlsConfiguration/SecurityControlCustomParameters/0/Parameters/daysToExpiration/Value";
            body.pointer_mut(at).unwrap()["Integer"] = json!(5);
        },
    ];
    for (n, change) in changes.iter().enumerate() {
        assert_eq!(refused(change), INVALID, "{n}");
    }
    let mut input =
        json!({ "Name": "with space", "ConfigurationPolicy": { "SecurityHub": body() } });
    assert_eq!(world.code("CreateConfigurationPolicy", &input), INVALID);
    input["Name"] = json!("base");
    input["Tags"] = json!({ "team": "banana" });
    let made = world.ok("CreateConfigurationPolicy", &input);
    assert_eq!(made["ConfigurationPolicy"]["SecurityHub"], body());
    let listed = world.ok("ListConfigurationPolicies", &json!({}));
    let summary = &listed["ConfigurationPolicySummaries"][0];
    assert_eq!(
        (&summary["Arn"], &summary["ServiceEnabled"]),
        (&made["Arn"], &json!(true))
    );
    let tags = world.ok(
        "ListTagsForResource",
        &json!({ "ResourceArn": made["Arn"] }),
    );
    assert_eq!(tags["Tags"], json!({ "team": "banana" }));

    // What an update leaves out stays, the policy itself is replaced whole, and of one that is off no controls are kept.
    let off = json!({ "SecurityHub": { "ServiceEnabled": false, "SecurityControlsConfiguration": {
        "DisabledSecurityControlIdentifiers": ["EC2.8"],
    } } });
    let update =
        json!({ "Identifier": made["Arn"], "Description": "Off.", "ConfigurationPolicy": off });
    world.ok("UpdateConfigurationPolicy", &update);
    let got = world.ok(
        "GetConfigurationPolicy",
        &json!({ "Identifier": made["Id"] }),
    );
    assert_eq!(
        (&got["Name"], &got["Description"]),
        (&json!("base"), &json!("Off."))
    );
    assert_eq!(
        got["ConfigurationPolicy"],
        json!({ "SecurityHub": { "ServiceEnabled": false } })
    );
    world.ok(
        "DeleteConfigurationPolicy",
        &json!({ "Identifier": made["Id"] }),
    );
    assert_eq!(
        world.code(
            "GetConfigurationPolicy",
            &json!({ "Identifier": made["Id"] })
        ),
        GONE
    );
}

fn rows(listed: &Value) -> &[Value] {
    listed["ConfigurationPolicyAssociationSummaries"]
        .as_array()
        .unwrap()
}

#[test]
fn what_is_below_inherits() {
    let mut world = World::central();
    let policy = world.policy(&body());
    let shop = json!({ "OrganizationalUnitId": SHOP });
    assert_eq!(
        world.code(
            "GetConfigurationPolicyAssociation",
            &json!({ "Target": root() })
        ),
        GONE
    );
    let made = world.associate(&policy, &root());
    assert_eq!(
        (&made["AssociationType"], &made["AssociationStatus"]),
        (&json!("APPLIED"), &json!("PENDING"))
    );
    let is = |kind: &str, status: &str| [policy.clone(), kind.to_owned(), status.to_owned()];
    assert_eq!(
        world.association(&account(TEST)),
        is("INHERITED", "PENDING")
    );
    assert_eq!(
        world.association(&account(TEST)),
        is("INHERITED", "SUCCESS")
    );
    world.associate("SELF_MANAGED_SECURITY_HUB", &shop);
    world.pass();
    let listed = world.ok("ListConfigurationPolicyAssociations", &json!({}));
    let listed = rows(&listed);
    let kinds: Vec<_> = listed
        .iter()
        .map(|row| {
            format!(
                "{} {} {}",
                row["TargetId"],
                row["AssociationType"],
                row["ConfigurationPolicyId"] == json!(policy)
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            r#""111122223333" "INHERITED" true"#,
            r#""222233334444" "INHERITED" true"#,
            r#""444455556666" "INHERITED" false"#,
            r#""555566667777" "INHERITED" false"#,
            r#""ou-ab12-11111111" "APPLIED" false"#,
            r#""ou-ab12-22222222" "INHERITED" false"#,
            r#""r-ab12" "APPLIED" true"#,
        ]
    );
    let filters = json!({ "ConfigurationPolicyId": policy, "AssociationType": "APPLIED" });
    let listed = world.ok(
        "ListConfigurationPolicyAssociations",
        &json!({ "Filters": filters }),
    );
    let listed = rows(&listed);
    assert_eq!(listed.len(), 1);
    let batch = json!([{ "Target": account(CHECKOUT) }, { "Target": account("999999999999") }]);
    let batch = json!({ "ConfigurationPolicyAssociationIdentifiers": batch });
    let got = world.ok("BatchGetConfigurationPolicyAssociations", &batch);
    assert_eq!(
        got["ConfigurationPolicyAssociations"][0]["TargetId"],
        CHECKOUT
    );
    assert_eq!(
        got["UnprocessedConfigurationPolicyAssociations"][0]["ErrorCode"],
        "404"
    );

    // Inherited is not to be taken away, applied is after a while, and only then may the policy go.
    let inherited =
        json!({ "ConfigurationPolicyIdentifier": policy, "Target": account(MANAGEMENT) });
    assert_eq!(
        world.code("StartConfigurationPolicyDisassociation", &inherited),
        GONE
    );
    world.disassociate("SELF_MANAGED_SECURITY_HUB", &shop);
    world.pass();
    assert_eq!(
        world.association(&account(TEST)),
        is("INHERITED", "SUCCESS")
    );
    let named = json!({ "Identifier": policy });
    assert_eq!(world.code("DeleteConfigurationPolicy", &named), CONFLICT);
    world.disassociate(&policy, &root());
    assert_eq!(world.association(&root()), is("APPLIED", "PENDING"));
    assert_eq!(
        world.code(
            "GetConfigurationPolicyAssociation",
            &json!({ "Target": root() })
        ),
        GONE
    );
    assert_eq!(
        world.code("UpdateOrganizationConfiguration", &local()),
        CONFLICT
    );
    world.ok("DeleteConfigurationPolicy", &named);
    world.ok("UpdateOrganizationConfiguration", &local());
}

#[test]
fn members_are_what_the_policy_says_and_cannot_change_it() {
    let mut world = World::central();
    let policy = world.policy(&body());
    world.associate(&policy, &root());
    assert_eq!(
        world.at(CHECKOUT, LINKED).code("DescribeHub", &json!({})),
        NO_ACCESS
    );
    world.pass();
    world.ok("DescribeHub", &json!({}));
    assert_eq!(world.standards(), [format!("{} \"READY\"", fsbp(LINKED))]);
    let both = ["EC2.8", "ACM.1"]
        .map(|id| json!({ "SecurityControlId": id, "StandardsArn": fsbp(LINKED) }));
    let got = world.ok(
        "BatchGetStandardsControlAssociations",
        &json!({ "StandardsControlAssociationIds": both }),
    );
    let got = &got["StandardsControlAssociationDetails"];
    assert_eq!(
        (&got[0]["AssociationStatus"], &got[1]["AssociationStatus"]),
        (&json!("DISABLED"), &json!("ENABLED"))
    );
    let got = world.ok(
        "BatchGetSecurityControls",
        &json!({ "SecurityControlIds": ["ACM.1"] }),
    );
    assert_eq!(
        got["SecurityControls"][0]["Parameters"]["daysToExpiration"]["Value"],
        json!({ "Integer": 20 })
    );
    // In a region that is not linked it is its own master.
    world.at(CHECKOUT, FAR).ok("EnableSecurityHub", &json!({}));
    world.ok(
        "UpdateSecurityHubConfiguration",
        &json!({ "AutoEnableControls": false }),
    );
    let changes = [
        ("EnableSecurityHub", json!({})),
        (
            "UpdateSecurityHubConfiguration",
            json!({ "AutoEnableControls": false }),
        ),
        ("DisableSecurityHub", json!({})),
        (
            "BatchEnableStandards",
            json!({ "StandardsSubscriptionRequests": [{ "StandardsArn": fsbp(LINKED) }] }),
        ),
        (
            "BatchDisableStandards",
            json!({ "StandardsSubscriptionArns": [
            "arn:aws:securityhub:eu-central-1:444455556666:subscription/aws-foundational-security-best-practices/v/1.0.0",
        ] }),
        ),
        (
            "BatchUpdateStandardsControlAssociations",
            json!({ "StandardsControlAssociationUpdates": [
            { "SecurityControlId": "EC2.8", "StandardsArn": fsbp(LINKED), "AssociationStatus": "ENABLED" },
        ] }),
        ),
        (
            "UpdateSecurityControl",
            json!({
                "SecurityControlId": "ACM.1", "Parameters": { "daysToExpiration": { "ValueType": "DEFAULT" } },
            }),
        ),
    ];
    for (operation, input) in &changes {
        let (code, why) = world.at(CHECKOUT, LINKED).refused(operation, input);
        assert_eq!(code, DENIED, "{operation}");
        assert!(why.starts_with(
            "This account is currently associated with a central configuration policy"
        ));
    }
    let update = &changes[1];
    assert_eq!(
        world.at(SECURITY, HOME).code(update.0, &update.1),
        DENIED,
        "nor may its administrator"
    );
    world.at(CHECKOUT, HOME);
    let input = json!({ "RegionLinkingMode": "NO_REGIONS" });
    assert_eq!(
        world.code("CreateFindingAggregator", &input),
        INVALID,
        "members share the administrator's"
    );

    // A policy that changes is done anew; whoever is let go keeps what it has.
    let off = json!({ "SecurityHub": { "ServiceEnabled": false } });
    world.at(SECURITY, HOME);
    world.ok(
        "UpdateConfigurationPolicy",
        &json!({ "Identifier": policy, "ConfigurationPolicy": off }),
    );
    world.at(CHECKOUT, LINKED).ok("DescribeHub", &json!({}));
    world.pass();
    assert_eq!(world.code("DescribeHub", &json!({})), NO_ACCESS);
    world.at(SECURITY, HOME).ok("DescribeHub", &json!({}));
    world.associate("SELF_MANAGED_SECURITY_HUB", &account(CHECKOUT));
    assert_eq!(
        world.at(CHECKOUT, LINKED).code("DescribeHub", &json!({})),
        NO_ACCESS
    );
    world.ok("EnableSecurityHub", &json!({}));
}
