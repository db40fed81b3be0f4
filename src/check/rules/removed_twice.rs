//! What is forgotten twice is forgotten once; the other was perhaps meant to be another one.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for name in &manifests.removed {
        let Some(first) = seen.insert(name.text, name.node) else {
            continue;
        };
        seen.insert(name.text, first);
        problems.push(
            Diagnostic::warning(
                "removed-twice",
                format!("`{}` is listed twice to be forgotten", name.text),
            )
            .at(&name.node.span(), "again")
            .at(&first.span(), "first here")
            .help("once is enough"),
        );
    }
}
