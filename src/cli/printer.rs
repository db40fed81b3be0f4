//! Output while a command works: one thread writes, so that a stalled terminal or a full pipe holds up nothing else.
//!
//! The thread also draws a line of progress on a terminal: after a second, so that fast work shows none of it.

use std::io::{self, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::Narrow;
use crate::cloud::{Reading, Watcher};
use crate::i18n::{Lang, Text};
use crate::report::progress;
use crate::sanitize::{Syntax, escape_commands};
use crate::state::Holder;

/// Faster work shows no progress.
const LATE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(200);
/// How often it is drawn at most.
const HZ: u8 = 10;
const SPINNER: &str = "{spinner} {wide_msg}";

/// A whole line for one of the streams, without its end.
pub(super) enum Line {
    Out(String),
    Err(String),
}

/// What the line of progress shows whenever it is drawn: how many steps are done, and a sentence.
pub(super) type Status = Box<dyn Fn() -> (usize, String) + Send>;

/// A line of progress, and its template.
pub(super) struct Progress {
    pub template: &'static str,
    /// For `{bar}`.
    pub len: Option<usize>,
    pub status: Status,
}

/// The thread that writes. Dropping it waits until everything is written, and clears the line of progress.
pub(super) struct Printer {
    lines: Option<mpsc::Sender<Line>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Printer {
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(progress: Option<Progress>) -> io::Result<Self> {
        let (lines, queue) = mpsc::channel();
        let thread =
            thread::Builder::new().name("printer".to_owned()).spawn(move || write(&queue, progress))?;
        Ok(Self { lines: Some(lines), thread: Some(thread) })
    }

    /// The queue that the thread writes from. It takes whatever comes and never blocks.
    pub(super) fn queue(&self) -> Option<mpsc::Sender<Line>> {
        self.lines.clone()
    }

    /// Waits until everything is written. Every sender that [`Self::queue`] gave must be gone.
    ///
    /// # Errors
    /// When standard output did not take a line. A reader that has left is no error.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.join()
    }

    /// Waits no longer than this for what is not written yet.
    pub(super) fn abandon(mut self, after: Duration) {
        self.lines = None;
        let until = Instant::now() + after;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        self.thread = None;
    }

    fn join(&mut self) -> io::Result<()> {
        self.lines = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(_)) | None => Ok(()),
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        let _ = self.join();
    }
}

/// Writes what is queued until nobody can queue any more; returns what standard output refused.
fn write(queue: &mpsc::Receiver<Line>, progress: Option<Progress>) -> io::Result<()> {
    let bar = progress.map(|Progress { template, len, status }| {
        let len = len.map(|len| u64::try_from(len).unwrap_or(u64::MAX));
        let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        (bar, status)
    });
    let mut refused = Ok(());
    let mut due = Instant::now() + LATE;
    loop {
        let line = match &bar {
            Some(_) => queue.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match (line, &bar) {
            (Ok(line), Some((bar, _))) => bar.suspend(|| put(line, &mut refused)),
            (Ok(line), None) => put(line, &mut refused),
            (Err(RecvTimeoutError::Disconnected), _) => break,
            (Err(RecvTimeoutError::Timeout), None) => {}
            (Err(RecvTimeoutError::Timeout), Some((bar, status))) => {
                if bar.is_hidden() {
                    let terminal = Box::new(Narrow::stderr());
                    bar.set_draw_target(ProgressDrawTarget::term_like_with_hz(terminal, HZ));
                }
                let (done, message) = status();
                bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
                bar.set_message(escape_commands(&message, Syntax::Plain).into_owned());
                bar.tick();
                due = Instant::now() + TICK;
            }
        }
    }
    if let Some((bar, _)) = bar {
        bar.finish_and_clear();
    }
    refused.or_else(
        |error: io::Error| {
            if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
        },
    )
}

fn put(line: Line, refused: &mut io::Result<()>) {
    match line {
        // There is nowhere to report that standard error cannot be written.
        Line::Err(line) => {
            let line = escape_commands(&line, Syntax::Plain);
            drop(writeln!(io::stderr().lock(), "{line}"));
        }
        // After a failure nothing more is written: a gap would be worse.
        Line::Out(line) if refused.is_ok() => {
            let line = escape_commands(&line, Syntax::Plain);
            let mut stdout = io::stdout().lock();
            *refused = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        }
        Line::Out(_) => {}
    }
}

/// Standard error, which goes through the printer while one is at work.
#[derive(Clone, Default)]
pub(super) struct Stderr(Arc<Mutex<Option<mpsc::Sender<Line>>>>);

impl Stderr {
    /// Everything goes through this queue from now on; directly again with None.
    pub(super) fn through(&self, queue: Option<mpsc::Sender<Line>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = queue;
    }

    /// Errors are ignored: there is nowhere to report them.
    pub(super) fn write(&self, text: &str) {
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = escape_commands(text, Syntax::Plain);
        match &*queue {
            Some(queue) => drop(queue.send(Line::Err(text.trim_end_matches('\n').to_owned()))),
            None => drop(io::stderr().lock().write_all(text.as_bytes())),
        }
    }
}

/// Shows a sentence while something is waited for. Without a thread there is no progress, and all else goes on.
fn spinner(status: impl Fn() -> String + Send + 'static) -> Option<Printer> {
    let status: Status = Box::new(move || (0, status()));
    Printer::start(Some(Progress { template: SPINNER, len: None, status })).ok()
}

/// Shows how long a lock is waited for.
pub(super) fn waiting_for_lock(holder: Option<Holder>, most: Duration, lang: Lang) -> Option<Printer> {
    let began = Instant::now();
    spinner(move || in_lang(&progress::describe_lock_wait(holder.as_ref(), began.elapsed(), most), lang))
}

/// Shows a line while the account is read.
pub(super) fn watcher(lang: Lang) -> Watcher {
    let shown: Mutex<Option<(Option<Printer>, Arc<ReadProgress>)>> = Mutex::new(None);
    Arc::new(move |reading| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        match (reading, shown.as_ref()) {
            (None, _) => *shown = None,
            (Some(reading), Some((_, progress))) => progress.set(Some(*reading)),
            (Some(reading), None) => {
                let progress = Arc::new(ReadProgress::default());
                progress.set(Some(*reading));
                let drawn = Arc::clone(&progress);
                let status = move || drawn.describe(lang).unwrap_or_default();
                *shown = Some((spinner(status), progress));
            }
        }
    })
}

/// How far reading the account has come, and since when it is read.
#[derive(Default)]
pub(super) struct ReadProgress(Mutex<Option<(Reading, Instant)>>);

impl ReadProgress {
    pub(super) fn set(&self, reading: Option<Reading>) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = current.as_ref().map_or_else(Instant::now, |(_, began)| *began);
        *current = reading.map(|reading| (reading, began));
    }

    pub(super) fn describe(&self, lang: Lang) -> Option<String> {
        let (reading, began) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(in_lang(&progress::describe_reading(&reading, began.elapsed()), lang))
    }
}

pub(super) fn in_lang(text: &Text, lang: Lang) -> String {
    text.in_lang(lang).to_owned()
}
