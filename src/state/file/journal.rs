//! The journal of an open run as a file that grows by whole lines.
//!
//! A partly written line is cut off before anything else is read or written.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::disk::{failed, folder_of, read, sync_folder};
use crate::crash;
use crate::files::{self, Access, Links, TempFile};
use crate::state::error::{IoOp, StateError};

#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    file: File,
    /// The number of whole lines on disk, and their length in bytes.
    lines: u64,
    length: u64,
    /// Whether there may be a partial line after them.
    unsure: bool,
}

impl JournalFile {
    /// Creates the file with its first line. On return both are durable.
    ///
    /// Its temporary name starts with `prefix`, so that no crash leaves a journal without a whole first line.
    pub(super) fn create(path: &Path, prefix: &str, line: &[u8]) -> Result<Self, StateError> {
        let fail = |error| failed(IoOp::Create, path)(error);
        let mut temp = TempFile::create(path, prefix, files::PRIVATE).map_err(fail)?;
        crash::point(crash::JOURNAL_CREATED);
        // Locked before it has its name, so that a live run is never taken for a dead one.
        let file = temp.file().map_err(fail)?;
        lock(file, path)?;
        file.write_all(line).inspect(|()| crash::point(crash::LINE_WRITTEN)).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        crash::point(crash::LINE_SYNCED);
        // Never replaces an existing journal, which may hold the only trace of a create.
        let file = temp.persist_new().map_err(fail)?;
        if let Err(error) = sync_folder(folder_of(path)) {
            // Nothing was sent yet. If it stays, the next writer finds a run that did nothing.
            let _ = files::remove(path);
            return Err(error);
        }
        crash::point(crash::JOURNAL_BEGUN);
        Ok(Self { path: path.to_owned(), file, lines: 1, length: line.len() as u64, unsure: false })
    }

    /// Opens the journal of a dead writer and cuts off a partial last line; None when there is none.
    pub(super) fn reopen(path: &Path) -> Result<Option<Self>, StateError> {
        let Some(bytes) = read(path)? else {
            return Ok(None);
        };
        let file = files::open_own(path, Access::Append).map_err(failed(IoOp::Read, path))?;
        lock(&file, path)?;
        let length = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
        let mut journal = Self { path: path.to_owned(), file, lines, length, unsure: true };
        journal.settle()?;
        Ok(Some(journal))
    }

    /// Returns whether `path` is still the open file.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, StateError> {
        files::leads_to(path, &self.file).map_err(failed(IoOp::Read, path))
    }

    /// Returns the lines from number `from` on, after cutting off a partial line.
    pub(super) fn lines_from(&mut self, from: u64) -> Result<Vec<u8>, StateError> {
        self.settle()?;
        if from > self.lines {
            return Ok(Vec::new());
        }
        let bytes = read(&self.path)?.unwrap_or_default();
        let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        Ok(lines.skip(skipped).flatten().copied().collect())
    }

    /// Appends line number `seq`. On return it is durable. After an error, [`Self::lines_from`] cuts off a
    /// partial line.
    pub(super) fn append(&mut self, seq: u64, line: &[u8]) -> Result<(), StateError> {
        if self.unsure || seq != self.lines + 1 {
            return Err(failed(IoOp::Write, &self.path)(io::ErrorKind::AlreadyExists.into()));
        }
        self.unsure = true;
        self.file
            .write_all(line)
            .inspect(|()| crash::point(crash::LINE_WRITTEN))
            .and_then(|()| self.file.sync_data())
            .map_err(failed(IoOp::Write, &self.path))?;
        crash::point(crash::LINE_SYNCED);
        (self.lines, self.length, self.unsure) = (seq, self.length + line.len() as u64, false);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StateError> {
        if self.unsure {
            let cut = self.file.set_len(self.length).and_then(|()| self.file.sync_all());
            cut.map_err(failed(IoOp::Write, &self.path))?;
            self.unsure = false;
        }
        Ok(())
    }
}

impl Drop for JournalFile {
    fn drop(&mut self) {
        // Explicitly: a child process that is being started may briefly hold a copy of the file.
        let _ = self.file.unlock();
    }
}

/// Fails when a process is writing to the journal at `path`, even if the lock file was replaced.
pub(super) fn check_unlocked(path: &Path) -> Result<(), StateError> {
    match files::open(path, Links::Refused, Access::Read) {
        Ok(file) => {
            lock(&file, path)?;
            let _ = file.unlock();
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(IoOp::Read, path)(error)),
    }
}

/// Locks a journal while `file` is open. Only on Unix: elsewhere a lock blocks readers too.
fn lock(file: &File, path: &Path) -> Result<(), StateError> {
    if !cfg!(unix) {
        return Ok(());
    }
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StateError::Locked { path: path.to_owned(), holder: None }),
        Err(TryLockError::Error(error)) => Err(failed(IoOp::Lock, path)(error)),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    const PREFIX: &str = ".x.unfinished.";

    #[test]
    fn journal_is_named_once_its_first_line_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal.jsonl");
        let mut journal = JournalFile::create(&path, PREFIX, b"1\n").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // A partial line is overwritten, not left as a hole.
        journal.file.write_all(b"half a line").unwrap();
        journal.unsure = true;
        assert_eq!(journal.lines_from(2).unwrap(), b"");
        journal.append(2, b"2\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1\n2\n");
        assert_eq!(journal.lines_from(1).unwrap(), b"1\n2\n");
        assert_eq!(journal.lines_from(2).unwrap(), b"2\n");

        let error = JournalFile::create(&path, PREFIX, b"3\n").unwrap_err();
        assert!(matches!(error, StateError::Io { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"1\n2\n", "the one that is there stays");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // Without the prefix's folder nothing can be written.
        let other = folder.path().join("y.journal.jsonl");
        assert!(JournalFile::create(&other, "no/such/folder", b"1\n").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// `/dev/full` accepts no byte and can't be truncated.
    #[test]
    fn uncertain_line_is_cut_off_before_anything_else() {
        let (path, file) = (PathBuf::from("/dev/full"), fs::OpenOptions::new().write(true).open("/dev/full"));
        let mut journal = JournalFile { path, file: file.unwrap(), lines: 0, length: 0, unsure: false };
        assert!(journal.append(1, b"1\n").is_err());
        assert!(journal.lines_from(1).is_err());
        assert!(journal.append(1, b"1\n").is_err(), "nothing is written behind it");
        // The disk works again.
        journal.file = tempfile::tempfile().unwrap();
        assert_eq!(journal.lines_from(1).unwrap(), b"");
        journal.append(1, b"1\n").unwrap();
        assert_eq!(journal.length, journal.file.metadata().unwrap().len());
    }
}
