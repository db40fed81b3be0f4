//! Small texts that several formats share.

use std::borrow::Cow;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

/// `text` with everything escaped that could move a cursor, colour a line or turn its direction around.
///
/// Names come from manifests and messages from the vendor; neither may draw on a terminal.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(unsafe_to_show) {
        let mut safe = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            if unsafe_to_show(c) {
                safe.extend(c.escape_unicode());
            } else {
                safe.push(c);
            }
        }
        Cow::Owned(safe)
    } else {
        Cow::Borrowed(text)
    }
}

fn unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `0.31 s`, `12.0 s`, `3 min 20 s`, `1 h 23 min`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.2} s", duration.as_secs_f64()),
        10..120 => format!("{:.1} s", duration.as_secs_f64()),
        120..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600.. => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How many columns a text takes on a terminal: a Chinese character takes two.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text, filled up with spaces to so many columns.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{:1$}", "", columns.saturating_sub(width(text)))
}

/// `1 order`, `2 orders`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_gets_through() {
        assert_eq!(clean("我的环境 ok"), "我的环境 ok");
        assert_eq!(clean("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(clean("\u{202e}cod"), "\\u{202e}cod");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let padded = ["ascii", "我的店", "a店"].map(|text| pad(text, 7));
        assert_eq!(padded, ["ascii  ", "我的店 ", "a店    "]);
        assert!(padded.iter().all(|text| width(text) == 7));
        assert_eq!(pad("too long", 3), "too long");
    }

    #[test]
    fn durations_read_well() {
        let texts: Vec<String> = [0.304, 12.0, 200.0, 5000.0]
            .map(|s| duration(Duration::from_secs_f64(s)))
            .into();
        assert_eq!(texts, ["0.30 s", "12.0 s", "3 min 20 s", "1 h 23 min"]);
    }
}
