//! What becomes of an environment after it was ordered, with the real binary against the real endpoint.

use std::collections::BTreeSet;

use postpay::sandbox::read_ledger;

use crate::support::{LEDGER, MANIFEST, Project, STATE, assert_shown};

const OWN: &str = "-y";
const GIVE_UP: &str = "--allow-destroy";

/// The calls that changed something, by action and in order.
fn changes(project: &Project) -> Vec<String> {
    let calls = read_ledger(&project.file(LEDGER)).unwrap();
    let changed = calls.into_iter().filter(|call| call.acted || call.changed);
    changed.map(|call| call.action).collect()
}

fn env_id(project: &Project, address: &str) -> String {
    project.json(STATE)["environments"][address]["env_id"].as_str().unwrap().to_owned()
}

/// Every id that the state has.
fn ids(project: &Project) -> BTreeSet<String> {
    let state = project.json(STATE);
    let records = state["environments"].as_object().unwrap().values();
    records.filter_map(|record| record["env_id"].as_str()).map(str::to_owned).collect()
}

fn append(project: &Project, text: &str) {
    let before = project.read(MANIFEST);
    project.write(MANIFEST, before + text);
}

#[test]
fn an_alias_is_changed_in_place() {
    let project = Project::ordered(&["shop"]);
    let before = ids(&project);
    project.edit(MANIFEST, "alias: shop", "alias: store");
    project.run(["plan", "--show-calls"]).exits(0).says(&["ModifyEnv"]);
    project.run(["apply", OWN]).exits(0);
    assert_eq!(changes(&project), ["CreatePostpayPackage", "ModifyEnv"]);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(ids(&project), before);
}

