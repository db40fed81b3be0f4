//! Where output goes, and what happens when it can't go there.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::support::{Project, Ran, Running, STATE};

fn full() -> Option<File> {
    File::options().write(true).open("/dev/full").ok()
}

#[test]
fn data_goes_to_standard_output_and_all_else_to_standard_error() {
    let project = Project::of(&["a-very-long-alias-beyond-twenty"]);
    let plan = project.run(["plan", "--format", "json"]).exits(0);
    plan.json();
    assert!(plan.stderr.contains("warning"), "{plan}");
    let applied = project.run(["apply", "-y", "--format", "json"]).exits(0);
    applied.json();
    assert!(applied.stderr.contains("[1/1]"), "{applied}");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let many: Vec<String> = (0..2000).map(|n| format!("env-{n}")).collect();
    let project = Project::of(&many.iter().map(String::as_str).collect::<Vec<_>>());
    for args in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["plan", "--show-calls"],
        &["completions", "bash"],
        &["schema", "plan"],
        &["man"],
    ] {
        let mut running = project.start(args);
        let mut first = String::new();
        let mut stdout = BufReader::with_capacity(64, running.stdout());
        stdout.read_line(&mut first).unwrap();
        drop(stdout);
        let ran = running.wait().exits(0);
        assert_eq!(ran.stderr, "", "{args:?}");
        assert!(!first.is_empty());
    }
}

#[test]
fn a_reader_of_events_that_leaves_does_not_end_the_run() {
    let project = Project::of(&["one", "two"]);
    for args in [&["apply", "-y", "--json", "--target", "one"][..], &["apply", "-y", "--target", "two"]] {
        let mut running = project.start(args);
        let mut stdout = running.stdout();
        stdout.read_exact(&mut [0]).unwrap();
        drop(stdout);
        running.wait().exits(0);
    }
    assert_eq!(project.ordered_once(), ["one", "two"]);
    assert_eq!(project.json(STATE)["serial"], 2);
}

#[test]
fn what_can_not_be_shown_is_an_error() {
    let Some(full) = full() else { return };
    let project = Project::of(&["one"]);
    for args in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["validate"],
        &["show"],
        &["schema", "plan"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["--version"],
        &["help", "plan"],
        &["--help", "--lang", "zh"],
    ] {
        let mut command = project.command(args);
        command.stdout(full.try_clone().unwrap()).stderr(Stdio::piped());
        Running::new(command).wait().exits(1).says(&["[stdout]: ", "os error 28"]);
    }
}

#[test]
fn a_usage_error_is_one_wherever_it_can_be_shown() {
    let Some(full) = full() else { return };
    let project = Project::empty();
    for full in [full.into(), Stdio::piped()] {
        let mut command = project.command(["plan", "--oops"]);
        command.stderr(full).stdout(Stdio::piped());
        Running::new(command).wait().exits(1);
    }
}

#[test]
fn a_reader_of_help_that_leaves_is_no_error() {
    let project = Project::empty();
    for args in [&["apply", "--help"][..], &["--version"]] {
        let mut running = project.start(args);
        drop(running.stdout());
        assert_eq!(running.wait().exits(0).stderr, "", "{args:?}");
    }
}

#[test]
fn a_run_whose_result_can_not_be_shown_still_orders_and_records() {
    let Some(full) = full() else { return };
    let project = Project::of(&["one", "two"]);
    project.run(["plan", "-o", "plan.json", "--target", "one"]).exits(0);
    for args in [&["apply", "plan.json"][..], &["apply", "-y", "--json"]] {
        let mut command = project.command(args);
        command.stdout(full.try_clone().unwrap()).stderr(Stdio::piped());
        let ran = Running::new(command).wait().exits(1);
        assert_eq!(ran.stderr.matches("cannot write to standard output").count(), 1, "{ran}");
    }
    assert_eq!(project.ordered_once(), ["one", "two"]);
    assert_eq!(project.json(STATE)["environments"]["two"]["status"], "created");
}

#[test]
fn standard_error_may_be_full_or_closed() {
    let Some(full) = full() else { return };
    let project = Project::of(&["one"]);
    let mut command = project.command(["apply", "-y"]);
    command.stderr(full).stdout(Stdio::piped());
    Running::new(command).wait().exits(0);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "exec \"$0\" apply -y --json 2>&- >&-", env!("CARGO_BIN_EXE_postpay")]);
    project.settle(&mut shell);
    project.declare(&["one", "two"]);
    Ran::from(shell.output().unwrap()).exits(0);
    assert_eq!(project.ordered_once(), ["one", "two"]);
}

#[test]
fn a_log_that_can_not_be_written_does_not_end_a_run() {
    let Some(full) = full() else { return };
    let project = Project::of(&["one"]);
    let mut command = project.command(["apply", "-y", "--log", "trace"]);
    command.stderr(full).stdout(Stdio::piped());
    Running::new(command).wait().exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn a_report_that_can_not_be_written_does_not_change_how_a_run_ended() {
    if full().is_none() {
        return;
    }
    let project = Project::of(&["one"]);
    // It can be opened, and takes nothing: that shows only when it is written.
    let elsewhere = Project::empty();
    let report = elsewhere.file("x.json");
    std::os::unix::fs::symlink("/dev/full", &report).unwrap();
    let report = report.to_str().unwrap();
    project.run(["plan", "--report", report]).exits(1).says(&["cannot write", "x.json"]);
    project
        .run(["apply", "-y", "--report", report])
        .exits(0)
        .says(&["cannot write", "Apply complete: 1 created"]);
    assert_eq!(project.ordered_once(), ["one"]);
}

#[test]
fn a_vendors_message_can_not_draw_on_the_terminal() {
    let project = Project::of(&["one"]);
    project.edit("environments/shop.yaml", "alias: one", "alias: one\n    env_alias: \"x\\u202Ey\"");
    let ran = project.run(["plan"]);
    ran.does_not_say(&["\u{202e}"]);
}
