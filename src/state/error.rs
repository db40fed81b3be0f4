//! Why a state can't be read or written, in sentences.

use std::fmt;
use std::path::PathBuf;

use super::journal::RunId;
use super::{Doing, Holder, Lineage, Serial};
use crate::lang::{Text, text};

/// Why a state can't be read or written. Nothing was sent to the vendor on account of one.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    Lost {
        path: PathBuf,
        evidence: String,
    },
    /// The path names another file of a store. To plan from a backup is to order the latest again.
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
    /// A run started from this very state or an earlier one, and the state does not hold what it did: a copy of the
    /// state lived a life of its own.
    Forked {
        path: PathBuf,
        serial: Serial,
        base: Serial,
        evidence: String,
    },
    /// What would be restored knows less than what is there, or than what an open run started from.
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
    /// A file of this writer was removed, replaced or written to by somebody else, who may be a writer too.
    FencedOut {
        path: PathBuf,
    },
    /// A lock on this file keeps nobody else from locking it.
    NoLocks {
        path: PathBuf,
    },
    Io {
        doing: Doing,
        path: PathBuf,
        source: std::io::Error,
    },
    Misused(Text),
}

impl StateError {
    /// Stable and searchable.
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
            Self::Behind { .. } => "restore-older",
            Self::JournalDamaged { .. } => "journal-damaged",
            Self::Locked { .. } => "state-locked",
            Self::FencedOut { .. } => "fenced-out",
            Self::NoLocks { .. } => "no-file-locks",
            Self::Io { .. } => "state-io",
            Self::Misused(_) => "state-protocol",
        }
    }
}

impl StateError {
    /// What happened.
    pub fn text(&self) -> Text {
        match self {
            Self::Lost { path, evidence } => {
                let path = path.display();
                text!(
                    "{path} is gone, but {evidence} says that environments were ordered with it",
                    "{path} 已不存在，但 {evidence} 表明曾用它订购过环境"
                )
            }
            Self::NotAState { path, what } => {
                let path = path.display();
                text!("{path} is {what}, not a state", "{path} 是{what:#}，不是状态文件")
            }
            Self::Empty { path } => {
                let path = path.display();
                text!("{path} is empty", "{path} 为空")
            }
            Self::Damaged { path, line, column, why } => {
                let path = path.display();
                text!("{path}:{line}:{column}: {why}", "{path}:{line}:{column}: {why:#}")
            }
            Self::Newer { path, found, supported } => {
                let path = path.display();
                text!(
                    "{path} has format version {found}; this postpay reads up to {supported}",
                    "{path} 的格式版本为 {found}；此 postpay 最高支持 {supported}"
                )
            }
            Self::Foreign { path, found, expected, evidence } => {
                let path = path.display();
                text!(
                    "{path} has lineage {found}, but {evidence} has {expected}",
                    "{path} 的 lineage 为 {found}，但 {evidence} 的为 {expected}"
                )
            }
            Self::Older { path, found, expected, evidence } => {
                let path = path.display();
                text!(
                    "{path} has serial {found}, but {evidence} says that it was {expected} once",
                    "{path} 的 serial 为 {found}，但 {evidence} 表明它曾为 {expected}"
                )
            }
            Self::Forked { path, serial, base, evidence } => {
                let path = path.display();
                text!(
                    "{path} has serial {serial} and does not hold the run of {evidence}, which started from serial {base}",
                    "{path} 的 serial 为 {serial}，却不包含 {evidence} 的运行，而该运行从 serial {base} 开始"
                )
            }
            Self::Behind { from, found, expected, evidence } => text!(
                "{from} gives serial {found}, but {evidence} has {expected}: to restore it would forget what was ordered since",
                "从 {from} 得到的 serial 为 {found}，但 {evidence} 的为 {expected}：恢复它会丢失此后订购的记录"
            ),
            Self::JournalDamaged { path, line, why } => {
                let path = path.display();
                text!("{path}:{line}: {why}", "{path}:{line}: {why:#}")
            }
            Self::JournalLost { path, run, evidence } => {
                let path = path.display();
                text!(
                    "{path} is gone, the journal of run {run}, which {evidence} says was open; it may hold the only trace of an order",
                    "{path} 已不存在，它是运行 {run} 的日志，而 {evidence} 表明该运行尚未结束；其中可能有某笔订单的唯一线索"
                )
            }
            Self::Locked { path, holder: _ } => {
                let path = path.display();
                text!("{path} is held by another process", "{path} 正被另一个进程持有")
            }
            Self::FencedOut { path } => {
                let path = path.display();
                text!(
                    "{path} was removed, replaced or changed by another program while this command held the lock",
                    "本命令持有锁期间，{path} 被其他程序删除、替换或修改"
                )
            }
            Self::NoLocks { path } => {
                let path = path.display();
                text!(
                    "file locks do not work for {path}: a second lock was granted while the first was held",
                    "{path} 的文件锁不起作用：已持有锁时又获得了第二把锁"
                )
            }
            Self::Io { doing, path, source } => {
                let (doing, path) = (doing.text(), path.display());
                text!("can't {doing} {path}: {source}", "{path}：无法{doing:#}：{source:#}")
            }
            Self::Misused(why) => why.clone(),
        }
    }
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
    fn every_error_is_told_in_both_languages() {
        let path = || PathBuf::from("postpay.state.json");
        let evidence = || "receipts/postpay.000001.jsonl".to_owned();
        let why = || Text::fixed("it was cut", "它被截断");
        let (low, high) = (Serial(1), Serial(2));
        let all = [
            StateError::Lost { path: path(), evidence: evidence() },
            StateError::NotAState { path: path(), what: Text::fixed("a backup", "备份") },
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
            StateError::Behind { from: evidence(), found: low, expected: high, evidence: evidence() },
            StateError::JournalDamaged { path: path(), line: 1, why: why() },
            StateError::JournalLost { path: path(), run: RunId::fresh(), evidence: evidence() },
            StateError::Locked { path: path(), holder: None },
            StateError::FencedOut { path: path() },
            StateError::NoLocks { path: path() },
            StateError::Io { doing: Doing::Read, path: path(), source: std::io::ErrorKind::NotFound.into() },
            StateError::Misused(why()),
        ];
        for error in all {
            assert!(error.text().is_in_both(), "{error}");
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
            assert!(error.text().is_in_both(), "{error}");
        }
    }

    #[test]
    fn our_own_reason_for_the_system_is_told_in_both_languages_too() {
        let error = crate::state::file::FileStore::new("..").folder().unwrap_err();
        assert_eq!(error.to_string(), "can't use as a state ..: it names no file");
        assert_eq!(format!("{error:#}"), "..：无法用作状态文件：路径中没有文件名");
    }
}
