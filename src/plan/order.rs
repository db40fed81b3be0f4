//! The order in which steps are carried out. Pure.

use super::{Action, Step};

/// State-only steps first, then orders as declared, then changes in place, and what is given up last, in reverse.
pub fn order(steps: Vec<Step>) -> Vec<Step> {
    let mut ranks: Vec<(u8, Step)> = steps.into_iter().map(|step| (rank(&step), step)).collect();
    ranks.sort_by_key(|(rank, _)| *rank);
    let first_destroy = ranks.partition_point(|(rank, _)| *rank < DESTROYS);
    ranks[first_destroy..].reverse();
    ranks.into_iter().map(|(_, step)| step).collect()
}

const DESTROYS: u8 = 3;

fn rank(step: &Step) -> u8 {
    match step.action {
        Action::Forget | Action::Import | Action::Move | Action::Resolve | Action::Wait | Action::NoOp => 0,
        Action::Create | Action::Replace => 1,
        Action::Update if step.renames().is_none() => 0,
        Action::Update => 2,
        Action::Destroy => DESTROYS,
    }
}
