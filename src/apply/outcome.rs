//! The outcome of every step of a run. Text, JSON and exit code come from this one value.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cloud::{CloudError, Grade, NotSent, Ordered, SeenIds};
use crate::i18n::{Text, text};
use crate::model::{Address, SourceRef};
use crate::plan::{Action, Plan, Step};
use crate::state::journal::{EndReason, RunId};
use crate::state::rescue::Rescued;
use crate::state::{State, StateError, Status};

/// The outcome of a whole run.
#[derive(Debug)]
pub struct ApplySummary {
    /// None when there was nothing to do, so that no run was opened.
    pub run: Option<RunId>,
    /// One per step, in the order of the plan.
    pub results: Vec<StepResult>,
    pub ended: EndReason,
    /// From the first start to the last answer.
    pub took: Duration,
    /// The state as it was written at the end; None when it could not be written.
    pub state: Option<State>,
    /// Why the run stopped, if not for a step. What the journal holds is true all the same.
    pub trouble: Option<Trouble>,
    /// Addresses that were unknown before the run, and were left alone by it.
    pub unresolved: Vec<Address>,
    /// Environment ids that were found for orders of earlier runs.
    pub found: Vec<(Address, String)>,
    /// Outcomes that are not on disk: the next run will take them for unknown.
    pub unwritten: Vec<Rescued>,
    /// Environments that were waited for and are not in use.
    pub not_ready: Vec<NotReady>,
}

/// An environment that was created and is not in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    pub address: Address,
    pub env_id: String,
    /// Its bill says that its order could not be delivered.
    pub undelivered: bool,
}

/// Why a run stopped, besides the outcomes of its steps.
#[derive(Debug)]
pub enum Trouble {
    /// Something could not be recorded, or the lock, the journal or the state is not this run's any more.
    State(StateError),
    /// An environment appeared that looks like one that this run has yet to create, or like a second one of an address:
    /// somebody else creates from the same manifests.
    OtherCreator {
        address: Address,
        env_id: String,
        /// What this run created for the address.
        ours: Option<String>,
    },
    /// A complete listing does not show the first environment that was created as this project's: a lost one would not be
    /// recognised either.
    NotRecognised { address: Address, env_id: String },
}

impl Trouble {
    /// Whether another program removed or changed the lock, the journal or the state during the run.
    pub(super) fn is_fenced_out(&self) -> bool {
        matches!(self, Self::State(StateError::FencedOut { .. }))
    }

    /// What happened.
    pub fn text(&self) -> Text {
        self.explain().1
    }

    /// Its code, which is stable; what happened; and what to do about it.
    pub fn explain(&self) -> (&'static str, Text, Text) {
        match self {
            Self::State(error) => (
                error.code(),
                error.text(),
                if let StateError::FencedOut { .. } = error {
                    Text::fixed(
                        "make sure that no other postpay, git or cleanup job works on this folder, then run `postpay apply` \
                         again",
                    )
                } else {
                    Text::fixed(
                        "solve this and run `postpay apply` again: it continues from the journal and creates nothing twice",
                    )
                },
            ),
            Self::OtherCreator { address, env_id, ours } => (
                "other-creator",
                match ours {
                    None => text!(
                        "{env_id} appeared in the account and matches `{address}`, which this run has yet to create: somebody else \
                         may be creating from the same manifests",
                        env_id,
                        address
                    ),
                    Some(ours) => text!(
                        "{env_id} appeared in the account and matches `{address}`, for which this run created {ours}: somebody \
                         else may be creating from the same manifests",
                        env_id,
                        address,
                        ours
                    ),
                },
                text!(
                    "stop the other run; if {env_id} is the right environment: `postpay import {address} {env_id}`",
                    env_id,
                    address
                ),
            ),
            Self::NotRecognised { address, env_id } => (
                "not-recognised",
                text!(
                    "the account does not show {env_id}, just created, as `{address}`: if a response were lost, its environment could not be found",
                    env_id,
                    address
                ),
                Text::fixed(
                    "compare the alias in the console with the manifest; with `--settle 0s` this check is skipped",
                ),
            ),
        }
    }
}

