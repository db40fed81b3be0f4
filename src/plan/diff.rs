//! Compares the manifests with the state, address by address. Pure.

use std::collections::{HashMap, HashSet};

use super::moves::{self, MoveProblem};
use super::options::{Mode, Options};
use super::step::{Action, Ids, Reason, Step, StepBlocker};
use crate::model::{Address, Attributes, Desired, Environment, Field, Import, InstanceKey, Role, Value};
use crate::state::{Origin, Record, State, Status};

/// Returns one step per environment: declared ones in declared order, then others in the state by address,
/// then deposed ones.
///
/// # Errors
/// Moves that don't fit the state.
pub fn diff(
    desired: &Desired,
    state: Option<&State>,
    options: &Options,
) -> Result<Vec<Step>, Vec<MoveProblem>> {
    let mut steps = match &options.mode {
        Mode::Normal => all_steps(desired, state, options)?,
        Mode::Destroy(addresses) => requested_destroys(desired, state, options, addresses)?,
        Mode::DestroyDeposed(addresses) => requested_deposed_destroys(desired, state, options, addresses),
    };
    let is_selected = options.filter();
    steps.retain(|step| selects(options, &is_selected, step));
    Ok(steps)
}

/// Sorts steps into execution order: state-only steps, creates as declared, creates inside other environments,
/// updates, then destroys in reverse.
pub fn sort_steps(mut steps: Vec<Step>) -> Vec<Step> {
    const DESTROY: u8 = 4;
    let rank = |step: &Step| match step.action {
        Action::Forget | Action::Import | Action::Move | Action::Resolve | Action::Wait | Action::NoOp => 0,
        Action::Create | Action::Replace if step.is_inside() => 2,
        Action::Create | Action::Replace => 1,
        Action::Update if step.updates().next().is_none() => 0,
        Action::Update => 3,
        Action::Destroy => DESTROY,
    };
    steps.sort_by_key(rank);
    let first_destroy = steps.partition_point(|step| rank(step) < DESTROY);
    steps[first_destroy..].reverse();
    steps
}

/// Returns whether a step is selected. A moved environment is selected by either address.
fn selects(options: &Options, is_selected: impl Fn(&Address) -> bool, step: &Step) -> bool {
    let Some(previous) = &step.previous_address else {
        return is_selected(&step.address);
    };
    let is_excluded = |address| options.excludes.contains(address);
    !is_excluded(&step.address)
        && !is_excluded(previous)
        && (is_selected(&step.address) || is_selected(previous))
}

fn all_steps(
    desired: &Desired,
    state: Option<&State>,
    options: &Options,
) -> Result<Vec<Step>, Vec<MoveProblem>> {
    let moved_from = moves::resolve(desired, state)?;
    let declared = declared_addresses(desired);
    let moved: HashSet<&Address> = moved_from.values().collect();
    let removed: HashSet<&Address> = desired.removed.iter().map(|removed| &removed.address).collect();
    let replaces: HashSet<&Address> = options.replaces.iter().collect();
    let records = Records::new(state, &declared);
    let deposed = || state.into_iter().flat_map(State::deposed);
    let replaced_before: HashSet<&Address> = deposed().map(|(key, _)| &key.address).collect();
    let environments = desired.environments.iter().map(|environment| {
        let address = &environment.address;
        let previous = moved_from.get(address);
        match state.and_then(|state| state.get(previous.unwrap_or(address))) {
            Some(record) => Change {
                environment,
                record,
                previous,
                replace: replaces.contains(address),
                was_replaced: [Some(address), previous]
                    .into_iter()
                    .flatten()
                    .any(|at| replaced_before.contains(at)),
                records: &records,
            }
            .step(),
            None => match &environment.import {
                Some(import) => import_step(environment, import, &records),
                None => create_step(environment, &records),
            },
        }
    });
    let recorded = state.into_iter().flat_map(State::current);
    let orphaned = recorded
        .filter(|(address, _)| !declared.contains(address) && !moved.contains(address))
        .map(|(address, record)| orphaned_step(address, record, removed.contains(address), options));
    let mut steps: Vec<Step> = environments
        .chain(orphaned)
        .chain(deposed().map(|(key, record)| deposed_step(&key.address, record)))
        .collect();
    block_inside_destroyed(&mut steps);
    Ok(steps)
}

