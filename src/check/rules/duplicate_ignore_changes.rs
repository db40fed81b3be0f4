//! A field that is ignored twice is ignored once; the other was perhaps meant to be another one.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for lifecycle in &manifests.lifecycles {
        let mut seen = HashMap::new();
        for ignored in lifecycle.ignored() {
            let Some(first) = seen.insert(ignored.text, ignored.node) else {
                continue;
            };
            seen.insert(ignored.text, first);
            let field = ignored.text;
            problems.push(
                Diagnostic::warning(
                    "duplicate-ignore-changes",
                    text!("`{field}` is ignored twice", "`{field}` 被忽略了两次"),
                )
                .at(&ignored.node.span(), text!("again", "再次出现"))
                .at(&first.span(), text!("first here", "首次出现在这里"))
                .help(text!("once is enough", "写一次即可")),
            );
        }
    }
}
