//! Decides whether a plan may be carried out.
//!
//! [`Approved`] can't be made anywhere else, and the engine takes nothing else. [`check`] evaluates every rule but those of
//! the account, [`Checked::in_account`] these, once the account is known. Pure: what the guard has to know comes in as
//! [`Facts`].

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

pub use super::Limits;
use super::{Action, Blocker, Mode, Plan, Step, StepBlocker, Target};
use crate::model::{Address, Attributes, ManifestHash};
use crate::state::journal::RunId;
use crate::state::{Account, State, Status};

/// A plan that passed every rule and was agreed to.
#[derive(Debug)]
pub struct Approved {
    plan: Plan,
    account: Account,
}

impl Approved {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The account it is carried out in, as far as that is known.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// The account of the credentials, which only Tencent Cloud can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerIdentity<'a> {
    /// Nobody asked yet.
    NotAsked,
    /// Tencent Cloud did not say, which is accepted where no account is expected.
    Waived,
    /// The number of the main account.
    Account(&'a str),
}

/// How somebody agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `yes`, or the address of what is destroyed, was typed below the plan.
    Typed,
    /// `--auto-approve` was given.
    Auto,
    /// The plan came from a file, which was there to be reviewed.
    PlanFile,
    /// The plan changes nothing.
    NotNeeded,
}

impl Consent {
    const fn name(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Auto => "auto-approve",
            Self::PlanFile => "plan-file",
            Self::NotNeeded => "not-needed",
        }
    }
}

/// What a plan is checked against: the world as it is now, under the lock.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub state: Option<&'a State>,
    /// Where this run's creates would be sent, and where they would be recorded.
    pub target: &'a Target,
    /// The accounts that may be worked in; empty for any.
    pub allowed_accounts: &'a [String],
    /// The plan made again from the manifests and the state as they are now. None when this plan is that plan.
    pub remade: Option<&'a Plan>,
    /// Each manifest that the plan was made from, as it is now: None when it is gone.
    pub manifests: &'a [(PathBuf, Option<ManifestHash>)],
    /// The run that carried out this very plan before.
    pub used_by: Option<RunId>,
    /// Creates sent in the last 24 hours that were not refused.
    pub orders_last_day: usize,
    pub limits: Limits,
    /// Whether this run may destroy anything.
    pub allow_destroy: bool,
}

/// A plan that passed every rule but those of the account.
#[derive(Debug)]
pub struct Checked<'a> {
    plan: Plan,
    facts: &'a Facts<'a>,
    identity: CallerIdentity<'a>,
}

/// Checks a plan against everything but the account of the credentials.
///
/// # Errors
/// With everything that blocks it.
pub fn check<'a>(plan: Plan, facts: &'a Facts<'a>) -> Result<Checked<'a>, Vec<Blocker>> {
    let mut blockers = provenance(&plan, facts);
    // A checksum that fits proves nothing about who wrote the file: the manifests that were reviewed and the state as it is
    // have to make this very plan.
    if blockers.is_empty()
        && let Some(remade) = facts.remade
        && (&remade.steps, &remade.manifests) != (&plan.steps, &plan.manifests)
    {
        blockers.push(Blocker::NotRemade);
    }
    // Details of a plan that does not fit this state would mislead.
    if blockers.is_empty() {
        blockers = contents(&plan, facts);
    }
    if blockers.is_empty() {
        Ok(Checked { plan, facts, identity: CallerIdentity::NotAsked })
    } else {
        Err(blockers)
    }
}

impl<'a> Checked<'a> {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Checks the account of the credentials against those that the state, the plan and the guards expect.
    ///
    /// # Errors
    /// With everything that blocks the plan there.
    pub fn in_account(self, identity: CallerIdentity<'a>) -> Result<Self, Vec<Blocker>> {
        let Self { plan, facts, .. } = self;
        let mut blockers = wrong_account(facts.state, identity, facts.allowed_accounts);
        let state_uin = facts.state.and_then(|state| state.account.as_ref()?.uin.as_deref());
        // Where the state belongs to another account, that is reported, and the plan has it from there.
        if let (Some(planned), CallerIdentity::Account(now)) = (plan.account.uin.as_deref(), identity)
            && planned != now
            && Some(planned) != state_uin
        {
            blockers.push(Blocker::PlanAccount { planned: planned.to_owned(), now: now.to_owned() });
        }
        // Where both list accounts, both have to list this one.
        if plan.guards.allowed_accounts != facts.allowed_accounts {
            let planned = wrong_account(None, identity, &plan.guards.allowed_accounts);
            let new: Vec<_> = planned.into_iter().filter(|blocker| !blockers.contains(blocker)).collect();
            blockers.extend(new);
        }
        if blockers.is_empty() { Ok(Self { plan, facts, identity }) } else { Err(blockers) }
    }

