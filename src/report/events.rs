//! A run as it happens, one JSON object a line, with the member names of Terraform's machine-readable output.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::json::{verdict, what};
use crate::apply::{Outcome, Progress, Report, StepResult};
use crate::plan::{Action, Plan};

/// The version of these lines.
const FORMAT: &str = "1.0";

fn event(now: Timestamp, kind: &str, level: &str, message: String, extra: Value) -> String {
    let mut line = Map::new();
    line.insert("@level".to_owned(), json!(level));
    line.insert("@message".to_owned(), Value::String(message));
    line.insert("@module".to_owned(), json!("postpay"));
    line.insert("@timestamp".to_owned(), json!(format!("{now:.6}")));
    line.insert("type".to_owned(), json!(kind));
    if let Value::Object(members) = extra {
        line.extend(members);
    }
    Value::Object(line).to_string()
}

/// The lines before anything is sent: the version, a line for each change, and the summary.
pub fn planned(plan: &Plan, now: Timestamp) -> Vec<String> {
    let version = env!("CARGO_PKG_VERSION");
    let hello = event(
        now,
        "version",
        "info",
        format!("postpay {version}"),
        json!({ "postpay": version, "ui": FORMAT }),
    );
    let changes = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::NoOp)
        .map(|step| {
            event(
                now,
                "planned_change",
                "info",
                format!("{}: plan to {}", step.address, step.action.name()),
                json!({ "change": {
                    "resource": { "addr": step.address.as_str() },
                    "action": step.action.name(),
                    "reason": step.reason.name(),
                    "refused": step.refusal.is_some(),
                }}),
            )
        });
    let summary = plan.summary();
    let closing = event(
        now,
        "change_summary",
        "info",
        format!("Plan: {} to order", summary.orders),
        json!({ "changes": {
            "add": summary.orders,
            "change": summary.update,
            "import": summary.import,
            "remove": summary.destroy,
            "move": summary.moved,
            "forget": summary.forget,
            "operation": "plan",
        }}),
    );
    std::iter::once(hello)
        .chain(changes)
        .chain(std::iter::once(closing))
        .collect()
}

/// The line for something that happened, if it has one.
pub fn progress(progress: Progress<'_>, now: Timestamp) -> Option<String> {
    let hook =
        |address: &str, action: &str| json!({ "resource": { "addr": address }, "action": action });
    match progress {
        Progress::Started { .. } => None,
        Progress::Sending { step, attempt, .. } => {
            let address = step.address.as_str();
            let mut hook = hook(address, step.action.name());
            hook["attempt"] = json!(attempt);
            Some(event(
                now,
                "apply_start",
                "info",
                format!("{address}: {}", step.action.name()),
                json!({ "hook": hook }),
            ))
        }
        Progress::Retrying {
            step,
            attempt,
            error,
            after,
            ..
        } => {
            let address = step.address.as_str();
            let mut hook = hook(address, step.action.name());
            hook["attempt"] = json!(attempt);
            hook["code"] = json!(error.code);
            hook["message"] = json!(error.message);
            hook["request_id"] = json!(error.request_id);
            hook["retry_after_seconds"] = json!(after.as_secs_f64());
            let message = format!("{address}: not sent, trying again");
            Some(event(
                now,
                "apply_progress",
                "warn",
                message,
                json!({ "hook": hook }),
            ))
        }
        Progress::Ended(result) => Some(ended(
            result,
            now,
            hook(result.address.as_str(), result.action.name()),
        )),
        Progress::Looking { open, after } => Some(event(
            now,
            "apply_progress",
            "info",
            format!("looking in the account for {open} orders"),
            json!({ "hook": { "action": "read", "open": open, "retry_after_seconds": after.as_secs_f64() } }),
        )),
        Progress::Found {
            address,
            env_id,
            tran_id,
        } => {
            let address = address.as_str();
            let mut hook = hook(address, "create");
            hook["id_key"] = json!("env_id");
            hook["id_value"] = json!(env_id);
            hook["tran_id"] = json!(tran_id);
            hook["read_back"] = json!(true);
            let message = format!("{address}: found in the account");
            Some(event(
                now,
                "apply_complete",
                "info",
                message,
                json!({ "hook": hook }),
            ))
        }
        Progress::Stopping { under_way, .. } => Some(event(
            now,
            "diagnostic",
            "warn",
            "nothing more is started".to_owned(),
            json!({ "diagnostic": {
                "severity": "warning",
                "summary": "nothing more is started",
                "detail": format!("{under_way} calls under way"),
            }}),
        )),
    }
}

fn ended(result: &StepResult, now: Timestamp, mut hook: Value) -> String {
    let address = result.address.as_str();
    match &result.outcome {
        Outcome::Ordered {
            ordered,
            took,
            read_back,
        } => {
            hook["read_back"] = json!(read_back);
            hook["id_key"] = json!("env_id");
            hook["id_value"] = json!(ordered.env_id);
            hook["tran_id"] = json!(ordered.tran_id);
            hook["request_id"] = json!(ordered.request_id);
            hook["elapsed_seconds"] = json!(took.as_secs_f64());
            event(
                now,
                "apply_complete",
                "info",
                format!("{address}: ordered"),
                json!({ "hook": hook }),
            )
        }
        Outcome::Done(done) => {
            hook["read_back"] = json!(done.read_back);
            hook["result"] = json!(what(done.what));
            hook["id_key"] = json!("env_id");
            hook["id_value"] = json!(result.env_id);
            hook["request_id"] = json!(done.request_id);
            hook["elapsed_seconds"] = json!(done.took.as_secs_f64());
            let message = format!("{address}: {}", what(done.what));
            event(
                now,
                "apply_complete",
                "info",
                message,
                json!({ "hook": hook }),
            )
        }
        Outcome::Recorded => {
            hook["result"] = json!("recorded");
            hook["id_key"] = json!("env_id");
            hook["id_value"] = json!(result.env_id);
            let message = format!("{address}: {} recorded", result.action.name());
            event(
                now,
                "apply_complete",
                "info",
                message,
                json!({ "hook": hook }),
            )
        }
        Outcome::Failed(error) | Outcome::Unknown(error) => {
            let unknown = matches!(result.outcome, Outcome::Unknown(_));
            hook["outcome"] = json!(if unknown { "unknown" } else { "failed" });
            hook["code"] = json!(error.code);
            hook["message"] = json!(error.message);
            hook["request_id"] = json!(error.request_id);
            hook["tran_id"] = json!(error.seen.tran_id);
            hook["id_value"] = json!(error.seen.env_id);
            let message = format!(
                "{address}: {}",
                if unknown { "outcome unknown" } else { "failed" }
            );
            event(
                now,
                "apply_errored",
                "error",
                message,
                json!({ "hook": hook }),
            )
        }
        Outcome::NotAttempted => event(
            now,
            "apply_progress",
            "info",
            format!("{address}: not attempted"),
            json!({ "hook": hook }),
        ),
    }
}

/// The closing line.
pub fn finished(report: &Report, now: Timestamp) -> String {
    let counts = report.counts();
    event(
        now,
        "change_summary",
        "info",
        format!("Apply: {} ordered", counts.ordered),
        json!({ "changes": {
            "add": counts.ordered,
            "change": counts.changed,
            "remove": counts.destroyed,
            "recorded": counts.recorded,
            "failed": counts.failed,
            "unknown": counts.unknown,
            "not_attempted": counts.not_attempted,
            "operation": "apply",
            "verdict": verdict(report.verdict()),
        }}),
    )
}
