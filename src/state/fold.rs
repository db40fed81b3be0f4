//! Journal into state.

use super::State;
use super::journal::Journal;

/// stub
pub fn fold(state: Option<State>, _journal: &Journal) -> State {
    state.unwrap_or_else(|| unimplemented!())
}
