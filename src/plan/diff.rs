//! Declared against recorded, address by address. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::moves::{self, MoveProblem};
use super::{Action, Ids, Mode, Options, Reason, Refusal, Step};
use crate::model::kind::Update;
use crate::model::{Address, Attributes, Desired, Environment, Field, Import, InstanceKey, Role};
use crate::state::{Origin, Record, State, Status};

/// One step for every environment that is declared or on record: declared ones in declared order, then the rest by
/// address, then what was replaced.
///
/// # Errors
/// With the moves that don't fit what is on record.
pub fn diff(
    desired: &Desired,
    state: Option<&State>,
    options: &Options,
) -> Result<Vec<Step>, Vec<MoveProblem>> {
    let declared: HashSet<&Address> =
        desired.environments.iter().map(|environment| &environment.address).collect();
    let is_selected = options.filter();
    let mut steps = match &options.mode {
        Mode::Normal => all(desired, state, options, &declared)?,
        Mode::Destroy(addresses) => {
            // What is to move to a declared address is declared.
            let came_from = moves::resolve(desired, state)?;
            let leaving: HashSet<&Address> = came_from.values().collect();
            let records = state.into_iter().flat_map(State::current);
            let wanted: HashSet<&Address> = addresses.iter().collect();
            records
                .filter(|(address, _)| wanted.contains(address))
                .map(|(address, record)| {
                    let is_declared = declared.contains(address) || leaving.contains(address);
                    let refusal =
                        is_declared.then_some(Refusal::StillDeclared).or_else(|| kept(record, options));
                    if record.status == Status::Isolated && refusal.is_none() && !options.purge {
                        return left_over(address, record, false, options);
                    }
                    destroyed(address, record, Reason::DestroyRequested, refusal)
                })
                .collect()
        }
        Mode::DestroyDeposed(addresses) => {
            let records = state.into_iter().flat_map(State::deposed);
            records
                .filter(|(InstanceKey { address, .. }, _)| addresses.contains(address))
                .map(|(InstanceKey { address, .. }, record)| {
                    // What it was declared with is nobody's to change any more; what is declared at its address is.
                    let declared = desired.environments.iter();
                    let declared = declared.into_iter().find(|environment| environment.address == *address);
                    let record = Record {
                        prevent_destroy: declared.map_or(record.prevent_destroy, |environment| {
                            environment.lifecycle.prevent_destroy
                        }),
                        ..record.clone()
                    };
                    let at_address = state.and_then(|state| state.get(address));
                    let refusal = match at_address.map(|record| record.status) {
                        // It may be the only one that there is.
                        Some(Status::Unknown) => Some(Refusal::ReplacementUnknown),
                        Some(
                            Status::Created | Status::AwaitingEnvId | Status::Isolated | Status::Destroying,
                        )
                        | None => kept(&record, options),
                    };
                    Step { deposed: true, ..destroyed(address, &record, Reason::DestroyRequested, refusal) }
                })
                .collect()
        }
    };
    steps.retain(|step| selects(options, &is_selected, step));
    Ok(steps)
}

/// Whether a plan is about a step. One that is moved may be named by either of its addresses.
fn selects(options: &Options, is_selected: impl Fn(&Address) -> bool, step: &Step) -> bool {
    let Some(previous) = &step.previous_address else {
        return is_selected(&step.address);
    };
    let is_excluded = |address| options.excludes.contains(address);
    !is_excluded(&step.address)
        && !is_excluded(previous)
        && (is_selected(&step.address) || is_selected(previous))
}

