//! Edits that a user makes to the state: what they change, and what would be lost. Pure.
//!
//! Edits go through a journal like every other change, so that the receipts can rebuild the state.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::compare::{Difference, differences};
use super::journal::{Edit, Edited, Event, RunStarted};
use crate::model::{Address, InstanceKey};
use crate::state::record::{Record, State, Status};
use crate::state::replay::Replay;

/// A change of one environment in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    #[serde(flatten)]
    pub kind: Kind,
    pub key: InstanceKey,
    /// As before the change; for a new one, as after it.
    pub record: Record,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Kind {
    Added,
    Changed { fields: Vec<Difference> },
    Moved { to: InstanceKey },
    Forgotten,
}

/// Something that would be lost from the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    EnvId {
        key: InstanceKey,
        id: String,
    },
    TranId {
        key: InstanceKey,
        id: String,
    },
    /// A create with an unknown outcome: without its record the next apply would repeat it.
    Unknown {
        address: Address,
    },
}

/// Returns the state after a run of these edits.
pub fn after(before: &State, started: RunStarted, at: Timestamp, edits: &[Edited]) -> State {
    let mut replay = Replay::new(Some(before.clone()), started);
    for edited in edits {
        replay.apply(at, &Event::Edited(edited.clone()));
    }
    replay.finish()
}

/// Returns the changes that a move makes: to the current environment and to the former ones.
pub fn moved(state: &State, from: &Address, to: &Address) -> Vec<Change> {
    let at_address = state.environments.iter().filter(|(key, _)| key.address == *from);
    at_address
        .map(|(key, record)| Change {
            key: key.clone(),
            record: record.clone(),
            kind: Kind::Moved { to: key.moved_to(to) },
        })
        .collect()
}

/// Returns the changes between two states, by environment. The state's own members are not compared.
pub fn changes(before: &State, after: &State) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for difference in differences(before, after) {
        match difference {
            Difference::Member { .. } => {}
            Difference::Missing { key, record } => {
                changes.push(Change { key, record: *record, kind: Kind::Added });
            }
            Difference::Surplus { key, record } => {
                changes.push(Change { key, record: *record, kind: Kind::Forgotten });
            }
            Difference::Field { ref key, .. } => match changes.last_mut().filter(|last| last.key == *key) {
                Some(Change { kind: Kind::Changed { fields }, .. }) => fields.push(difference),
                _ => changes.extend(before.environments.get(key).map(|record| Change {
                    key: key.clone(),
                    record: record.clone(),
                    kind: Kind::Changed { fields: vec![difference.clone()] },
                })),
            },
        }
    }
    with_moves(changes)
}

/// Replaces each pair of equal forgotten and added records by a move.
fn with_moves(changes: Vec<Change>) -> Vec<Change> {
    let (mut added, mut others): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.kind == Kind::Added);
    for change in others.iter_mut().filter(|change| change.kind == Kind::Forgotten) {
        let is_it = |it: &Change| {
            Record { deposed_at: change.record.deposed_at, ..it.record.clone() } == change.record
        };
        if let Some(at) = added.iter().position(is_it) {
            change.kind = Kind::Moved { to: added.remove(at).key };
        }
    }
    added.append(&mut others);
    added
}

/// Returns the edits that turn the environments of one state into those of another.
///
/// Additions come first and removals last: a run cut off in between leaves duplicates rather than gaps.
pub fn edits_between(before: &State, into: &State) -> Vec<Edit> {
    let (new, there): (Vec<_>, Vec<_>) =
        into.environments.iter().partition(|(key, _)| !before.environments.contains_key(key));
    let changed =
        new.into_iter().chain(there).filter(|(key, record)| before.environments.get(key) != Some(record));
    let changed = changed.map(|(key, record)| Edit::set(key.clone(), Some(record.clone())));
    let gone = before.environments.keys().filter(|key| !into.environments.contains_key(key));
    changed.chain(gone.map(|key| Edit::set(key.clone(), None))).collect()
}

/// Returns what the first state has and the second does not.
pub fn lost(before: &State, after: &State) -> Vec<Loss> {
    let ids = |id: fn(&Record) -> Option<&String>| -> BTreeSet<&String> {
        after.environments.values().filter_map(id).collect()
    };
    let env_ids = ids(|record| record.env_id.as_ref());
    let tran_ids = ids(|record| record.tran_id.as_ref());
    let mut lost = Vec::new();
    for (key, record) in &before.environments {
        let gone = |id: &Option<String>, kept: &BTreeSet<_>| id.clone().filter(|id| !kept.contains(id));
        let env_id = gone(&record.env_id, &env_ids);
        let tran_id = gone(&record.tran_id, &tran_ids);
        lost.extend(env_id.map(|id| Loss::EnvId { key: key.clone(), id }));
        lost.extend(tran_id.map(|id| Loss::TranId { key: key.clone(), id }));
        if !key.is_deposed() && record.status == Status::Unknown && !after.environments.contains_key(key) {
            lost.push(Loss::Unknown { address: key.address.clone() });
        }
    }
    lost
}

/// Returns whether two states have the same environments, apart from the run that wrote them.
pub fn same_environments(one: &State, other: &State) -> bool {
    one.environments == other.environments
}

#[cfg(test)]
mod tests;
