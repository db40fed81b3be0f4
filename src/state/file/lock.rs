//! One writer: an operating-system lock on a file of its own, which also says who holds it.
//!
//! The lock dies with its process, so a dead one leaves nothing to clear. The file is never renamed or removed: two
//! processes would then lock two files of one name. Only the lock itself counts; what the file says of its holder is
//! for people. While a run is open it names that run too, and keeps doing so when its writer dies: where the journal
//! then goes missing, this is what still tells of it. A hint, as no write of it is waited for.

use std::fs::{File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::durable::{failed, not_ours};
use crate::files::{self, Access, Links, Refusal};
use crate::state::Doing;
use crate::state::journal::RunId;
use crate::state::{Holder, LockStatus, StateError};

/// Far more than a name and a run need.
const LONGEST: u64 = 64 * 1024;

pub(super) const POLL: Duration = Duration::from_millis(50);

/// The held lock. Dropping it releases.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    holder: Holder,
    /// The run that is open, or that a dead writer left so.
    run: Option<RunId>,
}

#[derive(Serialize, Deserialize)]
struct HolderV1 {
    who: String,
    pid: u32,
    since: Timestamp,
    doing: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<Uuid>,
}

impl Lock {
    /// Takes the lock, waiting for it up to `wait`.
    pub(super) fn take(path: &Path, holder: &Holder, wait: Duration) -> Result<Self, StateError> {
        let file = open(path)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(Doing::Lock, path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(StateError::Locked { path: path.to_owned(), holder: said(path) });
            }
            thread::sleep(left.min(POLL));
        }
        // Through this very file: where locks are mandatory, no other may read it now.
        let words = files::read_from(&file, LONGEST).unwrap_or_default();
        let mut lock = Self { file, holder: holder.clone(), run: run_in(&words) };
        lock.say().map_err(failed(Doing::Write, path))?;
        Ok(lock)
    }

    /// Whether `path` still leads to the file that is locked.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, StateError> {
        files::leads_to(path, &self.file).map_err(failed(Doing::LookAtLock, path))
    }

    /// Says which run is open from now on.
    pub(super) fn name_run(&mut self, run: Option<RunId>) {
        self.run = run;
        // Without it nothing is lost but a hint: the journal is what counts.
        let _ = self.say();
    }

    fn say(&mut self) -> std::io::Result<()> {
        let Holder { who, pid, since, doing } = &self.holder;
        let mut text = serde_json::to_vec(&HolderV1 {
            who: who.clone(),
            pid: *pid,
            since: *since,
            doing: doing.clone(),
            run: self.run.map(|run| run.0),
        })?;
        text.push(b'\n');
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)
    }
}

/// Proves that the lock, which this process holds, excludes others: a second descriptor must not get it. A file system on
/// which it does can't keep two runs from creating the same twice.
pub(super) fn prove_held(path: &Path) -> Result<(), StateError> {
    match open(path)?.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(failed(Doing::Lock, path)(error)),
        Ok(()) => Err(StateError::NoLocks { path: path.to_owned() }),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Of a run that stays open, the words stay too. What is said of the holder then does no harm: the next one
        // writes over it, and nobody reads it of a lock that is free.
        if self.run.is_none() {
            let _ = self.file.set_len(0);
        }
        let _ = self.file.unlock();
    }
}

/// What a holder wrote into the lock's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// None when it can't be read.
    pub(super) holder: Option<Holder>,
    /// The run that was open.
    pub(super) run: Option<RunId>,
}

impl Words {
    fn of(text: &[u8]) -> Option<Self> {
        let is_there = !text.trim_ascii().is_empty();
        is_there.then(|| Self { holder: holder_in(text), run: run_in(text) })
    }
}

/// What the file says, whether or not anyone holds the lock; None when it says nothing.
///
/// # Errors
/// When it is no file of ours: a link, a pipe, a device.
pub(super) fn words(path: &Path) -> Result<Option<Words>, StateError> {
    Ok(text(path)?.and_then(|text| Words::of(&text)))
}

/// What is in the file. None where it can't be read: only the lock itself counts, and where locks are mandatory nobody else
/// reads what is held.
fn text(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match files::read(path, Links::Refused, LONGEST) {
        Ok(text) => Ok(Some(text)),
        Err(error) if Refusal::of(&error).is_some() => Err(failed(Doing::Open, path)(not_ours(error))),
        Err(_) => Ok(None),
    }
}

/// Whether anyone holds the lock now, found out by sharing it for a moment.
pub(super) fn status(path: &Path) -> Result<LockStatus, StateError> {
    let file = match files::open(path, Links::Refused, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(LockStatus::Free),
        Err(error) => return Err(failed(Doing::Open, path)(not_ours(error))),
    };
    match file.try_lock_shared() {
        Ok(()) => {
            // By name, not by closing: a child that is being started may hold a copy of the file for a moment.
            let _ = file.unlock();
            Ok(LockStatus::Free)
        }
        Err(TryLockError::WouldBlock) => Ok(LockStatus::Held(said(path))),
        Err(TryLockError::Error(error)) => Err(failed(Doing::LookAtLock, path)(error)),
    }
}

fn open(path: &Path) -> Result<File, StateError> {
    // It is cut and written over as it stands: another name for it, or a link, and somebody else's file would be.
    files::open_or_make_own(path, Access::ReadWrite)
        .map_err(|error| failed(Doing::Open, path)(not_ours(error)))
}

/// The run that the last holder left open, or that the present one has open; None when it names none.
///
/// # Errors
/// When it is no file of ours.
pub(super) fn named_run(path: &Path) -> Result<Option<RunId>, StateError> {
    Ok(text(path)?.and_then(|text| run_in(&text)))
}

fn run_in(words: &[u8]) -> Option<RunId> {
    let said: HolderV1 = serde_json::from_slice(words).ok()?;
    said.run.map(RunId)
}

fn said(path: &Path) -> Option<Holder> {
    holder_in(&text(path).ok()??)
}

fn holder_in(words: &[u8]) -> Option<Holder> {
    let HolderV1 { who, pid, since, doing, run: _ } = serde_json::from_slice(words).ok()?;
    Some(Holder { who, pid, since, doing })
}
