//! Carries out an approved plan: the only caller of [`CloudWrite`].
//!
//! The order of things is the protocol. For every request: its slot comes, its intent is on disk, it is sent, its
//! outcome is on disk, and only then is anything else decided. One task decides and writes; the calls themselves run
//! beside it, so that a slow answer does not slow the pace. [`pace`] and [`retry`] hold the arithmetic.
//!
//! An outcome that is unknown stops the run until it is read back: [`candidates`] says what may be concluded from what
//! the account shows, [`settle`] looks, and `readback` carries out what follows.

pub mod adopt;
pub mod candidates;
mod change;
mod claims;
mod engine;
mod outcome;
pub mod pace;
pub mod protocol;
mod readback;
mod ready;
pub mod retry;
pub mod settle;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use change::{DESTROY, RENAME};
pub use outcome::{Call, CallKind, Counts, Done, Outcome, Report, StepResult, Verdict, What};

use crate::clock::Clock;
use crate::cloud::{CloudError, CloudRead, CloudWrite, PayMode, SeenEnvironment};
use crate::crash;
use crate::desired::{Address, Field};
use crate::lang::{Text, text};
use crate::plan::file::identity;
use crate::plan::guard::Approved;
use crate::plan::{Action, Plan, Step};
use crate::state::journal::{EndReason, Event, Listed, RunId, RunStarted};
use crate::state::{Lineage, State, StateError, StateWriter, Status};
use adopt::Adoption;
use engine::{Attempt, Engine};
use pace::Pacer;
use settle::Open;

/// The vendor's action that places an order.
pub const ACTION: &str = "CreatePostpayPackage";

/// How long before its slot an intent is written: enough for an fsync, so that the send itself is on time.
const LEAD: Duration = Duration::from_millis(25);

/// How a run behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Requests a second.
    pub rate: f64,
    /// Calls under way at once, at most.
    pub in_flight: usize,
    pub on_error: OnError,
    /// How long a step whose attempts were proven not sent is tried again.
    pub retry_for: Duration,
    /// Nothing new is started after this long.
    pub deadline: Option<Duration>,
    /// How long an unknown outcome, or an order without an environment id, is looked for in what the account shows.
    pub settle: Duration,
    /// Order an environment although the account has one with its alias that is not on record.
    pub allow_same_alias: bool,
}

/// Why a run did not begin. Nothing was ordered.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    State(#[from] StateError),
    /// Without a list from before the first order, nothing could be told about a lost answer.
    Listing(CloudError),
    /// A state that was lost together with its receipts can't say that these were ordered. The account can.
    AlreadyThere(Vec<Twin>),
    /// The state named no account so far, and this one has nothing of what is on record.
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
            Self::AlreadyThere(_) => Text::fixed(
                "the account has these environments already, and they are not on record as these",
                "账号下已有这些环境，而状态文件中没有相应的记录",
            ),
            Self::Elsewhere { account } => text!(
                "the state named no account so far, and nothing that is on record is in account {account}",
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

/// A declared environment, and one in the account that it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    pub address: Address,
    pub env_id: String,
}

/// What a refused order means for those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    Stop,
    /// Go on, unless the refusal would meet every further order too.
    Continue,
}

/// Who runs it, for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `user@host`
    pub who: String,
    pub pid: u32,
}

/// What the engine works with.
pub struct Parts<'a, C> {
    pub cloud: Arc<C>,
    pub writer: &'a mut dyn StateWriter,
    pub clock: &'a dyn Clock,
    pub operator: Operator,
    /// The git commit of the manifests, for the journal.
    pub commit: Option<String>,
    /// What the account shows of the environments that the plan adopts. One without is not adopted.
    pub adoptions: BTreeMap<Address, Adoption>,
    /// When the run before this one was last about to send.
    pub last_sent: Option<Timestamp>,
    /// Turns true when nothing new may be started.
    pub stop: watch::Receiver<bool>,
    /// Hears of everything as it happens. What it does can't change the run.
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
    /// The attempt was proven not sent, and is made again.
    Retrying {
        number: usize,
        step: &'a Step,
        attempt: u32,
        error: &'a CloudError,
        after: Duration,
    },
    Ended(&'a StepResult),
    /// The account is looked at again `after` a pause, for `open` orders and changes.
    Looking {
        open: usize,
        after: Duration,
    },
    /// An order was found in what the account shows.
    Found {
        address: &'a Address,
        env_id: &'a str,
        tran_id: &'a str,
    },
    /// Nothing new is started from here on; `under_way` calls are waited for.
    Stopping {
        reason: EndReason,
        under_way: usize,
        /// Set when it is the record, and no order, that failed.
        trouble: Option<&'a StateError>,
    },
}

