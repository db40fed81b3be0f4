//! The environments that postpay created or imported, and the protocol that keeps them through crashes.
//!
//! A [`State`] is the result of the last finished run; a [`journal::Journal`] has the events of an open one;
//! [`Replay`] applies it to the state. [`StateStore`] is the interface to storage: [`mod@file`] keeps
//! a state in a local folder, [`mod@postgres`] in a database. [`read()`], [`Writer`], [`mod@verify`] and [`restore`] work with every store.

#[cfg(test)]
mod arbitrary;
pub mod bill;
mod codec;
pub mod compare;
pub mod edits;
mod error;
#[cfg(test)]
pub(crate) mod faulty;
pub mod file;
pub mod history;
pub mod journal;
pub mod postgres;
mod read;
mod recent;
mod record;
mod replay;
pub mod rescue;
pub mod restore;
mod runs;
pub mod store;
pub mod verify;
mod writer;

pub use codec::{decode_journal, decode_state, encode_journal, encode_state, state_schema};
pub use error::{Holder, IoOp, StateError};
pub use read::{LockReport, lock_report, read};
pub use recent::creates_since;
pub use record::{Account, FormatVersion, Lineage, Origin, Record, RunId, Serial, State, Status};
pub use replay::{Replay, Snapshot, rebuild, replay};
pub use store::{LockStatus, ReceiptRef, StateStore};
pub use writer::Writer;
