//! Everything that was ever ordered, changed or settled, told from the journals of the runs. Pure.
//!
//! A journal says what was sent and what came back; what was found out later stands in a later entry, or a later run. Here
//! the two come together: an order is told with the ids that it is known to have by now, and with how they came to be known.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::journal::{Edit, Edited, Event, Evidence, Intent, Journal, Outcome, RunId, RunStarted};
use super::{Origin, Record, State, Status};
use crate::desired::{Address, SourceRef};

/// The vendor's action that orders.
const ORDER: &str = "CreatePostpayPackage";

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    pub at: Timestamp,
    /// The address that it had then.
    pub address: Address,
    pub run: Run,
    pub what: What,
    /// Every address that what it is about had at some time.
    names: BTreeSet<Address>,
}

/// The run that it happened in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    /// `user@host`. None when the run's receipt is not there.
    pub who: Option<String>,
    pub commit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Request(Request),
    Edit {
        /// The step or command that did it: `resolve --adopt`, `state mv`.
        doing: String,
        change: Change,
    },
}

/// One request to the vendor that changes something there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The vendor's name of it.
    pub action: String,
    pub outcome: Found,
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
    pub request_id: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub source: SourceRef,
    pub took_ms: Option<u64>,
    /// What its answer did not say, and was found out later.
    pub settled: Option<Settled>,
}

/// What is known of how a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Answered(Evidence),
    /// No outcome is in the journal of a run that is open still.
    UnderWay,
    /// No outcome is in the journal, and none will be.
    Lost,
    /// The journal is not there. The record says this.
    OnRecord(Status),
}

impl Found {
    /// For people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered(Evidence::Ordered) => "ordered",
            Self::Answered(Evidence::Done) => "done",
            Self::Answered(Evidence::Refused) => "refused",
            Self::Answered(Evidence::NotSent) => "not_sent",
            Self::Answered(Evidence::Unknown) => "unknown",
            Self::UnderWay => "under_way",
            Self::Lost => "lost",
            Self::OnRecord(status) => status.name(),
        }
    }

    /// Whether the request may have ordered something.
    const fn may_have_acted(self) -> bool {
        match self {
            Self::Answered(Evidence::Done | Evidence::Refused | Evidence::NotSent) => false,
            Self::Answered(Evidence::Ordered | Evidence::Unknown)
            | Self::UnderWay
            | Self::Lost
            | Self::OnRecord(_) => true,
        }
    }
}

/// How an order without an answer, or without an environment id, was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub at: Timestamp,
    pub doing: String,
    /// What came of it: false when it was found to have made nothing.
    pub created: bool,
}

/// What an edit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is on record since.
    Recorded(Box<Record>),
    Forgotten,
    Moved {
        to: Address,
    },
    /// Of an environment that another one took the address of.
    DeposedRecorded(Box<Record>),
    DeposedForgotten {
        env_id: String,
    },
}

impl Change {
    /// For people and programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Recorded(_) | Self::DeposedRecorded(_) => "recorded",
            Self::Forgotten | Self::DeposedForgotten { .. } => "forgotten",
            Self::Moved { .. } => "moved",
        }
    }
}

/// Which happenings are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Edits, and requests that were not sent, too.
    pub all: bool,
    pub since: Option<Timestamp>,
    /// All when there is none.
    pub addresses: Vec<Address>,
}

impl Happening {
    /// Whether it is asked for. A move is followed: what was moved is found under every address that it had.
    pub fn is_wanted(&self, wanted: &Wanted) -> bool {
        let Wanted {
            all,
            since,
            addresses,
        } = wanted;
        let kind = *all
            || match &self.what {
                What::Request(request) => request.outcome != Found::Answered(Evidence::NotSent),
                What::Edit { .. } => false,
            };
        kind && since.is_none_or(|since| self.at >= since)
            && (addresses.is_empty() || addresses.iter().any(|it| self.names.contains(it)))
    }

    /// What it says of ids: TranId and EnvId.
    pub fn ids(&self) -> (Option<&str>, Option<&str>) {
        let (tran_id, env_id) = match &self.what {
            What::Request(request) => (&request.tran_id, &request.env_id),
            What::Edit { change, .. } => match change {
                Change::Recorded(record) | Change::DeposedRecorded(record) => {
                    (&record.tran_id, &record.env_id)
                }
                Change::DeposedForgotten { env_id } => return (None, Some(env_id)),
                Change::Forgotten | Change::Moved { .. } => return (None, None),
            },
        };
        (tran_id.as_deref(), env_id.as_deref())
    }
}

