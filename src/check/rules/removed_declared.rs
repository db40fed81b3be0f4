//! What is forgotten and declared would be ordered a second time.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    if manifests.removed.is_empty() {
        return;
    }
    let declared = manifests.declared();
    for name in manifests.removed.iter().filter(|name| name.is_address()) {
        let Some(environment) = declared.get(name.text) else {
            continue;
        };
        problems.push(
            Diagnostic::error(
                "removed-declared",
                format!("`{}` is to be forgotten, and still declared", name.text),
            )
            .at(&name.node.span(), "to be forgotten")
            .at(&environment.key.span(), "declared here")
            .help(
                "to have it forgotten, take it out of `environments`; to keep it, out of `removed`",
            ),
        );
    }
}
