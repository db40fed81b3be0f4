//! The order in which steps are carried out. Pure.

use super::{Action, Step};

/// State-only steps first, then orders as declared, then changes in place, and what is given up last, in reverse.
pub fn order(steps: Vec<Step>) -> Vec<Step> {
    let mut ranks: Vec<(u8, Step)> = steps
        .into_iter()
        .map(|step| (rank(step.action), step))
        .collect();
    ranks.sort_by_key(|(rank, _)| *rank);
    let first_destroy = ranks.partition_point(|(rank, _)| *rank < rank_of_destroy());
    ranks[first_destroy..].reverse();
    ranks.into_iter().map(|(_, step)| step).collect()
}

const fn rank(action: Action) -> u8 {
    match action {
        Action::Resolve | Action::Wait | Action::NoOp => 0,
        Action::Create | Action::Replace => 1,
        Action::Update => 2,
        Action::Destroy => 3,
    }
}

const fn rank_of_destroy() -> u8 {
    rank(Action::Destroy)
}
