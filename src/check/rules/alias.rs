//! The alias: "要以a-z开头,不能包含 a-z,0-9,- 以外的字符".

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::{Field, is_alias};
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(Field::Alias) {
        if is_alias(text) {
            continue;
        }
        problems.push(
            Diagnostic::error("invalid-alias", format!("`{text}` is not an alias"))
                .at(&written.node.span(), "")
                .help("an alias starts with a-z and holds a-z, 0-9 and `-`")
                .help("any name is possible as `env_alias`"),
        );
    }
}
