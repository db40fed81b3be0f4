//! Every request and edit in the journals, oldest first. Pure.
//!
//! A journal has what was sent and returned; what was found out later is in a later event or run. A request
//! is shown with the ids known by now and how they were found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::journal::{Edit, Edited, Event, Evidence, Intent, Journal, Outcome, RunStarted};
use crate::model::{Address, Attributes, InstanceKey, Kind, SourceRef};
use crate::state::record::RunId;
use crate::state::record::{Origin, Record, State, Status};

/// One request or edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    pub at: Timestamp,
    /// The environment, with its address at that time.
    pub key: InstanceKey,
    pub run: Run,
    pub kind: EventKind,
    /// Every address that the environment ever had.
    addresses: BTreeSet<Address>,
}

/// The run of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    /// `user@host`. None when the run's receipt is missing.
    pub who: Option<String>,
    pub commit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    Request(Request),
    Edit {
        /// The step or command: `resolve --adopt`, `state mv`.
        doing: String,
        change: Change,
    },
}

/// One create, update or destroy request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The API action.
    pub action: String,
    /// Whether it is a create that returns an order number.
    pub expects_tran_id: bool,
    pub result: RequestResult,
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
    pub request_id: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub source: SourceRef,
    pub took_ms: Option<u64>,
    /// What its response lacked and was found out later.
    pub settled: Option<Settled>,
}

/// The result of a request, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestResult {
    Answered(Evidence),
    /// No outcome yet, and the run is open.
    InProgress,
    /// No outcome in the journal of a finished run.
    Lost,
    /// The journal is missing; the state has this status.
    InState(Status),
}

impl RequestResult {
    /// Returns the name for messages and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered(Evidence::Ordered) => "ordered",
            Self::Answered(Evidence::Done) => "done",
            Self::Answered(Evidence::Refused) => "refused",
            Self::Answered(Evidence::NotSent) => "not_sent",
            Self::Answered(Evidence::Unknown) => "unknown",
            Self::InProgress => "in_progress",
            Self::Lost => "lost",
            Self::InState(status) => status.name(),
        }
    }

    /// Returns whether the request may have created something.
    const fn may_have_created(self) -> bool {
        !matches!(self, Self::Answered(Evidence::Done | Evidence::Refused | Evidence::NotSent))
    }
}

/// How a create without a response or an EnvId was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Settled {
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    #[serde(rename = "by")]
    pub doing: String,
    /// False when nothing was created.
    pub created: bool,
}

/// The effect of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This record was set.
    Recorded(Box<Record>),
    Forgotten,
    Moved {
        to: Address,
    },
}

impl Change {
    /// Returns the name for messages and JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "recorded",
            Self::Forgotten => "forgotten",
            Self::Moved { .. } => "moved",
        }
    }
}

/// Selects events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Include edits, and requests that were not sent.
    pub all: bool,
    pub since: Option<Timestamp>,
    /// Empty for every address.
    pub addresses: Vec<Address>,
}

impl HistoryEvent {
    /// Returns whether the filter selects it. A moved environment matches every address that it had.
    pub fn matches(&self, Filter { all, since, addresses }: &Filter) -> bool {
        let kind = *all
            || match &self.kind {
                EventKind::Request(request) => request.result != RequestResult::Answered(Evidence::NotSent),
                EventKind::Edit { .. } => false,
            };
        kind && since.is_none_or(|since| self.at >= since)
            && (addresses.is_empty() || addresses.iter().any(|it| self.addresses.contains(it)))
    }

    /// Returns its TranId and EnvId.
    pub fn ids(&self) -> (Option<&str>, Option<&str>) {
        let (tran_id, env_id) = match &self.kind {
            EventKind::Request(request) => (&request.tran_id, &request.env_id),
            EventKind::Edit { change: Change::Recorded(record), .. } => (&record.tran_id, &record.env_id),
            EventKind::Edit { change: Change::Forgotten | Change::Moved { .. }, .. } => {
                (&None, &self.key.deposed)
            }
        };
        (tran_id.as_deref(), env_id.as_deref())
    }
}

