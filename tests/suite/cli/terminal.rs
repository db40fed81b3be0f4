//! What is only there for a terminal: progress, questions and Ctrl-C.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use pty_process::blocking::{Command, Pty};
use unicode_width::UnicodeWidthStr as _;

use crate::endpoint::PATIENT;
use crate::support::{JOURNAL, Project, Running, STATE, at_once, until};

const CTRL_C: &str = "\u{3}";

/// The program on a terminal of its own.
struct Terminal {
    pty: Pty,
    child: Child,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn run(project: &Project, args: &[&str]) -> Self {
        Self::of(project, args, 100)
    }

    /// On one that is so many columns wide.
    fn of(project: &Project, args: &[&str], columns: u16) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(30, columns)).unwrap();
        let like = project.command(args);
        let mut command = Command::new(like.get_program()).args(like.get_args()).env("TERM", "xterm");
        if let Some(folder) = like.get_current_dir() {
            command = command.current_dir(folder);
        }
        for (name, value) in like.get_envs() {
            command = match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let child = command.env_remove(OsStr::new("NO_COLOR")).spawn(pts).unwrap();
        let (sender, shown) = mpsc::channel();
        let fd = pty.as_fd().try_clone_to_owned().unwrap();
        thread::spawn(move || {
            let mut pty = std::fs::File::from(fd);
            let mut buffer = [0; 4096];
            // It fails once the program is over.
            while let Ok(n @ 1..) = pty.read(&mut buffer) {
                let _ = sender.send(buffer[..n].to_vec());
            }
        });
        Self { pty, child, shown, seen: String::new() }
    }

    /// Waits until the text was shown.
    #[track_caller]
    fn shows(&mut self, text: &str) {
        let began = Instant::now();
        while !self.seen.contains(text) {
            let left = PATIENT.saturating_sub(began.elapsed());
            let Ok(more) = self.shown.recv_timeout(left) else {
                panic!("`{text}` was never shown:\n{}", self.seen);
            };
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }

    fn types(&mut self, text: &str) {
        self.pty.write_all(text.as_bytes()).unwrap();
    }

    /// How it ended, and all that was shown.
    fn ends(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        while let Ok(more) = self.shown.recv_timeout(PATIENT) {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        (status, self.seen)
    }
}

#[test]
fn a_look_that_takes_long_is_shown_and_gone_before_the_result() {
    let project = Project::ordered(&["one", "two"]);
    let mut terminal = Terminal::run(&project, &["drift", "--latency", "1200ms"]);
    terminal.shows("Listing the account");
    let (status, seen) = terminal.ends();
    assert_eq!(status.code(), Some(0), "{seen}");
    let (_, after) = seen.rsplit_once("Reading bills").unwrap();
    let (line, result) = after.split_once("\u{1b}[2K").expect("it is cleared");
    assert!(!line.contains('\n'), "{seen}");
    assert!(result.contains("No drift."), "{seen}");
}

/// A script that runs `postpay drift && postpay apply` is to end too, which it does for the signal alone.
#[test]
fn ctrl_c_during_a_look_ends_it_by_the_signal() {
    let project = Project::ordered(&["one"]);
    let mut terminal = Terminal::run(&project, &["drift", "--latency", "20s"]);
    terminal.shows("Listing the account");
    terminal.types(CTRL_C);
    let (status, seen) = terminal.ends();
    assert_eq!(status.signal(), Some(2), "{status} {seen}");
}

#[test]
fn ctrl_c_during_a_run_finishes_what_is_under_way_and_starts_nothing_more() {
    let project = Project::of(&["one", "two", "three"]);
    let args = ["apply", "-y", "--in-flight", "1", "--latency", "1500ms"];
    let mut terminal = Terminal::run(&project, &args);
    terminal.shows("one");
    until("the first order", || project.exists(JOURNAL) && project.read(JOURNAL).contains("\"intent\""));
    terminal.types(CTRL_C);
    let (status, seen) = terminal.ends();
    assert_eq!(status.code(), Some(3), "{seen}");
    assert!(seen.contains("Interrupted"), "{seen}");
    assert_eq!(project.ordered_once(), ["one"]);
}

/// What a terminal breaks itself, it breaks within ids.
#[test]
fn nothing_is_wider_than_the_terminal_and_no_id_is_broken() {
    let project = Project::of(&["one", "a-much-longer-name"]);
    let applied = Terminal::of(&project, &["apply", "-y", "--color", "never"], 80);
    let (status, applied) = applied.ends();
    assert_eq!(status.code(), Some(0), "{applied}");
    // Progress is drawn before it.
    let (_, table) = applied.rsplit_once(" ADDRESS").unwrap();
    let state = project.json(STATE);
    let records = ["one", "a-much-longer-name"].map(|name| &state["environments"][name]);
    let wide = |columns: u16, shown: &str| {
        for line in shown.lines() {
            assert!(line.width() <= usize::from(columns), "{line:?} of\n{shown}");
        }
    };
    wide(80, table);
    for record in records {
        for id in ["tran_id", "env_id"] {
            let id = record[id].as_str().unwrap();
            assert!(table.contains(id), "{id} is broken in\n{table}");
        }
    }
    for columns in [60, 80, 100] {
        for (args, code) in [
            (&["show"][..], 0),
            (&["history"], 0),
            (&["state", "rm", "one"], 1),
            (&["--lang", "zh", "state", "rm", "one"], 1),
        ] {
            let args = [args, &["--color", "never"]].concat();
            let (status, shown) = Terminal::of(&project, &args, columns).ends();
            assert_eq!(status.code(), Some(code), "{shown}");
            wide(columns, &shown);
            if code == 0 {
                for record in records {
                    for id in ["source", "tran_id"].map(|name| record[name].as_str().unwrap()) {
                        assert!(shown.contains(id), "{id} is broken in\n{shown}");
                    }
                }
            }
        }
    }
    // Elsewhere a line is as long as it is, whatever the terminal's width is said to be.
    let piped = project.run(["show"]).exits(0).stdout;
    assert!(piped.lines().any(|line| line.width() > 100), "{piped}");
}

#[test]
fn only_yes_is_a_yes() {
    let end = "\u{4}";
    at_once(["no\r", "y\r", "Yes\r", "\r", "yes please\r", end], |typed| {
        let project = Project::of(&["one"]);
        let mut terminal = Terminal::run(&project, &["apply"]);
        terminal.shows("Enter a value:");
        terminal.types(typed);
        let (status, seen) = terminal.ends();
        assert_eq!(status.code(), Some(1), "{seen}");
        for text in ["Only 'yes' will be accepted", "not approved", "nothing was created"] {
            assert!(seen.contains(text), "{typed:?}: {seen}");
        }
        assert!(project.ledger().is_empty(), "{typed:?}");
        assert!(!project.exists(STATE) && !project.exists(JOURNAL));
    });
}

#[test]
fn a_yes_orders() {
    let project = Project::of(&["one", "two"]);
    let mut terminal = Terminal::run(&project, &["apply", "--color", "never"]);
    terminal.shows("Create 2 environments at sandbox?");
    assert!(terminal.seen.contains("2 creates at"));
    terminal.types("yes\r");
    let (status, seen) = terminal.ends();
    assert_eq!(status.code(), Some(0), "{seen}");
    assert!(seen.contains("2 created"), "{seen}");
    assert_eq!(project.ordered_once(), ["one", "two"]);
}

#[test]
fn a_state_that_changes_at_the_prompt_is_not_overwritten() {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    let mut terminal = Terminal::run(&project, &["apply"]);
    terminal.shows("yes");
    project.edit(STATE, "\"serial\": 1", "\"serial\": 2");
    let pulled = project.read(STATE);
    terminal.types("yes\n");
    let (status, seen) = terminal.ends();
    assert_eq!(status.code(), Some(1), "{seen}");
    assert!(seen.contains("fenced-out"), "{seen}");
    assert_eq!(project.ordered_once(), ["one"]);
    assert_eq!(project.read(STATE), pulled);
}

/// A report may be a pipe that nobody reads.
#[test]
fn a_run_that_is_over_holds_nobody_up_and_can_be_left() {
    let project = Project::of(&["one"]);
    let made = std::process::Command::new("mkfifo").arg(project.file("r.md")).status();
    assert!(made.unwrap().success());
    let mut running = Running::new(project.command(["apply", "-y", "--report", "r.md"]));
    until("the state", || project.exists(STATE) && !project.exists(JOURNAL));
    project.run(["apply", "-y", "--lock-timeout", "60s"]).exits(0);
    running.signal("INT");
    running.wait().exits(0);
    assert_eq!(project.ordered_once(), ["one"]);
}
