//! Two environments at one address could not be told apart in the state.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for (_, environment) in manifests.environments() {
        let Some(first) = seen.insert(environment.name, environment) else {
            continue;
        };
        // Twice in one mapping is a key that is there twice, which has been reported as such.
        if !first.container.is(environment.container) {
            problems.push(
                Diagnostic::error(
                    "duplicate-address",
                    format!("the address `{}` is used twice", environment.name),
                )
                .at(&environment.key.span(), "again")
                .at(&first.key.span(), "first here")
                .help("an address is unique over all files and documents"),
            );
        }
        seen.insert(environment.name, first);
    }
}
