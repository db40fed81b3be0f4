//! Plans, runs and states for people and programs. Everything here returns text; the command line decides where it goes.
//!
//! Each command has one [`View`](document::View), which holds facts and words: its serialisation is `--format json`, its text is
//! for terminals and logs, and its [`Report`](view::Report) is what [`markdown`], [`html`], [`sarif`], [`junit`] and [`github`]
//! add their markup to. A new command is a new view; a new format is a function that renders a report.

pub mod apply;
pub mod bill;
pub mod document;
pub mod drift;
pub mod edits;
pub mod events;
mod fields;
pub mod fmt;
pub mod generate;
pub mod github;
pub mod history;
pub mod html;
pub mod import;
pub mod junit;
mod labels;
mod lines;
pub mod lock;
pub mod markdown;
pub mod options;
pub mod place;
pub mod plan;
pub mod progress;
pub mod rehearsal;
pub mod resolve;
pub mod restore;
mod result;
pub mod sarif;
pub mod schemas;
pub mod state;
mod text;
pub mod validate;
pub mod verify;
pub mod view;
pub mod whoami;

pub use options::RenderOptions;
pub use text::{clean, count, duration};

#[cfg(test)]
mod tests;
