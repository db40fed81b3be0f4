//! Which values `channel` may have depends on `env_source`.

use crate::check::Options;
use crate::check::model::{Content, Manifests};
use crate::check::near::{list, nearest};
use crate::desired::{Field, channels};
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        let (Some(env_source), Some(channel)) = (
            manifests.get(environment, Field::EnvSource),
            manifests.get(environment, Field::Channel),
        ) else {
            continue;
        };
        let (Content::Text(source), Content::Text(text)) = (env_source.content, channel.content)
        else {
            continue;
        };
        // Where it is neither, its own rule says so.
        let Some(allowed) = channels(source) else {
            continue;
        };
        if allowed.contains(&text) || text.trim().is_empty() {
            continue;
        }
        let mut problem = Diagnostic::error(
            "invalid-channel",
            format!("`{text}` is no channel of env_source `{source}`"),
        );
        let label = nearest(text, allowed)
            .map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        problem = if channel.inherited && !env_source.inherited {
            environment
                .mark(
                    problem,
                    &env_source,
                    "does not go with the inherited channel",
                )
                .at(&channel.node.span(), label)
        } else {
            problem
                .at(&channel.node.span(), label)
                .at(&env_source.node.span(), "because of this")
        };
        problems.push(problem.help(format!("channels of {source}: {}", list(allowed))));
    }
}
