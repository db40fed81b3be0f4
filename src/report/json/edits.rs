//! An edit of the state for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::state::{DifferenceV1, difference, pretty};
use crate::diagnostic::Diagnostic;
use crate::i18n::Text;
use crate::state::State;
use crate::state::edits::{Change, Kind};

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay state mv|rm|push --format json, version 1")]
struct EditsV1<'a> {
    format_version: u32,
    command: &'a str,
    /// False for a dry run, and where there was nothing to write.
    written: bool,
    serial_before: u64,
    /// Null when nothing was written.
    serial: Option<u64>,
    run: Option<String>,
    changes: Vec<ChangeV1<'a>>,
    warnings: Vec<WarningV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeV1<'a> {
    /// add, change, move or forget.
    change: &'static str,
    address: &'a str,
    /// Whether it is about an environment that another one took the address of.
    deposed: bool,
    status: &'static str,
    env_id: Option<&'a str>,
    tran_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    fields: Vec<DifferenceV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Warning")]
pub(super) struct WarningV1<'a> {
    code: &'a str,
    message: &'a str,
    help: Vec<&'a str>,
}

/// The JSON Schema of `state mv|rm|push --format json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(EditsV1<'_>).to_value()
}

/// What a command line changes as one JSON document that ends in a newline. `written` is the state after it.
pub fn changes(
    line: &str,
    before: &State,
    changes: &[Change],
    warnings: &[Diagnostic],
    written: Option<&State>,
) -> String {
    pretty(&EditsV1 {
        format_version: 1,
        command: line,
        written: written.is_some(),
        serial_before: before.serial.0,
        serial: written.map(|state| state.serial.0),
        run: written.and_then(|state| Some(state.last_run?.to_string())),
        changes: changes.iter().map(change).collect(),
        warnings: warnings.iter().map(warning).collect(),
    })
}

fn change(change: &Change) -> ChangeV1<'_> {
    let Change { key, record, kind } = change;
    let (word, to, fields) = match kind {
        Kind::Added => ("add", None, &[][..]),
        Kind::Changed(fields) => ("change", None, fields.as_slice()),
        Kind::Moved { to } => ("move", Some(to.address.as_str()), &[][..]),
        Kind::Forgotten => ("forget", None, &[][..]),
    };
    ChangeV1 {
        change: word,
        address: key.address.as_str(),
        deposed: key.is_deposed(),
        status: record.status.name(),
        env_id: record.env_id.as_deref(),
        tran_id: record.tran_id.as_deref(),
        to,
        fields: fields.iter().map(difference).collect(),
    }
}

pub(super) fn warning(diagnostic: &Diagnostic) -> WarningV1<'_> {
    WarningV1 {
        code: diagnostic.code,
        message: diagnostic.message.en(),
        help: diagnostic.help.iter().map(Text::en).collect(),
    }
}
