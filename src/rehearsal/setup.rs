//! The start of a rehearsal: the state as if it had been made with the sandbox, and a matching account.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::cloud::tencent::wire::create_body;
use crate::i18n::{Text, text};
use crate::model::{Address, Attributes, Desired};
use crate::sandbox::LedgerEntry;
use crate::state::{Account, Record, State, Status};

/// The state and its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimSetup {
    /// As recorded, but with the sandbox's account. None when there is no state.
    pub state: Option<State>,
    /// Environments that are assumed to exist.
    pub existing: Vec<String>,
    /// Earlier creates that are proven by their responses, whose environment is still to be found.
    pub earlier: Vec<LedgerEntry>,
    /// Expected creates, once each.
    pub wanted: Vec<Attributes>,
    /// Assumptions about the account, for the report.
    pub assumed: Vec<Text>,
}

impl SimSetup {
    /// Prepares a rehearsal of the declared environments that `is_selected` accepts.
    pub fn new(
        desired: &Desired,
        state: Option<State>,
        account: Account,
        is_selected: impl Fn(&Address) -> bool,
        now: Timestamp,
    ) -> Self {
        let records = || state.iter().flat_map(State::current);
        let declared = desired.environments.iter().map(|environment| &environment.attributes);
        let known = declared.chain(records().map(|(_, record)| &record.attributes));
        let mut existing: BTreeSet<String> =
            known.filter_map(|order| order.env_id().map(str::to_owned)).collect();
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

/// Returns whether a response had an id, which proves that the environment was created.
fn is_proven(record: &Record) -> bool {
    // The id that the create itself sent proves nothing.
    let own = record.env_id.as_deref().filter(|id| record.attributes.env_id() != Some(id));
    record.tran_id.is_some() || own.is_some()
}

/// Returns the create of a record as a ledger entry.
fn entry(address: &Address, record: &Record, now: Timestamp) -> LedgerEntry {
    let env_id = record.env_id.as_deref().or(record.attributes.env_id());
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
        env_id: Some(env_id.map_or_else(|| format!("{start}-rehearsal-{address}"), str::to_owned)),
        request_id: record.request_id.clone().unwrap_or_default(),
        ..LedgerEntry::default()
    }
}
