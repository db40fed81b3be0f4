//! The seam to where a state is kept.
//!
//! Everything about runs is written once over it: [`read`](super::read()), [`Writer`](super::Writer), verify and restore. A
//! store only moves bytes, and guarantees that there is one writer. Every store passes `tests/suite/store_contract`.
//!
//! The traits are synchronous: a run makes a few small writes a second, each of which must be durable before anything else
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

/// A place that keeps one state, the journal of its open run, and the receipts of its finished runs.
pub trait StateStore {
    /// How messages call what is kept.
    ///
    /// # Errors
    /// When the store's own name is no good.
    fn places(&self) -> Result<Places, StateError>;

    /// Reads what is kept now, without the lease. A writer may be between two of its steps.
    ///
    /// # Errors
    /// When it can't be determined.
    fn look(&self) -> Result<Stored, StateError>;

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

    /// Returns whether there is a writer at this moment.
    ///
    /// # Errors
    /// When it can't be determined.
    fn lock_status(&self) -> Result<LockStatus, StateError>;

    /// Takes the lease, waiting for it up to `wait`. A process that died holds none.
    ///
    /// # Errors
    /// [`StateError::Locked`] when another process still holds it.
    fn take(&self, holder: &Holder, wait: Duration) -> Result<Box<dyn Lease>, StateError>;

    /// Reads one finished run.
    ///
    /// # Errors
    /// When it can't be read, its hash chain is broken, or it is not the run that its name says.
    fn receipt(&self, receipt: &ReceiptRef) -> Result<Journal, StateError> {
        let journal = codec::decode_receipt(&receipt.path, &self.receipt_bytes(receipt, Part::Whole)?)?;
        receipt.check(&journal.started)?;
        Ok(journal)
    }
}

/// The right to be the one writer. Dropping it releases it; an open run stays open for the next writer.
pub trait Lease: Send {
    /// Returns the lines of the open run from number `from` on, once nothing is uncertain: what is returned is durable, and
    /// what is not will never appear. Empty when no run is open.
    ///
    /// # Errors
    /// When that can't be determined.
    fn read(&mut self, from: u64) -> Result<Vec<u8>, StateError>;

    /// Proves, before anything is paid for, what the end of a run needs: a lease that excludes others, and a state, which is
    /// still this one, that can be replaced.
    ///
    /// # Errors
    /// When one of them does not hold.
    fn prepare(&mut self, state: Option<&[u8]>) -> Result<(), StateError>;

    /// Opens a run with its first line, if no run is open. On return it is durable.
    ///
    /// # Errors
    /// When it can't be written: then the run is not open.
    fn begin(&mut self, run: RunId, line: &[u8]) -> Result<(), StateError>;

    /// Adds line number `seq`, if there is none. On return it is durable. An error leaves open whether it is there, which
    /// [`Lease::read`] finds out.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] for an [`Fence::Intent`] when the lease is lost. When it can't be written.
    fn append(&mut self, seq: u64, line: &[u8], fence: Fence) -> Result<(), StateError>;

    /// Renews the lease, and confirms that it is still held and that nobody else changed the journal or the state.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] when somebody did: then nothing may be sent.
    fn renew(&mut self) -> Result<(), StateError>;

    /// Replaces the state, if it is still `before`. Returns where `before` is kept.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] when it is another one. When it can't be written.
    fn replace(
        &mut self,
        before: Option<&[u8]>,
        state: &[u8],
        keep: Keep,
    ) -> Result<Option<PathBuf>, StateError>;

    /// Makes the journal of the open run, which started from `base`, a receipt. It may be one already, after a crash.
    ///
    /// # Errors
    /// When it can't be moved: then it is still there.
    fn close(&mut self, base: Serial, run: RunId) -> Result<(), StateError>;
}

/// Which lines a writer that lost its lease may still add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// An intent: none. The append is what permits the request.
    Intent,
    /// Anything else: all of them. An id must not be lost because its writer was fenced out.
    Open,
}

/// How much of a receipt is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    FirstLine,
    Whole,
}

/// Where the state that is replaced is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    AsBackup,
    /// Under a name of its own, with this time; the backup stays as it is.
    Aside(Timestamp),
}

/// How messages call what a store keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub state: PathBuf,
    pub backup: PathBuf,
    pub journal: PathBuf,
    pub lock: PathBuf,
    pub receipts: PathBuf,
    /// A local path that the names of rescue files start with.
    pub rescue: PathBuf,
}

/// What a store keeps, as it was at nearly one moment: `journal` is read before `state`, so that the state is the one that
/// the run started from, or one that holds the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub journal: Option<Vec<u8>>,
    pub state: Option<Vec<u8>>,
    pub receipts: Vec<ReceiptRef>,
    pub has_backup: bool,
    /// The run that the lease says is open.
    pub open_run: Option<RunId>,
}

/// Whether there is a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockStatus {
    Free,
    /// None when who holds it can't be read.
    Held(Option<Holder>),
}

/// A finished run that a store keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRef {
    /// The serial that the state had before the run.
    pub base: Serial,
    pub run: RunId,
    pub path: PathBuf,
}

impl ReceiptRef {
    /// Fails when the journal that starts so is not of the run that the name says: it was put in another's place.
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
