//! The fields of a step on a terminal, as name and value.

use crate::plan::Step;
use crate::report::fields::{self, KNOWN_AFTER, NONE, Row, Value};
use crate::report::human::Look;
use crate::report::text::clean;

/// The fields worth showing, as name and value.
pub(super) fn rows(step: &Step, look: Look) -> Vec<(String, String)> {
    let shown = |Row { name, value }: Row| (clean(&name).into_owned(), shown(&value, look));
    fields::rows(step).into_iter().map(shown).collect()
}

fn shown(value: &Value, look: Look) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Word(word) => clean(word).into_owned(),
        Value::KnownAfter => look.faint(KNOWN_AFTER),
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
    format!("\"{}\"", clean(value))
}
