//! Carries out an approved plan: the only caller of [`CloudWrite`].
//!
//! The order of things is the protocol. For every request: its slot comes, its intent is on disk, it is sent, its
//! outcome is on disk, and only then is anything else decided. One task decides and writes; the calls themselves run
//! beside it, so that a slow answer does not slow the pace. [`pace`] and [`retry`] hold the arithmetic.
//!
//! An outcome that is unknown stops the run until it is read back: [`candidates`] says what may be concluded from what
//! the account shows, [`settle`] looks, and `readback` carries out what follows.

pub mod adopt;
mod background;
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
pub use outcome::{
    Call, CallKind, Counts, Done, Outcome, Report, StepResult, Trouble, Verdict, What,
};

use crate::clock::Clock;
use crate::cloud::matching::{self, Matcher};
use crate::cloud::{
    CloudError, CloudRead, CloudWrite, Gap, Listing, PayMode, SeenEnvironment, gaps_text,
};
use crate::crash;
use crate::desired::{Address, Attributes, Field};
use crate::lang::{Text, text};
use crate::plan::file::identity;
use crate::plan::guard::Approved;
use crate::plan::{Action, Plan, Step};
use crate::state::journal::{EndReason, Event, Listed, RunId, RunStarted};
use crate::state::{Lineage, State, StateError, StateWriter, Status};
use adopt::Adoption;
use background::Background;
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
    /// How long what refused and throttled creates may have made all the same is looked for, after the last step.
    pub settle_refused: Duration,
    /// Create an environment although the account has one that may be it and that is not in the state.
    pub allow_same_alias: bool,
    /// Create although exactly this many rows are missing from the list of the account.
    pub accept_missing_rows: Option<u64>,
}

