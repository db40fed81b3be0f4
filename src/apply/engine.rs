//! One run under way: what is queued, what is under way, what became of it.
//!
//! One task decides and writes; the calls run beside it. The order of its writes is the protocol (see [`super::protocol`]).

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::background::{Background, Listings};
use super::claims::{self, Claim};
use super::pace::Pacer;
use super::retry::{self, Decision};
use super::settle::Open;
use super::{
    ACTION, Call, CallKind, LEAD, OnError, Outcome, Parts, Progress, Report, Settings, StepResult,
    Trouble, outcome,
};
use crate::cloud::{
    CloudError, CloudRead, CloudWrite, Grade, LOOK_FIRST, NotSent, Ordered, Reach, SeenEnvironment,
    SeenIds,
};
use crate::crash;
use crate::desired::{Address, Attributes, Field};
use crate::lang::{Text, text};
use crate::plan::{Options, Step};
use crate::state::journal::{self, EndReason, Event, Intent, RunEnded, RunId};
use crate::state::rescue::Rescued;
use crate::state::{State, StateError};

/// A step that waits for its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// Its place in `steps` and `results`.
    pub(super) at: usize,
    /// From 1.
    pub(super) number: u32,
    /// After how many attempts before it something was mended.
    pub(super) repaired: u32,
    /// How many attempts before it were throttled, without another one in between.
    pub(super) throttled: u32,
    /// When a key was first asked for, to send it: that there was none counts towards the time for which it is tried.
    pub(super) first_tried: Option<Instant>,
    pub(super) not_before: Option<Instant>,
    /// When its intent was written.
    pub(super) sent_at: Timestamp,
}

impl Attempt {
    pub(super) const fn first(at: usize) -> Self {
        Self {
            at,
            number: 1,
            repaired: 0,
            throttled: 0,
            first_tried: None,
            not_before: None,
            sent_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// When it may start.
    pub(super) fn slot(&self, pacer: &Pacer) -> Instant {
        let slot = pacer.slot();
        self.not_before.map_or(slot, |moment| slot.max(moment))
    }

    /// Decides whether to make another attempt after this one, which was not sent for this reason and took `took`.
    pub(super) fn decide(&self, cause: NotSent, took: Duration, retry_for: Duration) -> Decision {
        let elapsed = self
            .first_tried
            .map_or(Duration::ZERO, |first| first.elapsed());
        let number = match cause {
            NotSent::Throttled => self.throttled + 1,
            NotSent::Connect
            | NotSent::Tls
            | NotSent::Repaired
            | NotSent::NoKey
            | NotSent::NoRequest
            | NotSent::Withdrawn => self.number,
        };
        retry::decide(cause, number, self.repaired, elapsed, took, retry_for)
    }

    /// The attempt after this one.
    pub(super) fn next(self, cause: NotSent, not_before: Instant) -> Self {
        let is_throttled = cause == NotSent::Throttled;
        Self {
            number: self.number + 1,
            repaired: self.repaired + u32::from(cause == NotSent::Repaired),
            throttled: if is_throttled { self.throttled + 1 } else { 0 },
            not_before: Some(not_before),
            ..self
        }
    }
}

pub(super) type Answer = Result<Ordered, CloudError>;

pub(super) struct Engine<'a, 'm, C> {
    pub(super) settings: &'a Settings,
    pub(super) options: &'a Options,
    pub(super) parts: Parts<'a, C>,
    pub(super) steps: Vec<&'a Step>,
    /// What the times of its calls count from.
    pub(super) began: Instant,
    pub(super) pacer: Pacer,
    pub(super) queue: VecDeque<Attempt>,
    pub(super) calls: JoinSet<(Answer, Instant)>,
    pub(super) under_way: HashMap<Id, (Attempt, Instant)>,
    pub(super) results: Vec<StepResult>,
    pub(super) run: RunId,
    /// That is sent with the orders.
    pub(super) region: Option<String>,
    /// The environments that were there before the first order; None when that is not known of all.
    pub(super) before: Option<BTreeSet<String>>,
    /// Orders of this run with an unknown outcome. While there is one, nothing is started.
    pub(super) lost: Vec<Open>,
    /// Orders without an environment id so far, of this run and of earlier ones.
    pub(super) waiting: Vec<Open>,
    /// Orders of this run that may have left an environment behind although they were refused or throttled.
    pub(super) doubtful: Vec<Open>,
    /// Environment ids that were found for orders of earlier runs.
    pub(super) found: Vec<(Address, String)>,
    /// Why nothing more is started, besides an unknown outcome.
    pub(super) stopping: Option<EndReason>,
    pub(super) trouble: Option<Trouble>,
    pub(super) background: Background<'m>,
    pub(super) unwritten: Vec<Rescued>,
    /// Outcomes with ids that are in the journal, for the case that the journal or the state is not ours any more.
    pub(super) written: Vec<Rescued>,
    pub(super) unresolved: Vec<Address>,
}

/// What the engine wakes up for.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is taken apart at once"
)]
enum Wake {
    Answered(Result<(Id, (Answer, Instant)), JoinError>),
    Slot,
    Stop(EndReason),
    Listed(Vec<SeenEnvironment>),
    NotRecognised,
}

