//! The interface to where a state is stored.
//!
//! [`read`](super::read()), [`Writer`](super::Writer), verify and restore are written once against it. A
//! store only moves bytes and guarantees one writer. Every store passes `tests/suite/store_contract`.
//!
//! The traits are synchronous: a run makes a few small writes per second, each durable before anything else
//! happens, so a remote store may block its thread just as an fsync does.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::codec;
use super::error::{Holder, StateError};
use super::journal::{Journal, RunStarted};
use crate::i18n::text;
use crate::state::record::RunId;
use crate::state::record::Serial;

/// Stores one state, the journal of its open run, and the receipts of its finished runs.
pub trait StateStore {
    /// Returns the names of its files for messages.
    ///
    /// # Errors
    /// When the store's own name is invalid.
    fn places(&self) -> Result<Places, StateError>;

    /// Reads the current content without the lease. A writer may be between two of its steps.
    ///
    /// # Errors
    /// When it can't be read.
    fn inspect(&self) -> Result<Stored, StateError>;

    /// Lists the finished runs, oldest first.
    ///
    /// # Errors
    /// When they can't be listed.
    fn receipts(&self) -> Result<Vec<ReceiptRef>, StateError>;

    /// Reads the journal of a finished run: all of it, or at least its first line.
    ///
    /// # Errors
    /// When it can't be read.
    fn receipt_bytes(&self, receipt: &ReceiptRef, part: Part) -> Result<Vec<u8>, StateError>;

    /// Reads the state before the last run; None when there is none.
    ///
    /// # Errors
    /// When it can't be read.
    fn backup(&self) -> Result<Option<Vec<u8>>, StateError>;

    /// Returns whether there is a writer.
    ///
    /// # Errors
    /// When it can't be determined.
    fn lock_status(&self) -> Result<LockStatus, StateError>;

    /// Acquires the lease, waiting up to `wait`. A process that died holds none.
    ///
    /// # Errors
    /// [`StateError::Locked`] when another process still holds it.
    fn acquire(&self, holder: &Holder, wait: Duration) -> Result<Box<dyn Lease>, StateError>;

    /// Reads one finished run.
    ///
    /// # Errors
    /// When it can't be read, its hash chain is broken, or it is not the run in its name.
    fn receipt(&self, receipt: &ReceiptRef) -> Result<Journal, StateError> {
        let journal = codec::decode_receipt(&receipt.path, &self.receipt_bytes(receipt, Part::Whole)?)?;
        receipt.check(&journal.started)?;
        Ok(journal)
    }
}

/// The right to write. Dropping it releases it; an open run stays open for the next writer.
pub trait Lease: Send {
    /// Returns the lines of the open run from number `from` on, after resolving any uncertain write: the
    /// returned lines are durable, and no others will appear. Empty when no run is open.
    ///
    /// # Errors
    /// When that can't be determined.
    fn read(&mut self, from: u64) -> Result<Vec<u8>, StateError>;

    /// Checks, before anything is billed, that the run can be finished: the lease excludes others, and the
    /// state is unchanged and can be replaced.
    ///
    /// # Errors
    /// When one of these fails.
    fn prepare(&mut self, state: Option<&[u8]>) -> Result<(), StateError>;

    /// Opens a run with its first line, if no run is open. On return the line is durable.
    ///
    /// # Errors
    /// When it can't be written: the run is then not open.
    fn begin(&mut self, run: RunId, line: &[u8]) -> Result<(), StateError>;

    /// Appends line number `seq`, if it does not exist. On return it is durable. After an error it may exist
    /// or not; [`Lease::read`] resolves that.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] for an [`Fence::Intent`] when the lease is lost. When it can't be written.
    fn append(&mut self, seq: u64, line: &[u8], fence: Fence) -> Result<(), StateError>;

    /// Renews the lease, and checks that it is still held and that journal and state are unchanged.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] when they are not: nothing may then be sent.
    fn renew(&mut self) -> Result<(), StateError>;

    /// Replaces the state, if it is still `before`. Returns where `before` is kept.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] when the state has changed. When it can't be written.
    fn replace(
        &mut self,
        before: Option<&[u8]>,
        state: &[u8],
        keep: Keep,
    ) -> Result<Option<PathBuf>, StateError>;

    /// Turns the journal of the open run, which started from `base`, into a receipt. After a crash it may be
    /// one already.
    ///
    /// # Errors
    /// When it can't be moved: it then stays.
    fn close(&mut self, base: Serial, run: RunId) -> Result<(), StateError>;
}

/// Which lines a writer that lost its lease may still append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// An intent: never, since it permits the request.
    Intent,
    /// Anything else: always, so that no id is lost.
    Open,
}

/// How much of a receipt to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    FirstLine,
    Whole,
}

/// Where to keep the replaced state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    AsBackup,
    /// In a separate file with this time; the backup does not change.
    Aside(Timestamp),
}

/// Names of a store's files for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub state: PathBuf,
    pub backup: PathBuf,
    pub journal: PathBuf,
    pub lock: PathBuf,
    pub receipts: PathBuf,
    /// A local path: the prefix of rescue files.
    pub rescue: PathBuf,
}

/// The content of a store. `journal` is read before `state`, so that the state is the one that the run
/// started from, or one that contains the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub journal: Option<Vec<u8>>,
    pub state: Option<Vec<u8>>,
    pub receipts: Vec<ReceiptRef>,
    pub has_backup: bool,
    /// The open run according to the lease.
    pub open_run: Option<RunId>,
}

/// Whether there is a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockStatus {
    Free,
    /// None when the holder can't be read.
    Held(Option<Holder>),
}

/// A finished run in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRef {
    /// The serial before the run.
    pub base: Serial,
    pub run: RunId,
    pub path: PathBuf,
}

impl ReceiptRef {
    /// Fails when the journal is not of the run in the receipt's name.
    pub(super) fn check(&self, started: &RunStarted) -> Result<(), StateError> {
        let RunStarted { run, base, .. } = started;
        if (self.base, self.run) == (*base, *run) {
            return Ok(());
        }
        let why =
            text!("its content is run {run} from serial {base}, which does not match its name", run, base);
        Err(StateError::JournalDamaged { path: self.path.clone(), line: 1, why })
    }
}
