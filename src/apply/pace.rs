//! When the next request may start. Pure: instants come in as arguments.

use std::time::Duration;

use tokio::time::Instant;

/// Spaces the starts of requests to one action: never two closer than the interval, no bursts after a pause.
#[derive(Debug, Clone)]
pub struct Pacer {
    usual: Duration,
    interval: Duration,
    next: Instant,
}

/// The slowest that throttling makes us, as a multiple of the usual interval.
const SLOWEST: u32 = 16;

impl Pacer {
    /// `rate` is in requests a second; `rested` is how long ago another run sent the last request.
    pub fn new(rate: f64, now: Instant, rested: Option<Duration>) -> Self {
        let usual = Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::from_secs(1));
        let wait = rested.map_or(Duration::ZERO, |rested| usual.saturating_sub(rested));
        Self {
            usual,
            interval: usual,
            next: now + wait,
        }
    }

    /// The earliest moment at which the next request may start.
    pub fn slot(&self) -> Instant {
        self.next
    }

    /// The pause that is kept at the moment.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// A request started.
    pub fn sent(&mut self, at: Instant) {
        self.next = at + self.interval;
    }

    /// The vendor turned a request away for its rate: slow down, and let nothing start before `until`.
    pub fn throttled(&mut self, until: Instant) {
        self.interval = (self.interval * 2).min(self.usual * SLOWEST);
        self.next = self.next.max(until);
    }

    /// The vendor took a request: speed up again, step by step.
    pub fn taken(&mut self) {
        self.interval = (self.interval * 3 / 4).max(self.usual);
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

    const HALF: Duration = Duration::from_millis(500);

    #[test]
    fn starts_are_an_interval_apart_and_a_pause_earns_no_burst() {
        let start = Instant::now();
        let mut pacer = Pacer::new(2.0, start, None);
        assert_eq!(pacer.slot(), start);
        pacer.sent(start);
        assert_eq!(pacer.slot(), start + HALF);
        let late = start + Duration::from_secs(60);
        pacer.sent(late);
        assert_eq!(pacer.slot(), late + HALF);
    }

    #[test]
    fn the_last_request_of_another_run_counts() {
        let start = Instant::now();
        let pacer = Pacer::new(2.0, start, Some(Duration::from_millis(200)));
        assert_eq!(pacer.slot(), start + Duration::from_millis(300));
        let rested = Pacer::new(2.0, start, Some(Duration::from_secs(9)));
        assert_eq!(rested.slot(), start);
    }

    #[test]
    fn throttling_slows_down_within_bounds_and_success_brings_the_pace_back() {
        let start = Instant::now();
        let mut pacer = Pacer::new(2.0, start, None);
        pacer.sent(start);
        pacer.throttled(start + Duration::from_secs(3));
        assert_eq!(pacer.slot(), start + Duration::from_secs(3));
        assert_eq!(pacer.interval(), 2 * HALF);
        for _ in 0..40 {
            pacer.throttled(start);
        }
        assert_eq!(pacer.interval(), HALF * SLOWEST);
        for _ in 0..40 {
            pacer.taken();
        }
        assert_eq!(pacer.interval(), HALF);
    }

    #[test]
    fn least_time_is_one_pause_less_than_requests() {
        assert_eq!(least_time(0, 2.0), Duration::ZERO);
        assert_eq!(least_time(1, 2.0), Duration::ZERO);
        assert_eq!(least_time(12, 2.0), Duration::from_millis(5500));
    }
}
