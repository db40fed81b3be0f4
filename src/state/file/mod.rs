//! The local store: a state, its journal, its lock and its receipts in one folder.
//!
//! | file | holds |
//! |---|---|
//! | `postpay.state.json` | the state, replaced whole |
//! | `postpay.state.json.backup` | the one before |
//! | `postpay.journal.jsonl` | the open run; gone when none is |
//! | `postpay.state.lock` | the lock, who holds it, and which run is open |
//! | `postpay.rescue.<run>.json` | outcomes that could not be written to their journal |
//! | `postpay.state.json.replaced-<time>` | what a restore found in the state's place |
//! | `receipts/postpay.000041.<run>.jsonl` | a run that is over, and the serial that it started from |
//!
//! The names follow the state's own, with links followed to the real file first. Readers take no lock; everything
//! that writes is a [`StateWriter`] or [`StateStore::restore`], under it.

mod chain;
mod codec;
mod durable;
mod format;
mod inspect;
mod layout;
mod lock;
mod log;
mod look;
mod own;
mod receipts;
mod rescue;
mod restore;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use codec::{decode_journal, encode_journal};
pub use durable::MOST as MAX_BYTES;
pub use format::{decode_state, encode_state, state_schema};
pub use inspect::LockFile;
pub use restore::{Origin, Present, Proposal, Restored, Restoring};

use super::journal::{Journal, RunId};
use super::rescue::Rescued;
use super::{Holder, LockStatus, ReceiptRef, Snapshot, State, StateError, StateStore, StateWriter};
use crate::files::Links;
use layout::Layout;
use look::Looking;
use writer::FileWriter;

/// States in local files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStore {
    path: PathBuf,
    links: Links,
}

impl FileStore {
    /// The store of the state at `path`. Touches nothing yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), links: Links::Followed }
    }

    /// The store of the state at a path that was resolved: a link on it by now is an error.
    pub fn resolved(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), links: Links::Refused }
    }

    /// The path that was asked for, which may be a link.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that the state's files are really in.
    ///
    /// # Errors
    /// When the path names no file, or its links go round.
    pub fn folder(&self) -> Result<PathBuf, StateError> {
        Ok(self.layout()?.folder)
    }

    /// Keeps outcomes that could not be written to the journal of their run: beside the state, or else in the first of
    /// the folders `elsewhere` that takes them. Says where.
    ///
    /// # Errors
    /// When none of them does.
    pub fn rescue(
        &self,
        elsewhere: &[PathBuf],
        run: RunId,
        rescued: &[Rescued],
    ) -> Result<PathBuf, StateError> {
        rescue::write(&self.layout()?, elsewhere, run, rescued)
    }

    /// A file beside the state that is called after it: `postpay.sandbox.jsonl` for `sandbox.jsonl`.
    ///
    /// # Errors
    /// As [`FileStore::folder`].
    pub fn beside(&self, ending: &str) -> Result<PathBuf, StateError> {
        let Layout { folder, stem, .. } = self.layout()?;
        Ok(folder.join(format!("{stem}.{ending}")))
    }

    /// Whether a path leads to one of the state's own files, by whatever name, which nobody else may write to.
    ///
    /// # Errors
    /// As [`FileStore::folder`], and when the links of `path` go round.
    pub fn owns(&self, path: &Path) -> Result<bool, StateError> {
        own::owns(&self.layout()?, path)
    }

    fn layout(&self) -> Result<Layout, StateError> {
        Layout::of(&self.path, self.links)
    }
}

impl StateStore for FileStore {
    fn read(&self) -> Result<Snapshot, StateError> {
        let found = look::look(&self.layout()?, Looking::Reader)?;
        Ok(Snapshot { state: found.state, journal: found.journal.map(|whole| whole.journal) })
    }

    fn lock(&self, holder: &Holder, wait: Duration) -> Result<Box<dyn StateWriter>, StateError> {
        let layout = self.layout()?;
        let lock = writer::lock(&layout, holder, wait)?;
        Ok(Box::new(FileWriter::new(layout, lock, holder)?))
    }

    fn receipts(&self) -> Result<Vec<ReceiptRef>, StateError> {
        receipts::list(&self.layout()?)
    }

    fn receipt(&self, receipt: &ReceiptRef) -> Result<Journal, StateError> {
        receipts::whole(receipt)
    }

    fn lock_status(&self) -> Result<LockStatus, StateError> {
        lock::status(&self.layout()?.lock)
    }

    fn restore(&self, holder: &Holder, wait: Duration) -> Result<State, StateError> {
        let restored = self.restoring(&Origin::Receipts, holder, wait)?.write()?;
        Ok(restored.proposal.state)
    }
}
