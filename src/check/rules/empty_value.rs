//! An empty string would be sent as one, and the vendor does not say what that means.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;
use crate::manifest::{Node, Value};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        // The vendor does say it of the free quota: empty means none.
        if written.field == postpay::FREE_QUOTA {
            continue;
        }
        // Half a line must not create what was to be switched.
        if written.field == postpay::ENV_ID && matches!(written.node.value(), Value::Null) {
            let problem = empty(written.field.name, written.node);
            problems.push(problem.help(text!(
                "give the id of the environment; to create one, leave the field out",
                "写明环境 ID；如果要新建环境，请省略该字段"
            )));
        }
        if matches!(written.node.value(), Value::Text(text) if text.trim().is_empty()) {
            let problem = empty(written.field.name, written.node);
            problems.push(problem.help(text!(
                "leave the field out, or write `null` to take a default away",
                "省略该字段；要去掉默认值，请写 `null`"
            )));
        }
    }
    for id in &manifests.imported_ids {
        if id.text.is_some_and(|text| text.trim().is_empty()) {
            let help = match id.name {
                "tran_id" => {
                    text!("leave it out where the order's number is not known", "不知道订单号时请省略该项")
                }
                _ => text!("give the id of the environment that is to be adopted", "写明要纳管的环境 ID"),
            };
            problems.push(empty(id.name, id.node).help(help));
        }
    }
}

fn empty(name: &str, node: Node<'_>) -> Diagnostic {
    Diagnostic::error("empty-value", text!("`{name}` is empty", "`{name}` 为空")).on(&node.span())
}
