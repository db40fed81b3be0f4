//! `postpay lock`: who writes.

use std::fs;

use crate::support::{JOURNAL, Project, assert_shown, until};

const LOCK: &str = "state/postpay.state.lock";

/// One ordered, and an apply that hangs in the order of another.
fn hanging() -> (Project, crate::support::Running) {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    let running = project.start(["apply", "-y", "--fault", "hang-after@1"]);
    until("the order", || project.ledger().len() == 2);
    (project, running)
}

#[test]
fn a_free_lock_is_free_and_looking_makes_no_file() {
    let project = Project::of(&["one"]);
    project.run(["lock", "status"]).exits(0).says(&["free"]);
    assert!(!project.exists("state"));

    let project = Project::ordered(&["one"]);
    let status = project.run(["lock", "status", "--format", "json"]).json();
    assert_eq!(status["held"], false);
    assert_eq!(status["open_run"], serde_json::Value::Null);
}

#[test]
fn a_lock_that_is_held_names_its_holder() {
    let (project, mut running) = hanging();
    let before = project.memory();
    let shown = project.run(["lock", "status"]).exits(0);
    assert_shown!("lock-held", shown);
    let status = project.run(["lock", "status", "--format", "json"]).json();
    assert_eq!(status["held"], true);
    assert_eq!(status["holder"]["pid"], running.id());
    assert_eq!(status["holder"]["doing"], "apply");
    assert_eq!(status["open_run"]["pid"], running.id());
    assert_eq!(before, project.memory());
    // It still holds it.
    let refused = project.run(["apply", "-y"]).exits(1);
    refused.says(&[
        "error[state-locked]",
        &format!("process {}", running.id()),
        &format!("kill -INT {}", running.id()),
        "--lock-timeout",
    ]);
    running.kill();
}

#[test]
fn the_name_of_an_open_run_stays_until_it_is_folded() {
    let (project, mut running) = hanging();
    let pid = running.id();
    running.kill();
    let status = project.run(["lock", "status", "--format", "json"]).json();
    assert_eq!(status["held"], false);
    assert_eq!(status["open_run"]["pid"], pid);

    // With its journal gone the name is all that tells of the run.
    let journal = project.read(JOURNAL);
    fs::remove_file(project.file(JOURNAL)).unwrap();
    let before = project.files();
    let ran = project.run(["plan"]).exits(1);
    ran.says(&["error[journal-lost]", "restore the journal"]);
    let status = project.run(["lock", "status"]).exits(0);
    status.says(&["warning[journal-lost]", "is missing"]);
    assert_eq!(before, project.files());

    project.write(JOURNAL, journal);
    project.run(["apply", "-y"]).exits(4);
    assert_eq!(project.read(LOCK), "");
}

#[test]
fn a_dead_holder_holds_nothing_and_is_overwritten_by_the_next_writer() {
    let project = Project::ordered(&["one"]);
    let words = r#"{"who":"ada@loom","pid":7,"since":"2026-05-01T08:00:00Z","doing":"apply"}"#;
    project.write(LOCK, words);
    project.run(["lock", "status"]).exits(0).says(&["free"]);
    project.run(["apply", "-y"]).exits(0);
    assert_eq!(project.read(LOCK), "");
}
