//! The lease of a file store: OS locks on the lock file and the journal, and checks that both are still the
//! files that were opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::disk::{
    check_movable, failed, folder_of, is_own_folder, make_folder, read, replace, sweep, sync_folder,
};
use super::journal::{JournalFile, check_unlocked};
use super::lock::{self, Lock};
use super::paths::Paths;
use crate::crash;
use crate::files::{self, Fingerprint};
use crate::i18n::Text;
use crate::state::error::{Holder, IoOp, StateError};
use crate::state::record::RunId;
use crate::state::record::Serial;
use crate::state::store::{Fence, Keep, Lease, Places};

#[derive(Debug)]
pub(super) struct FileLease {
    paths: Paths,
    /// The state's file when the run started.
    fingerprint: Option<Fingerprint>,
    journal: Option<JournalFile>,
    /// Last, so that it is released after everything else is closed.
    lock: Lock,
}

impl FileLease {
    pub(super) fn acquire(paths: Paths, holder: &Holder, wait: Duration) -> Result<Self, StateError> {
        make_folder(&paths.folder)?;
        let lock = Lock::acquire(&paths.lock, holder, wait)?;
        // A writer whose lock file was removed or replaced still holds its journal.
        let started = Instant::now();
        while let Err(error) = check_unlocked(&paths.journal) {
            let is_held = matches!(error, StateError::Locked { .. });
            if !is_held || started.elapsed() >= wait {
                return Err(error);
            }
            thread::sleep(lock::POLL);
        }
        sweep(&paths.folder, &paths.temporary_prefix());
        sweep(&paths.receipts, &paths.temporary_prefix());
        Ok(Self { paths, fingerprint: None, journal: None, lock })
    }

    fn fingerprint(&self) -> Result<Option<Fingerprint>, StateError> {
        Fingerprint::at(&self.paths.state).map_err(failed(IoOp::Read, &self.paths.state))
    }

    /// Fails when the state on disk has changed.
    fn check_state(&self, state: Option<&[u8]>) -> Result<(), StateError> {
        check_fence(read(&self.paths.state)?.as_deref() == state, &self.paths.state)
    }

    /// Returns the receipts' folder, creating it if needed. A link would put receipts somewhere else.
    fn receipts(&self) -> Result<&Path, StateError> {
        if !is_own_folder(&self.paths.receipts)? {
            make_folder(&self.paths.receipts)?;
        }
        Ok(&self.paths.receipts)
    }
}

impl Lease for FileLease {
    fn read(&mut self, from: u64) -> Result<Vec<u8>, StateError> {
        if self.journal.is_none() {
            self.journal = JournalFile::reopen(&self.paths.journal)?;
        }
        if let Some(journal) = &mut self.journal {
            return journal.lines_from(from);
        }
        // A receipt of the run in the lock file exists: its writer died before clearing the name.
        self.lock.name_run(None);
        Ok(Vec::new())
    }

    fn prepare(&mut self, state: Option<&[u8]>) -> Result<(), StateError> {
        // Time may have passed at a prompt since the state was read.
        self.check_state(state)?;
        lock::check_exclusive(&self.paths.lock)?;
        let prefix = self.paths.temporary_prefix();
        if let Some(bytes) = state {
            replace(&self.paths.state, &prefix, bytes)?;
        }
        check_movable(&self.paths.folder, self.receipts()?, &prefix)?;
        self.fingerprint = self.fingerprint()?;
        self.check_state(state)
    }

    fn begin(&mut self, run: RunId, line: &[u8]) -> Result<(), StateError> {
        let prefix = self.paths.temporary_prefix();
        self.journal = Some(JournalFile::create(&self.paths.journal, &prefix, line)?);
        // After the journal exists: a crash in between must not look like a lost journal.
        self.lock.name_run(Some(run));
        Ok(())
    }

    fn append(&mut self, seq: u64, line: &[u8], fence: Fence) -> Result<(), StateError> {
        if fence == Fence::Intent {
            self.renew()?;
        }
        match &mut self.journal {
            Some(journal) => journal.append(seq, line),
            None => Err(failed(IoOp::Write, &self.paths.journal)(io::ErrorKind::NotFound.into())),
        }
    }

    fn renew(&mut self) -> Result<(), StateError> {
        let Places { lock, journal, state, .. } = &self.paths.places;
        check_fence(self.lock.is_at(lock)?, lock)?;
        if let Some(open) = &self.journal {
            check_fence(open.is_at(journal)?, journal)?;
        }
        check_fence(self.fingerprint()? == self.fingerprint, state)
    }

    fn replace(
        &mut self,
        before: Option<&[u8]>,
        state: &[u8],
        keep: Keep,
    ) -> Result<Option<PathBuf>, StateError> {
        self.check_state(before)?;
        let prefix = self.paths.temporary_prefix();
        let kept = before.filter(|before| keep == Keep::AsBackup || *before != state).map(|before| {
            let path = match keep {
                Keep::AsBackup => self.paths.backup.clone(),
                Keep::Aside(at) => unused_name(&self.paths.state, at),
            };
            replace(&path, &prefix, before)?;
            crash::point(crash::BACKUP_KEPT);
            Ok(path)
        });
        let kept = kept.transpose()?;
        replace(&self.paths.state, &prefix, state)?;
        crash::point(crash::STATE_REPLACED);
        Ok(kept)
    }

    fn close(&mut self, base: Serial, run: RunId) -> Result<(), StateError> {
        let receipts = self.receipts()?;
        let (from, to) = (&self.paths.journal, self.paths.receipt(base, run));
        match read(&to)? {
            None => files::rename(from, &to).map_err(failed(IoOp::MoveInto, receipts))?,
            // A crash may have happened after the copy.
            Some(there) if read(from)?.as_ref() == Some(&there) => {
                files::remove(from).map_err(failed(IoOp::Remove, from))?;
            }
            Some(_) => {
                let why = Text::fixed("it already exists and differs");
                let error = files::error(io::ErrorKind::AlreadyExists, why);
                return Err(failed(IoOp::Create, &to)(error));
            }
        }
        crash::point(crash::RECEIPT_RENAMED);
        sync_folder(receipts)?;
        sync_folder(folder_of(from))?;
        self.journal = None;
        self.lock.name_run(None);
        Ok(())
    }
}

fn check_fence(holds: bool, path: &Path) -> Result<(), StateError> {
    if holds { Ok(()) } else { Err(StateError::FencedOut { path: path.to_owned() }) }
}

/// Returns `postpay.state.json.replaced-20260714T120000Z`, with a number added if that exists.
fn unused_name(state: &Path, at: jiff::Timestamp) -> PathBuf {
    let base = format!("{}.replaced-{}", state.display(), at.strftime("%Y%m%dT%H%M%SZ"));
    let numbered = (2..=u32::MAX).map(|number| PathBuf::from(format!("{base}-{number}")));
    std::iter::once(PathBuf::from(&base))
        .chain(numbered)
        .find(|path| fs::symlink_metadata(path).is_err())
        .unwrap_or_else(|| base.into())
}
