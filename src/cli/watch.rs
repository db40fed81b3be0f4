//! Progress of a run: a bar on a terminal, lines in a log, events for programs.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::printer::{self, Line, Printer, ReadProgress, in_lang};
use super::ui::Ui;
use crate::apply::{Progress, Settings};
use crate::clock::{Clock, SystemClock};
use crate::cloud::Watcher;
use crate::i18n::Lang;
use crate::plan::Plan;
use crate::report::{RenderOptions, events, progress};

/// Shows the progress of a run. A failure to show it never fails the run.
pub(super) struct Watch {
    total: usize,
    options: RenderOptions,
    events: bool,
    draws: bool,
    run: Arc<Run>,
    lines: Option<mpsc::Sender<Line>>,
}

/// What the line of progress shows whenever it is drawn.
struct Run {
    total: usize,
    rate: f64,
    lang: Lang,
    /// What is being read from the account.
    reading: ReadProgress,
    now: Mutex<Now>,
}

struct Now {
    began: Instant,
    started: bool,
    sent: BTreeSet<usize>,
    done: usize,
    /// How many environments are searched for, since when, and for how long at most.
    looking: Option<(usize, Instant, Duration)>,
    /// The same for environments that are waited for.
    waiting: Option<(usize, Instant, Duration)>,
}

impl Watch {
    /// Starts the thread that shows progress.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        plan: &Plan,
        settings: &Settings,
        events: bool,
        ui: &Ui,
    ) -> io::Result<(Self, Printer)> {
        let total = plan.changes().count();
        let run = Arc::new(Run {
            total,
            rate: settings.rate,
            lang: ui.err.lang,
            reading: ReadProgress::default(),
            now: Mutex::new(Now {
                began: Instant::now(),
                started: false,
                sent: BTreeSet::new(),
                done: 0,
                looking: None,
                waiting: None,
            }),
        });
        let draws = ui.can_draw() && !events;
        let progress = draws.then(|| {
            let run = Arc::clone(&run);
            printer::Progress {
                template: match run.lang {
                    Lang::En => "{bar:30} {pos}/{len} steps, {wide_msg}",
                    Lang::Zh => "{bar:30} {pos}/{len} 步，{wide_msg}",
                },
                len: Some(total),
                status: Box::new(move || run.status()),
            }
        });
        let printer = Printer::start(progress)?;
        let watch = Self { total, options: ui.err, events, draws, run, lines: printer.queue() };
        Ok((watch, printer))
    }

    /// Returns what follows the run's reading of the account, where that is shown.
    pub(super) fn watcher(&self) -> Option<Watcher> {
        if !self.draws {
            return None;
        }
        let run = Arc::clone(&self.run);
        Some(Arc::new(move |reading| run.reading.set(reading.copied())))
    }

    /// Queues what there is to show. Nothing is written here: a reader that stalls must not hold up the run.
    pub(super) fn observe(&self, event: Progress<'_>) {
        self.run.update(event);
        let line = if self.events {
            events::progress(event, SystemClock.now()).map(Line::Out)
        } else {
            // On a terminal the bar shows what is in progress; only what happened gets a line.
            let line = progress::render_progress(event, self.total, self.options);
            let line = line.filter(|_| !self.draws || has_happened(event));
            line.map(|line| Line::Err(self.options.wrap(line, 4).trim_end().to_owned()))
        };
        if let (Some(line), Some(lines)) = (line, &self.lines) {
            let _ = lines.send(line);
        }
    }
}

/// Whether something has happened, rather than being in progress.
fn has_happened(progress: Progress<'_>) -> bool {
    match progress {
        Progress::Sending { .. } | Progress::Looking { .. } | Progress::Waiting { .. } => false,
        Progress::Started { .. }
        | Progress::Retrying { .. }
        | Progress::Ended(_)
        | Progress::Ready { .. }
        | Progress::Found { .. }
        | Progress::Stopping { .. } => true,
    }
}

impl Run {
    fn update(&self, progress: Progress<'_>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Started { .. } => {
                now.began = Instant::now();
                now.started = true;
            }
            Progress::Sending { number, .. } => {
                now.sent.insert(number);
                now.looking = None;
            }
            Progress::Looking { open, after: _, left } => {
                let since = now.looking.map_or_else(Instant::now, |(_, since, _)| since);
                now.looking = Some((open, since, since.elapsed() + left));
            }
            Progress::Waiting { open, after: _, left } => {
                let since = now.waiting.map_or_else(Instant::now, |(_, since, _)| since);
                now.waiting = Some((open, since, since.elapsed() + left));
            }
            Progress::Ended(_) => {
                now.done += 1;
                now.looking = None;
            }
            Progress::Retrying { .. }
            | Progress::Ready { .. }
            | Progress::Found { .. }
            | Progress::Stopping { .. } => {}
        }
    }

    fn status(&self) -> (usize, String) {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        (now.done, self.sentence(&now))
    }

    fn sentence(&self, now: &Now) -> String {
        if let Some((open, since, most)) = now.waiting {
            return in_lang(&progress::describe_wait(open, since.elapsed(), most), self.lang);
        }
        // The time of the search is more useful than the progress of one listing.
        if let Some((open, since, most)) = now.looking {
            let looking = progress::describe_search(open, since.elapsed(), most);
            return in_lang(&looking, self.lang);
        }
        // Nobody waits for the listings in the background of a run.
        let reading = self.reading.describe(self.lang).filter(|_| !now.started);
        reading.unwrap_or_else(|| self.pace(now))
    }

    fn pace(&self, now: &Now) -> String {
        let elapsed = now.began.elapsed().as_secs_f64();
        let sent = u32::try_from(now.sent.len()).unwrap_or(u32::MAX);
        let waiting = self.total.saturating_sub(now.sent.len());
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        // The first needs no pause, so n starts take n - 1 pauses.
        let rate = if sent > 1 && elapsed > 0.0 { f64::from(sent - 1) / elapsed } else { self.rate };
        let left = Duration::try_from_secs_f64(f64::from(waiting) / self.rate).unwrap_or_default();
        in_lang(&progress::describe_pace(rate, Some(left)), self.lang)
    }
}
