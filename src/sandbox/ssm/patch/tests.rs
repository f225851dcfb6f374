use serde_json::{Value, json};

use crate::sandbox::ssm::testing::{ACCOUNT, Aws, REGION};

fn create(aws: &mut Aws, name: &str, system: &str) -> String {
    let output = aws.ok(
        "CreatePatchBaseline",
        json!({ "Name": name, "OperatingSystem": system }),
    );
    output["BaselineId"].as_str().unwrap().to_owned()
}

fn get(aws: &mut Aws, id: &str) -> Value {
    aws.ok("GetPatchBaseline", json!({ "BaselineId": id }))
}

fn default(aws: &mut Aws, system: &str) -> String {
    let output = aws.ok(
        "GetDefaultPatchBaseline",
        json!({ "OperatingSystem": system }),
    );
    output["BaselineId"].as_str().unwrap().to_owned()
}

fn rule(member: &str, value: &Value) -> Value {
    let filters = json!({ "PatchFilters": [{ "Key": "CLASSIFICATION", "Values": ["Security"] }] });
    json!({ "PatchRules": [{ "PatchFilterGroup": filters, member: value }] })
}

#[test]
fn a_new_baseline_reads_back_with_every_container() {
    let mut aws = Aws::new();
    let output = aws.ok("CreatePatchBaseline", json!({ "Name": "mine" }));
    let id = output["BaselineId"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 20);
    assert!(id.starts_with("pb-0"));
    let baseline = get(&mut aws, &id);
    assert_eq!(
        baseline,
        json!({
            "BaselineId": id,
            "Name": "mine",
            "OperatingSystem": "WINDOWS",
            "GlobalFilters": { "PatchFilters": [] },
            "ApprovalRules": { "PatchRules": [] },
            "ApprovedPatches": [],
            "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
            "ApprovedPatchesEnableNonSecurity": false,
            "RejectedPatches": [],
            "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
            "Sources": [],
            "PatchGroups": [],
            "CreatedDate": baseline["CreatedDate"],
            "ModifiedDate": baseline["CreatedDate"],
        })
    );
}

#[test]
fn names_are_not_unique_and_tokens_are_idempotent() {
    let mut aws = Aws::new();
    let first = create(&mut aws, "mine", "CENTOS");
    assert_ne!(create(&mut aws, "mine", "CENTOS"), first);
    let with_token = |name: &str| json!({ "Name": name, "ClientToken": "token" });
    let once = aws.ok("CreatePatchBaseline", with_token("once"));
    assert_eq!(aws.ok("CreatePatchBaseline", with_token("once")), once);
    assert_eq!(
        aws.err("CreatePatchBaseline", with_token("other")),
        "IdempotentParameterMismatch"
    );
}

#[test]
fn an_update_without_replace_merges() {
    let mut aws = Aws::new();
    let input = json!({
        "Name": "mine", "OperatingSystem": "CENTOS", "Description": "d", "ApprovedPatches": ["a"],
        "RejectedPatches": ["b"], "RejectedPatchesAction": "BLOCK",
    });
    let id = aws.ok("CreatePatchBaseline", input)["BaselineId"].clone();
    aws.wait(5);
    let updated = aws.ok(
        "UpdatePatchBaseline",
        json!({ "BaselineId": id, "ApprovedPatches": [] }),
    );
    assert_eq!(updated["ApprovedPatches"], json!([]));
    assert_eq!(updated["RejectedPatches"], json!(["b"]));
    assert_eq!(updated["Description"], "d");
    assert_eq!(updated["OperatingSystem"], "CENTOS");
    assert_eq!(updated.get("PatchGroups"), None);
    assert_ne!(updated["ModifiedDate"], updated["CreatedDate"]);
}

#[test]
fn an_update_with_replace_starts_from_nothing() {
    let mut aws = Aws::new();
    let input = json!({ "Name": "mine", "Description": "d", "ApprovedPatches": ["KB1"], "RejectedPatchesAction": "BLOCK" });
    let id = aws.ok("CreatePatchBaseline", input)["BaselineId"].clone();
    let nameless = json!({ "BaselineId": id, "Replace": true });
    assert_eq!(
        aws.err("UpdatePatchBaseline", nameless),
        "ValidationException"
    );
    let updated = aws.ok(
        "UpdatePatchBaseline",
        json!({ "BaselineId": id, "Replace": true, "Name": "new" }),
    );
    assert_eq!(updated["Name"], "new");
    assert_eq!(updated.get("Description"), None);
    assert_eq!(updated["ApprovedPatches"], json!([]));
    assert_eq!(updated["RejectedPatchesAction"], "ALLOW_AS_DEPENDENCY");
}

