//! Errors of reading and writing a state: code, message and help.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::i18n::{Text, text};
use crate::state::record::RunId;
use crate::state::record::{Lineage, Serial};

/// Why a state can't be read or written. Nothing was sent when one is returned.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There was a state, as `evidence` shows, and it is gone.
    Lost {
        path: PathBuf,
        evidence: String,
    },
    /// The path is another file of a store. Planning from a backup would create the latest environments
    /// again.
    NotAState {
        path: PathBuf,
        what: Text,
    },
    Empty {
        path: PathBuf,
    },
    Damaged {
        path: PathBuf,
        line: usize,
        column: usize,
        why: Text,
    },
    Newer {
        path: PathBuf,
        found: u64,
        supported: u64,
    },
    Foreign {
        path: PathBuf,
        found: Lineage,
        expected: Lineage,
        evidence: String,
    },
    Older {
        path: PathBuf,
        found: Serial,
        expected: Serial,
        evidence: String,
    },
    /// A run started from this state or an earlier one, and the state does not contain it: the state was
    /// forked.
    Forked {
        path: PathBuf,
        serial: Serial,
        base: Serial,
        evidence: String,
    },
    /// No receipts for the runs between two serials.
    ReceiptsMissing {
        from: Serial,
        to: Serial,
        evidence: String,
    },
    /// The restored state would lack something that is there, or that an open run started from.
    Behind {
        from: String,
        found: Serial,
        expected: Serial,
        evidence: String,
    },
    JournalDamaged {
        path: PathBuf,
        line: usize,
        why: Text,
    },
    JournalLost {
        path: PathBuf,
        run: RunId,
        evidence: String,
    },
    Locked {
        path: PathBuf,
        holder: Option<Holder>,
    },
    /// Another process, possibly a writer, removed, replaced or wrote to a file of this writer.
    FencedOut {
        path: PathBuf,
    },
    /// File locks have no effect on this file system.
    NoLocks {
        path: PathBuf,
    },
    Io {
        op: IoOp,
        path: PathBuf,
        source: io::Error,
    },
    /// A database could not be reached or used.
    Database {
        place: PathBuf,
        why: Text,
    },
    /// The caller broke the writer's protocol.
    Misused(Text),
}

/// The process that holds or wants the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Holder {
    /// `user@host`
    pub who: String,
    pub pid: u32,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
    /// Its command: `apply`.
    pub doing: String,
}

/// An operation that the system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IoOp {
    Create,
    CreateFolder,
    FollowLink,
    List,
    Lock,
    MoveInto,
    Read,
    Remove,
    Write,
}

impl IoOp {
    /// Returns the verb for "can't VERB PATH".
    const fn text(self) -> Text {
        match self {
            Self::Create => Text::fixed("create"),
            Self::CreateFolder => Text::fixed("create the folder"),
            Self::FollowLink => Text::fixed("follow the link"),
            Self::List => Text::fixed("list"),
            Self::Lock => Text::fixed("lock"),
            Self::MoveInto => Text::fixed("move a file of the state into"),
            Self::Read => Text::fixed("read"),
            Self::Remove => Text::fixed("remove"),
            Self::Write => Text::fixed("write"),
        }
    }

    /// Returns a function that makes an error of this operation on `path`.
    pub fn failed(self, path: &Path) -> impl FnOnce(io::Error) -> StateError {
        let path = path.to_owned();
        move |source| StateError::Io { op: self, path, source }
    }
}

