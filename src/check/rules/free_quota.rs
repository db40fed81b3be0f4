//! `free_quota` has one level. "目前只能为“basic”".

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;
use crate::manifest::Value;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        if written.field != postpay::FREE_QUOTA {
            continue;
        }
        let Value::Text(text) = written.node.value() else {
            continue;
        };
        if text.is_empty() || text == "basic" {
            continue;
        }
        problems.push(
            Diagnostic::error(
                "invalid-free-quota",
                text!("`{text}` is not a level of free quota", "免费额度没有 `{text}` 这一档"),
            )
            .on(&written.node.span())
            .help(text!(
                "write `basic`, or leave `free_quota` out for none",
                "请写 `basic`；不需要免费额度时省略 `free_quota`"
            )),
        );
    }
}
