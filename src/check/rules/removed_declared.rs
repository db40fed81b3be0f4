//! What is forgotten and declared would be ordered a second time.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    if manifests.removed.is_empty() {
        return;
    }
    let declared = manifests.declared();
    for name in manifests.removed.iter().filter(|name| name.is_address()) {
        let Some(environment) = declared.get(name.text) else {
            continue;
        };
        let address = name.text;
        problems.push(
            Diagnostic::error(
                "removed-declared",
                text!(
                    "`{address}` is to be forgotten, and still declared",
                    "`{address}` 要移出管理，却仍在声明中"
                ),
            )
            .at(&name.node.span(), text!("to be forgotten", "要移出管理"))
            .at(&environment.key.span(), text!("declared here", "在这里声明"))
            .help(text!(
                "to have it forgotten, take it out of `environments`; to keep it, out of `removed`",
                "要移出管理，请从 `environments` 中删去；要继续管理，请从 `removed` 中删去"
            )),
        );
    }
}
