//! The file in which calls are recorded for a support ticket (`--record`), a line of JSON each.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::files::{self, Access};

/// Where calls are recorded. A call that can't be recorded is made all the same; it is counted, and reported at the end.
pub struct Recorder(Mutex<Record>);

struct Record {
    path: PathBuf,
    /// None before the first line, so that a command that makes no call leaves no file.
    sink: Option<Box<dyn Write + Send>>,
    /// The last line may be incomplete: the next one begins on a line of its own.
    torn: bool,
    missed: Option<Missed>,
}

/// Calls that are missing from the record, or incomplete in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    pub calls: u64,
    /// Why the first of them is.
    pub why: String,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records in a new file that its owner alone can read, created with the first call.
    pub fn at(path: PathBuf) -> Self {
        Self(Mutex::new(Record { path, sink: None, torn: false, missed: None }))
    }

    #[cfg(test)]
    pub(super) fn to(sink: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Record {
            path: PathBuf::new(),
            sink: Some(Box::new(sink)),
            torn: false,
            missed: None,
        }))
    }

    /// Returns what is missing; None when the record is complete.
    pub fn missed(&self) -> Option<Missed> {
        self.record().missed.clone()
    }

    /// Writes one line.
    pub(super) fn write(&self, line: &impl Serialize) -> io::Result<()> {
        let record = &mut *self.record();
        let text = serde_json::to_string(line)?;
        let text = if record.torn { format!("\n{text}\n") } else { format!("{text}\n") };
        let sink = match &mut record.sink {
            Some(sink) => sink,
            // A new file: one that exists is somebody's, and a link leads to one.
            None => record.sink.insert(Box::new(files::make(&record.path, files::PRIVATE, Access::Append)?)),
        };
        let written = sink.write_all(text.as_bytes()).and_then(|()| sink.flush());
        record.torn = written.is_err();
        written
    }

    /// Counts a call that could not be recorded.
    pub(super) fn miss(&self, error: &io::Error) {
        tracing::warn!(%error, "a call was not recorded");
        let mut record = self.record();
        let missed = record.missed.get_or_insert_with(|| Missed { calls: 0, why: error.to_string() });
        missed.calls += 1;
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