#[test]
fn a_rule_has_one_timer_and_gets_its_defaults() {
    let mut aws = Aws::new();
    let mut attempt = |rules: Value| {
        aws.call(
            "CreatePatchBaseline",
            json!({ "Name": "mine", "OperatingSystem": "CENTOS", "ApprovalRules": rules }),
        )
        .map(|output| output["BaselineId"].as_str().unwrap().to_owned())
        .map_err(|fault| fault.code)
    };
    let wrong = Err("ValidationException".to_owned());
    let mut both = rule("ApproveAfterDays", &json!(7));
    both["PatchRules"][0]["ApproveUntilDate"] = json!("2026-01-31");
    assert_eq!(attempt(both), wrong);
    assert_eq!(attempt(rule("ComplianceLevel", &json!("HIGH"))), wrong);
    assert_eq!(
        attempt(rule("ApproveUntilDate", &json!("2026-31-01"))),
        wrong
    );
    attempt(rule("ApproveUntilDate", &json!("2026-01-31"))).unwrap();
    let id = attempt(rule("ApproveAfterDays", &json!(0))).unwrap();
    let read = get(&mut aws, &id)["ApprovalRules"]["PatchRules"][0].clone();
    assert_eq!(read["ApproveAfterDays"], 0);
    assert_eq!(read["ComplianceLevel"], "UNSPECIFIED");
    assert_eq!(read["EnableNonSecurity"], false);
    assert_eq!(read.get("ApproveUntilDate"), None);
}

#[test]
fn what_is_for_linux_only_is_refused_for_windows() {
    let mut aws = Aws::new();
    let mut code = |member: &str, value: Value| {
        aws.err(
            "CreatePatchBaseline",
            json!({ "Name": "mine", member: value }),
        )
    };
    assert_eq!(
        code("ApprovedPatchesEnableNonSecurity", json!(true)),
        "ValidationException"
    );
    let source = json!([{ "Name": "own", "Products": ["*"], "Configuration": "[main]" }]);
    assert_eq!(code("Sources", source), "ValidationException");
    let other = json!({ "Name": "mine", "OperatingSystem": "SUSE", "AvailableSecurityUpdatesComplianceStatus": "COMPLIANT" });
    assert_eq!(aws.err("CreatePatchBaseline", other), "ValidationException");
}

#[test]
fn baselines_of_aws_are_there_with_foreign_arns() {
    let mut aws = Aws::new();
    let listed = aws.ok(
        "DescribePatchBaselines",
        json!({ "Filters": [{ "Key": "OWNER", "Values": ["AWS"] }] }),
    );
    let baselines = listed["BaselineIdentities"].as_array().unwrap().clone();
    assert_eq!(baselines.len(), 17);
    let defaults = baselines
        .iter()
        .filter(|b| b["DefaultBaseline"] == true)
        .count();
    assert_eq!(defaults, 15, "one for each operating system");
    for baseline in &baselines {
        let id = baseline["BaselineId"].as_str().unwrap();
        assert!(
            id.starts_with(&format!("arn:aws:ssm:{REGION}:")) && !id.contains(ACCOUNT),
            "{id}"
        );
        assert_eq!(get(&mut aws, id)["BaselineId"], id);
        let bare = id.rsplit('/').next().unwrap();
        assert_eq!(
            aws.err("GetPatchBaseline", json!({ "BaselineId": bare })),
            "DoesNotExistException"
        );
        assert_eq!(
            aws.err("UpdatePatchBaseline", json!({ "BaselineId": id })),
            "DoesNotExistException"
        );
        let tag = json!({ "ResourceType": "PatchBaseline", "ResourceId": id, "Tags": [] });
        assert_eq!(aws.err("AddTagsToResource", tag), "InvalidResourceId");
    }
}