/// Blocks creates inside environments that are being destroyed, or that this plan destroys.
fn block_inside_destroyed(steps: &mut [Step]) {
    let is_destroyed = |step: &&Step| match step.action {
        Action::Destroy => step.blocker.is_none(),
        Action::Resolve => step.reason == Reason::BeingDestroyed,
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::Wait
        | Action::NoOp => false,
    };
    let destroyed: Vec<(Address, Option<String>)> = steps
        .iter()
        .filter(is_destroyed)
        .map(|step| (step.address.clone(), step.ids.env_id.clone()))
        .collect();
    for step in steps.iter_mut().filter(|step| step.is_order() && step.is_inside()) {
        let Some(after) = &step.after else { continue };
        let mut addresses = after.references().map(|(_, address)| address);
        let in_address = addresses.find(|it| destroyed.iter().any(|(gone, _)| gone == it));
        let in_id = after.role(Role::Inside);
        let in_id = in_id.filter(|id| destroyed.iter().any(|(_, gone)| gone.as_deref() == Some(*id)));
        let env = in_address.as_ref().map(ToString::to_string).or(in_id.map(str::to_owned));
        step.blocker = env.map(|env| StepBlocker::EnvironmentDestroyed { env });
    }
}

fn requested_destroys(
    desired: &Desired,
    state: Option<&State>,
    options: &Options,
    addresses: &[Address],
) -> Result<Vec<Step>, Vec<MoveProblem>> {
    let moved_from = moves::resolve(desired, state)?;
    let mut declared = declared_addresses(desired);
    // Environments that move to a declared address are declared.
    declared.extend(moved_from.values());
    let requested: HashSet<&Address> = addresses.iter().collect();
    let records = state.into_iter().flat_map(State::current);
    let steps = records.filter(|(address, _)| requested.contains(address)).map(|(address, record)| {
        let blocker = if declared.contains(address) {
            Some(StepBlocker::StillDeclared)
        } else {
            destroy_blocker(record.prevent_destroy, options)
        };
        if record.status == Status::Isolated && blocker.is_none() && !options.purge {
            return orphaned_step(address, record, false, options);
        }
        let mut step = destroy_step(address, record, Reason::DestroyRequested, blocker);
        if let Some(declared) = desired.environments.iter().find(|it| it.address == *address) {
            step.source = declared.source.clone();
        }
        step
    });
    Ok(steps.collect())
}

fn requested_deposed_destroys(
    desired: &Desired,
    state: Option<&State>,
    options: &Options,
    addresses: &[Address],
) -> Vec<Step> {
    let Some(state) = state else {
        return Vec::new();
    };
    let deposed = state.deposed().filter(|(key, _)| addresses.contains(&key.address));
    deposed
        .map(|(InstanceKey { address, .. }, record)| {
            // Its own declaration is gone: that of its address decides.
            let declared = desired.environments.iter().find(|environment| environment.address == *address);
            let protected =
                declared.map_or(record.prevent_destroy, |declared| declared.lifecycle.prevent_destroy);
            let current = state.get(address);
            let blocker = if current.is_some_and(|current| current.status == Status::Unknown) {
                // It may be the only one that exists.
                Some(StepBlocker::ReplacementUnknown)
            } else {
                destroy_blocker(protected, options)
            };
            Step {
                deposed: true,
                was_protected: protected,
                prevent_destroy: protected,
                ..destroy_step(address, record, Reason::DestroyRequested, blocker)
            }
        })
        .collect()
}

fn declared_addresses(desired: &Desired) -> HashSet<&Address> {
    desired.environments.iter().map(|environment| &environment.address).collect()
}

/// Returns the fields whose values differ in meaning.
///
/// Declaring the id that its own create returned, or the region that it was sent to, is no change.
fn changed_fields(record: &Record, after: &Attributes) -> Vec<Field> {
    let before = &record.attributes;
    let is_known = |field: &Field, value: &Value| {
        let known = match field.role {
            Some(Role::EnvId) => record.env_id.as_deref(),
            Some(Role::Region) => record.region.as_deref(),
            Some(_) | None => None,
        };
        known.is_some() && known == value.as_text()
    };
    after
        .kind()
        .fields()
        .filter(|field| match (before.get(*field), after.get(*field)) {
            (None, None) => false,
            (Some(old), Some(new)) => !field.same(old, new),
            (None, Some(new)) => !is_known(field, new),
            (Some(_), None) => true,
        })
        .collect()
}

