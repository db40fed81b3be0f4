//! Wraps lines for a narrow terminal, between words and with a hanging indent.
//!
//! A terminal would break inside words, and so inside ids and numbers that a user has to compare.

use unicode_width::UnicodeWidthStr as _;

/// The maximum hanging indent of a title or a help.
const DEEPEST: usize = 12;

/// Wraps the sentences in the output of [`super::render`]. Source lines stay as they are.
pub fn diagnostics(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        let plain = anstream::adapter::strip_str(line).to_string();
        let gutter = plain.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
        if gutter.starts_with(['|', ':']) || gutter.starts_with("-->") || gutter.starts_with("...") {
            out.push_str(line);
        } else {
            let begins = plain.find(": ").map_or(0, |at| plain[..at + 2].width());
            let indent = if gutter.starts_with('=') { begins.min(DEEPEST) } else { 4 };
            out.push_str(&wrapped(line, columns, indent));
        }
        out.push('\n');
    }
    out
}

/// Wraps a line; later lines are indented by `indent`. Only a word, or code in backticks, that is wider than
/// the terminal may exceed it.
pub fn wrapped(line: &str, columns: usize, indent: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len() + 32);
    let mut used = 0;
    let mut blank = false;
    // Its own indentation.
    let start = line.len() - line.trim_start_matches(' ').len();
    out.push_str(&line[..start]);
    used += start;
    let mut is_first = true;
    for part in parts(&line[start..]) {
        if part == " " {
            blank = true;
            continue;
        }
        let wide = width(part);
        if !is_first && used + usize::from(blank) + wide > columns {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = indent;
        } else if blank {
            out.push(' ');
            used += 1;
        }
        out.push_str(part);
        used += wide;
        blank = false;
        is_first = false;
    }
    out
}

fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

/// Splits a line into blanks and unbreakable parts: words, code in backticks, and wide characters. Chinese
/// may be broken anywhere except before closing punctuation.
fn parts(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut in_code = false;
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let end = at + character.len_utf8();
        if character == '`' {
            in_code = !in_code && line[end..].contains('`');
        }
        if in_code {
            continue;
        }
        if character == ' ' {
            if from < at {
                parts.push(&line[from..at]);
            }
            parts.push(&line[at..end]);
            from = end;
            continue;
        }
        let next = characters.peek().map(|(_, next)| *next);
        let may_end = next.is_some_and(|next| {
            let is_wide = |c: char| c.encode_utf8(&mut [0; 4]).width() == 2;
            let closes = "，。；：！？、）》」』”’".contains(next);
            let opens = "（《「『“‘".contains(character);
            (is_wide(character) || is_wide(next)) && !closes && !opens
        });
        if may_end {
            parts.push(&line[from..end]);
            from = end;
        }
    }
    if from < line.len() {
        parts.push(&line[from..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::render::render;
    use crate::diagnostic::{Diagnostic, SourceFile, Span};
    use crate::i18n::{Lang, Text};
    use proptest::prelude::*;

    #[test]
    fn sentence_is_wrapped_between_words_with_a_hanging_indent() {
        let file = std::sync::Arc::new(SourceFile::new(
            "a.yaml",
            "a: a long line of a file that is wider than all\n",
        ));
        let problem = Diagnostic::error(
            "wrong-account",
            Text::same("the keys are of 200000000002, and the state is of 100000000001"),
        )
        .on(&Span { file, bytes: 0..1 })
        .help(Text::same("use the keys of that account, or `postpay state mv one uno`: it moves"));
        insta::assert_snapshot!(diagnostics(&render(&[problem], false, Lang::En), 40), @r"
        error[wrong-account]: the keys are of
            200000000002, and the state is of
            100000000001
         --> a.yaml:1:1
          |
        1 | a: a long line of a file that is wider than all
          | ^
          |
          = help: use the keys of that account,
                  or `postpay state mv one uno`:
                  it moves
        ");
    }

    #[test]
    fn chinese_is_wrapped_between_characters_except_before_closing_punctuation() {
        assert_eq!(
            wrapped("密钥属于账号 200000000002，请检查。", 20, 2),
            "密钥属于账号\n  200000000002，请检\n  查。"
        );
        assert_eq!(wrapped("甲乙丙，丁", 6, 0), "甲乙\n丙，丁");
    }

    #[test]
    fn code_is_broken_only_when_wider_than_the_terminal() {
        assert_eq!(wrapped("run `a b c` now", 8, 2), "run\n  `a b c`\n  now");
        assert_eq!(wrapped("  aaaaaaaaaaaa b", 6, 4), "  aaaaaaaaaaaa\n    b");
        assert_eq!(wrapped("one ` tick stays", 9, 0), "one `\ntick\nstays");
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_and_lines_fit(line in "[a-c`环，（ ]{0,60}", columns in 12..40_usize) {
            let shown = wrapped(&line, columns, 2);
            let squeeze = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(squeeze(&shown), squeeze(&line));
            let widest = parts(&line).into_iter().map(width).max().unwrap_or(0);
            for part in shown.lines() {
                prop_assert!(width(part.trim_end()) <= columns.max(widest + 60.min(line.len() - line.trim_start().len()) + 2), "{:?}", shown);
            }
        }
    }
}
