//! Declared against recorded, address by address. Pure.

use std::collections::{HashMap, HashSet};

use super::{Action, Ids, Reason, Refusal, Selection, Step};
use crate::desired::{Address, Attributes, Desired, Environment, Field};
use crate::state::{Record, State, Status};

/// One step for every address that is declared or on record: declared ones in declared order, then the rest by address.
pub fn diff(desired: &Desired, state: Option<&State>, selection: &Selection) -> Vec<Step> {
    let declared: HashSet<&Address> = desired
        .environments
        .iter()
        .map(|environment| &environment.address)
        .collect();
    let records = Records::new(state, &declared);
    let is_selected = selection.filter();
    let left_over = state.into_iter().flat_map(|state| {
        state
            .environments
            .iter()
            .filter(|(address, _)| !declared.contains(address))
            .map(left_over)
    });
    desired
        .environments
        .iter()
        .map(|environment| {
            match state.and_then(|state| state.environments.get(&environment.address)) {
                Some(record) => recorded(environment, record),
                None => new(environment, &records),
            }
        })
        .chain(left_over)
        .filter(|step| is_selected(&step.address))
        .collect()
}

/// The fields whose values don't mean the same any more.
///
/// A manifest that names the id which its own order returned has not changed: `known_env_id` is that id.
pub fn changed_fields(
    before: &Attributes,
    known_env_id: Option<&str>,
    after: &Attributes,
) -> Vec<Field> {
    Field::ALL
        .into_iter()
        .filter(|field| match (before.get(*field), after.get(*field)) {
            (None, None) => false,
            (Some(old), Some(new)) => !field.same(old, new),
            (None, Some(new)) => !(*field == Field::EnvId && known_env_id == Some(new)),
            (Some(_), None) => true,
        })
        .collect()
}

fn recorded(environment: &Environment, record: &Record) -> Step {
    let changed = changed_fields(
        &record.attributes,
        record.env_id.as_deref(),
        &environment.attributes,
    );
    let (action, reason, refusal) = match record.status {
        // What an unknown order asked for may exist: nothing else is said of it before that is settled.
        Status::Unknown => (Action::Resolve, Reason::OutcomeUnknown, None),
        Status::Created | Status::AwaitingEnvId => match (changed.as_slice(), record.status) {
            ([], Status::AwaitingEnvId) => (Action::Wait, Reason::AwaitingEnvId, None),
            ([], Status::Created | Status::Unknown) => (Action::NoOp, Reason::Unchanged, None),
            ([Field::Alias], _) => (
                Action::Update,
                Reason::AliasChanged,
                Some(Refusal::InPlaceChange),
            ),
            (_, _) => (
                Action::Replace,
                Reason::FixedAtOrder,
                Some(Refusal::Replacement),
            ),
        },
    };
    Step {
        address: environment.address.clone(),
        action,
        reason,
        refusal,
        before: Some(record.attributes.clone()),
        after: Some(environment.attributes.clone()),
        ids: ids(record),
        source: environment.source.clone(),
    }
}

fn new(environment: &Environment, records: &Records<'_>) -> Step {
    Step {
        address: environment.address.clone(),
        action: Action::Create,
        reason: Reason::NotOrdered,
        refusal: records.refusal(&environment.attributes),
        before: None,
        after: Some(environment.attributes.clone()),
        ids: Ids::default(),
        source: environment.source.clone(),
    }
}

fn left_over((address, record): (&Address, &Record)) -> Step {
    let (action, reason) = match record.status {
        Status::Unknown => (Action::Resolve, Reason::OutcomeUnknown),
        Status::Created | Status::AwaitingEnvId => (Action::Destroy, Reason::NotDeclared),
    };
    Step {
        address: address.clone(),
        action,
        reason,
        refusal: None,
        before: Some(record.attributes.clone()),
        after: None,
        ids: ids(record),
        source: record.source.clone(),
    }
}

fn ids(record: &Record) -> Ids {
    Ids {
        env_id: record.env_id.clone(),
        tran_id: record.tran_id.clone(),
        request_id: record.request_id.clone(),
    }
}

/// What would make a new order a second one for the same environment.
struct Records<'a> {
    by_env_id: HashMap<&'a str, &'a Address>,
    by_alias: HashMap<&'a str, &'a Address>,
    /// Left-over ones alone: that two declared environments without a name look alike is the manifest's business.
    nameless: HashMap<&'a Attributes, &'a Address>,
}

impl<'a> Records<'a> {
    fn new(state: Option<&'a State>, declared: &HashSet<&Address>) -> Self {
        let mut records = Self {
            by_env_id: HashMap::new(),
            by_alias: HashMap::new(),
            nameless: HashMap::new(),
        };
        for (address, record) in state.into_iter().flat_map(|state| &state.environments) {
            for id in [
                record.env_id.as_deref(),
                record.attributes.get(Field::EnvId),
            ]
            .into_iter()
            .flatten()
            {
                records.by_env_id.insert(id, address);
            }
            match record.attributes.get(Field::Alias) {
                Some(alias) => {
                    records.by_alias.insert(alias, address);
                }
                None if !declared.contains(address) => {
                    records
                        .nameless
                        .entry(&record.attributes)
                        .or_insert(address);
                }
                None => {}
            }
        }
        records
    }

    fn refusal(&self, wanted: &Attributes) -> Option<Refusal> {
        if let Some(other) = wanted
            .get(Field::EnvId)
            .and_then(|id| self.by_env_id.get(id))
        {
            return Some(Refusal::ManagedAs {
                other: (*other).clone(),
            });
        }
        let same = match wanted.get(Field::Alias) {
            Some(alias) => self.by_alias.get(alias).copied(),
            None => self.nameless.get(wanted).copied(),
        };
        same.map(|from| Refusal::Renamed { from: from.clone() })
    }
}
