//! A check of manifests as a page, an entry a file; and what a command has to say that failed before it had a result.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::place::forward;
use super::{Entry, Finding, Kind, Level, Page, Tone, version};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::limit::Limited;
use crate::i18n::{Lang, text};
use crate::report::count;

/// The manifests that were read, and everything that there is to say of them.
pub fn validation(files: &[PathBuf], diagnostics: &[Diagnostic], sentence: &str, lang: Lang) -> Page {
    let mut entries: Vec<Entry> =
        files.iter().map(|path| entry(forward(&path.display().to_string()))).collect();
    let findings = about(&mut entries, diagnostics, lang);
    Page { summary: vec![sentence.trim_end().to_owned()], entries, ..bare(Kind::Validate, findings, lang) }
        .sorted()
}

/// What stopped a command before it had a result.
pub fn failure(kind: Kind, diagnostics: &[Diagnostic], lang: Lang) -> Page {
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    let counted = count(errors, "error", "errors");
    let what = match kind {
        Kind::Plan => text!("No plan"),
        Kind::Apply => text!("Nothing was applied"),
        Kind::Drift => text!("Nothing was compared"),
        Kind::Validate => text!("Nothing was checked"),
        Kind::State => text!("Nothing to show"),
    };
    let summary = text!("{what}: {counted}.", what, counted; errors);
    Page {
        summary: vec![summary.in_lang(lang).to_owned()],
        tone: Tone::Bad,
        ..bare(kind, about(&mut [], diagnostics, lang), lang)
    }
    .sorted()
}

pub(super) fn bare(kind: Kind, findings: Vec<Finding>, lang: Lang) -> Page {
    let worst = findings.iter().map(|finding| finding.level).min();
    Page {
        kind,
        lang,
        tone: match worst {
            Some(Level::Error) => Tone::Bad,
            Some(Level::Warning) => Tone::Change,
            Some(Level::Note) | None => Tone::Good,
        },
        summary: Vec::new(),
        findings,
        entries: Vec::new(),
        requests: Vec::new(),
        took: None,
        facts: vec![version()],
    }
}

fn entry(name: String) -> Entry {
    Entry {
        name,
        action: "valid",
        mark: "✓",
        tone: Tone::Good,
        reason: "valid",
        place: None,
        fields: Vec::new(),
        remarks: Vec::new(),
        quiet: false,
        skipped: None,
        commit: None,
        calls: Vec::new(),
    }
}

/// The diagnostics that are shown, each tied to the file that it is about when that file has an entry. Those that are not shown
/// count for the entries too.
fn about(entries: &mut [Entry], diagnostics: &[Diagnostic], lang: Lang) -> Vec<Finding> {
    let limited = Limited::new(diagnostics);
    if limited.left_out().is_some() {
        tie(entries, diagnostics, lang);
    }
    tie(entries, &limited.into_all(), lang)
}

fn tie(entries: &mut [Entry], diagnostics: &[Diagnostic], lang: Lang) -> Vec<Finding> {
    let by_name: BTreeMap<String, usize> =
        entries.iter().enumerate().map(|(at, entry)| (entry.name.clone(), at)).collect();
    let mut findings: Vec<Finding> = diagnostics.iter().map(|one| Finding::of(one, lang)).collect();
    for finding in &mut findings {
        let file = finding.place.as_ref().map(|place| place.file.as_str());
        finding.entry = file.and_then(|file| by_name.get(file).copied());
        let Some(entry) = finding.entry.and_then(|at| entries.get_mut(at)) else {
            continue;
        };
        match finding.level {
            Level::Error => {
                (entry.action, entry.reason) = ("not-valid", "not_valid");
                (entry.mark, entry.tone) = ("✗", Tone::Bad);
            }
            Level::Warning | Level::Note => {
                if entry.tone == Tone::Good {
                    (entry.reason, entry.tone) = ("valid_with_warnings", Tone::Change);
                }
            }
        }
    }
    findings
}
