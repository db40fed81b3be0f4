//! A journal's lines, each bound to the one before by its hash. Bytes in, bytes out; no files. The hash is of a line's content,
//! whatever its line ending.
//!
//! Only the end of a journal can be cut off by a crash: a line counts from the moment its line end is there. Anything
//! else that does not fit was changed by another hand, and then no part of the journal can be trusted.

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::format::{unwritable, without_place};
use crate::lang::{Text, text};
use crate::state::journal::{
    Edited, Entry, Event, Intent, Journal, Listed, Outcome, Recovered, RunEnded, RunStarted,
};
use crate::state::{FormatVersion, StateError};

/// Of a journal that ends before its first line does.
const CUT: Text = Text::fixed(
    "it was cut inside its first line, which no crash does; it may have held the only trace of an order",
    "首行被截断，而崩溃不会造成这种情况；其中可能有某笔订单的唯一线索",
);

/// One line. Compact JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// From 1.
    seq: u64,
    /// Lower-case hex of the SHA-256 of the line before, without its end; 64 zeros in the first.
    prev: String,
    at: Timestamp,
    #[serde(flatten)]
    event: LineEvent,
}

/// The event of the first line, or of another.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum LineEvent {
    RunStarted(RunStarted),
    Listed(Listed),
    Intent(Intent),
    Outcome(Outcome),
    Edited(Edited),
    RunEnded(RunEnded),
    Recovered(Recovered),
}

impl From<&RunStarted> for LineEvent {
    fn from(started: &RunStarted) -> Self {
        Self::RunStarted(started.clone())
    }
}

impl From<&Event> for LineEvent {
    fn from(event: &Event) -> Self {
        match event.clone() {
            Event::Listed(listed) => Self::Listed(listed),
            Event::Intent(intent) => Self::Intent(intent),
            Event::Outcome(outcome) => Self::Outcome(outcome),
            Event::Edited(edited) => Self::Edited(edited),
            Event::RunEnded(ended) => Self::RunEnded(ended),
            Event::Recovered(recovered) => Self::Recovered(recovered),
        }
    }
}

impl LineEvent {
    /// What followed the start of a run; None for the start.
    fn into_event(self) -> Option<Event> {
        Some(match self {
            Self::RunStarted(_) => return None,
            Self::Listed(listed) => Event::Listed(listed),
            Self::Intent(intent) => Event::Intent(intent),
            Self::Outcome(outcome) => Event::Outcome(outcome),
            Self::Edited(edited) => Event::Edited(edited),
            Self::RunEnded(ended) => Event::RunEnded(ended),
            Self::Recovered(recovered) => Event::Recovered(recovered),
        })
    }
}

/// Where the next line goes.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// The number of lines so far.
    seq: u64,
    last: String,
}

/// A journal as it was read.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    pub(super) journal: Journal,
    pub(super) chain: Chain,
    /// The length of the lines that are whole, in bytes. What follows was cut off by a crash.
    pub(super) length: u64,
}

impl Chain {
    pub(super) fn start() -> Self {
        Self { seq: 0, last: "0".repeat(64) }
    }

    /// The next line, with its end, and the chain after it.
    pub(super) fn line(&self, at: Timestamp, event: LineEvent) -> Result<(Vec<u8>, Self), StateError> {
        let line = Line { seq: self.seq + 1, prev: self.last.clone(), at, event };
        let mut bytes = serde_json::to_vec(&line).map_err(unwritable)?;
        let next = Self { seq: line.seq, last: sha256_hex(&bytes) };
        bytes.push(b'\n');
        Ok((bytes, next))
    }

    /// Reads the next line, without its end, and moves past it.
    fn read(&mut self, path: &Path, bytes: &[u8]) -> Result<(Timestamp, LineEvent), StateError> {
        let number = usize::try_from(self.seq).unwrap_or(usize::MAX) + 1;
        let damaged = |why| StateError::JournalDamaged { path: path.to_owned(), line: number, why };
        if self.seq == 0 {
            check_version(path, bytes)?;
        }
        let line: Line = serde_json::from_slice(bytes).map_err(|error| {
            let (column, why) = (error.column(), without_place(&error));
            damaged(text!("column {column}: {why}", "第 {column} 列：{why:#}"))
        })?;
        if line.prev != self.last {
            return Err(damaged(Text::fixed(
                "the line before it is not the one that it was written after",
                "前一行不是写入它时的那一行",
            )));
        }
        if line.seq != self.seq + 1 {
            let seq = line.seq;
            return Err(damaged(text!("it says that it is line {seq}", "它自称是第 {seq} 行")));
        }
        *self = Self { seq: line.seq, last: sha256_hex(bytes) };
        Ok((line.at, line.event))
    }
}