fn all(
    desired: &Desired,
    state: Option<&State>,
    options: &Options,
    declared: &HashSet<&Address>,
) -> Result<Vec<Step>, Vec<MoveProblem>> {
    let came_from = moves::resolve(desired, state)?;
    let moved: HashSet<&Address> = came_from.values().collect();
    let removed: HashSet<&Address> = desired.removed.iter().map(|removed| &removed.address).collect();
    let replaces: HashSet<&Address> = options.replaces.iter().collect();
    let records = Records::new(state, declared);
    let replaced_before: HashSet<&Address> =
        state.into_iter().flat_map(State::deposed).map(|(key, _)| &key.address).collect();
    let deposed_at = |address: &Address| replaced_before.contains(address);
    let at = |address: &Address| state.and_then(|state| state.get(address));
    let environments = desired.environments.iter().map(|environment| {
        let address = &environment.address;
        let previous = came_from.get(address);
        match at(previous.unwrap_or(address)) {
            Some(record) => Change {
                environment,
                record,
                previous,
                wants_replacement: replaces.contains(address),
                was_replaced: deposed_at(address) || previous.is_some_and(deposed_at),
                records: &records,
            }
            .step(),
            None => match &environment.import {
                Some(import) => adopted(environment, import, &records),
                None => new(environment, &records),
            },
        }
    });
    let on_record = state.into_iter().flat_map(State::current);
    let left = on_record
        .filter(|(address, _)| !declared.contains(address) && !moved.contains(address))
        .map(|(address, record)| left_over(address, record, removed.contains(address), options));
    let deposed = state.into_iter().flat_map(State::deposed);
    let deposed = deposed.map(|(key, record)| replaced(&key.address, record));
    Ok(environments.chain(left).chain(deposed).collect())
}

/// The fields whose values don't mean the same any more.
///
/// A manifest that names the id which its own order returned has not changed: `known_env_id` is that id.
pub fn changed_fields(before: &Attributes, known_env_id: Option<&str>, after: &Attributes) -> Vec<Field> {
    after
        .kind()
        .fields()
        .filter(|field| match (before.get(*field), after.get(*field)) {
            (None, None) => false,
            (Some(old), Some(new)) => !field.same(old, new),
            (None, Some(new)) => !(field.role == Some(Role::EnvId) && known_env_id == new.as_text()),
            (Some(_), None) => true,
        })
        .collect()
}

/// An environment that is declared and on record.
struct Change<'a> {
    environment: &'a Environment,
    record: &'a Record,
    previous: Option<&'a Address>,
    wants_replacement: bool,
    /// What stood at its address before is on record yet.
    was_replaced: bool,
    records: &'a Records<'a>,
}

