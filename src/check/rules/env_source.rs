//! `env_source` decides which channels there are, so it is one of the two that the vendor names.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::nearest;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(Field::EnvSource) {
        let known = ["miniapp", "qcloud"];
        if known.contains(&text) {
            continue;
        }
        let label = nearest(text, &known)
            .map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        problems.push(
            Diagnostic::error("invalid-env-source", format!("`{text}` is no env_source"))
                .at(&written.node.span(), label)
                .help("write `miniapp` or `qcloud`"),
        );
    }
}
