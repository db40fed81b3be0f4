//! Every example works as it stands.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;

use crate::support::{Project, assert_shown, at_once};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn examples() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(repository().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    names
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The examples with the folders that they expect around them.
fn checkout() -> Project {
    let project = Project::empty();
    for folder in ["examples", "schemas"] {
        copy(&repository().join(folder), &project.file(folder));
    }
    project
}

#[test]
fn every_example_is_validated_planned_and_applied() {
    let project = checkout();
    at_once(examples(), |name| {
        let dir = format!("examples/{name}");
        let run = |args: &[&str]| {
            let args = ["-C", &dir].into_iter().chain(args.iter().copied());
            project.run(args).exits(0)
        };
        let valid = run(&["validate"]);
        assert_eq!(valid.stderr, "", "an example has no warnings");
        if let Some(commands) = commands(&project, &dir) {
            let shown = commands.iter().map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                match words.as_slice() {
                    ["postpay", arguments @ ..] => run(arguments).to_string(),
                    ["cp", from, to] => {
                        let text = project.read(&format!("{dir}/{from}"));
                        project.write(&format!("{dir}/{to}"), text);
                        format!("$ {line}\n")
                    }
                    _ => panic!("`{line}` can't be typed here"),
                }
            });
            assert_shown!(format!("example-{name}"), shown.collect::<Vec<_>>().join("\n"));
            return;
        }
        assert_shown!(format!("example-{name}-plan"), run(&["plan"]));
        let orders = run(&["plan", "--format", "json"]).json()["summary"]["orders"].clone();
        run(&["apply", "-y"]);
        let ledger = project.ledger_at(&format!("state/{name}.sandbox.jsonl"));
        assert_eq!(ledger.iter().filter(|entry| entry.acted).count(), orders);
        assert_eq!(ledger.iter().filter(|entry| entry.reached).count(), orders);
        run(&["plan", "--detailed-exitcode"]).says(&["No changes."]);
    });
}

/// What an example's own page says to type.
fn commands(project: &Project, dir: &str) -> Option<Vec<String>> {
    let page = format!("{dir}/README.md");
    let text = project.exists(&page).then(|| project.read(&page))?;
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
    Some(lines.map(str::to_owned).collect())
}

fn yaml(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What a pipeline reads has a shape of its own, which `ci` looks at.
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            yaml(&path, found);
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_of_an_example_fits_the_schema_that_it_names() {
    let mut files = Vec::new();
    yaml(&repository().join("examples"), &mut files);
    assert!(files.len() >= 8);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let (_, schema) = text
            .lines()
            .next()
            .and_then(|line| line.split_once("# yaml-language-server: $schema="))
            .unwrap_or_else(|| panic!("{} names no schema", path.display()));
        let schema = fs::read_to_string(path.parent().unwrap().join(schema)).unwrap();
        let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let mut value = serde_yaml::Value::deserialize(document).unwrap();
            value.apply_merge().unwrap();
            let value = serde_json::to_value(value).unwrap();
            if let Err(error) = schema.validate(&value) {
                panic!("{}: {error}", path.display());
            }
        }
    }
}
