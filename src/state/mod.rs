//! What postpay knows that it ordered, and the protocol that keeps it true through crashes.
//!
//! A [`State`] is what the last finished run left; a [`Journal`] is what an open run has done since;
//! [`fold()`] makes the one out of the other. [`StateStore`] is the seam to where they are kept; [`mod@file`] keeps them in a
//! local folder.

#[cfg(test)]
mod arbitrary;
pub mod bill;
pub mod compare;
mod doing;
pub mod edits;
mod error;
pub mod file;
mod fold;
pub mod history;
pub mod journal;
mod recent;
pub mod rescue;
mod succession;
pub mod verify;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

pub use doing::Doing;
pub use error::StateError;
pub use fold::{Folding, fold, rebuild, rebuild_over};
pub use recent::orders_since;

use crate::desired::{Address, Attributes, SourceRef};
use journal::{Event, Journal, RunId, RunStarted};

/// Everything on record, by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub lineage: Lineage,
    pub serial: Serial,
    /// The version of postpay that wrote it.
    pub tool_version: String,
    /// Whom it was ordered from. None before the first run.
    pub account: Option<Account>,
    /// The run that made this serial. Two runs may start from one serial where a state was copied, so the serial alone
    /// does not say whether a run is folded in.
    pub last_run: Option<RunId>,
    pub environments: BTreeMap<Address, Record>,
    /// What was replaced and not given up: it is still there, and still paid for. In the order in which it was replaced.
    pub deposed: Vec<Deposed>,
}

impl State {
    /// Every record, deposed ones included, with the address that it stands or stood at.
    pub fn records(&self) -> impl Iterator<Item = (&Address, &Record)> {
        let deposed = self.deposed.iter();
        self.environments
            .iter()
            .chain(deposed.map(|deposed| (&deposed.address, &deposed.record)))
    }

    /// Every environment id on record, and where it stands.
    pub fn env_ids(&self) -> impl Iterator<Item = (&Address, &str)> {
        self.records()
            .filter_map(|(address, record)| Some((address, record.env_id.as_deref()?)))
    }

    /// What was replaced at this address.
    pub fn deposed_at(&self, address: &Address) -> impl Iterator<Item = &Deposed> {
        let address = address.clone();
        self.deposed
            .iter()
            .filter(move |deposed| deposed.address == address)
    }
}

/// An environment that another one took the address of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposed {
    /// The address that it had.
    pub address: Address,
    pub record: Record,
    /// When its replacement was ordered.
    pub at: Timestamp,
    /// The run that ordered its replacement.
    pub by: RunId,
}

/// The identity of a state through its whole life: made once, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lineage(pub Uuid);

impl Lineage {
    /// A lineage that no other state has.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How often a state was replaced: 0 before the first run, then one more a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial(pub u64);

impl Serial {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Whom a state's environments were ordered from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `sandbox` for an endpoint on this machine, else the vendor's site, or the host of another endpoint.
    pub endpoint: String,
    /// The vendor's number for the main account, where it is known.
    pub uin: Option<String>,
}

impl Account {
    /// The endpoint of whatever is on this machine.
    pub const SANDBOX: &str = "sandbox";
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, uin } = self;
        f.write_str(endpoint)?;
        match uin {
            Some(uin) => write!(f, ", account {uin}"),
            None => Ok(()),
        }
    }
}

/// What is known of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub status: Status,
    pub env_id: Option<String>,
    pub tran_id: Option<String>,
    pub request_id: Option<String>,
    pub origin: Origin,
    /// The fields as ordered.
    pub attributes: Attributes,
    /// When the request was about to be sent.
    pub ordered_at: Timestamp,
    pub run: RunId,
    pub source: SourceRef,
    /// The region that was sent with the order, or where an adopted one was found.
    pub region: Option<String>,
    /// As last declared: it is kept here because it has to hold when nothing is declared any more.
    pub prevent_destroy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The vendor returned an order number and an environment id.
    Created,
    /// The vendor returned an order number, and no environment id yet.
    AwaitingEnvId,
    /// The request may have acted; its answer was lost or can't be trusted.
    Unknown,
    /// Given up; the vendor keeps it in isolation, out of reach, before it deletes it.
    Isolated,
    /// It was asked to be given up, and what became of it was not seen.
    Destroying,
}

