//! What a create came to, and the looks at the account that settle it: creates with a lost answer, creates without an EnvId,
//! and what refused or throttled creates may have made.
//!
//! A look changes nothing in the account. What it proves is written to the journal like any other outcome.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::attempt::Attempt;
use super::candidates::{Candidate, PendingOrder};
use super::engine::{Engine, edited, unless_stopped};
use super::outcome::{CallKind, Outcome, Trouble};
use super::parts::{ApplyError, Progress};
use super::settle::{self, Found, Looks};
use crate::cloud::{CloudError, CloudRead, Grade, LOOK_FIRST, Ordered, SeenIds};
use crate::crash;
use crate::model::{Attributes, InstanceKey, Kind};
use crate::plan::Step;
use crate::state::journal::{Edit, EndReason};
use crate::state::{Origin, Record, State, Status};

/// The create of an earlier run that has no EnvId so far.
pub(super) fn waiting(step: &Step, state: Option<&State>) -> Option<PendingOrder> {
    // A move is carried out before the account is looked at.
    let record = state?.get(step.recorded_address())?;
    let record = Record { env_id: None, ..record.clone() };
    Some(PendingOrder { at: None, address: step.address.clone(), record })
}

/// Whether the account shows the environment of any of these creates now.
pub(super) async fn finds<C: CloudRead>(
    cloud: &C,
    open: &[PendingOrder],
    state: Option<&State>,
    now: Timestamp,
) -> Result<bool, ApplyError> {
    let recorded = state.into_iter().flat_map(State::env_ids);
    let managed = recorded.map(|(_, env_id)| env_id.to_owned()).collect();
    let found = settle::look(cloud, open, |_| None, &managed, state, now).await;
    Ok(!settle::adoptable(&found.map_err(ApplyError::Listing)?).is_empty())
}

impl<C> Engine<'_, '_, C> {
    /// Concludes a create.
    pub(super) fn conclude_create(&mut self, attempt: &Attempt, outcome: Outcome) {
        self.doubtful.extend(self.doubtful(attempt, &outcome));
        let mut stop = None;
        match &outcome {
            Outcome::Ordered { ordered, .. } if ordered.env_id.is_none() => {
                let ids = SeenIds { tran_id: ordered.tran_id.clone(), env_id: None };
                let order = self.pending(attempt, ids, ordered.request_id.clone());
                self.waiting.push(order);
            }
            // What lost this answer may lose the next one too: nothing is started before it is read back.
            Outcome::Unknown(error) => {
                let order = self.pending(attempt, error.seen.clone(), error.request_id.clone());
                self.lost.push(order);
                self.report_unknown();
            }
            Outcome::Failed(error) => stop = self.reason_to_stop(error),
            Outcome::Ordered { .. } | Outcome::Done(_) | Outcome::Recorded | Outcome::NotAttempted => {}
        }
        self.finish(attempt.at, outcome);
        self.expect_in_listing(attempt.at);
        if let Some(reason) = stop {
            self.stop(reason);
        }
    }

    /// What is known of a create of this run.
    fn pending(&self, attempt: &Attempt, ids: SeenIds, request_id: Option<String>) -> PendingOrder {
        let step = self.steps[attempt.at];
        let inside = attempt.request.env_id().filter(|_| step.is_inside());
        let record = Record {
            status: Status::Unknown,
            env_id: ids.env_id.or_else(|| inside.map(str::to_owned)),
            tran_id: ids.tran_id,
            request_id,
            origin: Origin::Ordered,
            region: attempt.request.region().or(self.plan.region.as_deref()).map(str::to_owned),
            attributes: step.after.clone().unwrap_or_default(),
            ordered_at: attempt.sent_at,
            run: self.run,
            source: step.source.clone(),
            prevent_destroy: step.prevent_destroy,
            deposed_at: None,
        };
        PendingOrder { at: Some(attempt.at), address: step.address.clone(), record }
    }

    /// The create, if it may have made an environment besides what its outcome says: it was refused, or throttled before.
    fn doubtful(&self, attempt: &Attempt, outcome: &Outcome) -> Option<PendingOrder> {
        let calls = &self.results[attempt.at].calls;
        let was_throttled = calls.iter().any(|call| call.kind == CallKind::Throttled);
        let request_id = match outcome {
            Outcome::Failed(error) => {
                let may_have_acted = match error.grade {
                    Grade::Refused(_) => !error.is_rejected_by_gateway(),
                    Grade::NotSent(_) | Grade::Unknown => false,
                };
                (was_throttled || may_have_acted).then_some(error.request_id.clone())?
            }
            Outcome::Ordered { .. } if was_throttled => None,
            Outcome::Ordered { .. }
            | Outcome::Unknown(_)
            | Outcome::Done(_)
            | Outcome::Recorded
            | Outcome::NotAttempted => return None,
        };
        let order = self.pending(attempt, SeenIds::default(), request_id);
        let attributes = &order.record.attributes;
        let can_be_recognised = attributes.creates_environment() && attributes.alias().is_some();
        can_be_recognised.then_some(order)
    }

