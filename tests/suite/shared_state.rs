//! The whole program with its state on PostgreSQL, from one machine and from several at once.

use std::time::Duration;

use crate::support::postgres::{Server, server};
use crate::support::{LEDGER, MANIFEST, Project, STATE, manifest, until};

/// A project whose state is on the tests' server.
fn project(url: &str, aliases: &[&str]) -> Project {
    let project = Project::of(aliases);
    connect(&project, url);
    project
}

fn connect(project: &Project, url: &str) {
    project.write("postpay.yaml", format!("version: 1\nstate: {url}\napi: {{endpoint: sandbox}}\n"));
}

fn snapshot(server: &Server, url: &str) -> serde_json::Value {
    let name = url.split_once("project=").unwrap().1.split('&').next().unwrap();
    let sql = format!("SELECT convert_from(snapshot, 'UTF8') FROM postpay.projects WHERE name = '{name}'");
    serde_json::from_str(&server.sql(&sql)).unwrap()
}

#[test]
fn every_command_works_on_a_shared_state() {
    let Some(server) = server() else { return };
    let url = server.url();
    let project = project(&url, &["first", "second"]);
    project
        .run(["plan", "--detailed-exitcode"])
        .exits(2)
        .says(&["2 to create", &url.replace("postgres@", "")]);
    project.run(["apply", "-y"]).exits(0);
    assert!(!project.exists(STATE), "the state is in the database alone");
    assert_eq!(project.ordered_once(), ["first", "second"]);
    assert_eq!(snapshot(server, &url)["environments"]["first"]["status"], "created");

    project.run(["plan", "--detailed-exitcode"]).exits(0);
    project.run(["drift"]).exits(0);
    project.run(["state", "list"]).exits(0).says(&["first", "second"]);
    project.run(["state", "show", "first"]).exits(0).says(&["created"]);
    project.run(["state", "mv", "second", "third", "-y"]).exits(0);
    project.run(["state", "mv", "third", "second", "-y"]).exits(0);
    project.run(["state", "verify"]).exits(0);
    project.run(["history"]).exits(0).says(&["first", "second"]);
    project.run(["history", "verify"]).exits(0);
    project.run(["lock", "status"]).exits(0).says(&["free"]);
    project.run(["rehearse", "--runs", "1"]);
    let pulled = project.run(["state", "pull"]).exits(0).json();
    assert_eq!(pulled["serial"], 3);
    project.run(["state", "restore", "--dry-run"]).exits(0);
    project.run(["destroy", "second", "-y", "--allow-destroy"]).exits(1);
    project.write(MANIFEST, manifest(&["first"]));
    project.run(["destroy", "second", "-y", "--allow-destroy"]).exits(0);
    assert_eq!(snapshot(server, &url)["environments"]["second"]["status"], "isolated");

    // Another machine has nothing but the manifests.
    let other = self::project(&url, &["first"]);
    other.run(["plan", "--detailed-exitcode"]).exits(0);
    let lost = ["apply", "-y", "--fault", "reset-after@1", "--settle", "0s"];
    other.write(MANIFEST, manifest(&["first", "lost"]));
    other.run(lost).exits(4);
    project.write(MANIFEST, manifest(&["first", "lost"]));
    project.run(["plan"]).exits(0).says(&["unknown"]);
    project.run(["resolve", "lost", "--not-created", "--force", "-y"]).exits(0);
}

#[test]
fn passwords_in_settings_and_other_schemes_are_rejected() {
    let project = Project::of(&["a"]);
    connect(&project, "postgres://ada:hunter2@db.example/x?project=p");
    project.run(["plan"]).exits(1).says(&["holds a password", "PGPASSFILE"]).does_not_say(&["hunter2"]);
    connect(&project, "postgres://db.example/x");
    project.run(["plan"]).exits(1).says(&["must name a project"]);
    connect(&project, "mysql://db.example/x");
    project.run(["plan"]).exits(1).says(&["`mysql://` is not supported"]);
    connect(&project, "postgres://127.0.0.1:1/x?project=p");
    project.run(["plan"]).exits(1).says(&["state-database", "127.0.0.1:1"]);
}

/// Two machines apply the same manifests at once: one of them creates each environment, and the other waits or stops.
#[test]
fn two_machines_create_nothing_twice() {
    let Some(server) = server() else { return };
    let url = server.url();
    let aliases: Vec<String> = (0..20).map(|number| format!("env-{number}")).collect();
    let aliases: Vec<&str> = aliases.iter().map(String::as_str).collect();
    let first = project(&url, &aliases);
    let second = project(&url, &aliases);
    // They share the account as well.
    std::os::unix::fs::symlink(first.file(LEDGER), second.file(LEDGER)).ok();
    let mut runs = [&first, &second].map(|project| project.start(["apply", "-y", "--lock-timeout", "60s"]));
    for run in &mut runs {
        drop(run.stdout());
    }
    for run in runs {
        run.wait().exits(0);
    }
    let (a, b) = (first.ledger().len(), second.ledger().len());
    let state = snapshot(server, &url);
    assert_eq!(state["environments"].as_object().unwrap().len(), aliases.len(), "{a} and {b} calls");
    let created = first.orders().into_iter().chain(second.orders());
    let mut counts = std::collections::BTreeMap::new();
    for (alias, count) in created {
        *counts.entry(alias).or_insert(0) += count;
    }
    assert!(counts.values().all(|count| *count == 1) && counts.len() == aliases.len(), "{counts:?}");
}

/// A writer that is stopped past its lease, and goes on after another one has taken over, sends nothing more.
#[test]
fn writer_that_was_paused_past_its_lease_sends_nothing_more() {
    let Some(server) = server() else { return };
    let url = server.url() + "&lease=1";
    let aliases: Vec<String> = (0..30).map(|number| format!("env-{number}")).collect();
    let aliases: Vec<&str> = aliases.iter().map(String::as_str).collect();
    let first = project(&url, &aliases).at_real_pace();
    let second = project(&url, &["other"]);
    let mut paused = first.start(["apply", "-y"]);
    until("a create", || first.ledger().iter().any(|entry| entry.acted));
    paused.signal("STOP");
    let before = first.ledger().len();
    let taken = second.run(["apply", "-y", "--lock-timeout", "30s"]);
    taken.exits(0);
    std::thread::sleep(Duration::from_millis(100));
    paused.signal("CONT");
    let ended = paused.wait();
    assert_ne!(ended.code, Some(0), "{}", ended.stderr);
    let after = first.ledger().len();
    // What was on its way when it was stopped may arrive.
    assert!(after <= before + 1, "{before} calls before, {after} after");
    let state = snapshot(server, &url);
    let environments = state["environments"].as_object().unwrap();
    assert!(environments.contains_key("other"));
    // Every environment that was created is in the state, or in a rescue file.
    let created = first.orders().len();
    let recorded = environments.keys().filter(|name| name.starts_with("env-")).count();
    assert!(recorded >= created.saturating_sub(1), "{created} created, {recorded} in the state");
}