/// Carries out the plan: what is on record alone, then orders, then changes in place, and giving up last.
///
/// # Errors
/// Only when the run could not be opened: nothing was ordered then. Whatever goes wrong later is in the [`Report`].
pub async fn run<'a, C: CloudRead + CloudWrite>(
    approved: &'a Approved,
    settings: &'a Settings,
    parts: Parts<'a, C>,
) -> Result<Report, ApplyError> {
    let plan = approved.plan();
    let steps: Vec<&Step> = plan.changes().collect();
    let orders = change::orders(&steps);
    let run = RunId::fresh();
    let state = parts.writer.state();
    let started = RunStarted {
        run,
        lineage: state.map_or_else(Lineage::fresh, |state| state.lineage),
        base: state.map(|state| state.serial).unwrap_or_default(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        account: approved.account().clone(),
        plan: identity(plan),
        who: parts.operator.who.clone(),
        pid: parts.operator.pid,
        region: plan.region.clone(),
        commit: parts.commit.clone(),
    };
    let unproven = unproven(state, approved);
    let before: BTreeSet<String> = if orders.is_empty() && unproven.is_empty() {
        BTreeSet::new()
    } else {
        let seen = parts
            .cloud
            .environments()
            .await
            .map_err(ApplyError::Listing)?;
        let is_there = |env_id: &&str| seen.iter().any(|seen| seen.env_id == *env_id);
        if !unproven.is_empty() && !unproven.iter().any(is_there) {
            let account = approved.account().uin.clone().unwrap_or_default();
            return Err(ApplyError::Elsewhere { account });
        }
        let twins = twins(plan, state, &seen);
        if !twins.is_empty() && !settings.allow_same_alias {
            return Err(ApplyError::AlreadyThere(twins));
        }
        seen.into_iter()
            .map(|environment| environment.env_id)
            .collect()
    };
    crash::point(crash::LISTED);
    let now = Instant::now();
    let rested = parts.last_sent.map(|sent| {
        let since = parts.clock.now().duration_since(sent);
        // A clock that went back must not make us hurry: then nothing is taken as elapsed.
        Duration::try_from(since)
            .unwrap_or_default()
            .saturating_sub(LEAD)
    });
    let unresolved = outcome::unresolved(state, plan);
    let waiting = plan.steps.iter().filter(|step| step.action == Action::Wait);
    let waiting: Vec<Open> = waiting
        .filter_map(|step| readback::waiting(step, state))
        .collect();
    if steps.is_empty()
        && (settings.settle.is_zero()
            || !readback::finds(&*parts.cloud, &waiting, state, parts.clock.now()).await?)
    {
        // A run is opened when there is something to write down.
        return Ok(Report::idle(state));
    }
    parts.writer.begin(parts.clock.now(), started)?;
    crash::point(crash::RUN_STARTED);
    if !orders.is_empty() {
        let listed = Listed {
            env_ids: before.clone(),
        };
        parts
            .writer
            .append(parts.clock.now(), Event::Listed(listed))?;
        crash::point(crash::LISTING_KEPT);
    }
    (parts.observe)(Progress::Started {
        run,
        changes: steps.len(),
    });
    let engine = Engine {
        began: now,
        pacer: Pacer::new(settings.rate, now, rested),
        queue: orders.into_iter().map(Attempt::first).collect(),
        results: steps
            .iter()
            .enumerate()
            .map(|(at, step)| StepResult::not_attempted(at, step))
            .collect(),
        steps,
        options: &plan.options,
        settings,
        parts,
        calls: JoinSet::new(),
        under_way: HashMap::new(),
        run,
        region: plan.region.clone(),
        before,
        lost: Vec::new(),
        refused: Vec::new(),
        waiting,
        found: Vec::new(),
        stopping: None,
        trouble: None,
        unwritten: Vec::new(),
        unresolved,
    };
    Ok(engine.run().await)
}

/// What is on record as there, of a state that no account was known for and that gets one by this run.
fn unproven<'a>(state: Option<&'a State>, approved: &Approved) -> Vec<&'a str> {
    let is_new = |state: &&State| {
        let known = state
            .account
            .as_ref()
            .and_then(|account| account.uin.as_ref());
        known.is_none() && approved.account().uin.is_some() && approved.plan().speaks()
    };
    let records = state.filter(is_new).into_iter().flat_map(State::records);
    records
        .filter(|(_, record)| record.status == Status::Created)
        .filter_map(|(_, record)| record.env_id.as_deref())
        .collect()
}

