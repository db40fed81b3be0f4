//! The engine's looks at the account: for orders with a lost answer, for environment ids that the vendor did not tell, and
//! for what a refused order may have left behind.
//!
//! A look changes nothing at the vendor. What it proves is written to the journal like any other outcome.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::candidates::Candidate;
use super::engine::{Attempt, Engine, asked_to_stop, at};
use super::settle::{self, Found, Open};
use super::{ApplyError, CallKind, Outcome, Progress, Trouble};
use crate::cloud::{CloudError, CloudRead, CloudWrite, Grade, LOOK_FIRST, Ordered};
use crate::crash;
use crate::desired::Field;
use crate::plan::Step;
use crate::state::journal::{Edit, Edited, EndReason, Event};
use crate::state::{Deposed, State, Status};

/// An order of an earlier run that has no environment id so far.
pub(super) fn waiting(step: &Step, state: Option<&State>) -> Option<Open> {
    // Where it stands so far: a move is carried out before the account is looked at.
    let at = step.previous_address.as_ref().unwrap_or(&step.address);
    let record = state?.environments.get(at)?;
    Some(Open {
        env_id: None,
        ..Open::of(&step.address, record)
    })
}

/// Whether a look at the account now finds any of these orders.
pub(super) async fn finds<C: CloudRead>(
    cloud: &C,
    open: &[Open],
    state: Option<&State>,
    now: Timestamp,
) -> Result<bool, ApplyError> {
    let recorded = state.into_iter().flat_map(State::env_ids);
    let managed = recorded.map(|(_, env_id)| env_id.to_owned()).collect();
    let found = settle::look(cloud, open, |_| None, &managed, state, now).await;
    Ok(!settle::adoptable(&found.map_err(ApplyError::Listing)?).is_empty())
}

impl<C: CloudRead + CloudWrite> Engine<'_, '_, C> {
    /// What has to be known to find an order of this run again.
    pub(super) fn open(
        &self,
        attempt: &Attempt,
        tran_id: Option<&String>,
        env_id: Option<&String>,
        request_id: Option<&String>,
    ) -> Open {
        let step = self.steps[attempt.at];
        Open {
            at: Some(attempt.at),
            address: step.address.clone(),
            order: step.after.clone().unwrap_or_default(),
            sent_at: attempt.sent_at,
            tran_id: tran_id.cloned(),
            env_id: env_id.cloned(),
            request_id: request_id.cloned(),
            run: self.run,
            source: step.source.clone(),
            region: self.region.clone(),
            prevent_destroy: step.prevent_destroy,
        }
    }

    /// Looks for the orders with a lost answer until every one is settled or the time is over. True when the run may go on.
    pub(super) async fn read_back(&mut self, deadline: Option<Instant>) -> bool {
        let lost = std::mem::take(&mut self.lost);
        self.lost = self.look_for(lost, self.settings.settle, deadline).await;
        self.lost.is_empty() && self.stopping.is_none()
    }

    /// Looks for the environment ids of orders that were taken. Each has a number of its own, which the bill of its
    /// environment names, so that no order with a lost answer can be mistaken for it.
    pub(super) async fn look_for_waiting(&mut self, within: Duration, deadline: Option<Instant>) {
        if !self.is_hurried() {
            let waiting = std::mem::take(&mut self.waiting);
            self.waiting = self.look_for(waiting, within, deadline).await;
        }
    }

    /// An order whose outcome says that it made no environment, or made one, and that may have made another all the same:
    /// it was refused, or throttled on its way.
    pub(super) fn doubtful(&self, attempt: &Attempt, outcome: &Outcome) -> Option<Open> {
        let calls = &self.results[attempt.at].calls;
        let was_throttled = calls.iter().any(|call| call.kind == CallKind::Throttled);
        let request_id = match outcome {
            Outcome::Failed(error) => {
                let may_have_acted = match error.grade {
                    Grade::Refused(_) => !error.is_rejected_by_gateway(),
                    Grade::NotSent(_) | Grade::Unknown => false,
                };
                (was_throttled || may_have_acted).then_some(error.request_id.as_ref())?
            }
            Outcome::Ordered { .. } if was_throttled => None,
            Outcome::Ordered { .. }
            | Outcome::Unknown(_)
            | Outcome::Done(_)
            | Outcome::Recorded
            | Outcome::NotAttempted => return None,
        };
        let open = self.open(attempt, None, None, request_id);
        let can_be_told =
            open.order.creates_environment() && open.order.get(Field::Alias).is_some();
        can_be_told.then_some(open)
    }

