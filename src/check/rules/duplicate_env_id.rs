//! An environment that exists is switched once, so one address alone names it.

use std::collections::HashMap;

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for (_, environment) in manifests.environments() {
        let Some(env_id) = manifests.get(environment, Field::EnvId) else {
            continue;
        };
        let Some(text) = manifests.text(environment, Field::EnvId) else {
            continue;
        };
        let place = if env_id.inherited {
            environment.key
        } else {
            env_id.node
        };
        if let Some(first) = seen.get(text) {
            let first: &crate::manifest::Node<'_> = first;
            let problem = Diagnostic::error(
                "duplicate-env-id",
                format!("the environment `{text}` is named twice"),
            );
            problems.push(
                environment
                    .mark(problem, &env_id, "again")
                    .at(&first.span(), "first here")
                    .help("two orders for one environment would be paid twice"),
            );
        } else {
            seen.insert(text, place);
        }
    }
}
