//! What a run is given, and what it reports while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::adopt::Adoption;
use super::outcome::{StepResult, Trouble};
use crate::clock::Clock;
use crate::cloud::CloudError;
use crate::model::Address;
use crate::plan::Step;
use crate::state::Writer;
use crate::state::journal::{EndReason, RunId};

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
    pub adoptions: BTreeMap<Address, Adoption>,
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
    /// The environment of a create was found in the account.
    Found {
        address: &'a Address,
        env_id: &'a str,
        tran_id: &'a str,
    },
    /// Nothing new is started; `under_way` calls are waited for.
    Stopping {
        reason: EndReason,
        under_way: usize,
        /// Set when no step failed, but something else.
        trouble: Option<&'a Trouble>,
    },
}