/// Returns all events of these runs, oldest first. `open` is the open run, which is the last one.
///
/// Receipts may be deleted: a create in `state` whose run has no journal is taken from its record.
pub fn history(journals: &[Journal], open: Option<RunId>, state: Option<&State>) -> Vec<HistoryEvent> {
    let mut builder = HistoryBuilder::default();
    let known: HashSet<RunId> = journals.iter().map(|journal| journal.started.run).collect();
    for journal in journals {
        builder.run(journal, open == Some(journal.started.run));
    }
    // After the moves have been followed.
    for (key, record) in state.into_iter().flat_map(|state| &state.environments) {
        if record.origin == Origin::Ordered && !known.contains(&record.run) {
            builder.record(key, record);
        }
    }
    let HistoryBuilder { events, environments, .. } = builder;
    let with_addresses = |(event, environment): (HistoryEvent, usize)| HistoryEvent {
        addresses: environments[environment].clone(),
        ..event
    };
    let mut events: Vec<HistoryEvent> = events.into_iter().map(with_addresses).collect();
    events.sort_by_key(|event| event.at);
    events
}

/// Returns the creates that may have acted and have no known TranId, so that no bill can be matched to them.
pub fn without_number(events: &[HistoryEvent]) -> Vec<&HistoryEvent> {
    let is_one = |event: &&HistoryEvent| match &event.kind {
        EventKind::Request(request) => {
            request.expects_tran_id
                && request.result.may_have_created()
                && request.tran_id.is_none()
                && request.settled.as_ref().is_none_or(|settled| settled.created)
        }
        EventKind::Edit { .. } => false,
    };
    events.iter().filter(is_one).collect()
}

/// Returns every known TranId with the time and address of its first event.
pub fn order_numbers(
    events: &[HistoryEvent],
    state: Option<&State>,
) -> BTreeMap<String, (Timestamp, Address)> {
    let in_events = events.iter().filter_map(|event| Some((event.ids().0?, event.at, &event.key.address)));
    let records = state.into_iter().flat_map(|state| &state.environments);
    let in_state = records
        .filter_map(|(key, record)| Some((record.tran_id.as_deref()?, record.ordered_at, &key.address)));
    let mut numbers = BTreeMap::new();
    for (tran_id, at, address) in in_events.chain(in_state) {
        numbers.entry(tran_id.to_owned()).or_insert_with(|| (at, address.clone()));
    }
    numbers
}

/// Processes journals, oldest first, and adds later findings to their requests.
#[derive(Default)]
struct HistoryBuilder {
    /// With the index of the environment in `environments`.
    events: Vec<(HistoryEvent, usize)>,
    /// The addresses of each environment and its replacements.
    environments: Vec<BTreeSet<Address>>,
    /// The current index in `environments` by address.
    at: BTreeMap<Address, usize>,
    /// The creates of a record, by its run and time.
    creates: HashMap<(RunId, Timestamp), Vec<usize>>,
    /// The create of the current environment of an address.
    current: BTreeMap<Address, usize>,
}

impl HistoryBuilder {
    fn push(&mut self, at: Timestamp, key: &InstanceKey, run: &Run, kind: EventKind) -> usize {
        let environment = *self.at.entry(key.address.clone()).or_insert_with(|| {
            self.environments.push([key.address.clone()].into());
            self.environments.len() - 1
        });
        let (key, run) = (key.clone(), run.clone());
        self.events.push((HistoryEvent { at, key, run, kind, addresses: BTreeSet::new() }, environment));
        self.events.len() - 1
    }

    /// Adds a request; a create with its kind.
    fn push_request(
        &mut self,
        at: Timestamp,
        key: &InstanceKey,
        run: &Run,
        (action, kind): (&str, Option<&Kind>),
        result: RequestResult,
        source: SourceRef,
    ) -> usize {
        let request = Request {
            action: action.to_owned(),
            expects_tran_id: kind.is_some_and(|kind| kind.returns_tran_id),
            result,
            tran_id: None,
            env_id: None,
            request_id: None,
            code: None,
            message: None,
            source,
            took_ms: None,
            settled: None,
        };
        self.push(at, key, run, EventKind::Request(request))
    }

    fn request(&mut self, place: usize) -> Option<&mut Request> {
        match &mut self.events.get_mut(place)?.0.kind {
            EventKind::Request(request) => Some(request),
            EventKind::Edit { .. } => None,
        }
    }

    /// Adds a create whose journal is missing.
    fn record(&mut self, key: &InstanceKey, record: &Record) {
        let run = Run { id: record.run, who: None, commit: None };
        let (kind, result) = (record.attributes.kind(), RequestResult::InState(record.status));
        let create = (kind.action, Some(kind));
        let place = self.push_request(record.ordered_at, key, &run, create, result, record.source.clone());
        if let Some(request) = self.request(place) {
            request.tran_id.clone_from(&record.tran_id);
            request.env_id.clone_from(&record.env_id);
            request.request_id.clone_from(&record.request_id);
        }
    }

