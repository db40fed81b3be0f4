//! `version`: each document says which format it is written in, so that a later format cannot be
//! taken for this one.

use crate::check::Options;
use crate::check::model::{Manifests, VERSION, is_newer};
use crate::diagnostic::{Diagnostic, Span};
use crate::lang::text;
use crate::manifest::Value;

pub(super) fn missing(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for document in &manifests.documents {
        let place = match document.version {
            None => document.place.clone(),
            Some(entry) if matches!(entry.value.value(), Value::Null) => entry.key.span(),
            Some(_) => continue,
        };
        let message = if document.root.is_empty() {
            text!("this document says nothing, not even its version", "该文档没有任何内容，连版本也没有写")
        } else {
            text!("this document does not say its version", "该文档没有写明版本")
        };
        problems.push(
            Diagnostic::error("missing-version", message)
                .at(&place, text!("no `version` here", "这里没有 `version`"))
                .help(text!("every document begins with `version: 1`", "每个文档都以 `version: 1` 开头")),
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
                    text!(
                        "version {number} of the manifest format is newer than this postpay",
                        "清单格式的版本 {number} 比当前的 postpay 新"
                    ),
                )
                .at(&place, text!("this postpay knows version 1", "当前的 postpay 只支持版本 1"))
                .help(text!(
                    "use a newer postpay; nothing else in this document was checked",
                    "请使用更新的 postpay；该文档的其余内容没有检查"
                )),
            ),
            Value::Text(VERSION) => problems.push(unsupported_at(&place).help(text!(
                "it is a number: write `version: 1` without quotes",
                "它是数字：请写 `version: 1`，不加引号"
            ))),
            Value::Number(_) | Value::Text(_) | Value::Bool(_) | Value::Sequence(_) | Value::Mapping(_) => {
                problems.push(unsupported_at(&place).help(text!("write `version: 1`", "请写 `version: 1`")));
            }
        }
    }
}

fn unsupported_at(place: &Span) -> Diagnostic {
    Diagnostic::error(
        "unsupported-version",
        text!("there is no such version of the manifest format", "清单格式没有这个版本"),
    )
    .at(place, text!("the version is the number 1", "版本应为数字 1"))
}
