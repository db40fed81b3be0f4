//! `postpay lock`: who writes, and what of a dead one's words can go.

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
    let released = project.run(["lock", "release"]).exits(0);
    released.says(&["Nothing to release"]);
    assert!(!project.exists("state"));

    let project = Project::ordered(&["one"]);
    let status = project.run(["lock", "status", "--format", "json"]).json();
    assert_eq!(status["held"], false);
    assert_eq!(status["open_run"], serde_json::Value::Null);
    assert_eq!(status["left"], serde_json::Value::Null);
    project
        .run(["lock", "release"])
        .exits(0)
        .says(&["Nothing to release"]);
}

#[test]
fn a_lock_that_is_held_names_its_holder_and_is_not_broken() {
    let (project, mut running) = hanging();
    let before = project.memory();
    let shown = project.run(["lock", "status"]).exits(0);
    assert_shown!("lock-held", shown);
    let status = project.run(["lock", "status", "--format", "json"]).json();
    assert_eq!(status["held"], true);
    assert_eq!(status["holder"]["pid"], running.id());
    assert_eq!(status["holder"]["doing"], "apply");
    assert_eq!(status["open_run"]["pid"], running.id());
    let refused = project.run(["lock", "release"]).exits(1);
    assert_eq!(refused.stdout, "");
    refused.says(&[
        "error[state-locked]",
        &format!("process {}", running.id()),
        &format!("kill -INT {}", running.id()),
        "is not broken",
        "--lock-timeout",
    ]);
    assert_eq!(before, project.memory());
    // It still holds it.
    project.run(["apply", "-y"]).exits(1).says(&["held by"]);
    running.kill();
}

#[test]
fn the_name_of_an_open_run_stays_until_it_is_folded() {
    let (project, mut running) = hanging();
    let pid = running.id();
    running.kill();
    let status = project.run(["lock", "status", "--format", "json"]).json();
    assert_eq!(status["held"], false);
    assert_eq!(status["left"]["pid"], pid);
    assert_eq!(status["open_run"]["pid"], pid);
    let before = project.files();
    let released = project.run(["lock", "release"]).exits(0);
    assert_shown!("lock-open-run", released);
    assert_eq!(before, project.files());

    // With its journal gone the name is all that tells of the run.
    let journal = project.read(JOURNAL);
    fs::remove_file(project.file(JOURNAL)).unwrap();
    let before = project.files();
    for args in [&["lock", "release"][..], &["plan"]] {
        let ran = project.run(args).exits(1);
        ran.says(&["error[journal-lost]", "put the journal back"]);
    }
    let status = project.run(["lock", "status"]).exits(0);
    status.says(&["warning[journal-lost]", "is gone"]);
    assert_eq!(before, project.files());

    project.write(JOURNAL, journal);
    project.run(["apply", "-y"]).exits(4);
    assert_eq!(project.read(LOCK), "");
}

#[test]
fn words_that_a_dead_process_left_are_cleared() {
    let project = Project::ordered(&["one"]);
    let words = r#"{"who":"ada@loom","pid":7,"since":"2026-05-01T08:00:00Z","doing":"apply"}"#;
    project.write(LOCK, words);
    let status = project.run(["lock", "status"]).exits(0);
    status.says(&["free", "named      ada@loom, process 7", "it is dead"]);
    let document = project.run(["lock", "release", "--format", "json"]).json();
    assert_eq!(document["cleared"], true);
    assert_eq!(document["left"]["who"], "ada@loom");
    assert_eq!(project.read(LOCK), "");

    // A run that is on file needs its name no longer.
    let run = project.json(crate::support::STATE)["last_run"].clone();
    project.write(
        LOCK,
        words.replace("\"doing\"", &format!("\"run\":{run},\"doing\"")),
    );
    let released = project.run(["lock", "release"]).exits(0);
    released.says(&["Cleared from its file: ada@loom, process 7"]);
    project.write(LOCK, "half a li");
    project
        .run(["lock", "release"])
        .exits(0)
        .says(&["words that nobody can read"]);
    assert_eq!(project.read(LOCK), "");
}
