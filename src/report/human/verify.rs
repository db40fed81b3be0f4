//! A verification: what holds, what does not, and what to do.

use std::fmt::{Display, Write as _};

use super::{Look, words};
use crate::i18n::{Lang, Text, text};
use crate::model::InstanceKey;
use crate::report::text::{clean, count, left};
use crate::state::Record;
use crate::state::Serial;
use crate::state::compare::Difference;
use crate::state::journal::{Evidence, Outcome};
use crate::state::verify::{Notice, Problem, Verification};

/// Every problem, every notice, and one line that sums up.
pub fn verification(verification: &Verification, look: Look) -> String {
    let Verification {
        lineage,
        serial,
        environments,
        deposed,
        receipts,
        sound_receipts,
        compared_since,
        problems,
        notices,
    } = verification;
    let mut out = String::new();
    let state = match (serial, lineage) {
        (Some(serial), Some(lineage)) => {
            let all = count(*environments, "environment", "environments");
            let deposed = and_deposed(*deposed);
            text!(
                "serial {serial}, lineage {lineage}, {all}{deposed}", serial, lineage, all, deposed; environments)
        }
        (Some(_), None) | (None, _) => text!("none that can be read"),
    };
    let runs = count(*receipts, "run", "runs");
    let kept = text!("{runs}, {sound_receipts} with an unbroken hash chain", runs, sound_receipts; receipts);
    let held = match compared_since {
        Some(Serial(0)) => {
            text!("the whole state was checked against the receipts")
        }
        Some(serial) => text!("the state was checked against the receipts from serial {serial} on", serial),
        None => {
            text!("the state could not be checked against the receipts")
        }
    };
    for (name, value) in [(text!("state"), state), (text!("receipts"), kept), (text!("compared"), held)] {
        let name = left(&look.say(name), 11);
        let _ = writeln!(out, "{name}{}", look.say(value));
    }
    for notice in notices {
        let _ = writeln!(out, "\n{}", noticed(notice, look));
    }
    for problem in problems {
        let _ = writeln!(out, "\n{}", found_wrong(problem, look));
    }
    let verdict = if problems.is_empty() {
        look.good(text!("OK: state, journal and receipts are consistent."))
    } else {
        number_of(problems, look)
    };
    let _ = writeln!(out, "\n{verdict}");
    out
}

/// A notice with its code.
pub(super) fn noticed(notice: &Notice, look: Look) -> String {
    let (head, code) = (look.change(text!("warning")), notice.code());
    let text = self::notice(notice);
    look.say(text!("{head}[{code}]: {text}", head, code, text))
}

/// A problem with its code.
pub(super) fn found_wrong(problem: &Problem, look: Look) -> String {
    let (head, code) = (look.bad(text!("error")), problem.code());
    let text = self::problem(problem);
    look.say(text!("{head}[{code}]: {text}", head, code, text))
}

/// How many problems there are.
pub(super) fn number_of(problems: &[Problem], look: Look) -> String {
    let n = problems.len();
    let problems = count(n, "problem", "problems");
    look.bad(text!("{problems}.", problems; n))
}

/// `, 1 deposed`; nothing where there is none.
pub(super) fn and_deposed(n: usize) -> Text {
    match n {
        0 => Text::same(""),
        n => text!(", {n} deposed", n),
    }
}

/// What a notice says, without its code.
pub fn notice(notice: &Notice) -> Text {
    match notice {
        Notice::BeginningMissing { since: None, serial, unverified } => {
            let which = listed(unverified);
            text!("no receipts, so serial {serial} cannot be verified{which}", serial, which)
        }
        Notice::BeginningMissing { since: Some(since), serial: _, unverified } => {
            let which = listed(unverified);
            text!(
                "the receipts start from serial {since}; earlier orders cannot be verified{which}",
                since,
                which
            )
        }
        Notice::OpenRun { run, who, pid, unknown } => {
            let what = if unknown.is_empty() {
                text!("; every request has a response")
            } else {
                let which = listed(unknown);
                text!("; no response yet{which}", which)
            };
            let who = clean(who);
            text!(
                "run {run} of {who} (pid {pid}) is in progress or was interrupted{what}; the next command that writes the state merges it",
                run,
                who,
                pid,
                what
            )
        }
        Notice::RescueOpen { path, rescued } => {
            let (address, path) = (&rescued.outcome.address, path.display());
            let said = said(&rescued.outcome);
            text!(
                "`{address}` is unknown, but {path} has its response: {said}; keep the file until the state has it",
                address,
                path,
                said
            )
        }
        Notice::RescueSettled { path } => {
            let path = path.display();
            text!("everything in {path} is resolved: the file can be deleted", path)
        }
        Notice::RescueUnreadable { path, why } => {
            let (path, why) = (path.display(), cleaned(why));
            text!("{path} may be the only trace of an order and cannot be read: {why}", path, why)
        }
    }
}

