//! What a user is told of a manifest: every fixture as it is seen, in both languages, and held against the schema.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use postpay::check::{Checked, Options, check};
use postpay::diagnostic::any_error;
use postpay::diagnostic::render::render;
use postpay::i18n::Lang;
use postpay::manifest;
use postpay::model::{Desired, Environment, Import, Lifecycle, Moved, Removed};
use serde::Deserialize as _;

use crate::support::Project;

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/fixtures").join(kind);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn load(project: &Path, file: PathBuf) -> manifest::Loaded {
    let typed = true;
    manifest::load(project, &[file], manifest::Bounds { project, typed }, None)
}

fn checked(path: &Path) -> Checked {
    let file = PathBuf::from(path.file_name().unwrap());
    let loaded = load(path.parent().unwrap(), file);
    // What a project may ask for beyond the rules that always hold is asked for in its own fixture.
    let require_alias = name(path) == "missing-alias";
    check(&loaded, Options { require_alias })
}

#[test]
fn every_invalid_fixture_is_told_of_as_it_was_approved() {
    for path in fixtures("invalid") {
        insta::assert_snapshot!(
            format!("invalid-{}", name(&path)),
            render(&checked(&path).diagnostics, false, Lang::En)
        );
    }
}

fn is_chinese(text: &str) -> bool {
    text.contains(|c| matches!(c, '\u{4e00}'..='\u{9fff}'))
}

/// Two words in a row that are no code.
fn has_english(text: &str) -> bool {
    let prose = text.split('`').step_by(2);
    prose
        .flat_map(|prose| prose.split(|c: char| !c.is_ascii_alphabetic() && c != ' '))
        .any(|words| words.split_whitespace().count() > 1)
}

