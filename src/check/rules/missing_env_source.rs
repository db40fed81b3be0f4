//! Without `env_id` the vendor creates the environment, and has to know for whom: "EnvId 为空时必传".

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let has = |field| manifests.get(environment, field).is_some();
        // What is imported is never ordered, and the account does not tell how it once was.
        let is_ordered = environment.import.is_none();
        // One of the two without the other is another rule's.
        let either = has(Field::EnvSource) || has(Field::Channel);
        if !is_ordered || !environment.shaped || has(Field::EnvId) || either {
            continue;
        }
        problems.push(
            Diagnostic::error(
                "missing-env-source",
                format!("`{}` has neither `env_id` nor `env_source`", environment.name),
            )
            .at(&environment.key.span(), "how is it to be created?")
            .help("to have an environment created, give `env_source` and `channel`, here or under `defaults`")
            .help("to switch an environment that exists to pay-as-you-go, give its `env_id`")
            .help("to adopt one that exists and order nothing, write `import: {env_id: …}`"),
        );
    }
}
