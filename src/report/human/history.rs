//! What was ever ordered, in the order in which it happened.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Look, verify, words};
use crate::i18n::{Text, text};
use crate::report::text::{clean, count, duration};
use crate::state::history::{Change, EventKind, HistoryEvent, Request, RequestResult, Run, Settled};
use crate::state::journal::{Evidence, Journal, RunStarted};
use crate::state::verify::Verification;
use crate::state::{ReceiptRef, StateError, Status};

/// Two lines a event: what came of what, and below it where that came from.
pub fn history(events: &[&HistoryEvent], look: Look) -> String {
    let mut out = String::new();
    for event in events {
        let HistoryEvent { at, key, run, kind, .. } = event;
        let at = look.faint(format!("{at:.0}"));
        let address = look.strong(&key.address);
        match kind {
            EventKind::Request(request) => {
                let _ = writeln!(out, "{at}  {address}  {}", told(request, look));
                let _ = writeln!(out, "    {}", look.faint(origin(request, run, look)));
                if let Some(message) = &request.message {
                    let _ = writeln!(out, "    {}", clean(message));
                }
                if let Some(settled) = &request.settled {
                    let _ = writeln!(out, "    {}", look.say(settled_by(settled)));
                }
            }
            EventKind::Edit { doing, change } => {
                let ids = ids(event.ids());
                let change = look.say(changed(change, key.is_deposed()));
                let _ = writeln!(out, "{at}  {address}  {}  {change}{ids}", clean(doing));
                let _ = writeln!(out, "    {}", look.faint(by(run)));
            }
        }
    }
    if events.is_empty() {
        let nothing = text!("No matching orders or changes.");
        let _ = writeln!(out, "{}", look.say(nothing));
    }
    look.within(out, 6)
}

fn told(request: &Request, look: Look) -> String {
    let outcome = request.result;
    let word = words::found(outcome);
    let word = match outcome {
        RequestResult::Answered(Evidence::Ordered | Evidence::Done)
        | RequestResult::InState(Status::Created) => look.good(word),
        RequestResult::Answered(Evidence::Refused | Evidence::Unknown)
        | RequestResult::Lost
        | RequestResult::InState(Status::Unknown) => look.bad(word),
        RequestResult::Answered(Evidence::NotSent)
        | RequestResult::InProgress
        | RequestResult::InState(Status::AwaitingEnvId | Status::Isolated | Status::Destroying) => {
            look.change(word)
        }
    };
    let ids = ids((request.tran_id.as_deref(), request.env_id.as_deref()));
    let code = request.code.as_deref().map_or_else(String::new, |code| format!("  {}", clean(code)));
    format!("{}  {word}{ids}{code}", clean(&request.action))
}

fn ids((tran_id, env_id): (Option<&str>, Option<&str>)) -> String {
    let mut out = String::new();
    for (name, id) in [("TranId", tran_id), ("EnvId", env_id)] {
        if let Some(id) = id {
            let _ = write!(out, "  {name} {}", clean(id));
        }
    }
    out
}

/// Where a request came from, and what support asks for.
fn origin(request: &Request, run: &Run, look: Look) -> String {
    let mut parts = Vec::new();
    if request.source.line > 0 {
        parts.push(clean(&request.source.to_string()).into_owned());
    }
    parts.push(look.say(by(run)));
    if let Some(id) = &request.request_id {
        parts.push(format!("RequestId {}", clean(id)));
    }
    if let Some(took) = request.took_ms {
        let took = duration(Duration::from_millis(took));
        parts.push(look.say(text!("took {took}", took)));
    }
    look.clauses(&parts)
}

fn by(run: &Run) -> Text {
    let Run { id, who, commit } = run;
    let who = match who {
        Some(who) => {
            let who = clean(who);
            text!("by {who}, run {id}", who, id)
        }
        None => text!("run {id} (receipt missing)", id),
    };
    match commit {
        Some(commit) => {
            let commit = clean(commit);
            text!("{who}, commit {commit}", who, commit)
        }
        None => who,
    }
}

fn settled_by(Settled { at, doing, created }: &Settled) -> Text {
    let word = if *created { text!("found out later") } else { text!("found not created") };
    let doing = clean(doing);
    text!("{word}: {doing}, {at}", word, doing, at = format!("{at:.0}"))
}

fn changed(change: &Change, deposed: bool) -> Text {
    match change {
        Change::Recorded(record) => {
            let status = words::status(record.status);
            if deposed {
                text!("in the state as deposed, {status}", status)
            } else {
                text!("in the state as {status}", status)
            }
        }
        Change::Forgotten if deposed => {
            text!("removed from the state, deposed")
        }
        Change::Forgotten => text!("removed from the state"),
        Change::Moved { to } => text!("moved to {to}", to),
    }
}

/// Every receipt, and everything that does not fit.
pub fn verification(
    receipts: &[(ReceiptRef, Result<Journal, StateError>)],
    found: &Verification,
    look: Look,
) -> String {
    let mut out = String::new();
    for (receipt, journal) in receipts {
        let ReceiptRef { base, run, .. } = receipt;
        let (mark, line) = match journal {
            Ok(Journal { started_at, started: RunStarted { who, .. }, entries }) => {
                let (who, n) = (clean(who), entries.len() + 1);
                let lines = count(n, "line", "lines");
                (
                    look.good(text!("complete")),
                    text!(
                        "    {started_at}  {who}, {lines}",
                        started_at = format!("{started_at:.0}"),
                        who,
                        lines; n),
                )
            }
            Err(error) => {
                let error = verify::cleaned(error);
                (look.bad(text!("damaged")), text!("  {error}", error))
            }
        };
        let line =
            text!("serial {base}  run {run}  {mark}{line}", base = format!("{base:>4}"), run, mark, line);
        let _ = writeln!(out, "{}", look.say(line));
    }
    for problem in &found.problems {
        let _ = writeln!(out, "\n{}", verify::found_wrong(problem, look));
    }
    for notice in &found.notices {
        let _ = writeln!(out, "\n{}", verify::noticed(notice, look));
    }
    let verdict = if found.problems.is_empty() {
        let n = receipts.len();
        let receipts = count(n, "receipt", "receipts");
        look.good(text!("OK: {receipts}, all complete, none missing.", receipts; n))
    } else {
        verify::number_of(&found.problems, look)
    };
    let _ = writeln!(out, "{}{verdict}", if out.is_empty() { "" } else { "\n" });
    out
}
