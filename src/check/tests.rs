//! What [`check`](super::check) promises beyond single rules, which fixtures hold to.

mod life;

use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::SourceFile;
use crate::kinds::postpay;
use crate::manifest::{File, parse};
use crate::model::ManifestHash;

fn loaded(files: &[(&str, &str)]) -> Loaded {
    let mut loaded = Loaded::default();
    for (path, text) in files {
        let source = Arc::new(SourceFile::new(*path, *text));
        let parsed = parse(&source);
        loaded.diagnostics.extend(parsed.diagnostics);
        loaded.files.push(File {
            source,
            hash: ManifestHash { path: PathBuf::from(path), sha256: String::new() },
            documents: parsed.documents,
            complete: parsed.complete,
        });
    }
    loaded
}

fn one(text: &str) -> Checked {
    let checked = check(&loaded(&[("m.yaml", text)]), Options::default());
    crate::diagnostic::assert_chinese(&checked.diagnostics);
    checked
}

fn places(checked: &Checked) -> Vec<String> {
    checked
        .diagnostics
        .iter()
        .map(|diagnostic| match diagnostic.labels.first() {
            Some(label) => format!("{} {}", diagnostic.code, label.span),
            None => diagnostic.code.to_owned(),
        })
        .collect()
}

#[test]
fn the_second_place_of_what_an_alias_repeats_is_where_the_alias_stands() {
    for body in [
        "a: &a {env_id: x-1}\n  b: *a\n",
        "a: {env_id: &x x-1}\n  b: {env_id: *x}\n",
        "a: {import: &i {env_id: x-1}}\n  b: {import: *i}\n",
    ] {
        let checked = one(&format!("version: 1\nenvironments:\n  {body}"));
        assert_eq!(places(&checked), ["duplicate-env-id m.yaml:4:3"], "{body}");
        assert_eq!(checked.diagnostics[0].labels[2].span.start().line, 3);
    }
    let checked =
        one("version: 1\nenvironments:\n  a: &a {alias: a, env_source: qcloud, channel: qq}\n  b: *a\n");
    assert_eq!(places(&checked), ["duplicate-alias m.yaml:4:3"]);
}

#[test]
fn an_env_id_without_a_value_creates_nothing() {
    let checked = one(&format!("{HEAD}  a: {{env_id: }}\n"));
    assert_eq!(places(&checked), ["empty-value m.yaml:4:13"]);
}

#[test]
fn no_more_problems_are_kept_than_memory_is_for() {
    let all = (0..60_000).map(|n| format!("  e{n}: {{}}\n")).collect::<Vec<_>>().concat();
    let checked = one(&format!("version: 1\nenvironments:\n{all}"));
    assert_eq!(checked.diagnostics.len(), MAX_PROBLEMS);
    let is_rest = |it: &&Diagnostic| it.code == "more-problems" && it.is_error();
    assert_eq!(checked.diagnostics.iter().filter(is_rest).count(), 1);
}

const HEAD: &str = "version: 1\ndefaults: {env_source: qcloud, channel: qq}\nenvironments:\n";

fn extra(text: &str) -> Option<String> {
    let checked = one(&format!("{HEAD}  a:\n    extra: {text}\n"));
    assert_eq!(places(&checked), [""; 0]);
    checked.desired.environments[0].attributes.text(postpay::EXTRA).map(str::to_owned)
}

