//! What the account showed when the plan was made, above the plan.

use std::fmt::Write as _;

use crate::i18n::text;
use crate::plan::{Finding, Plan, Standing};
use crate::report::human::{Look, drift};

/// Nothing for a plan that was made without reading the account.
pub(super) fn noticed(plan: &Plan, look: Look) -> String {
    let Some(findings) = &plan.drift else {
        return String::new();
    };
    let mut out = String::new();
    let (ignored, shown): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| match finding.standing {
            Standing::Ignored { .. } => true,
            Standing::Counts | Standing::Info => false,
        });
    let ignored = match ignored.len() {
        0 => text!(""),
        n => text!(" ({n} ignored by postpay.yaml)", n),
    };
    let head = if shown.is_empty() {
        text!("No drift: the account matches the state{ignored}.", ignored)
    } else {
        text!(
            "Drift detected: the account differs from the state{ignored}. The plan below does not change because of it.",
            ignored
        )
    };
    let note = look.say(text!("Note:"));
    let head = format!("{} {}\n", look.strong(note), look.say(&head));
    out += &look.within(head, 4);
    let _ = writeln!(out);
    for finding in shown {
        drift::one(&mut out, finding, look);
    }
    out
}
