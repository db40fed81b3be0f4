//! An alias is what an environment is found again by when an answer is lost; a project may insist.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, options: Options, problems: &mut Vec<Diagnostic>) {
    if !options.require_alias {
        return;
    }
    for (_, environment) in manifests.environments() {
        let has = |field| manifests.get(environment, field).is_some();
        let is_ordered = environment.import.is_none();
        if !is_ordered || !environment.shaped || has(Field::EnvId) || has(Field::Alias) {
            continue;
        }
        let name = environment.name;
        problems.push(
            Diagnostic::error(
                "missing-alias",
                text!("`{name}` has no `alias`", "`{name}` 没有 `alias`"),
            )
            .at(&environment.key.span(), text!("`alias` is missing", "缺少 `alias`"))
            .help(text!(
                "the project requires it (guard.require_alias): by its alias an environment is found again when the vendor's answer is lost",
                "本项目要求填写（guard.require_alias）：丢失腾讯云的应答时，要靠别名找回环境"
            )),
        );
    }
}
