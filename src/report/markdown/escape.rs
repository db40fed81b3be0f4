//! Texts from elsewhere, as Markdown that only shows them.
//!
//! Code has no links, mentions, issue references or HTML, wherever it is shown. So a text is code, or a sentence in which
//! everything but plain words is code.

use std::fmt::Write as _;

use crate::report::text::clean;
use crate::sanitize::invisible;

/// Returns a text as a code span.
pub(super) fn code(text: &str) -> String {
    let text = clean(text);
    let text = if text.is_empty() { "—".into() } else { text };
    let ticks = "`".repeat(longest_run(&text) + 1);
    let edge = |c: char| c == '`' || c == ' ';
    let space = if text.starts_with(edge) || text.ends_with(edge) { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// Returns a block of code, indented so that it stays within a list.
pub(super) fn fenced(language: &str, lines: &[String], indent: &str) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let ticks = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let mut out = format!("{indent}{ticks}{language}\n");
    for line in lines {
        let _ = writeln!(out, "{indent}{}", clean(line));
    }
    let _ = writeln!(out, "{indent}{ticks}");
    out
}

/// Returns a sentence, with code between backticks and where a word is not plain.
pub(super) fn sentence(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut parts = text.trim().split('`').peekable();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        // A backtick without a second one is a letter.
        if is_code && parts.peek().is_some() {
            push_code(&mut out, part);
        } else {
            push_words(&mut out, part);
        }
        is_code = !is_code;
    }
    out
}

fn push_words(out: &mut String, text: &str) {
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let begins = out.is_empty() && begins_a_list(word);
        if is_plain(word) && !begins {
            out.push_str(word);
        } else {
            // Punctuation is not part of the code.
            let core = word.trim_end_matches([',', '.', ';', '!', '?']);
            let core = if core.is_empty() { word } else { core };
            push_code(out, core);
            out.push_str(word.get(core.len()..).unwrap_or_default());
        }
    }
}

fn push_code(out: &mut String, text: &str) {
    // Adjacent spans would merge.
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(&code(text));
}

/// Whether a line that begins with this word would be a list.
fn begins_a_list(word: &str) -> bool {
    let number = word.strip_suffix(['.', ')']);
    word == "-" || number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a word cannot be read as a link, a mention, an emoji or markup.
fn is_plain(word: &str) -> bool {
    let harmless = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | '(' | ')' | '\'' | '"' | '-' | '/')
            || !c.is_ascii()
    };
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let is_hash = bare.len() >= 7 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_digit = bare.bytes().any(|byte| byte.is_ascii_digit());
    let starts = |what: &str| {
        let start = bare.get(..what.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(what))
    };
    // GH-12, !12 and the like, and what may be a commit.
    let of_gitlab = word.trim_end_matches('!').contains('!');
    let is_reference = has_digit && (is_hash || bare.contains('-') || of_gitlab);
    let is_link = word.contains("//") || starts("www.");
    let is_emoji = word.matches(':').count() > 1;
    let is_plain = word.chars().all(harmless) && !word.contains("--");
    let is_seen = invisible(word).next().is_none();
    is_plain && is_seen && !is_reference && !is_link && !is_emoji
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Returns a text for an HTML comment, with everything that is unusual in a path percent-encoded.
pub(super) fn comment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        let plain = c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | ':');
        if plain || (c == '-' && before != '-') {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        before = c;
    }
    out
}

/// Returns at most `most` characters of a text as a code span.
pub(super) fn short_code(text: &str, most: usize) -> String {
    code(&clip(&clean(text), most))
}

/// Returns at most `most` characters of a text, with an ellipsis when it has more.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn code_is_closed_by_nothing_in_it() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" a"), "`  a `");
        assert_eq!(code("a\nb"), r"`a\nb`");
        assert_eq!(code(""), "`—`");
    }

    #[test]
    fn a_word_that_means_something_to_markdown_is_code() {
        for (text, shown) in [
            ("it is gone, and costs nothing", "it is gone, and costs nothing"),
            ("with --x, @y.", "with `--x`, `@y`."),
            ("- 1. a", "`-` 1. a"),
            ("`shop` is @admin's", "`shop` is `@admin's`"),
            ("see #12 or GH-12", "see `#12` or `GH-12`"),
            ("see !12 or shop!12!", "see `!12` or `shop!12`!"),
            ("at http://x.y/z", "at `http://x.y/z`"),
            ("www.evil.example", "`www.evil.example`"),
            ("<b>*bold*</b>", "`<b>*bold*</b>`"),
            ("`a`@b", "`a` `@b`"),
            ("one ` tick", "one  tick"),
            (":smile: x_y_z", "`:smile:` `x_y_z`"),
            ("1234567abc", "`1234567abc`"),
            ("环境已不存在,请检查。", "环境已不存在,请检查。"),
        ] {
            assert_eq!(sentence(text), shown);
        }
    }

    #[test]
    fn a_comment_is_ended_by_nothing_in_it() {
        assert_eq!(comment("infra/a-b.yaml"), "infra/a-b.yaml");
        assert_eq!(comment("a-->b"), "a-%2D%3Eb");
    }

    #[test]
    fn a_text_is_never_cut_within_a_character() {
        assert_eq!(clip("环境", 2), "环境");
        assert_eq!(clip("环境名", 2), "环境…");
    }
}
