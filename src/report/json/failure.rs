//! Why a command ended before it had a result, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::json::DiagnosticV1;
use crate::diagnostic::limit::Limited;

#[derive(Serialize, JsonSchema)]
#[schemars(title = "What `--report FILE.json` holds when there is no result, version 1")]
struct FailureV1<'a> {
    format_version: u32,
    /// Always true: what tells this document apart from a result.
    failed: bool,
    /// plan, apply (destroy and import are of its kind), drift or validate.
    command: &'a str,
    /// What stopped it, and the warnings before it.
    diagnostics: Vec<DiagnosticV1>,
    /// How many more there are; absent when those are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(FailureV1<'_>).to_value()
}

/// The failure as one JSON document that ends in a newline.
pub fn document(command: &str, diagnostics: &[Diagnostic]) -> String {
    let limited = Limited::new(diagnostics);
    super::text(&FailureV1 {
        format_version: 1,
        failed: true,
        command,
        diagnostics: limited.shown.iter().copied().map(DiagnosticV1::from).collect(),
        left_out: limited.left_out(),
    })
}
