//! One request after another: the gateway, the back end, the ledger, and then what the client gets to see.
//!
//! What was done is in the ledger before the first byte of an answer leaves, so that a client that is killed, or a server
//! that is, can be held against it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::change::Change;
use super::fault::{Fault, FaultKind, Target};
use super::gateway::{Act, Asked, Incoming, MAX_REQUEST};
use super::ledger::{Ledger, LedgerEntry, Line as LedgerLine};
use super::line::{Fate, Line};
use super::look::ListAlias;
use super::order::Order;
use super::rate::{Rates, per_second, throttled};
use super::show::{Show, after, before, strike};
use super::shown::Shown;
use super::sts::{self, Issuing, Question};
use super::world::{Refusal, World};
use crate::cloud::tencent::wire::{BILLS, CREATE, DESTROY, LIST, MODIFY};
use crate::crash;

const PAGE: &str = "<!DOCTYPE html><html><body><h1>Please log in to this network</h1></body></html>";

/// What all requests share.
pub(super) struct Shared {
    pub(super) inner: Mutex<Inner>,
    pub(super) latency: Duration,
    pub(super) jitter: Duration,
    pub(super) faults: Vec<Fault>,
    pub(super) issuing: Issuing,
    pub(super) machine_role: Option<String>,
    pub(super) list_alias: ListAlias,
    pub(super) stop: watch::Receiver<bool>,
    /// Arrivals are told by a clock that never goes back, set by the wall clock once.
    pub(super) started: (Instant, Timestamp),
}

/// What changes, one request at a time.
pub(super) struct Inner {
    /// None once the server is stopped.
    pub(super) ledger: Option<Ledger>,
    pub(super) world: World,
    /// What of the world is shown by now.
    pub(super) shown: Shown,
    pub(super) rates: Rates,
    /// Of each [`FaultKind::ThrottleFor`] that struck: whose calls are throttled, and until when.
    pub(super) congestions: Vec<(Target, Timestamp)>,
    pub(super) calls: Calls,
}

/// The calls of each action since the start.
#[derive(Debug, Default)]
pub(super) struct Calls {
    creates: u64,
    modifies: u64,
    destroys: u64,
    lists: u64,
    bills: u64,
    sts: u64,
    others: u64,
}

impl Calls {
    /// Counts one more, and gives its number.
    fn count(&mut self, action: &str) -> u64 {
        let count = match action {
            CREATE => &mut self.creates,
            MODIFY => &mut self.modifies,
            DESTROY => &mut self.destroys,
            LIST => &mut self.lists,
            BILLS => &mut self.bills,
            action if Question::of(action).is_some() => &mut self.sts,
            _ => &mut self.others,
        };
        *count += 1;
        *count
    }
}

/// A request that has been dealt with.
struct Done {
    show: Show,
    /// Whether the back end saw it: only then does it take the back end's time.
    reached: bool,
}

impl Shared {
    fn now(&self) -> Timestamp {
        let (instant, timestamp) = self.started;
        timestamp.checked_add(instant.elapsed()).unwrap_or(timestamp)
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, unless the server stops meanwhile. False then.
    async fn wait(&self, time: Duration) -> bool {
        if time.is_zero() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stopped() => false,
        }
    }

