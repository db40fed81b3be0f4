//! What `moved` blocks come to: which record stands at which address from here on. Pure.
//!
//! Blocks stay in the manifests after they are carried out, and may follow on one another: `a` to `b` in one month, `b` to
//! `c` in the next. So a chain of them is taken as a whole. One record stands somewhere on it, and belongs at its end.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::lang::{Text, text};
use crate::model::{Address, Desired, Moved};
use crate::state::State;

/// A `moved` block that does not fit what is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveProblem {
    pub moved: Moved,
    pub why: MoveError,
}

/// Why it does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// The target would be ordered as if it were new.
    Missing {
        from: Address,
        to: Address,
    },
    Used {
        from: Address,
        to: Address,
    },
    /// A state that no check has seen. The rules for manifests refuse it with a place.
    Cycle {
        from: Address,
    },
}

impl MoveError {
    pub fn text(&self) -> Text {
        match self {
            Self::Missing { from, to } => {
                text!("nothing is on record at `{from}`, nor at `{to}`", "`{from}` 和 `{to}` 都没有记录")
            }
            Self::Used { from, to } => text!(
                "`{from}` can't become `{to}`: both are on record",
                "`{from}` 不能改为 `{to}`：两者都有记录"
            ),
            Self::Cycle { from } => {
                text!("the moves from `{from}` lead back to it", "从 `{from}` 开始的移动又回到了它自己")
            }
        }
    }
}

impl fmt::Display for MoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// The address that each moved record stands at so far, by the address that it gets.
///
/// # Errors
/// With every block that does not fit.
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
        // From its end back to its beginning.
        let chain: Vec<&Moved> =
            std::iter::successors(Some(last), |moved| before.get(&moved.from).copied()).collect();
        walked.extend(chain.iter().map(|moved| &moved.from));
        let target = &last.to;
        let mut standing = chain.iter().filter(|moved| on_record(&moved.from));
        match (standing.next(), on_record(target)) {
            (None, true) => {}
            (None, false) => problems.push(MoveProblem {
                moved: (*last).clone(),
                why: MoveError::Missing { from: last.from.clone(), to: target.clone() },
            }),
            (Some(first), used) => {
                let others = standing.map(|other| (*other, &first.from));
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
    // What no end leads back to goes round.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_told_in_both_languages() {
        let (from, to) = (|| Address::new("a").unwrap(), || Address::new("b").unwrap());
        for error in [
            MoveError::Missing { from: from(), to: to() },
            MoveError::Used { from: from(), to: to() },
            MoveError::Cycle { from: from() },
        ] {
            assert!(error.text().is_in_both(), "{error}");
        }
    }
}
