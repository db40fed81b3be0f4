//! A plan, as it is reviewed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Look;
use crate::apply::pace::least_time;
use crate::desired::{Attributes, Field};
use crate::plan::{Action, Plan, Refusal, Step};
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
            let orders = count(n, "pay-as-you-go order", "pay-as-you-go orders");
            let least = duration(least_time(n, rate));
            let _ = writeln!(
                out,
                "{} from {endpoint}, in at least {least} at {rate} a second.",
                look.strong(orders)
            );
        }
    }
    out
}

fn show_step(out: &mut String, step: &Step, look: Look) {
    let Step {
        address,
        action,
        reason: _,
        refusal,
        before,
        after,
        ids,
        source,
    } = step;
    let address = look.strong(address);
    let source = look.faint(source);
    let head = match action {
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
    match (action, before, after) {
        (Action::Create, _, Some(after)) => {
            for (field, value) in after.iter() {
                show_field(out, field, &format!("\"{}\"", clean(value)));
            }
            for id in ["env_id", "tran_id"] {
                if id != "env_id" || after.creates_environment() {
                    let _ = writeln!(out, "      {id:<13} {}", look.faint("(known after apply)"));
                }
            }
        }
        (Action::Update | Action::Replace, Some(before), Some(after)) => {
            show_changes(out, step, before, after, look);
        }
        (_, _, _) => {}
    }
    if *action != Action::Create {
        let known = [
            ("env_id", &ids.env_id),
            ("tran_id", &ids.tran_id),
            ("request_id", &ids.request_id),
        ];
        for (name, id) in known {
            if let Some(id) = id {
                let _ = writeln!(out, "      {name:<13} {}", clean(id));
            }
        }
    }
    for line in remarks(step) {
        let _ = writeln!(out, "      {line}");
    }
    if refusal.is_some() {
        let _ = writeln!(out, "      {}", look.bad("refused as it stands"));
    }
    out.push('\n');
}

fn show_field(out: &mut String, field: Field, value: &str) {
    let _ = writeln!(out, "      {field:<13} {value}");
}

fn show_changes(
    out: &mut String,
    step: &Step,
    before: &Attributes,
    after: &Attributes,
    look: Look,
) {
    for field in step.changed_fields() {
        let (old, new) = (before.get(field), after.get(field));
        match (field, old.and_then(members), new.and_then(members)) {
            (Field::Extra, Some(old), Some(new)) => show_members(out, &old, &new, look),
            _ => show_field(out, field, &change(old, new, look)),
        }
    }
}

fn change(old: Option<&str>, new: Option<&str>, look: Look) -> String {
    match (old, new) {
        (Some(old), Some(new)) => look.changed_words(old, new),
        (Some(old), None) => format!("\"{}\" -> {}", clean(old), look.bad("(none)")),
        (None, Some(new)) => format!("(none) -> {}", look.good(format!("\"{}\"", clean(new)))),
        (None, None) => String::new(),
    }
}

/// `extra` by its members, when it is a JSON object.
fn members(wire: &str) -> Option<BTreeMap<String, serde_json::Value>> {
    serde_json::from_str(wire).ok()
}

fn show_members(
    out: &mut String,
    old: &BTreeMap<String, serde_json::Value>,
    new: &BTreeMap<String, serde_json::Value>,
    look: Look,
) {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => value.to_string(),
        };
        if old.get(name) != new.get(name) {
            let (old, new) = (old.get(name).map(text), new.get(name).map(text));
            let shown = change(old.as_deref(), new.as_deref(), look);
            let _ = writeln!(
                out,
                "      {:<13} {shown}",
                format!("extra.{}", clean(name))
            );
        }
    }
}

/// What a person needs to know or to do about a step that is not simply carried out.
fn remarks(step: &Step) -> Vec<String> {
    let address = &step.address;
    let mut lines: Vec<String> = match step.action {
        Action::Create | Action::NoOp | Action::Update => Vec::new(),
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
            "It is not ordered again. Look for it at the vendor's console: https://console.cloud.tencent.com/tcb".to_owned(),
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