/// What stands between backticks: names, values and commands, which are no words of a language.
fn code(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_sentence_on_every_fixture_has_its_chinese_which_names_the_same_things() {
    for path in fixtures("invalid") {
        for diagnostic in checked(&path).diagnostics {
            let labels = diagnostic.labels.iter().map(|label| &label.text);
            let said = [&diagnostic.message]
                .into_iter()
                .chain(labels)
                .chain(&diagnostic.help)
                // A label may say nothing. Nothing else is the same in both.
                .filter(|text| !text.is_empty());
            for text in said {
                let (en, zh) = (text.en(), text.in_lang(Lang::Zh));
                let at = format!("{} {}: {en} | {zh}", path.display(), diagnostic.code);
                assert!(is_chinese(zh), "no Chinese: {at}");
                // The words of the YAML library are its own.
                let is_whole = diagnostic.code == "yaml-syntax" || !has_english(zh);
                assert!(is_whole, "half English: {at}");
                assert!(
                    !en.contains(['，', '。', '：', '；', '？', '、', '（']),
                    "the other way round: {at}"
                );
                assert!(code(en).is_subset(&code(zh)), "names something else: {at}");
            }
        }
    }
}

#[test]
fn json_is_the_same_in_every_language() {
    let project = Project::of(&["one"]);
    let json = |lang| {
        let mut args = vec!["validate".to_owned(), "--format=json".to_owned(), format!("--lang={lang}")];
        args.extend(fixtures("invalid").iter().map(|path| format!("--file={}", path.display())));
        let ran = project.run(args).exits(1);
        (ran.code, ran.stdout)
    };
    assert_eq!(json("en"), json("zh"));
}

#[test]
fn a_screen_in_chinese_has_its_carets_below_wide_characters() {
    let folder = crate::support::folder();
    let text = "version: 1\ndefaults: {env_source: qcloud, channel: qq}\nenvironments:\n  shop: {env_alias: 商店（正式）, chanel: qq}\n  店铺: {alias: shop}\n  store: {env_alias: 商店, alias: shop, flag: 7}\n";
    fs::write(folder.path().join("m.yaml"), text).unwrap();
    let loaded = load(folder.path(), "m.yaml".into());
    let diagnostics = check(&loaded, Options::default()).diagnostics;
    insta::assert_snapshot!("screen-zh", render(&diagnostics, false, Lang::Zh));
}

#[test]
fn every_fixture_meets_the_code_that_it_is_named_after() {
    for path in fixtures("invalid") {
        let codes: Vec<_> = checked(&path).diagnostics.iter().map(|it| it.code).collect();
        assert!(codes.contains(&name(&path)), "{}: {codes:?}", path.display());
    }
}

/// The codes of the rules, which don't change.
const CODES: [&str; 39] = [
    "control-character",
    "duplicate-address",
    "duplicate-alias",
    "duplicate-env-id",
    "duplicate-ignore-changes",
    "empty-environments",
    "empty-manifest",
    "empty-value",
    "import-mismatch",
    "incomplete-move",
    "invalid-address",
    "invalid-alias",
    "invalid-channel",
    "invalid-env-source",
    "invalid-extra",
    "invalid-free-quota",
    "invalid-id",
    "invalid-ignore-changes",
    "invalid-kind",
    "long-alias",
    "misplaced-import",
    "missing-alias",
    "missing-env-id",
    "missing-env-source",
    "missing-version",
    "missing-wx-app-id",
    "moved-cycle",
    "moved-declared",
    "moved-to-itself",
    "moved-twice",
    "moved-undeclared",
    "removed-declared",
    "removed-moved",
    "removed-twice",
    "unknown-field",
    "unknown-source",
    "unpaired-env-source",
    "unsupported-version",
    "wrong-type",
];

#[test]
fn every_rule_has_a_fixture() {
    let fixtures = fixtures("invalid");
    let fixtures: BTreeSet<_> = fixtures.iter().map(|path| name(path)).collect();
    for code in CODES {
        assert!(fixtures.contains(code), "no fixture for {code}");
    }
}

#[test]
fn every_valid_fixture_becomes_what_was_approved() {
    for path in fixtures("valid") {
        let checked = checked(&path);
        assert_eq!(render(&checked.diagnostics, false, Lang::En), "", "{}", path.display());
        insta::assert_snapshot!(format!("valid-{}", name(&path)), show(&checked.desired));
    }
}

fn show(desired: &Desired) -> String {
    let Desired { environments, moved, removed, manifests: _ } = desired;
    let environments = environments.iter().map(show_environment);
    let moved =
        moved.iter().map(|Moved { from, to, source }| format!("moved from {from} to {to} ({source})"));
    let removed = removed.iter().map(|Removed { address, source }| format!("removed {address} ({source})"));
    let shown: Vec<String> = environments.chain(moved).chain(removed).collect();
    shown.join("\n")
}

fn show_environment(environment: &Environment) -> String {
    let Environment { address, attributes, lifecycle, import, source } = environment;
    let mut text = format!("{address} ({source})");
    for (field, value) in attributes.iter() {
        let _ = write!(text, "\n  {field}: {value}");
    }
    if *lifecycle != Lifecycle::default() {
        let _ = write!(text, "\n  {lifecycle:?}");
    }
    if let Some(Import { env_id, tran_id, source }) = import {
        let _ = write!(text, "\n  import {env_id} {tran_id:?} ({source})");
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
fn the_schema_takes_every_valid_fixture() {
    let schema = jsonschema::validator_for(&manifest::manifest_schema()).unwrap();
    for path in fixtures("valid") {
        for document in documents(&path).unwrap() {
            if let Err(error) = schema.validate(&document) {
                panic!("{}: {error}", path.display());
            }
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
        "wrong-type",
        "invalid-address",
        "empty-value",
        "invalid-free-quota",
        "invalid-env-source",
        "invalid-alias",
        "invalid-ignore-changes",
        "misplaced-import",
        "missing-env-id",
        "incomplete-move",
    ] {
        let path = fixtures("invalid").into_iter().find(|path| name(path) == of).unwrap();
        let documents = documents(&path).unwrap();
        assert!(documents.iter().any(|one| !schema.is_valid(one)), "{of}");
    }
}

/// What can be said of one value, the schema and the rules say alike.
#[test]
fn the_schema_and_the_rules_agree_on_what_is_to_become_of_an_environment() {
    let schema = jsonschema::validator_for(&manifest::manifest_schema()).unwrap();
    let environment = |text: &str| format!("environments: {{a: {{env_id: x, {text}}}}}");
    for (text, fine) in [
        (environment("lifecycle: {}"), true),
        (environment("lifecycle: null"), true),
        (environment("lifecycle: x"), false),
        (environment("lifecycle: {prevent_destroy: false}"), true),
        (environment("lifecycle: {prevent_destroy: 'true'}"), false),
        (environment("lifecycle: {prevent_destroy: null}"), false),
        (environment("lifecycle: {ignore_changes: []}"), true),
        (environment("lifecycle: {ignore_changes: [extra, alias, flag, source]}"), true),
        (environment("lifecycle: {ignore_changes: [flag, flag]}"), true),
        (environment("lifecycle: {ignore_changes: [env_id]}"), false),
        (environment("lifecycle: {ignore_changes: flag}"), false),
        (environment("lifecycle: {ignore_changes: null}"), false),
        (environment("lifecycle: {destroy: true}"), false),
        (environment("import: {env_id: x}"), true),
        (environment("import: {env_id: x, tran_id: null}"), true),
        (environment("import: {env_id: x, tran_id: '1'}"), true),
        (environment("import: {env_id: x, tran_id: 1}"), false),
        (environment("import: {env_id: x, tran_id: ''}"), false),
        (environment("import: {env_id: ''}"), false),
        (environment("import: {tran_id: '1'}"), false),
        (environment("import: {}"), false),
        (environment("import: null"), false),
        (environment("import: x"), false),
        (environment("import: {env_id: x, alias: a}"), false),
        ("defaults: {lifecycle: {prevent_destroy: true}}".to_owned(), true),
        ("defaults: {import: {env_id: x}}".to_owned(), false),
        ("moved: []".to_owned(), true),
        ("moved: null".to_owned(), true),
        ("moved: {a: b}".to_owned(), false),
        ("moved: [{from: a}]".to_owned(), false),
        ("moved: [{from: a, to: null}]".to_owned(), false),
        ("moved: [{from: a, to: B}]".to_owned(), false),
        ("moved: [{from: a, to: 1}]".to_owned(), false),
        ("environments: {b: {env_id: x}}\nmoved: [{from: a, to: b}]".to_owned(), true),
        ("environments: {b: {env_id: x}}\nmoved: [{from: a, to: b, as: c}]".to_owned(), false),
        ("removed: []".to_owned(), true),
        ("removed: [a, b-2, 3_c]".to_owned(), true),
        ("removed: a".to_owned(), false),
        ("removed: [A]".to_owned(), false),
        ("removed: [null]".to_owned(), false),
        ("removed: [{address: a}]".to_owned(), false),
    ] {
        let text = format!("version: 1\n{text}\n");
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(schema.is_valid(&value), fine, "schema: {text}");
        let folder = crate::support::folder();
        fs::write(folder.path().join("m.yaml"), &text).unwrap();
        let loaded = load(folder.path(), "m.yaml".into());
        let diagnostics = check(&loaded, Options::default()).diagnostics;
        assert_eq!(!any_error(&diagnostics), fine, "rules: {text}{diagnostics:?}");
    }
}

#[test]
fn the_schema_of_the_settings_agrees_with_what_is_read() {
    let schema = jsonschema::validator_for(&postpay::config::config_schema()).unwrap();
    for (text, fine) in [
        ("version: 1", true),
        ("version: 2", false),
        (
            "version: 1\nmanifests: [a, b]\nstate: s.json\napi: {endpoint: sandbox, rate: 0.5, in_flight: 32, timeout: 2m}",
            true,
        ),
        ("version: 1\napi: {endpoint: 'https://x.example:8443', timeout: 60, language: zh-CN}", true),
        ("version: 1\napi: {endpoint: 'https://x.example/path'}", false),
        ("version: 1\nstate: a/b.state.json", true),
        ("version: 1\napi: {rate: 0}", false),
        ("version: 1\napi: {rate: 101}", false),
        ("version: 1\napi: {in_flight: 33}", false),
        ("version: 1\napi: {timeout: soon}", false),
        ("version: 1\nguard: {allow_destroy: true}", true),
        ("version: 1\nguard: {allow_destroy: 1}", false),
        ("version: 1\nguard: {allow_destroy: false, allowed_accounts: [], max_creates: 3}", true),
        ("version: 1\nguard: {allowed_accounts: ['100000000001']}", true),
        ("version: 1\nguard: {allowed_accounts: ['one']}", false),
        ("version: 1\nguards: {}", false),
    ] {
        let value: serde_json::Value = serde_yaml::from_str(text).unwrap();
        assert_eq!(schema.is_valid(&value), fine, "schema: {text}");
        let source = postpay::diagnostic::SourceFile::new("postpay.yaml", text);
        let read = postpay::config::parse(&std::sync::Arc::new(source));
        assert_eq!(read.is_ok(), fine, "reader: {text}");
    }
}
