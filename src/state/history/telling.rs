//! Goes through the journals, oldest first, and joins what was found out later to what it was found out of.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::{Change, Found, Happening, ORDER, Request, Run, Settled, What};
use crate::model::{Address, SourceRef};
use crate::state::journal::{Edit, Edited, Event, Evidence, Intent, Journal, Outcome, RunId, RunStarted};
use crate::state::{Record, Status};

/// The happenings so far, and what has to be known to tell the next one.
#[derive(Default)]
pub(super) struct Telling {
    /// Each with the life that it belongs to.
    told: Vec<(Happening, usize)>,
    /// The addresses that each environment, or line of replacements, had.
    lives: Vec<BTreeSet<Address>>,
    /// Which life an address has now.
    at: BTreeMap<Address, usize>,
    /// The order that a record is of, by its run and time.
    orders: HashMap<(RunId, Timestamp), Vec<usize>>,
    /// The order that stands at an address.
    standing: BTreeMap<Address, usize>,
}

impl Telling {
    /// Everything that was told, in the order of the journals.
    pub(super) fn finish(self) -> Vec<Happening> {
        let Self { told, lives, .. } = self;
        told.into_iter()
            .map(|(happening, life)| Happening {
                names: lives.get(life).cloned().unwrap_or_default(),
                ..happening
            })
            .collect()
    }

    fn life(&mut self, address: &Address) -> usize {
        if let Some(life) = self.at.get(address) {
            return *life;
        }
        let life = self.lives.len();
        self.lives.push([address.clone()].into());
        self.at.insert(address.clone(), life);
        life
    }

    fn tell(&mut self, at: Timestamp, address: &Address, run: &Run, what: What) -> usize {
        let life = self.life(address);
        let happening =
            Happening { at, address: address.clone(), run: run.clone(), what, names: BTreeSet::new() };
        self.told.push((happening, life));
        self.told.len() - 1
    }

    fn request(&mut self, place: usize) -> Option<&mut Request> {
        match &mut self.told.get_mut(place)?.0.what {
            What::Request(request) => Some(request),
            What::Edit { .. } => None,
        }
    }

    /// An order whose journal is gone.
    pub(super) fn recorded(&mut self, address: &Address, record: &Record) {
        let run = Run { id: record.run, who: None, commit: None };
        let request = Request {
            action: ORDER.to_owned(),
            outcome: Found::OnRecord(record.status),
            tran_id: record.tran_id.clone(),
            env_id: record.env_id.clone(),
            request_id: record.request_id.clone(),
            code: None,
            message: None,
            source: record.source.clone(),
            took_ms: None,
            settled: None,
        };
        self.tell(record.ordered_at, address, &run, What::Request(request));
    }

    pub(super) fn run(&mut self, journal: &Journal, is_open: bool) {
        let RunStarted { run, who, commit, .. } = &journal.started;
        let run = Run { id: *run, who: Some(who.clone()), commit: commit.clone() };
        let mut attempts: HashMap<(u32, u32), usize> = HashMap::new();
        for entry in &journal.entries {
            match &entry.event {
                Event::Intent(intent) => {
                    let place = self.intent(entry.at, intent, &run, is_open);
                    attempts.insert((intent.step, intent.attempt), place);
                }
                Event::Outcome(outcome) => {
                    let attempt = (outcome.step, outcome.attempt);
                    let place = attempts.get(&attempt).copied();
                    self.outcome(entry.at, outcome, place, &run);
                }
                Event::Edited(edited) => self.edited(entry.at, edited, &run),
                Event::Listed(_) | Event::RunEnded(_) | Event::Recovered(_) => {}
            }
        }
    }

    fn intent(&mut self, at: Timestamp, intent: &Intent, run: &Run, is_open: bool) -> usize {
        let request = Request {
            action: intent.action.clone(),
            outcome: if is_open { Found::UnderWay } else { Found::Lost },
            tran_id: None,
            env_id: None,
            request_id: None,
            code: None,
            message: None,
            source: intent.source.clone(),
            took_ms: None,
            settled: None,
        };
        let place = self.tell(at, &intent.address, run, What::Request(request));
        if intent.may_order() {
            self.orders.entry((run.id, at)).or_default().push(place);
            self.standing.insert(intent.address.clone(), place);
        }
        place
    }

