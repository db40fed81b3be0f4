//! Differences between manifests and state: a plan's steps as findings.

use crate::lang::{Text, text};
use crate::plan::{Action, Code, Finding, Plan, Standing, Step};

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
            text!("created", "已创建"),
            text!("not in the state", "不在状态文件中"),
            Text::same(format!("postpay plan --target {address}")),
        ),
        Action::Update | Action::Replace => {
            return Some(changed(step));
        }
        Action::Destroy => (
            Code::NotDeclared,
            text!("declared", "已声明"),
            text!("not declared", "未声明"),
            Text::same(format!("postpay plan --target {address}")),
        ),
        Action::Forget => (
            Code::NotApplied,
            text!("removed from the state", "已从状态文件移除"),
            text!("in the state", "在状态文件中"),
            Text::same("postpay apply"),
        ),
        Action::Import => (
            Code::NotApplied,
            text!("imported", "已导入"),
            text!("not in the state", "不在状态文件中"),
            Text::same("postpay apply"),
        ),
        Action::Move => (
            Code::NotApplied,
            text!("moved", "已改地址"),
            text!("in the state at its old address", "在状态文件中位于旧地址"),
            Text::same("postpay apply"),
        ),
        Action::Resolve => (
            Code::OutcomeUnknown,
            text!("a known outcome", "结果已知"),
            text!("the response was lost or inconclusive", "应答丢失，或没有说明结果"),
            Text::same(format!("postpay resolve {address}")),
        ),
        Action::Wait => (
            Code::AwaitingEnvId,
            text!("an EnvId", "有 EnvId"),
            text!("only an order number", "只有订单号"),
            Text::same(format!("postpay resolve {address}")),
        ),
    };
    Some(Finding { expected: Some(expected), found: Some(found), ..of(step, code, next) })
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
        ..of(step, Code::Changed, next)
    }
}

fn of(step: &Step, code: Code, next: Text) -> Finding {
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
