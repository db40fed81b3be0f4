//! Small texts that several formats share.

use std::borrow::Cow;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use crate::i18n::{Text, text};
use crate::sanitize;
use crate::state::Account;

/// `text` with everything escaped that could move a cursor, colour a line, turn its direction around, or not be seen.
///
/// Names come from manifests and messages from Tencent Cloud; neither may draw on a terminal.
pub fn clean(text: &str) -> Cow<'_, str> {
    sanitize::escape_invisible(text)
}

/// Where it is, and whose, as far as that is known.
pub(super) fn account(account: &Account) -> Text {
    let Account { endpoint, uin } = account;
    let endpoint = clean(endpoint);
    match uin {
        Some(uin) => {
            let uin = clean(uin);
            text!("{endpoint}, account {uin}", endpoint, uin)
        }
        None => Text::same(endpoint.into_owned()),
    }
}

/// `0.31 s`, `12.0 s`, `3 min 20 s`, `1 h 23 min`; `0.31 秒`, `12.0 秒`, `3 分 20 秒`, `1 小时 23 分`.
pub fn duration(duration: Duration) -> Text {
    let (whole, exact) = (duration.as_secs(), duration.as_secs_f64());
    let (hours, minutes, seconds) = (whole / 3600, whole / 60, whole % 60);
    match whole {
        0..10 => text!("{exact} s", exact = format!("{exact:.2}")),
        10..120 => text!("{exact} s", exact = format!("{exact:.1}")),
        120..3600 => text!("{minutes} min {seconds} s", minutes, seconds),
        3600.. => {
            let minutes = minutes % 60;
            text!("{hours} h {minutes} min", hours, minutes)
        }
    }
}

/// `1 order`, `2 orders`: English grammar. Chinese has the bare number and a measure word.
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// How many columns of a terminal it fills; a Chinese character fills two.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` and spaces behind it, up to `columns` columns.
pub(super) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", fill(text, columns))
}

/// `text` and spaces before it, up to `columns` columns.
pub(super) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", fill(text, columns))
}

fn fill(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn nothing_that_moves_a_cursor_gets_through() {
        assert_eq!(clean("我的环境 ok"), "我的环境 ok");
        assert_eq!(clean("a\u{1b}[31mb\r\n"), r"a\u{1b}[31mb\r\n");
        assert_eq!(clean("\u{202e}cod"), "\\u{202e}cod");
    }

    #[test]
    fn durations_read_well() {
        let texts = [0.304, 12.0, 200.0, 5000.0].map(|s| duration(Duration::from_secs_f64(s)));
        assert_eq!(texts.each_ref().map(Text::en), ["0.30 s", "12.0 s", "3 min 20 s", "1 h 23 min"]);
        assert_eq!(
            texts.each_ref().map(|text| text.in_lang(Lang::Zh)),
            ["0.30 秒", "12.0 秒", "3 分 20 秒", "1 小时 23 分"]
        );
    }

    #[test]
    fn a_column_is_as_wide_as_a_terminal_shows_it() {
        assert_eq!(left("ab", 4), "ab  ");
        assert_eq!(left("地址", 6), "地址  ");
        assert_eq!(right("用时", 5), " 用时");
        assert_eq!(left("地址（旧）", 4), "地址（旧）", "nothing is cut off");
    }
}