#[test]
fn baselines_are_listed_with_filters() {
    let mut aws = Aws::new();
    create(&mut aws, "prod-a", "SUSE");
    create(&mut aws, "prod-b", "CENTOS");
    let mut list = |filters: Value| {
        let output = aws.ok("DescribePatchBaselines", json!({ "Filters": filters }));
        let baselines = output["BaselineIdentities"].as_array().unwrap();
        baselines
            .iter()
            .map(|b| b["BaselineName"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let own = json!({ "Key": "OWNER", "Values": ["Self"] });
    let suse = json!({ "Key": "OPERATING_SYSTEM", "Values": ["SUSE"] });
    assert_eq!(list(json!([own])), ["prod-a", "prod-b"]);
    assert_eq!(list(json!([own, suse])), ["prod-a"]);
    assert_eq!(
        list(json!([suse])),
        ["AWS-SuseDefaultPatchBaseline", "prod-a"]
    );
    assert_eq!(
        list(json!([{ "Key": "NAME_PREFIX", "Values": ["prod-b"] }])),
        ["prod-b"]
    );
    assert_eq!(list(json!([])).len(), 19);
    let wrong = json!({ "Filters": [{ "Key": "COLOUR", "Values": ["red"] }] });
    assert_eq!(
        aws.err("DescribePatchBaselines", wrong),
        "ValidationException"
    );
    assert_eq!(
        aws.err("DescribePatchBaselines", json!({ "NextToken": "abc" })),
        "ValidationException"
    );
}

#[test]
fn unknown_and_malformed_ids_are_told_apart() {
    let mut aws = Aws::new();
    let unknown = json!({ "BaselineId": "pb-0123456789abcdef0" });
    let malformed = json!({ "BaselineId": "baseline-0123456789abcdef" });
    assert_eq!(
        aws.err("GetPatchBaseline", unknown.clone()),
        "DoesNotExistException"
    );
    assert_eq!(
        aws.err("GetPatchBaseline", malformed.clone()),
        "InvalidResourceId"
    );
    assert_eq!(
        aws.err("RegisterDefaultPatchBaseline", unknown.clone()),
        "DoesNotExistException"
    );
    assert_eq!(
        aws.err("RegisterDefaultPatchBaseline", malformed),
        "InvalidResourceId"
    );
    assert_eq!(
        aws.err("UpdatePatchBaseline", unknown.clone()),
        "DoesNotExistException"
    );
    // Deleting what is not there succeeds.
    assert_eq!(aws.ok("DeletePatchBaseline", unknown.clone()), unknown);
}

#[test]
fn an_own_baseline_is_found_by_its_arn_and_answers_its_id() {
    let mut aws = Aws::new();
    let id = create(&mut aws, "mine", "SUSE");
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:patchbaseline/{id}");
    assert_eq!(get(&mut aws, &arn)["BaselineId"], id);
}

#[test]
fn there_is_always_one_default_and_it_cannot_be_deleted() {
    let mut aws = Aws::new();
    let of_aws = default(&mut aws, "SUSE");
    assert!(of_aws.starts_with("arn:"));
    let id = create(&mut aws, "mine", "SUSE");
    let register = |id: &str| json!({ "BaselineId": id });
    assert_eq!(
        aws.ok("RegisterDefaultPatchBaseline", register(&id)),
        register(&id)
    );
    assert_eq!(default(&mut aws, "SUSE"), id);
    assert!(default(&mut aws, "CENTOS").starts_with("arn:"));
    assert_eq!(
        aws.err("DeletePatchBaseline", register(&id)),
        "ResourceInUseException"
    );
    aws.ok("RegisterDefaultPatchBaseline", register(&of_aws));
    assert_eq!(default(&mut aws, "SUSE"), of_aws);
    aws.ok("DeletePatchBaseline", register(&id));
}

#[test]
fn the_default_of_windows_is_the_plain_one() {
    let mut aws = Aws::new();
    let id = aws.ok("GetDefaultPatchBaseline", json!({}));
    assert_eq!(id["OperatingSystem"], "WINDOWS");
    assert_eq!(
        get(&mut aws, id["BaselineId"].as_str().unwrap())["Name"],
        "AWS-DefaultPatchBaseline"
    );
}

#[test]
fn a_group_has_one_baseline_for_each_operating_system() {
    let mut aws = Aws::new();
    let suse = create(&mut aws, "suse", "SUSE");
    let other = create(&mut aws, "other", "SUSE");
    let centos = create(&mut aws, "centos", "CENTOS");
    let group = |id: &str| json!({ "BaselineId": id, "PatchGroup": "web" });
    assert_eq!(
        aws.ok("RegisterPatchBaselineForPatchGroup", group(&suse)),
        group(&suse)
    );
    assert_eq!(
        aws.err("RegisterPatchBaselineForPatchGroup", group(&other)),
        "AlreadyExistsException"
    );
    aws.ok("RegisterPatchBaselineForPatchGroup", group(&centos));
    assert_eq!(get(&mut aws, &suse)["PatchGroups"], json!(["web"]));
    let listed = aws.ok("DescribePatchGroups", json!({}));
    let mappings = listed["Mappings"].as_array().unwrap();
    assert_eq!(mappings.len(), 2);
    assert_eq!(mappings[0]["BaselineIdentity"]["OperatingSystem"], "CENTOS");
    assert_eq!(mappings[1]["BaselineIdentity"]["BaselineId"], suse);
    let only = json!({ "Filters": [{ "Key": "OPERATING_SYSTEM", "Values": ["SUSE"] }] });
    assert_eq!(
        aws.ok("DescribePatchGroups", only)["Mappings"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let missing = group("pb-0123456789abcdef0");
    assert_eq!(
        aws.err("RegisterPatchBaselineForPatchGroup", missing),
        "DoesNotExistException"
    );
}

#[test]
fn a_group_without_registration_gets_the_default() {
    let mut aws = Aws::new();
    let id = create(&mut aws, "suse", "SUSE");
    let ask = json!({ "PatchGroup": "web", "OperatingSystem": "SUSE" });
    let of_aws = default(&mut aws, "SUSE");
    assert_eq!(
        aws.ok("GetPatchBaselineForPatchGroup", ask.clone())["BaselineId"],
        of_aws
    );
    aws.ok(
        "RegisterPatchBaselineForPatchGroup",
        json!({ "BaselineId": id, "PatchGroup": "web" }),
    );
    assert_eq!(
        aws.ok("GetPatchBaselineForPatchGroup", ask)["BaselineId"],
        id
    );
    assert_eq!(
        aws.ok("DescribePatchGroupState", json!({ "PatchGroup": "web" }))["Instances"],
        0
    );
}

#[test]
fn a_registered_baseline_cannot_be_deleted() {
    let mut aws = Aws::new();
    let id = create(&mut aws, "suse", "SUSE");
    let group = json!({ "BaselineId": id, "PatchGroup": "web" });
    aws.ok("RegisterPatchBaselineForPatchGroup", group.clone());
    let delete = json!({ "BaselineId": id });
    assert_eq!(
        aws.err("DeletePatchBaseline", delete.clone()),
        "ResourceInUseException"
    );
    assert_eq!(
        aws.ok("DeregisterPatchBaselineForPatchGroup", group.clone()),
        group
    );
    assert_eq!(
        aws.err("DeregisterPatchBaselineForPatchGroup", group),
        "DoesNotExistException"
    );
    aws.ok("DeletePatchBaseline", delete);
}

#[test]
fn a_baseline_of_aws_can_have_groups_and_is_echoed_as_given() {
    let mut aws = Aws::new();
    let id = default(&mut aws, "UBUNTU");
    let group = json!({ "BaselineId": id, "PatchGroup": "web" });
    assert_eq!(
        aws.ok("RegisterPatchBaselineForPatchGroup", group.clone()),
        group
    );
    assert_eq!(get(&mut aws, &id)["PatchGroups"], json!(["web"]));
}

#[test]
fn quotas_are_50_baselines_and_25_groups() {
    let mut aws = Aws::new();
    let id = create(&mut aws, "first", "SUSE");
    for n in 1..50 {
        create(&mut aws, &format!("baseline-{n}"), "SUSE");
    }
    let more = json!({ "Name": "more" });
    assert_eq!(
        aws.err("CreatePatchBaseline", more.clone()),
        "ResourceLimitExceededException"
    );
    let group = |n: u32| json!({ "BaselineId": id, "PatchGroup": format!("group-{n}") });
    for n in 0..25 {
        aws.ok("RegisterPatchBaselineForPatchGroup", group(n));
    }
    assert_eq!(
        aws.err("RegisterPatchBaselineForPatchGroup", group(25)),
        "ResourceLimitExceededException"
    );
    aws.state.settings.quotas = false;
    aws.ok("CreatePatchBaseline", more);
    aws.ok("RegisterPatchBaselineForPatchGroup", group(25));
}

#[test]
fn a_token_ends_with_its_baseline() {
    let mut aws = Aws::new();
    let input = json!({ "Name": "mine", "ClientToken": "token" });
    let first = aws.ok("CreatePatchBaseline", input.clone());
    aws.ok("DeletePatchBaseline", first.clone());
    assert_ne!(aws.ok("CreatePatchBaseline", input), first);
}

#[test]
fn groups_are_listed_in_pages() {
    let mut aws = Aws::new();
    aws.state.settings.quotas = false;
    let id = create(&mut aws, "mine", "SUSE");
    for n in 0..60 {
        let group = json!({ "BaselineId": id, "PatchGroup": format!("group {n:02}") });
        aws.ok("RegisterPatchBaselineForPatchGroup", group);
    }
    let first = aws.ok("DescribePatchGroups", json!({}));
    assert_eq!(first["Mappings"].as_array().unwrap().len(), 50);
    let rest = aws.ok(
        "DescribePatchGroups",
        json!({ "NextToken": first["NextToken"] }),
    );
    assert_eq!(rest["Mappings"][0]["PatchGroup"], "group 50");
    assert_eq!(rest.get("NextToken"), None);
}
