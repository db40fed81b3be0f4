//! The canonical layout of a manifest: the same text with its white space in order.
//!
//! Two spaces a level, a list below its key is indented too, one space where one belongs, one empty line between
//! environments and at most one anywhere else. Only white space moves: no key, value, quote or comment is changed, dropped
//! or put elsewhere, and nothing is sorted, since the order of the environments is the order of the orders. Whether that
//! came out so is checked: [`same`] compares the new text with the old one, and a text that would come out
//! otherwise is left as it is.
//!
//! A line stays a line. What a person has put on one line, or on several, is theirs to say.

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

/// The text of `file` in the canonical layout, or what is wrong with its YAML.
///
/// Laying out what has been laid out changes nothing.
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

/// YAML takes all three for a line break.
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
