//! A run for programs. Plans and states have their JSON in their own rooms, since it is also how they are kept.

pub mod drift;
pub mod edits;
pub mod failure;
pub mod generate;
pub mod history;
pub mod layout;
pub mod lock;
pub mod reconcile;
pub mod rehearsal;
pub mod resolve;
pub mod state;
pub mod validate;
pub mod whoami;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::{ApplySummary, Outcome, Verdict, What};
use crate::cloud::{CloudError, Grade};
use crate::model::Address;
use crate::state::Account;
use crate::state::journal::EndReason;

/// A document's name, what prints it, and its JSON Schema.
pub type Published = (&'static str, &'static str, fn() -> serde_json::Value);

/// Every document that a command prints as JSON.
#[rustfmt::skip]
pub const PUBLISHED: &[Published] = &[
    ("apply", "`apply --format json`", schema),
    ("drift", "`drift --format json`", drift::schema),
    ("failure", "`--report FILE.json` of a plan, drift, apply or validate that came to nothing", failure::schema),
    ("fmt", "`fmt --format json`", layout::schema),
    ("generate", "`generate --format json`", generate::schema),
    ("history", "`history --format json`", history::history_schema),
    ("history-reconcile", "`history reconcile --format json`", reconcile::schema),
    ("history-verify", "`history verify --format json`", history::verify_schema),
    ("lock-status", "`lock status --format json`", lock::status_schema),
    ("rehearse", "`rehearse --format json`", rehearsal::schema),
    ("resolve", "`resolve --format json`", resolve::schema),
    ("state-edit", "`state mv|rm|push --format json`", edits::schema),
    ("state-list", "`state list --format json`", state::list_schema),
    ("state-restore", "`state restore --format json`", state::restore_schema),
    ("state-show", "`state show --format json`", state::show_schema),
    ("state-verify", "`state verify --format json`", state::verify_schema),
    ("validate", "`validate --format json`", validate::schema),
    ("whoami", "`whoami --format json`", whoami::schema),
];

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay apply --format json, version 1")]
struct ReportV1<'a> {
    format_version: u32,
    /// Null when there was nothing to order, so that no run was opened.
    run: Option<String>,
    verdict: &'static str,
    ended: &'static str,
    took_seconds: f64,
    serial: Option<u64>,
    /// Whose account it was carried out in. Null when nothing was written.
    account: Option<AccountV1<'a>>,
    summary: SummaryV1,
    results: Vec<ResultV1<'a>>,
    /// Environment ids that were found for orders of earlier runs.
    found: BTreeMap<&'a str, &'a str>,
    /// Addresses that were unknown before the run, and were left alone by it.
    unresolved: Vec<&'a str>,
    trouble: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Account")]
struct AccountV1<'a> {
    /// `sandbox` for an endpoint on this computer.
    endpoint: &'a str,
    /// The number of the main account, where it is known.
    uin: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Summary")]
struct SummaryV1 {
    ordered: usize,
    awaiting_env_id: usize,
    changed: usize,
    destroyed: usize,
    /// On record alone.
    recorded: usize,
    failed: usize,
    unknown: usize,
    not_attempted: usize,
}

#[derive(Serialize, Default, JsonSchema)]
#[schemars(rename = "Result")]
struct ResultV1<'a> {
    address: &'a str,
    /// The plan's word for it.
    action: &'static str,
    /// It was about what was replaced at the address.
    deposed: bool,
    /// One of ordered, renamed, destroyed, was_gone, isolated, being_destroyed, recorded, failed, unknown, not_attempted.
    result: &'static str,
    attempts: u32,
    tran_id: Option<&'a str>,
    env_id: Option<&'a str>,
    request_id: Option<&'a str>,
    code: Option<&'a str>,
    message: Option<&'a str>,
    /// What the error proves: not_sent, refused, unknown.
    grade: Option<&'static str>,
    took_seconds: Option<f64>,
    /// The answer did not prove it; what the account shows does.
    read_back: bool,
    /// An environment that a refused or throttled order seems to have left behind.
    left_behind: Option<&'a str>,
    source: String,
}