impl StateError {
    /// Returns the stable diagnostic code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Lost { .. } => "state-lost",
            Self::Empty { .. } => "state-empty",
            Self::Damaged { .. } => "state-damaged",
            Self::NotAState { .. } => "not-a-state",
            Self::JournalLost { .. } => "journal-lost",
            Self::Newer { .. } => "state-newer",
            Self::Foreign { .. } => "state-foreign",
            Self::Older { .. } | Self::Forked { .. } => "state-older",
            Self::ReceiptsMissing { .. } => "receipts-missing",
            Self::Behind { .. } => "restore-older",
            Self::JournalDamaged { .. } => "journal-damaged",
            Self::Locked { .. } => "state-locked",
            Self::FencedOut { .. } => "fenced-out",
            Self::NoLocks { .. } => "no-file-locks",
            Self::Io { .. } => "state-io",
            Self::Database { .. } => "state-database",
            Self::Misused(_) => "state-protocol",
        }
    }

    /// Returns the message.
    pub fn text(&self) -> Text {
        match self {
            Self::Lost { path, evidence } => {
                let path = path.display();
                text!(
                    "{path} does not exist, but {evidence} shows that environments were created with it",
                    path,
                    evidence
                )
            }
            Self::NotAState { path, what } => {
                let path = path.display();
                text!("{path} is {what}, not a state file", path, what)
            }
            Self::Empty { path } => {
                let path = path.display();
                text!("{path} is empty", path)
            }
            Self::Damaged { path, line, column, why } => {
                let path = path.display();
                text!("{path}:{line}:{column}: {why}", path, line, column, why)
            }
            Self::Newer { path, found, supported } => {
                let path = path.display();
                text!(
                    "{path} has format version {found}; this postpay supports up to {supported}",
                    path,
                    found,
                    supported
                )
            }
            Self::Foreign { path, found, expected, evidence } => {
                let path = path.display();
                text!(
                    "{path} has lineage {found}, but {evidence} has {expected}",
                    path,
                    found,
                    evidence,
                    expected
                )
            }
            Self::Older { path, found, expected, evidence } => {
                let path = path.display();
                text!(
                    "{path} has serial {found}, but {evidence} shows that it was {expected} before",
                    path,
                    found,
                    evidence,
                    expected
                )
            }
            Self::Forked { path, serial, base, evidence } => {
                let path = path.display();
                text!(
                    "{path} has serial {serial} but lacks the run of {evidence}, which started from serial {base}",
                    path,
                    serial,
                    evidence,
                    base
                )
            }
            Self::ReceiptsMissing { from, to, evidence } => text!(
                "the receipts from serial {from} to {to} are missing; {evidence} is newer",
                from,
                to,
                evidence
            ),
            Self::Behind { from, found, expected, evidence } => text!(
                "{from} results in serial {found}, but {evidence} has {expected}: restoring it would lose what was created since",
                from,
                found,
                evidence,
                expected
            ),
            Self::JournalDamaged { path, line, why } => {
                let path = path.display();
                text!("{path}:{line}: {why}", path, line, why)
            }
            Self::JournalLost { path, run, evidence } => {
                let path = path.display();
                text!(
                    "{path}, the journal of run {run}, is missing, but {evidence} shows that the run was open; it may be the only trace of an order",
                    path,
                    run,
                    evidence
                )
            }
            Self::Locked { path, holder: _ } => {
                let path = path.display();
                text!("{path} is locked by another process", path)
            }
            Self::FencedOut { path } => {
                let path = path.display();
                text!(
                    "{path} was removed, replaced or changed by another program while this command held the lock",
                    path
                )
            }
            Self::NoLocks { path } => {
                let path = path.display();
                text!(
                    "file locks do not work for {path}: a second lock was granted while the first one was held",
                    path
                )
            }
            Self::Io { op, path, source } => {
                let (op, path) = (op.text(), path.display());
                text!("cannot {op} {path}: {source}", op, path, source)
            }
            Self::Database { place, why } => {
                let place = place.display();
                text!("{place}: {why}", place, why)
            }
            Self::Misused(why) => why.clone(),
        }
    }

    /// Returns the help, one text per line.
    pub fn help(&self) -> Vec<Text> {
        let restore = || {
            vec![
                Text::fixed(
                    "`postpay state verify` shows what exists; `postpay state restore --dry-run` shows what can be restored",
                ),
                Text::fixed(
                    "rebuild it from the receipts with `postpay state restore`; if receipts are missing, use `--from-backup` or `--from FILE`",
                ),
                Text::fixed("postpay will not start from an empty state"),
            ]
        };
        match self {
            Self::Lost { .. } | Self::Empty { .. } | Self::Damaged { .. } => restore(),
            Self::NotAState { .. } => vec![
                Text::fixed("set the state file itself with --state, or in postpay.yaml"),
                Text::fixed(
                    "a backup lacks the last run: `postpay state restore --from-backup` merges the receipts into it",
                ),
            ],
            Self::Newer { .. } => vec![Text::fixed("use the postpay version that wrote it, or a newer one")],
            Self::Foreign { .. } => vec![
                Text::fixed(
                    "the files beside it belong to another state: restore the right one, or set it with --state",
                ),
                Text::fixed(
                    "`postpay state verify` lists them; `postpay state restore` rebuilds the state that the receipts belong to",
                ),
            ],
            Self::Older { .. } | Self::Forked { .. } => vec![
                Text::fixed(
                    "it lacks environments that were created since: `postpay state verify` lists them",
                ),
                Text::fixed(
                    "restore them with `postpay state restore`, or merge the receipts into a copy: `postpay state restore --from FILE`",
                ),
            ],
            Self::ReceiptsMissing { .. } => vec![Text::fixed(
                "restore the receipts from version control or another copy of the folder; without them the state cannot be rebuilt",
            )],
            Self::Behind { .. } => vec![
                Text::fixed(
                    "`postpay state verify` shows which receipts are missing; restore a newer copy with `postpay state restore --from FILE`",
                ),
                Text::fixed(
                    "only if the current file is known to be wrong: move it away, then restore again",
                ),
            ],
            Self::JournalDamaged { .. } => vec![
                Text::fixed(
                    "keep the file: it may be the only trace of an order; restore it from version control, or fix the named line",
                ),
                Text::fixed(
                    "`postpay state verify` lists every problem; to use a copy of the state that contains the run: `postpay state restore --from FILE`",
                ),
            ],
            Self::JournalLost { evidence, .. } => vec![
                Text::fixed(
                    "restore the journal: it has what that run created, and what it may have created",
                ),
                text!(
                    "if it is lost, compare the environments in the Tencent Cloud console, and the ids in any rescue file beside the \
                     state, with `postpay show`; then empty {evidence}",
                    evidence
                ),
            ],
            Self::Locked { holder, .. } => locked(holder.as_ref()),
            Self::FencedOut { .. } => vec![Text::fixed(
                "make sure that no other postpay, git or cleanup job works on this folder, then run the command again",
            )],
            Self::NoLocks { .. } => {
                vec![Text::fixed("keep the state on a local file system, or on one with working locks")]
            }
            Self::Io { .. } => {
                vec![Text::fixed("fix this and run the command again")]
            }
            Self::Database { .. } => vec![Text::fixed(
                "check the address, the network and the user's rights, then run the command again; `postpay lock status` shows the state of the store",
            )],
            Self::Misused(_) => Vec::new(),
        }
    }
}

