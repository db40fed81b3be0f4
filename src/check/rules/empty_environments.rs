//! A document without environments orders nothing, which is seldom what it was written for, unless it moves or removes some.

use crate::check::Options;
use crate::check::model::{Manifests, is_newer};
use crate::diagnostic::Diagnostic;
use crate::lang::text;
use crate::manifest::{Mapping, Value};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for document in &manifests.documents {
        if is_newer(document.version) || document.root.is_empty() {
            continue;
        }
        let empty = document.root.get("environments").is_none_or(|entry| match entry.value.value() {
            Value::Null => true,
            Value::Mapping(environments) => environments.is_empty(),
            // Of a wrong type, which its own rule reports.
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Sequence(_) => false,
        });
        if !empty || lists_any(document.root, "moved") || lists_any(document.root, "removed") {
            continue;
        }
        let place =
            document.environments_key.map_or_else(|| document.place.clone(), crate::manifest::Node::span);
        problems.push(
            Diagnostic::warning(
                "empty-environments",
                text!("this document declares no environment", "该文档没有声明任何环境"),
            )
            .on(&place)
            .help(text!(
                "environments stand under `environments`, each under its address",
                "环境写在 `environments` 下，以各自的地址为键"
            ))
            .help(text!(
                "`defaults` and anchors hold for their own document alone",
                "`defaults` 和锚点只在所在文档内有效"
            )),
        );
    }
}

fn lists_any(root: Mapping<'_>, name: &str) -> bool {
    root.get(name).is_some_and(|entry| match entry.value.value() {
        Value::Null => false,
        Value::Sequence(items) => items.iter().next().is_some(),
        // Of a wrong type, which its own rule reports.
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Mapping(_) => true,
    })
}