/// The run as one JSON document that ends in a newline.
pub fn report(report: &ApplySummary) -> String {
    let counts = report.counts();
    let document = ReportV1 {
        format_version: 1,
        run: report.run.as_ref().map(ToString::to_string),
        verdict: verdict(report.verdict()),
        ended: ended(report.ended),
        took_seconds: report.took.as_secs_f64(),
        serial: report.state.as_ref().map(|state| state.serial.0),
        account: report
            .state
            .as_ref()
            .and_then(|state| state.account.as_ref())
            .map(|Account { endpoint, uin }| AccountV1 { endpoint, uin: uin.as_deref() }),
        summary: SummaryV1 {
            ordered: counts.ordered,
            awaiting_env_id: counts.awaiting_env_id,
            changed: counts.changed,
            destroyed: counts.destroyed,
            recorded: counts.recorded,
            failed: counts.failed,
            unknown: counts.unknown,
            not_attempted: counts.not_attempted,
        },
        results: report
            .results
            .iter()
            .map(|result| {
                let base = ResultV1 {
                    address: result.address.as_str(),
                    action: result.action.name(),
                    deposed: result.deposed,
                    attempts: result.attempts,
                    left_behind: result.left_behind.as_deref(),
                    source: result.source.to_string(),
                    ..ResultV1::default()
                };
                match &result.outcome {
                    Outcome::Ordered { ordered, took, read_back } => ResultV1 {
                        read_back: *read_back,
                        result: "ordered",
                        tran_id: ordered.tran_id.as_deref(),
                        env_id: ordered.env_id.as_deref(),
                        request_id: ordered.request_id.as_deref(),
                        took_seconds: Some(took.as_secs_f64()),
                        ..base
                    },
                    Outcome::Done(done) => ResultV1 {
                        read_back: done.read_back,
                        result: what(done.what),
                        env_id: result.env_id.as_deref(),
                        request_id: done.request_id.as_deref(),
                        took_seconds: Some(done.took.as_secs_f64()),
                        ..base
                    },
                    Outcome::Recorded => {
                        ResultV1 { result: "recorded", env_id: result.env_id.as_deref(), ..base }
                    }
                    Outcome::Failed(error) => failure("failed", error, base),
                    Outcome::Unknown(error) => failure("unknown", error, base),
                    Outcome::NotAttempted => ResultV1 { result: "not_attempted", ..base },
                }
            })
            .collect(),
        found: report.found.iter().map(|(address, env_id)| (address.as_str(), env_id.as_str())).collect(),
        unresolved: report.unresolved.iter().map(Address::as_str).collect(),
        trouble: report.trouble.as_ref().map(|trouble| trouble.text().en().to_owned()),
    };
    text(&document)
}

/// The JSON Schema of [`report`].
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ReportV1<'_>).to_value()
}

/// A document as a text that ends in a newline.
fn text(document: &impl Serialize) -> String {
    // Only a map with keys that are not text can make this fail.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn failure<'a>(result: &'static str, error: &'a CloudError, base: ResultV1<'a>) -> ResultV1<'a> {
    ResultV1 {
        result,
        tran_id: error.seen.tran_id.as_deref(),
        env_id: error.seen.env_id.as_deref(),
        request_id: error.request_id.as_deref(),
        code: error.code.as_deref(),
        message: Some(error.message.en()),
        grade: Some(match error.grade {
            Grade::NotSent(_) => "not_sent",
            Grade::Refused(_) => "refused",
            Grade::Unknown => "unknown",
        }),
        ..base
    }
}

pub(super) const fn what(what: What) -> &'static str {
    match what {
        What::Updated => "updated",
        What::Destroyed => "destroyed",
        What::WasGone => "was_gone",
        What::Isolated => "isolated",
        What::BeingDestroyed => "being_destroyed",
    }
}

pub(super) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Complete => "complete",
        Verdict::PartWay => "part_way",
        Verdict::Failed => "failed",
        Verdict::Unknown => "unknown",
    }
}

const fn ended(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Finished => "finished",
        EndReason::Failed => "failed",
        EndReason::Unknown => "unknown",
        EndReason::Interrupted => "interrupted",
        EndReason::Deadline => "deadline",
    }
}
