//! WeChat needs its AppId: "微信必传".

use crate::check::Options;
use crate::check::model::{Content, Manifests};
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        // What is imported is never ordered, and the account does not tell its AppId.
        let is_ordered = environment.import.is_none();
        if !is_ordered || manifests.get(environment, Field::WxAppId).is_some() {
            continue;
        }
        let because = [Field::EnvSource, Field::Source]
            .into_iter()
            .filter_map(|field| manifests.get(environment, field))
            .find(|value| matches!(value.content, Content::Text("miniapp")));
        let Some(because) = because else { continue };
        problems.push(
            Diagnostic::error(
                "missing-wx-app-id",
                format!("`{}` has no `wx_app_id`", environment.name),
            )
            .at(&environment.key.span(), "`wx_app_id` is missing")
            .at(&because.node.span(), "required by this")
            .help("with `source` or `env_source` `miniapp`, give the WeChat AppId as `wx_app_id`"),
        );
    }
}
