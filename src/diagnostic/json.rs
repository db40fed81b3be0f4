//! Diagnostics as JSON, with the member names of Terraform's `validate -json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Diagnostic, Label, Severity, SourceFile, Span, window};
use crate::i18n::Text;

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub struct DiagnosticV1 {
    /// error or warning.
    severity: &'static str,
    /// The stable code.
    code: &'static str,
    /// The message, in one line.
    summary: String,
    /// What is allowed and what to do next, one line each.
    detail: String,
    /// The place it is about; null without one.
    range: Option<RangeV1>,
    /// The source line of that place.
    snippet: Option<SnippetV1>,
    /// Every related place, including `range`.
    labels: Vec<LabelV1>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Range")]
struct RangeV1 {
    filename: String,
    start: PositionV1,
    /// The position after the last character.
    end: PositionV1,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Position")]
struct PositionV1 {
    /// Starts at 1.
    line: u32,
    /// In characters, starts at 1.
    column: u32,
    /// In the whole file, starts at 0.
    byte: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Snippet")]
struct SnippetV1 {
    /// The line, or the part of a long one around the place.
    code: String,
    /// Starts at 1.
    start_line: u32,
    /// In bytes of `code`.
    highlight_start_offset: usize,
    highlight_end_offset: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Label")]
struct LabelV1 {
    range: RangeV1,
    /// A remark about it; may be empty.
    text: String,
}

impl DiagnosticV1 {
    /// Returns `error` or `warning`.
    pub fn severity(&self) -> &'static str {
        self.severity
    }

    /// Returns the message in one line.
    pub fn summary(&self) -> &str {
        &self.summary
    }
}

impl From<&Diagnostic> for DiagnosticV1 {
    fn from(diagnostic: &Diagnostic) -> Self {
        let Diagnostic { code, severity, message, labels, help } = diagnostic;
        let place = labels.first().map(|label| &label.span);
        Self {
            severity: match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code,
            summary: message.en().to_owned(),
            detail: help.iter().map(Text::en).collect::<Vec<_>>().join("\n"),
            range: place.map(RangeV1::from),
            snippet: place.map(SnippetV1::from),
            labels: labels.iter().map(LabelV1::from).collect(),
        }
    }
}

impl From<&Label> for LabelV1 {
    fn from(Label { span, text }: &Label) -> Self {
        Self { range: span.into(), text: text.en().to_owned() }
    }
}

impl From<&Span> for RangeV1 {
    fn from(Span { file, bytes }: &Span) -> Self {
        Self {
            filename: file.path.display().to_string(),
            start: position(file, bytes.start),
            end: position(file, bytes.end),
        }
    }
}

fn position(file: &SourceFile, byte: usize) -> PositionV1 {
    let super::Position { line, column } = file.position(byte);
    PositionV1 { line, column, byte }
}

impl From<&Span> for SnippetV1 {
    fn from(span: &Span) -> Self {
        // A whole file may be one line with a thousand problems.
        let kept = window::line_around(span);
        let code = span.file.text.get(kept.clone()).unwrap_or_default();
        let code = code.to_owned();
        let within = |byte: usize| byte.saturating_sub(kept.start).min(code.len());
        Self {
            highlight_start_offset: within(span.bytes.start),
            highlight_end_offset: within(span.bytes.end),
            start_line: span.start().line,
            code,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[test]
    fn long_line_is_cut_around_the_place() {
        let text = format!("[{}x, {}]\n", "环, ".repeat(500), "y, ".repeat(500));
        let at = text.find('x').unwrap();
        let file = Arc::new(SourceFile::new("a.yaml", text));
        let bytes = at..at + 1;
        let snippet = SnippetV1::from(&Span { file, bytes });
        assert!(snippet.code.len() <= 240, "{}", snippet.code.len());
        let marked = snippet.highlight_start_offset..snippet.highlight_end_offset;
        assert_eq!(&snippet.code[marked], "x");
    }

    #[test]
    fn diagnostic_has_terraforms_members_and_is_in_english() {
        let file = Arc::new(SourceFile::new("a.yaml", "version: 1\n环境: x\n"));
        let span = Span { file, bytes: 19..20 };
        let diagnostic = Diagnostic::error("unknown-field", Text::new("no such field", "没有这个字段"))
            .at(&span, Text::new("here", "这里"))
            .help(Text::new("one", "一"))
            .help(Text::new("two", "二"));
        let range = json!({
            "filename": "a.yaml",
            "start": { "line": 2, "column": 5, "byte": 19 },
            "end": { "line": 2, "column": 6, "byte": 20 },
        });
        let expected = json!({
            "severity": "error",
            "code": "unknown-field",
            "summary": "no such field",
            "detail": "one\ntwo",
            "range": range,
            "snippet": {
                "code": "环境: x",
                "start_line": 2,
                "highlight_start_offset": 8,
                "highlight_end_offset": 9,
            },
            "labels": [{ "range": range, "text": "here" }],
        });
        assert_eq!(json!(DiagnosticV1::from(&diagnostic)), expected);
        let bare = json!(DiagnosticV1::from(&Diagnostic::warning("c", Text::same("m"))));
        assert_eq!((&bare["range"], &bare["detail"]), (&json!(null), &json!("")));
    }
}
