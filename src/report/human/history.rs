//! What was ever ordered, in the order in which it happened.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Look, verify};
use crate::report::text::{clean, count, duration};
use crate::state::history::{Change, Found, Happening, Request, Run, Settled, What};
use crate::state::journal::{Evidence, Journal, RunStarted};
use crate::state::verify::Verification;
use crate::state::{ReceiptRef, StateError, Status};

/// Two lines a happening: what came of what, and below it where that came from.
pub fn history(happenings: &[&Happening], look: Look) -> String {
    let mut out = String::new();
    for happening in happenings {
        let Happening {
            at,
            address,
            run,
            what,
            ..
        } = happening;
        let at = look.faint(format!("{at:.0}"));
        let address = look.strong(address);
        match what {
            What::Request(request) => {
                let _ = writeln!(out, "{at}  {address}  {}", told(request, look));
                let _ = writeln!(out, "    {}", look.faint(origin(request, run)));
                if let Some(message) = &request.message {
                    let _ = writeln!(out, "    {}", clean(message));
                }
                if let Some(settled) = &request.settled {
                    let _ = writeln!(out, "    {}", settled_by(settled));
                }
            }
            What::Edit { doing, change } => {
                let ids = ids(happening.ids());
                let change = changed(change);
                let _ = writeln!(out, "{at}  {address}  {}  {change}{ids}", clean(doing));
                let _ = writeln!(out, "    {}", look.faint(by(run)));
            }
        }
    }
    if happenings.is_empty() {
        out.push_str("Nothing of that was ever ordered or changed.\n");
    }
    out
}

fn told(request: &Request, look: Look) -> String {
    let outcome = request.outcome;
    let word = outcome.name();
    let word = match outcome {
        Found::Answered(Evidence::Ordered | Evidence::Done) | Found::OnRecord(Status::Created) => {
            look.good(word)
        }
        Found::Answered(Evidence::Refused) => look.bad(word),
        Found::Answered(Evidence::Unknown) | Found::Lost | Found::OnRecord(Status::Unknown) => {
            look.bad(word)
        }
        Found::Answered(Evidence::NotSent)
        | Found::UnderWay
        | Found::OnRecord(Status::AwaitingEnvId | Status::Isolated | Status::Destroying) => {
            look.change(word)
        }
    };
    let ids = ids((request.tran_id.as_deref(), request.env_id.as_deref()));
    let code = request
        .code
        .as_deref()
        .map_or_else(String::new, |code| format!("  {}", clean(code)));
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
fn origin(request: &Request, run: &Run) -> String {
    let mut parts = Vec::new();
    if request.source.line > 0 {
        parts.push(clean(&request.source.to_string()).into_owned());
    }
    parts.push(by(run));
    if let Some(id) = &request.request_id {
        parts.push(format!("RequestId {}", clean(id)));
    }
    if let Some(took) = request.took_ms {
        parts.push(format!("took {}", duration(Duration::from_millis(took))));
    }
    parts.join(", ")
}

fn by(run: &Run) -> String {
    let Run { id, who, commit } = run;
    let mut out = match who {
        Some(who) => format!("by {}, run {id}", clean(who)),
        None => format!("run {id}, whose receipt is not there"),
    };
    if let Some(commit) = commit {
        let _ = write!(out, ", commit {}", clean(commit));
    }
    out
}

fn settled_by(Settled { at, doing, created }: &Settled) -> String {
    let word = if *created {
        "found out later"
    } else {
        "found to have made nothing"
    };
    format!("{word}: {}, {at:.0}", clean(doing))
}

fn changed(change: &Change) -> String {
    match change {
        Change::Recorded(record) => format!("on record as {}", record.status.name()),
        Change::Forgotten => "forgotten".to_owned(),
        Change::Moved { to } => format!("moved to {to}"),
        Change::DeposedRecorded(record) => {
            format!("on record as deposed, {}", record.status.name())
        }
        Change::DeposedForgotten { env_id: _ } => "forgotten, deposed".to_owned(),
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
        let line = match journal {
            Ok(Journal {
                started_at,
                started: RunStarted { who, .. },
                entries,
            }) => format!(
                "{}    {started_at:.0}  {}, {}",
                look.good("whole"),
                clean(who),
                count(entries.len() + 1, "line", "lines")
            ),
            Err(error) => format!("{}  {}", look.bad("damaged"), clean(&error.to_string())),
        };
        let _ = writeln!(out, "serial {base:>4}  run {run}  {line}");
    }
    for problem in &found.problems {
        let text = verify::problem(problem);
        let _ = writeln!(out, "\n{}[{}]: {text}", look.bad("error"), problem.code());
    }
    for notice in &found.notices {
        let text = verify::notice(notice);
        let _ = writeln!(
            out,
            "\n{}[{}]: {text}",
            look.change("warning"),
            notice.code()
        );
    }
    let verdict = if found.problems.is_empty() {
        let receipts = count(receipts.len(), "receipt", "receipts");
        look.good(format!(
            "Fine: {receipts}, each whole, and none is missing."
        ))
    } else {
        look.bad(format!(
            "{}.",
            count(found.problems.len(), "problem", "problems")
        ))
    };
    let _ = writeln!(out, "{}{verdict}", if out.is_empty() { "" } else { "\n" });
    out
}