/// An environment that is declared and in the state.
struct Change<'a> {
    environment: &'a Environment,
    record: &'a Record,
    previous: Option<&'a Address>,
    /// Its replacement was requested.
    replace: bool,
    /// The state still has the environment that it replaced.
    was_replaced: bool,
    records: &'a Records<'a>,
}

impl Change<'_> {
    fn step(&self) -> Step {
        let Self { environment, record, previous, .. } = self;
        let planned = planned_attributes(environment, record);
        let moved = self.replaced_environment();
        let changes_to = |after| {
            let mut changed = changed_fields(record, after);
            changed.extend(moved.filter(|field| !changed.contains(field)));
            changed
        };
        let changed = changes_to(&planned);
        let (action, reason, blocker) = self.decide(&changed);
        let is_first = action == Action::Create;
        // A create sends what is declared, including fields that an update would keep.
        let (after, changed) = if is_first {
            (environment.attributes.clone(), Vec::new())
        } else if action.creates() {
            (environment.attributes.clone(), changes_to(&environment.attributes))
        } else {
            (planned, changed)
        };
        Step {
            address: environment.address.clone(),
            previous_address: previous.cloned(),
            deposed: false,
            action,
            reason,
            blocker,
            before: (!is_first).then(|| record.attributes.clone()),
            after: Some(after),
            changed: changed.iter().map(|field| field.name.to_owned()).collect(),
            was_protected: record.prevent_destroy,
            prevent_destroy: match record.status {
                Status::Unknown | Status::AwaitingEnvId | Status::Destroying => record.prevent_destroy,
                Status::Created | Status::Isolated => environment.lifecycle.prevent_destroy,
            },
            ids: if is_first { Ids::default() } else { ids(record) },
            source: environment.source.clone(),
        }
    }

    fn decide(&self, changed: &[Field]) -> (Action, Reason, Option<StepBlocker>) {
        let Self { environment, record, previous, replace, records, .. } = self;
        match record.status {
            // The environment may exist: plan nothing else until that is resolved.
            Status::Unknown => return (Action::Resolve, Reason::OutcomeUnknown, None),
            // Only the account shows whether it still exists.
            Status::Destroying => return (Action::Resolve, Reason::BeingDestroyed, None),
            Status::Isolated if environment.import.is_none() => {
                let blocker = if self.declares_own_id() {
                    Some(StepBlocker::ReplacesItself)
                } else {
                    records.duplicate(&environment.attributes)
                };
                return (Action::Create, Reason::Destroyed, blocker);
            }
            Status::Isolated | Status::Created | Status::AwaitingEnvId => {}
        }
        if let Some(import) = &environment.import
            && let Some(env_id) = record.env_id.as_ref().filter(|id| **id != import.env_id)
        {
            let blocker = StepBlocker::ImportsAnother { env_id: env_id.clone() };
            return (Action::Import, Reason::ImportDeclared, Some(blocker));
        }
        if record.status == Status::Isolated {
            // It may have been restored: import it, never create it.
            return (Action::Import, Reason::ImportDeclared, None);
        }
        let waits = record.status == Status::AwaitingEnvId;
        if *replace {
            return (Action::Replace, Reason::ReplaceRequested, self.replace_blocker(changed));
        }
        let in_place = changed.iter().all(|field| field.update.action().is_some() || self.is_unseen(*field));
        match changed {
            _ if waits && in_place => (Action::Wait, Reason::AwaitingEnvId, None),
            [] if record.prevent_destroy != environment.lifecycle.prevent_destroy => {
                (Action::Update, Reason::ProtectionChanged, None)
            }
            [] if previous.is_some() => (Action::Move, Reason::Moved, None),
            [] => (Action::NoOp, Reason::Unchanged, None),
            _ if in_place => (Action::Update, Reason::UpdatedInPlace, None),
            _ => (Action::Replace, Reason::CannotUpdate, Some(StepBlocker::Replacement)),
        }
    }

    /// Returns the field that refers to an environment which was replaced since this was created inside it.
    fn replaced_environment(&self) -> Option<Field> {
        let inside = self.record.env_id.as_deref().filter(|_| self.record.attributes.kind().shares_env_id)?;
        let (field, address) = self.environment.attributes.references().next()?;
        let env_id = self.records.current.get(&address)?;
        (*env_id != inside).then_some(field)
    }

    /// Returns why a requested replacement is blocked.
    fn replace_blocker(&self, changed: &[Field]) -> Option<StepBlocker> {
        if self.environment.import.is_some() {
            Some(StepBlocker::ReplacesImported)
        } else if self.record.status == Status::AwaitingEnvId {
            Some(StepBlocker::ReplacesAwaiting)
        } else if self.declares_own_id() {
            Some(StepBlocker::ReplacesItself)
        } else if changed.is_empty() && self.was_replaced {
            Some(StepBlocker::ReplacedAlready)
        } else {
            None
        }
    }

    /// Returns whether nothing shows what a field of an imported environment is: then another value proves no difference.
    fn is_unseen(&self, field: Field) -> bool {
        let kind = self.record.attributes.kind();
        self.record.origin == Origin::Imported
            && !kind.shares_env_id
            && !field.role.is_some_and(Role::is_shown)
    }

    /// Returns whether the manifest declares the id of the environment in the state.
    fn declares_own_id(&self) -> bool {
        let declared = self.environment.attributes.env_id();
        declared.is_some() && declared == self.record.env_id.as_deref()
    }
}

