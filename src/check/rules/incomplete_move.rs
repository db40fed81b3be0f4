//! A move has two ends. Half a move would leave an environment to be ordered once more under its new address.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::list;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for moved in &manifests.moves {
        let ends = [("from", moved.from), ("to", moved.to)];
        let missing: Vec<&str> = ends
            .into_iter()
            .filter(|(_, end)| end.is_none())
            .map(|(name, _)| name)
            .collect();
        if missing.is_empty() {
            continue;
        }
        let verb = if missing.len() == 1 { "is" } else { "are" };
        problems.push(
            Diagnostic::error("incomplete-move", "this move has not both of its ends")
                .at(
                    &moved.node.span(),
                    format!("{} {verb} missing", list(&missing)),
                )
                .help("write the address that it had and the one that it has now: `{from: shop, to: shop-prod}`"),
        );
    }
}
