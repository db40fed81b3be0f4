//! The local store: a state, its journal, its lock and its receipts in one folder.
//!
//! | file | holds |
//! |---|---|
//! | `postpay.state.json` | the state, replaced whole |
//! | `postpay.state.json.backup` | the one before |
//! | `postpay.journal.jsonl` | the open run; gone when none is |
//! | `postpay.state.lock` | the lock, and who holds it |
//! | `receipts/postpay.000041.<run>.jsonl` | a run that is over, and the serial that it started from |
//!
//! The names follow the state's own, with links followed to the real file first. Readers take no lock; everything
//! that writes is a [`StateWriter`] or [`StateStore::restore`], under it.

mod chain;
mod codec;
mod durable;
mod format;
mod journal_v1;
mod layout;
mod lock;
mod log;
mod look;
mod members;
mod receipts;
mod v1;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use codec::{decode_journal, encode_journal};
pub use format::{decode_state, encode_state, state_schema};

use super::journal::Journal;
use super::{
    Holder, LockStatus, ReceiptRef, Serial, Snapshot, State, StateError, StateStore, StateWriter,
    rebuild,
};
use layout::Layout;
use writer::FileWriter;

/// States in local files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    /// The store of the state at `path`. Touches nothing yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
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

    fn layout(&self) -> Result<Layout, StateError> {
        Layout::of(&self.path)
    }
}

impl StateStore for FileStore {
    fn read(&self) -> Result<Snapshot, StateError> {
        let found = look::look(&self.layout()?)?;
        Ok(Snapshot {
            state: found.state,
            journal: found.journal.map(|whole| whole.journal),
        })
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
        let layout = self.layout()?;
        let _lock = writer::lock(&layout, holder, wait)?;
        let listed = receipts::list(&layout)?;
        without_gaps(&layout, &listed)?;
        let journals = listed
            .iter()
            .map(receipts::whole)
            .collect::<Result<Vec<_>, _>>()?;
        if let Some((first, other)) = of_two_lineages(&journals) {
            return Err(StateError::Foreign {
                path: listed[other].path.clone(),
                found: journals[other].started.lineage,
                expected: journals[first].started.lineage,
                evidence: receipts::shown(&listed[first].path),
            });
        }
        let state = rebuild(&journals).ok_or(StateError::Misused(
            "there are no receipts to rebuild a state from",
        ))?;
        // A state that can't be read is no backup, and must not take the place of one that can.
        let before = durable::read(&layout.state)?
            .filter(|bytes| decode_state(&layout.state, bytes).is_ok());
        writer::write_state(&layout, before.as_deref(), &state)?;
        Ok(state)
    }
}

/// A state rebuilt without one of its runs would forget what that run ordered.
///
/// Counts as [`rebuild`] does, where two runs from one serial make the next run start one higher.
fn without_gaps(layout: &Layout, receipts: &[ReceiptRef]) -> Result<(), StateError> {
    let mut next = Serial::default();
    for receipt in receipts {
        if receipt.base > next {
            let name = format!("{}.{:06}.*.jsonl", layout.stem, next.0);
            return Err(StateError::Lost {
                path: layout.receipts.join(name),
                evidence: receipts::shown(&receipt.path),
            });
        }
        next = next.next();
    }
    Ok(())
}

fn of_two_lineages(journals: &[Journal]) -> Option<(usize, usize)> {
    let first = journals.first()?.started.lineage;
    let other = journals
        .iter()
        .position(|journal| journal.started.lineage != first)?;
    Some((0, other))
}
