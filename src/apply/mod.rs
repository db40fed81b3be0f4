//! Carries out an approved plan: the only caller of [`CloudWrite`].
//!
//! The order of things is the protocol. For every request: its slot comes, its intent is on disk, it is sent, its
//! outcome is on disk, and only then is anything else decided. One task decides and writes; the calls themselves run
//! beside it, so that a slow answer does not slow the pace. [`pace`] and [`retry`] hold the arithmetic.
//!
//! An outcome that is unknown stops the run until it is read back: [`candidates`] says what may be concluded from what
//! the account shows, [`settle`] looks, and `readback` carries out what follows.

pub mod candidates;
mod outcome;
pub mod pace;
pub mod protocol;
mod readback;
pub mod retry;
pub mod settle;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

pub use outcome::{Counts, Outcome, Report, StepResult, Verdict};

use crate::clock::Clock;
use crate::cloud::{
    CloudError, CloudRead, CloudWrite, Grade, NotSent, Ordered, Reach, SeenEnvironment, SeenIds,
};
use crate::crash;
use crate::desired::{Address, Attributes, Field};
use crate::plan::file::identity;
use crate::plan::guard::Approved;
use crate::plan::{Action, Step};
use crate::state::journal::{self, EndReason, Event, Intent, Listed, RunEnded, RunId, RunStarted};
use crate::state::rescue::Rescued;
use crate::state::{Lineage, State, StateError, StateWriter};
use pace::Pacer;
use retry::Decision;
use settle::Open;

/// The vendor's action that places an order.
pub const ACTION: &str = "CreatePostpayPackage";

/// How long before its slot an intent is written: enough for an fsync, so that the send itself is on time.
const LEAD: Duration = Duration::from_millis(25);

/// How a run behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Requests a second.
    pub rate: f64,
    /// Calls under way at once, at most.
    pub in_flight: usize,
    pub on_error: OnError,
    /// How long a step whose attempts were proven not sent is tried again.
    pub retry_for: Duration,
    /// Nothing new is started after this long.
    pub deadline: Option<Duration>,
    /// How long an unknown outcome, or an order without an environment id, is looked for in what the account shows.
    pub settle: Duration,
    /// Order an environment although the account has one with its alias that is not on record.
    pub allow_same_alias: bool,
}

/// Why a run did not begin. Nothing was ordered.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    State(#[from] StateError),
    /// Without a list from before the first order, nothing could be told about a lost answer.
    #[error("the account's environments can't be listed: {}", .0.message)]
    Listing(CloudError),
    /// A state that was lost together with its receipts can't say that these were ordered. The account can.
    #[error("the account has environments with these aliases already, and they are not on record")]
    AlreadyThere(Vec<Twin>),
}

/// A declared environment, and one in the account that it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    pub address: Address,
    pub env_id: String,
}

/// What a refused order means for those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    Stop,
    /// Go on, unless the refusal would meet every further order too.
    Continue,
}

/// Who runs it, for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `user@host`
    pub who: String,
    pub pid: u32,
}

/// What the engine works with.
pub struct Parts<'a, C> {
    pub cloud: Arc<C>,
    pub writer: &'a mut dyn StateWriter,
    pub clock: &'a dyn Clock,
    pub operator: Operator,
    /// When the run before this one was last about to send.
    pub last_sent: Option<Timestamp>,
    /// Turns true when nothing new may be started.
    pub stop: watch::Receiver<bool>,
    /// Hears of everything as it happens. What it does can't change the run.
    pub observe: &'a mut (dyn FnMut(Progress<'_>) + Send),
}

