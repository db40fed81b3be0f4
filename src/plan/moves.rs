//! Resolves `moved` blocks to the new address of each record. Pure.
//!
//! Blocks stay in the manifests after they are applied, and may form a chain: `a` to `b` in one month, `b` to
//! `c` in the next. A record anywhere on the chain moves to its end.

use std::collections::{HashMap, HashSet};

use crate::i18n::{Text, text};
use crate::model::{Address, Desired, Moved};
use crate::state::State;

/// A `moved` block that does not fit the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveProblem {
    pub moved: Moved,
    pub why: MoveError,
}

/// Why it does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveError {
    /// The target would be created as a new environment.
    Missing {
        from: Address,
        to: Address,
    },
    Used {
        from: Address,
        to: Address,
    },
    /// The checks of the manifests report it first, with its place.
    Cycle {
        from: Address,
    },
}

impl MoveError {
    /// Returns the stable code, the message and the help.
    pub fn explain(&self) -> (&'static str, Text, Text) {
        match self {
            Self::Missing { from, to } => (
                "moved-missing",
                text!("the state has neither `{from}` nor `{to}`", from, to),
                text!(
                    "if `{to}` is a new environment, remove the `moved` entry; otherwise find its address with `postpay state list`",
                    to
                ),
            ),
            Self::Used { from, to } => (
                "moved-used",
                text!("cannot move `{from}` to `{to}`: the state has both", from, to),
                text!(
                    "choose another address, or remove one from the state first: `postpay state rm {from}`",
                    from
                ),
            ),
            Self::Cycle { from } => (
                "moved-cycle",
                text!("the moves from `{from}` form a cycle", from),
                Text::fixed("remove one of the `moved` entries"),
            ),
        }
    }
}

/// Returns the current address of each record that moves, by its new address.
///
/// # Errors
/// All blocks that do not fit.
pub fn resolve(
    desired: &Desired,
    state: Option<&State>,
) -> Result<HashMap<Address, Address>, Vec<MoveProblem>> {
    let on_record = |address: &Address| state.is_some_and(|state| state.get(address).is_some());
    let before: HashMap<&Address, &Moved> = desired.moved.iter().map(|moved| (&moved.to, moved)).collect();
    let sources: HashMap<&Address, &Moved> = desired.moved.iter().map(|moved| (&moved.from, moved)).collect();
    let mut resolved = HashMap::new();
    let mut problems = Vec::new();
    let mut walked: HashSet<&Address> = HashSet::new();
    for last in &desired.moved {
        if sources.contains_key(&last.to) {
            continue;
        }
        // From the end of the chain to its start.
        let chain: Vec<&Moved> =
            std::iter::successors(Some(last), |moved| before.get(&moved.from).copied()).collect();
        walked.extend(chain.iter().map(|moved| &moved.from));
        let target = &last.to;
        let mut recorded = chain.iter().filter(|moved| on_record(&moved.from));
        match (recorded.next(), on_record(target)) {
            (None, true) => {}
            (None, false) => problems.push(MoveProblem {
                moved: (*last).clone(),
                why: MoveError::Missing { from: last.from.clone(), to: target.clone() },
            }),
            (Some(first), used) => {
                let others = recorded.map(|other| (*other, &first.from));
                let clash = used.then_some((*first, target)).into_iter().chain(others);
                let before = problems.len();
                problems.extend(clash.map(|(moved, to)| MoveProblem {
                    moved: moved.clone(),
                    why: MoveError::Used { from: moved.from.clone(), to: to.clone() },
                }));
                if problems.len() == before {
                    resolved.insert(target.clone(), first.from.clone());
                }
            }
        }
    }
    // Blocks that no end leads to are a cycle.
    for moved in &desired.moved {
        if walked.contains(&moved.from) {
            continue;
        }
        let round = std::iter::successors(Some(moved), |moved| sources.get(&moved.to).copied());
        walked.extend(round.map(|moved| &moved.from).take(sources.len()).take_while({
            let mut first = true;
            move |from| std::mem::take(&mut first) || **from != moved.from
        }));
        problems
            .push(MoveProblem { moved: moved.clone(), why: MoveError::Cycle { from: moved.from.clone() } });
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}