    fn run(&mut self, journal: &Journal, is_open: bool) {
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
                    let place = attempts.get(&(outcome.step, outcome.attempt)).copied();
                    self.outcome(entry.at, outcome, place, &run);
                }
                Event::Edited(edited) => self.edited(entry.at, edited, &run),
                Event::Listed(_) | Event::RunEnded(_) | Event::Recovered(_) => {}
            }
        }
    }

    fn intent(&mut self, at: Timestamp, intent: &Intent, run: &Run, is_open: bool) -> usize {
        let result = if is_open { RequestResult::InProgress } else { RequestResult::Lost };
        let key = InstanceKey::current(intent.address.clone());
        let kind = intent.may_create().then(|| intent.attributes.kind());
        let place = self.push_request(at, &key, run, (&intent.action, kind), result, intent.source.clone());
        if intent.may_create() {
            self.creates.entry((run.id, at)).or_default().push(place);
            self.current.insert(intent.address.clone(), place);
        }
        place
    }

    fn outcome(&mut self, at: Timestamp, outcome: &Outcome, place: Option<usize>, run: &Run) {
        // An outcome without an intent: show its ids all the same.
        let place = place.unwrap_or_else(|| {
            let key = InstanceKey::current(outcome.address.clone());
            let nowhere = SourceRef { file: String::new(), line: 0 };
            // Its kind is not known: that of most.
            let kind = Attributes::default().kind();
            self.push_request(at, &key, run, (kind.action, Some(kind)), RequestResult::Lost, nowhere)
        });
        let Some(request) = self.request(place) else {
            return;
        };
        request.result = RequestResult::Answered(outcome.evidence);
        request.tran_id.clone_from(&outcome.tran_id);
        request.env_id.clone_from(&outcome.env_id);
        request.request_id.clone_from(&outcome.request_id);
        request.code.clone_from(&outcome.code);
        request.message.clone_from(&outcome.message);
        request.took_ms = Some(outcome.took_ms);
    }

    fn edited(&mut self, at: Timestamp, Edited { doing, edit }: &Edited, run: &Run) {
        let edited = |change| EventKind::Edit { doing: doing.clone(), change };
        match edit {
            Edit::Put { key, record } => {
                if !key.is_deposed() {
                    self.complete(at, doing, &key.address, record);
                }
                self.push(at, key, run, edited(Change::Recorded(record.clone())));
            }
            Edit::Forget { key } => {
                if !key.is_deposed() {
                    self.not_created(at, doing, &key.address);
                }
                self.push(at, key, run, edited(Change::Forgotten));
                if !key.is_deposed() {
                    // A later create there is another environment.
                    self.at.remove(&key.address);
                }
            }
            Edit::Move { from, to } => {
                let key = InstanceKey::current(from.clone());
                let place = self.push(at, &key, run, edited(Change::Moved { to: to.clone() }));
                let environment = self.events[place].1;
                self.environments[environment].insert(to.clone());
                self.at.remove(from);
                self.at.insert(to.clone(), environment);
                if let Some(create) = self.current.remove(from) {
                    self.current.insert(to.clone(), create);
                }
            }
        }
    }

    /// Adds to a create what its record got later. What was returned is kept.
    fn complete(&mut self, at: Timestamp, doing: &str, address: &Address, record: &Record) {
        let places = self.creates.get(&(record.run, record.ordered_at)).map_or(&[][..], Vec::as_slice);
        let current = self.current.get(address);
        let place = places.iter().find(|place| Some(*place) == current).or_else(|| places.first()).copied();
        let Some(request) = place.and_then(|place| self.request(place)) else {
            return;
        };
        let news = (request.tran_id.is_none() && record.tran_id.is_some())
            || (request.env_id.is_none() && record.env_id.is_some());
        if record.status == Status::Unknown || request.settled.is_some() {
            return;
        }
        if news || request.result != RequestResult::Answered(Evidence::Ordered) {
            request.tran_id = request.tran_id.take().or_else(|| record.tran_id.clone());
            request.env_id = request.env_id.take().or_else(|| record.env_id.clone());
            request.settled = Some(Settled { at, doing: doing.to_owned(), created: true });
        }
    }

    /// Settles a create that turned out to have created nothing. Only `resolve` does this.
    fn not_created(&mut self, at: Timestamp, doing: &str, address: &Address) {
        let place = self.current.remove(address).filter(|_| doing.starts_with("resolve"));
        if let Some(request) = place.and_then(|place| self.request(place))
            && request.settled.is_none()
            && request.result != RequestResult::Answered(Evidence::Ordered)
            && request.result.may_have_created()
        {
            request.settled = Some(Settled { at, doing: doing.to_owned(), created: false });
        }
    }
}

#[cfg(test)]
mod tests;
