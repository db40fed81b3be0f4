//! A plan, as it is reviewed: where it applies, one block per step, a legend and the totals.

mod noticed;
mod remarks;
mod rows;
mod step;

pub(in crate::report) use remarks::remarks;

use std::fmt::Write as _;
use std::time::Duration;

use super::Look;
use crate::apply::pace::least_time;
use crate::i18n::{Text, text};
use crate::plan::{Action, Mode, Plan, Reason, Step};
use crate::report::text::{account, clean, count, duration};
use crate::state::Account;
use rows::Common;
use step::Block;

/// How much is shown of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What changes; what does not, and what all environments have in common, is counted.
    Folded,
    /// Every field on a line of its own.
    Full,
}

/// The plan with what does not change folded; `rate` is in creates per second.
pub fn plan(plan: &Plan, rate: f64, look: Look) -> String {
    detailed(plan, rate, Detail::Folded, look)
}

/// The plan in as much detail as requested; `rate` is in creates per second.
pub fn detailed(plan: &Plan, rate: f64, detail: Detail, look: Look) -> String {
    let mut out = heading(plan, look);
    let common = match detail {
        Detail::Folded => Common::of(plan),
        Detail::Full => Common::default(),
    };
    let shown = plan.steps.iter().filter(|step| !is_unchanged(step));
    let blocks: Vec<Block> = shown.map(|step| step::block(step, plan, &common, detail, look)).collect();
    if blocks.iter().any(|block| block.folds_common) {
        out += &common.line(look);
    }
    out.push('\n');
    out += &noticed::noticed(plan, look);
    for (at, block) in blocks.iter().enumerate() {
        out += &block.text;
        let follows = blocks.get(at + 1).is_some_and(|next| block.is_compact && next.is_compact);
        if !follows {
            out.push('\n');
        }
    }
    out += &look.within(legend(plan, look), 2);
    out += &look.within(summary(plan, rate, look), 4);
    out
}

fn is_unchanged(step: &Step) -> bool {
    step.action == Action::NoOp && step.reason == Reason::Unchanged
}

/// The endpoint, the account, the region and the state that the plan is for.
fn heading(plan: &Plan, look: Look) -> String {
    let account = account(&plan.account);
    let region = plan.region.as_ref().map_or(Text::same(""), |region| {
        let region = clean(region);
        text!(" · region {region}", region)
    });
    let state = clean(&plan.state_path);
    let heading = text!("{account}{region} · state {state}", account, region, state);
    look.within(look.faint(heading) + "\n", 4)
}

/// The marks that the plan uses, and what they mean. Nothing for a plan without steps.
fn legend(plan: &Plan, look: Look) -> String {
    let mut marks: Vec<(&str, String)> = Vec::new();
    for step in plan.steps.iter().filter(|step| !is_unchanged(step)) {
        let (mark, meaning) = step::legend(step);
        if !mark.trim().is_empty() && marks.iter().all(|(known, _)| *known != mark) {
            marks.push((mark, look.say(meaning)));
        }
    }
    if marks.is_empty() {
        return String::new();
    }
    let marks: Vec<String> = marks.iter().map(|(mark, meaning)| format!("{mark} {meaning}")).collect();
    format!("  {}\n\n", look.faint(marks.join("  ")))
}

/// The closing lines: how many steps of each kind, the least time, the cost.
pub fn summary(plan: &Plan, rate: f64, look: Look) -> String {
    let mut out = String::new();
    let none = look.strong(text!("No changes."));
    if !plan.has_changes() {
        let text = if plan.options.mode == Mode::Normal {
            let unchanged = plan.steps.iter().filter(|step| is_unchanged(step)).count();
            let n = count(unchanged, "environment matches", "environments match");
            text!("{none} {n} the configuration.", none, n; unchanged)
        } else {
            text!("{none} Nothing to destroy.", none)
        };
        let _ = writeln!(out, "{}", look.say(text));
        return out;
    }
    let steps = || plan.steps.iter().filter(|step| !plan.is_blocked_by(step));
    let of = |action: Action| steps().filter(|step| step.action == action).count();
    let (create, update, replace) = (of(Action::Create), of(Action::Update), of(Action::Replace));
    let (import, forget) = (of(Action::Import), of(Action::Forget));
    let (resolve, wait, unchanged) = (of(Action::Resolve), of(Action::Wait), of(Action::NoOp));
    let destroy = plan.destroys().count();
    let kept = of(Action::Destroy) - destroy;
    let moved = steps().filter(|step| step.previous_address.is_some()).count();
    let blocked = plan.blocked().count();
    let parts: Vec<String> = [
        (create, text!("{create} to create", create)),
        (update, text!("{update} to update", update)),
        (replace, text!("{replace} to replace", replace)),
        (destroy, text!("{destroy} to destroy", destroy)),
        (import, text!("{import} to import", import)),
        (moved, text!("{moved} to move", moved)),
        (forget, text!("{forget} to forget", forget)),
        (blocked, Text::of(&look.bad(text!("{blocked} blocked", blocked)))),
        (kept, text!("{kept} not in the configuration", kept)),
        (resolve, text!("{resolve} with an unknown outcome", resolve)),
        (wait, text!("{wait} waiting for an EnvId", wait)),
        (unchanged, text!("{unchanged} unchanged", unchanged)),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(_, what)| look.say(what))
    .collect();
    let head = look.strong(text!("Plan:"));
    let parts = look.list(&parts);
    let _ = writeln!(out, "{}", look.say(text!("{head} {parts}.", head, parts)));
    if plan.summary.orders > 0 {
        let _ = writeln!(out, "{}", look.say(cost(plan, rate)));
    }
    if destroy > 0 {
        let environments = count(destroy, "environment", "environments");
        let warning = text!("{environments} will be destroyed, including all data.", environments; destroy);
        let _ = writeln!(out, "{}", look.bad(warning));
    }
    out
}

/// How many environments are created, how long that takes at least, and what it costs.
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
    let cost = if plan.endpoint == Account::SANDBOX {
        text!("none (sandbox)")
    } else {
        text!("pay-as-you-go, no fixed price")
    };
    text!("{creates}{time}. Cost: {cost}.", creates, time, cost; n)
}

#[cfg(test)]
mod tests;
