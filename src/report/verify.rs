//! `state verify` and `history verify`, and the words for what is wrong with a state, its receipts and rescue files.

use std::fmt::Display;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::labels::{evidence_label, status_label};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clauses, clean, clean_text, count, list};
use crate::i18n::{Text, text};
use crate::model::{Address, InstanceKey};
use crate::state::compare::Difference;
use crate::state::journal::{Journal, Outcome, RunId};
use crate::state::verify::{Notice, Problem, Verification};
use crate::state::{FormatVersion, Lineage, ReceiptRef, Record, Serial, StateError};

/// A problem or a warning of a verification.
#[derive(Debug, Serialize, JsonSchema)]
struct Issue<'a> {
    /// Stable and searchable.
    code: &'static str,
    message: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'a Difference>,
    /// The environments that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    addresses: Vec<&'a Address>,
}

/// What `state verify` found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay state verify --format json, version 1")]
pub struct StateVerification<'a> {
    format_version: FormatVersion,
    /// There are no problems.
    valid: bool,
    serial: Option<Serial>,
    lineage: Option<Lineage>,
    environments: usize,
    deposed: usize,
    receipts: usize,
    sound_receipts: usize,
    /// The serial from which on the receipts were compared with the state: 0 for all of it, null when they were not.
    compared_since: Option<Serial>,
    problems: Vec<Issue<'a>>,
    warnings: Vec<Issue<'a>>,
}

/// What `history verify` found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay history verify --format json, version 1")]
pub struct HistoryVerification<'a> {
    format_version: FormatVersion,
    /// There are no problems.
    valid: bool,
    receipts: Vec<Receipt<'a>>,
    problems: Vec<Issue<'a>>,
    warnings: Vec<Issue<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Receipt<'a> {
    /// The serial that the run started from.
    base: Serial,
    run: RunId,
    path: String,
    /// Whole, with an unbroken hash chain.
    valid: bool,
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    started_at: Option<Timestamp>,
    who: Option<&'a str>,
    /// How many lines it has.
    lines: Option<usize>,
    /// Why it cannot be read.
    error: Option<Text>,
}

impl<'a> StateVerification<'a> {
    pub fn new(found: &'a Verification) -> Self {
        Self {
            format_version: FormatVersion,
            valid: found.problems.is_empty(),
            serial: found.serial,
            lineage: found.lineage,
            environments: found.environments,
            deposed: found.deposed,
            receipts: found.receipts,
            sound_receipts: found.sound_receipts,
            compared_since: found.compared_since,
            problems: found.problems.iter().map(Issue::from).collect(),
            warnings: found.notices.iter().map(Issue::from).collect(),
        }
    }
}

impl View for StateVerification<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let state = match (self.serial, self.lineage) {
            (Some(serial), Some(lineage)) => {
                let environments = self.environments;
                let all = count(environments, "environment", "environments");
                let deposed = and_deposed(self.deposed);
                text!(
                    "serial {serial}, lineage {lineage}, {all}{deposed}", serial, lineage, all, deposed; environments)
            }
            (Some(_), None) | (None, _) => text!("none that can be read"),
        };
        let (receipts, sound_receipts) = (self.receipts, self.sound_receipts);
        let runs = count(receipts, "run", "runs");
        let receipts =
            text!("{runs}, {sound_receipts} with an unbroken hash chain", runs, sound_receipts; receipts);
        let compared = match self.compared_since {
            Some(Serial(0)) => text!("the whole state was checked against the receipts"),
            Some(serial) => {
                text!("the state was checked against the receipts from serial {serial} on", serial)
            }
            None => text!("the state could not be checked against the receipts"),
        };
        let mut lines = Lines::new(options);
        for (name, value) in
            [(text!("state"), state), (text!("receipts"), receipts), (text!("compared"), compared)]
        {
            lines.row(0, name, 11, value);
        }
        add_issues(&mut lines, &self.problems, &self.warnings, options);
        lines.blank();
        lines.add(verdict(&self.problems, text!("OK: state, journal and receipts are consistent."), options));
        lines.finish()
    }
}

