//! The one authority that says whether a plan may be carried out.
//!
//! [`Approved`] can't be made anywhere else, and the engine takes nothing else. Pure: what the guard has to know about
//! the world comes in as [`Facts`].

mod objection;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

pub use objection::{Objection, refusal_help, refusal_text};

pub use super::Limits;
use super::{Action, Mode, Plan, Step, Target};
use crate::model::{Address, ManifestHash};
use crate::state::journal::RunId;
use crate::state::{Account, State, Status};

/// A plan that a person, or a rule that a person set, has agreed to, and that fits the world as it was found.
#[derive(Debug)]
pub struct Approved {
    plan: Plan,
    account: Account,
}

impl Approved {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whose account it is carried out in, as far as that is known.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// Whose account the keys are of, which the vendor alone can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// Nobody asked yet.
    NotAsked,
    /// The vendor did not say, and that is to be no hindrance where no account is expected.
    Waived,
    /// The number of the main account.
    Account(&'a str),
}

/// How somebody agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `yes`, or the address of what is given up, was typed below the plan.
    Typed,
    /// `--auto-approve` was given.
    Auto,
    /// The plan came from a file, which was there to be reviewed.
    PlanFile,
    /// The plan changes nothing.
    NotNeeded,
}

impl Consent {
    /// As the log names it.
    const fn name(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Auto => "auto-approve",
            Self::PlanFile => "plan-file",
            Self::NotNeeded => "not-needed",
        }
    }
}

/// The world as it is now, under the lock.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub state: Option<&'a State>,
    /// Where this run's orders would go, and where they would be recorded.
    pub target: &'a Target,
    pub whose: Whose<'a>,
    /// The accounts that may be worked in; empty for any.
    pub allowed_accounts: &'a [String],
    /// The plan made anew from the manifests and the state as they are now. None when this plan is that plan.
    pub remade: Option<&'a Plan>,
    /// What became of each manifest that the plan was made from: None when it is gone.
    pub manifests: &'a [(PathBuf, Option<ManifestHash>)],
    /// The run that carried out this very plan before.
    pub used_by: Option<RunId>,
    /// Orders sent in the last 24 hours that were not refused.
    pub orders_last_day: usize,
    pub limits: Limits,
    /// Whether this run may give anything up.
    pub allow_destroy: bool,
}

/// Everything that speaks against carrying out `plan`; empty when nothing does.
pub fn objections(plan: &Plan, facts: &Facts<'_>) -> Vec<Objection> {
    let mut found = provenance(plan, facts);
    // A checksum that fits says that nobody was clumsy. What counts is that the manifests that were reviewed, and the
    // state as it is, make this very plan.
    if found.is_empty()
        && let Some(remade) = facts.remade
        && (&remade.steps, &remade.manifests) != (&plan.steps, &plan.manifests)
    {
        found.push(Objection::NotRemade);
    }
    // Details of a plan that does not fit this state would only mislead.
    if found.is_empty() {
        found.extend(plan.refused().filter_map(refused));
        found.extend(already_ordered(plan, facts));
        found.extend(wrong_destroys(plan, facts));
        if !facts.allow_destroy {
            let destroys =
                plan.destroys().map(|step| Objection::DestroyNotAllowed { address: step.address.clone() });
            found.extend(destroys);
        }
        let limits = facts.limits.stricter(plan.guards.limits);
        if limits.require_alias {
            found.extend(plan.orders().filter_map(without_alias));
        }
        found.extend(over_limits(plan, limits, facts.orders_last_day));
    }
    found
}

