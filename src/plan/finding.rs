//! A difference between manifests, state and account. It is part of the plan, which keeps what the account showed for its
//! reviewers and decides nothing by it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::named;
use crate::i18n::{Text, text};
use crate::model::{Address, SourceRef};

/// A difference between two of manifests, state and account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub code: Code,
    /// Missing for an environment that is not declared.
    #[schemars(with = "Option<String>")]
    pub address: Option<Address>,
    /// It is about an environment that was replaced at the address.
    pub deposed: bool,
    pub env_id: Option<String>,
    /// As declared, or as in the state.
    #[schemars(with = "Option<String>")]
    pub expected: Option<Text>,
    /// As in the state, or as the account shows it.
    #[schemars(with = "Option<String>")]
    pub found: Option<Text>,
    /// Where it is declared, or was when it was created.
    pub source: Option<SourceRef>,
    pub standing: Standing,
    /// What to type, or to do, next.
    #[schemars(with = "String")]
    pub next: Text,
}

/// Whether a finding is drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Standing {
    Counts,
    /// It is reported, and is not drift.
    Told,
    /// `ignore` in postpay.yaml covers it.
    Ignored {
        #[schemars(with = "String")]
        reason: Text,
    },
}

impl Standing {
    /// In one word, and why it is ignored.
    pub fn name(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Counts => ("counts", None),
            Self::Told => ("told", None),
            Self::Ignored { reason } => ("ignored", Some(reason.en())),
        }
    }
}

named! {
    /// What kind of difference it is. Stable and searchable.
    pub enum Code {
        /// Declared, and never created.
        NotOrdered = "not-ordered",
        /// Declared otherwise than it was created.
        Changed = "changed",
        /// In the state, and no longer declared.
        NotDeclared = "not-declared",
        /// An import, a move or a removal that is declared and not carried out.
        NotApplied = "not-applied",
        /// A create with an unknown outcome.
        OutcomeUnknown = "outcome-unknown",
        /// A create without an EnvId so far.
        AwaitingEnvId = "awaiting-env-id",
        /// In the state, and not in the account, by any way to ask.
        Gone = "gone",
        /// In the state, and not listed, which does not prove that it is gone.
        NotListed = "not-listed",
        /// Isolated by somebody else.
        Isolated = "isolated",
        /// Destroyed, and in use again.
        InUseAgain = "in-use-again",
        /// In a status in which it does not work.
        ErrorStatus = "error-status",
        /// The account shows another alias than the state.
        AliasChanged = "alias-changed",
        /// The account shows another pay mode than its kind has.
        PayModeChanged = "pay-mode-changed",
        SourceChanged = "source-changed",
        ChannelChanged = "channel-changed",
        /// In the account and not in the state, and it matches a declared environment.
        PossibleDuplicate = "possible-duplicate",
        /// In the account, and neither declared nor in the state.
        Unmanaged = "unmanaged",
    }
}

impl Code {
    /// What it means, in one line.
    pub const fn about(self) -> Text {
        match self {
            Self::NotOrdered => Text::fixed("declared, but not created"),
            Self::Changed => Text::fixed("manifest differs from state"),
            Self::NotDeclared => Text::fixed("not in the configuration"),
            Self::NotApplied => Text::fixed("declared, but not applied"),
            Self::OutcomeUnknown => Text::fixed("create with an unknown outcome"),
            Self::AwaitingEnvId => Text::fixed("created, but without an EnvId so far"),
            Self::Gone => Text::fixed("in the state, but not in the account"),
            Self::NotListed => Text::fixed("in the state, but not listed; it may still exist"),
            Self::Isolated => Text::fixed("isolated, but not by postpay"),
            Self::InUseAgain => Text::fixed("destroyed, but in use again"),
            Self::ErrorStatus => Text::fixed("unhealthy status"),
            Self::AliasChanged => Text::fixed("alias differs between account and state"),
            Self::PayModeChanged => Text::fixed("pay mode is not that of its kind"),
            Self::SourceChanged => Text::fixed("source differs between account and state"),
            Self::ChannelChanged => Text::fixed("channel differs between account and state"),
            Self::PossibleDuplicate => {
                Text::fixed("in the account but not in the state, and matches a declared environment")
            }
            Self::Unmanaged => Text::fixed("in the account, but neither declared nor in the state"),
        }
    }
}

/// A text that is not a [`Code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CodeError {
    text: String,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        let names = Code::ALL.map(Code::name);
        let (en, zh) = (names.join(", "), names.join("、"));
        text!("unknown kind of drift `{text}`; expected one of {en}", text, en; zh).fmt(f)
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|code| code.name() == text);
        found.ok_or_else(|| CodeError { text: text.escape_debug().to_string() })
    }
}
