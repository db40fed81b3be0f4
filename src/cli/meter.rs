//! Progress on a terminal for what takes over a second: a line that comes late, tells how far it has come, and is gone before
//! anything else is said. Whoever waits less than that sees nothing of it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::Narrow;
use crate::cloud::{Reading, Watcher};
use crate::lang::{Lang, Text};
use crate::report::human::progress;
use crate::state::Holder;

/// What is faster than this needs no progress.
const LATE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(200);
/// How often it is drawn at most.
const HZ: u8 = 10;
const LINE: &str = "{spinner} {wide_msg}";

/// A line of progress. It is cleared when this is dropped.
pub(super) struct Meter {
    bar: ProgressBar,
    late: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Meter {
    /// A line with this template, in which `{wide_msg}` is what `say` says whenever the line is drawn. `len` is for `{bar}`.
    pub(super) fn new(
        template: &str,
        len: Option<usize>,
        say: impl Fn() -> String + Send + 'static,
    ) -> Self {
        let len = len.map(|len| u64::try_from(len).unwrap_or(u64::MAX));
        let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let late = {
            let bar = bar.clone();
            let draw = move || {
                let mut wait = LATE;
                while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                    if bar.is_hidden() {
                        let terminal = Box::new(Narrow::stderr());
                        bar.set_draw_target(ProgressDrawTarget::term_like_with_hz(terminal, HZ));
                    }
                    bar.set_message(say());
                    bar.tick();
                    wait = TICK;
                }
            };
            // Without a thread there is no progress, and all else goes on.
            thread::Builder::new().spawn(draw).ok()
        };
        Self {
            bar,
            late: late.map(|late| (stop, late)),
        }
    }

    /// One that waits for a lock.
    pub(super) fn for_lock(holder: Option<Holder>, most: Duration, lang: Lang) -> Self {
        let began = Instant::now();
        Self::new(LINE, None, move || {
            let waited = began.elapsed();
            said(&progress::lock(holder.as_ref(), waited, most), lang)
        })
    }

    pub(super) fn set_position(&self, done: usize) {
        self.bar
            .set_position(u64::try_from(done).unwrap_or(u64::MAX));
    }

    /// Writes something else to the terminal, with the line out of the way meanwhile.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some((stop, late)) = self.late.take() {
            // It may not draw any more once the line is cleared.
            drop(stop);
            let _ = late.join();
        }
        self.bar.finish_and_clear();
    }
}

/// A line for every look at the account.
pub(super) fn watcher(lang: Lang) -> Watcher {
    let shown: Mutex<Option<(Meter, Arc<Look>)>> = Mutex::new(None);
    Arc::new(move |reading| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        match (reading, shown.as_ref()) {
            (None, _) => *shown = None,
            (Some(reading), Some((_, look))) => look.set(Some(*reading)),
            (Some(reading), None) => {
                let look = Arc::new(Look::default());
                look.set(Some(*reading));
                let said = Arc::clone(&look);
                let say = move || said.say(lang).unwrap_or_default();
                *shown = Some((Meter::new(LINE, None, say), look));
            }
        }
    })
}

/// The look that is under way, if one is, and since when.
#[derive(Default)]
pub(super) struct Look(Mutex<Option<(Reading, Instant)>>);

impl Look {
    pub(super) fn set(&self, reading: Option<Reading>) {
        let mut look = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = look.as_ref().map_or_else(Instant::now, |(_, began)| *began);
        *look = reading.map(|reading| (reading, began));
    }

    pub(super) fn say(&self, lang: Lang) -> Option<String> {
        let look = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (reading, began) = look?;
        Some(said(&progress::reading(&reading, began.elapsed()), lang))
    }
}

pub(super) fn said(text: &Text, lang: Lang) -> String {
    text.in_lang(lang).to_owned()
}
