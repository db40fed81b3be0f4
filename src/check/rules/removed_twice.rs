//! What is forgotten twice is forgotten once; the other was perhaps meant to be another one.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for name in &manifests.removed {
        let Some(first) = seen.insert(name.text, name.node) else {
            continue;
        };
        seen.insert(name.text, first);
        let address = name.text;
        problems.push(
            Diagnostic::warning(
                "removed-twice",
                text!("`{address}` is listed twice to be forgotten", "`{address}` 在 `removed` 中列了两次"),
            )
            .at(&name.node.span(), text!("again", "再次出现"))
            .at(&first.span(), text!("first here", "首次出现在这里"))
            .help(text!("once is enough", "写一次即可")),
        );
    }
}
