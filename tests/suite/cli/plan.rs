//! What a plan says of every difference, and what apply then does about it.

use crate::support::{LEDGER, MANIFEST, Project, STATE, assert_shown};

/// A plan is shown and ends with this exit code, and apply ends as it should without sending anything.
#[track_caller]
fn planned(project: &Project, name: &str, exit: i32, apply: i32) {
    // What the endpoint was asked is its own memory: apply may look at the account.
    let memory = || {
        let mut memory = project.memory();
        memory.remove(std::path::Path::new(LEDGER));
        memory
    };
    let (before, sent) = (memory(), project.ledger().len());
    let plan = project.run(["plan", "--detailed-exitcode"]).exits(exit);
    assert_shown!(format!("plan-{name}"), plan);
    project.run(["apply", "-y"]).exits(apply);
    assert_eq!(project.ledger().len(), sent, "nothing was sent");
    assert_eq!(before, memory(), "nothing was written");
}

#[test]
fn a_field_that_cannot_be_updated_blocks_the_plan() {
    let project = Project::of(&[]);
    project.write(
        MANIFEST,
        "version: 1\nenvironments:\n  shop:\n    alias: shop\n    env_source: qcloud\n    channel: qc_console\n    \
         env_alias: the old shop of the north\n    extra: {owner: platform, cost_center: shop}\n",
    );
    project.run(["apply", "-y"]).exits(0);
    project.edit(MANIFEST, "the old shop of", "the new shop of");
    project.edit(MANIFEST, "owner: platform", "owner: sales, team: 7");
    project.edit(MANIFEST, "qc_console", "cocos\n    free_quota: basic");
    planned(&project, "replace", 1, 1);
    // The colours mark the words that changed, and only those.
    let plan = project.run(["plan", "--color", "always"]).exits(1);
    let marked = plan.stdout.replace('\u{1b}', "ESC");
    assert_shown!("plan-replace-coloured", marked);
    // The way out that is named works.
    project.run(["plan", "--exclude", "shop", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_blocked_plan_is_shown_and_not_saved() {
    let project = Project::ordered(&["shop"]);
    project.edit(MANIFEST, "qc_console", "cocos");
    let plan = project.run(["plan", "-o", "plan.json"]).exits(1);
    let plan = plan.says(&["+/- shop  blocked", "# forces replacement", "1 blocked", "no file was written"]);
    plan.does_not_say(&["To carry out", "Saved to"]);
    assert!(!project.file("plan.json").exists());
    let plan = project.run(["plan", "--format", "json"]).exits(1).json();
    assert_eq!(plan["summary"]["blocked"], 1);
}

#[test]
fn an_environment_not_in_the_configuration_is_kept_with_its_choices() {
    let project = Project::ordered(&["one", "two"]);
    project.declare(&["one"]);
    planned(&project, "left-over", 2, 0);
    let json = project.run(["plan", "--format", "json"]).json();
    let step = &json["resource_changes"][1];
    assert_eq!((&step["address"], &step["actions"][0]), (&"two".into(), &"destroy".into()));
}

#[test]
fn a_renamed_key_is_blocked_and_names_the_old_one() {
    let project = Project::ordered(&["shop"]);
    project.edit(MANIFEST, "  shop:\n", "  store:\n");
    planned(&project, "renamed", 1, 1);
    assert_eq!(project.ordered_once(), ["shop"]);
}

#[test]
fn a_create_without_an_env_id_waits_and_is_not_sent_again() {
    let project = Project::of(&["shop"]);
    let applied = project.run(["apply", "-y", "--fault", "null-env-id@1", "--list-delay=1h"]).exits(0);
    assert_shown!("apply-null-env-id", applied);
    assert_eq!(project.json(STATE)["environments"]["shop"]["status"], "awaiting_env_id");
    planned(&project, "awaiting", 2, 0);
    assert_shown!("show-awaiting", project.run(["show"]).exits(0));
}

#[test]
fn an_unknown_outcome_is_shown_and_not_created_again() {
    let project = Project::of(&["shop"]);
    project.run(["apply", "-y", "--fault", "reset-after@1", "--list-delay=1h"]).exits(4);
    assert_eq!(project.json(STATE)["environments"]["shop"]["status"], "unknown");
    planned(&project, "unknown", 2, 4);
    assert_shown!("show-unknown", project.run(["show"]).exits(0));
    assert_eq!(project.ordered_once(), ["shop"]);
}

#[test]
fn a_plan_is_for_the_chosen_addresses_alone() {
    let project = Project::of(&["one", "two", "three"]);
    assert_shown!("plan-target", project.run(["plan", "--target", "two"]).exits(0));
    let plan = project.run(["plan", "--exclude", "two", "--format", "json"]).exits(0).json();
    let chosen: Vec<_> = plan["resource_changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["address"].as_str().unwrap())
        .collect();
    assert_eq!(chosen, ["one", "three"]);
    project.run(["apply", "-y", "--target", "two"]).exits(0);
    assert_eq!(project.ordered_once(), ["two"]);
    project.run(["apply", "-y", "--exclude", "three"]).exits(0);
    assert_eq!(project.ordered_once(), ["one", "two"]);
}

#[test]
fn an_address_that_does_not_exist_is_told_with_a_near_one() {
    let project = Project::of(&["shop-prod", "shop-staging"]);
    for flag in ["--target", "--exclude"] {
        for command in [&["plan"][..], &["apply", "-y"]] {
            project.run(command.iter().chain(&[flag, "shop-prd"])).exits(1).says(&[
                "unknown-address",
                "did you mean `shop-prod`?",
                "nothing was sent",
            ]);
        }
    }
    assert_shown!("plan-unknown-address", project.run(["plan", "--target", "shop-prd"]));
    assert!(project.memory().is_empty());
}

#[test]
fn the_exact_requests_are_shown_without_secrets() {
    let project = Project::of(&["one", "two"]);
    project.edit(MANIFEST, "alias: one", "alias: one\n    env_alias: 我的环境\n    extra: {b: 2, a: \"1\"}");
    let calls = project.run(["plan", "--show-calls"]).exits(0);
    let calls = calls.does_not_say(&["Authorization", "Signature", "AKID", "SECRET", "TC3"]);
    assert_shown!("plan-show-calls", calls);
    let heads = |name: &str| calls.stdout.matches(&format!("\n{name}: ")).count();
    for name in ["Content-Type", "X-TC-Action", "X-TC-Version", "X-TC-RequestClient", "X-TC-Language"] {
        assert_eq!(heads(name), 2, "{name}, once a request");
    }

    // What is shown is what is sent.
    project.run(["apply", "-y"]).exits(0);
    for entry in project.ledger() {
        let body = serde_json::to_string(&entry.params).unwrap();
        let shown: Vec<serde_json::Value> = calls
            .stdout
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(shown.contains(&serde_json::Value::Object(entry.params)), "{body}");
    }
}

#[test]
fn every_problem_of_the_manifests_is_told_at_once() {
    let project = Project::of(&["one"]);
    project.write(
        "environments/bad.yaml",
        "version: 1\nenvironments:\n  one:\n    alias: Bad\n  two:\n    aliass: two\n    env_source: qcloud\n    channel: qconsole\n",
    );
    for command in [&["validate"][..], &["plan"], &["apply", "-y"]] {
        project.run(command).exits(1).says(&[
            "did you mean `alias`",
            "bad.yaml:6",
            "bad.yaml:4",
            "did you mean `qc_console`",
        ]);
    }
    assert_shown!("validate-problems", project.run(["validate"]));
    let json = project.run(["validate", "--format", "json"]).exits(1).json();
    assert_eq!(json["valid"], false);
    assert!(json["diagnostics"].as_array().unwrap().len() >= 4);
    assert!(project.memory().is_empty());
}

#[test]
fn a_warning_alone_is_no_error() {
    let project = Project::of(&["a-very-long-alias-beyond-twenty"]);
    for command in [&["validate"][..], &["plan"]] {
        project.run(command).exits(0).says(&["warning"]);
    }
}

#[test]
fn contradictory_selectors_are_rejected() {
    let project = Project::ordered(&["n1", "n2"]);
    for (args, why) in [
        (&["--exclude", "n1", "--target", "n1"][..], "`n1` is both in --target and in --exclude"),
        (&["--replace", "n1", "--target", "n2"], "`n1` is in --replace, but"),
        (&["--replace", "n1", "--exclude", "n1"], "`n1` is in --replace, but"),
    ] {
        for command in [&["plan"][..], &["apply", "-y"]] {
            let ran = project.run(command.iter().chain(args)).exits(1);
            ran.says(&["error[selectors]", why, "nothing was sent"]);
        }
    }
    project.run(["plan", "--target", "n1", "--exclude", "n2"]).exits(0);
}
