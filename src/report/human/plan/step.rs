//! One step: its head, its fields, and what is to be said of it.

use std::fmt::Write as _;

use super::remarks::remarks;
use super::rows::rows;
use crate::plan::{Action, Plan, Reason, Refusal, Step};
use crate::report::human::Look;
use crate::report::text::{clean, pad, width};

pub(super) fn show(out: &mut String, step: &Step, plan: &Plan, look: Look) {
    let address = look.strong(&step.address);
    let source = match step.after {
        Some(_) => look.faint(clean(&step.source.to_string())),
        None if step.refusal == Some(Refusal::StillDeclared) => {
            look.faint(clean(&step.source.to_string()))
        }
        None => look.faint(format!("was {}", clean(&step.source.to_string()))),
    };
    let head = match step.action {
        Action::Create => format!("{} {address} will be ordered", look.good("+")),
        Action::Update if step.renames().is_none() => {
            format!("{} {address} will be changed on record", look.change("~"))
        }
        Action::Update => format!("{} {address} will be changed in place", look.change("~")),
        Action::Replace if step.refusal.is_some() => {
            format!("{} {address} would be ordered anew", look.bad("+/-"))
        }
        Action::Replace => format!("{} {address} will be ordered anew", look.bad("+/-")),
        Action::Destroy if step.refusal == Some(Refusal::StillDeclared) => {
            format!("{} {address} is declared", look.bad("!"))
        }
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
        Action::Resolve if step.reason == Reason::BeingDestroyed => format!(
            "{} {address} was asked to be given up, and may be gone",
            look.bad("?")
        ),
        Action::Resolve => format!("{} {address} has an unknown outcome", look.bad("?")),
        Action::Wait => format!(
            "{} {address} is ordered, its EnvId is not known yet",
            look.change("…")
        ),
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => {
            format!("{} {address} (deposed) is still there", look.change("!"))
        }
        Action::NoOp if step.deposed => format!("  {address} (deposed) was given up"),
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
    let columns = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, value) in rows {
        let name = pad(&name, columns);
        let _ = writeln!(out, "      {name}  {value}");
    }
    for line in remarks(step, plan) {
        let _ = writeln!(out, "      {line}");
    }
    if step.refusal.as_ref().is_some_and(Refusal::holds_up) {
        let _ = writeln!(out, "      {}", look.bad("refused as it stands"));
    }
    out.push('\n');
}
