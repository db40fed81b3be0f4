//! Manifests, state and account against one another. Pure, and with nothing in reach that could write.
//!
//! What differs between manifests and state is what a plan says; it is taken from there, so that the two can't disagree.
//! What differs between state and account is compared in `live`, field by field, as far as the account tells.

mod ignore;
mod live;
mod planned;

use crate::model::Desired;
use crate::plan::Plan;
pub use crate::plan::{Code, Finding, Standing};
use crate::state::State;
pub use ignore::{Ignore, IgnoreError};
pub use live::Live;

/// How strictly it is looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Environments of the account that nobody declares count too.
    pub strict: bool,
    /// What is known and accepted. None of them has expired.
    pub ignores: Vec<Ignore>,
}

/// Everything that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// By address in the order of the plan, then by environment id.
    pub findings: Vec<Finding>,
    pub declared: usize,
    pub recorded: usize,
    /// How many environments the account has; None when it was not looked at.
    pub seen: Option<usize>,
}

impl Drift {
    /// The findings that count.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.standing == Standing::Counts)
    }

    /// True when something counts: what the exit code says.
    pub fn is_drift(&self) -> bool {
        self.counted().next().is_some()
    }
}

/// Compares all three; `plan` is what the manifests and the state make, and without `live` the account is left out.
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
    judge(&mut findings, options);
    Drift {
        findings,
        declared: desired.environments.len(),
        recorded: state.map_or(0, |state| state.current().count()),
        seen: live.map(|live| live.environments.len()),
    }
}

/// What the account shows otherwise than it is in the state: [`compare`] without what a plan says itself.
pub fn noticed(
    plan: &Plan,
    desired: &Desired,
    state: Option<&State>,
    live: &Live,
    options: &Options,
) -> Vec<Finding> {
    let mut findings = live::findings(live, desired, state, plan);
    judge(&mut findings, options);
    findings
}

/// Says of each finding whether it counts.
fn judge(findings: &mut [Finding], options: &Options) {
    for finding in findings {
        let ignore = options.ignores.iter().find(|ignore| ignore.covers(finding));
        if let Some(ignore) = ignore {
            finding.standing = Standing::Ignored { reason: ignore.reason.clone() };
        } else if finding.code == Code::Unmanaged && !options.strict {
            finding.standing = Standing::Told;
        }
    }
}

#[cfg(test)]
mod tests;