    fn outcome(&mut self, at: Timestamp, outcome: &Outcome, place: Option<usize>, run: &Run) {
        let place = place.unwrap_or_else(|| {
            // An answer to nothing that was announced: its ids are told all the same.
            let nowhere = SourceRef { file: String::new(), line: 0 };
            let request = Request {
                action: ORDER.to_owned(),
                outcome: Found::Lost,
                tran_id: None,
                env_id: None,
                request_id: None,
                code: None,
                message: None,
                source: nowhere,
                took_ms: None,
                settled: None,
            };
            self.tell(at, &outcome.address, run, What::Request(request))
        });
        let Some(request) = self.request(place) else {
            return;
        };
        request.outcome = Found::Answered(outcome.evidence);
        request.tran_id.clone_from(&outcome.tran_id);
        request.env_id.clone_from(&outcome.env_id);
        request.request_id.clone_from(&outcome.request_id);
        request.code.clone_from(&outcome.code);
        request.message.clone_from(&outcome.message);
        request.took_ms = Some(outcome.took_ms);
    }

    fn edited(&mut self, at: Timestamp, Edited { doing, edit }: &Edited, run: &Run) {
        let edited = |change| What::Edit { doing: doing.clone(), change };
        match edit {
            Edit::Put { address, record } => {
                self.found_out(at, doing, address, record);
                let change = Change::Recorded(record.clone());
                self.tell(at, address, run, edited(change));
            }
            Edit::Forget { address } => {
                self.not_created(at, doing, address);
                self.tell(at, address, run, edited(Change::Forgotten));
                // What is ordered there next is another one.
                self.at.remove(address);
            }
            Edit::Move { from, to } => {
                let place = self.tell(at, from, run, edited(Change::Moved { to: to.clone() }));
                let life = self.told[place].1;
                self.lives[life].insert(to.clone());
                self.at.remove(from);
                self.at.insert(to.clone(), life);
                if let Some(order) = self.standing.remove(from) {
                    self.standing.insert(to.clone(), order);
                }
            }
            Edit::Deposed { address, env_id, record } => {
                let change = match record {
                    Some(record) => Change::DeposedRecorded(record.clone()),
                    None => Change::DeposedForgotten { env_id: env_id.clone() },
                };
                self.tell(at, address, run, edited(change));
            }
            Edit::Depose(deposed) => {
                let change = Change::DeposedRecorded(Box::new(deposed.record.clone()));
                self.tell(at, &deposed.address, run, edited(change));
            }
        }
    }

    /// Tells an order with what its record got to say later.
    fn found_out(&mut self, at: Timestamp, doing: &str, address: &Address, record: &Record) {
        let places = self.orders.get(&(record.run, record.ordered_at));
        let places = places.map_or(&[][..], Vec::as_slice);
        let standing = self.standing.get(address);
        let place = places.iter().find(|place| Some(*place) == standing).or_else(|| places.first()).copied();
        let Some(request) = place.and_then(|place| self.request(place)) else {
            return;
        };
        let news = (request.tran_id.is_none() && record.tran_id.is_some())
            || (request.env_id.is_none() && record.env_id.is_some());
        if record.status == Status::Unknown || request.settled.is_some() {
            return;
        }
        if news || request.outcome != Found::Answered(Evidence::Ordered) {
            // What came back stays as it came.
            request.tran_id = request.tran_id.take().or_else(|| record.tran_id.clone());
            request.env_id = request.env_id.take().or_else(|| record.env_id.clone());
            request.settled = Some(Settled { at, doing: doing.to_owned(), created: true });
        }
    }

    /// An order that nobody knew the outcome of, and that was found to have made nothing.
    fn not_created(&mut self, at: Timestamp, doing: &str, address: &Address) {
        let Some(place) = self.standing.remove(address) else {
            return;
        };
        // Whoever forgets it otherwise says nothing of what came of it.
        if doing.starts_with("resolve")
            && let Some(request) = self.request(place)
            && request.settled.is_none()
            && request.outcome != Found::Answered(Evidence::Ordered)
            && request.outcome.may_have_acted()
        {
            request.settled = Some(Settled { at, doing: doing.to_owned(), created: false });
        }
    }
}
