//! The writer of a state: opens runs, appends to their journals, applies them, and finishes runs of dead
//! writers.
//!
//! At the end of a run the state is replaced, then the journal becomes a receipt. After a crash in between,
//! the next writer finishes: the state names the run that it contains, so nothing is applied twice, and the
//! journal stays until that state is durable.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::codec::{Chain, Decoded, decode_open_journal, encode_state, is_end, may_follow};
use super::error::{Holder, StateError};
use super::journal::{Entry, Event, Recovered, RunStarted};
use super::read::{Current, Reader, read_current};
use super::store::{Fence, Keep, Lease, Places, StateStore};
use crate::crash;
use crate::i18n::Text;
use crate::state::record::RunId;
use crate::state::record::{Serial, State};
use crate::state::replay::Replay;

/// The writer. Dropping it releases the lease; an open run stays open for the next writer.
pub struct Writer {
    places: Places,
    state: Option<State>,
    /// The state as stored.
    bytes: Option<Vec<u8>>,
    recovered: Option<RunId>,
    run: Option<OpenRun>,
    lease: Box<dyn Lease>,
}

struct OpenRun {
    started: RunStarted,
    chain: Chain,
    replay: Replay,
    last: Option<Entry>,
    /// The journal's path for messages.
    path: PathBuf,
    /// A line that may or may not be stored. Only the same one can follow.
    doubt: Option<Vec<u8>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("state", &self.places.state).finish_non_exhaustive()
    }
}

impl Writer {
    /// Acquires the lease and first applies a dead run.
    ///
    /// # Errors
    /// [`StateError::Locked`] when another process still holds the lease after `wait`, else as [`super::read()`].
    pub fn open(store: &dyn StateStore, holder: &Holder, wait: Duration) -> Result<Self, StateError> {
        let places = store.places()?;
        let lease = store.acquire(holder, wait)?;
        let Current { state, bytes, journal } = read_current(store, Reader::Writer)?;
        let mut writer = Self { places, state, bytes, recovered: None, run: None, lease };
        if journal.is_some() {
            crash::point(crash::RECOVERY_NEXT);
        }
        let settled = writer.lease.read(1)?;
        if journal.is_some() {
            crash::point(crash::RECOVERY_REOPENED);
            writer.recover(decode_open_journal(&writer.places.journal, &settled)?, holder)?;
        }
        Ok(writer)
    }

    /// Wraps the lease, so that tests can inject faults.
    #[cfg(test)]
    pub(super) fn map_lease(self, map: impl FnOnce(Box<dyn Lease>) -> Box<dyn Lease>) -> Self {
        Self { lease: map(self.lease), ..self }
    }

    fn recover(&mut self, decoded: Decoded, holder: &Holder) -> Result<(), StateError> {
        let Decoded { mut journal, chain, .. } = decoded;
        let mut replay = Replay::new(self.state.clone(), journal.started.clone());
        for Entry { at, event } in &journal.entries {
            replay.apply(*at, event);
        }
        let last = journal.entries.pop();
        let path = self.places.journal.clone();
        let mut run = OpenRun { started: journal.started, chain, replay, last, path, doubt: None };
        let is_recovered = matches!(run.last, Some(Entry { event: Event::Recovered(_), .. }));
        if !self.holds(&run.started) && !is_recovered {
            let event = Event::Recovered(Recovered { by: holder.who.clone(), unknown: run.replay.open() });
            run.append(&mut *self.lease, holder.since, event)?;
            crash::point(crash::RECOVERY_KEPT);
        }
        self.recovered = Some(run.started.run);
        self.run = Some(run);
        self.finish().map(drop)
    }

    /// Returns the state, with dead runs applied.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Returns the state with everything that the open run has written.
    pub fn state_so_far(&self) -> Option<State> {
        self.run.as_ref().map(|run| run.replay.clone().finish()).or_else(|| self.state.clone())
    }

    /// Returns the dead run that was applied when the lease was acquired.
    pub fn recovered(&self) -> Option<RunId> {
        self.recovered
    }

