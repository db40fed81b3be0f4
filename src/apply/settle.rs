//! Reads back what became of orders whose answers were lost, or came without an environment id.
//!
//! Reading is safe to repeat, and the vendor does not say how soon a new environment is listed: so it is repeated with
//! growing waits. What may be concluded is decided in [`super::candidates`].

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::candidates::{Candidate, Lost, Proposal, Scene, candidates, possible, propose};
use crate::cloud::matching::Matcher;
use crate::cloud::{CloudError, CloudRead};
use crate::desired::{Address, Attributes, SourceRef};
use crate::state::journal::RunId;
use crate::state::{Origin, Record, State, Status};

/// No pause between two looks is longer than this.
const LONGEST: Duration = Duration::from_secs(10);

/// Returns the pause before look number `look` (from 0), with `left` of the time to look; `None` when it is over. The first
/// look is at once, the pauses grow, and the last look is at the end of the time.
pub fn pause(look: u32, left: Duration) -> Option<Duration> {
    match look {
        0 => Some(Duration::ZERO),
        _ if left.is_zero() => None,
        n => Some(
            Duration::from_secs(1 << (n - 1).min(8))
                .min(LONGEST)
                .min(left),
        ),
    }
}

/// One order that is to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its place among the orders of the run under way; None when an earlier run made it.
    pub at: Option<usize>,
    pub address: Address,
    pub order: Attributes,
    pub sent_at: Timestamp,
    /// Ids that were seen in an answer. With a number of its own an order can be told by that alone.
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
    pub request_id: Option<String>,
    /// The run that made it.
    pub run: RunId,
    pub source: SourceRef,
    pub region: Option<String>,
    pub prevent_destroy: bool,
}

/// What one look at the account found for each open order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The place of the order among those that were looked for.
    pub at: usize,
    pub candidates: Vec<Candidate>,
}

/// Looks at the account once, and compares it with every open order. `before` tells what was there before an order's run, and
/// `state` what other orders are on record.
///
/// # Errors
/// When it could not be read, or the list is incomplete.
pub async fn look<'a, C: CloudRead>(
    cloud: &C,
    open: &[Open],
    before: impl Fn(&Open) -> Option<&'a BTreeSet<String>>,
    managed: &'a BTreeSet<String>,
    state: Option<&State>,
    now: Timestamp,
) -> Result<Vec<Found>, CloudError> {
    let seen = cloud.environments().await?;
    // The list may have been what told.
    let ahead = cloud.ahead();
    let others = state.into_iter().flat_map(|state| &state.environments);
    let others = others
        .map(|(address, record)| (address, &record.attributes))
        .filter(|(_, attributes)| open.iter().all(|open| open.order != **attributes));
    let orders = open.iter().map(|open| (&open.address, &open.order));
    let matcher = Matcher::new(orders.chain(others), []);
    let scene = |open| Scene {
        before: before(open),
        managed,
        seen: &seen,
        matcher: &matcher,
        now,
        ahead,
    };
    let wanted: BTreeSet<&String> = open
        .iter()
        .flat_map(|open| possible(&open.lost(), scene(open)))
        .map(|environment| &environment.env_id)
        .collect();
    let ids: Vec<String> = wanted.into_iter().cloned().collect();
    let bills = if ids.is_empty() {
        Vec::new()
    } else {
        cloud.bills(&ids).await?.shown
    };
    Ok(open
        .iter()
        .enumerate()
        .map(|(at, open)| Found {
            at,
            candidates: candidates(&open.lost(), scene(open), &bills),
        })
        .collect())
}

/// The candidates that may be adopted without asking: the only one that fits, and the only order that it fits.
pub fn adoptable(found: &[Found]) -> Vec<(usize, &Candidate)> {
    let proposed: Vec<(usize, &Candidate)> = found
        .iter()
        .filter_map(|found| match propose(&found.candidates) {
            Proposal::Adopt(candidate) => Some((found.at, candidate)),
            Proposal::Ask | Proposal::Nothing => None,
        })
        .collect();
    let claims = |id: &str| {
        let fitting = found
            .iter()
            .flat_map(|found| &found.candidates)
            .filter(|candidate| candidate.fits());
        fitting
            .filter(|candidate| candidate.environment.env_id == id)
            .count()
    };
    proposed
        .into_iter()
        .filter(|(_, candidate)| claims(&candidate.environment.env_id) == 1)
        .collect()
}

impl Open {
    /// An order that an earlier run left open.
    pub fn of(address: &Address, record: &Record) -> Self {
        let Record {
            status: _,
            env_id,
            tran_id,
            request_id,
            origin: _,
            attributes,
            ordered_at,
            run,
            source,
            region,
            prevent_destroy,
        } = record.clone();
        Self {
            at: None,
            address: address.clone(),
            order: attributes,
            sent_at: ordered_at,
            tran_id,
            env_id,
            request_id,
            run,
            source,
            region,
            prevent_destroy,
        }
    }

    /// The record of this order, once it is known what became of it.
    pub fn record(
        &self,
        status: Status,
        env_id: Option<String>,
        tran_id: Option<String>,
    ) -> Record {
        let Self {
            at: _,
            address: _,
            order,
            sent_at,
            tran_id: _,
            env_id: _,
            request_id,
            run,
            source,
            region,
            prevent_destroy,
        } = self.clone();
        Record {
            status,
            env_id,
            tran_id,
            request_id,
            origin: Origin::Ordered,
            attributes: order,
            ordered_at: sent_at,
            run,
            source,
            region,
            prevent_destroy,
        }
    }

    fn lost(&self) -> Lost<'_> {
        Lost {
            order: &self.order,
            sent_at: self.sent_at,
            tran_id: self.tran_id.as_deref(),
            env_id: self.env_id.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When looks are made, in seconds, in this much time.
    fn looks(within: u64) -> Vec<u64> {
        let within = Duration::from_secs(within);
        let (mut at, mut looks) = (Duration::ZERO, Vec::new());
        for look in 0.. {
            let Some(after) = pause(look, within.saturating_sub(at)) else {
                break;
            };
            at += after;
            looks.push(at.as_secs());
        }
        looks
    }

    #[test]
    fn the_last_look_is_at_the_end_of_the_time() {
        assert_eq!(looks(0), [0]);
        assert_eq!(looks(1), [0, 1]);
        assert_eq!(looks(10), [0, 1, 3, 7, 10]);
        assert_eq!(looks(12), [0, 1, 3, 7, 12]);
        assert_eq!(looks(60), [0, 1, 3, 7, 15, 25, 35, 45, 55, 60]);
    }
}
