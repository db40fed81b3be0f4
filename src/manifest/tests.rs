//! What [`parse`](super::parse) promises: exact positions, and no panic on any text.

use std::fmt::Write as _;

use super::*;
use proptest::prelude::*;

fn read_text(text: &str) -> Parsed {
    parse(&Arc::new(SourceFile::new("m.yaml", text)))
}

fn codes(text: &str) -> Vec<String> {
    let problems = read_text(text).diagnostics;
    crate::diagnostic::assert_chinese(&problems);
    problems.iter().map(|problem| format!("{} {}", problem.code, problem.labels[0].span)).collect()
}

/// Returns every scalar as `text@place=bytes`.
fn scalars(node: Node<'_>, found: &mut Vec<String>) {
    let mut say = |text: &str| {
        found.push(format!(
            "{text}@{}={}",
            node.span().to_string().trim_start_matches("m.yaml:"),
            node.span().text()
        ));
    };
    match node.value() {
        Value::Null => say("null"),
        Value::Bool(truth) => say(&truth.to_string()),
        Value::Number(text) | Value::Text(text) => say(text),
        Value::Sequence(items) => items.iter().for_each(|item| scalars(item, found)),
        Value::Mapping(members) => {
            for entry in members.iter() {
                scalars(entry.key, found);
                scalars(entry.value, found);
            }
        }
    }
}

#[test]
fn conflict_markers_are_reported_at_their_lines() {
    let text = "version: 1\r\nenvironments:\r\n<<<<<<< HEAD\r\n  a: {env_id: x}\r\n=======\r\n>>>>>>> b\r\n";
    assert_eq!(codes(text), ["merge-conflict m.yaml:3:1"]);
    assert_eq!(codes("a: 1\n=======\n"), ["merge-conflict m.yaml:2:1"]);
    assert_eq!(codes("a: 1\n>>>>>>> theirs\n"), ["merge-conflict m.yaml:2:1"]);
    assert_eq!(codes("a: |\n  <<<<<<< here\n  =======\nb: <<<<<<<\n# =======\n"), [""; 0]);
}

#[test]
fn tab_after_a_colon_is_reported() {
    let problems = read_text("a:\tx\n").diagnostics;
    assert_eq!(problems[0].message.en(), "`:` is followed by a tab");
}

#[test]
fn long_text_counts_for_each_alias() {
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a, ".repeat(300));
    let problems = codes(&long);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("alias-bomb m.yaml:2:"), "{problems:?}");
}

#[test]
fn every_key_and_value_has_a_position() {
    let text = "# 注释 🎉\r\n环境: &a 值\r\nb: \"q\\tx\" # 尾\r\nc: 'it''s'\r\nd:\r\n  - *a\r\n  - plain text # '\r\n  - {e: 商店, f: 1.5}\r\ng: |\r\n  多\r\n  行\r\nh: x";
    let parsed = read_text(text);
    assert_eq!(parsed.diagnostics, []);
    let mut found = Vec::new();
    scalars(parsed.documents[0].root(), &mut found);
    assert_eq!(
        found,
        [
            "环境@2:1=环境",
            "值@2:8=值",
            "b@3:1=b",
            "q\tx@3:4=\"q\\tx\"",
            "c@4:1=c",
            "it's@4:4='it''s'",
            "d@5:1=d",
            "值@2:8=值",
            "plain text@7:5=plain text",
            "e@8:6=e",
            "商店@8:9=商店",
            "f@8:13=f",
            "1.5@8:16=1.5",
            "g@9:1=g",
            "多\n行\n@10:3=多",
            "h@12:1=h",
            "x@12:4=x",
        ]
    );
}

#[test]
fn nested_merge_applies_once_and_quoted_merge_key_is_ordinary() {
    let parsed = read_text("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, x: 3}\nd: {'<<': 4}\n");
    assert_eq!(parsed.diagnostics, []);
    let Value::Mapping(root) = parsed.documents[0].root().value() else { panic!() };
    let names = |name: &str| -> Vec<(&str, bool)> {
        match root.get(name).unwrap().value.value() {
            Value::Mapping(members) => members.iter().map(|it| (it.name(), it.merged)).collect(),
            _ => panic!(),
        }
    };
    assert_eq!(names("b"), [("y", false), ("x", true)]);
    assert_eq!(names("c"), [("x", false), ("y", true)]);
    assert_eq!(names("d"), [("<<", false)]);
}

