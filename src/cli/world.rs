//! The concrete parts: streams, clock, environment, store. The only place that knows them.

use std::cell::{OnceCell, RefCell};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use console::Term;
use jiff::Timestamp;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use super::failure::{Exit, Failure, NOTHING_SENT, cant_print};
use super::git::Git;
use super::options::{Color, Format, Global};
use super::printer::{self, Stderr};
use super::reports::Reports;
use super::terminal;
use crate::apply::Operator;
use crate::clock::{Clock, SystemClock};
use crate::cloud::Watcher;
use crate::cloud::tencent::{Missed, Recorder};
use crate::crash;
use crate::diagnostic::limit::{self, Limited};
use crate::diagnostic::{Diagnostic, render, wrap};
use crate::i18n::{Lang, Text, text};
use crate::plan::GitFacts;
use crate::report::RenderOptions;
use crate::report::events;
use crate::sanitize::{Syntax, escape_commands};
use crate::state::file::FileStore;
use crate::state::{Holder, LockStatus, StateError, StateStore as _};

/// Whether standard output takes what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdout {
    Open,
    /// Its reader has left, which is no error.
    Gone,
    /// It took something no more, and that was reported.
    Lost,
}

/// What a command talks to.
pub(super) struct World {
    pub out: RenderOptions,
    pub err: RenderOptions,
    pub format: Format,
    pub reports: Reports,
    pub stdout: Stdout,
    pub stderr: Stderr,
    /// Diagnostics so far: reports repeat them.
    told: RefCell<Vec<Diagnostic>>,
    /// The log is on standard error, where progress would be drawn.
    logs: bool,
    /// What is said is a JSON event a line, on standard output.
    pub events: bool,
    /// Where calls are recorded, if they are.
    recorder: OnceCell<Arc<Recorder>>,
}

#[expect(
    clippy::unused_self,
    reason = "what a command asks of the world it asks of this value, whatever that needs to know"
)]
impl World {
    /// Starts the log and looks at the terminal.
    pub(super) fn new(global: &Global) -> Result<Self, Failure> {
        let reports = Reports::of(&global.reports)?;
        if cfg!(debug_assertions)
            && let Ok(moment) = std::env::var("POSTPAY_CRASH_AT")
        {
            crash::arm(&moment)
                .map_err(|why| Failure::new("crash-point", Text::same(why)).help(NOTHING_SENT))?;
        }
        let lang = lang_of(global);
        let mut world = Self::plain(lang);
        let options = |color, columns: Option<usize>| RenderOptions {
            color,
            lang,
            columns,
            links: color && columns.is_some() && terminal::takes_links(|name| world.variable(name)),
        };
        let out = options(wants_color(global.color, &io::stdout()), columns(&Term::stdout()));
        let err = options(wants_color(global.color, &io::stderr()), columns(&Term::stderr()));
        (world.out, world.err) = (out, err);
        world.format = global.format;
        world.reports = reports;
        if let Some(level) = global.log {
            world.logs = true;
            let stderr = world.stderr.clone();
            let log = tracing_subscriber::fmt::layer()
                .with_writer(move || LogToStderr(stderr.clone()))
                .log_internal_errors(false)
                .with_ansi(world.err.color)
                .with_filter(Targets::new().with_target("postpay", level));
            tracing_subscriber::registry().with(log).init();
        }
        Ok(world)
    }

    /// A world that has not looked around yet.
    pub(super) fn plain(lang: Lang) -> Self {
        let options = RenderOptions { lang, ..RenderOptions::PLAIN };
        Self {
            out: options,
            err: options,
            format: Format::Human,
            reports: Reports::default(),
            stdout: Stdout::Open,
            stderr: Stderr::default(),
            told: RefCell::default(),
            logs: false,
            events: false,
            recorder: OnceCell::new(),
        }
    }

