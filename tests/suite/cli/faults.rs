//! Failing orders as the user sees them. What each fault proves is in the matrix (`crate::faults`).

use crate::support::{Project, STATE, assert_shown, at_once};

const UNKNOWN: Option<&str> = Some("unknown");

#[test]
fn a_throttled_order_is_sent_again_and_made_once() {
    let project = Project::of(&["one", "two"]);
    let ran = project.run(["apply", "-y", "--fault", "throttle@1-2"]).exits(0);
    let ran =
        ran.says(&["RequestLimitExceeded", "nothing was created, retrying in", "one: creating, attempt 3"]);
    assert_eq!(project.ordered_once(), ["one", "two"]);
    let ledger = project.ledger();
    let answers: Vec<_> =
        ledger.iter().map(|entry| (entry.acted, entry.params["Alias"].as_str().unwrap())).collect();
    assert_eq!(answers[..2], [(false, "one"), (false, "one")], "{ran}");
    assert_eq!(ledger.iter().filter(|entry| entry.acted).count(), 2);
}

#[test]
fn an_undocumented_code_is_unknown_and_never_resent() {
    at_once(
        [
            "RequestLimitExceeded.Other",
            "LimitExceeded.Request",
            "LimitExceeded.Concurrent",
            "ResourceUnavailable.ResourceOverdue",
            "FailedOperation.AccountInsufficient",
            "OperationDenied.FreePackageDenied",
            "ResourcesSoldOut.Other",
            "ResourceUnavailable.BalanceNotEnough.Other",
        ],
        |code| {
            for kind in ["error", "error-after"] {
                let project = Project::of(&["one"]);
                let fault = format!("{kind}:{code}@1");
                let args = ["apply", "-y", "--fault", &fault, "--list-delay=1h"];
                project.run(args).exits(4).says(&["postpay resolve"]);
                let record = project.json(STATE)["environments"]["one"].clone();
                assert_eq!(record["status"].as_str(), UNKNOWN, "{fault}");
                project.run(["apply", "-y"]).exits(4);
                assert_eq!(project.ledger().len(), 1, "{fault}: one attempt");
            }
        },
    );
}

#[test]
fn a_second_environment_of_a_throttled_create_is_reported() {
    let project = Project::of(&["one"]);
    let fault = "error-after:RequestLimitExceeded@1";
    let ran = project
        .run([
            "apply",
            "-y",
            "--fault",
            fault,
            "--list-delay",
            "2s",
            "--settle",
            "10s",
            "--report",
            "r.json",
            "--report",
            "r.md",
        ])
        .exits(4);
    let surplus = project.ledger()[0].env_id.clone().unwrap();
    assert_ne!(project.json(STATE)["environments"]["one"]["env_id"], surplus.as_str());
    ran.says(&[&surplus, "may exist twice", "keeps running and keeps billing"]);
    let report = project.json("r.json");
    assert_eq!(report["results"][0]["result"], "created");
    assert_eq!(report["results"][0]["left_behind"], surplus.as_str());
    assert_eq!(report["verdict"], "unknown");
    assert!(project.read("r.md").contains(&surplus));
}

#[test]
fn a_throttle_that_does_not_end_is_given_up() {
    let project = Project::of(&["one", "two"]);
    let ran = project.run(["apply", "-y", "--fault", "throttle@*", "--retry-for", "2s"]).exits(1);
    let ran = ran
        .says(&["rejected before it was processed", "Nothing was created.", "failed after 2 attempts"])
        .does_not_say(&["no action needed"]);
    assert!(project.ledger().len() >= 2, "{ran}");
    assert!(project.orders().is_empty());
}

#[test]
fn a_fault_in_the_middle_leaves_the_rest_for_the_next_run() {
    let project = Project::of(&["one", "two", "three"]);
    let ran = project.run(["apply", "-y", "--fault", "reset-after@2", "--list-delay=1h"]).exits(4);
    assert_shown!("fault-in-the-middle", ran);
    project.run(["apply", "-y"]).exits(4).says(&[
        "? two  unknown outcome",
        "1 created",
        "Still unknown from an earlier run, not touched: `two`",
    ]);
    assert_eq!(project.ordered_once(), ["one", "three", "two"]);
    assert_eq!(project.ledger().len(), 3);
}

#[test]
fn faults_are_for_the_embedded_endpoint_alone() {
    let project = Project::of(&["one"]);
    let mut command =
        project.command("apply -y --endpoint https://tcb.tencentcloudapi.com --fault html@1".split(' '));
    command.env("TENCENTCLOUD_SECRET_ID", "id").env("TENCENTCLOUD_SECRET_KEY", "key");
    crate::support::Ran::from(command.output().unwrap())
        .exits(1)
        .says(&["--endpoint sandbox", "nothing was sent"]);
}
