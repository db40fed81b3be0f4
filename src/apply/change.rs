//! Steps that change the state only, and what an update or a destroy came to.
//!
//! Updates and destroys name their environment, so sending one twice does what sending it once does. What they did goes to the
//! state with an edit of its own, once it is known: an update from its answer, a destroy from what the account shows after the
//! last one. After a lost answer the account is looked at before anything more is started.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::attempt::{Attempt, Request};
use super::engine::{Engine, Unconfirmed, unless_stopped};
use super::outcome::{Done, Outcome, What};
use super::settle::Looks;
use crate::cloud::shown::shown_attributes;
use crate::cloud::{
    self, Bill, CloudError, CloudRead, Grade, Lookup, NotSent, Scope, SeenEnvironment, Update,
};
use crate::i18n::text;
use crate::plan::{Action, Step};
use crate::state::journal::{Edit, EndReason};
use crate::state::{Origin, Record, State, Status};

impl<C> Engine<'_, '_, C> {
    /// Carries out everything that changes the state only.
    pub(super) fn record_edits(&mut self) {
        for at in 0..self.steps.len() {
            if self.stopping.is_some() {
                return;
            }
            let step = self.steps[at];
            for (doing, edit) in self.edits(step) {
                if !self.edit(doing, edit) {
                    return;
                }
            }
            let changes_state_only = match step.action {
                // A step that waits, or that is to be resolved, is a change when its address is new.
                Action::Forget
                | Action::Import
                | Action::Move
                | Action::Resolve
                | Action::Wait
                | Action::NoOp => true,
                Action::Update => step.updates().next().is_none(),
                Action::Create | Action::Replace | Action::Destroy => false,
            };
            if changes_state_only {
                self.finish(at, Outcome::Recorded);
            }
        }
    }

    fn edits(&self, step: &Step) -> Vec<(&'static str, Edit)> {
        let address = step.address.clone();
        let mut edits = Vec::new();
        if let Some(from) = step.previous_address.clone() {
            let to = address.clone();
            edits.push(("moved", Edit::Move { from, to }));
        }
        match step.action {
            Action::Forget => edits.push(("removed", Edit::current(address, None))),
            Action::Import => edits
                .extend(self.imported(step).map(|record| ("import", Edit::current(address, Some(record))))),
            // The record of what is replaced or destroyed keeps its protection.
            Action::Create | Action::Replace | Action::Destroy | Action::Resolve => {}
            Action::Update | Action::Move | Action::Wait | Action::NoOp => {
                let is_edited = step.changes_protection() || step.unsent().next().is_some();
                if let Some(record) = self.recorded(step).filter(|_| is_edited) {
                    let mut record = Record { prevent_destroy: step.prevent_destroy, ..record.clone() };
                    for field in step.unsent() {
                        match step.after.as_ref().and_then(|after| after.get(field)) {
                            Some(value) => record.attributes.set(field, value),
                            None => record.attributes.unset(field),
                        }
                    }
                    edits.push(("state", Edit::current(address, Some(record))));
                }
            }
        }
        edits
    }

    fn imported(&self, step: &Step) -> Option<Record> {
        let adoption = self.parts.imports.get(&step.address)?;
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
            deposed_at: None,
        })
    }
}

impl Unconfirmed {
    fn was_refused(&self) -> bool {
        self.answer.as_ref().is_err_and(|error| error.grade != Grade::Unknown)
    }
}

/// What one look at the account showed of updates and destroys.
struct Shown {
    environments: HashMap<String, (SeenEnvironment, Option<Bill>)>,
    /// Whether it is the account of the state, as far as that can be known: it shows another environment of the state, or the
    /// state has no other.
    is_ours: bool,
}

impl<C> Engine<'_, '_, C> {
    /// Concludes the answer to an update or a destroy.
    pub(super) fn conclude_change(
        &mut self,
        attempt: &Attempt,
        answer: Result<cloud::Done, CloudError>,
        took: Duration,
    ) {
        let is_destroy = self.steps[attempt.at].action == Action::Destroy;
        let error = answer.as_ref().err().cloned();
        let sent = Unconfirmed {
            at: attempt.at,
            number: attempt.number,
            field: attempt.request.field(),
            env_id: attempt.request.env_id().unwrap_or_default().to_owned(),
            answer,
            took,
        };
        let Some(error) = error else {
            if is_destroy {
                // Only the account shows whether it is gone, isolated or neither.
                self.destroyed.push(sent);
            } else {
                self.updated(&sent, false);
            }
            return;
        };
        match error.grade {
            Grade::Unknown => {
                self.in_doubt.push(sent);
                return self.report_unknown();
            }
            // It may be gone already.
            Grade::Refused(Scope::Step) if is_destroy => self.destroyed.push(sent),
            Grade::Refused(_) | Grade::NotSent(_) => {
                self.finish(attempt.at, Outcome::Failed(error.clone()));
            }
        }
        if let Some(reason) = self.reason_to_stop(&error).filter(|_| !is_not_found(&error)) {
            self.stop(reason);
        }
    }

