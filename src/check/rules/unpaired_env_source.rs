//! `env_source` and `channel`: "同时传,或者同时不传", both or neither.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let env_source = manifests.get(environment, postpay::ENV_SOURCE);
        let channel = manifests.get(environment, postpay::CHANNEL);
        let (there, lacking) = match (env_source, channel) {
            (Some(env_source), None) => (env_source, postpay::CHANNEL),
            (None, Some(channel)) => (channel, postpay::ENV_SOURCE),
            (None, None) | (Some(_), Some(_)) => continue,
        };
        let (name, has) = (environment.name, there.field);
        let problem = Diagnostic::error(
            "unpaired-env-source",
            text!("`{name}` has `{has}` without `{lacking}`", "`{name}` 有 `{has}`，却没有 `{lacking}`"),
        );
        problems.push(
            environment.mark(problem, &there, text!("`{lacking}` is missing", "缺少 `{lacking}`")).help(
                text!(
                    "`env_source` and `channel` are given together, or not at all",
                    "`env_source` 和 `channel` 要么都写，要么都不写"
                ),
            ),
        );
    }
}
