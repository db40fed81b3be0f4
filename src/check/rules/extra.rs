//! An `extra` mapping is sent as compact JSON with sorted keys, so it must have a form in JSON.

use std::fmt::Write as _;
use std::str::FromStr as _;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::{Text, text};
use crate::manifest::{Mapping, Node, Value};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        if written.field != postpay::EXTRA {
            continue;
        }
        if let Value::Mapping(members) = written.node.value()
            && let Err(found) = compact_json(members)
        {
            problems.extend(found);
        }
    }
}

/// The mapping as JSON without blanks, the keys of every object sorted.
pub(in crate::check) fn compact_json(members: Mapping<'_>) -> Result<String, Vec<Diagnostic>> {
    let mut json = String::new();
    let mut problems = Vec::new();
    object(members, &mut json, &mut problems);
    if problems.is_empty() { Ok(json) } else { Err(problems) }
}

/// How deep it goes is bounded where the YAML is read.
fn value(node: Node<'_>, json: &mut String, problems: &mut Vec<Diagnostic>) {
    match node.value() {
        Value::Null => json.push_str("null"),
        Value::Bool(true) => json.push_str("true"),
        Value::Bool(false) => json.push_str("false"),
        Value::Text(text) => string(text, json),
        Value::Number(text) => match number(text) {
            Ok(number) => json.push_str(&number),
            Err(why) => problems.push(
                Diagnostic::error("invalid-extra", why)
                    .on(&node.span())
                    .help(text!("write it in quotes: \"{text}\"", "请加上引号：\"{text}\"")),
            ),
        },
        Value::Sequence(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                value(item, json, problems);
            }
            json.push(']');
        }
        Value::Mapping(members) => object(members, json, problems),
    }
}

fn object(members: Mapping<'_>, json: &mut String, problems: &mut Vec<Diagnostic>) {
    let mut entries: Vec<_> = members.iter().collect();
    entries.sort_by_key(crate::manifest::Entry::name);
    json.push('{');
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        string(entry.name(), json);
        json.push(':');
        value(entry.value, json, problems);
    }
    json.push('}');
}

fn string(text: &str, json: &mut String) {
    // Display of a JSON value is its compact form, and writing to a String cannot fail.
    let _ = write!(json, "{}", serde_json::Value::from(text));
}

fn number(text: &str) -> Result<String, Text> {
    let number = serde_yaml::Number::from_str(text).map_err(|_| {
        text!("`{text}` is too large for a number in JSON", "`{text}` 超出了 JSON 数字的范围")
    })?;
    if let Some(whole) = number.as_u64() {
        return Ok(whole.to_string());
    }
    if let Some(whole) = number.as_i64() {
        return Ok(whole.to_string());
    }
    number
        .as_f64()
        .and_then(serde_json::Number::from_f64)
        .map(|finite| finite.to_string())
        .ok_or_else(|| text!("`{text}` is no number in JSON", "`{text}` 不是 JSON 允许的数字"))
}
