//! Plans: what would be done, and why.
//!
//! [`diff`](diff::diff) and [`sort_steps`](diff::sort_steps) make the steps, [`guard`] approves a plan, [`mod@file`] is
//! its file format. Nothing here reads a file or the clock.

mod blocker;
mod cost;
pub mod diff;
pub mod file;
mod finding;
pub mod guard;
pub mod moves;
mod named;
mod options;
mod step;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use blocker::Blocker;
pub use cost::{Cost, Prices, StepCost};
pub use finding::{Code, CodeError, Finding, Standing};
pub use options::{Guards, Limits, Mode, Options, Target};
pub use step::{Action, Ids, Reason, Step, StepBlocker};

use crate::model::{Address, Desired, ManifestHash, unique};
use crate::state::{Account, FormatVersion, Lineage, Serial, State};
use moves::MoveProblem;

/// A list of steps to review, and the inputs it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postpay plan, version 1")]
pub struct Plan {
    pub format_version: FormatVersion,
    /// The version of postpay that made the plan.
    pub tool_version: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// The state it was made from; missing when there was none.
    pub lineage: Option<Lineage>,
    /// The serial of that state; 0 when there was none.
    pub serial: Serial,
    /// The path of the state file as given. The plan only applies to this state.
    pub state_path: String,
    /// The account in which the environments are created.
    pub account: Account,
    /// Where calls are sent: `sandbox`, or a URL. The plan only applies there.
    pub endpoint: String,
    /// The region that is sent with creates.
    pub region: Option<String>,
    /// The guards when the plan was made. A run uses the stricter of these and its own.
    pub guards: Guards,
    /// The manifest files it was made from.
    pub manifests: Vec<ManifestHash>,
    pub options: Options,
    /// Prices per month of the packages that it buys, where they were read. The run that applies it accepts no higher ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
    /// What the packages that it buys cost, by these prices; missing when it buys none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// For reviewers only: the commit of the manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitFacts>,
    /// For reviewers only: where the account differs from the state; missing when the account was not read
    /// (`--refresh`).
    ///
    /// It does not cause steps: a list that lags, or is of the wrong region, would create what exists, or
    /// destroy what was not reviewed. The state changes only by what was done and by what a user requests
    /// (`state rm`, `resolve`, an edited manifest).
    #[serde(rename = "resource_drift", skip_serializing_if = "Option::is_none")]
    pub drift: Option<Vec<Finding>>,
    /// In execution order.
    #[serde(rename = "resource_changes")]
    pub steps: Vec<Step>,
    pub summary: Summary,
    /// SHA-256, in hex, of the compact JSON of this document without this member. Only in a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub checksum: String,
}

/// The commit of the manifests when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitFacts {
    /// The commit that was checked out.
    pub commit: String,
    /// Who wrote that commit.
    pub author: Option<String>,
    /// The manifests or the configuration differ from that commit.
    pub dirty: bool,
    /// By address, the commit that last changed its line, if requested and known.
    #[serde(deserialize_with = "unique::map")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub touched: BTreeMap<Address, String>,
}

/// The number of steps of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Creates that are billed.
    pub orders: usize,
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    pub destroy: usize,
    /// No longer declared, and not destroyed.
    pub kept: usize,
    pub forget: usize,
    pub import: usize,
    /// With a new address, whether or not they also change.
    pub moved: usize,
    pub resolve: usize,
    pub wait: usize,
    pub no_op: usize,
    /// Steps that block the plan.
    pub blocked: usize,
}

impl Summary {
    /// Counts the steps of a plan made in this mode.
    pub fn count(steps: &[Step], mode: &Mode) -> Self {
        let mut summary = Self::default();
        for step in steps {
            summary.orders += usize::from(step.is_order());
            summary.blocked += usize::from(mode.is_blocked_by(step));
            summary.moved += usize::from(step.previous_address.is_some());
            let count = match step.action {
                Action::Create => &mut summary.create,
                Action::Update => &mut summary.update,
                Action::Replace => &mut summary.replace,
                Action::Destroy if step.blocker.is_none() => &mut summary.destroy,
                Action::Destroy => &mut summary.kept,
                Action::Forget => &mut summary.forget,
                Action::Import => &mut summary.import,
                // Counted above, with the moves that also change.
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

impl Mode {
    /// Returns whether a step blocks the whole plan.
    fn is_blocked_by(&self, step: &Step) -> bool {
        let requested = *self != Self::Normal;
        step.blocker.as_ref().is_some_and(|blocker| requested || blocker.blocks_plan())
    }
}

impl Plan {
    /// Plans the changes from the state to the declared environments.
    ///
    /// # Errors
    /// Moves that don't fit the state: without them, environments would be created again.
    pub fn make(
        desired: &Desired,
        state: Option<&State>,
        options: Options,
        target: Target,
        now: Timestamp,
    ) -> Result<Self, Vec<MoveProblem>> {
        let Target { account, endpoint, region, state_path } = target;
        let steps = diff::sort_steps(diff::diff(desired, state, &options)?);
        Ok(Self {
            format_version: FormatVersion,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now,
            lineage: state.map(|state| state.lineage),
            serial: state.map(|state| state.serial).unwrap_or_default(),
            state_path,
            account,
            endpoint,
            region,
            guards: Guards::default(),
            prices: None,
            cost: known_cost(&steps, None),
            manifests: desired.manifests.clone(),
            git: None,
            drift: None,
            summary: Summary::count(&steps, &options.mode),
            options,
            steps,
            checksum: String::new(),
        })
    }

    /// Returns the steps that send a billed create, in order.
    pub fn orders(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_order())
    }

    /// Returns the declared regions, where what is created is sent.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| step.after.as_ref()?.region())
    }

    /// Sets the prices of packages, and with them what the plan costs.
    pub fn set_prices(&mut self, prices: Option<Prices>) {
        self.cost = known_cost(&self.steps, prices.as_ref());
        self.prices = prices;
    }

    /// Returns what a step costs at once, by the plan's own prices; None when it buys no package.
    pub fn cost_of(&self, step: &Step) -> Option<StepCost> {
        step.cost(self.prices.as_ref().unwrap_or(&Prices::new()))
    }

    /// Returns the steps that change the account or the state, in execution order.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_change())
    }

    /// Returns the steps that destroy an environment.
    pub fn destroys(&self) -> impl Iterator<Item = &Step> {
        self.changes().filter(|step| step.action == Action::Destroy)
    }

    /// Returns the steps that block the plan.
    pub fn blocked(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| self.is_blocked_by(step))
    }

    /// Returns whether a step blocks the whole plan.
    pub fn is_blocked_by(&self, step: &Step) -> bool {
        self.options.mode.is_blocked_by(step)
    }

    /// Returns whether applying it sends any request, including reads.
    pub fn calls_api(&self) -> bool {
        self.steps.iter().any(|step| step.action.calls_api())
    }

    /// Returns whether manifests and state differ, including blocked steps.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| step.action != Action::NoOp)
    }
}

/// Returns what these steps cost; None when they buy no package.
fn known_cost(steps: &[Step], prices: Option<&Prices>) -> Option<Cost> {
    let cost = Cost::of(steps, prices.unwrap_or(&Prices::new()));
    (!cost.packages.is_empty()).then_some(cost)
}

#[cfg(test)]
mod tests;
