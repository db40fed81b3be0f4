//! The vendor gives no closed list for `source`, so another value is worth a word and no more.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::{meant, nearest};
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

const KNOWN: [&str; 2] = ["miniapp", "qcloud"];

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(postpay::SOURCE) {
        if KNOWN.contains(&text) {
            continue;
        }
        let label = nearest(text, &KNOWN).map(meant).unwrap_or_default();
        problems.push(
            Diagnostic::warning(
                "unknown-source",
                text!(
                    "`{text}` is no source that the vendor names",
                    "`{text}` 不是腾讯云文档中列出的 source"
                ),
            )
            .at(&written.node.span(), label)
            .help(text!(
                "known: `miniapp` and `qcloud`; it is sent as it stands",
                "已知的有 `miniapp` 和 `qcloud`；该值会原样发送"
            )),
        );
    }
}
