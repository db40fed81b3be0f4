//! Reads back creates whose answers were lost, or came without an EnvId.
//!
//! Reading is safe to repeat, and it is not documented how soon a new environment is listed: so it is repeated with growing
//! pauses. What may be concluded is decided in [`super::candidates`].

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::candidates::{Candidate, MatchContext, PendingOrder, Proposal, candidates, possible, propose};
use crate::cloud::matching::Matcher;
use crate::cloud::{CloudError, CloudRead, Inside, SeenEnvironment};
use crate::state::State;

/// No pause between two looks is longer than this.
const LONGEST: Duration = Duration::from_secs(10);

/// Returns the pause before look number `look` (from 0), with `left` of the time to look; `None` when it is over. The first
/// look is at once, the pauses grow, and the last look is at the end of the time.
pub fn pause(look: u32, left: Duration) -> Option<Duration> {
    match look {
        0 => Some(Duration::ZERO),
        _ if left.is_zero() => None,
        n => Some(Duration::from_secs(1 << (n - 1).min(8)).min(LONGEST).min(left)),
    }
}

/// The looks at the account within a time.
pub(super) struct Looks {
    until: Instant,
    made: u32,
    /// Whether the user hears of the first look too, which is at once.
    pub(super) reports_first: bool,
}

impl Looks {
    pub(super) fn within(time: Duration) -> Self {
        Self { until: Instant::now() + time, made: 0, reports_first: true }
    }

    /// Looks for what is probably not there: the first one is not reported.
    pub(super) fn without_report(time: Duration) -> Self {
        Self { reports_first: false, ..Self::within(time) }
    }

    /// The pause before the next look, and the time left; None when the time is over.
    pub(super) fn next(&mut self) -> Option<(Duration, Duration)> {
        let left = self.until.saturating_duration_since(Instant::now());
        let after = pause(self.made, left)?;
        self.made += 1;
        Some((after, left))
    }
}

/// What one look at the account found for one create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its index among the creates that were looked for.
    pub at: usize,
    pub candidates: Vec<Candidate>,
}

/// Looks at the account once, and compares it with every open create. `before` returns what the account had before the
/// create's run, and `state` has the other creates.
///
/// # Errors
/// When it could not be read, or the list is incomplete.
pub async fn look<'a, C: CloudRead>(
    cloud: &C,
    open: &[PendingOrder],
    before: impl Fn(&PendingOrder) -> Option<&'a BTreeSet<String>>,
    managed: &'a BTreeSet<String>,
    state: Option<&State>,
    now: Timestamp,
) -> Result<Vec<Found>, CloudError> {
    let seen = cloud.environments().await?;
    // The list may have been the first to show the difference of the clocks.
    let ahead = cloud.ahead();
    let others = state.into_iter().flat_map(State::current);
    let others = others
        .map(|(address, record)| (address, &record.attributes))
        .filter(|(_, attributes)| open.iter().all(|open| open.record.attributes != **attributes));
    let orders = open.iter().map(|open| (&open.address, &open.record.attributes));
    let matcher = Matcher::new(orders.chain(others), []);
    let context =
        |order| MatchContext { before: before(order), managed, seen: &seen, matcher: &matcher, now, ahead };
    let wanted: BTreeSet<&String> = open
        .iter()
        .filter(|order| !order.is_inside())
        .flat_map(|order| possible(order, context(order)))
        .map(|environment| &environment.env_id)
        .collect();
    let ids: Vec<String> = wanted.into_iter().cloned().collect();
    let bills = if ids.is_empty() { Vec::new() } else { cloud.bills(&ids).await?.shown };
    let mut found = Vec::new();
    for (at, order) in open.iter().enumerate() {
        let candidates = if order.is_inside() {
            look_inside(cloud, order, &seen).await?.into_iter().collect()
        } else {
            candidates(order, context(order), &bills)
        };
        found.push(Found { at, candidates });
    }
    Ok(found)
}

/// Looks for what a create was to open inside an environment.
async fn look_inside<C: CloudRead>(
    cloud: &C,
    order: &PendingOrder,
    seen: &[SeenEnvironment],
) -> Result<Option<Candidate>, CloudError> {
    let environment = seen.iter().find(|seen| Some(&seen.env_id) == order.record.env_id.as_ref());
    let Some(environment) = environment else {
        return Ok(None);
    };
    // It is where its environment is, whatever region the run had.
    let region = environment.region.as_deref().or(order.record.region.as_deref());
    let kind = order.record.attributes.kind();
    Ok(match cloud.inside(kind, &environment.env_id, region).await? {
        Inside::Absent => None,
        Inside::Creating | Inside::Ready => Some(Candidate::inside(environment, kind)),
    })
}

/// The candidates that may be adopted without asking: the only one that fits, and the only create that it fits.
pub fn adoptable(found: &[Found]) -> Vec<(usize, &Candidate)> {
    let proposed: Vec<(usize, &Candidate)> = found
        .iter()
        .filter_map(|found| match propose(&found.candidates) {
            Proposal::Adopt(candidate) => Some((found.at, candidate)),
            Proposal::Ask | Proposal::Nothing => None,
        })
        .collect();
    let claims = |id: &str| {
        let fitting = found.iter().flat_map(|found| &found.candidates).filter(|candidate| candidate.fits());
        fitting.filter(|candidate| candidate.environment.env_id == id).count()
    };
    proposed.into_iter().filter(|(_, candidate)| claims(&candidate.environment.env_id) == 1).collect()
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
