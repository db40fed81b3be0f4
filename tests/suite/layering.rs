//! Who may import whom, and what stays out of the rooms below the command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms that its code may name after `crate::`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("apply", &["lang", "plan", "cloud", "state", "clock", "model", "crash"]),
    ("check", &["lang", "sanitize", "manifest", "model", "kinds", "diagnostic"]),
    ("clock", &[]),
    ("lang", &[]),
    ("sanitize", &[]),
    ("cloud", &["lang", "sanitize", "model", "clock", "files"]),
    ("config", &["lang", "sanitize", "manifest", "check", "cloud", "model", "diagnostic", "drift"]),
    ("crash", &[]),
    ("kinds", &["lang", "model"]),
    ("model", &["lang", "kinds"]),
    ("diagnostic", &["lang", "sanitize"]),
    ("drift", &["lang", "cloud", "model", "plan", "state"]),
    ("files", &["lang"]),
    ("generate", &["lang", "sanitize", "apply", "cloud", "model", "kinds", "state"]),
    ("manifest", &["lang", "model", "kinds", "diagnostic", "files"]),
    ("plan", &["lang", "model", "state"]),
    ("rehearsal", &["lang", "sandbox", "state", "model", "cloud"]),
    (
        "report",
        &[
            "lang",
            "sanitize",
            "plan",
            "apply",
            "cloud",
            "state",
            "model",
            "diagnostic",
            "drift",
            "generate",
            "rehearsal",
        ],
    ),
    ("sandbox", &["lang", "cloud", "crash", "files"]),
    ("state", &["lang", "model", "crash", "files"]),
];

/// What belongs to the command line, and a room below it therefore does not name.
const OUTSIDE: &[&str] =
    &["clap", "std::env", "env::var", "println!", "print!", "eprintln!", "eprint!", "process::exit"];

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
            let first = path.strip_prefix(&src).unwrap().components().next().unwrap();
            let room = first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            (room, path, code(&text))
        })
        .filter(|(room, path, _)| {
            !["main", "lib", "cli", "build"].contains(&room.as_str())
                && !path.ends_with("tests.rs")
                && !path.ends_with("arbitrary.rs")
                && !path.iter().any(|part| part == "tests")
        })
        .collect()
}

/// What a file has for the program: no comments, and nothing that is there for tests alone.
fn code(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        // The item that follows ends on its own line, or where a brace closes at its indentation.
        let closes = |end: &str| indent(end) == indent(line) && end.trim_start().starts_with('}');
        let item = lines.find(|line| !line.trim_start().starts_with('#'));
        let is_short = item.is_none_or(|item| item.ends_with([';', ',', '}']));
        if !is_short {
            let _end = lines.find(|line| closes(line));
        }
    }
    kept.join("\n")
}

#[test]
fn what_follows_code_for_tests_is_read_too() {
    let text = "\
use a;
#[cfg(test)]
use b;
struct S {
    a: u8,
    #[cfg(test)]
    b: u8,
}
#[cfg(test)]
#[path = \"x.rs\"]
mod tests {
    fn c() {}
}
// of d
use e;
";
    let expected = "use a;\nstruct S {\n    a: u8,\n}\nuse e;";
    assert_eq!(code(text), expected);
}

/// A look has nothing that could order, change or record: neither the room that compares nor the commands that ask for it
/// name any of that, and what asks the account is known to them as a reader.
#[test]
fn drift_has_no_way_to_write() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![src.join("cli/drift.rs"), src.join("cli/live.rs")];
    sources(&src.join("drift"), &mut files);
    for path in files {
        if path.ends_with("tests.rs") {
            continue;
        }
        let mut code = code(&fs::read_to_string(&path).unwrap());
        if path.ends_with("cli/live.rs") {
            let (rest, reader) = code.split_once("async fn reader(").unwrap();
            assert!(reader.contains("(impl CloudRead, Option<Sandbox>)"));
            code = rest.to_owned();
        }
        for word in [
            "CloudWrite",
            "TencentClient",
            ".open(",
            "Store",
            "Writer",
            "Journal",
            "fs::",
            "crate::apply",
            "super::edit",
        ] {
            assert!(!code.contains(word), "{} holds `{word}`", path.display());
        }
    }
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
            let name: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
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
                let fine = ["::tencent::sign", "::tencent::wire", "::tencent::{sign, wire}"];
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

