//! Plans, runs and states for people and programs: one file a format over the same values.
//!
//! Everything here returns text. Where it goes, and whether it may be coloured, is the command line's business.

pub mod csv;
pub mod events;
mod formatted;
pub mod human;
pub mod json;
mod text;

pub use formatted::Formatted;
pub use text::{clean, count, duration};