/// Something that happened during a run.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    Started {
        run: RunId,
        orders: usize,
    },
    Sending {
        number: usize,
        step: &'a Step,
        attempt: u32,
    },
    /// The attempt was proven not sent, and is made again.
    Retrying {
        number: usize,
        step: &'a Step,
        attempt: u32,
        error: &'a CloudError,
        after: Duration,
    },
    Ended(&'a StepResult),
    /// The account is looked at again `after` a pause, for `open` orders.
    Looking {
        open: usize,
        after: Duration,
    },
    /// An order was found in what the account shows.
    Found {
        address: &'a Address,
        env_id: &'a str,
        tran_id: &'a str,
    },
    /// Nothing new is started from here on; `under_way` calls are waited for.
    Stopping {
        reason: EndReason,
        under_way: usize,
        /// Set when it is the record, and no order, that failed.
        trouble: Option<&'a StateError>,
    },
}

/// Carries out the plan's orders.
///
/// # Errors
/// Only when the run could not be opened: nothing was ordered then. Whatever goes wrong later is in the [`Report`].
pub async fn run<'a, C: CloudRead + CloudWrite>(
    approved: &'a Approved,
    settings: &'a Settings,
    parts: Parts<'a, C>,
) -> Result<Report, ApplyError> {
    let plan = approved.plan();
    let steps: Vec<&Step> = plan.orders().collect();
    let run = RunId::fresh();
    let state = parts.writer.state();
    let started = RunStarted {
        run,
        lineage: state.map_or_else(Lineage::fresh, |state| state.lineage),
        base: state.map(|state| state.serial).unwrap_or_default(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        account: plan.account.clone(),
        plan: identity(plan),
        who: parts.operator.who.clone(),
        pid: parts.operator.pid,
    };
    let before: BTreeSet<String> = if steps.is_empty() {
        BTreeSet::new()
    } else {
        let seen = parts
            .cloud
            .environments()
            .await
            .map_err(ApplyError::Listing)?;
        let twins = twins(&steps, state, &seen);
        if !twins.is_empty() && !settings.allow_same_alias {
            return Err(ApplyError::AlreadyThere(twins));
        }
        seen.into_iter()
            .map(|environment| environment.env_id)
            .collect()
    };
    crash::point(crash::LISTED);
    let now = Instant::now();
    let rested = parts.last_sent.map(|sent| {
        let since = parts.clock.now().duration_since(sent);
        // A clock that went back must not make us hurry: then nothing is taken as elapsed.
        Duration::try_from(since)
            .unwrap_or_default()
            .saturating_sub(LEAD)
    });
    let unresolved = outcome::unresolved(state);
    let waiting = plan.steps.iter().filter(|step| step.action == Action::Wait);
    let waiting: Vec<Open> = waiting
        .filter_map(|step| readback::waiting(step, state))
        .collect();
    if steps.is_empty()
        && (settings.settle.is_zero()
            || !readback::finds(&*parts.cloud, &waiting, state, parts.clock.now()).await?)
    {
        // A run is opened when there is something to write down.
        return Ok(Report::idle(state));
    }
    parts.writer.begin(parts.clock.now(), started)?;
    crash::point(crash::RUN_STARTED);
    if !steps.is_empty() {
        let listed = Listed {
            env_ids: before.clone(),
        };
        parts
            .writer
            .append(parts.clock.now(), Event::Listed(listed))?;
        crash::point(crash::LISTING_KEPT);
    }
    (parts.observe)(Progress::Started {
        run,
        orders: steps.len(),
    });
    let engine = Engine {
        pacer: Pacer::new(settings.rate, now, rested),
        queue: (0..steps.len()).map(Attempt::first).collect(),
        results: steps
            .iter()
            .enumerate()
            .map(|(at, step)| StepResult::not_attempted(at, step))
            .collect(),
        jitter: f64::from(run.0.as_bytes()[15]) / 255.0,
        steps,
        settings,
        parts,
        calls: JoinSet::new(),
        under_way: HashMap::new(),
        run,
        before,
        lost: Vec::new(),
        refused: Vec::new(),
        waiting,
        found: Vec::new(),
        stopping: None,
        trouble: None,
        unwritten: Vec::new(),
        unresolved,
    };
    Ok(engine.run(now).await)
}

/// The orders whose alias an environment of the account has that nobody claims.
fn twins(steps: &[&Step], state: Option<&State>, seen: &[SeenEnvironment]) -> Vec<Twin> {
    let records = state
        .into_iter()
        .flat_map(|state| state.environments.values());
    let managed: BTreeSet<&str> = records
        .filter_map(|record| record.env_id.as_deref())
        .collect();
    let strangers: HashMap<&str, &str> = seen
        .iter()
        .filter(|environment| !managed.contains(environment.env_id.as_str()))
        .filter_map(|environment| {
            Some((environment.alias.as_deref()?, environment.env_id.as_str()))
        })
        .collect();
    steps
        .iter()
        .filter_map(|step| {
            let order = step
                .after
                .as_ref()
                .filter(|order| order.creates_environment())?;
            let env_id = strangers.get(order.get(Field::Alias)?)?;
            Some(Twin {
                address: step.address.clone(),
                env_id: (*env_id).to_owned(),
            })
        })
        .collect()
}

impl StepResult {
    fn not_attempted(at: usize, step: &Step) -> Self {
        Self {
            number: at + 1,
            address: step.address.clone(),
            source: step.source.clone(),
            attempts: 0,
            outcome: Outcome::NotAttempted,
            left_behind: None,
        }
    }
}

/// A step that waits for its turn.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    /// Its place in `steps` and `results`.
    at: usize,
    /// From 1.
    number: u32,
    first_sent: Option<Instant>,
    not_before: Option<Instant>,
    /// When its intent was written.
    sent_at: Timestamp,
}

