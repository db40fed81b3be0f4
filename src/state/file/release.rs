//! What the lock's file says, and what of it can be cleared.
//!
//! The lock itself is the operating system's and dies with its process: there is nothing to release. What is left behind
//! are words, and of those the name of an open run may be the only trace of a journal that is gone.

use std::path::PathBuf;

use super::format::decode_state;
use super::layout::Layout;
use super::{FileStore, chain, durable, lock, receipts};
use crate::state::journal::{Journal, RunId};
use crate::state::{Holder, LockStatus, StateError};

/// The lock as it was found.
#[derive(Debug)]
pub struct LockFile {
    pub path: PathBuf,
    pub status: LockStatus,
    /// Of a lock that is free: who it names all the same. Dead, as the lock is free.
    pub left: Option<Holder>,
    /// The run that is open, or was cut off, or why that can't be told.
    pub open: Result<Option<Journal>, StateError>,
}

/// What became of the words in the lock's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Released {
    /// There were none.
    Nothing,
    /// They named a dead process, and are gone. None when they could not be read.
    Cleared(Option<Holder>),
    /// They name a run that the next writer folds, and stay until it has.
    OpenRun(RunId),
}

impl FileStore {
    /// Who holds the lock, and which run is open. Takes no lock.
    ///
    /// # Errors
    /// When it can't be told whether the lock is held.
    pub fn lock_file(&self) -> Result<LockFile, StateError> {
        let layout = self.layout()?;
        let before = lock::words(&layout.lock)?;
        let status = lock::status(&layout.lock)?;
        // A writer that came in the meantime is no dead one.
        let words = lock::words(&layout.lock)?.filter(|words| Some(words) == before.as_ref());
        let open = open_run(&layout);
        let named = words.as_ref().and_then(|words| words.run);
        let open = match (open, named, &status) {
            (Ok(None), Some(run), LockStatus::Free) if !is_filed(&layout, run) => {
                Err(lost(&layout, run))
            }
            (open, _, _) => open,
        };
        Ok(LockFile {
            left: match status {
                LockStatus::Free => words.and_then(|words| words.holder),
                LockStatus::Held(_) => None,
            },
            path: layout.lock,
            status,
            open,
        })
    }

    /// Clears what a dead process left in the lock's file, where that can't hide anything.
    ///
    /// # Errors
    /// [`StateError::Locked`] when a living process holds it, [`StateError::JournalLost`] when it names a run whose journal
    /// is gone, and when that can't be told.
    pub fn release_lock(&self) -> Result<Released, StateError> {
        let layout = self.layout()?;
        let mut open = None;
        let cleared = lock::clear(&layout.lock, |words| {
            let Some(run) = words.run else {
                return Ok(true);
            };
            if is_filed(&layout, run) {
                return Ok(true);
            }
            match open_run(&layout)? {
                Some(journal) if journal.started.run == run => {
                    open = Some(run);
                    Ok(false)
                }
                Some(_) | None => Err(lost(&layout, run)),
            }
        })?;
        Ok(match (cleared, open) {
            (None, _) => Released::Nothing,
            (Some(_), Some(run)) => Released::OpenRun(run),
            (Some((words, _)), None) => Released::Cleared(words.holder),
        })
    }
}

fn open_run(layout: &Layout) -> Result<Option<Journal>, StateError> {
    let bytes = durable::read(&layout.journal)?;
    let whole = bytes.map(|bytes| chain::read(&layout.journal, &bytes));
    Ok(whole.transpose()?.map(|whole| whole.journal))
}

/// Whether a run is over and on file, so that nothing needs its name any more.
fn is_filed(layout: &Layout, run: RunId) -> bool {
    let receipts = receipts::list(layout).unwrap_or_default();
    let bytes = durable::read(&layout.state).ok().flatten();
    let state = bytes.and_then(|bytes| decode_state(&layout.state, &bytes).ok());
    receipts.iter().any(|receipt| receipt.run == run)
        || state.is_some_and(|state| state.last_run == Some(run))
}

fn lost(layout: &Layout, run: RunId) -> StateError {
    StateError::JournalLost {
        path: layout.journal.clone(),
        run,
        evidence: receipts::shown(&layout.lock),
    }
}