    /// Opens a run. On return its first line is durable.
    ///
    /// # Errors
    /// When it, or the end of a run, can't be written; when a run is open already; or when `started` does not
    /// start from [`Self::state`].
    pub fn begin(&mut self, at: Timestamp, started: RunStarted) -> Result<(), StateError> {
        if self.run.is_some() {
            return Err(StateError::Misused(Text::fixed("a run is already open")));
        }
        let (base, lineage) = match &self.state {
            Some(state) => (state.serial, state.lineage),
            None => (Serial::default(), started.lineage),
        };
        if (started.base, started.lineage) != (base, lineage) {
            return Err(StateError::Misused(Text::fixed("the run starts from a different state")));
        }
        self.lease.prepare(self.bytes.as_deref())?;
        let (line, chain) = Chain::start(at, &started)?;
        self.lease.begin(started.run, &line)?;
        let replay = Replay::new(self.state.clone(), started.clone());
        let path = self.places.journal.clone();
        self.run = Some(OpenRun { started, chain, replay, last: None, path, doubt: None });
        Ok(())
    }

    /// Confirms that no other process can be writing. Call it between a durable intent and its request.
    ///
    /// # Errors
    /// [`StateError::FencedOut`] when one can: nothing may then be sent.
    pub fn check_exclusive(&mut self) -> Result<(), StateError> {
        if self.run.is_none() {
            return Err(no_run());
        }
        self.lease.renew()
    }

    /// Appends to the open run. On return the line is durable.
    ///
    /// # Errors
    /// When it can't be written. It is then not stored or, when that is uncertain, only the same entry is
    /// accepted next. [`StateError::Misused`] when no run is open, it has ended, or an intent could create
    /// something twice.
    pub fn append(&mut self, at: Timestamp, event: Event) -> Result<(), StateError> {
        let Some(run) = &mut self.run else {
            return Err(no_run());
        };
        if !may_follow(run.last.as_ref(), &event) {
            return Err(StateError::Misused(Text::fixed("the run has ended")));
        }
        // Only a request can still be stopped. Outcomes are always accepted.
        if let Event::Intent(intent) = &event
            && let Some(objection) = run.replay.objection(intent)
        {
            return Err(StateError::Misused(objection));
        }
        run.append(&mut *self.lease, at, event)
    }

    /// Applies the open run, which has ended, to the state, and turns its journal into a receipt.
    ///
    /// # Errors
    /// When either can't be written. The journal is then kept, for another attempt or the next writer.
    pub fn commit(&mut self) -> Result<State, StateError> {
        let run = self.run.as_ref().ok_or_else(no_run)?;
        if run.doubt.is_some() {
            return Err(StateError::Misused(Text::fixed(
                "the last journal entry is unconfirmed: write it again first",
            )));
        }
        if !run.last.as_ref().is_some_and(|last| is_end(&last.event)) {
            return Err(StateError::Misused(Text::fixed("the run has not ended")));
        }
        self.finish()
    }

    /// Returns whether the stored state contains this run.
    fn holds(&self, started: &RunStarted) -> bool {
        self.state.as_ref().is_some_and(|state| state.last_run == Some(started.run))
    }

    /// Applies and closes the open run. After an error it stays open, and this can be repeated.
    fn finish(&mut self) -> Result<State, StateError> {
        let run = self.run.as_ref().ok_or_else(no_run)?;
        let held = self.state.as_ref().filter(|_| self.holds(&run.started));
        let state = if let Some(state) = held {
            state.clone()
        } else {
            let state = run.replay.clone().finish();
            let bytes = encode_state(&state)?;
            self.lease.replace(self.bytes.as_deref(), &bytes, Keep::AsBackup)?;
            self.bytes = Some(bytes);
            self.state = Some(state.clone());
            state
        };
        crash::point(crash::RECEIPT_NEXT);
        let RunStarted { base, run, .. } = run.started;
        self.lease.close(base, run)?;
        crash::point(crash::RECEIPT_FILED);
        self.run = None;
        Ok(state)
    }
}

impl OpenRun {
    fn append(&mut self, lease: &mut dyn Lease, at: Timestamp, event: Event) -> Result<(), StateError> {
        let (line, next) = self.chain.line(at, &event)?;
        let is_stored = match &self.doubt {
            Some(doubt) if *doubt != line => {
                return Err(StateError::Misused(Text::fixed(
                    "the last journal entry is unconfirmed: only the same entry can follow",
                )));
            }
            Some(_) => self.is_stored(lease, next.seq, &line)?,
            None => false,
        };
        let fence = if matches!(event, Event::Intent(_)) { Fence::Intent } else { Fence::Open };
        if !is_stored && let Err(error) = lease.append(next.seq, &line, fence) {
            if matches!(error, StateError::FencedOut { .. }) {
                return Err(error);
            }
            // Never guess from the error whether it is stored.
            match self.is_stored(lease, next.seq, &line) {
                Ok(true) => {}
                Ok(false) => {
                    self.doubt = None;
                    return Err(error);
                }
                Err(fenced @ StateError::FencedOut { .. }) => return Err(fenced),
                Err(_) => {
                    self.doubt = Some(line);
                    return Err(error);
                }
            }
        }
        self.doubt = None;
        self.chain = next;
        self.replay.apply(at, &event);
        self.last = Some(Entry { at, event });
        Ok(())
    }

