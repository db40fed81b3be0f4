//! States that can't be trusted: each its own clear message, and never taken for an empty one.

use std::fs;

use serde_json::Value;

use crate::support::{JOURNAL, Project, RECEIPTS, Ran, STATE, until};

/// Every command that reads the state fails with this error, sends nothing and touches nothing.
#[track_caller]
fn refused(project: &Project, error: &str) {
    let (before, sent) = (project.memory(), project.ledger().len());
    for args in [&["plan"][..], &["show"], &["apply", "-y"]] {
        let ran = project.run(args).exits(1);
        assert!(!ran.stderr.contains("panicked"), "{ran}");
        ran.says(&[error, "nothing was sent"]);
    }
    assert_eq!(project.ledger().len(), sent, "{error}");
    assert_eq!(before, project.memory(), "{error}");
}

/// One ordered, one still to order.
fn half_ordered() -> Project {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    project
}

#[test]
fn a_state_that_is_empty_cut_or_garbage() {
    for (error, damage) in [
        ("error[state-empty]", (|_| Vec::new()) as fn(Vec<u8>) -> Vec<u8>),
        // In the middle of a word; what comes before it always has the same length.
        ("error[state-damaged]", |bytes| {
            let text = String::from_utf8(bytes).unwrap();
            let place = text.find("created").unwrap();
            text.as_bytes()[..place + 3].to_vec()
        }),
        ("error[state-damaged]", |_| b"\x00\xff\x00 no state".to_vec()),
        ("error[state-damaged]", |_| b"[]\n".to_vec()),
    ] {
        let project = half_ordered();
        let bytes = fs::read(project.file(STATE)).unwrap();
        project.write(STATE, damage(bytes));
        refused(&project, error);
    }
}

#[test]
fn a_state_of_a_newer_version() {
    let project = half_ordered();
    project.edit(STATE, "\"format_version\": 1", "\"format_version\": 2");
    refused(&project, "error[state-newer]");
}

#[test]
fn a_state_that_another_state_took_the_place_of() {
    let project = half_ordered();
    let other = Project::ordered(&["other"]);
    fs::copy(other.file(STATE), project.file(STATE)).unwrap();
    refused(&project, "error[state-foreign]");
}

#[test]
fn a_state_that_was_deleted_while_receipts_exist() {
    let project = half_ordered();
    fs::remove_file(project.file(STATE)).unwrap();
    refused(&project, "error[state-lost]");
}

#[test]
fn a_state_that_is_older_than_its_receipts() {
    let project = half_ordered();
    let old = project.read(STATE);
    project.run(["apply", "-y"]).exits(0);
    project.declare(&["one", "two", "three"]);
    project.write(STATE, old);
    refused(&project, "error[state-older]");
}

#[test]
fn a_copy_of_the_state_that_lived_a_life_of_its_own() {
    let project = half_ordered();
    let copy = Project::of(&["one", "three"]);
    for (name, bytes) in project.files().iter().filter(|(name, _)| name.starts_with("state")) {
        copy.write(name.to_str().unwrap(), bytes);
    }
    copy.run(["apply", "-y"]).exits(0);
    project.run(["apply", "-y"]).exits(0);
    fs::copy(copy.file(STATE), project.file(STATE)).unwrap();
    refused(&project, "error[state-older]");
}

#[test]
fn a_journal_that_is_damaged() {
    let project = half_ordered();
    let mut running = project.start(["apply", "-y", "--fault", "hang-after@1"]);
    until("the order", || project.ledger().len() == 2);
    running.kill();
    let whole = project.read(JOURNAL);
    project.edit(JOURNAL, "\"pid\":", "\"pid\":1");
    refused(&project, "error[journal-damaged]");
    project.write(JOURNAL, format!("not a line\n{whole}"));
    refused(&project, "error[journal-damaged]");
    // Half a line at the end is what a dead process leaves, and no damage.
    project.write(JOURNAL, format!("{whole}{{\"half"));
    project.run(["plan"]).exits(0).says(&["? two  unknown outcome"]);
}

#[test]
fn a_state_that_another_process_holds() {
    let project = half_ordered();
    let mut running = project.start(["apply", "-y", "--fault", "hang-after@1"]);
    until("the order", || project.ledger().len() == 2);
    let (before, sent) = (project.memory(), project.ledger().len());
    let ran = project.run(["apply", "-y"]).exits(1);
    assert!(ran.stderr.contains("error[state-locked]"), "{ran}");
    let pid = running.id();
    ran.says(&[&format!("process {pid}"), "doing `apply`", "--lock-timeout", "nothing was sent"]);
    project.run(["apply", "-y", "--lock-timeout", "200ms"]).exits(1).says(&["held by"]);
    // Readers take no lock.
    project.run(["plan"]).exits(0).says(&["? two  unknown outcome"]);
    assert_eq!((before, sent), (project.memory(), project.ledger().len()));
    running.kill();
    project.run(["apply", "-y"]).exits(4).does_not_say(&["held by"]);
}

