//! `ignore_changes` names fields of an order. A name that is none would ignore nothing, and nobody would know.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::{known_here, meant, nearest, unknown};
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

const CODE: &str = "invalid-ignore-changes";

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let fields: Vec<&str> =
        postpay::KIND.fields().filter(|field| *field != postpay::ENV_ID).map(|field| field.name).collect();
    for ignored in manifests.lifecycles.iter().flat_map(|lifecycle| lifecycle.ignored()) {
        let (text, place) = (ignored.text, ignored.node.span());
        match postpay::KIND.field(text) {
            Some(field) if field == postpay::ENV_ID => problems.push(
                Diagnostic::error(
                    CODE,
                    text!("a change of `env_id` can't be ignored", "`env_id` 的变化不能忽略"),
                )
                .at(&place, text!("not this one", "不能写这一项"))
                .help(text!(
                    "with another `env_id` it is another environment",
                    "`env_id` 不同就是另一个环境"
                )),
            ),
            Some(_) => {}
            None => {
                let label = nearest(text, &fields).map_or_else(unknown, meant);
                problems.push(
                    Diagnostic::error(
                        CODE,
                        text!("there is no field `{text}` to ignore", "没有可忽略的字段 `{text}`"),
                    )
                    .at(&place, label)
                    .help(known_here(&fields)),
                );
            }
        }
    }
}
