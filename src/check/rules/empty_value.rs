//! An empty string would be sent as one, and the vendor does not say what that means.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::desired::Field;
use crate::diagnostic::Diagnostic;
use crate::manifest::Value;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for written in &manifests.fields {
        // The vendor does say it of the free quota: empty means none.
        if written.field == Field::FreeQuota {
            continue;
        }
        if matches!(written.node.value(), Value::Text(text) if text.trim().is_empty()) {
            problems.push(
                Diagnostic::error("empty-value", format!("`{}` is empty", written.field))
                    .at(&written.node.span(), "")
                    .help("leave the field out, or write `null` to take a default away"),
            );
        }
    }
    for id in &manifests.imported_ids {
        if id.text.is_some_and(|text| text.trim().is_empty()) {
            let help = match id.name {
                "tran_id" => "leave it out where the order's number is not known",
                _ => "give the id of the environment that is to be adopted",
            };
            problems.push(
                Diagnostic::error("empty-value", format!("`{}` is empty", id.name))
                    .at(&id.node.span(), "")
                    .help(help),
            );
        }
    }
}
