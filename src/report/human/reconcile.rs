//! A bill against the orders in the state.

use std::fmt::Write as _;

use super::Look;
use crate::i18n::text;
use crate::report::text::{clean, count};
use crate::state::bill::{Billed, Reconciled, Unbilled};
use crate::state::history::HistoryEvent;

/// Both sides, and one line that sums up. `nameless` are orders that no number is known of.
pub fn reconciled(file: &str, found: &Reconciled, nameless: &[&HistoryEvent], look: Look) -> String {
    let Reconciled { column, lines, without_number, matched, unknown, unbilled } = found;
    let mut out = String::new();
    let (file, column, n) = (clean(file), clean(column), *lines);
    let lines = count(n, "line", "lines");
    let text = text!(
        "{file}: {lines} with an order number in the column `{column}`, {without_number} without", file, lines, column, without_number; n);
    let _ = writeln!(out, "{}", look.say(text));
    if !unknown.is_empty() {
        let head = look.bad(text!("Billed, but not in the state or the receipts:"));
        let _ = writeln!(out, "\n{head}");
    }
    for Billed { tran_id, lines } in unknown {
        let numbers: Vec<String> = lines.iter().map(u64::to_string).collect();
        let (tran_id, which) = (clean(tran_id), numbers.join(", "));
        let what = if numbers.len() == 1 { "line" } else { "lines" };
        let text = text!("  {tran_id}  {what} {which}", tran_id, what, which);
        let _ = writeln!(out, "{}", look.say(text));
    }
    if !unbilled.is_empty() {
        let head = look.change(text!("In the state or the receipts, but not billed:"));
        let _ = writeln!(out, "\n{head}");
    }
    for Unbilled { tran_id, at, address } in unbilled {
        let _ = writeln!(out, "  {}  {at:.0}  {address}", clean(tran_id));
    }
    if !nameless.is_empty() {
        let head = text!("Possibly created, without a TranId to compare:");
        let _ = writeln!(out, "\n{}", look.say(head));
    }
    for event in nameless {
        let _ = writeln!(out, "  {:.0}  {}", event.at, event.key.address);
    }
    let verdict = if found.agrees() {
        look.good(text!("no differences"))
    } else {
        let (billed, recorded) = (unknown.len(), unbilled.len());
        look.bad(text!("{billed} only on the bill, {recorded} only in postpay", billed, recorded))
    };
    let orders = count(*matched, "order", "orders");
    let text = text!("{orders} on both sides; {verdict}.", orders, verdict; matched);
    let _ = writeln!(out, "\n{}", look.say(text));
    out
}
