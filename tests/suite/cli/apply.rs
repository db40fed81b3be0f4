//! Consent, limits, interrupts, and what programs read of a run.

use std::process::Stdio;

use crate::support::{JOURNAL, LEDGER, Project, Running, STATE, assert_shown, at_once, until};

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_sent() {
    let project = Project::of(&["one"]);
    let applied = project.run(["apply"]).exits(1);
    assert_shown!("apply-no-terminal", applied);
    applied.says(&["--auto-approve", "postpay plan -o plan.json"]);
    assert!(project.ledger().is_empty());
    assert!(!project.exists(STATE) && !project.exists(JOURNAL));
    // Words on a pipe are no terminal either.
    let mut command = project.command(["apply"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::new(command);
    running.type_in("yes\n");
    running.wait().exits(1).says(&["no terminal"]);
    assert!(project.ledger().is_empty());
}

#[test]
fn a_run_may_not_order_more_than_allowed() {
    let project = Project::of(&["one", "two"]);
    project.run(["apply", "-y", "--max-creates", "1"]).exits(1).says(&["error[too-many-orders]"]);
    project.write("postpay.yaml", "version: 1\napi: {endpoint: sandbox}\nguard: {max_creates: 1}\n");
    project.run(["apply", "-y"]).exits(1).says(&["too-many-orders", "--max-creates 2"]);
    assert!(project.ledger().is_empty());
    assert!(!project.exists(STATE));
    // The flag beats the file.
    project.run(["apply", "-y", "--max-creates", "2"]).exits(0);
}

#[test]
fn a_day_may_not_order_more_than_allowed() {
    let project = Project::of(&["one", "two"]);
    project.write("postpay.yaml", "version: 1\napi: {endpoint: sandbox}\nguard: {max_creates_per_day: 2}\n");
    project.run(["apply", "-y"]).exits(0);
    project.declare(&["one", "two", "three"]);
    project.run(["apply", "-y"]).exits(1).says(&["error[too-many-orders]"]);
    assert_eq!(project.ordered_once(), ["one", "two"]);
    project.run(["apply", "-y", "--max-creates-per-day", "3"]).exits(0);
    assert_eq!(project.ordered_once().len(), 3);
}

#[test]
fn after_a_refusal_a_run_stops_or_goes_on_as_it_is_told() {
    at_once([("stop", "not_attempted", 1), ("continue", "created", 2)], |(on_error, last, orders)| {
        let project = Project::of(&["one", "two", "three"]);
        let fault = "error:InvalidParameter@2";
        let ran = project
            .run(["apply", "-y", "--on-error", on_error, "--fault", fault, "--format", "json"])
            .exits(3);
        let report = ran.json();
        let results: Vec<_> = (0..3).map(|at| report["results"][at]["result"].as_str().unwrap()).collect();
        assert_eq!(results, ["created", "failed", last]);
        assert_eq!(project.ordered_once().len(), orders);
        // Again, without the trouble: the rest is ordered, and only the rest.
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(project.ordered_once().len(), 3);
    });
}

#[test]
fn a_refusal_that_meets_every_order_ends_the_run_in_any_case() {
    let project = Project::of(&["one", "two"]);
    let fault = "error:ResourcesSoldOut.PostpayPackageNotAvailable@*";
    let ran = project.run(["apply", "-y", "--on-error", "continue", "--fault", fault]).exits(1);
    assert_shown!("apply-sold-out", ran);
    assert_eq!(project.ledger().len(), 1);
    assert!(project.orders().is_empty());
}

#[test]
fn a_deadline_starts_nothing_more() {
    let project = Project::of(&["one", "two", "three"]);
    let ran = project.run(["apply", "-y", "--rate", "1", "--deadline", "900ms"]).exits(3);
    assert_shown!("apply-deadline", ran);
    assert_eq!(project.ordered_once(), ["one"]);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.ordered_once().len(), 3);
}

#[test]
fn the_first_signal_starts_nothing_more_and_waits() {
    at_once(["TERM", "INT"], |signal| {
        let project = Project::of(&["one", "two", "three", "four", "five"]).at_real_pace();
        let mut running = project.start(["apply", "-y", "--latency", "700ms"]);
        until("the first order", || !project.ledger().is_empty());
        running.signal(signal);
        let ran = running.wait().exits(3).says(&["Interrupted: starting nothing more", "not attempted"]);
        let ordered = project.ordered_once();
        assert!(ordered.len() < 5, "{ran}");
        // What was under way was waited for, and is in the state.
        let state = project.json(STATE);
        for address in &ordered {
            assert_eq!(state["environments"][address]["status"], "created", "{ran}");
        }
        assert!(!project.exists(JOURNAL));
        project.run(["apply", "-y"]).exits(0);
        assert_eq!(project.ordered_once().len(), 5);
    });
}

#[test]
fn the_second_signal_leaves_at_once_and_the_journal_tells_the_truth() {
    at_once(["TERM", "INT"], |signal| {
        let project = Project::of(&["one", "two"]);
        // An answer that never comes: only the second signal can end this.
        project.write("r.md", "<!-- postpay:apply -->\nof an older run");
        let mut command = project.command(["apply", "-y", "--fault", "hang-after@*"]);
        command.args(["--report", "r.md"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running::new(command);
        until("the first order", || !project.ledger().is_empty());
        running.signal(signal);
        let mut told = running.told("Interrupted");
        running.signal(signal);
        told.push_str(&running.rest_of_stderr());
        let ran = running.wait().exits(4);
        let unknown = "did not wait for the responses: one";
        for said in ["error[left-at-once]", unknown, "`postpay resolve`"] {
            assert!(told.contains(said), "{told}\n{ran}");
        }
        let report = project.read("r.md");
        assert!(report.contains("left-at-once"), "{report}");
        assert!(report.contains(unknown), "{report}");
        assert!(project.exists(JOURNAL), "it is for the next command");
        project.run(["plan"]).exits(0).says(&["? one  unknown outcome", "+ two "]);
        project.run(["apply", "-y"]).exits(4);
        assert_eq!(project.ordered_once(), ["one", "two"]);
    });
}

#[test]
fn a_deadline_of_zero_starts_nothing() {
    let project = Project::of(&["one", "two"]);
    project.run(["apply", "-y", "--deadline", "0s"]).exits(3);
    assert!(project.ledger().is_empty());
}

#[test]
fn events_are_json_with_the_documented_types() {
    at_once(
        [
            (&[][..], 0),
            (&["--fault", "throttle@1"], 0),
            (&["--fault", "error:InvalidParameter@1"], 1),
            (&["--fault", "reset-after@2", "--list-delay=1h"], 4),
            (&["--deadline", "100ms", "--rate", "1"], 3),
        ],
        |(args, code)| {
            let project = Project::of(&["one", "two"]);
            let ran = project.run(["apply", "-y", "--json"].iter().chain(args)).exits(code);
            let events: Vec<serde_json::Value> =
                ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            for event in &events {
                for member in ["@level", "@message", "@module", "@timestamp", "type"] {
                    assert!(event[member].is_string(), "{member} of {event}");
                }
                let kind = event["type"].as_str().unwrap();
                let known = [
                    "version",
                    "planned_change",
                    "change_summary",
                    "apply_start",
                    "apply_progress",
                    "apply_complete",
                    "apply_errored",
                    "diagnostic",
                ];
                assert!(known.contains(&kind), "{event}");
            }
            assert_eq!(events[0]["type"], "version");
            let last = events.last().unwrap();
            assert_eq!(last["type"], "change_summary");
            assert_eq!(last["changes"]["operation"], "apply");
            let complete = events.iter().filter(|it| it["type"] == "apply_complete").count();
            assert_eq!(last["changes"]["add"], complete, "{ran}");
        },
    );
}

#[test]
fn a_run_without_orders_closes_its_events_too() {
    let project = Project::ordered(&["one"]);
    let ran = project.run(["apply", "-y", "--json"]).exits(0);
    let last: serde_json::Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["changes"]["operation"], "apply", "{ran}");
    assert_eq!(last["changes"]["add"], 0);
}

#[test]
fn the_ledger_is_listed_and_reset() {
    let project = Project::ordered(&["one"]);
    assert_shown!("sandbox-ledger", project.run(["sandbox", "ledger"]).exits(0));
    let ledger = project.run(["sandbox", "ledger", "--format", "json"]).json();
    let acted: Vec<_> = (0..2).map(|at| ledger[at]["acted"].as_bool()).collect();
    assert_eq!(acted, [Some(false), Some(true)], "a look, then an order");
    assert_shown!("sandbox-reset", project.run(["sandbox", "reset"]).exits(0));
    assert!(project.ledger().is_empty());
    assert!(project.exists(LEDGER));
}
