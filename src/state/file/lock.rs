//! One writer: an operating-system lock on a file of its own, which also names its holder.
//!
//! The lock dies with its process, so a dead one leaves nothing to clear. The file is never renamed or removed: two
//! processes would then lock two files of one name. Only the lock itself counts; what the file says of its holder is for
//! people. While a run is open it names that run too, and keeps doing so when its writer dies: where the journal then goes
//! missing, this is what still shows that there was one. A hint, as no write of it is waited for.

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

/// Far more than a name and a run need, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

pub(super) const POLL: Duration = Duration::from_millis(50);

/// The held lock. Dropping it releases it.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    content: Content,
}

/// What the file says.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    holder: Holder,
    /// The run that is open, or that a dead writer left so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
}

impl Lock {
    /// Takes the lock, waiting for it up to `wait`.
    pub(super) fn take(path: &Path, holder: &Holder, wait: Duration) -> Result<Self, StateError> {
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
        // Through this very file: where locks are mandatory, no other may read it now.
        let bytes = files::read_from(&file, MAX_BYTES).unwrap_or_default();
        let run = serde_json::from_slice(&bytes).ok().and_then(|content: Content| content.run);
        let mut lock = Self { file, content: Content { holder: holder.clone(), run } };
        lock.write().map_err(failed(IoOp::Write, path))?;
        Ok(lock)
    }

    /// Returns whether `path` still leads to the file that is locked.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, StateError> {
        files::leads_to(path, &self.file).map_err(failed(IoOp::Read, path))
    }

    /// Names the run that is open from now on.
    pub(super) fn name_run(&mut self, run: Option<RunId>) {
        self.content.run = run;
        // Without it nothing is lost but a hint: the journal is what counts.
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
        // The name of a run that stays open stays too.
        if self.content.run.is_none() {
            let _ = self.file.set_len(0);
        }
        let _ = self.file.unlock();
    }
}

/// Proves that the lock, which this process holds, excludes others: a second descriptor must not get it. A file system on
/// which it does can't keep two runs from creating the same twice.
pub(super) fn prove_held(path: &Path) -> Result<(), StateError> {
    match open(path)?.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(failed(IoOp::Lock, path)(error)),
        Ok(()) => Err(StateError::NoLocks { path: path.to_owned() }),
    }
}

/// Returns whether anyone holds the lock now, found out by sharing it for a moment.
pub(super) fn status(path: &Path) -> Result<LockStatus, StateError> {
    let file = match files::open(path, Links::Refused, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockStatus::Free),
        Err(error) => return Err(failed(IoOp::Read, path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => {
            // Not left to closing: a child that is being started may hold a copy of the file for a moment.
            let _ = file.unlock();
            Ok(LockStatus::Free)
        }
        Err(TryLockError::WouldBlock) => Ok(LockStatus::Held(read_holder(path))),
        Err(TryLockError::Error(error)) => Err(failed(IoOp::Lock, path)(error)),
    }
}

/// The run that the last holder left open, or that the present one has open; None when it names none.
///
/// # Errors
/// When it is no file of ours: a link, a pipe, a device.
pub(super) fn named_run(path: &Path) -> Result<Option<RunId>, StateError> {
    Ok(read(path)?.and_then(|content| content.run))
}

fn read_holder(path: &Path) -> Option<Holder> {
    Some(read(path).ok()??.holder)
}

/// None where it can't be read: only the lock itself counts, and where locks are mandatory nobody else reads what is held.
fn read(path: &Path) -> Result<Option<Content>, StateError> {
    match files::read(path, Links::Refused, MAX_BYTES) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if Refusal::of(&error).is_some() => Err(failed(IoOp::Read, path)(error)),
        Err(_) => Ok(None),
    }
}

fn open(path: &Path) -> Result<File, StateError> {
    // It is cut and written over as it stands: with another name for it, or a link, somebody else's file would be.
    files::open_or_make_own(path, Access::ReadWrite).map_err(failed(IoOp::Read, path))
}
