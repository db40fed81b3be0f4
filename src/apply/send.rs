//! The attempt loop, the same for creates, updates and destroys: intent durable, slot, exclusivity check, send, outcome
//! durable, decide.
//!
//! One task decides and writes; the calls run beside it, so that a slow answer does not slow the pace. Credentials are
//! obtained before the intent: a call that is announced does not wait for them, and calls that waited for the same ones do
//! not leave together.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError};
use tokio::time::{Instant, sleep_until};

use super::attempt::{Answer, Attempt, Reply, Request};
use super::background::Listings;
use super::conflicts::{self, Claim};
use super::engine::{Engine, asked_to_stop, at};
use super::outcome::{CallKind, Outcome};
use super::pace::{Decision, LEAD};
use super::parts::Progress;
use crate::cloud::{
    CloudError, CloudRead, CloudWrite, Destroy, Grade, LOOK_FIRST, NotSent, Order, Ordered, SeenEnvironment,
};
use crate::crash;
use crate::i18n::{Text, text};
use crate::model::Address;
use crate::plan::{Action, Step};
use crate::state::journal::{EndReason, Event, Intent};
use crate::state::{State, StateError, Status};

type Joined = Result<(Id, (Answer, Instant)), JoinError>;

/// What the loop wakes up for.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
enum Wake {
    Answered(Joined),
    Slot(Instant),
    Stop(EndReason),
    Listed(Vec<SeenEnvironment>),
    NotRecognised,
}

impl<C: CloudRead + CloudWrite> Engine<'_, '_, C> {
    /// Queues the first attempts of the steps of one action.
    pub(super) fn enqueue(&mut self, has_action: impl Fn(&Step) -> bool) {
        for at in 0..self.steps.len() {
            let step = self.steps[at];
            if has_action(step)
                && let Some(request) = self.request(step)
            {
                self.queue.insert(Attempt::first(at, request));
            }
        }
    }

    /// The request of a step; None when the step changes the state only, or refers to an environment that does not exist.
    pub(super) fn request(&self, step: &Step) -> Option<Request> {
        Some(match step.action {
            Action::Create | Action::Replace => {
                let attributes = step.after.clone()?;
                let members = attributes.references().map(|(field, address)| {
                    let env_id = self.env_id_at(&address)?;
                    Some((field.member.to_owned(), env_id.to_owned()))
                });
                let members = members.collect::<Option<_>>()?;
                Request::Create(Order { members, ..Order::from(attributes) })
            }
            Action::Update => Request::Update(self.update(step, 0)?),
            Action::Destroy => Request::Destroy(Destroy {
                env_id: step.ids.env_id.clone()?,
                force: self.plan.options.purge,
                bypass_check: self.plan.options.bypass_check,
                region: self.recorded(step).and_then(|record| record.region.clone()),
            }),
            Action::Forget
            | Action::Import
            | Action::Move
            | Action::Resolve
            | Action::Wait
            | Action::NoOp => return None,
        })
    }

    /// The environment of an address, as this run or an earlier one left it.
    fn env_id_at(&self, address: &Address) -> Option<&str> {
        let result = self.results.iter().find(|result| result.address == *address && !result.deposed);
        if let Some(result) = result.filter(|result| result.action.creates()) {
            return result.outcome.created()?.env_id.as_deref();
        }
        if let Some(import) = self.parts.imports.get(address) {
            return Some(&import.environment.env_id);
        }
        let step = self.plan.steps.iter().find(|step| step.address == *address && !step.deposed);
        let record = self.parts.writer.state()?.get(step.map_or(address, Step::recorded_address))?;
        record.env_id.as_deref().filter(|_| record.status == Status::Created)
    }

    /// Sends what is queued, until the queue is empty or nothing more may be started. An unknown outcome is read back
    /// before anything more is started.
    pub(super) async fn send_all(&mut self) {
        while self.held_up().is_none() && !self.queue.is_empty() {
            self.send_queued().await;
            let in_doubt = std::mem::take(&mut self.in_doubt);
            self.confirm(in_doubt).await;
            self.read_back().await;
        }
    }