/// Returns the declared attributes, with recorded values for fields whose changes are ignored, and for a
/// removed alias, which the API can't delete.
fn planned_attributes(environment: &Environment, record: &Record) -> Attributes {
    let mut planned = environment.attributes.clone();
    for field in planned.kind().fields() {
        // The state has every field that the account showed of an imported environment.
        let is_left = field.update.action().is_some() || record.origin == Origin::Imported;
        let kept = environment.lifecycle.ignore_changes.contains(&field)
            || (is_left && planned.get(field).is_none());
        if kept {
            match record.attributes.get(field) {
                Some(value) => planned.set(field, value),
                None => planned.unset(field),
            }
        }
    }
    planned
}

fn create_step(environment: &Environment, records: &Records<'_>) -> Step {
    Step {
        address: environment.address.clone(),
        previous_address: None,
        deposed: false,
        action: Action::Create,
        reason: Reason::NotOrdered,
        blocker: records.duplicate(&environment.attributes),
        before: None,
        after: Some(environment.attributes.clone()),
        changed: Vec::new(),
        was_protected: false,
        prevent_destroy: environment.lifecycle.prevent_destroy,
        ids: Ids::default(),
        source: environment.source.clone(),
    }
}

fn import_step(environment: &Environment, import: &Import, records: &Records<'_>) -> Step {
    let Import { env_id, tran_id, source: _ } = import;
    // An environment that was replaced at this address may be imported to it.
    let managed = records.by_env_id.get(env_id.as_str()).filter(|other| ***other != environment.address);
    Step {
        action: Action::Import,
        reason: Reason::ImportDeclared,
        blocker: managed.map(|other| StepBlocker::ManagedElsewhere { other: (*other).clone() }),
        ids: Ids { env_id: Some(env_id.clone()), tran_id: tran_id.clone(), request_id: None },
        ..create_step(environment, records)
    }
}

/// Returns the step of an environment that is in the state and not declared.
fn orphaned_step(address: &Address, record: &Record, is_removed: bool, options: &Options) -> Step {
    let step = |action, reason| Step { action, reason, ..destroy_step(address, record, reason, None) };
    let destroy =
        |reason| destroy_step(address, record, reason, destroy_blocker(record.prevent_destroy, options));
    match record.status {
        Status::Unknown => step(Action::Resolve, Reason::OutcomeUnknown),
        Status::Created | Status::AwaitingEnvId | Status::Isolated | Status::Destroying if is_removed => {
            step(Action::Forget, Reason::Removed)
        }
        Status::Isolated => step(Action::NoOp, Reason::Isolated),
        // A second request destroys nothing else.
        Status::Destroying => destroy(Reason::BeingDestroyed),
        Status::Created | Status::AwaitingEnvId => destroy(Reason::NotDeclared),
    }
}

