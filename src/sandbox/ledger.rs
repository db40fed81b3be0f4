//! The ledger: one JSON line for every request, written before its answer is sent.
//!
//! It is the sandbox's memory and the witness of what was done: whatever becomes of an answer or of the process, what the
//! ledger says has happened. Lines are only ever appended, without fsync: it outlives the process, not a power cut.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::elsewhere::Elsewhere;
use super::existing::{Bought, Postpaid, missing};
use crate::files::{self, Access, Links, Refusal};
use crate::lang::{Text, text};

/// The environment that every new ledger knows, by the vendor's own sample id. It is prepaid, so it can be switched.
pub const SAMPLE_ENV_ID: &str = "cdnheader-v2a";

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Counted from 1 for each action since the server started.
    pub call: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// As X-TC-Action said; empty when it said nothing.
    pub action: String,
    /// As X-TC-Region said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub params: Map<String, Value>,
    /// Whether the gateway let it through: signature, version, action and rate were right.
    pub reached: bool,
    /// Whether an order was made.
    pub acted: bool,
    /// Whether an environment that was there was changed: renamed, isolated or deleted. Never of an order.
    #[serde(default)]
    pub changed: bool,
    /// `ok`, the code of an error, or the fault that stood in for an answer.
    pub answer: String,
    /// The fault that struck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What the order really got, whatever the answer said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tran_id: Option<String>,
    /// What the order really got, or the environment that a change is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    pub request_id: String,
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    /// An environment that was there from the start.
    Environment {
        env_id: String,
        at: Timestamp,
        /// None: it is prepaid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        postpaid: Option<Bought>,
    },
    /// Something that happened to an environment past the API.
    Elsewhere {
        env_id: String,
        at: Timestamp,
        now: Elsewhere,
    },
    Request(LedgerEntry),
}

/// Why a ledger can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    Io { path: PathBuf, doing: Text, source: io::Error },
    Busy { path: PathBuf },
    Damaged { path: PathBuf, line: usize, why: String },
}

impl LedgerError {
    pub fn text(&self) -> Text {
        match self {
            Self::Io { path, doing, source } => {
                let path = path.display();
                text!(
                    "the sandbox's ledger {path} can't be {doing}: {source}",
                    "无法{doing:#}沙箱账本 {path}：{source:#}"
                )
            }
            Self::Busy { path } => {
                let path = path.display();
                text!(
                    "the sandbox's ledger {path} is in use by another process: end that one, or choose another ledger",
                    "沙箱账本 {path} 正被另一个进程使用：结束该进程，或换用另一个账本"
                )
            }
            Self::Damaged { path, line, why } => {
                let path = path.display();
                text!(
                    "line {line} of the sandbox's ledger {path} is damaged ({why}): reset the sandbox, or mend the line",
                    "沙箱账本 {path} 的第 {line} 行已损坏（{why}）：重置沙箱，或修正该行"
                )
            }
        }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Far more than a rehearsal writes.
const MOST: u64 = 1024 * 1024 * 1024;

const WRITTEN: Text = Text::fixed("written", "写入");
const LOCKED: Text = Text::fixed("locked", "锁定");

/// An open ledger. Only one process has it.
#[derive(Debug)]
pub(super) struct Ledger {
    file: File,
    path: PathBuf,
    /// Held as long as the ledger is open; a dead process leaves nothing to clear.
    _lock: Lock,
}

/// Let go of by name when it is dropped: a process that is being started from here holds a copy of the file for a moment, and
/// closing ours alone would leave the lock with it.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file lets go of it too.
        let _ = self.0.unlock();
    }
}

impl Ledger {
    /// Opens a ledger, or starts one, and gives what it says.
    pub(super) fn open(
        path: &Path,
        existing: &[String],
        postpaid: &[Postpaid],
        now: Timestamp,
    ) -> Result<(Self, Vec<Line>), LedgerError> {
        let lock = lock(path)?;
        let (mut lines, whole) = read(path)?;
        let file = files::open_or_make_own(path, Access::Append)
            .map_err(fail(path, Text::fixed("opened", "打开")))?;
        // Half a line that a killed process left would spoil the next one.
        file.set_len(whole).map_err(fail(path, Text::fixed("mended", "修复")))?;
        let mut ledger = Self { file, path: path.to_owned(), _lock: lock };
        for line in missing(&lines, existing, postpaid, now) {
            ledger.append(&line)?;
            lines.push(line);
        }
        Ok((ledger, lines))
    }

