//! Whether and when an attempt that was proven not sent is made again. Pure.

use std::time::Duration;

use super::pace::WINDOW;
use crate::cloud::{FREE_REPAIRS, NotSent};

/// What to do after an attempt that the vendor never acted on.
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
