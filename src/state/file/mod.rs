//! The local store: a state, its journal, its lock and its receipts in one folder.
//!
//! | file | holds |
//! |---|---|
//! | `postpay.state.json` | the state, replaced whole |
//! | `postpay.state.json.backup` | the previous state |
//! | `postpay.journal.jsonl` | the open run, if any |
//! | `postpay.state.lock` | the lock, its holder and the open run |
//! | `postpay.rescue.<run>.json` | outcomes that could not be written to their journal |
//! | `postpay.state.json.replaced-<time>` | a state that a restore replaced |
//! | `receipts/postpay.000041.<run>.jsonl` | a finished run, with the serial it started from |
//!
//! Names derive from the state's, after resolving links.

mod disk;
mod journal;
mod lease;
mod lock;
mod paths;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use disk::MAX_BYTES;

use super::store::{Lease, LockStatus, Part, Places, ReceiptRef, StateStore, Stored};
use crate::files::{self, Access, Links};
use crate::state::error::{Holder, IoOp, StateError};
use disk::failed;
use lease::FileLease;
use paths::Paths;

/// A state in local files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStore {
    path: PathBuf,
    links: Links,
}

impl FileStore {
    /// Returns the store of the state at `path`. Accesses no file yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), links: Links::Followed }
    }

    /// Returns the store at a path without links: a link there by now is an error.
    pub fn resolved(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), links: Links::Refused }
    }

    /// Returns the path as given, which may be a link.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file named after the state: `postpay.sandbox.jsonl` for `sandbox.jsonl`.
    ///
    /// # Errors
    /// When the path has no file name, or its links form a cycle.
    pub fn beside(&self, ending: &str) -> Result<PathBuf, StateError> {
        let Paths { folder, stem, .. } = self.paths()?;
        Ok(folder.join(format!("{stem}.{ending}")))
    }

    /// Returns whether a path leads, by any name, to one of the state's own files, which only a store may
    /// write.
    ///
    /// # Errors
    /// As [`FileStore::beside`], and when the links of `path` form a cycle.
    pub fn owns(&self, path: &Path) -> Result<bool, StateError> {
        self.paths()?.owns(path)
    }

    fn paths(&self) -> Result<Paths, StateError> {
        Paths::new(&self.path, self.links)
    }
}

impl StateStore for FileStore {
    fn places(&self) -> Result<Places, StateError> {
        Ok(self.paths()?.places)
    }

    fn inspect(&self) -> Result<Stored, StateError> {
        let paths = self.paths()?;
        Ok(Stored {
            journal: disk::read(&paths.journal)?,
            state: disk::read(&paths.state)?,
            receipts: receipts(&paths)?,
            has_backup: match fs::symlink_metadata(&paths.backup) {
                Ok(_) => true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(failed(IoOp::Read, &paths.backup)(error)),
            },
            open_run: lock::recorded_run(&paths.lock)?,
        })
    }

    fn receipts(&self) -> Result<Vec<ReceiptRef>, StateError> {
        receipts(&self.paths()?)
    }

    fn receipt_bytes(&self, receipt: &ReceiptRef, part: Part) -> Result<Vec<u8>, StateError> {
        /// Far more than a first line needs, in bytes.
        const MAX_LINE: u64 = 1 << 20;
        let fail = |error| failed(IoOp::Read, &receipt.path)(error);
        match part {
            Part::Whole => files::read(&receipt.path, Links::Refused, MAX_BYTES).map_err(fail),
            Part::FirstLine => {
                let file = files::open(&receipt.path, Links::Refused, Access::Read).map_err(fail)?;
                let mut line = Vec::new();
                BufReader::new(file.take(MAX_LINE)).read_until(b'\n', &mut line).map_err(fail)?;
                Ok(line)
            }
        }
    }

    fn backup(&self) -> Result<Option<Vec<u8>>, StateError> {
        disk::read(&self.paths()?.backup)
    }

    fn lock_status(&self) -> Result<LockStatus, StateError> {
        lock::status(&self.paths()?.lock)
    }

    fn acquire(&self, holder: &Holder, wait: Duration) -> Result<Box<dyn Lease>, StateError> {
        Ok(Box::new(FileLease::acquire(self.paths()?, holder, wait)?))
    }
}

fn receipts(paths: &Paths) -> Result<Vec<ReceiptRef>, StateError> {
    let folder = &paths.receipts;
    if !disk::is_own_folder(folder)? {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(failed(IoOp::List, folder))?;
    let mut receipts = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed(IoOp::List, folder))?.file_name();
        receipts.extend(name.to_str().and_then(|name| paths.parse_receipt(name)));
    }
    receipts.sort_by_key(|receipt| (receipt.base, receipt.run));
    Ok(receipts)
}
