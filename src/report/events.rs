//! A run as it happens, one JSON object a line, with the types and member names of Terraform's machine-readable output.
//! What does not apply is left out.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

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
struct Event {
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
    body: Body,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body {
    /// The first line.
    Version {
        postpay: &'static str,
        /// The version of these lines.
        ui: &'static str,
    },
    /// A step of the plan, before anything is sent.
    PlannedChange {
        change: Change,
    },
    /// How many steps of each kind, before and after the run.
    ChangeSummary {
        changes: Changes,
    },
    /// A request is about to be sent.
    ApplyStart {
        hook: Hook,
    },
    /// It is in progress.
    ApplyProgress {
        hook: Hook,
    },
    /// It is done.
    ApplyComplete {
        hook: Hook,
    },
    /// It failed, or its outcome is unknown.
    ApplyErrored {
        hook: Hook,
    },
    Diagnostic {
        diagnostic: DiagnosticV1,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
struct Resource {
    addr: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Change {
    resource: Resource,
    /// Its address in the state, when that changes.
    previous_resource: Option<Resource>,
    /// One of create, update, replace, destroy, forget, import, move, resolve, wait.
    action: &'static str,
    /// As in a plan file: action_reason.
    reason: &'static str,
    /// It is about a replaced environment of the address.
    deposed: bool,
    /// It is not carried out as it stands.
    blocked: bool,
    /// The environment that is imported.
    importing: Option<Importing>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Importing {
    id: String,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Changes {
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
    failed: Option<usize>,
    unknown: Option<usize>,
    not_attempted: Option<usize>,
    /// complete, part_way, failed or unknown: what the exit code says too.
    verdict: Option<Verdict>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Hook {
    /// Missing while the account is read for several.
    resource: Option<Resource>,
    /// As planned, `read` while the account is read, or `wait` while `--wait` waits.
    action: &'static str,
    /// The number of the request, from 1.
    attempt: Option<u32>,
    /// Always `env_id`, where there is a value.
    id_key: Option<&'static str>,
    id_value: Option<String>,
    tran_id: Option<String>,
    request_id: Option<String>,
    /// As in `apply --format json`; `ready` for an environment that `--wait` waited for.
    result: Option<&'static str>,
    /// Tencent Cloud's code.
    code: Option<String>,
    message: Option<String>,
    /// The answer did not prove it; what the account shows does.
    read_back: Option<bool>,
    elapsed_seconds: Option<f64>,
    retry_after_seconds: Option<f64>,
    /// How many are searched or waited for.
    open: Option<usize>,
}

/// The JSON Schema of one line.
pub fn schema() -> Value {
    document::schema::<Event>()
}

fn line(now: Timestamp, level: &'static str, message: String, body: Body) -> String {
    let event = Event { level, message, module: "postpay", timestamp: format!("{now:.6}"), body };
    // Only a map with keys that are not text can make this fail.
    let event = serde_json::to_value(&event).unwrap_or_default();
    sanitize::json(&without_nulls(event).to_string())
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn resource(address: &Address) -> Resource {
    Resource { addr: address.to_string() }
}

/// The lines before anything is sent: the version, a line for each change, and the summary.
pub fn planned(plan: &Plan, now: Timestamp) -> Vec<String> {
    let postpay = env!("CARGO_PKG_VERSION");
    let version = Body::Version { postpay, ui: UI };
    let hello = line(now, "info", format!("postpay {postpay}"), version);
    let changes = plan.steps.iter().filter(|step| step.action != Action::NoOp).map(|step| {
        let message = format!("{}: plan to {}", step.address, step.action.name());
        let change = change(step);
        line(now, "info", message, Body::PlannedChange { change })
    });
    let summary = plan.summary;
    let counted = Changes {
        add: summary.orders,
        change: summary.update,
        remove: summary.destroy,
        import: summary.import,
        moved: summary.moved,
        forget: summary.forget,
        operation: "plan",
        ..Changes::default()
    };
    let message =
        format!("Plan: {} to add, {} to change, {} to destroy", counted.add, counted.change, counted.remove);
    let changes_body = Body::ChangeSummary { changes: counted };
    let closing = line(now, "info", message, changes_body);
    std::iter::once(hello).chain(changes).chain(std::iter::once(closing)).collect()
}

fn change(step: &Step) -> Change {
    let importing = step.ids.env_id.clone().map(|id| Importing { id });
    Change {
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
            let hook = Hook { attempt: Some(attempt), ..hook(&step.address, step.action) };
            let message = format!("{}: {}", step.address, step.action.name());
            ("info", message, Body::ApplyStart { hook })
        }
        Progress::Retrying { step, attempt, error, after, .. } => {
            let hook = Hook {
                attempt: Some(attempt),
                retry_after_seconds: Some(after.as_secs_f64()),
                ..failed(hook(&step.address, step.action), error)
            };
            let message = format!("{}: not sent, trying again", step.address);
            ("warn", message, Body::ApplyProgress { hook })
        }
        Progress::Ended(result) => return Some(ended(result, now)),
        Progress::Looking { open, after, left: _ } => {
            let hook = Hook {
                action: "read",
                open: Some(open),
                retry_after_seconds: Some(after.as_secs_f64()),
                ..Hook::default()
            };
            let message = format!("searching the account for {open}");
            ("info", message, Body::ApplyProgress { hook })
        }
        Progress::Waiting { open, after, left: _ } => {
            let hook = Hook {
                action: "wait",
                open: Some(open),
                retry_after_seconds: Some(after.as_secs_f64()),
                ..Hook::default()
            };
            let message = format!("waiting until {open} are in use");
            ("info", message, Body::ApplyProgress { hook })
        }
        Progress::Ready { address, env_id } => {
            let hook = Hook { result: Some("ready"), ..with_id(hook(address, Action::Wait), Some(env_id)) };
            ("info", format!("{address}: in use"), Body::ApplyComplete { hook })
        }
        Progress::Found { address, env_id, tran_id } => {
            let hook = Hook {
                tran_id: tran_id.map(str::to_owned),
                read_back: Some(true),
                result: Some("created"),
                ..with_id(hook(address, Action::Create), Some(env_id))
            };
            let message = format!("{address}: found in the account");
            ("info", message, Body::ApplyComplete { hook })
        }
        Progress::Stopping { under_way, .. } => {
            let warning = Diagnostic::warning("stopping", text!("starting nothing more"))
                .help(text!("waiting for {under_way} calls in progress", under_way));
            return Some(diagnostic(&warning, now));
        }
    };
    Some(line(now, level, message, body))
}

fn hook(address: &Address, action: Action) -> Hook {
    Hook { resource: Some(resource(address)), action: action.name(), ..Hook::default() }
}

fn with_id(hook: Hook, env_id: Option<&str>) -> Hook {
    Hook { id_key: env_id.map(|_| "env_id"), id_value: env_id.map(str::to_owned), ..hook }
}

fn failed(hook: Hook, error: &CloudError) -> Hook {
    Hook {
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
    let hook = Hook {
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
            ("info", Body::ApplyComplete { hook })
        }
        Outcome::Failed(_) | Outcome::Unknown(_) => ("error", Body::ApplyErrored { hook }),
        Outcome::NotAttempted => ("info", Body::ApplyProgress { hook }),
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
    let changes = Changes {
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
    line(now, "info", message, Body::ChangeSummary { changes })
}

/// Returns the line for something that a person needs to know or fix.
pub fn diagnostic(diagnostic: &Diagnostic, now: Timestamp) -> String {
    let diagnostic = DiagnosticV1::from(diagnostic);
    let level = if diagnostic.severity() == "error" { "error" } else { "warn" };
    let message = diagnostic.summary().to_owned();
    line(now, level, message, Body::Diagnostic { diagnostic })
}