impl Change<'_> {
    fn step(&self) -> Step {
        let Self { environment, record, previous, .. } = self;
        let declared = &environment.attributes;
        let settled = settled(environment, record);
        let (action, reason, refusal) = self.decide(&settled);
        let is_new = match action {
            Action::Replace | Action::Create => true,
            Action::Update
            | Action::Destroy
            | Action::Forget
            | Action::Import
            | Action::Move
            | Action::Resolve
            | Action::Wait
            | Action::NoOp => false,
        };
        let protection = environment.lifecycle.prevent_destroy;
        Step {
            address: environment.address.clone(),
            previous_address: previous.cloned(),
            deposed: false,
            action,
            reason,
            refusal,
            before: (action != Action::Create).then(|| record.attributes.clone()),
            // What is ordered is what is declared, whatever stays as it is otherwise.
            after: Some(if is_new { declared.clone() } else { settled }),
            was_protected: record.prevent_destroy,
            prevent_destroy: match record.status {
                Status::Unknown | Status::AwaitingEnvId | Status::Destroying => record.prevent_destroy,
                Status::Created | Status::Isolated => protection,
            },
            ids: match action {
                Action::Create => Ids::default(),
                Action::Update
                | Action::Replace
                | Action::Destroy
                | Action::Forget
                | Action::Import
                | Action::Move
                | Action::Resolve
                | Action::Wait
                | Action::NoOp => ids(record),
            },
            source: environment.source.clone(),
        }
    }

    fn decide(&self, settled: &Attributes) -> (Action, Reason, Option<Refusal>) {
        let Self { environment, record, previous, wants_replacement, was_replaced, records } = self;
        match record.status {
            // What an unknown order asked for may exist: nothing else is said of it before that is settled.
            Status::Unknown => return (Action::Resolve, Reason::OutcomeUnknown, None),
            // Whether it is still there is for the account to say.
            Status::Destroying => return (Action::Resolve, Reason::BeingDestroyed, None),
            Status::Isolated if environment.import.is_none() => {
                let named = environment.attributes.env_id();
                let refusal = if named.is_some() && named == record.env_id.as_deref() {
                    Some(Refusal::ReplacesItself)
                } else {
                    records.refusal(&environment.attributes)
                };
                return (Action::Create, Reason::GivenUp, refusal);
            }
            Status::Isolated | Status::Created | Status::AwaitingEnvId => {}
        }
        if let Some(import) = &environment.import
            && let Some(env_id) = record.env_id.as_ref().filter(|id| **id != import.env_id)
        {
            let refusal = Refusal::ImportsAnother { env_id: env_id.clone() };
            return (Action::Import, Reason::ImportDeclared, Some(refusal));
        }
        if record.status == Status::Isolated {
            // It may have been brought back: adopted then, and never ordered.
            return (Action::Import, Reason::ImportDeclared, None);
        }
        let changed = changed_fields(&record.attributes, record.env_id.as_deref(), settled);
        let waits = record.status == Status::AwaitingEnvId;
        if *wants_replacement {
            let named = environment.attributes.env_id();
            let refusal = if environment.import.is_some() {
                Some(Refusal::ReplacesImported)
            } else if waits {
                Some(Refusal::ReplacesAwaiting)
            } else if named.is_some() && named == record.env_id.as_deref() {
                Some(Refusal::ReplacesItself)
            } else if changed.is_empty() && *was_replaced {
                Some(Refusal::ReplacedAlready)
            } else {
                None
            };
            return (Action::Replace, Reason::ReplaceRequested, refusal);
        }
        let in_place = |field: &Field| field.update == Update::InPlace;
        match changed.as_slice() {
            changed if waits && changed.iter().all(in_place) => (Action::Wait, Reason::AwaitingEnvId, None),
            [] if record.prevent_destroy != environment.lifecycle.prevent_destroy => {
                (Action::Update, Reason::ProtectionChanged, None)
            }
            [] if previous.is_some() => (Action::Move, Reason::Moved, None),
            [] => (Action::NoOp, Reason::Unchanged, None),
            changed if changed.iter().all(in_place) => (Action::Update, Reason::AliasChanged, None),
            _ => (Action::Replace, Reason::FixedAtOrder, Some(Refusal::Replacement)),
        }
    }
}

/// What is declared, but for what is to stay as it is: fields whose changes are ignored, and an alias that is not declared
/// any more, which the vendor can't take away.
fn settled(environment: &Environment, record: &Record) -> Attributes {
    let mut settled = environment.attributes.clone();
    let ignored: &BTreeSet<Field> = &environment.lifecycle.ignore_changes;
    for field in settled.kind().fields() {
        // What was adopted is on record with all that the account told, declared or not.
        let is_left = field.update == Update::InPlace || record.origin == Origin::Imported;
        let kept = ignored.contains(&field) || (is_left && settled.get(field).is_none());
        if kept {
            match record.attributes.get(field) {
                Some(value) => settled.set(field, value),
                None => settled.unset(field),
            }
        }
    }
    settled
}

fn new(environment: &Environment, records: &Records<'_>) -> Step {
    Step {
        address: environment.address.clone(),
        previous_address: None,
        deposed: false,
        action: Action::Create,
        reason: Reason::NotOrdered,
        refusal: records.refusal(&environment.attributes),
        before: None,
        after: Some(environment.attributes.clone()),
        was_protected: false,
        prevent_destroy: environment.lifecycle.prevent_destroy,
        ids: Ids::default(),
        source: environment.source.clone(),
    }
}

fn adopted(environment: &Environment, import: &Import, records: &Records<'_>) -> Step {
    let Import { env_id, tran_id, source: _ } = import;
    Step {
        action: Action::Import,
        reason: Reason::ImportDeclared,
        // What was replaced here may have its address back.
        refusal: records
            .managed(env_id)
            .filter(|refusal| refusal.other() != Some(environment.address.as_str())),
        ids: Ids { env_id: Some(env_id.clone()), tran_id: tran_id.clone(), request_id: None },
        ..new(environment, records)
    }
}

