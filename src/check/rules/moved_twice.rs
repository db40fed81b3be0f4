//! An environment stands at one address, and an address has one environment: so no two moves share an end.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut left = HashMap::new();
    let mut reached = HashMap::new();
    for (_, from, to) in manifests.whole_moves() {
        let (message, again, first) = match (left.get(from.text), reached.get(to.text)) {
            (Some(first), _) => (format!("`{}` is moved twice", from.text), from, *first),
            (None, Some(first)) => {
                let message = format!("two environments are moved to `{}`", to.text);
                (message, to, *first)
            }
            (None, None) => {
                left.insert(from.text, from);
                reached.insert(to.text, to);
                continue;
            }
        };
        problems.push(
            Diagnostic::error("moved-twice", message)
                .at(&again.node.span(), "again")
                .at(&first.node.span(), "first here")
                .help("an environment has one address, and an address one environment: take one of the two out"),
        );
    }
}
