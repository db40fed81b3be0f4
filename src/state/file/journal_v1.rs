//! One line of a journal, version 1. Frozen, like [`super::v1`], whose record and account it shares.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::members::{by_field, required};
use super::v1::{
    AccountV1, DeposedV1, RecordV1, SourceV1, attributes_from_wire, attributes_to_wire,
};
use crate::desired::Address;
use crate::lang::{Text, text};
use crate::state::journal::{
    Edit, Edited, EndReason, Event, Evidence, Intent, Listed, Outcome, Recovered, RunEnded, RunId,
    RunStarted,
};
use crate::state::{Lineage, Serial};

/// The version that `run_started` says.
pub(super) const VERSION: u64 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LineV1 {
    /// From 1.
    pub(super) seq: u64,
    /// Lower-case hex of the SHA-256 of the line before, without its end; 64 zeros in the first.
    pub(super) prev: String,
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) event: EventV1,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum EventV1 {
    RunStarted(RunStartedV1),
    Listed(ListedV1),
    Intent(IntentV1),
    Outcome(OutcomeV1),
    Edited(EditedV1),
    RunEnded(RunEndedV1),
    Recovered(RecoveredV1),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunStartedV1 {
    pub(super) format_version: u64,
    run: Uuid,
    lineage: Uuid,
    base: u64,
    tool_version: String,
    account: AccountV1,
    plan: String,
    who: String,
    pid: u32,
    #[serde(deserialize_with = "required")]
    region: Option<String>,
    #[serde(deserialize_with = "required")]
    commit: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_none(missing: &u64) -> bool {
    *missing == 0
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedV1 {
    env_ids: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "is_none")]
    missing: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntentV1 {
    step: u32,
    attempt: u32,
    address: String,
    action: String,
    #[serde(deserialize_with = "by_field")]
    attributes: BTreeMap<String, String>,
    source: SourceV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    prevent_destroy: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeV1 {
    step: u32,
    attempt: u32,
    address: String,
    evidence: EvidenceV1,
    #[serde(skip_serializing_if = "Option::is_none")]
    tran_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    took_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EvidenceV1 {
    Ordered,
    Done,
    Refused,
    NotSent,
    Unknown,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EditedV1 {
    doing: String,
    edit: EditV1,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum EditV1 {
    Put {
        address: String,
        record: Box<RecordV1>,
    },
    Forget {
        address: String,
    },
    Move {
        from: String,
        to: String,
    },
    Deposed {
        address: String,
        env_id: String,
        #[serde(deserialize_with = "required")]
        record: Option<Box<RecordV1>>,
    },
    Depose(Box<DeposedV1>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunEndedV1 {
    reason: EndReasonV1,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndReasonV1 {
    Finished,
    Failed,
    Unknown,
    Interrupted,
    Deadline,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecoveredV1 {
    by: String,
    unknown: Vec<String>,
}

/// A line's event: the first line's, or another's.
pub(super) enum Read {
    Started(RunStarted),
    Event(Event),
}

impl From<&RunStarted> for EventV1 {
    fn from(started: &RunStarted) -> Self {
        let RunStarted {
            run,
            lineage,
            base,
            tool_version,
            account,
            plan,
            who,
            pid,
            region,
            commit,
        } = started;
        Self::RunStarted(RunStartedV1 {
            format_version: VERSION,
            run: run.0,
            lineage: lineage.0,
            base: base.0,
            tool_version: tool_version.clone(),
            account: account.into(),
            plan: plan.clone(),
            who: who.clone(),
            pid: *pid,
            region: region.clone(),
            commit: commit.clone(),
        })
    }
}

impl From<&Event> for EventV1 {
    fn from(event: &Event) -> Self {
        match event {
            Event::Intent(intent) => Self::Intent(intent.into()),
            Event::Outcome(outcome) => Self::Outcome(outcome.into()),
            Event::Listed(Listed { env_ids, missing }) => Self::Listed(ListedV1 {
                env_ids: env_ids.clone(),
                missing: *missing,
            }),
            Event::Edited(Edited { doing, edit }) => Self::Edited(EditedV1 {
                doing: doing.clone(),
                edit: edit.into(),
            }),
            Event::RunEnded(RunEnded { reason }) => Self::RunEnded(RunEndedV1 {
                reason: match reason {
                    EndReason::Finished => EndReasonV1::Finished,
                    EndReason::Failed => EndReasonV1::Failed,
                    EndReason::Unknown => EndReasonV1::Unknown,
                    EndReason::Interrupted => EndReasonV1::Interrupted,
                    EndReason::Deadline => EndReasonV1::Deadline,
                },
            }),
            Event::Recovered(Recovered { by, unknown }) => Self::Recovered(RecoveredV1 {
                by: by.clone(),
                unknown: unknown.iter().map(ToString::to_string).collect(),
            }),
        }
    }
}

impl From<&Intent> for IntentV1 {
    fn from(intent: &Intent) -> Self {
        let Intent {
            step,
            attempt,
            address,
            action,
            attributes,
            source,
            replaces,
            prevent_destroy,
        } = intent;
        Self {
            step: *step,
            attempt: *attempt,
            address: address.to_string(),
            action: action.clone(),
            attributes: attributes_to_wire(attributes),
            source: source.into(),
            replaces: replaces.clone(),
            prevent_destroy: *prevent_destroy,
        }
    }
}

impl From<&Outcome> for OutcomeV1 {
    fn from(outcome: &Outcome) -> Self {
        let Outcome {
            step,
            attempt,
            address,
            evidence,
            tran_id,
            env_id,
            request_id,
            code,
            message,
            http_status,
            body,
            took_ms,
        } = outcome;
        Self {
            step: *step,
            attempt: *attempt,
            address: address.to_string(),
            evidence: match evidence {
                Evidence::Ordered => EvidenceV1::Ordered,
                Evidence::Done => EvidenceV1::Done,
                Evidence::Refused => EvidenceV1::Refused,
                Evidence::NotSent => EvidenceV1::NotSent,
                Evidence::Unknown => EvidenceV1::Unknown,
            },
            tran_id: tran_id.clone(),
            env_id: env_id.clone(),
            request_id: request_id.clone(),
            code: code.clone(),
            message: message.clone(),
            http_status: *http_status,
            body: body.clone(),
            took_ms: *took_ms,
        }
    }
}

impl From<&Edit> for EditV1 {
    fn from(edit: &Edit) -> Self {
        match edit {
            Edit::Put { address, record } => Self::Put {
                address: address.to_string(),
                record: Box::new(record.as_ref().into()),
            },
            Edit::Forget { address } => Self::Forget {
                address: address.to_string(),
            },
            Edit::Move { from, to } => Self::Move {
                from: from.to_string(),
                to: to.to_string(),
            },
            Edit::Deposed {
                address,
                env_id,
                record,
            } => Self::Deposed {
                address: address.to_string(),
                env_id: env_id.clone(),
                record: record
                    .as_ref()
                    .map(|record| Box::new(record.as_ref().into())),
            },
            Edit::Depose(deposed) => Self::Depose(Box::new(deposed.as_ref().into())),
        }
    }
}

impl TryFrom<EventV1> for Read {
    type Error = Text;

    fn try_from(wire: EventV1) -> Result<Self, Text> {
        Ok(Self::Event(match wire {
            EventV1::RunStarted(started) => return started.try_into().map(Self::Started),
            EventV1::Listed(ListedV1 { env_ids, missing }) => {
                Event::Listed(Listed { env_ids, missing })
            }
            EventV1::Intent(intent) => Event::Intent(intent.try_into()?),
            EventV1::Outcome(outcome) => Event::Outcome(outcome.try_into()?),
            EventV1::Edited(EditedV1 { doing, edit }) => Event::Edited(Edited {
                doing,
                edit: edit.try_into()?,
            }),
            EventV1::RunEnded(RunEndedV1 { reason }) => Event::RunEnded(RunEnded {
                reason: match reason {
                    EndReasonV1::Finished => EndReason::Finished,
                    EndReasonV1::Failed => EndReason::Failed,
                    EndReasonV1::Unknown => EndReason::Unknown,
                    EndReasonV1::Interrupted => EndReason::Interrupted,
                    EndReasonV1::Deadline => EndReason::Deadline,
                },
            }),
            EventV1::Recovered(RecoveredV1 { by, unknown }) => Event::Recovered(Recovered {
                by,
                unknown: unknown
                    .iter()
                    .map(|text| address(text))
                    .collect::<Result<_, _>>()?,
            }),
        }))
    }
}

impl TryFrom<RunStartedV1> for RunStarted {
    type Error = Text;

    fn try_from(wire: RunStartedV1) -> Result<Self, Text> {
        let RunStartedV1 {
            format_version,
            run,
            lineage,
            base,
            tool_version,
            account,
            plan,
            who,
            pid,
            region,
            commit,
        } = wire;
        if format_version != VERSION {
            return Err(text!(
                "`format_version` {format_version} never was one",
                "`format_version` {format_version} 从未存在过"
            ));
        }
        Ok(Self {
            run: RunId(run),
            lineage: Lineage(lineage),
            base: Serial(base),
            tool_version,
            account: account.into(),
            plan,
            who,
            pid,
            region,
            commit,
        })
    }
}

impl TryFrom<IntentV1> for Intent {
    type Error = Text;

    fn try_from(wire: IntentV1) -> Result<Self, Text> {
        let IntentV1 {
            step,
            attempt,
            address: at,
            action,
            attributes,
            source,
            replaces,
            prevent_destroy,
        } = wire;
        Ok(Self {
            step,
            attempt,
            address: address(&at)?,
            action,
            attributes: attributes_from_wire(attributes)?,
            source: source.into(),
            replaces,
            prevent_destroy,
        })
    }
}

impl TryFrom<OutcomeV1> for Outcome {
    type Error = Text;

    fn try_from(wire: OutcomeV1) -> Result<Self, Text> {
        let OutcomeV1 {
            step,
            attempt,
            address: at,
            evidence,
            tran_id,
            env_id,
            request_id,
            code,
            message,
            http_status,
            body,
            took_ms,
        } = wire;
        Ok(Self {
            step,
            attempt,
            address: address(&at)?,
            evidence: match evidence {
                EvidenceV1::Ordered => Evidence::Ordered,
                EvidenceV1::Done => Evidence::Done,
                EvidenceV1::Refused => Evidence::Refused,
                EvidenceV1::NotSent => Evidence::NotSent,
                EvidenceV1::Unknown => Evidence::Unknown,
            },
            tran_id,
            env_id,
            request_id,
            code,
            message,
            http_status,
            body,
            took_ms,
        })
    }
}

impl TryFrom<EditV1> for Edit {
    type Error = Text;

    fn try_from(wire: EditV1) -> Result<Self, Text> {
        Ok(match wire {
            EditV1::Put {
                address: at,
                record,
            } => Self::Put {
                address: address(&at)?,
                record: Box::new((*record).try_into()?),
            },
            EditV1::Forget { address: at } => Self::Forget {
                address: address(&at)?,
            },
            EditV1::Move { from, to } => Self::Move {
                from: address(&from)?,
                to: address(&to)?,
            },
            EditV1::Deposed {
                address: at,
                env_id,
                record,
            } => Self::Deposed {
                address: address(&at)?,
                env_id,
                record: record
                    .map(|record| (*record).try_into().map(Box::new))
                    .transpose()?,
            },
            EditV1::Depose(deposed) => Self::Depose(Box::new((*deposed).try_into()?)),
        })
    }
}

fn address(text: &str) -> Result<Address, Text> {
    Address::new(text).map_err(|error| Text::of(&error))
}
