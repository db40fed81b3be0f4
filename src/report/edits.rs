//! `state mv`, `state rm` and `state push`: what an edit of the state changes.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, clean_text};
use super::verify::{describe_difference, describe_record, quoted};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::json::DiagnosticV1;
use crate::i18n::{Text, text};
use crate::state::compare::Difference;
use crate::state::edits::{Change, Kind};
use crate::state::journal::RunId;
use crate::state::{FormatVersion, Record, Serial, State, Status};

/// What a command changes in the state.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay state mv|rm|push --format json, version 1")]
pub struct EditView<'a> {
    format_version: FormatVersion,
    command: &'a str,
    /// False for a dry run, and where there was nothing to write.
    written: bool,
    serial_before: Serial,
    /// Null when nothing was written.
    serial: Option<Serial>,
    run: Option<RunId>,
    changes: &'a [Change],
    warnings: Vec<DiagnosticV1>,
}

impl<'a> EditView<'a> {
    /// `written` is the state after the edit.
    pub fn new(
        command: &'a str,
        before: &State,
        changes: &'a [Change],
        warnings: &[Diagnostic],
        written: Option<&State>,
    ) -> Self {
        Self {
            format_version: FormatVersion,
            command,
            written: written.is_some(),
            serial_before: before.serial,
            serial: written.map(|state| state.serial),
            run: written.and_then(|state| state.last_run),
            changes,
            warnings: warnings.iter().map(DiagnosticV1::from).collect(),
        }
    }
}

impl View for EditView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let mut lines = Lines::new(options);
        lines.add(options.strong(clean(self.command)));
        if self.changes.is_empty() {
            lines.row(2, "", 0, text!("no changes"));
        }
        for Change { key, record, kind } in self.changes {
            let (name, state) = (clean_text(key), describe_record(record));
            let (mark, text) = match kind {
                Kind::Added => (options.good("+"), text!("{name}: {state}", name, state)),
                Kind::Changed { .. } => (options.change("~"), name),
                Kind::Moved { to } => {
                    let to = clean_text(to);
                    let text = text!("{name} is renamed to {to}: {state}", name, to, state);
                    (options.change("~"), text)
                }
                Kind::Forgotten => {
                    let text = text!("{name} is removed from the state: {state}", name, state);
                    (options.bad("-"), text)
                }
            };
            lines.row(2, mark + " ", 0, text);
            match kind {
                Kind::Added | Kind::Moved { .. } => {}
                Kind::Changed { fields } => {
                    for field in fields {
                        lines.row(6, "", 0, describe_change(field));
                    }
                }
                Kind::Forgotten => lines.row(6, "", 0, what_remains(record)),
            }
        }
        lines.finish()
    }
}

/// Returns what a forgotten environment does at Tencent Cloud.
const fn what_remains(record: &Record) -> Text {
    match record.status {
        Status::Created => Text::fixed("it keeps running and keeps billing"),
        Status::AwaitingEnvId => {
            Text::fixed("Tencent Cloud accepted the order: its environment keeps running and keeps billing")
        }
        Status::Unknown => {
            Text::fixed("its outcome is unknown; if it was created, it keeps running and keeps billing")
        }
        Status::Destroying => {
            Text::fixed("its destroy could not be confirmed; if it still exists, it keeps billing")
        }
        Status::Isolated => Text::fixed("Tencent Cloud isolated it, and will delete it later"),
    }
}

fn describe_change(difference: &Difference) -> Text {
    match difference {
        Difference::Field { key: _, name, found, expected } => {
            let (found, expected) = (quoted(found.as_ref()), quoted(expected.as_ref()));
            text!("{name}: {found} -> {expected}", name, found, expected)
        }
        Difference::Member { .. } | Difference::Missing { .. } | Difference::Surplus { .. } => {
            describe_difference(difference, &text!("before"), &text!("after"))
        }
    }
}
