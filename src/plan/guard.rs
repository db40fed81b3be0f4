//! Decides whether a plan may be applied.
//!
//! Only this module makes an [`Approved`], which the engine requires. [`check`] evaluates every rule except
//! those about the account, which [`Checked::in_account`] evaluates. Pure: all input is in [`Facts`].

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

pub use super::Limits;
use super::{Action, Blocker, Cost, Mode, Plan, Prices, Step, StepBlocker, Target};
use crate::model::{Address, Attributes, ManifestHash};
use crate::state::journal::RunId;
use crate::state::{Account, State, Status};

/// A plan that passed every rule and was approved.
#[derive(Debug)]
pub struct Approved {
    plan: Plan,
    account: Account,
}

impl Approved {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the account that the plan is for, as far as it is known.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// The account of the credentials, as reported by Tencent Cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerIdentity<'a> {
    /// Not requested yet.
    NotAsked,
    /// Not reported, which is accepted when no account is expected.
    Waived,
    /// The number of the main account.
    Account(&'a str),
}

/// How a plan was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `yes`, or the address to destroy, was typed below the plan.
    Typed,
    /// `--auto-approve` was given.
    Auto,
    /// The plan came from a file that could be reviewed.
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

/// What a plan is checked against, read under the lock.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub state: Option<&'a State>,
    /// Where this run would send and record creates.
    pub target: &'a Target,
    /// The accounts that may be used; empty for any.
    pub allowed_accounts: &'a [String],
    /// The plan for the current manifests and state. None when it is the checked plan itself.
    pub remade: Option<&'a Plan>,
    /// The manifests of the plan as they are now; None for a missing one.
    pub manifests: &'a [(PathBuf, Option<ManifestHash>)],
    /// The run that already applied this plan.
    pub used_by: Option<RunId>,
    /// Creates of the last 24 hours that were not rejected.
    pub orders_last_day: usize,
    pub limits: Limits,
    /// Whether this run may destroy anything.
    pub allow_destroy: bool,
}

/// A plan that passed every rule except those about the account.
#[derive(Debug)]
pub struct Checked<'a> {
    plan: Plan,
    facts: &'a Facts<'a>,
    identity: CallerIdentity<'a>,
    is_priced: bool,
}

/// Checks a plan against everything except the account of the credentials.
///
/// # Errors
/// All blockers.
pub fn check<'a>(plan: Plan, facts: &'a Facts<'a>) -> Result<Checked<'a>, Vec<Blocker>> {
    let mut blockers = provenance(&plan, facts);
    // A valid checksum does not show who wrote the file: the reviewed manifests and the current state have to
    // produce this plan.
    if blockers.is_empty()
        && let Some(remade) = facts.remade
        && (&remade.steps, &remade.manifests) != (&plan.steps, &plan.manifests)
    {
        blockers.push(Blocker::NotRemade);
    }
    // For a plan that does not fit this state, further details would mislead.
    if blockers.is_empty() {
        blockers = contents(&plan, facts);
    }
    if blockers.is_empty() {
        Ok(Checked { plan, facts, identity: CallerIdentity::NotAsked, is_priced: false })
    } else {
        Err(blockers)
    }
}

impl<'a> Checked<'a> {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Checks the account of the credentials against those expected by the state, the plan and the guards.
    ///
    /// # Errors
    /// All blockers about the account.
    pub fn in_account(self, identity: CallerIdentity<'a>) -> Result<Self, Vec<Blocker>> {
        let Self { plan, facts, is_priced, .. } = self;
        let mut blockers = wrong_account(facts.state, identity, facts.allowed_accounts);
        let state_uin = facts.state.and_then(|state| state.account.as_ref()?.uin.as_deref());
        // If the state belongs to another account, that is reported, and the plan got it from there.
        if let (Some(planned), CallerIdentity::Account(now)) = (plan.account.uin.as_deref(), identity)
            && planned != now
            && Some(planned) != state_uin
        {
            blockers.push(Blocker::PlanAccount { planned: planned.to_owned(), now: now.to_owned() });
        }
        // The account has to be in both lists.
        if plan.guards.allowed_accounts != facts.allowed_accounts {
            let planned = wrong_account(None, identity, &plan.guards.allowed_accounts);
            let new: Vec<_> = planned.into_iter().filter(|blocker| !blockers.contains(blocker)).collect();
            blockers.extend(new);
        }
        if blockers.is_empty() { Ok(Self { plan, facts, identity, is_priced }) } else { Err(blockers) }
    }

