//! The ledger: one JSON line for every request, written before its answer is sent.
//!
//! It is the sandbox's memory and the witness of what was done: whatever becomes of an answer or of the process, what the
//! ledger contains has happened. Lines are only ever appended, without fsync: it outlives the process, not a power cut.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::actions::apply;
use super::event::{Event, LedgerEntry, Purchase};
use super::model::{Account, alias_in};
use super::options::Postpaid;
use crate::files::{self, Access, Links, Refusal};
use crate::i18n::{Text, text};

/// The environment of every new ledger, by the id that the API's documents have in their samples. It is prepaid, so it can be
/// switched.
pub const SAMPLE_ENV_ID: &str = "cdnheader-v2a";

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
                text!("the sandbox ledger {path} cannot be {doing}: {source}", path, doing, source)
            }
            Self::Busy { path } => {
                let path = path.display();
                text!(
                    "the sandbox ledger {path} is in use by another process: stop that one, or choose another ledger",
                    path
                )
            }
            Self::Damaged { path, line, why } => {
                let path = path.display();
                text!(
                    "line {line} of the sandbox ledger {path} is damaged ({why}): reset the sandbox, or fix the line",
                    line,
                    path,
                    why
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

/// The largest ledger that is read: far more than a rehearsal writes.
const MOST: u64 = 1024 * 1024 * 1024;

const WRITTEN: Text = Text::fixed("written");
const LOCKED: Text = Text::fixed("locked");

/// An open ledger, and the account that its events make. Only one process has it.
#[derive(Debug)]
pub(super) struct Ledger {
    file: File,
    path: PathBuf,
    account: Account,
    /// What reads are shown: the account as it was a fixed time ago.
    shown: Account,
    delay: Duration,
    /// What is not shown yet, in the order it happened.
    waiting: VecDeque<(Timestamp, Event)>,
    /// Held as long as the ledger is open; a dead process leaves nothing to clear.
    _lock: Lock,
}

/// Released by name when it is dropped: a process that is being started from here holds a copy of the file for a moment, and
/// closing ours alone would leave the lock with it.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file releases it too.
        let _ = self.0.unlock();
    }
}

impl Ledger {
    /// Opens a ledger, or starts one, and returns its events. Reads are shown what happened `delay` ago.
    pub(super) fn open(path: &Path, delay: Duration) -> Result<(Self, Vec<Event>), LedgerError> {
        let lock = lock(path)?;
        Self::open_locked(path, delay, lock)
    }

    fn open_locked(path: &Path, delay: Duration, lock: Lock) -> Result<(Self, Vec<Event>), LedgerError> {
        let (events, whole) = read(path)?;
        let file =
            files::open_or_make_own(path, Access::Append).map_err(fail(path, Text::fixed("opened")))?;
        // Half a line that a killed process left would spoil the next one.
        file.set_len(whole).map_err(fail(path, Text::fixed("repaired")))?;
        let mut ledger = Self {
            file,
            path: path.to_owned(),
            account: Account::default(),
            shown: Account::default(),
            delay,
            waiting: VecDeque::new(),
            _lock: lock,
        };
        for event in &events {
            ledger.apply(event);
        }
        Ok((ledger, events))
    }

    /// Adds the sample environment to a new ledger, and the others that it does not know. One that it knows stays what it is.
    pub(super) fn add_existing(
        &mut self,
        prepaid: &[String],
        postpaid: &[Postpaid],
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let is_new = self.account.is_new();
        let sample = is_new.then_some(SAMPLE_ENV_ID);
        let prepaid =
            sample.into_iter().chain(prepaid.iter().map(String::as_str)).map(|env_id| (env_id, None));
        let postpaid = postpaid.iter().map(|it| (it.env_id.as_str(), Some(it.alias.as_deref())));
        for (env_id, bought) in prepaid.chain(postpaid) {
            if self.account.had(env_id) {
                continue;
            }
            let postpaid = bought.map(|alias| Purchase {
                alias: alias.unwrap_or(alias_in(env_id)).to_owned(),
                tran_id: self.account.new_tran_id(at),
            });
            self.append(&Event::Environment { env_id: env_id.to_owned(), at, postpaid })?;
        }
        Ok(())
    }

