//! The journal of one run: an intent before every request, an outcome after it.
//!
//! An intent without an outcome is a request that may have acted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::record::RunId;
use super::record::{Account, FormatVersion, Lineage, Record, Serial, is_false, required};
use crate::model::{Address, Attributes, InstanceKey, Role, SourceRef};

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    pub started_at: Timestamp,
    pub started: RunStarted,
    /// The later lines, in order.
    pub entries: Vec<Entry>,
}

impl Journal {
    fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.entries.iter().map(|entry| &entry.event)
    }

    /// Returns when the last request was about to be sent.
    pub fn last_sent_at(&self) -> Option<Timestamp> {
        let sent = self.entries.iter().rfind(|entry| matches!(entry.event, Event::Intent(_)))?;
        Some(sent.at)
    }

    /// Returns the EnvIds that existed before the run's first create; None without a complete list.
    pub fn listed(&self) -> Option<&BTreeSet<String>> {
        self.events().find_map(|event| {
            let Event::Listed(listed) = event else { return None };
            (listed.missing == 0).then_some(&listed.env_ids)
        })
    }

    /// Returns how many rows the user accepted as missing from that list.
    pub fn missing_rows(&self) -> u64 {
        self.events().map(|event| if let Event::Listed(listed) = event { listed.missing } else { 0 }).sum()
    }

    /// Returns the EnvIds that the run created or put in the state, without ids that were only in untrusted
    /// responses.
    pub fn env_ids(&self) -> impl Iterator<Item = &str> {
        self.events().filter_map(|event| match event {
            Event::Outcome(outcome) if outcome.evidence == Evidence::Ordered => outcome.env_id.as_deref(),
            Event::Edited(Edited { edit: Edit::Put { key, record }, .. }) => {
                record.env_id.as_deref().or(key.deposed.as_deref())
            }
            Event::Edited(Edited { edit: Edit::Forget { key }, .. }) => key.deposed.as_deref(),
            Event::Listed(_)
            | Event::Intent(_)
            | Event::Outcome(_)
            | Event::Edited(_)
            | Event::RunEnded(_)
            | Event::Recovered(_) => None,
        })
    }

    /// Returns why the run stopped; None when it died first.
    pub fn ended(&self) -> Option<EndReason> {
        self.events().rev().find_map(|event| {
            let Event::RunEnded(ended) = event else { return None };
            Some(ended.reason)
        })
    }
}

/// A line of the journal after the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub event: Event,
}

/// The first line of a journal: identifies the run, its state and its user.
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
    /// The checksum of the applied plan.
    pub plan: String,
    /// `user@host`
    pub who: String,
    pub pid: u32,
    /// The region that is sent with the creates, if any.
    #[serde(deserialize_with = "required")]
    pub region: Option<String>,
    /// The git commit of the manifests, with `+dirty` when they differ from it; None outside of a repository.
    #[serde(deserialize_with = "required")]
    pub commit: Option<String>,
}

/// An event. After `RunEnded`, only `Recovered` can follow.
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

/// The account's environments before the run's first create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub env_ids: BTreeSet<String>,
    /// Rows missing by the list's own count, and accepted by the user.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A request is about to be sent. Durable before its first byte is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The step's number in the plan, from 1.
    pub step: u32,
    /// The attempt at this step, from 1. Only attempts that were proven not sent are followed by another.
    pub attempt: u32,
    pub address: Address,
    /// The API action: `CreatePostpayPackage`.
    pub action: String,
    /// The fields that are sent.
    pub attributes: Attributes,
    /// Request members that are not declared fields: the EnvId of an update or a destroy, or of the address that
    /// a field refers to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, String>,
    pub source: SourceRef,
    /// The EnvId of the environment that is replaced. Required to create at an address that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Whether the environment must not be destroyed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prevent_destroy: bool,
    /// The run whose create, with an unknown outcome, is sent once more with the same request key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resends: Option<RunId>,
}

impl Intent {
    /// The action that destroys an environment by its id.
    pub const DESTROY: &str = "DestroyEnv";

    /// Returns the EnvId in the request.
    pub fn env_id(&self) -> Option<&str> {
        let named = self.attributes.env_id().or(self.attributes.role(Role::Inside));
        self.members.get("EnvId").map(String::as_str).or(named)
    }

    /// Returns whether it updates fields of an environment by its id.
    pub fn is_update(&self) -> bool {
        let mut fields = self.attributes.kind().fields.iter();
        fields.any(|field| field.update.action() == Some(self.action.as_str()))
    }

    /// Returns whether the action may create something. Updates and destroys can be repeated, so only a create
    /// can have an unknown outcome; the result of the others is in an [`Edited`] entry.
    pub fn may_create(&self) -> bool {
        self.action != Self::DESTROY && !self.is_update()
    }
}

/// The outcome of one attempt. Durable before anything else happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub step: u32,
    pub attempt: u32,
    pub address: Address,
    pub evidence: Evidence,
    /// With any evidence but `Ordered`, ids of an untrusted response.
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
    /// The start of a response that could not be parsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// From the send to the end of the response.
    pub took_ms: u64,
}

/// What an attempt proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    Ordered,
    /// The update or destroy was carried out, or has started.
    Done,
    Refused,
    NotSent,
    Unknown,
}

impl Outcome {
    /// Returns whether the attempt, which sent `asked`, provably created nothing.
    ///
    /// A rejection with ids contradicts itself and proves nothing, unless it only repeats the EnvId that was
    /// sent.
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

/// A change to the state that created nothing: an import, a move, a resolved outcome, an EnvId found later, a
/// completed update or destroy.
///
/// Every change goes through a journal, so that the receipts can rebuild the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    /// The step or command: `import`, `wait`, `resolve`, `state mv`.
    pub doing: String,
    pub edit: Edit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Sets the record of an environment.
    Put { key: InstanceKey, record: Box<Record> },
    /// Removes an environment from the state.
    Forget { key: InstanceKey },
    /// Moves the current and former environments of an address. Does nothing without a current one at `from`,
    /// or with one at `to`.
    Move { from: Address, to: Address },
}

impl Edit {
    /// Sets the record of the current environment of an address, or removes it.
    pub fn current(address: Address, record: Option<Record>) -> Self {
        Self::set(InstanceKey::current(address), record)
    }

    /// Sets the record of an environment, or removes it.
    pub fn set(key: InstanceKey, record: Option<Record>) -> Self {
        match record {
            Some(record) => Self::Put { key, record: Box::new(record) },
            None => Self::Forget { key },
        }
    }

    /// Returns whether it concerns an address.
    pub fn is_about(&self, address: &Address) -> bool {
        match self {
            Self::Put { key, .. } | Self::Forget { key } => key.address == *address,
            Self::Move { from, to } => from == address || to == address,
        }
    }
}

/// The last event of a run that did not die.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEnded {
    pub reason: EndReason,
}

/// Why a run stopped sending requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Every step was attempted.
    Finished,
    /// A step failed, and `--on-error` or its code ends the run.
    Failed,
    /// An outcome is unknown.
    Unknown,
    Interrupted,
    Deadline,
}

/// A later writer found that this run had died, and applied it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    /// `user@host` of that writer.
    pub by: String,
    /// Addresses whose intent had no outcome: they became unknown.
    pub unknown: Vec<Address>,
}