    /// Concludes what the account shows as done. Returns false while it shows nothing of it.
    fn conclude_shown(&mut self, sent: &Unconfirmed, shown: &Shown) -> bool {
        let step = self.steps[sent.at];
        let there = shown.environments.get(&sent.env_id);
        if step.action == Action::Update {
            let has_it = there.is_some_and(|(seen, bill)| {
                let update = step.updates().find(|(field, _)| Some(*field) == sent.field);
                update.is_some_and(|(field, wanted)| {
                    let shown = shown_attributes(field.kind, seen, bill.as_ref());
                    shown.get(field).is_some_and(|shown| field.same(shown, wanted))
                })
            });
            if has_it {
                self.updated(sent, true);
            }
            return has_it;
        }
        let was_listed = self.before_destroys.contains(&sent.env_id);
        // Not being listed alone proves nothing: its region may not be listed. The API must have said something of it too.
        let is_unknown_to_api = sent.answer.as_ref().err().is_some_and(is_not_found);
        let what = match there {
            // Another account's credentials would get the same answer.
            None if is_unknown_to_api && shown.is_ours => What::WasGone,
            // The list may lag behind: an environment that was not in it before proves nothing by not being in it now. One that
            // was, in an account that shows other environments of the state, is gone.
            None if was_listed && (sent.answer.is_ok() || (!sent.was_refused() && shown.is_ours)) => {
                What::Destroyed
            }
            Some((seen, bill))
                if !self.plan.options.purge
                    && (seen.is_isolated() || bill.as_ref().is_some_and(Bill::is_isolated)) =>
            {
                What::Isolated
            }
            None | Some(_) => return false,
        };
        if let Some(edit) = self.destroy_edit(step, what) {
            // If that can't be written the run stops; the destroy was done all the same.
            self.edit("destroy", edit);
        }
        self.done(sent, what, sent.answer.is_err());
        true
    }

    fn destroy_edit(&self, step: &Step, what: What) -> Option<Edit> {
        let record = match what {
            What::Isolated => Some(Record { status: Status::Isolated, ..self.recorded(step)?.clone() }),
            What::Destroyed | What::WasGone => None,
            What::Updated | What::BeingDestroyed => return None,
        };
        Some(Edit::set(step.key()?, record))
    }

    fn updated(&mut self, sent: &Unconfirmed, read_back: bool) {
        let step = self.steps[sent.at];
        let Some(mut record) = self.recorded(step).cloned() else {
            return;
        };
        // The fields that are updated by now: they are updated one after the other.
        let done = 1 + step.updates().take_while(|(field, _)| Some(*field) != sent.field).count();
        for (field, value) in step.updates().take(done) {
            record.attributes.set(field, value);
        }
        record.prevent_destroy = step.prevent_destroy;
        let address = step.address.clone();
        // If that can't be written the run stops; the update was done all the same.
        self.edit("update", Edit::current(address, Some(record)));
        match self.update(step, done) {
            Some(update) => {
                self.queue.insert(Attempt::numbered(sent.at, sent.number + 1, Request::Update(update)));
            }
            None => self.done(sent, What::Updated, read_back),
        }
    }

    /// The request for the next field of a step, when this many are updated.
    pub(super) fn update(&self, step: &Step, done: usize) -> Option<Update> {
        let (field, value) = step.updates().nth(done)?;
        Some(Update {
            env_id: step.ids.env_id.clone()?,
            action: field.update.action()?,
            field,
            value: value.clone(),
            region: self.recorded(step).and_then(|record| record.region.clone()),
        })
    }

    /// Concludes what the account did not show as done in time.
    fn conclude_not_shown(&mut self, sent: &Unconfirmed) {
        match &sent.answer {
            Ok(_) => self.done(sent, What::BeingDestroyed, false),
            Err(error) => {
                if error.grade == Grade::Unknown {
                    self.stopping.get_or_insert(EndReason::Unknown);
                }
                self.finish(sent.at, Outcome::of_error(error.clone()));
            }
        }
    }

    fn done(&mut self, sent: &Unconfirmed, what: What, read_back: bool) {
        let request_id = match &sent.answer {
            Ok(done) => done.request_id.clone(),
            Err(error) => error.request_id.clone(),
        };
        let done = Done { what, request_id, took: sent.took, read_back };
        self.finish(sent.at, Outcome::Done(done));
    }
}

