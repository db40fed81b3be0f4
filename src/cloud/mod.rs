//! The seam to Tencent Cloud: what can be asked of it, and how far each answer can be trusted.
//!
//! [`CloudRead`] reads and repeats a read where that helps; [`CloudWrite`] creates and changes. [`tencent`] speaks the real
//! protocol. Nothing here retries a call that may have acted: the engine decides that from the [`Grade`].

#![allow(
    clippy::result_large_err,
    reason = "an error carries all the evidence there is; there is one a network call, so its size costs nothing"
)]

pub mod api_time;
mod error;
pub mod matching;
mod read;
pub mod shown;
pub mod tencent;
mod write;

pub use error::{CloudError, FREE_REPAIRS, Grade, LOOK_FIRST, NotSent, Scope, SeenIds};
pub use read::{
    Bill, BillOrder, Bills, Caller, CloudRead, Gap, Inside, Listing, Looks, Lookup, Offer, Offers, PayMode,
    Reading, SeenEnvironment, Watcher, gaps_text, missing,
};
pub use write::{CloudWrite, Destroy, Done, ENV_ID, Order, Ordered, Update};
