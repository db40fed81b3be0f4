//! What the account showed when the plan was made, above the plan.

use std::fmt::Write as _;

use crate::lang::text;
use crate::plan::{Finding, Plan, Standing};
use crate::report::human::{Look, drift};

/// Nothing for a plan that was made without a look at the account.
pub(super) fn noticed(plan: &Plan, look: Look) -> String {
    let Some(findings) = &plan.drift else {
        return String::new();
    };
    let mut out = String::new();
    let (known, shown): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| match finding.standing {
            Standing::Ignored { .. } => true,
            Standing::Counts | Standing::Told => false,
        });
    // Ignored findings were accepted by name; `drift` shows them with the reason.
    let known = match known.len() {
        0 => text!("", ""),
        n => text!(" ({n} ignored by postpay.yaml)", "（postpay.yaml 忽略 {n} 项）"),
    };
    let head = if shown.is_empty() {
        text!(
            "The account shows everything as it is on record{known}.",
            "账号中的情况与状态文件的记录一致{known:#}。"
        )
    } else {
        text!(
            "The account differs from what is on record{known}. The plan below stays the same: nothing is ordered or given up because of it.",
            "账号中的情况与状态文件的记录不一致{known:#}。下面的计划不因此改变：不会因此订购或销毁任何环境。"
        )
    };
    let note = look.say(text!("Note:", "注意："));
    let _ = writeln!(out, "{} {}\n", look.strong(note), look.say(&head));
    for finding in shown {
        drift::one(&mut out, finding, look);
    }
    out
}
