//! Whether and when an attempt that was proven not sent is made again. Pure.

use std::time::Duration;

use crate::cloud::{FREE_REPAIRS, NotSent};

/// What to do after an attempt that the vendor never acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Again { after: Duration },
    GiveUp,
}

const LONGEST: Duration = Duration::from_secs(8);

/// Decides after attempt number `attempt` (from 1) of a step whose first attempt is `elapsed` ago. `repaired` counts the
/// attempts before it after which something was mended.
///
/// `jitter` is in 0..1 and keeps several clients that were throttled together from coming back together.
pub fn decide(
    cause: NotSent,
    attempt: u32,
    repaired: u32,
    elapsed: Duration,
    retry_for: Duration,
    jitter: f64,
) -> Decision {
    let first = match cause {
        NotSent::Connect | NotSent::NoKey => Duration::from_millis(500),
        NotSent::Throttled => Duration::from_secs(1),
        NotSent::Repaired if repaired < FREE_REPAIRS => {
            return Decision::Again {
                after: Duration::ZERO,
            };
        }
        // The cause is gone: nothing is gained by waiting.
        NotSent::Repaired | NotSent::Withdrawn => Duration::ZERO,
        NotSent::NoRequest | NotSent::Tls => return Decision::GiveUp,
    };
    let doubled = first.saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let after = doubled
        .min(LONGEST)
        .mul_f64(1.0 + 0.25 * jitter.clamp(0.0, 1.0));
    if elapsed + after > retry_for {
        Decision::GiveUp
    } else {
        Decision::Again { after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn seconds(attempt: u32) -> f64 {
        match decide(NotSent::Throttled, attempt, 0, Duration::ZERO, MINUTE, 0.0) {
            Decision::Again { after } => after.as_secs_f64(),
            Decision::GiveUp => f64::NAN,
        }
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<f64> = (1..=6).map(seconds).collect();
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
    }

    #[test]
    fn gives_up_when_the_next_attempt_would_come_too_late() {
        let decide_at = |elapsed| {
            decide(
                NotSent::Connect,
                1,
                0,
                elapsed,
                Duration::from_secs(10),
                0.0,
            )
        };
        assert_ne!(decide_at(Duration::from_secs(9)), Decision::GiveUp);
        assert_eq!(decide_at(Duration::from_secs(10)), Decision::GiveUp);
    }

    #[test]
    fn no_time_to_retry_means_one_attempt() {
        let decision = decide(
            NotSent::Throttled,
            1,
            0,
            Duration::ZERO,
            Duration::ZERO,
            0.5,
        );
        assert_eq!(decision, Decision::GiveUp);
    }

    #[test]
    fn what_can_not_be_made_is_not_tried_again() {
        let decision = decide(NotSent::NoRequest, 1, 0, Duration::ZERO, MINUTE, 0.0);
        assert_eq!(decision, Decision::GiveUp);
    }

    #[test]
    fn a_repaired_attempt_goes_at_once_whatever_time_there_is_but_not_for_ever() {
        let at_once = Decision::Again {
            after: Duration::ZERO,
        };
        let decide = |repaired, elapsed, retry_for| {
            decide(NotSent::Repaired, 9, repaired, elapsed, retry_for, 1.0)
        };
        for repaired in 0..FREE_REPAIRS {
            assert_eq!(decide(repaired, MINUTE, Duration::ZERO), at_once);
        }
        let late = Duration::from_millis(1);
        assert_eq!(decide(FREE_REPAIRS, late, Duration::ZERO), Decision::GiveUp);
        assert_eq!(decide(FREE_REPAIRS, late, MINUTE), at_once);
        assert_eq!(decide(FREE_REPAIRS, 2 * MINUTE, MINUTE), Decision::GiveUp);
    }
}
