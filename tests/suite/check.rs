//! What a user is told of a manifest: every fixture as it is seen, and held against the schema.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use postpay::check::{Checked, Options, RULES, check};
use postpay::desired::Environment;
use postpay::diagnostic::render::render;
use postpay::manifest;
use serde::Deserialize as _;

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/suite/fixtures")
        .join(kind);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn checked(path: &Path) -> Checked {
    let file = PathBuf::from(path.file_name().unwrap());
    let loaded = manifest::load(path.parent().unwrap(), &[file], None);
    // What a project may ask for beyond the rules that always hold is asked for in its own fixture.
    let require_alias = name(path) == "missing-alias";
    check(&loaded, Options { require_alias })
}

#[test]
fn every_invalid_fixture_is_told_of_as_it_was_approved() {
    for path in fixtures("invalid") {
        insta::assert_snapshot!(
            format!("invalid-{}", name(&path)),
            render(&checked(&path).diagnostics, false)
        );
    }
}

#[test]
fn every_fixture_meets_the_code_that_it_is_named_after() {
    for path in fixtures("invalid") {
        let codes: Vec<_> = checked(&path)
            .diagnostics
            .iter()
            .map(|it| it.code)
            .collect();
        assert!(
            codes.contains(&name(&path)),
            "{}: {codes:?}",
            path.display()
        );
    }
}

#[test]
fn every_rule_has_a_fixture() {
    let fixtures = fixtures("invalid");
    let fixtures: BTreeSet<_> = fixtures.iter().map(|path| name(path)).collect();
    for rule in RULES {
        assert!(fixtures.contains(rule.code), "no fixture for {}", rule.code);
    }
    let codes: BTreeSet<_> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(codes.len(), RULES.len(), "two rules share a code");
}

#[test]
fn every_valid_fixture_becomes_what_was_approved() {
    for path in fixtures("valid") {
        let checked = checked(&path);
        assert_eq!(
            render(&checked.diagnostics, false),
            "",
            "{}",
            path.display()
        );
        let shown: Vec<_> = checked.desired.environments.iter().map(show).collect();
        insta::assert_snapshot!(format!("valid-{}", name(&path)), shown.join("\n"));
    }
}

fn show(environment: &Environment) -> String {
    let mut text = format!("{} ({})", environment.address, environment.source);
    for (field, value) in environment.attributes.iter() {
        let _ = write!(text, "\n  {field}: {value}");
    }
    text
}

/// The documents of a fixture as another reader of YAML sees them.
fn documents(path: &Path) -> Option<Vec<serde_json::Value>> {
    let text = fs::read_to_string(path).unwrap();
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text.trim_start_matches('\u{feff}')) {
        let mut value = serde_yaml::Value::deserialize(document).ok()?;
        value.apply_merge().ok()?;
        if !value.is_null() {
            documents.push(serde_json::to_value(value).ok()?);
        }
    }
    Some(documents)
}

#[test]
fn the_schema_takes_every_valid_fixture_and_so_do_the_types() {
    let schema = jsonschema::validator_for(&manifest::manifest_schema()).unwrap();
    for path in fixtures("valid") {
        for document in documents(&path).unwrap() {
            if let Err(error) = schema.validate(&document) {
                panic!("{}: {error}", path.display());
            }
            serde_json::from_value::<manifest::ManifestV1>(document).unwrap();
        }
    }
}

#[test]
fn the_schema_refuses_what_is_wrong_in_one_value() {
    let schema = jsonschema::validator_for(&manifest::manifest_schema()).unwrap();
    for of in [
        "missing-version",
        "unsupported-version",
        "unknown-field",
        "unsupported-field",
        "wrong-type",
        "invalid-address",
        "empty-value",
        "invalid-free-quota",
        "invalid-env-source",
        "invalid-alias",
    ] {
        let path = fixtures("invalid")
            .into_iter()
            .find(|path| name(path) == of)
            .unwrap();
        let documents = documents(&path).unwrap();
        assert!(documents.iter().any(|one| !schema.is_valid(one)), "{of}");
    }
}

#[test]
fn the_schema_of_the_settings_agrees_with_what_is_read() {
    let schema = jsonschema::validator_for(&postpay::config::config_schema()).unwrap();
    for (text, fine) in [
        ("version: 1", true),
        ("version: 2", false),
        (
            "version: 1\nmanifests: [a, b]\nstate: s\napi: {endpoint: sandbox, rate: 0.5, in_flight: 32, timeout: 2m}",
            true,
        ),
        (
            "version: 1\napi: {endpoint: 'https://x.example:8443', timeout: 60, language: zh-CN}",
            true,
        ),
        (
            "version: 1\napi: {endpoint: 'https://x.example/path'}",
            false,
        ),
        ("version: 1\napi: {rate: 0}", false),
        ("version: 1\napi: {rate: 101}", false),
        ("version: 1\napi: {in_flight: 33}", false),
        ("version: 1\napi: {timeout: soon}", false),
        ("version: 1\nguard: {allow_destroy: true}", true),
        ("version: 1\nguard: {allow_destroy: 1}", false),
        (
            "version: 1\nguard: {allow_destroy: false, allowed_accounts: [], max_creates: 3}",
            true,
        ),
        ("version: 1\nguard: {allowed_accounts: ['1']}", false),
        ("version: 1\nguards: {}", false),
    ] {
        let value: serde_json::Value = serde_yaml::from_str(text).unwrap();
        assert_eq!(schema.is_valid(&value), fine, "schema: {text}");
        let source = postpay::diagnostic::SourceFile::new("postpay.yaml", text);
        let read = postpay::config::parse(&std::sync::Arc::new(source));
        assert_eq!(read.is_ok(), fine, "reader: {text}");
    }
}