#[test]
fn defaults_are_merged_under_and_null_takes_one_away() {
    let checked = one(&format!(
        "{HEAD}  a: {{channel: cocos, alias: a}}\n  b:\n  c: {{env_id: x, env_source: null, channel: ~, free_quota: ''}}\n"
    ));
    assert_eq!(places(&checked), [""; 0]);
    let shown: Vec<String> = checked
        .desired
        .environments
        .iter()
        .map(|environment| {
            let fields: Vec<String> =
                environment.attributes.iter().map(|(field, text)| format!("{field}={text}")).collect();
            format!("{} {} {}", environment.source, environment.address, fields.join(" "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "m.yaml:4 a env_source=qcloud channel=cocos alias=a",
            "m.yaml:5 b env_source=qcloud channel=qq",
            "m.yaml:6 c env_id=x",
        ]
    );
}

#[test]
fn defaults_hold_for_their_document_alone() {
    let checked = one(&format!("{HEAD}  a:\n---\nversion: 1\nenvironments:\n  b:\n"));
    assert_eq!(places(&checked), ["missing-env-source m.yaml:8:3"]);
}

#[test]
fn an_extra_mapping_is_compact_json_with_sorted_keys() {
    assert_eq!(
        extra("{z: [1, 2.5, ~, 环境], a: {y: true, b: 0x1F}, \"q\\\"\": -3}").as_deref(),
        Some(r#"{"a":{"b":31,"y":true},"q\"":-3,"z":[1,2.5,null,"环境"]}"#)
    );
    assert_eq!(extra("{}").as_deref(), Some("{}"));
    assert_eq!(extra("'{\"b\": 1}'").as_deref(), Some("{\"b\": 1}"));
    assert_eq!(extra("null"), None);
}

#[test]
fn merge_keys_come_after_own_keys_and_earlier_sources_win() {
    let checked = one(
        "version: 1\ndefaults:\n  extra: {a: &a {env_source: qcloud, channel: qq, flag: A}, b: &b {flag: B, free_quota: basic}}\nenvironments:\n  x: {<<: [*a, *b], channel: cocos, extra: null}\n",
    );
    assert_eq!(places(&checked), [""; 0]);
    let fields: Vec<_> = checked.desired.environments[0].attributes.iter().collect();
    let fields: Vec<_> = fields.into_iter().map(|(field, value)| (field, value.as_text().unwrap())).collect();
    assert_eq!(
        fields,
        [
            (postpay::FREE_QUOTA, "basic"),
            (postpay::ENV_SOURCE, "qcloud"),
            (postpay::CHANNEL, "cocos"),
            (postpay::FLAG, "A"),
        ]
    );
}

#[test]
fn problems_come_by_file_then_by_place() {
    let checked = check(
        &loaded(&[
            ("z.yaml", "version: 1\nenvironments:\n  B: {nope: 1}\n"),
            ("a.yaml", "version: 1\nenvironments: {b: {alias: 1}}\n"),
        ]),
        Options::default(),
    );
    assert_eq!(
        places(&checked),
        [
            "invalid-address z.yaml:3:3",
            "missing-env-source z.yaml:3:3",
            "unknown-field z.yaml:3:7",
            "missing-env-source a.yaml:2:16",
            "wrong-type a.yaml:2:27",
        ]
    );
    assert!(checked.desired.environments.is_empty());
    assert_eq!(checked.desired.manifests.len(), 2);
}

#[test]
fn an_alias_is_required_only_when_the_project_says_so() {
    let loaded = loaded(&[(
        "m.yaml",
        "version: 1\ndefaults: {env_source: qcloud, channel: qq}\nenvironments: {a: , b: {alias: b}, c: {env_id: c}}\n",
    )]);
    let plain = check(&loaded, Options::default());
    assert_eq!(places(&plain), [""; 0]);
    let strict = check(&loaded, Options { require_alias: true });
    assert_eq!(places(&strict), ["missing-alias m.yaml:3:16"]);
}

#[test]
fn no_alias_is_required_of_what_is_not_created() {
    let loaded = loaded(&[(
        "m.yaml",
        "version: 1\ndefaults: {env_source: qcloud, channel: qq}\nenvironments: {a: , b: , c: {import: {env_id: c}}, d: }\nmoved: [{from: old, to: b}, {from: other, to: d}]\n",
    )]);
    let recorded = [Address::new("a").unwrap(), Address::new("old").unwrap()];
    let require_alias = true;
    let checked = check_beside(&loaded, Options { require_alias }, &recorded.iter().collect());
    assert_eq!(places(&checked), ["missing-alias m.yaml:3:52"]);
}

#[test]
fn a_problem_in_defaults_or_behind_an_anchor_is_told_once() {
    let checked = one(
        "version: 1\ndefaults: &d {env_source: qcloud, channel: ide, flag: 1}\nenvironments: {a: , b: {<<: *d}, c: *d}\n",
    );
    assert_eq!(places(&checked), ["invalid-channel m.yaml:2:44", "wrong-type m.yaml:2:55"]);
}

#[test]
fn x_keys_hold_anchors_and_are_otherwise_ignored() {
    let checked = one(
        "version: 1\nx-console: &c {env_source: qcloud, channel: qc_console, nope: [1]}\nx: 1\nenvironments: {a: {<<: *c, nope: , alias: a}}\n",
    );
    assert_eq!(places(&checked), ["unknown-field m.yaml:3:1", "unknown-field m.yaml:4:28"]);
    assert_eq!(places(&one("version: 1\nx-console: {alias: 1}\n")), ["empty-environments m.yaml:1:1"]);
}

proptest! {

    #[test]
    fn no_manifest_makes_it_panic(
        body in "((env_id|alias|channel|extra|source|env_source|free_quota|import|lifecycle|nope|<<|环境): ?('?(a|miniapp|qq|)'?|1|~|\\[a\\]|\\{a: 1\\}|\\{(env_id|tran_id): a\\}|\\{prevent_destroy: true, ignore_changes: \\[flag, 1\\]\\}|\"\\\\u202e\")\n    ){0,6}",
        top in "(version: 1\n|defaults: (&d )?(\\{flag: x\\}|\\{import: \\{\\}\\}|a|)\n|moved: (1|\\[(&m )?\\{from: (a|1), to: (shop|a|b)\\}, (\\*m|\\{from: b\\})\\])\n|removed: \\[(shop|a|1)?\\]\n|---\n|x\n){0,4}"
    ) {
        let text = format!("{top}environments:\n  shop:\n    {body}\n");
        let checked = one(&text);
        crate::diagnostic::render::render(&checked.diagnostics, true, crate::i18n::Lang::En);
        if any_error(&checked.diagnostics) {
            prop_assert!(checked.desired.environments.is_empty());
            prop_assert!(checked.desired.moved.is_empty());
            prop_assert!(checked.desired.removed.is_empty());
        }
    }
}