/// The orders whose alias an environment of the account has that nobody claims.
fn twins(plan: &Plan, state: Option<&State>, seen: &[SeenEnvironment]) -> Vec<Twin> {
    // What was given up may be back: only the account knows.
    let isolated: BTreeSet<&str> = seen
        .iter()
        .filter(|environment| environment.is_isolated())
        .map(|environment| environment.env_id.as_str())
        .collect();
    let recorded = state.into_iter().flat_map(State::records);
    let recorded = recorded.filter_map(|(address, record)| {
        let env_id = record.env_id.as_deref()?;
        let holds = record.status != Status::Isolated || isolated.contains(env_id);
        holds.then_some((address, env_id))
    });
    let named = plan
        .steps
        .iter()
        .filter_map(|step| step.ids.env_id.as_deref());
    let managed: BTreeSet<&str> = recorded.map(|(_, env_id)| env_id).chain(named).collect();
    let strangers: HashMap<&str, &str> = seen
        .iter()
        .filter(|environment| !managed.contains(environment.env_id.as_str()))
        .filter_map(|environment| {
            Some((environment.alias.as_deref()?, environment.env_id.as_str()))
        })
        .collect();
    let is_postpaid = |environment: &&SeenEnvironment| {
        let mode = environment.pay_mode.as_deref().map(PayMode::from_word);
        mode == Some(PayMode::Postpaid)
    };
    let postpaid: BTreeSet<&str> = seen
        .iter()
        .filter(is_postpaid)
        .map(|environment| environment.env_id.as_str())
        .collect();
    // Whatever the record says of their aliases: one of them may have been renamed, by us or by somebody else.
    let shown: HashMap<&str, &str> = seen
        .iter()
        .filter(|environment| !environment.is_isolated())
        .filter_map(|environment| {
            Some((environment.env_id.as_str(), environment.alias.as_deref()?))
        })
        .collect();
    let current = state.into_iter().flat_map(|state| &state.environments);
    let others: HashMap<&str, (&Address, &str)> = current
        .filter_map(|(address, record)| {
            let env_id = record.env_id.as_deref()?;
            Some((*shown.get(env_id)?, (address, env_id)))
        })
        .collect();
    plan.orders()
        .filter_map(|step| {
            let order = step.after.as_ref()?;
            // To switch what is paid as it goes already would be to pay for it again.
            let env_id = if let Some(env_id) = order.get(Field::EnvId) {
                postpaid.get(env_id)?
            } else {
                let alias = order.get(Field::Alias)?;
                let own = step.previous_address.as_ref().unwrap_or(&step.address);
                let other = others.get(alias).filter(|(address, _)| *address != own);
                strangers.get(alias).or(other.map(|(_, env_id)| env_id))?
            };
            Some(Twin {
                address: step.address.clone(),
                env_id: (*env_id).to_owned(),
            })
        })
        .collect()
}

impl StepResult {
    fn not_attempted(at: usize, step: &Step) -> Self {
        Self {
            number: at + 1,
            address: step.address.clone(),
            action: step.action,
            deposed: step.deposed,
            env_id: step.ids.env_id.clone(),
            source: step.source.clone(),
            attempts: 0,
            outcome: Outcome::NotAttempted,
            left_behind: None,
            calls: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