/// Lets a plan through to the engine.
///
/// # Errors
/// With everything that speaks against it.
pub fn approve(plan: Plan, facts: &Facts<'_>, consent: Consent) -> Result<Approved, Vec<Objection>> {
    let mut found = objections(&plan, facts);
    if facts.whose == Whose::NotAsked && plan.speaks() {
        found.push(Objection::AccountNotAsked);
    }
    if !found.is_empty() {
        return Err(found);
    }
    let (orders, changes) = (plan.summary().orders, plan.changes().count());
    let account = Account {
        uin: match facts.whose {
            Whose::Account(uin) => Some(uin.to_owned()),
            Whose::NotAsked | Whose::Waived => None,
        },
        ..facts.target.account.clone()
    };
    let Account { endpoint, uin } = &account;
    let (consent, uin) = (consent.name(), uin.as_deref());
    tracing::info!(consent, orders, changes, endpoint, uin, "approved");
    Ok(Approved { plan, account })
}

fn provenance(plan: &Plan, facts: &Facts<'_>) -> Vec<Objection> {
    let mut found = Vec::new();
    let target = facts.target;
    let lineage = facts.state.map(|state| state.lineage);
    let serial = facts.state.map(|state| state.serial).unwrap_or_default();
    if let Some(run) = facts.used_by {
        found.push(Objection::Used { run });
    } else if plan.lineage != lineage && plan.lineage.is_some() {
        found.push(Objection::Foreign { planned: plan.lineage, found: lineage });
    } else if plan.serial != serial {
        found.push(Objection::Stale { planned: plan.serial, found: serial });
    }
    let planned: HashSet<&ManifestHash> = plan.manifests.iter().collect();
    for (path, now) in facts.manifests {
        match now {
            None => found.push(Objection::ManifestGone { path: path.clone() }),
            Some(now) if !planned.contains(now) => {
                found.push(Objection::ManifestChanged { path: path.clone() });
            }
            Some(_) => {}
        }
    }
    if (&plan.endpoint, &plan.account.endpoint) != (&target.endpoint, &target.account.endpoint) {
        found.push(Objection::OtherEndpoint { planned: plan.endpoint.clone(), now: target.endpoint.clone() });
    }
    if plan.state_path != target.state_path {
        found
            .push(Objection::OtherState { planned: plan.state_path.clone(), now: target.state_path.clone() });
    }
    if plan.region != target.region {
        found.push(Objection::OtherRegion { planned: plan.region.clone(), now: target.region.clone() });
    }
    found.extend(other_account(facts.state, &target.account));
    // Where the state is another account's that is said of it, and the plan has it from there.
    let of_state = facts.state.and_then(|state| state.account.as_ref());
    let of_state = of_state.and_then(|account| account.uin.as_deref());
    if let (Some(planned), Whose::Account(now)) = (plan.account.uin.as_deref(), facts.whose)
        && planned != now
        && Some(planned) != of_state
    {
        found.push(Objection::PlanAccount { planned: planned.to_owned(), now: now.to_owned() });
    }
    found.extend(wrong_account(facts.state, facts.whose, facts.allowed_accounts));
    // Where both list accounts, both have to list this one.
    let planned = &plan.guards.allowed_accounts;
    if planned != facts.allowed_accounts {
        let of_plan = wrong_account(None, facts.whose, planned);
        found.extend(of_plan.into_iter().filter(|one| !found.contains(one)).collect::<Vec<_>>());
    }
    found
}

/// What speaks against working, or only looking, in the account that the keys are of: in another one, all that is on record
/// would seem to be gone.
pub fn wrong_account(state: Option<&State>, whose: Whose<'_>, allowed: &[String]) -> Vec<Objection> {
    let belongs = state.and_then(|state| state.account.as_ref()?.uin.clone());
    let now = match whose {
        Whose::NotAsked => return Vec::new(),
        Whose::Waived => {
            let expected = match belongs {
                Some(account) => vec![account],
                None => allowed.to_vec(),
            };
            let unproven = (!expected.is_empty()).then_some(Objection::AccountUnproven { expected });
            return unproven.into_iter().collect();
        }
        Whose::Account(now) => now,
    };
    let other = belongs.filter(|state| state != now);
    let other = other.map(|state| Objection::StateAccount { state, now: now.to_owned() });
    let is_allowed = allowed.is_empty() || allowed.iter().any(|one| one == now);
    let not_allowed = (!is_allowed)
        .then(|| Objection::AccountNotAllowed { now: now.to_owned(), allowed: allowed.to_vec() });
    other.into_iter().chain(not_allowed).collect()
}