    /// Sends what is queued, until nothing is in progress and nothing more may be started.
    async fn send_queued(&mut self) {
        let first = self.queue.first();
        let mut listings = first
            .is_some_and(|first| first.request.is_create())
            .then(|| Listings::start(Arc::clone(&self.parts.cloud)));
        while let Some(wake) = self.wake(listings.as_mut()).await {
            match wake {
                Wake::Answered(answer) => self.answered(answer),
                // The slot is up to LEAD away, and the deadline may come first.
                Wake::Slot(slot) if self.deadline.is_some_and(|deadline| deadline <= slot) => {
                    self.stop(EndReason::Deadline);
                }
                Wake::Slot(_) => self.start_when_ready().await,
                Wake::Stop(reason) => self.stop(reason),
                Wake::Listed(seen) => self.listed(&seen),
                Wake::NotRecognised => self.not_recognised(),
            }
        }
        if let Some(listings) = listings {
            listings.stop().await;
        }
    }

    /// When the first of the queue may be sent; None when nothing may be started.
    fn next_slot(&self) -> Option<Instant> {
        let next = self.queue.first()?;
        let may_start = self.held_up().is_none() && self.in_progress.len() < self.queue.in_flight;
        may_start.then(|| next.slot(&self.queue.pacer))
    }

    /// Waits for the next thing to do; None when there is nothing left.
    async fn wake(&mut self, listings: Option<&mut Listings>) -> Option<Wake> {
        let slot = self.next_slot();
        if slot.is_none() && self.in_progress.is_empty() {
            return None;
        }
        let may_stop = self.stopping.is_none();
        let unrecognised = self.background.unrecognised.as_ref();
        let unrecognised = unrecognised.filter(|_| listings.is_some()).map(|one| one.until);
        let listed = async {
            match listings {
                Some(listings) => listings.next().await,
                None => pending().await,
            }
        };
        let due = async {
            match slot {
                Some(slot) => {
                    at(Some(slot - LEAD)).await;
                    slot
                }
                None => pending().await,
            }
        };
        Some(tokio::select! {
            // An answer is written down before anything new is begun.
            biased;
            Some(answer) = self.calls.join_next_with_id() => Wake::Answered(answer),
            () = asked_to_stop(&mut self.parts.stop), if may_stop => Wake::Stop(EndReason::Interrupted),
            () = at(self.deadline), if may_stop => Wake::Stop(EndReason::Deadline),
            seen = listed => Wake::Listed(seen),
            () = at(unrecognised) => Wake::NotRecognised,
            slot = due => Wake::Slot(slot),
        })
    }

    /// Starts the first of the queue once its credentials are there, or concludes that there are none. Nothing is started
    /// when an answer or a request to stop that comes meanwhile says otherwise.
    async fn start_when_ready(&mut self) {
        if let Some(first) = self.queue.first_mut() {
            first.first_tried.get_or_insert_with(Instant::now);
        }
        match self.make_ready().await {
            Some(Ok(())) if self.is_due() => self.start().await,
            Some(Err(error)) if self.next_slot().is_some() => self.not_ready(error),
            Some(Ok(()) | Err(_)) | None => {}
        }
    }

    /// Obtains credentials for the next call; None when nothing may be started any more.
    async fn make_ready(&mut self) -> Option<Result<(), CloudError>> {
        let cloud = Arc::clone(&self.parts.cloud);
        let mut ready = pin!(cloud.ready());
        tokio::select! {
            biased;
            ready = &mut ready => return Some(ready.map_err(not_sent)),
            () = std::future::ready(()) => {}
        }
        loop {
            let reason = tokio::select! {
                // An answer is written down before anything new is begun.
                biased;
                Some(answer) = self.calls.join_next_with_id() => {
                    self.answered(answer);
                    if self.held_up().is_some() {
                        return None;
                    }
                    continue;
                }
                () = asked_to_stop(&mut self.parts.stop) => EndReason::Interrupted,
                () = at(self.deadline) => EndReason::Deadline,
                ready = &mut ready => {
                    if ready.is_ok() && !self.in_progress.is_empty() {
                        // The call before it may have waited for the same credentials, and leave only now.
                        self.queue.pacer.sent(Instant::now());
                    }
                    return Some(ready.map_err(not_sent));
                }
            };
            self.stop(reason);
            return None;
        }
    }

