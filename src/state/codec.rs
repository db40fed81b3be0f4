//! Encodes and decodes states and journals. No files.
//!
//! A journal is one JSON object per line, each with the hash of the line before, without its line ending. A
//! crash can only cut off the end, and a line counts once its line feed is there. Any other change
//! invalidates the whole journal.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{IoOp, StateError};
use super::journal::{Entry, Event, Journal, RunStarted};
use crate::i18n::{Text, text};
use crate::state::record::{FormatVersion, State};

/// The version alone: later versions may have other members.
#[derive(Deserialize)]
struct AnyVersion {
    format_version: u64,
}

impl AnyVersion {
    fn check(&self, path: &Path) -> Result<(), StateError> {
        if self.format_version <= FormatVersion::NUMBER {
            return Ok(());
        }
        Err(StateError::Newer {
            path: path.to_owned(),
            found: self.format_version,
            supported: FormatVersion::NUMBER,
        })
    }
}

/// Reads a state file's bytes. `path` is for messages.
///
/// # Errors
/// [`StateError::Newer`], [`StateError::Empty`] or [`StateError::Damaged`].
pub fn decode_state(path: &Path, bytes: &[u8]) -> Result<State, StateError> {
    let damaged = |line, column, why| StateError::Damaged { path: path.to_owned(), line, column, why };
    if bytes.trim_ascii().is_empty() {
        return Err(StateError::Empty { path: path.to_owned() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let lines = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n');
        let (line, column) = lines.fold((0, 0), |(line, _), last| (line + 1, last.len() + 1));
        damaged(line, column, Text::fixed("not UTF-8"))
    })?;
    let located = |error: &serde_json::Error| damaged(error.line(), error.column(), without_place(error));
    let error = match serde_json::from_str(text) {
        Ok(state) => return Ok(state),
        Err(error) => error,
    };
    // Check the version first, since a later one has other members.
    let any: AnyVersion = serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            let why = Text::fixed("not a state file: its `format_version` is not a number");
            damaged(error.line(), error.column(), why)
        } else {
            located(&error)
        }
    })?;
    any.check(path)?;
    Err(located(&error))
}

/// Encodes a state. Equal states give equal bytes.
///
/// None for a state that postpay made.
pub fn encode_state(state: &State) -> Result<Vec<u8>, StateError> {
    let mut bytes = Vec::with_capacity(512 * (state.environments.len() + 1));
    // One space of indentation: readable, at two thirds of the size.
    let layout = serde_json::ser::PrettyFormatter::with_indent(b" ");
    state.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, layout)).map_err(encode_error)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Returns the JSON Schema of a state file.
pub fn state_schema() -> serde_json::Value {
    // As written: a missing id is null, never left out.
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<State>().to_value()
}

/// One line of a journal, without its line feed.
#[derive(Serialize, Deserialize)]
struct Line<E> {
    /// Starts at 1.
    seq: u64,
    /// Lower-case hex of the SHA-256 of the line before; 64 zeros in the first.
    prev: String,
    at: Timestamp,
    #[serde(flatten)]
    event: E,
}

/// The event of the first line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum FirstEvent {
    RunStarted(RunStarted),
}

/// The end of a journal, to which the next line is added.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// The number of lines.
    pub(super) seq: u64,
    /// The hash of the last line.
    last: String,
}

impl Chain {
    /// Returns the first line of a journal, with its line feed, and the chain after it.
    pub(super) fn start(at: Timestamp, started: &RunStarted) -> Result<(Vec<u8>, Self), StateError> {
        Self { seq: 0, last: "0".repeat(64) }.encode(at, FirstEvent::RunStarted(started.clone()))
    }

    /// Returns the next line, with its line feed, and the chain after it.
    pub(super) fn line(&self, at: Timestamp, event: &Event) -> Result<(Vec<u8>, Self), StateError> {
        self.encode(at, event)
    }

    fn encode(&self, at: Timestamp, event: impl Serialize) -> Result<(Vec<u8>, Self), StateError> {
        let line = Line { seq: self.seq + 1, prev: self.last.clone(), at, event };
        let mut bytes = serde_json::to_vec(&line).map_err(encode_error)?;
        let next = Self { seq: line.seq, last: sha256_hex(&bytes) };
        bytes.push(b'\n');
        Ok((bytes, next))
    }

    /// Decodes the next line, without its line feed, and advances.
    fn decode<'a, E: Deserialize<'a>>(
        &mut self,
        path: &Path,
        bytes: &'a [u8],
    ) -> Result<(Timestamp, E), StateError> {
        let damaged = |why| damaged(path, self.seq + 1, why);
        let line: Line<E> = serde_json::from_slice(bytes).map_err(|error| {
            let (column, why) = (error.column(), without_place(&error));
            damaged(text!("column {column}: {why}", column, why))
        })?;
        if line.prev != self.last {
            return Err(damaged(Text::fixed("it does not follow the line before it")));
        }
        if line.seq != self.seq + 1 {
            let seq = line.seq;
            return Err(damaged(text!("its line number is {seq}", seq)));
        }
        *self = Self { seq: line.seq, last: sha256_hex(bytes) };
        Ok((line.at, line.event))
    }
}