fn left_over(address: &Address, record: &Record, is_removed: bool, options: &Options) -> Step {
    let step = |action, reason| Step { action, reason, ..destroyed(address, record, reason, None) };
    match record.status {
        Status::Unknown => step(Action::Resolve, Reason::OutcomeUnknown),
        Status::Created | Status::AwaitingEnvId | Status::Isolated | Status::Destroying if is_removed => {
            step(Action::Forget, Reason::Removed)
        }
        Status::Isolated => step(Action::NoOp, Reason::Isolated),
        // To ask for it again gives up no other.
        Status::Destroying => destroyed(address, record, Reason::BeingDestroyed, kept(record, options)),
        Status::Created | Status::AwaitingEnvId => {
            destroyed(address, record, Reason::NotDeclared, kept(record, options))
        }
    }
}

/// Why an environment is not given up.
fn kept(record: &Record, options: &Options) -> Option<Refusal> {
    if record.prevent_destroy {
        Some(Refusal::PreventDestroy)
    } else if !options.allow_destroy {
        Some(Refusal::DestroyNotAllowed)
    } else {
        None
    }
}

fn replaced(address: &Address, record: &Record) -> Step {
    let reason = match record.status {
        Status::Isolated => Reason::Isolated,
        Status::Destroying => Reason::BeingDestroyed,
        Status::Created | Status::AwaitingEnvId | Status::Unknown => Reason::Deposed,
    };
    Step { deposed: true, action: Action::NoOp, reason, ..destroyed(address, record, reason, None) }
}

fn destroyed(address: &Address, record: &Record, reason: Reason, refusal: Option<Refusal>) -> Step {
    // Without an id there is nothing that could be named to the vendor.
    let (action, reason, refusal) = match record.status {
        Status::Unknown => (Action::Resolve, Reason::OutcomeUnknown, None),
        Status::AwaitingEnvId if refusal.is_none() => (Action::Wait, Reason::AwaitingEnvId, None),
        Status::Created | Status::AwaitingEnvId | Status::Isolated | Status::Destroying => {
            (Action::Destroy, reason, refusal)
        }
    };
    Step {
        address: address.clone(),
        previous_address: None,
        deposed: false,
        action,
        reason,
        refusal,
        before: Some(record.attributes.clone()),
        after: None,
        was_protected: record.prevent_destroy,
        prevent_destroy: record.prevent_destroy,
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
        let mut records =
            Self { by_env_id: HashMap::new(), by_alias: HashMap::new(), nameless: HashMap::new() };
        for (address, record) in state.into_iter().flat_map(State::records) {
            for id in [record.env_id.as_deref(), record.attributes.env_id()].into_iter().flatten() {
                records.by_env_id.insert(id, address);
            }
        }
        for (address, record) in state.into_iter().flat_map(State::current) {
            if record.status == Status::Isolated {
                // It is given up: another one may have its alias.
                continue;
            }
            match record.attributes.alias() {
                Some(alias) => {
                    records.by_alias.insert(alias, address);
                }
                None if !declared.contains(address) => {
                    records.nameless.entry(&record.attributes).or_insert(address);
                }
                None => {}
            }
        }
        records
    }

    /// An environment has one address.
    fn managed(&self, env_id: &str) -> Option<Refusal> {
        let other = (*self.by_env_id.get(env_id)?).clone();
        Some(Refusal::ManagedAs { other })
    }

    fn refusal(&self, wanted: &Attributes) -> Option<Refusal> {
        if let Some(managed) = wanted.env_id().and_then(|id| self.managed(id)) {
            return Some(managed);
        }
        let same = match wanted.alias() {
            Some(alias) => self.by_alias.get(alias).copied(),
            None => self.nameless.get(wanted).copied(),
        };
        same.map(|from| Refusal::Renamed { from: from.clone() })
    }
}