    pub(super) fn append(&mut self, line: &Line) -> Result<(), LedgerError> {
        let mut text =
            serde_json::to_vec(line).map_err(io::Error::from).map_err(fail(&self.path, WRITTEN))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(fail(&self.path, WRITTEN))
    }
}

/// What a ledger says, in the order of the requests. A file that is not there says nothing; half a line at its end, which a
/// killed process can leave, is passed over. A ledger that is in use can be read.
///
/// # Errors
/// When the file can't be read, or a line within it is damaged.
pub fn read_ledger(path: &Path) -> Result<Vec<LedgerEntry>, LedgerError> {
    let (lines, _) = read(path)?;
    Ok(lines
        .into_iter()
        .filter_map(|line| match line {
            Line::Request(entry) => Some(entry),
            Line::Environment { .. } | Line::Elsewhere { .. } => None,
        })
        .collect())
}

/// Forgets everything: the ledger then knows the sample environment, `existing`, which are prepaid, and `postpaid`, and no
/// orders.
///
/// # Errors
/// When the ledger is in use or can't be written.
pub fn reset(
    path: &Path,
    existing: &[String],
    postpaid: &[Postpaid],
    now: Timestamp,
) -> Result<(), LedgerError> {
    let _lock = lock(path)?;
    let mut text = Vec::new();
    for line in missing(&[], existing, postpaid, now) {
        serde_json::to_writer(&mut text, &line).map_err(io::Error::from).map_err(fail(path, WRITTEN))?;
        text.push(b'\n');
    }
    let write = || {
        let mut file = files::open_or_make_own(path, Access::ReadWrite)?;
        file.set_len(0)?;
        file.write_all(&text)
    };
    write().map_err(fail(path, WRITTEN))
}

/// Writes requests down as if they had been made before, for a rehearsal of what follows on them.
///
/// # Errors
/// When the ledger is in use, damaged or can't be written.
pub fn note(path: &Path, entries: &[LedgerEntry], now: Timestamp) -> Result<(), LedgerError> {
    let (mut ledger, _) = Ledger::open(path, &[], &[], now)?;
    entries.iter().try_for_each(|entry| ledger.append(&Line::Request(entry.clone())))
}

/// The lines of a file, and the length of the part that they fill.
fn read(path: &Path) -> Result<(Vec<Line>, u64), LedgerError> {
    let bytes = match files::read(path, Links::Refused, MOST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(fail(path, Text::fixed("read", "读取"))(error)),
    };
    // A line counts when its newline is there: it is written in one piece with the line.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut lines = Vec::new();
    for (index, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let line = serde_json::from_slice(line).map_err(|error| LedgerError::Damaged {
            path: path.to_owned(),
            line: index + 1,
            why: error.to_string(),
        })?;
        lines.push(line);
    }
    Ok((lines, whole as u64))
}

/// Takes the lock, which is a file of its own so that the ledger can be read everywhere while it is in use.
fn lock(path: &Path) -> Result<Lock, LedgerError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::make_folder(folder, files::PRIVATE_FOLDER)
            .map_err(fail(path, Text::fixed("created", "创建")))?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    // Either may have come with a repository, as a link to a file of somebody else's: nothing of the ledger's is made then.
    if path.is_symlink() {
        return Err(fail(path, Text::fixed("opened", "打开"))(Refusal::Link.into()));
    }
    let file = files::open_or_make_own(Path::new(&name), Access::ReadWrite).map_err(fail(path, LOCKED))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(LedgerError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(fail(path, LOCKED)(error)),
    }
}

