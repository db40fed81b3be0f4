//! For people at a terminal or in a log.

pub mod adopt;
pub mod apply;
pub mod drift;
pub mod edits;
pub mod history;
pub mod layout;
pub mod lock;
pub mod plan;
pub mod progress;
pub mod reconcile;
pub mod rehearsal;
pub mod resolve;
pub mod restore;
pub mod state;
mod style;
mod table;
pub mod verify;
pub mod whoami;
mod words;

pub use style::Look;