impl<'a> HistoryVerification<'a> {
    pub fn new(receipts: &'a [(ReceiptRef, Result<Journal, StateError>)], found: &'a Verification) -> Self {
        let receipts = receipts.iter().map(|(ReceiptRef { base, run, path }, read)| {
            let journal = read.as_ref().ok();
            Receipt {
                base: *base,
                run: *run,
                path: path.display().to_string(),
                valid: read.is_ok(),
                started_at: journal.map(|journal| journal.started_at),
                who: journal.map(|journal| journal.started.who.as_str()),
                lines: journal.map(|journal| journal.entries.len() + 1),
                error: read.as_ref().err().map(clean_text),
            }
        });
        Self {
            format_version: FormatVersion,
            valid: found.problems.is_empty(),
            receipts: receipts.collect(),
            problems: found.problems.iter().map(Issue::from).collect(),
            warnings: found.notices.iter().map(Issue::from).collect(),
        }
    }
}

impl View for HistoryVerification<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let mut lines = Lines::new(options);
        for receipt in &self.receipts {
            let Receipt { base, run, started_at, who, lines: n, error, .. } = receipt;
            let (mark, details) = match (error, started_at, who, n) {
                (None, Some(started_at), Some(who), Some(n)) => {
                    let (who, started_at) = (clean(who), format!("{started_at:.0}"));
                    let lines = count(*n, "line", "lines");
                    let details = text!("    {started_at}  {who}, {lines}", started_at, who, lines; n);
                    (options.good(text!("complete")), details)
                }
                (error, ..) => {
                    let error = error.clone().unwrap_or_default();
                    (options.bad(text!("damaged")), text!("  {error}", error))
                }
            };
            let base = format!("{base:>4}");
            lines.add(text!("serial {base}  run {run}  {mark}{details}", base, run, mark, details));
        }
        add_issues(&mut lines, &self.problems, &self.warnings, options);
        if !self.receipts.is_empty() || !self.problems.is_empty() || !self.warnings.is_empty() {
            lines.blank();
        }
        let n = self.receipts.len();
        let receipts = count(n, "receipt", "receipts");
        let valid = text!("OK: {receipts}, all complete, none missing.", receipts; n);
        lines.add(verdict(&self.problems, valid, options));
        lines.finish()
    }
}

fn add_issues(lines: &mut Lines, problems: &[Issue<'_>], warnings: &[Issue<'_>], options: RenderOptions) {
    let warnings = warnings.iter().map(|issue| (options.change(text!("warning")), issue));
    let problems = problems.iter().map(|issue| (options.bad(text!("error")), issue));
    for (level, Issue { code, message, .. }) in warnings.chain(problems) {
        lines.blank();
        lines.add(text!("{level}[{code}]: {message}", level, code, message));
    }
}

fn verdict(problems: &[Issue<'_>], valid: Text, options: RenderOptions) -> String {
    match problems.len() {
        0 => options.good(valid),
        n => {
            let problems = count(n, "problem", "problems");
            options.bad(text!("{problems}.", problems; n))
        }
    }
}

impl<'a> From<&'a Problem> for Issue<'a> {
    fn from(problem: &'a Problem) -> Self {
        let (difference, addresses) = match problem {
            Problem::Differs(difference) => {
                (Some(difference), difference.key().map(|key| &key.address).into_iter().collect())
            }
            Problem::Unrecorded { rescued, .. } => (None, vec![&rescued.outcome.address]),
            Problem::Shared { keys, .. } => (None, keys.iter().map(|key| &key.address).collect()),
            Problem::Error(_) => (None, Vec::new()),
        };
        Self { code: problem.code(), message: describe_problem(problem), difference, addresses }
    }
}

impl<'a> From<&'a Notice> for Issue<'a> {
    fn from(notice: &'a Notice) -> Self {
        let addresses = match notice {
            Notice::BeginningMissing { unverified, .. } => {
                unverified.iter().map(|key| &key.address).collect()
            }
            Notice::OpenRun { unknown, .. } => unknown.iter().collect(),
            Notice::RescueOpen { rescued, .. } => vec![&rescued.outcome.address],
            Notice::RescueSettled { .. } | Notice::RescueUnreadable { .. } => Vec::new(),
        };
        Self { code: notice.code(), message: describe_notice(notice), difference: None, addresses }
    }
}

/// Returns `, 1 deposed`; nothing without any.
pub(super) fn and_deposed(n: usize) -> Text {
    match n {
        0 => Text::same(""),
        n => text!(", {n} deposed", n),
    }
}

