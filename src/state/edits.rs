//! Changes that a person makes to what is on record: what they come to, and what they would lose. Pure.
//!
//! Nothing here orders, and nothing gives up. The edits go through a journal like every other change, so that the
//! receipts can still rebuild the state.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::compare::{Difference, Place, differences};
use super::journal::{Edit, Edited, Event, RunStarted};
use super::{Folding, Record, State, Status};
use crate::model::Address;

/// What becomes of one environment on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub place: Place,
    /// As it is on record now, or as it will be when it is new.
    pub record: Record,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Added,
    /// The fields that will be others.
    Changed(Vec<Difference>),
    Moved {
        to: Place,
    },
    Forgotten,
}

/// Something that is on record and would not be any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    EnvId {
        place: Place,
        id: String,
    },
    TranId {
        place: Place,
        id: String,
    },
    /// An order whose outcome nobody knows: without its record it would be made again.
    Unknown {
        address: Address,
    },
}

/// The state after these edits, made in a run that starts so.
pub fn after(before: &State, started: RunStarted, at: Timestamp, edits: &[Edited]) -> State {
    let mut folding = Folding::new(Some(before.clone()), started);
    for edited in edits {
        folding.add(at, &Event::Edited(edited.clone()));
    }
    folding.finish()
}

/// What a move from one address to another changes: the environment that stands there, and what it replaced.
pub fn moved(state: &State, from: &Address, to: &Address) -> Vec<Change> {
    let standing = state.environments.get(from);
    let standing = standing.map(|record| (Place::At(from.clone()), record));
    let deposed = state.deposed_at(from).map(|deposed| (Place::of(deposed), &deposed.record));
    standing
        .into_iter()
        .chain(deposed)
        .map(|(place, record)| Change {
            kind: Kind::Moved { to: place.renamed(to) },
            place,
            record: record.clone(),
        })
        .collect()
}

/// What differs between two states, environment by environment.
pub fn changes(before: &State, after: &State) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for difference in differences(before, after) {
        match difference {
            // The state's own members are the writer's, and the order of what was replaced says nothing.
            Difference::Member { .. } => {}
            Difference::Missing { place, record } => {
                changes.push(Change { place, record: *record, kind: Kind::Added });
            }
            Difference::Surplus { place, record } => {
                changes.push(Change { place, record: *record, kind: Kind::Forgotten });
            }
            Difference::Field { ref place, .. } => {
                if let Some(Change { kind: Kind::Changed(fields), .. }) =
                    changes.last_mut().filter(|last| last.place == *place)
                {
                    fields.push(difference);
                } else if let Some(record) = record_at(before, place) {
                    changes.push(Change {
                        place: place.clone(),
                        record: record.clone(),
                        kind: Kind::Changed(vec![difference]),
                    });
                }
            }
        }
    }
    with_moves(changes)
}

/// The same with what only gets another place told as a move.
fn with_moves(changes: Vec<Change>) -> Vec<Change> {
    let (mut added, mut others): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.kind == Kind::Added);
    for change in &mut others {
        let is_it = |it: &Change| change.kind == Kind::Forgotten && it.record == change.record;
        if let Some(at) = added.iter().position(is_it) {
            let to = added.remove(at).place;
            change.kind = Kind::Moved { to };
        }
    }
    added.append(&mut others);
    added
}

/// The edits that turn one state's record into another's, however the two differ.
///
/// What is put on record anew comes first, and what is forgotten last: a run that is cut off in between then rather has
/// something twice than not at all.
pub fn turn(before: &State, into: &State) -> Vec<Edit> {
    let mut edits = Vec::new();
    for deposed in &into.deposed {
        if !before.deposed.contains(deposed) {
            edits.push(Edit::Depose(Box::new(deposed.clone())));
        }
    }
    let is_new = |address: &Address| !before.environments.contains_key(address);
    let (new, there): (Vec<_>, Vec<_>) = into.environments.iter().partition(|(address, _)| is_new(address));
    for (address, record) in new.into_iter().chain(there) {
        if before.environments.get(address) != Some(record) {
            edits.push(Edit::Put { address: address.clone(), record: Box::new(record.clone()) });
        }
    }
    for address in before.environments.keys() {
        if !into.environments.contains_key(address) {
            edits.push(Edit::Forget { address: address.clone() });
        }
    }
    let kept: BTreeSet<_> = into.deposed.iter().map(Place::of).collect();
    for deposed in &before.deposed {
        if let Some(env_id) = &deposed.record.env_id
            && !kept.contains(&Place::of(deposed))
        {
            edits.push(Edit::Deposed {
                address: deposed.address.clone(),
                env_id: env_id.clone(),
                record: None,
            });
        }
    }
    edits
}

/// What a state knows that another one does not.
pub fn lost(before: &State, after: &State) -> Vec<Loss> {
    let ids = |of: fn(&Record) -> Option<&String>| -> BTreeSet<&String> {
        after.records().filter_map(|(_, record)| of(record)).collect()
    };
    let env_ids = ids(|record| record.env_id.as_ref());
    let tran_ids = ids(|record| record.tran_id.as_ref());
    let mut lost = Vec::new();
    for place in Place::all(before) {
        let Some(record) = record_at(before, &place) else {
            continue;
        };
        let gone = |id: &Option<String>, kept: &BTreeSet<_>| id.clone().filter(|id| !kept.contains(id));
        let env_id = gone(&record.env_id, &env_ids);
        let tran_id = gone(&record.tran_id, &tran_ids);
        lost.extend(env_id.map(|id| Loss::EnvId { place: place.clone(), id }));
        lost.extend(tran_id.map(|id| Loss::TranId { place: place.clone(), id }));
        if let Place::At(address) = place
            && record.status == Status::Unknown
            && !after.environments.contains_key(&address)
        {
            lost.push(Loss::Unknown { address });
        }
    }
    lost
}

/// Whether two states have the same on record, whoever wrote them and in whatever order things were replaced.
pub fn same_record(one: &State, other: &State) -> bool {
    changes(one, other).is_empty()
}

fn record_at<'a>(state: &'a State, place: &Place) -> Option<&'a Record> {
    match place {
        Place::At(address) => state.environments.get(address),
        Place::Deposed { address, env_id } => {
            state.deposed_at(address).map(|deposed| &deposed.record).find(|record| record.env_id == *env_id)
        }
    }
}

#[cfg(test)]
mod tests;
