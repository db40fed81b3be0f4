//! `history`: every request and edit, oldest first.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::document::{View, to_json};
use super::labels::{result_label, status_label};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clauses, clean, duration};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::json::DiagnosticV1;
use crate::i18n::{Text, text};
use crate::model::Address;
use crate::state::history::{Change, EventKind, HistoryEvent, Request, RequestResult, Run, Settled};
use crate::state::journal::{Evidence, RunId};
use crate::state::{FormatVersion, Status};

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay history --format json, version 1")]
pub struct HistoryView<'a> {
    format_version: FormatVersion,
    /// False when receipts are damaged or missing; `problems` lists them.
    complete: bool,
    history: Vec<Row<'a>>,
    problems: Vec<DiagnosticV1>,
    #[serde(skip)]
    events: &'a [&'a HistoryEvent],
}

/// A request to Tencent Cloud, or an edit of the state. What does not apply is null.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HistoryEvent")]
struct Row<'a> {
    #[schemars(with = "String", extend("format" = "date-time"))]
    time: Timestamp,
    address: &'a Address,
    /// It is about a replaced environment of the address.
    deposed: bool,
    /// request or edit.
    kind: &'static str,
    /// Tencent Cloud's action, or the step or command that edited.
    action: &'a str,
    /// Of a request: ordered, done, refused, not_sent, unknown, in_progress, lost, or a status of the state. Of an edit:
    /// recorded, forgotten or moved.
    result: &'static str,
    tran_id: Option<&'a str>,
    env_id: Option<&'a str>,
    request_id: Option<&'a str>,
    code: Option<&'a str>,
    message: Option<&'a str>,
    source: Option<String>,
    commit: Option<&'a str>,
    who: Option<&'a str>,
    run: RunId,
    took_ms: Option<u64>,
    settled: Option<&'a Settled>,
    /// The new address, after a move.
    moved_to: Option<&'a Address>,
}

/// The columns of CSV: members of a row, and of its `settled`.
const COLUMNS: [&str; 17] = [
    "time",
    "address",
    "action",
    "result",
    "tran_id",
    "env_id",
    "request_id",
    "code",
    "message",
    "source",
    "commit",
    "who",
    "run",
    "took_ms",
    "settled_by",
    "settled_at",
    "moved_to",
];

impl<'a> HistoryView<'a> {
    pub fn new(events: &'a [&'a HistoryEvent], problems: &[Diagnostic]) -> Self {
        Self {
            format_version: FormatVersion,
            complete: problems.is_empty(),
            history: events.iter().map(|event| Row::from(*event)).collect(),
            problems: problems.iter().map(DiagnosticV1::from).collect(),
            events,
        }
    }
}

impl<'a> From<&'a HistoryEvent> for Row<'a> {
    fn from(event: &'a HistoryEvent) -> Self {
        let Run { id, who, commit } = &event.run;
        let (tran_id, env_id) = event.ids();
        let (request, edit) = match &event.kind {
            EventKind::Request(request) => (Some(request), None),
            EventKind::Edit { doing, change } => (None, Some((doing, change))),
        };
        let source = request.map(|request| &request.source).filter(|source| source.line > 0);
        Self {
            time: event.at,
            address: &event.key.address,
            deposed: event.key.is_deposed(),
            kind: if request.is_some() { "request" } else { "edit" },
            action: request.map(|it| &it.action).or(edit.map(|(doing, _)| doing)).map_or("", String::as_str),
            result: request.map(|it| it.result.name()).or(edit.map(|(_, it)| it.name())).unwrap_or_default(),
            tran_id,
            env_id,
            request_id: request.and_then(|request| request.request_id.as_deref()),
            code: request.and_then(|request| request.code.as_deref()),
            message: request.and_then(|request| request.message.as_deref()),
            source: source.map(ToString::to_string),
            commit: commit.as_deref(),
            who: who.as_deref(),
            run: *id,
            took_ms: request.and_then(|request| request.took_ms),
            settled: request.and_then(|request| request.settled.as_ref()),
            moved_to: match edit {
                Some((_, Change::Moved { to })) => Some(to),
                Some((_, Change::Recorded(_) | Change::Forgotten)) | None => None,
            },
        }
    }
}

