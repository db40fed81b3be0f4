//! What a command has to show, said once, and made in whichever formats are asked for: on standard output and in the
//! files of `--report`.

use std::path::Path;

use super::failure::{Failure, NOTHING_SENT};
use super::options::Format;
use super::world::World;
use crate::diagnostic::limit::Limited;
use crate::diagnostic::{Diagnostic, render};
use crate::i18n::{Lang, Text, text};
use crate::report::human::Look;
use crate::report::page::{self, Kind, Page, Setting};
use crate::report::{clean, github, html, json, junit, markdown, sarif};
use crate::sanitize::{self, Syntax, escape_commands};

/// A result, as everything that shows it.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    json: &'a dyn Fn() -> String,
    human: &'a dyn Fn(Look) -> String,
    /// None for a command that has no such page.
    page: Option<&'a dyn Fn(Lang) -> Page>,
    /// None for what is no list.
    csv: Option<&'a dyn Fn() -> String>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(
        json: &'a dyn Fn() -> String,
        human: &'a dyn Fn(Look) -> String,
        page: &'a dyn Fn(Lang) -> Page,
    ) -> Self {
        Self { json, human, page: Some(page), csv: None }
    }

    /// For what is only shown as text and JSON. [`refuse`] has turned everything else away by then.
    pub(super) fn plain(json: &'a dyn Fn() -> String, human: &'a dyn Fn(Look) -> String) -> Self {
        Self { json, human, page: None, csv: None }
    }

    /// For what can be a list too.
    pub(super) fn with_csv(self, csv: &'a dyn Fn() -> String) -> Self {
        Self { csv: Some(csv), ..self }
    }

    fn page(&self, lang: Lang, format: Format) -> Result<Page, Failure> {
        let make = self.page.ok_or_else(|| not_shown(format))?;
        Ok(make(lang))
    }

    fn text(&self, format: Format, look: Look, setting: &Setting) -> Result<String, Failure> {
        let page = |lang| self.page(lang, format);
        let text = match format {
            Format::Human => (self.human)(look),
            Format::Json => (self.json)(),
            Format::Markdown => markdown::page(&page(look.lang)?, setting),
            Format::Github => github::page(&page(look.lang)?, setting),
            // What reads it searches for its texts, whatever language people speak.
            Format::Sarif => sarif::page(&page(Lang::En)?, setting),
            Format::Junit => junit::page(&page(look.lang)?),
            Format::Html => html::page(&page(look.lang)?, setting),
            Format::Csv => (self.csv.ok_or_else(|| not_shown(format))?)(),
        };
        let syntax = match format {
            Format::Json | Format::Sarif => return Ok(seen(&text)),
            Format::Html | Format::Junit => Syntax::Markup,
            Format::Github => Syntax::Commands,
            Format::Human | Format::Markdown | Format::Csv => Syntax::Plain,
        };
        Ok(escape_commands(&text, syntax).into_owned())
    }
}

/// A document of JSON, which may go to a terminal or the log of a CI system, with all that is in its texts to be seen. What
/// reads it reads the same.
pub(super) fn seen(document: &str) -> String {
    sanitize::json(document)
}

/// Refuses formats that a command does not have, before it does anything.
pub(super) fn refuse(kind: Option<Kind>, is_list: bool, world: &World) -> Result<(), Failure> {
    let files = world.reports.files.iter().map(|(_, format)| *format);
    let has = |format: &Format| match format {
        Format::Csv => is_list,
        Format::Human | Format::Json => true,
        Format::Markdown | Format::Github | Format::Sarif | Format::Junit | Format::Html => kind.is_some(),
    };
    let mut asked = std::iter::once(world.format).chain(files);
    match asked.find(|format| !has(format)) {
        Some(format) => Err(not_shown(format)),
        None => Ok(()),
    }
}

fn not_shown(format: Format) -> Failure {
    let name = format.name();
    Failure::new(
        "format",
        text!("this command has no format `{name}`", name),
    )
    .help(text!("every command supports `--format human` and `--format json`, and `--report` with .txt or .json"))
    .help(text!("plan, drift, apply, destroy, import, validate and show also support markdown, github, sarif, junit and html; history also supports csv"))
    .help(NOTHING_SENT)
}

