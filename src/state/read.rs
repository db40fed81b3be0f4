//! Reads a state, and checks that state, journal and receipts agree.
//!
//! A state that is lost, foreign, older than a receipt or forked knows less than was created, and the next apply would create
//! the rest again. So each of these is an error.

use std::path::Path;

use super::codec::{Decoded, decode_open_journal, decode_start, decode_state};
use super::error::StateError;
use super::journal::{Journal, RunStarted};
use super::store::{Part, Places, StateStore, Stored};
use crate::state::record::{Lineage, Serial, State};
use crate::state::replay::Snapshot;
use crate::state::store::{LockStatus, ReceiptRef};

/// Reads the state and the open run. Takes no lock.
///
/// # Errors
/// When what is kept does not agree; see [`StateError`]. A missing state is fine only when nothing says that there was one.
pub fn read(store: &dyn StateStore) -> Result<Snapshot, StateError> {
    let Current { state, journal, .. } = read_current(store, Reader::Unlocked)?;
    Ok(Snapshot { state, journal: journal.map(|decoded| decoded.journal) })
}

/// What is kept, in agreement.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) state: Option<State>,
    /// The bytes that `state` was read from.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) journal: Option<Decoded>,
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// There may be a writer.
    Unlocked,
    /// Nobody else writes.
    Writer,
}

/// Reads what is kept. A writer may commit between two of our reads, so a contradiction counts only when a second look sees
/// the very same.
pub(super) fn read_current(store: &dyn StateStore, reader: Reader) -> Result<Current, StateError> {
    let places = store.places()?;
    let mut stored = store.look()?;
    loop {
        let error = match check(store, &places, &stored, reader) {
            Ok((state, journal)) => return Ok(Current { state, bytes: stored.state, journal }),
            Err(error) => error,
        };
        let again = store.look()?;
        if again == stored {
            return Err(error);
        }
        stored = again;
    }
}

/// Fails unless what is kept agrees.
pub(super) fn check(
    store: &dyn StateStore,
    places: &Places,
    stored: &Stored,
    reader: Reader,
) -> Result<(Option<State>, Option<Decoded>), StateError> {
    let journal = stored.journal.as_ref().map(|bytes| decode_open_journal(&places.journal, bytes));
    let journal = journal.transpose()?;
    let started = journal.as_ref().map(|decoded| &decoded.journal.started);
    let state = stored.state.as_ref().map(|bytes| decode_state(&places.state, bytes)).transpose()?;
    match &state {
        Some(state) => {
            check_receipts(store, places, state, &stored.receipts)?;
            if let Some(started) = started {
                check_journal(places, &places.state, state, started)?;
            }
        }
        None => check_nothing_lost(places, stored, started)?,
    }
    if let Some(run) = stored.open_run {
        let is_known = started.is_some_and(|started| started.run == run)
            || state.as_ref().is_some_and(|state| state.last_run == Some(run))
            || stored.receipts.iter().any(|receipt| receipt.run == run);
        // A live writer may just be between two of its files.
        if !is_known && (reader == Reader::Writer || store.lock_status()? == LockStatus::Free) {
            let (path, evidence) = (places.journal.clone(), shown(&places.lock));
            return Err(StateError::JournalLost { path, run, evidence });
        }
    }
    Ok((state, journal))
}

/// A missing state is fine as long as nothing says that there was one.
fn check_nothing_lost(
    places: &Places,
    stored: &Stored,
    started: Option<&RunStarted>,
) -> Result<(), StateError> {
    let evidence = if let Some(newest) = stored.receipts.last() {
        &newest.path
    } else if started.is_some_and(|started| started.base > Serial::default()) {
        &places.journal
    } else if stored.has_backup {
        // A state is never moved away for its backup: both are there, or the state alone.
        &places.backup
    } else {
        return Ok(());
    };
    Err(StateError::Lost { path: places.state.clone(), evidence: shown(evidence) })
}

/// A state newer than every receipt is fine: receipts may be thrown away, a state may not.
fn check_receipts(
    store: &dyn StateStore,
    places: &Places,
    state: &State,
    receipts: &[ReceiptRef],
) -> Result<(), StateError> {
    let Some(newest) = receipts.last() else {
        return Ok(());
    };
    let started = receipt_start(store, newest)?;
    check_lineage(&places.state, state.lineage, &started, &newest.path)?;
    if state.serial < newest.base.next() {
        return Err(StateError::Older {
            path: places.state.clone(),
            found: state.serial,
            expected: newest.base.next(),
            evidence: shown(&newest.path),
        });
    }
    let other = receipts
        .iter()
        .find(|receipt| receipt.base.next() == state.serial && Some(receipt.run) != state.last_run);
    match other {
        Some(other) => Err(forked(&places.state, state, other.base, &other.path)),
        None => Ok(()),
    }
}

/// Reads how a receipt starts.
pub(super) fn receipt_start(store: &dyn StateStore, receipt: &ReceiptRef) -> Result<RunStarted, StateError> {
    let started = decode_start(&receipt.path, &store.receipt_bytes(receipt, Part::FirstLine)?)?;
    receipt.check(&started)?;
    Ok(started)
}

/// Fails unless the open run can be folded into this state, which was read from `path`.
pub(super) fn check_journal(
    places: &Places,
    path: &Path,
    state: &State,
    started: &RunStarted,
) -> Result<(), StateError> {
    check_lineage(path, state.lineage, started, &places.journal)?;
    if state.last_run == Some(started.run) || state.serial == started.base {
        Ok(())
    } else if state.serial < started.base {
        Err(StateError::Older {
            path: path.to_owned(),
            found: state.serial,
            expected: started.base,
            evidence: shown(&places.journal),
        })
    } else {
        Err(forked(path, state, started.base, &places.journal))
    }
}

pub(super) fn check_lineage(
    path: &Path,
    found: Lineage,
    started: &RunStarted,
    evidence: &Path,
) -> Result<(), StateError> {
    if found == started.lineage {
        return Ok(());
    }
    Err(StateError::Foreign {
        path: path.to_owned(),
        found,
        expected: started.lineage,
        evidence: shown(evidence),
    })
}

fn forked(path: &Path, state: &State, base: Serial, evidence: &Path) -> StateError {
    StateError::Forked { path: path.to_owned(), serial: state.serial, base, evidence: shown(evidence) }
}

/// How messages call what an error is based on.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The lock, and the run that is open.
#[derive(Debug)]
pub struct LockReport {
    pub path: std::path::PathBuf,
    pub status: LockStatus,
    /// The run that is open, or was cut off, or why that can't be determined.
    pub open: Result<Option<Journal>, StateError>,
}

/// Returns who holds the lock, and which run is open. Takes no lock.
///
/// # Errors
/// When it can't be determined whether the lock is held.
pub fn lock_report(store: &dyn StateStore) -> Result<LockReport, StateError> {
    let (path, status) = (store.places()?.lock, store.lock_status()?);
    Ok(LockReport { path, status, open: read(store).map(|snapshot| snapshot.journal) })
}
