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
use crate::lang::{Text, text};
use crate::plan::{Action, Mode, Plan, Reason, Summary};
use crate::report::text::{account, clean, count, duration};

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
    let summary = plan.summary;
    let mut out = String::new();
    let none = look.strong(text!("No changes.", "没有变更。"));
    if !plan.has_changes() && plan.options.mode != Mode::Normal {
        let text = text!("{none} There is nothing to give up.", "{none}没有需要销毁的环境。");
        let _ = writeln!(out, "{}", look.say(text));
        return out;
    }
    if !plan.has_changes() {
        let steps = plan.steps.iter();
        let unchanged = steps.filter(|step| step.reason == Reason::Unchanged).count();
        let n = count(unchanged, "environment is", "environments are");
        let text = text!("{none} {n} as declared.", "{none}{unchanged} 个环境与声明一致。");
        let _ = writeln!(out, "{}", look.say(text));
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
        blocked: _,
    } = summary;
    let parts: Vec<String> = [
        (create, text!("{create} to create", "{create} 个待创建")),
        (update, text!("{update} to change", "{update} 个待修改")),
        (replace, text!("{replace} to replace", "{replace} 个待替换")),
        (destroy, text!("{destroy} to destroy", "{destroy} 个待销毁")),
        (import, text!("{import} to import", "{import} 个待导入")),
        (moved, text!("{moved} to move", "{moved} 个待改地址")),
        (forget, text!("{forget} to forget", "{forget} 个待移出记录")),
        (kept, text!("{kept} left over", "{kept} 个遗留")),
        (resolve, text!("{resolve} unknown", "{resolve} 个结果未知")),
        (wait, text!("{wait} waiting for its EnvId", "{wait} 个等待 EnvId")),
        (no_op, text!("{no_op} unchanged", "{no_op} 个不变")),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(_, what)| look.say(what))
    .collect();
    let refused = match summary.blocked {
        0 => Text::same(""),
        n => {
            let refused = look.bad(text!(
                "{n} refused: apply will not run before that is settled.",
                "{n} 个被拒绝：解决之前不能执行 apply。"
            ));
            text!(" {refused}", "{refused}")
        }
    };
    let head = look.strong(text!("Plan:", "计划："));
    let parts = look.list(&parts);
    let text = text!("{head} {parts}.{refused}", "{head}{parts}。{refused:#}");
    let _ = writeln!(out, "{}", look.say(text));
    let account = account(&plan.account);
    match summary.orders {
        0 => {
            if summary.destroy == 0 {
                let text = text!("Nothing to order.", "没有需要订购的环境。");
                let _ = writeln!(out, "{}", look.say(text));
            }
        }
        n => {
            let orders = count(n, "pay-as-you-go order", "pay-as-you-go orders");
            let orders = look.strong(text!("{orders}", "{n} 个按量付费订单"));
            let region = plan.region.as_ref().map_or(Text::same(""), |region| {
                let region = clean(region);
                text!(" in {region}", "（{region}）")
            });
            let pace = match least_time(n, rate) {
                Duration::ZERO => Text::same(""),
                least => {
                    let least = duration(least);
                    text!(
                        ", in at least {least} at {rate} a second",
                        "，以每秒 {rate} 个的速度至少需要 {least:#}"
                    )
                }
            };
            let text = text!(
                "{orders} from {account}{region}{pace}.",
                "{orders}，发往 {account:#}{region:#}{pace:#}。"
            );
            let _ = writeln!(out, "{}", look.say(text));
        }
    }
    if destroy > 0 {
        let gone = count(destroy, "environment", "environments");
        let warning = text!(
            "{gone} to be given up at {account}, with the data in them.",
            "将在 {account:#} 销毁 {destroy} 个环境，连同其中的数据。"
        );
        let _ = writeln!(out, "{}", look.bad(warning));
    }
    out
}
