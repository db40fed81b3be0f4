//! A move has two ends. Half a move would leave an environment to be ordered once more under its new address.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::list;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for moved in &manifests.moves {
        let ends = [("from", moved.from), ("to", moved.to)];
        let missing: Vec<&str> =
            ends.into_iter().filter(|(_, end)| end.is_none()).map(|(name, _)| name).collect();
        if missing.is_empty() {
            continue;
        }
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let missing = list(&missing);
        problems.push(
            Diagnostic::error(
                "incomplete-move",
                text!("this move lacks one of its ends", "这次移动的两端没有写全"),
            )
            .at(&moved.node.span(), text!("{missing} {verb} missing", "缺少 {missing:#}"))
            .help(text!(
                "write the address that it had and the one that it has now: `{{from: shop, to: shop-prod}}`",
                "写明原来的地址和现在的地址：`{{from: shop, to: shop-prod}}`"
            )),
        );
    }
}
