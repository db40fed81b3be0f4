//! What would be done, and why: the one thing that people review and `apply` carries out.
//!
//! [`diff`](diff::diff) and [`order`](order::order) make the steps, [`guard`] alone turns a plan into something that may be
//! carried out, [`mod@file`] keeps it on disk. Nothing here reads a file or the clock.

pub mod diff;
pub mod file;
mod finding;
pub mod guard;
pub mod moves;
pub mod order;
mod step;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

pub use finding::{Code, CodeError, Finding, Standing};
pub use step::{Action, Ids, Reason, Refusal, Step};

use crate::model::{Address, Desired, ManifestHash};
use crate::state::{Account, Lineage, Serial, State};
use moves::MoveProblem;

/// A reviewed or reviewable list of steps, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub tool_version: String,
    pub created_at: Timestamp,
    /// The state that it was made from; None when there was none.
    pub lineage: Option<Lineage>,
    pub serial: Serial,
    /// The state file, as it was named: a plan is for that one alone.
    pub state_path: String,
    /// Whom the orders go to.
    pub account: Account,
    /// Where calls are sent: `sandbox`, or the whole address.
    pub endpoint: String,
    /// The vendor's region that is sent with the orders, if one is.
    pub region: Option<String>,
    /// What limited a run when the plan was made, for a plan that is kept in a file. It limits the run that carries it out too.
    pub guards: Guards,
    pub manifests: Vec<ManifestHash>,
    pub options: Options,
    /// What git says of the manifests, where somebody asked it. For those who review the plan: nothing is decided by it.
    pub git: Option<GitFacts>,
    /// What the account showed that is not on record; None when it was not looked at. For those who review the plan.
    ///
    /// No step comes of it. A list that lags, or that was asked for in the wrong region, would otherwise order what is there,
    /// or give up what nobody reviewed; and what a person changed at the vendor is theirs to keep or to undo. So the record
    /// changes by what was done and by what a person says (`state rm`, `resolve`, an edited manifest), never by a look.
    pub drift: Option<Vec<Finding>>,
    /// In the order in which they are carried out.
    pub steps: Vec<Step>,
}

/// What git said of the manifests when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitFacts {
    /// The commit that was checked out.
    pub commit: String,
    /// The manifests or the configuration were not as that commit has them.
    pub dirty: bool,
    /// The commit that last touched the line that an address is declared in, where that was asked for and is known.
    pub touched: BTreeMap<Address, String>,
}

/// What a plan was asked to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    /// Only these, unless it is empty.
    pub targets: Vec<Address>,
    /// Not these.
    pub excludes: Vec<Address>,
    /// A new environment is ordered in the place of these, and of no other.
    pub replaces: Vec<Address>,
    /// What is no longer declared is given up.
    pub allow_destroy: bool,
    /// What is given up is deleted at once, isolation passed over or ended.
    pub purge: bool,
    /// What is given up is given up whatever is in it.
    pub bypass_check: bool,
}

/// What a plan is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything that is declared or on record.
    #[default]
    Normal,
    /// Giving these up, and nothing else.
    Destroy(Vec<Address>),
    /// Giving up what was replaced at these addresses, and nothing else.
    DestroyDeposed(Vec<Address>),
}

impl Options {
    /// Tells of each address whether the plan is about it. Asked of thousands, with thousands selected.
    pub fn filter(&self) -> impl Fn(&Address) -> bool {
        let targets: HashSet<&Address> = self.targets.iter().collect();
        let excludes: HashSet<&Address> = self.excludes.iter().collect();
        move |address| (targets.is_empty() || targets.contains(address)) && !excludes.contains(address)
    }
}

/// How much a run may order. None is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub max_creates: Option<usize>,
    pub max_creates_per_day: Option<usize>,
    /// Every environment that the vendor creates has to have an alias.
    pub require_alias: bool,
}

impl Limits {
    /// Of each limit the stricter one.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let least = |a: Option<usize>, b: Option<usize>| a.into_iter().chain(b).min();
        Self {
            max_creates: least(self.max_creates, other.max_creates),
            max_creates_per_day: least(self.max_creates_per_day, other.max_creates_per_day),
            require_alias: self.require_alias || other.require_alias,
        }
    }
}

