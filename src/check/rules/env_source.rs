//! `env_source` decides which channels there are, so it is one of the two that the vendor names.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::{meant, nearest};
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(postpay::ENV_SOURCE) {
        let known = ["miniapp", "qcloud"];
        if known.contains(&text) {
            continue;
        }
        let label = nearest(text, &known).map(meant).unwrap_or_default();
        problems.push(
            Diagnostic::error(
                "invalid-env-source",
                text!("`{text}` is no env_source", "`{text}` 不是有效的 env_source"),
            )
            .at(&written.node.span(), label)
            .help(text!("write `miniapp` or `qcloud`", "请写 `miniapp` 或 `qcloud`")),
        );
    }
}