    /// Returns whether line number `seq` is stored; an error when another line is in its place.
    fn is_stored(&self, lease: &mut dyn Lease, seq: u64, line: &[u8]) -> Result<bool, StateError> {
        let stored = lease.read(seq)?;
        if stored.is_empty() || stored == line {
            return Ok(!stored.is_empty());
        }
        Err(StateError::FencedOut { path: self.path.clone() })
    }
}

fn no_run() -> StateError {
    StateError::Misused(Text::fixed("no run is open"))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;
    use crate::state::error::IoOp;
    use crate::state::faulty::{Op, faulty};
    use crate::state::file::FileStore;
    use crate::state::journal::{EndReason, RunEnded};
    use crate::state::record::{Account, FormatVersion, Lineage};

    fn failed() -> StateError {
        IoOp::Write.failed(Path::new("journal"))(io::ErrorKind::TimedOut.into())
    }

    fn ended(reason: EndReason) -> Event {
        Event::RunEnded(RunEnded { reason })
    }

    /// Returns a writer that stores lines or not, loses every response, and fails this many reads.
    fn begun(folder: &Path, stores: bool, mut unreadable: u32) -> Writer {
        let store = FileStore::new(folder.join("x.state.json"));
        let at = Timestamp::UNIX_EPOCH;
        let holder = Holder { who: "ada@loom".to_owned(), pid: 7, since: at, doing: "apply".to_owned() };
        let mut writer = Writer::open(&store, &holder, Duration::ZERO).unwrap();
        let started = RunStarted {
            format_version: FormatVersion,
            run: RunId::fresh(),
            lineage: Lineage::fresh(),
            base: Serial::default(),
            tool_version: "0.1.0".to_owned(),
            account: Account { endpoint: "sandbox".to_owned(), uin: None },
            plan: String::new(),
            who: "ada@loom".to_owned(),
            pid: 7,
            region: None,
            commit: None,
        };
        writer.begin(at, started).unwrap();
        faulty(writer, move |op| match op {
            Op::Append(_) => (!stores).then(failed),
            Op::Appended(_) => Some(failed()),
            Op::Read => {
                let fails = unreadable > 0;
                unreadable = unreadable.saturating_sub(1);
                fails.then(failed)
            }
            Op::Renew => None,
        })
    }

    #[test]
    fn stored_line_counts_although_the_write_failed() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = begun(folder.path(), true, 0);
        writer.append(Timestamp::UNIX_EPOCH, ended(EndReason::Finished)).unwrap();
        writer.commit().unwrap();
    }

    #[test]
    fn line_that_was_not_stored_may_be_followed_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = begun(folder.path(), false, 0);
        let at = Timestamp::UNIX_EPOCH;
        assert!(matches!(writer.append(at, ended(EndReason::Finished)), Err(StateError::Io { .. })));
        assert!(matches!(writer.append(at, ended(EndReason::Failed)), Err(StateError::Io { .. })));
    }

    #[test]
    fn after_an_uncertain_append_only_the_same_entry_is_accepted() {
        for stores in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = begun(folder.path(), stores, 2);
            let at = Timestamp::UNIX_EPOCH;
            let error = writer.append(at, ended(EndReason::Finished)).unwrap_err();
            assert!(matches!(error, StateError::Io { .. }), "{error}");
            let error = writer.append(at, ended(EndReason::Failed)).unwrap_err();
            assert!(matches!(error, StateError::Misused(_)), "{error}");
            assert!(matches!(writer.commit(), Err(StateError::Misused(_))));
            // Still unreadable, so it is not written again.
            let error = writer.append(at, ended(EndReason::Finished)).unwrap_err();
            assert!(matches!(error, StateError::Io { .. }), "{error}");
            let result = writer.append(at, ended(EndReason::Finished));
            assert_eq!(result.is_ok(), stores, "{result:?}");
            assert_eq!(writer.commit().is_ok(), stores);
        }
    }
}