#[test]
fn a_lock_that_is_let_go_is_waited_for() {
    let project = Project::of(&["one", "two"]);
    let first = project.start(["apply", "-y", "--latency", "300ms"]);
    until("the lock", || project.exists(JOURNAL));
    project.run(["apply", "-y", "--lock-timeout", "20s"]).exits(0).says(&["No changes."]);
    first.wait().exits(0);
    assert_eq!(project.ordered_once(), ["one", "two"]);
}

fn with_keys(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.env("TENCENTCLOUD_SECRET_ID", "AKIDexample").env("TENCENTCLOUD_SECRET_KEY", "example-secret-key");
    Ran::from(command.output().unwrap())
}

#[test]
fn a_state_of_the_sandbox_refuses_a_real_endpoint() {
    let project = half_ordered();
    let before = project.memory();
    let real = "https://tcb.tencentcloudapi.com";
    let ran = with_keys(&project, &["apply", "-y", "--endpoint", real, "--log", "trace"]).exits(1);
    let ran =
        ran.says(&["the state belongs to `sandbox`", "tencentcloudapi.com", "--state", "nothing was sent"]);
    assert!(!ran.stderr.contains("ordering"), "{ran}");
    // Whoever reviews the plan is told, too.
    let plan = project.run(["plan", "--endpoint", real]).exits(0);
    plan.says(&["warning[state-endpoint]", "the state belongs to `sandbox`"]);
    let ran = with_keys(&project, &["apply", "-y", "--endpoint", real]).exits(1);
    assert!(ran.stderr.contains("error[state-endpoint]"), "{ran}");
    assert_eq!(before, project.memory());
}

#[test]
fn a_state_of_a_real_endpoint_refuses_the_sandbox() {
    let project = half_ordered();
    project.edit(STATE, "\"endpoint\": \"sandbox\"", "\"endpoint\": \"tencentcloudapi.com\"");
    let (before, sent) = (project.memory(), project.ledger().len());
    let ran = project.run(["apply", "-y"]).exits(1);
    assert!(ran.stderr.contains("error[state-endpoint]"), "{ran}");
    ran.says(&["the state belongs to `tencentcloudapi.com`", "nothing was sent"]);
    assert_eq!((before, sent), (project.memory(), project.ledger().len()));
}

/// The state carries no hash, and its receipts do.
#[test]
fn a_state_that_was_edited_by_hand_orders_and_gives_up_nothing() {
    for (name, edit) in [
        ("forgotten", (|state| drop(state.as_object_mut().unwrap().remove("one"))) as fn(&mut Value)),
        ("another", |state| {
            state["one"]["env_id"] = "cdnheader-v2a".into();
        }),
        ("unprotected", |state| {
            state["one"]["prevent_destroy"] = true.into();
        }),
    ] {
        let project = Project::ordered(&["one"]);
        let mut state = project.json(STATE);
        edit(&mut state["environments"]);
        project.write(STATE, serde_json::to_string_pretty(&state).unwrap() + "\n");
        project.declare(&["two"]);
        let before = project.ledger();
        let refused = project.run(["apply", "-y", "--allow-destroy"]).exits(1);
        refused.says(&[
            "error[state-differs]: one",
            "postpay state verify",
            "postpay state restore",
            "nothing was sent",
        ]);
        assert_eq!(project.ledger(), before, "{name}");
        // What only looks says so too, and is not kept from it.
        project.run(["plan"]).exits(0);
        project.run(["state", "restore", "-y"]).exits(0);
        project.run(["apply", "-y"]).exits(0);
    }
}

/// Where a receipt is missing nothing can be compared.
#[test]
fn a_state_whose_receipts_have_a_gap_orders_nothing() {
    let project = Project::ordered(&["one"]);
    for declared in [&["one", "two"][..], &["one", "two", "three"]] {
        project.declare(declared);
        project.run(["apply", "-y"]).exits(0);
    }
    let mut receipts: Vec<_> =
        fs::read_dir(project.file(RECEIPTS)).unwrap().map(|entry| entry.unwrap().path()).collect();
    receipts.sort();
    fs::remove_file(&receipts[1]).unwrap();
    let before = project.ledger();
    project.declare(&["one", "two", "three", "four"]);
    let refused = project.run(["apply", "-y"]).exits(1);
    refused.says(&["error[receipts-missing]", "nothing was sent"]);
    assert_eq!(project.ledger(), before);
}
