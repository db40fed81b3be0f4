//! Carries out an approved plan: the only caller of [`CloudWrite`].
//!
//! Steps run in this order: state-only steps, creates, updates, destroys in reverse. Every request goes through one loop
//! (`send`): its intent is durable, its slot comes, it is sent, its outcome is durable, and only then is anything else
//! decided. What an outcome means is in `readback` for creates and in `change` for updates and destroys.
//!
//! An unknown outcome stops the run until it is read back: [`candidates`] decides what may be concluded from what the account
//! shows, [`settle`] looks. [`protocol`] is the whole contract.

mod attempt;
mod background;
pub mod candidates;
mod change;
mod conflicts;
mod engine;
pub mod import;
mod inside;
pub mod offers;
mod outcome;
pub mod pace;
mod parts;
pub mod protocol;
mod readback;
pub mod ready;
pub mod resend;
mod send;
pub mod settle;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

pub use attempt::DESTROY;
pub use candidates::PendingOrder;
pub use conflicts::AliasConflict;
pub use outcome::{
    ApplySummary, Call, CallKind, Counts, Done, NotReady, Outcome, StepResult, Trouble, Verdict, What,
};
pub use parts::{ApplyError, OnError, Operator, Parts, Progress, Settings};

use crate::cloud::matching::Matcher;
use crate::cloud::{CloudRead, CloudWrite, Listing};
use crate::crash;
use crate::plan::file::checksum;
use crate::plan::guard::Approved;
use crate::plan::{Action, Step};
use crate::state::journal::{Event, Listed, RunId, RunStarted};
use crate::state::{Lineage, State, Status};
use attempt::{DESTROYS_PER_SECOND, Queue, UPDATES_PER_SECOND};
use conflicts::{alias_conflicts, declared};
use engine::{Background, Engine};
use pace::{LEAD, Pacer};

/// Carries out the plan.
///
/// # Errors
/// Only when the run could not be opened: nothing was sent then. Whatever goes wrong later is in the [`ApplySummary`].
pub async fn run<'a, C: CloudRead + CloudWrite>(
    approved: &'a Approved,
    settings: &'a Settings,
    parts: Parts<'a, C>,
) -> Result<ApplySummary, ApplyError> {
    let plan = approved.plan();
    let steps: Vec<&Step> = plan.changes().collect();
    let creates = steps.iter().any(|step| step.is_order());
    let run = RunId::fresh();
    let state = parts.writer.state();
    let lineage = state.map_or_else(Lineage::fresh, |state| state.lineage);
    let base = (lineage, state.map(|state| state.serial).unwrap_or_default());
    let started = RunStarted {
        format_version: crate::state::FormatVersion,
        run,
        lineage,
        base: base.1,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        account: approved.account().clone(),
        plan: checksum(plan),
        who: parts.operator.who.clone(),
        pid: parts.operator.pid,
        region: plan.region.clone(),
        commit: parts.commit.clone(),
    };
    let unproven = unproven(state, approved);
    let (before, missing, is_proven) = if creates || !unproven.is_empty() {
        list_before(approved, creates, &unproven, settings, &parts).await?
    } else {
        (BTreeSet::new(), 0, true)
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
        Duration::try_from(since).unwrap_or_default().saturating_sub(LEAD)
    });
    let unresolved = outcome::unresolved(state, plan);
    let waiting = plan.steps.iter().filter(|step| step.action == Action::Wait);
    let waiting: Vec<PendingOrder> = waiting.filter_map(|step| readback::waiting(step, state)).collect();
    if steps.is_empty()
        && (settings.settle.is_zero()
            || !readback::finds(&*parts.cloud, &waiting, state, parts.clock.now()).await?)
    {
        // A run is opened when there is something to write down.
        return Ok(ApplySummary::idle(state));
    }
    parts.writer.begin(parts.clock.now(), started)?;
    crash::point(crash::RUN_STARTED);
    if creates {
        let listed = Listed { env_ids: before.clone(), missing };
        parts.writer.append(parts.clock.now(), Event::Listed(listed))?;
        crash::point(crash::LISTING_KEPT);
    }
    (parts.observe)(Progress::Started { run, changes: steps.len() });
    let engine = Engine {
        base,
        began: now,
        // A deadline that no clock can reach is none.
        deadline: settings.deadline.and_then(|after| now.checked_add(after)),
        queue: Queue::new(Pacer::new(settings.rate, now, rested), settings.in_flight),
        results: steps.iter().enumerate().map(|(at, step)| StepResult::not_attempted(at, step)).collect(),
        steps,
        plan,
        settings,
        parts,
        calls: JoinSet::new(),
        in_progress: HashMap::new(),
        run,
        before: (missing == 0).then_some(before),
        before_destroys: HashSet::new(),
        lost: Vec::new(),
        in_doubt: Vec::new(),
        destroyed: Vec::new(),
        doubtful: Vec::new(),
        waiting,
        found: Vec::new(),
        stopping: None,
        trouble: None,
        background: Background { matcher: &matcher, unrecognised: None, is_proven },
        unwritten: Vec::new(),
        written: Vec::new(),
        unresolved,
    };
    Ok(carry_out(engine).await)
}

