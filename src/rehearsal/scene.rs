//! What a rehearsal starts from: the state as if it had been made with the embedded endpoint, and an account that fits it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloud::tencent::wire::{CREATE, create_body};
use crate::lang::{Text, text};
use crate::model::{Address, Attributes, Desired};
use crate::sandbox::LedgerEntry;
use crate::state::{Account, Record, State, Status};

/// The copy, and the world around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// As recorded, of the rehearsal's account. None when nothing was ever recorded.
    pub state: Option<State>,
    /// Environments that are taken as being there.
    pub existing: Vec<String>,
    /// Orders that were made before, as their answers prove, and whose environment is still to be found.
    pub made: Vec<LedgerEntry>,
    /// What may be ordered, each once.
    pub wanted: Vec<Attributes>,
    /// What had to be assumed, for people.
    pub assumed: Vec<Text>,
}

impl Scene {
    /// Sets the scene for the declared environments that `is_selected` lets through.
    pub fn set(
        desired: &Desired,
        state: Option<State>,
        account: Account,
        is_selected: impl Fn(&Address) -> bool,
        now: Timestamp,
    ) -> Self {
        let mut existing = BTreeSet::new();
        let mut made = Vec::new();
        let mut assumed = Vec::new();
        let declared = desired.environments.iter().map(|environment| &environment.attributes);
        let records = || state.iter().flat_map(State::current);
        let deposed = state.iter().flat_map(State::deposed);
        existing.extend(deposed.filter_map(|(_, record)| record.env_id.clone()));
        let named = declared.chain(records().map(|(_, record)| &record.attributes));
        existing.extend(named.filter_map(|order| order.env_id().map(str::to_owned)));
        for (address, record) in records() {
            match record.status {
                Status::Created | Status::Isolated | Status::Destroying => existing.extend(record.env_id.clone()),
                Status::AwaitingEnvId | Status::Unknown if is_proven(record) => {
                    assumed.push(text!(
                        "the open order of `{address}` is taken as made: its answer had an id",
                        "`{address}` 的未决订单视为已生效：其应答中有 ID"
                    ));
                    made.push(order(address, record, now));
                }
                Status::AwaitingEnvId | Status::Unknown => assumed.push(text!(
                    "the open order of `{address}` is taken as never made; `postpay resolve` looks in your account",
                    "`{address}` 的未决订单视为从未生效；`postpay resolve` 会在你的账号中查找"
                )),
            }
        }
        let may_be_ordered = |address: &Address| {
            is_selected(address)
                && state
                    .as_ref()
                    .and_then(|state| state.get(address))
                    .is_none_or(|record| record.status == Status::Unknown && !is_proven(record))
        };
        let wanted = desired
            .environments
            .iter()
            .filter(|environment| may_be_ordered(&environment.address))
            .map(|environment| environment.attributes.clone())
            .collect();
        let rehomed = state.map(|state| State { account: Some(account), ..state });
        Self { state: rehomed, existing: existing.into_iter().collect(), made, wanted, assumed }
    }
}

/// Whether an answer showed an id, so that the order was made whatever else is not known.
fn is_proven(record: &Record) -> bool {
    // An order that names its environment proves nothing by having that id.
    let own = record.env_id.as_deref().filter(|id| record.attributes.env_id() != Some(id));
    record.tran_id.is_some() || own.is_some()
}

fn order(address: &Address, record: &Record, now: Timestamp) -> LedgerEntry {
    let named = record.env_id.as_deref().or(record.attributes.env_id());
    let start = record.attributes.alias().unwrap_or("env");
    LedgerEntry {
        call: 0,
        at: record.ordered_at.min(now),
        action: CREATE.to_owned(),
        region: None,
        params: serde_json::from_slice(&create_body(&record.attributes)).unwrap_or_default(),
        reached: true,
        acted: true,
        changed: false,
        answer: "ok".to_owned(),
        fault: None,
        tran_id: Some(record.tran_id.clone().unwrap_or_else(|| format!("rehearsal-{address}"))),
        env_id: Some(named.map_or_else(|| format!("{start}-rehearsal-{address}"), str::to_owned)),
        request_id: record.request_id.clone().unwrap_or_default(),
    }
}
