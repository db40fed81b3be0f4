//! Why a run did not begin.

use std::fmt;

use super::conflicts::AliasConflict;
use crate::cloud::{CloudError, Gap, gaps_text};
use crate::lang::{Text, text};
use crate::state::StateError;

/// Why a run did not begin. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    State(#[from] StateError),
    /// Without a list from before the first create, a lost answer could not be read back.
    Listing(CloudError),
    /// The list is shorter than its own total, or contradicts itself: a missing row may be what would be created again.
    Incomplete {
        gaps: Vec<Gap>,
        /// As `accept_missing_rows` said.
        accepted: Option<u64>,
        /// The run creates, which `accept_missing_rows` could allow.
        creates: bool,
    },
    /// A state that was lost together with its receipts can't know these. The account does.
    AlreadyThere(Vec<AliasConflict>),
    /// The state named no account so far, and this one has none of the environments in the state.
    Elsewhere {
        account: String,
    },
}

impl ApplyError {
    pub fn text(&self) -> Text {
        match self {
            Self::State(error) => error.text(),
            Self::Listing(CloudError { message, .. }) => text!(
                "the account's environments can't be listed: {message}",
                "无法列出账号下的环境：{message:#}"
            ),
            Self::Incomplete { gaps, .. } => {
                let why = gaps_text(gaps);
                text!("the account's environments can't be listed: {why}", "无法列出账号下的环境：{why:#}")
            }
            Self::AlreadyThere(_) => Text::fixed(
                "the account already has environments that match these, and the state does not have them",
                "账号下已有这些环境，而状态文件中没有相应的记录",
            ),
            Self::Elsewhere { account } => text!(
                "the state names no account yet, and account {account} has none of the environments in the state",
                "状态文件此前没有账号，而账号 {account} 中没有任何已记录的环境"
            ),
        }
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}
