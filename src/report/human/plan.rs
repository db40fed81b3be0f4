//! A plan, as it is reviewed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::Look;
use crate::apply::pace::least_time;
use crate::desired::{Attributes, Field};
use crate::plan::{Action, Ids, Mode, Plan, Reason, Refusal, Step, Summary, guard};
use crate::report::text::{clean, count, duration};

/// The whole plan; `rate` in orders a second tells how long it takes at least.
pub fn plan(plan: &Plan, rate: f64, look: Look) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        if step.action != Action::NoOp || step.reason != Reason::Unchanged {
            show_step(&mut out, step, look);
        }
    }
    let _ = write!(out, "{}", summary(plan, rate, look));
    out
}

/// The closing lines: how much of what, how many paid orders, how long.
pub fn summary(plan: &Plan, rate: f64, look: Look) -> String {
    let summary = plan.summary();
    let mut out = String::new();
    if !plan.has_changes() && plan.options.mode != Mode::Normal {
        let _ = writeln!(
            out,
            "{} There is nothing to give up.",
            look.strong("No changes.")
        );
        return out;
    }
    if !plan.has_changes() {
        let unchanged = count(summary.no_op, "environment is", "environments are");
        let _ = writeln!(
            out,
            "{} {unchanged} as declared.",
            look.strong("No changes.")
        );
        return out;
    }
    let Summary {
        orders: _,
        create,
        update,
        replace,
        destroy,
        kept,
        forget,
        import,
        moved,
        resolve,
        wait,
        no_op,
        refused: _,
    } = summary;
    let parts: Vec<String> = [
        (create, "to create"),
        (update, "to change"),
        (replace, "to replace"),
        (destroy, "to destroy"),
        (import, "to import"),
        (moved, "to move"),
        (forget, "to forget"),
        (kept, "left over"),
        (resolve, "unknown"),
        (wait, "waiting for its EnvId"),
        (no_op, "unchanged"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{n} {what}"))
    .collect();
    let refused = match summary.refused {
        0 => String::new(),
        n => format!(
            " {}",
            look.bad(format!(
                "{n} refused: apply will not run before that is settled."
            ))
        ),
    };
    let _ = writeln!(
        out,
        "{} {}.{refused}",
        look.strong("Plan:"),
        parts.join(", ")
    );
    let endpoint = clean(&plan.account.endpoint);
    match summary.orders {
        0 => {
            if summary.destroy == 0 {
                let _ = writeln!(out, "Nothing to order.");
            }
        }
        n => {
            let orders = look.strong(count(n, "pay-as-you-go order", "pay-as-you-go orders"));
            let region = plan
                .region
                .as_ref()
                .map_or(String::new(), |region| format!(" in {}", clean(region)));
            let pace = match least_time(n, rate) {
                Duration::ZERO => String::new(),
                least => format!(", in at least {} at {rate} a second", duration(least)),
            };
            let _ = writeln!(out, "{orders} from {endpoint}{region}{pace}.");
        }
    }
    if summary.destroy > 0 {
        let gone = count(summary.destroy, "environment", "environments");
        let warning = format!("{gone} to be given up at {endpoint}, with the data in them.");
        let _ = writeln!(out, "{}", look.bad(warning));
    }
    out
}

fn show_step(out: &mut String, step: &Step, look: Look) {
    let address = look.strong(&step.address);
    let source = match step.after {
        Some(_) => look.faint(clean(&step.source.to_string())),
        None => look.faint(format!("was {}", clean(&step.source.to_string()))),
    };
    let head = match step.action {
        Action::Create => format!("{} {address} will be ordered", look.good("+")),
        Action::Update => format!("{} {address} will be changed in place", look.change("~")),
        Action::Replace if step.refusal.is_some() => {
            format!("{} {address} would be ordered anew", look.bad("+/-"))
        }
        Action::Replace => format!("{} {address} will be ordered anew", look.bad("+/-")),
        Action::Destroy if step.refusal.is_some() => {
            format!("{} {address} is left over", look.change("!"))
        }
        Action::Destroy if step.deposed => {
            format!("{} {address} (deposed) will be destroyed", look.bad("-"))
        }
        Action::Destroy => format!("{} {address} will be destroyed", look.bad("-")),
        Action::Forget => format!("{} {address} will be forgotten", look.change(".")),
        Action::Import => format!("{} {address} will be imported", look.good("=")),
        Action::Move => format!("{} {address} has a new address", look.change("~")),
        Action::Resolve => format!("{} {address} has an unknown outcome", look.bad("?")),
        Action::Wait => format!(
            "{} {address} is ordered, its EnvId is not known yet",
            look.change("…")
        ),
        Action::NoOp if step.deposed => {
            format!("{} {address} (deposed) is still there", look.change("!"))
        }
        Action::NoOp if step.reason == Reason::Isolated => {
            format!("  {address} is given up, and isolated")
        }
        Action::NoOp => format!("  {address} is unchanged"),
    };
    let head = match &step.previous_address {
        Some(previous) => format!("{head}, was `{previous}`"),
        None => head,
    };
    let _ = writeln!(out, "{head}  {source}");
    let rows = rows(step, look);
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    for (name, value) in rows {
        let _ = writeln!(out, "      {name:<width$}  {value}");
    }
    for line in remarks(step) {
        let _ = writeln!(out, "      {line}");
    }
    if step.refusal.as_ref().is_some_and(Refusal::holds_up) {
        let _ = writeln!(out, "      {}", look.bad("refused as it stands"));
    }
    out.push('\n');
}

/// The fields worth showing, as name and value.
fn rows(step: &Step, look: Look) -> Vec<(String, String)> {
    let mut rows = match (step.action, &step.before, &step.after) {
        (Action::Create, _, Some(after)) => {
            let mut rows = values(after);
            let ids = [("env_id", after.creates_environment()), ("tran_id", true)];
            for (id, _) in ids.into_iter().filter(|(_, unknown)| *unknown) {
                rows.push((id.to_owned(), look.faint("(known after apply)")));
            }
            rows
        }
        (Action::Update | Action::Replace, Some(before), Some(after)) => {
            changes(step, before, after, look)
        }
        (Action::Import, _, Some(after)) => values(after),
        (Action::Destroy, Some(before), _) if step.refusal.is_none() => values(before),
        (_, _, _) => Vec::new(),
    };
    if step.changes_protection() {
        let (before, after) = (step.was_protected, step.prevent_destroy);
        rows.push(("prevent_destroy".to_owned(), format!("{before} -> {after}")));
    }
    let Ids {
        env_id,
        tran_id,
        request_id,
    } = &step.ids;
    for (name, id) in [
        ("env_id", env_id),
        ("tran_id", tran_id),
        ("request_id", request_id),
    ] {
        rows.extend(
            id.as_ref()
                .map(|id| (name.to_owned(), clean(id).into_owned())),
        );
    }
    rows
}

fn values(attributes: &Attributes) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (field, value) in attributes.iter() {
        match (field, members(value)) {
            (Field::Extra, Some(members)) => {
                for (name, value) in members {
                    rows.push((member_name(&name), clean(&value.to_string()).into_owned()));
                }
            }
            (_, _) => rows.push((field.name().to_owned(), quoted(value))),
        }
    }
    rows
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", clean(value))
}

fn changes(
    step: &Step,
    before: &Attributes,
    after: &Attributes,
    look: Look,
) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for field in step.changed_fields() {
        let (old, new) = (before.get(field), after.get(field));
        match (field, old.and_then(members), new.and_then(members)) {
            (Field::Extra, Some(old), Some(new)) => rows.extend(changed_members(&old, &new, look)),
            (_, _, _) => rows.push((field.name().to_owned(), change(old, new, look))),
        }
    }
    rows
}

