//! `validate`, and what a command reports that failed before it had a result. JSON has the member names of Terraform's
//! `validate -json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::options::RenderOptions;
use super::place::forward;
use super::text::count;
use super::view::{Entry, Finding, Kind, Label, Level, Provenance, Report, Tone};
use crate::diagnostic::json::DiagnosticV1;
use crate::diagnostic::limit::Limited;
use crate::diagnostic::{Diagnostic, any_error, render};
use crate::i18n::{Lang, text};
use crate::state::FormatVersion;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay validate --format json, version 1")]
pub struct ValidateView<'a> {
    format_version: FormatVersion,
    /// No diagnostic is an error.
    pub valid: bool,
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
    #[serde(skip)]
    paths: &'a [PathBuf],
    #[serde(skip)]
    all: &'a [Diagnostic],
    #[serde(skip)]
    provenance: Provenance,
}

impl<'a> ValidateView<'a> {
    pub fn new(
        paths: &'a [PathBuf],
        environments: usize,
        diagnostics: &'a [Diagnostic],
        provenance: Provenance,
    ) -> Self {
        let errors = diagnostics.iter().filter(|it| it.is_error()).count();
        let limited = Limited::new(diagnostics);
        Self {
            format_version: FormatVersion,
            valid: !any_error(diagnostics),
            error_count: errors,
            warning_count: diagnostics.len() - errors,
            files: paths.len(),
            environments,
            diagnostics: limited.shown.iter().copied().map(DiagnosticV1::from).collect(),
            left_out: limited.left_out(),
            paths,
            all: diagnostics,
            provenance,
        }
    }
}

impl View for ValidateView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        let (n, environments, errors) = (self.files, self.environments, self.error_count);
        let files = count(n, "file", "files");
        options.in_lang(if self.valid {
            let declared = count(environments, "environment", "environments");
            text!("Valid: {declared} in {files}.\n", declared, files; n, environments)
        } else {
            let found = count(errors, "error", "errors");
            text!("Invalid: {found} in {files}.\n", found, files; n, errors)
        })
    }

    fn report(&self, lang: Lang) -> Option<Report> {
        let mut report = Report::new(Kind::Validate, &Limited::new(self.all).into_all(), lang);
        // Diagnostics that are not shown count for the entries too.
        let mut worst: BTreeMap<String, Level> = BTreeMap::new();
        for Finding { level, place, .. } in Report::new(Kind::Validate, self.all, lang).findings {
            if let Some(place) = place {
                let known = worst.entry(place.file).or_insert(level);
                *known = level.min(*known);
            }
        }
        for path in self.paths {
            let name = forward(&path.display().to_string());
            let is_here = |finding: &&mut Finding| finding.place.as_ref().is_some_and(|it| it.file == name);
            for finding in report.findings.iter_mut().filter(is_here) {
                finding.entry = Some(report.entries.len());
            }
            let (action, label, mark, tone) = match worst.get(&name) {
                Some(Level::Error) => ("invalid", text!("invalid"), "✗", Tone::Bad),
                Some(Level::Warning | Level::Note) => {
                    ("valid-with-warnings", text!("valid, with warnings"), "✓", Tone::Change)
                }
                None => ("valid", text!("valid"), "✓", Tone::Good),
            };
            let action = Label::new(action, &label, lang);
            report.entries.push(Entry { name, action, mark, tone, ..Entry::default() });
        }
        let summary = self.text(RenderOptions { lang, ..RenderOptions::PLAIN });
        report.summary = vec![summary.trim_end().to_owned()];
        Some(report.finish(&self.provenance))
    }
}

/// Why a command ended before it had a result.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "What `--report FILE.json` holds when there is no result, version 1")]
pub struct FailureView<'a> {
    format_version: FormatVersion,
    /// Always true: what tells this document apart from a result.
    failed: bool,
    /// plan, apply (also for destroy and import), drift, validate or show.
    command: &'static str,
    /// What stopped it, and the warnings before it.
    diagnostics: Vec<DiagnosticV1>,
    /// How many more there are; absent when those are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
    #[serde(skip)]
    kind: Kind,
    #[serde(skip)]
    all: &'a [Diagnostic],
    #[serde(skip)]
    provenance: Provenance,
}

impl<'a> FailureView<'a> {
    pub fn new(kind: Kind, diagnostics: &'a [Diagnostic], provenance: Provenance) -> Self {
        let limited = Limited::new(diagnostics);
        Self {
            format_version: FormatVersion,
            failed: true,
            command: kind.name(),
            diagnostics: limited.shown.iter().copied().map(DiagnosticV1::from).collect(),
            left_out: limited.left_out(),
            kind,
            all: diagnostics,
            provenance,
        }
    }
}

impl View for FailureView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, options: RenderOptions) -> String {
        render::render(&Limited::new(self.all).into_all(), options.color, options.lang)
    }

    fn report(&self, lang: Lang) -> Option<Report> {
        let errors = self.all.iter().filter(|it| it.is_error()).count();
        let counted = count(errors, "error", "errors");
        let what = match self.kind {
            Kind::Plan => text!("No plan"),
            Kind::Apply => text!("Nothing was applied"),
            Kind::Drift => text!("Nothing was compared"),
            Kind::Validate => text!("Nothing was checked"),
            Kind::State => text!("Nothing to show"),
        };
        let summary = text!("{what}: {counted}.", what, counted; errors);
        let mut report = Report::new(self.kind, &Limited::new(self.all).into_all(), lang);
        report.tone = Tone::Bad;
        report.summary = vec![summary.in_lang(lang).to_owned()];
        Some(report.finish(&self.provenance))
    }
}
