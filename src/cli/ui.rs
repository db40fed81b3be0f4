//! The terminal of a command: its streams, colour, width, language and prompts.

use std::cell::{OnceCell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use console::Term;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use super::env;
use super::error::{Exit, Failure, NOTHING_SENT, cannot_print};
use super::options::{Color, Format, Global};
use super::printer::{self, Stderr};
use super::reports::Reports;
use super::terminal;
use crate::cloud::Watcher;
use crate::cloud::tencent::{Missed, Recorder};
use crate::crash;
use crate::diagnostic::limit::{self, Limited};
use crate::diagnostic::{Diagnostic, render, wrap};
use crate::i18n::{Lang, Text, text};
use crate::report::RenderOptions;
use crate::report::events;
use crate::sanitize::{Syntax, escape_commands};
use crate::state::{LockStatus, StateError, StateStore};

/// Whether standard output takes what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdout {
    Open,
    /// Its reader has left (a broken pipe), which is no error.
    Gone,
    /// Writing failed, which was reported.
    Lost,
}

/// Where a command prints, and whom it asks.
pub(super) struct Ui {
    pub out: RenderOptions,
    pub err: RenderOptions,
    pub format: Format,
    pub reports: Reports,
    pub stdout: Stdout,
    pub stderr: Stderr,
    /// Diagnostics so far: reports repeat them.
    diagnostics: RefCell<Vec<Diagnostic>>,
    /// The log is on standard error, where progress would be drawn.
    logs: bool,
    /// Standard output is a stream of JSON events.
    pub events: bool,
    /// Where calls are recorded, if they are.
    recorder: OnceCell<Arc<Recorder>>,
}

impl Ui {
    /// Starts the log and looks at the terminal.
    pub(super) fn new(global: &Global) -> Result<Self, Failure> {
        let reports = Reports::parse(&global.reports)?;
        if cfg!(debug_assertions)
            && let Ok(moment) = std::env::var("POSTPAY_CRASH_AT")
        {
            crash::arm(&moment)
                .map_err(|why| Failure::new("crash-point", Text::same(why)).help(NOTHING_SENT))?;
        }
        let lang = message_language(global);
        let mut ui = Self::plain(lang);
        let options = |color, columns: Option<usize>| RenderOptions {
            color,
            lang,
            columns,
            links: color && columns.is_some() && terminal::takes_links(env::variable),
        };
        let out = options(wants_color(global.color, &io::stdout()), columns(&Term::stdout()));
        let err = options(wants_color(global.color, &io::stderr()), columns(&Term::stderr()));
        (ui.out, ui.err) = (out, err);
        ui.format = global.format;
        ui.reports = reports;
        if let Some(level) = global.log {
            ui.logs = true;
            let stderr = ui.stderr.clone();
            let log = tracing_subscriber::fmt::layer()
                .with_writer(move || LogToStderr(stderr.clone()))
                .log_internal_errors(false)
                .with_ansi(ui.err.color)
                .with_filter(Targets::new().with_target("postpay", level));
            tracing_subscriber::registry().with(log).init();
        }
        Ok(ui)
    }

    /// Without colour, reports or a known width.
    pub(super) fn plain(lang: Lang) -> Self {
        let options = RenderOptions { lang, ..RenderOptions::PLAIN };
        Self {
            out: options,
            err: options,
            format: Format::Human,
            reports: Reports::default(),
            stdout: Stdout::Open,
            stderr: Stderr::default(),
            diagnostics: RefCell::default(),
            logs: false,
            events: false,
            recorder: OnceCell::new(),
        }
    }

