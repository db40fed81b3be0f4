//! The time, as an argument: the one seam between the program and the wall clock.

use jiff::Timestamp;

/// Tells the wall-clock time. Durations and pauses use tokio's clock, which tests can hold still.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