    /// Checks the cost of the plan by the prices a month of packages as they are now; None when they are not known.
    ///
    /// # Errors
    /// When the plan costs more than it may, or than it did when it was made, or that is not known.
    pub fn at_prices(self, prices: Option<&Prices>) -> Result<Self, Vec<Blocker>> {
        let limits = self.facts.limits.stricter(self.plan.guards.limits);
        let blockers: Vec<Blocker> = over_cost(&self.plan, limits, prices)
            .into_iter()
            .chain(risen_prices(&self.plan, prices))
            .collect();
        if blockers.is_empty() { Ok(Self { is_priced: true, ..self }) } else { Err(blockers) }
    }

    /// Approves the plan.
    ///
    /// # Errors
    /// When the plan sends requests and the account is unknown, or its cost is limited and was not checked.
    pub fn approve(self, consent: Consent) -> Result<Approved, Vec<Blocker>> {
        // Without prices nothing is known, so nothing passes that is limited.
        let Self { plan, facts, identity, .. } = if self.is_priced { self } else { self.at_prices(None)? };
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

/// Checks that the plan was made from these manifests and this state, for this endpoint, and was not applied
/// yet.
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

/// Checks the steps, and the stricter of the plan's and the current guards.
fn contents(plan: &Plan, facts: &Facts<'_>) -> Vec<Blocker> {
    let blocked = plan.blocked().filter_map(|step| {
        let (address, place) = (step.address.clone(), step.source.clone());
        let blocker = step.blocker.clone()?;
        // It is not declared, so there is no line to report.
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

/// Returns why the account of the credentials can't be used, not even to read: in another account every
/// environment would appear to be gone.
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

/// Returns a blocker when the state belongs to another endpoint.
pub fn wrong_endpoint(state: Option<&State>, account: &Account) -> Option<Blocker> {
    let recorded = state.and_then(|state| state.account.as_ref())?;
    (recorded.endpoint != account.endpoint)
        .then(|| Blocker::StateEndpoint { state: recorded.endpoint.clone(), now: account.endpoint.clone() })
}

/// Finds creates of environments in the state. Only an edited plan file has any.
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

/// Finds destroys of another address's environment, or of everything because no manifest was read.
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

/// Returns the limits that a plan exceeds, with `before` creates in the last 24 hours.
pub fn over_limits(plan: &Plan, limits: Limits, before: usize) -> Vec<Blocker> {
    let orders = plan.orders().count();
    let Limits { max_creates, max_creates_per_day, max_cost: _, require_alias: _ } = limits;
    let run = max_creates.filter(|limit| orders > *limit).map(|limit| Blocker::TooMany { orders, limit });
    let day = max_creates_per_day
        .filter(|limit| orders > 0 && before + orders > *limit)
        .map(|limit| Blocker::TooManyToday { orders, before, limit });
    run.into_iter().chain(day).collect()
}

/// What blocks a plan whose packages cost more than the limit, or whose cost is not known where there is a limit.
pub fn over_cost(plan: &Plan, limits: Limits, prices: Option<&Prices>) -> Option<Blocker> {
    let limit = limits.max_cost?;
    let Cost { total, unknown, .. } = Cost::of(&plan.steps, prices.unwrap_or(&Prices::new()));
    if total > limit {
        Some(Blocker::TooDear { cost: total, limit })
    } else if unknown.is_empty() {
        None
    } else {
        Some(Blocker::CostUnknown { packages: unknown, limit })
    }
}

/// The packages that cost more than the plan says, or whose price can no longer be read.
fn risen_prices(plan: &Plan, now: Option<&Prices>) -> Vec<Blocker> {
    let Some(planned) = &plan.prices else {
        return Vec::new();
    };
    let packages: HashSet<String> =
        plan.steps.iter().filter_map(|step| Some(step.cost(planned)?.package)).collect();
    let risen = planned.iter().filter(|(package, _)| packages.contains(package.as_str()));
    risen
        .filter_map(|(package, planned)| {
            let now = now.and_then(|now| now.get(package)).copied();
            let is_fine = now.is_some_and(|now| now <= *planned);
            (!is_fine).then(|| Blocker::PriceChanged { package: package.clone(), planned: *planned, now })
        })
        .collect()
}
