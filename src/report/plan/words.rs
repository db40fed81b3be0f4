//! What a plan says: what each step does and why, what a person needs to know about it, and the totals.

use std::fmt::Display;
use std::time::Duration;

use crate::apply::pace::least_time;
use crate::i18n::{Text, text};
use crate::model::Attributes;
use crate::plan::{Action, Cost, Mode, Plan, Reason, Step, StepBlocker, StepCost};
use crate::report::options::RenderOptions;
use crate::report::text::{count, duration, list};
use crate::report::view::Tone;
use crate::state::Account;

pub(super) fn is_unchanged(step: &Step) -> bool {
    step.action == Action::NoOp && step.reason == Reason::Unchanged
}

/// Returns the mark of a step, its meaning for the legend, and its tone.
pub(super) fn mark(step: &Step, plan: &Plan) -> (&'static str, Text, Tone) {
    let tone = |tone| if plan.is_blocked_by(step) { Tone::Bad } else { tone };
    match step.action {
        Action::Create => ("+", text!("create"), tone(Tone::Good)),
        Action::Update => ("~", text!("update in place"), tone(Tone::Change)),
        Action::Replace => ("+/-", text!("replace"), Tone::Bad),
        Action::Destroy if step.blocker == Some(StepBlocker::StillDeclared) => {
            ("!", text!("blocked"), Tone::Bad)
        }
        Action::Destroy if step.blocker.is_some() => {
            ("!", text!("not in the configuration"), tone(Tone::Change))
        }
        Action::Destroy => ("-", text!("destroy"), Tone::Bad),
        Action::Forget => (".", text!("forget"), tone(Tone::Change)),
        Action::Import => ("=", text!("import"), tone(Tone::Good)),
        Action::Move => (">", text!("move"), tone(Tone::Change)),
        Action::Resolve => ("?", text!("unknown outcome"), Tone::Bad),
        Action::Wait => ("…", text!("waiting"), Tone::Change),
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => {
            ("!", text!("not in the configuration"), Tone::Change)
        }
        Action::NoOp if step.deposed => (" ", text!("unchanged"), Tone::Change),
        Action::NoOp => (" ", text!("unchanged"), Tone::Plain),
    }
}

/// Returns what happens, where the mark alone does not tell; empty otherwise.
pub(super) fn describe_action(step: &Step, plan: &Plan) -> Text {
    match step.action {
        _ if plan.is_blocked_by(step) => text!("blocked"),
        Action::Update if step.updates().next().is_none() => text!("state only"),
        Action::Create | Action::Update | Action::Replace | Action::Import | Action::Move => Text::same(""),
        Action::Destroy if step.blocker.is_some() => text!("not in the configuration"),
        Action::Destroy => text!("will be destroyed"),
        Action::Forget => text!("will be removed from the state"),
        Action::Resolve if step.reason == Reason::BeingDestroyed => {
            text!("destroy with an unknown outcome")
        }
        Action::Resolve => text!("unknown outcome"),
        Action::Wait => text!("created, waiting for its EnvId"),
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => text!("still running"),
        Action::NoOp if step.reason == Reason::Isolated => text!("destroyed, isolated"),
        Action::NoOp if step.deposed => text!("destroy with an unknown outcome"),
        Action::NoOp => text!("unchanged"),
    }
}

pub(super) const fn describe_reason(reason: Reason) -> Text {
    match reason {
        Reason::NotOrdered => text!("not created yet"),
        Reason::Destroyed => text!("was destroyed"),
        Reason::Unchanged => text!("unchanged"),
        Reason::AwaitingEnvId => text!("awaiting EnvId"),
        Reason::OutcomeUnknown | Reason::BeingDestroyed => text!("unknown outcome"),
        Reason::CannotUpdate => text!("forces replacement"),
        Reason::ReplaceRequested => text!("replacement requested"),
        Reason::UpdatedInPlace => text!("updated in place"),
        Reason::ProtectionChanged => text!("protection changed"),
        Reason::Moved => text!("moved"),
        Reason::ImportDeclared => text!("import declared"),
        Reason::Removed => text!("removed"),
        Reason::NotDeclared => text!("not in the configuration"),
        Reason::DestroyRequested => text!("destroy requested"),
        Reason::Isolated => text!("isolated"),
        Reason::Deposed => text!("deposed"),
    }
}