impl Status {
    /// As in a state file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::AwaitingEnvId => "awaiting_env_id",
            Self::Unknown => "unknown",
            Self::Isolated => "isolated",
            Self::Destroying => "destroying",
        }
    }

    /// True when it is known which order, or which adoption, the record is of.
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Created | Self::AwaitingEnvId | Self::Isolated | Self::Destroying => true,
            Self::Unknown => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Ordered,
    Imported,
}

impl Origin {
    /// As in a state file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Imported => "imported",
        }
    }
}

/// A state and the run that is open over it, as read at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// None when there never was one.
    pub state: Option<State>,
    /// None when no run is open.
    pub journal: Option<Journal>,
}

impl Snapshot {
    /// The state with the open run folded in; None when nothing was ever recorded.
    pub fn current(self) -> Option<State> {
        match self.journal {
            Some(journal) => Some(fold(self.state, &journal)),
            None => self.state,
        }
    }
}

/// Where states live. Every implementation passes `tests/suite/store_contract`.
pub trait StateStore {
    /// What is on record now. Takes no lock.
    ///
    /// # Errors
    /// A missing state is fine only when nothing says that there was one; see [`StateError`].
    fn read(&self) -> Result<Snapshot, StateError>;

    /// Becomes the one writer, first folding what a dead run left.
    ///
    /// # Errors
    /// [`StateError::Locked`] when another process still holds it after `wait`, else as [`StateStore::read`].
    fn lock(&self, holder: &Holder, wait: Duration) -> Result<Box<dyn StateWriter>, StateError>;

    /// The finished runs, oldest first.
    ///
    /// # Errors
    /// When they can't be listed.
    fn receipts(&self) -> Result<Vec<ReceiptRef>, StateError>;

    /// One finished run.
    ///
    /// # Errors
    /// When it can't be read or its hash chain is broken.
    fn receipt(&self, receipt: &ReceiptRef) -> Result<Journal, StateError>;

    /// Whether there is a writer now. Only a moment's truth.
    ///
    /// # Errors
    /// When it can't be told.
    fn lock_status(&self) -> Result<LockStatus, StateError>;

    /// Rebuilds the state from the receipts, whatever stands in its place now. A run that is open stays so, for the
    /// next writer to fold.
    ///
    /// # Errors
    /// When there are no receipts, one is missing or damaged, or another process holds the lock.
    fn restore(&self, holder: &Holder, wait: Duration) -> Result<State, StateError>;
}

/// The one writer. Dropping it releases the lock; an open run stays open for the next writer to fold.
pub trait StateWriter: Send {
    /// The state that this writer found, with every dead run folded in.
    fn state(&self) -> Option<&State>;

    /// The dead run that was folded when the lock was taken.
    fn recovered(&self) -> Option<RunId>;

    /// Opens a run. On return its first line is on disk.
    ///
    /// # Errors
    /// When it can't be written, a run is open already, or `run` starts from another state than [`Self::state`].
    fn begin(&mut self, at: Timestamp, run: RunStarted) -> Result<(), StateError>;

    /// Confirms that nobody else can be writing: the lock, the journal and the state are the files that this writer opened
    /// or wrote. To be called when an intent is durable and before its request is sent.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] when one of them is not: then nothing may be sent.
    fn check_exclusive(&self) -> Result<(), StateError>;

    /// Adds to the open run. On return the line is on disk.
    ///
    /// # Errors
    /// [`StateError::Io`] when it can't be written: nothing of it is on disk then, or, where not even that can be had,
    /// only the same entry is taken next. [`StateError::Misused`] when no run is open, it has ended, or an intent would
    /// order what may have been ordered already: the last wall before an order is made twice.
    fn append(&mut self, at: Timestamp, event: Event) -> Result<(), StateError>;

    /// Folds the open run, which has ended, into the state, and files its journal with the receipts.
    ///
    /// # Errors
    /// When either can't be written. The journal is still there then, for another try or the next writer.
    fn commit(&mut self) -> Result<State, StateError>;
}

/// Who holds, or wants to hold, the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// `user@host`
    pub who: String,
    pub pid: u32,
    pub since: Timestamp,
    /// The command: `apply`.
    pub doing: String,
}

/// Whether there is a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockStatus {
    Free,
    /// None when the holder has not said who it is, or what it said can't be read.
    Held(Option<Holder>),
}

/// A finished run on file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRef {
    /// The serial that the state had before the run.
    pub base: Serial,
    pub run: RunId,
    pub path: PathBuf,
}
