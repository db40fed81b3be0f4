//! Makes a state out of the one before and a journal. Pure.
//!
//! What a journal proves is decided here and nowhere else; how it came to be on disk is the store's business.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::journal::{Edit, Event, Evidence, Intent, Journal, Outcome, RunStarted};
use super::succession::reached;
use super::{Account, Deposed, Origin, Record, State, Status};
use crate::lang::Text;
use crate::model::{Address, Attributes, Role, SourceRef};

/// The state after a run, or after as much of it as the journal holds.
///
/// A run that the state holds already changes nothing, so a fold that a crash cut short can be done again.
pub fn fold(state: Option<State>, journal: &Journal) -> State {
    let mut folding = Folding::new(state, journal.started.clone());
    for entry in &journal.entries {
        folding.add(entry.at, &entry.event);
    }
    folding.finish()
}

/// The state after all these runs, oldest first; None without any.
///
/// Where two runs started from the same serial, both are folded in, and the serial rises past both.
pub fn rebuild<'a>(journals: impl IntoIterator<Item = &'a Journal>) -> Option<State> {
    rebuild_over(None, journals)
}

/// As [`rebuild`], on top of a state that holds none of them.
pub fn rebuild_over<'a>(
    state: Option<State>,
    journals: impl IntoIterator<Item = &'a Journal>,
) -> Option<State> {
    journals.into_iter().fold(state, |before, journal| {
        let serial = reached(before.as_ref().map(|state| state.serial), journal.started.base);
        let mut state = fold(before, journal);
        state.serial = serial;
        Some(state)
    })
}

/// The vendor's action that gives an environment up.
const GIVING_UP: &str = "DestroyEnv";
/// The vendor's action that gives an environment another alias.
const RENAMING: &str = "ModifyEnv";

/// A state with a run's entries being folded in, one by one, each at the same small cost.
///
/// Every attempt that may have ordered is a claim on its address, from its intent on, until its outcome proves that it
/// did nothing. An address shows its last claim, and what stood there before is deposed by it; it comes back when no
/// claim is left.
#[derive(Debug, Clone)]
pub struct Folding {
    before: Option<State>,
    started: RunStarted,
    /// The addresses that this run has touched.
    slots: BTreeMap<Address, Slot>,
    /// What was replaced, by earlier runs and in entries of this one that are settled.
    deposed: Vec<Deposed>,
    /// The attempts, by step, at what orders nothing, and what they may have given up.
    repeatable: BTreeMap<(u32, u32), Option<Undo>>,
    /// Whether the state holds this run already.
    done: bool,
}

/// An environment that is being changed or given up, and what it was before.
#[derive(Debug, Clone)]
struct Undo {
    address: Address,
    env_id: String,
    status: Status,
    alias: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    stood: Option<Record>,
    claims: Vec<Claim>,
}

#[derive(Debug, Clone)]
struct Claim {
    step: u32,
    attempt: u32,
    /// Whether no outcome came yet.
    open: bool,
    record: Record,
}

impl Folding {
    /// Starts from the state that the run started from.
    pub fn new(before: Option<State>, started: RunStarted) -> Self {
        let done = before.as_ref().is_some_and(|state| state.last_run == Some(started.run));
        let deposed = before.as_ref().map(|state| state.deposed.clone()).unwrap_or_default();
        Self { before, started, slots: BTreeMap::new(), deposed, repeatable: BTreeMap::new(), done }
    }

