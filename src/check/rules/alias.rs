//! The alias: "要以a-z开头,不能包含 a-z,0-9,- 以外的字符".

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::kinds::postpay;
use crate::lang::text;
use crate::model::is_alias;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(postpay::ALIAS) {
        if is_alias(text) {
            continue;
        }
        problems.push(
            Diagnostic::error("invalid-alias", text!("`{text}` is not an alias", "`{text}` 不是有效的别名"))
                .on(&written.node.span())
                .help(text!(
                    "an alias starts with a-z and holds a-z, 0-9 and `-`",
                    "别名以 a-z 开头，只能包含 a-z、0-9 和 `-`"
                ))
                .help(text!("any name is possible as `env_alias`", "`env_alias` 可以用任意名称")),
        );
    }
}
