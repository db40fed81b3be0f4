//! `version`: every document says which format it is in, so that a later format cannot be taken for this one.

use crate::diagnostic::{Diagnostic, Span};
use crate::lang::text;
use crate::manifest::{Entry, Mapping, Node, Value as Yaml};

/// The version of the formats that this is.
const VERSION: &str = "1";

/// Checks the version of a document. Returns whether it is a newer one: then nothing else in it can be read.
pub(crate) fn check(root: Mapping<'_>, node: Node<'_>, problems: &mut Vec<Diagnostic>) -> bool {
    let Some(entry) = root.get("version") else {
        problems.push(missing(&node.span()));
        return false;
    };
    let newer = is_newer(entry);
    let no_such = Diagnostic::error(
        "unsupported-version",
        text!("unknown version of this format", "该格式没有这个版本"),
    )
    .at(&entry.value.span(), text!("the version must be 1", "版本应为数字 1"));
    problems.push(match entry.value.value() {
        Yaml::Null => missing(&entry.key.span()),
        Yaml::Number(VERSION) => return false,
        Yaml::Number(number) if newer => Diagnostic::error(
            "unsupported-version",
            text!("version {number} needs a newer postpay", "该格式的版本 {number} 比当前的 postpay 新"),
        )
        .at(&entry.value.span(), text!("this postpay supports version 1", "当前的 postpay 只支持版本 1"))
        .help(text!(
            "use a newer postpay; nothing else in this document was checked",
            "请使用更新的 postpay；该文档的其余内容没有检查"
        )),
        Yaml::Text(VERSION) => {
            no_such.help(text!("write `version: 1` without quotes", "它是数字：请写 `version: 1`，不加引号"))
        }
        Yaml::Number(_) | Yaml::Text(_) | Yaml::Bool(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
            no_such.help(text!("write `version: 1`", "请写 `version: 1`"))
        }
    });
    newer
}

/// Reports a document without a version.
pub(crate) fn missing(place: &Span) -> Diagnostic {
    Diagnostic::error("missing-version", text!("missing `version`", "缺少 `version`"))
        .at(place, text!("no `version` here", "这里没有 `version`"))
        .help(text!("every document begins with `version: 1`", "每个文档都以 `version: 1` 开头"))
}

/// A whole number above [`VERSION`].
fn is_newer(entry: Entry<'_>) -> bool {
    match entry.value.value() {
        Yaml::Number(number) => number.parse::<u64>().is_ok_and(|number| number > 1),
        Yaml::Null | Yaml::Bool(_) | Yaml::Text(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => false,
    }
}
