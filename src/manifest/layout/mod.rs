//! The canonical layout of a manifest.
//!
//! Two spaces per level, lists indented below their key, one empty line between environments and at most one
//! elsewhere. Only white space changes: nothing is sorted, since environments are created in their order, and
//! line breaks stay where they are. [`same`] verifies this; a text that would change otherwise is left alone.

mod arrange;
mod frames;
mod lex;
mod same;
mod scalar;
mod token;

use std::borrow::Cow;
use std::sync::Arc;

use super::build::parse;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::i18n::{Text, text};

/// Returns the text of `file` in the canonical layout, or the errors in its YAML. Idempotent.
pub fn layout(file: &Arc<SourceFile>) -> Result<String, Vec<Diagnostic>> {
    let before = parse(file);
    if !before.diagnostics.is_empty() {
        return Err(before.diagnostics);
    }
    let text = with_line_feeds(&file.text);
    let arranged = lex::lex(&text).map(|tokens| arrange::arrange(&tokens));
    let checked = arranged
        .ok_or_else(|| text!("it contains something that the formatter does not support"))
        .and_then(|new| same::check(&before.documents, &text, &new, file).map(|()| new));
    checked.map_err(|why| vec![unsafe_to_format(file, why)])
}

/// Replaces CR LF and CR, which YAML accepts as line breaks too.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

fn unsafe_to_format(file: &SourceFile, why: Text) -> Diagnostic {
    let shown = file.path().display();
    Diagnostic::error(
        "fmt-unsafe",
        text!("`{shown}` cannot be formatted without changing its content; it was not changed", shown),
    )
    .help(why)
    .help(text!("the file is still valid; exclude it from `postpay fmt`, or simplify that part"))
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
