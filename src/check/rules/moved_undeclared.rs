//! A move to an address that nothing declares would leave the environment to be given up there.

use std::collections::HashSet;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::{meant, nearest};
use crate::diagnostic::Diagnostic;
use crate::lang::text;

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
    let left: HashSet<&str> = manifests.whole_moves().map(|(_, from, _)| from.text).collect();
    // Moved and forgotten is another rule's.
    let removed: HashSet<&str> = manifests.removed.iter().map(|name| name.text).collect();
    for (_, from, to) in manifests.whole_moves() {
        let address = to.text;
        if declared.contains_key(address) || left.contains(address) || removed.contains(address) {
            continue;
        }
        compared += names.len();
        let near = (compared <= COMPARED)
            .then(|| nearest(address, &names))
            .flatten()
            .filter(|near| *near != from.text);
        let label = near.map_or_else(|| text!("nothing is declared here", "这里没有任何声明"), meant);
        problems.push(
            Diagnostic::error(
                "moved-undeclared",
                text!(
                    "the move to `{address}` ends where nothing is declared",
                    "移动的终点 `{address}` 没有声明"
                ),
            )
            .at(&to.node.span(), label)
            .help(text!(
                "declare the environment under `environments` as `{address}`",
                "在 `environments` 下以 `{address}` 声明该环境"
            ))
            .help(text!(
                "to have an environment forgotten, list the address that it has under `removed` instead",
                "如果不再管理该环境，请改为把它现在的地址列入 `removed`"
            )),
        );
    }
}
