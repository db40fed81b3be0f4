//! A move from an address to the same one: most often a rename that was written in one place only.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for moved in &manifests.moves {
        let Some((from, to)) = moved.ends() else {
            continue;
        };
        if from.text != to.text {
            continue;
        }
        problems.push(
            Diagnostic::error(
                "moved-to-itself",
                format!("`{}` is moved to itself", from.text),
            )
            .at(&to.node.span(), "the same address")
            .at(&from.node.span(), "as this")
            .help("`from` is the address that it had, `to` the one that it has now"),
        );
    }
}