    /// Looks for environments that refused or throttled orders made all the same. How soon one is listed is not documented,
    /// so the looks go on to the end of their time.
    pub(super) async fn look_for_left_behind(&mut self, deadline: Option<Instant>) {
        let mut open = std::mem::take(&mut self.doubtful);
        // Any new environment may be the one that such an order waits for.
        open.retain(|open| !self.awaits_env_id(open));
        let until = Instant::now() + self.settings.settle_refused;
        for look in 0.. {
            let left = until.saturating_duration_since(Instant::now());
            let Some(after) = settle::pause(look, left) else {
                break;
            };
            if open.is_empty() || self.is_hurried() {
                break;
            }
            if !after.is_zero() {
                (self.parts.observe)(Progress::Looking {
                    open: open.len(),
                    after,
                    left,
                });
                if !self.rest(after, deadline).await {
                    break;
                }
            }
            let Some(found) = self.look_once(&open, deadline).await else {
                continue;
            };
            let mut settled = BTreeSet::new();
            for Found { at, candidates } in found {
                if let Some(candidate) = candidates.into_iter().find(Candidate::looks_alike) {
                    self.doubt(&open[at], candidate.environment.env_id);
                    settled.insert(at);
                }
            }
            let mut place = 0..;
            open.retain(|_| place.next().is_none_or(|at| !settled.contains(&at)));
        }
    }

    fn awaits_env_id(&self, open: &Open) -> bool {
        open.at.is_some_and(|at| match &self.results[at].outcome {
            Outcome::Ordered { ordered, .. } => ordered.env_id.is_none(),
            Outcome::Failed(_)
            | Outcome::Unknown(_)
            | Outcome::Done(_)
            | Outcome::Recorded
            | Outcome::NotAttempted => false,
        })
    }

    /// What the account shows contradicts the answers. A refused order that is not in the state would be made a second time by
    /// the next run: so it is unknown from here on, and a person says what the environment is. One that was made is in the
    /// state, and what it made besides is reported.
    fn doubt(&mut self, open: &Open, env_id: String) {
        let Some(at) = open.at else {
            return;
        };
        self.results[at].left_behind = Some(env_id);
        self.stopping = Some(EndReason::Unknown);
        let Outcome::Failed(error) = self.results[at].outcome.clone() else {
            return;
        };
        // What the order would have replaced stands at its address again. It stays on record beside the new doubt.
        let stood = self.recorded(self.steps[at]);
        if let Some(stood) = stood.filter(|stood| stood.status.is_settled()) {
            let deposed = Box::new(Deposed {
                address: open.address.clone(),
                record: stood,
                at: open.sent_at,
                by: self.run,
            });
            let event = Event::Edited(Edited {
                doing: "read_back".to_owned(),
                edit: Edit::Depose(deposed),
            });
            if let Err(error) = self.parts.writer.append(self.parts.clock.now(), event) {
                return self.in_trouble(error);
            }
        }
        let record = open.record(Status::Unknown, None, None);
        let edit = Edit::Put {
            address: open.address.clone(),
            record: Box::new(record),
        };
        let event = Event::Edited(Edited {
            doing: "read_back".to_owned(),
            edit,
        });
        if let Err(error) = self.parts.writer.append(self.parts.clock.now(), event) {
            self.in_trouble(error);
        }
        self.results[at].outcome = Outcome::Unknown(CloudError {
            grade: Grade::Unknown,
            // What the code advises is for an order that was not made.
            hint: Some(LOOK_FIRST),
            ..error
        });
    }

    /// Whoever asked the run to stop does not want to wait for looks; a full disk can't take what they would find.
    fn is_hurried(&self) -> bool {
        matches!(self.trouble, Some(Trouble::State(_)))
            || match self.stopping {
                Some(EndReason::Interrupted | EndReason::Deadline) => true,
                Some(EndReason::Failed | EndReason::Finished | EndReason::Unknown) | None => false,
            }
    }

