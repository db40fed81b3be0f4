//! The fields of a step on a terminal, as name and value.

use crate::plan::Step;
use crate::report::fields::{self, KNOWN_AFTER, NONE, Row, Value};
use crate::report::human::Look;
use crate::report::text::clean;

/// The fields worth showing, as name and value.
pub(super) fn rows(step: &Step, look: Look) -> Vec<(String, String)> {
    let shown = |Row { name, value }: Row| (cut(&clean(&name), 0, LONGEST_NAME), shown(&value, look));
    fields::rows(step).into_iter().map(shown).collect()
}

fn shown(value: &Value, look: Look) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Word(word) => clean(word).into_owned(),
        Value::KnownAfter => look.faint(KNOWN_AFTER),
        Value::Changed(Some(old), Some(new)) if old.len().max(new.len()) > LONGEST => {
            let same = old.chars().zip(new.chars()).take_while(|(old, new)| old == new);
            let from = same.count().saturating_sub(BEFORE);
            format!("{} -> {}", quoted_from(old, from), quoted_from(new, from))
        }
        Value::Changed(Some(old), Some(new)) => look.changed_words(old, new),
        Value::Changed(Some(old), None) => format!("{} -> {}", quoted(old), look.bad(NONE)),
        Value::Changed(None, Some(new)) => {
            format!("{} -> {}", look.say(NONE), look.good(quoted(new)))
        }
        Value::Changed(None, None) => String::new(),
        Value::Becomes(old, Some(new)) => format!("{} -> {}", clean(old), clean(new)),
        Value::Becomes(old, None) => format!("{} -> {}", clean(old), look.faint(KNOWN_AFTER)),
    }
}

fn quoted(value: &str) -> String {
    quoted_from(value, 0)
}

fn quoted_from(value: &str, from: usize) -> String {
    format!("\"{}\"", cut(&clean(value), from, LONGEST))
}

/// Characters of a value that are shown; JSON and the plan file have all.
const LONGEST: usize = 4096;
/// Characters of a name that are shown.
const LONGEST_NAME: usize = 200;
/// Characters that are shown before the first that differs.
const BEFORE: usize = 64;

/// At most `most` characters from the one at `from` on, and how many there are when that is not all.
fn cut(text: &str, from: usize, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let length = text.chars().count();
    let from = if length <= most { 0 } else { from };
    let shown: String = text.chars().skip(from).take(most).collect();
    let (start, end) = (from > 0, from + most < length);
    let mark = |is_cut| if is_cut { "…" } else { "" };
    let rest = if start || end { format!(" ({length})") } else { String::new() };
    format!("{}{shown}{}{rest}", mark(start), mark(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_at_their_end_or_around_what_differs() {
        assert_eq!(cut("short", 0, 5), "short");
        assert_eq!(cut("商店商店", 0, 4), "商店商店");
        assert_eq!(cut("abcdefgh", 0, 4), "abcd… (8)");
        assert_eq!(cut("abcdefgh", 2, 4), "…cdef… (8)");
        assert_eq!(cut("abcdefgh", 4, 4), "…efgh (8)");
        let long = "x".repeat(100_000);
        let value = Value::Changed(Some(format!("{long}a")), Some(format!("{long}b")));
        let text = shown(&value, Look::PLAIN);
        assert!(text.len() < 1000 && text.contains("xa (") && text.contains("xb ("), "{text}");
    }
}
