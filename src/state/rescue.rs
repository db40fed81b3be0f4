//! Outcomes that could not be written to their run's journal, and were written elsewhere instead.
//!
//! The journal then holds an intent without an outcome, so the record is unknown, and stays so: a rescue file is no part
//! of the hash chain. It tells the person who settles the record what the vendor answered.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::{Outcome, RunId};
use super::{Record, State, Status};
use crate::lang::Text;
use crate::model::Address;

/// One outcome that is not in its journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescued {
    pub run: RunId,
    pub at: Timestamp,
    pub outcome: Outcome,
}

/// A file of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescueFile {
    pub path: PathBuf,
    /// What it says, or why that can't be read.
    pub rescued: Result<Vec<Rescued>, Text>,
}

/// How a rescued outcome stands to what is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The record is settled and has what the rescue says: it has done its service.
    Settled,
    /// The record is unknown, and this is what is known of it.
    Open,
    /// It holds ids that no record has.
    Unrecorded,
}

impl Rescued {
    /// How it stands to this state.
    pub fn standing(&self, state: Option<&State>) -> Standing {
        let records = state.into_iter().flat_map(State::records);
        let mut open = false;
        for (address, record) in records {
            let settled = record.status != Status::Unknown;
            if settled && self.is_told_by(address, record) {
                return Standing::Settled;
            }
            open |= !settled && *address == self.outcome.address;
        }
        if open {
            Standing::Open
        } else if self.outcome.tran_id.is_none() && self.outcome.env_id.is_none() {
            // Nothing was ordered, or it was settled in another way.
            Standing::Settled
        } else {
            Standing::Unrecorded
        }
    }

    /// A record may have been moved since, so ids count more than the address.
    fn is_told_by(&self, address: &Address, record: &Record) -> bool {
        match (&self.outcome.tran_id, &self.outcome.env_id) {
            (Some(tran_id), _) => record.tran_id.as_ref() == Some(tran_id),
            (None, Some(env_id)) => record.env_id.as_ref() == Some(env_id),
            (None, None) => *address == self.outcome.address,
        }
    }
}

impl RescueFile {
    /// What it says of an address.
    pub fn about(&self, address: &Address) -> Option<&Rescued> {
        let rescued = self.rescued.as_ref().ok()?;
        rescued.iter().rfind(|rescued| rescued.outcome.address == *address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::arbitrary::outcome;
    use crate::state::journal::Evidence;
    use crate::state::{Lineage, Origin, Serial};

    #[test]
    fn a_rescue_is_settled_when_its_ids_are_on_record_wherever_that_is() {
        let on = |text: &str| Address::new(text).unwrap();
        let run = RunId::fresh();
        let tran = Some("T1".to_owned());
        let rescued = Rescued {
            run,
            at: Timestamp::UNIX_EPOCH,
            outcome: outcome(1, 1, &on("shop"), Evidence::Ordered, tran.clone(), None),
        };
        let with = |address: &str, status, tran_id| State {
            format_version: crate::state::FormatVersion,
            lineage: Lineage::fresh(),
            serial: Serial(1),
            tool_version: String::new(),
            account: None,
            last_run: None,
            environments: [(
                on(address),
                Record {
                    status,
                    env_id: None,
                    tran_id,
                    request_id: None,
                    origin: Origin::Ordered,
                    attributes: crate::model::Attributes::default(),
                    ordered_at: Timestamp::UNIX_EPOCH,
                    run,
                    source: crate::model::SourceRef { file: String::new(), line: 0 },
                    region: None,
                    prevent_destroy: false,
                },
            )]
            .into(),
            deposed: Vec::new(),
        };
        for (state, expected) in [
            (None, Standing::Unrecorded),
            (Some(with("other", Status::Created, None)), Standing::Unrecorded),
            (Some(with("shop", Status::Unknown, None)), Standing::Open),
            (Some(with("shop", Status::Created, None)), Standing::Unrecorded),
            (Some(with("moved", Status::AwaitingEnvId, tran)), Standing::Settled),
        ] {
            assert_eq!(rescued.standing(state.as_ref()), expected, "{state:?}");
        }
    }
}
