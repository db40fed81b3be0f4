//! A field that is ignored twice is ignored once; the other was perhaps meant to be another one.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for lifecycle in &manifests.lifecycles {
        let mut seen = HashMap::new();
        for ignored in lifecycle.ignored() {
            let Some(first) = seen.insert(ignored.text, ignored.node) else {
                continue;
            };
            seen.insert(ignored.text, first);
            problems.push(
                Diagnostic::warning(
                    "duplicate-ignore-changes",
                    format!("`{}` is ignored twice", ignored.text),
                )
                .at(&ignored.node.span(), "again")
                .at(&first.span(), "first here")
                .help("once is enough"),
            );
        }
    }
}
