//! The one authority that says whether a plan may be carried out.
//!
//! [`Approved`] can't be made anywhere else, and the engine takes nothing else. Pure: what the guard has to know about
//! the world comes in as [`Facts`].

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use super::{Action, Mode, Plan, Refusal, Step, Target};
use crate::desired::{Address, Field, ManifestHash, SourceRef};
use crate::state::journal::RunId;
use crate::state::{Account, Lineage, Serial, State, Status};

/// A plan that a person, or a rule that a person set, has agreed to, and that fits the world as it was found.
#[derive(Debug)]
pub struct Approved {
    plan: Plan,
}

impl Approved {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
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

/// The world as it is now, under the lock.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub state: Option<&'a State>,
    /// Where this run's orders would go, and where they would be recorded.
    pub target: &'a Target,
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

/// How much a run may order. None is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub max_creates: Option<usize>,
    pub max_creates_per_day: Option<usize>,
    /// Every environment that the vendor creates has to have an alias.
    pub require_alias: bool,
}

/// Why a plan may not be carried out. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    #[error("this plan was carried out already, by run {run}")]
    Used { run: RunId },
    #[error(
        "the plan was made from {}, and there is {} now",
        state_name(planned.as_ref()), state_name(found.as_ref())
    )]
    Foreign {
        planned: Option<Lineage>,
        found: Option<Lineage>,
    },
    #[error("the state moved on since the plan was made: serial {planned} then, {found} now")]
    Stale { planned: Serial, found: Serial },
    #[error("{} changed since the plan was made", path.display())]
    ManifestChanged { path: PathBuf },
    #[error("{} is gone since the plan was made", path.display())]
    ManifestGone { path: PathBuf },
    #[error("the plan orders from `{planned}`, this run from `{now}`")]
    OtherEndpoint { planned: String, now: String },
    #[error("the state belongs to `{state}`, this run orders from `{now}`")]
    OtherAccount { state: String, now: String },
    #[error("the plan is for the state {planned}, this run keeps {now}")]
    OtherState { planned: String, now: String },
    #[error("the plan orders in {}, this run in {}", region_text(planned.as_deref()), region_text(now.as_deref()))]
    OtherRegion {
        planned: Option<String>,
        now: Option<String>,
    },
    #[error("the plan is not the one that the manifests and the state make now")]
    NotRemade,
    #[error("`{address}` has no alias, so a lost answer could not be read back (require_alias)")]
    NoAlias { address: Address },
    #[error("{}", refusal_text(refusal, address))]
    Refused {
        address: Address,
        refusal: Refusal,
        /// Where it is declared, or was when it was ordered.
        place: SourceRef,
    },
    #[error("`{address}` is on record as ordered; the plan would order it a second time")]
    AlreadyOrdered { address: Address },
    #[error("the plan gives `{address}` up, and this run may not")]
    DestroyNotAllowed { address: Address },
    #[error("the plan gives up {env_id} as `{address}`, and `{other}` has it too")]
    DestroysManaged {
        address: Address,
        env_id: String,
        other: Address,
    },
    #[error("the manifests declare nothing at all, and the plan gives up {count} environments")]
    NothingDeclared { count: usize },
    #[error("the plan has {}, and a run may make {limit} (max_creates)", orders_text(*orders))]
    TooMany { orders: usize, limit: usize },
    #[error(
        "the plan has {}; with the {before} of the last 24 hours that is more than {limit} a day (max_creates_per_day)",
        orders_text(*orders)
    )]
    TooManyToday {
        orders: usize,
        before: usize,
        limit: usize,
    },
}

fn state_name(lineage: Option<&Lineage>) -> String {
    lineage.map_or_else(
        || "no state".to_owned(),
        |lineage| format!("the state of lineage {lineage}"),
    )
}

fn region_text(region: Option<&str>) -> String {
    region.map_or_else(|| "no region".to_owned(), |region| format!("`{region}`"))
}

fn orders_text(n: usize) -> String {
    format!("{n} order{}", if n == 1 { "" } else { "s" })
}