impl Attempt {
    const fn first(at: usize) -> Self {
        Self {
            at,
            number: 1,
            first_sent: None,
            not_before: None,
            sent_at: Timestamp::UNIX_EPOCH,
        }
    }
}

type Answer = Result<Ordered, CloudError>;

struct Engine<'a, C> {
    settings: &'a Settings,
    parts: Parts<'a, C>,
    steps: Vec<&'a Step>,
    pacer: Pacer,
    queue: VecDeque<Attempt>,
    calls: JoinSet<(Answer, Instant)>,
    under_way: HashMap<Id, (Attempt, Instant)>,
    results: Vec<StepResult>,
    jitter: f64,
    run: RunId,
    /// The environments that were there before the first order.
    before: BTreeSet<String>,
    /// Orders of this run with an unknown outcome. While there is one, nothing is started.
    lost: Vec<Open>,
    /// Orders without an environment id so far, of this run and of earlier ones.
    waiting: Vec<Open>,
    /// Orders of this run that the vendor refused.
    refused: Vec<Open>,
    /// Environment ids that were found for orders of earlier runs.
    found: Vec<(Address, String)>,
    /// Why nothing more is started, besides an unknown outcome.
    stopping: Option<EndReason>,
    trouble: Option<StateError>,
    unwritten: Vec<Rescued>,
    unresolved: Vec<Address>,
}

/// What the engine wakes up for.
enum Wake {
    Answered(Result<(Id, (Answer, Instant)), JoinError>),
    Slot,
    Stop(EndReason),
}

