//! An import names one environment, which can't be what all environments of a document have.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for key in &manifests.misplaced_imports {
        problems.push(
            Diagnostic::error("misplaced-import", "`import` stands under `defaults`")
                .at(&key.span(), "not here")
                .help("write it into the environment that is to be adopted: an import is of one alone"),
        );
    }
}