#[test]
fn a_lost_answer_to_a_change_is_read_back_and_one_that_did_nothing_is_told() {
    let project = Project::ordered(&["shop"]);
    project.edit(MANIFEST, "alias: shop", "alias: store");
    let lost = ["apply", OWN, "--fault", "modify:reset-before@1", "--settle", "1s"];
    let unknown = project.run(lost).exits(4);
    assert_shown!("life-alias-unknown", unknown);
    // Not done, so it is still to do, and done once more.
    let lost = ["apply", OWN, "--fault", "modify:reset-after@1", "--settle", "30s"];
    project.run(lost).exits(0).says(&["found in the account"]);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_replacement_is_ordered_by_name_and_the_old_one_kept_until_it_is_given_up_by_name() {
    let project = Project::ordered(&["shop"]);
    let old = env_id(&project, "shop");
    project.edit(MANIFEST, "channel: qc_console", "channel: cocos");
    project.run(["apply", OWN]).exits(1).says(&["--replace shop"]);
    let args = ["--replace", "shop"];
    let plan = project.run(["plan"].iter().chain(&args)).exits(0);
    assert_shown!("life-replace-plan", plan);
    project.run(["apply", OWN].iter().chain(&args)).exits(0);
    assert_eq!(changes(&project), ["CreatePostpayPackage"; 2]);
    assert!(ids(&project).contains(&old));
    let shown = project.run(["plan", "--detailed-exitcode"]).exits(0);
    assert_shown!("life-deposed-plan", shown);

    let new = env_id(&project, "shop");
    let destroy = ["destroy", "shop", "--deposed", GIVE_UP, OWN, "--purge"];
    project.run(destroy).exits(0);
    assert_eq!(ids(&project), BTreeSet::from([new]));
    project.run(destroy).exits(1).says(&["no deposed environment"]);
}

#[test]
fn the_same_line_after_a_run_that_stopped_part_way_replaces_nothing_a_second_time() {
    let project = Project::ordered(&["one", "two"]);
    project.edit(MANIFEST, "channel: qc_console", "channel: cocos");
    let line = ["apply", OWN, "--replace", "one", "--replace", "two"];
    project.run(line.iter().chain(&["--in-flight", "1", "--fault", "error:InvalidParameter@2"])).exits(3);
    let replaced = ids(&project);
    let again = project.run(line).exits(1);
    assert_shown!("life-replaced-already", again);
    assert_eq!(ids(&project), replaced, "nothing was created");
    project.run(["apply", OWN, "--replace", "two"]).exits(0);
    assert_eq!(changes(&project).len(), 4, "two orders, and a replacement of each");
}

#[test]
fn nothing_is_given_up_without_leave_and_what_is_gone_already_is_fine() {
    let project = Project::ordered(&["one", "two"]);
    project.declare(&["one"]);
    for args in [&["apply", OWN][..], &["destroy", "two", OWN]] {
        project.run(args);
    }
    assert_eq!(changes(&project).len(), 2, "two orders, and nothing else");
    let refused = project.run(["destroy", "two", OWN]).exits(1);
    refused.says(&["--allow-destroy"]);
    let declared = project.run(["destroy", "one", GIVE_UP, OWN]).exits(1);
    assert_shown!("life-destroy-declared", declared);

    project.run(["destroy", "two", GIVE_UP, OWN]).exits(0);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    project.run(["destroy", "two", GIVE_UP, OWN, "--purge"]).exits(0).says(&["destroyed"]);
    project.run(["destroy", "two", GIVE_UP, OWN]).exits(0).says(&["is not in the state any more"]);
    project.run(["destroy", "too", GIVE_UP, OWN]).exits(1).says(&["`too` is not in the state"]);
}

#[test]
fn what_nobody_saw_go_is_not_taken_for_alive_and_is_settled_by_a_look() {
    let project = Project::ordered(&["one", "two"]);
    project.declare(&["one"]);
    // Tencent Cloud takes the request; the account can't be looked at.
    let unseen =
        ["destroy", "two", GIVE_UP, OWN, "--retry-for", "0s", "--fault", "list:error:InternalError@*"];
    project.run(unseen).exits(0).says(&["being destroyed"]);
    project.declare(&["one", "two"]);
    let plan = project.run(["plan", "--detailed-exitcode"]).exits(2);
    assert_shown!("life-destroying-plan", plan);
    assert_eq!(changes(&project).len(), 3);
    project.run(["apply", OWN]);
    assert_eq!(changes(&project).len(), 3, "it is not ordered again");
    project.run(["resolve", OWN]).exits(0);
    project.run(["plan"]).exits(0).says(&["+ two "]);
}

#[test]
fn what_left_the_manifests_is_given_up_by_apply_when_the_configuration_and_the_command_line_say_so() {
    let project = Project::ordered(&["one", "two"]);
    project.declare(&["one"]);
    project.write("postpay.yaml", "version: 1\napi: {endpoint: sandbox}\nguard: {allow_destroy: true}\n");
    // Configured, and nobody there to be asked for its address.
    let asked = project.run(["apply", OWN]).exits(1);
    assert!(asked.stderr.contains("error[no-terminal]"), "{asked}");
    project.run(["plan", "-o", "plan.json"]).exits(0);
    project.run(["apply", "plan.json"]).exits(1);
    assert_eq!(changes(&project).len(), 2);
    project.run(["apply", "plan.json", GIVE_UP]).exits(0);
    assert_eq!(changes(&project)[2..], ["DestroyEnv"]);
}

#[test]
fn a_protected_environment_is_kept_even_after_it_left_the_manifests() {
    let project = Project::ordered(&["one", "two"]);
    append(&project, "    lifecycle: {prevent_destroy: true}\n");
    project.run(["apply", OWN]).exits(0);
    project.declare(&["one"]);
    let kept = project.run(["apply", OWN, GIVE_UP]).exits(0);
    assert_shown!("life-protected", kept);
    let refused = project.run(["destroy", "two", GIVE_UP, OWN]).exits(1);
    assert!(refused.stderr.contains("error[step-refused]"), "{refused}");
    assert_eq!(changes(&project).len(), 2);
}

#[test]
fn a_refused_destroy_is_explained_and_leaves_everything_as_it_was() {
    for (code, says) in [("ResourceUnavailable.ResourceOverdue", "overdue"), ("LimitExceeded", "quota")] {
        let project = Project::ordered(&["one"]);
        project.declare(&[]);
        project.write(MANIFEST, "version: 1\nremoved: [never-was]\n");
        let before = project.memory();
        let fault = format!("destroy:error:{code}@1");
        project.run(["destroy", "one", GIVE_UP, OWN, "--fault", &fault, "--settle", "1s"]).exits(1).says(&[
            code,
            "RequestId",
            says,
        ]);
        assert_eq!(project.json(STATE)["environments"], {
            let state = &before[&project.file(STATE).strip_prefix(project.path()).unwrap().to_owned()];
            serde_json::from_slice::<serde_json::Value>(state).unwrap()["environments"].clone()
        });
    }
}

#[test]
fn a_moved_block_renames_without_an_order() {
    let project = Project::ordered(&["shop"]);
    let before = ids(&project);
    project.edit(MANIFEST, "  shop:", "  store:");
    append(&project, "moved:\n  - {from: shop, to: store}\n");
    project.run(["plan"]).exits(0);
    project.run(["apply", OWN]).exits(0);
    assert_eq!(ids(&project), before);
    assert_eq!(changes(&project).len(), 1);
    project.run(["plan", "--detailed-exitcode"]).exits(0);

    // From nowhere, the new name would be ordered.
    project.edit(MANIFEST, "  store:", "  market:");
    project.edit(MANIFEST, "from: shop, to: store", "from: shpo, to: market");
    let missing = project.run(["plan"]).exits(1);
    assert!(missing.stderr.contains("error[moved-missing]"), "{missing}");
    project.run(["apply", OWN]).exits(1);
    assert_eq!(changes(&project).len(), 1);
}

#[test]
fn a_move_onto_a_used_address_is_an_error_with_its_place() {
    let project = Project::ordered(&["one", "two"]);
    project.declare(&["two"]);
    append(&project, "moved: [{from: one, to: two}]\n");
    let used = project.run(["plan"]).exits(1);
    assert!(used.stderr.contains("error[moved-used]"), "{used}");
}

#[test]
fn a_removed_address_is_forgotten_and_lives_on() {
    let project = Project::ordered(&["one", "two"]);
    project.declare(&["one"]);
    append(&project, "removed: [two]\n");
    project.run(["plan", GIVE_UP]).exits(0);
    project.run(["apply", OWN, GIVE_UP]).exits(0);
    assert_eq!(changes(&project).len(), 2, "nothing was given up");
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    // A receipt says where it went.
    let receipts = project.files();
    let says = |text: &[u8]| String::from_utf8_lossy(text).contains(r#""forget":{"key":"two"}"#);
    assert!(receipts.values().any(|text| says(text)));
}

#[test]
fn everything_at_once_is_done_in_order_and_a_second_plan_is_empty() {
    let project = Project::ordered(&["a", "b", "c", "d"]);
    project.declare(&["new", "moved", "c"]);
    project.edit(MANIFEST, "alias: moved", "alias: a");
    project.edit(MANIFEST, "alias: c", "alias: c2");
    append(&project, "moved: [{from: a, to: moved}]\nremoved: [b]\n");
    assert_shown!("life-all-plan", project.run(["plan", GIVE_UP]).exits(0));
    let applied = project.run(["apply", OWN, GIVE_UP]).exits(0);
    assert_shown!("life-all-apply", applied);
    assert_eq!(changes(&project)[4..], ["CreatePostpayPackage", "ModifyEnv", "DestroyEnv"]);
    project.run(["plan", "--detailed-exitcode", GIVE_UP]).exits(0);
}

#[test]
fn what_is_declared_in_a_file_that_was_not_read_is_not_given_up() {
    let project = Project::ordered(&["one", "two"]);
    let part = "environments/part.yaml";
    project.declare(&["one"]);
    project.write(part, project.read(MANIFEST));
    project.declare(&["two"]);
    let line = ["apply", OWN, GIVE_UP, "-f", part];
    project.run(line).exits(1).says(&["error[declared-elsewhere]"]);
    project.write(MANIFEST, "version: 1\nenvironments: {two: [}\n");
    project.run(line).exits(1).says(&["declared-elsewhere"]);
    assert_eq!(ids(&project).len(), 2, "nothing was given up");
    project.write(MANIFEST, "version: 1\nremoved: []\n");
    project.run(line).exits(0);
    assert_eq!(changes(&project).len(), 3, "two orders, and an end");
}