impl<C: CloudRead + CloudWrite> Engine<'_, C> {
    async fn run(mut self, started: Instant) -> Report {
        // One that no clock can reach is none.
        let deadline = self
            .settings
            .deadline
            .and_then(|after| started.checked_add(after));
        self.look_for_waiting(Duration::ZERO, deadline).await;
        loop {
            self.order_all(deadline).await;
            if self.lost.is_empty() || !self.read_back(deadline).await {
                break;
            }
        }
        let took = started.elapsed();
        self.look_for_waiting(self.settings.settle, deadline).await;
        self.look_for_left_behind(deadline).await;
        self.close(took)
    }

    /// Orders what is queued, until nothing is under way and nothing more may be started.
    async fn order_all(&mut self, deadline: Option<Instant>) {
        loop {
            let slot = self.next_slot();
            if slot.is_none() && self.under_way.is_empty() {
                return;
            }
            match self.wake(slot, deadline).await {
                Wake::Answered(answer) => self.answered(answer),
                Wake::Slot => self.start().await,
                Wake::Stop(reason) => self.stop(reason),
            }
        }
    }

    /// Why nothing may be started now.
    fn held_up(&self) -> Option<EndReason> {
        self.stopping
            .or((!self.lost.is_empty()).then_some(EndReason::Unknown))
    }

    /// When the first of the queue may be sent; None when nothing may be started.
    fn next_slot(&self) -> Option<Instant> {
        let next = self.queue.front()?;
        let may_start = self.held_up().is_none() && self.under_way.len() < self.settings.in_flight;
        may_start.then(|| self.slot_of(next))
    }

    fn slot_of(&self, attempt: &Attempt) -> Instant {
        let slot = self.pacer.slot();
        attempt.not_before.map_or(slot, |moment| slot.max(moment))
    }

    async fn wake(&mut self, slot: Option<Instant>, deadline: Option<Instant>) -> Wake {
        let asked = self.stopping.is_none();
        let stop = &mut self.parts.stop;
        tokio::select! {
            // An answer is written down before anything new is begun.
            biased;
            Some(answer) = self.calls.join_next_with_id() => Wake::Answered(answer),
            () = asked_to_stop(stop), if asked => Wake::Stop(EndReason::Interrupted),
            () = at(deadline), if asked => Wake::Stop(EndReason::Deadline),
            () = at(slot.map(|slot| slot - LEAD)) => Wake::Slot,
        }
    }

    async fn start(&mut self) {
        let Some(mut attempt) = self.queue.pop_front() else {
            return;
        };
        crash::point(crash::STEP_NEXT);
        let step = self.steps[attempt.at];
        let order = step.after.clone().unwrap_or_default();
        attempt.sent_at = self.parts.clock.now();
        if let Err(error) = self.intend(&attempt, &order) {
            self.queue.push_front(attempt);
            self.in_trouble(error);
            return;
        }
        crash::point(crash::INTENT_KEPT);
        if !self.reach_slot(&attempt).await {
            self.withdraw(attempt);
            return;
        }
        crash::point(crash::SLOT_REACHED);
        let sent = Instant::now();
        self.pacer.sent(sent);
        attempt.first_sent.get_or_insert(sent);
        let cloud = Arc::clone(&self.parts.cloud);
        let call = self.calls.spawn(async move {
            let answer = cloud.create(&order).await;
            (answer, Instant::now())
        });
        self.under_way.insert(call.id(), (attempt, sent));
        self.results[attempt.at].attempts += 1;
        (self.parts.observe)(Progress::Sending {
            number: attempt.at + 1,
            step,
            attempt: attempt.number,
        });
    }

    /// Waits for the attempt's slot. False when an answer that came meanwhile means that it must not be sent now.
    async fn reach_slot(&mut self, attempt: &Attempt) -> bool {
        let slot = self.slot_of(attempt);
        loop {
            tokio::select! {
                // That answer is on disk before this request is sent, like any other.
                biased;
                Some(answer) = self.calls.join_next_with_id() => self.answered(answer),
                () = sleep_until(slot) => return true,
            }
            if self.held_up().is_some() || self.slot_of(attempt) > slot {
                return false;
            }
        }
    }

    /// Takes an intent back whose request was not sent, so that nobody takes it for one that may have acted.
    fn withdraw(&mut self, attempt: Attempt) {
        let line = outcome::line(self.key(&attempt), &Err(withdrawn()), Duration::ZERO);
        self.record(line);
        self.requeue(Attempt {
            number: attempt.number + 1,
            ..attempt
        });
    }

    /// Puts an outcome on disk. One that the journal does not take is in the report, for whoever can keep it elsewhere.
    fn record(&mut self, outcome: journal::Outcome) {
        let (run, at) = (self.run, self.parts.clock.now());
        let event = Event::Outcome(outcome.clone());
        if let Err(error) = self.parts.writer.append(at, event) {
            self.unwritten.push(Rescued { run, at, outcome });
            self.in_trouble(error);
        }
    }

    /// Several may wait to be sent again; the one that is declared first goes first.
    fn requeue(&mut self, attempt: Attempt) {
        let place = self
            .queue
            .partition_point(|waiting| waiting.at < attempt.at);
        self.queue.insert(place, attempt);
    }

    fn intend(&mut self, attempt: &Attempt, order: &Attributes) -> Result<(), StateError> {
        let (step, number, address) = self.key(attempt);
        let intent = Intent {
            step,
            attempt: number,
            address,
            action: ACTION.to_owned(),
            attributes: order.clone(),
            source: self.steps[attempt.at].source.clone(),
        };
        self.parts
            .writer
            .append(attempt.sent_at, Event::Intent(intent))
    }

    fn key(&self, attempt: &Attempt) -> (u32, u32, Address) {
        let step = u32::try_from(attempt.at + 1).unwrap_or(u32::MAX);
        (step, attempt.number, self.steps[attempt.at].address.clone())
    }

    fn answered(&mut self, joined: Result<(Id, (Answer, Instant)), JoinError>) {
        let (id, answer, at) = match joined {
            Ok((id, (answer, at))) => (id, answer, at),
            Err(error) => (error.id(), Err(broken_off(&error)), Instant::now()),
        };
        let Some((attempt, sent)) = self.under_way.remove(&id) else {
            return;
        };
        crash::point(crash::ANSWER_CAME);
        let took = at.saturating_duration_since(sent);
        let line = outcome::line(self.key(&attempt), &answer, took);
        self.record(line);
        crash::point(crash::OUTCOME_KEPT);
        match &answer {
            Ok(_) => self.pacer.taken(),
            Err(error) => {
                if self.again(&attempt, error) {
                    return;
                }
            }
        }
        self.conclude(&attempt, Outcome::of(answer, took));
    }

    /// Puts an attempt that was proven not sent back to the head of the queue, if there is time for another.
    fn again(&mut self, attempt: &Attempt, error: &CloudError) -> bool {
        let Grade::NotSent(cause) = error.grade else {
            return false;
        };
        let now = Instant::now();
        let elapsed = attempt
            .first_sent
            .map_or(Duration::ZERO, |first| now - first);
        let decision = retry::decide(
            cause,
            attempt.number,
            elapsed,
            self.settings.retry_for,
            self.jitter,
        );
        let after = match decision {
            Decision::Again { after } => after,
            Decision::GiveUp => return false,
        };
        match cause {
            NotSent::Throttled => self.pacer.throttled(now + after),
            NotSent::Connect | NotSent::Repaired => {}
        }
        if self.stopping.is_some() {
            return false;
        }
        let next = Attempt {
            number: attempt.number + 1,
            not_before: Some(now + after),
            ..*attempt
        };
        self.requeue(next);
        let step = self.steps[attempt.at];
        (self.parts.observe)(Progress::Retrying {
            number: attempt.at + 1,
            step,
            attempt: attempt.number,
            error,
            after,
        });
        true
    }

    fn conclude(&mut self, attempt: &Attempt, outcome: Outcome) {
        let stop = match &outcome {
            Outcome::NotAttempted => None,
            Outcome::Ordered { ordered, .. } => {
                if ordered.env_id.is_none() {
                    self.waiting.push(self.open(
                        attempt,
                        Some(&ordered.tran_id),
                        None,
                        ordered.request_id.as_ref(),
                    ));
                }
                None
            }
            // Whatever lost this answer may lose the next one too: nothing is started before it is settled.
            Outcome::Unknown(error) => {
                let SeenIds { tran_id, env_id } = &error.seen;
                let open = self.open(
                    attempt,
                    tran_id.as_ref(),
                    env_id.as_ref(),
                    error.request_id.as_ref(),
                );
                self.lost.push(open);
                let under_way = self.under_way.len();
                if self.lost.len() == 1
                    && self.stopping.is_none()
                    && (under_way > 0 || !self.queue.is_empty())
                {
                    (self.parts.observe)(Progress::Stopping {
                        reason: EndReason::Unknown,
                        under_way,
                        trouble: None,
                    });
                }
                None
            }
            Outcome::Failed(error) => {
                if let Grade::Refused(_) = error.grade {
                    let open = self.open(attempt, None, None, error.request_id.as_ref());
                    self.refused.push(open);
                }
                match error.grade {
                    Grade::NotSent(_) | Grade::Refused(Reach::Run) => Some(EndReason::Failed),
                    Grade::Refused(Reach::Step) | Grade::Unknown => match self.settings.on_error {
                        OnError::Stop => Some(EndReason::Failed),
                        OnError::Continue => None,
                    },
                }
            }
        };
        self.results[attempt.at].outcome = outcome;
        (self.parts.observe)(Progress::Ended(&self.results[attempt.at]));
        if let Some(reason) = stop {
            self.stop(reason);
        }
    }

    fn stop(&mut self, reason: EndReason) {
        let first = self.stopping.is_none();
        self.stopping.get_or_insert(reason);
        let under_way = self.under_way.len();
        if first && (under_way > 0 || !self.queue.is_empty()) {
            (self.parts.observe)(Progress::Stopping {
                reason,
                under_way,
                trouble: self.trouble.as_ref(),
            });
        }
    }

    fn in_trouble(&mut self, error: StateError) {
        tracing::error!(%error, "the journal can't be written");
        self.trouble.get_or_insert(error);
        self.stop(EndReason::Failed);
    }

    /// A disk that was full for a moment may take now what it did not take then.
    fn record_the_rest(&mut self) {
        for rescued in std::mem::take(&mut self.unwritten) {
            let event = Event::Outcome(rescued.outcome.clone());
            let failed = self.parts.writer.append(rescued.at, event).is_err();
            if failed {
                self.unwritten.push(rescued);
            }
        }
    }

    fn close(mut self, took: Duration) -> Report {
        self.record_the_rest();
        // Among reasons the unknown outcome is the one that a person has to act on.
        let ended = if self.lost.is_empty() {
            self.stopping.unwrap_or(EndReason::Finished)
        } else {
            EndReason::Unknown
        };
        let now = self.parts.clock.now();
        let writer = &mut *self.parts.writer;
        let state = if self.unwritten.is_empty() {
            writer
                .append(now, Event::RunEnded(RunEnded { reason: ended }))
                .and_then(|()| {
                    crash::point(crash::RUN_ENDED);
                    writer.commit()
                })
                .map_err(|error| self.trouble.get_or_insert(error))
                .ok()
        } else {
            // The journal stays open: it says less than we know, and the next writer must see that.
            None
        };
        Report {
            run: Some(self.run),
            results: self.results,
            ended,
            took,
            state,
            trouble: self.trouble,
            unwritten: self.unwritten,
            unresolved: self.unresolved,
            found: self.found,
        }
    }
}

/// A call whose task died can't tell whether it sent anything.
fn broken_off(error: &JoinError) -> CloudError {
    without_answer(Grade::Unknown, format!("the call broke off: {error}"))
}

/// What the journal says of a request that was announced and not made.
fn withdrawn() -> CloudError {
    let why = "withdrawn before it was sent: an answer to another order came first";
    without_answer(Grade::NotSent(NotSent::Connect), why.to_owned())
}

fn without_answer(grade: Grade, message: String) -> CloudError {
    CloudError {
        grade,
        code: None,
        message,
        request_id: None,
        http_status: None,
        seen: SeenIds::default(),
        body: None,
        hint: None,
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Whoever could ask is gone.
        pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
