//! `fmt`: files in the canonical layout.

use schemars::JsonSchema;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::document::{View, to_json};
use super::lines::Lines;
use super::options::RenderOptions;
use super::text::clean;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::json::DiagnosticV1;
use crate::diagnostic::limit::Limited;
use crate::state::FormatVersion;

/// Lines around a change.
const CONTEXT: usize = 3;

/// A file and its canonical layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// As the user would name it.
    pub path: String,
    pub old: String,
    pub new: String,
    /// The file holds the new text now.
    pub written: bool,
}

/// What is printed as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    /// The paths of files that changed, or would.
    Paths,
    /// Those paths, with what changes.
    PathsAndDiffs,
    /// What changes alone.
    Diffs,
    /// The new text.
    Text,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay fmt --format json, version 1")]
pub struct FmtView<'a> {
    format_version: FormatVersion,
    files: Vec<FileView<'a>>,
    diagnostics: Vec<DiagnosticV1>,
    /// How many more there are; absent when those are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
    #[serde(skip)]
    formatted: &'a [Formatted],
    #[serde(skip)]
    printed: Printed,
    /// Files that could not be written are not listed.
    #[serde(skip)]
    only_written: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileView<'a> {
    path: &'a str,
    /// It is, or was, not in the canonical layout.
    changed: bool,
    /// It holds the new text now.
    written: bool,
    /// As `diff -u` shows it, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
    /// The new text, when there is no file that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

impl Formatted {
    pub fn changed(&self) -> bool {
        self.old != self.new
    }

    /// Returns the changes as `diff -u` shows them.
    fn diff(&self, options: RenderOptions) -> String {
        let Self { path, old, new, written: _ } = self;
        let path = clean(path);
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        let mut lines = Lines::new(options);
        lines.add(options.strong(format!("--- old/{path}")));
        lines.add(options.strong(format!("+++ new/{path}")));
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            lines.add(options.faint(hunk.header()));
            for change in hunk.iter_changes() {
                let text = change.value();
                let text = clean(text.strip_suffix('\n').unwrap_or(text));
                lines.add(match change.tag() {
                    ChangeTag::Equal => format!(" {text}"),
                    ChangeTag::Delete => options.gone(format!("-{text}")),
                    ChangeTag::Insert => options.good(format!("+{text}")),
                });
                if change.missing_newline() {
                    lines.add("\\ No newline at end of file");
                }
            }
        }
        lines.finish()
    }
}

impl<'a> FmtView<'a> {
    /// `with_diff` and `with_text` say what JSON has of each file.
    pub fn new(
        formatted: &'a [Formatted],
        printed: Printed,
        check: bool,
        diagnostics: &[Diagnostic],
    ) -> Self {
        let limited = Limited::new(diagnostics);
        let with_diff = matches!(printed, Printed::PathsAndDiffs | Printed::Diffs);
        let with_text = matches!(printed, Printed::Diffs | Printed::Text);
        let files = formatted.iter().map(|file| FileView {
            path: &file.path,
            changed: file.changed(),
            written: file.written,
            diff: (with_diff && file.changed()).then(|| file.diff(RenderOptions::PLAIN)),
            text: with_text.then_some(file.new.as_str()),
        });
        Self {
            format_version: FormatVersion,
            files: files.collect(),
            diagnostics: limited.shown.iter().copied().map(DiagnosticV1::from).collect(),
            left_out: limited.left_out(),
            formatted,
            printed,
            only_written: !check,
        }
    }
}

impl View for FmtView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let changed = self.formatted.iter().filter(|file| file.changed());
        let listed = changed.clone().filter(|file| !self.only_written || file.written);
        let path = |file: &Formatted| format!("{}\n", clean(&file.path));
        match self.printed {
            Printed::Paths => listed.map(path).collect(),
            Printed::PathsAndDiffs => listed.map(|file| path(file) + &file.diff(options)).collect(),
            Printed::Diffs => changed.map(|file| file.diff(options)).collect(),
            Printed::Text => self.formatted.iter().map(|file| file.new.as_str()).collect(),
        }
    }
}
