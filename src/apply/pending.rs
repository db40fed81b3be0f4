//! A create whose environment is not known: its outcome is unknown, or its answer had no EnvId.

use jiff::Timestamp;

use crate::model::{Address, Attributes, SourceRef};
use crate::state::journal::RunId;
use crate::state::{Origin, Record, Status};

/// What is known of such a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingOrder {
    /// Its step's index in this run; None when an earlier run sent it.
    pub at: Option<usize>,
    pub address: Address,
    pub order: Attributes,
    pub sent_at: Timestamp,
    /// The ids that its answer had. The TranId alone identifies an order.
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
    pub request_id: Option<String>,
    /// The run that sent it.
    pub run: RunId,
    pub source: SourceRef,
    pub region: Option<String>,
    pub prevent_destroy: bool,
}

impl PendingOrder {
    /// The create that an earlier run left with this record.
    pub fn from_record(address: &Address, record: &Record) -> Self {
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
            deposed_at: _,
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

    /// The state's record of it, once its outcome is known.
    pub fn record(&self, status: Status, env_id: Option<String>, tran_id: Option<String>) -> Record {
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
            request_id: request_id.filter(|_| status != Status::Created),
            origin: Origin::Ordered,
            attributes: order,
            ordered_at: sent_at,
            run,
            source,
            region,
            prevent_destroy,
            deposed_at: None,
        }
    }
}
