//! An import without an id adopts nothing, and what adopts nothing must not be ordered instead.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let Some(import) = environment.import else {
            continue;
        };
        if !import.shaped || import.env_id.is_some() {
            continue;
        }
        problems.push(
            Diagnostic::error("missing-env-id", "this import has no `env_id`")
                .at(&import.key.span(), "which environment?")
                .help("give the id of the environment: `import: {env_id: shop-prod-1a2b3c}`"),
        );
    }
}
