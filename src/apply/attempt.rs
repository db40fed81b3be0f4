//! One request, one attempt at sending it, and the queue of attempts that wait for their slot. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::pace::{self, Decision, Pacer};
use crate::cloud::{self, CloudError, CloudWrite, Destroy, ENV_ID, Grade, NotSent, Order, Ordered, Update};
use crate::model::{Address, Attributes, Field};
use crate::state::journal::{Evidence, Outcome};

/// The rate limit of actions that update an environment in place, of the strictest of them (api overview 876).
pub(super) const UPDATES_PER_SECOND: f64 = 20.0;
/// The API's action that destroys an environment, and its rate limit.
pub const DESTROY: &str = "DestroyEnv";
pub(super) const DESTROYS_PER_SECOND: f64 = 20.0;

/// What a step asks the API for.
#[derive(Debug)]
pub(super) enum Request {
    Create(Order),
    Update(Update),
    Destroy(Destroy),
}

impl Request {
    pub(super) const fn action(&self) -> &'static str {
        match self {
            Self::Create(order) => order.attributes.kind().action,
            Self::Update(update) => update.action,
            Self::Destroy(_) => DESTROY,
        }
    }

    pub(super) const fn is_create(&self) -> bool {
        match self {
            Self::Create(_) => true,
            Self::Update(_) | Self::Destroy(_) => false,
        }
    }

    /// The environment that the request names. A create may name none.
    pub(super) fn env_id(&self) -> Option<&str> {
        match self {
            Self::Create(order) => order.env_id(),
            Self::Update(Update { env_id, .. }) | Self::Destroy(Destroy { env_id, .. }) => Some(env_id),
        }
    }

    /// The region that a create is sent to, where that is not the client's.
    pub(super) fn region(&self) -> Option<&str> {
        match self {
            Self::Create(order) => order.region.as_deref(),
            Self::Update(_) | Self::Destroy(_) => None,
        }
    }

    /// The field that an update changes.
    pub(super) const fn field(&self) -> Option<Field> {
        match self {
            Self::Update(update) => Some(update.field),
            Self::Create(_) | Self::Destroy(_) => None,
        }
    }

    /// What the intent records of the request: the fields, and the members that are not fields of what is declared.
    pub(super) fn recorded(&self) -> (Attributes, BTreeMap<String, String>) {
        let names = |env_id: &String| BTreeMap::from([(ENV_ID.to_owned(), env_id.clone())]);
        match self {
            Self::Create(Order { attributes, members, .. }) => (attributes.clone(), members.clone()),
            Self::Update(Update { env_id, field, value, .. }) => {
                (Attributes::from_iter([(*field, value.clone())]), names(env_id))
            }
            Self::Destroy(Destroy { env_id, .. }) => (Attributes::default(), names(env_id)),
        }
    }

    /// Sends the request once.
    pub(super) async fn send<C: CloudWrite>(&self, cloud: &C) -> Answer {
        match self {
            Self::Create(order) => cloud.create(order).await.map(Reply::Created),
            Self::Update(update) => cloud.update(update).await.map(Reply::Done),
            Self::Destroy(destroy) => cloud.destroy(destroy).await.map(Reply::Done),
        }
    }
}

/// An answer without an error.
#[derive(Debug)]
pub(super) enum Reply {
    Created(Ordered),
    /// To an update or a destroy.
    Done(cloud::Done),
}

pub(super) type Answer = Result<Reply, CloudError>;

/// One attempt at a step's request.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// The step's index in the run's steps and results.
    pub(super) at: usize,
    pub(super) request: Arc<Request>,
    /// From 1.
    pub(super) number: u32,
    /// How many earlier attempts ended with a repair (a corrected clock, a renewed token).
    repaired: u32,
    /// How many attempts in a row before this one were throttled.
    pub(super) throttled: u32,
    /// When credentials were first requested for it. Time without credentials counts towards `retry_for`.
    pub(super) first_tried: Option<Instant>,
    not_before: Option<Instant>,
    /// When its intent was written.
    pub(super) sent_at: Timestamp,
}

