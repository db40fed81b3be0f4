//! What a run says of steps that did not simply succeed, and what to do next.

use crate::apply::{ApplySummary, Done, NotReady, Outcome, StepResult, Verdict, What};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::i18n::{Text, text};
use crate::plan::Action;
use crate::report::result::describe_error;
use crate::report::text::{clean, clean_text, count, list};
use crate::report::verify::describe_outcome;

/// What to do about a second environment.
pub(super) const SURPLUS_HELP: Text = text!(
    "it keeps running and keeps billing: check both in the console, and destroy the one that is not needed"
);

pub(super) const fn describe_action(action: Action) -> Text {
    match action {
        Action::Create => text!("create"),
        Action::Update => text!("update in place"),
        Action::Replace => text!("replace"),
        Action::Destroy => text!("destroy"),
        Action::Forget => text!("forget"),
        Action::Import => text!("import"),
        Action::Move => text!("move"),
        Action::Resolve => text!("unknown outcome"),
        Action::Wait => text!("waiting"),
        Action::NoOp => text!("unchanged"),
    }
}

/// Returns the lines below the head of a step; none when there is nothing to say.
pub(super) fn remarks(result: &StepResult) -> Vec<Text> {
    match &result.outcome {
        Outcome::Ordered { .. } => [surplus(result), replaced(result)].concat(),
        Outcome::Done(done) => destroyed(result, done),
        Outcome::Recorded | Outcome::NotAttempted => Vec::new(),
        Outcome::Failed(error) => failed(result, error, no_effect(error)),
        Outcome::Unknown(error) => failed(result, error, possible_effect(result.action)),
    }
}

fn failed(result: &StepResult, error: &CloudError, effect: Text) -> Vec<Text> {
    let address = &result.address;
    let mut lines = vec![describe_error(error)];
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
    lines.push(effect);
    match (error.grade, &error.hint) {
        // What holds for an attempt that will be repeated does not hold for the last one.
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
        let env_id = clean(env_id);
        lines.push(text!("but {env_id} appeared in the account with this alias: it will not be created again before `postpay resolve {address}`", env_id, address));
    }
    lines
}

/// Returns the remark on a second environment that appeared beside the one that was created.
fn surplus(result: &StepResult) -> Vec<Text> {
    let Some(env_id) = &result.left_behind else {
        return Vec::new();
    };
    let env_id = clean(env_id);
    let what = text!(
        "a throttled request may have created {env_id} as well: it is new, has the same alias, and is not in the state",
        env_id
    );
    vec![what, SURPLUS_HELP]
}

/// Returns where the environment that was replaced is now.
fn replaced(result: &StepResult) -> Vec<Text> {
    if result.action != Action::Replace {
        return Vec::new();
    }
    let (address, env_id) = (&result.address, clean(result.env_id.as_deref().unwrap_or("-")));
    vec![
        text!("{env_id} is in the state as deposed; it keeps running and keeps billing", env_id),
        text!("to destroy it: `postpay destroy {address} --deposed --allow-destroy`", address),
    ]
}

