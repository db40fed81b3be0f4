//! Reads a state, and checks that it agrees with the journal and receipts.
//!
//! With a state that is lost, foreign, forked or older than a receipt, the next apply would create
//! environments again, so each of these is an error.

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
/// When they contradict each other; see [`StateError`]. A missing state is fine when nothing shows that there
/// was one.
pub fn read(store: &dyn StateStore) -> Result<Snapshot, StateError> {
    let Current { state, journal, .. } = read_current(store, Reader::Unlocked)?;
    Ok(Snapshot { state, journal: journal.map(|decoded| decoded.journal) })
}

/// The checked content of a store.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) state: Option<State>,
    /// The encoded `state`.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) journal: Option<Decoded>,
}

/// Whether the reader is the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Another process may be writing.
    Unlocked,
    /// No other process writes.
    Writer,
}

/// Reads and checks a store. A writer may commit between two reads, so an error only counts when a second
/// attempt reads the same.
pub(super) fn read_current(store: &dyn StateStore, reader: Reader) -> Result<Current, StateError> {
    let places = store.places()?;
    let mut stored = store.inspect()?;
    loop {
        let error = match check(store, &places, &stored, reader) {
            Ok((state, journal)) => return Ok(Current { state, bytes: stored.state, journal }),
            Err(error) => error,
        };
        let again = store.inspect()?;
        if again == stored {
            return Err(error);
        }
        stored = again;
    }
}

/// Checks that the content of a store agrees.
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
        // A live writer may be between two of its files.
        if !is_known && (reader == Reader::Writer || store.lock_status()? == LockStatus::Free) {
            let (path, evidence) = (places.journal.clone(), path_text(&places.lock));
            return Err(StateError::JournalLost { path, run, evidence });
        }
    }
    Ok((state, journal))
}

/// Checks that nothing shows that a missing state existed.
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
        // The state is replaced atomically, so a crash never leaves the backup alone.
        &places.backup
    } else {
        return Ok(());
    };
    Err(StateError::Lost { path: places.state.clone(), evidence: path_text(evidence) })
}

/// Checks the state against the receipts. Receipts may be deleted, so the state may be newer than all of
/// them.
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
            evidence: path_text(&newest.path),
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

/// Reads the first line of a receipt.
pub(super) fn receipt_start(store: &dyn StateStore, receipt: &ReceiptRef) -> Result<RunStarted, StateError> {
    let started = decode_start(&receipt.path, &store.receipt_bytes(receipt, Part::FirstLine)?)?;
    receipt.check(&started)?;
    Ok(started)
}

/// Checks that the open run can be applied to this state, which was read from `path`.
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
            evidence: path_text(&places.journal),
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
        evidence: path_text(evidence),
    })
}

fn forked(path: &Path, state: &State, base: Serial, evidence: &Path) -> StateError {
    StateError::Forked { path: path.to_owned(), serial: state.serial, base, evidence: path_text(evidence) }
}

/// Formats a path for messages.
pub(super) fn path_text(path: &Path) -> String {
    path.display().to_string()
}

/// The lock and the open run.
#[derive(Debug)]
pub struct LockReport {
    pub path: std::path::PathBuf,
    pub status: LockStatus,
    /// The run that is open or was cut off, or why that is unknown.
    pub open: Result<Option<Journal>, StateError>,
}

/// Returns the lock's holder and the open run. Takes no lock.
///
/// # Errors
/// When it can't be determined whether the lock is held.
pub fn lock_report(store: &dyn StateStore) -> Result<LockReport, StateError> {
    let (path, status) = (store.places()?.lock, store.lock_status()?);
    Ok(LockReport { path, status, open: read(store).map(|snapshot| snapshot.journal) })
}
