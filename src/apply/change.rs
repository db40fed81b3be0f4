//! What a run does besides ordering: edits of the record, changes in place, and giving up.
//!
//! Both requests name their environment, so that to send one twice does what sending it once does. They are written down
//! as an order's are, an intent before and an outcome after; what they did goes on record with an edit of its own, once it
//! is known. Where an answer is lost the record stays as it is, and the account is looked at.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::engine::{Attempt, Engine, asked_to_stop, at};
use super::outcome::{CallKind, Done, What, change_line};
use super::pace::Pacer;
use super::retry::Decision;
use super::{OnError, Outcome, Progress, settle};
use crate::cloud::{
    self, Bill, CloudError, CloudRead, CloudWrite, Destroy, Grade, Named, NotSent, Reach, Rename,
    SeenEnvironment,
};
use crate::crash;
use crate::desired::{Attributes, Field};
use crate::lang::text;
use crate::plan::{Action, Step};
use crate::state::journal::{Edit, Edited, EndReason, Event, Intent};
use crate::state::{Origin, Record, State, Status};

/// The vendor's action that changes an environment in place, and how many a second it takes (api overview 876).
pub const RENAME: &str = "ModifyEnv";
const RENAMES_A_SECOND: f64 = 50.0;
/// The vendor's action that gives an environment up, and how many a second it takes.
pub const DESTROY: &str = "DestroyEnv";
const DESTROYS_A_SECOND: f64 = 20.0;

/// A request that was answered, or whose answer was lost, with what became of it still to be seen.
pub(super) struct Sent {
    at: usize,
    env_id: String,
    answer: Result<cloud::Done, CloudError>,
    took: Duration,
}

impl Sent {
    fn was_refused(&self) -> bool {
        match &self.answer {
            Ok(_) => false,
            Err(error) => match error.grade {
                Grade::Refused(_) | Grade::NotSent(_) => true,
                Grade::Unknown => false,
            },
        }
    }
}

/// What one look at the account showed of what was sent.
struct Seen {
    environments: HashMap<String, (SeenEnvironment, Option<Bill>)>,
    /// Whether the account is the one of the record, as far as that can be told: it shows another environment that is on
    /// record, or there is none.
    is_ours: bool,
}

enum Call {
    Rename(Rename),
    Destroy(Destroy),
}

impl Call {
    const fn action(&self) -> &'static str {
        match self {
            Self::Rename(_) => RENAME,
            Self::Destroy(_) => DESTROY,
        }
    }

    fn env_id(&self) -> &str {
        match self {
            Self::Rename(Rename { env_id, .. }) | Self::Destroy(Destroy { env_id, .. }) => env_id,
        }
    }

    fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        attributes.set(Field::EnvId, self.env_id());
        match self {
            Self::Rename(rename) => attributes.set(Field::Alias, rename.alias.as_str()),
            Self::Destroy(_) => {}
        }
        attributes
    }
}

impl<C: CloudRead + CloudWrite> Engine<'_, '_, C> {
    /// Everything that changes the record alone, before anything is sent.
    pub(super) fn record_edits(&mut self) {
        for at in 0..self.steps.len() {
            let step = self.steps[at];
            let edits = self.edits(step);
            if self.stopping.is_some() {
                return;
            }
            for edited in edits {
                if !self.edit(edited) {
                    return;
                }
            }
            let only_recorded = match step.action {
                // What waits, or is to be settled, is among the changes when its address is new.
                Action::Forget
                | Action::Import
                | Action::Move
                | Action::Resolve
                | Action::Wait
                | Action::NoOp => true,
                Action::Update => step.renames().is_none(),
                Action::Create | Action::Replace | Action::Destroy => false,
            };
            if only_recorded {
                self.conclude_change(at, Outcome::Recorded);
            }
        }
    }

