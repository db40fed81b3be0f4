//! Applies journals to a state. Pure.
//!
//! The only place that defines what an event means for the state.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::journal::{Edit, Event, Evidence, Intent, Journal, Outcome, RunStarted};
use super::runs::serial_after;
use crate::i18n::Text;
use crate::model::{Address, Attributes, InstanceKey, SourceRef};
use crate::state::record::{FormatVersion, Origin, Record, State, Status};

/// Returns the state after a run, or after the part of it in the journal.
///
/// A run that the state already contains changes nothing, so an interrupted replay can be repeated.
pub fn replay(state: Option<State>, journal: &Journal) -> State {
    let mut replay = Replay::new(state, journal.started.clone());
    for entry in &journal.entries {
        replay.apply(entry.at, &entry.event);
    }
    replay.finish()
}

/// Returns the state after these runs, oldest first, on top of a state that contains none of them; None
/// without either.
///
/// Of two runs that started from the same serial, both are applied, and the serial rises past both.
pub fn rebuild<'a>(before: Option<State>, journals: impl IntoIterator<Item = &'a Journal>) -> Option<State> {
    journals.into_iter().fold(before, |before, journal| {
        let serial = serial_after(before.as_ref().map(|state| state.serial), journal.started.base);
        Some(State { serial, ..replay(before, journal) })
    })
}

/// A state to which the events of a run are applied one by one, at constant cost.
///
/// Every create that may have acted is a claim on its address, from its intent until an outcome proves that
/// it did nothing. An address shows its last claim, and the environment before it is deposed, until no claim
/// is left.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Everything except the claims.
    state: State,
    started: RunStarted,
    claims: BTreeMap<Address, Vec<Claim>>,
    /// Updates and destroys by step and attempt, with the record to restore.
    changes: BTreeMap<(u32, u32), Option<Undo>>,
    /// Whether the state already contains this run.
    done: bool,
}

#[derive(Debug, Clone)]
struct Claim {
    step: u32,
    attempt: u32,
    /// Whether there is no outcome yet.
    open: bool,
    /// Whether it repeats the create of the state's unknown record, whose outcome is then this one's.
    repeats: bool,
    record: Record,
}

/// An environment that is being updated or destroyed, and its earlier record.
#[derive(Debug, Clone)]
struct Undo {
    address: Address,
    env_id: String,
    status: Status,
    /// The values of the fields that are being updated.
    values: Attributes,
}

impl Replay {
    /// Starts from the state that the run started from.
    pub fn new(before: Option<State>, started: RunStarted) -> Self {
        let done = before.as_ref().is_some_and(|state| state.last_run == Some(started.run));
        let state = match before {
            Some(state) if done => state,
            before => {
                let (known, environments) =
                    before.map(|state| (state.account, state.environments)).unwrap_or_default();
                // Keep the account's number once it is known.
                let known = known.filter(|known| {
                    started.account.uin.is_none() && known.endpoint == started.account.endpoint
                });
                State {
                    format_version: FormatVersion,
                    lineage: started.lineage,
                    serial: started.base.next(),
                    tool_version: started.tool_version.clone(),
                    account: Some(known.unwrap_or_else(|| started.account.clone())),
                    last_run: Some(started.run),
                    environments,
                }
            }
        };
        Self { state, started, claims: BTreeMap::new(), changes: BTreeMap::new(), done }
    }

