//! Values, texts and comments as YAML.

use std::fmt::Write as _;

use crate::model::{Field, Value};
use crate::sanitize::{Syntax, escape_commands};

pub(super) fn write_field(text: &mut String, field: Field, value: &Value) {
    match value {
        Value::Map(members) => {
            let _ = writeln!(text, "    {field}:");
            for (name, value) in members {
                let _ = writeln!(text, "      {}: {}", scalar(name), scalar(&value.to_string()));
            }
        }
        Value::Bool(truth) => {
            let _ = writeln!(text, "    {field}: {truth}");
        }
        Value::Text(_) | Value::Integer(_) | Value::List(_) => {
            let _ = writeln!(text, "    {field}: {}", scalar(&value.to_string()));
        }
    }
}

/// Returns a text for a comment of one line.
pub(super) fn comment(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    escape_commands(&line, Syntax::Plain).into_owned()
}

/// Returns a text as a YAML scalar: plain if that is unambiguous, else in JSON's quotes, which YAML accepts
/// too.
pub(super) fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    // Some YAML parsers don't read `no`, `null` or `1e3` as a text.
    let is_text =
        serde_yaml::from_str::<serde_yaml::Value>(text).is_ok_and(|value| value.as_str() == Some(text));
    let is_old_boolean = ["y", "n", "yes", "no", "on", "off"].contains(&text);
    if is_word && is_text && !is_old_boolean {
        text.to_owned()
    } else {
        // YAML and JSON escape a bracket alike.
        let quoted = serde_json::Value::from(text).to_string();
        escape_commands(&quoted, Syntax::Json).into_owned()
    }
}