impl World {
    /// On standard output in the format that was asked for, and in every report.
    pub(super) fn show(&mut self, shown: Shown<'_>) -> Result<(), Failure> {
        let printed = self.print_as_asked(shown);
        let written = self.report(shown);
        Failure::of_all([printed, written].into_iter().filter_map(Result::err))
    }

    /// On standard output, in the format that was asked for.
    pub(super) fn print_as_asked(&mut self, shown: Shown<'_>) -> Result<(), Failure> {
        let setting = self.setting(None);
        let text = shown.text(self.format, self.out, &setting)?;
        self.reports.printed = true;
        if self.format != Format::Github {
            return self.print(&text);
        }
        self.print_as_is(&text)?;
        self.summarize(shown, &setting)
    }

    /// In every file that `--report` named. One that can't be written keeps no other from it.
    pub(super) fn report(&mut self, shown: Shown<'_>) -> Result<(), Failure> {
        self.reports.written = true;
        let look = Look { color: false, columns: None, ..self.out };
        let mut failures = Vec::new();
        for (path, format) in &self.reports.files {
            let text = shown.text(*format, look, &self.setting(Some(path)));
            let written = text.and_then(|text| self.reports.write(path, &text));
            failures.extend(written.err());
        }
        Failure::of_all(failures)
    }

    /// Why a command ended before it had a result, for whoever only has its reports. What cannot be written is reported, and
    /// changes nothing.
    pub(super) fn report_failure(&mut self, kind: Kind, told: &[Diagnostic], failure: &Failure) {
        let diagnostics: Vec<Diagnostic> = told.iter().chain(&failure.diagnostics).cloned().collect();
        let json = || json::failure::document(kind.name(), &diagnostics);
        let limited = Limited::new(&diagnostics).into_all();
        let human = |look: Look| render::render(&limited, look.color, look.lang);
        let page = |lang| page::failure(kind, &diagnostics, lang);
        let shown = Shown::new(&json, &human, &page);
        // People read it on standard error; JSON has nothing on standard output.
        let shown_on_stdout = self.reports.printed || self.events || !self.format.is_of_a_page();
        let printed = if shown_on_stdout { Ok(()) } else { self.print_as_asked(shown) };
        let written = if self.reports.written { Ok(()) } else { self.report(shown) };
        for failure in [printed, written].into_iter().filter_map(Result::err) {
            self.fail(&failure);
        }
    }

    /// The summary of a step of a GitHub workflow, when this is one.
    fn summarize(&self, shown: Shown<'_>, setting: &Setting) -> Result<(), Failure> {
        let Some(path) = self.variable("GITHUB_STEP_SUMMARY") else {
            return Ok(());
        };
        let path = Path::new(&path);
        let there = std::fs::metadata(path).map_or(0, |file| file.len());
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        let cap = markdown::SUMMARY.saturating_sub(there);
        let page = shown.page(self.out.lang, Format::Markdown)?;
        let text = markdown::capped(&page, setting, cap);
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

    /// What surrounds the page: `of` is the report that it is shown in, none for standard output.
    fn setting(&self, of: Option<&Path>) -> Setting {
        let shows_all = |format: &Format| match format {
            Format::Html => 0,
            Format::Json => 1,
            Format::Human => 2,
            Format::Sarif | Format::Junit | Format::Csv => 3,
            Format::Markdown | Format::Github => 4,
        };
        let others = self
            .reports
            .files
            .iter()
            .filter(|(path, format)| Some(path.as_path()) != of && shows_all(format) < 3);
        let rest = others.min_by_key(|(_, format)| shows_all(format));
        let rest = rest.map(|(path, _)| path.display().to_string());
        if !self.has_pages() {
            return Setting { rest, ..Setting::default() };
        }
        let folder = self.folder();
        Setting { key: self.reports.key(&folder), rest, folder }
    }

    fn has_pages(&self) -> bool {
        let files = self.reports.files.iter().map(|(_, format)| *format);
        files.chain([self.format]).any(Format::is_of_a_page)
    }
}

/// As [`Text`], so that no sentence is made in one language only.
pub(super) fn allowed_endings() -> Text {
    text!("allowed: .txt, .json, .md, .html, .sarif (or .sarif.json) and .xml (JUnit)")
}
