//! `import` says which environment it is. A field `env_id` that says otherwise leaves two of them to choose from.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let imported = environment.import.and_then(|import| import.env_id);
        let (Some(imported), Some(field)) = (imported, manifests.get(environment, Field::EnvId))
        else {
            continue;
        };
        let (Some(ours), Some(theirs)) = (imported.text, manifests.text(environment, Field::EnvId))
        else {
            continue;
        };
        if ours == theirs {
            continue;
        }
        let problem = Diagnostic::error(
            "import-mismatch",
            format!(
                "`{}` imports `{ours}`, and has the `env_id` `{theirs}`",
                environment.name
            ),
        )
        .at(&imported.node.span(), "this one is imported");
        problems.push(
            environment
                .mark(problem, &field, "and this one is to be switched")
                .help("an environment that is imported needs no `env_id` beside its `import`"),
        );
    }
}