    /// Data, to standard output. A reader that has left is no error: what follows is not shown.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.print_as_is(&escape_commands(text, Syntax::Plain))
    }

    /// Prints what a CI system may obey: workflow commands of ours.
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
                Err(cant_print(&error))
            }
        }
    }

    /// Standard input, as data.
    pub(super) fn input(&self) -> impl io::Read + use<> {
        io::stdin().lock()
    }

    /// Everything that is not data, to standard error. Errors are ignored: there is nowhere to report them.
    pub(super) fn say(&self, text: &str) {
        self.stderr.write(text);
    }

    /// What is said to people on standard error, in their language.
    pub(super) fn tell(&self, text: &Text) {
        self.say(&self.within(text.in_lang(self.err.lang)));
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

    pub(super) fn diagnose(&self, diagnostics: &[Diagnostic]) {
        self.told.borrow_mut().extend_from_slice(diagnostics);
        // What cannot be written to standard output is written to standard error.
        if self.events && self.emit(&Limited::new(diagnostics).into_all()).is_ok() {
            return;
        }
        let diagnostics = &Limited::new(&limit::grouped(diagnostics)).into_all();
        if !diagnostics.is_empty() {
            let RenderOptions { color, lang, columns, .. } = self.err;
            let text = render::render(diagnostics, color, lang);
            self.say(&match columns {
                Some(columns) => wrap::diagnostics(&text, columns),
                None => text,
            });
        }
    }

    /// Calls are recorded there from now on.
    pub(super) fn records(&self, recorder: &Arc<Recorder>) {
        self.recorder.get_or_init(|| Arc::clone(recorder));
    }

    /// Tells what the record lacks, if it does: whoever sends it to Tencent Cloud should know.
    pub(super) fn tell_unrecorded(&self) {
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

    /// The diagnostics so far, for the reports.
    pub(super) fn told(&self) -> Vec<Diagnostic> {
        Limited::new(&self.told.borrow()).into_all()
    }

    /// All of it, for whoever limits what they show of it themselves.
    pub(super) fn told_in_full(&self) -> Vec<Diagnostic> {
        self.told.borrow().clone()
    }

    /// As events, on standard output.
    fn emit(&self, diagnostics: &[Diagnostic]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        for diagnostic in diagnostics {
            writeln!(stdout, "{}", events::diagnostic(diagnostic, self.now()))?;
        }
        stdout.flush()
    }

    pub(super) fn fail(&self, failure: &Failure) -> Exit {
        self.diagnose(&failure.diagnostics);
        failure.exit
    }

    pub(super) fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// True when what is printed is seen by whoever is asked.
    pub(super) fn is_shown(&self) -> bool {
        io::stdout().is_terminal() && self.stdout == Stdout::Open
    }

    /// True when a person can be asked.
    pub(super) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a person; anything but `yes` is a no.
    pub(super) fn ask(&self, question: &str) -> bool {
        self.ask_for("yes", question)
    }

    /// Asks a person for a word; anything else is a no.
    pub(super) fn ask_for(&self, word: &str, question: &str) -> bool {
        self.say(&self.within(question));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        self.say("\n");
        read.is_ok() && answer.trim() == word
    }

    /// True when progress can be drawn rather than listed.
    pub(super) fn can_draw(&self) -> bool {
        io::stderr().is_terminal() && !self.events && !self.logs
    }

    /// Shows how far each look at the account has come, if anybody sees it.
    pub(super) fn watcher(&self) -> Option<Watcher> {
        self.can_draw().then(|| printer::watcher(self.err.lang))
    }

    /// Takes a lock, and shows how long it has waited for it, up to `most`.
    pub(super) fn locked<T>(
        &self,
        store: &FileStore,
        most: Duration,
        take: impl FnOnce() -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let held = match store.lock_status() {
            Ok(LockStatus::Held(holder)) => Some(holder),
            // Whatever is wrong with it, taking it says so.
            Ok(LockStatus::Free) | Err(_) => None,
        };
        let _progress = held
            .filter(|_| self.can_draw() && !most.is_zero())
            .and_then(|holder| printer::waiting_for_lock(holder, most, self.err.lang));
        take()
    }

    pub(super) fn store(&self, path: &Path) -> FileStore {
        FileStore::resolved(path)
    }

    /// Where something can be kept when there is no room beside the state: here, or in the temporary folder.
    pub(super) fn spare_folders(&self) -> [PathBuf; 2] {
        [PathBuf::from("."), std::env::temp_dir()]
    }

    pub(super) fn operator(&self) -> Operator {
        let user = ["USER", "LOGNAME", "USERNAME"]
            .into_iter()
            .find_map(|name| self.variable(name).filter(|user| !user.trim().is_empty()));
        let user = user.unwrap_or_else(user_of_process);
        let host = gethostname::gethostname();
        Operator { who: format!("{user}@{}", host.to_string_lossy()), pid: std::process::id() }
    }

    /// The repository that these files and folders are in, if they are in one.
    pub(super) fn git(&self, roots: &[PathBuf]) -> Option<Git> {
        Git::find(roots)
    }

    /// The folder that we are in, below the root of the repository, with `/` between folders; empty when it is the root.
    pub(super) fn folder(&self) -> String {
        let of_git = || super::git::folder(Path::new("."));
        let of_the_pipeline = || {
            let here = std::env::current_dir().ok()?;
            let roots = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];
            let mut roots = roots.into_iter().filter_map(|name| self.variable(name));
            let below = roots.find_map(|root| here.strip_prefix(root).ok().map(Path::to_owned))?;
            let below = below.display().to_string();
            Some(below.replace(std::path::MAIN_SEPARATOR, "/"))
        };
        let folder =
            self.reports.folder.get_or_init(|| of_git().or_else(of_the_pipeline).unwrap_or_default());
        folder.clone()
    }

    /// The git commit that these files and folders are in, with `+dirty` behind it when they differ from it; None
    /// outside of a repository, or without git.
    pub(super) fn commit(&self, roots: &[PathBuf]) -> Option<String> {
        let GitFacts { commit, dirty, author: _, touched: _ } = self.git(roots)?.facts();
        Some(commit + if dirty { "+dirty" } else { "" })
    }

    pub(super) fn holder(&self, doing: &str) -> Holder {
        let Operator { who, pid } = self.operator();
        Holder { who, pid, since: self.now(), doing: doing.to_owned() }
    }

    /// The folder of whoever runs this.
    pub(super) fn home(&self) -> Option<PathBuf> {
        std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
    }

    /// A variable of the environment as it is.
    pub(super) fn raw_variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    /// A variable of the environment. What is not UTF-8 in it is replaced, so that it is found and no key: another one in
    /// its place may be another account's.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = std::env::var_os(name)?;
        Some(value.to_string_lossy().into_owned())
    }
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

