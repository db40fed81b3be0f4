//! Shows the view of a command: on standard output, and in the files of `--report`.

use std::path::{Path, PathBuf};

use super::env;
use super::error::{Failure, NOTHING_SENT};
use super::git::Git;
use super::options::Format;
use super::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, text};
use crate::report::document::View;
use crate::report::validate::FailureView;
use crate::report::view::{Context, Kind, Provenance, Report};
use crate::report::{RenderOptions, clean, github, html, junit, markdown, sarif};
use crate::sanitize::{self, Syntax, escape_commands};
use crate::state::Account;

fn render(
    view: &dyn View,
    format: Format,
    options: RenderOptions,
    context: &Context,
) -> Result<String, Failure> {
    let report = |lang| report(view, lang, format);
    let text = match format {
        Format::Human => view.text(options),
        Format::Json => view.json(),
        Format::Markdown => markdown::render(&report(options.lang)?, context),
        Format::Github => github::render(&report(options.lang)?, context),
        // Programs search its texts, whatever language people use.
        Format::Sarif => sarif::render(&report(Lang::En)?, context),
        Format::Junit => junit::render(&report(options.lang)?),
        Format::Html => html::render(&report(options.lang)?, context),
        Format::Csv => view.csv().ok_or_else(|| unsupported(format))?,
    };
    let syntax = match format {
        // It may go to a terminal or a CI log: what is invisible is escaped, which JSON readers undo.
        Format::Json | Format::Sarif => return Ok(sanitize::json(&text)),
        Format::Html | Format::Junit => Syntax::Markup,
        Format::Github => Syntax::Commands,
        Format::Human | Format::Markdown | Format::Csv => Syntax::Plain,
    };
    Ok(escape_commands(&text, syntax).into_owned())
}

fn report(view: &dyn View, lang: Lang, format: Format) -> Result<Report, Failure> {
    view.report(lang).ok_or_else(|| unsupported(format))
}

/// Rejects formats that a command does not have, before it does anything.
pub(super) fn check_formats(kind: Option<Kind>, is_list: bool, ui: &Ui) -> Result<(), Failure> {
    let files = ui.reports.files.iter().map(|(_, format)| *format);
    let has = |format: &Format| match format {
        Format::Csv => is_list,
        Format::Human | Format::Json => true,
        Format::Markdown | Format::Github | Format::Sarif | Format::Junit | Format::Html => kind.is_some(),
    };
    let mut requested = std::iter::once(ui.format).chain(files);
    match requested.find(|format| !has(format)) {
        Some(format) => Err(unsupported(format)),
        None => Ok(()),
    }
}

fn unsupported(format: Format) -> Failure {
    let name = format.name();
    Failure::new("format", text!("this command has no format `{name}`", name))
        .help(text!("every command supports `--format human` and `--format json`, and `--report` with .txt or .json"))
        .help(text!("plan, drift, apply, destroy, import, validate and show also support markdown, github, sarif, junit and html; history also supports csv"))
        .help(NOTHING_SENT)
}

impl Ui {
    /// Shows a view on standard output in the requested format, and in every report.
    pub(super) fn show(&mut self, view: &dyn View) -> Result<(), Failure> {
        let printed = self.print_view(view);
        let written = self.write_reports(view);
        Failure::merge([printed, written].into_iter().filter_map(Result::err))
    }

    /// Prints a view on standard output in the requested format.
    pub(super) fn print_view(&mut self, view: &dyn View) -> Result<(), Failure> {
        let context = self.context(None);
        let text = render(view, self.format, self.out, &context)?;
        self.reports.printed = true;
        if self.format != Format::Github {
            return self.print(&text);
        }
        self.print_as_is(&text)?;
        self.append_summary(view, &context)
    }

    /// Writes every file of `--report`. One that cannot be written does not keep the others from it.
    pub(super) fn write_reports(&mut self, view: &dyn View) -> Result<(), Failure> {
        self.reports.written = true;
        let options = RenderOptions { lang: self.out.lang, ..RenderOptions::PLAIN };
        let mut failures = Vec::new();
        for (path, format) in &self.reports.files {
            let text = render(view, *format, options, &self.context(Some(path)));
            let written = text.and_then(|text| self.reports.write(path, &text));
            failures.extend(written.err());
        }
        Failure::merge(failures)
    }

    /// Shows why a command ended before it had a result, to whoever has only its reports. What cannot be written is reported, and
    /// changes nothing.
    pub(super) fn report_failure(&mut self, kind: Kind, earlier: &[Diagnostic], failure: &Failure) {
        let diagnostics: Vec<Diagnostic> = earlier.iter().chain(&failure.diagnostics).cloned().collect();
        let provenance = Provenance { created_at: Some(env::now()), ..Provenance::default() };
        let view = FailureView::new(kind, &diagnostics, provenance);
        // People read it on standard error; JSON has nothing on standard output.
        let is_shown = self.reports.printed || self.events || !self.format.is_of_a_page();
        let printed = if is_shown { Ok(()) } else { self.print_view(&view) };
        let written = if self.reports.written { Ok(()) } else { self.write_reports(&view) };
        for failure in [printed, written].into_iter().filter_map(Result::err) {
            self.fail(&failure);
        }
    }

    /// Returns when, for which account and from which commit a report is made.
    pub(super) fn provenance(&self, account: Option<Account>, sources: &[PathBuf]) -> Provenance {
        let git = if self.has_pages() { Git::find(sources) } else { None };
        Provenance { created_at: Some(env::now()), account, git: git.map(|git| git.facts()) }
    }

    /// Appends to the summary of a step of a GitHub workflow, when this is one.
    fn append_summary(&self, view: &dyn View, context: &Context) -> Result<(), Failure> {
        let Some(path) = env::variable("GITHUB_STEP_SUMMARY") else {
            return Ok(());
        };
        let path = Path::new(&path);
        let used = std::fs::metadata(path).map_or(0, |file| file.len());
        let cap = markdown::SUMMARY.saturating_sub(usize::try_from(used).unwrap_or(usize::MAX));
        let report = report(view, self.out.lang, Format::Markdown)?;
        let text = markdown::render_within(&report, context, cap);
        let text = escape_commands(&text, Syntax::Plain);
        if let Err(error) = super::reports::append(path, &text) {
            let file = path.display().to_string();
            let file = clean(&file);
            self.diagnose(&[Diagnostic::warning(
                "step-summary",
                text!("cannot write the step summary to {file}: {error}", file, error),
            )]);
        }
        Ok(())
    }

    /// Returns what surrounds a report; `file` is the one it is written to, None for standard output.
    fn context(&self, file: Option<&Path>) -> Context {
        // How well a format stands in for one that omits something.
        let rank = |format: &Format| match format {
            Format::Html => Some(0),
            Format::Json => Some(1),
            Format::Human => Some(2),
            Format::Sarif | Format::Junit | Format::Csv | Format::Markdown | Format::Github => None,
        };
        let others = self.reports.files.iter().filter(|(path, _)| Some(path.as_path()) != file);
        let ranked = others.filter_map(|(path, format)| Some((rank(format)?, path)));
        let complete = ranked.min_by_key(|(rank, _)| *rank).map(|(_, path)| path.display().to_string());
        if !self.has_pages() {
            return Context { complete, ..Context::default() };
        }
        let folder = self.folder();
        Context { key: self.reports.key(&folder), complete, folder }
    }

    fn has_pages(&self) -> bool {
        let files = self.reports.files.iter().map(|(_, format)| *format);
        files.chain([self.format]).any(Format::is_of_a_page)
    }
}