    fn edits(&self, step: &Step) -> Vec<Edited> {
        let address = step.address.clone();
        let mut edits = Vec::new();
        if let Some(from) = step.previous_address.clone() {
            let to = address.clone();
            edits.push(edited("moved", Edit::Move { from, to }));
        }
        match step.action {
            Action::Forget => edits.push(edited("removed", Edit::Forget { address })),
            Action::Import => edits.extend(self.imported(step).map(|record| {
                let record = Box::new(record);
                edited("import", Edit::Put { address, record })
            })),
            Action::Create | Action::Replace | Action::Destroy | Action::Resolve => {}
            // What is replaced, or given up, keeps what was said of it.
            Action::Update | Action::Move | Action::Wait | Action::NoOp => {
                if let Some(record) = self.recorded(step).filter(|_| step.changes_protection()) {
                    let record = Box::new(Record {
                        prevent_destroy: step.prevent_destroy,
                        ..record
                    });
                    edits.push(edited("prevent_destroy", Edit::Put { address, record }));
                }
            }
        }
        edits
    }

    fn imported(&self, step: &Step) -> Option<Record> {
        let adoption = self.parts.adoptions.get(&step.address)?;
        let environment = &adoption.environment;
        Some(Record {
            status: Status::Created,
            env_id: Some(environment.env_id.clone()),
            tran_id: adoption.tran_id.clone(),
            request_id: None,
            origin: Origin::Imported,
            attributes: adoption.attributes.clone(),
            ordered_at: self.parts.clock.now(),
            run: self.run,
            source: step.source.clone(),
            region: environment.region.clone(),
            prevent_destroy: step.prevent_destroy,
        })
    }

    /// What stands on record for a step, before the run.
    pub(super) fn recorded(&self, step: &Step) -> Option<Record> {
        let state = self.parts.writer.state()?;
        if step.deposed {
            let env_id = step.ids.env_id.as_ref()?;
            let mut deposed = state.deposed_at(&step.address);
            return deposed
                .find(|deposed| deposed.record.env_id.as_ref() == Some(env_id))
                .map(|deposed| deposed.record.clone());
        }
        let at = step.previous_address.as_ref().unwrap_or(&step.address);
        state.environments.get(at).cloned()
    }

    /// Puts a change of the record on disk. False when that failed, which ends the run.
    fn edit(&mut self, edited: Edited) -> bool {
        crash::point(crash::EDIT_NEXT);
        let event = Event::Edited(edited);
        match self.parts.writer.append(self.parts.clock.now(), event) {
            Ok(()) => {
                crash::point(crash::EDIT_KEPT);
                true
            }
            Err(error) => {
                self.in_trouble(error);
                false
            }
        }
    }

    /// Changes in place and then gives up, one after the other, as the plan has them.
    pub(super) async fn change_all(&mut self, deadline: Option<Instant>) {
        let mut sent = Vec::new();
        let mut limits = (
            Pacer::new(RENAMES_A_SECOND, Instant::now(), None),
            Pacer::new(DESTROYS_A_SECOND, Instant::now(), None),
        );
        let all_ordered = self.all_ordered();
        let listed = match self.listed_before(deadline).await {
            Ok(listed) => listed,
            Err(error) if all_ordered => {
                self.nothing_destroyed(error);
                HashSet::new()
            }
            Err(_) => HashSet::new(),
        };
        for at in 0..self.steps.len() {
            let step = self.steps[at];
            let Some(call) = self.call(step) else {
                continue;
            };
            if step.action == Action::Destroy && !all_ordered {
                // What is new may be meant to take its place.
                continue;
            }
            if matches!(self.results[at].outcome, Outcome::Failed(_)) {
                continue;
            }
            if self.stopping.is_some() || !self.lost.is_empty() {
                break;
            }
            let pacer = match call {
                Call::Rename(_) => &mut limits.0,
                Call::Destroy(_) => &mut limits.1,
            };
            let Some(answered) = self.send(at, &call, pacer, deadline).await else {
                break;
            };
            match &answered.answer {
                Ok(_) if step.action == Action::Update => self.renamed(&answered, false),
                // Whether it is gone, isolated or neither is for the account to say.
                Ok(_) => sent.push(answered),
                Err(error) if error.grade == Grade::Unknown => {
                    // As after a lost order: nothing more is started before it is read back.
                    let error = error.clone();
                    self.see(vec![answered], &listed, deadline).await;
                    if !matches!(self.results[at].outcome, Outcome::Done(_)) {
                        self.stop_for(&error);
                    }
                }
                Err(error) => {
                    let error = error.clone();
                    let is_seen = match error.grade {
                        Grade::Refused(Reach::Step) => step.action == Action::Destroy,
                        Grade::Refused(Reach::Run) | Grade::NotSent(_) | Grade::Unknown => false,
                    };
                    if is_seen {
                        sent.push(answered);
                    } else {
                        self.conclude_change(at, Outcome::Failed(error.clone()));
                    }
                    if !says_it_is_gone(&error) {
                        self.stop_for(&error);
                    }
                }
            }
        }
        self.see(sent, &listed, deadline).await;
    }