/// The paths of a use tree, or of a path in an expression: `a::{b, c::{self, D}}` is `a::b`, `a::c::self` and `a::c::D`. Returns
/// what follows it.
fn paths<'a>(mut rest: &'a str, before: &[&'a str], found: &mut Vec<Vec<&'a str>>) -> &'a str {
    let mut path = before.to_vec();
    loop {
        rest = rest.trim_start();
        if let Some(mut list) = rest.strip_prefix('{') {
            loop {
                list = paths(list, &path, found).trim_start();
                let Some(next) = list.strip_prefix(',') else {
                    return list.strip_prefix('}').unwrap_or(list);
                };
                list = next;
            }
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, next) = rest.split_at(end.unwrap_or(rest.len()));
        path.push(name);
        rest = next;
        match rest.strip_prefix("::") {
            Some(next) => rest = next,
            None => break,
        }
    }
    found.push(path);
    rest
}

/// The modules that a file names: by `crate::…` and `super::…`, and its own submodules by their names.
fn imports(module: &[String], code: &str) -> Vec<Vec<String>> {
    let submodules: Vec<&str> =
        code.lines().filter_map(|line| line.rsplit_once("mod ")?.1.strip_suffix(';')).collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let first = code[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_');
        let start = first.map_or(0, |first| first + 1);
        let name = &code[start..at];
        let is_first = !code[..start].ends_with("::");
        if is_first && (["crate", "super"].contains(&name) || submodules.contains(&name)) {
            paths(&code[start..], &[], &mut found);
        }
    }
    let absolute = |path: Vec<&str>| {
        let supers = path.iter().take_while(|name| **name == "super").count();
        let (base, path) = match path[0] {
            "crate" => (&[][..], &path[1..]),
            "super" => (&module[..module.len() - supers], &path[supers..]),
            _ => (module, &path[..]),
        };
        let path = path.iter().map(|name| (*name).to_owned());
        base.iter().cloned().chain(path).collect()
    };
    found.into_iter().map(absolute).collect()
}

/// The module of a file: `src/apply/mod.rs` is `apply`.
fn module(path: &Path) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let path = path.strip_prefix(src).unwrap().with_extension("");
    let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod").collect()
}

/// The modules that import each other, directly or by way of others.
fn cycles(files: &[(Vec<String>, String)]) -> Vec<(String, String)> {
    let modules: BTreeSet<&Vec<String>> = files.iter().map(|(module, _)| module).collect();
    let mut edges = BTreeSet::new();
    for (module, code) in files {
        for path in imports(module, code) {
            let prefixes = (0..=path.len()).rev().map(|length| path[..length].to_vec());
            let target = prefixes.into_iter().find(|path| modules.contains(path));
            if let Some(target) = target.filter(|target| target != module) {
                edges.insert((module.join("::"), target.join("::")));
            }
        }
    }
    // What imports nothing that is left, or is imported by nothing that is left, is in no cycle.
    loop {
        let importing: BTreeSet<String> = edges.iter().map(|(from, _)| from.clone()).collect();
        let imported: BTreeSet<String> = edges.iter().map(|(_, to)| to.clone()).collect();
        let count = edges.len();
        edges.retain(|(from, to)| importing.contains(to) && imported.contains(from));
        if edges.len() == count {
            return edges.into_iter().collect();
        }
    }
}

#[test]
fn import_cycles_are_found() {
    let file = |module: &str, code: &str| {
        let module = module.split("::").map(str::to_owned).collect();
        (module, code.to_owned())
    };
    let edges = |files: &[(Vec<String>, String)]| cycles(files).len();
    let parent = file("a", "mod b;\nmod c;\nuse b::X;");
    let b = file("a::b", "use crate::{d::D, a::{c::{self, Y}}};");
    assert_eq!(edges(&[parent.clone(), b.clone(), file("a::c", "")]), 0);
    let back = file("a::c", "fn f() { super::b::g() }");
    assert_eq!(edges(&[parent.clone(), b.clone(), back]), 2);
    let around = file("a::c", "use super::Z;");
    assert_eq!(edges(&[parent, b, around]), 3);
}

/// Modules whose files do not import each other.
const WITHOUT_CYCLES: [&str; 4] = ["apply", "diagnostic", "rehearsal", "sandbox"];

#[test]
fn no_two_files_import_each_other() {
    for name in WITHOUT_CYCLES {
        let files = rooms().into_iter().filter(|(room, _, _)| room == name);
        let files: Vec<_> = files.map(|(_, path, code)| (module(&path), code)).collect();
        assert!(files.len() > 3, "{name}: {}", files.len());
        let cycles = cycles(&files);
        assert!(cycles.is_empty(), "{name}: {cycles:#?}");
    }
}