    /// Lets the plan through to the engine.
    ///
    /// # Errors
    /// When the plan sends requests and nobody asked for the account.
    pub fn approve(self, consent: Consent) -> Result<Approved, Vec<Blocker>> {
        let Self { plan, facts, identity } = self;
        let uin = match identity {
            CallerIdentity::NotAsked if plan.calls_api() => return Err(vec![Blocker::AccountNotAsked]),
            CallerIdentity::Account(uin) => Some(uin.to_owned()),
            CallerIdentity::NotAsked | CallerIdentity::Waived => None,
        };
        let account = Account { uin, ..facts.target.account.clone() };
        let (orders, changes) = (plan.orders().count(), plan.changes().count());
        let Account { endpoint, uin } = &account;
        let (consent, uin) = (consent.name(), uin.as_deref());
        tracing::info!(consent, orders, changes, endpoint, uin, "approved");
        Ok(Approved { plan, account })
    }
}

/// Whether the plan was made from these manifests and this state, for this endpoint, and was not carried out yet.
fn provenance(plan: &Plan, facts: &Facts<'_>) -> Vec<Blocker> {
    let mut found = Vec::new();
    let target = facts.target;
    let lineage = facts.state.map(|state| state.lineage);
    let serial = facts.state.map(|state| state.serial).unwrap_or_default();
    if let Some(run) = facts.used_by {
        found.push(Blocker::Used { run });
    } else if plan.lineage != lineage && plan.lineage.is_some() {
        found.push(Blocker::Foreign { planned: plan.lineage, found: lineage });
    } else if plan.serial != serial {
        found.push(Blocker::Stale { planned: plan.serial, found: serial });
    }
    let planned: HashSet<&ManifestHash> = plan.manifests.iter().collect();
    for (path, now) in facts.manifests {
        match now {
            None => found.push(Blocker::ManifestGone { path: path.clone() }),
            Some(now) if !planned.contains(now) => {
                found.push(Blocker::ManifestChanged { path: path.clone() });
            }
            Some(_) => {}
        }
    }
    if (&plan.endpoint, &plan.account.endpoint) != (&target.endpoint, &target.account.endpoint) {
        found.push(Blocker::OtherEndpoint { planned: plan.endpoint.clone(), now: target.endpoint.clone() });
    }
    if plan.state_path != target.state_path {
        found.push(Blocker::OtherState { planned: plan.state_path.clone(), now: target.state_path.clone() });
    }
    if plan.region != target.region {
        found.push(Blocker::OtherRegion { planned: plan.region.clone(), now: target.region.clone() });
    }
    found.extend(wrong_endpoint(facts.state, &target.account));
    found
}

/// What blocks a plan that fits the state: its steps, and the stricter of its own and the current guards.
fn contents(plan: &Plan, facts: &Facts<'_>) -> Vec<Blocker> {
    let blocked = plan.blocked().filter_map(|step| {
        let (address, place) = (step.address.clone(), step.source.clone());
        let blocker = step.blocker.clone()?;
        // It is not declared, so no line of a manifest is to blame.
        let is_undeclared = blocker == StepBlocker::DestroyNotAllowed;
        Some(if is_undeclared {
            Blocker::DestroyNotAllowed { address }
        } else {
            Blocker::Step { address, blocker, place }
        })
    });
    let mut found: Vec<Blocker> = blocked.collect();
    found.extend(already_ordered(plan, facts));
    found.extend(wrong_destroys(plan, facts));
    if !facts.allow_destroy {
        let destroys = plan.destroys();
        found.extend(destroys.map(|step| Blocker::DestroyNotAllowed { address: step.address.clone() }));
    }
    let limits = facts.limits.stricter(plan.guards.limits);
    if limits.require_alias {
        let is_unnamed = |after: &Attributes| after.creates_environment() && after.alias().is_none();
        let unnamed = plan.orders().filter(|step| step.after.as_ref().is_some_and(is_unnamed));
        found.extend(unnamed.map(|step| Blocker::NoAlias { address: step.address.clone() }));
    }
    found.extend(over_limits(plan, limits, facts.orders_last_day));
    found
}