/// What limits a run. By default nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    pub limits: Limits,
    /// The accounts that may be worked in; empty for any.
    pub allowed_accounts: Vec<String>,
}

/// Where a plan's orders go, and where they are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub account: Account,
    /// `sandbox`, or the whole address.
    pub endpoint: String,
    pub region: Option<String>,
    /// The state file, as it was named.
    pub state_path: String,
}

/// How many steps of each kind a plan has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Paid orders that carrying out the plan would send.
    pub orders: usize,
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    /// Those that are given up.
    pub destroy: usize,
    /// Those that are no longer declared, and kept all the same.
    pub kept: usize,
    pub forget: usize,
    pub import: usize,
    /// Those with another address than before, whatever else is done with them.
    pub moved: usize,
    pub resolve: usize,
    pub wait: usize,
    pub no_op: usize,
    /// Steps that are refused as they stand, and hold up the plan.
    pub refused: usize,
}

impl Plan {
    /// Compares what is declared with what is on record.
    ///
    /// # Errors
    /// With the moves that don't fit what is on record: what they leave undone would be ordered.
    pub fn make(
        desired: &Desired,
        state: Option<&State>,
        options: Options,
        target: Target,
        now: Timestamp,
    ) -> Result<Self, Vec<MoveProblem>> {
        let Target { account, endpoint, region, state_path } = target;
        let steps = order::order(diff::diff(desired, state, &options)?);
        Ok(Self {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now,
            lineage: state.map(|state| state.lineage),
            serial: state.map(|state| state.serial).unwrap_or_default(),
            state_path,
            account,
            endpoint,
            region,
            guards: Guards::default(),
            manifests: desired.manifests.clone(),
            options,
            git: None,
            drift: None,
            steps,
        })
    }

    /// The steps that send a paid order, in sending order.
    pub fn orders(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_order())
    }

    /// The steps that change something, at the vendor or on record, in the order in which they are carried out.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_change())
    }

    /// True when carrying it out asks the vendor for anything.
    pub fn speaks(&self) -> bool {
        self.steps.iter().any(|step| match step.action {
            Action::Create
            | Action::Update
            | Action::Replace
            | Action::Destroy
            | Action::Import
            | Action::Wait => true,
            Action::Forget | Action::Move | Action::Resolve | Action::NoOp => false,
        })
    }

    /// The steps that give an environment up.
    pub fn destroys(&self) -> impl Iterator<Item = &Step> {
        self.changes().filter(|step| step.action == Action::Destroy)
    }

    /// The steps that hold up the plan.
    pub fn refused(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| self.is_held_up_by(step))
    }

    /// True when the step, as it stands, is why nothing of the plan is carried out.
    pub fn is_held_up_by(&self, step: &Step) -> bool {
        let asked_for = match self.options.mode {
            Mode::Normal => false,
            Mode::Destroy(_) | Mode::DestroyDeposed(_) => true,
        };
        step.refusal.as_ref().is_some_and(|refusal| asked_for || refusal.holds_up())
    }

    /// True when declared and recorded are not the same, whether or not anything can be done about it.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| step.action != Action::NoOp)
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for step in &self.steps {
            summary.orders += usize::from(step.is_order());
            summary.refused += usize::from(self.is_held_up_by(step));
            summary.moved += usize::from(step.previous_address.is_some());
            let count = match step.action {
                Action::Create => &mut summary.create,
                Action::Update => &mut summary.update,
                Action::Replace => &mut summary.replace,
                Action::Destroy if step.refusal.is_none() => &mut summary.destroy,
                Action::Destroy => &mut summary.kept,
                Action::Forget => &mut summary.forget,
                Action::Import => &mut summary.import,
                // Counted above, with those that also change.
                Action::Move => continue,
                Action::Resolve => &mut summary.resolve,
                Action::Wait => &mut summary.wait,
                Action::NoOp => &mut summary.no_op,
            };
            *count += 1;
        }
        summary
    }
}

#[cfg(test)]
mod tests;