/// Returns what a person needs to know or to do about a step that is not simply carried out.
pub(super) fn remarks(step: &Step, plan: &Plan) -> Vec<Text> {
    let address = &step.address;
    if let Some(blocker) = &step.blocker {
        if !plan.is_blocked_by(step) {
            return orphaned(step, blocker);
        }
        let (_, message, help) = blocker.explain(address);
        return vec![sentence(message), sentence(help)];
    }
    match step.action {
        Action::Create => created(step, plan),
        Action::Update if step.updates().next().is_none() => {
            vec![text!("Changes the state only; nothing is sent.")]
        }
        Action::Update => Vec::new(),
        Action::Replace => [
            text!(
                "Creates a second environment. The current one stays in the state as deposed, keeps running, and keeps billing."
            ),
            text!("To destroy it afterwards: `postpay destroy {address} --deposed --allow-destroy`", address),
        ]
        .into_iter()
        .chain(bought(step, plan))
        .collect(),
        Action::Destroy => destroyed(step, plan),
        Action::Forget => vec![text!("Removed from the state only: it keeps running, and keeps billing.")],
        Action::Import => vec![text!("Already exists; will be added to the state, not created.")],
        Action::Move => vec![text!("Changes the state only; the environment is not touched.")],
        Action::Resolve => vec![
            if step.reason == Reason::BeingDestroyed {
                text!("DestroyEnv was sent for it; its outcome could not be confirmed.")
            } else {
                text!("A create was sent for it and the response was lost: it may exist, and may be billed.")
            },
            text!(
                "postpay will not create it again until this is resolved: `postpay resolve {address}`",
                address
            ),
        ],
        Action::Wait => vec![text!("Already created; postpay will not create it again.")],
        Action::NoOp => kept(step),
    }
}

/// Returns what a package costs, and when it ends.
fn bought(step: &Step, plan: &Plan) -> Option<Text> {
    let StepCost { months, auto_renew, price, total, .. } = plan.cost_of(step)?;
    let n = usize::try_from(months).unwrap_or(usize::MAX);
    let period = count(n, "month", "months");
    let end = if auto_renew {
        text!("Expires after {period}, and is then renewed automatically.", period; months)
    } else {
        text!("Expires after {period}; renewal is manual.", period; months)
    };
    Some(match price.zip(total) {
        Some((price, total)) => {
            text!("cost = {total} ({price} a month, {period}). {end}", total, price, period, end; months)
        }
        None => end,
    })
}

fn created(step: &Step, plan: &Plan) -> Vec<Text> {
    let is_nameless = |after: &Attributes| after.creates_environment() && after.alias().is_none();
    let destroyed =
        text!("The environment that was created for it before is destroyed; this is another one.");
    let nameless =
        text!("Without an alias, an environment whose response is lost cannot be recognized in the account.");
    let notes = [
        (step.reason == Reason::Destroyed, destroyed),
        (step.after.as_ref().is_some_and(is_nameless), nameless),
    ];
    let notes = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text);
    notes.chain(bought(step, plan)).collect()
}

/// Returns the remarks on what is destroyed or was replaced, and stays as it is.
fn kept(step: &Step) -> Vec<Text> {
    let address = &step.address;
    let deposed = if step.deposed { " --deposed" } else { "" };
    if step.reason == Reason::Isolated {
        vec![
            text!("Tencent Cloud isolates it before deleting it."),
            text!(
                "To delete it now, or to remove it from the state once it is gone: `postpay destroy {address}{deposed} --purge --allow-destroy`",
                address,
                deposed
            ),
        ]
    } else if step.reason == Reason::BeingDestroyed {
        vec![
            text!("It was replaced and DestroyEnv was sent for it; its outcome could not be confirmed."),
            text!("To check the account: `postpay resolve {address}`", address),
        ]
    } else if step.deposed {
        vec![
            text!("It was replaced, and not destroyed: it keeps running, and keeps billing."),
            text!("To destroy it: `postpay destroy {address} --deposed --allow-destroy`", address),
        ]
    } else {
        Vec::new()
    }
}

/// Returns what is lost with an environment that is destroyed.
fn destroyed(step: &Step, plan: &Plan) -> Vec<Text> {
    let lost = if plan.options.purge {
        text!("This cannot be undone: its data is lost.")
    } else if step.is_prepaid() {
        text!(
            "This cannot be undone. It is prepaid: Tencent Cloud isolates it for 15 days, then deletes it with its data; `--purge` deletes it at once."
        )
    } else {
        text!(
            "This cannot be undone: its data is lost. Tencent Cloud may isolate it first, and delete it later."
        )
    };
    let purge = text!("It is deleted at once, without isolation (IsForce).");
    let bypass = text!("Tencent Cloud does not check for data or add-on packages in it (BypassCheck).");
    let refund =
        text!("What is left of its package is refunded by Tencent Cloud's rules, which may be nothing.");
    let extra =
        [(step.is_prepaid(), refund), (plan.options.purge, purge), (plan.options.bypass_check, bypass)];
    let extra = extra.into_iter().filter(|(requested, _)| *requested);
    std::iter::once(lost).chain(extra.map(|(_, text)| text)).collect()
}

