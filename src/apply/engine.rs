//! A run in progress: what is queued, what is in progress, and what each step came to.
//!
//! [`Engine`] has here what every part of a run uses: writing to the journal, and stopping. The other files of this folder
//! extend it, and none of them is used here.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::attempt::{Answer, Attempt, Queue};
use super::candidates::PendingOrder;
use super::outcome::{ApplySummary, Call, CallKind, Outcome, StepResult, Trouble};
use super::parts::{OnError, Parts, Progress, Settings};
use crate::cloud::matching::Matcher;
use crate::cloud::{CloudError, Done, Grade, Scope};
use crate::crash;
use crate::model::{Address, Field};
use crate::plan::{Plan, Step};
use crate::state::journal::{self, Edit, Edited, EndReason, Event, RunEnded, RunId};
use crate::state::rescue::Rescued;
use crate::state::{Lineage, Record, Serial, StateError};

pub(super) struct Engine<'a, 'm, C> {
    pub(super) settings: &'a Settings,
    pub(super) plan: &'a Plan,
    pub(super) parts: Parts<'a, C>,
    pub(super) steps: Vec<&'a Step>,
    pub(super) run: RunId,
    /// The state that the run started from.
    pub(super) base: (Lineage, Serial),
    /// The times of its calls count from here.
    pub(super) began: Instant,
    /// Nothing new is started after this moment.
    pub(super) deadline: Option<Instant>,
    pub(super) queue: Queue,
    pub(super) calls: JoinSet<(Answer, Instant)>,
    /// The calls in progress, with when each was sent.
    pub(super) in_progress: HashMap<Id, (Attempt, Instant)>,
    pub(super) results: Vec<StepResult>,
    /// The environments that the account had before the first create; None when the list was incomplete.
    pub(super) before: Option<BTreeSet<String>>,
    /// The environments that the account had before the first destroy: only these can be seen to disappear.
    pub(super) before_destroys: HashSet<String>,
    /// Creates of this run with an unknown outcome. While there is one, nothing is started.
    pub(super) lost: Vec<PendingOrder>,
    /// Updates and destroys with an unknown outcome. While there is one, nothing is started.
    pub(super) in_doubt: Vec<Unconfirmed>,
    /// Destroys whose result the account has yet to show.
    pub(super) destroyed: Vec<Unconfirmed>,
    /// Creates without an EnvId so far, of this run and of earlier ones.
    pub(super) waiting: Vec<PendingOrder>,
    /// Creates of this run that may have made an environment although they were refused or throttled.
    pub(super) doubtful: Vec<PendingOrder>,
    /// EnvIds that were found for creates of earlier runs.
    pub(super) found: Vec<(Address, String)>,
    /// Why nothing more is started, besides an unknown outcome.
    pub(super) stopping: Option<EndReason>,
    pub(super) trouble: Option<Trouble>,
    pub(super) background: Background<'m>,
    /// Outcomes that the journal did not take.
    pub(super) unwritten: Vec<Rescued>,
    /// Outcomes with ids that are in the journal. They go to a rescue file when the run is fenced out.
    pub(super) written: Vec<Rescued>,
    pub(super) unresolved: Vec<Address>,
}

/// An update or a destroy that was answered, and whose result is yet to be seen in the account.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) at: usize,
    /// Of its attempt.
    pub(super) number: u32,
    /// The field that an update changes.
    pub(super) field: Option<Field>,
    pub(super) env_id: String,
    pub(super) answer: Result<Done, CloudError>,
    pub(super) took: Duration,
}

/// What a run needs to judge the listings that it makes while creates are in progress.
pub(super) struct Background<'m> {
    /// Of everything that the plan declares. Every id from before the run is known to it.
    pub(super) matcher: &'m Matcher<'m>,
    /// The first environment that was created, until a listing shows it.
    pub(super) unrecognised: Option<Unrecognised>,
    /// Whether any environment was recognised, before the run or in it.
    pub(super) is_proven: bool,
}

