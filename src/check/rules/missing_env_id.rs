//! An import without an id adopts nothing, and what adopts nothing must not be ordered instead.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let Some(import) = environment.import else {
            continue;
        };
        if !import.shaped || import.env_id.is_some() {
            continue;
        }
        problems.push(
            Diagnostic::error(
                "missing-env-id",
                text!("this import has no `env_id`", "这个 `import` 没有 `env_id`"),
            )
            .at(&import.key.span(), text!("which environment?", "是哪个环境？"))
            .help(text!(
                "give the id of the environment: `import: {{env_id: shop-prod-1a2b3c}}`",
                "写明环境 ID：`import: {{env_id: shop-prod-1a2b3c}}`"
            )),
        );
    }
}
