//! `version`: each document says which format it is written in, so that a later format cannot be
//! taken for this one.

use crate::check::Options;
use crate::check::model::{Manifests, VERSION, is_newer};
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Value;

pub(super) fn missing(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for document in &manifests.documents {
        let place = match document.version {
            None => document.place.clone(),
            Some(entry) if matches!(entry.value.value(), Value::Null) => entry.key.span(),
            Some(_) => continue,
        };
        let message = if document.root.is_empty() {
            "this document says nothing, not even its version"
        } else {
            "this document does not say its version"
        };
        problems.push(
            Diagnostic::error("missing-version", message)
                .at(&place, "no `version` here")
                .help("every document begins with `version: 1`"),
        );
    }
}

pub(super) fn unsupported(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for document in &manifests.documents {
        let Some(entry) = document.version else {
            continue;
        };
        let place = entry.value.span();
        match entry.value.value() {
            // Nothing at all is a version that is missing.
            Value::Null | Value::Number(VERSION) => {}
            Value::Number(number) if is_newer(Some(entry)) => problems.push(
                Diagnostic::error(
                    "unsupported-version",
                    format!("version {number} of the manifest format is newer than this postpay"),
                )
                .at(&place, "this postpay knows version 1")
                .help("use a newer postpay; nothing else in this document was checked"),
            ),
            Value::Text(VERSION) => problems.push(
                unsupported_at(&place).help("it is a number: write `version: 1` without quotes"),
            ),
            Value::Number(_)
            | Value::Text(_)
            | Value::Bool(_)
            | Value::Sequence(_)
            | Value::Mapping(_) => problems.push(unsupported_at(&place).help("write `version: 1`")),
        }
    }
}

fn unsupported_at(place: &Span) -> Diagnostic {
    Diagnostic::error(
        "unsupported-version",
        "there is no such version of the manifest format",
    )
    .at(place, "the version is the number 1")
}
