//! Makes text harmless for CI systems, which obey commands in the log of a job. Everything that postpay prints, and every
//! report, passes here.
//!
//! - `##[name …]`, `##vso[…]`, `##teamcity[…]` are obeyed anywhere in a line: a GitHub runner's older parser, Azure Pipelines, and
//!   TeamCity. The bracket after `##` and any word is escaped.
//! - `::name …::` is obeyed at the start of a line, after white space too: a GitHub runner. The first colon is escaped.
//!
//! The escape is that of the syntax of the document, so that a program reads the same value: `##\u005bname]` in JSON,
//! `##&#91;name]` in HTML and XML. In plain text and Markdown it is a backslash: `##\[name]`, `\::name::`. No text of postpay's own holds
//! such a sequence, but for the workflow commands of `--format github`.

use std::borrow::Cow;

/// What a text is written in, and so how a character in it is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Also Markdown, CSV, and the comments of YAML.
    Plain,
    Json,
    /// HTML and XML.
    Markup,
    /// Workflow commands of GitHub, of which every line is one: the values in them are escaped.
    Commands,
}

impl Syntax {
    const fn bracket(self) -> &'static str {
        match self {
            Self::Plain | Self::Commands => r"\[",
            Self::Json => r"\u005b",
            Self::Markup => "&#91;",
        }
    }

    const fn colon(self) -> &'static str {
        match self {
            Self::Plain => r"\:",
            Self::Json => r"\u003a",
            Self::Markup => "&#58;",
            Self::Commands => ":",
        }
    }
}

/// The text without anything in it that a CI system obeys.
pub fn harmless(text: &str, syntax: Syntax) -> Cow<'_, str> {
    let mut safe = String::new();
    let mut from = 0;
    for (at, character) in text.char_indices() {
        let escape = match character {
            '[' if follows_marker(&text[from..at]) => syntax.bracket(),
            ':' if syntax != Syntax::Commands && starts_command(text, at) => syntax.colon(),
            _ => continue,
        };
        safe.push_str(&text[from..at]);
        safe.push_str(escape);
        from = at + 1;
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[from..]);
    Cow::Owned(safe)
}

/// Whether a text ends in `##` and a word, which may be empty.
fn follows_marker(before: &str) -> bool {
    before.trim_end_matches(char::is_alphanumeric).ends_with("##")
}

/// Whether `::` is at this byte, and nothing but white space before it in its line.
fn starts_command(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches(|c: char| c.is_whitespace() && c != '\n' && c != '\r');
    text[at..].starts_with("::") && (before.is_empty() || before.ends_with(['\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a CI system looks for, as the parsers do it.
    pub(crate) fn is_obeyed(text: &str) -> bool {
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
            // Nothing that is obeyed.
            ("# [x] #[x] ## [x] a::b", Plain, "# [x] #[x] ## [x] a::b"),
        ];
        for (text, syntax, expected) in table {
            assert_eq!(harmless(text, syntax), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_obeyed_whatever_the_text(
            parts in proptest::collection::vec(
                prop::sample::select(vec!["#", "##", "[", "vso", "TeamCity", "x", ":", "::", " ", "\u{3000}", "\n", "\r", "\\", "]"]),
                0..30,
            ),
        ) {
            let text = parts.concat();
            for syntax in [Syntax::Plain, Syntax::Json, Syntax::Markup] {
                let safe = harmless(&text, syntax);
                prop_assert!(!is_obeyed(&safe), "{text:?}: {safe:?}");
                prop_assert_eq!(&harmless(&safe, syntax), &safe, "twice is once");
            }
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let safe = harmless(&json, Syntax::Json);
            let read: Vec<String> = serde_json::from_str(&safe).unwrap();
            prop_assert_eq!(read, [text], "JSON is read as the same");
        }
    }
}