fn fail(path: &Path, doing: Text) -> impl FnOnce(io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::Io { path, doing, source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn entry(call: u64) -> LedgerEntry {
        LedgerEntry {
            call,
            at: Timestamp::UNIX_EPOCH,
            action: "CreatePostpayPackage".to_owned(),
            region: None,
            params: Map::new(),
            reached: true,
            acted: true,
            changed: false,
            answer: "ok".to_owned(),
            fault: None,
            tran_id: Some(call.to_string()),
            env_id: Some(format!("env-{call}")),
            request_id: "r".to_owned(),
        }
    }

    fn calls(path: &Path) -> Vec<u64> {
        read_ledger(path).unwrap().iter().map(|entry| entry.call).collect()
    }

    #[test]
    fn what_is_written_is_read_and_half_a_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/ledger.jsonl");
        assert!(calls(&path).is_empty());
        let (mut ledger, lines) = Ledger::open(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(lines.len(), 1, "the sample environment");
        ledger.append(&Line::Request(entry(1))).unwrap();
        ledger.file.write_all(b"{\"kind\":\"requ").unwrap();
        assert_eq!(calls(&path), [1]);
        drop(ledger);
        let (mut ledger, _) = Ledger::open(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap();
        ledger.append(&Line::Request(entry(2))).unwrap();
        assert_eq!(calls(&path), [1, 2]);
        assert_eq!(read_ledger(&path).unwrap()[1], entry(2));
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        reset(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("oops\n");
        fs::write(&path, text).unwrap();
        let error = read_ledger(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of"), "{error}");
    }

    #[test]
    fn one_process_has_a_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let first = Ledger::open(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap();
        for error in [
            Ledger::open(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap_err(),
            reset(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap_err(),
        ] {
            assert!(matches!(error, LedgerError::Busy { .. }), "{error}");
        }
        drop(first);
        Ledger::open(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn a_ledger_from_before_there_were_changes_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let old = r#"{"kind":"environment","env_id":"old-1","at":"2020-06-03T16:00:00Z"}
{"kind":"request","call":1,"at":"2020-06-03T16:00:00Z","action":"CreatePostpayPackage","params":{},"reached":true,"acted":true,"answer":"ok","tran_id":"1","env_id":"e-1","request_id":"r"}
"#;
        fs::write(&path, old).unwrap();
        let (ledger, lines) = Ledger::open(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap();
        drop(ledger);
        assert!(matches!(&lines[0], Line::Environment { postpaid: None, .. }));
        let [entry] = &*read_ledger(&path).unwrap() else {
            panic!("{lines:?}");
        };
        assert!(entry.acted && !entry.changed);
        // What was there from the start is written as it always was, unless it is postpaid.
        reset(&path, &["old-1".to_owned()], &["new-1".parse().unwrap()], Timestamp::UNIX_EPOCH).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let written: Vec<&str> = text.lines().collect();
        assert_eq!(
            written[1..],
            [
                r#"{"kind":"environment","env_id":"old-1","at":"1970-01-01T00:00:00Z"}"#,
                r#"{"kind":"environment","env_id":"new-1","at":"1970-01-01T00:00:00Z","postpaid":{"alias":"new","tran_id":"19700101000001"}}"#,
            ]
        );
    }

    #[test]
    fn environments_are_added_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let existing = ["old-1".to_owned(), "old-1".to_owned()];
        let open = || Ledger::open(&path, &existing, &[], Timestamp::UNIX_EPOCH).unwrap().1.len();
        assert_eq!((open(), open()), (2, 2));
        reset(&path, &[], &[], Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(open(), 2);
        let postpaid = ["old-1", "new-1", "new-1:other"].map(|text| text.parse().unwrap());
        let open = || Ledger::open(&path, &[], &postpaid, Timestamp::UNIX_EPOCH).unwrap().1.len();
        assert_eq!((open(), open()), (3, 3), "what is known stays what it is");
    }

    #[test]
    fn every_error_is_told_in_both_languages() {
        let path = || PathBuf::from("a.jsonl");
        for error in [
            fail(&path(), WRITTEN)(io::ErrorKind::NotFound.into()),
            LedgerError::Busy { path: path() },
            LedgerError::Damaged { path: path(), line: 1, why: "x".to_owned() },
        ] {
            assert!(error.text().is_in_both(), "{error}");
        }
    }
}
