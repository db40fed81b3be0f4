//! What a person needs to know, or to do, about a step.

use std::fmt::Display;

use crate::i18n::{Text, text};
use crate::model::Attributes;
use crate::plan::{Action, Plan, Reason, Step, StepBlocker};
use crate::report::human::Look;

/// What a person needs to know or to do about a step that is not simply carried out.
pub(in crate::report) fn remarks(step: &Step, plan: &Plan, look: Look) -> Vec<String> {
    texts(step, plan).iter().map(|text| look.say(text)).collect()
}

fn texts(step: &Step, plan: &Plan) -> Vec<Text> {
    if let Some(blocker) = &step.blocker {
        return if plan.is_blocked_by(step) { blocked(step, blocker) } else { orphaned(step, blocker) };
    }
    let address = &step.address;
    match step.action {
        Action::Create => created(step),
        Action::Update if step.updates().next().is_none() => {
            vec![text!("Changes the state only; nothing is sent.")]
        }
        Action::Update => Vec::new(),
        Action::Replace => vec![
            text!(
                "Creates a second environment. The current one stays in the state as deposed, keeps running, and keeps billing."
            ),
            text!("To destroy it afterwards: `postpay destroy {address} --deposed --allow-destroy`", address),
        ],
        Action::Destroy => destroyed(plan),
        Action::Forget => vec![text!("Removed from the state only: it keeps running, and keeps billing.")],
        Action::Import => vec![text!("Already exists; will be added to the state, not created.")],
        Action::Move => vec![text!("Changes the state only; the environment is not touched.")],
        Action::Resolve => unresolved(step),
        Action::Wait => {
            vec![text!("Already created; postpay will not create it again.")]
        }
        Action::NoOp => kept(step),
    }
}

fn created(step: &Step) -> Vec<Text> {
    let is_nameless = |after: &Attributes| after.creates_environment() && after.alias().is_none();
    let destroyed =
        text!("The environment that was created for it before is destroyed; this is another one.");
    let nameless =
        text!("Without an alias, an environment whose response is lost cannot be recognized in the account.");
    let notes = [
        (step.reason == Reason::Destroyed, destroyed),
        (step.after.as_ref().is_some_and(is_nameless), nameless),
    ];
    notes.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect()
}

fn unresolved(step: &Step) -> Vec<Text> {
    let address = &step.address;
    let what = if step.reason == Reason::BeingDestroyed {
        text!("DestroyEnv was sent for it; its outcome could not be confirmed.")
    } else {
        text!("A create was sent for it and the response was lost: it may exist, and may be billed.")
    };
    let next = text!(
        "postpay will not create it again until this is resolved: `postpay resolve {address}`",
        address
    );
    vec![what, next]
}

/// For what is destroyed or was replaced, and stays as it is.
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

/// What is lost with an environment that is to be destroyed.
fn destroyed(plan: &Plan) -> Vec<Text> {
    let lost = if plan.options.purge {
        text!("This cannot be undone: its data is lost.")
    } else {
        text!(
            "This cannot be undone: its data is lost. Tencent Cloud may isolate it first, and delete it later."
        )
    };
    let purge = text!("It is deleted at once, without isolation (IsForce).");
    let bypass = text!("Tencent Cloud does not check for data or add-on packages in it (BypassCheck).");
    let extra = [(plan.options.purge, purge), (plan.options.bypass_check, bypass)];
    let extra = extra.into_iter().filter(|(requested, _)| *requested);
    std::iter::once(lost).chain(extra.map(|(_, text)| text)).collect()
}

/// What can be done about an environment that is not in the configuration.
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

fn blocked(step: &Step, blocker: &StepBlocker) -> Vec<Text> {
    let (_, message, help) = blocker.explain(&step.address);
    vec![sentence(message), sentence(help)]
}

/// The text of an error as a sentence.
fn sentence(text: impl Display) -> Text {
    let en = text.to_string();
    let mut letters = en.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Text::new(format!("{first}{}.", letters.as_str()), format!("{text:#}。"))
}
