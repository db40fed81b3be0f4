//! Which module may import which, and what stays out of the modules below the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module, and the modules that its code may import.
const ALLOWED: &[(&str, &[&str])] = &[
    ("apply", &["i18n", "plan", "cloud", "state", "clock", "model", "kinds", "crash"]),
    ("check", &["i18n", "sanitize", "manifest", "model", "kinds", "diagnostic"]),
    ("clock", &[]),
    ("i18n", &[]),
    ("sanitize", &[]),
    ("cloud", &["i18n", "sanitize", "model", "clock", "files"]),
    ("config", &["i18n", "sanitize", "manifest", "check", "cloud", "model", "diagnostic", "drift"]),
    ("crash", &[]),
    ("kinds", &["i18n", "model"]),
    ("model", &["i18n", "kinds"]),
    ("diagnostic", &["i18n", "sanitize"]),
    ("drift", &["i18n", "cloud", "model", "plan", "state"]),
    ("files", &["i18n"]),
    ("generate", &["i18n", "sanitize", "apply", "cloud", "model", "kinds", "state"]),
    ("manifest", &["i18n", "model", "kinds", "diagnostic", "files"]),
    ("plan", &["i18n", "model", "state"]),
    ("rehearsal", &["i18n", "sandbox", "state", "model", "cloud"]),
    (
        "report",
        &[
            "i18n",
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
    ("sandbox", &["i18n", "cloud", "crash", "files"]),
    ("state", &["i18n", "model", "crash", "files"]),
];

/// What belongs to the command line, and no module below it may name.
const COMMAND_LINE: &[&str] =
    &["clap", "std::env", "env::var", "println!", "print!", "eprintln!", "eprint!", "process::exit"];

/// The source files by module path (`apply::pace`), without comments and unit tests.
pub(crate) fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, path: &str, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_stem().unwrap().to_str().unwrap();
            let module = match (path, name) {
                (_, "mod") => path.to_owned(),
                ("", _) => name.to_owned(),
                _ => format!("{path}::{name}"),
            };
            if file.is_dir() {
                walk(&file, &module, found);
            } else if file.extension().is_some_and(|ending| ending == "rs") {
                found.insert(module, without_tests(&fs::read_to_string(&file).unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    found.retain(|module, _| !module.split("::").any(|name| ["tests", "arbitrary"].contains(&name)));
    for not_a_module in ["main", "lib", "build"] {
        found.remove(not_a_module).unwrap();
    }
    found
}

fn top(module: &str) -> &str {
    module.split("::").next().unwrap()
}

/// The modules below the command line.
fn library() -> impl Iterator<Item = (String, String)> {
    sources().into_iter().filter(|(module, _)| top(module) != "cli")
}

/// Drops comments, and items that are compiled for tests alone.
fn without_tests(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if !["#[cfg(test)]", "#[cfg(all(test"].iter().any(|test| line.trim_start().starts_with(test)) {
            kept.push(line);
            continue;
        }
        // The item that follows ends on its own line, or where a brace closes at its indentation.
        let item = lines.find(|line| !line.trim_start().starts_with('#'));
        if item.is_some_and(|item| !item.ends_with([';', ',', '}'])) {
            let _end = lines.find(|end| indent(end) == indent(line) && end.trim_start().starts_with('}'));
        }
    }
    kept.join("\n")
}

/// The paths of a use tree: `a::{b, c::{self, D}}` is `a::b`, `a::c::self` and `a::c::D`.
fn expand(tree: &str) -> Vec<String> {
    let Some((prefix, list)) = tree.split_once('{') else {
        return tree.split_whitespace().next().map(str::to_owned).into_iter().collect();
    };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let mut depth = 0;
    let items = list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    items.flat_map(expand).map(|item| format!("{}{item}", prefix.trim())).collect()
}

/// The path or use tree at the beginning of `code`.
fn leading_tree(code: &str) -> &str {
    let end = code.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(code.len());
    if !(code[..end].ends_with("::") && code[end..].starts_with('{')) {
        return &code[..end];
    }
    let mut depth = 0;
    let close = code.find(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == '}' && depth == 0
    });
    &code[..close.map_or(code.len(), |close| close + 1)]
}

/// What a file names: by `crate::…` and `super::…`, and its own submodules by their names, each as a path from the root.
fn imports(module: &str, code: &str) -> Vec<String> {
    let submodules: BTreeSet<&str> =
        code.lines().filter_map(|line| line.rsplit_once("mod ")?.1.strip_suffix(';')).collect();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let before = code[..at].trim_end_matches(is_name);
        let first = &code[before.len()..at];
        let is_ours = ["crate", "super"].contains(&first) || submodules.contains(first);
        if before.ends_with("::") || before.ends_with("pub(in ") || !is_ours {
            continue;
        }
        for path in expand(leading_tree(&code[before.len()..])) {
            let names = path.split("::").filter(|name| !["crate", "super", ""].contains(name));
            let supers = path.split("::").take_while(|name| *name == "super").count();
            let mut base: Vec<&str> =
                if first == "crate" { Vec::new() } else { module.split("::").collect() };
            base.truncate(base.len() - supers);
            found.push(base.into_iter().chain(names).collect::<Vec<_>>().join("::"));
        }
    }
    found
}

/// The imports that are part of a cycle, as (from, to).
fn cycles(files: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut edges = BTreeSet::new();
    for (module, code) in files {
        for path in imports(module, code) {
            // A path leads to the innermost file on it.
            let mut target = path.as_str();
            while !files.contains_key(target)
                && let Some((parent, _)) = target.rsplit_once("::")
            {
                target = parent;
            }
            if files.contains_key(target) && target != module {
                edges.insert((module.clone(), target.to_owned()));
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
fn code_that_follows_test_code_is_read() {
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
    assert_eq!(without_tests(text), "use a;\nstruct S {\n    a: u8,\n}\nuse e;");
}

#[test]
fn import_cycles_are_found() {
    let edges = |files: &[(&str, &str)]| {
        cycles(&files.iter().map(|(module, code)| ((*module).to_owned(), (*code).to_owned())).collect()).len()
    };
    let parent = ("a", "mod b;\nmod c;\nuse b::X;");
    let b = ("a::b", "use crate::{d::D, a::{c::{self, Y}}};");
    assert_eq!(edges(&[parent, b, ("a::c", "")]), 0);
    assert_eq!(edges(&[parent, b, ("a::c", "fn f() { super::b::g() }")]), 2);
    assert_eq!(edges(&[parent, b, ("a::c", "use super::Z;")]), 3);
}

#[test]
fn no_two_files_import_each_other() {
    let cycles = cycles(&sources());
    assert!(cycles.is_empty(), "{cycles:#?}");
}

#[test]
fn modules_import_only_what_they_may() {
    let mut broken = Vec::new();
    for (module, code) in library() {
        let own = top(&module);
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(name, _)| *name == own)
            .unwrap_or_else(|| panic!("`{own}` has no row in ALLOWED"));
        for path in imports(&module, &code) {
            let other = top(&path);
            if other != own && !allowed.contains(&other) {
                broken.push(format!("{module} imports {path}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// No command that only looks can create, change or record: neither the comparison nor the commands around it name anything
/// that could, and they know the account as a reader.
#[test]
fn drift_has_no_way_to_write() {
    const WRITERS: [&str; 9] = [
        "CloudWrite",
        "TencentClient",
        ".open(",
        "Store",
        "Writer",
        "Journal",
        "fs::",
        "crate::apply",
        "super::edit",
    ];
    for (module, mut code) in sources() {
        if top(&module) != "drift" && !["cli::drift", "cli::live"].contains(&module.as_str()) {
            continue;
        }
        if module == "cli::live" {
            let (rest, reader) = code.split_once("async fn reader(").unwrap();
            assert!(reader.contains("(impl CloudRead, Option<Sandbox>)"));
            code = rest.to_owned();
        }
        for word in WRITERS {
            assert!(!code.contains(word), "{module} holds `{word}`");
        }
    }
}

#[test]
fn the_plan_command_has_no_way_to_create() {
    let code = &sources()["cli::plan"];
    for word in ["CloudWrite", "TencentClient", "Connection", "apply::run"] {
        assert!(!code.contains(word), "`{word}`");
    }
}

#[test]
fn the_sandbox_knows_the_wire_format_and_nothing_else_of_the_cloud() {
    for (module, code) in library().filter(|(module, _)| top(module) == "sandbox") {
        for path in imports(&module, &code) {
            let is_wire =
                ["cloud::tencent::sign", "cloud::tencent::wire"].iter().any(|it| path.starts_with(it));
            assert!(is_wire || top(&path) != "cloud", "{module} imports {path}");
        }
    }
}

#[test]
fn below_the_command_line_nothing_prints_exits_or_reads_the_environment() {
    for (module, code) in library() {
        for word in COMMAND_LINE {
            assert!(!code.contains(word), "{module} holds `{word}`");
        }
    }
}
