//! An alias tells environments apart when an answer is lost, so none that is created shares its own with another that is
//! created, or that is imported: that one is in the account too.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for (_, environment) in manifests.environments() {
        let is_switched = manifests.get(environment, Field::EnvId).is_some();
        if is_switched && environment.import.is_none() {
            continue;
        }
        let Some(alias) = manifests.get(environment, Field::Alias) else {
            continue;
        };
        let Some(text) = manifests.text(environment, Field::Alias) else {
            continue;
        };
        let place = if alias.inherited {
            environment.key
        } else {
            alias.node
        };
        if let Some(first) = seen.get(text) {
            let first: &crate::manifest::Node<'_> = first;
            let problem = Diagnostic::error(
                "duplicate-alias",
                format!("the alias `{text}` is used twice"),
            );
            problems.push(
                environment
                    .mark(problem, &alias, "again")
                    .at(&first.span(), "first here")
                    .help("environments that the vendor creates, and those that are imported, need aliases of their own"),
            );
        } else {
            seen.insert(text, place);
        }
    }
}