/// Returns the message of a notice.
pub fn describe_notice(notice: &Notice) -> Text {
    match notice {
        Notice::BeginningMissing { since: None, serial, unverified } => {
            let which = quoted_list(unverified);
            text!("no receipts, so serial {serial} cannot be verified{which}", serial, which)
        }
        Notice::BeginningMissing { since: Some(since), serial: _, unverified } => {
            let which = quoted_list(unverified);
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
                let which = quoted_list(unknown);
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
            let outcome = describe_outcome(&rescued.outcome);
            text!(
                "`{address}` is unknown, but {path} has its response: {outcome}; keep the file until the state has it",
                address,
                path,
                outcome
            )
        }
        Notice::RescueSettled { path } => {
            let path = path.display();
            text!("everything in {path} is resolved: the file can be deleted", path)
        }
        Notice::RescueUnreadable { path, why } => {
            let (path, why) = (path.display(), clean_text(why));
            text!("{path} may be the only trace of an order and cannot be read: {why}", path, why)
        }
    }
}

/// Returns the message of a problem.
pub fn describe_problem(problem: &Problem) -> Text {
    match problem {
        Problem::Error(error) => clean_text(error),
        Problem::Differs(difference) => describe_difference(difference, &text!("state"), &text!("receipts")),
        Problem::Shared { name, id, keys } => {
            let (id, places) = (clean(id), quoted_list(keys));
            text!("{name} {id} is in the state more than once{places}", name, id, places)
        }
        Problem::Unrecorded { path, rescued } => {
            let (path, outcome) = (path.display(), describe_outcome(&rescued.outcome));
            text!("{path} contains ids that the state does not have: {outcome}; keep the file", path, outcome)
        }
    }
}

/// Returns a difference in words, with the names of the two sides.
pub(super) fn describe_difference(difference: &Difference, found: &Text, expected: &Text) -> Text {
    match difference {
        Difference::Member { name, found: here, expected: there } => {
            let (here, there) = (clean(here), clean(there));
            text!("{name}: {found} \"{here}\", {expected} \"{there}\"", name, found, here, expected, there)
        }
        Difference::Missing { key, record } => {
            let (place, ids) = (clean_text(key), and_ids(record));
            text!("{place}: only in the {expected}{ids}", place, expected, ids)
        }
        Difference::Surplus { key, record } => {
            let (place, ids) = (clean_text(key), and_ids(record));
            text!("{place}: only in the {found}{ids}", place, found, ids)
        }
        Difference::Field { key, name, found: here, expected: there } => {
            let (place, here, there) = (clean_text(key), quoted(here.as_ref()), quoted(there.as_ref()));
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

/// Returns a value in quotes.
pub(super) fn quoted(value: Option<&String>) -> Text {
    match value {
        Some(value) => Text::same(format!("\"{}\"", clean(value))),
        None => text!("nothing"),
    }
}

/// Returns the status and the ids of a record: `created, TranId 1, EnvId e`.
pub(super) fn describe_record(record: &Record) -> Text {
    let (status, ids) = (status_label(record.status), and_ids(record));
    text!("{status}{ids}", status, ids)
}

/// Returns `, TranId 1, EnvId e`, as far as they are known.
fn and_ids(record: &Record) -> Text {
    let ids = named_ids(&[("TranId", &record.tran_id), ("EnvId", &record.env_id)]);
    clauses(std::iter::once(Text::same("")).chain(ids))
}

fn named_ids(ids: &[(&'static str, &Option<String>)]) -> Vec<Text> {
    let known = ids.iter().filter_map(|(name, id)| Some((name, id.as_ref()?)));
    known.map(|(name, id)| Text::same(format!("{name} {}", clean(id)))).collect()
}

/// Returns an outcome with its ids: `` `shop` created, TranId 1, EnvId e, RequestId r ``.
pub fn describe_outcome(outcome: &Outcome) -> Text {
    let (address, evidence) = (&outcome.address, evidence_label(outcome.evidence));
    let head = text!("`{address}` {evidence}", address, evidence);
    let ids = named_ids(&[
        ("TranId", &outcome.tran_id),
        ("EnvId", &outcome.env_id),
        ("RequestId", &outcome.request_id),
        ("Code", &outcome.code),
    ]);
    clauses(std::iter::once(head).chain(ids))
}

/// Returns `` : `a`, `b` ``; nothing without any.
fn quoted_list<T: Display>(places: &[T]) -> Text {
    if places.is_empty() {
        return Text::same("");
    }
    let names = list(places.iter().map(|place| clean_text(place).map(|name| format!("`{name}`"))));
    text!(": {names}", names)
}

/// Returns the key of an environment in words.
pub fn describe_key(key: &InstanceKey) -> Text {
    clean_text(key)
}
