//! What is on disk now, and whether state, journal and receipts tell one story. The tripwire against ordering twice.
//!
//! A state that is lost, foreign, older than a receipt or a copy with a life of its own knows less than was ordered. To
//! take it for the truth is to order the rest again, so each is an error of its own.

use std::fs;
use std::io;
use std::path::Path;

use super::chain::{self, Whole};
use super::durable::{failed, read};
use super::format::decode_state;
use super::layout::Layout;
use super::lock;
use super::receipts;
use crate::state::Doing;
use crate::state::journal::{RunId, RunStarted};
use crate::state::{LockStatus, ReceiptRef, Serial, State, StateError};

/// What was found, in agreement.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) state: Option<State>,
    /// The bytes that `state` was read from, for the backup.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) journal: Option<Whole>,
}

/// The files, as they were at nearly one moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) state: Option<Vec<u8>>,
    pub(super) journal: Option<Vec<u8>>,
    pub(super) receipts: Vec<ReceiptRef>,
    /// Whether the state before this one was kept.
    backup: bool,
    /// The run that the lock's file says is open.
    named: Option<RunId>,
}

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Looking {
    /// Without the lock: there may be a writer.
    Reader,
    /// With the lock: nobody else writes.
    Writer,
}

/// Reads all there is. Takes no lock.
///
/// A writer may commit between two of our reads, and then what we saw contradicts itself for a moment. So an
/// objection only counts when a second look sees the very same files. The journal is read before the state: whatever
/// state follows it, it is the one that the run started from or one that holds the run.
pub(super) fn look(layout: &Layout, who: Looking) -> Result<Found, StateError> {
    let mut seen = see(layout)?;
    loop {
        let objection = match judge(layout, &seen, who) {
            Ok(found) => {
                return Ok(Found { bytes: seen.state, ..found });
            }
            Err(objection) => objection,
        };
        let again = see(layout)?;
        if again == seen {
            return Err(objection);
        }
        seen = again;
    }
}

/// What is there now.
pub(super) fn see(layout: &Layout) -> Result<Seen, StateError> {
    Ok(Seen {
        journal: read(&layout.journal)?,
        state: read(&layout.state)?,
        receipts: receipts::list(layout)?,
        backup: is_there(&layout.backup)?,
        named: lock::named_run(&layout.lock)?,
    })
}

/// Whether anything has this name, a link that leads nowhere included.
fn is_there(path: &Path) -> Result<bool, StateError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(Doing::LookFor, path)(error)),
    }
}

fn judge(layout: &Layout, seen: &Seen, who: Looking) -> Result<Found, StateError> {
    let journal = match &seen.journal {
        Some(bytes) => Some(chain::read(&layout.journal, bytes)?),
        None => None,
    };
    let started = journal.as_ref().map(|whole| &whole.journal.started);
    let state = if let Some(bytes) = &seen.state {
        let state = decode_state(&layout.state, bytes)?;
        agrees_with_receipts(layout, &state, &seen.receipts)?;
        if let Some(started) = started {
            agrees_with_journal(layout, &layout.state, &state, started)?;
        }
        Some(state)
    } else {
        never_was(layout, seen.receipts.last(), started, seen.backup)?;
        None
    };
    if let Some(run) = seen.named {
        let known = started.is_some_and(|started| started.run == run)
            || state.as_ref().is_some_and(|state| state.last_run == Some(run))
            || seen.receipts.iter().any(|receipt| receipt.run == run);
        if !known && is_abandoned(layout, who)? {
            return Err(StateError::JournalLost {
                path: layout.journal.clone(),
                run,
                evidence: receipts::shown(&layout.lock),
            });
        }
    }
    Ok(Found { state, bytes: None, journal })
}

/// Whether the writer that last named a run is gone. A live one may just be between two of its files.
fn is_abandoned(layout: &Layout, who: Looking) -> Result<bool, StateError> {
    match who {
        Looking::Writer => Ok(true),
        Looking::Reader => Ok(lock::status(&layout.lock)? == LockStatus::Free),
    }
}

/// A missing state is fine as long as nothing says that there was one.
fn never_was(
    layout: &Layout,
    newest: Option<&ReceiptRef>,
    started: Option<&RunStarted>,
    backup: bool,
) -> Result<(), StateError> {
    let evidence = match (newest, started) {
        (Some(newest), _) => &newest.path,
        (None, Some(started)) if started.base > Serial::default() => &layout.journal,
        // A state is never moved away for its backup: both are there, or the state alone.
        (None, Some(_) | None) if backup => &layout.backup,
        (None, Some(_) | None) => return Ok(()),
    };
    Err(StateError::Lost { path: layout.state.clone(), evidence: receipts::shown(evidence) })
}

/// A state newer than every receipt is fine: receipts may be thrown away, a state may not.
fn agrees_with_receipts(layout: &Layout, state: &State, receipts: &[ReceiptRef]) -> Result<(), StateError> {
    let Some(newest) = receipts.last() else {
        return Ok(());
    };
    let started = receipts::start(newest)?;
    same_lineage(&layout.state, state, &started, &newest.path)?;
    if state.serial < newest.base.next() {
        return Err(StateError::Older {
            path: layout.state.clone(),
            found: state.serial,
            expected: newest.base.next(),
            evidence: receipts::shown(&newest.path),
        });
    }
    let stray = receipts
        .iter()
        .find(|receipt| receipt.base.next() == state.serial && Some(receipt.run) != state.last_run);
    match stray {
        Some(stray) => Err(forked(&layout.state, state, stray.base, &stray.path)),
        None => Ok(()),
    }
}

/// Whether the open run can be folded into this state, which was read from `path`.
pub(super) fn agrees_with_journal(
    layout: &Layout,
    path: &Path,
    state: &State,
    started: &RunStarted,
) -> Result<(), StateError> {
    same_lineage(path, state, started, &layout.journal)?;
    if state.last_run == Some(started.run) || state.serial == started.base {
        Ok(())
    } else if state.serial < started.base {
        Err(StateError::Older {
            path: path.to_owned(),
            found: state.serial,
            expected: started.base,
            evidence: receipts::shown(&layout.journal),
        })
    } else {
        Err(forked(path, state, started.base, &layout.journal))
    }
}

fn same_lineage(path: &Path, state: &State, started: &RunStarted, evidence: &Path) -> Result<(), StateError> {
    if state.lineage == started.lineage {
        return Ok(());
    }
    Err(StateError::Foreign {
        path: path.to_owned(),
        found: state.lineage,
        expected: started.lineage,
        evidence: receipts::shown(evidence),
    })
}

fn forked(path: &Path, state: &State, base: Serial, evidence: &Path) -> StateError {
    StateError::Forked {
        path: path.to_owned(),
        serial: state.serial,
        base,
        evidence: receipts::shown(evidence),
    }
}
