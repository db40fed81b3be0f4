//! Everything that was ever ordered, changed or settled, told from the journals of the runs. Pure.
//!
//! A journal says what was sent and what came back; what was found out later stands in a later entry, or a later run. Here
//! the two come together: an order is told with the ids that it is known to have by now, and with how they came to be known.

mod telling;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::journal::{Evidence, Journal, RunId};
use super::{Origin, Record, State, Status};
use crate::model::{Address, SourceRef};
use telling::Telling;

/// The vendor's action that orders.
const ORDER: &str = "CreatePostpayPackage";

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    pub at: Timestamp,
    /// The address that it had then.
    pub address: Address,
    pub run: Run,
    pub what: What,
    /// Every address that what it is about had at some time.
    names: BTreeSet<Address>,
}

/// The run that it happened in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    /// `user@host`. None when the run's receipt is not there.
    pub who: Option<String>,
    pub commit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Request(Request),
    Edit {
        /// The step or command that did it: `resolve --adopt`, `state mv`.
        doing: String,
        change: Change,
    },
}

/// One request to the vendor that changes something there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The vendor's name of it.
    pub action: String,
    pub outcome: Found,
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
    pub request_id: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub source: SourceRef,
    pub took_ms: Option<u64>,
    /// What its answer did not say, and was found out later.
    pub settled: Option<Settled>,
}

/// What is known of how a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Answered(Evidence),
    /// No outcome is in the journal of a run that is open still.
    UnderWay,
    /// No outcome is in the journal, and none will be.
    Lost,
    /// The journal is not there. The record says this.
    OnRecord(Status),
}

impl Found {
    /// For people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered(Evidence::Ordered) => "ordered",
            Self::Answered(Evidence::Done) => "done",
            Self::Answered(Evidence::Refused) => "refused",
            Self::Answered(Evidence::NotSent) => "not_sent",
            Self::Answered(Evidence::Unknown) => "unknown",
            Self::UnderWay => "under_way",
            Self::Lost => "lost",
            Self::OnRecord(status) => status.name(),
        }
    }

    /// Whether the request may have ordered something.
    const fn may_have_acted(self) -> bool {
        match self {
            Self::Answered(Evidence::Done | Evidence::Refused | Evidence::NotSent) => false,
            Self::Answered(Evidence::Ordered | Evidence::Unknown)
            | Self::UnderWay
            | Self::Lost
            | Self::OnRecord(_) => true,
        }
    }
}

/// How an order without an answer, or without an environment id, was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub at: Timestamp,
    pub doing: String,
    /// What came of it: false when it was found to have made nothing.
    pub created: bool,
}

/// What an edit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is on record since.
    Recorded(Box<Record>),
    Forgotten,
    Moved {
        to: Address,
    },
    /// Of an environment that another one took the address of.
    DeposedRecorded(Box<Record>),
    DeposedForgotten {
        env_id: String,
    },
}

impl Change {
    /// For people and programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Recorded(_) | Self::DeposedRecorded(_) => "recorded",
            Self::Forgotten | Self::DeposedForgotten { .. } => "forgotten",
            Self::Moved { .. } => "moved",
        }
    }
}

/// Which happenings are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Edits, and requests that were not sent, too.
    pub all: bool,
    pub since: Option<Timestamp>,
    /// All when there is none.
    pub addresses: Vec<Address>,
}

impl Happening {
    /// Whether it is asked for. A move is followed: what was moved is found under every address that it had.
    pub fn is_wanted(&self, wanted: &Wanted) -> bool {
        let Wanted { all, since, addresses } = wanted;
        let kind = *all
            || match &self.what {
                What::Request(request) => request.outcome != Found::Answered(Evidence::NotSent),
                What::Edit { .. } => false,
            };
        kind && since.is_none_or(|since| self.at >= since)
            && (addresses.is_empty() || addresses.iter().any(|it| self.names.contains(it)))
    }

    /// What it says of ids: TranId and EnvId.
    pub fn ids(&self) -> (Option<&str>, Option<&str>) {
        let (tran_id, env_id) = match &self.what {
            What::Request(request) => (&request.tran_id, &request.env_id),
            What::Edit { change, .. } => match change {
                Change::Recorded(record) | Change::DeposedRecorded(record) => {
                    (&record.tran_id, &record.env_id)
                }
                Change::DeposedForgotten { env_id } => return (None, Some(env_id)),
                Change::Forgotten | Change::Moved { .. } => return (None, None),
            },
        };
        (tran_id.as_deref(), env_id.as_deref())
    }
}

/// Everything that these runs did, oldest first. `open` is the run that is open, if one is, and counts as the last one.
///
/// Receipts may be thrown away, and must not take the orders with them: what `state` has on record of a run that is not
/// here is told by its record.
pub fn history(journals: &[Journal], open: Option<RunId>, state: Option<&State>) -> Vec<Happening> {
    let mut telling = Telling::default();
    let on_file: HashSet<RunId> = journals.iter().map(|journal| journal.started.run).collect();
    for journal in journals {
        telling.run(journal, open == Some(journal.started.run));
    }
    // Last, under the address that it came to by all the moves.
    for (address, record) in state.into_iter().flat_map(State::records) {
        if record.origin == Origin::Ordered && !on_file.contains(&record.run) {
            telling.recorded(address, record);
        }
    }
    let mut happenings = telling.finish();
    happenings.sort_by_key(|happening| happening.at);
    happenings
}

/// The orders that may have been made, and that no number is known of: no bill can tell of them.
pub fn without_number(happenings: &[Happening]) -> Vec<&Happening> {
    let is_one = |happening: &&Happening| match &happening.what {
        What::Request(request) => {
            let not_made = request.settled.as_ref().is_some_and(|it| !it.created);
            request.action == ORDER
                && request.outcome.may_have_acted()
                && request.tran_id.is_none()
                && !not_made
        }
        What::Edit { .. } => false,
    };
    happenings.iter().filter(is_one).collect()
}

/// Every TranId that is known here: the vendor's answers, and what was found out, imported or recorded later. With when and
/// at which address it was first seen.
pub fn order_numbers(
    happenings: &[Happening],
    state: Option<&State>,
) -> BTreeMap<String, (Timestamp, Address)> {
    let mut numbers = BTreeMap::new();
    for happening in happenings {
        if let (Some(tran_id), _) = happening.ids() {
            numbers.entry(tran_id.to_owned()).or_insert_with(|| (happening.at, happening.address.clone()));
        }
    }
    for (address, record) in state.into_iter().flat_map(State::records) {
        if let Some(tran_id) = &record.tran_id {
            numbers.entry(tran_id.clone()).or_insert_with(|| (record.ordered_at, address.clone()));
        }
    }
    numbers
}

#[cfg(test)]
mod tests;