    /// Applies an event.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        if self.done {
            return;
        }
        match event {
            Event::Intent(intent) if intent.may_create() => self.claim(at, intent),
            Event::Intent(intent) => {
                let undo = self.start_change(intent);
                self.changes.insert((intent.step, intent.attempt), undo);
            }
            Event::Outcome(outcome) => self.settle(at, outcome),
            Event::Edited(edited) => match &edited.edit {
                Edit::Put { key, record } => self.set(at, key, Some((**record).clone())),
                Edit::Forget { key } => self.set(at, key, None),
                Edit::Move { from, to } => self.relocate(at, from, to),
            },
            Event::Listed(_) | Event::RunEnded(_) | Event::Recovered(_) => {}
        }
    }

    /// Returns why an intent must not be sent: the environment may have been created already.
    pub fn objection(&self, intent: &Intent) -> Option<Text> {
        if !intent.may_create() {
            return None;
        }
        if self.claims.contains_key(&intent.address) {
            return Some(Text::fixed("this run has already created this environment, or may have"));
        }
        match (self.state.get(&intent.address), &intent.replaces) {
            (None, None) => None,
            (None, Some(_)) => Some(Text::fixed("the environment to replace is not in the state")),
            (Some(record), _) if record.status == Status::Unknown => (!repeats(intent, record))
                .then_some(Text::fixed("an earlier create of this environment has an unknown outcome")),
            (Some(record), replaces) => (replaces.is_none() || *replaces != record.env_id).then_some(
                Text::fixed("the state already has an environment here, and this is not its replacement"),
            ),
        }
    }

    /// Returns the addresses of creates that may have acted and have no outcome yet.
    pub fn open(&self) -> Vec<Address> {
        let open = self.claims.iter().filter(|(_, claims)| claims.iter().any(|claim| claim.open));
        open.map(|(address, _)| address.clone()).collect()
    }

    /// Returns the state with all events applied.
    pub fn finish(mut self) -> State {
        for (address, claims) in std::mem::take(&mut self.claims) {
            let shown = visible_record(&claims, self.state.get(&address));
            let deposed = shown.as_ref().and_then(|_| deposed_by(&address, &claims, &self.state));
            self.state.environments.extend(deposed);
            self.state.environments.extend(shown.map(|record| (InstanceKey::current(address), record)));
        }
        // Remove former environments that a later create or import made current: destroying one would destroy
        // the one in use.
        if !self.done && self.state.deposed().next().is_some() {
            // What lives inside an environment has its EnvId, and is another thing.
            let id = |record: &Record| Some((record.attributes.kind().shares_env_id, record.env_id.clone()?));
            let settled = self.state.current().filter(|(_, record)| record.status.is_settled());
            let in_use: HashSet<(bool, String)> = settled.filter_map(|(_, record)| id(record)).collect();
            self.state
                .environments
                .retain(|key, record| !key.is_deposed() || id(record).is_none_or(|id| !in_use.contains(&id)));
        }
        self.state
    }

    fn claim(&mut self, at: Timestamp, intent: &Intent) {
        let unknown = self.unknown_record(at, intent.source.clone());
        let kind = intent.attributes.kind();
        let record = Record {
            // It is known where it would be, whatever the answer says.
            env_id: intent.env_id().filter(|_| kind.shares_env_id).map(str::to_owned),
            attributes: intent.attributes.clone(),
            prevent_destroy: intent.prevent_destroy,
            region: intent.attributes.region().map(str::to_owned).or(unknown.region),
            ..unknown
        };
        let Intent { step, attempt, ref address, .. } = *intent;
        let repeats = self.state.get(address).is_some_and(|record| repeats(intent, record));
        let claims = self.claims.entry(address.clone()).or_default();
        claims.push(Claim { step, attempt, open: true, repeats, record });
    }

    /// Records that a destroyed environment may be gone, and that an updated field may have either value, until the
    /// result is known. An edit records the result.
    fn start_change(&mut self, intent: &Intent) -> Option<Undo> {
        let env_id = intent.env_id()?;
        let record = self.find(&intent.address, env_id)?;
        let mut values = Attributes::new(record.attributes.kind());
        let status = record.status;
        if intent.is_update() {
            for (field, _) in intent.attributes.iter() {
                if let Some(value) = record.attributes.get(field) {
                    values.set(field, value);
                }
                record.attributes.unset(field);
            }
        } else {
            record.status = Status::Destroying;
        }
        Some(Undo { address: intent.address.clone(), env_id: env_id.to_owned(), status, values })
    }

    /// Returns the record of a current or former environment. One that is isolated stays isolated.
    fn find(&mut self, address: &Address, env_id: &str) -> Option<&mut Record> {
        let current = InstanceKey::current(address.clone());
        let is_current = |record: &Record| record.env_id.as_deref() == Some(env_id);
        let key = if self.state.environments.get(&current).is_some_and(is_current) {
            current
        } else {
            InstanceKey::deposed(address.clone(), env_id.to_owned())
        };
        let record = self.state.environments.get_mut(&key)?;
        matches!(record.status, Status::Created | Status::Destroying).then_some(record)
    }

    fn settle(&mut self, at: Timestamp, outcome: &Outcome) {
        let attempt = (outcome.step, outcome.attempt);
        if let Some(undo) = self.changes.get(&attempt) {
            if let Some(undo) = undo.clone()
                && matches!(outcome.evidence, Evidence::Refused | Evidence::NotSent)
                && let Some(record) = self.find(&undo.address, &undo.env_id)
            {
                record.status = undo.status;
                for (field, value) in undo.values.iter() {
                    record.attributes.set(field, value);
                }
            }
            return;
        }
        let claims = self.claims.get_mut(&outcome.address);
        let place = claims
            .as_ref()
            .and_then(|claims| claims.iter().rposition(|claim| (claim.step, claim.attempt) == attempt));
        match claims.zip(place) {
            Some((claims, place)) if outcome.is_harmless(&claims[place].record.attributes) => {
                claims.remove(place);
                if claims.is_empty() {
                    self.claims.remove(&outcome.address);
                }
            }
            Some((claims, place)) => {
                claims[place].open = false;
                apply_outcome(&mut claims[place].record, outcome);
            }
            // No intent. Keep the returned ids.
            None if outcome.tran_id.is_some() || outcome.env_id.is_some() => {
                let mut record = self.unknown_record(at, SourceRef { file: String::new(), line: 0 });
                apply_outcome(&mut record, outcome);
                let claims = self.claims.entry(outcome.address.clone()).or_default();
                claims.push(Claim {
                    step: outcome.step,
                    attempt: outcome.attempt,
                    open: false,
                    repeats: false,
                    record,
                });
            }
            None => {}
        }
    }

    /// Sets or removes the record of one environment. This settles the claims on its address; the environment
    /// that they replaced stays deposed.
    fn set(&mut self, at: Timestamp, key: &InstanceKey, record: Option<Record>) {
        let claims = self.claims.get(&key.address).map_or(&[][..], Vec::as_slice);
        let mut replaced = deposed_by(&key.address, claims, &self.state);
        let mut key = key.clone();
        let deposed_at = if key.is_deposed() {
            // The claim itself deposes what it replaces.
            if replaced.take_if(|(replaced, _)| *replaced == key).is_some() {
                key.deposed = None;
                None
            } else {
                replaced = None;
                record.as_ref().map(|record| record.deposed_at.unwrap_or(at))
            }
        } else {
            self.claims.remove(&key.address);
            replaced.take_if(|(_, replaced)| record.as_ref().is_some_and(|record| is_same(replaced, record)));
            None
        };
        match record {
            Some(record) => drop(self.state.environments.insert(key, Record { deposed_at, ..record })),
            None => drop(self.state.environments.remove(&key)),
        }
        self.state.environments.extend(replaced);
    }

    /// Moves an environment and the former ones of its address. Does nothing when `to` is in use, which would
    /// lose an environment.
    fn relocate(&mut self, at: Timestamp, from: &Address, to: &Address) {
        let shown = |address| {
            let claims = self.claims.get(address).map_or(&[][..], Vec::as_slice);
            visible_record(claims, self.state.get(address))
        };
        if from == to || shown(to).is_some() {
            return;
        }
        let Some(record) = shown(from) else {
            return;
        };
        self.set(at, &InstanceKey::current(from.clone()), None);
        self.set(at, &InstanceKey::current(to.clone()), Some(record));
        let keys: Vec<_> = self.state.deposed_at(from).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let record = self.state.environments.remove(&key);
            self.state.environments.extend(record.map(|record| (key.moved_to(to), record)));
        }
    }

    /// Returns an unknown record for a create of this run that was sent at `at`.
    fn unknown_record(&self, at: Timestamp, source: SourceRef) -> Record {
        Record {
            status: Status::Unknown,
            env_id: None,
            tran_id: None,
            request_id: None,
            origin: Origin::Ordered,
            attributes: Attributes::default(),
            ordered_at: at,
            run: self.started.run,
            source,
            region: self.started.region.clone(),
            prevent_destroy: false,
            deposed_at: None,
        }
    }
}

