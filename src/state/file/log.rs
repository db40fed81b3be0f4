//! The journal of an open run, as a file that only ever grows by whole lines.
//!
//! A line that could not be written is cut off again, so that an error means that it is not there. When even that
//! fails, what is on disk is in doubt: then only the same line is taken next, written over the doubt.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::chain::{Chain, LineEvent};
use super::durable::{failed, folder_of, not_ours, open_own, sync_folder};
use crate::crash;
use crate::files::{self, Access, Links, Unnamed};
use crate::lang::Text;
use crate::state::Doing;
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
    ///
    /// It gets its name when its first line is on disk, under a name that starts with `prefix` until then. So no crash
    /// leaves a journal without a whole first line, and one that is found so was cut by another hand.
    pub(super) fn create(
        path: &Path,
        prefix: &str,
        at: Timestamp,
        started: &RunStarted,
    ) -> Result<Self, StateError> {
        let (line, chain) = Chain::start().line(at, started.into())?;
        let folder = folder_of(path);
        let mut unnamed = Unnamed::make(path, prefix, files::PRIVATE)
            .map_err(|error| failed(Doing::Create, path)(not_ours(error)))?;
        crash::point(crash::JOURNAL_CREATED);
        // Locked before it has its name, so that nobody can take a live run for a dead one.
        let file = unnamed.file().map_err(failed(Doing::Create, path))?;
        lock(file, path)?;
        file.write_all(&line)
            .and_then(|()| {
                crash::point(crash::LINE_WRITTEN);
                file.sync_all()
            })
            .map_err(failed(Doing::WriteFirstLine, path))?;
        crash::point(crash::LINE_SYNCED);
        // Never over a journal that is there: it may hold the only trace of an order.
        let file = unnamed.name().map_err(failed(Doing::Create, path))?;
        if let Err(error) = sync_folder(folder) {
            // Nothing was sent on its account. Should it stay, the next writer finds a run that did nothing.
            let _ = files::remove(path);
            return Err(error);
        }
        crash::point(crash::JOURNAL_BEGUN);
        Ok(Self::over(path, file, chain, line.len() as u64))
    }

    /// Goes on with a journal that is there, from the end of its last whole line.
    pub(super) fn reopen(path: &Path, chain: Chain, length: u64) -> Result<Self, StateError> {
        let file = open_own(path, Access::Append)?;
        lock(&file, path)?;
        file.set_len(length).and_then(|()| file.sync_all()).map_err(failed(Doing::CutTornLine, path))?;
        Ok(Self::over(path, file, chain, length))
    }

    fn over(path: &Path, file: File, chain: Chain, length: u64) -> Self {
        Self { path: path.to_owned(), file, chain, length, doubt: None }
    }

    /// Whether `path` still leads to the file that is written to.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, StateError> {
        files::leads_to(path, &self.file).map_err(failed(Doing::LookFor, path))
    }

    /// Whether what is on disk is known.
    pub(super) fn is_sure(&self) -> bool {
        self.doubt.is_none()
    }

    /// Adds a line. On return it is on disk.
    pub(super) fn append(&mut self, at: Timestamp, event: LineEvent) -> Result<(), StateError> {
        let (line, next) = self.chain.line(at, event)?;
        if let Some(doubt) = &self.doubt {
            if *doubt != line {
                return Err(StateError::Misused(Text::fixed(
                    "the journal's last entry is in doubt: only the same entry can follow",
                    "日志的最后一条存疑：其后只能是同一条",
                )));
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
            return Err(failed(Doing::AddTo, &self.path)(error));
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
            .map_err(failed(Doing::CutBack, &self.path))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // By name: a child that is being started may hold a copy of the file for a moment.
        let _ = self.file.unlock();
    }
}

/// Fails when a process writes to the journal at `path`, whatever became of the lock file.
pub(super) fn check_unlocked(path: &Path) -> Result<(), StateError> {
    match files::open(path, Links::Refused, Access::Read) {
        Ok(file) => {
            lock(&file, path)?;
            let _ = file.unlock();
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(Doing::Open, path)(not_ours(error))),
    }
}

/// Locks a journal for as long as `file` is open. Only on Unix: elsewhere a lock keeps readers out too.
fn lock(file: &File, path: &Path) -> Result<(), StateError> {
    if !cfg!(unix) {
        return Ok(());
    }
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StateError::Locked { path: path.to_owned(), holder: None }),
        Err(TryLockError::Error(error)) => Err(failed(Doing::Lock, path)(error)),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;
    use crate::state::file::chain;
    use crate::state::journal::{EndReason, Event, RunEnded, RunId};
    use crate::state::{Account, Lineage, Serial};

    fn ended(reason: EndReason) -> LineEvent {
        LineEvent::from(&Event::RunEnded(RunEnded { reason }))
    }

    fn started() -> RunStarted {
        RunStarted {
            format_version: crate::state::FormatVersion,
            run: RunId::fresh(),
            lineage: Lineage::fresh(),
            base: Serial::default(),
            tool_version: "0.1.0".to_owned(),
            account: Account { endpoint: "sandbox".to_owned(), uin: None },
            plan: String::new(),
            who: "ada@loom".to_owned(),
            pid: 7,
            region: None,
            commit: None,
        }
    }

    #[test]
    fn a_journal_has_its_name_only_with_a_whole_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal.jsonl");
        let at = Timestamp::UNIX_EPOCH;
        let mut log = Log::create(&path, ".x.unfinished.", at, &started()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(log.length, log.file.metadata().unwrap().len());
        // What is cut back is written over, not left as a hole.
        log.file.write_all(b"half a line").unwrap();
        log.cut_back().unwrap();
        log.append(at, ended(EndReason::Finished)).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, log.length);
        assert_eq!(chain::read(&path, &bytes).unwrap().journal.entries.len(), 1);

        let error = Log::create(&path, ".x.unfinished.", at, &started()).unwrap_err();
        assert!(matches!(error, StateError::Io { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "the one that is there stays");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// A first line that does not fit leaves no journal: without `prefix`'s folder nothing can be written at all.
    #[test]
    fn a_journal_whose_first_line_fails_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal.jsonl");
        let at = Timestamp::UNIX_EPOCH;
        let error = Log::create(&path, "no/such/folder", at, &started()).unwrap_err();
        assert!(matches!(error, StateError::Io { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// `/dev/full` takes no byte and can't be cut back: the worst that a disk can do.
    #[test]
    fn after_a_failure_in_doubt_only_the_same_entry_is_taken() {
        let full = Path::new("/dev/full");
        let device = fs::OpenOptions::new().write(true).open(full).unwrap();
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