/// What a problem says, without its code.
pub fn problem(problem: &Problem) -> Text {
    match problem {
        Problem::Error(error) => cleaned(error),
        Problem::Differs(difference) => self::difference(difference, &text!("state"), &text!("receipts")),
        Problem::Shared { name, id, keys } => {
            let (id, places) = (clean(id), listed(keys));
            text!("{name} {id} is in the state more than once{places}", name, id, places)
        }
        Problem::Unrecorded { path, rescued } => {
            let (path, said) = (path.display(), said(&rescued.outcome));
            text!("{path} contains ids that the state does not have: {said}; keep the file", path, said)
        }
    }
}

/// One difference, with the names of the two sides.
pub(super) fn difference(difference: &Difference, found: &Text, expected: &Text) -> Text {
    match difference {
        Difference::Member { name, found: here, expected: there } => {
            let (here, there) = (clean(here), clean(there));
            text!("{name}: {found} \"{here}\", {expected} \"{there}\"", name, found, here, expected, there)
        }
        Difference::Missing { key, record } => {
            let (place, ids) = (named(key), ids(record));
            text!("{place}: only in the {expected}{ids}", place, expected, ids)
        }
        Difference::Surplus { key, record } => {
            let (place, ids) = (named(key), ids(record));
            text!("{place}: only in the {found}{ids}", place, found, ids)
        }
        Difference::Field { key, name, found: here, expected: there } => {
            let (place, here, there) = (named(key), value(here.as_ref()), value(there.as_ref()));
            text!(
                "{place}.{name}: {found} {here}, {expected} {there}",
                place,
                name,
                found,
                here,
                expected,
                there
            )
        }
    }
}

/// A value in quotes, or that there is none.
pub(super) fn value(value: Option<&String>) -> Text {
    match value {
        Some(value) => Text::same(format!("\"{}\"", clean(value))),
        None => text!("nothing"),
    }
}

pub(super) fn named(key: &InstanceKey) -> Text {
    cleaned(key)
}

/// What comes from elsewhere, in both languages.
pub(super) fn cleaned(value: &impl Display) -> Text {
    let text = Text::of(value);
    let in_lang = |lang| clean(text.in_lang(lang)).into_owned();
    Text::new(in_lang(Lang::En), in_lang(Lang::Zh))
}

/// `, TranId 1, EnvId e`, as far as they are known.
pub(super) fn ids(record: &Record) -> Text {
    let (mut en, mut zh) = (String::new(), String::new());
    for (name, id) in [("TranId", &record.tran_id), ("EnvId", &record.env_id)] {
        if let Some(id) = id {
            let id = clean(id);
            let _ = write!(en, ", {name} {id}");
            let _ = write!(zh, "，{name} {id}");
        }
    }
    Text::new(en, zh)
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
    let mut zh = format!("`{}` {}", outcome.address, words::evidence(outcome.evidence));
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

/// `` : `a`, `b` ``; nothing where there is none.
fn listed(places: impl IntoIterator<Item = impl Display>) -> Text {
    let names: Vec<Text> = places.into_iter().map(|place| cleaned(&place)).collect();
    if names.is_empty() {
        return Text::same("");
    }
    let quoted = |lang| {
        let quoted = names.iter().map(|name| format!("`{}`", name.in_lang(lang)));
        quoted.collect::<Vec<_>>()
    };
    Text::new(format!(": {}", quoted(Lang::En).join(", ")), format!("：{}", quoted(Lang::Zh).join("、")))
}