#[test]
fn alias_bomb_is_rejected_before_it_expands() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        let nine = [alias.as_str(); 9].join(", ");
        writeln!(text, "a{level}: &a{level} [{nine}]").unwrap();
    }
    assert_eq!(codes(&text), ["alias-bomb m.yaml:7:10"]);
    // Many environments that share a small mapping are fine.
    let mut text = String::from("base: &b {a: 1, b: 2}\n");
    for n in 0..100_000 {
        writeln!(text, "e{n}: *b").unwrap();
    }
    assert_eq!(codes(&text), [""; 0]);
}

#[test]
fn depth_is_limited_through_aliases_too() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(codes(&deep(64)), [""; 0]);
    assert_eq!(codes(&deep(65)), ["too-deep m.yaml:1:65"]);
    assert_eq!(codes(&"[".repeat(1_000_000)), ["too-deep m.yaml:1:256"]);
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..70 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert_eq!(codes(&text), ["too-deep m.yaml:64:12"]);
}

#[test]
fn unusual_yaml_is_reported_with_a_place() {
    for (text, expected) in [
        ("a: 1\nb: 2\na: 3\n", "duplicate-key m.yaml:3:1"),
        ("a: {b: 1, 'b': 2}\n", "duplicate-key m.yaml:1:11"),
        ("a: *nope\n", "unknown-anchor m.yaml:1:4"),
        ("a: &x 1\n---\nb: *x\n", "unknown-anchor m.yaml:3:4"),
        ("a: &a [*a]\n", "recursive-alias m.yaml:1:8"),
        ("1: x\n", "key-not-a-string m.yaml:1:1"),
        ("? [a]\n: x\n", "key-not-a-string m.yaml:1:3"),
        ("a: !secret x\n", "custom-tag m.yaml:1:4"),
        ("a: !!binary aGk=\n", "custom-tag m.yaml:1:4"),
        ("<<: 1\n", "merge-not-a-mapping m.yaml:1:5"),
        ("a: &a {x: 1}\nb: {<<: *a, <<: *a}\n", "duplicate-key m.yaml:2:13"),
        ("a: \0\nenvironments: {}\n", "yaml-syntax m.yaml:1:4"),
        ("a: \u{1b}[31m\n", "yaml-syntax m.yaml:1:4"),
        ("a: [b\nc: d\n", "yaml-syntax m.yaml:2:2"),
    ] {
        assert_eq!(codes(text), [expected], "{text:?}");
    }
    assert_eq!(codes("a: !!str 1\nb: !!int 2\nc: !!map {}\nd: ! x\n"), [""; 0]);
}

#[test]
fn documents_before_a_syntax_error_are_kept_as_incomplete() {
    let parsed = read_text("a: 1\n---\nb: [\n");
    assert_eq!(parsed.documents.len(), 1);
    assert!(!parsed.complete);
    assert_eq!(parsed.diagnostics.len(), 1);
}

/// Touches everything that later modules read.
fn walk(text: &str) {
    let parsed = read_text(text);
    for document in &parsed.documents {
        scalars(document.root(), &mut Vec::new());
    }
    crate::diagnostic::render::render(&parsed.diagnostics, true, crate::i18n::Lang::En);
}

proptest! {

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        walk(&text);
    }

    #[test]
    fn near_yaml_does_not_panic(
        text in "([-?:,\\[\\]{}#&*!|>'\"%@`~ \t\r\n]|<<|a|环|\u{feff}|\u{85}|&a |\\*a|---|\\.\\.\\.|!!str |: |- |\\? |\n  |\\\\x|1){0,40}"
    ) {
        walk(&text);
        let manifest = format!("version: 1\nenvironments:\n  a: {text}\n");
        walk(&manifest);
    }

    #[test]
    fn plain_scalar_span_matches_its_text(
        lines in proptest::collection::vec("[a-z环境🎉é]{1,12}", 1..40), crlf: bool
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let text: Vec<_> = lines.iter().enumerate().map(|(n, line)| format!("k{n}: x{line}{end}")).collect();
        let text = text.concat();
        let mut found = Vec::new();
        scalars(read_text(&text).documents[0].root(), &mut found);
        for (n, line) in lines.iter().enumerate() {
            let line = format!("x{line}");
            let expected = format!("{line}@{}:{}={line}", n + 1, format!("k{n}: ").len() + 1);
            prop_assert_eq!(&found[2 * n + 1], &expected);
        }
    }
}
