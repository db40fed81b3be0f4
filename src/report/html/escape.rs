//! The only way for a text into the page.

use std::borrow::Cow;

use crate::report::clean;

/// `text` as content or as a quoted attribute: it can be neither markup nor the end of one, and what cannot be seen or
/// turns the direction of a line around stands there as an escape.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    let shown = clean(text);
    if !shown.contains(['&', '<', '>', '"', '\'']) {
        return shown;
    }
    let mut safe = String::with_capacity(shown.len() + 32);
    for c in shown.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// A sentence, with what stands between backticks as code. Pairs only: a stray one is a letter like any other.
pub(super) fn prose(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.split('`').collect();
    let mut html = String::with_capacity(sentence.len() + 32);
    for (at, part) in parts.iter().enumerate() {
        let inside = at % 2 == 1;
        match (inside, at + 1 < parts.len()) {
            (true, true) => {
                html.push_str("<code><bdi>");
                html.push_str(&escaped(part));
                html.push_str("</bdi></code>");
            }
            (true, false) => {
                html.push('`');
                html.push_str(&escaped(part));
            }
            (false, _) => html.push_str(&escaped(part)),
        }
    }
    html
}

/// A text of several lines, for `<pre>`.
pub(super) fn lines(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        html.push_str(&escaped(line));
        html.push('\n');
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_text_or_an_attribute() {
        assert_eq!(escaped("<a b='\"'>&amp;"), "&lt;a b=&#39;&quot;&#39;&gt;&amp;amp;");
        assert_eq!(escaped("\u{202e}\u{0}x"), "\\u{202e}\\u{0}x");
        assert!(matches!(escaped("我的环境 shop-1"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_stands_between_backticks_is_code_and_a_stray_one_is_a_letter() {
        assert_eq!(
            prose("settle `a<b` or `c` now"),
            "settle <code><bdi>a&lt;b</bdi></code> or <code><bdi>c</bdi></code> now"
        );
        assert_eq!(prose("a ` b"), "a ` b");
        assert_eq!(prose("`a` ` b"), "<code><bdi>a</bdi></code> ` b");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(lines("a\r\n<b>\u{1b}[0m"), "a\n&lt;b&gt;\\u{1b}[0m\n");
    }
}