/// Everything that these runs did, oldest first. `open` is the run that is open, if one is, and counts as the last one.
///
/// Receipts may be thrown away, and must not take the orders with them: what `state` has on record of a run that is not
/// here is told by its record.
pub fn history(journals: &[Journal], open: Option<RunId>, state: Option<&State>) -> Vec<Happening> {
    let mut telling = Telling::default();
    let on_file: HashSet<RunId> = journals.iter().map(|journal| journal.started.run).collect();
    for journal in journals {
        telling.run(journal, open == Some(journal.started.run));
    }
    // Last, under the address that it came to by all the moves.
    for (address, record) in state.into_iter().flat_map(State::records) {
        if record.origin == Origin::Ordered && !on_file.contains(&record.run) {
            telling.recorded(address, record);
        }
    }
    let Telling {
        mut told, lives, ..
    } = telling;
    let mut happenings: Vec<Happening> = told
        .drain(..)
        .map(|(mut happening, life)| {
            happening.names.clone_from(&lives[life]);
            happening
        })
        .collect();
    happenings.sort_by_key(|happening| happening.at);
    happenings
}

/// The happenings so far, and what has to be known to tell the next one.
#[derive(Default)]
struct Telling {
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
        let happening = Happening {
            at,
            address: address.clone(),
            run: run.clone(),
            what,
            names: BTreeSet::new(),
        };
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
    fn recorded(&mut self, address: &Address, record: &Record) {
        let run = Run {
            id: record.run,
            who: None,
            commit: None,
        };
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

    fn run(&mut self, journal: &Journal, is_open: bool) {
        let RunStarted {
            run, who, commit, ..
        } = &journal.started;
        let run = Run {
            id: *run,
            who: Some(who.clone()),
            commit: commit.clone(),
        };
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
            outcome: if is_open {
                Found::UnderWay
            } else {
                Found::Lost
            },
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
            let nowhere = SourceRef {
                file: String::new(),
                line: 0,
            };
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
        let edited = |change| What::Edit {
            doing: doing.clone(),
            change,
        };
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
            Edit::Deposed {
                address,
                env_id,
                record,
            } => {
                let change = match record {
                    Some(record) => Change::DeposedRecorded(record.clone()),
                    None => Change::DeposedForgotten {
                        env_id: env_id.clone(),
                    },
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
        let place = places
            .iter()
            .find(|place| Some(*place) == standing)
            .or_else(|| places.first())
            .copied();
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
            request.settled = Some(Settled {
                at,
                doing: doing.to_owned(),
                created: true,
            });
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
            request.settled = Some(Settled {
                at,
                doing: doing.to_owned(),
                created: false,
            });
        }
    }
}

/// The orders that may have been made, and that no number is known of: no bill can tell of them.
pub fn without_number(happenings: &[Happening]) -> Vec<&Happening> {
    let is_one = |happening: &&Happening| match &happening.what {
        What::Request(request) => {
            let not_made = request.settled.as_ref().is_some_and(|it| !it.created);
            request.action == ORDER
                && request.outcome.may_have_acted()
                && request.tran_id.is_none()
                && !not_made
        }
        What::Edit { .. } => false,
    };
    happenings.iter().filter(is_one).collect()
}

/// Every TranId that is known here: the vendor's answers, and what was found out, imported or recorded later. With when and
/// at which address it was first seen.
pub fn order_numbers(
    happenings: &[Happening],
    state: Option<&State>,
) -> BTreeMap<String, (Timestamp, Address)> {
    let mut numbers = BTreeMap::new();
    for happening in happenings {
        if let (Some(tran_id), _) = happening.ids() {
            numbers
                .entry(tran_id.to_owned())
                .or_insert_with(|| (happening.at, happening.address.clone()));
        }
    }
    for (address, record) in state.into_iter().flat_map(State::records) {
        if let Some(tran_id) = &record.tran_id {
            numbers
                .entry(tran_id.clone())
                .or_insert_with(|| (record.ordered_at, address.clone()));
        }
    }
    numbers
}

#[cfg(test)]
mod tests;
