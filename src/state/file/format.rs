//! Bytes of a state file to a [`State`] and back, whatever version they have.

use std::path::Path;

use schemars::generate::SchemaSettings;
use serde::Deserialize;

use crate::lang::Text;
use crate::state::{Doing, FormatVersion, State, StateError};

/// Enough of any version to tell which it is.
#[derive(Deserialize)]
struct AnyVersion {
    format_version: u64,
}

/// Reads a state file's bytes. `path` is for messages.
///
/// # Errors
/// [`StateError::Newer`], [`StateError::Empty`] or [`StateError::Damaged`].
pub fn decode_state(path: &Path, bytes: &[u8]) -> Result<State, StateError> {
    let damaged = |line, column, why| StateError::Damaged { path: path.to_owned(), line, column, why };
    if bytes.trim_ascii().is_empty() {
        return Err(StateError::Empty { path: path.to_owned() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (good, _) = bytes.split_at(error.valid_up_to());
        let (line, column) = position(good);
        damaged(line, column, Text::fixed("it is not UTF-8", "它不是 UTF-8"))
    })?;
    let located = |error: &serde_json::Error| damaged(error.line(), error.column(), without_place(error));
    let any: AnyVersion = serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            let why = Text::fixed(
                "it is no state: it has no number as its `format_version`",
                "它不是状态文件：其 `format_version` 不是数字",
            );
            damaged(error.line(), error.column(), why)
        } else {
            located(&error)
        }
    })?;
    if any.format_version > FormatVersion::NUMBER {
        return Err(StateError::Newer {
            path: path.to_owned(),
            found: any.format_version,
            supported: FormatVersion::NUMBER,
        });
    }
    serde_json::from_str(text).map_err(|error| located(&error))
}

/// A state file's bytes, always the same for the same state.
///
/// # Errors
/// None that a state of ours can cause.
pub fn encode_state(state: &State) -> Result<Vec<u8>, StateError> {
    let mut bytes = serde_json::to_vec_pretty(state).map_err(unwritable)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The JSON Schema of a state file.
pub fn state_schema() -> serde_json::Value {
    // As it is written: an id that is not there is null, and never left out.
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<State>().to_value()
}

pub(super) fn unwritable(error: serde_json::Error) -> StateError {
    StateError::Io { doing: Doing::WriteAsJson, path: "the state".into(), source: error.into() }
}

/// The line and column, from 1, after these bytes.
fn position(bytes: &[u8]) -> (usize, usize) {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.fold((0, 0), |(line, _), last| (line + 1, last.len() + 1))
}

/// The message alone: its place is a part of our own.
pub(super) fn without_place(error: &serde_json::Error) -> Text {
    let text = error.to_string();
    Text::same(match text.rfind(" at line ") {
        Some(place) => text[..place].to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests;
