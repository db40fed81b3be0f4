//! The environments that postpay created or imported, and the protocol that keeps that knowledge true through crashes.
//!
//! A [`State`] is what the last finished run left; a [`Journal`] is what an open run has done since; [`Replay`] applies
//! the one to the other. [`StateStore`] is the seam to where they are stored, [`mod@file`] the store in a local folder.
//! [`read()`], [`Writer`], [`mod@verify`] and [`restore`] work over every store.

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
pub use recent::orders_since;
pub use record::{Account, FormatVersion, Lineage, Origin, Record, RunId, Serial, State, Status};
pub use replay::{Replay, Snapshot, rebuild, replay};
pub use store::{LockStatus, ReceiptRef, StateStore};
pub use writer::Writer;
