//! The fields of a step: what is created, what changes, and the ids. Renderers escape the values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::i18n::Text;
use crate::model::{Attributes, Shape};
use crate::plan::{Action, Ids, Step};

/// A field and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text from the manifest, shown in quotes.
    Text(String),
    /// An id, or another word that needs no quotes.
    Word(String),
    /// Tencent Cloud chooses it.
    KnownAfter,
    /// A text that changes; None where it is added or removed.
    Changed(Option<String>, Option<String>),
    /// A word that changes; None where Tencent Cloud chooses the new one.
    Becomes(String, Option<String>),
}

/// Stands for a missing value.
pub(super) const NONE: Text = Text::fixed("(none)");

/// Stands for a value that Tencent Cloud chooses.
pub(super) const KNOWN_AFTER: Text = Text::fixed("(known after apply)");

/// Returns the fields of a step in the order of the manifest, and the ids.
pub(super) fn rows(step: &Step) -> Vec<Row> {
    let mut rows = match (step.action, &step.before, &step.after) {
        (Action::Create, _, Some(after)) => {
            let mut rows = values(after);
            let ids = [("env_id", after.creates_environment()), ("tran_id", after.kind().returns_tran_id)];
            for (id, _) in ids.into_iter().filter(|(_, unknown)| *unknown) {
                rows.push(row(id, Value::KnownAfter));
            }
            rows
        }
        (Action::Replace, Some(before), Some(after)) if step.blocker.is_none() => {
            return replacement(step, before, after);
        }
        (Action::Update | Action::Replace, Some(before), Some(after)) => changes(step, before, after),
        (Action::Import, _, Some(after)) => values(after),
        (Action::Destroy, Some(before), _) if step.blocker.is_none() => values(before),
        (_, _, _) => Vec::new(),
    };
    if step.changes_protection() {
        let (before, after) = (step.was_protected, step.prevent_destroy);
        let value = if step.before.is_none() {
            Value::Word(after.to_string())
        } else {
            Value::Becomes(before.to_string(), Some(after.to_string()))
        };
        rows.push(row("prevent_destroy", value));
    }
    let Ids { env_id, tran_id, request_id } = &step.ids;
    for (name, id) in [("env_id", env_id), ("tran_id", tran_id), ("request_id", request_id)] {
        rows.extend(id.as_ref().map(|id| row(name, Value::Word(id.clone()))));
    }
    rows
}

fn row(name: impl Into<String>, value: Value) -> Row {
    let name = name.into();
    Row { name, value }
}

/// Returns all fields, with the changed ones marked, and the ids that are replaced.
fn replacement(step: &Step, before: &Attributes, after: &Attributes) -> Vec<Row> {
    let changed = changes(step, before, after);
    let names: BTreeSet<&str> = changed.iter().map(|row| row.name.as_str()).collect();
    let mut rows: Vec<Row> = values(after)
        .into_iter()
        .filter(|row| !names.contains(row.name.as_str()))
        .chain(changed.clone())
        .collect();
    let Ids { env_id, tran_id, .. } = &step.ids;
    for (name, id) in [("env_id", env_id), ("tran_id", tran_id)] {
        let old = id.clone().unwrap_or_else(|| "-".to_owned());
        rows.push(row(name, Value::Becomes(old, None)));
    }
    rows
}

/// Returns the fields that are set.
pub(super) fn values(attributes: &Attributes) -> Vec<Row> {
    let mut rows = Vec::new();
    for (field, value) in attributes.iter() {
        match (field.shape, value.as_text().and_then(members)) {
            (Shape::Json, Some(members)) => {
                for (name, value) in members {
                    rows.push(row(member_name(field.name, &name), Value::Word(value.to_string())));
                }
            }
            (_, _) if value.as_text().is_none() => rows.push(row(field.name, Value::Word(value.to_string()))),
            (_, _) => rows.push(row(field.name, Value::Text(value.to_string()))),
        }
    }
    rows
}

fn changes(step: &Step, before: &Attributes, after: &Attributes) -> Vec<Row> {
    let mut rows = Vec::new();
    for field in step.changed_fields() {
        let (old, new) = (before.get(field), after.get(field));
        let json = |attributes: &Attributes| attributes.text(field).and_then(members);
        if let (Shape::Json, Some(old), Some(new)) = (field.shape, json(before), json(after)) {
            rows.extend(changed_members(field.name, &old, &new));
        } else {
            let (old, new) = (old.map(ToString::to_string), new.map(ToString::to_string));
            let value = match (old, new) {
                (Some(old), Some(new)) if [Shape::Bool, Shape::Integer].contains(&field.shape) => {
                    Value::Becomes(old, Some(new))
                }
                (old, new) => Value::Changed(old, new),
            };
            rows.push(row(field.name, value));
        }
    }
    rows
}

type Members = BTreeMap<String, Json>;

/// Returns the members of a text that is a JSON object.
fn members(wire: &str) -> Option<Members> {
    serde_json::from_str(wire).ok()
}

fn member_name(field: &str, name: &str) -> String {
    format!("{field}.{name}")
}

fn changed_members(field: &str, old: &Members, new: &Members) -> Vec<Row> {
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| {
            let (old, new) = (old.get(name).map(text), new.get(name).map(text));
            row(member_name(field, name), Value::Changed(old, new))
        })
        .collect()
}
