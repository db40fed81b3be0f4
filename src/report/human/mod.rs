//! For people at a terminal or in a log.

pub mod apply;
pub mod layout;
pub mod plan;
pub mod rehearsal;
pub mod resolve;
pub mod restore;
pub mod state;
mod style;
pub mod verify;

pub use style::Look;
