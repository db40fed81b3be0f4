//! The vendor gives no closed list for `source`, so another value is worth a word and no more.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::check::near::nearest;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;

const KNOWN: [&str; 2] = ["miniapp", "qcloud"];

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for (written, text) in manifests.texts(Field::Source) {
        if KNOWN.contains(&text) {
            continue;
        }
        let label = nearest(text, &KNOWN)
            .map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        problems.push(
            Diagnostic::warning(
                "unknown-source",
                format!("`{text}` is no source that the vendor names"),
            )
            .at(&written.node.span(), label)
            .help("known: `miniapp` and `qcloud`; it is sent as it stands"),
        );
    }
}
