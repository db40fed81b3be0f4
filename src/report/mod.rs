//! Plans, runs and states for people and programs: one file a format over the same values.
//!
//! Text and JSON have a file for each kind of value. All other formats show a [`page::Page`], which is made of a value once.
//!
//! Everything here returns text. Where it goes, and whether it may be coloured, is the command line's business.

pub mod csv;
pub mod events;
mod fields;
mod formatted;
pub mod github;
pub mod html;
pub mod human;
pub mod identity;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod page;
pub mod sarif;
mod text;
mod words;

pub use formatted::Formatted;
pub use text::{clean, count, duration};
