//! The rate limits, which the gateway holds before its back end sees a request. Values in, values out.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::RATE;
use super::gateway::Act;
use super::world::Refusal;

/// The rate limit of one action: so many in any second, a sliding window, by arrival. What it throttles never reaches the
/// back end.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    /// None: no limit.
    per_second: Option<u32>,
    accepted: VecDeque<Timestamp>,
}

impl Rate {
    const WINDOW: SignedDuration = SignedDuration::from_secs(1);

    /// With the arrivals that an earlier process let through, in order.
    pub(super) fn new(per_second: Option<u32>, earlier: impl Iterator<Item = Timestamp>) -> Self {
        Self { per_second, accepted: earlier.collect() }
    }

    /// Whether a call that arrives now passes. One that does counts.
    pub(super) fn admit(&mut self, arrival: Timestamp) -> Result<(), Refusal> {
        let Some(per_second) = self.per_second else {
            return Ok(());
        };
        while let Some(oldest) = self.accepted.front() {
            if arrival.duration_since(*oldest) < Self::WINDOW {
                break;
            }
            self.accepted.pop_front();
        }
        if self.accepted.len() >= usize::try_from(per_second).unwrap_or(usize::MAX) {
            return Err(throttled(per_second));
        }
        self.accepted.push_back(arrival);
        Ok(())
    }
}

/// The answer to a call above the limit.
pub(super) fn throttled(per_second: u32) -> Refusal {
    let message = format!("The request exceeds the limit of {per_second} a second. Try again later.");
    Refusal::new("RequestLimitExceeded", message)
}

/// The limits of what may change something: one for each action.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    creates: Rate,
    modifies: Rate,
    destroys: Rate,
}

impl Rates {
    /// With the limit of the orders, and those that an earlier process let through. The others are the vendor's, so wide
    /// that no restart comes near them.
    pub(super) fn new(orders: Option<u32>, earlier: impl Iterator<Item = Timestamp>) -> Self {
        let vendors = |act| Rate::new(Some(per_second(act)), std::iter::empty());
        Self {
            creates: Rate::new(orders, earlier),
            modifies: vendors(Act::Modify),
            destroys: vendors(Act::Destroy),
        }
    }

    pub(super) fn of(&mut self, act: Act) -> &mut Rate {
        match act {
            Act::Create => &mut self.creates,
            Act::Modify => &mut self.modifies,
            Act::Destroy => &mut self.destroys,
        }
    }
}

/// The vendor's limit.
pub(super) fn per_second(act: Act) -> u32 {
    match act {
        Act::Create => RATE,
        Act::Modify => 50,
        Act::Destroy => 20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    fn admitted(rate: &mut Rate, arrivals: &[i64]) -> Vec<bool> {
        arrivals.iter().map(|arrival| rate.admit(at(*arrival)).is_ok()).collect()
    }

    #[test]
    fn the_limit_holds_in_every_second_by_arrival() {
        let mut rate = Rate::new(Some(2), std::iter::empty());
        let arrivals = [0, 500, 900, 999, 1000, 1499, 1500, 2000];
        assert_eq!(admitted(&mut rate, &arrivals), [true, true, false, false, true, false, true, true]);
    }

    #[test]
    fn what_an_earlier_process_let_through_counts() {
        let mut rate = Rate::new(Some(2), [0, 500].map(at).into_iter());
        assert_eq!(admitted(&mut rate, &[999, 1000, 1400]), [false, true, false]);
        let mut rate = Rate::new(None, [0, 500].map(at).into_iter());
        assert_eq!(admitted(&mut rate, &[501, 501, 501]), [true; 3]);
    }

    #[test]
    fn every_action_has_a_limit_of_its_own() {
        let mut rates = Rates::new(Some(1), [0].map(at).into_iter());
        let mut passed = |act| (0..100).filter(|_| rates.of(act).admit(at(500)).is_ok()).count();
        let all = [Act::Destroy, Act::Modify, Act::Create].map(&mut passed);
        assert_eq!(all, [20, 50, 0]);
        let mut rates = Rates::new(None, std::iter::empty());
        let mut passed = |act| (0..100).filter(|_| rates.of(act).admit(at(0)).is_ok()).count();
        let all = [Act::Destroy, Act::Modify, Act::Create].map(&mut passed);
        assert_eq!(all, [20, 50, 100], "no limit on orders is none on orders alone");
    }
}
