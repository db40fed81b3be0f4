//! Diagnostics for invalid YAML.

use std::sync::Arc;

use saphyr_parser::{ScanError, Tag};

use super::scalar::Resolved;
use super::tree::Kind;
use crate::diagnostic::{Diagnostic, SourceFile, Span};
use crate::i18n::text;

/// The deepest nesting of lists and mappings, aliases included.
pub(super) const MAX_DEPTH: usize = 64;

pub(super) fn span(file: &Arc<SourceFile>, start: usize, end: usize) -> Span {
    Span { file: Arc::clone(file), bytes: start..end.max(start) }
}

/// Rejects control characters. The scanner would take U+0000 for the end of the text and silently drop the
/// rest.
pub(super) fn reject_unprintable(file: &Arc<SourceFile>) -> Result<(), Box<Diagnostic>> {
    let bad = |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f;
    match file.text.bytes().position(bad) {
        None => Ok(()),
        Some(at) => {
            let code = file.text.as_bytes()[at];
            Err(Box::new(
                Diagnostic::error(
                    "yaml-syntax",
                    text!("YAML does not allow the character U+{code}", code = format!("{code:04X}")),
                )
                .on(&span(file, at, at + 1))
                .help(text!("write it as an escape in a double-quoted string")),
            ))
        }
    }
}

/// Rejects git conflict markers.
pub(super) fn reject_conflicts(file: &Arc<SourceFile>) -> Result<(), Box<Diagnostic>> {
    let is_marker = |line: &str| {
        line == "======="
            || ["<<<<<<<", "|||||||", ">>>>>>>"].iter().any(|mark| {
                line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
    };
    let mut at = 0;
    for line in file.text.split_inclusive('\n') {
        let shown = line.trim_end_matches(['\r', '\n']);
        if is_marker(shown) {
            return Err(Box::new(
                Diagnostic::error("merge-conflict", text!("merge conflict marker"))
                    .on(&span(file, at, at + shown.len()))
                    .help(text!("resolve the conflict and remove the markers")),
            ));
        }
        at += line.len();
    }
    Ok(())
}

/// Reports a key that is not a string.
pub(super) fn invalid_key(key: &Kind, place: &Span) -> Option<Diagnostic> {
    let help = match key {
        Kind::Scalar(Resolved::Text, _) => return None,
        Kind::Scalar(Resolved::Null | Resolved::Bool(_) | Resolved::Number, text) => {
            let text = text.get(&place.file);
            text!("write it in quotes: \"{text}\"", text)
        }
        Kind::Sequence(_) | Kind::Mapping(_) => {
            text!("a key is a single word; did you forget quotes around `{` or `[`?")
        }
    };
    Some(
        Diagnostic::error("key-not-a-string", text!("expected a string for the key"))
            .at(place, text!("not a string"))
            .help(help),
    )
}

pub(super) fn duplicate_key(name: &str, first: &Span, second: &Span) -> Diagnostic {
    let diagnostic = Diagnostic::error("duplicate-key", text!("duplicate key `{name}`", name))
        .at(second, text!("again"))
        .at(first, text!("first here"));
    if name != "<<" {
        return diagnostic;
    }
    diagnostic.help(text!("several mappings merge as a list: `<<: [*one, *two]`"))
}

pub(super) fn too_deep(place: &Span) -> Diagnostic {
    Diagnostic::error(
        "too-deep",
        text!("lists and mappings lie more than {MAX_DEPTH} deep in one another", MAX_DEPTH),
    )
    .at(place, text!("here"))
}

pub(super) fn syntax(file: &Arc<SourceFile>, error: &ScanError, at: usize) -> Diagnostic {
    let next = file.text.get(at..).and_then(|rest| rest.chars().next());
    let end = match next {
        Some('\r' | '\n') | None => at,
        Some(character) => at + character.len_utf8(),
    };
    let place = span(file, at, end);
    let info = error.info();
    if info.contains("recursion limit") {
        // The scanner reads ahead along the line before it returns any of it.
        too_deep(&place)
    } else if info.contains("unknown anchor") {
        unknown_anchor(&place).help(text!("an anchor is written `&name` before the first use of `*name`"))
    } else {
        let before = file.text.get(..at).unwrap_or_default();
        let is_tab = next == Some('\t') || before.ends_with('\t');
        let message = if is_tab && info.contains("whitespace") {
            text!("`:` is followed by a tab")
        } else {
            text!("this is not YAML: {info}", info)
        };
        let mut diagnostic = Diagnostic::error("yaml-syntax", message).on(&place);
        if is_tab && info.contains("whitespace") {
            diagnostic = diagnostic.help(text!("write a space there"));
        } else if info.contains("tab") {
            diagnostic = diagnostic.help(text!("indent with spaces: YAML has no tabs there"));
        }
        diagnostic.help(text!("the rest of this file was not read"))
    }
}

pub(super) fn unknown_anchor(span: &Span) -> Diagnostic {
    Diagnostic::error("unknown-anchor", text!("no anchor of this name in this document")).on(span)
}

/// Reports a tag that is not in YAML's core schema, or does not fit its value.
pub(super) fn custom_tag(tag: &Tag, place: &Span) -> Diagnostic {
    let shown = if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else if tag.handle == "!" {
        format!("!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    };
    Diagnostic::error("custom-tag", text!("the tag `{shown}` means nothing here", shown))
        .at(place, text!("tagged"))
        .help(text!("leave the tag out; a value that must be a string is written in quotes"))
}