/// Why a run did not begin. Nothing was ordered.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    State(#[from] StateError),
    /// Without a list from before the first order, nothing could be told about a lost answer.
    Listing(CloudError),
    /// The list is shorter than it says, or contradicts itself: what is missing may be what would be created again.
    Incomplete {
        gaps: Vec<Gap>,
        /// As `accept_missing_rows` said.
        accepted: Option<u64>,
        /// It is for creates, which can be let through.
        creates: bool,
    },
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
            Self::Incomplete { gaps, .. } => {
                let why = gaps_text(gaps);
                text!(
                    "the account's environments can't be listed: {why}",
                    "无法列出账号下的环境：{why:#}"
                )
            }
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
    /// The ids of environments that are accounted for outside of the state: in receipts, or by other stages of the project.
    /// Only a plan that creates needs them.
    pub known_ids: BTreeSet<String>,
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
    /// The account is looked at again `after` a pause, for `open` orders and changes, for as long as is `left` at most.
    Looking {
        open: usize,
        after: Duration,
        left: Duration,
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
        /// Set when no step failed, but something else.
        trouble: Option<&'a Trouble>,
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
        format_version: crate::state::FormatVersion,
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
    let (before, missing, is_proven) = if orders.is_empty() && unproven.is_empty() {
        (BTreeSet::new(), 0, true)
    } else {
        let listing = parts.cloud.listing().await.map_err(ApplyError::Listing)?;
        let (creates, accepted) = (!orders.is_empty(), settings.accept_missing_rows);
        let Some(missing) = missing_rows(&listing, creates, accepted) else {
            return Err(ApplyError::Incomplete {
                gaps: listing.gaps,
                accepted,
                creates,
            });
        };
        let seen = listing.environments;
        let is_there = |env_id: &&str| seen.iter().any(|seen| seen.env_id == *env_id);
        if !unproven.is_empty() && !unproven.iter().any(is_there) {
            let account = approved.account().uin.clone().unwrap_or_default();
            return Err(ApplyError::Elsewhere { account });
        }
        let twins = twins(plan, state, &parts.known_ids, &seen);
        if !twins.is_empty() && !settings.allow_same_alias {
            return Err(ApplyError::AlreadyThere(twins));
        }
        let is_proven = background::is_proven(state, &seen);
        let env_ids = seen.into_iter().map(|environment| environment.env_id);
        (env_ids.collect::<BTreeSet<_>>(), missing, is_proven)
    };
    let in_state = state.into_iter().flat_map(State::env_ids);
    let known: BTreeSet<String> = in_state
        .map(|(_, env_id)| env_id.to_owned())
        .chain(parts.known_ids.iter().cloned())
        .chain(before.iter().cloned())
        .collect();
    let matcher = Matcher::new(declared(plan), known.iter().map(String::as_str));
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
            missing,
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
        before: (missing == 0).then_some(before),
        lost: Vec::new(),
        doubtful: Vec::new(),
        waiting,
        found: Vec::new(),
        stopping: None,
        trouble: None,
        background: Background::new(&matcher, is_proven),
        unwritten: Vec::new(),
        written: Vec::new(),
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

/// How many rows are missing from the list from before the first create. None when the run must not begin with it: any are
/// missing, unless exactly as many are accepted.
fn missing_rows(listing: &Listing, creates: bool, accepted: Option<u64>) -> Option<u64> {
    let missing = listing.missing()?;
    (missing == 0 || creates && accepted == Some(missing)).then_some(missing)
}

/// The creates that an environment of the account may be the result of.
///
/// That is one that matches and that nobody claims; one that is not in the state, though receipts know it, and shows the alias;
/// and one that is managed at another address and shows the alias. A create with an EnvId is for an environment that is
/// postpaid already.
fn twins(
    plan: &Plan,
    state: Option<&State>,
    known_ids: &BTreeSet<String>,
    seen: &[SeenEnvironment],
) -> Vec<Twin> {
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
    let in_state = state.into_iter().flat_map(State::env_ids);
    let in_state = in_state.map(|(_, env_id)| env_id);
    let elsewhere = known_ids.iter().map(String::as_str);
    let known = in_state.chain(elsewhere).chain(managed.iter().copied());
    // What a plan leaves out could only claim an environment for itself, and so let it through.
    let matcher = Matcher::new(declared(plan), known);
    let owned: HashMap<&Address, &str> = seen
        .iter()
        .rev()
        .filter_map(|environment| Some((matcher.owner(environment)?, environment.env_id.as_str())))
        .collect();
    let strangers: HashMap<String, &str> = seen
        .iter()
        .filter(|environment| !managed.contains(environment.env_id.as_str()))
        .filter_map(|environment| Some((alias_key(environment)?, environment.env_id.as_str())))
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
    let shown: HashMap<&str, String> = seen
        .iter()
        .filter(|environment| !environment.is_isolated())
        .filter_map(|environment| Some((environment.env_id.as_str(), alias_key(environment)?)))
        .collect();
    let current = state.into_iter().flat_map(|state| &state.environments);
    let others: HashMap<&String, (&Address, &str)> = current
        .filter_map(|(address, record)| {
            let env_id = record.env_id.as_deref()?;
            Some((shown.get(env_id)?, (address, env_id)))
        })
        .collect();
    plan.orders()
        .filter_map(|step| {
            let order = step.after.as_ref()?;
            // To switch what is paid as it goes already would be to pay for it again.
            let env_id = if let Some(env_id) = order.get(Field::EnvId) {
                postpaid.get(env_id)?
            } else if let Some(env_id) = owned.get(&step.address) {
                env_id
            } else {
                let alias = matching::key(order.get(Field::Alias)?)?;
                let own = step.previous_address.as_ref().unwrap_or(&step.address);
                let other = others.get(&alias).filter(|(address, _)| *address != own);
                strangers.get(&alias).or(other.map(|(_, env_id)| env_id))?
            };
            Some(Twin {
                address: step.address.clone(),
                env_id: (*env_id).to_owned(),
            })
        })
        .collect()
}

fn declared(plan: &Plan) -> impl Iterator<Item = (&Address, &Attributes)> {
    let steps = plan.steps.iter();
    steps.filter_map(|step| Some((&step.address, step.after.as_ref()?)))
}

fn alias_key(environment: &SeenEnvironment) -> Option<String> {
    environment.alias.as_deref().and_then(matching::key)
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
