//! A move from an address to the same one: most often a rename that was written in one place only.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for moved in &manifests.moves {
        let Some((from, to)) = moved.ends() else {
            continue;
        };
        if from.text != to.text {
            continue;
        }
        let address = from.text;
        problems.push(
            Diagnostic::error(
                "moved-to-itself",
                text!("`{address}` is moved to itself", "`{address}` 被移动到它自身"),
            )
            .at(&to.node.span(), text!("the same address", "这个地址"))
            .at(&from.node.span(), text!("as this", "与这个相同"))
            .help(text!(
                "`from` is the address that it had, `to` the one that it has now",
                "`from` 是原来的地址，`to` 是现在的地址"
            )),
        );
    }
}
