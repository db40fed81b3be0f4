//! Which files belong to a state, by their names alone.
//!
//! `state/postpay.state.json` keeps company with `postpay.journal.jsonl`, `postpay.state.lock`,
//! `postpay.state.json.backup` and the folder `receipts/`, which all states of a folder share.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::durable::{failed, not_ours};
use crate::files::{Links, Refusal, Way, error as refused};
use crate::lang::{Text, text};
use crate::state::Doing;
use crate::state::journal::RunId;
use crate::state::{ReceiptRef, Serial, StateError};

/// The places of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) folder: PathBuf,
    pub(super) stem: String,
    pub(super) state: PathBuf,
    pub(super) backup: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) receipts: PathBuf,
}

impl Layout {
    /// The places that belong to the state at `path`.
    ///
    /// A link is followed to the file that it names, and everything else lies beside that file: two links to one state
    /// must meet at one lock, and replacing the link instead of its target would part them for good.
    pub(super) fn of(path: &Path, links: Links) -> Result<Self, StateError> {
        let state = follow(path)?;
        if links == Links::Refused && state != path {
            return Err(failed(Doing::FollowLink, path)(not_ours(Refusal::Link.into())));
        }
        let Some(name) = state.file_name().and_then(|name| name.to_str()) else {
            return Err(StateError::Io {
                doing: Doing::UseAsState,
                path: state,
                source: refused(
                    io::ErrorKind::InvalidInput,
                    Text::fixed("it names no file", "路径中没有文件名"),
                ),
            });
        };
        if let Some(what) = of_another_kind(name) {
            return Err(StateError::NotAState { path: state, what });
        }
        let stem = [".state.json", ".json"]
            .into_iter()
            .find_map(|ending| name.strip_suffix(ending))
            .filter(|stem| !stem.is_empty())
            .unwrap_or(name)
            .to_owned();
        let folder = match state.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let mut backup = OsString::from(name);
        backup.push(".backup");
        Ok(Self {
            backup: folder.join(backup),
            journal: folder.join(format!("{stem}.journal.jsonl")),
            lock: folder.join(format!("{stem}.state.lock")),
            receipts: folder.join("receipts"),
            folder,
            stem,
            state,
        })
    }

    /// Where the journal of this run goes when it is over.
    pub(super) fn receipt(&self, base: Serial, run: RunId) -> PathBuf {
        self.receipts.join(format!("{}.{:06}.{run}.jsonl", self.stem, base.0))
    }

    /// The receipt with this file name; None when it is not one of this state's.
    pub(super) fn receipt_named(&self, name: &str) -> Option<ReceiptRef> {
        let rest = name.strip_prefix(&self.stem)?.strip_prefix('.')?;
        let (digits, run) = rest.strip_suffix(".jsonl")?.split_once('.')?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let base = Serial(digits.parse().ok()?);
        let run = RunId(Uuid::try_parse(run).ok()?);
        let path = self.receipts.join(name);
        // Only the name that `receipt` gives: no second spelling of the same run.
        (self.receipt(base, run) == path).then_some(ReceiptRef { base, run, path })
    }

    /// What a file with outcomes of this run is called that could not be written to its journal.
    pub(super) fn rescue_name(&self, run: RunId) -> String {
        format!("{}.rescue.{run}.json", self.stem)
    }

    /// Whether a file with this name is such a file of this state.
    pub(super) fn is_rescue(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.stem);
        let run = rest.and_then(|rest| rest.strip_prefix(".rescue.")?.strip_suffix(".json"));
        run.is_some_and(|run| Uuid::try_parse(run).is_ok())
    }

    /// Whether a file with this name beside the state is one of its own, the embedded endpoint's included.
    pub(super) fn is_own(&self, name: &str) -> bool {
        let named = |path: &Path| path.file_name().is_some_and(|own| own == name);
        let after_state = self.state.file_name().and_then(|state| name.strip_prefix(state.to_str()?));
        let after_stem = name.strip_prefix(&self.stem);
        [&self.state, &self.backup, &self.journal, &self.lock].into_iter().any(|own| named(own))
            || after_state.is_some_and(|rest| rest.starts_with(".replaced-"))
            || after_stem.is_some_and(|rest| [".sandbox.jsonl", ".sandbox.jsonl.lock"].contains(&rest))
            || self.is_rescue(name)
            || name.starts_with(&self.temporary_prefix())
    }

    /// How the names of this state's unfinished files start.
    pub(super) fn temporary_prefix(&self) -> String {
        format!(".{}.unfinished.", self.stem)
    }
}

