//! What would be done, and why: the one thing that people review and `apply` carries out.
//!
//! [`diff`](diff::diff) and [`order`](order::order) make the steps, [`guard`] alone turns a plan into something that may be
//! carried out, [`mod@file`] keeps it on disk. Nothing here reads a file or the clock.

pub mod diff;
pub mod file;
pub mod guard;
pub mod order;

use std::collections::HashSet;

use jiff::Timestamp;

use crate::desired::{Address, Attributes, Desired, Field, ManifestHash, SourceRef};
use crate::state::{Account, Lineage, Serial, State};

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
    /// The vendor's region that is sent with the orders, if one is.
    pub region: Option<String>,
    pub manifests: Vec<ManifestHash>,
    pub selection: Selection,
    /// In the order in which they are carried out.
    pub steps: Vec<Step>,
}

/// Which addresses a plan is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these, unless it is empty.
    pub targets: Vec<Address>,
    /// Not these.
    pub excludes: Vec<Address>,
}

impl Selection {
    /// Tells of each address whether the plan is about it. Asked of thousands, with thousands selected.
    pub fn filter(&self) -> impl Fn(&Address) -> bool {
        let targets: HashSet<&Address> = self.targets.iter().collect();
        let excludes: HashSet<&Address> = self.excludes.iter().collect();
        move |address| {
            (targets.is_empty() || targets.contains(address)) && !excludes.contains(address)
        }
    }
}

/// Where a plan's orders go, and where they are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub account: Account,
    pub region: Option<String>,
    /// The state file, as it was named.
    pub state_path: String,
}

/// What is to be done with one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub address: Address,
    pub action: Action,
    pub reason: Reason,
    /// Set when the step is not carried out as it stands. One such step holds up the whole plan.
    pub refusal: Option<Refusal>,
    /// As ordered; None for what was never ordered.
    pub before: Option<Attributes>,
    /// As declared; None for what is not declared.
    pub after: Option<Attributes>,
    /// What the vendor has returned so far.
    pub ids: Ids,
    /// Where it is declared, or was when it was ordered.
    pub source: SourceRef,
}

/// The vendor's ids of an environment, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    pub env_id: Option<String>,
    pub tran_id: Option<String>,
    pub request_id: Option<String>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Order it: this costs money.
    Create,
    /// Change it in place.
    Update,
    /// Order a new one in its place.
    Replace,
    /// Give it up.
    Destroy,
    /// A person has to settle what became of an order.
    Resolve,
    /// The order stands; the vendor has not told the environment id yet.
    Wait,
    NoOp,
}

impl Action {
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Update,
        Self::Replace,
        Self::Destroy,
        Self::Resolve,
        Self::Wait,
        Self::NoOp,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Destroy => "destroy",
            Self::Resolve => "resolve",
            Self::Wait => "wait",
            Self::NoOp => "no-op",
        }
    }
}

/// Why a step is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Declared, and never ordered.
    NotOrdered,
    /// Declared as it was ordered.
    Unchanged,
    /// Ordered, without an environment id so far.
    AwaitingEnvId,
    /// An order's answer was lost.
    OutcomeUnknown,
    /// A field changed that the vendor fixes when the order is made.
    FixedAtOrder,
    /// Only the alias changed.
    AliasChanged,
    /// In the state, and no longer declared.
    NotDeclared,
}

impl Reason {
    pub const ALL: [Self; 7] = [
        Self::NotOrdered,
        Self::Unchanged,
        Self::AwaitingEnvId,
        Self::OutcomeUnknown,
        Self::FixedAtOrder,
        Self::AliasChanged,
        Self::NotDeclared,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::NotOrdered => "not_ordered",
            Self::Unchanged => "unchanged",
            Self::AwaitingEnvId => "awaiting_env_id",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::FixedAtOrder => "fixed_at_order",
            Self::AliasChanged => "alias_changed",
            Self::NotDeclared => "not_declared",
        }
    }
}

/// Why a step is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A replacement is a second order, and is never made unasked.
    Replacement,
    /// This version does not call `ModifyEnv`.
    InPlaceChange,
    /// The same environment stands in the state under another address: it would be ordered, and paid for, again.
    Renamed { from: Address },
    /// Another address of the state has this environment already.
    ManagedAs { other: Address },
}

impl Refusal {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Replacement => "replacement",
            Self::InPlaceChange => "in_place_change",
            Self::Renamed { .. } => "renamed",
            Self::ManagedAs { .. } => "managed_elsewhere",
        }
    }

    /// The address that the refusal is about, besides its own.
    pub const fn other(&self) -> Option<&Address> {
        match self {
            Self::Replacement | Self::InPlaceChange => None,
            Self::Renamed { from } => Some(from),
            Self::ManagedAs { other } => Some(other),
        }
    }
}

impl Step {
    /// True when carrying out the step sends a paid order.
    pub fn is_order(&self) -> bool {
        self.refusal.is_none()
            && match self.action {
                Action::Create => true,
                Action::Update
                | Action::Replace
                | Action::Destroy
                | Action::Resolve
                | Action::Wait
                | Action::NoOp => false,
            }
    }

    /// The fields in which `before` and `after` differ, when both are there.
    pub fn changed_fields(&self) -> Vec<Field> {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                diff::changed_fields(before, self.ids.env_id.as_deref(), after)
            }
            (None, _) | (_, None) => Vec::new(),
        }
    }
}

/// How many steps of each kind a plan has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Paid orders that carrying out the plan would send.
    pub orders: usize,
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    pub destroy: usize,
    pub resolve: usize,
    pub wait: usize,
    pub no_op: usize,
    /// Steps that are refused as they stand.
    pub refused: usize,
}

impl Plan {
    /// Compares what is declared with what is on record.
    pub fn make(
        desired: &Desired,
        state: Option<&State>,
        selection: Selection,
        target: Target,
        now: Timestamp,
    ) -> Self {
        let Target {
            account,
            region,
            state_path,
        } = target;
        let steps = order::order(diff::diff(desired, state, &selection));
        Self {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now,
            lineage: state.map(|state| state.lineage),
            serial: state.map(|state| state.serial).unwrap_or_default(),
            state_path,
            account,
            region,
            manifests: desired.manifests.clone(),
            selection,
            steps,
        }
    }

    /// The steps that send a paid order, in sending order.
    pub fn orders(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_order())
    }

    pub fn refused(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.refusal.is_some())
    }

    /// True when declared and recorded are not the same, whether or not anything can be done about it.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| step.action != Action::NoOp)
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for step in &self.steps {
            summary.orders += usize::from(step.is_order());
            summary.refused += usize::from(step.refusal.is_some());
            let count = match step.action {
                Action::Create => &mut summary.create,
                Action::Update => &mut summary.update,
                Action::Replace => &mut summary.replace,
                Action::Destroy => &mut summary.destroy,
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