    /// Folds one more entry in.
    pub fn add(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::Intent(intent) if intent.may_order() => self.claim(at, intent),
            Event::Intent(intent) => {
                let undo = self.doubt(intent);
                self.repeatable.insert((intent.step, intent.attempt), undo);
            }
            Event::Outcome(outcome) => self.settle(at, outcome),
            Event::Edited(edited) => self.edit(&edited.edit),
            Event::Listed(_) | Event::RunEnded(_) | Event::Recovered(_) => {}
        }
    }

    /// Why an intent must not be sent: what it orders may have been ordered already. None when it may.
    pub fn objection(&self, intent: &Intent) -> Option<Text> {
        if !intent.may_order() {
            return None;
        }
        let (claims, stood) = match self.slots.get(&intent.address) {
            Some(slot) => (slot.claims.as_slice(), slot.stood.as_ref()),
            None => (&[][..], self.on_record(&intent.address)),
        };
        if !claims.is_empty() {
            return Some(Text::fixed(
                "this run has ordered this environment already, or may have",
                "本次运行已订购或可能已订购此环境",
            ));
        }
        match (stood, &intent.replaces) {
            (None, None) => None,
            (None, Some(_)) => Some(Text::fixed(
                "the environment that is to be replaced is not on record",
                "要替换的环境没有记录",
            )),
            (Some(record), _) if record.status == Status::Unknown => Some(Text::fixed(
                "an earlier order of this environment has an unknown outcome",
                "此环境之前的订单结果未知",
            )),
            (Some(record), replaces) => {
                (replaces.is_none() || *replaces != record.env_id).then_some(Text::fixed(
                    "an environment is on record here, and this is not its replacement",
                    "此处已有环境的记录，而这不是对它的替换",
                ))
            }
        }
    }

    /// The addresses of intents that may have ordered and have no outcome yet.
    pub fn open(&self) -> Vec<Address> {
        self.slots
            .iter()
            .filter(|(_, slot)| slot.claims.iter().any(|claim| claim.open))
            .map(|(address, _)| address.clone())
            .collect()
    }

    /// The state with everything folded in.
    pub fn finish(self) -> State {
        let Self { before, started, slots, mut deposed, repeatable: _, done } = self;
        let (known, mut environments) = match before {
            Some(state) if done => return state,
            Some(state) => (state.account, state.environments),
            None => (None, BTreeMap::new()),
        };
        for (address, slot) in slots {
            deposed.extend(slot.deposes(&address));
            match slot.shown() {
                Some(record) => environments.insert(address, record),
                None => environments.remove(&address),
            };
        }
        release(&mut deposed, &environments);
        let RunStarted {
            format_version: _,
            run,
            lineage,
            base,
            tool_version,
            account,
            plan: _,
            who: _,
            pid: _,
            region: _,
            commit: _,
        } = started;
        State {
            format_version: crate::state::FormatVersion,
            lineage,
            serial: base.next(),
            tool_version,
            account: Some(keeping_uin(account, known)),
            last_run: Some(run),
            environments,
            deposed,
        }
    }

    fn on_record(&self, address: &Address) -> Option<&Record> {
        self.before.as_ref()?.environments.get(address)
    }

    fn slot(&mut self, address: &Address) -> &mut Slot {
        let stood = self.on_record(address).cloned();
        self.slots.entry(address.clone()).or_insert_with(|| Slot { stood, claims: Vec::new() })
    }

    fn claim(&mut self, at: Timestamp, intent: &Intent) {
        let record = Record {
            attributes: intent.attributes.clone(),
            prevent_destroy: intent.prevent_destroy,
            ..self.unknown_record(at, intent.source.clone())
        };
        self.slot(&intent.address).claims.push(Claim {
            step: intent.step,
            attempt: intent.attempt,
            open: true,
            record,
        });
    }

    /// From its announcement on, until it is seen what became of it, an environment that is given up may be gone, and one
    /// that is renamed may have either alias. An edit says which, once it is known.
    fn doubt(&mut self, intent: &Intent) -> Option<Undo> {
        let env_id = intent.attributes.env_id()?;
        let record = self.find(&intent.address, env_id)?;
        let undo = Undo {
            address: intent.address.clone(),
            env_id: env_id.to_owned(),
            status: record.status,
            alias: record.attributes.alias().map(str::to_owned),
        };
        match intent.action.as_str() {
            GIVING_UP => record.status = Status::Destroying,
            RENAMING => record.attributes.unset_role(Role::Alias),
            _ => return None,
        }
        Some(undo)
    }

    /// The record of an environment at an address, current or replaced. What is isolated stays so: nothing more becomes
    /// of it by being given up again.
    fn find(&mut self, address: &Address, env_id: &str) -> Option<&mut Record> {
        let is_it = |record: &Record| {
            record.env_id.as_deref() == Some(env_id)
                && matches!(record.status, Status::Created | Status::Destroying)
        };
        if self.slot(address).stood.as_ref().is_some_and(is_it) {
            return self.slot(address).stood.as_mut();
        }
        let mut deposed = self.deposed.iter_mut();
        let found = deposed.find(|deposed| deposed.address == *address && is_it(&deposed.record))?;
        Some(&mut found.record)
    }

    fn settle(&mut self, at: Timestamp, outcome: &Outcome) {
        if let Some(undo) = self.repeatable.get(&(outcome.step, outcome.attempt)) {
            let nothing_done = match outcome.evidence {
                Evidence::Refused | Evidence::NotSent => true,
                Evidence::Ordered | Evidence::Done | Evidence::Unknown => false,
            };
            if let Some(undo) = undo.clone().filter(|_| nothing_done)
                && let Some(record) = self.find(&undo.address, &undo.env_id)
            {
                record.status = undo.status;
                if let Some(alias) = undo.alias {
                    record.attributes.set_role(Role::Alias, alias);
                }
            }
            return;
        }
        let nowhere = SourceRef { file: String::new(), line: 0 };
        let nothing_announced = self.unknown_record(at, nowhere);
        let slot = self.slot(&outcome.address);
        let place = slot
            .claims
            .iter()
            .rposition(|claim| claim.step == outcome.step && claim.attempt == outcome.attempt);
        match place.and_then(|place| Some((place, slot.claims.get_mut(place)?))) {
            Some((place, claim)) if outcome.is_harmless(&claim.record.attributes) => {
                slot.claims.remove(place);
            }
            Some((_, claim)) => {
                claim.open = false;
                note(&mut claim.record, outcome);
            }
            // No order was announced. Ids that came back all the same are not thrown away.
            None if outcome.tran_id.is_some() || outcome.env_id.is_some() => {
                let mut record = nothing_announced;
                note(&mut record, outcome);
                slot.claims.push(Claim { step: outcome.step, attempt: outcome.attempt, open: false, record });
            }
            None => {}
        }
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Put { address, record } => self.hold(address, Some((**record).clone())),
            Edit::Forget { address } => self.hold(address, None),
            Edit::Move { from, to } => self.relocate(from, to),
            Edit::Deposed { address, env_id, record } => {
                self.edit_deposed(address, env_id, record.as_deref());
            }
            Edit::Depose(deposed) => {
                let Deposed { address, record, .. } = &**deposed;
                if let Some(env_id) = &record.env_id {
                    self.edit_deposed(address, env_id, None);
                }
                self.deposed.push((**deposed).clone());
            }
        }
    }

    /// A move onto an address in use would lose what stands there, so it moves nothing.
    fn relocate(&mut self, from: &Address, to: &Address) {
        if from == to || self.slot(to).shown().is_some() {
            return;
        }
        let Some(record) = self.slot(from).shown() else {
            return;
        };
        self.hold(from, None);
        self.hold(to, Some(record));
        let replaced = self.deposed.iter_mut();
        replaced.filter(|deposed| deposed.address == *from).for_each(|deposed| deposed.address = to.clone());
    }

    fn edit_deposed(&mut self, address: &Address, env_id: &str, record: Option<&Record>) {
        let is_it = |record: &Record| record.env_id.as_deref() == Some(env_id);
        // What a claim of this run takes the place of is deposed by the claim, and no sooner.
        let pending = self.slots.get_mut(address).filter(|slot| {
            let replaced = slot.deposes(address);
            replaced.is_some_and(|deposed| is_it(&deposed.record))
        });
        if let Some(slot) = pending {
            slot.stood = record.cloned();
        }
        match record {
            Some(record) => {
                let replaced = self.deposed.iter_mut();
                replaced
                    .filter(|deposed| deposed.address == *address && is_it(&deposed.record))
                    .for_each(|deposed| deposed.record = record.clone());
            }
            None => self.deposed.retain(|deposed| deposed.address != *address || !is_it(&deposed.record)),
        }
    }

    /// Says what stands at an address from here on. What a claim took the place of is deposed for good.
    fn hold(&mut self, address: &Address, record: Option<Record>) {
        let slot = self.slot(address);
        let replaced = slot.deposes(address).filter(|deposed| {
            let put = record.as_ref();
            put.is_none_or(|record| !same_environment(&deposed.record, record))
        });
        slot.stood = record;
        slot.claims.clear();
        self.deposed.extend(replaced);
    }

    /// An order of this run, sent at `at`, of which nothing is known.
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
        }
    }
}

