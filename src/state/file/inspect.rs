//! Reads everything that is kept of a state, for [`crate::state::verify`] to judge.

use super::format::decode_state;
use super::layout::Layout;
use super::look::{Seen, see};
use super::{FileStore, chain, receipts, rescue};
use crate::state::StateError;
use crate::state::rescue::RescueFile;
use crate::state::verify::{Found, Verification, verify};

impl FileStore {
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
    let state = seen
        .state
        .as_ref()
        .map(|bytes| decode_state(&layout.state, bytes))
        .transpose();
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
