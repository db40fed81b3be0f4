//! The one writer of a local store: opens runs, adds to them, folds them, and finishes what a dead writer left.
//!
//! The order on disk at the end of a run is backup, state, receipt. A crash after any of them is finished by the next
//! writer: the state says which run it holds, so nothing is folded twice, and the journal stays where it is until the
//! state that holds it is on disk.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::chain::{self, LineEvent};
use super::durable::{check_movable, failed, make_folder, make_own_folder, read, replace, sweep};
use super::format::encode_state;
use super::layout::Layout;
use super::lock::{self, Lock};
use super::log::{self, Log};
use super::look::{Found, Looking, look};
use super::receipts;
use crate::crash;
use crate::files::Fingerprint;
use crate::lang::Text;
use crate::state::Doing;
use crate::state::journal::{Entry, Event, Recovered, RunId, RunStarted};
use crate::state::{Folding, Holder, Serial, State, StateError, StateWriter};

#[derive(Debug)]
pub(super) struct FileWriter {
    layout: Layout,
    state: Option<State>,
    /// The bytes of the state on disk.
    bytes: Option<Vec<u8>>,
    /// The state's file as it was when the run began.
    fingerprint: Option<Fingerprint>,
    recovered: Option<RunId>,
    run: Option<OpenRun>,
    /// Last, so that it is released after everything else is closed.
    lock: Lock,
}

#[derive(Debug)]
struct OpenRun {
    started: RunStarted,
    log: Log,
    folding: Folding,
    last: Option<Entry>,
}

/// Takes the lock over a state, without looking at the state.
pub(super) fn lock(layout: &Layout, holder: &Holder, wait: Duration) -> Result<Lock, StateError> {
    make_folder(&layout.folder)?;
    let lock = Lock::take(&layout.lock, holder, wait)?;
    // A writer whose lock file was removed or replaced still holds its journal.
    let started = Instant::now();
    while let Err(error) = log::check_unlocked(&layout.journal) {
        let is_held = matches!(error, StateError::Locked { .. });
        if !is_held || started.elapsed() >= wait {
            return Err(error);
        }
        thread::sleep(lock::POLL);
    }
    sweep(&layout.folder, &layout.temporary_prefix());
    sweep(&layout.receipts, &layout.temporary_prefix());
    Ok(lock)
}

/// Puts a state in place, keeping the bytes that were there as the backup.
pub(super) fn write_state(
    layout: &Layout,
    before: Option<&[u8]>,
    state: &State,
) -> Result<Vec<u8>, StateError> {
    let bytes = encode_state(state)?;
    let prefix = layout.temporary_prefix();
    if let Some(before) = before {
        replace(&layout.backup, &prefix, before)?;
        crash::point(crash::BACKUP_KEPT);
    }
    replace(&layout.state, &prefix, &bytes)?;
    crash::point(crash::STATE_REPLACED);
    Ok(bytes)
}

impl FileWriter {
    /// Becomes the writer under `lock`, and finishes what a dead one left.
    pub(super) fn new(layout: Layout, lock: Lock, holder: &Holder) -> Result<Self, StateError> {
        let Found { state, bytes, journal } = look(&layout, Looking::Writer)?;
        let mut writer = Self { layout, state, bytes, fingerprint: None, recovered: None, run: None, lock };
        match journal {
            Some(whole) => writer.recover(whole, holder)?,
            // A run that is named still is filed: its writer died before it could say so.
            None => writer.lock.name_run(None),
        }
        Ok(writer)
    }

    fn recover(&mut self, whole: chain::Whole, holder: &Holder) -> Result<(), StateError> {
        let chain::Whole { mut journal, chain, length } = whole;
        let started = journal.started.clone();
        crash::point(crash::RECOVERY_NEXT);
        let log = Log::reopen(&self.layout.journal, chain, length)?;
        crash::point(crash::RECOVERY_REOPENED);
        let mut folding = Folding::new(self.state.clone(), started.clone());
        for Entry { at, event } in &journal.entries {
            folding.add(*at, event);
        }
        let mut run = OpenRun { started, log, folding, last: journal.entries.pop() };
        if !self.holds(&run.started) && !run.is_recovered() {
            let event = Event::Recovered(Recovered { by: holder.who.clone(), unknown: run.folding.open() });
            run.add(holder.since, event)?;
            crash::point(crash::RECOVERY_KEPT);
        }
        self.recovered = Some(run.started.run);
        self.run = Some(run);
        self.finish().map(drop)
    }

    /// Whether the state on disk holds this run already.
    fn holds(&self, started: &RunStarted) -> bool {
        self.state.as_ref().is_some_and(|state| state.last_run == Some(started.run))
    }

    /// Fails when the state on disk is not the one that this writer found or wrote.
    fn check_state(&self) -> Result<(), StateError> {
        if read(&self.layout.state)? == self.bytes { Ok(()) } else { Err(fenced_out(&self.layout.state)) }
    }

    /// Proves, before anything is paid for, what the end of a run needs: a lock that excludes others, a state that can be
    /// replaced, and receipts on the same file system as the journal.
    fn prove(&self) -> Result<(), StateError> {
        let Layout { lock, state, receipts, .. } = &self.layout;
        lock::prove_held(lock)?;
        let prefix = self.layout.temporary_prefix();
        if let Some(bytes) = &self.bytes {
            replace(state, &prefix, bytes)?;
        }
        make_own_folder(receipts)?;
        check_movable(&self.layout.folder, receipts, &prefix)
    }

