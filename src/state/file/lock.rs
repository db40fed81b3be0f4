//! One writer: an operating-system lock on a file of its own, which also says who holds it.
//!
//! The lock dies with its process, so a dead one leaves nothing to clear. The file is never renamed or removed: two
//! processes would then lock two files of one name. What it says is for people; only the lock itself counts.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::durable::{failed, private};
use crate::state::{Holder, LockStatus, StateError};

const POLL: Duration = Duration::from_millis(50);

/// The held lock. Dropping it releases.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

#[derive(Serialize, Deserialize)]
struct HolderV1 {
    who: String,
    pid: u32,
    since: Timestamp,
    doing: String,
}

impl Lock {
    /// Takes the lock, waiting for it up to `wait`.
    pub(super) fn take(path: &Path, holder: &Holder, wait: Duration) -> Result<Self, StateError> {
        let file = open(path)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(StateError::Locked {
                    path: path.to_owned(),
                    holder: said(path),
                });
            }
            thread::sleep(left.min(POLL));
        }
        let mut lock = Self { file };
        lock.say(holder).map_err(failed("write", path))?;
        Ok(lock)
    }

    fn say(&mut self, holder: &Holder) -> std::io::Result<()> {
        let Holder {
            who,
            pid,
            since,
            doing,
        } = holder;
        let mut text = serde_json::to_vec(&HolderV1 {
            who: who.clone(),
            pid: *pid,
            since: *since,
            doing: doing.clone(),
        })?;
        text.push(b'\n');
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Stale words do no harm: the next holder writes over them, and nobody reads them of a lock that is free.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Whether anyone holds the lock now, found out by sharing it for a moment.
pub(super) fn status(path: &Path) -> Result<LockStatus, StateError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(LockStatus::Free),
        Err(error) => return Err(failed("open", path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(LockStatus::Free),
        Err(TryLockError::WouldBlock) => Ok(LockStatus::Held(said(path))),
        Err(TryLockError::Error(error)) => Err(failed("look at the lock", path)(error)),
    }
}

fn open(path: &Path) -> Result<File, StateError> {
    private(
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false),
    )
    .open(path)
    .map_err(failed("open", path))
}

fn said(path: &Path) -> Option<Holder> {
    let HolderV1 {
        who,
        pid,
        since,
        doing,
    } = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some(Holder {
        who,
        pid,
        since,
        doing,
    })
}
