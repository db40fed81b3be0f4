//! What there is to say of a step that did not simply succeed: what happened, what was and was not done, what to do next.

use std::fmt::Write as _;

use super::word;
use crate::apply::{Done, Outcome, StepResult, What};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::plan::Action;
use crate::report::human::Look;
use crate::report::text::{clean, count};

pub(super) fn show(out: &mut String, result: &StepResult, look: Look) {
    let lines = remarks(result, look);
    if lines.is_empty() {
        return;
    }
    let head = match &result.outcome {
        Outcome::Failed(_) => look.bad("failed"),
        Outcome::Unknown(_) => look.bad("outcome unknown"),
        Outcome::Done(done) => word(done.what).to_owned(),
        Outcome::Ordered { .. } | Outcome::Recorded | Outcome::NotAttempted => {
            "was replaced".to_owned()
        }
    };
    let (address, source) = (look.strong(&result.address), look.faint(&result.source));
    let _ = writeln!(out, "\n{address} {head}  {source}");
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

/// The lines below its head; none when there is nothing to say.
pub(in crate::report) fn remarks(result: &StepResult, look: Look) -> Vec<String> {
    match &result.outcome {
        Outcome::Ordered { .. } => replaced(result, look),
        Outcome::Done(done) => given_up(result, done),
        Outcome::Recorded | Outcome::NotAttempted => Vec::new(),
        Outcome::Failed(error) => failed(result, error, not_done(error), look),
        Outcome::Unknown(error) => failed(result, error, maybe_done(result.action), look),
    }
}

const fn maybe_done(action: Action) -> &'static str {
    match action {
        Action::Update => {
            "at the vendor: its alias may have been changed; nothing else was, and apply asks for it again"
        }
        Action::Destroy => {
            "at the vendor: it may have been given up; it stays on record, and to ask for it again gives up no other"
        }
        Action::Create
        | Action::Replace
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => {
            "at the vendor: it may have been ordered; it is recorded as unknown and never sent again"
        }
    }
}

fn failed(result: &StepResult, error: &CloudError, done: &str, look: Look) -> Vec<String> {
    let mut lines = vec![what(error)];
    if let Some(status) = error.http_status
        && status != 200
    {
        lines.push(format!("HTTP status {status}"));
    }
    if let Some(body) = &error.body {
        let start: String = body.chars().take(200).collect();
        lines.push(format!("the answer began: {}", clean(&start)));
    }
    lines.push(done.to_owned());
    match (error.grade, &error.hint) {
        // What is said of an attempt that will be made again is not so of the last one.
        (Grade::NotSent(_), _) => {
            let tries = count(result.attempts as usize, "attempt", "attempts");
            lines.push(format!(
                "given up after {tries}; run it again later, or try for longer: --retry-for"
            ));
        }
        (Grade::Refused(_) | Grade::Unknown, Some(hint)) => lines.push(hint.en().to_owned()),
        (Grade::Refused(_) | Grade::Unknown, None) => {}
    }
    if let Some(env_id) = &result.left_behind {
        let env_id = look.bad(clean(env_id));
        lines.push(format!(
            "and yet {env_id} came to be in the account with this alias: it is not ordered again before `postpay resolve {}`",
            result.address
        ));
    }
    lines
}

/// Where the environment that was replaced is now.
fn replaced(result: &StepResult, look: Look) -> Vec<String> {
    if result.action != Action::Replace {
        return Vec::new();
    }
    let (address, env_id) = (&result.address, result.env_id.as_deref().unwrap_or("-"));
    vec![
        format!(
            "{} is on record as deposed, lives on at the vendor and goes on costing",
            look.change(clean(env_id))
        ),
        format!("to give it up: `postpay destroy {address} --deposed --allow-destroy`"),
    ]
}

/// What the vendor made of giving an environment up.
fn given_up(result: &StepResult, done: &Done) -> Vec<String> {
    let address = &result.address;
    let which = if result.deposed { " --deposed" } else { "" };
    match done.what {
        What::Renamed | What::Destroyed => Vec::new(),
        What::WasGone => vec![
            "the vendor has no environment with this id: it was given up before".to_owned(),
            "it is forgotten; nothing was done at the vendor".to_owned(),
        ],
        What::Isolated => vec![
            "the vendor keeps it in isolation: out of reach, and deleted later".to_owned(),
            format!(
                "to have it deleted at once, or to forget it when it is gone: `postpay destroy {address}{which} --purge --allow-destroy`"
            ),
        ],
        What::BeingDestroyed => vec![
            "the vendor took the request, and shows it as before so far; it stays on record"
                .to_owned(),
            format!("to see it through: `postpay destroy {address}{which} --allow-destroy`"),
        ],
    }
}

/// `Code: message (RequestId …)`
pub(in crate::report) fn what(error: &CloudError) -> String {
    let mut text = String::new();
    if let Some(code) = &error.code {
        let _ = write!(text, "{}: ", clean(code));
    }
    text.push_str(&clean(error.message.en()));
    if let Some(id) = &error.request_id {
        let _ = write!(text, " (RequestId {})", clean(id));
    }
    text
}

fn not_done(error: &CloudError) -> &'static str {
    match error.grade {
        Grade::NotSent(NotSent::Connect) => {
            "at the vendor: nothing; no connection stood, so no request left"
        }
        Grade::NotSent(NotSent::Throttled | NotSent::Repaired) => {
            "at the vendor: nothing; the request was turned away before it was looked at"
        }
        Grade::Refused(_) => "at the vendor: nothing was done; the request was refused",
        Grade::Unknown => "at the vendor: not known",
    }
}
