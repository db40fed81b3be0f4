//! A run as it happens, one JSON object a line, with the types and member names of Terraform's machine-readable output.
//! Version 1: a frozen copy of what a plan, a run and a diagnostic are.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::document;
use super::result::ResultView;
use crate::apply::{ApplySummary, Outcome, Progress, StepResult, Verdict};
use crate::cloud::CloudError;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::json::DiagnosticV1;
use crate::i18n::text;
use crate::model::Address;
use crate::plan::{Action, Plan, Step};
use crate::sanitize;

/// The version of these lines.
const UI: &str = "1.0";

/// One line.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "an event of postpay apply --json, version 1")]
struct EventV1 {
    /// info, warn or error.
    #[serde(rename = "@level")]
    level: &'static str,
    /// For people.
    #[serde(rename = "@message")]
    message: String,
    #[serde(rename = "@module")]
    module: &'static str,
    /// RFC 3339, UTC.
    #[serde(rename = "@timestamp")]
    timestamp: String,
    #[serde(flatten)]
    body: BodyV1,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BodyV1 {
    /// The first line.
    Version {
        postpay: &'static str,
        /// The version of these lines.
        ui: &'static str,
    },
    /// One of the plan's steps, before anything is sent.
    PlannedChange {
        change: ChangeV1,
    },
    /// How much of what, when it is planned and when it is over.
    ChangeSummary {
        changes: ChangesV1,
    },
    /// A request is about to be sent.
    ApplyStart {
        hook: HookV1,
    },
    /// It goes on.
    ApplyProgress {
        hook: HookV1,
    },
    /// It is done.
    ApplyComplete {
        hook: HookV1,
    },
    /// It failed, or nobody knows.
    ApplyErrored {
        hook: HookV1,
    },
    Diagnostic {
        diagnostic: DiagnosticV1,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Resource")]
struct ResourceV1 {
    addr: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeV1 {
    resource: ResourceV1,
    /// Where it stands so far, when that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_resource: Option<ResourceV1>,
    /// One of create, update, replace, destroy, forget, import, move, resolve, wait.
    action: &'static str,
    /// As in a plan file: action_reason.
    reason: &'static str,
    /// It is about what was replaced at the address.
    deposed: bool,
    /// It is not carried out as it stands.
    blocked: bool,
    /// What is adopted.
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<ImportingV1>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Importing")]
struct ImportingV1 {
    id: String,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "Changes")]
struct ChangesV1 {
    /// Orders.
    add: usize,
    /// Changes in place.
    change: usize,
    /// Destroyed.
    remove: usize,
    import: usize,
    #[serde(rename = "move")]
    moved: usize,
    forget: usize,
    /// plan or apply.
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_attempted: Option<usize>,
    /// complete, part_way, failed or unknown: what the exit code says too.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "Hook")]
struct HookV1 {
    /// Null while the account is looked at for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<ResourceV1>,
    /// As planned, or `read` while the account is looked at.
    action: &'static str,
    /// Of how many requests this is about, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// Always `env_id`, where there is a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_key: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tran_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// As in `apply --format json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    /// Tencent Cloud's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The answer did not prove it; what the account shows does.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_back: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<f64>,
    /// How many are looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<usize>,
}

/// The JSON Schema of one line.
pub fn schema() -> serde_json::Value {
    document::schema::<EventV1>()
}

fn line(now: Timestamp, level: &'static str, message: String, body: BodyV1) -> String {
    let event = EventV1 { level, message, module: "postpay", timestamp: format!("{now:.6}"), body };
    // Only a map with keys that are not text can make this fail.
    let line = serde_json::to_string(&event).unwrap_or_default();
    sanitize::json(&line)
}

fn resource(address: &Address) -> ResourceV1 {
    ResourceV1 { addr: address.to_string() }
}

/// The lines before anything is sent: the version, a line for each change, and the summary.
pub fn planned(plan: &Plan, now: Timestamp) -> Vec<String> {
    let postpay = env!("CARGO_PKG_VERSION");
    let version = BodyV1::Version { postpay, ui: UI };
    let hello = line(now, "info", format!("postpay {postpay}"), version);
    let changes = plan.steps.iter().filter(|step| step.action != Action::NoOp).map(|step| {
        let message = format!("{}: plan to {}", step.address, step.action.name());
        let change = change(step);
        line(now, "info", message, BodyV1::PlannedChange { change })
    });
    let summary = plan.summary;
    let counted = ChangesV1 {
        add: summary.orders,
        change: summary.update,
        remove: summary.destroy,
        import: summary.import,
        moved: summary.moved,
        forget: summary.forget,
        operation: "plan",
        ..ChangesV1::default()
    };
    let message =
        format!("Plan: {} to add, {} to change, {} to destroy", counted.add, counted.change, counted.remove);
    let changes_body = BodyV1::ChangeSummary { changes: counted };
    let closing = line(now, "info", message, changes_body);
    std::iter::once(hello).chain(changes).chain(std::iter::once(closing)).collect()
}

fn change(step: &Step) -> ChangeV1 {
    let importing = step.ids.env_id.clone().map(|id| ImportingV1 { id });
    ChangeV1 {
        resource: resource(&step.address),
        previous_resource: step.previous_address.as_ref().map(resource),
        action: step.action.name(),
        reason: step.reason.name(),
        deposed: step.deposed,
        blocked: step.blocker.is_some(),
        importing: importing.filter(|_| step.action == Action::Import),
    }
}

/// The line for something that happened, if it has one.
pub fn progress(progress: Progress<'_>, now: Timestamp) -> Option<String> {
    let (level, message, body) = match progress {
        Progress::Started { .. } => return None,
        Progress::Sending { step, attempt, .. } => {
            let hook = HookV1 { attempt: Some(attempt), ..hook(&step.address, step.action) };
            let message = format!("{}: {}", step.address, step.action.name());
            ("info", message, BodyV1::ApplyStart { hook })
        }
        Progress::Retrying { step, attempt, error, after, .. } => {
            let hook = HookV1 {
                attempt: Some(attempt),
                retry_after_seconds: Some(after.as_secs_f64()),
                ..failed(hook(&step.address, step.action), error)
            };
            let message = format!("{}: not sent, trying again", step.address);
            ("warn", message, BodyV1::ApplyProgress { hook })
        }
        Progress::Ended(result) => return Some(ended(result, now)),
        Progress::Looking { open, after, left: _ } => {
            let hook = HookV1 {
                action: "read",
                open: Some(open),
                retry_after_seconds: Some(after.as_secs_f64()),
                ..HookV1::default()
            };
            let message = format!("looking in the account for {open}");
            ("info", message, BodyV1::ApplyProgress { hook })
        }
        Progress::Found { address, env_id, tran_id } => {
            let hook = HookV1 {
                tran_id: tran_id.map(str::to_owned),
                read_back: Some(true),
                result: Some("created"),
                ..with_id(hook(address, Action::Create), Some(env_id))
            };
            let message = format!("{address}: found in the account");
            ("info", message, BodyV1::ApplyComplete { hook })
        }
        Progress::Stopping { under_way, .. } => {
            let warning = Diagnostic::warning("stopping", text!("starting nothing more"))
                .help(text!("waiting for {under_way} calls in progress", under_way));
            return Some(diagnostic(&warning, now));
        }
    };
    Some(line(now, level, message, body))
}

fn hook(address: &Address, action: Action) -> HookV1 {
    HookV1 { resource: Some(resource(address)), action: action.name(), ..HookV1::default() }
}

fn with_id(hook: HookV1, env_id: Option<&str>) -> HookV1 {
    HookV1 { id_key: env_id.map(|_| "env_id"), id_value: env_id.map(str::to_owned), ..hook }
}

fn failed(hook: HookV1, error: &CloudError) -> HookV1 {
    HookV1 {
        code: error.code.clone(),
        message: Some(error.message.en().to_owned()),
        request_id: error.request_id.clone(),
        tran_id: error.seen.tran_id.clone(),
        ..with_id(hook, error.seen.env_id.as_deref())
    }
}

fn ended(result: &StepResult, now: Timestamp) -> String {
    let view = ResultView::new(result, None);
    let owned = |id: Option<&str>| id.map(str::to_owned);
    let hook = HookV1 {
        result: Some(view.result),
        tran_id: owned(view.tran_id),
        request_id: owned(view.request_id),
        code: owned(view.code),
        message: view.message.map(|message| message.en().to_owned()),
        read_back: view.took_seconds.map(|_| view.read_back),
        elapsed_seconds: view.took_seconds,
        ..with_id(hook(&result.address, result.action), view.env_id)
    };
    let (level, body) = match &result.outcome {
        Outcome::Ordered { .. } | Outcome::Done(_) | Outcome::Recorded => {
            ("info", BodyV1::ApplyComplete { hook })
        }
        Outcome::Failed(_) | Outcome::Unknown(_) => ("error", BodyV1::ApplyErrored { hook }),
        Outcome::NotAttempted => ("info", BodyV1::ApplyProgress { hook }),
    };
    line(now, level, format!("{}: {}", result.address, view.label), body)
}

/// The closing line.
pub fn finished(report: &ApplySummary, now: Timestamp) -> String {
    let counts = report.counts();
    let recorded = |action| {
        let results = report.results.iter();
        results.filter(|result| result.outcome == Outcome::Recorded && result.action == action).count()
    };
    let changes = ChangesV1 {
        add: counts.ordered,
        change: counts.changed,
        remove: counts.destroyed,
        import: recorded(Action::Import),
        moved: recorded(Action::Move),
        forget: recorded(Action::Forget),
        operation: "apply",
        failed: Some(counts.failed),
        unknown: Some(counts.unknown),
        not_attempted: Some(counts.not_attempted),
        verdict: Some(report.verdict()),
    };
    let message =
        format!("Apply: {} added, {} changed, {} destroyed", changes.add, changes.change, changes.remove);
    line(now, "info", message, BodyV1::ChangeSummary { changes })
}

/// Returns the line for something that a person needs to know or fix.
pub fn diagnostic(diagnostic: &Diagnostic, now: Timestamp) -> String {
    let diagnostic = DiagnosticV1::from(diagnostic);
    let level = if diagnostic.severity() == "error" { "error" } else { "warn" };
    let message = diagnostic.summary().to_owned();
    line(now, level, message, BodyV1::Diagnostic { diagnostic })
}
