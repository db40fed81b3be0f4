//! The whole program with its state on PostgreSQL, from one machine and from several at once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use postpay::sandbox::{SECRET_ID, SECRET_KEY};

use crate::support::postgres::{Server, server};
use crate::support::{MANIFEST, Project, Running, STATE, manifest, until};

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

/// An endpoint that several machines use, as a process of its own.
struct Account {
    owner: Project,
    url: String,
    _running: Running,
}

impl Account {
    fn serve() -> Self {
        let owner = Project::empty();
        let mut running =
            owner.start(["sandbox", "serve", "--listen", "127.0.0.1:0", "--sandbox-rate", "100"]);
        let mut url = String::new();
        BufReader::new(running.stdout()).read_line(&mut url).unwrap();
        Self { owner, url: url.trim().to_owned(), _running: running }
    }

    /// A command of a machine that uses this account.
    fn command(&self, machine: &Project, args: &[&str]) -> Command {
        let mut command = machine.command(args);
        command
            .args(["--endpoint", &self.url])
            .env("TENCENTCLOUD_SECRET_ID", SECRET_ID)
            .env("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)
            .stdout(Stdio::null());
        command
    }

    /// How often each alias was created.
    fn created(&self) -> BTreeMap<String, usize> {
        self.owner.orders()
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("env-{number}")).collect()
}

/// Two machines apply the same manifests at once: one of them creates each environment, and the other waits.
#[test]
fn two_machines_create_nothing_twice() {
    let Some(server) = server() else { return };
    let url = server.url();
    let account = Account::serve();
    let aliases = names(20);
    let aliases: Vec<&str> = aliases.iter().map(String::as_str).collect();
    let machines = [(); 2].map(|()| project(&url, &aliases).at_real_pace());
    let runs = machines.each_ref().map(|machine| {
        let mut command = account.command(machine, &["apply", "-y", "--rate", "20", "--lock-timeout", "60s"]);
        command.stderr(Stdio::piped());
        Running::new(command)
    });
    for run in runs {
        run.wait().exits(0);
    }
    let created = account.created();
    assert!(created.len() == aliases.len() && created.values().all(|count| *count == 1), "{created:?}");
    assert_eq!(snapshot(server, &url)["environments"].as_object().unwrap().len(), aliases.len());
}

/// A writer that is stopped past its lease, and goes on after another one has taken over, sends nothing more.
#[test]
fn writer_that_was_paused_past_its_lease_sends_nothing_more() {
    let Some(server) = server() else { return };
    let url = server.url() + "&lease=1";
    let account = Account::serve();
    let aliases = names(40);
    let mut aliases: Vec<&str> = aliases.iter().map(String::as_str).collect();
    let first = project(&url, &aliases).at_real_pace();
    aliases.push("other");
    let second = project(&url, &aliases).at_real_pace();
    let mut command = account.command(&first, &["apply", "-y", "--rate", "20"]);
    command.stderr(Stdio::piped());
    let mut paused = Running::new(command);
    until("a create", || account.created().len() > 2);
    paused.signal("STOP");
    let mut command = account.command(&second, &["apply", "-y", "--rate", "20", "--lock-timeout", "30s"]);
    let code = command.stderr(Stdio::null()).status().unwrap().code();
    // What was under way when it stopped has no outcome, unless there was none.
    assert!([Some(0), Some(4)].contains(&code), "{code:?}");
    let before = account.created();
    paused.signal("CONT");
    let ended = paused.wait();
    assert_ne!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(account.created(), before, "{}", ended.stderr);
    assert!(before.values().all(|count| *count == 1), "{before:?}");
    let state = snapshot(server, &url);
    let recorded = state["environments"].as_object().unwrap();
    assert_eq!(recorded.len(), aliases.len());
    for name in before.keys() {
        assert!(["created", "unknown"].contains(&recorded[name]["status"].as_str().unwrap()), "{name}");
    }
}
