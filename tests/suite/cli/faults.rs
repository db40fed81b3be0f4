//! Every way in which the endpoint can fail, as the user, the state and the ledger see it.

use crate::support::{Project, STATE, assert_shown, at_once};

struct Case {
    fault: &'static str,
    exit: i32,
    /// As the report says it of the first order.
    result: &'static str,
    /// Whether the endpoint made the first order.
    acted: bool,
    /// In the state; None for no record.
    status: Option<&'static str>,
}

const fn case(
    fault: &'static str,
    exit: i32,
    result: &'static str,
    acted: bool,
    status: Option<&'static str>,
) -> Case {
    Case { fault, exit, result, acted, status }
}

const UNKNOWN: Option<&str> = Some("unknown");

const CASES: [Case; 22] = [
    case("reset-before", 4, "unknown", false, UNKNOWN),
    case("reset-after", 4, "unknown", true, UNKNOWN),
    case("eof-before", 4, "unknown", false, UNKNOWN),
    case("eof-after", 4, "unknown", true, UNKNOWN),
    case("hang-before", 4, "unknown", false, UNKNOWN),
    case("hang-after", 4, "unknown", true, UNKNOWN),
    case("500-before", 4, "unknown", false, UNKNOWN),
    case("500-after", 4, "unknown", true, UNKNOWN),
    case("cut-body", 4, "unknown", true, UNKNOWN),
    case("html", 4, "unknown", true, UNKNOWN),
    case("missing-tran-id", 4, "unknown", true, UNKNOWN),
    case("error:InternalError", 4, "unknown", false, UNKNOWN),
    case("error-after:InternalError", 4, "unknown", true, UNKNOWN),
    case("error:FailedOperation", 4, "unknown", false, UNKNOWN),
    case("error-after:FailedOperation", 4, "unknown", true, UNKNOWN),
    case("error:NoSuchCodeAnywhere", 4, "unknown", false, UNKNOWN),
    case("error:LimitExceeded", 1, "failed", false, None),
    case("error:InvalidParameter", 1, "failed", false, None),
    case("error:ResourceUnavailable.BalanceNotEnough", 1, "failed", false, None),
    case("error:ActionOffline", 1, "failed", false, None),
    case("error:UnauthorizedOperation", 1, "failed", false, None),
    case("error:AuthFailure.SecretIdNotFound", 1, "failed", false, None),
];

#[test]
fn every_fault_has_its_exit_code_its_record_and_no_second_order() {
    at_once(CASES, |Case { fault, exit, result, acted, status }| {
        let project = Project::of(&["one", "two"]);
        let first = format!("{fault}@1");
        let timeout = if fault.starts_with("hang") { "1s" } else { "20s" };
        let ran = project
            .run([
                "apply",
                "-y",
                "--fault",
                &first,
                "--timeout",
                timeout,
                "--in-flight",
                "1",
                "--report",
                "r.json",
                // What can be read back is another test's.
                "--list-delay=1h",
            ])
            .exits(exit);
        let report = project.json("r.json");
        assert_eq!(report["results"][0]["result"], result, "{fault}\n{ran}");
        assert_eq!(report["results"][1]["result"], "not_attempted", "{fault}\n{ran}");
        assert_eq!(project.ledger().len(), 1, "{fault}: one attempt\n{ran}");
        assert_eq!(project.orders().len(), usize::from(acted), "{fault}\n{ran}");
        let record = project.json(STATE)["environments"]["one"].clone();
        assert_eq!(record["status"].as_str(), status, "{fault}\n{ran}");
        let name = fault.replace([':', '.'], "-");
        assert_shown!(format!("fault-{name}"), ran);

        // What may exist is not ordered again, and goes on being said; what surely does not is ordered.
        let code = if status.is_some() { 4 } else { 0 };
        let again = project.run(["apply", "-y"]).exits(code);
        let first_again = project.ledger().iter().filter(|it| it.params["Alias"] == "one").count();
        assert_eq!(first_again, if status.is_some() { 1 } else { 2 }, "{fault}\n{again}");
        project.ordered_once();
        project.run(["apply", "-y"]).exits(code);
    });
}

#[test]
fn a_throttled_order_is_sent_again_and_made_once() {
    let project = Project::of(&["one", "two"]);
    let ran = project.run(["apply", "-y", "--fault", "throttle@1-2"]).exits(0);
    let ran =
        ran.says(&["RequestLimitExceeded", "nothing was ordered, again in", "one: ordering, attempt 3"]);
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
    ran.says(&[&surplus, "may exist twice", "keeps running and billing"]);
    let report = project.json("r.json");
    assert_eq!(report["results"][0]["result"], "ordered");
    assert_eq!(report["results"][0]["left_behind"], surplus.as_str());
    assert_eq!(report["verdict"], "unknown");
    assert!(project.read("r.md").contains(&surplus));
}

#[test]
fn a_throttle_that_does_not_end_is_given_up() {
    let project = Project::of(&["one", "two"]);
    let ran = project.run(["apply", "-y", "--fault", "throttle@*", "--retry-for", "2s"]).exits(1);
    let ran = ran
        .says(&["turned away before it was looked at", "Nothing was ordered.", "given up after 2 attempts"])
        .does_not_say(&["nothing needs doing"]);
    assert!(project.ledger().len() >= 2, "{ran}");
    assert!(project.orders().is_empty());
}

#[test]
fn a_fault_in_the_middle_leaves_the_rest_for_the_next_run() {
    let project = Project::of(&["one", "two", "three"]);
    let ran = project.run(["apply", "-y", "--fault", "reset-after@2", "--list-delay=1h"]).exits(4);
    assert_shown!("fault-in-the-middle", ran);
    project.run(["apply", "-y"]).exits(4).says(&[
        "two has an unknown outcome",
        "1 ordered",
        "Unknown since an earlier run, and left alone: `two`",
    ]);
    assert_eq!(project.ordered_once(), ["one", "three", "two"]);
    assert_eq!(project.reached().len(), 3);
}

#[test]
fn faults_are_for_the_embedded_endpoint_alone() {
    let project = Project::of(&["one"]);
    let mut command = project.command([
        "apply",
        "-y",
        "--endpoint",
        "https://tcb.tencentcloudapi.com",
        "--fault",
        "html@1",
    ]);
    command.env("TENCENTCLOUD_SECRET_ID", "id").env("TENCENTCLOUD_SECRET_KEY", "key");
    crate::support::Ran::from(command.output().unwrap())
        .exits(1)
        .says(&["--endpoint sandbox", "nothing was sent"]);
}
