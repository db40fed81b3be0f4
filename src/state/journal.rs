//! The journal of one run: an intent before every request, an outcome after it.
//!
//! An intent without an outcome is a request that may have acted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::record::RunId;
use super::record::{Account, FormatVersion, Lineage, Record, Serial, is_false, required};
use crate::model::{Address, Attributes, InstanceKey, SourceRef};

/// One run, from its first line on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    pub started_at: Timestamp,
    pub started: RunStarted,
    /// What followed, in order.
    pub entries: Vec<Entry>,
}

impl Journal {
    fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.entries.iter().map(|entry| &entry.event)
    }

    /// Returns when a request was last about to be sent.
    pub fn last_sent_at(&self) -> Option<Timestamp> {
        let sent = self.entries.iter().rfind(|entry| matches!(entry.event, Event::Intent(_)))?;
        Some(sent.at)
    }

    /// Returns the EnvIds that existed before the run's first create; None when they were not listed, or not all of them.
    pub fn listed(&self) -> Option<&BTreeSet<String>> {
        self.events().find_map(|event| {
            let Event::Listed(listed) = event else { return None };
            (listed.missing == 0).then_some(&listed.env_ids)
        })
    }

    /// Returns how many rows were accepted as missing from the list of what existed before.
    pub fn missing_rows(&self) -> u64 {
        self.events().map(|event| if let Event::Listed(listed) = event { listed.missing } else { 0 }).sum()
    }

    /// Returns the EnvIds that the run created or put in the state. An id that was only seen in an answer that could not be
    /// trusted is not among them.
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

    /// Returns why the run made no further request; None when it died first.
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
    /// The region that is sent with the creates, if one is.
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

/// The account's environments before the run's first create: what is not among them was created since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub env_ids: BTreeSet<String>,
    /// Rows that the list lacked by its own count, and that the user accepted as missing.
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
    /// The API's action: `CreatePostpayPackage`.
    pub action: String,
    /// The fields that are sent.
    pub attributes: Attributes,
    /// The members of the request that are no fields of what is declared: the EnvId of an update or a destroy, or of the
    /// address that a field refers to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, String>,
    pub source: SourceRef,
    /// The EnvId of the environment that is replaced. Without it nothing is created at an address that has an environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Whether the environment must not be destroyed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prevent_destroy: bool,
}

impl Intent {
    /// Destroys an environment by its id.
    pub const DESTROY: &str = "DestroyEnv";

    /// The environment that the request names.
    pub fn env_id(&self) -> Option<&str> {
        self.members.get("EnvId").map(String::as_str).or(self.attributes.env_id())
    }

    /// Whether it updates fields of an environment by its id.
    pub fn is_update(&self) -> bool {
        let mut fields = self.attributes.kind().fields.iter();
        fields.any(|field| field.update.action() == Some(self.action.as_str()))
    }

    /// True unless the action is known to create nothing: sending an update or a destroy twice does what sending it once does. Only a create can leave an unknown outcome; what an update or
    /// destroy did, an [`Edited`] entry says.
    pub fn may_order(&self) -> bool {
        self.action != Self::DESTROY && !self.is_update()
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
    /// The start of an answer that could not be parsed.
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
    /// The update or destroy was carried out, or has begun to be.
    Done,
    Refused,
    NotSent,
    Unknown,
}

impl Outcome {
    /// True when the attempt, which asked for `asked`, provably created nothing.
    ///
    /// An answer that refuses and has ids contradicts itself, and proves nothing. Unless it only repeats the EnvId that it
    /// was asked to switch: that one existed before.
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

/// A change to the state that created nothing: an import, a move, a resolved outcome, an EnvId found later, an update or
/// destroy that was carried out.
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
    /// Sets the record of an environment, whatever it was before.
    Put { key: InstanceKey, record: Box<Record> },
    /// Removes an environment from the state.
    Forget { key: InstanceKey },
    /// Moves the environment of an address, and its former ones, to another address. Without a current one at `from`, or
    /// with one at `to`, nothing changes.
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

    /// Whether it is about an address.
    pub fn is_about(&self, address: &Address) -> bool {
        match self {
            Self::Put { key, .. } | Self::Forget { key } => key.address == *address,
            Self::Move { from, to } => from == address || to == address,
        }
    }
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
    /// A step failed, and `--on-error` or its code ends the run.
    Failed,
    /// An outcome is unknown.
    Unknown,
    Interrupted,
    Deadline,
}

/// A later writer found that this run had died, and applies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    /// `user@host` of the writer that did.
    pub by: String,
    /// The addresses whose intent had no outcome: they became unknown.
    pub unknown: Vec<Address>,
}