    /// Folds and files the open run. After an error it is still open, and can be finished again.
    fn finish(&mut self) -> Result<&State, StateError> {
        let Some(run) = &self.run else {
            return Err(StateError::Misused(Text::fixed("no run is open", "没有进行中的运行")));
        };
        if !self.holds(&run.started) {
            self.check_state()?;
            let state = run.folding.clone().finish();
            self.bytes = Some(write_state(&self.layout, self.bytes.as_deref(), &state)?);
            self.state = Some(state);
        }
        crash::point(crash::RECEIPT_NEXT);
        receipts::file(&self.layout, &run.started)?;
        crash::point(crash::RECEIPT_FILED);
        self.run = None;
        self.lock.name_run(None);
        self.state
            .as_ref()
            .ok_or(StateError::Misused(Text::fixed("a run was folded into nothing", "运行折叠后一无所有")))
    }
}

fn fingerprint(layout: &Layout) -> Result<Option<Fingerprint>, StateError> {
    Fingerprint::at(&layout.state).map_err(failed(Doing::LookFor, &layout.state))
}

fn fenced_out(path: &Path) -> StateError {
    StateError::FencedOut { path: path.to_owned() }
}

impl OpenRun {
    fn add(&mut self, at: Timestamp, event: Event) -> Result<(), StateError> {
        self.log.append(at, LineEvent::from(&event))?;
        self.folding.add(at, &event);
        self.last = Some(Entry { at, event });
        Ok(())
    }

    fn is_recovered(&self) -> bool {
        match self.last.as_ref().map(|entry| &entry.event) {
            Some(Event::Recovered(_)) => true,
            Some(
                Event::Listed(_)
                | Event::Intent(_)
                | Event::Outcome(_)
                | Event::Edited(_)
                | Event::RunEnded(_),
            )
            | None => false,
        }
    }
}

impl StateWriter for FileWriter {
    fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    fn recovered(&self) -> Option<RunId> {
        self.recovered
    }

    fn begin(&mut self, at: Timestamp, started: RunStarted) -> Result<(), StateError> {
        if self.run.is_some() {
            return Err(StateError::Misused(Text::fixed("a run is open already", "已有进行中的运行")));
        }
        let (base, lineage) = match &self.state {
            Some(state) => (state.serial, state.lineage),
            None => (Serial::default(), started.lineage),
        };
        if (started.base, started.lineage) != (base, lineage) {
            return Err(StateError::Misused(Text::fixed(
                "the run starts from another state than the one that is here",
                "该运行的起点不是当前的状态文件",
            )));
        }
        // Somebody may have waited at a prompt since the state was read.
        self.check_state()?;
        self.prove()?;
        self.fingerprint = fingerprint(&self.layout)?;
        self.check_state()?;
        let run = started.run;
        self.run = Some(OpenRun {
            log: Log::create(&self.layout.journal, &self.layout.temporary_prefix(), at, &started)?,
            folding: Folding::new(self.state.clone(), started.clone()),
            started,
            last: None,
        });
        // Not before the journal is there: a crash between the two must not look like a lost journal.
        self.lock.name_run(Some(run));
        Ok(())
    }

    fn check_exclusive(&self) -> Result<(), StateError> {
        let Layout { lock, journal, state, .. } = &self.layout;
        let Some(run) = &self.run else {
            return Err(StateError::Misused(Text::fixed("no run is open", "没有进行中的运行")));
        };
        if !self.lock.is_at(lock)? {
            return Err(fenced_out(lock));
        }
        if !run.log.is_at(journal)? {
            return Err(fenced_out(journal));
        }
        if fingerprint(&self.layout)? != self.fingerprint {
            return Err(fenced_out(state));
        }
        Ok(())
    }

    fn append(&mut self, at: Timestamp, event: Event) -> Result<(), StateError> {
        let Some(run) = &mut self.run else {
            return Err(StateError::Misused(Text::fixed("no run is open", "没有进行中的运行")));
        };
        if !chain::may_follow(run.last.as_ref(), &event) {
            return Err(StateError::Misused(Text::fixed("the run has ended", "运行已结束")));
        }
        // Only what is about to be sent can still be stopped. An outcome is taken whatever it says.
        if let Event::Intent(intent) = &event
            && let Some(objection) = run.folding.objection(intent)
        {
            return Err(StateError::Misused(objection));
        }
        run.add(at, event)
    }

    fn commit(&mut self) -> Result<State, StateError> {
        let Some(run) = &self.run else {
            return Err(StateError::Misused(Text::fixed("no run is open", "没有进行中的运行")));
        };
        if !run.log.is_sure() {
            return Err(StateError::Misused(Text::fixed(
                "the journal's last entry is in doubt: add it again first",
                "日志的最后一条存疑：先重新写入它",
            )));
        }
        if !run.last.as_ref().is_some_and(|last| chain::is_end(&last.event)) {
            return Err(StateError::Misused(Text::fixed("the run has not ended", "运行尚未结束")));
        }
        self.finish().cloned()
    }
}
