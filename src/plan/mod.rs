//! What would be done, and why: what people review and `apply` carries out.
//!
//! [`diff`](diff::diff) and [`order`](diff::order) make the steps, [`guard`] alone turns a plan into one that may be carried
//! out, [`mod@file`] is its form on disk. Nothing here reads a file or the clock.

mod blocker;
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
pub use finding::{Code, CodeError, Finding, Standing};
pub use options::{Guards, Limits, Mode, Options, Target};
pub use step::{Action, Ids, Reason, Step, StepBlocker};

use crate::model::{Address, Desired, ManifestHash, unique};
use crate::state::{Account, FormatVersion, Lineage, Serial, State};
use moves::MoveProblem;

/// A list of steps to review, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postpay plan, version 1")]
pub struct Plan {
    pub format_version: FormatVersion,
    /// The version of postpay that made the plan.
    pub tool_version: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// The state that it was made from; missing when there was none.
    pub lineage: Option<Lineage>,
    /// The serial of that state; 0 when there was none.
    pub serial: Serial,
    /// The path of the state file as it was given. The plan is carried out with this state only.
    pub state_path: String,
    /// The account in which the environments are created.
    pub account: Account,
    /// Where calls are sent: `sandbox`, or a URL. The plan is carried out there only.
    pub endpoint: String,
    /// The region that is sent with creates.
    pub region: Option<String>,
    /// The guards when the plan was made. The run that carries it out keeps the stricter of these and its own.
    pub guards: Guards,
    /// The manifest files that the plan was made from.
    pub manifests: Vec<ManifestHash>,
    pub options: Options,
    /// For reviewers: the commit of the manifests. Nothing is decided by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitFacts>,
    /// For reviewers: where the account differs from the state; missing when the account was not read (`--refresh`).
    ///
    /// No step comes of it. A list that lags, or that was asked for in the wrong region, would otherwise create what exists,
    /// or destroy what nobody reviewed. The state changes by what was done and by what a person says (`state rm`, `resolve`,
    /// an edited manifest), never by a look.
    #[serde(rename = "resource_drift", skip_serializing_if = "Option::is_none")]
    pub drift: Option<Vec<Finding>>,
    /// In the order in which they are carried out.
    #[serde(rename = "resource_changes")]
    pub steps: Vec<Step>,
    pub summary: Summary,
    /// SHA-256, in hex, of the compact JSON of this document without this member. Empty except in a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub checksum: String,
}

/// The commit of the manifests when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitFacts {
    /// The commit that was checked out.
    pub commit: String,
    /// The manifests or the configuration differ from that commit.
    pub dirty: bool,
    /// By address, the commit that last touched the line it is declared in, where that was asked for and is known.
    #[serde(deserialize_with = "unique::map")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub touched: BTreeMap<Address, String>,
}

/// How many steps of each kind a plan has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Paid orders that carrying out the plan sends.
    pub orders: usize,
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    pub destroy: usize,
    /// No longer declared, and not destroyed.
    pub kept: usize,
    pub forget: usize,
    pub import: usize,
    /// With another address than before, whatever else is done.
    pub moved: usize,
    pub resolve: usize,
    pub wait: usize,
    pub no_op: usize,
    /// Steps that block the plan.
    pub blocked: usize,
}

impl Summary {
    /// Counts steps of a plan that was made in this mode.
    pub fn of(steps: &[Step], mode: &Mode) -> Self {
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

impl Mode {
    /// Whether a step, as it stands, blocks the whole plan.
    fn is_blocked_by(&self, step: &Step) -> bool {
        let requested = *self != Self::Normal;
        step.blocker.as_ref().is_some_and(|blocker| requested || blocker.blocks_plan())
    }
}

impl Plan {
    /// Compares what is declared with the state.
    ///
    /// # Errors
    /// With the moves that don't fit the state: what they leave undone would be created.
    pub fn make(
        desired: &Desired,
        state: Option<&State>,
        options: Options,
        target: Target,
        now: Timestamp,
    ) -> Result<Self, Vec<MoveProblem>> {
        let Target { account, endpoint, region, state_path } = target;
        let steps = diff::order(diff::diff(desired, state, &options)?);
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
            manifests: desired.manifests.clone(),
            git: None,
            drift: None,
            summary: Summary::of(&steps, &options.mode),
            options,
            steps,
            checksum: String::new(),
        })
    }

    /// The steps that send a paid order, in sending order.
    pub fn orders(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_order())
    }

    /// The steps that change something, in the account or in the state, in the order in which they are carried out.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_change())
    }

    /// The steps that destroy an environment.
    pub fn destroys(&self) -> impl Iterator<Item = &Step> {
        self.changes().filter(|step| step.action == Action::Destroy)
    }

    /// The steps that block the plan.
    pub fn blocked(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| self.is_blocked_by(step))
    }

    /// Whether a step, as it stands, blocks the whole plan.
    pub fn is_blocked_by(&self, step: &Step) -> bool {
        self.options.mode.is_blocked_by(step)
    }

    /// Whether carrying it out sends a request, if only to read.
    pub fn calls_api(&self) -> bool {
        self.steps.iter().any(|step| step.action.calls_api())
    }

    /// Whether manifests and state differ, whether or not anything can be done about it.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| step.action != Action::NoOp)
    }
}

#[cfg(test)]
mod tests;
