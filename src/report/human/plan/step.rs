//! One step: its head, its fields and ids, and what a person needs to know about it.

use super::Detail;
use super::remarks::remarks;
use super::rows::{Common, Fields, fields};
use crate::i18n::{Text, text};
use crate::plan::{Action, Ids, Plan, Reason, Step, StepBlocker};
use crate::report::human::Look;
use crate::report::text::{clean, left, width};

/// Names up to this wide have their values in one column.
const WIDEST: usize = 40;
/// The columns of what is no terminal, and the most that are used of a wide one.
const COLUMNS: (usize, usize) = (80, 100);

/// A step as text.
pub(super) struct Block {
    /// Whole lines.
    pub text: String,
    /// Values that all environments have in common were left out.
    pub folds_common: bool,
    /// It needs no blank line before another one of its kind.
    pub is_compact: bool,
}

pub(super) fn block(step: &Step, plan: &Plan, common: &Common, detail: Detail, look: Look) -> Block {
    let mut text = head(step, plan, look);
    let Fields { set, changed, folded } = fields(step, common, detail, look);
    if !set.is_empty() || folded > 0 {
        let set = format!("    {}", set.join(", "));
        let note = look.say(text!("(+ {folded} common)", folded));
        let note = if folded > 0 { note } else { String::new() };
        let line = apart(&set, width(&set), &look.faint(&note), width(&note), look);
        text += &look.within(line.trim_end().to_owned() + "\n", 8);
    }
    // One long name does not move the values of all others.
    let widths = changed.iter().map(|row| width(&row.name));
    let columns = widths.filter(|it| *it <= WIDEST).max().unwrap_or(0);
    for row in changed {
        let forces = if row.forces_replacement {
            format!("  {}", look.bad(text!("# forces replacement")))
        } else {
            String::new()
        };
        let name = left(&row.name, columns);
        let line = format!("    {} {name}  {}{forces}\n", row.mark, row.value);
        text += &look.within(line, 8);
    }
    if detail == Detail::Folded {
        let ids = ids(step, look);
        if !ids.is_empty() {
            text += &look.within(format!("    {ids}\n"), 4);
        }
    }
    let remarks = remarks(step, plan, look);
    let is_compact = detail == Detail::Folded && step.action == Action::Create && remarks.is_empty();
    for line in remarks {
        text += &look.within(format!("    {line}\n"), 4);
    }
    Block { text, folds_common: folded > 0, is_compact }
}

/// The mark, the address and what happens, with the place in the manifests on the right.
fn head(step: &Step, plan: &Plan, look: Look) -> String {
    let what = look.say(if plan.is_blocked_by(step) { text!("blocked") } else { what(step) });
    let what = match &step.previous_address {
        Some(from) if what.is_empty() => look.say(text!("moved from `{from}`", from)),
        Some(from) => look.say(text!("{what}, moved from `{from}`", what, from)),
        None => what,
    };
    let deposed = if step.deposed { look.say(text!(" (deposed)")) } else { String::new() };
    let (mark, _) = legend(step);
    let gap = if what.is_empty() { "" } else { "  " };
    let unpainted = format!("{mark} {}{deposed}{gap}{what}", step.address);
    let painted_mark = match step.action {
        Action::Create | Action::Import => look.good(mark),
        Action::Replace | Action::Resolve => look.bad(mark),
        Action::Destroy if step.blocker.is_none() => look.bad(mark),
        Action::Update | Action::Destroy | Action::Forget | Action::Move | Action::Wait | Action::NoOp => {
            look.change(mark)
        }
    };
    let is_bad = plan.is_blocked_by(step) || (step.action == Action::Destroy && step.blocker.is_none());
    let painted_what = if is_bad { look.bad(&what) } else { what.clone() };
    let painted = format!("{painted_mark} {}{deposed}{gap}{painted_what}", look.strong(&step.address));
    let source = clean(&step.source.to_string()).into_owned();
    let source = look.say(match step.after {
        Some(_) => Text::same(source),
        None if step.blocker == Some(StepBlocker::StillDeclared) => Text::same(source),
        None => text!("was {source}", source),
    });
    let line = apart(&painted, width(&unpainted), &look.faint(&source), width(&source), look);
    look.within(line + "\n", 4)
}

/// Two texts in a line, the second one at the right edge. Their widths are given, since colours have none.
fn apart(left: &str, left_width: usize, right: &str, right_width: usize, look: Look) -> String {
    let (without, most) = COLUMNS;
    let columns = look.columns.unwrap_or(without).min(most);
    let gap = columns.saturating_sub(left_width + right_width).max(2);
    format!("{left}{}{right}", " ".repeat(gap))
}

/// The ids that are known, in one line, and how many fields do not change.
fn ids(step: &Step, look: Look) -> String {
    let Ids { env_id, tran_id, request_id } = &step.ids;
    // A request id only helps to find what has no other id.
    let request_id = request_id.as_ref().filter(|_| env_id.is_none());
    let order = look.say(text!("order"));
    let request = look.say(text!("request"));
    let ids =
        [("env_id", env_id.as_ref()), (order.as_str(), tran_id.as_ref()), (request.as_str(), request_id)];
    let ids: Vec<String> =
        ids.into_iter().filter_map(|(name, id)| Some(format!("{name} {}", clean(id?)))).collect();
    let ids = ids.join(" · ");
    let unchanged = match (step.action, &step.after) {
        (Action::Update | Action::Replace, Some(after)) => {
            after.iter().filter(|(field, _)| step.changed.iter().all(|name| name != field.name)).count()
        }
        (_, _) => 0,
    };
    if unchanged == 0 {
        return ids;
    }
    let note = look.faint(text!("({unchanged} unchanged)", unchanged));
    if ids.is_empty() { note } else { format!("{ids}  {note}") }
}

/// What happens, where the mark alone does not say it.
fn what(step: &Step) -> Text {
    match step.action {
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
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => {
            text!("still running")
        }
        Action::NoOp if step.reason == Reason::Isolated => {
            text!("destroyed, isolated")
        }
        Action::NoOp if step.deposed => text!("destroy with an unknown outcome"),
        Action::NoOp => text!("unchanged"),
    }
}

/// The mark of a step, and what it means.
pub(super) fn legend(step: &Step) -> (&'static str, Text) {
    match step.action {
        Action::Create => ("+", text!("create")),
        Action::Update => ("~", text!("update in place")),
        Action::Replace => ("+/-", text!("replace")),
        Action::Destroy if step.blocker == Some(StepBlocker::StillDeclared) => ("!", text!("blocked")),
        Action::Destroy if step.blocker.is_some() => ("!", text!("not in the configuration")),
        Action::Destroy => ("-", text!("destroy")),
        Action::Forget => (".", text!("forget")),
        Action::Import => ("=", text!("import")),
        Action::Move => (">", text!("move")),
        Action::Resolve => ("?", text!("unknown outcome")),
        Action::Wait => ("…", text!("waiting")),
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => {
            ("!", text!("not in the configuration"))
        }
        Action::NoOp => (" ", Text::same("")),
    }
}