    /// Whether the user does not want to wait for looks, or what they find could not be written.
    fn is_hurried(&self) -> bool {
        matches!(self.trouble, Some(Trouble::State(_)))
            || [EndReason::Interrupted, EndReason::Deadline].map(Some).contains(&self.stopping)
    }

    /// Waits until the account is to be looked at for `open` environments. Returns false when it is not looked at again.
    pub(super) async fn next_look(&mut self, looks: &mut Looks, open: usize) -> bool {
        let Some((after, left)) = looks.next() else {
            return false;
        };
        if open == 0 || self.is_hurried() {
            return false;
        }
        if !after.is_zero() || looks.reports_first {
            (self.parts.observe)(Progress::Looking { open, after, left });
        }
        let pause = tokio::time::sleep(after);
        match unless_stopped(&mut self.parts.stop, self.deadline, pause).await {
            Ok(()) => true,
            Err(reason) => {
                self.stop(reason);
                false
            }
        }
    }

    /// The EnvIds that other creates have.
    fn managed(&self) -> BTreeSet<String> {
        let state = self.parts.writer.state();
        let recorded = state.into_iter().flat_map(State::env_ids);
        let created = self.results.iter();
        let created = created.filter_map(|result| result.outcome.created()?.env_id.clone());
        let imported = self.parts.imports.values();
        let imported = imported.map(|adoption| adoption.environment.env_id.clone());
        recorded.map(|(_, env_id)| env_id.to_owned()).chain(imported).chain(created).collect()
    }

    /// Writes down that this environment is the create's. Returns false when that could not be written: then nothing is
    /// concluded.
    fn adopt(&mut self, order: &PendingOrder, candidate: &Candidate) -> bool {
        let env_id = candidate.environment.env_id.clone();
        let tran_id = candidate.tran_id().or(order.record.tran_id.as_deref()).map(str::to_owned);
        let record = order.settled(Status::Created, Some(env_id.clone()), tran_id.clone());
        let edit = Edit::current(order.address.clone(), Some(record));
        crash::point(crash::ADOPTION_NEXT);
        let now = self.parts.clock.now();
        if !self.append(edited("read_back", edit)) {
            return false;
        }
        crash::point(crash::ADOPTION_KEPT);
        let tran_id_found = tran_id.as_deref();
        (self.parts.observe)(Progress::Found {
            address: &order.address,
            env_id: &env_id,
            tran_id: tran_id_found,
        });
        let Some(at) = order.at else {
            self.found.push((order.address.clone(), env_id));
            return true;
        };
        let took = if let Outcome::Ordered { took, .. } = self.results[at].outcome {
            took
        } else {
            Duration::try_from(now.duration_since(order.record.ordered_at)).unwrap_or_default()
        };
        self.results[at].outcome = Outcome::Ordered {
            ordered: Ordered { tran_id, env_id: Some(env_id), request_id: order.record.request_id.clone() },
            took,
            read_back: true,
        };
        true
    }

    fn awaits_env_id(&self, order: &PendingOrder) -> bool {
        let created = order.at.and_then(|at| self.results[at].outcome.created());
        created.is_some_and(|created| created.env_id.is_none())
    }

    /// Concludes that the account contradicts the answers. A refused create that is not in the state would be sent again by
    /// the next run: so it becomes unknown, and a user decides what the environment is. One that succeeded is in the state,
    /// and the second environment is reported.
    fn doubt(&mut self, order: &PendingOrder, env_id: String) {
        let Some(at) = order.at else {
            return;
        };
        self.results[at].left_behind = Some(env_id);
        self.stopping = Some(EndReason::Unknown);
        let Outcome::Failed(error) = self.results[at].outcome.clone() else {
            return;
        };
        // What the create would have replaced is current again. It stays in the state beside the new doubt.
        let replaced = self.recorded(self.steps[at]).filter(|record| record.status.is_settled());
        if let Some(record) = replaced {
            let key = InstanceKey {
                address: order.address.clone(),
                deposed: record.env_id.clone().or_else(|| record.tran_id.clone()),
            };
            let deposed = Record { deposed_at: Some(order.record.ordered_at), ..record.clone() };
            if !self.append(edited("read_back", Edit::set(key, Some(deposed)))) {
                return;
            }
        }
        let record = order.settled(Status::Unknown, None, None);
        let edit = Edit::current(order.address.clone(), Some(record));
        self.append(edited("read_back", edit));
        self.results[at].outcome = Outcome::Unknown(CloudError {
            grade: Grade::Unknown,
            // The code's own advice is for a create that did nothing.
            hint: Some(LOOK_FIRST),
            ..error
        });
    }
}

impl<C: CloudRead> Engine<'_, '_, C> {
    /// Looks for the creates with a lost answer until every one is settled or the time is over.
    pub(super) async fn read_back(&mut self) {
        let lost = std::mem::take(&mut self.lost);
        self.lost = self.look_for(lost, self.settings.settle).await;
    }

    /// Looks for the EnvIds of creates that succeeded without one. The bill of an environment names its create's TranId, so
    /// that no create with a lost answer can be mistaken for it.
    pub(super) async fn look_for_waiting(&mut self, within: Duration) {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = self.look_for(waiting, within).await;
    }

