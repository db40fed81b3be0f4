//! A move to an address that nothing declares would leave the environment to be given up there.

use std::collections::HashSet;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::nearest;
use crate::diagnostic::Diagnostic;

/// So many names are compared with what may be a slip of one, and no more: a look along all of them for every move would
/// not be linear.
const COMPARED: usize = 20_000;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    // In what could not be read, it may be declared.
    if manifests.moves.is_empty() || manifests.unread {
        return;
    }
    let declared = manifests.declared();
    let names: Vec<&str> = manifests.environments().map(|(_, it)| it.name).collect();
    let mut compared = 0;
    let left: HashSet<&str> = manifests
        .whole_moves()
        .map(|(_, from, _)| from.text)
        .collect();
    // Moved and forgotten is another rule's.
    let removed: HashSet<&str> = manifests.removed.iter().map(|name| name.text).collect();
    for (_, from, to) in manifests.whole_moves() {
        let text = to.text;
        if declared.contains_key(text) || left.contains(text) || removed.contains(text) {
            continue;
        }
        compared += names.len();
        let near = (compared <= COMPARED)
            .then(|| nearest(text, &names))
            .flatten()
            .filter(|near| *near != from.text);
        let label = near.map_or_else(
            || "nothing is declared here".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        problems.push(
            Diagnostic::error(
                "moved-undeclared",
                format!("the move to `{text}` ends where nothing is declared"),
            )
            .at(&to.node.span(), label)
            .help(format!(
                "declare the environment under `environments` as `{text}`"
            ))
            .help("to have an environment forgotten, list the address that it has under `removed` instead"),
        );
    }
}
