//! The file names of a state.
//!
//! `state/postpay.state.json` has `postpay.journal.jsonl`, `postpay.state.lock`, `postpay.state.json.backup`
//! and the folder `receipts/`, which all states of a folder share.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::disk::{failed, folder_of};
use crate::files::{self, Links, Place, Refusal, ResolvedPath};
use crate::i18n::{Text, text};
use crate::state::error::{IoOp, StateError};
use crate::state::record::RunId;
use crate::state::record::Serial;
use crate::state::store::{Places, ReceiptRef};

/// The files of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paths {
    pub(super) folder: PathBuf,
    pub(super) stem: String,
    pub(super) places: Places,
}

impl Deref for Paths {
    type Target = Places;

    fn deref(&self) -> &Places {
        &self.places
    }
}

impl Paths {
    /// Returns the files of the state at `path`.
    ///
    /// A link is resolved, and the other files are beside its target: two links to one state must share a
    /// lock, and replacing the link itself would separate them.
    pub(super) fn new(path: &Path, links: Links) -> Result<Self, StateError> {
        let state = follow(path)?;
        if links == Links::Refused && state != path {
            return Err(failed(IoOp::FollowLink, path)(Refusal::Link.into()));
        }
        let name = state.file_name().and_then(|name| name.to_str());
        let what = name.map_or_else(|| Some(Text::fixed("a path without a file name")), other_kind);
        let (Some(name), None) = (name, &what) else {
            let what = what.unwrap_or(Text::same(""));
            return Err(StateError::NotAState { path: state, what });
        };
        let stem = [".state.json", ".json"]
            .into_iter()
            .find_map(|ending| name.strip_suffix(ending))
            .filter(|stem| !stem.is_empty())
            .unwrap_or(name)
            .to_owned();
        let folder = folder_of(&state).to_owned();
        let beside = |ending: &str| folder.join(format!("{stem}{ending}"));
        let places = Places {
            backup: folder.join(format!("{name}.backup")),
            journal: beside(".journal.jsonl"),
            lock: beside(".state.lock"),
            receipts: folder.join("receipts"),
            rescue: beside(".rescue"),
            state,
        };
        Ok(Self { folder, stem, places })
    }

    /// Returns the receipt's path for this run.
    pub(super) fn receipt(&self, base: Serial, run: RunId) -> PathBuf {
        self.receipts.join(format!("{}.{:06}.{run}.jsonl", self.stem, base.0))
    }

    /// Parses the file name of a receipt; None when it belongs to another state.
    pub(super) fn parse_receipt(&self, name: &str) -> Option<ReceiptRef> {
        let rest = name.strip_prefix(&self.stem)?.strip_prefix('.')?;
        let (digits, run) = rest.strip_suffix(".jsonl")?.split_once('.')?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let base = Serial(digits.parse().ok()?);
        let run = RunId(Uuid::try_parse(run).ok()?);
        let path = self.receipts.join(name);
        // Only the exact name that `receipt` returns.
        (self.receipt(base, run) == path).then_some(ReceiptRef { base, run, path })
    }

    /// Returns whether a file of this name belongs to the state, the embedded endpoint's included.
    pub(super) fn is_own(&self, name: &str) -> bool {
        let is_named = |path: &Path| path.file_name().is_some_and(|own| own == name);
        let after_state = self.state.file_name().and_then(|state| name.strip_prefix(state.to_str()?));
        let after_stem = name.strip_prefix(&self.stem);
        [&self.state, &self.backup, &self.journal, &self.lock].into_iter().any(|own| is_named(own))
            || after_state.is_some_and(|rest| rest.starts_with(".replaced-"))
            || after_stem.is_some_and(|rest| [".sandbox.jsonl", ".sandbox.jsonl.lock"].contains(&rest))
            || after_stem.is_some_and(|rest| rest.starts_with(".rescue."))
            || name.starts_with(&self.temporary_prefix())
    }

    /// Returns whether only a store may write to the file at this path.
    ///
    /// Links are followed and hard links compared: a report written to either would overwrite the state's
    /// files.
    pub(super) fn owns(&self, path: &Path) -> Result<bool, StateError> {
        let wanted = Place::resolve(path).map_err(failed(IoOp::FollowLink, path))?;
        let folder = Place::resolve(&self.folder).map_err(failed(IoOp::FollowLink, &self.folder))?;
        let folder = folder.end();
        let receipts = folder.join("receipts");
        let is_own = |name: &OsStr| name.to_str().is_some_and(|name| self.is_own(name));
        if wanted.end().starts_with(&receipts)
            || wanted.end().parent() == Some(folder) && wanted.end().file_name().is_some_and(is_own)
        {
            return Ok(true);
        }
        // Hard links. A folder that can't be listed is reported by whoever uses the state next.
        let names = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        let mut beside = names(folder).filter(|entry| is_own(&entry.file_name()));
        Ok(beside.any(|entry| wanted.is(&Place::at(entry.path())))
            || names(&receipts).any(|entry| wanted.is(&Place::at(entry.path()))))
    }

