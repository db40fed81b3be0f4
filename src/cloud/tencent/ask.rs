//! One read of a service, repeated where that helps: asking twice costs nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until};

use super::evidence::{Fetched, classify_read};
use super::service::{Call, Service};
use super::wire::{self, Response};
use crate::cloud::{CloudError, FREE_REPAIRS, Grade, NotSent};
use crate::i18n::{Text, text};

/// The first wait before a read is repeated. It doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// Between the starts of two reads of one action. Tencent Cloud allows 50 a second of the slowest.
const APART: Duration = Duration::from_millis(25);

/// What is read, and how its answer is decoded.
pub(super) struct Question<'a, D> {
    pub(super) action: &'static str,
    pub(super) region: Option<&'a str>,
    pub(super) decode: D,
}

impl<D> Question<'_, D> {
    /// The action and the region, for a message.
    pub(super) fn name(&self) -> Text {
        let action = self.action;
        match self.region {
            Some(region) => text!("{action} in {region}", action, region),
            None => Text::same(action),
        }
    }
}

/// Reads from a service.
pub(super) struct Asker<'a> {
    pub(super) service: &'a Service,
    pub(super) spacing: &'a Spacing,
    /// For how long a read is repeated.
    pub(super) retry_for: Duration,
}

impl Asker<'_> {
    /// Asks until an answer comes, the read is refused, or the time is over.
    pub(super) async fn ask<T, D>(
        &self,
        question: &Question<'_, D>,
        body: &impl Serialize,
    ) -> Result<Fetched<T>, CloudError>
    where
        D: Fn(&Response) -> Result<T, Text>,
    {
        let body = wire::request_body(body);
        let first = Instant::now();
        let mut attempt = 1;
        let mut repaired = 0;
        loop {
            self.spacing.slot(question.action).await;
            let Question { action, region, ref decode } = *question;
            let call = Call { action, region, body: body.clone(), most: wire::MAX_PAGE_BODY };
            let fetched =
                self.service.call(call, |reply, redactor| classify_read(reply, decode, redactor)).await;
            let mut error = match fetched {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            let Some(wait) = wait(error.grade, attempt, repaired, first.elapsed(), self.retry_for) else {
                let (what, said) = (question.name(), &error.message);
                error.message = match attempt {
                    1 => text!("{what}: {said}", what, said),
                    n => text!("{what}, {n} attempts: {said}", what, n, said),
                };
                return Err(error);
            };
            tracing::debug!(action, attempt, ?wait, message = %error.message, "asking again");
            sleep(wait).await;
            attempt += 1;
            repaired += u32::from(error.grade == Grade::NotSent(NotSent::Repaired));
        }
    }
}

/// Returns how long to wait after attempt number `attempt` (from 1), or None to give up. The first attempt was `elapsed` ago,
/// and none is begun more than `bound` after it. `repaired` counts the earlier attempts after which something was repaired.
fn wait(grade: Grade, attempt: u32, repaired: u32, elapsed: Duration, bound: Duration) -> Option<Duration> {
    let wait = match grade {
        // The next attempt would end the same.
        Grade::Refused(_) | Grade::NotSent(NotSent::NoRequest | NotSent::Tls) => return None,
        Grade::NotSent(NotSent::Repaired) if repaired < FREE_REPAIRS => return Some(Duration::ZERO),
        Grade::NotSent(NotSent::Repaired | NotSent::Withdrawn) => Duration::ZERO,
        Grade::NotSent(NotSent::Connect | NotSent::Throttled | NotSent::NoKey) | Grade::Unknown => {
            FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST_WAIT)
        }
    };
    (elapsed + wait <= bound).then_some(wait)
}

/// Keeps the starts of reads apart, each action on its own. Creates have a limiter of their own, so that neither takes a slot
/// from the other.
#[derive(Debug, Default)]
pub(super) struct Spacing {
    next: Mutex<HashMap<&'static str, Instant>>,
}

impl Spacing {
    async fn slot(&self, action: &'static str) {
        sleep_until(self.take(action, Instant::now())).await;
    }

    /// Takes the next moment at which a read of this action may start.
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
    use crate::cloud::Scope;

    const BOUND: Duration = Duration::from_secs(15);

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<u128> = (1..=7)
            .filter_map(|attempt| wait(Grade::Unknown, attempt, 0, Duration::ZERO, BOUND))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 4000, 4000]);
    }

    #[test]
    fn no_attempt_begins_after_the_bound() {
        let at = |elapsed| wait(Grade::NotSent(NotSent::Connect), 1, 0, elapsed, BOUND);
        assert!(at(Duration::from_millis(14_750)).is_some());
        assert!(at(Duration::from_millis(14_751)).is_none());
        assert!(wait(Grade::Unknown, 1, 0, Duration::ZERO, Duration::ZERO).is_none());
    }

    #[test]
    fn refused_read_is_not_repeated_and_a_repaired_one_is_at_once() {
        for grade in [
            Grade::Refused(Scope::Step),
            Grade::Refused(Scope::Run),
            Grade::NotSent(NotSent::NoRequest),
            Grade::NotSent(NotSent::Tls),
        ] {
            assert_eq!(wait(grade, 1, 0, Duration::ZERO, BOUND), None);
        }
        let after = |repaired, bound| wait(Grade::NotSent(NotSent::Repaired), 9, repaired, BOUND, bound);
        for repaired in 0..FREE_REPAIRS {
            assert_eq!(after(repaired, Duration::ZERO), Some(Duration::ZERO));
        }
        assert_eq!(after(FREE_REPAIRS, BOUND), Some(Duration::ZERO));
        assert_eq!(after(FREE_REPAIRS, Duration::ZERO), None);
    }

    #[test]
    fn reads_of_one_action_start_apart_and_those_of_another_do_not_wait() {
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
