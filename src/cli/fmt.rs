//! `postpay fmt`: manifests and postpay.yaml in the canonical layout. Only white space moves.

mod replace;

use std::path::{Path, PathBuf};

use super::error::{Exit, Failure, cannot_write};
use super::options::{Api, Format, Global};
use super::project::Project;
use super::ui::Ui;
use crate::diagnostic::{Diagnostic, any_error};
use crate::i18n::text;
use crate::manifest::{self, Bounds, Found};
use crate::report::clean;
use crate::report::fmt::{FmtView, Formatted, Printed};
use crate::sanitize::{Syntax, escape_commands};

/// Format manifests and postpay.yaml; only whitespace changes
///
/// Indents with two spaces, puts one empty line between environments and at most one elsewhere. Keys, values, quotes,
/// comments and their order do not change; a file where they would is not written. If one file has an error, no file
/// is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay fmt                   all files; lists those that it changes
  postpay fmt --check           in CI: exit 2 if a file is not formatted
  postpay fmt --check --diff    print the changes
  postpay fmt shop.yaml teams/  these files and folders
  postpay fmt - < shop.yaml     standard input and output, for editors
")]
pub(super) struct Args {
    /// Files or folders; `-` is standard input [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Do not write; exit with 2 if a file is not formatted
    #[arg(long)]
    check: bool,
    /// Print the changes
    #[arg(long)]
    diff: bool,
}

impl Args {
    /// Whether the files are named, so that no project is needed.
    pub(super) fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }
}

/// How standard input is named.
const STDIN: &str = "<stdin>";

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        return stdin(args, ui);
    }
    let mut formatted = Vec::new();
    let (found, mut problems) = match find(args, global) {
        Ok(found) => found,
        Err(failure) => (Vec::new(), failure.diagnostics),
    };
    let mut paths = Vec::new();
    for found in found {
        match look(&found) {
            Ok(file) => {
                formatted.push(file);
                paths.push(found.real);
            }
            Err(diagnostics) => problems.extend(diagnostics),
        }
    }
    if args.check {
        return show(args, &formatted, &problems, ui);
    }
    if any_error(&problems) {
        if let Some(last) = problems.pop() {
            problems.push(last.help(text!("no file was written")));
        }
    } else {
        for (path, file) in paths.iter().zip(&mut formatted) {
            if file.changed() {
                match replace::replace(path, &file.old, &file.new) {
                    Ok(()) => file.written = true,
                    Err(error) => problems.push(not_written(&file.path, &error)),
                }
            }
        }
    }
    show(args, &formatted, &problems, ui)
}

/// The files to lay out, and what is wrong with the paths.
fn find(args: &Args, global: &Global) -> Result<(Vec<Found>, Vec<Diagnostic>), Failure> {
    if args.paths.is_empty() {
        let project = Project::load(global, &Api::default())?;
        let (found, problems) = project.yaml();
        for one in &found {
            project.check_not_state_file(&one.shown)?;
        }
        return Ok((found, problems));
    }
    // JSON is YAML too: a state or a plan is not touched because its name was typed.
    let (yaml, others): (Vec<_>, Vec<_>) = args.paths.iter().cloned().partition(|path| {
        let named = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        named || !path.is_file()
    });
    let here = std::fs::canonicalize(".").map_err(|error| cannot_write(Path::new("."), &error))?;
    let bounds = Bounds { project: &here, typed: true };
    let (found, mut problems) = manifest::find(Path::new(""), &yaml, bounds);
    problems.extend(others.iter().map(|path| {
        let shown = path.display().to_string();
        let shown = clean(&shown);
        Diagnostic::error("not-yaml", text!("`{shown}` is not a manifest file name", shown))
            .help(text!("only *.yaml and *.yml files are formatted"))
    }));
    Ok((found, problems))
}

/// Reads a file and lays it out.
fn look(found: &Found) -> Result<Formatted, Vec<Diagnostic>> {
    let bytes = manifest::bytes(found).map_err(|problem| vec![*problem])?;
    lay_out(&found.shown, bytes)
}

fn lay_out(path: &Path, bytes: Vec<u8>) -> Result<Formatted, Vec<Diagnostic>> {
    let source = manifest::source(path, bytes.clone()).map_err(|problem| vec![*problem])?;
    let new = manifest::layout(&source)?;
    // It is UTF-8, or there would be no source; and here its byte order mark counts.
    let old = String::from_utf8(bytes).unwrap_or_default();
    Ok(Formatted { path: path.display().to_string(), old, new, written: false })
}

fn not_written(path: &str, error: &std::io::Error) -> Diagnostic {
    let path = clean(path);
    let why = text!("cannot write {path}: {error}", path, error);
    Diagnostic::error("write", why).help(text!("it is unchanged; only the listed files were written"))
}

fn show(args: &Args, formatted: &[Formatted], problems: &[Diagnostic], ui: &mut Ui) -> Result<Exit, Failure> {
    let printed = if args.diff { Printed::PathsAndDiffs } else { Printed::Paths };
    let view = FmtView::new(formatted, printed, args.check, problems);
    ui.diagnose(problems);
    ui.show(&view)?;
    Ok(exit(args, formatted, problems))
}

fn exit(args: &Args, formatted: &[Formatted], problems: &[Diagnostic]) -> Exit {
    if any_error(problems) {
        Exit::Error
    } else if args.check && formatted.iter().any(Formatted::changed) {
        Exit::Changes
    } else {
        Exit::Fine
    }
}

/// Whether the text itself goes to standard output, where none of it may be escaped: it is put into a file.
fn prints(args: &Args, ui: &Ui) -> bool {
    !args.check && !args.diff && ui.format == Format::Human
}

fn not_harmless() -> Diagnostic {
    let why = text!(
        "standard input contains text that a CI system would execute: `##` before a bracket, or `::` at the start of a line"
    );
    Diagnostic::error("fmt-ci-command", why)
        .help(text!("change that text, or format the file in place: `postpay fmt FILE`"))
}

/// From standard input to standard output.
fn stdin(args: &Args, ui: &mut Ui) -> Result<Exit, Failure> {
    if args.paths.len() > 1 {
        let why = text!("`-` (standard input) cannot be combined with other paths");
        return Err(Failure::new("fmt-stdin", why)
            .help(text!("format the files in a separate command; no file was written")));
    }
    let path = Path::new(STDIN);
    let read = manifest::read_input(path, std::io::stdin().lock(), 0).map_err(|problem| vec![*problem]);
    let (formatted, problems) = match read.and_then(|bytes| lay_out(path, bytes)) {
        Ok(file) if prints(args, ui) && escape_commands(&file.new, Syntax::Plain) != file.new => {
            (Vec::new(), vec![not_harmless()])
        }
        Ok(file) => (vec![file], Vec::new()),
        Err(problems) => (Vec::new(), problems),
    };
    let printed = match (args.check, args.diff) {
        (true, true) => Printed::PathsAndDiffs,
        (true, false) => Printed::Paths,
        (false, true) => Printed::Diffs,
        (false, false) => Printed::Text,
    };
    let view = FmtView::new(&formatted, printed, args.check, &problems);
    ui.diagnose(&problems);
    ui.show(&view)?;
    Ok(exit(args, &formatted, &problems))
}
