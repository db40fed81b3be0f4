//! A plan, as it is reviewed.

mod noticed;
mod remarks;
mod rows;
mod step;

pub(in crate::report) use remarks::remarks;

use std::fmt::Write as _;
use std::time::Duration;

use super::Look;
use crate::apply::pace::least_time;
use crate::plan::{Action, Mode, Plan, Reason, Summary};
use crate::report::text::{clean, count, duration};

/// The whole plan, below what the account showed that is not on record; `rate` in orders a second tells how long it takes at least.
pub fn plan(plan: &Plan, rate: f64, look: Look) -> String {
    let mut out = noticed::noticed(plan, look);
    for step in &plan.steps {
        if step.action != Action::NoOp || step.reason != Reason::Unchanged {
            step::show(&mut out, step, plan, look);
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
        let steps = plan.steps.iter();
        let unchanged = steps
            .filter(|step| step.reason == Reason::Unchanged)
            .count();
        let unchanged = count(unchanged, "environment is", "environments are");
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