impl View for HistoryView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let mut lines = Lines::new(options);
        for event in self.events {
            let HistoryEvent { at, key, run, kind, .. } = event;
            let at = options.faint(format!("{at:.0}"));
            let head = format!("{at}  {}  ", options.strong(&key.address));
            match kind {
                EventKind::Request(request) => {
                    lines.row(0, head, 0, describe_request(request, options));
                    lines.row(4, "", 0, options.faint(origin(request, run)));
                    if let Some(message) = &request.message {
                        lines.row(4, "", 0, clean(message));
                    }
                    if let Some(Settled { at, doing, created }) = &request.settled {
                        let how =
                            if *created { text!("found out later") } else { text!("found not created") };
                        let (doing, at) = (clean(doing), format!("{at:.0}"));
                        lines.row(4, "", 0, text!("{how}: {doing}, {at}", how, doing, at));
                    }
                }
                EventKind::Edit { doing, change } => {
                    let (doing, change) = (clean(doing), describe_edit(change, key.is_deposed()));
                    let ids = ids(event.ids());
                    lines.row(0, head, 0, text!("{doing}  {change}{ids}", doing, change, ids));
                    lines.row(4, "", 0, options.faint(by(run)));
                }
            }
        }
        if self.events.is_empty() {
            lines.add(text!("No matching orders or changes."));
        }
        lines.wrap(6)
    }

    /// A cell that begins like a formula is one to a spreadsheet, wherever the text came from: an apostrophe makes it text. What
    /// is invisible is escaped, so that a cell is on one line.
    fn csv(&self) -> Option<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory does not fail, and every row has as many cells as the first.
        let _ = writer.write_record(COLUMNS);
        for row in &self.history {
            let row = serde_json::to_value(row).unwrap_or_default();
            let _ = writer.write_record(COLUMNS.map(|column| harmless(&cell(&row, column))));
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).ok()
    }
}

fn cell(row: &Value, column: &str) -> String {
    let value = match column.strip_prefix("settled_") {
        Some(member) => &row["settled"][member],
        None => &row[column],
    };
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn harmless(cell: &str) -> String {
    let cell = clean(cell);
    // A spreadsheet ignores blanks before a formula, and takes the full-width signs of a Chinese keyboard too.
    if cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.into_owned()
    }
}

fn describe_request(request: &Request, options: RenderOptions) -> String {
    let label = result_label(request.result);
    let label = match request.result {
        RequestResult::Answered(Evidence::Ordered | Evidence::Done)
        | RequestResult::InState(Status::Created) => options.good(label),
        RequestResult::Answered(Evidence::Refused | Evidence::Unknown)
        | RequestResult::Lost
        | RequestResult::InState(Status::Unknown) => options.bad(label),
        RequestResult::Answered(Evidence::NotSent)
        | RequestResult::InProgress
        | RequestResult::InState(Status::AwaitingEnvId | Status::Isolated | Status::Destroying) => {
            options.change(label)
        }
    };
    let ids = ids((request.tran_id.as_deref(), request.env_id.as_deref()));
    let code = request.code.as_deref().map_or_else(String::new, |code| format!("  {}", clean(code)));
    format!("{}  {label}{ids}{code}", clean(&request.action))
}

fn ids((tran_id, env_id): (Option<&str>, Option<&str>)) -> String {
    let ids = [("TranId", tran_id), ("EnvId", env_id)].into_iter();
    ids.filter_map(|(name, id)| Some(format!("  {name} {}", clean(id?)))).collect()
}

/// Returns where a request came from, and what support asks for.
fn origin(request: &Request, run: &Run) -> Text {
    let source = (request.source.line > 0).then(|| clean(&request.source.to_string()).into_owned());
    let request_id = request.request_id.as_ref().map(|id| format!("RequestId {}", clean(id)));
    let took = request.took_ms.map(|took| {
        let took = duration(Duration::from_millis(took));
        text!("took {took}", took)
    });
    let parts = [source.map(Text::same), Some(by(run)), request_id.map(Text::same), took];
    clauses(parts.into_iter().flatten())
}

fn by(Run { id, who, commit }: &Run) -> Text {
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

fn describe_edit(change: &Change, deposed: bool) -> Text {
    match change {
        Change::Recorded(record) => {
            let status = status_label(record.status);
            if deposed {
                text!("in the state as deposed, {status}", status)
            } else {
                text!("in the state as {status}", status)
            }
        }
        Change::Forgotten if deposed => text!("removed from the state, deposed"),
        Change::Forgotten => text!("removed from the state"),
        Change::Moved { to } => text!("moved to {to}", to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠sum", "'＠sum"),
            (" =1", "' =1"),
            ("　＝1", "'　＝1"),
            // As escapes they are the beginning, and no formula begins like that.
            ("\t=1", r"\t=1"),
            ("\n::error::x", r"\n::error::x"),
            ("\u{200b}=1", r"\u{200b}=1"),
            ("\u{feff}＝1", r"\u{feff}＝1"),
            ("a\u{1b}]0;b\u{7}\u{202e}", r"a\u{1b}]0;b\u{7}\u{202e}"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), expected);
        }
    }
}
