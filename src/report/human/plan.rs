//! A plan, as it is reviewed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::Look;
use crate::apply::pace::least_time;
use crate::desired::{Attributes, Field};
use crate::plan::{Action, Ids, Plan, Refusal, Step};
use crate::report::text::{clean, count, duration};

/// The whole plan; `rate` in orders a second tells how long it takes at least.
pub fn plan(plan: &Plan, rate: f64, look: Look) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        if step.action != Action::NoOp {
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
    if !plan.has_changes() {
        let unchanged = count(summary.no_op, "environment is", "environments are");
        let _ = writeln!(
            out,
            "{} {unchanged} as declared.",
            look.strong("No changes.")
        );
        return out;
    }
    let parts: Vec<String> = Action::ALL
        .into_iter()
        .filter_map(|action| {
            let (n, what) = match action {
                Action::Create => (summary.create, "to create"),
                Action::Update => (summary.update, "to change"),
                Action::Replace => (summary.replace, "to replace"),
                Action::Destroy => (summary.destroy, "left over"),
                Action::Resolve => (summary.resolve, "unknown"),
                Action::Wait => (summary.wait, "waiting for its EnvId"),
                Action::NoOp => (summary.no_op, "unchanged"),
            };
            (n > 0).then(|| format!("{n} {what}"))
        })
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
            let _ = writeln!(out, "Nothing to order.");
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
        Action::Update => format!("{} {address} would be changed in place", look.change("~")),
        Action::Replace => format!("{} {address} would be ordered anew", look.bad("-/+")),
        Action::Destroy => format!("{} {address} is left over", look.change("!")),
        Action::Resolve => format!("{} {address} has an unknown outcome", look.bad("?")),
        Action::Wait => format!(
            "{} {address} is ordered, its EnvId is not known yet",
            look.change("…")
        ),
        Action::NoOp => format!("  {address} is unchanged"),
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
    if step.refusal.is_some() {
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
        (_, _, _) => Vec::new(),
    };
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
    let mut lines: Vec<String> = match step.action {
        Action::Create => {
            let nameless = |order: &Attributes| {
                order.creates_environment() && order.get(Field::Alias).is_none()
            };
            let note = "Without an alias a lost answer to its order can't be read back.";
            step.after.as_ref().filter(|order| nameless(order)).map(|_| note.to_owned()).into_iter().collect()
        }
        Action::NoOp | Action::Update => Vec::new(),
        Action::Replace => vec![
            "The vendor fixes these fields when the order is made: the change would be a second order.".to_owned(),
        ],
        Action::Destroy => vec![
            "It is ordered and no longer declared. postpay does not give it up by itself. Choose:".to_owned(),
            format!("  - declare `{address}` again, to keep it managed;"),
            "  - leave it as it is: it stays in the state, lives on at the vendor and goes on costing;".to_owned(),
            "  - give it up at the vendor's console; this version does not destroy environments.".to_owned(),
        ],
        Action::Resolve => vec![
            "A request was sent for it and its answer was lost: it may exist, and cost money.".to_owned(),
            format!("It is blocked, and not ordered again, until it is settled: `postpay resolve {address}`"),
        ],
        Action::Wait => vec!["The order stands and is not made again.".to_owned()],
    };
    match &step.refusal {
        None => {}
        Some(Refusal::Replacement) => lines.push(format!(
            "Undo the change, or declare a new environment under a new address, or leave it out: --exclude {address}"
        )),
        Some(Refusal::InPlaceChange) => lines.push(format!(
            "This version does not change an alias in place. Undo the change, or leave it out: --exclude {address}"
        )),
        Some(Refusal::Renamed { from }) => lines.push(format!(
            "It looks like `{from}` under another name, which was ordered before. Name it `{from}` again, or give it an alias of its own."
        )),
        Some(Refusal::ManagedAs { other }) => lines.push(format!(
            "`{other}` stands for the same environment in the state. Declare it as `{other}`, and only there."
        )),
    }
    lines
}
