//! What a rehearsal starts from: the state as if it had been made with the sandbox, and an account that fits it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::cloud::tencent::wire::create_body;
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, Desired};
use crate::sandbox::LedgerEntry;
use crate::state::{Account, Record, State, Status};

/// The state, and the account around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimSetup {
    /// As recorded, but for the sandbox's account. None when there is no state.
    pub state: Option<State>,
    /// Environments that are assumed to exist.
    pub existing: Vec<String>,
    /// Creates that were carried out earlier, as their answers prove, and whose environment is still to be found.
    pub earlier: Vec<LedgerEntry>,
    /// What may be created, each once.
    pub wanted: Vec<Attributes>,
    /// What had to be assumed, for people.
    pub assumed: Vec<Text>,
}

impl SimSetup {
    /// Prepares a rehearsal of the declared environments that `is_selected` lets through.
    pub fn new(
        desired: &Desired,
        state: Option<State>,
        account: Account,
        is_selected: impl Fn(&Address) -> bool,
        now: Timestamp,
    ) -> Self {
        let records = || state.iter().flat_map(State::current);
        let declared = desired.environments.iter().map(|environment| &environment.attributes);
        let named = declared.chain(records().map(|(_, record)| &record.attributes));
        let mut existing: BTreeSet<String> =
            named.filter_map(|order| order.env_id().map(str::to_owned)).collect();
        let deposed = state.iter().flat_map(State::deposed);
        existing.extend(deposed.filter_map(|(_, record)| record.env_id.clone()));
        let mut earlier = Vec::new();
        let mut assumed = Vec::new();
        for (address, record) in records() {
            match record.status {
                Status::Created | Status::Isolated | Status::Destroying => existing.extend(record.env_id.clone()),
                Status::AwaitingEnvId | Status::Unknown if is_proven(record) => {
                    assumed.push(text!("the unresolved order of `{address}` counts as created: its response had an id", address));
                    earlier.push(entry(address, record, now));
                }
                Status::AwaitingEnvId | Status::Unknown => assumed.push(text!("the unresolved order of `{address}` counts as not created; `postpay resolve` checks your account", address)),
            }
        }
        let may_be_created = |address: &Address| {
            let record = state.as_ref().and_then(|state| state.get(address));
            is_selected(address)
                && record.is_none_or(|record| record.status == Status::Unknown && !is_proven(record))
        };
        let wanted = desired.environments.iter().filter(|environment| may_be_created(&environment.address));
        let wanted = wanted.map(|environment| environment.attributes.clone()).collect();
        let state = state.map(|state| State { account: Some(account), ..state });
        Self { state, existing: existing.into_iter().collect(), earlier, wanted, assumed }
    }
}

/// Whether an answer contained an id, so that the environment was created whatever else is not known.
fn is_proven(record: &Record) -> bool {
    // A create that names its environment proves nothing by having that id.
    let own = record.env_id.as_deref().filter(|id| record.attributes.env_id() != Some(id));
    record.tran_id.is_some() || own.is_some()
}

/// The create of a record as the ledger would have it.
fn entry(address: &Address, record: &Record, now: Timestamp) -> LedgerEntry {
    let named = record.env_id.as_deref().or(record.attributes.env_id());
    let start = record.attributes.alias().unwrap_or("env");
    LedgerEntry {
        at: record.ordered_at.min(now),
        action: record.attributes.kind().action.to_owned(),
        params: serde_json::from_slice(&create_body(&record.attributes, &BTreeMap::new()))
            .unwrap_or_default(),
        reached: true,
        acted: true,
        answer: "ok".to_owned(),
        tran_id: Some(record.tran_id.clone().unwrap_or_else(|| format!("rehearsal-{address}"))),
        env_id: Some(named.map_or_else(|| format!("{start}-rehearsal-{address}"), str::to_owned)),
        request_id: record.request_id.clone().unwrap_or_default(),
        ..LedgerEntry::default()
    }
}
