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
use token::Token;

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

/// Returns the comments of the member whose key is on a line (from 1): those right above it, and those in it.
pub fn comments_of(file: &SourceFile, line: u32) -> Vec<String> {
    let text = with_line_feeds(&file.text);
    let lines_before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let start = text.split_inclusive('\n').take(lines_before).map(str::len).sum::<usize>();
    let tokens = lex::lex(&text).unwrap_or_default();
    let offset = |token: &Token<'_>| token.text.as_ptr().addr() - text.as_ptr().addr();
    let key = tokens.partition_point(|token| offset(token) < start);
    let (above, own) = tokens.split_at(key);
    let Some(first) = own.first() else { return Vec::new() };
    // An empty line parts a comment from what it is about.
    let mut is_apart = first.has_empty_lines_before();
    let above = above.iter().rev().take_while(|token| {
        let is_about = !is_apart && token.is_comment() && token.begins_line() && token.column == first.column;
        is_apart = token.has_empty_lines_before();
        is_about
    });
    let mut above: Vec<_> = above.collect();
    above.reverse();
    let is_next = |token: &&Token<'_>| token.begins_line() && token.column <= first.column;
    let inside = own.iter().skip(1).take_while(|token| !is_next(token)).filter(|token| token.is_comment());
    above.into_iter().chain(inside).map(|token| token.text.to_owned()).collect()
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
