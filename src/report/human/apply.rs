//! A run: a line for everything that happens, and the table that closes it.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{Table, presets};

use super::Look;
use crate::apply::{Outcome, Progress, Report, StepResult, Verdict};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::report::text::{clean, count, duration};
use crate::state::journal::EndReason;

/// One line for a log; None for what a log need not hold.
pub fn line(progress: Progress<'_>, total: usize, look: Look) -> Option<String> {
    match progress {
        Progress::Started { .. } => None,
        Progress::Sending {
            number,
            step,
            attempt,
        } => {
            let again = if attempt > 1 {
                format!(", attempt {attempt}")
            } else {
                String::new()
            };
            Some(format!(
                "[{number}/{total}] {}: ordering{again}",
                step.address
            ))
        }
        Progress::Retrying {
            number,
            step,
            error,
            after,
            attempt: _,
        } => Some(format!(
            "[{number}/{total}] {}: {}; nothing was ordered, again in {}",
            step.address,
            look.change(what(error)),
            duration(after)
        )),
        Progress::Ended(result) => Some(ended(result, total, look)),
        Progress::Looking { open, after } => {
            let orders = count(open, "order", "orders");
            let pause = match after {
                Duration::ZERO => String::new(),
                after => format!(" in {}", duration(after)),
            };
            Some(format!("Looking in the account for {orders}{pause}"))
        }
        Progress::Found {
            address,
            env_id,
            tran_id,
        } => Some(format!(
            "{address}: {}, TranId {}, EnvId {}",
            look.good("found in the account"),
            clean(tran_id),
            clean(env_id)
        )),
        Progress::Stopping {
            reason,
            under_way,
            trouble,
        } => {
            let why = match (trouble, reason) {
                (Some(_), _) => "The record can't be written",
                (None, EndReason::Interrupted) => "Interrupted",
                (None, EndReason::Deadline) => "The deadline is reached",
                (None, EndReason::Failed) => "An order failed",
                (None, EndReason::Unknown) => "An outcome is unknown",
                (None, EndReason::Finished) => "Finished",
            };
            let wait = match under_way {
                0 => String::new(),
                n => format!(
                    " Waiting for {}.",
                    count(n, "call under way", "calls under way")
                ),
            };
            Some(look.change(format!("{why}: nothing more is started.{wait}")))
        }
    }
}

fn ended(result: &StepResult, total: usize, look: Look) -> String {
    let head = format!("[{}/{total}] {}:", result.number, result.address);
    match &result.outcome {
        Outcome::Ordered {
            ordered,
            took,
            read_back,
        } => format!(
            "{head} {}, TranId {}, EnvId {} ({}{})",
            look.good("ordered"),
            clean(&ordered.tran_id),
            ordered
                .env_id
                .as_deref()
                .map_or("not told yet".into(), clean),
            duration(*took),
            if *read_back { ", read back" } else { "" }
        ),
        Outcome::Failed(error) => format!("{head} {}: {}", look.bad("failed"), what(error)),
        Outcome::Unknown(error) => {
            format!("{head} {}: {}", look.bad("outcome unknown"), what(error))
        }
        Outcome::NotAttempted => format!("{head} not attempted"),
    }
}

/// `Code: message (RequestId …)`
fn what(error: &CloudError) -> String {
    let mut text = String::new();
    if let Some(code) = &error.code {
        let _ = write!(text, "{}: ", clean(code));
    }
    text.push_str(&clean(&error.message));
    if let Some(id) = &error.request_id {
        let _ = write!(text, " (RequestId {})", clean(id));
    }
    text
}

