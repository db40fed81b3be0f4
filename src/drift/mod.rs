//! Compares manifests, state and account. Pure; nothing here can write.
//!
//! Differences between manifests and state come from the plan, so that the two always agree. `live` compares
//! the state with the account.

mod ignore;
mod live;
mod planned;

use crate::model::Desired;
use crate::plan::Plan;
pub use crate::plan::{Code, Finding, Standing};
use crate::state::State;
pub use ignore::{Ignore, IgnoreError};
pub use live::Live;

/// What counts as drift.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Count unmanaged environments too.
    pub strict: bool,
    /// Accepted drift. None of them has expired.
    pub ignores: Vec<Ignore>,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// By address in plan order, then by environment id.
    pub findings: Vec<Finding>,
    pub declared: usize,
    pub recorded: usize,
    /// The number of environments in the account; None when it was not read.
    pub seen: Option<usize>,
}

impl Drift {
    /// Returns the findings that count.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.standing == Standing::Counted)
    }

    /// Returns whether any finding counts; decides the exit code.
    pub fn is_drift(&self) -> bool {
        self.counted().next().is_some()
    }
}

/// Compares all three. `plan` is the plan for the manifests and the state; without `live` the account is left
/// out.
pub fn compare(
    plan: &Plan,
    desired: &Desired,
    state: Option<&State>,
    live: Option<&Live>,
    options: &Options,
) -> Drift {
    let mut findings = planned::findings(plan);
    if let Some(live) = live {
        findings.extend(live::findings(live, desired, state, plan));
    }
    set_standing(&mut findings, options);
    Drift {
        findings,
        declared: desired.environments.len(),
        recorded: state.map_or(0, |state| state.current().count()),
        seen: live.map(|live| live.environments.len()),
    }
}

/// Like [`compare`], but returns only findings that are not in the plan.
pub fn unplanned_findings(
    plan: &Plan,
    desired: &Desired,
    state: Option<&State>,
    live: &Live,
    options: &Options,
) -> Vec<Finding> {
    let mut findings = live::findings(live, desired, state, plan);
    set_standing(&mut findings, options);
    findings
}

/// Sets whether each finding counts.
fn set_standing(findings: &mut [Finding], options: &Options) {
    for finding in findings {
        let ignore = options.ignores.iter().find(|ignore| ignore.covers(finding));
        if let Some(ignore) = ignore {
            finding.standing = Standing::Ignored;
            finding.reason = Some(ignore.reason.clone());
        } else if finding.code == Code::Unmanaged && !options.strict {
            finding.standing = Standing::NotCounted;
        }
    }
}

#[cfg(test)]
mod tests;
