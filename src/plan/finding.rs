//! One thing that manifests, state and account don't agree on. It stands here because a plan keeps what the account showed for
//! whoever reviews it; [`crate::plan`] decides nothing by it.

use std::str::FromStr;

use crate::desired::{Address, SourceRef};

/// Something that two of manifests, state and account don't agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    /// None for what has no address: an environment that nobody declares.
    pub address: Option<Address>,
    /// It is about what was replaced at the address.
    pub deposed: bool,
    pub env_id: Option<String>,
    /// As declared, or as on record.
    pub expected: Option<String>,
    /// As on record, or as the account shows it.
    pub found: Option<String>,
    /// Where it is declared, or was when it was ordered.
    pub source: Option<SourceRef>,
    pub standing: Standing,
    /// What to type, or to do, next.
    pub next: String,
}

impl Standing {
    /// In one word, and why it is ignored.
    pub fn name(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Counts => ("counts", None),
            Self::Told => ("told", None),
            Self::Ignored { reason } => ("ignored", Some(reason)),
        }
    }

    /// Reads what [`Standing::name`] gave; None for anything else.
    pub fn by_name(name: &str, reason: Option<String>) -> Option<Self> {
        match (name, reason) {
            ("counts", None) => Some(Self::Counts),
            ("told", None) => Some(Self::Told),
            ("ignored", Some(reason)) => Some(Self::Ignored { reason }),
            (_, _) => None,
        }
    }
}

/// Whether a finding is drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Counts,
    /// It is told, and is no drift.
    Told,
    /// Somebody knows of it.
    Ignored {
        reason: String,
    },
}

/// What kind of disagreement it is. Stable and searchable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Declared, and never ordered.
    NotOrdered,
    /// Declared otherwise than it was ordered.
    Changed,
    /// On record, and no longer declared.
    NotDeclared,
    /// An import, a move or a removal that is declared and not carried out.
    NotApplied,
    /// An order whose outcome nobody knows.
    OutcomeUnknown,
    /// An order without an environment id so far.
    AwaitingEnvId,
    /// On record, and the account does not show it, whichever way it is asked.
    Gone,
    /// On record, and not listed; that it is gone can't be told from that.
    NotListed,
    /// Given up by somebody else.
    Isolated,
    /// In a status in which it does not work.
    ErrorStatus,
    /// The account shows another alias than is on record.
    AliasChanged,
    /// The account shows that it is not paid as it goes any more.
    NotPostpaid,
    SourceChanged,
    ChannelChanged,
    /// In the account, and neither declared nor on record.
    Unmanaged,
}

impl Code {
    pub const ALL: [Self; 15] = [
        Self::NotOrdered,
        Self::Changed,
        Self::NotDeclared,
        Self::NotApplied,
        Self::OutcomeUnknown,
        Self::AwaitingEnvId,
        Self::Gone,
        Self::NotListed,
        Self::Isolated,
        Self::ErrorStatus,
        Self::AliasChanged,
        Self::NotPostpaid,
        Self::SourceChanged,
        Self::ChannelChanged,
        Self::Unmanaged,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::NotOrdered => "not-ordered",
            Self::Changed => "changed",
            Self::NotDeclared => "not-declared",
            Self::NotApplied => "not-applied",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::AwaitingEnvId => "awaiting-env-id",
            Self::Gone => "gone",
            Self::NotListed => "not-listed",
            Self::Isolated => "isolated",
            Self::ErrorStatus => "error-status",
            Self::AliasChanged => "alias-changed",
            Self::NotPostpaid => "not-postpaid",
            Self::SourceChanged => "source-changed",
            Self::ChannelChanged => "channel-changed",
            Self::Unmanaged => "unmanaged",
        }
    }

    /// What it means, in one line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::NotOrdered => "declared, and never ordered",
            Self::Changed => "declared otherwise than it was ordered",
            Self::NotDeclared => "on record, and no longer declared",
            Self::NotApplied => "declared, and not carried out",
            Self::OutcomeUnknown => "an order whose outcome nobody knows",
            Self::AwaitingEnvId => "an order without an environment id so far",
            Self::Gone => "on record, and not in the account",
            Self::NotListed => "on record, and not listed; it need not be gone",
            Self::Isolated => "isolated at the vendor, and not by postpay",
            Self::ErrorStatus => "in a status in which it may not work",
            Self::AliasChanged => "has another alias in the account than on record",
            Self::NotPostpaid => "not paid as it goes any more",
            Self::SourceChanged => "has another source in the account than on record",
            Self::ChannelChanged => "has another channel in the account than on record",
            Self::Unmanaged => "in the account, and neither declared nor on record",
        }
    }
}

/// A text that is no [`Code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no kind of drift; there are {}", Code::ALL.map(Code::name).join(", "))]
pub struct CodeError {
    text: String,
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|code| code.name() == text);
        found.ok_or_else(|| CodeError {
            text: text.escape_debug().to_string(),
        })
    }
}
