//! `version`: every document says which format it is in, so that a later format cannot be taken for this one.

use crate::diagnostic::{Diagnostic, Span};
use crate::i18n::text;
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
    let no_such = Diagnostic::error("unsupported-version", text!("unknown version of this format"))
        .at(&entry.value.span(), text!("the version must be 1"));
    problems.push(match entry.value.value() {
        Yaml::Null => missing(&entry.key.span()),
        Yaml::Number(VERSION) => return false,
        Yaml::Number(number) if newer => {
            Diagnostic::error("unsupported-version", text!("version {number} needs a newer postpay", number))
                .at(&entry.value.span(), text!("this postpay supports version 1"))
                .help(text!("use a newer postpay; nothing else in this document was checked"))
        }
        Yaml::Text(VERSION) => no_such.help(text!("write `version: 1` without quotes")),
        Yaml::Number(_) | Yaml::Text(_) | Yaml::Bool(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => {
            no_such.help(text!("write `version: 1`"))
        }
    });
    newer
}

/// Reports a document without a version.
pub(crate) fn missing(place: &Span) -> Diagnostic {
    Diagnostic::error("missing-version", text!("missing `version`"))
        .at(place, text!("no `version` here"))
        .help(text!("every document begins with `version: 1`"))
}

/// A whole number above [`VERSION`].
fn is_newer(entry: Entry<'_>) -> bool {
    match entry.value.value() {
        Yaml::Number(number) => number.parse::<u64>().is_ok_and(|number| number > 1),
        Yaml::Null | Yaml::Bool(_) | Yaml::Text(_) | Yaml::Sequence(_) | Yaml::Mapping(_) => false,
    }
}
