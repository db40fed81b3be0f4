//! Which runs follow which: receipts as a line of serials, and where a state stands in it. Pure.

use super::{ReceiptRef, Serial, State};

/// Why receipts can't be folded on top of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach<'a> {
    /// The run from serial `at`, or the runs up to `before`, left no receipt.
    Gap { at: Serial, before: &'a ReceiptRef },
    /// The receipt's run led to another state of the same serial.
    Fork(&'a ReceiptRef),
}

/// The serial after one more run.
///
/// Where two runs started from the same serial, the second raises the serial past the first: a run after both was
/// started from there.
pub(super) fn reached(before: Option<Serial>, base: Serial) -> Serial {
    before.map_or(base.next(), |before| before.next().max(base.next()))
}

/// The first place, if any, where runs are missing between serial `from` and the newest of these receipts.
pub(super) fn gap(from: Serial, receipts: &[ReceiptRef]) -> Option<Breach<'_>> {
    let mut at = from;
    for receipt in receipts {
        if receipt.base > at {
            return Some(Breach::Gap { at, before: receipt });
        }
        at = reached(Some(at), receipt.base);
    }
    None
}

/// The receipts, oldest first, of runs that this state does not hold.
///
/// Receipts may have been thrown away, so those before the state need not be there.
pub(super) fn unheld<'a>(state: &State, receipts: &'a [ReceiptRef]) -> Result<&'a [ReceiptRef], Breach<'a>> {
    let last = receipts.iter().position(|receipt| Some(receipt.run) == state.last_run);
    let rest = if let Some(place) = last {
        let held = &receipts[..=place];
        let serial = held.iter().fold(None, |at, receipt| Some(reached(at, receipt.base)));
        // It holds its last run, and not another one that started from the same serial as an earlier one.
        if serial != Some(state.serial) {
            return Err(Breach::Fork(held.get(place - 1).unwrap_or(&held[place])));
        }
        &receipts[place + 1..]
    } else {
        let stray = receipts.iter().find(|receipt| receipt.base.next() == state.serial);
        if let Some(stray) = stray {
            return Err(Breach::Fork(stray));
        }
        let place = receipts.partition_point(|receipt| receipt.base < state.serial);
        &receipts[place..]
    };
    match gap(state.serial, rest) {
        Some(breach) => Err(breach),
        None => Ok(rest),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use uuid::Uuid;

    use super::*;
    use crate::state::Lineage;
    use crate::state::journal::RunId;

    fn receipts(of: &[(u64, u128)]) -> Vec<ReceiptRef> {
        let made = of.iter().map(|(base, run)| ReceiptRef {
            base: Serial(*base),
            run: RunId(Uuid::from_u128(*run)),
            path: PathBuf::new(),
        });
        made.collect()
    }

    fn state(serial: u64, last_run: u128) -> State {
        State {
            format_version: crate::state::FormatVersion,
            lineage: Lineage(Uuid::from_u128(1)),
            serial: Serial(serial),
            tool_version: String::new(),
            account: None,
            last_run: Some(RunId(Uuid::from_u128(last_run))),
            environments: BTreeMap::new(),
        }
    }

    #[test]
    fn what_a_state_does_not_hold_is_what_follows_it_without_a_gap() {
        let whole = receipts(&[(0, 10), (1, 11), (2, 12)]);
        assert_eq!(unheld(&state(1, 10), &whole), Ok(&whole[1..]));
        assert_eq!(unheld(&state(3, 12), &whole), Ok(&whole[3..]));
        // The beginning was thrown away.
        assert_eq!(unheld(&state(2, 99), &whole[2..]), Ok(&whole[2..]));
        assert_eq!(unheld(&state(9, 99), &whole), Ok(&whole[3..]));
        assert_eq!(unheld(&state(1, 10), &whole[2..]), Err(Breach::Gap { at: Serial(1), before: &whole[2] }));
    }

    #[test]
    fn a_state_beside_the_line_is_a_fork() {
        let whole = receipts(&[(0, 10), (1, 11), (2, 12)]);
        assert_eq!(unheld(&state(2, 77), &whole), Err(Breach::Fork(&whole[1])));
        // Two runs from serial 1, both in what follows.
        let forked = receipts(&[(0, 10), (1, 11), (1, 12), (3, 13)]);
        assert_eq!(gap(Serial(0), &forked), None);
        assert_eq!(unheld(&state(1, 10), &forked), Ok(&forked[1..]));
        assert_eq!(unheld(&state(2, 11), &forked), Ok(&forked[2..]));
        assert_eq!(
            unheld(&state(2, 12), &forked),
            Err(Breach::Fork(&forked[1])),
            "it holds the second and not the first"
        );
        assert_eq!(unheld(&state(3, 12), &forked), Ok(&forked[3..]));
    }
}
