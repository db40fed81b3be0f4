//! The record of one run as it happens: an intent before every request, an outcome after it.
//!
//! An intent without an outcome is a request that may have acted. That is the whole point of the journal, and why its
//! order on disk is the order of things in the world.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Account, Deposed, FormatVersion, Lineage, Record, Serial, is_false, required};
use crate::model::{Address, Attributes, SourceRef};

/// One run, from its first line on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    pub started_at: Timestamp,
    pub started: RunStarted,
    /// What followed, in order.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// When a request was last about to be sent.
    pub fn last_sent_at(&self) -> Option<Timestamp> {
        self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Intent(_) => Some(entry.at),
            Event::Listed(_)
            | Event::Outcome(_)
            | Event::Edited(_)
            | Event::RunEnded(_)
            | Event::Recovered(_) => None,
        })
    }

    /// The ids that existed before the run's first order; None when they were not listed, or not all of them.
    pub fn listed(&self) -> Option<&BTreeSet<String>> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::Listed(listed) => (listed.missing == 0).then_some(&listed.env_ids),
            Event::Intent(_)
            | Event::Outcome(_)
            | Event::Edited(_)
            | Event::RunEnded(_)
            | Event::Recovered(_) => None,
        })
    }

    /// How many rows were accepted as missing from the list of what existed before.
    pub fn missing_rows(&self) -> u64 {
        let rows = self.entries.iter().map(|entry| match &entry.event {
            Event::Listed(listed) => listed.missing,
            Event::Intent(_)
            | Event::Outcome(_)
            | Event::Edited(_)
            | Event::RunEnded(_)
            | Event::Recovered(_) => 0,
        });
        rows.sum()
    }

    /// The ids of the environments that the run created or put on record. An id that was only seen in an answer that could
    /// not be trusted is not among them.
    pub fn env_ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::Outcome(outcome) if outcome.evidence == Evidence::Ordered => outcome.env_id.as_deref(),
            Event::Edited(edited) => match &edited.edit {
                Edit::Put { record, .. } => record.env_id.as_deref(),
                Edit::Depose(deposed) => deposed.record.env_id.as_deref(),
                Edit::Deposed { env_id, .. } => Some(env_id),
                Edit::Forget { .. } | Edit::Move { .. } => None,
            },
            Event::Outcome(_)
            | Event::Listed(_)
            | Event::Intent(_)
            | Event::RunEnded(_)
            | Event::Recovered(_) => None,
        })
    }

    /// Why the run made no further request; None when it died first.
    pub fn ended(&self) -> Option<EndReason> {
        self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::RunEnded(ended) => Some(ended.reason),
            Event::Intent(_)
            | Event::Listed(_)
            | Event::Outcome(_)
            | Event::Edited(_)
            | Event::Recovered(_) => None,
        })
    }
}

/// A line of the journal after the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub event: Event,
}

/// The identity of a run: a version 7 UUID, so that runs sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RunId(#[schemars(with = "String", extend("format" = "uuid"))] pub Uuid);

impl RunId {
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The first line of a journal: which run, over which state, by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    pub format_version: FormatVersion,
    pub run: RunId,
    pub lineage: Lineage,
    /// The serial of the state that the run started from.
    pub base: Serial,
    pub tool_version: String,
    pub account: Account,
    /// The checksum of the plan that is being applied.
    pub plan: String,
    /// `user@host`
    pub who: String,
    pub pid: u32,
    /// The vendor's region that is sent with the orders, if one is.
    #[serde(deserialize_with = "required")]
    pub region: Option<String>,
    /// The git commit of the manifests, with `+dirty` behind it when they differ from it; None outside of a repository.
    #[serde(deserialize_with = "required")]
    pub commit: Option<String>,
}

/// What happened. After `RunEnded`, only `Recovered` can follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Listed(Listed),
    Intent(Intent),
    Outcome(Outcome),
    Edited(Edited),
    RunEnded(RunEnded),
    Recovered(Recovered),
}

