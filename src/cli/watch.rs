//! A run as it is watched: a bar on a terminal, lines in a log, events for programs.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::world::World;
use crate::apply::Progress;
use crate::clock::{Clock, SystemClock};
use crate::plan::Plan;
use crate::report::human::{self, Look};
use crate::report::{duration, events};

/// Shows progress; never the reason why a run fails.
pub(super) struct Watch {
    total: usize,
    rate: f64,
    look: Look,
    events: bool,
    bar: Option<ProgressBar>,
    sent: BTreeSet<usize>,
    done: usize,
    began: Instant,
}

impl Watch {
    pub(super) fn new(plan: &Plan, rate: f64, events: bool, world: &World) -> Self {
        let total = plan.changes().count();
        Self {
            total,
            rate,
            look: world.err,
            events,
            bar: (world.can_draw() && !events).then(|| bar(total)),
            sent: BTreeSet::new(),
            done: 0,
            began: Instant::now(),
        }
    }

    pub(super) fn observe(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Started { .. } => self.began = Instant::now(),
            Progress::Sending { number, .. } => {
                self.sent.insert(number);
            }
            Progress::Ended(_) => self.done += 1,
            Progress::Retrying { .. }
            | Progress::Looking { .. }
            | Progress::Found { .. }
            | Progress::Stopping { .. } => {}
        }
        if self.events {
            if let Some(line) = events::progress(progress, SystemClock.now()) {
                let mut stdout = std::io::stdout().lock();
                // A reader that has left must not end a run that is under way.
                let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
            }
            return;
        }
        match (
            &self.bar,
            human::apply::line(progress, self.total, self.look),
        ) {
            (Some(bar), line) => {
                // On a terminal the bar tells what is being sent; only what happened gets a line.
                if let Some(line) = line.filter(|_| !matches!(progress, Progress::Sending { .. })) {
                    bar.println(line);
                }
                bar.set_position(u64::try_from(self.done).unwrap_or(u64::MAX));
                bar.set_message(self.message());
            }
            (None, Some(line)) => {
                let _ = writeln!(std::io::stderr().lock(), "{line}");
            }
            (None, None) => {}
        }
    }

    /// `2.0 a second, about 4.5 s left`
    fn message(&self) -> String {
        let elapsed = self.began.elapsed().as_secs_f64();
        let sent = u32::try_from(self.sent.len()).unwrap_or(u32::MAX);
        let waiting =
            u32::try_from(self.total - self.sent.len().min(self.total)).unwrap_or(u32::MAX);
        // The first needs no pause, so n starts take n - 1 pauses.
        let rate = if sent > 1 && elapsed > 0.0 {
            f64::from(sent - 1) / elapsed
        } else {
            self.rate
        };
        let left = Duration::try_from_secs_f64(f64::from(waiting) / self.rate).unwrap_or_default();
        format!("{rate:.1} a second, about {} left", duration(left))
    }

    pub(super) fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        Some(u64::try_from(total).unwrap_or(u64::MAX)),
        ProgressDrawTarget::stderr(),
    );
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {msg}");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
