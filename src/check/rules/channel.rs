//! Which values `channel` may have depends on `env_source`.

use crate::check::Options;
use crate::check::model::{Content, Manifests};
use crate::check::near::{list, meant, nearest};
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let (Some(env_source), Some(channel)) =
            (manifests.get(environment, postpay::ENV_SOURCE), manifests.get(environment, postpay::CHANNEL))
        else {
            continue;
        };
        let (Content::Text(source), Content::Text(text)) = (env_source.content, channel.content) else {
            continue;
        };
        // Where it is neither, its own rule says so.
        let Some(allowed) = postpay::KIND.values_beside("channel", "env_source", source) else {
            continue;
        };
        if allowed.contains(&text) || text.trim().is_empty() {
            continue;
        }
        let mut problem = Diagnostic::error(
            "invalid-channel",
            text!(
                "`{text}` is not a channel of env_source `{source}`",
                "`{text}` 不是 env_source `{source}` 的 channel"
            ),
        );
        let label = nearest(text, allowed).map(meant).unwrap_or_default();
        problem = if channel.inherited && !env_source.inherited {
            environment
                .mark(
                    problem,
                    &env_source,
                    text!("does not go with the inherited channel", "与继承来的 channel 不匹配"),
                )
                .at(&channel.node.span(), label)
        } else {
            problem
                .at(&channel.node.span(), label)
                .at(&env_source.node.span(), text!("because of this", "由这里决定"))
        };
        let allowed = list(allowed);
        problems.push(
            problem.help(text!("channels of {source}: {allowed}", "{source} 可用的 channel：{allowed:#}")),
        );
    }
}