    /// Returns the prefix of this state's temporary files.
    pub(super) fn temporary_prefix(&self) -> String {
        format!(".{}.unfinished.", self.stem)
    }
}

/// Returns which other file of a store has such a name.
///
/// Using a backup as the state would create again what was created since.
fn other_kind(name: &str) -> Option<Text> {
    let name = name.to_ascii_lowercase();
    let is_receipt = || {
        let (rest, run) = name.strip_suffix(".jsonl")?.rsplit_once('.')?;
        let (_, digits) = rest.rsplit_once('.')?;
        let serial: Option<u64> = digits.parse().ok();
        (serial.is_some() && Uuid::try_parse(run).is_ok()).then_some(Text::fixed("the receipt of a run"))
    };
    [
        (".backup", Text::fixed("the backup of a state")),
        (".journal.jsonl", Text::fixed("the journal of a run")),
        (".state.lock", Text::fixed("the lock of a state")),
    ]
    .into_iter()
    .find_map(|(ending, what)| name.ends_with(ending).then_some(what))
    .or_else(is_receipt)
}

/// Returns the path itself if it has no links, else the path of the file at their end.
fn follow(path: &Path) -> Result<PathBuf, StateError> {
    let fail = failed(IoOp::FollowLink, path);
    // Without a current folder nothing can be resolved; opening the file reports it.
    let Ok(here) = fs::canonicalize(".") else {
        return Ok(path.to_owned());
    };
    let resolved = match ResolvedPath::new(path, &here, &here) {
        Ok(resolved) => resolved,
        Err(error) => return Err(fail(error)),
    };
    // The target may only be out of reach, and creating a new state would repeat what it holds.
    let end = fs::symlink_metadata(&resolved.end);
    if resolved.is_link && end.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        let target = resolved.resolved(path);
        let target = target.display();
        let why = text!(
            "it is a symbolic link to {target}, which does not exist: restore the target; without it, its environments would be created again",
            target
        );
        return Err(fail(files::error(io::ErrorKind::NotFound, why)));
    }
    Ok(resolved.resolved(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_the_state() {
        for (path, stem) in [
            ("state/postpay.state.json", "postpay"),
            ("state/foo.state.json", "foo"),
            ("state/foo.json", "foo"),
            ("state/foo", "foo"),
            ("state/.json", ".json"),
        ] {
            let paths = Paths::new(Path::new(path), Links::Followed).unwrap();
            let beside = |name: String| PathBuf::from("state").join(name);
            assert_eq!(paths.journal, beside(format!("{stem}.journal.jsonl")));
            assert_eq!(paths.lock, beside(format!("{stem}.state.lock")));
            assert_eq!(paths.backup, PathBuf::from(format!("{path}.backup")));
        }
        let here = Paths::new(Path::new("foo.json"), Links::Followed).unwrap();
        assert_eq!(here.folder, Path::new("."));
    }

    #[test]
    fn other_files_of_a_store_are_not_states() {
        let paths = Paths::new(Path::new("state/shop.state.json"), Links::Followed).unwrap();
        let receipt = paths.receipt(Serial(7), RunId::fresh());
        for (path, says) in [
            (paths.backup.clone(), "is the backup of a state"),
            (PathBuf::from("x.json.BACKUP"), "is the backup of a state"),
            (paths.journal.clone(), "is the journal of a run"),
            (paths.lock.clone(), "is the lock of a state"),
            (receipt, "is the receipt of a run"),
        ] {
            let error = Paths::new(&path, Links::Followed).unwrap_err();
            let is_expected = matches!(&error, StateError::NotAState { path: named, .. } if *named == path);
            assert!(is_expected && error.to_string().contains(says), "{error}");
        }
        for fine in ["backup", "a.backup.json", "a.lock", "a.jsonl", "a.b.c.jsonl"] {
            assert!(Paths::new(Path::new(fine), Links::Followed).is_ok(), "{fine}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn link_to_a_backup_is_not_a_state() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("x.json");
        std::os::unix::fs::symlink("y.json.backup", &link).unwrap();
        fs::write(folder.path().join("y.json.backup"), "{}").unwrap();
        let error = Paths::new(&link, Links::Followed).unwrap_err();
        assert!(matches!(error, StateError::NotAState { .. }), "{error}");
    }

    #[test]
    fn states_in_one_folder_do_not_see_each_others_receipts() {
        let run = RunId::fresh();
        let paths = |name: &str| Paths::new(&Path::new("state").join(name), Links::Followed).unwrap();
        let stems = ["a.json", "a.b.json", "a.000001.json", "ab.json"];
        for mine in stems {
            let path = paths(mine).receipt(Serial(7), run);
            let name = path.file_name().unwrap().to_str().unwrap();
            for other in stems {
                let seen = paths(other).parse_receipt(name);
                assert_eq!(seen.is_some(), mine == other, "{other} reads {name}");
            }
            let own = paths(mine).parse_receipt(name).unwrap();
            assert_eq!((own.base, own.run, own.path.clone()), (Serial(7), run, path));
        }
    }
}
