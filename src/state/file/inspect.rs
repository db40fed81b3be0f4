//! Reads everything that is kept of a state, for [`crate::state::verify`] to judge and for `lock status` to show.

use std::path::PathBuf;

use super::format::decode_state;
use super::layout::Layout;
use super::look::{Seen, see};
use super::{FileStore, chain, durable, lock, receipts, rescue};
use crate::state::journal::{Journal, RunId};
use crate::state::rescue::RescueFile;
use crate::state::verify::{Found, Verification, verify};
use crate::state::{Holder, LockStatus, StateError};

/// The lock as it was found.
#[derive(Debug)]
pub struct LockFile {
    pub path: PathBuf,
    pub status: LockStatus,
    /// Whom a free lock still names: a process that died.
    pub left: Option<Holder>,
    /// The run that is open, or was cut off, or why that can't be determined.
    pub open: Result<Option<Journal>, StateError>,
}

impl FileStore {
    /// Who holds the lock, and which run is open. Takes no lock.
    ///
    /// # Errors
    /// When it can't be determined whether the lock is held.
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
                Err(StateError::JournalLost {
                    path: layout.journal.clone(),
                    run,
                    evidence: receipts::shown(&layout.lock),
                })
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

    /// State, journal, receipts and rescue files against each other. Takes no lock.
    ///
    /// # Errors
    /// When the files can't be listed or read at all. What is wrong with them is in the [`Verification`].
    pub fn verify(&self) -> Result<Verification, StateError> {
        let layout = self.layout()?;
        // A writer may commit while we read: as for every reader, a problem counts when it is still there with the
        // very same files.
        let mut seen = see(&layout)?;
        loop {
            let verification = verify(found(&layout, &seen));
            let again = see(&layout)?;
            if verification.problems.is_empty() || again == seen {
                return Ok(verification);
            }
            seen = again;
        }
    }

    /// Everything that is kept, as it can be read, for what looks back: a damaged file takes no other with it. Takes no lock.
    ///
    /// # Errors
    /// When the files can't be listed or read at all.
    pub fn kept(&self) -> Result<Found, StateError> {
        let layout = self.layout()?;
        Ok(found(&layout, &see(&layout)?))
    }

    /// The rescue files beside the state.
    ///
    /// # Errors
    /// When the path names no file.
    pub fn rescues(&self) -> Result<Vec<RescueFile>, StateError> {
        Ok(rescue::list(&self.layout()?))
    }
}

fn found(layout: &Layout, seen: &Seen) -> Found {
    let state = seen.state.as_ref().map(|bytes| decode_state(&layout.state, bytes)).transpose();
    let journal = seen.journal.as_ref().map_or(Ok(None), |bytes| {
        let whole = chain::read(&layout.journal, bytes)?;
        Ok(Some(whole.journal))
    });
    let receipts = seen.receipts.iter().map(|receipt| {
        let journal = receipts::whole(receipt);
        (receipt.clone(), journal)
    });
    Found {
        state_path: layout.state.clone(),
        journal_path: layout.journal.clone(),
        state,
        journal,
        receipts: receipts.collect(),
        rescues: rescue::list(layout),
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
