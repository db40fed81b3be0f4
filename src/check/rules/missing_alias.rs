//! Without an alias, a create whose answer was lost cannot be recognised; `guard.require_alias: false` allows it.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, options: Options, problems: &mut Vec<Diagnostic>) {
    if !options.require_alias {
        return;
    }
    for (_, environment) in manifests.environments() {
        let has = |field| manifests.get(environment, field).is_some();
        let was_moved = || {
            let mut moves = manifests.whole_moves();
            moves.any(|(_, from, to)| to.text == environment.name && manifests.recorded.contains(from.text))
        };
        let is_there =
            environment.import.is_some() || manifests.recorded.contains(environment.name) || was_moved();
        if is_there || !environment.shaped || has(postpay::ENV_ID) || has(postpay::ALIAS) {
            continue;
        }
        let name = environment.name;
        problems.push(
            Diagnostic::error("missing-alias", text!("`{name}` has no `alias`", "`{name}` 没有 `alias`"))
                .at(&environment.key.span(), text!("`alias` is missing", "缺少 `alias`"))
                .help(text!(
                    "without an alias, a create whose answer was lost cannot be recognised in the account",
                    "没有别名，丢失应答的创建就无法在账号中辨认"
                ))
                .help(text!(
                    "to allow it all the same, set `guard: {{require_alias: false}}` in postpay.yaml",
                    "如仍要允许，请在 postpay.yaml 中设置 `guard: {{require_alias: false}}`"
                )),
        );
    }
}