impl<C: CloudRead> Engine<'_, '_, C> {
    /// Lists the account before anything is destroyed. If the list is incomplete, every destroy fails without being sent. A list
    /// that could not be read is empty: then nothing can be seen to disappear. Returns whether to go on.
    pub(super) async fn list_before_destroys(&mut self) -> bool {
        let is_destroy = |step: &&Step| step.action == Action::Destroy;
        if !self.steps.iter().any(is_destroy) {
            return false;
        }
        let list = self.parts.cloud.listing();
        let listing = match unless_stopped(&mut self.parts.stop, self.deadline, list).await {
            Ok(listing) => listing.unwrap_or_default(),
            Err(reason) => {
                self.stop(reason);
                return false;
            }
        };
        match listing.complete() {
            Ok(seen) => {
                let env_ids = seen.into_iter().map(|environment| environment.env_id);
                self.before_destroys = env_ids.collect();
                true
            }
            Err(error) => {
                let message = &error.message;
                let message = text!("not sent: {message}", message);
                let error = CloudError { grade: Grade::NotSent(NotSent::NoRequest), message, ..error };
                for at in 0..self.steps.len() {
                    if self.steps[at].action == Action::Destroy {
                        self.finish(at, Outcome::Failed(error.clone()));
                    }
                }
                false
            }
        }
    }

    /// Looks for the results of destroys that were answered.
    pub(super) async fn confirm_destroys(&mut self) {
        let destroyed = std::mem::take(&mut self.destroyed);
        self.confirm(destroyed).await;
    }

    /// Looks for the results of updates and destroys, until all are shown or the time is over.
    pub(super) async fn confirm(&mut self, sent: Vec<Unconfirmed>) {
        // Without time to look for lost answers, one look still shows what became of the others.
        let is_looked_for = |one: &Unconfirmed| match &one.answer {
            Ok(_) => true,
            Err(error) => is_not_found(error) || !self.settings.settle.is_zero(),
        };
        let (mut sent, others): (Vec<_>, Vec<_>) = sent.into_iter().partition(is_looked_for);
        for one in others {
            self.conclude_not_shown(&one);
        }
        let mut looks = Looks::within(self.settings.settle);
        while self.next_look(&mut looks, sent.len()).await {
            let Some(shown) = self.look_at(&sent).await else {
                continue;
            };
            sent.retain(|one| !self.conclude_shown(one, &shown));
            // What was refused and is there stays there: a later look shows nothing more.
            let refused: Vec<_> = sent.extract_if(.., |one| one.was_refused()).collect();
            for one in refused {
                self.conclude_not_shown(&one);
            }
        }
        for one in sent {
            self.conclude_not_shown(&one);
        }
    }

    /// One look; None when it failed, or the run was asked to stop meanwhile.
    async fn look_at(&mut self, sent: &[Unconfirmed]) -> Option<Shown> {
        let look = look_at(&*self.parts.cloud, sent);
        let found = unless_stopped(&mut self.parts.stop, self.deadline, look).await;
        let (environments, listed) = self.looked(found)?;
        let recorded = self.parts.writer.state().into_iter();
        let mut others = recorded
            .flat_map(State::env_ids)
            .map(|(_, env_id)| env_id)
            .filter(|env_id| sent.iter().all(|one| one.env_id != *env_id))
            .peekable();
        let is_ours = others.peek().is_none() || others.any(|env_id| listed.contains(env_id));
        Some(Shown { environments, is_ours })
    }
}

/// Only the documented code: `ResourceNotFound.UserNotExists`, for example, is about the credentials.
fn is_not_found(error: &CloudError) -> bool {
    error.code.as_deref() == Some("ResourceNotFound")
}

/// What the account shows of these, with their bills; and the EnvIds of everything that it lists.
async fn look_at<C: CloudRead>(
    cloud: &C,
    sent: &[Unconfirmed],
) -> Result<(HashMap<String, (SeenEnvironment, Option<Bill>)>, HashSet<String>), CloudError> {
    let wanted: HashSet<&str> = sent.iter().map(|one| one.env_id.as_str()).collect();
    let listed = cloud.environments().await?;
    let all = listed.iter().map(|seen| seen.env_id.clone()).collect();
    let found = listed.into_iter().filter(|seen| wanted.contains(seen.env_id.as_str()));
    let mut found: Vec<SeenEnvironment> = found.collect();
    let is_missing = |one: &&Unconfirmed| found.iter().all(|seen| seen.env_id != one.env_id);
    let missing: Vec<String> = sent.iter().filter(is_missing).map(|one| one.env_id.clone()).collect();
    if !missing.is_empty() {
        // A list can lose a row, and an environment that is forgotten keeps billing.
        for named in cloud.lookup(&missing).await? {
            if let Lookup::Found(environment) = named {
                found.push(*environment);
            }
        }
    }
    let ids: Vec<String> = found.iter().map(|seen| seen.env_id.clone()).collect();
    let bills = if ids.is_empty() { Vec::new() } else { cloud.bills(&ids).await?.shown };
    let mut bills: HashMap<String, Bill> =
        bills.into_iter().map(|bill| (bill.env_id.clone(), bill)).collect();
    let with_bill = |seen: SeenEnvironment| {
        let bill = bills.remove(&seen.env_id);
        (seen.env_id.clone(), (seen, bill))
    };
    Ok((found.into_iter().map(with_bill).collect(), all))
}
