//! Whether and when a question is asked again. Pure.

use std::time::Duration;

use crate::cloud::{FREE_REPAIRS, Grade, NotSent};

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(4);

/// How long to wait after attempt number `attempt` (from 1), or None to give up. The first attempt was `elapsed` ago, and
/// none is begun more than `bound` after it. `repaired` counts the attempts before it after which something was fixed.
pub(super) fn wait(
    grade: Grade,
    attempt: u32,
    repaired: u32,
    elapsed: Duration,
    bound: Duration,
) -> Option<Duration> {
    let wait = match grade {
        // It would be refused again.
        Grade::Refused(_) | Grade::NotSent(NotSent::NoRequest | NotSent::Tls) => return None,
        Grade::NotSent(NotSent::Repaired) if repaired < FREE_REPAIRS => {
            return Some(Duration::ZERO);
        }
        // The cause is gone: nothing is gained by waiting.
        Grade::NotSent(NotSent::Repaired | NotSent::Withdrawn) => Duration::ZERO,
        Grade::NotSent(NotSent::Connect | NotSent::Throttled | NotSent::NoKey) | Grade::Unknown => {
            FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST)
        }
    };
    (elapsed + wait <= bound).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Scope;

    const BOUND: Duration = Duration::from_secs(15);

    #[test]
    fn waits_grow_up_to_a_bound() {
        let waits: Vec<u128> = (1..=7)
            .filter_map(|attempt| wait(Grade::Unknown, attempt, 0, Duration::ZERO, BOUND))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 4000, 4000]);
    }

    #[test]
    fn nothing_is_begun_after_the_time_is_over() {
        let at = |elapsed| wait(Grade::NotSent(NotSent::Connect), 1, 0, elapsed, BOUND);
        assert!(at(Duration::from_millis(14_750)).is_some());
        assert!(at(Duration::from_millis(14_751)).is_none());
        assert!(wait(Grade::Unknown, 1, 0, Duration::ZERO, Duration::ZERO).is_none());
    }

    #[test]
    fn what_is_refused_is_not_asked_again_and_a_mended_clock_at_once() {
        for grade in [
            Grade::Refused(Scope::Step),
            Grade::Refused(Scope::Run),
            Grade::NotSent(NotSent::NoRequest),
            Grade::NotSent(NotSent::Tls),
        ] {
            assert_eq!(wait(grade, 1, 0, Duration::ZERO, BOUND), None);
        }
        let mended = |repaired, bound| wait(Grade::NotSent(NotSent::Repaired), 9, repaired, BOUND, bound);
        for repaired in 0..FREE_REPAIRS {
            assert_eq!(mended(repaired, Duration::ZERO), Some(Duration::ZERO));
        }
        assert_eq!(mended(FREE_REPAIRS, BOUND), Some(Duration::ZERO));
        assert_eq!(mended(FREE_REPAIRS, Duration::ZERO), None);
    }
}