    /// Looks once and, within the time, again and again with growing pauses; returns what is still open.
    async fn look_for(
        &mut self,
        mut open: Vec<Open>,
        within: Duration,
        deadline: Option<Instant>,
    ) -> Vec<Open> {
        if self.settings.settle.is_zero() {
            return open;
        }
        let until = Instant::now() + within;
        for look in 0.. {
            let left = until.saturating_duration_since(Instant::now());
            let Some(after) = settle::pause(look, left) else {
                break;
            };
            if open.is_empty() || self.is_hurried() {
                break;
            }
            (self.parts.observe)(Progress::Looking {
                open: open.len(),
                after,
                left,
            });
            if !self.rest(after, deadline).await {
                break;
            }
            let Some(found) = self.look_once(&open, deadline).await else {
                continue;
            };
            let adopted: BTreeSet<usize> = settle::adoptable(&found)
                .into_iter()
                .filter(|(at, candidate)| self.adopt(&open[*at], candidate))
                .map(|(at, _)| at)
                .collect();
            let mut place = 0..;
            open.retain(|_| place.next().is_none_or(|at| !adopted.contains(&at)));
        }
        open
    }

    /// One look; None when it failed, or the run was asked to stop meanwhile.
    async fn look_once(&mut self, open: &[Open], deadline: Option<Instant>) -> Option<Vec<Found>> {
        let (managed, now) = (self.managed(), self.parts.clock.now());
        // What this run saw first says nothing of an order that an earlier one made.
        let before = |open: &Open| open.at.and(self.before.as_ref());
        crash::point(crash::LOOK_NEXT);
        let state = self.parts.writer.state();
        let look = settle::look(&*self.parts.cloud, open, before, &managed, state, now);
        let stopped = tokio::select! {
            found = look => match found {
                Ok(found) => return Some(found),
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

    /// False when the run was asked to stop before the pause was over.
    async fn rest(&mut self, pause: Duration, deadline: Option<Instant>) -> bool {
        let stopped = tokio::select! {
            () = tokio::time::sleep(pause) => return true,
            () = asked_to_stop(&mut self.parts.stop) => EndReason::Interrupted,
            () = at(deadline) => EndReason::Deadline,
        };
        self.stop(stopped);
        false
    }

    /// The environments that other orders have.
    fn managed(&self) -> BTreeSet<String> {
        let state = self.parts.writer.state();
        let recorded = state.into_iter().flat_map(State::env_ids);
        let ordered = self
            .results
            .iter()
            .filter_map(|result| match &result.outcome {
                Outcome::Ordered { ordered, .. } => ordered.env_id.clone(),
                Outcome::Failed(_)
                | Outcome::Unknown(_)
                | Outcome::Done(_)
                | Outcome::Recorded
                | Outcome::NotAttempted => None,
            });
        let adopted = self.parts.adoptions.values();
        let adopted = adopted.map(|adoption| adoption.environment.env_id.clone());
        recorded
            .map(|(_, env_id)| env_id.to_owned())
            .chain(adopted)
            .chain(ordered)
            .collect()
    }

    /// Writes down that this environment is the order's. False when that could not be written: then nothing is concluded.
    fn adopt(&mut self, open: &Open, candidate: &Candidate) -> bool {
        let env_id = candidate.environment.env_id.clone();
        let Some(tran_id) = candidate.tran_id().map(str::to_owned) else {
            return false;
        };
        let record = open.record(Status::Created, Some(env_id.clone()), Some(tran_id.clone()));
        let edit = Edit::Put {
            address: open.address.clone(),
            record: Box::new(record),
        };
        let event = Event::Edited(Edited {
            doing: "read_back".to_owned(),
            edit,
        });
        let now = self.parts.clock.now();
        crash::point(crash::ADOPTION_NEXT);
        if let Err(error) = self.parts.writer.append(now, event) {
            self.in_trouble(error);
            return false;
        }
        crash::point(crash::ADOPTION_KEPT);
        (self.parts.observe)(Progress::Found {
            address: &open.address,
            env_id: &env_id,
            tran_id: &tran_id,
        });
        match open.at {
            None => self.found.push((open.address.clone(), env_id)),
            Some(at) => {
                let took = match &self.results[at].outcome {
                    Outcome::Ordered { took, .. } => *took,
                    Outcome::Failed(_)
                    | Outcome::Unknown(_)
                    | Outcome::Done(_)
                    | Outcome::Recorded
                    | Outcome::NotAttempted => {
                        Duration::try_from(now.duration_since(open.sent_at)).unwrap_or_default()
                    }
                };
                let ordered = Ordered {
                    tran_id,
                    env_id: Some(env_id),
                    request_id: open.request_id.clone(),
                };
                self.results[at].outcome = Outcome::Ordered {
                    ordered,
                    took,
                    read_back: true,
                };
            }
        }
        true
    }
}