    async fn stopped(&self) {
        // A sender that is gone means the same as its word.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }
}

/// Serves one request.
pub(super) async fn handle(
    State(shared): State<std::sync::Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    shared.wait(shared.jitter.mul_f64(chance())).await;
    let arrival = shared.now();
    let (parts, body) = request.into_parts();
    if let Some(role) = &shared.machine_role
        && let Some(asked) = parts.uri.path().strip_prefix(sts::METADATA)
    {
        return match shared.issuing.metadata(role, asked, arrival) {
            Some(text) => reply(StatusCode::OK, "text/plain", text),
            None => reply(StatusCode::NOT_FOUND, "text/plain", String::new()),
        };
    }
    let body = to_bytes(body, MAX_REQUEST).await;
    let too_large = body.is_err();
    let body = body.unwrap_or_default();
    let incoming = Incoming {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method,
        headers: parts.headers,
        body,
        arrival,
    };
    let done = shared.lock().serve(&incoming, too_large, &shared);
    if done.reached && !shared.wait(shared.latency).await {
        line.set(Fate::Reset);
    }
    match done.show {
        Show::Answer(members) => reply(StatusCode::OK, "application/json", envelope(&members)),
        Show::Cut(members) => {
            let text = envelope(&members);
            // Within the last member, which is an order's number: its start is there, its end is not.
            line.set(Fate::Cut(text.len().saturating_sub(8)));
            reply(StatusCode::OK, "application/json", text)
        }
        Show::Page => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE.to_owned()),
        Show::ServerError => {
            let text = "Internal Server Error".to_owned();
            reply(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", text)
        }
        Show::Break(fate) => {
            line.set(fate);
            Response::new(Body::empty())
        }
        Show::Silence => {
            shared.stopped().await;
            line.set(Fate::Reset);
            Response::new(Body::empty())
        }
    }
}

impl Inner {
    fn serve(&mut self, incoming: &Incoming, too_large: bool, shared: &Shared) -> Done {
        if [CREATE, MODIFY, DESTROY].contains(&incoming.action()) {
            crash::point(crash::REQUEST_ARRIVED);
        }
        let call = self.calls.count(incoming.action());
        let mut entry = LedgerEntry {
            call,
            at: incoming.arrival,
            action: incoming.action().to_owned(),
            region: incoming.region().map(str::to_owned),
            params: Map::new(),
            reached: false,
            acted: false,
            changed: false,
            answer: String::new(),
            fault: None,
            tran_id: None,
            env_id: None,
            request_id: uuid::Uuid::now_v7().to_string(),
        };
        let admitted = if too_large {
            Err(Refusal::new("RequestSizeLimitExceeded", "The request is larger than 10 MB."))
        } else {
            incoming.admit()
        };
        let fault = |target| {
            let mut struck = shared.faults.iter().filter(|fault| fault.strikes(target, call));
            struck.next().map(|fault| &fault.kind)
        };
        let shown = match admitted {
            Ok(Asked::Act(act)) => self.act(incoming, act, fault(target(act)), &mut entry),
            Ok(Asked::List) => {
                let region = incoming.region();
                self.look(incoming, 100, (Target::List, fault(Target::List)), &mut entry, |world, params| {
                    world.list(params, region, shared.list_alias)
                })
            }
            Ok(Asked::Bills) => {
                let fault = (Target::Bills, fault(Target::Bills));
                self.look(incoming, 50, fault, &mut entry, World::bills)
            }
            Ok(Asked::Sts(question, caller)) => {
                let fault = (Target::Sts, fault(Target::Sts));
                let now = incoming.arrival;
                let shown = self.look(incoming, 20, fault, &mut entry, |_, params| {
                    shared.issuing.answer(question, &caller, &params, now)
                });
                // As good as a key, to whoever believes it.
                if let Some(token) = entry.params.get_mut("WebIdentityToken") {
                    *token = Value::from("…");
                }
                shown
            }
            Err(refusal) => Err(refusal),
        };
        if entry.answer.is_empty() {
            entry.answer = match &shown {
                Ok(_) => "ok".to_owned(),
                Err(refusal) => refusal.code.clone(),
            };
        }
        let request_id = Value::String(entry.request_id.clone());
        let (reached, acted) = (entry.reached, entry.acted || entry.changed);
        let shown = self.record(entry).and(shown);
        if acted {
            crash::point(crash::VENDOR_ACTED);
        }
        let mut show = shown.unwrap_or_else(|Refusal { code, message }| {
            let error = json!({"Code": code, "Message": message});
            Show::Answer(Map::from_iter([("Error".to_owned(), error)]))
        });
        if let Show::Answer(members) | Show::Cut(members) = &mut show {
            members.insert("RequestId".to_owned(), request_id);
        }
        Done { show, reached }
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

    /// An order or a change: past the rate, past the fault that strikes before, past the rules, and done.
    fn act(
        &mut self,
        incoming: &Incoming,
        act: Act,
        fault: Option<&FaultKind>,
        entry: &mut LedgerEntry,
    ) -> Result<Show, Refusal> {
        // What was asked for is told even of a call that is turned away.
        let params = incoming.params();
        entry.params = params.as_ref().cloned().unwrap_or_default();
        if self.is_throttled(target(act), fault, entry) {
            return Err(throttled(per_second(act)));
        }
        self.rates.of(act).admit(incoming.arrival)?;
        entry.reached = true;
        if let Some(kind) = fault
            && let Some(show) = before(kind)
        {
            strike(entry, kind);
            return show;
        }
        let members = carry_out(&self.world, act, params?, entry)?;
        match fault {
            None => Ok(Show::Answer(members)),
            Some(kind) => {
                strike(entry, kind);
                after(kind, members)
            }
        }
    }

    /// A question: past the fault that strikes before, and answered from what is shown by now. Its rate is not limited: the
    /// vendor allows so many a second that no client of one account comes near.
    fn look(
        &mut self,
        incoming: &Incoming,
        per_second: u32,
        (target, fault): (Target, Option<&FaultKind>),
        entry: &mut LedgerEntry,
        answer: impl FnOnce(&World, Map<String, Value>) -> Result<Map<String, Value>, Refusal>,
    ) -> Result<Show, Refusal> {
        let params = incoming.params();
        entry.params = params.as_ref().cloned().unwrap_or_default();
        if self.is_throttled(target, fault, entry) {
            return Err(throttled(per_second));
        }
        entry.reached = true;
        if let Some(kind) = fault {
            strike(entry, kind);
            if let Some(show) = before(kind) {
                return show;
            }
        }
        let members = answer(self.shown.at(incoming.arrival), params?)?;
        match fault {
            None => Ok(Show::Answer(members)),
            Some(kind) => after(kind, members),
        }
    }

    /// Writes the entry down and lets what it says happen. Without the first there is no second.
    fn record(&mut self, entry: LedgerEntry) -> Result<(), Refusal> {
        let failed = |why: String| Refusal::new("InternalError", why);
        let ledger = self.ledger.as_mut().ok_or_else(|| failed("The sandbox is stopped.".to_owned()))?;
        let line = LedgerLine::Request(entry);
        ledger.append(&line).map_err(|error| failed(error.to_string()))?;
        self.world.apply(&line);
        self.shown.apply(line);
        Ok(())
    }
}

/// Uniformly distributed in 0..=1.
fn chance() -> f64 {
    // The last bytes of an id of version 7 are random, its first ones are not.
    let [.., high, low] = uuid::Uuid::now_v7().into_bytes();
    f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX)
}

fn target(act: Act) -> Target {
    match act {
        Act::Create => Target::Create,
        Act::Modify => Target::Modify,
        Act::Destroy => Target::Destroy,
    }
}

/// Has the entry say what is done, if the rules allow it, and gives the members of the answer. The world changes when the
/// entry is on record.
fn carry_out(
    world: &World,
    act: Act,
    params: Map<String, Value>,
    entry: &mut LedgerEntry,
) -> Result<Map<String, Value>, Refusal> {
    let change = match act {
        Act::Create => {
            let Order { tran_id, env_id } = world.consider(&params, entry.at)?;
            entry.acted = true;
            entry.tran_id = Some(tran_id.clone());
            entry.env_id = Some(env_id.clone());
            return Ok(Map::from_iter([
                ("EnvId".to_owned(), Value::String(env_id)),
                ("TranId".to_owned(), Value::String(tran_id)),
            ]));
        }
        Act::Modify => world.consider_modify(params)?,
        Act::Destroy => world.consider_destroy(params)?,
    };
    let Change { env_id, changes } = change;
    entry.changed = changes;
    entry.env_id = Some(env_id);
    Ok(Map::new())
}

fn envelope(members: &Map<String, Value>) -> String {
    json!({ "Response": members }).to_string()
}

fn reply(status: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}
