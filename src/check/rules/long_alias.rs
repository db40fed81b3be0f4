//! The vendor's console takes 20 characters for an alias; the action's page gives no limit.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

const LONGEST: usize = 20;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(Field::Alias) {
        let length = text.chars().count();
        if length > LONGEST {
            problems.push(
                Diagnostic::warning(
                    "long-alias",
                    format!("this alias has {length} characters, the vendor may refuse it"),
                )
                .at(&written.node.span(), "")
                .help(format!("{LONGEST} characters are safe")),
            );
        }
    }
}
