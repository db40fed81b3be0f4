//! A difference between manifests, state and account. A plan includes what the account showed, for reviewers
//! only.

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
    /// Missing for an undeclared environment.
    #[schemars(with = "Option<String>")]
    pub address: Option<Address>,
    /// Concerns an environment that was replaced at the address.
    pub deposed: bool,
    pub env_id: Option<String>,
    /// As declared, or as in the state.
    #[schemars(with = "Option<String>")]
    pub expected: Option<Text>,
    /// As in the state, or as the account shows it.
    #[schemars(with = "Option<String>")]
    pub found: Option<Text>,
    /// Where it is, or was, declared.
    pub source: Option<SourceRef>,
    pub standing: Standing,
    /// Why it is ignored.
    #[schemars(with = "Option<String>")]
    pub reason: Option<Text>,
    /// The command or action to take next.
    #[schemars(with = "String")]
    pub next: Text,
}

named! {
    /// Whether a finding is drift.
    pub enum Standing {
        Counted = "counted",
        /// It is reported, and is not drift.
        NotCounted = "not_counted",
        /// `ignore` in postpay.yaml, or `--ignore`, covers it.
        Ignored = "ignored",
    }
}

named! {
    /// The kind of difference. Stable.
    pub enum Code {
        /// Declared, but not created.
        NotOrdered = "not-ordered",
        /// The declaration differs from the state.
        Changed = "changed",
        /// In the state, but not declared.
        NotDeclared = "not-declared",
        /// A declared import, move or removal that was not applied.
        NotApplied = "not-applied",
        /// A create with an unknown outcome.
        OutcomeUnknown = "outcome-unknown",
        /// A create without an EnvId yet.
        AwaitingEnvId = "awaiting-env-id",
        /// In the state, but not found in the account by list or lookup.
        Gone = "gone",
        /// In the state, but not listed, which does not prove that it is gone.
        NotListed = "not-listed",
        /// Isolated by something other than postpay.
        Isolated = "isolated",
        /// Destroyed, but in use again.
        InUseAgain = "in-use-again",
        /// In a status in which it does not work.
        ErrorStatus = "error-status",
        /// The account and the state have different aliases.
        AliasChanged = "alias-changed",
        /// The account shows another pay mode than that of its kind.
        PayModeChanged = "pay-mode-changed",
        /// The account shows another package than the state.
        PackageChanged = "package-changed",
        /// The account shows another switch for use beyond the package.
        OverrunChanged = "overrun-changed",
        /// The account shows whether the package is renewed, and the state has it otherwise.
        RenewalChanged = "renewal-changed",
        TagsChanged = "tags-changed",
        /// Its package expires soon, and is not renewed automatically.
        ExpiresSoon = "expires-soon",
        SourceChanged = "source-changed",
        ChannelChanged = "channel-changed",
        /// In the account but not in the state, and similar to a declared environment.
        PossibleDuplicate = "possible-duplicate",
        /// In the account, but neither declared nor in the state.
        Unmanaged = "unmanaged",
    }
}

impl Code {
    /// Returns its meaning in one line.
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
            Self::PackageChanged => Text::fixed("package differs between account and state"),
            Self::OverrunChanged => Text::fixed("overrun differs between account and state"),
            Self::RenewalChanged => Text::fixed("renewal differs between account and state"),
            Self::TagsChanged => Text::fixed("tags differ between account and state"),
            Self::ExpiresSoon => Text::fixed("package expires soon"),
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
