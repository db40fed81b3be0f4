//! An address that is both moved and forgotten: which of the two its environment meets can't be told.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    if manifests.removed.is_empty() {
        return;
    }
    let mut ends = HashMap::new();
    for (_, from, to) in manifests.whole_moves() {
        ends.entry(from.text).or_insert((from, "moved from here"));
        ends.entry(to.text).or_insert((to, "moved to here"));
    }
    for name in &manifests.removed {
        let Some((end, how)) = ends.get(name.text) else {
            continue;
        };
        problems.push(
            Diagnostic::error(
                "removed-moved",
                format!("`{}` is to be forgotten, and moved", name.text),
            )
            .at(&name.node.span(), "to be forgotten")
            .at(&end.node.span(), *how)
            .help("to have the environment forgotten, list the address that it has now, and take the move out"),
        );
    }
}