/// The closing table and what to do next.
pub fn report(report: &Report, look: Look) -> String {
    if report.run.is_none() {
        return idle(report);
    }
    let mut out = format!("\n{}", table(report));
    for result in &report.results {
        detail(&mut out, result, look);
    }
    let counts = report.counts();
    let parts: Vec<String> = [
        (counts.ordered, "ordered"),
        (counts.failed, "failed"),
        (counts.unknown, "unknown"),
        (counts.not_attempted, "not attempted"),
    ]
    .into_iter()
    .filter(|(n, what)| *n > 0 || *what == "ordered")
    .map(|(n, what)| format!("{n} {what}"))
    .collect();
    let head = match report.verdict() {
        Verdict::Complete => look.good("Done:"),
        Verdict::PartWay => look.change("Stopped part-way:"),
        Verdict::Failed => look.bad("Failed:"),
        Verdict::Unknown => look.bad("Needs a person:"),
    };
    let _ = writeln!(
        out,
        "\n{head} {} in {}.",
        parts.join(", "),
        duration(report.took)
    );
    if counts.awaiting_env_id > 0 {
        let n = count(counts.awaiting_env_id, "order has", "orders have");
        let _ = writeln!(
            out,
            "{n} a TranId and no EnvId so far: the vendor took the order, and that is recorded."
        );
    }
    for line in next(report) {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// What there is to say of a plan without orders.
fn idle(report: &Report) -> String {
    let mut out = "Nothing to order: nothing was sent to the vendor.\n".to_owned();
    out.extend(unresolved(report).map(|line| line + "\n"));
    out
}

fn unresolved(report: &Report) -> Option<String> {
    let addresses: Vec<String> = report
        .unresolved
        .iter()
        .map(|address| format!("`{address}`"))
        .collect();
    (!addresses.is_empty()).then(|| {
        format!(
            "Unknown since an earlier run, and left alone: {}.",
            addresses.join(", ")
        )
    })
}

fn table(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ADDRESS", "RESULT", "TRAN_ID", "ENV_ID", "REQUEST_ID"]);
    for result in &report.results {
        let (word, tran_id, env_id, request_id) = match &result.outcome {
            Outcome::Ordered { ordered, .. } => (
                "ordered",
                Some(&ordered.tran_id),
                ordered.env_id.as_ref(),
                ordered.request_id.as_ref(),
            ),
            Outcome::Failed(error) => ("failed", None, None, error.request_id.as_ref()),
            Outcome::Unknown(error) => (
                "unknown",
                error.seen.tran_id.as_ref(),
                error.seen.env_id.as_ref(),
                error.request_id.as_ref(),
            ),
            Outcome::NotAttempted => ("not attempted", None, None, None),
        };
        let cell =
            |id: Option<&String>| id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned());
        table.add_row([
            result.address.to_string(),
            word.to_owned(),
            cell(tran_id),
            cell(env_id),
            cell(request_id),
        ]);
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn detail(out: &mut String, result: &StepResult, look: Look) {
    let (error, head, done) = match &result.outcome {
        Outcome::Ordered { .. } | Outcome::NotAttempted => return,
        Outcome::Failed(error) => (error, look.bad("failed"), not_done(error)),
        Outcome::Unknown(error) => {
            let done = "at the vendor: it may have been ordered; it is recorded as unknown and never sent again";
            (error, look.bad("outcome unknown"), done)
        }
    };
    let _ = writeln!(
        out,
        "\n{} {head}  {}",
        look.strong(&result.address),
        look.faint(&result.source)
    );
    let _ = writeln!(out, "  {}", what(error));
    if let Some(status) = error.http_status
        && status != 200
    {
        let _ = writeln!(out, "  HTTP status {status}");
    }
    if let Some(body) = &error.body {
        let start: String = body.chars().take(200).collect();
        let _ = writeln!(out, "  the answer began: {}", clean(&start));
    }
    let _ = writeln!(out, "  {done}");
    match (error.grade, error.hint) {
        // What is said of an attempt that will be made again is not so of the last one.
        (Grade::NotSent(_), _) => {
            let tries = count(result.attempts as usize, "attempt", "attempts");
            let _ = writeln!(
                out,
                "  given up after {tries}; run it again later, or try for longer: --retry-for"
            );
        }
        (Grade::Refused(_) | Grade::Unknown, Some(hint)) => {
            let _ = writeln!(out, "  {hint}");
        }
        (Grade::Refused(_) | Grade::Unknown, None) => {}
    }
    if let Some(env_id) = &result.left_behind {
        let env_id = look.bad(clean(env_id));
        let _ = writeln!(
            out,
            "  and yet {env_id} came to be in the account with this alias: look at it before you order again"
        );
    }
}

fn not_done(error: &CloudError) -> &'static str {
    match error.grade {
        Grade::NotSent(NotSent::Connect) => {
            "at the vendor: nothing; no connection stood, so no request left"
        }
        Grade::NotSent(NotSent::Throttled | NotSent::Repaired) => {
            "at the vendor: nothing; the request was turned away before it was looked at"
        }
        Grade::Refused(_) => "at the vendor: nothing was ordered; the request was refused",
        Grade::Unknown => "at the vendor: not known",
    }
}

fn next(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(trouble) = &report.trouble {
        lines.push(format!("The record could not be completed: {trouble}"));
        lines.push(
            "Mend that; the next `postpay apply` takes up the journal and orders nothing twice."
                .to_owned(),
        );
    }
    lines.extend(unresolved(report));
    for (address, env_id) in &report.found {
        lines.push(format!(
            "Found in the account: `{address}` is {}.",
            clean(env_id)
        ));
    }
    for rescued in &report.unwritten {
        let outcome = &rescued.outcome;
        lines.push(format!(
            "Not in the journal, so keep this: {}.",
            super::verify::said(outcome)
        ));
    }
    let resume = "See what is left with `postpay plan`, and go on with `postpay apply`.";
    match report.verdict() {
        Verdict::Complete => {}
        Verdict::PartWay => lines.push(format!("What was ordered is recorded. {resume}")),
        Verdict::Failed => lines.push("Nothing was ordered.".to_owned()),
        Verdict::Unknown => {
            lines.push("Settle what is unknown before anything else: `postpay resolve` shows what the account has.".to_owned());
            lines.push(
                "`postpay plan` shows them as unknown; they are never ordered again by themselves."
                    .to_owned(),
            );
        }
    }
    lines
}
