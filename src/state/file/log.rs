//! The journal of an open run, as a file that only ever grows by whole lines.
//!
//! A line that could not be written is cut off again, so that an error means that it is not there. When even that
//! fails, what is on disk is in doubt: then only the same line is taken next, written over the doubt.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::chain::Chain;
use super::durable::{failed, folder_of, private, sync_folder};
use super::journal_v1::EventV1;
use crate::crash;
use crate::state::StateError;
use crate::state::journal::RunStarted;

#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    chain: Chain,
    /// How much of the file is whole lines on disk.
    length: u64,
    /// The line that may be on disk, in part or whole.
    doubt: Option<Vec<u8>>,
}

impl Log {
    /// Makes the file, with its first line. On return both are on disk.
    pub(super) fn create(
        path: &Path,
        at: Timestamp,
        started: &RunStarted,
    ) -> Result<Self, StateError> {
        let file = private(OpenOptions::new().append(true).create_new(true))
            .open(path)
            .map_err(failed("create", path))?;
        crash::point(crash::JOURNAL_CREATED);
        let mut log = Self::over(path, file, Chain::start(), 0);
        let begun = log
            .append(at, started.into())
            .and_then(|()| sync_folder(folder_of(path)));
        if let Err(error) = begun {
            // Nothing was sent on its account. Should it stay, the next writer finds a run that did nothing.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        crash::point(crash::JOURNAL_BEGUN);
        Ok(log)
    }

    /// Goes on with a journal that is there, from the end of its last whole line.
    pub(super) fn reopen(path: &Path, chain: Chain, length: u64) -> Result<Self, StateError> {
        let file = private(OpenOptions::new().append(true))
            .open(path)
            .map_err(failed("open", path))?;
        file.set_len(length)
            .and_then(|()| file.sync_all())
            .map_err(failed("cut the torn line off", path))?;
        Ok(Self::over(path, file, chain, length))
    }

    fn over(path: &Path, file: File, chain: Chain, length: u64) -> Self {
        Self {
            path: path.to_owned(),
            file,
            chain,
            length,
            doubt: None,
        }
    }

    /// Whether what is on disk is known.
    pub(super) fn is_sure(&self) -> bool {
        self.doubt.is_none()
    }

    /// Adds a line. On return it is on disk.
    pub(super) fn append(&mut self, at: Timestamp, event: EventV1) -> Result<(), StateError> {
        let (line, next) = self.chain.line(at, event)?;
        if let Some(doubt) = &self.doubt {
            if *doubt != line {
                return Err(StateError::Misused(
                    "the journal's last entry is in doubt: only the same entry can follow",
                ));
            }
            self.cut_back()?;
        }
        let written = self
            .file
            .write_all(&line)
            .inspect(|()| crash::point(crash::LINE_WRITTEN))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            if self.cut_back().is_err() {
                self.doubt = Some(line);
            }
            return Err(failed("add to", &self.path)(error));
        }
        crash::point(crash::LINE_SYNCED);
        self.length += line.len() as u64;
        self.chain = next;
        self.doubt = None;
        Ok(())
    }

    fn cut_back(&self) -> Result<(), StateError> {
        self.file
            .set_len(self.length)
            .and_then(|()| self.file.sync_data())
            .map_err(failed("cut back", &self.path))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::state::journal::{EndReason, Event, RunEnded};

    fn ended(reason: EndReason) -> EventV1 {
        EventV1::from(&Event::RunEnded(RunEnded { reason }))
    }

    /// `/dev/full` takes no byte and can't be cut back: the worst that a disk can do.
    #[test]
    fn after_a_failure_in_doubt_only_the_same_entry_is_taken() {
        let full = Path::new("/dev/full");
        let device = OpenOptions::new().write(true).open(full).unwrap();
        let mut log = Log::over(full, device, Chain::start(), 0);
        let at = Timestamp::UNIX_EPOCH;

        let error = log.append(at, ended(EndReason::Finished)).unwrap_err();
        assert!(matches!(error, StateError::Io { .. }), "{error}");
        assert!(!log.is_sure());
        let error = log.append(at, ended(EndReason::Failed)).unwrap_err();
        assert!(matches!(error, StateError::Misused(_)), "{error}");

        // The disk works again.
        log.file = tempfile::tempfile().unwrap();
        log.append(at, ended(EndReason::Finished)).unwrap();
        assert!(log.is_sure());
        assert_eq!(log.length, log.file.metadata().unwrap().len());
        log.append(at, ended(EndReason::Failed)).unwrap();
    }
}
