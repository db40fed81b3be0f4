//! What manifests and state don't agree on: a plan's steps, told as findings.

use super::{Code, Finding, Standing};
use crate::plan::{Action, Plan, Step};

pub(super) fn findings(plan: &Plan) -> Vec<Finding> {
    plan.steps.iter().filter_map(finding).collect()
}

fn finding(step: &Step) -> Option<Finding> {
    let address = &step.address;
    let (code, expected, found, next) = match step.action {
        // What was replaced is shown by every plan, and known to whoever replaced it.
        Action::NoOp => return None,
        Action::Create => (
            Code::NotOrdered,
            Some("ordered"),
            Some("not on record"),
            format!("postpay plan --target {address}"),
        ),
        Action::Update | Action::Replace => {
            return Some(changed(step));
        }
        Action::Destroy => (
            Code::NotDeclared,
            Some("declared"),
            Some("not declared"),
            format!("postpay plan --target {address}"),
        ),
        Action::Forget => (
            Code::NotApplied,
            Some("forgotten"),
            Some("on record"),
            "postpay apply".to_owned(),
        ),
        Action::Import => (
            Code::NotApplied,
            Some("imported"),
            Some("not on record"),
            "postpay apply".to_owned(),
        ),
        Action::Move => (
            Code::NotApplied,
            Some("moved"),
            Some("on record at its old address"),
            "postpay apply".to_owned(),
        ),
        Action::Resolve => (
            Code::OutcomeUnknown,
            Some("an outcome that is known"),
            Some("an answer that was lost, or said nothing"),
            format!("postpay resolve {address}"),
        ),
        Action::Wait => (
            Code::AwaitingEnvId,
            Some("an EnvId"),
            Some("an order number alone"),
            format!("postpay resolve {address}"),
        ),
    };
    Some(Finding {
        expected: expected.map(str::to_owned),
        found: found.map(str::to_owned),
        ..of(step, code, next)
    })
}

fn changed(step: &Step) -> Finding {
    let side = |attributes: Option<&crate::desired::Attributes>, protected: bool| {
        let mut parts: Vec<String> = step
            .changed_fields()
            .into_iter()
            .map(|field| {
                let value = attributes.and_then(|attributes| attributes.get(field));
                format!("{field}: {}", value.unwrap_or("(none)"))
            })
            .collect();
        if step.changes_protection() {
            parts.push(format!("prevent_destroy: {protected}"));
        }
        parts.join(", ")
    };
    let next = format!("postpay plan --target {}", step.address);
    Finding {
        expected: Some(side(step.after.as_ref(), step.prevent_destroy)),
        found: Some(side(step.before.as_ref(), step.was_protected)),
        ..of(step, Code::Changed, next)
    }
}

fn of(step: &Step, code: Code, next: String) -> Finding {
    Finding {
        code,
        address: Some(step.address.clone()),
        deposed: step.deposed,
        env_id: step.ids.env_id.clone(),
        expected: None,
        found: None,
        source: Some(step.source.clone()),
        standing: Standing::Counts,
        next,
    }
}