    /// Prints data to standard output. After a broken pipe nothing more is printed.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.print_as_is(&escape_commands(text, Syntax::Plain))
    }

    /// Prints workflow commands of postpay, which a CI system obeys.
    pub(super) fn print_as_is(&mut self, text: &str) -> Result<(), Failure> {
        if self.stdout != Stdout::Open {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.stdout = Stdout::Gone;
                Ok(())
            }
            Err(error) => {
                self.stdout = Stdout::Lost;
                Err(cannot_print(&error))
            }
        }
    }

    /// Prints to standard error. Errors are ignored: there is nowhere to report them.
    pub(super) fn print_stderr(&self, text: &str) {
        self.stderr.write(text);
    }

    /// Prints a message to standard error, wrapped to the terminal.
    pub(super) fn status(&self, text: &Text) {
        self.print_stderr(&self.within(text.in_lang(self.err.lang)));
    }

    /// Sentences, wrapped where standard error is a terminal that is narrower.
    fn within(&self, text: &str) -> String {
        let Some(columns) = self.err.columns else {
            return text.to_owned();
        };
        let lines = text.split('\n');
        let wrapped: Vec<String> = lines.map(|line| wrap::wrapped(line, columns, 4)).collect();
        wrapped.join("\n")
    }

    /// Prints diagnostics to standard error, or as events, and keeps them for the reports.
    pub(super) fn diagnose(&self, diagnostics: &[Diagnostic]) {
        self.diagnostics.borrow_mut().extend_from_slice(diagnostics);
        // What cannot be written to standard output is written to standard error.
        if self.events && print_events(&Limited::new(diagnostics).into_all()).is_ok() {
            return;
        }
        let diagnostics = &Limited::new(&limit::grouped(diagnostics)).into_all();
        if !diagnostics.is_empty() {
            let RenderOptions { color, lang, columns, .. } = self.err;
            let text = render::render(diagnostics, color, lang);
            self.print_stderr(&match columns {
                Some(columns) => wrap::diagnostics(&text, columns),
                None => text,
            });
        }
    }

    /// Sets where calls are recorded.
    pub(super) fn set_recorder(&self, recorder: &Arc<Recorder>) {
        self.recorder.get_or_init(|| Arc::clone(recorder));
    }

    /// Warns when the file of `--record` lacks calls.
    pub(super) fn warn_incomplete_recording(&self) {
        let missed = self.recorder.get().and_then(|recorder| recorder.missed());
        let Some(Missed { calls, why }) = missed else {
            return;
        };
        self.diagnose(&[Diagnostic::warning(
            "record-incomplete",
            text!("the file of --record is incomplete; calls missing or cut: {calls}; {why}", calls, why),
        )
        .help(text!("the calls were made, and their results are in the state"))]);
    }

    /// Returns the diagnostics so far, for the reports; those that repeat are counted.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        Limited::new(&self.diagnostics.borrow()).into_all()
    }

    /// Returns all diagnostics so far.
    pub(super) fn all_diagnostics(&self) -> Vec<Diagnostic> {
        self.diagnostics.borrow().clone()
    }

    /// Reports why a command ended, and returns its exit code.
    pub(super) fn fail(&self, failure: &Failure) -> Exit {
        self.diagnose(&failure.diagnostics);
        failure.exit
    }

    /// Whether standard output is the terminal on which the user is asked.
    pub(super) fn is_visible(&self) -> bool {
        io::stdout().is_terminal() && self.stdout == Stdout::Open
    }

    /// Whether somebody can be asked.
    pub(super) fn can_ask(&self) -> bool {
        !self.events && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks for approval; only `yes` approves.
    pub(super) fn ask(&self, question: &str) -> bool {
        self.ask_for("yes", question)
    }

    /// Asks for a word; only the word itself approves.
    pub(super) fn ask_for(&self, word: &str, question: &str) -> bool {
        self.print_stderr(&self.within(question));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        self.print_stderr("\n");
        read.is_ok() && answer.trim() == word
    }

    /// Whether progress can be drawn.
    pub(super) fn can_draw(&self) -> bool {
        io::stderr().is_terminal() && !self.events && !self.logs
    }

    /// Returns the display of progress in reading the account.
    pub(super) fn watcher(&self) -> Option<Watcher> {
        self.can_draw().then(|| printer::watcher(self.err.lang))
    }

    /// Takes a lock, and shows how long it has been waiting, at most `most`.
    pub(super) fn locked<T>(
        &self,
        store: &dyn StateStore,
        most: Duration,
        take: impl FnOnce() -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let held = match store.lock_status() {
            Ok(LockStatus::Held(holder)) => Some(holder),
            // Taking it reports the error.
            Ok(LockStatus::Free) | Err(_) => None,
        };
        let _progress = held
            .filter(|_| self.can_draw() && !most.is_zero())
            .and_then(|holder| printer::waiting_for_lock(holder, most, self.err.lang));
        take()
    }

    /// The folder that we are in, below the root of the repository, with `/` between folders; empty when it is the root.
    pub(super) fn folder(&self) -> String {
        let of_git = || super::git::folder(Path::new("."));
        let of_the_pipeline = || {
            let here = std::env::current_dir().ok()?;
            let roots = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];
            let mut roots = roots.into_iter().filter_map(env::variable);
            let below = roots.find_map(|root| here.strip_prefix(root).ok().map(Path::to_owned))?;
            let below = below.display().to_string();
            Some(below.replace(std::path::MAIN_SEPARATOR, "/"))
        };
        let folder =
            self.reports.folder.get_or_init(|| of_git().or_else(of_the_pipeline).unwrap_or_default());
        folder.clone()
    }
}

/// Prints diagnostics as events.
fn print_events(diagnostics: &[Diagnostic]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for diagnostic in diagnostics {
        writeln!(stdout, "{}", events::diagnostic(diagnostic, env::now()))?;
    }
    stdout.flush()
}

/// Standard error for the log. A log that can't be written is no reason to end a run that has paid for something, and
/// tracing would panic over it: an error is swallowed here.
struct LogToStderr(Stderr);

impl Write for LogToStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The language that was asked for, by flag, variable or locale.
pub(super) fn message_language(global: &Global) -> Lang {
    global.lang.unwrap_or_else(locale_language)
}

/// The language of the messages that the system's locale asks for.
pub(super) fn locale_language() -> Lang {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|locale| !locale.is_empty())
        .map_or(Lang::En, |locale| Lang::of_locale(&locale))
}

/// How wide a terminal is; None when it is none, or does not say.
fn columns(stream: &Term) -> Option<usize> {
    let (_, columns) = stream.is_term().then(|| stream.size_checked()).flatten()?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

fn wants_color(color: Color, stream: &impl anstream::stream::RawStream) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
}