impl<C: CloudRead + CloudWrite> Engine<'_, '_, C> {
    pub(super) async fn run(mut self) -> Report {
        let started = self.began;
        // One that no clock can reach is none.
        let deadline = self
            .settings
            .deadline
            .and_then(|after| started.checked_add(after));
        self.record_edits();
        self.look_for_waiting(Duration::ZERO, deadline).await;
        loop {
            self.order_all(deadline).await;
            if self.lost.is_empty() || !self.read_back(deadline).await {
                break;
            }
        }
        self.change_all(deadline).await;
        let took = started.elapsed();
        self.look_for_waiting(self.settings.settle, deadline).await;
        self.look_for_left_behind(deadline).await;
        self.close(took)
    }

    /// Orders what is queued, until nothing is under way and nothing more may be started.
    async fn order_all(&mut self, deadline: Option<Instant>) {
        let mut listings = Listings::start(Arc::clone(&self.parts.cloud));
        loop {
            let slot = self.next_slot();
            if slot.is_none() && self.under_way.is_empty() {
                return listings.stop().await;
            }
            match self.wake(slot, deadline, &mut listings).await {
                Wake::Answered(answer) => self.answered(answer),
                // The slot is up to LEAD away, and the deadline may come first.
                Wake::Slot if deadline <= slot && deadline.is_some() => {
                    self.stop(EndReason::Deadline);
                }
                Wake::Slot => self.start_when_ready(deadline).await,
                Wake::Stop(reason) => self.stop(reason),
                Wake::Listed(seen) => self.listed(&seen),
                Wake::NotRecognised => self.not_recognised(),
            }
        }
    }

    /// Why nothing may be started now.
    pub(super) fn held_up(&self) -> Option<EndReason> {
        self.stopping
            .or((!self.lost.is_empty()).then_some(EndReason::Unknown))
    }

    /// When the first of the queue may be sent; None when nothing may be started.
    pub(super) fn next_slot(&self) -> Option<Instant> {
        let next = self.queue.front()?;
        let may_start = self.held_up().is_none() && self.under_way.len() < self.settings.in_flight;
        may_start.then(|| next.slot(&self.pacer))
    }

    async fn wake(
        &mut self,
        slot: Option<Instant>,
        deadline: Option<Instant>,
        listings: &mut Listings,
    ) -> Wake {
        let asked = self.stopping.is_none();
        let unrecognised = self.background.unrecognised.as_ref().map(|one| one.until);
        let stop = &mut self.parts.stop;
        tokio::select! {
            // An answer is written down before anything new is begun.
            biased;
            Some(answer) = self.calls.join_next_with_id() => Wake::Answered(answer),
            () = asked_to_stop(stop), if asked => Wake::Stop(EndReason::Interrupted),
            () = at(deadline), if asked => Wake::Stop(EndReason::Deadline),
            seen = listings.next() => Wake::Listed(seen),
            () = at(unrecognised) => Wake::NotRecognised,
            () = at(slot.map(|slot| slot - LEAD)) => Wake::Slot,
        }
    }

