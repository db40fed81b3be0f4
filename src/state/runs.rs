//! The order of runs: receipts as a sequence of serials, and a state's position in it. Pure.

use std::path::Path;

use super::store::ReceiptRef;
use crate::state::error::StateError;
use crate::state::record::{Serial, State};

/// Returns the serial after a run that started from `base`.
///
/// Of two runs that started from the same serial, the second raises it past the first: later runs started
/// from there.
pub(super) fn serial_after(before: Option<Serial>, base: Serial) -> Serial {
    before.map_or(base.next(), |before| before.next().max(base.next()))
}

/// Returns the gaps in the receipts from serial `from` on, up to `end`, if there is one.
pub(super) fn missing_receipts(
    from: Serial,
    receipts: &[ReceiptRef],
    end: Option<(Serial, &Path)>,
) -> Vec<StateError> {
    let mut at = from;
    let mut missing = Vec::new();
    let mut check = |at: Serial, next: Serial, evidence: &Path| {
        if next > at {
            let evidence = evidence.display().to_string();
            missing.push(StateError::ReceiptsMissing { from: at, to: next, evidence });
        }
    };
    for ReceiptRef { base, path, .. } in receipts {
        check(at, *base, path);
        at = serial_after(Some(at), *base);
    }
    if let Some((serial, path)) = end {
        check(at, serial, path);
    }
    missing
}

/// Returns the receipts, oldest first, of runs that this state, which was read from `path`, does not contain.
///
/// Earlier receipts may have been deleted.
///
/// # Errors
/// [`StateError::Forked`] when a run led to another state of the same serial.
pub(super) fn receipts_after<'a>(
    state: &State,
    path: &Path,
    receipts: &'a [ReceiptRef],
) -> Result<&'a [ReceiptRef], StateError> {
    let forked = |from: &ReceiptRef| StateError::Forked {
        path: path.to_owned(),
        serial: state.serial,
        base: from.base,
        evidence: from.path.display().to_string(),
    };
    if let Some(place) = receipts.iter().position(|receipt| Some(receipt.run) == state.last_run) {
        let (held, rest) = receipts.split_at(place + 1);
        let serial = held.iter().fold(None, |at, receipt| Some(serial_after(at, receipt.base)));
        if serial == Some(state.serial) {
            return Ok(rest);
        }
        // It contains its last run, and no other one with the same or an earlier serial.
        return Err(forked(&held[place.saturating_sub(1)]));
    }
    if let Some(other) = receipts.iter().find(|receipt| receipt.base.next() == state.serial) {
        return Err(forked(other));
    }
    Ok(&receipts[receipts.partition_point(|receipt| receipt.base < state.serial)..])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use uuid::Uuid;

    use super::*;
    use crate::state::record::RunId;
    use crate::state::record::{FormatVersion, Lineage};

    fn receipts(list: &[(u64, u128)]) -> Vec<ReceiptRef> {
        let receipt = |&(base, run): &(u64, u128)| ReceiptRef {
            base: Serial(base),
            run: RunId(Uuid::from_u128(run)),
            path: PathBuf::from(run.to_string()),
        };
        list.iter().map(receipt).collect()
    }

    /// Returns the runs after a state, or the evidence that it is forked.
    fn after(serial: u64, last_run: u128, receipts: &[ReceiptRef]) -> Result<Vec<u64>, String> {
        let state = State {
            format_version: FormatVersion,
            lineage: Lineage(Uuid::from_u128(1)),
            serial: Serial(serial),
            tool_version: String::new(),
            account: None,
            last_run: Some(RunId(Uuid::from_u128(last_run))),
            environments: BTreeMap::new(),
        };
        match receipts_after(&state, Path::new("state"), receipts) {
            Ok(rest) => Ok(rest.iter().map(|receipt| receipt.base.0).collect()),
            Err(StateError::Forked { evidence, .. }) => Err(evidence),
            Err(error) => panic!("{error}"),
        }
    }

    fn gaps(from: u64, receipts: &[ReceiptRef], end: Option<u64>) -> Vec<(u64, u64)> {
        let missing =
            missing_receipts(Serial(from), receipts, end.map(|end| (Serial(end), Path::new("state"))));
        let gap = |error| match error {
            StateError::ReceiptsMissing { from, to, .. } => (from.0, to.0),
            error => panic!("{error}"),
        };
        missing.into_iter().map(gap).collect()
    }

    #[test]
    fn runs_missing_from_a_state_follow_it() {
        let all = receipts(&[(0, 10), (1, 11), (2, 12)]);
        assert_eq!(after(1, 10, &all), Ok(vec![1, 2]));
        assert_eq!(after(3, 12, &all), Ok(vec![]));
        assert_eq!(after(2, 99, &all[2..]), Ok(vec![2]), "the beginning was thrown away");
        assert_eq!(after(9, 99, &all), Ok(vec![]));
        assert_eq!(after(1, 10, &all[2..]), Ok(vec![2]));
    }

    #[test]
    fn missing_receipts_are_found_anywhere() {
        let all = receipts(&[(0, 10), (1, 11), (2, 12), (3, 13)]);
        assert_eq!(gaps(0, &all, Some(4)), []);
        assert_eq!(gaps(0, &[], None), []);
        assert_eq!(gaps(0, &all[2..], Some(4)), [(0, 2)]);
        assert_eq!(gaps(0, &[all[0].clone(), all[3].clone()], Some(6)), [(1, 3), (4, 6)]);
    }

    #[test]
    fn state_off_the_line_of_receipts_is_forked() {
        let all = receipts(&[(0, 10), (1, 11), (2, 12)]);
        assert_eq!(after(2, 77, &all), Err("11".to_owned()));
        // Two runs from serial 1.
        let forked = receipts(&[(0, 10), (1, 11), (1, 12), (3, 13)]);
        assert_eq!(gaps(0, &forked, Some(4)), []);
        assert_eq!(after(1, 10, &forked), Ok(vec![1, 1, 3]));
        assert_eq!(after(2, 11, &forked), Ok(vec![1, 3]));
        assert_eq!(after(2, 12, &forked), Err("11".to_owned()), "it holds the second and not the first");
        assert_eq!(after(3, 12, &forked), Ok(vec![3]));
    }
}
