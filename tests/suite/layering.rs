//! Who may import whom, and what stays out of the rooms below the command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms that its code may name after `crate::`.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "apply",
        &[
            "lang", "plan", "cloud", "state", "clock", "desired", "crash",
        ],
    ),
    ("check", &["lang", "manifest", "desired", "diagnostic"]),
    ("clock", &[]),
    ("lang", &[]),
    ("cloud", &["lang", "desired", "clock"]),
    (
        "config",
        &[
            "lang",
            "manifest",
            "check",
            "desired",
            "diagnostic",
            "drift",
        ],
    ),
    ("crash", &[]),
    ("desired", &["lang"]),
    ("diagnostic", &["lang"]),
    ("drift", &["lang", "cloud", "desired", "plan", "state"]),
    ("generate", &["lang", "apply", "cloud", "desired", "state"]),
    ("manifest", &["lang", "desired", "diagnostic"]),
    ("plan", &["lang", "desired", "state"]),
    (
        "rehearsal",
        &["lang", "sandbox", "state", "desired", "cloud"],
    ),
    (
        "report",
        &[
            "lang",
            "plan",
            "apply",
            "cloud",
            "state",
            "desired",
            "diagnostic",
            "drift",
            "generate",
            "rehearsal",
        ],
    ),
    ("sandbox", &["lang", "cloud", "crash"]),
    ("state", &["lang", "desired", "crash"]),
];

/// What belongs to the command line, and a room below it therefore does not name.
const OUTSIDE: &[&str] = &[
    "clap",
    "std::env",
    "env::var",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "process::exit",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The code of each room, as (room, file, text), without comments and unit tests.
fn rooms() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    files
        .into_iter()
        .map(|path| {
            let first = path
                .strip_prefix(&src)
                .unwrap()
                .components()
                .next()
                .unwrap();
            let room = first
                .as_os_str()
                .to_str()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let kept: Vec<&str> = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            let code = kept.join("\n");
            (room, path, code)
        })
        .filter(|(room, path, _)| {
            !["main", "lib", "cli"].contains(&room.as_str()) && !path.ends_with("tests.rs")
        })
        .collect()
}

/// The rooms that a text names: `crate::plan::…` and `use crate::{plan, …}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let names = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect(),
            None => vec![rest],
        };
        for name in names {
            let name: String = name
                .trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            rooms.insert(name);
        }
    }
    rooms
}

#[test]
fn rooms_import_only_what_the_house_allows() {
    let mut broken = Vec::new();
    for (room, path, code) in rooms() {
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("`{room}` has no row in ALLOWED: {}", path.display()));
        for other in named(&code) {
            if other != room && !allowed.contains(&other.as_str()) {
                broken.push(format!("{}: {room} imports {other}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_sandbox_knows_the_protocol_and_nothing_else_of_the_cloud() {
    for (room, path, code) in rooms() {
        if room == "sandbox" {
            for rest in code.split("crate::cloud").skip(1) {
                let fine = [
                    "::tencent::sign",
                    "::tencent::wire",
                    "::tencent::{sign, wire}",
                ];
                assert!(
                    fine.iter().any(|prefix| rest.starts_with(prefix)),
                    "{}: crate::cloud{}",
                    path.display(),
                    rest.lines().next().unwrap()
                );
            }
        }
    }
}

#[test]
fn below_the_command_line_nothing_prints_exits_or_reads_the_environment() {
    for (_, path, code) in rooms() {
        for word in OUTSIDE {
            assert!(!code.contains(word), "{} holds `{word}`", path.display());
        }
    }
}

#[test]
fn the_plan_command_is_never_given_anything_that_could_order() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/plan.rs");
    let code = fs::read_to_string(path).unwrap();
    for word in ["CloudWrite", "TencentClient", "Connection", "apply::run"] {
        assert!(!code.contains(word), "`{word}`");
    }
}