/// One change of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// The step's place among the changes, from 1.
    pub number: usize,
    pub address: Address,
    pub action: Action,
    /// Set when it was about a replaced environment of the address.
    pub deposed: bool,
    /// The environment that it was about; None for a create.
    pub env_id: Option<String>,
    /// The order of that environment, where it is known.
    pub tran_id: Option<String>,
    pub source: SourceRef,
    /// How many requests were made for it.
    pub attempts: u32,
    pub outcome: Outcome,
    /// An environment that a refused or throttled order seems to have left behind all the same. One that was refused is unknown
    /// then; one that was throttled and made later has two. It is reported, and neither adopted nor created again.
    pub left_behind: Option<String>,
    /// The requests that were made for it, in sending order.
    pub calls: Vec<Call>,
}

/// One request of a run. Times count from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub sent: Duration,
    pub answered: Duration,
    pub kind: CallKind,
}

/// What its answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// The API did what it was asked for.
    Taken,
    /// It was rejected for its rate.
    Throttled,
    /// It never reached the API, or the gateway rejected it.
    NotSent,
    Refused,
    /// The answer was lost.
    Unknown,
}

impl CallKind {
    pub(super) fn of<T>(answer: &Result<T, CloudError>) -> Self {
        match answer {
            Ok(_) => Self::Taken,
            Err(error) => match error.grade {
                Grade::NotSent(NotSent::Throttled) => Self::Throttled,
                Grade::NotSent(_) => Self::NotSent,
                Grade::Refused(_) => Self::Refused,
                Grade::Unknown => Self::Unknown,
            },
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Ordered {
        ordered: Ordered,
        took: Duration,
        /// The answer did not prove it; what the account shows does.
        read_back: bool,
    },
    /// An environment was updated or destroyed.
    Done(Done),
    /// Only the state was changed.
    Recorded,
    /// The API refused it, or never got it: nothing was done.
    Failed(CloudError),
    /// It may have been done. A create is never sent again.
    Unknown(CloudError),
    /// The run ended before it.
    NotAttempted,
}

/// What an update or a destroy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub what: What,
    pub request_id: Option<String>,
    /// From the first request to its answer.
    pub took: Duration,
    /// The answer did not prove it; what the account shows does.
    pub read_back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It has its new values.
    Updated,
    /// It is not in the account any more, and was before the run.
    Destroyed,
    /// The API knows no environment with its id: somebody else destroyed it.
    WasGone,
    /// Tencent Cloud isolates it before it deletes it.
    Isolated,
    /// The API accepted the request, and the account still shows the environment. It stays in the state.
    BeingDestroyed,
}

/// The result of a run as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was done.
    Complete,
    /// Some steps were done, or the run was interrupted: run it again. Or `--wait` ended before everything was in use.
    PartWay,
    /// None was.
    Failed,
    /// At least one outcome is unknown, of this run or an earlier one.
    Unknown,
}

/// How many steps ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    #[serde(rename = "created")]
    pub ordered: usize,
    /// Updated in place.
    #[serde(rename = "updated")]
    pub changed: usize,
    /// Destroyed, isolated, or being destroyed.
    pub destroyed: usize,
    /// In the state only.
    #[serde(rename = "state_only")]
    pub recorded: usize,
    /// Created ones without an EnvId so far.
    pub awaiting_env_id: usize,
    pub failed: usize,
    pub unknown: usize,
    pub not_attempted: usize,
}

impl StepResult {
    pub(super) fn not_attempted(at: usize, step: &Step) -> Self {
        Self {
            number: at + 1,
            address: step.address.clone(),
            action: step.action,
            deposed: step.deposed,
            env_id: step.ids.env_id.clone(),
            tran_id: step.ids.tran_id.clone(),
            source: step.source.clone(),
            attempts: 0,
            outcome: Outcome::NotAttempted,
            left_behind: None,
            calls: Vec::new(),
        }
    }

    /// Whether it was a paid order.
    pub fn is_order(&self) -> bool {
        self.action.creates()
    }
}

impl ApplySummary {
    /// The summary of a plan without changes: no run was opened.
    pub fn idle(state: Option<&State>) -> Self {
        Self {
            run: None,
            results: Vec::new(),
            ended: EndReason::Finished,
            took: Duration::ZERO,
            state: state.cloned(),
            trouble: None,
            unresolved: unknown(state).cloned().collect(),
            unwritten: Vec::new(),
            found: Vec::new(),
            not_ready: Vec::new(),
        }
    }

