//! When the next request may start, and whether and when one that was not sent is retried. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::{FREE_REPAIRS, NotSent};

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

/// What to do after an attempt that was proven not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Again { after: Duration },
    GiveUp,
}

const LONGEST: Duration = Duration::from_secs(8);
/// The longest wait for the end of a congestion: what one costs beyond its own length depends on it.
const LONGEST_THROTTLED: Duration = Duration::from_secs(3);

/// Decides after a step's attempt, which took `took`, and whose first attempt started `elapsed` ago. `attempt` counts from 1;
/// for a throttled one, from the first of those in a row that were throttled. `repaired` counts the attempts before it after
/// which something was fixed.
pub fn decide(
    cause: NotSent,
    attempt: u32,
    repaired: u32,
    elapsed: Duration,
    took: Duration,
    retry_for: Duration,
) -> Decision {
    let doubled = |first: Duration| first.saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let after = match cause {
        NotSent::Connect | NotSent::NoKey => doubled(Duration::from_millis(500)).min(LONGEST),
        // The window counts from when the call was sent.
        NotSent::Throttled => doubled(WINDOW).min(LONGEST_THROTTLED).saturating_sub(took),
        NotSent::Repaired if repaired < FREE_REPAIRS => {
            return Decision::Again { after: Duration::ZERO };
        }
        // The cause is gone: nothing is gained by waiting.
        NotSent::Repaired | NotSent::Withdrawn => Duration::ZERO,
        NotSent::NoRequest | NotSent::Tls => return Decision::GiveUp,
    };
    if elapsed + after > retry_for { Decision::GiveUp } else { Decision::Again { after } }
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

    const MINUTE: Duration = Duration::from_secs(60);

    fn milliseconds(cause: NotSent, attempt: u32, took: Duration) -> Option<u128> {
        match decide(cause, attempt, 0, took, took, MINUTE) {
            Decision::Again { after } => Some(after.as_millis()),
            Decision::GiveUp => None,
        }
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits = |cause| (1..=6).map(move |attempt| milliseconds(cause, attempt, Duration::ZERO));
        assert!(waits(NotSent::Throttled).eq([1000, 2000, 3000, 3000, 3000, 3000].map(Some)));
        assert!(waits(NotSent::Connect).eq([500, 1000, 2000, 4000, 8000, 8000].map(Some)));
    }

    #[test]
    fn a_throttled_call_waits_from_when_it_was_sent() {
        let took = Duration::from_millis(1250);
        let waits = [1, 2, 3].map(|attempt| milliseconds(NotSent::Throttled, attempt, took));
        assert_eq!(waits, [0, 750, 1750].map(Some));
    }

    #[test]
    fn gives_up_when_the_next_attempt_would_come_too_late() {
        let ten = Duration::from_secs(10);
        let decide_at = |elapsed| decide(NotSent::Connect, 1, 0, elapsed, Duration::ZERO, ten);
        assert_ne!(decide_at(Duration::from_secs(9)), Decision::GiveUp);
        assert_eq!(decide_at(ten), Decision::GiveUp);
    }

    #[test]
    fn no_time_to_retry_means_one_attempt() {
        for took in [0, 1, 2000].map(Duration::from_millis) {
            let decision = decide(NotSent::Throttled, 1, 0, took, took, Duration::ZERO);
            assert_eq!(decision, Decision::GiveUp, "{took:?}");
        }
    }

    #[test]
    fn what_can_not_be_made_is_not_tried_again() {
        let zero = Duration::ZERO;
        let decision = decide(NotSent::NoRequest, 1, 0, zero, zero, MINUTE);
        assert_eq!(decision, Decision::GiveUp);
    }

    #[test]
    fn a_repaired_attempt_goes_at_once_whatever_time_there_is_but_not_for_ever() {
        let zero = Duration::ZERO;
        let at_once = Decision::Again { after: zero };
        let decide =
            |repaired, elapsed, retry_for| decide(NotSent::Repaired, 9, repaired, elapsed, zero, retry_for);
        for repaired in 0..FREE_REPAIRS {
            assert_eq!(decide(repaired, MINUTE, Duration::ZERO), at_once);
        }
        let late = Duration::from_millis(1);
        assert_eq!(decide(FREE_REPAIRS, late, Duration::ZERO), Decision::GiveUp);
        assert_eq!(decide(FREE_REPAIRS, late, MINUTE), at_once);
        assert_eq!(decide(FREE_REPAIRS, 2 * MINUTE, MINUTE), Decision::GiveUp);
    }
}