    /// Looks for environments that refused or throttled creates made all the same. How soon one is listed is not documented,
    /// so the looks continue to the end of their time.
    pub(super) async fn look_for_left_behind(&mut self) {
        let mut open = std::mem::take(&mut self.doubtful);
        // Any new environment may be the one that such a create waits for.
        open.retain(|order| !self.awaits_env_id(order));
        let mut looks = Looks::without_report(self.settings.settle_refused);
        while self.next_look(&mut looks, open.len()).await {
            let Some(found) = self.look_once(&open).await else {
                continue;
            };
            let mut settled = BTreeSet::new();
            for Found { at, candidates } in found {
                if let Some(candidate) = candidates.into_iter().find(Candidate::looks_alike) {
                    self.doubt(&open[at], candidate.environment.env_id);
                    settled.insert(at);
                }
            }
            remove(&mut open, &settled);
        }
    }

    /// Looks for creates within the time; returns those that are still open.
    async fn look_for(&mut self, mut open: Vec<PendingOrder>, within: Duration) -> Vec<PendingOrder> {
        if self.settings.settle.is_zero() {
            return open;
        }
        let mut looks = Looks::within(within);
        while self.next_look(&mut looks, open.len()).await {
            let Some(found) = self.look_once(&open).await else {
                continue;
            };
            let adopted = settle::adoptable(&found)
                .into_iter()
                .filter(|(at, candidate)| self.adopt(&open[*at], candidate))
                .map(|(at, _)| at)
                .collect();
            remove(&mut open, &adopted);
        }
        open
    }

    /// One look; None when it failed, or the run was asked to stop meanwhile.
    async fn look_once(&mut self, open: &[PendingOrder]) -> Option<Vec<Found>> {
        let (managed, now) = (self.managed(), self.parts.clock.now());
        // What this run saw first says nothing of a create that an earlier one sent.
        let before = |order: &PendingOrder| order.at.and(self.before.as_ref());
        crash::point(crash::LOOK_NEXT);
        let state = self.parts.writer.state();
        let look = settle::look(&*self.parts.cloud, open, before, &managed, state, now);
        let found = unless_stopped(&mut self.parts.stop, self.deadline, look).await;
        self.looked(found)
    }

    /// What a look found, unless it failed or was stopped.
    pub(super) fn looked<T>(&mut self, found: Result<Result<T, CloudError>, EndReason>) -> Option<T> {
        match found {
            Ok(Ok(found)) => return Some(found),
            Ok(Err(error)) => {
                tracing::warn!(message = %error.message, "the account can't be looked at");
            }
            Err(reason) => self.stop(reason),
        }
        None
    }

    /// Adds the order numbers of creates whose answers have none, once their bills show them. Best effort: a later run adds
    /// what this one does not see.
    pub(super) async fn add_tran_ids(&mut self) {
        let lacks_one = |kind: &Kind, env_id: Option<&String>, tran_id: Option<&String>| {
            !kind.returns_tran_id && !kind.shares_env_id && env_id.is_some() && tran_id.is_none()
        };
        let lacks = |record: &Record| {
            let Record { attributes, env_id, tran_id, .. } = record;
            record.status == Status::Created
                && lacks_one(attributes.kind(), env_id.as_ref(), tran_id.as_ref())
        };
        let was_open = {
            let mut before = self.parts.writer.state().into_iter().flat_map(State::records);
            before.any(|(_, record)| lacks(record))
        };
        let is_open = self.results.iter().zip(&self.steps).any(|(result, step)| {
            let kind = step.after.as_ref().map(Attributes::kind);
            let created = result.outcome.created();
            created
                .zip(kind)
                .is_some_and(|(it, kind)| lacks_one(kind, it.env_id.as_ref(), it.tran_id.as_ref()))
        });
        if self.is_hurried() || !(was_open || is_open) {
            return;
        }
        let Some(state) = self.parts.writer.state_so_far() else {
            return;
        };
        let open: Vec<_> = state.environments.iter().filter(|(_, record)| lacks(record)).collect();
        let env_ids: Vec<String> = open.iter().filter_map(|(_, record)| record.env_id.clone()).collect();
        let look = self.parts.cloud.bills(&env_ids);
        let bills = unless_stopped(&mut self.parts.stop, self.deadline, look).await;
        let Ok(Ok(bills)) = bills else {
            return;
        };
        for (key, record) in open {
            let bill = bills.shown.iter().find(|bill| record.env_id.as_ref() == Some(&bill.env_id));
            let number = bill.and_then(|bill| bill.order.as_ref()).map(|order| order.tran_id.clone());
            if number.is_some() {
                let record = Record { tran_id: number, ..record.clone() };
                if !self.append(edited("bill", Edit::set(key.clone(), Some(record)))) {
                    return;
                }
            }
        }
    }
}

/// Removes the creates at these indexes.
fn remove(open: &mut Vec<PendingOrder>, settled: &BTreeSet<usize>) {
    let mut place = 0..;
    open.retain(|_| place.next().is_none_or(|at| !settled.contains(&at)));
}
