//! What the account may have already is not created again: lost states, incomplete lists, and creates that act late.

use postpay::sandbox::{SAMPLE_ENV_ID, read_ledger};

use crate::support::{LEDGER, MANIFEST, Project, RECEIPTS, STATE};

fn env_id(project: &Project, alias: &str) -> String {
    let ledger = project.ledger();
    let order = ledger.iter().find(|entry| entry.params["Alias"] == alias);
    order.unwrap().env_id.clone().unwrap()
}

fn lose_the_state(project: &Project) {
    std::fs::remove_file(project.file(STATE)).unwrap();
    std::fs::remove_dir_all(project.file(RECEIPTS)).unwrap();
}

/// As if every request had been sent at this time.
fn sent_at(project: &Project, time: &str) {
    let mut state = project.json(STATE);
    for (_, record) in state["environments"].as_object_mut().unwrap() {
        record["ordered_at"] = time.into();
    }
    project.write(STATE, serde_json::to_string_pretty(&state).unwrap());
}

#[test]
fn a_lost_state_creates_nothing_however_the_account_shows_aliases() {
    let project = Project::of(&["one", "two-b"]);
    project.edit(MANIFEST, "alias: one\n", "alias: one\n    env_alias: 一号 · A\n");
    project.edit(MANIFEST, "alias: two-b\n", "alias: two-b\n    env_alias: Two\n");
    project.run(["apply", "-y"]).exits(0);
    lose_the_state(&project);
    for shown in ["alias", "capitals", "env-alias", "none"] {
        let flag = format!("--list-alias={shown}");
        project.run(["apply", "-y", &flag]).exits(1).says(&[
            "already-there",
            &format!("`one` matches {}", env_id(&project, "one")),
            &format!("`two-b` matches {}", env_id(&project, "two-b")),
            "postpay import ADDR ENV_ID",
        ]);
        project.run(["apply", "-y", "--target", "two-b", &flag]).exits(1).says(&["already-there"]);
        // One of them alone in the manifest is no reason to take the other one for it.
        assert_eq!(project.ordered_once(), ["one", "two-b"], "{shown}");
    }
    project.declare(&["two"]);
    project.run(["apply", "-y", "--list-alias=none"]).exits(0).does_not_say(&["already-there"]);
}

