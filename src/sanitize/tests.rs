//! Every module that shows or accepts a text uses the one list of invisible characters.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::check::{Options, check};
use crate::diagnostic::render::render;
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::i18n::{Lang, Text};
use crate::manifest::{File, Loaded, parse};
use crate::model::ManifestHash;
use crate::report::document::View as _;
use crate::report::validate::FailureView;
use crate::report::view::{Kind, Provenance};
use crate::report::{clean, junit};

/// Every character known from spoofing attacks, and some of each kind.
const KNOWN: [char; 40] = [
    '\0',
    '\u{7}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{1160}',
    '\u{1680}',
    '\u{17b4}',
    '\u{180e}',
    '\u{2000}',
    '\u{200a}',
    '\u{200b}',
    '\u{200d}',
    '\u{200e}',
    '\u{2028}',
    '\u{2029}',
    '\u{202e}',
    '\u{202f}',
    '\u{2060}',
    '\u{2066}',
    '\u{206f}',
    '\u{2800}',
    '\u{3164}',
    '\u{fe00}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{ffff}',
    '\u{1d173}',
    '\u{e0041}',
    '\u{e0100}',
];

#[test]
fn invisible_characters_are_escaped() {
    for character in KNOWN {
        let text = format!("shop{character}");
        let expected = format!("shop{}", character.escape_default());
        assert_eq!(escape_invisible(&text), expected);
        assert_eq!(escape_invisible(&expected), expected);
    }
}

#[test]
fn ordinary_text_is_unchanged() {
    for text in [
        "shop-1 \"é\" ñ",
        "我的环境　名称，（全角）。",
        "ひらがな カタカナ 한국어",
        "مرحبا بالعالم",
        "עברית",
        "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} ⚠\u{fe0f} 👍🏽",
        "❤\u{fe0f}\u{200d}🔥 🏳\u{fe0f}\u{200d}🌈 🇨🇳",
    ] {
        assert!(matches!(escape_invisible(text), Cow::Borrowed(_)), "{text}");
        assert_eq!(json(text), text);
    }
}

#[test]
fn emoji_joiners_are_escaped_elsewhere() {
    for (text, expected) in [
        ("a\u{fe0f}", r"a\u{fe0f}"),
        ("\u{fe0f}", r"\u{fe0f}"),
        ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}"),
        ("❤\u{fe0e}", r"❤\u{fe0e}"),
        ("👨\u{200d}", r"👨\u{200d}"),
        ("\u{200d}👨", r"\u{200d}👨"),
        ("👨\u{200d}\u{200d}👩", r"👨\u{200d}\u{200d}👩"),
        ("a\u{200d}b", r"a\u{200d}b"),
        ("a\u{fe0f}\u{200d}👩", r"a\u{fe0f}\u{200d}👩"),
        ("商\u{200d}店", r"商\u{200d}店"),
    ] {
        assert_eq!(escape_invisible(text), expected, "{text:?}");
    }
}

#[test]
fn escaped_json_is_the_same_value() {
    let value: String = KNOWN.iter().collect::<String>() + "中👨\u{200d}👩\\";
    let document = serde_json::to_string_pretty(&[&value]).unwrap();
    let text = json(&document);
    assert!(!text.contains(KNOWN.map(|c| if c == '\n' || c == JOINER { '\0' } else { c })));
    assert!(text.contains("\\u202e") && text.contains("\\udb40\\udc41") && text.contains("\\u007f"));
    assert_eq!(serde_json::from_str::<[String; 1]>(&text).unwrap(), [value]);
}

proptest! {
    #[test]
    fn no_invisible_character_is_left(text in any::<Vec<char>>()) {
        let text: String = text.into_iter().collect();
        prop_assert_eq!(invisible(&escape_invisible(&text)).next(), None);
        let document = serde_json::to_string(&text).unwrap();
        let safe = json(&document);
        prop_assert_eq!(invisible(&safe).next(), None);
        prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
    }
}

/// Texts with every kind of character, invisible ones often.
fn texts() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        2 => any::<char>(),
        2 => prop::sample::select(KNOWN.to_vec()),
        2 => prop::sample::select(vec!['a', '"', '\'', '\\', '环', '👨', '❤', ' ', '=']),
    ];
    proptest::collection::vec(character, 0..12).prop_map(String::from_iter)
}

