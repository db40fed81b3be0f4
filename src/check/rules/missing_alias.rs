//! An alias is what an environment is found again by when an answer is lost; a project may insist.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, options: Options, problems: &mut Vec<Diagnostic>) {
    if !options.require_alias {
        return;
    }
    for (_, environment) in manifests.environments() {
        let has = |field| manifests.get(environment, field).is_some();
        let is_ordered = environment.import.is_none();
        if !is_ordered || !environment.shaped || has(Field::EnvId) || has(Field::Alias) {
            continue;
        }
        problems.push(
            Diagnostic::error(
                "missing-alias",
                format!("`{}` has no `alias`", environment.name),
            )
            .at(&environment.key.span(), "`alias` is missing")
            .help("the project requires it (guard.require_alias): by its alias an environment is found again when the vendor's answer is lost"),
        );
    }
}
