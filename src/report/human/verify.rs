//! A verification: what holds, what does not, and what to do.

use std::fmt::{Display, Write as _};

use super::{Look, words};
use crate::lang::{Text, text};
use crate::report::text::{clean, count};
use crate::state::Record;
use crate::state::compare::{Difference, Place};
use crate::state::journal::{Evidence, Outcome};
use crate::state::rescue::Rescued;
use crate::state::verify::{Compared, Notice, Problem, Verification};

/// Every problem, every notice, and one line that sums up.
pub fn verification(verification: &Verification, look: Look) -> String {
    let Verification {
        lineage,
        serial,
        environments,
        deposed,
        receipts,
        sound_receipts,
        compared,
        problems,
        notices,
    } = verification;
    let mut out = String::new();
    match (serial, lineage) {
        (Some(serial), Some(lineage)) => {
            let environments = count(*environments, "environment", "environments");
            let _ = writeln!(
                out,
                "state      serial {serial}, lineage {lineage}, {environments}{}",
                and_deposed(*deposed)
            );
        }
        (Some(_), None) | (None, _) => {
            let _ = writeln!(out, "state      none that can be read");
        }
    }
    let _ = writeln!(
        out,
        "receipts   {}, {sound_receipts} with an unbroken hash chain",
        count(*receipts, "run", "runs")
    );
    let held = match compared {
        Compared::Whole => "the whole state was held against what the receipts rebuild".to_owned(),
        Compared::Since(serial) => {
            format!("what the receipts from serial {serial} on speak of was held against the state")
        }
        Compared::Nothing => "the state could not be held against the receipts".to_owned(),
    };
    let _ = writeln!(out, "compared   {held}");
    for notice in notices {
        let text = self::notice(notice);
        let _ = writeln!(
            out,
            "\n{}[{}]: {text}",
            look.change("warning"),
            notice.code()
        );
    }
    for problem in problems {
        let text = self::problem(problem);
        let _ = writeln!(out, "\n{}[{}]: {text}", look.bad("error"), problem.code());
    }
    let verdict = if problems.is_empty() {
        look.good("Fine: nothing contradicts anything.")
    } else {
        look.bad(format!("{}.", count(problems.len(), "problem", "problems")))
    };
    let _ = writeln!(out, "\n{verdict}");
    out
}

/// `, 1 deposed`; nothing where there is none.
pub(super) fn and_deposed(n: usize) -> String {
    match n {
        0 => String::new(),
        n => format!(", {n} deposed"),
    }
}

/// What a notice says, without its code.
pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::BeginningMissing {
            since: None,
            serial,
            unverified,
        } => format!(
            "there are no receipts, so nothing of serial {serial} can be verified{}",
            listed(unverified)
        ),
        Notice::BeginningMissing {
            since: Some(since),
            serial: _,
            unverified,
        } => format!(
            "the receipts start from serial {since}; what was ordered before can't be verified{}",
            listed(unverified)
        ),
        Notice::Fork { serial, runs } => format!(
            "two runs started from serial {serial}, {} and {}: a copy of the state lived a life of its own",
            runs[0], runs[1]
        ),
        Notice::OpenRun {
            run,
            who,
            pid,
            unknown,
        } => {
            let what = match unknown.as_slice() {
                [] => "; no request is without an answer".to_owned(),
                _ => format!("; without an answer so far{}", listed(unknown)),
            };
            format!(
                "run {run} of {} (pid {pid}) is open or was cut off{what}; the next writer folds it",
                clean(who)
            )
        }
        Notice::RescueOpen { path, rescued } => format!(
            "`{}` is unknown, and {} tells what came back: {}; keep the file until the record shows it",
            rescued.outcome.address,
            path.display(),
            said(&rescued.outcome)
        ),
        Notice::RescueSettled { path } => format!(
            "everything that {} tells is settled: the file can be deleted",
            path.display()
        ),
        Notice::RescueUnreadable { path, why } => format!(
            "{} may hold the only trace of an order and can't be read: {}",
            path.display(),
            clean(why.en())
        ),
    }
}

/// What a problem says, without its code.
pub fn problem(problem: &Problem) -> String {
    match problem {
        Problem::Refused(error) => clean(&error.to_string()).into_owned(),
        Problem::ReceiptsMissing { from, to, evidence } => format!(
            "the receipts of what led from serial {from} to {to} are gone; {} came after them",
            evidence.display()
        ),
        Problem::Account {
            path,
            found,
            expected,
        } => format!(
            "{} ordered from {}, and the state is of {}",
            path.display(),
            clean(found),
            clean(expected)
        ),
        Problem::Differs(difference) => self::difference(difference, "state", "receipts"),
        Problem::Unrecorded { path, rescued } => unrecorded(&path.display().to_string(), rescued),
    }
}

fn unrecorded(path: &str, rescued: &Rescued) -> String {
    format!(
        "{path} holds ids that no record has: {}; keep the file",
        said(&rescued.outcome)
    )
}

/// One difference, with the names of the two sides.
pub(super) fn difference(difference: &Difference, found: &str, expected: &str) -> String {
    let value = |value: &Option<String>| {
        value.as_deref().map_or_else(
            || "nothing".to_owned(),
            |value| format!("\"{}\"", clean(value)),
        )
    };
    match difference {
        Difference::Member {
            name,
            found: here,
            expected: there,
        } => format!(
            "{name}: {found} \"{}\", {expected} \"{}\"",
            clean(here),
            clean(there)
        ),
        Difference::Missing { place, record } => {
            format!("{}: only in the {expected}{}", named(place), ids(record))
        }
        Difference::Surplus { place, record } => {
            format!("{}: only in the {found}{}", named(place), ids(record))
        }
        Difference::Field {
            place,
            name,
            found: here,
            expected: there,
        } => format!(
            "{}.{name}: {found} {}, {expected} {}",
            named(place),
            value(here),
            value(there)
        ),
    }
}

pub(super) fn named(place: &Place) -> String {
    clean(&place.to_string()).into_owned()
}

/// `, TranId 1, EnvId e`, as far as they are known.
pub(super) fn ids(record: &Record) -> String {
    let mut text = String::new();
    for (name, id) in [("TranId", &record.tran_id), ("EnvId", &record.env_id)] {
        if let Some(id) = id {
            let _ = write!(text, ", {name} {}", clean(id));
        }
    }
    text
}

/// `` `shop` ordered, TranId 1, EnvId e, RequestId r ``
pub fn said(outcome: &Outcome) -> Text {
    let word = match outcome.evidence {
        Evidence::Ordered => "ordered",
        Evidence::Done => "done",
        Evidence::Refused => "refused",
        Evidence::NotSent => "not sent",
        Evidence::Unknown => "unknown",
    };
    let mut en = format!("`{}` {word}", outcome.address);
    let mut zh = format!(
        "`{}` {}",
        outcome.address,
        words::evidence(outcome.evidence)
    );
    for (name, value) in [
        ("TranId", &outcome.tran_id),
        ("EnvId", &outcome.env_id),
        ("RequestId", &outcome.request_id),
        ("Code", &outcome.code),
    ] {
        if let Some(value) = value {
            let value = clean(value);
            let _ = write!(en, ", {name} {value}");
            let _ = write!(zh, "，{name} {value}");
        }
    }
    Text::new(en, zh)
}

fn listed(places: impl IntoIterator<Item = impl Display>) -> String {
    let names: Vec<String> = places
        .into_iter()
        .map(|place| format!("`{}`", clean(&place.to_string())))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(": {}", names.join(", "))
    }
}