/// The user that this process runs as: the name, or else the number.
#[cfg(unix)]
fn user_of_process() -> String {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read("/etc/passwd").unwrap_or_default();
    let users = String::from_utf8_lossy(&users);
    name_of_uid(&users, &uid).map_or_else(|| format!("uid {uid}"), str::to_owned)
}

#[cfg(not(unix))]
fn user_of_process() -> String {
    "unknown".to_owned()
}

/// The name that a file like `/etc/passwd` has for a uid.
#[cfg(unix)]
fn name_of_uid<'a>(users: &'a str, uid: &str) -> Option<&'a str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1) == Some(uid)).then_some(name)
    })
}

/// The language that was asked for, by flag, variable or locale.
pub(super) fn lang_of(global: &Global) -> Lang {
    global.lang.unwrap_or_else(lang_of_locale)
}

/// The language of the messages that the system's locale asks for.
pub(super) fn lang_of_locale() -> Lang {
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

#[cfg(all(test, unix))]
mod tests {
    use super::name_of_uid;

    #[test]
    fn a_uid_is_named_by_the_list_of_users() {
        let users = "root:x:0:0:root:/root:/bin/bash\n+::::::\n:x:7:7::/:\nci:x:1001:100::/home/ci:/bin/sh\n";
        assert_eq!(name_of_uid(users, "1001"), Some("ci"));
        assert_eq!(name_of_uid(users, "0"), Some("root"));
        for uid in ["7", "100", "x"] {
            assert_eq!(name_of_uid(users, uid), None, "{uid}");
        }
    }
}
