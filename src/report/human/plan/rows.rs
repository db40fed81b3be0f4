//! The fields of a step on a terminal.

use super::Detail;
use crate::i18n::text;
use crate::model::kind::Update;
use crate::plan::{Action, Plan, Step};
use crate::report::fields::{self, KNOWN_AFTER, Row, Value};
use crate::report::human::Look;
use crate::report::text::clean;

/// The values that every environment of a plan has, which are shown once.
#[derive(Debug, Default)]
pub(super) struct Common(Vec<Row>);

impl Common {
    /// Nothing for a plan with fewer than two environments.
    pub(super) fn of(plan: &Plan) -> Self {
        let declared = plan.steps.iter().filter(|step| !step.deposed).filter_map(|step| step.after.as_ref());
        let mut declared = declared.map(fields::values);
        let (Some(mut common), Some(second)) = (declared.next(), declared.next()) else {
            return Self::default();
        };
        for values in std::iter::once(second).chain(declared) {
            common.retain(|row| values.contains(row));
        }
        Self(common)
    }

    pub(super) fn line(&self, look: Look) -> String {
        let values: Vec<String> = self.0.iter().map(|row| assigned(row, look)).collect();
        let values = values.join(", ");
        look.within(look.say(text!("Common to all: {values}", values)) + "\n", 4)
    }
}

/// The fields of a step.
pub(super) struct Fields {
    /// `name = value`, for one line.
    pub set: Vec<String>,
    /// For a line each.
    pub changed: Vec<Line>,
    /// How many values of [`Common`] were left out.
    pub folded: usize,
}

/// A field on a line of its own.
pub(super) struct Line {
    /// `+` for one that is added, `~` for one that changes, `-` for one that is removed.
    pub mark: String,
    pub name: String,
    pub value: String,
    pub forces_replacement: bool,
}

pub(super) fn fields(step: &Step, common: &Common, detail: Detail, look: Look) -> Fields {
    let line = |row: &Row| Line {
        mark: mark(&row.value, look),
        name: name(row),
        value: shown(&row.value, look),
        forces_replacement: forces_replacement(step, row),
    };
    let rows = fields::rows(step);
    if detail == Detail::Full {
        return Fields { set: Vec::new(), changed: rows.iter().map(line).collect(), folded: 0 };
    }
    let rows: Vec<Row> = rows.into_iter().filter(|row| !is_id(row)).collect();
    let (changed, set): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| matches!(row.value, Value::Changed(..) | Value::Becomes(..)));
    let changed = changed.into_iter().map(line).collect();
    // What a replacement does not change is counted behind the ids.
    let set = if step.action == Action::Replace { Vec::new() } else { set };
    let (folded, set): (Vec<&Row>, Vec<&Row>) = set.into_iter().partition(|row| common.0.contains(row));
    Fields { set: set.into_iter().map(|row| assigned(row, look)).collect(), changed, folded: folded.len() }
}

/// Whether it is an id that Tencent Cloud returns, and not a field of the manifest.
fn is_id(row: &Row) -> bool {
    let is_value = matches!(row.value, Value::Text(_) | Value::Changed(..));
    !is_value && ["env_id", "tran_id", "request_id"].contains(&row.name.as_str())
}

fn forces_replacement(step: &Step, row: &Row) -> bool {
    let Some(after) = step.after.as_ref().filter(|_| step.action == Action::Replace) else {
        return false;
    };
    // A member of an object is `field.member`.
    let field = row.name.split('.').next().and_then(|name| after.kind().field(name));
    matches!(row.value, Value::Changed(..)) && field.is_some_and(|field| field.update == Update::Replace)
}

fn name(row: &Row) -> String {
    cut(&clean(&row.name), 0, LONGEST_NAME)
}

fn assigned(row: &Row, look: Look) -> String {
    format!("{} = {}", name(row), shown(&row.value, look))
}

fn mark(value: &Value, look: Look) -> String {
    match value {
        Value::Changed(None, Some(_)) => look.good("+"),
        Value::Changed(Some(_), None) => look.gone("-"),
        Value::Changed(_, _) | Value::Becomes(..) => look.change("~"),
        Value::Text(_) | Value::Word(_) | Value::KnownAfter => " ".to_owned(),
    }
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
        Value::Changed(Some(old), None) => look.gone(quoted(old)),
        Value::Changed(None, Some(new)) => look.good(quoted(new)),
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