fn change(old: Option<&str>, new: Option<&str>, look: Look) -> String {
    match (old, new) {
        (Some(old), Some(new)) => look.changed_words(old, new),
        (Some(old), None) => format!("{} -> {}", quoted(old), look.bad("(none)")),
        (None, Some(new)) => format!("(none) -> {}", look.good(quoted(new))),
        (None, None) => String::new(),
    }
}

type Members = BTreeMap<String, Value>;

/// `extra` by its members, when it is a JSON object.
fn members(wire: &str) -> Option<Members> {
    serde_json::from_str(wire).ok()
}

fn member_name(name: &str) -> String {
    format!("extra.{}", clean(name))
}

fn changed_members(old: &Members, new: &Members, look: Look) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| {
            let (old, new) = (old.get(name).map(text), new.get(name).map(text));
            (
                member_name(name),
                change(old.as_deref(), new.as_deref(), look),
            )
        })
        .collect()
}

/// What a person needs to know or to do about a step that is not simply carried out.
fn remarks(step: &Step) -> Vec<String> {
    let address = &step.address;
    let mut lines = match step.action {
        Action::Create => created(step),
        Action::Update if step.renames().is_none() => {
            vec!["On record alone: the vendor is not asked for anything.".to_owned()]
        }
        Action::Update => Vec::new(),
        Action::Replace => replaced(step),
        Action::Destroy => destroyed(step),
        Action::Forget => vec![
            "It is taken off the record, and left alone: it lives on at the vendor and goes on costing.".to_owned(),
        ],
        Action::Import => vec!["It exists already. It is looked up, put on record, and not ordered.".to_owned()],
        Action::Move => vec!["On record alone: the environment stays as it is.".to_owned()],
        Action::Resolve => vec![
            "A request was sent for it and its answer was lost: it may exist, and cost money.".to_owned(),
            format!("It is blocked, and not ordered again, until it is settled: `postpay resolve {address}`"),
        ],
        Action::Wait => vec!["The order stands and is not made again.".to_owned()],
        Action::NoOp if step.deposed => vec![
            format!("It was replaced at `{address}`, and not given up: it lives on at the vendor and goes on costing."),
            format!("To give it up: `postpay destroy {address} --deposed --allow-destroy`"),
        ],
        Action::NoOp if step.reason == Reason::Isolated => vec![
            "The vendor keeps it out of reach before it deletes it.".to_owned(),
            format!("To have it deleted at once, or to forget it when it is gone: `postpay destroy {address} --purge --allow-destroy`"),
        ],
        Action::NoOp => Vec::new(),
    };
    if step.action != Action::Destroy
        && let Some(refusal) = &step.refusal
    {
        lines.push(sentence(&guard::refusal_text(refusal, address)));
        lines.push(sentence(&guard::refusal_help(address, refusal)));
    }
    lines
}

fn created(step: &Step) -> Vec<String> {
    let nameless =
        |order: &&Attributes| order.creates_environment() && order.get(Field::Alias).is_none();
    let note = "Without an alias a lost answer to its order can't be read back.";
    let given_up = "What was ordered for it before was given up; this is another environment.";
    let is_nameless = step.after.as_ref().filter(nameless).is_some();
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

fn destroyed(step: &Step) -> Vec<String> {
    let address = &step.address;
    let lost = "Giving it up can't be undone: its data is lost. The vendor may isolate it first, and delete it later.";
    let choices = |last: String| {
        vec![
            "It is ordered and no longer declared. postpay does not give it up by itself. Choose:".to_owned(),
            format!("  - declare `{address}` again, to keep it managed; or only forget it: `removed: [{address}]`;"),
            "  - leave it as it is: it stays in the state, lives on at the vendor and goes on costing;".to_owned(),
            last,
        ]
    };
    match &step.refusal {
        None => vec![lost.to_owned()],
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
            | Refusal::Renamed { .. }
            | Refusal::ManagedAs { .. }
            | Refusal::ImportsAnother { .. }),
        ) => vec![
            sentence(&guard::refusal_text(refusal, address)),
            sentence(&guard::refusal_help(address, refusal)),
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
