//! Without `env_id` the vendor creates the environment, and has to know for whom: "EnvId 为空时必传".

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let has = |field| manifests.get(environment, field).is_some();
        // What is imported is never ordered, and the account does not tell how it once was.
        let is_ordered = environment.import.is_none();
        // One of the two without the other is another rule's.
        let either = has(postpay::ENV_SOURCE) || has(postpay::CHANNEL);
        if !is_ordered || !environment.shaped || has(postpay::ENV_ID) || either {
            continue;
        }
        let name = environment.name;
        problems.push(
            Diagnostic::error(
                "missing-env-source",
                text!(
                    "`{name}` has neither `env_id` nor `env_source`",
                    "`{name}` 既没有 `env_id`，也没有 `env_source`"
                ),
            )
            .at(&environment.key.span(), text!("how is it to be created?", "要如何创建？"))
            .help(text!(
                "to have an environment created, give `env_source` and `channel`, here or under `defaults`",
                "要新建环境，请在这里或 `defaults` 下写明 `env_source` 和 `channel`"
            ))
            .help(text!(
                "to switch an environment that exists to pay-as-you-go, give its `env_id`",
                "要把已有环境转为按量付费，请写明它的 `env_id`"
            ))
            .help(text!(
                "to adopt one that exists and order nothing, write `import: {{env_id: …}}`",
                "要纳管已有环境而不订购，请写 `import: {{env_id: …}}`"
            )),
        );
    }
}