    /// What the account shows before anything is destroyed: only what was there can be seen to go.
    ///
    /// # Errors
    /// When the list is incomplete. One that could not be read at all is as good as none: nothing is seen to go then.
    async fn listed_before(
        &mut self,
        deadline: Option<Instant>,
    ) -> Result<HashSet<String>, CloudError> {
        let destroys = |step: &&Step| step.action == Action::Destroy;
        if self.stopping.is_some() || !self.steps.iter().any(destroys) {
            return Ok(HashSet::new());
        }
        let look = self.parts.cloud.listing();
        let stopped = tokio::select! {
            listing = look => {
                let seen = listing.unwrap_or_default().complete()?.into_iter();
                return Ok(seen.map(|environment| environment.env_id).collect());
            }
            () = asked_to_stop(&mut self.parts.stop) => EndReason::Interrupted,
            () = at(deadline) => EndReason::Deadline,
        };
        self.stop(stopped);
        Ok(HashSet::new())
    }

    /// Destroys nothing, because the list of the account is incomplete.
    fn nothing_destroyed(&mut self, error: CloudError) {
        let message = &error.message;
        let message = text!("not sent: {message}", "未发送：{message:#}");
        let error = CloudError {
            grade: Grade::NotSent(NotSent::NoRequest),
            message,
            ..error
        };
        for at in 0..self.steps.len() {
            if self.steps[at].action == Action::Destroy {
                self.conclude_change(at, Outcome::Failed(error.clone()));
            }
        }
    }

    /// Whether every order of this run was taken, and stands.
    fn all_ordered(&self) -> bool {
        let taken = |result: &super::StepResult| match result.outcome {
            Outcome::Ordered { .. } => true,
            Outcome::Done(_)
            | Outcome::Recorded
            | Outcome::Failed(_)
            | Outcome::Unknown(_)
            | Outcome::NotAttempted => !result.is_order(),
        };
        self.results.iter().all(taken)
    }

    fn stop_for(&mut self, error: &CloudError) {
        match error.grade {
            Grade::Unknown => self.stop(EndReason::Unknown),
            Grade::NotSent(_) | Grade::Refused(Reach::Run) => self.stop(EndReason::Failed),
            Grade::Refused(Reach::Step) => match self.settings.on_error {
                OnError::Stop => self.stop(EndReason::Failed),
                OnError::Continue => {}
            },
        }
    }

    fn call(&self, step: &Step) -> Option<Call> {
        let region = || self.recorded(step).and_then(|record| record.region);
        let env_id = step.ids.env_id.clone()?;
        match step.action {
            Action::Update => Some(Call::Rename(Rename {
                env_id,
                alias: step.renames()?.to_owned(),
                region: region(),
            })),
            Action::Destroy => Some(Call::Destroy(Destroy {
                env_id,
                force: self.options.purge,
                bypass_check: self.options.bypass_check,
                region: region(),
            })),
            Action::Create
            | Action::Replace
            | Action::Forget
            | Action::Import
            | Action::Move
            | Action::Resolve
            | Action::Wait
            | Action::NoOp => None,
        }
    }

