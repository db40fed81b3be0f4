//! When the next request may start. Pure: instants come in as arguments.

use std::time::Duration;

use tokio::time::Instant;

/// The rate limit's window: a call that was throttled may be sent again this long after it was sent.
pub const WINDOW: Duration = Duration::from_secs(1);
/// The spacing of starts, in units of 1/rate. The margin is for calls that take unequally long to arrive.
const SPACING: f64 = 1.029;
/// What each congestion adds to the spacing, for the rest of the run.
const STEP: Duration = Duration::from_millis(10);
/// How long before its slot an intent is written: enough for an fsync, so that the send itself is on time.
pub(super) const LEAD: Duration = Duration::from_millis(25);
/// Timers wake up late, on a busy machine by some milliseconds. A start that is late by no more than this does not delay the
/// following ones.
const LATE: Duration = Duration::from_millis(5);

/// Spaces the starts of requests to one action. A pause earns no burst.
#[derive(Debug, Clone)]
pub struct Pacer {
    interval: Duration,
    next: Instant,
    /// When the last throttled answer came.
    throttled: Option<Instant>,
}

impl Pacer {
    /// `rate` is in requests per second; `rested` is the time since another run sent its last request.
    pub fn new(rate: f64, now: Instant, rested: Option<Duration>) -> Self {
        let interval = Duration::try_from_secs_f64(SPACING / rate).unwrap_or(WINDOW);
        let wait = rested.map_or(Duration::ZERO, |rested| interval.saturating_sub(rested));
        Self { interval, next: now + wait, throttled: None }
    }

    /// The earliest moment at which the next request may start.
    pub fn slot(&self) -> Instant {
        self.next
    }

    /// The current spacing of starts.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Records that a request started.
    pub fn sent(&mut self, at: Instant) {
        let late = at.saturating_duration_since(self.next).min(LATE);
        self.next = at + self.interval.saturating_sub(late);
    }

    /// Records the throttled answer to a call that was sent at `sent`. Each congestion slows the starts down once: calls
    /// that were sent before its last throttled answer came belong to it, and so does a call whose last attempt was
    /// throttled as well (`again`).
    pub fn throttled(&mut self, sent: Instant, now: Instant, again: bool) {
        if !again && self.throttled.is_none_or(|last| sent > last) {
            self.interval += STEP;
        }
        self.throttled = Some(now);
    }
}

/// The least time that `n` requests take from the first start to the last, at `rate` a second.
pub fn least_time(n: usize, rate: f64) -> Duration {
    let pauses = u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::try_from_secs_f64(f64::from(pauses) / rate).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACED: Duration = Duration::from_micros(514_500);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn starts_are_spaced_and_a_pause_earns_no_burst() {
        let start = Instant::now();
        let mut pacer = Pacer::new(2.0, start, None);
        assert_eq!(pacer.slot(), start);
        pacer.sent(start);
        assert_eq!(pacer.slot(), start + SPACED);
        let late = start + Duration::from_secs(60);
        pacer.sent(late);
        assert_eq!(pacer.slot(), late + SPACED - LATE);
    }

    #[test]
    fn lateness_of_the_timer_does_not_add_up() {
        let start = Instant::now();
        let mut pacer = Pacer::new(2.0, start, None);
        for _ in 0..10 {
            pacer.sent(pacer.slot() + LATE);
        }
        assert_eq!(pacer.slot(), start + SPACED * 10);
        pacer.sent(pacer.slot() + LATE * 2);
        assert_eq!(pacer.slot(), start + SPACED * 11 + LATE);
    }

    #[test]
    fn the_last_request_of_another_run_counts() {
        let start = Instant::now();
        let pacer = Pacer::new(2.0, start, Some(Duration::from_millis(200)));
        assert_eq!(pacer.slot(), start + Duration::from_micros(314_500));
        let rested = Pacer::new(2.0, start, Some(Duration::from_secs(9)));
        assert_eq!(rested.slot(), start);
    }

    #[test]
    fn each_congestion_and_not_each_throttled_answer_slows_down() {
        let start = Instant::now();
        let mut pacer = Pacer::new(2.0, start, None);
        let at = |seconds: u32| start + SECOND * seconds;
        pacer.throttled(at(0), at(2), false);
        assert_eq!(pacer.interval(), SPACED + STEP);
        // Sent before the congestion was noticed.
        pacer.throttled(at(1), at(3), false);
        // The first call, sent again and throttled again.
        pacer.throttled(at(4), at(6), true);
        // Sent before that answer came.
        pacer.throttled(at(5), at(7), false);
        assert_eq!(pacer.interval(), SPACED + STEP);
        pacer.throttled(at(8), at(9), false);
        assert_eq!(pacer.interval(), SPACED + STEP * 2);
    }

    #[test]
    fn least_time_is_one_pause_less_than_requests() {
        assert_eq!(least_time(0, 2.0), Duration::ZERO);
        assert_eq!(least_time(1, 2.0), Duration::ZERO);
        assert_eq!(least_time(12, 2.0), Duration::from_millis(5500));
    }
}