/// Returns whether a manifest accepts this text, written as an escape that YAML can represent.
fn is_accepted(name: &str) -> bool {
    let mut escaped = String::new();
    for character in name.chars() {
        let _ = write!(escaped, "\\U{:08X}", u32::from(character));
    }
    let text = format!("version: 1\nenvironments:\n  a: {{env_id: a-1, env_alias: \"x{escaped}\"}}\n");
    let source = Arc::new(SourceFile::new("a.yaml", text));
    let parsed = parse(&source);
    assert_eq!(parsed.diagnostics, []);
    let hash = ManifestHash { path: "a.yaml".into(), sha256: String::new() };
    let loaded = Loaded {
        files: vec![File { source, hash, documents: parsed.documents, complete: parsed.complete }],
        diagnostics: Vec::new(),
    };
    let found = check(&loaded, Options::default()).diagnostics;
    let all = found.iter().filter(|it| it.is_error());
    let codes: Vec<_> = all.map(|it| it.code).collect();
    assert!(codes.iter().all(|code| *code == "control-character"), "{codes:?}");
    codes.is_empty()
}

/// A diagnostic with this text in all its places, about a file that contains it.
fn diagnostic_with(text: &str) -> Diagnostic {
    let file = Arc::new(SourceFile::new(format!("a{text}.yaml"), format!("k: {text}END\n")));
    let bytes = file.text.find("END").map(|at| at..at + 3).unwrap();
    let message = || Text::same(text.to_owned());
    Diagnostic::error("c", message()).at(&Span { file, bytes }, message()).help(message())
}

#[test]
fn rule_rejects_what_would_be_escaped() {
    for character in KNOWN {
        assert!(!is_accepted(&character.to_string()), "{character:?}");
    }
    assert!(is_accepted("我的环境 ❤\u{fe0f} 👨\u{200d}👩"));
}

proptest! {

    #[test]
    fn every_module_uses_the_one_list(text in texts()) {
        let is_seen = |shown: &str| shown.lines().all(|line| invisible(line).next().is_none());
        let diagnostic = diagnostic_with(&text);
        for lang in [Lang::En, Lang::Zh] {
            let shown = render(std::slice::from_ref(&diagnostic), false, lang);
            prop_assert!(is_seen(&shown), "{:?}", shown);
            let diagnostics = [diagnostic.clone()];
            let view = FailureView::new(Kind::Plan, &diagnostics, Provenance::default());
            let shown = junit::render(&view.report(lang).unwrap());
            prop_assert!(is_seen(&shown), "{:?}", shown);
            let document = roxmltree::Document::parse(&shown);
            prop_assert!(document.is_ok(), "{:?}", shown);
        }
        prop_assert_eq!(clean(&text), escape_invisible(&text));
        prop_assert_eq!(is_accepted(&text), invisible(&format!("x{text}")).next().is_none());
    }
}

/// Detects commands as the CI systems' parsers do.
fn is_command(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["##[", "##vso[", "##teamcity["].iter().any(|marker| lower.contains(marker))
        || text.split(['\n', '\r']).any(|line| line.trim_start().starts_with("::"))
}

#[test]
fn commands_are_escaped_in_the_syntax_of_the_document() {
    use Syntax::{Commands, Json, Markup, Plain};
    let table = [
        ("a ##[add-mask]x", Plain, r"a ##\[add-mask]x"),
        ("###[x]##VSO[y]", Plain, r"###\[x]##VSO\[y]"),
        ("##teamcity[x]", Markup, "##teamcity&#91;x]"),
        (r###"{"a":"##[x]"}"###, Json, r###"{"a":"##\u005bx]"}"###),
        ("a\n \u{3000}::error::x", Plain, "a\n \u{3000}\\::error::x"),
        ("a\r::x", Markup, "a\r&#58;:x"),
        ("::error ::##[x]", Commands, r"::error ::##\[x]"),
        // Not commands.
        ("# [x] #[x] ## [x] a::b", Plain, "# [x] #[x] ## [x] a::b"),
    ];
    for (text, syntax, expected) in table {
        assert_eq!(escape_commands(text, syntax), expected);
    }
}

proptest! {
    #[test]
    fn no_command_is_left_in_any_text(
        parts in proptest::collection::vec(
            prop::sample::select(vec!["#", "##", "[", "vso", "TeamCity", "x", ":", "::", " ", "\u{3000}", "\n", "\r", "\\", "]"]),
            0..30,
        ),
    ) {
        let text = parts.concat();
        for syntax in [Syntax::Plain, Syntax::Json, Syntax::Markup] {
            let safe = escape_commands(&text, syntax);
            prop_assert!(!is_command(&safe), "{text:?}: {safe:?}");
            prop_assert_eq!(&escape_commands(&safe, syntax), &safe, "twice is once");
        }
        let json = serde_json::to_string_pretty(&[&text]).unwrap();
        let safe = escape_commands(&json, Syntax::Json);
        let read: Vec<String> = serde_json::from_str(&safe).unwrap();
        prop_assert_eq!(read, [text], "JSON is read as the same");
    }
}
