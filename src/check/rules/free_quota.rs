//! `free_quota` has one level. "目前只能为“basic”".

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::manifest::Value;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        if written.field != Field::FreeQuota {
            continue;
        }
        let Value::Text(text) = written.node.value() else {
            continue;
        };
        if text.is_empty() || text == "basic" {
            continue;
        }
        problems.push(
            Diagnostic::error(
                "invalid-free-quota",
                format!("`{text}` is no level of free quota"),
            )
            .at(&written.node.span(), "")
            .help("write `basic`, or leave `free_quota` out for none"),
        );
    }
}