/// Returns the environment that the last claim on an address replaces, as a deposed one.
fn deposed_by(address: &Address, claims: &[Claim], state: &State) -> Option<(InstanceKey, Record)> {
    let claim = &claims.last()?.record;
    let replaced = state.get(address)?;
    if !replaced.status.is_settled() || is_same(replaced, claim) {
        return None;
    }
    // Only an environment with an EnvId can be replaced. Keep any other all the same.
    let id = replaced.env_id.clone().or_else(|| replaced.tran_id.clone());
    let key = InstanceKey::deposed(address.clone(), id.unwrap_or_else(|| replaced.run.to_string()));
    Some((key, Record { deposed_at: Some(claim.ordered_at), ..replaced.clone() }))
}

/// Returns the record that an address shows: the last claim, or the earlier record.
///
/// [`Replay::objection`] prevents several claims, and a claim on an unknown record that does not repeat its create. If they
/// exist all the same, the address is unknown until a user settles it, and an id is only replaced by a later one.
fn visible_record(claims: &[Claim], before: Option<&Record>) -> Option<Record> {
    let Some((last, earlier)) = claims.split_last() else {
        return before.cloned();
    };
    let unsettled = before.filter(|record| record.status == Status::Unknown);
    let newest_first = earlier.iter().rev().map(|claim| (&claim.record, false));
    let unsettled = unsettled.map(|record| (record, last.repeats));
    let mut shown = last.record.clone();
    for (other, is_repeated) in newest_first.chain(unsettled) {
        shown.tran_id = shown.tran_id.or_else(|| other.tran_id.clone());
        shown.env_id = shown.env_id.or_else(|| other.env_id.clone());
        shown.request_id = shown.request_id.or_else(|| other.request_id.clone());
        if other.status == Status::Unknown && !is_repeated {
            shown.status = Status::Unknown;
        }
    }
    Some(shown)
}