/// Carries out the steps: state-only edits, creates, updates, destroys. Nothing is updated or destroyed after a run stopped, and
/// nothing is destroyed unless every create succeeded: what is new may be meant to take its place.
async fn carry_out<C: CloudRead + CloudWrite>(mut engine: Engine<'_, '_, C>) -> ApplySummary {
    let settings = engine.settings;
    let paced = |rate| Queue::new(Pacer::new(rate, Instant::now(), None), 1);
    engine.enqueue(|step| step.is_order() && !step.is_inside());
    engine.record_edits();
    engine.look_for_waiting(Duration::ZERO).await;
    engine.send_all().await;
    engine.send_inside().await;
    if engine.held_up().is_none() {
        engine.queue = paced(UPDATES_PER_SECOND);
        engine.enqueue(|step| step.action == Action::Update);
        engine.send_all().await;
    }
    if engine.held_up().is_none() && engine.has_created_all() && engine.list_before_destroys().await {
        engine.queue = paced(DESTROYS_PER_SECOND);
        engine.enqueue(|step| step.action == Action::Destroy);
        engine.send_all().await;
    }
    engine.confirm_destroys().await;
    let took = engine.began.elapsed();
    engine.look_for_waiting(settings.settle).await;
    engine.look_for_left_behind().await;
    engine.add_tran_ids().await;
    engine.close(took)
}

/// Lists the account before the first create: the EnvIds, how many rows are missing and accepted as such, and whether an
/// environment of the state was recognised.
async fn list_before<C: CloudRead>(
    approved: &Approved,
    creates: bool,
    unproven: &[&str],
    settings: &Settings,
    parts: &Parts<'_, C>,
) -> Result<(BTreeSet<String>, u64, bool), ApplyError> {
    let state = parts.writer.state();
    let listing = parts.cloud.listing().await.map_err(ApplyError::Listing)?;
    let accepted = settings.accept_missing_rows;
    let Some(missing) = missing_rows(&listing, creates, accepted) else {
        return Err(ApplyError::Incomplete { gaps: listing.gaps, accepted, creates });
    };
    let seen = listing.environments;
    let is_there = |env_id: &&str| seen.iter().any(|seen| seen.env_id == *env_id);
    if !unproven.is_empty() && !unproven.iter().any(is_there) {
        let account = approved.account().uin.clone().unwrap_or_default();
        return Err(ApplyError::Elsewhere { account });
    }
    let conflicts = alias_conflicts(approved.plan(), state, &parts.known_ids, &seen);
    if !conflicts.is_empty() && !settings.allow_same_alias {
        return Err(ApplyError::AlreadyThere(conflicts));
    }
    let is_proven = background::is_proven(state, &seen);
    let env_ids = seen.into_iter().map(|environment| environment.env_id);
    Ok((env_ids.collect(), missing, is_proven))
}

/// The environments of a state that named no account so far and gets one by this run.
fn unproven<'a>(state: Option<&'a State>, approved: &Approved) -> Vec<&'a str> {
    let is_new = |state: &&State| {
        let known = state.account.as_ref().and_then(|account| account.uin.as_ref());
        known.is_none() && approved.account().uin.is_some() && approved.plan().calls_api()
    };
    let records = state.filter(is_new).into_iter().flat_map(State::records);
    records
        .filter(|(_, record)| record.status == Status::Created)
        .filter_map(|(_, record)| record.env_id.as_deref())
        .collect()
}

/// How many rows are missing from the list before the first create. None when the run must not begin with it: any row is
/// missing, unless exactly as many are accepted.
fn missing_rows(listing: &Listing, creates: bool, accepted: Option<u64>) -> Option<u64> {
    let missing = listing.missing()?;
    (missing == 0 || creates && accepted == Some(missing)).then_some(missing)
}

#[cfg(test)]
mod tests;