fn destroyed(result: &StepResult, done: &Done) -> Vec<Text> {
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

const fn no_effect(error: &CloudError) -> Text {
    match error.grade {
        Grade::NotSent(NotSent::Connect | NotSent::Tls) => {
            text!("effect: none; not connected, so no request was sent")
        }
        Grade::NotSent(NotSent::NoKey) => {
            text!("effect: none; there were no credentials to sign the request with")
        }
        Grade::NotSent(NotSent::NoRequest | NotSent::Withdrawn) => {
            text!("effect: none; no request was sent")
        }
        Grade::NotSent(NotSent::Throttled | NotSent::Repaired) => {
            text!("effect: none; the request was rejected before it was processed")
        }
        Grade::Refused(_) => text!("effect: none; the request was rejected"),
        Grade::Unknown => text!("effect: unknown"),
    }
}

const fn possible_effect(action: Action) -> Text {
    match action {
        Action::Update => {
            text!("effect: the alias may have been changed and nothing else; apply will request it again")
        }
        Action::Destroy => text!(
            "effect: it may have been destroyed; it stays in the state, and destroying it again is safe"
        ),
        Action::Create
        | Action::Replace
        | Action::Forget
        | Action::Import
        | Action::Move
        | Action::Resolve
        | Action::Wait
        | Action::NoOp => {
            text!("effect: it may have been created; it is recorded as unknown and never sent again")
        }
    }
}

pub(super) fn unresolved(outcome: &ApplySummary) -> Option<Text> {
    let addresses = outcome.unresolved.iter().map(|address| Text::same(format!("`{address}`")));
    let addresses = list(addresses);
    (!addresses.is_empty())
        .then(|| text!("Still unknown from an earlier run, not touched: {addresses}.", addresses))
}

/// Whether a person has to say what became of a create.
pub(super) fn is_create_unknown(outcome: &ApplySummary) -> bool {
    let is_unknown = |result: &StepResult| matches!(result.outcome, Outcome::Unknown(_)) && result.is_order();
    !outcome.unresolved.is_empty() || !outcome.unwritten.is_empty() || outcome.results.iter().any(is_unknown)
}

/// Whether every step is done, and only the wait for what they created failed.
pub(super) fn is_only_not_ready(outcome: &ApplySummary) -> bool {
    let counts = outcome.counts();
    !outcome.not_ready.is_empty() && counts.failed + counts.not_attempted == 0 && outcome.trouble.is_none()
}

pub(super) fn next_steps(outcome: &ApplySummary) -> Vec<Text> {
    let mut lines = Vec::new();
    if let Some(trouble) = &outcome.trouble {
        let (_, why, help) = trouble.explain();
        lines.push(clean_text(&text!(
            "Stopped: {why}. Nothing more was sent. To continue: {help}.",
            why,
            help
        )));
    }
    lines.extend(unresolved(outcome));
    for (address, env_id) in &outcome.found {
        let env_id = clean(env_id);
        lines.push(text!("Found in the account: `{address}` is {env_id}.", address, env_id));
    }
    // What a run that was fenced out also has in its journal is reported once, with the rescue file.
    for rescued in outcome.unwritten.iter().filter(|_| !outcome.is_fenced_out()) {
        let outcome = describe_outcome(&rescued.outcome);
        lines.push(text!("Not in the journal, so save this: {outcome}.", outcome));
    }
    let resume = text!("Run `postpay plan` to see what is left, and `postpay apply` to continue.");
    match outcome.verdict() {
        Verdict::Complete => {}
        // Another program may have written the state, so this run did not.
        Verdict::PartWay if outcome.is_fenced_out() && !outcome.unwritten.is_empty() => lines.push(text!(
            "The ids of this run are in its rescue file, not in the state. {resume}",
            resume
        )),
        Verdict::PartWay if outcome.is_fenced_out() => lines.push(resume),
        Verdict::PartWay if is_only_not_ready(outcome) => {
            for NotReady { address, env_id, .. } in &outcome.not_ready {
                let env_id = clean(env_id);
                lines.push(text!("Not ready for use: `{address}`, {env_id}.", address, env_id));
            }
            lines.push(text!("Everything is in the state: check it in the console and with `postpay drift`."));
        }
        Verdict::PartWay => lines.push(text!("Completed steps are in the state. {resume}", resume)),
        Verdict::Failed if outcome.results.iter().any(StepResult::is_order) => {
            lines.push(text!("Nothing was created."));
        }
        Verdict::Failed => lines.push(text!("Nothing was done.")),
        // A request that names its environment may be made again.
        Verdict::Unknown if !is_create_unknown(outcome) => lines.push(text!(
            "Nothing was created. Unknown outcomes stay unchanged in the state, and repeating them is safe. {resume}",
            resume
        )),
        Verdict::Unknown => {
            lines.push(text!("Resolve the unknown outcomes first: `postpay resolve` shows what the account has."));
            lines.push(text!("`postpay plan` shows them as unknown; postpay will not retry them automatically."));
        }
    }
    lines
}