/// Returns whether an intent sends the create of this record, whose outcome is unknown, once more: with a request key, so that
/// the API can recognize it, and else the same.
fn repeats(intent: &Intent, record: &Record) -> bool {
    let key = intent.attributes.kind().request_key;
    record.status == Status::Unknown
        && key.is_some_and(|key| intent.members.contains_key(key))
        && intent.resends == Some(record.run)
        && intent.attributes == record.attributes
        && intent.env_id() == record.env_id.as_deref()
}

/// Returns whether two records are of the same environment. Without EnvIds they are of two creates.
fn is_same(a: &Record, b: &Record) -> bool {
    a.env_id.is_some() && a.env_id == b.env_id
}

/// Updates the record of a create with its outcome.
fn apply_outcome(record: &mut Record, outcome: &Outcome) {
    record.tran_id.clone_from(&outcome.tran_id);
    if outcome.env_id.is_some() || !record.attributes.kind().shares_env_id {
        record.env_id.clone_from(&outcome.env_id);
    }
    record.request_id.clone_from(&outcome.request_id);
    record.status = match outcome.evidence {
        Evidence::Ordered => {
            // A create that switches an environment concerns the given one, even if the response does not
            // repeat it.
            record.env_id = record.env_id.take().or_else(|| record.attributes.env_id().map(str::to_owned));
            match record.env_id {
                Some(_) => {
                    record.request_id = None;
                    Status::Created
                }
                None => Status::AwaitingEnvId,
            }
        }
        Evidence::Done | Evidence::Refused | Evidence::NotSent | Evidence::Unknown => Status::Unknown,
    };
}

/// A state and the open run, read together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// None when there never was one.
    pub state: Option<State>,
    /// None when no run is open.
    pub journal: Option<Journal>,
}

impl Snapshot {
    /// Returns the state with the open run applied; None when nothing was ever recorded.
    pub fn current(self) -> Option<State> {
        match self.journal {
            Some(journal) => Some(replay(self.state, &journal)),
            None => self.state,
        }
    }
}

#[cfg(test)]
mod tests;