/// Returns what can be done about an environment that is not in the configuration.
fn orphaned(step: &Step, blocker: &StepBlocker) -> Vec<Text> {
    let address = &step.address;
    let keeps = text!("It keeps running and billing; postpay never destroys it automatically.");
    let choices = if *blocker == StepBlocker::PreventDestroy {
        text!(
            "Declare it again, forget it (`removed: [{address}]`), or declare it without prevent_destroy, apply, and destroy it.",
            address
        )
    } else {
        text!(
            "Declare it again, forget it (`removed: [{address}]`), or destroy it: `postpay destroy {address} --allow-destroy`",
            address
        )
    };
    vec![keeps, choices]
}

/// Returns the text of an error as a sentence.
fn sentence(text: impl Display) -> Text {
    let en = text.to_string();
    let mut letters = en.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Text::new(format!("{first}{}.", letters.as_str()), format!("{text:#}。"))
}

/// Returns the closing lines: how many steps of each kind, the least time, the cost. `rate` is in creates per second.
pub(super) fn summary(plan: &Plan, rate: f64, options: RenderOptions) -> Vec<String> {
    let none = options.strong(text!("No changes."));
    if !plan.has_changes() {
        let text = if plan.options.mode == Mode::Normal {
            let unchanged = plan.steps.iter().filter(|step| is_unchanged(step)).count();
            let n = count(unchanged, "environment matches", "environments match");
            text!("{none} {n} the configuration.", none, n; unchanged)
        } else {
            text!("{none} Nothing to destroy.", none)
        };
        return vec![options.in_lang(text)];
    }
    let steps = || plan.steps.iter().filter(|step| !plan.is_blocked_by(step));
    let n = |action: Action| steps().filter(|step| step.action == action).count();
    let (create, update, replace) = (n(Action::Create), n(Action::Update), n(Action::Replace));
    let (import, forget) = (n(Action::Import), n(Action::Forget));
    let (resolve, wait, unchanged) = (n(Action::Resolve), n(Action::Wait), n(Action::NoOp));
    let destroy = plan.destroys().count();
    let kept = n(Action::Destroy) - destroy;
    let moved = steps().filter(|step| step.previous_address.is_some()).count();
    let blocked = plan.blocked().count();
    let parts = [
        (create, text!("{create} to create", create)),
        (update, text!("{update} to update", update)),
        (replace, text!("{replace} to replace", replace)),
        (destroy, text!("{destroy} to destroy", destroy)),
        (import, text!("{import} to import", import)),
        (moved, text!("{moved} to move", moved)),
        (forget, text!("{forget} to forget", forget)),
        (blocked, Text::same(options.bad(text!("{blocked} blocked", blocked)))),
        (kept, text!("{kept} not in the configuration", kept)),
        (resolve, text!("{resolve} with an unknown outcome", resolve)),
        (wait, text!("{wait} waiting for an EnvId", wait)),
        (unchanged, text!("{unchanged} unchanged", unchanged)),
    ];
    let parts = list(parts.into_iter().filter(|(n, _)| *n > 0).map(|(_, what)| what));
    let head = options.strong(text!("Plan:"));
    let mut lines = vec![options.in_lang(text!("{head} {parts}.", head, parts))];
    if plan.summary.orders > 0 {
        lines.push(options.in_lang(cost(plan, rate)));
        lines.extend(plan.cost.as_ref().and_then(Cost::overrun).map(|overrun| options.in_lang(overrun)));
    }
    if destroy > 0 {
        let environments = count(destroy, "environment", "environments");
        let warning = text!("{environments} will be destroyed, including all data.", environments; destroy);
        lines.push(options.bad(warning));
    }
    lines
}

/// Returns how many environments are created, how long that takes at least, and what it costs.
fn cost(plan: &Plan, rate: f64) -> Text {
    let n = plan.summary.orders;
    let creates = count(n, "create", "creates");
    let time = match least_time(n, rate) {
        Duration::ZERO => Text::same(""),
        least => {
            let least = duration(least);
            text!(" at {rate} per second: at least {least}", rate, least)
        }
    };
    let cost = match (plan.cost.as_ref().and_then(Cost::text), plan.endpoint == Account::SANDBOX) {
        (None, true) => text!("none (sandbox)"),
        (None, false) => text!("pay-as-you-go, no fixed price"),
        (Some(cost), true) => text!("{cost} (sandbox: nothing is billed)", cost),
        (Some(cost), false) => cost,
    };
    text!("{creates}{time}. Cost: {cost}.", creates, time, cost; n)
}
