//! `state restore`: what it would write, and what it would change.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, clean_text, count};
use super::verify::{and_deposed, describe_difference};
use crate::i18n::{Text, text};
use crate::state::compare::Difference;
use crate::state::journal::RunId;
use crate::state::restore::{Present, Proposal};
use crate::state::{FormatVersion, Lineage, Serial};

/// The state that is restored, beside what is there.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay state restore --format json, version 1")]
pub struct RestoreView<'a> {
    format_version: FormatVersion,
    from: &'a str,
    serial: Serial,
    lineage: Lineage,
    environments: usize,
    deposed: usize,
    /// How many receipts are merged in.
    receipts: usize,
    /// none, unreadable or state.
    present: &'static str,
    present_serial: Option<Serial>,
    /// Why the present state cannot be read.
    present_error: Option<Text>,
    changes_nothing: bool,
    differences: &'a [Difference],
    open_run: Option<RunId>,
    written: bool,
    /// Where the previous file is kept.
    kept: Option<String>,
}

impl<'a> RestoreView<'a> {
    /// `written` is false for a dry run.
    pub fn new(proposal: &'a Proposal, written: bool, kept: Option<&Path>) -> Self {
        let (present, present_serial, present_error, differences) = match &proposal.present {
            Present::Nothing => ("none", None, None, &[][..]),
            Present::Unreadable(error) => ("unreadable", None, Some(clean_text(error)), &[][..]),
            Present::State { serial, differences } => ("state", Some(*serial), None, differences.as_slice()),
        };
        Self {
            format_version: FormatVersion,
            from: &proposal.from,
            serial: proposal.state.serial,
            lineage: proposal.state.lineage,
            environments: proposal.state.current().count(),
            deposed: proposal.state.deposed().count(),
            receipts: proposal.folded,
            present,
            present_serial,
            present_error,
            changes_nothing: proposal.changes_nothing(),
            differences,
            open_run: proposal.open,
            written,
            kept: kept.map(|path| path.display().to_string()),
        }
    }
}

impl View for RestoreView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let (serial, lineage, n, folded) = (self.serial, self.lineage, self.environments, self.receipts);
        let (head, from) = (options.strong(text!("Restored state:")), clean(self.from));
        let environments = count(n, "environment", "environments");
        let deposed = and_deposed(self.deposed);
        let receipts = count(folded, "receipt", "receipts");
        let mut lines = Lines::new(options);
        lines.add(text!(
            "{head} serial {serial}, {environments}{deposed}, lineage {lineage}", head, serial, environments, deposed, lineage; n));
        lines.add(text!("From {from}, with {receipts} merged in.", from, receipts; folded));
        lines.add(match (&self.present_error, self.present_serial) {
            (Some(error), _) => text!("Cannot read the current state: {error}", error),
            (None, None) => text!("There is no state file yet."),
            (None, Some(_)) if self.differences.is_empty() => text!("The current state is the same."),
            (None, Some(serial)) => text!("\nChanges to the current state (serial {serial}):", serial),
        });
        for difference in self.differences {
            let text = describe_difference(difference, &text!("current"), &text!("restored"));
            lines.row(2, "", 0, text);
        }
        if let Some(run) = self.open_run {
            lines.blank();
            lines.add(text!(
                "Run {run} is open or was interrupted: its journal stays, and the next command that writes the state merges it.",
                run
            ));
        }
        lines.finish()
    }
}