/// What blocks working in the account of the credentials, or only reading it: in another one, everything in the state would
/// seem to be gone.
pub fn wrong_account(
    state: Option<&State>,
    identity: CallerIdentity<'_>,
    allowed: &[String],
) -> Vec<Blocker> {
    let state_uin = state.and_then(|state| state.account.as_ref()?.uin.clone());
    let now = match identity {
        CallerIdentity::NotAsked => return Vec::new(),
        CallerIdentity::Waived => {
            let expected = state_uin.map_or_else(|| allowed.to_vec(), |uin| vec![uin]);
            let unproven = (!expected.is_empty()).then_some(Blocker::AccountUnproven { expected });
            return unproven.into_iter().collect();
        }
        CallerIdentity::Account(now) => now.to_owned(),
    };
    let mut found = Vec::new();
    if let Some(state) = state_uin.filter(|uin| *uin != now) {
        found.push(Blocker::StateAccount { state, now: now.clone() });
    }
    if !allowed.is_empty() && !allowed.contains(&now) {
        found.push(Blocker::AccountNotAllowed { now, allowed: allowed.to_vec() });
    }
    found
}

/// What blocks creating from this endpoint with a state that was made with another one.
pub fn wrong_endpoint(state: Option<&State>, account: &Account) -> Option<Blocker> {
    let recorded = state.and_then(|state| state.account.as_ref())?;
    (recorded.endpoint != account.endpoint)
        .then(|| Blocker::StateEndpoint { state: recorded.endpoint.clone(), now: account.endpoint.clone() })
}

/// Creates of what the state has. A plan that was made here has none; a file that somebody edited may.
fn already_ordered(plan: &Plan, facts: &Facts<'_>) -> Vec<Blocker> {
    let mut seen = HashSet::new();
    plan.orders()
        .filter(|step| {
            let record = facts.state.and_then(|state| state.get(step.recorded_address()));
            let fits = match record.map(|record| record.status) {
                None | Some(Status::Isolated) => step.action == Action::Create,
                Some(Status::Created) => step.action == Action::Replace,
                Some(Status::AwaitingEnvId | Status::Unknown | Status::Destroying) => false,
            };
            !seen.insert(&step.address) || !fits
        })
        .map(|step| Blocker::AlreadyOrdered { address: step.address.clone() })
        .collect()
}

/// Destroys of what another address has, or of everything because no manifest was read.
fn wrong_destroys(plan: &Plan, facts: &Facts<'_>) -> Vec<Blocker> {
    let destroys: Vec<&Step> = plan.destroys().collect();
    if destroys.is_empty() {
        return Vec::new();
    }
    let mut holders: HashMap<&str, Vec<&Address>> = HashMap::new();
    for (address, record) in facts.state.into_iter().flat_map(State::current) {
        if let Some(env_id) = record.env_id.as_deref() {
            holders.entry(env_id).or_default().push(address);
        }
    }
    let managed = destroys.iter().filter_map(|step| {
        let env_id = step.ids.env_id.as_deref()?;
        let mut others = holders.get(env_id)?.iter();
        let other = others.find(|other| step.deposed || ***other != step.address)?;
        Some(Blocker::DestroysManaged {
            address: step.address.clone(),
            env_id: env_id.to_owned(),
            other: (*other).clone(),
        })
    });
    let mut found: Vec<Blocker> = managed.collect();
    let is_whole = plan.options.mode == Mode::Normal && plan.options.targets.is_empty();
    if is_whole && plan.steps.iter().all(|step| step.after.is_none()) {
        found.push(Blocker::NothingDeclared { count: destroys.len() });
    }
    found
}

/// The limits that a plan exceeds, when `before` creates were sent in the last 24 hours.
pub fn over_limits(plan: &Plan, limits: Limits, before: usize) -> Vec<Blocker> {
    let orders = plan.orders().count();
    let Limits { max_creates, max_creates_per_day, require_alias: _ } = limits;
    let run = max_creates.filter(|limit| orders > *limit).map(|limit| Blocker::TooMany { orders, limit });
    let day = max_creates_per_day
        .filter(|limit| orders > 0 && before + orders > *limit)
        .map(|limit| Blocker::TooManyToday { orders, before, limit });
    run.into_iter().chain(day).collect()
}
