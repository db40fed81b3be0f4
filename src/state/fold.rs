//! Makes a state out of the one before and a journal. Pure.
//!
//! What a journal proves is decided here and nowhere else; how it came to be on disk is the store's business.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::journal::{Edit, Event, Evidence, Intent, Journal, Outcome, RunId, RunStarted};
use super::succession::reached;
use super::{Account, Origin, Record, State, Status};
use crate::desired::{Address, Attributes, Field, SourceRef};

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
        let serial = reached(
            before.as_ref().map(|state| state.serial),
            journal.started.base,
        );
        let mut state = fold(before, journal);
        state.serial = serial;
        Some(state)
    })
}

/// A state with a run's entries being folded in, one by one, each at the same small cost.
///
/// Every attempt that may have ordered is a claim on its address, from its intent on, until its outcome proves that it
/// did nothing. An address shows its last claim; what stood there before comes back when no claim is left.
#[derive(Debug, Clone)]
pub struct Folding {
    before: Option<State>,
    started: RunStarted,
    /// The addresses that this run has touched.
    slots: BTreeMap<Address, Slot>,
    /// The attempts, by step, at what orders nothing: their outcomes say nothing of a record.
    repeatable: BTreeSet<(u32, u32)>,
    /// Whether the state holds this run already.
    done: bool,
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
        let done = before
            .as_ref()
            .is_some_and(|state| state.last_run == Some(started.run));
        Self {
            before,
            started,
            slots: BTreeMap::new(),
            repeatable: BTreeSet::new(),
            done,
        }
    }

    /// Folds one more entry in.
    pub fn add(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::Intent(intent) if intent.may_order() => self.claim(at, intent),
            Event::Intent(intent) => {
                self.repeatable.insert((intent.step, intent.attempt));
            }
            Event::Outcome(outcome) => self.settle(at, outcome),
            Event::Edited(edited) => self.edit(&edited.edit),
            Event::Listed(_) | Event::RunEnded(_) | Event::Recovered(_) => {}
        }
    }

    /// Why an intent must not be sent: what it orders may have been ordered already. None when it may.
    pub fn objection(&self, intent: &Intent) -> Option<&'static str> {
        if !intent.may_order() {
            return None;
        }
        let (claims, stood) = match self.slots.get(&intent.address) {
            Some(slot) => (slot.claims.as_slice(), slot.stood.as_ref()),
            None => (&[][..], self.on_record(&intent.address)),
        };
        if !claims.is_empty() {
            Some("this run has ordered this environment already, or may have")
        } else if stood.is_some_and(|record| record.status == Status::Unknown) {
            Some("an earlier order of this environment has an unknown outcome")
        } else {
            None
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
        let Self {
            before,
            started,
            slots,
            repeatable: _,
            done,
        } = self;
        let (known, mut environments) = match before {
            Some(state) if done => return state,
            Some(state) => (state.account, state.environments),
            None => (None, BTreeMap::new()),
        };
        for (address, slot) in slots {
            match slot.shown() {
                Some(record) => environments.insert(address, record),
                None => environments.remove(&address),
            };
        }
        let RunStarted {
            run,
            lineage,
            base,
            tool_version,
            account,
            plan: _,
            who: _,
            pid: _,
        } = started;
        State {
            lineage,
            serial: base.next(),
            tool_version,
            account: Some(keeping_uin(account, known)),
            last_run: Some(run),
            environments,
        }
    }

    fn on_record(&self, address: &Address) -> Option<&Record> {
        self.before.as_ref()?.environments.get(address)
    }

    fn slot(&mut self, address: &Address) -> &mut Slot {
        let stood = self.on_record(address).cloned();
        self.slots.entry(address.clone()).or_insert_with(|| Slot {
            stood,
            claims: Vec::new(),
        })
    }

    fn claim(&mut self, at: Timestamp, intent: &Intent) {
        let record = unknown_record(
            self.started.run,
            at,
            intent.attributes.clone(),
            intent.source.clone(),
        );
        self.slot(&intent.address).claims.push(Claim {
            step: intent.step,
            attempt: intent.attempt,
            open: true,
            record,
        });
    }

    fn settle(&mut self, at: Timestamp, outcome: &Outcome) {
        if self.repeatable.contains(&(outcome.step, outcome.attempt)) {
            return;
        }
        let run = self.started.run;
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
                let nowhere = SourceRef {
                    file: String::new(),
                    line: 0,
                };
                let mut record = unknown_record(run, at, Attributes::default(), nowhere);
                note(&mut record, outcome);
                slot.claims.push(Claim {
                    step: outcome.step,
                    attempt: outcome.attempt,
                    open: false,
                    record,
                });
            }
            None => {}
        }
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Put { address, record } => self.slot(address).hold(Some((**record).clone())),
            Edit::Forget { address } => self.slot(address).hold(None),
            Edit::Move { from, to } => {
                if from != to
                    && let Some(record) = self.slot(from).shown()
                {
                    self.slot(from).hold(None);
                    self.slot(to).hold(Some(record));
                }
            }
        }
    }
}

impl Slot {
    fn hold(&mut self, record: Option<Record>) {
        self.stood = record;
        self.claims.clear();
    }

    /// The last claim, or what stood before any.
    ///
    /// More than one claim, or one over an unknown record, is what [`Folding::objection`] prevents. Should it be there
    /// all the same, the address is unknown until a person has looked, and an id is only given up for a later one.
    fn shown(&self) -> Option<Record> {
        let Some((last, earlier)) = self.claims.split_last() else {
            return self.stood.clone();
        };
        let unsettled = self
            .stood
            .iter()
            .filter(|record| record.status == Status::Unknown);
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

fn unknown_record(run: RunId, at: Timestamp, attributes: Attributes, source: SourceRef) -> Record {
    Record {
        status: Status::Unknown,
        env_id: None,
        tran_id: None,
        request_id: None,
        origin: Origin::Ordered,
        attributes,
        ordered_at: at,
        run,
        source,
    }
}

/// Writes what an answer said, and how far it can be trusted, into the record of its order.
fn note(record: &mut Record, outcome: &Outcome) {
    record.tran_id.clone_from(&outcome.tran_id);
    record.env_id.clone_from(&outcome.env_id);
    record.request_id.clone_from(&outcome.request_id);
    record.status = match outcome.evidence {
        Evidence::Ordered => {
            // An order that switches an environment is for the one it named, whether or not the answer repeats it.
            record.env_id = record
                .env_id
                .take()
                .or_else(|| record.attributes.get(Field::EnvId).map(str::to_owned));
            match record.env_id {
                Some(_) => Status::Created,
                None => Status::AwaitingEnvId,
            }
        }
        Evidence::Refused | Evidence::NotSent | Evidence::Unknown => Status::Unknown,
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