impl Slot {
    /// What the last claim takes the place of, if that is another environment.
    fn deposes(&self, address: &Address) -> Option<Deposed> {
        let claim = &self.claims.last()?.record;
        let stood = self.stood.as_ref().filter(|stood| stood.status.is_settled())?;
        (!same_environment(stood, claim)).then(|| Deposed {
            address: address.clone(),
            record: stood.clone(),
            at: claim.ordered_at,
            by: claim.run,
        })
    }

    /// The last claim, or what stood before any.
    ///
    /// More than one claim, or one over an unknown record, is what [`Folding::objection`] prevents. Should it be there
    /// all the same, the address is unknown until a person has looked, and an id is only given up for a later one.
    fn shown(&self) -> Option<Record> {
        let Some((last, earlier)) = self.claims.split_last() else {
            return self.stood.clone();
        };
        let unsettled = self.stood.iter().filter(|record| record.status == Status::Unknown);
        let newest_first = earlier.iter().rev().map(|claim| &claim.record);
        let mut shown = last.record.clone();
        for other in newest_first.chain(unsettled) {
            shown.tran_id = shown.tran_id.or_else(|| other.tran_id.clone());
            shown.env_id = shown.env_id.or_else(|| other.env_id.clone());
            shown.request_id = shown.request_id.or_else(|| other.request_id.clone());
            if other.status == Status::Unknown {
                shown.status = Status::Unknown;
            }
        }
        Some(shown)
    }
}

