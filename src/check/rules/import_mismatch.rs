//! `import` says which environment it is. A field `env_id` that says otherwise leaves two of them to choose from.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let imported = environment.import.and_then(|import| import.env_id);
        let (Some(imported), Some(field)) = (imported, manifests.get(environment, postpay::ENV_ID)) else {
            continue;
        };
        let (Some(ours), Some(theirs)) = (imported.text, manifests.text(environment, postpay::ENV_ID)) else {
            continue;
        };
        if ours == theirs {
            continue;
        }
        let name = environment.name;
        let problem = Diagnostic::error(
            "import-mismatch",
            text!(
                "`{name}` imports `{ours}`, and has the `env_id` `{theirs}`",
                "`{name}` 导入的是 `{ours}`，而它的 `env_id` 是 `{theirs}`"
            ),
        )
        .at(&imported.node.span(), text!("this one is imported", "导入的是这个环境"));
        problems.push(
            environment
                .mark(
                    problem,
                    &field,
                    text!("and this one is to be switched", "要转为按量付费的却是这个环境"),
                )
                .help(text!(
                    "an environment that is imported needs no `env_id` beside its `import`",
                    "导入的环境有 `import` 即可，不需要再写 `env_id`"
                )),
        );
    }
}