    pub(super) async fn start(&mut self) {
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
        if let Err(error) = self.parts.writer.check_exclusive() {
            self.withdraw(attempt);
            self.in_trouble(error);
            return;
        }
        let sent = Instant::now();
        self.pacer.sent(sent);
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
        let slot = attempt.slot(&self.pacer);
        loop {
            tokio::select! {
                // That answer is on disk before this request is sent, like any other.
                biased;
                Some(answer) = self.calls.join_next_with_id() => self.answered(answer),
                () = sleep_until(slot) => return true,
            }
            // One that is declared earlier and must be sent again goes first.
            let is_overtaking = self
                .queue
                .front()
                .is_some_and(|first| first.at < attempt.at);
            if self.held_up().is_some() || is_overtaking {
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
    pub(super) fn record(&mut self, outcome: journal::Outcome) {
        let (run, at) = (self.run, self.parts.clock.now());
        let event = Event::Outcome(outcome.clone());
        let rescued = Rescued { run, at, outcome };
        if let Err(error) = self.parts.writer.append(at, event) {
            self.unwritten.push(rescued);
            self.in_trouble(error);
        } else if rescued.outcome.tran_id.is_some() || rescued.outcome.env_id.is_some() {
            self.written.push(rescued);
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
            replaces: self
                .recorded(self.steps[attempt.at])
                .and_then(|record| record.env_id),
            prevent_destroy: self.steps[attempt.at].prevent_destroy,
        };
        self.parts
            .writer
            .append(attempt.sent_at, Event::Intent(intent))
    }

    pub(super) fn key(&self, attempt: &Attempt) -> (u32, u32, Address) {
        let step = u32::try_from(attempt.at + 1).unwrap_or(u32::MAX);
        (step, attempt.number, self.steps[attempt.at].address.clone())
    }

    pub(super) fn answered(&mut self, joined: Result<(Id, (Answer, Instant)), JoinError>) {
        let (id, answer, at) = match joined {
            Ok((id, (answer, at))) => (id, answer, at),
            Err(error) => (error.id(), Err(broken_off(&error)), Instant::now()),
        };
        let Some((attempt, sent)) = self.under_way.remove(&id) else {
            return;
        };
        crash::point(crash::ANSWER_CAME);
        let contradiction = answer
            .as_ref()
            .ok()
            .and_then(|ordered| self.contradiction(&attempt, ordered));
        let is_contradicted = contradiction.is_some();
        let answer = contradiction.map_or(answer, Err);
        let took = at.saturating_duration_since(sent);
        self.called(attempt.at, sent, at, CallKind::of(&answer));
        let line = outcome::line(self.key(&attempt), &answer, took);
        self.record(line);
        crash::point(crash::OUTCOME_KEPT);
        if let Err(error) = &answer
            && self.again(&attempt, error, sent)
        {
            return;
        }
        self.conclude(&attempt, Outcome::of(answer, took));
        if is_contradicted {
            // What the account shows fits both orders: this is for a person, and the rest of the run waits for that.
            self.lost.retain(|open| open.at != Some(attempt.at));
            self.stopping.get_or_insert(EndReason::Unknown);
        }
    }

    /// What an answer proves whose ids another order has.
    fn contradiction(&self, attempt: &Attempt, ordered: &Ordered) -> Option<CloudError> {
        let state = self.parts.writer.state();
        let recorded = state.into_iter().flat_map(State::records);
        let recorded = recorded.map(|(address, record)| Claim {
            address,
            tran_id: record.tran_id.as_deref(),
            env_id: record.env_id.as_deref(),
        });
        let adopted = self.parts.adoptions.values().map(|adoption| Claim {
            address: &adoption.address,
            tran_id: adoption.tran_id.as_deref(),
            env_id: Some(&adoption.environment.env_id),
        });
        let found = self.found.iter().map(|(address, env_id)| Claim {
            address,
            tran_id: None,
            env_id: Some(env_id),
        });
        let results = self.results.iter().enumerate();
        let results = results.filter(|(at, _)| *at != attempt.at);
        let answered = results.filter_map(|(_, result)| {
            let (tran_id, env_id) = result.outcome.ids()?;
            Some(Claim {
                address: &result.address,
                tran_id,
                env_id,
            })
        });
        let order = self.steps[attempt.at].after.as_ref();
        let asked = order.and_then(|order| order.get(Field::EnvId));
        let others = recorded.chain(adopted).chain(found).chain(answered);
        claims::contradiction(ordered, asked, others)
    }

    /// Keeps when a request was made, for whoever looks at the run later.
    pub(super) fn called(&mut self, at: usize, sent: Instant, answered: Instant, kind: CallKind) {
        let call = Call {
            sent: sent.saturating_duration_since(self.began),
            answered: answered.saturating_duration_since(self.began),
            kind,
        };
        self.results[at].calls.push(call);
    }

    /// Puts an attempt that was proven not sent back to the head of the queue, if there is time for another.
    pub(super) fn again(&mut self, attempt: &Attempt, error: &CloudError, sent: Instant) -> bool {
        let Grade::NotSent(cause) = error.grade else {
            return false;
        };
        let now = Instant::now();
        let took = now.saturating_duration_since(sent);
        let after = match attempt.decide(cause, took, self.settings.retry_for) {
            Decision::Again { after } => after,
            Decision::GiveUp => return false,
        };
        if cause == NotSent::Throttled {
            self.pacer.throttled(sent, now, attempt.throttled > 0);
        }
        if self.stopping.is_some() {
            return false;
        }
        self.requeue(attempt.next(cause, now + after));
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

    pub(super) fn conclude(&mut self, attempt: &Attempt, outcome: Outcome) {
        let stop = match &outcome {
            Outcome::NotAttempted | Outcome::Done(_) | Outcome::Recorded => None,
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
            Outcome::Failed(error) => match error.grade {
                Grade::NotSent(_) | Grade::Refused(Reach::Run) => Some(EndReason::Failed),
                Grade::Refused(Reach::Step) | Grade::Unknown => match self.settings.on_error {
                    OnError::Stop => Some(EndReason::Failed),
                    OnError::Continue => None,
                },
            },
        };
        self.doubtful.extend(self.doubtful(attempt, &outcome));
        self.results[attempt.at].outcome = outcome;
        self.expect_in_listing(attempt.at);
        (self.parts.observe)(Progress::Ended(&self.results[attempt.at]));
        if let Some(reason) = stop {
            self.stop(reason);
        }
    }

    pub(super) fn stop(&mut self, reason: EndReason) {
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

    pub(super) fn in_trouble(&mut self, error: StateError) {
        self.stop_in_trouble(Trouble::State(error));
    }

    pub(super) fn stop_in_trouble(&mut self, trouble: Trouble) {
        tracing::error!(code = trouble.code(), "the run stops: {}", trouble.text());
        self.trouble.get_or_insert(trouble);
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
        let fenced_out = |trouble: &Option<Trouble>| {
            matches!(trouble, Some(Trouble::State(StateError::FencedOut { .. })))
        };
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
            // The journal stays open: it says less than we know, and the next writer must see that.
            None
        };
        if fenced_out(&self.trouble) {
            // Nobody can tell whether our journal will be read: every id of the run goes to a rescue file.
            self.unwritten.splice(0..0, self.written);
        }
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
    let why = text!("the call broke off: {error}", "调用中断：{error}");
    CloudError {
        hint: Some(LOOK_FIRST),
        ..CloudError::new(Grade::Unknown, why)
    }
}

/// What the journal says of a request that was announced and not made.
fn withdrawn() -> CloudError {
    let why = Text::fixed(
        "withdrawn before it was sent: an answer to another order came first",
        "发送前已撤回：另一笔订单的应答先到了",
    );
    CloudError::new(Grade::NotSent(NotSent::Withdrawn), why)
}

/// Ready when the moment has come, at the first poll where it has passed: a timer alone takes up to its resolution more.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) if moment <= Instant::now() => {}
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

pub(super) async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Whoever could ask is gone.
        pending::<()>().await;
    }
}
