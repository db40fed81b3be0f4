//! Diagnostics for programs, with the member names of Terraform's `validate -json`. A frozen copy of the model.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Diagnostic, Label, Severity, SourceFile, Span, window};
use crate::i18n::Text;

/// Something to mend, or to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub struct DiagnosticV1 {
    /// error or warning.
    severity: &'static str,
    /// Stable and searchable.
    code: &'static str,
    /// What is wrong, in one line.
    summary: String,
    /// What is allowed and what to do next, a line each.
    detail: String,
    /// The place that it is about; null when it is about none.
    range: Option<RangeV1>,
    /// The line that the place stands in.
    snippet: Option<SnippetV1>,
    /// Every place that has to do with it, the one above included.
    labels: Vec<LabelV1>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Range")]
struct RangeV1 {
    filename: String,
    start: PositionV1,
    /// The position behind the last character.
    end: PositionV1,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Position")]
struct PositionV1 {
    /// From 1.
    line: u32,
    /// In characters, from 1.
    column: u32,
    /// From 0, in the whole file.
    byte: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Snippet")]
struct SnippetV1 {
    /// The line itself; of a long one the part around the place.
    code: String,
    /// From 1.
    start_line: u32,
    /// In bytes of `code`.
    highlight_start_offset: usize,
    highlight_end_offset: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Label")]
struct LabelV1 {
    range: RangeV1,
    /// What is to be said of it; may be empty.
    text: String,
}

impl DiagnosticV1 {
    /// Whether it is an error or a warning.
    pub fn severity(&self) -> &'static str {
        self.severity
    }

    /// What is wrong, in one line.
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
        // A whole text may be one line, and have a thousand problems.
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
    fn of_a_long_line_the_part_around_the_place_is_shown() {
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
    fn a_diagnostic_has_terraforms_members_and_speaks_english() {
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