/// Returns why an environment is not destroyed.
fn destroy_blocker(is_protected: bool, options: &Options) -> Option<StepBlocker> {
    if is_protected {
        Some(StepBlocker::PreventDestroy)
    } else {
        (!options.allow_destroy).then_some(StepBlocker::DestroyNotAllowed)
    }
}

/// Returns the step of a deposed environment that is not to be destroyed.
fn deposed_step(address: &Address, record: &Record) -> Step {
    let reason = match record.status {
        Status::Isolated => Reason::Isolated,
        Status::Destroying => Reason::BeingDestroyed,
        Status::Created | Status::AwaitingEnvId | Status::Unknown => Reason::Deposed,
    };
    Step { deposed: true, action: Action::NoOp, reason, ..destroy_step(address, record, reason, None) }
}

fn destroy_step(address: &Address, record: &Record, reason: Reason, blocker: Option<StepBlocker>) -> Step {
    // The API needs an EnvId.
    let (action, reason, blocker) = match record.status {
        Status::Unknown => (Action::Resolve, Reason::OutcomeUnknown, None),
        // Another address has the same EnvId and must not be destroyed with it.
        _ if record.attributes.kind().shares_env_id => (Action::Forget, reason, blocker),
        Status::AwaitingEnvId if blocker.is_none() => (Action::Wait, Reason::AwaitingEnvId, None),
        Status::Created | Status::AwaitingEnvId | Status::Isolated | Status::Destroying => {
            (Action::Destroy, reason, blocker)
        }
    };
    Step {
        address: address.clone(),
        previous_address: None,
        deposed: false,
        action,
        reason,
        blocker,
        before: Some(record.attributes.clone()),
        after: None,
        changed: Vec::new(),
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

/// Finds environments in the state that a create would duplicate.
struct Records<'a> {
    by_env_id: HashMap<&'a str, &'a Address>,
    /// The EnvIds of the current environments.
    current: HashMap<&'a Address, &'a str>,
    by_alias: HashMap<&'a str, &'a Address>,
    /// Without an alias and not declared: similar declared ones are checked in the manifests.
    orphaned: HashMap<&'a Attributes, &'a Address>,
}

impl<'a> Records<'a> {
    fn new(state: Option<&'a State>, declared: &HashSet<&Address>) -> Self {
        let mut records = Self {
            by_env_id: HashMap::new(),
            current: HashMap::new(),
            by_alias: HashMap::new(),
            orphaned: HashMap::new(),
        };
        let own = |(_, record): &(&Address, &Record)| !record.attributes.kind().shares_env_id;
        for (address, record) in state.into_iter().flat_map(State::records).filter(own) {
            for id in [record.env_id.as_deref(), record.attributes.env_id()].into_iter().flatten() {
                records.by_env_id.insert(id, address);
            }
        }
        for (address, record) in state.into_iter().flat_map(State::current) {
            records.current.extend(record.env_id.as_deref().map(|env_id| (address, env_id)));
            if record.status == Status::Isolated {
                // Destroyed: its alias may be used again.
                continue;
            }
            match record.attributes.alias() {
                Some(alias) => {
                    records.by_alias.insert(alias, address);
                }
                None if !declared.contains(address) => {
                    records.orphaned.entry(&record.attributes).or_insert(address);
                }
                None => {}
            }
        }
        records
    }

    /// Returns why creating this would duplicate an environment in the state.
    fn duplicate(&self, wanted: &Attributes) -> Option<StepBlocker> {
        if let Some(other) = wanted.env_id().and_then(|id| self.by_env_id.get(id)) {
            return Some(StepBlocker::ManagedElsewhere { other: (*other).clone() });
        }
        let same = match wanted.alias() {
            Some(alias) => self.by_alias.get(alias),
            None => self.orphaned.get(wanted),
        };
        same.map(|from| StepBlocker::Renamed { from: (*from).clone() })
    }
}