impl Attempt {
    pub(super) fn first(at: usize, request: Request) -> Self {
        Self::numbered(at, 1, request)
    }

    /// The first attempt at a further request of a step.
    pub(super) fn numbered(at: usize, number: u32, request: Request) -> Self {
        Self {
            at,
            request: Arc::new(request),
            number,
            repaired: 0,
            throttled: 0,
            first_tried: None,
            not_before: None,
            sent_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// The step's number in the journal, from 1.
    pub(super) fn step(&self) -> u32 {
        u32::try_from(self.at + 1).unwrap_or(u32::MAX)
    }

    /// The earliest moment at which it may be sent.
    pub(super) fn slot(&self, pacer: &Pacer) -> Instant {
        let slot = pacer.slot();
        self.not_before.map_or(slot, |moment| slot.max(moment))
    }

    /// Decides whether another attempt follows this one, which was not sent for this reason and took `took`.
    pub(super) fn decide(&self, cause: NotSent, took: Duration, retry_for: Duration) -> Decision {
        let elapsed = self.first_tried.map_or(Duration::ZERO, |first| first.elapsed());
        let number = if cause == NotSent::Throttled { self.throttled + 1 } else { self.number };
        pace::decide(cause, number, self.repaired, elapsed, took, retry_for)
    }

    /// The attempt that follows this one, which was not sent.
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

    /// The attempt that follows this one, whose intent was written and withdrawn.
    pub(super) fn after_withdrawal(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    /// The journal's outcome line for this attempt.
    pub(super) fn outcome(&self, address: Address, answer: &Answer, took: Duration) -> Outcome {
        let line = Outcome {
            step: self.step(),
            attempt: self.number,
            address,
            evidence: Evidence::Unknown,
            tran_id: None,
            env_id: None,
            request_id: None,
            code: None,
            message: None,
            http_status: None,
            body: None,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        match answer {
            Ok(Reply::Created(ordered)) => Outcome {
                evidence: Evidence::Ordered,
                tran_id: ordered.tran_id.clone(),
                env_id: ordered.env_id.clone(),
                request_id: ordered.request_id.clone(),
                ..line
            },
            Ok(Reply::Done(cloud::Done { request_id })) => Outcome {
                evidence: Evidence::Done,
                env_id: self.request.env_id().map(str::to_owned),
                request_id: request_id.clone(),
                ..line
            },
            Err(error) => Outcome {
                evidence: match error.grade {
                    Grade::NotSent(_) => Evidence::NotSent,
                    Grade::Refused(_) => Evidence::Refused,
                    Grade::Unknown => Evidence::Unknown,
                },
                tran_id: error.seen.tran_id.clone(),
                env_id: error.seen.env_id.clone(),
                request_id: error.request_id.clone(),
                code: error.code.clone(),
                message: Some(error.message.en().to_owned()),
                http_status: error.http_status,
                body: error.body.clone(),
                ..line
            },
        }
    }
}

/// The attempts at one action that wait for their slot, in the order of the plan.
#[derive(Debug)]
pub(super) struct Queue {
    attempts: VecDeque<Attempt>,
    pub(super) pacer: Pacer,
    /// The most calls in progress at once.
    pub(super) in_flight: usize,
}

impl Queue {
    /// An empty one.
    pub(super) fn new(pacer: Pacer, in_flight: usize) -> Self {
        Self { attempts: VecDeque::new(), pacer, in_flight: in_flight.max(1) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter()
    }

    pub(super) fn first(&self) -> Option<&Attempt> {
        self.attempts.front()
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Attempt> {
        self.attempts.front_mut()
    }

    pub(super) fn pop(&mut self) -> Option<Attempt> {
        self.attempts.pop_front()
    }

    /// Adds an attempt. Of several that are to be sent again, the first in the plan comes first.
    pub(super) fn insert(&mut self, attempt: Attempt) {
        let place = self.attempts.partition_point(|waiting| waiting.at < attempt.at);
        self.attempts.insert(place, attempt);
    }
}