pub(super) struct Unrecognised {
    pub(super) address: Address,
    pub(super) env_id: String,
    /// When a listing must have shown it.
    pub(super) until: Instant,
}

impl<C> Engine<'_, '_, C> {
    /// Why nothing may be started now.
    pub(super) fn held_up(&self) -> Option<EndReason> {
        self.stopping.or(self.has_unknown().then_some(EndReason::Unknown))
    }

    /// Whether an outcome of this run is unknown and was not read back.
    pub(super) fn has_unknown(&self) -> bool {
        !self.lost.is_empty() || !self.in_doubt.is_empty()
    }

    /// Whether every create of this run succeeded, or was there already.
    pub(super) fn has_created_all(&self) -> bool {
        let mut creates = self.results.iter().filter(|result| result.is_order());
        creates.all(|result| result.outcome.created().is_some() || result.outcome == Outcome::Recorded)
    }

    /// The state's record of a step's environment, before the run.
    pub(super) fn recorded(&self, step: &Step) -> Option<&Record> {
        let state = self.parts.writer.state()?;
        if step.deposed {
            return state.environments.get(&step.key()?);
        }
        state.get(step.recorded_address())
    }

    /// Writes an event to the journal. Returns false when that failed, which stops the run.
    pub(super) fn append(&mut self, event: Event) -> bool {
        match self.parts.writer.append(self.parts.clock.now(), event) {
            Ok(()) => true,
            Err(error) => {
                self.stop_on(error);
                false
            }
        }
    }

    /// Writes a change of the state to the journal. Returns false when that failed, which stops the run.
    pub(super) fn edit(&mut self, doing: &str, edit: Edit) -> bool {
        crash::point(crash::EDIT_NEXT);
        let is_written = self.append(edited(doing, edit));
        if is_written {
            crash::point(crash::EDIT_KEPT);
        }
        is_written
    }

    /// Writes an outcome to the journal. One that the journal does not take is in the summary, so that the caller can save
    /// it elsewhere.
    pub(super) fn record(&mut self, outcome: journal::Outcome) {
        let (run, at) = (self.run, self.parts.clock.now());
        let event = Event::Outcome(outcome.clone());
        let rescued = Rescued { run, at, outcome };
        if let Err(error) = self.parts.writer.append(at, event) {
            self.unwritten.push(rescued);
            self.stop_on(error);
        } else if rescued.outcome.tran_id.is_some() || rescued.outcome.env_id.is_some() {
            self.written.push(rescued);
        }
    }

    /// Adds a call to the timeline of its step.
    pub(super) fn log_call(&mut self, at: usize, sent: Instant, answered: Instant, kind: CallKind) {
        let call = Call {
            sent: sent.saturating_duration_since(self.began),
            answered: answered.saturating_duration_since(self.began),
            kind,
        };
        self.results[at].calls.push(call);
    }

    /// Sets the outcome of a step and reports it.
    pub(super) fn finish(&mut self, at: usize, outcome: Outcome) {
        self.results[at].outcome = outcome;
        (self.parts.observe)(Progress::Ended(&self.results[at]));
    }

    /// Why nothing more is started after a step that failed with this error.
    pub(super) fn reason_to_stop(&self, error: &CloudError) -> Option<EndReason> {
        match error.grade {
            Grade::NotSent(_) | Grade::Refused(Scope::Run) => Some(EndReason::Failed),
            Grade::Refused(Scope::Step) | Grade::Unknown => match self.settings.on_error {
                OnError::Stop => Some(EndReason::Failed),
                OnError::Continue => None,
            },
        }
    }

    /// Reports that nothing is started until the first unknown outcome is read back.
    pub(super) fn report_unknown(&mut self) {
        let is_first = self.lost.len() + self.in_doubt.len() == 1;
        if is_first && self.stopping.is_none() {
            self.report_stopping(EndReason::Unknown, false);
        }
    }