#[test]
fn an_incomplete_list_creates_nothing_unless_its_very_shortfall_is_accepted() {
    let project = Project::ordered(&["one"]);
    lose_the_state(&project);
    let short = "--fault=list:short@*";
    // The one that is missing from the list is the one that would be created again.
    project.run(["apply", "-y", short]).exits(1).says(&[
        "listing-incomplete",
        "1 of 2 environments",
        "postpay apply --accept-missing-rows 1",
        "nothing was created",
    ]);
    project.run(["apply", "-y", short, "--accept-missing-rows=2"]).exits(1).says(&["1 rows are missing"]);
    project
        .run(["apply", "-y", "--fault=list:repeat@*", "--accept-missing-rows=1"])
        .exits(1)
        .says(&["pages are inconsistent"])
        .does_not_say(&["accept-missing-rows 1"]);
    assert_eq!(project.ordered_once(), ["one"]);
    assert!(!project.exists(STATE));
    project.run(["apply", "-y", short, "--accept-missing-rows=1"]).exits(0);
    assert_eq!(project.orders()["one"], 2);
    let receipt = project.read(&project.receipt());
    assert!(receipt.contains(r#""missing":1"#), "{receipt}");
    // A list that is complete in the end is the list.
    project.declare(&["one", "two"]);
    project.run(["apply", "-y", "--fault=list:short@1-2", "--accept-missing-rows=7"]).exits(0);
}

#[test]
fn nothing_is_concluded_from_an_incomplete_list() {
    let project = Project::ordered(&["one"]);
    let before = project.read(STATE);
    let short = "--fault=list:short@*";
    for command in [
        &["drift", short] as &[&str],
        &["plan", "--refresh", short],
        &["generate", short],
        &["import", "two", SAMPLE_ENV_ID, "-y", short],
    ] {
        if command[0] == "import" {
            project.declare(&["one", "two"]);
        }
        project.run(command).exits(1).says(&["1 of 2 environments"]).does_not_say(&["gone"]);
    }
    project.declare(&["two"]);
    project
        .run(["destroy", "one", "-y", "--allow-destroy", short])
        .exits(1)
        .says(&["not sent", "1 of 2 environments"]);
    let state: serde_json::Value = serde_json::from_str(&before).unwrap();
    let now = project.json(STATE);
    assert_eq!(now["environments"], state["environments"]);
    let asked = read_ledger(&project.file(LEDGER)).unwrap();
    assert!(asked.iter().all(|entry| entry.action != "DestroyEnv"));
}

#[test]
fn an_outcome_is_settled_by_a_complete_list_alone() {
    let project = Project::of(&["one"]);
    let apply = ["apply", "-y", "--settle=1s", "--fault=reset-after@1", "--fault=list:short@2-99"];
    project.run(apply).exits(4);
    project
        .run(["resolve", "-y", "--fault=list:short@*"])
        .exits(1)
        .says(&["1 of 2 environments", "nothing was changed"]);
    project.run(["resolve", "-y"]).exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn a_young_outcome_is_not_taken_as_not_created() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--fault", "reset-before@1"]).exits(4);
    let not_created = ["resolve", "one", "--not-created"];
    let before = project.read(STATE);
    project.run(not_created).exits(1).says(&[
        "resolve-too-early",
        "min ",
        "postpay resolve one --not-created",
        "--force",
    ]);
    assert_eq!(project.read(STATE), before);
    // A time in the future is no age.
    sent_at(&project, "2999-01-01T00:00:00Z");
    project.run(not_created).exits(1).says(&["sent 0 s ago", "wait 10 min 0 s"]);
    project.run(["resolve", "one", "--force"]).exits(1).says(&["--adopt"]);
    sent_at(&project, "2025-01-01T00:00:00Z");
    project.run(not_created).exits(0);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn a_create_that_acts_late_is_reported_by_drift_and_not_repeated() {
    let project = Project::of(&["one"]);
    let late = "--list-delay=1h";
    project.run(["apply", "-y", "--fault=reset-after@1", late]).exits(4);
    project.run(["resolve", "one", "--not-created", "--force", late]).exits(0);
    let twin = env_id(&project, "one");
    let import = format!("postpay import one {twin}");
    project.run(["drift"]).exits(2).says(&["possible-duplicate", &import]);
    project.run(["apply", "-y"]).exits(1).says(&[&twin]);
    assert_eq!(project.ordered_once(), ["one"]);
    // Once it was created a second time, drift finds the first.
    project.run(["apply", "-y", late]).exits(0);
    assert_eq!(project.orders()["one"], 2);
    let json = project.run(["drift", "--format", "json"]).exits(2).json();
    let finding = &json["findings"][0];
    assert_eq!(finding["code"], "possible-duplicate");
    assert_eq!(finding["address"], "one");
    assert_eq!(finding["env_id"], twin.as_str());
    assert_eq!(finding["standing"], "counted");
    project.run(["drift", "--ignore", "possible-duplicate:one"]).exits(0);
}

#[test]
fn what_was_taken_out_of_the_state_is_no_duplicate_but_keeps_its_alias() {
    let project = Project::ordered(&["one"]);
    project.run(["state", "rm", "one", "--force", "-y"]).exits(0);
    // Receipts know it.
    project.run(["drift"]).exits(2).says(&["unmanaged"]).does_not_say(&["possible-duplicate"]);
    project.run(["apply", "-y"]).exits(1).says(&["already-there"]);
    assert_eq!(project.ordered_once(), ["one"]);
}

/// A bill may say that an environment is prepaid, isolated, or another create's.
#[test]
fn nothing_is_imported_or_generated_without_a_bill_that_the_list_lacks() {
    let project = Project::ordered(&["one"]);
    let one = env_id(&project, "one");
    let forget = ["state", "rm", "one", "--force", "-y"];
    project.run(forget).exits(0);
    let short = "--fault=bill:short@*";
    project.run(["import", "one", &one, "-y", short]).exits(1).says(&["import-bill-not-shown"]);
    project.run(["generate", short]).exits(0).says(&["1 skipped", &one, "the list of bills is incomplete"]);
    project.run(["import", "one", &one, "-y"]).exits(0);
}