/// What a file with this name is to a store, when it is not the state.
///
/// A backup is a whole state, only an old one, and its name would give it a journal and receipts of its own: nothing
/// would say what was ordered since, and all of that would be ordered again.
fn of_another_kind(name: &str) -> Option<Text> {
    let name = name.to_ascii_lowercase();
    let is_receipt = || {
        let (rest, run) = name.strip_suffix(".jsonl")?.rsplit_once('.')?;
        let (_, digits) = rest.rsplit_once('.')?;
        let serial: Option<u64> = digits.parse().ok();
        (serial.is_some() && Uuid::try_parse(run).is_ok())
            .then_some(Text::fixed("the receipt of a run", "一次运行的回执"))
    };
    [
        (".backup", Text::fixed("the backup of a state", "状态文件的备份")),
        (".journal.jsonl", Text::fixed("the journal of a run", "一次运行的日志")),
        (".state.lock", Text::fixed("the lock of a state", "状态文件的锁")),
    ]
    .into_iter()
    .find_map(|(ending, what)| name.ends_with(ending).then_some(what))
    .or_else(is_receipt)
}

/// The path itself where no link is on it, or a path to the file at their end.
fn follow(path: &Path) -> Result<PathBuf, StateError> {
    let fail = failed(Doing::FollowLink, path);
    // Without a folder to be in there is nothing to follow, and whoever opens it says so.
    let Ok(here) = fs::canonicalize(".") else {
        return Ok(path.to_owned());
    };
    let way = match Way::of(path, &here, &here) {
        Ok(way) => way,
        Err(error) => return Err(fail(error)),
    };
    // A state that is made where a link happens to lead is made where nobody looks for it, and one that was there may
    // only be out of reach: what it holds would be ordered again.
    let end = fs::symlink_metadata(&way.end);
    if way.is_link && end.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        let target = way.resolved(path);
        let target = target.display();
        let why = text!(
            "it is a symbolic link to {target}, where nothing is: bring that back; without it, what it holds would be ordered again",
            "它是指向 {target} 的符号链接，而那里什么也没有：请恢复目标；没有它，其中的内容会被再次订购"
        );
        return Err(fail(refused(io::ErrorKind::NotFound, why)));
    }
    Ok(way.resolved(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_state_are_named_after_it() {
        for (path, stem) in [
            ("state/postpay.state.json", "postpay"),
            ("state/foo.state.json", "foo"),
            ("state/foo.json", "foo"),
            ("state/foo", "foo"),
            ("state/.json", ".json"),
        ] {
            let layout = Layout::of(Path::new(path), Links::Followed).unwrap();
            let beside = |name: String| PathBuf::from("state").join(name);
            assert_eq!(layout.journal, beside(format!("{stem}.journal.jsonl")));
            assert_eq!(layout.lock, beside(format!("{stem}.state.lock")));
            assert_eq!(layout.backup, PathBuf::from(format!("{path}.backup")));
        }
        let here = Layout::of(Path::new("foo.json"), Links::Followed).unwrap();
        assert_eq!(here.folder, Path::new("."));
    }

    #[test]
    fn the_other_files_of_a_store_are_no_states() {
        let layout = Layout::of(Path::new("state/shop.state.json"), Links::Followed).unwrap();
        let receipt = layout.receipt(Serial(7), RunId::fresh());
        for (path, says) in [
            (layout.backup.clone(), "is the backup of a state"),
            (PathBuf::from("x.json.BACKUP"), "is the backup of a state"),
            (layout.journal, "is the journal of a run"),
            (layout.lock, "is the lock of a state"),
            (receipt, "is the receipt of a run"),
        ] {
            let error = Layout::of(&path, Links::Followed).unwrap_err();
            let told = matches!(&error, StateError::NotAState { path: named, .. } if *named == path);
            assert!(told && error.to_string().contains(says), "{error}");
        }
        for fine in ["backup", "a.backup.json", "a.lock", "a.jsonl", "a.b.c.jsonl"] {
            assert!(Layout::of(Path::new(fine), Links::Followed).is_ok(), "{fine}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_backup_is_no_state_either() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("x.json");
        std::os::unix::fs::symlink("y.json.backup", &link).unwrap();
        fs::write(folder.path().join("y.json.backup"), "{}").unwrap();
        let error = Layout::of(&link, Links::Followed).unwrap_err();
        assert!(matches!(error, StateError::NotAState { .. }), "{error}");
    }

    #[test]
    fn states_in_one_folder_do_not_see_each_others_receipts() {
        let run = RunId::fresh();
        let of = |name: &str| Layout::of(&Path::new("state").join(name), Links::Followed).unwrap();
        let stems = ["a.json", "a.b.json", "a.000001.json", "ab.json"];
        for mine in stems {
            let path = of(mine).receipt(Serial(7), run);
            let name = path.file_name().unwrap().to_str().unwrap();
            for other in stems {
                let seen = of(other).receipt_named(name);
                assert_eq!(seen.is_some(), mine == other, "{other} reads {name}");
            }
            let own = of(mine).receipt_named(name).unwrap();
            assert_eq!((own.base, own.run, own.path.clone()), (Serial(7), run, path));
        }
    }
}