    /// The environments that the run created, each once: what was opened inside one has its id too.
    pub fn created(&self) -> Vec<(Address, String)> {
        let mut seen = HashSet::new();
        let created = self.results.iter().filter_map(|result| {
            let env_id = result.outcome.created()?.env_id.clone()?;
            Some((result.address.clone(), env_id))
        });
        created.filter(|(_, env_id)| seen.insert(env_id.clone())).collect()
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for result in &self.results {
            match &result.outcome {
                Outcome::Ordered { ordered, .. } => {
                    counts.ordered += 1;
                    counts.awaiting_env_id += usize::from(ordered.env_id.is_none());
                }
                Outcome::Done(done) => match done.what {
                    What::Updated => counts.changed += 1,
                    What::Destroyed | What::WasGone | What::Isolated | What::BeingDestroyed => {
                        counts.destroyed += 1;
                    }
                },
                Outcome::Recorded => counts.recorded += 1,
                Outcome::Failed(_) => counts.failed += 1,
                Outcome::Unknown(_) => counts.unknown += 1,
                Outcome::NotAttempted => counts.not_attempted += 1,
            }
        }
        counts
    }

    /// Whether another program removed or changed the lock, the journal or the state during the run.
    pub fn is_fenced_out(&self) -> bool {
        self.trouble.as_ref().is_some_and(Trouble::is_fenced_out)
    }

    pub fn verdict(&self) -> Verdict {
        let counts = self.counts();
        let told_to_stop = match self.ended {
            EndReason::Interrupted | EndReason::Deadline => true,
            EndReason::Finished | EndReason::Failed | EndReason::Unknown => false,
        };
        // The outcomes of a run that was fenced out are known; what is not is who else was writing.
        let unwritten = if self.is_fenced_out() { 0 } else { self.unwritten.len() };
        let left_behind = self.results.iter().filter(|result| result.left_behind.is_some());
        let unknown = counts.unknown + unwritten + self.unresolved.len() + left_behind.count();
        if unknown > 0 {
            Verdict::Unknown
        } else if counts.failed + counts.not_attempted + self.not_ready.len() == 0 && self.trouble.is_none() {
            Verdict::Complete
        } else if counts.ordered + counts.changed + counts.destroyed + counts.recorded > 0
            || told_to_stop
            || self.is_fenced_out()
        {
            Verdict::PartWay
        } else {
            Verdict::Failed
        }
    }
}

/// The addresses with an unknown outcome, whether or not a plan is about them.
fn unknown(state: Option<&State>) -> impl Iterator<Item = &Address> {
    let records = state.into_iter().flat_map(State::current);
    records.filter(|(_, record)| record.status == Status::Unknown).map(|(address, _)| address)
}

/// The same, by the addresses that they have once the plan's moves are carried out.
pub(super) fn unresolved(state: Option<&State>, plan: &Plan) -> Vec<Address> {
    let moves: HashMap<&Address, &Address> =
        plan.steps.iter().filter_map(|step| Some((step.previous_address.as_ref()?, &step.address))).collect();
    unknown(state).map(|address| (*moves.get(address).unwrap_or(&address)).clone()).collect()
}

impl Outcome {
    /// The outcome of a step whose request got this error, and nothing else is known.
    pub(super) fn of_error(error: CloudError) -> Self {
        match error.grade {
            Grade::Unknown => Self::Unknown(error),
            Grade::NotSent(_) | Grade::Refused(_) => Self::Failed(error),
        }
    }

    /// What a create that succeeded returned.
    pub(super) fn created(&self) -> Option<&Ordered> {
        if let Self::Ordered { ordered, .. } = self { Some(ordered) } else { None }
    }

    /// The TranId and EnvId that came of an order, or were seen in an answer that proves nothing.
    pub(super) fn ids(&self) -> Option<(Option<&str>, Option<&str>)> {
        match self {
            Self::Ordered { ordered, .. } => Some((ordered.tran_id.as_deref(), ordered.env_id.as_deref())),
            Self::Unknown(error) => {
                let SeenIds { tran_id, env_id } = &error.seen;
                Some((tran_id.as_deref(), env_id.as_deref()))
            }
            Self::Done(_) | Self::Recorded | Self::Failed(_) | Self::NotAttempted => None,
        }
    }
}
