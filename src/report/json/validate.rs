//! What the manifests are, for programs, with the member names of Terraform's `validate -json`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::json::DiagnosticV1;
use crate::diagnostic::limit::Limited;
use crate::diagnostic::{Diagnostic, any_error};

#[derive(Serialize, JsonSchema)]
#[schemars(title = "postpay validate --format json, version 1")]
struct ValidationV1 {
    format_version: u32,
    /// No diagnostic is an error.
    valid: bool,
    error_count: usize,
    warning_count: usize,
    /// Manifest files that were read.
    files: usize,
    /// Environments that are declared; 0 where one of the diagnostics is an error.
    environments: usize,
    diagnostics: Vec<DiagnosticV1>,
    /// How many more there are; absent when those are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ValidationV1).to_value()
}

/// The result of a check as one JSON document that ends in a newline.
pub fn document(files: usize, environments: usize, diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    let limited = Limited::new(diagnostics);
    super::text(&ValidationV1 {
        format_version: 1,
        valid: !any_error(diagnostics),
        error_count: errors,
        warning_count: diagnostics.len() - errors,
        files,
        environments,
        diagnostics: limited.shown.iter().copied().map(DiagnosticV1::from).collect(),
        left_out: limited.left_out(),
    })
}
