//! A bill against the orders in the state, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::edits::{WarningV1, warning};
use super::state::pretty;
use crate::diagnostic::Diagnostic;
use crate::state::bill::{Billed, Reconciled, Unbilled};
use crate::state::history::HistoryEvent;

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay history reconcile --format json, version 1")]
struct ReconciledV1<'a> {
    format_version: u32,
    file: &'a str,
    column: &'a str,
    agrees: bool,
    lines: usize,
    lines_without_number: usize,
    matched: usize,
    /// On the bill, and not in the state.
    unknown: Vec<BilledV1<'a>>,
    /// On record, and not on the bill.
    unbilled: Vec<UnbilledV1<'a>>,
    /// Maybe ordered, and no TranId is known of it.
    without_tran_id: Vec<NamelessV1<'a>>,
    /// Whether every receipt could be read: `problems` says which not.
    complete: bool,
    problems: Vec<WarningV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Billed")]
struct BilledV1<'a> {
    tran_id: &'a str,
    /// The lines of the file, from 1.
    lines: &'a [u64],
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Unbilled")]
struct UnbilledV1<'a> {
    tran_id: &'a str,
    time: String,
    address: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Nameless")]
struct NamelessV1<'a> {
    time: String,
    address: &'a str,
}

/// The JSON Schema of `history reconcile --format json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ReconciledV1<'_>).to_value()
}

/// Both sides as one JSON document that ends in a newline.
pub fn reconciled(
    file: &str,
    found: &Reconciled,
    nameless: &[&HistoryEvent],
    problems: &[Diagnostic],
) -> String {
    let Reconciled { column, lines, without_number, matched, unknown, unbilled } = found;
    let unknown = unknown.iter().map(|Billed { tran_id, lines }| BilledV1 { tran_id, lines });
    let unbilled = unbilled.iter().map(|Unbilled { tran_id, at, address }| UnbilledV1 {
        tran_id,
        time: at.to_string(),
        address: address.as_str(),
    });
    let nameless = nameless
        .iter()
        .map(|event| NamelessV1 { time: event.at.to_string(), address: event.key.address.as_str() });
    pretty(&ReconciledV1 {
        format_version: 1,
        file,
        column,
        agrees: found.agrees(),
        lines: *lines,
        lines_without_number: *without_number,
        matched: *matched,
        unknown: unknown.collect(),
        unbilled: unbilled.collect(),
        without_tran_id: nameless.collect(),
        complete: problems.is_empty(),
        problems: problems.iter().map(warning).collect(),
    })
}
