//! The seam between the program and the wall clock.

use jiff::Timestamp;

/// Returns the wall-clock time. Durations and pauses use tokio's clock, which tests can pause.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The system's clock, to the millisecond: more digits would make files harder to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
