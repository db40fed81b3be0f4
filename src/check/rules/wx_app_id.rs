//! WeChat needs its AppId: "微信必传".

use crate::check::Options;
use crate::check::model::{Content, Manifests};
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (_, environment) in manifests.environments() {
        // What is imported is never ordered, and the account does not tell its AppId.
        let is_ordered = environment.import.is_none();
        if !is_ordered || manifests.get(environment, postpay::WX_APP_ID).is_some() {
            continue;
        }
        let because = [postpay::ENV_SOURCE, postpay::SOURCE]
            .into_iter()
            .filter_map(|field| manifests.get(environment, field))
            .find(|value| matches!(value.content, Content::Text("miniapp")));
        let Some(because) = because else { continue };
        let name = environment.name;
        problems.push(
            Diagnostic::error(
                "missing-wx-app-id",
                text!("`{name}` has no `wx_app_id`", "`{name}` 没有 `wx_app_id`"),
            )
            .at(&environment.key.span(), text!("`wx_app_id` is missing", "缺少 `wx_app_id`"))
            .at(&because.node.span(), text!("required by this", "这里要求填写"))
            .help(text!(
                "with `source` or `env_source` `miniapp`, give the WeChat AppId as `wx_app_id`",
                "`source` 或 `env_source` 为 `miniapp` 时，请用 `wx_app_id` 写明微信 AppId"
            )),
        );
    }
}