    /// Sends one request, and again while it provably was not sent. None when the run was asked to stop, or the record
    /// can't be written.
    async fn send(
        &mut self,
        at: usize,
        call: &Call,
        pacer: &mut Pacer,
        deadline: Option<Instant>,
    ) -> Option<Sent> {
        let mut attempt = Attempt::first(at);
        loop {
            if !self.wait_until(attempt.slot(pacer), deadline).await {
                return None;
            }
            attempt.first_tried.get_or_insert_with(Instant::now);
            let (answer, took) = match self.make_ready(deadline).await? {
                Ok(_) => self.send_once(&mut attempt, call, pacer).await?,
                Err(error) => {
                    // No request was made, and none announced.
                    self.results[at].attempts += 1;
                    (Err(error), Duration::ZERO)
                }
            };
            if let Err(error) = &answer
                && let Grade::NotSent(cause) = error.grade
                && self.stopping.is_none()
                && let Decision::Again { after } =
                    attempt.decide(cause, took, self.settings.retry_for)
            {
                let now = Instant::now();
                if cause == NotSent::Throttled {
                    pacer.throttled(now - took, now, attempt.throttled > 0);
                }
                (self.parts.observe)(Progress::Retrying {
                    number: at + 1,
                    step: self.steps[at],
                    attempt: attempt.number,
                    error,
                    after,
                });
                attempt = attempt.next(cause, now + after);
                continue;
            }
            return Some(Sent {
                at,
                env_id: call.env_id().to_owned(),
                answer,
                took,
            });
        }
    }

    /// One request, with its lines in the journal. None when the record can't be written.
    async fn send_once(
        &mut self,
        attempt: &mut Attempt,
        call: &Call,
        pacer: &mut Pacer,
    ) -> Option<(Result<cloud::Done, CloudError>, Duration)> {
        let at = attempt.at;
        attempt.sent_at = self.parts.clock.now();
        self.announce(attempt, call)?;
        if let Err(error) = self.parts.writer.check_exclusive() {
            self.in_trouble(error);
            return None;
        }
        let began = Instant::now();
        pacer.sent(began);
        self.results[at].attempts += 1;
        (self.parts.observe)(Progress::Sending {
            number: at + 1,
            step: self.steps[at],
            attempt: attempt.number,
        });
        let answer = match call {
            Call::Rename(rename) => self.parts.cloud.rename(rename).await,
            Call::Destroy(destroy) => self.parts.cloud.destroy(destroy).await,
        };
        let took = began.elapsed();
        self.called(at, began, began + took, CallKind::of(&answer));
        crash::point(crash::CHANGE_ANSWERED);
        let line = change_line(self.key(attempt), call.env_id(), &answer, took);
        self.record(line);
        crash::point(crash::CHANGE_OUTCOME_KEPT);
        Some((answer, took))
    }

    fn announce(&mut self, attempt: &Attempt, call: &Call) -> Option<()> {
        let (step, number, address) = self.key(attempt);
        let intent = Intent {
            step,
            attempt: number,
            address,
            action: call.action().to_owned(),
            attributes: call.attributes(),
            source: self.steps[attempt.at].source.clone(),
            replaces: None,
            prevent_destroy: false,
        };
        let event = Event::Intent(intent);
        match self.parts.writer.append(attempt.sent_at, event) {
            Ok(()) => {
                crash::point(crash::CHANGE_INTENT_KEPT);
                Some(())
            }
            Err(error) => {
                self.in_trouble(error);
                None
            }
        }
    }

    /// False when the run was asked to stop before that moment.
    async fn wait_until(&mut self, moment: Instant, deadline: Option<Instant>) -> bool {
        let reason = tokio::select! {
            biased;
            () = asked_to_stop(&mut self.parts.stop) => EndReason::Interrupted,
            () = at(deadline) => EndReason::Deadline,
            () = tokio::time::sleep_until(moment) => return true,
        };
        self.stop(reason);
        false
    }

