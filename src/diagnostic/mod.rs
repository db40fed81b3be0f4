//! Problems that a user can fix: a code, a message, the places it is about, and what to do next.
//!
//! Modules below `cli` return these; [`render`] formats them with source excerpts.

pub mod json;
pub mod limit;
pub mod render;
mod window;
pub mod wrap;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::i18n::{Lang, Text};

/// A problem in the user's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable, in kebab-case: `unknown-field`.
    pub code: &'static str,
    pub severity: Severity,
    /// One line without a full stop.
    pub message: Text,
    /// The first is the place of the problem; the others explain it.
    pub labels: Vec<Label>,
    /// What is allowed and what to do next, one line each.
    pub help: Vec<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// A place with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    /// May be empty.
    pub text: Text,
}

/// A range of bytes in a source file.
#[derive(Clone)]
pub struct Span {
    pub file: Arc<SourceFile>,
    /// Byte offsets into `file.text`.
    pub bytes: Range<usize>,
}

/// A text that spans point into.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As the user would write it.
    pub path: PathBuf,
    pub text: String,
    /// The byte offset of each line.
    line_starts: Vec<usize>,
}

/// A position as editors show it: both numbers start at 1, columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

impl SourceFile {
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), text, line_starts }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the byte offset of a line (from 1); past the last line, the end of the text.
    pub fn line_start(&self, line: usize) -> usize {
        self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// Returns the line, from 1, of a byte.
    pub fn line_of(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= byte).max(1)
    }

    /// Returns the position of a byte; past the end, that of the end.
    pub fn position(&self, byte: usize) -> Position {
        let line = self.line_of(byte);
        let start = self.line_starts[line - 1];
        let upto = byte.min(self.text.len());
        let column = self.text.get(start..upto).map_or(0, |text| text.chars().count()) + 1;
        Position { line: to_u32(line), column: to_u32(column) }
    }
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Span {
    pub fn start(&self) -> Position {
        self.file.position(self.bytes.start)
    }

    /// Returns the position after its last character.
    pub fn end(&self) -> Position {
        self.file.position(self.bytes.end)
    }

    pub fn text(&self) -> &str {
        self.file.text.get(self.bytes.clone()).unwrap_or_default()
    }
}

/// Formats as `file:line:col`, which terminals and editors can open.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.start();
        write!(f, "{}:{line}:{column}", self.file.path.display())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.file.path == other.file.path && self.bytes == other.bytes
    }
}

impl Eq for Span {}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<Text>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    pub fn warning(code: &'static str, message: impl Into<Text>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: &'static str, message: Text) -> Self {
        Self { code, severity, message: shortened(message), labels: Vec::new(), help: Vec::new() }
    }

    #[must_use]
    pub fn at(mut self, span: &Span, text: impl Into<Text>) -> Self {
        self.labels.push(Label { span: span.clone(), text: shortened(text.into()) });
        self
    }

    /// Adds a place without a remark.
    #[must_use]
    pub fn on(self, span: &Span) -> Self {
        self.at(span, Text::default())
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<Text>) -> Self {
        self.help.push(shortened(text.into()));
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The longest message in bytes. A name in it may be as long as its file.
const LONGEST: usize = 4096;

/// Cuts the middle of a text that is too long: the start and the end have the facts.
fn shortened(text: Text) -> Text {
    let cut = |text: &str| {
        if text.len() <= LONGEST {
            return text.to_owned();
        }
        let ends = LONGEST / 8;
        let start: String = text.chars().take(ends).collect();
        let skipped = text.chars().count().saturating_sub(ends);
        let end: String = text.chars().skip(skipped).collect();
        format!("{start} … {end}")
    };
    let is_long = [Lang::En, Lang::Zh].iter().any(|lang| text.in_lang(*lang).len() > LONGEST);
    if is_long { text.map(cut) } else { text }
}

/// Checks that every text has a translation, apart from names and texts of libraries.
#[cfg(test)]
pub(crate) fn assert_chinese(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let labels = diagnostic.labels.iter().map(|label| &label.text);
        let texts =
            labels.filter(|text| !text.is_empty()).chain([&diagnostic.message]).chain(&diagnostic.help);
        for text in texts {
            let zh = text.in_lang(Lang::Zh);
            let is_chinese = zh.contains(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
            assert!(is_chinese, "{}: {text} | {zh}", diagnostic.code);
            // The YAML library's messages are English only.
            let is_whole = diagnostic.code == "yaml-syntax" || !has_english(zh);
            assert!(is_whole, "{}: {text} | {zh}", diagnostic.code);
        }
    }
}

/// Returns whether there are two words in a row that are not code.
#[cfg(test)]
fn has_english(text: &str) -> bool {
    let prose = text.split('`').step_by(2);
    prose
        .flat_map(|prose| prose.split(|c: char| !c.is_ascii_alphabetic() && c != ' '))
        .any(|words| words.split_whitespace().count() > 1)
}

/// Returns whether one of them is an error.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}
