//! What there is to say of a step that did not simply succeed: what happened, what was and was not done, what to do next.

use std::fmt::Write as _;

use super::{FAILED, word};
use crate::apply::{Done, Outcome, StepResult, What};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::i18n::{Lang, Text, text};
use crate::plan::Action;
use crate::report::human::Look;
use crate::report::text::{clean, count};

pub(super) fn show(out: &mut String, result: &StepResult, look: Look) {
    let lines = remarks(result, look);
    if lines.is_empty() {
        return;
    }
    let head = match &result.outcome {
        Outcome::Failed(_) => look.bad(FAILED),
        Outcome::Unknown(_) => look.bad(text!("outcome unknown")),
        Outcome::Done(done) => look.say(word(done.what)),
        Outcome::Ordered { .. } | Outcome::Recorded | Outcome::NotAttempted => match result.left_behind {
            Some(_) => look.bad(text!("may exist twice")),
            None => look.say(text!("was replaced")),
        },
    };
    let (address, source) = (look.strong(&result.address), look.faint(&result.source));
    let _ = writeln!(out, "\n{address} {head}  {source}");
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

/// The lines below its head; none when there is nothing to say.
pub(in crate::report) fn remarks(result: &StepResult, look: Look) -> Vec<String> {
    let lines = match &result.outcome {
        Outcome::Ordered { .. } => [surplus(result, look), replaced(result, look)].concat(),
        Outcome::Done(done) => given_up(result, done),
        Outcome::Recorded | Outcome::NotAttempted => Vec::new(),
        Outcome::Failed(error) => failed(result, error, not_done(error), look),
        Outcome::Unknown(error) => failed(result, error, maybe_done(result.action), look),
    };
    lines.iter().map(|line| look.say(line)).collect()
}

const fn maybe_done(action: Action) -> Text {
    match action {
        Action::Update => Text::fixed(
            "effect: the alias may have been changed and nothing else; apply will request it again",
        ),
        Action::Destroy => Text::fixed(
            "effect: it may have been destroyed; it stays in the state, and destroying it again is safe",
        ),
        Action::Create
        | Action::Replace
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => {
            Text::fixed("effect: it may have been created; it is recorded as unknown and never sent again")
        }
    }
}

fn failed(result: &StepResult, error: &CloudError, done: Text, look: Look) -> Vec<Text> {
    let address = &result.address;
    let mut lines = vec![what(error)];
    if let Some(status) = error.http_status
        && status != 200
    {
        lines.push(text!("HTTP status {status}", status));
    }
    if let Some(body) = &error.body {
        let start: String = body.chars().take(200).collect();
        let start = clean(&start);
        lines.push(text!("the response began: {start}", start));
    }
    lines.push(done);
    match (error.grade, &error.hint) {
        // What is said of an attempt that will be made again is not so of the last one.
        (Grade::NotSent(NotSent::NoRequest | NotSent::Tls) | Grade::Refused(_) | Grade::Unknown, hint) => {
            lines.extend(hint.clone());
        }
        (Grade::NotSent(_), _) => {
            let n = result.attempts;
            let tries = count(n as usize, "attempt", "attempts");
            lines.push(text!(
                "failed after {tries}; run it again later, or retry for longer: --retry-for", tries; n));
        }
    }
    if let Some(env_id) = &result.left_behind {
        let env_id = look.bad(clean(env_id));
        lines.push(text!("but {env_id} appeared in the account with this alias: it will not be created again before `postpay resolve {address}`", env_id, address));
    }
    lines
}

/// A second environment that came to be beside the one that was created.
fn surplus(result: &StepResult, look: Look) -> Vec<Text> {
    let Some(env_id) = &result.left_behind else {
        return Vec::new();
    };
    let env_id = look.bad(clean(env_id));
    vec![
        text!(
            "a throttled request may have created {env_id} as well: it is new, has the same alias, and is not in the state",
            env_id
        ),
        SURPLUS_HELP,
    ]
}

/// What to do about it.
pub(in crate::report) const SURPLUS_HELP: Text = Text::fixed(
    "it keeps running and keeps billing: check both in the console, and destroy the one that is not needed",
);

/// Where the environment that was replaced is now.
fn replaced(result: &StepResult, look: Look) -> Vec<Text> {
    if result.action != Action::Replace {
        return Vec::new();
    }
    let (address, env_id) = (&result.address, result.env_id.as_deref().unwrap_or("-"));
    let env_id = look.change(clean(env_id));
    vec![
        text!("{env_id} is in the state as deposed; it keeps running and keeps billing", env_id),
        text!("to destroy it: `postpay destroy {address} --deposed --allow-destroy`", address),
    ]
}

/// What Tencent Cloud made of giving an environment up.
fn given_up(result: &StepResult, done: &Done) -> Vec<Text> {
    let address = &result.address;
    let which = if result.deposed { " --deposed" } else { "" };
    match done.what {
        What::Updated | What::Destroyed => Vec::new(),
        What::WasGone => vec![
            text!("Tencent Cloud has no environment with this id: it was destroyed before"),
            text!("it was removed from the state; nothing was changed at Tencent Cloud"),
        ],
        What::Isolated => vec![
            text!("Tencent Cloud isolated it: it cannot be reached, and will be deleted later"),
            text!(
                "to delete it immediately, or to remove it from the state once it is deleted: `postpay destroy {address}{which} --purge --allow-destroy`",
                address,
                which
            ),
        ],
        What::BeingDestroyed => vec![
            text!("Tencent Cloud accepted the request but still lists it unchanged; it stays in the state"),
            text!("to complete it: `postpay destroy {address}{which} --allow-destroy`", address, which),
        ],
    }
}

/// `Code: message (RequestId …)`
pub(in crate::report) fn what(error: &CloudError) -> Text {
    let message = Text::of(&error.message);
    let (en, zh) = (clean(message.en()), clean(message.in_lang(Lang::Zh)));
    let text = match &error.code {
        Some(code) => Text::new(format!("{}: {en}", clean(code)), format!("{}：{zh}", clean(code))),
        None => Text::new(en.into_owned(), zh.into_owned()),
    };
    match &error.request_id {
        Some(id) => {
            let id = clean(id);
            text!("{text} (RequestId {id})", text, id)
        }
        None => text,
    }
}

const fn not_done(error: &CloudError) -> Text {
    match error.grade {
        Grade::NotSent(NotSent::Connect | NotSent::Tls) => {
            Text::fixed("effect: none; not connected, so no request was sent")
        }
        Grade::NotSent(NotSent::NoKey) => {
            Text::fixed("effect: none; there were no credentials to sign the request with")
        }
        Grade::NotSent(NotSent::NoRequest | NotSent::Withdrawn) => {
            Text::fixed("effect: none; no request was sent")
        }
        Grade::NotSent(NotSent::Throttled | NotSent::Repaired) => {
            Text::fixed("effect: none; the request was rejected before it was processed")
        }
        Grade::Refused(_) => Text::fixed("effect: none; the request was rejected"),
        Grade::Unknown => Text::fixed("effect: unknown"),
    }
}