/// Two records without an id are of two orders.
fn same_environment(one: &Record, other: &Record) -> bool {
    one.env_id.is_some() && one.env_id == other.env_id
}

/// Takes out of what was replaced what has an address again: a later order, or an adoption, was of that very environment.
/// On record as deposed too, giving it up would give up the one in use.
fn release(deposed: &mut Vec<Deposed>, environments: &BTreeMap<Address, Record>) {
    if deposed.is_empty() {
        return;
    }
    let in_use: HashSet<&String> = environments
        .values()
        .filter(|record| record.status.is_settled())
        .filter_map(|record| record.env_id.as_ref())
        .collect();
    deposed.retain(|deposed| {
        let env_id = deposed.record.env_id.as_ref();
        env_id.is_none_or(|env_id| !in_use.contains(env_id))
    });
}

/// Writes what an answer said, and how far it can be trusted, into the record of its order.
fn note(record: &mut Record, outcome: &Outcome) {
    record.tran_id.clone_from(&outcome.tran_id);
    record.env_id.clone_from(&outcome.env_id);
    record.request_id.clone_from(&outcome.request_id);
    record.status = match outcome.evidence {
        Evidence::Ordered => {
            // An order that switches an environment is for the one it named, whether or not the answer repeats it.
            record.env_id = record.env_id.take().or_else(|| record.attributes.env_id().map(str::to_owned));
            match record.env_id {
                Some(_) => Status::Created,
                None => Status::AwaitingEnvId,
            }
        }
        Evidence::Done | Evidence::Refused | Evidence::NotSent | Evidence::Unknown => Status::Unknown,
    };
}

/// The run's account, with the number that an earlier run learned.
fn keeping_uin(account: Account, known: Option<Account>) -> Account {
    match known {
        Some(known) if account.uin.is_none() && known.endpoint == account.endpoint => known,
        Some(_) | None => account,
    }
}

#[cfg(test)]
mod tests;