/// Returns who holds the lock and how to get it.
fn locked(holder: Option<&Holder>) -> Vec<Text> {
    let who = holder.map(|Holder { who, pid, since, doing }| {
        text!(
            "held by {who}, process {pid}, since {since}, doing `{doing}`",
            who,
            pid,
            since = format!("{since:.0}"),
            doing
        )
    });
    let stop = holder.map(|Holder { pid, .. }| {
        text!("or stop it: `kill -INT {pid}`; it waits for calls in progress and records their outcomes", pid)
    });
    let wait =
        Text::fixed("to wait for it: `--lock-timeout 10m`; a process that died leaves no lock to remove");
    who.into_iter().chain([wait]).chain(stop).collect()
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::bill::BillError;

    #[test]
    fn every_error_has_both_languages() {
        let path = || PathBuf::from("postpay.state.json");
        let evidence = || "receipts/postpay.000001.jsonl".to_owned();
        let why = || Text::new("it was cut", "它被截断");
        let (low, high) = (Serial(1), Serial(2));
        let all = [
            StateError::Lost { path: path(), evidence: evidence() },
            StateError::NotAState { path: path(), what: Text::new("a backup", "备份") },
            StateError::Empty { path: path() },
            StateError::Damaged { path: path(), line: 1, column: 2, why: why() },
            StateError::Newer { path: path(), found: 2, supported: 1 },
            StateError::Foreign {
                path: path(),
                found: Lineage::fresh(),
                expected: Lineage::fresh(),
                evidence: evidence(),
            },
            StateError::Older { path: path(), found: low, expected: high, evidence: evidence() },
            StateError::Forked { path: path(), serial: high, base: low, evidence: evidence() },
            StateError::ReceiptsMissing { from: low, to: high, evidence: evidence() },
            StateError::Behind { from: evidence(), found: low, expected: high, evidence: evidence() },
            StateError::JournalDamaged { path: path(), line: 1, why: why() },
            StateError::JournalLost { path: path(), run: RunId::fresh(), evidence: evidence() },
            StateError::Locked {
                path: path(),
                holder: Some(Holder {
                    who: "me@here".to_owned(),
                    pid: 1,
                    since: Timestamp::UNIX_EPOCH,
                    doing: "apply".to_owned(),
                }),
            },
            StateError::FencedOut { path: path() },
            StateError::NoLocks { path: path() },
            StateError::Io { op: IoOp::Read, path: path(), source: io::ErrorKind::NotFound.into() },
            StateError::Database { place: path(), why: why() },
            StateError::Misused(why()),
        ];
        for error in all {
            assert!(Text::of(&error).is_in_both(), "{error}");
            assert!(error.help().iter().all(Text::is_in_both), "{error}");
            let (en, zh) = (format!("{error}"), format!("{error:#}"));
            assert_eq!(Text::of(&error), Text::new(en, zh));
        }
        for error in [
            BillError::Empty,
            BillError::Encoding,
            BillError::Broken { line: 1, why: "x".to_owned() },
            BillError::NoColumn { columns: vec!["a".to_owned(), "b".to_owned()] },
            BillError::Ambiguous { name: "a".to_owned(), count: 2 },
            BillError::Rounded { line: 1, text: "1E+5".to_owned() },
        ] {
            assert!(Text::of(&error).is_in_both(), "{error}");
        }
    }

    #[test]
    fn our_own_io_error_is_translated_too() {
        let error = crate::state::file::FileStore::new("..").beside("x").unwrap_err();
        assert_eq!(error.to_string(), ".. is a path without a file name, not a state file");
        assert_eq!(format!("{error:#}"), ".. 是没有文件名的路径，不是状态文件");
    }
}