    /// Looks for what became of what was sent, until everything is seen or the time is over.
    async fn see(&mut self, sent: Vec<Sent>, listed: &HashSet<String>, deadline: Option<Instant>) {
        // Who wants no lost answer looked for still wants to know what became of what was given up: that takes one look.
        let looks = |one: &Sent| match &one.answer {
            Ok(_) => true,
            Err(error) => says_it_is_gone(error) || !self.settings.settle.is_zero(),
        };
        let (mut sent, unlooked): (Vec<Sent>, Vec<Sent>) = sent.into_iter().partition(looks);
        for one in unlooked {
            self.unseen(&one);
        }
        let until = Instant::now() + self.settings.settle;
        for look in 0.. {
            let left = until.saturating_duration_since(Instant::now());
            let Some(after) = settle::pause(look, left) else {
                break;
            };
            if sent.is_empty() || self.trouble.is_some() {
                break;
            }
            (self.parts.observe)(Progress::Looking {
                open: sent.len(),
                after,
                left,
            });
            let stopped = tokio::select! {
                () = tokio::time::sleep(after) => None,
                () = at(deadline) => Some(EndReason::Deadline),
                () = asked_to_stop(&mut self.parts.stop) => Some(EndReason::Interrupted),
            };
            if let Some(reason) = stopped {
                self.stop(reason);
                break;
            }
            let Some(seen) = self.look_at(&sent, deadline).await else {
                continue;
            };
            sent.retain(|one| !self.is_seen(one, &seen, listed));
            // What was refused and is there is there: no later look says more.
            let refused = |one: &mut Sent| one.was_refused();
            for one in sent.extract_if(.., refused).collect::<Vec<_>>() {
                self.unseen(&one);
            }
        }
        for one in sent {
            self.unseen(&one);
        }
    }

    /// One look; None when it failed, or the run was asked to stop meanwhile.
    async fn look_at(&mut self, sent: &[Sent], deadline: Option<Instant>) -> Option<Seen> {
        let look = looked(&*self.parts.cloud, sent);
        let stopped = tokio::select! {
            found = look => match found {
                Ok((environments, others)) => {
                    let recorded = self.parts.writer.state().into_iter().flat_map(State::env_ids);
                    let mut recorded = recorded
                        .map(|(_, env_id)| env_id)
                        .filter(|env_id| sent.iter().all(|one| one.env_id != *env_id))
                        .peekable();
                    let is_ours =
                        recorded.peek().is_none() || recorded.any(|env_id| others.contains(env_id));
                    return Some(Seen { environments, is_ours });
                }
                Err(error) => {
                    tracing::warn!(message = %error.message, "the account can't be looked at");
                    return None;
                }
            },
            () = asked_to_stop(&mut self.parts.stop) => EndReason::Interrupted,
            () = at(deadline) => EndReason::Deadline,
        };
        self.stop(stopped);
        None
    }

    /// Concludes what the account shows as done. False while it does not.
    fn is_seen(&mut self, one: &Sent, seen: &Seen, listed: &HashSet<String>) -> bool {
        let step = self.steps[one.at];
        let there = seen.environments.get(&one.env_id);
        if step.action == Action::Update {
            let has_it = there.is_some_and(|(seen, _)| seen.alias.as_deref() == step.renames());
            if has_it {
                self.renamed(one, true);
            }
            return has_it;
        }
        // That it is not listed says nothing by itself: it may be in a region that is not listed. The vendor has to have
        // said something of it too.
        let vendor_knows_none = one.answer.as_ref().err().is_some_and(says_it_is_gone);
        let what = match there {
            // Another account's keys would be told the same.
            None if vendor_knows_none && seen.is_ours => What::WasGone,
            // The list may lag behind: what was not in it before says nothing by not being in it.
            // One that was there, and is not shown by an account that shows others on record, went.
            None if listed.contains(&one.env_id)
                && (one.answer.is_ok() || (!one.was_refused() && seen.is_ours)) =>
            {
                What::Destroyed
            }
            Some((seen, bill))
                if !self.options.purge
                    && (seen.is_isolated() || bill.as_ref().is_some_and(Bill::is_isolated)) =>
            {
                What::Isolated
            }
            None | Some(_) => return false,
        };
        if let Some(edit) = self.destroyed(step, what) {
            // Where that can't be written the run is in trouble, and says so; it was done all the same.
            self.edit(edited("destroy", edit));
        }
        self.done(one, what, one.answer.is_err());
        true
    }

    fn destroyed(&self, step: &Step, what: What) -> Option<Edit> {
        let address = step.address.clone();
        let record = match what {
            What::Isolated => Some(Box::new(Record {
                status: Status::Isolated,
                ..self.recorded(step)?
            })),
            What::Destroyed | What::WasGone => None,
            What::Renamed | What::BeingDestroyed => return None,
        };
        Some(match (step.deposed, record) {
            (true, record) => Edit::Deposed {
                address,
                env_id: step.ids.env_id.clone()?,
                record,
            },
            (false, Some(record)) => Edit::Put { address, record },
            (false, None) => Edit::Forget { address },
        })
    }