/// Reads a journal that a crash may have cut short anywhere after its first line.
///
/// The first line is on disk before the journal has its name. One without it lost more than a crash takes, and what
/// it lost may be orders.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Whole, StateError> {
    let mut chain = Chain::start();
    let mut journal: Option<Journal> = None;
    let mut length = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else {
            break;
        };
        length += line.len() as u64 + 1;
        let (at, event) = chain.read(path, content(line))?;
        let misplaced = || StateError::JournalDamaged {
            path: path.to_owned(),
            line: usize::try_from(chain.seq).unwrap_or(usize::MAX),
            why: Text::fixed("this event can't stand here", "此处不能有这个事件"),
        };
        match (&mut journal, event) {
            (None, LineEvent::RunStarted(started)) => {
                journal = Some(Journal { started_at: at, started, entries: Vec::new() });
            }
            (None, _) => return Err(misplaced()),
            (Some(journal), event) => {
                let event = event.into_event();
                let event = event.filter(|event| may_follow(journal.entries.last(), event));
                let event = event.ok_or_else(misplaced)?;
                journal.entries.push(Entry { at, event });
            }
        }
    }
    let journal =
        journal.ok_or_else(|| StateError::JournalDamaged { path: path.to_owned(), line: 1, why: CUT })?;
    Ok(Whole { journal, chain, length })
}

/// Reads a journal that was closed: nothing of it may be missing.
pub(super) fn read_closed(path: &Path, bytes: &[u8]) -> Result<Journal, StateError> {
    let cut = |line| StateError::JournalDamaged {
        path: path.to_owned(),
        line,
        why: Text::fixed("it ends before the run does", "运行尚未结束，日志就断了"),
    };
    let whole = read(path, bytes)?;
    let ended = whole.journal.entries.last().is_some_and(|entry| is_end(&entry.event));
    if ended && whole.length == bytes.len() as u64 {
        Ok(whole.journal)
    } else {
        Err(cut(whole.journal.entries.len() + 2))
    }
}

/// Reads a first line, with its end.
pub(super) fn read_start(path: &Path, line: &[u8]) -> Result<RunStarted, StateError> {
    let not_a_start = || StateError::JournalDamaged {
        path: path.to_owned(),
        line: 1,
        why: Text::fixed("it is not the start of a run", "它不是一次运行的开头"),
    };
    let line = line.strip_suffix(b"\n").ok_or_else(not_a_start)?;
    let (_, event) = Chain::start().read(path, content(line))?;
    if let LineEvent::RunStarted(started) = event { Ok(started) } else { Err(not_a_start()) }
}

/// A line without the CR that a checkout may have put before its LF. No line that is written ends in one.
fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a run is over with this event.
pub(super) fn is_end(event: &Event) -> bool {
    match event {
        Event::RunEnded(_) | Event::Recovered(_) => true,
        Event::Listed(_) | Event::Intent(_) | Event::Outcome(_) | Event::Edited(_) => false,
    }
}

/// Whether this event may come after that one.
pub(super) fn may_follow(last: Option<&Entry>, event: &Event) -> bool {
    match event {
        Event::Recovered(_) => true,
        Event::Listed(_) | Event::Intent(_) | Event::Outcome(_) | Event::Edited(_) | Event::RunEnded(_) => {
            !last.is_some_and(|entry| is_end(&entry.event))
        }
    }
}

/// A later version may have other members: which one it is comes first.
fn check_version(path: &Path, line: &[u8]) -> Result<(), StateError> {
    #[derive(Deserialize)]
    struct AnyVersion {
        format_version: u64,
    }
    match serde_json::from_slice::<AnyVersion>(line) {
        Ok(any) if any.format_version > FormatVersion::NUMBER => Err(StateError::Newer {
            path: path.to_owned(),
            found: any.format_version,
            supported: FormatVersion::NUMBER,
        }),
        // What is wrong with it otherwise is found where it is read.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests;