/// Why a step is refused.
pub fn refusal_text(refusal: &Refusal, address: &Address) -> String {
    match refusal {
        Refusal::Replacement => format!(
            "a changed field of `{address}` is fixed when the order is made; the change would be a second order"
        ),
        Refusal::ReplacesItself => {
            format!(
                "the replacement of `{address}` would be a second order for the same environment"
            )
        }
        Refusal::ReplacesAwaiting => {
            format!("the environment id of `{address}` is not known yet, so it can't be replaced")
        }
        Refusal::ReplacesImported => {
            format!("`{address}` is declared as one that exists, by its `import` block")
        }
        Refusal::ReplacementUnknown => format!(
            "whether what replaced it at `{address}` exists is not known: it may be the only one there is"
        ),
        Refusal::Renamed { from } => {
            format!("`{address}` looks like `{from}` under another name, which was ordered before")
        }
        Refusal::ManagedAs { other } => {
            format!("`{other}` stands for the same environment in the state as `{address}`")
        }
        Refusal::ImportsAnother { env_id } => format!(
            "the state has {} at `{address}`, which is not what it is to adopt",
            env_id.escape_debug()
        ),
        Refusal::DestroyNotAllowed => format!("giving `{address}` up is not allowed here"),
        Refusal::PreventDestroy => format!("`{address}` was declared with prevent_destroy"),
        Refusal::StillDeclared => {
            format!("`{address}` is still declared: the next apply would order it again")
        }
    }
}

const ALLOW_DESTROY: &str =
    "allow it with --allow-destroy, or `allow_destroy: true` under `guard` in postpay.yaml";

/// What to do about it.
pub fn refusal_help(address: &Address, refusal: &Refusal) -> String {
    match refusal {
        Refusal::Replacement => format!(
            "undo the change, leave it out for now with `--exclude {address}`, or order a new one in its place and keep the \
             old one on record: `--replace {address}`"
        ),
        Refusal::ReplacesItself => {
            "take its env_id out of the manifest to have a new environment ordered".to_owned()
        }
        Refusal::ReplacesAwaiting => format!("find it first: `postpay resolve {address}`"),
        Refusal::ReplacesImported => {
            "take its `import` block out to have a new environment ordered".to_owned()
        }
        Refusal::ReplacementUnknown => format!("settle that first: `postpay resolve {address}`"),
        Refusal::Renamed { from } => format!(
            "name it `{from}` again, or say so with `moved: [{{from: {from}, to: {address}}}]`; if it is to be another \
             environment, give it an alias of its own"
        ),
        Refusal::ManagedAs { other } => format!(
            "declare it as `{other}`, and only there; if it is to be called `{address}` from here on: \
             `moved: [{{from: {other}, to: {address}}}]`"
        ),
        Refusal::ImportsAnother { env_id } => format!(
            "name {env_id} in its `import`, or take that block out; to manage another one here, forget this one first: \
             `postpay state rm {address}`"
        ),
        Refusal::DestroyNotAllowed => ALLOW_DESTROY.to_owned(),
        Refusal::PreventDestroy => format!(
            "declare `{address}` again with `lifecycle: {{prevent_destroy: false}}`, apply that, and then take it out"
        ),
        Refusal::StillDeclared => "take it out of the manifests first".to_owned(),
    }
}

