//! One request after another: the gateway, the action, the ledger, and then what the client gets.
//!
//! What was done is in the ledger before the first byte of an answer leaves, so that a client or a server that is killed can be
//! checked against it.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::actions::{Action, Run};
use super::connection::Fate;
use super::event::{Event, LedgerEntry};
use super::fault::{Break, FaultKind, Target};
use super::gateway::{Incoming, Rates, throttled};
use super::ledger::Ledger;
use super::model::{Call, Members, Rejection};
use super::options::{Options, RATE};
use crate::crash;

/// What changes, one request at a time.
pub(super) struct Backend {
    /// None once the server is stopped.
    pub(super) ledger: Option<Ledger>,
    rates: Rates,
    /// For each [`FaultKind::ThrottleFor`] that struck: whose calls are throttled, and until when.
    congestions: Vec<(Target, Timestamp)>,
    /// The calls since the start; None: of actions that do not exist.
    calls: HashMap<Option<Target>, u64>,
}

/// A request that has been served.
pub(super) struct Served {
    pub(super) reply: Reply,
    /// Whether the gateway let it through: only then does it take the latency.
    pub(super) reached: bool,
}

/// What the client gets.
pub(super) enum Reply {
    Answer(Members),
    Cut(Members),
    Page,
    ServerError,
    Break(Fate),
    Silence,
}

impl Backend {
    /// Serves what comes after these events.
    pub(super) fn new(ledger: Ledger, events: &[Event], options: &Options) -> Self {
        let mut rates = Rates::default();
        for event in events {
            if let Event::Request(entry) = event
                && let Some(action) = Action::named(&entry.action).filter(|_| entry.reached)
                && let Some(limit) = limit(action, options)
            {
                // One that an earlier process let through counts.
                let _ = rates.admit(action.name, limit, entry.at);
            }
        }
        Self { ledger: Some(ledger), rates, congestions: Vec::new(), calls: HashMap::new() }
    }

    pub(super) fn serve(&mut self, incoming: &Incoming, options: &Options) -> Served {
        let action = Action::named(incoming.action());
        if action.is_some_and(Action::writes) {
            crash::point(crash::REQUEST_ARRIVED);
        }
        let call = self.calls.entry(action.map(|action| action.target)).or_default();
        *call += 1;
        let mut entry = LedgerEntry {
            call: *call,
            at: incoming.arrival,
            action: incoming.action().to_owned(),
            region: incoming.region().map(str::to_owned),
            request_id: uuid::Uuid::now_v7().to_string(),
            ..LedgerEntry::default()
        };
        let reply = self.reply(incoming, options, &mut entry);
        if entry.answer.is_empty() {
            entry.answer = match &reply {
                Ok(_) => "ok".to_owned(),
                Err(rejection) => rejection.code.clone(),
            };
        }
        let request_id = Value::String(entry.request_id.clone());
        let (reached, acted) = (entry.reached, entry.acted || entry.changed);
        let reply = self.record(entry).and(reply);
        if acted {
            crash::point(crash::API_ACTED);
        }
        let mut reply = reply.unwrap_or_else(|Rejection { code, message }| {
            let error = json!({"Code": code, "Message": message});
            Reply::Answer(Map::from_iter([("Error".to_owned(), error)]))
        });
        if let Reply::Answer(members) | Reply::Cut(members) = &mut reply {
            members.insert("RequestId".to_owned(), request_id);
        }
        Served { reply, reached }
    }

    /// Past the gateway, the fault that strikes before, and the action's rules; notes in the entry what is done.
    fn reply(
        &mut self,
        incoming: &Incoming,
        options: &Options,
        entry: &mut LedgerEntry,
    ) -> Result<Reply, Rejection> {
        let (action, caller) = incoming.admit()?;
        // The ledger has the parameters of a call that is throttled too.
        let params = incoming.params();
        entry.params = params.as_ref().cloned().unwrap_or_default();
        if let Some(token) = entry.params.get_mut("WebIdentityToken") {
            // As good as a secret to whoever believes it.
            *token = Value::from("…");
        }
        let mut faults = options.faults.iter();
        let fault = faults.find(|fault| fault.strikes(action.target, entry.call)).map(|fault| &fault.kind);
        let limit = limit(action, options);
        if self.is_throttled(action.target, fault, entry) {
            return Err(throttled(limit.unwrap_or(action.per_second)));
        }
        if let Some(limit) = limit {
            self.rates.admit(action.name, limit, entry.at)?;
        }
        entry.reached = true;
        if let Some(kind) = fault
            && let Some(reply) = before(kind)
        {
            note(entry, kind);
            return reply;
        }
        let region = incoming.region();
        let call = Call { params: params?, region, caller: &caller, at: entry.at, options };
        let ledger = self.ledger.as_mut().ok_or_else(stopped)?;
        let members = match action.run {
            Run::Read(answer) => answer(ledger.shown(entry.at), &call)?,
            Run::Write { check, .. } => check(ledger.account(), &call, entry)?,
        };
        match fault {
            None => Ok(Reply::Answer(members)),
            Some(kind) => {
                note(entry, kind);
                after(kind, members)
            }
        }
    }

