//! An address that is both moved and forgotten: which of the two its environment meets can't be told.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    if manifests.removed.is_empty() {
        return;
    }
    let mut ends = HashMap::new();
    for (_, from, to) in manifests.whole_moves() {
        ends.entry(from.text).or_insert((from, text!("moved from here", "从这里移走")));
        ends.entry(to.text).or_insert((to, text!("moved to here", "移动到这里")));
    }
    for name in &manifests.removed {
        let Some((end, how)) = ends.get(name.text) else {
            continue;
        };
        let address = name.text;
        problems.push(
            Diagnostic::error(
                "removed-moved",
                text!("`{address}` is to be forgotten, and moved", "`{address}` 既要移出管理，又要移动"),
            )
            .at(&name.node.span(), text!("to be forgotten", "要移出管理"))
            .at(&end.node.span(), how.clone())
            .help(text!(
                "to have the environment forgotten, list the address that it has now, and take the move out",
                "要把环境移出管理，请列出它现在的地址，并删去这次移动"
            )),
        );
    }
}
