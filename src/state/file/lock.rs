//! An OS lock on a separate file, which ensures that there is one writer and names it.
//!
//! The system releases the lock when its process ends. The file is never renamed or removed: two processes
//! could then each lock a file of that name. Only the lock counts; the holder in the file is for messages.
//! The file also names the open run and keeps it when the writer dies: if the journal is lost, this shows
//! that there was one. It is a hint only, as writes to it are not synced.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::disk::failed;
use crate::files::{self, Access, Links, Refusal};
use crate::state::error::{Holder, IoOp, StateError};
use crate::state::record::RunId;
use crate::state::store::LockStatus;

/// Far more than needed, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

pub(super) const POLL: Duration = Duration::from_millis(50);

/// The held lock. Dropping it releases it.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    content: Content,
}

/// The content of the lock file.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    holder: Holder,
    /// The open run, or the one that a dead writer left open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
}

impl Lock {
    /// Acquires the lock, waiting up to `wait`.
    pub(super) fn acquire(path: &Path, holder: &Holder, wait: Duration) -> Result<Self, StateError> {
        let file = open(path)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(IoOp::Lock, path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(StateError::Locked { path: path.to_owned(), holder: read_holder(path) });
            }
            thread::sleep(left.min(POLL));
        }
        // Through this descriptor: mandatory locks block all others.
        let bytes = files::read_from(&file, MAX_BYTES).unwrap_or_default();
        let run = serde_json::from_slice(&bytes).ok().and_then(|content: Content| content.run);
        let mut lock = Self { file, content: Content { holder: holder.clone(), run } };
        lock.write().map_err(failed(IoOp::Write, path))?;
        Ok(lock)
    }

    /// Returns whether `path` is still the locked file.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, StateError> {
        files::leads_to(path, &self.file).map_err(failed(IoOp::Read, path))
    }

    /// Records the open run.
    pub(super) fn name_run(&mut self, run: Option<RunId>) {
        self.content.run = run;
        // Only a hint: the journal is what counts.
        let _ = self.write();
    }

    fn write(&mut self) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(&self.content)?;
        bytes.push(b'\n');
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Keep the name of a run that stays open.
        if self.content.run.is_none() {
            let _ = self.file.set_len(0);
        }
        let _ = self.file.unlock();
    }
}

/// Checks that the held lock excludes others: a second descriptor must not get it. On a file system without
/// working locks, two runs could create the same environments.
pub(super) fn check_exclusive(path: &Path) -> Result<(), StateError> {
    match open(path)?.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(failed(IoOp::Lock, path)(error)),
        Ok(()) => Err(StateError::NoLocks { path: path.to_owned() }),
    }
}

/// Returns whether anyone holds the lock, by sharing it for a moment.
pub(super) fn status(path: &Path) -> Result<LockStatus, StateError> {
    let file = match files::open(path, Links::Refused, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockStatus::Free),
        Err(error) => return Err(failed(IoOp::Read, path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => {
            // Explicitly: a child process that is being started may briefly hold a copy of the file.
            let _ = file.unlock();
            Ok(LockStatus::Free)
        }
        Err(TryLockError::WouldBlock) => Ok(LockStatus::Held(read_holder(path))),
        Err(TryLockError::Error(error)) => Err(failed(IoOp::Lock, path)(error)),
    }
}

/// Returns the run that the current or last holder has open, as recorded in the file.
///
/// # Errors
/// When it is a link, a pipe or a device.
pub(super) fn recorded_run(path: &Path) -> Result<Option<RunId>, StateError> {
    Ok(read(path)?.and_then(|content| content.run))
}

fn read_holder(path: &Path) -> Option<Holder> {
    Some(read(path).ok()??.holder)
}

/// Returns None when it can't be read: mandatory locks block readers, and only the lock itself counts.
fn read(path: &Path) -> Result<Option<Content>, StateError> {
    match files::read(path, Links::Refused, MAX_BYTES) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if Refusal::from_error(&error).is_some() => Err(failed(IoOp::Read, path)(error)),
        Err(_) => Ok(None),
    }
}

fn open(path: &Path) -> Result<File, StateError> {
    // Written in place: through a hard or symbolic link, another file would be overwritten.
    files::open_or_make_own(path, Access::ReadWrite).map_err(failed(IoOp::Read, path))
}
