//! `history reconcile`: a bill against the orders in the state and the receipts.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, count};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::json::DiagnosticV1;
use crate::i18n::text;
use crate::model::Address;
use crate::state::FormatVersion;
use crate::state::bill::{Billed, Reconciled, Unbilled};
use crate::state::history::HistoryEvent;

/// Both sides.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay history reconcile --format json, version 1")]
pub struct BillView<'a> {
    format_version: FormatVersion,
    file: &'a str,
    agrees: bool,
    #[serde(flatten)]
    found: &'a Reconciled,
    /// Possibly created, without a TranId to compare.
    without_tran_id: Vec<Nameless<'a>>,
    /// Whether every receipt could be read; `problems` lists those that could not.
    complete: bool,
    problems: Vec<DiagnosticV1>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Nameless<'a> {
    #[schemars(with = "String", extend("format" = "date-time"))]
    at: Timestamp,
    address: &'a Address,
}

impl<'a> BillView<'a> {
    /// `nameless` are creates without a known TranId.
    pub fn new(
        file: &'a str,
        found: &'a Reconciled,
        nameless: &[&'a HistoryEvent],
        problems: &[Diagnostic],
    ) -> Self {
        let nameless = nameless.iter().map(|event| Nameless { at: event.at, address: &event.key.address });
        Self {
            format_version: FormatVersion,
            file,
            agrees: found.agrees(),
            found,
            without_tran_id: nameless.collect(),
            complete: problems.is_empty(),
            problems: problems.iter().map(DiagnosticV1::from).collect(),
        }
    }
}

impl View for BillView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let Reconciled { column, lines: n, without_number, matched, unknown, unbilled } = self.found;
        let (file, column) = (clean(self.file), clean(column));
        let numbers = count(*n, "line", "lines");
        let mut lines = Lines::new(options);
        lines.add(text!("{file}: {numbers} with an order number in the column `{column}`, {without_number} without", file, numbers, column, without_number; n));
        if !unknown.is_empty() {
            lines.blank();
            lines.add(options.bad(text!("Billed, but not in the state or the receipts:")));
        }
        for Billed { tran_id, lines: numbers } in unknown {
            let which = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            let (tran_id, what) = (clean(tran_id), if numbers.len() == 1 { "line" } else { "lines" });
            lines.add(text!("  {tran_id}  {what} {which}", tran_id, what, which));
        }
        if !unbilled.is_empty() {
            lines.blank();
            lines.add(options.change(text!("In the state or the receipts, but not billed:")));
        }
        for Unbilled { tran_id, at, address } in unbilled {
            lines.add(format!("  {}  {at:.0}  {address}", clean(tran_id)));
        }
        if !self.without_tran_id.is_empty() {
            lines.blank();
            lines.add(text!("Possibly created, without a TranId to compare:"));
        }
        for Nameless { at, address } in &self.without_tran_id {
            lines.add(format!("  {at:.0}  {address}"));
        }
        let verdict = if self.agrees {
            options.good(text!("no differences"))
        } else {
            let (billed, recorded) = (unknown.len(), unbilled.len());
            options.bad(text!("{billed} only on the bill, {recorded} only in postpay", billed, recorded))
        };
        let orders = count(*matched, "order", "orders");
        lines.blank();
        lines.add(text!("{orders} on both sides; {verdict}.", orders, verdict; matched));
        lines.finish()
    }
}