impl Objection {
    /// Stable and searchable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Used { .. } => "plan-used",
            Self::Foreign { .. } => "plan-foreign",
            Self::Stale { .. } => "plan-stale",
            Self::ManifestChanged { .. } | Self::ManifestGone { .. } => "plan-manifest-changed",
            Self::OtherEndpoint { .. } => "plan-endpoint",
            Self::OtherAccount { .. } => "state-endpoint",
            Self::OtherState { .. } => "plan-state",
            Self::OtherRegion { .. } => "plan-region",
            Self::NotRemade => "plan-not-remade",
            Self::NoAlias { .. } => "missing-alias",
            Self::Refused { .. } => "step-refused",
            Self::AlreadyOrdered { .. } => "already-ordered",
            Self::DestroyNotAllowed { .. } => "destroy-not-allowed",
            Self::DestroysManaged { .. } => "destroys-managed",
            Self::NothingDeclared { .. } => "nothing-declared",
            Self::TooMany { .. } | Self::TooManyToday { .. } => "too-many-orders",
        }
    }

    /// Where it is declared, if it is about something that is.
    pub fn place(&self) -> Option<&SourceRef> {
        match self {
            Self::Refused { place, .. } => Some(place),
            Self::Used { .. }
            | Self::Foreign { .. }
            | Self::Stale { .. }
            | Self::ManifestChanged { .. }
            | Self::ManifestGone { .. }
            | Self::OtherEndpoint { .. }
            | Self::OtherAccount { .. }
            | Self::OtherState { .. }
            | Self::OtherRegion { .. }
            | Self::NotRemade
            | Self::NoAlias { .. }
            | Self::AlreadyOrdered { .. }
            | Self::DestroyNotAllowed { .. }
            | Self::DestroysManaged { .. }
            | Self::NothingDeclared { .. }
            | Self::TooMany { .. }
            | Self::TooManyToday { .. } => None,
        }
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Used { .. } => {
                "see what it did: `postpay show`; for what is still to do: `postpay plan -o FILE`"
                    .to_owned()
            }
            Self::Foreign { .. } => {
                "name the state that the plan was made from with --state".to_owned()
            }
            Self::OtherState { planned, .. } => {
                format!("name it with `--state {planned}`, or make a new plan for this state")
            }
            Self::OtherRegion { .. } => {
                "name the plan's region with --region, or make a new plan".to_owned()
            }
            Self::NoAlias { .. } => "give it an alias, or take require_alias out".to_owned(),
            Self::NotRemade
            | Self::Stale { .. }
            | Self::AlreadyOrdered { .. }
            | Self::ManifestChanged { .. }
            | Self::ManifestGone { .. } => {
                "make and review a new plan: `postpay plan -o FILE`".to_owned()
            }
            Self::OtherEndpoint { planned, .. } => {
                format!(
                    "make a new plan for this endpoint, or order from `{planned}` with --endpoint"
                )
            }
            Self::OtherAccount { state, now } => format!(
                "order from `{state}` with --endpoint, or keep what is ordered from `{now}` in a state of its own with --state"
            ),
            Self::DestroyNotAllowed { .. } => ALLOW_DESTROY.to_owned(),
            Self::DestroysManaged { address, .. } => {
                format!("take one of the two off the record: `postpay state rm {address}`")
            }
            Self::NothingDeclared { .. } => {
                "look whether the right manifests were read; to give everything up, name it: `postpay destroy ADDR…`".to_owned()
            }
            Self::Refused {
                address, refusal, ..
            } => refusal_help(address, refusal),
            Self::TooMany { orders, .. } => {
                format!("pick some with --target, or allow it: `--max-creates {orders}`")
            }
            Self::TooManyToday { .. } => {
                "wait, pick fewer with --target, or raise guard.max_creates_per_day".to_owned()
            }
        }
    }
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
            let destroys = plan.destroys().map(|step| Objection::DestroyNotAllowed {
                address: step.address.clone(),
            });
            found.extend(destroys);
        }
        if facts.limits.require_alias {
            found.extend(plan.orders().filter_map(without_alias));
        }
        found.extend(over_limits(plan, facts.limits, facts.orders_last_day));
    }
    found
}

/// Lets a plan through to the engine.
///
/// # Errors
/// With everything that speaks against it.
pub fn approve(
    plan: Plan,
    facts: &Facts<'_>,
    consent: Consent,
) -> Result<Approved, Vec<Objection>> {
    match objections(&plan, facts) {
        none if none.is_empty() => {
            let (orders, changes) = (plan.summary().orders, plan.changes().count());
            tracing::info!(?consent, orders, changes, "approved");
            Ok(Approved { plan })
        }
        some => Err(some),
    }
}

