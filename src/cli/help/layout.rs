//! Lays a rendered help out for Chinese: clap breaks lines at spaces alone, and Chinese has none; and its headings are
//! fixed words.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Headings, as clap and our own flags have them.
const HEADINGS: [(&str, &str); 8] = [
    ("Commands:", "命令："),
    ("Arguments:", "参数："),
    ("Options:", "选项："),
    ("API options:", "API 选项："),
    ("Credential options:", "密钥选项："),
    ("Sandbox options:", "内置端点选项："),
    ("Global options:", "全局选项："),
    ("Possible values:", "可选值："),
];
const USAGE: (&str, &str) = ("Usage:", "用法：");
/// How clap indents a second line of usage.
const BELOW_USAGE: &str = "       postpay";

/// Signs that don't begin a line, and signs that don't end one.
const CLOSING: &str = "，。：；、）」』》！？,.:;)]}>";
const OPENING: &str = "（「『《([{<";

/// The widest that clap would make a line on this terminal. It tells nobody, so a text is given to it and measured.
pub(super) fn width() -> usize {
    let words = "a ".repeat(200);
    let mut measure = clap::Command::new("").max_term_width(110).help_template("{about}").about(words);
    let shown = measure.render_help().to_string();
    let longest = shown.lines().map(|line| line.trim_end().len()).max();
    longest.map_or(80, |longest| longest + 1)
}

/// The text with headings in Chinese and no line wider than `width`, if that can be helped. It may be styled.
pub(super) fn lay_out(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = heading(line);
        fill(&line, width, &mut out);
        out.push('\n');
    }
    out
}

fn heading(line: &str) -> String {
    let plain = plain(line);
    if plain.starts_with(USAGE.0) {
        // The sign takes two columns and needs no space after it.
        let (styled, rest) = line.split_once(USAGE.0).unwrap_or(("", line));
        return format!("{styled}{}{}", USAGE.1, rest.replacen(' ', "", 1));
    }
    if plain.starts_with(BELOW_USAGE) {
        return line.replacen(' ', "", 1);
    }
    HEADINGS
        .iter()
        .find(|(english, _)| plain.trim() == *english)
        .map_or_else(|| line.to_owned(), |(english, chinese)| line.replace(english, chinese))
}

/// Breaks a line where it has to be broken. What follows stands below the text beside a flag or an example.
fn fill(line: &str, width: usize, out: &mut String) {
    let indent = hanging(&plain(line)).min(width / 2);
    let mut used = 0;
    for piece in pieces(line) {
        let wide = columns(piece.trim_end_matches(' '));
        if used > indent && used + wide > width {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = indent;
        }
        out.push_str(piece);
        used += columns(piece);
    }
    out.truncate(out.trim_end_matches(' ').len());
}

/// The column at which the text of a line begins that may have a flag, a command or a bullet before it.
fn hanging(plain: &str) -> usize {
    let indent = plain.len() - plain.trim_start_matches(' ').len();
    let rest = &plain[indent..];
    match rest.find("  ") {
        Some(gap) if indent > 0 => {
            let text = rest[gap..].trim_start_matches(' ');
            columns(plain) - columns(text)
        }
        Some(_) | None => indent,
    }
}

/// What stays together: a word with the spaces after it, something in backticks or brackets, a Chinese character with the
/// signs that belong to it.
fn pieces(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let (mut quoted, mut brackets) = (false, 0_usize);
    let mut escape = false;
    let mut before: Option<char> = None;
    for (at, c) in line.char_indices() {
        if escape || c == '\u{1b}' {
            escape = c == '\u{1b}' || !c.is_ascii_alphabetic();
            continue;
        }
        let breaks = before.is_some_and(|before| {
            let spaced = before == ' ' && c != ' ';
            let chinese = c != ' ' && (is_wide(before) || is_wide(c));
            !quoted
                && brackets == 0
                && (spaced || chinese)
                && !CLOSING.contains(c)
                && !OPENING.contains(before)
        });
        if breaks {
            pieces.push(&line[start..at]);
            start = at;
        }
        quoted ^= c == '`';
        match c {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        before = Some(c);
    }
    pieces.push(&line[start..]);
    pieces
}

/// How many columns a text takes; its styles take none.
pub(super) fn columns(text: &str) -> usize {
    plain(text).width()
}

/// Chinese characters and signs are two columns wide.
fn is_wide(c: char) -> bool {
    c.width() == Some(2)
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_broken_below_its_own_beginning_and_never_before_a_comma() {
        let line = "  -o, --out <FILE>  把计划保存到 FILE，供 `postpay apply FILE` 使用";
        let shown = lay_out(line, 40);
        assert_eq!(
            shown,
            "  -o, --out <FILE>  把计划保存到 FILE，\n                    供\n                    `postpay apply FILE`\n                    使用\n"
        );
        for width in 20..60 {
            for line in lay_out("一二三，四五六；七八（九十）。".repeat(4).as_str(), width).lines()
            {
                assert!(columns(line) <= width, "{width} {line}");
                assert!(!line.starts_with(['，', '；', '）', '。']), "{line}");
                assert!(!line.ends_with('（'), "{line}");
            }
        }
    }

    #[test]
    fn headings_are_chinese_and_styles_take_no_room() {
        let text = "\u{1b}[1mUsage:\u{1b}[0m postpay history\n       postpay history <COMMAND>\n\n\u{1b}[1mOptions:\u{1b}[0m\n";
        assert_eq!(
            plain(&lay_out(text, 80)),
            "用法：postpay history\n      postpay history <COMMAND>\n\n选项：\n"
        );
        assert_eq!(columns("\u{1b}[1m选项：\u{1b}[0m"), 6);
    }
}
