//! The pace of looking: a limiter of its own, so that looking never takes a slot from an order, nor an order one from it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Between the starts of two calls of one action. The vendor allows 50 a second of the slower of the two.
const APART: Duration = Duration::from_millis(25);

/// Keeps the starts of calls apart, each action by itself, whoever makes them.
#[derive(Debug, Default)]
pub(in crate::cloud::tencent) struct Spacing {
    next: Mutex<HashMap<&'static str, Instant>>,
}

impl Spacing {
    /// Waits until the next call of this action may start.
    pub(super) async fn slot(&self, action: &'static str) {
        sleep_until(self.take(action, Instant::now())).await;
    }

    /// The moment at which the next call may start; it is taken with that.
    fn take(&self, action: &'static str, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = next.get(action).map_or(now, |next| now.max(*next));
        next.insert(action, slot + APART);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_one_action_start_apart_and_those_of_another_do_not_wait() {
        let spacing = Spacing::default();
        let now = Instant::now();
        let taken: Vec<u128> = (0..3).map(|_| (spacing.take("List", now) - now).as_millis()).collect();
        assert_eq!(taken, [0, 25, 50]);
        assert_eq!(spacing.take("Bills", now), now);
        // A pause that was not needed is not made up for.
        let later = now + Duration::from_secs(1);
        assert_eq!(spacing.take("List", later), later);
        assert_eq!(spacing.take("List", later), later + APART);
    }
}
