//! The pages: every link leads to a file, every command and flag exists, and every claim about security names its tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Project;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page in Markdown, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut found: Vec<PathBuf> = files(&root().join("docs"), "md");
    found.extend(files(&root().join("examples"), "md"));
    found.extend(["README.md", "README.zh-CN.md", "SECURITY.md"].map(|name| root().join(name)));
    found.push(root().join("CHANGELOG.md"));
    found.extend(Some(root().join("CONTRIBUTING.md")).filter(|page| page.exists()));
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The files below a folder that have this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

/// The targets of a page's links to other files.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
}

/// The commands that a page shows, in fences and between backticks, without `postpay`.
fn commands(page: &str) -> Vec<String> {
    let page = page.replace("cargo run -- ", "postpay ");
    let mut commands = Vec::new();
    for (at, part) in page.split("```").enumerate() {
        let code: Vec<&str> =
            if at % 2 == 1 { part.lines().collect() } else { part.split('`').skip(1).step_by(2).collect() };
        for command in code.into_iter().flat_map(|line| line.trim_start_matches("$ ").split(" && ")) {
            let command = command.strip_prefix("postpay ").and_then(|rest| rest.split(" #").next());
            commands.extend(command.map(|command| command.trim().to_owned()));
        }
    }
    commands
}

/// What is wrong with a command: a subcommand or a flag that there is not.
fn unknown(project: &Project, command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let (mut path, mut rest) = (Vec::new(), words.as_slice());
    loop {
        let ran = project.run(path.iter().copied().chain(["--help"]));
        if ran.code != Some(0) {
            return Some(format!("no command `{}`", path.join(" ")));
        }
        let [word, others @ ..] = rest else {
            return None;
        };
        let is_group = ran.stdout.contains("\nCommands:\n");
        if is_group && word.starts_with(|c: char| c.is_ascii_lowercase()) {
            path.push(*word);
            rest = others;
            continue;
        }
        let flags = rest.iter().filter(|word| word.starts_with("--"));
        let mut names = flags.map(|flag| flag.split('=').next().unwrap());
        let is_known = |flag: &str| ran.stdout.split([' ', '\n', '[', ',', '=']).any(|word| word == flag);
        return names.find(|flag| !is_known(flag)).map(|flag| format!("no flag `{flag}`"));
    }
}

#[test]
fn links_of_the_pages_lead_to_files() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, page) in pages() {
        for link in links(&page) {
            seen += 1;
            if !path.parent().unwrap().join(link.split('#').next().unwrap()).exists() {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 20, "{seen}");
}

#[test]
fn commands_of_the_pages_exist() {
    let project = Project::empty();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, page) in pages() {
        for command in commands(&page) {
            if seen.insert(command.clone()) {
                let why = unknown(&project, &command);
                wrong.extend(why.map(|why| format!("{}: postpay {command}: {why}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn commands_are_found_in_fences_and_text() {
    let page = "`postpay a` and `b`\n```sh\ncargo run -- c -C d   # e\npostpay f && cd g\n```\n```console\n$ postpay h\n```";
    assert_eq!(commands(page), ["a", "c -C d", "f", "h"]);
    let project = Project::empty();
    assert_eq!(unknown(&project, "state list"), None);
    assert!(unknown(&project, "state lost").is_some());
    assert!(unknown(&project, "plan --lost").is_some());
}

#[test]
fn policies_name_the_actions_that_the_code_calls() {
    let is_action = |name: &&str| {
        name.len() > 3
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphabetic())
    };
    let page = fs::read_to_string(root().join("docs/cam-policies.md")).unwrap();
    let quoted = page.split(['`', '"']).filter_map(|part| part.split_once(':'));
    let named: BTreeSet<&str> = quoted
        .filter(|(service, _)| ["tcb", "tcbr", "sts"].contains(service))
        .map(|(_, name)| name)
        .collect();
    let wire = files(&root().join("src/cloud/tencent/wire"), "rs");
    let wire: String = wire.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let constants =
        wire.split("pub const ").filter_map(|rest| rest.split_once(": &str = \"")?.1.split('"').next());
    let kinds = files(&root().join("src/kinds"), "rs").into_iter().filter(|path| !path.ends_with("tests.rs"));
    let kinds: String = kinds.map(|path| fs::read_to_string(path).unwrap()).collect();
    let after = |start| kinds.split(start).skip(1).filter_map(|rest: &str| rest.split('"').next());
    let of_kinds = after("action: \"").chain(after("look: Some(\""));
    let called: BTreeSet<&str> = constants.chain(of_kinds).filter(is_action).collect();
    assert_eq!(named, called);
}

/// The names of the functions that run as tests: marked as one, and not ignored.
fn tests_in(source: &str) -> BTreeSet<&str> {
    let mut marked = false;
    let mut ignored = false;
    let mut tests = BTreeSet::new();
    for line in source.lines().map(str::trim) {
        match line {
            "#[test]" => marked = true,
            _ if line.starts_with("#[tokio::test") => marked = true,
            // Other attributes and comments may be in between.
            _ if line.starts_with("#[") => ignored |= line.contains("ignore"),
            _ if line.starts_with("//") => {}
            _ => {
                let name = line.trim_start_matches("async ").strip_prefix("fn ");
                let name = name.and_then(|rest| rest.split_once('(')).map(|(name, _)| name);
                tests.extend(name.filter(|_| marked && !ignored));
                (marked, ignored) = (false, false);
            }
        }
    }
    tests
}

#[test]
fn ignored_tests_and_other_functions_hold_no_claim() {
    let source = "\
#[test]
fn one() {}
fn helper() {}
#[test]
#[ignore = \"slow\"]
fn ignored() {}
#[cfg(unix)]
#[tokio::test(start_paused = true)]
/// A comment.
async fn two() {}
// fn commented() {}
";
    let tests: Vec<&str> = tests_in(source).into_iter().collect();
    assert_eq!(tests, ["one", "two"]);
}

#[test]
fn claims_about_security_name_tests_that_run() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let sources = [files(&root().join("src"), "rs"), files(&root().join("tests/suite"), "rs")].concat();
    let sources: String = sources.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let run = tests_in(&sources);
    let mut claims = 0;
    for section in page.split("\n#").filter(|section| !section.starts_with("# What is assumed\n")) {
        let section = section.split("\n\n").filter(|block| block.starts_with("- "));
        for claim in section.flat_map(|list| list.split("\n- ")) {
            let (_, tests) = claim.split_once("\n  Tests: ").unwrap_or_else(|| panic!("no test: {claim}"));
            for name in tests.split('`').skip(1).step_by(2) {
                assert!(run.contains(name), "no test `{name}` runs: {claim}");
            }
            assert!(tests.contains('`'), "no test: {claim}");
            claims += 1;
        }
    }
    assert!(claims > 30, "{claims}");
}