    /// Writes an event, and then applies it.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), LedgerError> {
        let mut text =
            serde_json::to_vec(event).map_err(io::Error::from).map_err(fail(&self.path, WRITTEN))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(fail(&self.path, WRITTEN))?;
        self.apply(event);
        Ok(())
    }

    fn apply(&mut self, event: &Event) {
        apply(&mut self.account, event);
        let at = match event {
            Event::Environment { .. } => return apply(&mut self.shown, event),
            // It waits as long: an environment that is not shown yet could not be changed.
            Event::ExternalChange { at, .. } => at,
            Event::Request(entry) if entry.acted || entry.changed => &entry.at,
            Event::Request(_) => return,
        };
        let from = at.saturating_add(self.delay).unwrap_or(Timestamp::MAX);
        self.waiting.push_back((from, event.clone()));
    }

    /// The account as it is.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The account as reads are shown it now.
    pub(super) fn shown(&mut self, now: Timestamp) -> &Account {
        while let Some((from, event)) = self.waiting.front()
            && *from <= now
        {
            apply(&mut self.shown, event);
            self.waiting.pop_front();
        }
        &self.shown
    }
}

/// Returns the requests of a ledger, in their order. A missing file has none; half a line at its end, which a killed process
/// can leave, is ignored. A ledger that is in use can be read.
///
/// # Errors
/// When the file can't be read, or a line within it is damaged.
pub fn read_ledger(path: &Path) -> Result<Vec<LedgerEntry>, LedgerError> {
    let (events, _) = read(path)?;
    let request = |event| match event {
        Event::Request(entry) => Some(entry),
        Event::Environment { .. } | Event::ExternalChange { .. } => None,
    };
    Ok(events.into_iter().filter_map(request).collect())
}

/// Empties a ledger: it then has the sample environment, `existing`, which are prepaid, and `postpaid`, and no requests.
///
/// # Errors
/// When the ledger is in use or can't be written.
pub fn reset(
    path: &Path,
    existing: &[String],
    postpaid: &[Postpaid],
    now: Timestamp,
) -> Result<(), LedgerError> {
    let lock = lock(path)?;
    let emptied = files::open_or_make_own(path, Access::ReadWrite).and_then(|file| file.set_len(0));
    emptied.map_err(fail(path, WRITTEN))?;
    Ledger::open_locked(path, Duration::ZERO, lock)?.0.add_existing(existing, postpaid, now)
}

/// Adds prepaid environments and requests that were made earlier, for a rehearsal of what follows them.
///
/// # Errors
/// When the ledger is in use, damaged or can't be written.
pub fn add_earlier(
    path: &Path,
    existing: &[String],
    entries: &[LedgerEntry],
    now: Timestamp,
) -> Result<(), LedgerError> {
    let (mut ledger, _) = Ledger::open(path, Duration::ZERO)?;
    ledger.add_existing(existing, &[], now)?;
    entries.iter().try_for_each(|entry| ledger.append(&Event::Request(entry.clone())))
}

/// Returns the events of a file, and the length of the part that they fill.
fn read(path: &Path) -> Result<(Vec<Event>, u64), LedgerError> {
    let bytes = match files::read(path, Links::Refused, MOST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(fail(path, Text::fixed("read"))(error)),
    };
    // A line counts when its newline is there: it is written in one piece with the line.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut events = Vec::new();
    for (index, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let event = serde_json::from_slice(line).map_err(|error| LedgerError::Damaged {
            path: path.to_owned(),
            line: index + 1,
            why: error.to_string(),
        })?;
        events.push(event);
    }
    Ok((events, whole as u64))
}

