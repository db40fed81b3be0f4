//! Files in another layout, for programs.

use schemars::JsonSchema;
use serde::Serialize;
use similar::TextDiff;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::json::DiagnosticV1;
use crate::diagnostic::limit::Limited;
use crate::report::formatted::Formatted;

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay fmt --format json, version 1")]
struct FilesV1<'a> {
    format_version: u32,
    files: Vec<FileV1<'a>>,
    diagnostics: Vec<DiagnosticV1>,
    /// How many more there are; absent when those are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileV1<'a> {
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

/// The result for each file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details {
    pub diff: bool,
    pub text: bool,
}

/// The JSON Schema of `fmt --format json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(FilesV1<'_>).to_value()
}

/// The files, and what is wrong with any of them, as one JSON document that ends in a newline.
pub fn files(files: &[Formatted], details: Details, diagnostics: &[Diagnostic]) -> String {
    let limited = Limited::new(diagnostics);
    let document = FilesV1 {
        format_version: 1,
        files: files
            .iter()
            .map(|file| {
                let Formatted { path, old: _, new, written } = file;
                FileV1 {
                    path,
                    changed: file.changed(),
                    written: *written,
                    diff: (details.diff && file.changed()).then(|| unified(file)),
                    text: details.text.then_some(new.as_str()),
                }
            })
            .collect(),
        diagnostics: limited.shown.iter().copied().map(DiagnosticV1::from).collect(),
        left_out: limited.left_out(),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn unified(file: &Formatted) -> String {
    TextDiff::from_lines(file.old.as_str(), file.new.as_str())
        .unified_diff()
        .header(&format!("old/{}", file.path), &format!("new/{}", file.path))
        .to_string()
}
