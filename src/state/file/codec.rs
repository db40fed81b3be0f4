//! A journal as bytes and back, without a file: for tools and tests that hold one in their hands.

use std::path::Path;

use super::chain::{self, Chain};
use crate::state::StateError;
use crate::state::journal::{Entry, Journal};

/// Reads a journal's bytes, which a crash may have cut short after the first line. `path` is for messages.
///
/// # Errors
/// [`StateError::Newer`] or [`StateError::JournalDamaged`].
pub fn decode_journal(path: &Path, bytes: &[u8]) -> Result<Journal, StateError> {
    Ok(chain::read(path, bytes)?.journal)
}

/// A journal's bytes, always the same for the same journal.
///
/// # Errors
/// None that a journal of ours can cause.
pub fn encode_journal(journal: &Journal) -> Result<Vec<u8>, StateError> {
    let Journal { started_at, started, entries } = journal;
    let (mut bytes, mut chain) = Chain::start().line(*started_at, started.into())?;
    for Entry { at, event } in entries {
        let (line, next) = chain.line(*at, event.into())?;
        bytes.extend(line);
        chain = next;
    }
    Ok(bytes)
}
