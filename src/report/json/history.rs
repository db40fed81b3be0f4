//! The past for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::edits::{WarningV1, warning};
use super::state::{SaidV1, notice, pretty, problem};
use crate::diagnostic::Diagnostic;
use crate::state::history::{Change, EventKind, HistoryEvent, Request, Run, Settled};
use crate::state::journal::Journal;
use crate::state::verify::Verification;
use crate::state::{ReceiptRef, StateError};

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay history --format json, version 1")]
struct HistoryV1<'a> {
    format_version: u32,
    /// False when receipts are damaged or missing: `problems` says which.
    complete: bool,
    history: Vec<HistoryEventV1<'a>>,
    problems: Vec<WarningV1<'a>>,
}

/// A request to Tencent Cloud, or an edit of the record. What does not apply is null.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HistoryEvent")]
struct HistoryEventV1<'a> {
    time: String,
    address: &'a str,
    /// request or edit.
    kind: &'static str,
    /// Tencent Cloud's action, or the step or command that edited.
    action: &'a str,
    /// Of a request: ordered, refused, not_sent, unknown, under_way, lost, or what the record says. Of an edit: recorded,
    /// forgotten or moved.
    result: &'static str,
    tran_id: Option<&'a str>,
    env_id: Option<&'a str>,
    request_id: Option<&'a str>,
    code: Option<&'a str>,
    message: Option<&'a str>,
    source: Option<String>,
    commit: Option<&'a str>,
    who: Option<&'a str>,
    run: String,
    took_ms: Option<u64>,
    settled: Option<SettledV1<'a>>,
    /// The address that it got, where it was moved.
    moved_to: Option<&'a str>,
    /// Whether it is about an environment that another one took the address of.
    deposed: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Settled")]
struct SettledV1<'a> {
    at: String,
    by: &'a str,
    created: bool,
}

/// The JSON Schema of `history --format json`.
pub fn history_schema() -> serde_json::Value {
    schemars::schema_for!(HistoryV1<'_>).to_value()
}

/// The JSON Schema of `history verify --format json`.
pub fn verify_schema() -> serde_json::Value {
    schemars::schema_for!(VerifiedV1<'_>).to_value()
}

/// What happened, as one JSON document that ends in a newline.
pub fn history(events: &[&HistoryEvent], problems: &[Diagnostic]) -> String {
    pretty(&HistoryV1 {
        format_version: 1,
        complete: problems.is_empty(),
        history: events.iter().map(|it| event(it)).collect(),
        problems: problems.iter().map(warning).collect(),
    })
}

fn event(event: &HistoryEvent) -> HistoryEventV1<'_> {
    let Run { id, who, commit } = &event.run;
    let (tran_id, env_id) = event.ids();
    let base = HistoryEventV1 {
        time: event.at.to_string(),
        address: event.key.address.as_str(),
        kind: "edit",
        action: "",
        result: "",
        tran_id,
        env_id,
        request_id: None,
        code: None,
        message: None,
        source: None,
        commit: commit.as_deref(),
        who: who.as_deref(),
        run: id.to_string(),
        took_ms: None,
        settled: None,
        moved_to: None,
        deposed: event.key.is_deposed(),
    };
    match &event.kind {
        EventKind::Request(Request {
            action,
            expects_tran_id: _,
            result,
            tran_id: _,
            env_id: _,
            request_id,
            code,
            message,
            source,
            took_ms,
            settled,
        }) => HistoryEventV1 {
            kind: "request",
            action,
            result: result.name(),
            request_id: request_id.as_deref(),
            code: code.as_deref(),
            message: message.as_deref(),
            source: (source.line > 0).then(|| source.to_string()),
            took_ms: *took_ms,
            settled: settled.as_ref().map(self::settled),
            ..base
        },
        EventKind::Edit { doing, change } => HistoryEventV1 {
            action: doing,
            result: change.name(),
            moved_to: match change {
                Change::Moved { to } => Some(to.as_str()),
                Change::Recorded(_) | Change::Forgotten => None,
            },
            ..base
        },
    }
}

fn settled(Settled { at, doing, created }: &Settled) -> SettledV1<'_> {
    SettledV1 { at: at.to_string(), by: doing, created: *created }
}

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay history verify --format json, version 1")]
struct VerifiedV1<'a> {
    format_version: u32,
    fine: bool,
    receipts: Vec<ReceiptV1<'a>>,
    problems: Vec<SaidV1<'a>>,
    warnings: Vec<SaidV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Receipt")]
struct ReceiptV1<'a> {
    /// The serial that the run started from.
    base: u64,
    run: String,
    path: String,
    whole: bool,
    started_at: Option<String>,
    who: Option<&'a str>,
}

/// Every receipt, and everything that does not fit, as one JSON document that ends in a newline.
pub fn verification(receipts: &[(ReceiptRef, Result<Journal, StateError>)], found: &Verification) -> String {
    let receipts = receipts.iter().map(|(receipt, journal)| {
        let ReceiptRef { base, run, path } = receipt;
        let journal = journal.as_ref().ok();
        ReceiptV1 {
            base: base.0,
            run: run.to_string(),
            path: path.display().to_string(),
            whole: journal.is_some(),
            started_at: journal.map(|journal| journal.started_at.to_string()),
            who: journal.map(|journal| journal.started.who.as_str()),
        }
    });
    pretty(&VerifiedV1 {
        format_version: 1,
        fine: found.problems.is_empty(),
        receipts: receipts.collect(),
        problems: found.problems.iter().map(problem).collect(),
        warnings: found.notices.iter().map(notice).collect(),
    })
}