/// Takes the lock, which is a file of its own so that the ledger can be read everywhere while it is in use.
fn lock(path: &Path) -> Result<Lock, LedgerError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::make_folder(folder, files::PRIVATE_FOLDER).map_err(fail(path, Text::fixed("created")))?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    // Either may have come with a repository, as a link to somebody else's file: then nothing is created.
    if path.is_symlink() {
        return Err(fail(path, Text::fixed("opened"))(Refusal::Link.into()));
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

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let (mut ledger, _) = Ledger::open(path, Duration::ZERO)?;
        ledger.add_existing(&[], &[], START)?;
        Ok(ledger)
    }

    fn entry(call: u64) -> LedgerEntry {
        LedgerEntry {
            call,
            action: "CreatePostpayPackage".to_owned(),
            reached: true,
            acted: true,
            answer: "ok".to_owned(),
            tran_id: Some(call.to_string()),
            env_id: Some(format!("env-{call}")),
            ..LedgerEntry::default()
        }
    }

    fn calls(path: &Path) -> Vec<u64> {
        read_ledger(path).unwrap().iter().map(|entry| entry.call).collect()
    }

    #[test]
    fn half_a_line_at_the_end_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/ledger.jsonl");
        assert!(calls(&path).is_empty());
        let mut ledger = open(&path).unwrap();
        assert_eq!(ledger.account().envs.len(), 1, "the sample environment");
        ledger.append(&Event::Request(entry(1))).unwrap();
        ledger.file.write_all(b"{\"kind\":\"requ").unwrap();
        assert_eq!(calls(&path), [1]);
        drop(ledger);
        let mut ledger = open(&path).unwrap();
        ledger.append(&Event::Request(entry(2))).unwrap();
        assert_eq!(calls(&path), [1, 2]);
        assert_eq!(read_ledger(&path).unwrap()[1], entry(2));
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        reset(&path, &[], &[], START).unwrap();
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
        let first = open(&path).unwrap();
        for error in [open(&path).unwrap_err(), reset(&path, &[], &[], START).unwrap_err()] {
            assert!(matches!(error, LedgerError::Busy { .. }), "{error}");
        }
        drop(first);
        open(&path).unwrap();
    }

    #[test]
    fn existing_environments_are_added_once_and_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let postpaid: Vec<Postpaid> =
            ["shop-1", "blog-2:博客", "old-1"].map(|text| text.parse().unwrap()).to_vec();
        let existing = ["old-1".to_owned(), "old-1".to_owned()];
        let at = Timestamp::from_second(1_591_200_000).unwrap();
        for _ in 0..2 {
            let (mut ledger, _) = Ledger::open(&path, Duration::ZERO).unwrap();
            ledger.add_existing(&existing, &postpaid, at).unwrap();
            let account = ledger.account();
            assert_eq!(account.envs.len(), 4, "the sample, and each of the three once");
            let find = |env_id: &str| account.find(env_id).unwrap();
            assert_eq!(find("old-1").info.pay_mode, "prepayment", "it was named first");
            for (env_id, alias, tran_id) in
                [("shop-1", "shop", "20200604000001"), ("blog-2", "博客", "20200604000002")]
            {
                let env = find(env_id);
                let info = &env.info;
                assert_eq!((&*info.alias, &*info.pay_mode), (alias, "postpaid"));
                assert_eq!(
                    (&*info.source, &*info.env_channel, &*info.region),
                    ("qcloud", "qc_console", "ap-shanghai")
                );
                assert_eq!((&*env.bill.pay_mode, &*env.bill.payment_channel), ("POSTPAID", "qcloud"));
                assert_eq!(env.bill.order_info.as_ref().unwrap().tran_id, tran_id);
            }
            assert_eq!(account.new_tran_id(at), "20200604000003");
        }
        let text = fs::read_to_string(&path).unwrap();
        let written: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(written[0], r#"{"kind":"environment","env_id":"old-1","at":"2020-06-03T16:00:00Z"}"#);
        assert_eq!(
            written[1],
            r#"{"kind":"environment","env_id":"shop-1","at":"2020-06-03T16:00:00Z","postpaid":{"alias":"shop","tran_id":"20200604000001"}}"#,
        );
    }

    #[test]
    fn writes_are_shown_after_the_delay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let (mut ledger, _) = Ledger::open(&path, Duration::from_secs(60)).unwrap();
        let second = |second| Timestamp::from_second(second).unwrap();
        ledger.append(&Event::Environment { env_id: "old-1".to_owned(), at: START, postpaid: None }).unwrap();
        let mut write = |action: &str, params: serde_json::Value, env_id: &str, at| {
            let is_create = action == "CreatePostpayPackage";
            let entry = LedgerEntry {
                at: second(at),
                action: action.to_owned(),
                params: params.as_object().unwrap().clone(),
                acted: is_create,
                changed: !is_create,
                tran_id: is_create.then(|| "20200604000001".to_owned()),
                env_id: Some(env_id.to_owned()),
                ..LedgerEntry::default()
            };
            ledger.append(&Event::Request(entry)).unwrap();
        };
        write("CreatePostpayPackage", serde_json::json!({"Alias": "shop"}), "shop-1", 0);
        write("ModifyEnv", serde_json::json!({"Alias": "new"}), "old-1", 5);
        write("DestroyEnv", serde_json::json!({}), "old-1", 10);
        write("DestroyEnv", serde_json::json!({"IsForce": true}), "old-1", 20);
        for (now, expected) in [
            (59, "old NORMAL"),
            (60, "old NORMAL, shop NORMAL"),
            (65, "new NORMAL, shop NORMAL"),
            (79, "new ISOLATE, shop NORMAL"),
            (80, "shop NORMAL"),
        ] {
            let infos = ledger.shown(second(now)).envs.iter().map(|env| &env.info);
            let shown: Vec<String> = infos.map(|info| format!("{} {}", info.alias, info.status)).collect();
            assert_eq!(shown.join(", "), expected, "{now}");
        }
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
