//! Small texts that several formats share.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use similar::ChangeTag;
use similar::utils::diff_unicode_words;
use unicode_width::UnicodeWidthStr as _;

use crate::i18n::{Lang, Text, text};
use crate::model::Address;
use crate::sanitize;
use crate::state::Account;

/// Returns `text` with everything escaped that could move a cursor, colour a line, reverse its direction, or is invisible.
///
/// Names come from manifests and messages from Tencent Cloud; neither may draw on a terminal.
pub fn clean(text: &str) -> Cow<'_, str> {
    sanitize::escape_invisible(text)
}

/// Returns a text from elsewhere, sanitized in every language.
pub(super) fn clean_text(value: &impl Display) -> Text {
    Text::of(value).map(|text| clean(text).into_owned())
}

/// Returns the endpoint, and the account where it is known.
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

/// Returns the address, marked when it is a former environment of it.
pub(super) fn name(address: &Address, deposed: bool) -> Text {
    if deposed { text!("{address} (deposed)", address) } else { Text::same(address.to_string()) }
}

/// Returns texts in a row, as clauses of a sentence.
pub(super) fn clauses(texts: impl IntoIterator<Item = Text>) -> Text {
    join(texts, "，")
}

/// Returns texts in a row, as a list of things.
pub(super) fn list(texts: impl IntoIterator<Item = Text>) -> Text {
    join(texts, "、")
}

fn join(texts: impl IntoIterator<Item = Text>, comma: &str) -> Text {
    let texts: Vec<Text> = texts.into_iter().collect();
    let row = |lang, comma| texts.iter().map(|text| text.in_lang(lang)).collect::<Vec<_>>().join(comma);
    Text::new(row(Lang::En, ", "), row(Lang::Zh, comma))
}

/// Returns `0.31 s`, `12.0 s`, `3 min 20 s` or `1 h 23 min`.
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

/// Returns `1 order` or `2 orders`: English grammar. Chinese has the bare number and a measure word.
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// Returns how many columns of a terminal a text fills; a Chinese character fills two.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Pads a text to `columns` columns with spaces behind it.
pub(super) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", fill(text, columns))
}

/// Pads a text to `columns` columns with spaces before it.
pub(super) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", fill(text, columns))
}

fn fill(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    /// Only this side has it.
    pub changed: bool,
}

/// Two values, word by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words<'a> {
    pub old: Vec<Word<'a>>,
    pub new: Vec<Word<'a>>,
    /// They have a word in common. Otherwise marks without colour are only noise.
    pub alike: bool,
}

/// Values that are longer than this together, in bytes, are not compared word by word: it takes long and helps nobody.
const LONGEST: usize = 20_000;

/// Compares two values word by word.
pub(super) fn changed_words<'a>(old: &'a str, new: &'a str) -> Words<'a> {
    if old.len() + new.len() > LONGEST {
        let whole = |text| vec![Word { text, changed: true }];
        return Words { old: whole(old), new: whole(new), alike: false };
    }
    let words = diff_unicode_words(similar::Algorithm::Myers, old, new);
    let side = |own: ChangeTag| {
        let shown = words.iter().filter(|(tag, _)| *tag == own || *tag == ChangeTag::Equal);
        shown.map(|(tag, text)| Word { text, changed: *tag != ChangeTag::Equal }).collect()
    };
    Words {
        old: side(ChangeTag::Delete),
        new: side(ChangeTag::Insert),
        alike: words
            .iter()
            .any(|(tag, text)| *tag == ChangeTag::Equal && text.chars().any(char::is_alphanumeric)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn both_sides_can_be_put_together_again() {
        for (old, new) in
            [("shop for prod", "shop for test"), ("我的商店", "我的书店"), ("", "x"), ("same", "same")]
        {
            let words = changed_words(old, new);
            let text = |side: &[Word<'_>]| side.iter().map(|word| word.text).collect::<String>();
            assert_eq!((text(&words.old), text(&words.new)), (old.into(), new.into()));
        }
        let words = changed_words("shop for prod", "shop for test");
        let changed: Vec<&str> = words.new.iter().filter(|word| word.changed).map(|word| word.text).collect();
        assert_eq!(changed, ["test"]);
        assert!(words.alike);
    }

    #[test]
    fn a_value_too_long_to_compare_changed_as_a_whole() {
        let (old, new) = ("a ".repeat(LONGEST), "b ".repeat(LONGEST));
        let words = changed_words(&old, &new);
        assert_eq!((words.old.len(), words.alike), (1, false));
    }
}
