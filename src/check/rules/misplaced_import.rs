//! An import names one environment, which can't be what all environments of a document have.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for key in &manifests.misplaced_imports {
        problems.push(
            Diagnostic::error(
                "misplaced-import",
                text!("`import` stands under `defaults`", "`import` 写在了 `defaults` 下"),
            )
            .at(&key.span(), text!("not here", "不能写在这里"))
            .help(text!(
                "write it into the environment that is to be adopted: an import is of one alone",
                "请写到要纳管的那个环境里：一个 `import` 只对应一个环境"
            )),
        );
    }
}