/// A decoded journal.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub(super) journal: Journal,
    pub(super) chain: Chain,
    /// Whether a partial line followed the last whole one.
    torn: bool,
}

/// Decodes a journal that a crash may have cut off after its first line. `path` is for messages.
///
/// A journal is only given its name once its first line is on disk. Without it, more than a crash's worth is
/// missing, and creates may be.
///
/// # Errors
/// [`StateError::Newer`] or [`StateError::JournalDamaged`].
pub(super) fn decode_open_journal(path: &Path, bytes: &[u8]) -> Result<Decoded, StateError> {
    let (started_at, started, mut chain, mut rest) = decode_first(path, bytes)?;
    let mut entries: Vec<Entry> = Vec::new();
    while let Some((line, after)) = split_line(rest) {
        let (at, event) = chain.decode::<Event>(path, line)?;
        if !may_follow(entries.last(), &event) {
            let why = Text::fixed("unexpected event");
            return Err(damaged(path, chain.seq, why));
        }
        entries.push(Entry { at, event });
        rest = after;
    }
    Ok(Decoded { journal: Journal { started_at, started, entries }, chain, torn: !rest.is_empty() })
}

/// Like `decode_open_journal`, without the chain.
///
/// # Errors
/// [`StateError::Newer`] or [`StateError::JournalDamaged`].
pub fn decode_journal(path: &Path, bytes: &[u8]) -> Result<Journal, StateError> {
    Ok(decode_open_journal(path, bytes)?.journal)
}

/// Decodes the journal of a finished run, which must be complete.
pub(super) fn decode_receipt(path: &Path, bytes: &[u8]) -> Result<Journal, StateError> {
    let Decoded { journal, chain, torn } = decode_open_journal(path, bytes)?;
    if !torn && journal.entries.last().is_some_and(|entry| is_end(&entry.event)) {
        return Ok(journal);
    }
    let why = Text::fixed("the journal ends before the run does");
    Err(damaged(path, chain.seq + 1, why))
}

/// Decodes the first line of a journal and ignores the rest.
pub(super) fn decode_start(path: &Path, bytes: &[u8]) -> Result<RunStarted, StateError> {
    let (_, started, _, _) = decode_first(path, bytes)?;
    Ok(started)
}

fn decode_first<'a>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<(Timestamp, RunStarted, Chain, &'a [u8]), StateError> {
    let (line, rest) = split_line(bytes).ok_or_else(|| {
        let why = Text::fixed(
            "its first line is cut, which no crash can cause; it may be the only trace of an order",
        );
        damaged(path, 1, why)
    })?;
    if let Ok(any) = serde_json::from_slice::<AnyVersion>(line) {
        any.check(path)?;
    }
    let mut chain = Chain { seq: 0, last: "0".repeat(64) };
    let (at, FirstEvent::RunStarted(started)) = chain.decode(path, line)?;
    Ok((at, started, chain, rest))
}

/// Encodes a journal. Equal journals give equal bytes.
///
/// None for a journal that postpay made.
pub fn encode_journal(journal: &Journal) -> Result<Vec<u8>, StateError> {
    let Journal { started_at, started, entries } = journal;
    let (mut bytes, mut chain) = Chain::start(*started_at, started)?;
    for Entry { at, event } in entries {
        let (line, next) = chain.line(*at, event)?;
        bytes.extend(line);
        chain = next;
    }
    Ok(bytes)
}

/// Returns the first line without its line ending, and the rest. A checkout may have added a CR, and no line
/// ends in one.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), &bytes[end + 1..]))
}

/// Returns whether this event ends a run.
pub(super) fn is_end(event: &Event) -> bool {
    match event {
        Event::RunEnded(_) | Event::Recovered(_) => true,
        Event::Listed(_) | Event::Intent(_) | Event::Outcome(_) | Event::Edited(_) => false,
    }
}

/// Returns whether `event` may follow `last`.
pub(super) fn may_follow(last: Option<&Entry>, event: &Event) -> bool {
    matches!(event, Event::Recovered(_)) || !last.is_some_and(|entry| is_end(&entry.event))
}

fn damaged(path: &Path, line: u64, why: Text) -> StateError {
    StateError::JournalDamaged {
        path: path.to_owned(),
        line: usize::try_from(line).unwrap_or(usize::MAX),
        why,
    }
}

pub(super) fn encode_error(error: serde_json::Error) -> StateError {
    StateError::Io { op: IoOp::Write, path: "the state".into(), source: error.into() }
}

/// Returns the message without its position, which StateError shows.
fn without_place(error: &serde_json::Error) -> Text {
    let text = error.to_string();
    Text::same(match text.rfind(" at line ") {
        Some(place) => text[..place].to_owned(),
        None => text,
    })
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod journal_tests;
#[cfg(test)]
mod state_tests;
