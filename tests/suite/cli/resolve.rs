//! Lost answers: read back by the run itself, settled by a person, and what a person may not do.

use crate::support::{LEDGER, MANIFEST, Project, RECEIPTS, STATE};

/// Two orders that were made, and whose answers were lost.
fn two_lost() -> Project {
    let project = Project::of(&["one", "two"]);
    project
        .run(["apply", "-y", "--in-flight=2", "--fault", "hang-after@1-2", "--timeout=2s", "--list-delay=1h"])
        .exits(4);
    project
}

fn env_id(project: &Project, alias: &str) -> String {
    let ledger = project.ledger();
    let order = ledger.iter().find(|entry| entry.params["Alias"] == alias);
    order.unwrap().env_id.clone().unwrap()
}

#[test]
fn a_lost_answer_is_read_back_and_the_run_finishes() {
    let project = Project::of(&["one", "two"]);
    project
        .run(["apply", "-y", "--fault", "reset-after@1", "--settle=5s", "--list-delay=1s"])
        .exits(0)
        .says(&["outcome unknown", "one: found in the account", "2 created"]);
    assert_eq!(project.ordered_once(), ["one", "two"]);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn what_fits_in_everything_is_adopted_when_it_is_agreed_to() {
    let project = two_lost();
    // Without a terminal nothing is adopted unasked, and what to type is said.
    project.run(["resolve"]).exits(4).says(&[
        ": match",
        &format!("--adopt {}", env_id(&project, "one")),
        "resolve -y",
    ]);
    project.run(["resolve", "-y"]).exits(0).says(&["2 resolved, 0 unresolved"]);
    project.run(["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(project.ordered_once(), ["one", "two"]);
    let nothing = project.run(["resolve", "--format", "json"]).exits(0).json();
    assert_eq!(nothing["open"].as_array().unwrap().len(), 0);
}

#[test]
fn the_wrong_environment_or_number_is_not_taken() {
    let project = two_lost();
    let (one, two) = (env_id(&project, "one"), env_id(&project, "two"));
    let before = project.read(STATE);
    project.run(["resolve", "one", "--adopt", &two]).exits(1).says(&[
        "resolve-other-alias",
        "nothing was changed",
        "--force",
    ]);
    project
        .run(["resolve", "one", "--adopt", &one, "--tran-id", "1"])
        .exits(1)
        .says(&["resolve-other-number", "nothing was changed"]);
    project.run(["resolve", "one", "--adopt", "nobodys-1234"]).exits(1).says(&["resolve-not-there"]);
    // It is there: it can't be said not to have been made.
    project.run(["resolve", "one", "--not-created", "--force"]).exits(1).says(&[&one]);
    assert_eq!(project.read(STATE), before);
    project.run(["resolve", "one", "--adopt", &one]).exits(4);
    project.run(["resolve", "two", "--adopt", &one]).exits(1).says(&["in the state as `one`"]);
}

#[test]
fn what_was_never_made_is_ordered_by_the_next_run() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--fault", "reset-before@1"]).exits(4);
    project.run(["apply", "-y"]).exits(4);
    assert!(project.orders().is_empty());
    project.run(["resolve", "one", "--not-created", "--force"]).exits(0);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn a_state_that_is_lost_with_all_its_receipts_orders_nothing_that_the_account_has() {
    let project = Project::ordered(&["one", "two"]);
    std::fs::remove_file(project.file(STATE)).unwrap();
    std::fs::remove_dir_all(project.file(RECEIPTS)).unwrap();
    project.run(["apply", "-y"]).exits(1).says(&[
        "already-there",
        &env_id(&project, "one"),
        "nothing was created",
    ]);
    assert_eq!(project.ordered_once(), ["one", "two"]);
    assert!(!project.exists(STATE));
    // Somebody else's environments may have these aliases; that is said, not guessed.
    project.run(["apply", "-y", "--allow-same-alias"]).exits(0);
    assert_eq!(project.orders()["one"], 2);
}

#[test]
fn a_plan_does_not_replace_a_file_that_is_none() {
    let project = Project::of(&["one"]);
    let manifest = project.read(MANIFEST);
    project.run(["plan", "-o", MANIFEST]).exits(1).says(&["plan-out", "nothing was written"]);
    assert_eq!(project.read(MANIFEST), manifest);
    project.run(["plan", "-o", "plan.json"]).exits(0);
    project.run(["plan", "-o", "plan.json"]).exits(0);
    assert!(!project.exists(LEDGER));
}

/// An order that was made in a region, and whose answer was lost.
fn lost_in_guangzhou(api: &str, flags: &[&str]) -> Project {
    let project = Project::of(&["one"]);
    project.write("postpay.yaml", format!("version: 1\napi: {{endpoint: sandbox{api}}}\n"));
    let apply = ["apply", "-y", "--fault", "reset-after@1"];
    project.run(apply.iter().chain(flags)).exits(4);
    project
}

#[test]
fn an_order_is_looked_for_in_the_region_that_it_was_made_in() {
    let projects = [
        lost_in_guangzhou(", region: ap-guangzhou, list_regions: [ap-shanghai]", &[]),
        // The flag is not there any more when it is looked for.
        lost_in_guangzhou("", &["--region", "ap-guangzhou"]),
        lost_in_guangzhou(
            ", region: ap-shanghai, list_regions: [ap-shanghai]",
            &["--region", "ap-guangzhou"],
        ),
    ];
    for project in projects {
        let one = env_id(&project, "one");
        project
            .run(["resolve", "one", "--not-created", "--force"])
            .exits(1)
            .says(&[&format!("{one} matches `one`"), "region: ap-guangzhou; searched: "]);
        project.run(["resolve", "-y"]).exits(0).says(&["1 resolved"]);
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(project.ordered_once(), ["one"]);
    }
}

#[test]
fn a_run_reads_its_own_region_back_whatever_is_listed() {
    let project = Project::of(&["one"]);
    let api = "{endpoint: sandbox, region: ap-guangzhou, list_regions: [ap-shanghai]}";
    project.write("postpay.yaml", format!("version: 1\napi: {api}\n"));
    project.run(["validate"]).exits(0).says(&["region-not-listed"]);
    project
        .run(["apply", "-y", "--fault", "reset-after@1", "--settle=5s"])
        .exits(0)
        .says(&["one: found in the account"]);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn what_was_not_looked_at_is_not_said_to_be_not_made() {
    let project = Project::of(&["one"]);
    project.run(["apply", "-y", "--fault", "reset-before@1"]).exits(4);
    let before = project.read(STATE);
    // Ordered by a call that named no region; each of these names one.
    project
        .run(["resolve", "one", "--not-created", "--force", "--region", "ap-shanghai"])
        .exits(1)
        .says(&["resolve-region", "nothing was changed"]);
    assert_eq!(project.read(STATE), before);
    let json = project.run(["resolve", "one", "--format", "json"]).exits(4).json();
    assert_eq!(json["open"][0]["region"], serde_json::Value::Null);
    assert_eq!(json["open"][0]["regions_searched"], serde_json::json!([null]));
    project.run(["resolve", "one", "--not-created", "--force"]).exits(0);
}