    /// Whether the first of the queue may be announced now: an answer that came meanwhile may have put it off.
    fn is_due(&self) -> bool {
        let lead = Instant::now() + LEAD;
        self.next_slot().is_some_and(|slot| slot <= lead)
    }

    /// Concludes an attempt that failed before its intent: the journal has nothing of it, since nothing was done.
    fn not_ready(&mut self, error: CloudError) {
        let Some(attempt) = self.queue.pop() else {
            return;
        };
        self.results[attempt.at].attempts += 1;
        if !self.again(&attempt, &error, Instant::now()) {
            self.conclude(&attempt, Err(error), Duration::ZERO);
        }
    }

    async fn start(&mut self) {
        let Some(mut attempt) = self.queue.pop() else {
            return;
        };
        crash::point(crash::STEP_NEXT);
        attempt.sent_at = self.parts.clock.now();
        if let Err(error) = self.announce(&attempt) {
            self.queue.insert(attempt);
            return self.stop_on(error);
        }
        crash_point(&attempt, crash::INTENT_KEPT, crash::CHANGE_INTENT_KEPT);
        if !self.reach_slot(&attempt).await {
            return self.withdraw(attempt);
        }
        crash::point(crash::SLOT_REACHED);
        if let Err(error) = self.parts.writer.check_exclusive() {
            self.withdraw(attempt);
            return self.stop_on(error);
        }
        let sent = Instant::now();
        self.queue.pacer.sent(sent);
        let (cloud, request) = (Arc::clone(&self.parts.cloud), Arc::clone(&attempt.request));
        let call = self.calls.spawn(async move {
            let answer = request.send(&*cloud).await;
            (answer, Instant::now())
        });
        let (at, number) = (attempt.at, attempt.number);
        self.in_progress.insert(call.id(), (attempt, sent));
        self.results[at].attempts += 1;
        (self.parts.observe)(Progress::Sending { number: at + 1, step: self.steps[at], attempt: number });
    }

    /// Writes the intent of an attempt.
    fn announce(&mut self, attempt: &Attempt) -> Result<(), StateError> {
        let step = self.steps[attempt.at];
        let is_create = attempt.request.is_create();
        let replaced = is_create.then(|| self.recorded(step)).flatten();
        let (attributes, members) = attempt.request.recorded();
        let intent = Intent {
            step: attempt.step(),
            attempt: attempt.number,
            address: step.address.clone(),
            action: attempt.request.action().to_owned(),
            attributes,
            members,
            source: step.source.clone(),
            replaces: replaced.and_then(|record| record.env_id.clone()),
            prevent_destroy: is_create && step.prevent_destroy,
            resends: None,
        };
        let event = Event::Intent(intent);
        self.parts.writer.append(attempt.sent_at, event)
    }

    /// Waits for the attempt's slot. Returns false when an answer that came meanwhile means that it must not be sent now.
    async fn reach_slot(&mut self, attempt: &Attempt) -> bool {
        let slot = attempt.slot(&self.queue.pacer);
        loop {
            tokio::select! {
                // That answer is on disk before this request is sent, like any other.
                biased;
                Some(answer) = self.calls.join_next_with_id() => self.answered(answer),
                () = sleep_until(slot) => return true,
            }
            // An earlier step that must be sent again goes first.
            let first = self.queue.first();
            let is_overtaking = first.is_some_and(|first| first.at < attempt.at);
            if self.held_up().is_some() || is_overtaking {
                return false;
            }
        }
    }

    /// Withdraws an intent whose request was not sent, so that it is not taken for one that may have acted.
    fn withdraw(&mut self, attempt: Attempt) {
        let address = self.steps[attempt.at].address.clone();
        self.record(attempt.outcome(address, &Err(withdrawn()), Duration::ZERO));
        self.queue.insert(attempt.after_withdrawal());
    }

