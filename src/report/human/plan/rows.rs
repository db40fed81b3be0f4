//! The fields of a step: what is ordered, what changes, and the ids.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::desired::{Attributes, Field};
use crate::plan::{Action, Ids, Step};
use crate::report::human::Look;
use crate::report::text::clean;

/// The fields worth showing, as name and value.
pub(super) fn rows(step: &Step, look: Look) -> Vec<(String, String)> {
    let mut rows = match (step.action, &step.before, &step.after) {
        (Action::Create, _, Some(after)) => {
            let mut rows = values(after);
            let ids = [("env_id", after.creates_environment()), ("tran_id", true)];
            for (id, _) in ids.into_iter().filter(|(_, unknown)| *unknown) {
                rows.push((id.to_owned(), look.faint("(known after apply)")));
            }
            rows
        }
        (Action::Replace, Some(before), Some(after)) if step.refusal.is_none() => {
            return replacement(step, before, after, look);
        }
        (Action::Update | Action::Replace, Some(before), Some(after)) => {
            changes(step, before, after, look)
        }
        (Action::Import, _, Some(after)) => values(after),
        (Action::Destroy, Some(before), _) if step.refusal.is_none() => values(before),
        (_, _, _) => Vec::new(),
    };
    if step.changes_protection() {
        let (before, after) = (step.was_protected, step.prevent_destroy);
        rows.push(("prevent_destroy".to_owned(), format!("{before} -> {after}")));
    }
    let Ids {
        env_id,
        tran_id,
        request_id,
    } = &step.ids;
    for (name, id) in [
        ("env_id", env_id),
        ("tran_id", tran_id),
        ("request_id", request_id),
    ] {
        rows.extend(
            id.as_ref()
                .map(|id| (name.to_owned(), clean(id).into_owned())),
        );
    }
    rows
}

/// The whole order, what changes marked, and the ids that it replaces.
fn replacement(
    step: &Step,
    before: &Attributes,
    after: &Attributes,
    look: Look,
) -> Vec<(String, String)> {
    let changed = changes(step, before, after, look);
    let mut rows: Vec<(String, String)> = values(after)
        .into_iter()
        .filter(|(name, _)| changed.iter().all(|(other, _)| other != name))
        .chain(changed.clone())
        .collect();
    let unknown = look.faint("(known after apply)");
    let Ids {
        env_id, tran_id, ..
    } = &step.ids;
    for (name, id) in [("env_id", env_id), ("tran_id", tran_id)] {
        let old = id.as_deref().map_or("-".into(), clean);
        rows.push((name.to_owned(), format!("{old} -> {unknown}")));
    }
    rows
}

fn values(attributes: &Attributes) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (field, value) in attributes.iter() {
        match (field, members(value)) {
            (Field::Extra, Some(members)) => {
                for (name, value) in members {
                    rows.push((member_name(&name), clean(&value.to_string()).into_owned()));
                }
            }
            (_, _) => rows.push((field.name().to_owned(), quoted(value))),
        }
    }
    rows
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", clean(value))
}

fn changes(
    step: &Step,
    before: &Attributes,
    after: &Attributes,
    look: Look,
) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for field in step.changed_fields() {
        let (old, new) = (before.get(field), after.get(field));
        match (field, old.and_then(members), new.and_then(members)) {
            (Field::Extra, Some(old), Some(new)) => rows.extend(changed_members(&old, &new, look)),
            (_, _, _) => rows.push((field.name().to_owned(), change(old, new, look))),
        }
    }
    rows
}

fn change(old: Option<&str>, new: Option<&str>, look: Look) -> String {
    match (old, new) {
        (Some(old), Some(new)) => look.changed_words(old, new),
        (Some(old), None) => format!("{} -> {}", quoted(old), look.bad("(none)")),
        (None, Some(new)) => format!("(none) -> {}", look.good(quoted(new))),
        (None, None) => String::new(),
    }
}

type Members = BTreeMap<String, Value>;

/// `extra` by its members, when it is a JSON object.
fn members(wire: &str) -> Option<Members> {
    serde_json::from_str(wire).ok()
}

fn member_name(name: &str) -> String {
    format!("extra.{}", clean(name))
}

fn changed_members(old: &Members, new: &Members, look: Look) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| {
            let (old, new) = (old.get(name).map(text), new.get(name).map(text));
            (
                member_name(name),
                change(old.as_deref(), new.as_deref(), look),
            )
        })
        .collect()
}
