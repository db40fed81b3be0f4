//! A document without environments orders nothing, which is seldom what it was written for.

use crate::check::Options;
use crate::check::model::{Manifests, is_newer};
use crate::diagnostic::Diagnostic;
use crate::manifest::Value;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for document in &manifests.documents {
        if is_newer(document.version) || document.root.is_empty() {
            continue;
        }
        let empty =
            document
                .root
                .get("environments")
                .is_none_or(|entry| match entry.value.value() {
                    Value::Null => true,
                    Value::Mapping(environments) => environments.is_empty(),
                    // Of a wrong type, which its own rule reports.
                    Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Sequence(_) => {
                        false
                    }
                });
        if !empty {
            continue;
        }
        let place = document
            .environments_key
            .map_or_else(|| document.place.clone(), crate::manifest::Node::span);
        problems.push(
            Diagnostic::warning(
                "empty-environments",
                "this document declares no environment",
            )
            .at(&place, "")
            .help("environments stand under `environments`, each under its address")
            .help("`defaults` and anchors hold for their own document alone"),
        );
    }
}
