//! What a run is given, what it reports while it runs, and why it did not begin.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::conflicts::AliasConflict;
use super::import::Importable;
use super::outcome::{StepResult, Trouble};
use crate::clock::Clock;
use crate::cloud::{CloudError, Gap, gaps_text};
use crate::i18n::{Text, text};
use crate::model::Address;
use crate::plan::Step;
use crate::state::journal::{EndReason, RunId};
use crate::state::{StateError, Writer};

/// How a run behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Creates per second.
    pub rate: f64,
    /// The most creates in progress at once.
    pub in_flight: usize,
    pub on_error: OnError,
    /// How long a step is tried again whose attempts were proven not sent.
    pub retry_for: Duration,
    /// Nothing new is started after this time.
    pub deadline: Option<Duration>,
    /// How long the account is searched for an unknown outcome, or for a create without an EnvId.
    pub settle: Duration,
    /// How long the account is searched, after the last step, for what refused and throttled creates may have made.
    pub settle_refused: Duration,
    /// Create an environment although the account has one that may be it and that is not in the state.
    pub allow_same_alias: bool,
    /// Create although exactly this many rows are missing from the list of the account.
    pub accept_missing_rows: Option<u64>,
}

/// What a refused step means for the steps after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    Stop,
    /// Continue, unless the refusal would meet every further step too.
    Continue,
}

/// Who runs it, for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `user@host`
    pub who: String,
    pub pid: u32,
}

/// What a run works with.
pub struct Parts<'a, C> {
    pub cloud: Arc<C>,
    pub writer: &'a mut Writer,
    pub clock: &'a dyn Clock,
    pub operator: Operator,
    /// The git commit of the manifests, for the journal.
    pub commit: Option<String>,
    /// What the account shows of the environments that the plan imports. One that is missing here is not imported.
    pub imports: BTreeMap<Address, Importable>,
    /// The ids of environments that are accounted for outside of the state: in receipts, or by other stages of the project.
    /// Only a plan that creates needs them.
    pub known_ids: BTreeSet<String>,
    /// When the run before this one was last about to send.
    pub last_sent: Option<Timestamp>,
    /// Turns true when nothing new may be started.
    pub stop: watch::Receiver<bool>,
    /// Called for every event as it happens. It can't change the run.
    pub observe: &'a mut (dyn FnMut(Progress<'_>) + Send),
}

/// Something that happened during a run.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    Started {
        run: RunId,
        changes: usize,
    },
    Sending {
        number: usize,
        step: &'a Step,
        attempt: u32,
    },
    /// The attempt was proven not sent, and another one follows.
    Retrying {
        number: usize,
        step: &'a Step,
        attempt: u32,
        error: &'a CloudError,
        after: Duration,
    },
    Ended(&'a StepResult),
    /// The account is searched `after` a pause for `open` environments, for as long as is `left` at most.
    Looking {
        open: usize,
        after: Duration,
        left: Duration,
    },
    /// After the last step: `open` environments are not in use, and are looked at again `after` a pause, for as long as is
    /// `left` at most.
    Waiting {
        open: usize,
        after: Duration,
        left: Duration,
    },
    /// An environment that was waited for is in use.
    Ready {
        address: &'a Address,
        env_id: &'a str,
    },
    /// The environment of a create was found in the account.
    Found {
        address: &'a Address,
        env_id: &'a str,
        tran_id: Option<&'a str>,
    },
    /// Nothing new is started; `under_way` calls are waited for.
    Stopping {
        reason: EndReason,
        under_way: usize,
        /// Set when no step failed, but something else.
        trouble: Option<&'a Trouble>,
    },
}

/// Why a run did not begin. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    State(#[from] StateError),
    /// Without a list from before the first create, a lost answer could not be read back.
    Listing(CloudError),
    /// The list is shorter than its own total, or contradicts itself: a missing row may be what would be created again.
    Incomplete {
        gaps: Vec<Gap>,
        /// From `accept_missing_rows`.
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
            Self::Listing(CloudError { message, .. }) => {
                text!("cannot list the account's environments: {message}", message)
            }
            Self::Incomplete { gaps, .. } => {
                let why = gaps_text(gaps);
                text!("cannot list the account's environments: {why}", why)
            }
            Self::AlreadyThere(_) => Text::fixed(
                "the account already has environments that match these, and they are not in the state",
            ),
            Self::Elsewhere { account } => text!(
                "the state has no account yet, and account {account} has none of its environments",
                account
            ),
        }
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}
