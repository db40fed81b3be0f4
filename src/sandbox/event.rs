//! One line of the ledger: an environment that was there from the start, an external change, or a request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cloud::tencent::wire::Tag;

/// A request, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Counted from 1 for each fault target since the server started.
    pub call: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// X-TC-Action; may be empty.
    pub action: String,
    /// X-TC-Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub params: Map<String, Value>,
    /// Whether the gateway let it through: signature, version, action and rate were right.
    pub reached: bool,
    /// Whether it created or switched an environment.
    pub acted: bool,
    /// Whether it changed an existing environment otherwise.
    #[serde(default)]
    pub changed: bool,
    /// `ok`, the code of an error, or the fault that replaced the answer.
    pub answer: String,
    /// The fault that struck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The real order number, whatever the answer contained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tran_id: Option<String>,
    /// The real environment, whatever the answer contained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    pub request_id: String,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Event {
    /// An environment that was there from the start.
    Environment {
        env_id: String,
        at: Timestamp,
        /// None: it is prepaid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        postpaid: Option<Purchase>,
    },
    /// A change at the console, for an overdue bill, or by Tencent Cloud. Tests of drift append these lines by hand.
    ExternalChange {
        env_id: String,
        at: Timestamp,
        now: ExternalState,
    },
    Request(LedgerEntry),
}

/// How a postpaid environment that was there from the start was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Purchase {
    pub(super) alias: String,
    pub(super) tran_id: String,
}

/// What an environment shows after an external change; None leaves a member as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExternalState {
    /// NORMAL, ISOLATE or ABNORMAL; a bill has only the first two.
    pub(super) status: Option<String>,
    /// prepayment or postpaid; a bill has it in capitals.
    pub(super) pay_mode: Option<String>,
    pub(super) source: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) package: Option<String>,
    pub(super) overrun: Option<bool>,
    pub(super) auto_renew: Option<bool>,
    pub(super) tags: Option<Vec<Tag>>,
    pub(super) expires: Option<Timestamp>,
}
