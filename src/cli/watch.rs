//! A run as it is watched: a bar on a terminal, lines in a log, events for programs.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::meter::{Look, Meter, said};
use super::world::World;
use crate::apply::{Progress, Settings};
use crate::clock::{Clock, SystemClock};
use crate::cloud::Watcher;
use crate::lang::Lang;
use crate::plan::Plan;
use crate::report::events;
use crate::report::human::{self, progress};

/// Shows progress; never the reason why a run fails.
pub(super) struct Watch {
    total: usize,
    look: human::Look,
    events: bool,
    meter: Option<Meter>,
    run: Arc<Run>,
    done: usize,
}

/// What the line tells, whenever it is drawn.
struct Run {
    total: usize,
    rate: f64,
    lang: Lang,
    /// What is being read from the account.
    look: Look,
    now: Mutex<Now>,
}

struct Now {
    began: Instant,
    sent: BTreeSet<usize>,
    /// How many environments are looked for, since when, and for how long at most.
    looking: Option<(usize, Instant, Duration)>,
}

impl Watch {
    pub(super) fn new(plan: &Plan, settings: &Settings, events: bool, world: &World) -> Self {
        let total = plan.changes().count();
        let run = Arc::new(Run {
            total,
            rate: settings.rate,
            lang: world.err.lang,
            look: Look::default(),
            now: Mutex::new(Now {
                began: Instant::now(),
                sent: BTreeSet::new(),
                looking: None,
            }),
        });
        let meter = (world.can_draw() && !events).then(|| {
            let run = Arc::clone(&run);
            let template = match run.lang {
                Lang::En => "{bar:30} {pos}/{len} steps, {wide_msg}",
                Lang::Zh => "{bar:30} {pos}/{len} 步，{wide_msg}",
            };
            Meter::new(template, Some(total), move || run.say())
        });
        Self {
            total,
            look: world.err,
            events,
            meter,
            run,
            done: 0,
        }
    }

    /// Hears how far the run's looks at the account have come, where that is shown.
    pub(super) fn watcher(&self) -> Option<Watcher> {
        self.meter.as_ref()?;
        let run = Arc::clone(&self.run);
        Some(Arc::new(move |reading| run.look.set(reading.copied())))
    }

    pub(super) fn observe(&mut self, progress: Progress<'_>) {
        self.run.hear(progress);
        if let Progress::Ended(_) = progress {
            self.done += 1;
        }
        if self.events {
            if let Some(line) = events::progress(progress, SystemClock.now()) {
                let mut stdout = std::io::stdout().lock();
                // A reader that has left must not end a run that is under way.
                let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
            }
            return;
        }
        let line = human::apply::line(progress, self.total, self.look);
        let write = |line: String| {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        };
        match (&self.meter, line) {
            (Some(meter), line) => {
                // On a terminal the bar tells what is under way; only what happened gets a line.
                let line = line.filter(|_| happened(progress));
                if let Some(line) = line {
                    meter.suspend(|| write(line));
                }
                meter.set_position(self.done);
            }
            (None, Some(line)) => write(line),
            (None, None) => {}
        }
    }
}

/// Whether something has happened, rather than being under way.
fn happened(progress: Progress<'_>) -> bool {
    match progress {
        Progress::Sending { .. } | Progress::Looking { .. } => false,
        Progress::Started { .. }
        | Progress::Retrying { .. }
        | Progress::Ended(_)
        | Progress::Found { .. }
        | Progress::Stopping { .. } => true,
    }
}

impl Run {
    fn hear(&self, progress: Progress<'_>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Started { .. } => now.began = Instant::now(),
            Progress::Sending { number, .. } => {
                now.sent.insert(number);
                now.looking = None;
            }
            Progress::Looking {
                open,
                after: _,
                left,
            } => {
                let since = now.looking.map_or_else(Instant::now, |(_, since, _)| since);
                now.looking = Some((open, since, since.elapsed() + left));
            }
            Progress::Ended(_) => now.looking = None,
            Progress::Retrying { .. } | Progress::Found { .. } | Progress::Stopping { .. } => {}
        }
    }

    fn say(&self) -> String {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        // How long it is looked for says more than how far one look has come.
        if let Some((open, since, most)) = now.looking {
            let looking = progress::looking(open, since.elapsed(), most);
            return said(&looking, self.lang);
        }
        self.look.say(self.lang).unwrap_or_else(|| self.pace(&now))
    }

    fn pace(&self, now: &Now) -> String {
        let elapsed = now.began.elapsed().as_secs_f64();
        let sent = u32::try_from(now.sent.len()).unwrap_or(u32::MAX);
        let waiting = self.total.saturating_sub(now.sent.len());
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        // The first needs no pause, so n starts take n - 1 pauses.
        let rate = if sent > 1 && elapsed > 0.0 {
            f64::from(sent - 1) / elapsed
        } else {
            self.rate
        };
        let left = Duration::try_from_secs_f64(f64::from(waiting) / self.rate).unwrap_or_default();
        said(&progress::pace_of(rate, Some(left)), self.lang)
    }
}
