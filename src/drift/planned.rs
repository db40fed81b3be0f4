//! Differences between manifests and state: a plan's steps as findings.

use crate::i18n::{Text, text};
use crate::plan::{Action, Code, Finding, Plan, Standing, Step};

pub(super) fn findings(plan: &Plan) -> Vec<Finding> {
    plan.steps.iter().filter_map(finding).collect()
}

fn finding(step: &Step) -> Option<Finding> {
    let address = &step.address;
    let (code, expected, found, next) = match step.action {
        // Deposed environments are in every plan, and known to the user.
        Action::NoOp => return None,
        Action::Create => (
            Code::NotOrdered,
            text!("created"),
            text!("not in the state"),
            Text::same(format!("postpay plan --target {address}")),
        ),
        Action::Update | Action::Replace => {
            return Some(changed(step));
        }
        Action::Destroy => (
            Code::NotDeclared,
            text!("declared"),
            text!("not declared"),
            Text::same(format!("postpay plan --target {address}")),
        ),
        Action::Forget => (
            Code::NotApplied,
            text!("removed from the state"),
            text!("in the state"),
            Text::same("postpay apply"),
        ),
        Action::Import => {
            (Code::NotApplied, text!("imported"), text!("not in the state"), Text::same("postpay apply"))
        }
        Action::Move => (
            Code::NotApplied,
            text!("moved"),
            text!("in the state at its old address"),
            Text::same("postpay apply"),
        ),
        Action::Resolve => (
            Code::OutcomeUnknown,
            text!("a known outcome"),
            text!("the response was lost or inconclusive"),
            Text::same(format!("postpay resolve {address}")),
        ),
        Action::Wait => (
            Code::AwaitingEnvId,
            text!("an EnvId"),
            text!("only an order number"),
            Text::same(format!("postpay resolve {address}")),
        ),
    };
    Some(Finding { expected: Some(expected), found: Some(found), ..new_finding(step, code, next) })
}

fn changed(step: &Step) -> Finding {
    let side = |attributes: Option<&crate::model::Attributes>, protected: bool| {
        let side = |none: &str, comma: &str| {
            let mut parts: Vec<String> = step
                .changed_fields()
                .map(|field| {
                    let value = attributes.and_then(|attributes| attributes.get(field));
                    let value = value.map_or_else(|| none.to_owned(), ToString::to_string);
                    format!("{field}: {value}")
                })
                .collect();
            if step.changes_protection() {
                parts.push(format!("prevent_destroy: {protected}"));
            }
            parts.join(comma)
        };
        Text::new(side("(none)", ", "), side("（无）", "，"))
    };
    let next = Text::same(format!("postpay plan --target {}", step.address));
    Finding {
        expected: Some(side(step.after.as_ref(), step.prevent_destroy)),
        found: Some(side(step.before.as_ref(), step.was_protected)),
        ..new_finding(step, Code::Changed, next)
    }
}

fn new_finding(step: &Step, code: Code, next: Text) -> Finding {
    Finding {
        code,
        address: Some(step.address.clone()),
        deposed: step.deposed,
        env_id: step.ids.env_id.clone(),
        expected: None,
        found: None,
        source: Some(step.source.clone()),
        standing: Standing::Counted,
        reason: None,
        next,
    }
}
