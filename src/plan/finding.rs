//! One thing that manifests, state and account don't agree on. It stands here because a plan keeps what the account showed for
//! whoever reviews it; [`crate::plan`] decides nothing by it.

use std::fmt;
use std::str::FromStr;

use crate::lang::{Text, text};
use crate::model::{Address, SourceRef};

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
    pub expected: Option<Text>,
    /// As on record, or as the account shows it.
    pub found: Option<Text>,
    /// Where it is declared, or was when it was ordered.
    pub source: Option<SourceRef>,
    pub standing: Standing,
    /// What to type, or to do, next.
    pub next: Text,
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

    /// Reads what [`Standing::name`] gave; None for anything else.
    pub fn by_name(name: &str, reason: Option<String>) -> Option<Self> {
        match (name, reason) {
            ("counts", None) => Some(Self::Counts),
            ("told", None) => Some(Self::Told),
            ("ignored", Some(reason)) => Some(Self::Ignored { reason: Text::same(reason) }),
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
        reason: Text,
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
    /// Given up, and in use again.
    InUseAgain,
    /// In a status in which it does not work.
    ErrorStatus,
    /// The account shows another alias than is on record.
    AliasChanged,
    /// The account shows that it is not paid as it goes any more.
    NotPostpaid,
    SourceChanged,
    ChannelChanged,
    /// In the account and not in the state, and it matches a declared environment.
    PossibleDuplicate,
    /// In the account, and neither declared nor on record.
    Unmanaged,
}

impl Code {
    pub const ALL: [Self; 17] = [
        Self::NotOrdered,
        Self::Changed,
        Self::NotDeclared,
        Self::NotApplied,
        Self::OutcomeUnknown,
        Self::AwaitingEnvId,
        Self::Gone,
        Self::NotListed,
        Self::Isolated,
        Self::InUseAgain,
        Self::ErrorStatus,
        Self::AliasChanged,
        Self::NotPostpaid,
        Self::SourceChanged,
        Self::ChannelChanged,
        Self::PossibleDuplicate,
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
            Self::InUseAgain => "in-use-again",
            Self::ErrorStatus => "error-status",
            Self::AliasChanged => "alias-changed",
            Self::NotPostpaid => "not-postpaid",
            Self::SourceChanged => "source-changed",
            Self::ChannelChanged => "channel-changed",
            Self::PossibleDuplicate => "possible-duplicate",
            Self::Unmanaged => "unmanaged",
        }
    }

    /// What it means, in one line.
    pub const fn about(self) -> Text {
        match self {
            Self::NotOrdered => Text::fixed("declared, and never ordered", "已声明，但从未订购"),
            Self::Changed => Text::fixed("declared otherwise than it was ordered", "声明与订购时不同"),
            Self::NotDeclared => Text::fixed("on record, and no longer declared", "有记录，但不再声明"),
            Self::NotApplied => Text::fixed("declared, and not carried out", "已声明，但尚未执行"),
            Self::OutcomeUnknown => Text::fixed("an order whose outcome nobody knows", "结果未知的订单"),
            Self::AwaitingEnvId => {
                Text::fixed("an order without an environment id so far", "尚无环境 ID 的订单")
            }
            Self::Gone => Text::fixed("on record, and not in the account", "有记录，但账号下没有"),
            Self::NotListed => Text::fixed(
                "on record, and not listed; it need not be gone",
                "有记录，但未被列出；不一定已不存在",
            ),
            Self::Isolated => Text::fixed(
                "isolated at the vendor, and not by postpay",
                "在腾讯云已被隔离，且不是由 postpay 隔离的",
            ),
            Self::InUseAgain => {
                Text::fixed("given up, and in use again at the vendor", "已销毁，但在腾讯云又恢复使用")
            }
            Self::ErrorStatus => {
                Text::fixed("in a status in which it may not work", "处于可能无法工作的状态")
            }
            Self::AliasChanged => {
                Text::fixed("has another alias in the account than on record", "账号下的别名与记录不同")
            }
            Self::NotPostpaid => Text::fixed("not paid as it goes any more", "不再按量付费"),
            Self::SourceChanged => {
                Text::fixed("has another source in the account than on record", "账号下的来源与记录不同")
            }
            Self::ChannelChanged => {
                Text::fixed("has another channel in the account than on record", "账号下的渠道与记录不同")
            }
            Self::PossibleDuplicate => Text::fixed(
                "in the account and not in the state, and it matches a declared environment",
                "账号下有而状态文件中没有，且与所声明的环境相符",
            ),
            Self::Unmanaged => Text::fixed(
                "in the account, and neither declared nor on record",
                "账号下有，但既未声明也无记录",
            ),
        }
    }
}

/// A text that is no [`Code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CodeError {
    text: String,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        let names = Code::ALL.map(Code::name);
        let (en, zh) = (names.join(", "), names.join("、"));
        text!("`{text}` is no kind of drift; there are {en}", "`{text}` 不是漂移的种类；可用的有 {zh}").fmt(f)
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|code| code.name() == text);
        found.ok_or_else(|| CodeError { text: text.escape_debug().to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_explained_in_both_languages() {
        for code in Code::ALL {
            assert!(code.about().is_in_both(), "{code:?}");
        }
        let error = "x".parse::<Code>().unwrap_err();
        assert!(Text::of(&error).is_in_both(), "{error}");
    }
}