    /// Starts nothing more. The first reason counts.
    pub(super) fn stop(&mut self, reason: EndReason) {
        if self.stopping.is_none() {
            self.stopping = Some(reason);
            self.report_stopping(reason, true);
        }
    }

    fn report_stopping(&mut self, reason: EndReason, for_trouble: bool) {
        let under_way = self.in_progress.len();
        if under_way > 0 || !self.queue.is_empty() {
            (self.parts.observe)(Progress::Stopping {
                reason,
                under_way,
                trouble: self.trouble.as_ref().filter(|_| for_trouble),
            });
        }
    }

    pub(super) fn stop_on(&mut self, error: StateError) {
        self.stop_in_trouble(Trouble::State(error));
    }

    pub(super) fn stop_in_trouble(&mut self, trouble: Trouble) {
        let (code, message, _) = trouble.explain();
        tracing::error!(code, "the run stops: {message}");
        self.trouble.get_or_insert(trouble);
        self.stop(EndReason::Failed);
    }

    /// Ends the run in the journal, and commits it to the state.
    pub(super) fn close(mut self, took: Duration) -> ApplySummary {
        self.record_unwritten();
        // An unknown outcome is the reason that a user has to act on.
        let ended = if self.lost.is_empty() {
            self.stopping.unwrap_or(EndReason::Finished)
        } else {
            EndReason::Unknown
        };
        let now = self.parts.clock.now();
        let writer = &mut *self.parts.writer;
        let fenced_out = |trouble: &Option<Trouble>| trouble.as_ref().is_some_and(Trouble::is_fenced_out);
        let state = if self.unwritten.is_empty() && !fenced_out(&self.trouble) {
            writer
                .append(now, Event::RunEnded(RunEnded { reason: ended }))
                .and_then(|()| {
                    crash::point(crash::RUN_ENDED);
                    writer.commit()
                })
                .map_err(|error| self.trouble.get_or_insert(Trouble::State(error)))
                .ok()
        } else {
            // The journal stays open: it lacks outcomes that are known, and the next writer must see that.
            None
        };
        if fenced_out(&self.trouble) {
            // Nobody may ever read our journal: every id of the run goes to a rescue file.
            self.unwritten.splice(0..0, self.written);
        }
        ApplySummary {
            run: Some(self.run),
            results: self.results,
            ended,
            took,
            state,
            trouble: self.trouble,
            unwritten: self.unwritten,
            unresolved: self.unresolved,
            found: self.found,
            not_ready: Vec::new(),
        }
    }

    /// Retries the outcomes that could not be appended: the disk or the database may work again.
    fn record_unwritten(&mut self) {
        for rescued in std::mem::take(&mut self.unwritten) {
            let event = Event::Outcome(rescued.outcome.clone());
            let failed = self.parts.writer.append(rescued.at, event).is_err();
            if failed {
                self.unwritten.push(rescued);
            }
        }
    }
}

pub(super) fn edited(doing: &str, edit: Edit) -> Event {
    Event::Edited(Edited { doing: doing.to_owned(), edit })
}

/// The result of `work`, unless the run is asked to stop or its deadline passes first.
///
/// # Errors
/// With the reason to stop.
pub(super) async fn unless_stopped<T>(
    stop: &mut watch::Receiver<bool>,
    deadline: Option<Instant>,
    work: impl Future<Output = T>,
) -> Result<T, EndReason> {
    tokio::select! {
        biased;
        () = asked_to_stop(stop) => Err(EndReason::Interrupted),
        () = at(deadline) => Err(EndReason::Deadline),
        result = work => Ok(result),
    }
}

/// Ready at the first poll after the moment: a timer alone takes up to its resolution longer. Never ready without a moment.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) if moment <= Instant::now() => {}
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

pub(super) async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // The sender is gone, so nobody can ask.
        pending::<()>().await;
    }
}