    fn answered(&mut self, joined: Joined) {
        let (id, answer, at) = match joined {
            Ok((id, (answer, at))) => (id, answer, at),
            Err(error) => (error.id(), Err(broken_off(&error)), Instant::now()),
        };
        let Some((attempt, sent)) = self.in_progress.remove(&id) else {
            return;
        };
        crash_point(&attempt, crash::ANSWER_CAME, crash::CHANGE_ANSWERED);
        let contradiction = match &answer {
            Ok(Reply::Created(ordered)) => self.contradiction(&attempt, ordered),
            Ok(Reply::Done(_)) | Err(_) => None,
        };
        let is_contradicted = contradiction.is_some();
        let answer = contradiction.map_or(answer, Err);
        let took = at.saturating_duration_since(sent);
        self.log_call(attempt.at, sent, at, CallKind::of(&answer));
        let address = self.steps[attempt.at].address.clone();
        self.record(attempt.outcome(address, &answer, took));
        crash_point(&attempt, crash::OUTCOME_KEPT, crash::CHANGE_OUTCOME_KEPT);
        if let Err(error) = &answer
            && self.again(&attempt, error, sent)
        {
            return;
        }
        self.conclude(&attempt, answer, took);
        if is_contradicted {
            // What the account shows fits both orders: a user has to decide, and the run waits for that.
            self.lost.retain(|order| order.at != Some(attempt.at));
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
        let imported = self.parts.imports.values().map(|adoption| Claim {
            address: &adoption.address,
            tran_id: adoption.tran_id.as_deref(),
            env_id: Some(&adoption.environment.env_id),
        });
        let found =
            self.found.iter().map(|(address, env_id)| Claim { address, tran_id: None, env_id: Some(env_id) });
        let results = self.results.iter().enumerate();
        let results = results.filter(|(at, _)| *at != attempt.at);
        let answered = results.filter_map(|(_, result)| {
            let (tran_id, env_id) = result.outcome.ids()?;
            Some(Claim { address: &result.address, tran_id, env_id })
        });
        let others = recorded.chain(imported).chain(found).chain(answered);
        conflicts::contradiction(ordered, attempt.request.env_id(), others)
    }

    /// Queues another attempt after one that was proven not sent, if there is time for it.
    fn again(&mut self, attempt: &Attempt, error: &CloudError, sent: Instant) -> bool {
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
            let again = attempt.throttled > 0;
            self.queue.pacer.throttled(sent, now, again);
        }
        if self.stopping.is_some() {
            return false;
        }
        self.queue.insert(attempt.clone().next(cause, now + after));
        (self.parts.observe)(Progress::Retrying {
            number: attempt.at + 1,
            step: self.steps[attempt.at],
            attempt: attempt.number,
            error,
            after,
        });
        true
    }

    /// Concludes what an answer means for its step and for the run.
    fn conclude(&mut self, attempt: &Attempt, answer: Answer, took: Duration) {
        match answer {
            Ok(Reply::Created(ordered)) => {
                let outcome = Outcome::Ordered { ordered, took, read_back: false };
                self.conclude_create(attempt, outcome);
            }
            Err(error) if attempt.request.is_create() => {
                self.conclude_create(attempt, Outcome::of_error(error));
            }
            Ok(Reply::Done(done)) => self.conclude_change(attempt, Ok(done), took),
            Err(error) => self.conclude_change(attempt, Err(error), took),
        }
    }
}

/// Creates have crash points of their own.
fn crash_point(attempt: &Attempt, create: &'static str, change: &'static str) {
    crash::point(if attempt.request.is_create() { create } else { change });
}

/// A call that was not made because there were no credentials counts as not sent, whatever the grade of the failure.
fn not_sent(error: CloudError) -> CloudError {
    match error.grade {
        Grade::NotSent(_) => error,
        Grade::Refused(_) | Grade::Unknown => {
            CloudError { grade: Grade::NotSent(NotSent::NoRequest), ..error }
        }
    }
}

/// A call whose task died may have sent its request.
fn broken_off(error: &JoinError) -> CloudError {
    let why = text!("the call was interrupted: {error}", error);
    CloudError { hint: Some(LOOK_FIRST), ..CloudError::new(Grade::Unknown, why) }
}

/// The journal's outcome of a request that was announced and not sent.
fn withdrawn() -> CloudError {
    let why = Text::fixed("cancelled before it was sent");
    CloudError::new(Grade::NotSent(NotSent::Withdrawn), why)
}