    fn renamed(&mut self, one: &Sent, read_back: bool) {
        let step = self.steps[one.at];
        let Some(record) = self.recorded(step) else {
            return;
        };
        let mut attributes = record.attributes.clone();
        if let Some(alias) = step.renames() {
            attributes.set(Field::Alias, alias);
        }
        let record = Box::new(Record {
            attributes,
            prevent_destroy: step.prevent_destroy,
            ..record
        });
        let address = step.address.clone();
        // Where that can't be written the run is in trouble, and says so; it was done all the same.
        self.edit(edited("update", Edit::Put { address, record }));
        self.done(one, What::Renamed, read_back);
    }

    /// Concludes what the account did not show as done in time.
    fn unseen(&mut self, one: &Sent) {
        match &one.answer {
            Ok(_) => self.done(one, What::BeingDestroyed, false),
            Err(error) => {
                let outcome = match error.grade {
                    Grade::Unknown => Outcome::Unknown(error.clone()),
                    Grade::NotSent(_) | Grade::Refused(_) => Outcome::Failed(error.clone()),
                };
                self.conclude_change(one.at, outcome);
            }
        }
    }

    fn done(&mut self, one: &Sent, what: What, read_back: bool) {
        let request_id = match &one.answer {
            Ok(done) => done.request_id.clone(),
            Err(error) => error.request_id.clone(),
        };
        let done = Done {
            what,
            request_id,
            took: one.took,
            read_back,
        };
        self.conclude_change(one.at, Outcome::Done(done));
    }

    fn conclude_change(&mut self, at: usize, outcome: Outcome) {
        self.results[at].outcome = outcome;
        (self.parts.observe)(Progress::Ended(&self.results[at]));
    }
}

/// Only the documented code: `ResourceNotFound.UserNotExists`, for one, is about whose key it is.
fn says_it_is_gone(error: &CloudError) -> bool {
    error.code.as_deref() == Some("ResourceNotFound")
}

/// What the account shows of what was sent, with the bills of it; and the ids of everything that it shows.
async fn looked<C: CloudRead>(
    cloud: &C,
    sent: &[Sent],
) -> Result<
    (
        HashMap<String, (SeenEnvironment, Option<Bill>)>,
        HashSet<String>,
    ),
    CloudError,
> {
    let wanted: HashSet<&str> = sent.iter().map(|one| one.env_id.as_str()).collect();
    let listed = cloud.environments().await?;
    let all = listed.iter().map(|seen| seen.env_id.clone()).collect();
    let ours = listed
        .into_iter()
        .filter(|seen| wanted.contains(seen.env_id.as_str()));
    let mut ours: Vec<SeenEnvironment> = ours.collect();
    let is_missing = |one: &&Sent| ours.iter().all(|seen| seen.env_id != one.env_id);
    let missing: Vec<String> = sent
        .iter()
        .filter(is_missing)
        .map(|one| one.env_id.clone())
        .collect();
    if !missing.is_empty() {
        // A list can slip, and what would be forgotten goes on costing.
        for named in cloud.named(&missing).await? {
            if let Named::Shown(environment) = named {
                ours.push(*environment);
            }
        }
    }
    let ids: Vec<String> = ours.iter().map(|seen| seen.env_id.clone()).collect();
    let bills = if ids.is_empty() {
        Vec::new()
    } else {
        cloud.bills(&ids).await?.shown
    };
    let mut bills: HashMap<String, Bill> = bills
        .into_iter()
        .map(|bill| (bill.env_id.clone(), bill))
        .collect();
    let with_bill = |seen: SeenEnvironment| {
        let bill = bills.remove(&seen.env_id);
        (seen.env_id.clone(), (seen, bill))
    };
    Ok((ours.into_iter().map(with_bill).collect(), all))
}

fn edited(doing: &str, edit: Edit) -> Edited {
    Edited {
        doing: doing.to_owned(),
        edit,
    }
}

/// The places of the orders among a run's steps.
pub(super) fn orders(steps: &[&Step]) -> Vec<usize> {
    let is_order = |(at, step): (usize, &&Step)| step.is_order().then_some(at);
    steps.iter().enumerate().filter_map(is_order).collect()
}
