//! What is declared at the old address would be ordered anew, once the environment that stood there is moved.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    if manifests.moves.is_empty() {
        return;
    }
    let declared = manifests.declared();
    for (_, from, to) in manifests.whole_moves() {
        let Some(environment) = declared.get(from.text) else {
            continue;
        };
        problems.push(
            Diagnostic::error(
                "moved-declared",
                format!("`{}` is moved, and still declared", from.text),
            )
            .at(&from.node.span(), "moved from here")
            .at(&environment.key.span(), "declared here")
            .help(format!(
                "if it was renamed, declare it as `{}` alone; if it was not, take the move out",
                to.text
            ))
            .help(format!(
                "to declare a new environment as `{}`, carry the move out first, and then take it out",
                from.text
            )),
        );
    }
}
