//! One step: its head, its fields, and what is to be said of it.

use std::fmt::Write as _;

use super::remarks::remarks;
use super::rows::rows;
use crate::lang::{Text, text};
use crate::plan::{Action, Plan, Reason, Step, StepBlocker};
use crate::report::human::Look;
use crate::report::text::{clean, left, width};

/// Names up to this wide have their values in one column.
const WIDEST: usize = 40;

pub(super) fn show(out: &mut String, step: &Step, plan: &Plan, look: Look) {
    let address = look.strong(&step.address);
    let source = clean(&step.source.to_string()).into_owned();
    let source = look.faint(match step.after {
        Some(_) => Text::same(source),
        None if step.blocker == Some(StepBlocker::StillDeclared) => Text::same(source),
        None => text!("was {source}", "原在 {source}"),
    });
    let (mark, what) = head(step, look);
    let what = look.say(what);
    let previous = step
        .previous_address
        .as_ref()
        .map_or(Text::same(""), |previous| text!(", was `{previous}`", "，原地址 `{previous}`"));
    let previous = look.say(previous);
    let _ = writeln!(out, "{mark} {address}{what}{previous}  {source}");
    let rows = rows(step, look);
    // One long name does not move the values of all others.
    let widths = rows.iter().map(|(name, _)| width(name));
    let columns = widths.filter(|it| *it <= WIDEST).max().unwrap_or(0);
    for (name, value) in rows {
        let _ = writeln!(out, "      {}  {value}", left(&name, columns));
    }
    for line in remarks(step, plan, look) {
        let _ = writeln!(out, "      {line}");
    }
    if step.blocker.as_ref().is_some_and(StepBlocker::blocks_plan) {
        let refused = look.bad(text!("refused as it stands", "按现状被拒绝"));
        let _ = writeln!(out, "      {refused}");
    }
    out.push('\n');
}

/// The mark before the address, and what stands behind it.
fn head(step: &Step, look: Look) -> (String, Text) {
    match step.action {
        Action::Create => (look.good("+"), text!(" will be ordered", " 将订购")),
        Action::Update if step.renames().is_none() => {
            (look.change("~"), text!(" will be changed on record", " 将只修改记录"))
        }
        Action::Update => (look.change("~"), text!(" will be changed in place", " 将就地修改")),
        Action::Replace if step.blocker.is_some() => {
            (look.bad("+/-"), text!(" would be ordered anew", " 需要重新订购"))
        }
        Action::Replace => (look.bad("+/-"), text!(" will be ordered anew", " 将重新订购")),
        Action::Destroy if step.blocker == Some(StepBlocker::StillDeclared) => {
            (look.bad("!"), text!(" is declared", " 仍在清单中声明"))
        }
        Action::Destroy if step.blocker.is_some() => {
            (look.change("!"), text!(" is left over", " 已不再声明，属于遗留环境"))
        }
        Action::Destroy if step.deposed => {
            (look.bad("-"), text!(" (deposed) will be destroyed", "（已被替换）将销毁"))
        }
        Action::Destroy => (look.bad("-"), text!(" will be destroyed", " 将销毁")),
        Action::Forget => (look.change("."), text!(" will be forgotten", " 将移出记录")),
        Action::Import => (look.good("="), text!(" will be imported", " 将导入")),
        Action::Move => (look.change("~"), text!(" has a new address", " 改用新地址")),
        Action::Resolve if step.reason == Reason::BeingDestroyed => {
            (look.bad("?"), text!(" was asked to be given up, and may be gone", " 已请求销毁，可能已不存在"))
        }
        Action::Resolve => (look.bad("?"), text!(" has an unknown outcome", " 结果未知")),
        Action::Wait => {
            (look.change("…"), text!(" is ordered, its EnvId is not known yet", " 已订购，EnvId 尚未得知"))
        }
        Action::NoOp if step.deposed && step.reason == Reason::Deposed => {
            (look.change("!"), text!(" (deposed) is still there", "（已被替换）仍然存在"))
        }
        Action::NoOp if step.deposed => {
            (" ".to_owned(), text!(" (deposed) was given up", "（已被替换）已请求销毁"))
        }
        Action::NoOp if step.reason == Reason::Isolated => {
            (" ".to_owned(), text!(" is given up, and isolated", " 已请求销毁，处于隔离状态"))
        }
        Action::NoOp => (" ".to_owned(), text!(" is unchanged", " 不变")),
    }
}
