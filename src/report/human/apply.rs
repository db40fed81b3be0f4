//! A run: a line for everything that happens, and the table that closes it.

mod detail;

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{Table, presets};

pub(in crate::report) use detail::{remarks, what};

use super::Look;
use crate::apply::{Counts, Outcome, Progress, Report, StepResult, Verdict, What};
use crate::desired::Address;
use crate::plan::Action;
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
            let doing = match (step.action, step.renames()) {
                (Action::Destroy, _) => "giving up".to_owned(),
                (Action::Update, Some(alias)) => format!("changing its alias to {}", clean(alias)),
                (
                    Action::Create
                    | Action::Replace
                    | Action::Update
                    | Action::Forget
                    | Action::Import
                    | Action::Move
                    | Action::Resolve
                    | Action::Wait
                    | Action::NoOp,
                    _,
                ) => "ordering".to_owned(),
            };
            Some(format!(
                "[{number}/{total}] {}: {doing}{again}",
                name(&step.address, step.deposed)
            ))
        }
        Progress::Retrying {
            number,
            step,
            error,
            after,
            attempt: _,
        } => Some(format!(
            "[{number}/{total}] {}: {}; nothing was {}, again in {}",
            step.address,
            look.change(what(error)),
            if step.is_order() { "ordered" } else { "done" },
            duration(after)
        )),
        Progress::Ended(result) => Some(ended(result, total, look)),
        Progress::Looking { open, after } => {
            let orders = count(open, "environment", "environments");
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
                (None, EndReason::Failed) => "A step failed",
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

fn name(address: &Address, deposed: bool) -> String {
    let which = if deposed { " (deposed)" } else { "" };
    format!("{address}{which}")
}

fn ended(result: &StepResult, total: usize, look: Look) -> String {
    let name = name(&result.address, result.deposed);
    let head = format!("[{}/{total}] {name}:", result.number);
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
        Outcome::Done(done) => {
            let env_id = result.env_id.as_deref().map_or("-".into(), clean);
            format!(
                "{head} {}, EnvId {env_id} ({}{})",
                look.good(word(done.what)),
                duration(done.took),
                if done.read_back { ", read back" } else { "" }
            )
        }
        Outcome::Recorded => format!("{head} {}", look.good(recorded(result.action))),
        Outcome::Failed(error) => format!("{head} {}: {}", look.bad("failed"), what(error)),
        Outcome::Unknown(error) => {
            format!("{head} {}: {}", look.bad("outcome unknown"), what(error))
        }
        Outcome::NotAttempted => format!("{head} not attempted"),
    }
}

/// What became of an environment that was there before.
const fn word(what: What) -> &'static str {
    match what {
        What::Renamed => "changed",
        What::Destroyed => "destroyed",
        What::WasGone => "gone already",
        What::Isolated => "isolated",
        What::BeingDestroyed => "being destroyed",
    }
}

/// What a step did that changed the record alone.
const fn recorded(action: Action) -> &'static str {
    match action {
        Action::Forget => "forgotten",
        Action::Import => "imported",
        Action::Move => "moved",
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Destroy
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => "recorded",
    }
}

/// The closing table and what to do next.
pub fn report(report: &Report, look: Look) -> String {
    if report.run.is_none() {
        return idle(report);
    }
    let mut out = format!("\n{}", table(report));
    for result in &report.results {
        detail::show(&mut out, result, look);
    }
    out + "\n" + &summary(report, look)
}

/// The closing lines: how much of what, and what to do next.
pub fn summary(report: &Report, look: Look) -> String {
    if report.run.is_none() {
        return idle(report);
    }
    let mut out = String::new();
    let counts = report.counts();
    let Counts {
        ordered,
        changed,
        destroyed,
        recorded,
        awaiting_env_id: _,
        failed,
        unknown,
        not_attempted,
    } = counts;
    let orders = report.results.iter().any(StepResult::is_order);
    let nothing = ordered + changed + destroyed + recorded == 0;
    let parts: Vec<String> = [
        (ordered, "ordered"),
        (changed, "changed"),
        (destroyed, "given up"),
        (recorded, "on record alone"),
        (failed, "failed"),
        (unknown, "unknown"),
        (not_attempted, "not attempted"),
    ]
    .into_iter()
    .filter(|(n, what)| *n > 0 || (nothing && orders && *what == "ordered"))
    .map(|(n, what)| format!("{n} {what}"))
    .collect();
    let head = match report.verdict() {
        Verdict::Complete => look.good("Done:"),
        Verdict::PartWay => look.change("Stopped part-way:"),
        Verdict::Failed => look.bad("Failed:"),
        Verdict::Unknown if !is_order_unknown(report) => look.bad("Not known in full:"),
        Verdict::Unknown => look.bad("Needs a person:"),
    };
    let _ = writeln!(
        out,
        "{head} {} in {}.",
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
    let mut out = "Nothing to do: nothing was sent to the vendor.\n".to_owned();
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
            Outcome::Done(done) => (
                word(done.what),
                None,
                result.env_id.as_ref(),
                done.request_id.as_ref(),
            ),
            Outcome::Recorded => (recorded(result.action), None, result.env_id.as_ref(), None),
            Outcome::Failed(error) => (
                "failed",
                None,
                result.env_id.as_ref().filter(|_| !result.is_order()),
                error.request_id.as_ref(),
            ),
            Outcome::Unknown(error) => (
                "unknown",
                error.seen.tran_id.as_ref(),
                if result.is_order() {
                    error.seen.env_id.as_ref()
                } else {
                    result.env_id.as_ref()
                },
                error.request_id.as_ref(),
            ),
            Outcome::NotAttempted => ("not attempted", None, None, None),
        };
        let cell =
            |id: Option<&String>| id.map_or_else(|| "-".to_owned(), |id| clean(id).into_owned());
        table.add_row([
            name(&result.address, result.deposed),
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

/// Whether a person has to say what became of an order.
fn is_order_unknown(report: &Report) -> bool {
    let unknown = |result: &StepResult| match result.outcome {
        Outcome::Unknown(_) => result.is_order(),
        Outcome::Ordered { .. }
        | Outcome::Done(_)
        | Outcome::Recorded
        | Outcome::Failed(_)
        | Outcome::NotAttempted => false,
    };
    !report.unresolved.is_empty()
        || !report.unwritten.is_empty()
        || report.results.iter().any(unknown)
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
        Verdict::PartWay => lines.push(format!("What was done is recorded. {resume}")),
        Verdict::Failed if report.results.iter().any(StepResult::is_order) => {
            lines.push("Nothing was ordered.".to_owned());
        }
        Verdict::Failed => lines.push("Nothing was done.".to_owned()),
        // A request that names its environment may be made again.
        Verdict::Unknown if !is_order_unknown(report) => lines.push(format!(
            "Nothing was ordered. What is unknown stays on record as it was, and to ask for it again does no harm. {resume}"
        )),
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
