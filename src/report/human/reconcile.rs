//! A bill against the orders on record.

use std::fmt::Write as _;

use super::Look;
use crate::report::text::{clean, count};
use crate::state::bill::{Billed, Reconciled, Unbilled};
use crate::state::history::Happening;

/// Both sides, and one line that sums up. `nameless` are orders that no number is known of.
pub fn reconciled(file: &str, found: &Reconciled, nameless: &[&Happening], look: Look) -> String {
    let Reconciled {
        column,
        lines,
        without_number,
        matched,
        unknown,
        unbilled,
    } = found;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {} with an order number in the column `{}`, {without_number} without",
        clean(file),
        count(*lines, "line", "lines"),
        clean(column)
    );
    if !unknown.is_empty() {
        let _ = writeln!(out, "\n{}", look.bad("Billed, and not on record:"));
    }
    for Billed { tran_id, lines } in unknown {
        let numbers: Vec<String> = lines.iter().map(|line| line.number.to_string()).collect();
        let amounts: Vec<_> = lines
            .iter()
            .filter_map(|line| line.amount.as_deref().map(clean))
            .collect();
        let amounts = match amounts.as_slice() {
            [] => String::new(),
            amounts => format!("  {}", amounts.join(", ")),
        };
        let what = if numbers.len() == 1 { "line" } else { "lines" };
        let _ = writeln!(
            out,
            "  {}  {what} {}{amounts}",
            clean(tran_id),
            numbers.join(", ")
        );
    }
    if !unbilled.is_empty() {
        let _ = writeln!(out, "\n{}", look.change("On record, and not billed:"));
    }
    for Unbilled {
        tran_id,
        at,
        address,
    } in unbilled
    {
        let _ = writeln!(out, "  {}  {at:.0}  {address}", clean(tran_id));
    }
    if !nameless.is_empty() {
        let _ = writeln!(
            out,
            "\nMaybe ordered, and no TranId is known that a bill could tell of:"
        );
    }
    for happening in nameless {
        let _ = writeln!(out, "  {:.0}  {}", happening.at, happening.address);
    }
    let verdict = if found.agrees() {
        look.good("nothing is on one side only")
    } else {
        look.bad(format!(
            "{} only on the bill, {} only on record",
            unknown.len(),
            unbilled.len()
        ))
    };
    let _ = writeln!(
        out,
        "\n{} on both sides; {verdict}.",
        count(*matched, "order", "orders")
    );
    out
}