fn provenance(plan: &Plan, facts: &Facts<'_>) -> Vec<Objection> {
    let mut found = Vec::new();
    let target = facts.target;
    let lineage = facts.state.map(|state| state.lineage);
    let serial = facts.state.map(|state| state.serial).unwrap_or_default();
    if let Some(run) = facts.used_by {
        found.push(Objection::Used { run });
    } else if plan.lineage != lineage && plan.lineage.is_some() {
        found.push(Objection::Foreign {
            planned: plan.lineage,
            found: lineage,
        });
    } else if plan.serial != serial {
        found.push(Objection::Stale {
            planned: plan.serial,
            found: serial,
        });
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
    if plan.account != target.account {
        found.push(Objection::OtherEndpoint {
            planned: plan.account.endpoint.clone(),
            now: target.account.endpoint.clone(),
        });
    }
    if plan.state_path != target.state_path {
        found.push(Objection::OtherState {
            planned: plan.state_path.clone(),
            now: target.state_path.clone(),
        });
    }
    if plan.region != target.region {
        found.push(Objection::OtherRegion {
            planned: plan.region.clone(),
            now: target.region.clone(),
        });
    }
    found.extend(other_account(facts.state, &target.account));
    found
}

/// What a state that was made with another endpoint has against ordering from this one.
pub fn other_account(state: Option<&State>, account: &Account) -> Option<Objection> {
    let belongs = state.and_then(|state| state.account.as_ref())?;
    (belongs.endpoint != account.endpoint).then(|| Objection::OtherAccount {
        state: belongs.endpoint.clone(),
        now: account.endpoint.clone(),
    })
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
    let nameless = order.creates_environment() && order.get(Field::Alias).is_none();
    nameless.then(|| Objection::NoAlias {
        address: step.address.clone(),
    })
}

/// A plan that was made here can't have such a step; a file that somebody edited can.
fn already_ordered(plan: &Plan, facts: &Facts<'_>) -> Vec<Objection> {
    let mut seen = BTreeSet::new();
    plan.orders()
        .filter(|step| {
            let at = step.previous_address.as_ref().unwrap_or(&step.address);
            let record = facts.state.and_then(|state| state.environments.get(at));
            let fits = match (step.action, record.map(|record| record.status)) {
                (Action::Create, None | Some(Status::Isolated))
                | (Action::Replace, Some(Status::Created)) => true,
                (_, _) => false,
            };
            !seen.insert(&step.address) || !fits
        })
        .map(|step| Objection::AlreadyOrdered {
            address: step.address.clone(),
        })
        .collect()
}

/// The last wall before an environment is given up that somebody still has.
fn wrong_destroys(plan: &Plan, facts: &Facts<'_>) -> Vec<Objection> {
    let destroys: Vec<&Step> = plan.destroys().collect();
    if destroys.is_empty() {
        return Vec::new();
    }
    let current = facts
        .state
        .into_iter()
        .flat_map(|state| &state.environments);
    let holders: HashMap<&str, Vec<&Address>> = current.fold(
        HashMap::new(),
        |mut holders: HashMap<&str, Vec<&Address>>, (address, record)| {
            if let Some(env_id) = record.env_id.as_deref() {
                holders.entry(env_id).or_default().push(address);
            }
            holders
        },
    );
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
        found.push(Objection::NothingDeclared {
            count: destroys.len(),
        });
    }
    found
}

/// The limits that a plan's orders go beyond, when `before` orders were made in the last 24 hours.
pub fn over_limits(plan: &Plan, limits: Limits, before: usize) -> Vec<Objection> {
    let orders = plan.summary().orders;
    let Limits {
        max_creates,
        max_creates_per_day,
        require_alias: _,
    } = limits;
    let run = max_creates
        .filter(|limit| orders > *limit)
        .map(|limit| Objection::TooMany { orders, limit });
    let day = max_creates_per_day
        .filter(|limit| orders > 0 && before + orders > *limit)
        .map(|limit| Objection::TooManyToday {
            orders,
            before,
            limit,
        });
    run.into_iter().chain(day).collect()
}
