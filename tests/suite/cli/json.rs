//! What every command prints as JSON fits the schema that is published for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use postpay::report::schemas::PUBLISHED;
use serde_json::Value;

use crate::support::{MANIFEST, Project};

fn fits(kind: &str, document: &Value) {
    let path = format!("schemas/{kind}.v1.schema.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{kind}: {problems:#?}\n{document:#}");
}

#[test]
fn every_document_fits_its_schema() {
    let project = Project::ordered(&["one", "two"]);
    project.run(["apply", "-y", "--replace", "one"]).exits(0);
    project.declare(&["one", "two", "lost"]);
    let lost = ["apply", "-y", "--format", "json", "--fault", "reset-before@1"];
    let mut printed = vec![("apply", project.run(lost).exits(4))];
    project.write("bill.csv", "订单ID,费用\n20200101000001,1.00\n");
    let cases: &[(&str, &[&str], i32)] = &[
        ("plan", &["plan"], 0),
        ("validate", &["validate"], 0),
        ("whoami", &["whoami"], 0),
        ("resolve", &["resolve"], 4),
        ("generate", &["generate"], 0),
        ("drift", &["drift"], 2),
        ("fmt", &["fmt", "--check", "--diff"], 2),
        ("rehearse", &["rehearse", "--fault", "reset-after@1"], 0),
        ("history", &["history", "--all"], 0),
        ("history-verify", &["history", "verify"], 0),
        ("history-reconcile", &["history", "reconcile", "bill.csv", "--column", "订单ID"], 2),
        ("lock-status", &["lock", "status"], 0),
        ("state-list", &["state", "list"], 0),
        ("state-show", &["state", "show", "one"], 0),
        ("state-verify", &["state", "verify"], 0),
        ("state-restore", &["state", "restore", "--dry-run"], 0),
        ("state-edit", &["state", "mv", "two", "three", "--dry-run"], 0),
        ("state", &["state", "pull"], 0),
    ];
    for (kind, args, exit) in cases {
        let ran = project.run(args.iter().chain(&["--format", "json"]));
        printed.push((kind, ran.exits(*exit)));
    }
    let mut seen = BTreeSet::new();
    for (kind, ran) in &printed {
        fits(kind, &ran.json());
        seen.insert(*kind);
    }
    let args = ["plan", "-f", "nowhere", "--report", "failure.json"];
    project.run(args).exits(1);
    fits("failure", &project.json("failure.json"));
    seen.insert("failure");
    let missing: Vec<&str> =
        PUBLISHED.iter().map(|(kind, ..)| *kind).filter(|kind| !seen.contains(kind)).collect();
    assert_eq!(missing, [""; 0], "every published document is printed here");
}

#[test]
fn every_event_of_a_run_fits_its_schema_and_has_terraforms_type() {
    let project = Project::ordered(&["one", "two", "three"]);
    project.declare(&["one", "new", "gone-wrong"]);
    project.edit(MANIFEST, "alias: one", "alias: uno");
    let ran = project
        .run([
            "apply",
            "-y",
            "--json",
            "--allow-destroy",
            "--in-flight",
            "1",
            "--on-error",
            "continue",
            "--fault",
            "throttle@1,error:InvalidParameter@3",
        ])
        .exits(3);
    let mut types = BTreeSet::new();
    for line in ran.stdout.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        fits("events", &event);
        types.insert(event["type"].as_str().unwrap().to_owned());
    }
    // What is refused is told as a diagnostic, on standard output too.
    project.edit(MANIFEST, "channel: qc_console", "channel: cocos");
    let refused = project.run(["apply", "-y", "--json"]).exits(1);
    assert_eq!(refused.stderr, "");
    for line in refused.stdout.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        fits("events", &event);
        types.insert(event["type"].as_str().unwrap().to_owned());
    }
    let all = [
        "apply_complete",
        "apply_errored",
        "apply_progress",
        "apply_start",
        "change_summary",
        "diagnostic",
        "planned_change",
        "version",
    ];
    assert_eq!(types, all.map(str::to_owned).into());
}