    /// Whether a fault throttles a call: the one that strikes at it, or a congestion that began before.
    fn is_throttled(&mut self, target: Target, fault: Option<&FaultKind>, entry: &mut LedgerEntry) -> bool {
        if let Some(FaultKind::ThrottleFor(time)) = fault {
            let until = entry.at.checked_add(*time).unwrap_or(Timestamp::MAX);
            self.congestions.push((target, until));
        }
        if let Some(kind @ (FaultKind::Throttle | FaultKind::ThrottleFor(_))) = fault {
            entry.fault = Some(kind.to_string());
            return true;
        }
        let mut congestions = self.congestions.iter();
        congestions.any(|(whose, until)| *whose == target && entry.at < *until)
    }

    /// Writes the entry, and lets what it says happen. Without the first there is no second.
    fn record(&mut self, entry: LedgerEntry) -> Result<(), Rejection> {
        let ledger = self.ledger.as_mut().ok_or_else(stopped)?;
        let written = ledger.append(&Event::Request(entry));
        written.map_err(|error| Rejection::new("InternalError", error.to_string()))
    }
}

fn stopped() -> Rejection {
    Rejection::new("InternalError", "The sandbox is stopped.")
}

/// The calls per second that are let through. Reads have no limit: the documented one is far above what one client needs.
fn limit(action: &Action, options: &Options) -> Option<u32> {
    if action.target == Target::Create {
        options.rate.map(|rate| rate.max(if action.per_second == RATE { 0 } else { action.per_second }))
    } else {
        action.writes().then_some(action.per_second)
    }
}

/// Notes that a fault replaced the answer.
fn note(entry: &mut LedgerEntry, kind: &FaultKind) {
    entry.fault = Some(kind.to_string());
    entry.answer = kind.to_string();
}

/// What a fault replies instead of letting the action run; None when it strikes later.
fn before(kind: &FaultKind) -> Option<Result<Reply, Rejection>> {
    match kind {
        FaultKind::Before(how) => Some(Ok(broken(*how))),
        FaultKind::Error(code) => Some(Err(Rejection::new(code, "This error was asked for."))),
        FaultKind::Throttle
        | FaultKind::ThrottleFor(_)
        | FaultKind::After(_)
        | FaultKind::CutBody
        | FaultKind::Html
        | FaultKind::NullEnvId
        | FaultKind::MissingTranId
        | FaultKind::Short
        | FaultKind::Repeat
        | FaultKind::ErrorAfter(_) => None,
    }
}

/// What a fault makes of the answer to a call that was carried out.
fn after(kind: &FaultKind, mut members: Members) -> Result<Reply, Rejection> {
    match kind {
        FaultKind::After(how) => return Ok(broken(*how)),
        FaultKind::CutBody => return Ok(Reply::Cut(members)),
        FaultKind::Html => return Ok(Reply::Page),
        FaultKind::ErrorAfter(code) => return Err(Rejection::new(code, "This error was asked for.")),
        FaultKind::NullEnvId => {
            members.insert("EnvId".to_owned(), Value::Null);
        }
        FaultKind::MissingTranId => {
            members.remove("TranId");
        }
        FaultKind::Short => {
            for rows in members.values_mut().filter_map(Value::as_array_mut) {
                rows.pop();
            }
        }
        FaultKind::Repeat => {
            for rows in members.values_mut().filter_map(Value::as_array_mut) {
                rows.extend_from_within(..);
            }
        }
        FaultKind::Throttle | FaultKind::ThrottleFor(_) | FaultKind::Before(_) | FaultKind::Error(_) => {}
    }
    Ok(Reply::Answer(members))
}

fn broken(how: Break) -> Reply {
    match how {
        Break::Reset => Reply::Break(Fate::Reset),
        Break::Eof => Reply::Break(Fate::Closed),
        Break::Hang => Reply::Silence,
        Break::ServerError => Reply::ServerError,
    }
}