/// What a state that was made with another endpoint has against ordering from this one.
pub fn other_account(state: Option<&State>, account: &Account) -> Option<Objection> {
    let belongs = state.and_then(|state| state.account.as_ref())?;
    (belongs.endpoint != account.endpoint)
        .then(|| Objection::OtherAccount { state: belongs.endpoint.clone(), now: account.endpoint.clone() })
}

fn refused(step: &Step) -> Option<Objection> {
    step.refusal.clone().map(|refusal| Objection::Refused {
        address: step.address.clone(),
        refusal,
        place: step.source.clone(),
    })
}

fn without_alias(step: &Step) -> Option<Objection> {
    let order = step.after.as_ref()?;
    let nameless = order.creates_environment() && order.alias().is_none();
    nameless.then(|| Objection::NoAlias { address: step.address.clone() })
}

/// A plan that was made here can't have such a step; a file that somebody edited can.
fn already_ordered(plan: &Plan, facts: &Facts<'_>) -> Vec<Objection> {
    let mut seen = BTreeSet::new();
    plan.orders()
        .filter(|step| {
            let at = step.previous_address.as_ref().unwrap_or(&step.address);
            let record = facts.state.and_then(|state| state.get(at));
            let fits = match (step.action, record.map(|record| record.status)) {
                (Action::Create, None | Some(Status::Isolated))
                | (Action::Replace, Some(Status::Created)) => true,
                (_, _) => false,
            };
            !seen.insert(&step.address) || !fits
        })
        .map(|step| Objection::AlreadyOrdered { address: step.address.clone() })
        .collect()
}

/// The last wall before an environment is given up that somebody still has.
fn wrong_destroys(plan: &Plan, facts: &Facts<'_>) -> Vec<Objection> {
    let destroys: Vec<&Step> = plan.destroys().collect();
    if destroys.is_empty() {
        return Vec::new();
    }
    let current = facts.state.into_iter().flat_map(State::current);
    let holders: HashMap<&str, Vec<&Address>> =
        current.fold(HashMap::new(), |mut holders: HashMap<&str, Vec<&Address>>, (address, record)| {
            if let Some(env_id) = record.env_id.as_deref() {
                holders.entry(env_id).or_default().push(address);
            }
            holders
        });
    let mut found: Vec<Objection> = destroys
        .iter()
        .filter_map(|step| {
            let env_id = step.ids.env_id.as_deref()?;
            let mut others = holders.get(env_id)?.iter();
            let other = others.find(|other| step.deposed || ***other != step.address)?;
            Some(Objection::DestroysManaged {
                address: step.address.clone(),
                env_id: env_id.to_owned(),
                other: (*other).clone(),
            })
        })
        .collect();
    let declares = |step: &Step| step.after.is_some();
    if plan.options.mode == Mode::Normal
        && plan.options.targets.is_empty()
        && !plan.steps.iter().any(declares)
    {
        found.push(Objection::NothingDeclared { count: destroys.len() });
    }
    found
}

/// The limits that a plan's orders go beyond, when `before` orders were made in the last 24 hours.
pub fn over_limits(plan: &Plan, limits: Limits, before: usize) -> Vec<Objection> {
    let orders = plan.summary().orders;
    let Limits { max_creates, max_creates_per_day, require_alias: _ } = limits;
    let run = max_creates.filter(|limit| orders > *limit).map(|limit| Objection::TooMany { orders, limit });
    let day = max_creates_per_day
        .filter(|limit| orders > 0 && before + orders > *limit)
        .map(|limit| Objection::TooManyToday { orders, before, limit });
    run.into_iter().chain(day).collect()
}