/// The account's environments before the run's first order: what is not among them came to be since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub env_ids: BTreeSet<String>,
    /// Rows that the list lacked by its own count, and that somebody accepted as missing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A request is about to be sent. On disk before its first byte leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The step's place in the plan, from 1.
    pub step: u32,
    /// The attempt at this step, from 1. Only attempts that were proven not sent are followed by another.
    pub attempt: u32,
    pub address: Address,
    /// The vendor's action: `CreatePostpayPackage`.
    pub action: String,
    /// What is sent.
    pub attributes: Attributes,
    pub source: SourceRef,
    /// The environment on record whose place the ordered one takes. Without it nothing is ordered where something is on
    /// record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Whether what is ordered is not to be given up.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prevent_destroy: bool,
}

impl Intent {
    /// Actions that name the environment they work on: sending one twice does what sending it once does.
    const REPEATABLE: [&str; 2] = ["ModifyEnv", "DestroyEnv"];

    /// True unless the action is known to order nothing. Only an intent that may order can leave an unknown outcome
    /// behind; what a repeatable action did to a record, an [`Edited`] entry says.
    pub fn may_order(&self) -> bool {
        !Self::REPEATABLE.contains(&self.action.as_str())
    }
}

/// How one attempt ended. On disk before anything else happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub step: u32,
    pub attempt: u32,
    pub address: Address,
    pub evidence: Evidence,
    /// With any evidence but `Ordered` these are ids seen in an answer that could not be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tran_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The start of an answer that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// From the send to the end of the answer.
    pub took_ms: u64,
}

/// What an attempt proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    Ordered,
    /// The vendor did what was asked for, which was no order, or has begun to.
    Done,
    Refused,
    NotSent,
    Unknown,
}

impl Outcome {
    /// True when the attempt, which asked for `asked`, provably ordered nothing.
    ///
    /// An answer that refuses and names ids contradicts itself, and proves nothing. Unless it only repeats the
    /// environment id that it was asked to switch: that one was there before.
    pub fn is_harmless(&self, asked: &Attributes) -> bool {
        match self.evidence {
            Evidence::Refused | Evidence::NotSent => {
                let new = |id: &String| asked.env_id() != Some(id.as_str());
                self.tran_id.is_none() && !self.env_id.as_ref().is_some_and(new)
            }
            Evidence::Ordered | Evidence::Done | Evidence::Unknown => false,
        }
    }
}

/// A change to what is on record that ordered nothing: an import, a move, a settled unknown, an environment id found
/// later, an update or destroy that was carried out.
///
/// Every change goes through a journal, so that the receipts are the state's whole history and can rebuild it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    /// The step or command that did: `import`, `wait`, `resolve`, `state mv`.
    pub doing: String,
    pub edit: Edit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// This is on record now, whatever was before.
    Put { address: Address, record: Box<Record> },
    /// Nothing is on record any more.
    Forget { address: Address },
    /// What was on record under `from` is under `to`, what it replaced included. Without anything under `from`, or with
    /// something under `to`, nothing changes.
    Move { from: Address, to: Address },
    /// This is on record now for the deposed environment `env_id` of an address. None: it is not on record any more.
    /// Without such a one nothing changes.
    Deposed {
        address: Address,
        env_id: String,
        #[serde(deserialize_with = "required")]
        record: Option<Box<Record>>,
    },
    /// This one is on record as deposed, after all others, whether or not it was before.
    Depose(Box<Deposed>),
}

/// The last thing that the run itself writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEnded {
    pub reason: EndReason,
}

/// Why a run made no further request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Every step was attempted.
    Finished,
    /// A step failed, and the run was told to stop there, or the failure ends every run.
    Failed,
    /// An outcome is unknown.
    Unknown,
    Interrupted,
    Deadline,
}

/// A later writer found this run dead and folds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    /// `user@host` of the writer that did.
    pub by: String,
    /// The addresses whose intent had no outcome: they became unknown.
    pub unknown: Vec<Address>,
}
