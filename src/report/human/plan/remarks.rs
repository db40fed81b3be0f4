//! What a person has to know about a step, or to do.

use crate::desired::{Attributes, Field};
use crate::plan::{Action, Plan, Reason, Refusal, Step, guard};

/// What a person needs to know or to do about a step that is not simply carried out.
pub(in crate::report) fn remarks(step: &Step, plan: &Plan) -> Vec<String> {
    let address = &step.address;
    let mut lines = match step.action {
        Action::Create => created(step),
        Action::Update if step.renames().is_none() => {
            vec!["On record alone: the vendor is not asked for anything.".to_owned()]
        }
        Action::Replace => replaced(step),
        Action::Destroy => destroyed(step, plan),
        Action::Forget => vec![
            "It is taken off the record, and left alone: it lives on at the vendor and goes on costing.".to_owned(),
        ],
        Action::Import => vec!["It exists already. It is looked up, put on record, and not ordered.".to_owned()],
        Action::Move => vec!["On record alone: the environment stays as it is.".to_owned()],
        Action::Resolve if step.reason == Reason::BeingDestroyed => vec![
            "DestroyEnv was sent for it, and nobody has seen what became of it.".to_owned(),
            format!("Have the account looked at before it is ordered again: `postpay resolve {address}`"),
        ],
        Action::Resolve => vec![
            "A request was sent for it and its answer was lost: it may exist, and cost money.".to_owned(),
            format!("It is blocked, and not ordered again, until it is settled: `postpay resolve {address}`"),
        ],
        Action::Wait => vec!["The order stands and is not made again.".to_owned()],
        Action::NoOp if step.deposed && step.reason == Reason::Isolated => vec![
            format!("It was replaced at `{address}`, and given up: the vendor keeps it out of reach before it deletes it."),
            format!("To have it deleted at once, or to forget it when it is gone: `postpay destroy {address} --deposed --purge --allow-destroy`"),
        ],
        Action::NoOp if step.reason == Reason::BeingDestroyed => vec![
            format!("It was replaced at `{address}`, and asked to be given up; nobody has seen what became of it."),
            format!("To have the account looked at: `postpay resolve {address}`"),
        ],
        Action::NoOp if step.deposed => vec![
            format!("It was replaced at `{address}`, and not given up: it lives on at the vendor and goes on costing."),
            format!("To give it up: `postpay destroy {address} --deposed --allow-destroy`"),
        ],
        Action::NoOp if step.reason == Reason::Isolated => vec![
            "The vendor keeps it out of reach before it deletes it.".to_owned(),
            format!("To have it deleted at once, or to forget it when it is gone: `postpay destroy {address} --purge --allow-destroy`"),
        ],
        Action::Update | Action::NoOp => Vec::new(),
    };
    if step.action != Action::Destroy
        && let Some(refusal) = &step.refusal
    {
        lines.push(sentence(guard::refusal_text(refusal, address).en()));
        lines.push(sentence(guard::refusal_help(address, refusal).en()));
    }
    lines
}

fn created(step: &Step) -> Vec<String> {
    let nameless =
        |order: &&Attributes| order.creates_environment() && order.get(Field::Alias).is_none();
    let note = "Without an alias a lost answer to its order can't be read back.";
    let given_up = "What was ordered for it before was given up; this is another environment.";
    let is_nameless = step.after.as_ref().as_ref().is_some_and(nameless);
    let notes = [
        (step.reason == Reason::GivenUp, given_up),
        (is_nameless, note),
    ];
    let notes = notes.into_iter().filter(|(holds, _)| *holds);
    notes.map(|(_, text)| text.to_owned()).collect()
}

fn replaced(step: &Step) -> Vec<String> {
    match &step.refusal {
        None => vec![
            "This is a second order. The environment that is there now is kept on record as deposed, lives on and goes on"
                .to_owned(),
            format!(
                "costing; to give it up afterwards: `postpay destroy {} --deposed --allow-destroy`",
                step.address
            ),
        ],
        Some(_) => Vec::new(),
    }
}

fn destroyed(step: &Step, plan: &Plan) -> Vec<String> {
    let address = &step.address;
    let lost = if plan.options.purge {
        "Giving it up can't be undone: its data is lost."
    } else {
        "Giving it up can't be undone: its data is lost. The vendor may isolate it first, and delete it later."
    };
    let choices = |last: String| {
        vec![
            "It is ordered and no longer declared. postpay does not give it up by itself. Choose:".to_owned(),
            format!("  - declare `{address}` again, to keep it managed; or only forget it: `removed: [{address}]`;"),
            "  - leave it as it is: it stays in the state, lives on at the vendor and goes on costing;".to_owned(),
            last,
        ]
    };
    match &step.refusal {
        None => {
            let purge = "It is deleted at once: isolation is passed over, or ended (IsForce).";
            let bypass =
                "Whether there are data or add-on packages in it is not asked (BypassCheck).";
            let extra = [
                (plan.options.purge, purge),
                (plan.options.bypass_check, bypass),
            ];
            let extra = extra.into_iter().filter(|(asked, _)| *asked);
            std::iter::once(lost)
                .chain(extra.map(|(_, text)| text))
                .map(str::to_owned)
                .collect()
        }
        Some(Refusal::DestroyNotAllowed) => choices(format!(
            "  - give it up, with its data: `postpay destroy {address} --allow-destroy`."
        )),
        Some(Refusal::PreventDestroy) => choices(format!(
            "  - give it up: it was declared with prevent_destroy, so declare `{address}` without it first, and apply that."
        )),
        Some(
            refusal @ (Refusal::StillDeclared
            | Refusal::Replacement
            | Refusal::ReplacesItself
            | Refusal::ReplacesAwaiting
            | Refusal::ReplacesImported
            | Refusal::ReplacementUnknown
            | Refusal::Renamed { .. }
            | Refusal::ManagedAs { .. }
            | Refusal::ImportsAnother { .. }),
        ) => vec![
            sentence(guard::refusal_text(refusal, address).en()),
            sentence(guard::refusal_help(address, refusal).en()),
        ],
    }
}

/// What an error says in passing, as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str())
}
