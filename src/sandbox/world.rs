//! The back end: the environments, and what an order does. Values in, values out. The vendor's rules for an order are in
//! [`super::order`], what changes an environment in [`super::change`], and what of all that is shown in [`super::look`].

use std::collections::{HashMap, HashSet};

use jiff::{Timestamp, tz::Offset};
use serde_json::{Map, Value};

use super::bill;
use super::existing::alias_in;
use super::ledger::{LedgerEntry, Line};
use crate::cloud::tencent::wire::{BillInfo, EnvInfo};

/// What the vendor would say no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// Where an environment is made when the order names no region. Whether the vendor goes by the region of an order is not
/// documented; its own tools take it to.
const REGION: &str = "ap-shanghai";

/// An environment and its bill.
#[derive(Debug)]
pub(super) struct Env {
    pub(super) info: EnvInfo,
    pub(super) bill: BillInfo,
    /// EnvAlias, as it was sent.
    pub(super) named: String,
}

/// Everything that exists.
#[derive(Debug, Default)]
pub(super) struct World {
    /// In the order they came to be.
    pub(super) envs: Vec<Env>,
    by_id: HashMap<String, usize>,
    orders: u64,
    tran_ids: HashSet<String>,
}

impl World {
    /// Takes in a line of the ledger, old or new: this is the only way that anything changes.
    pub(super) fn apply(&mut self, line: &Line) {
        match line {
            Line::Environment { env_id, at, postpaid: None } => self.add(Env {
                info: prepaid(env_id, *at),
                bill: bill::prepaid(env_id, *at),
                named: String::new(),
            }),
            Line::Environment { env_id, at, postpaid: Some(bought) } => {
                self.order(&bought.order(env_id, *at));
            }
            Line::Elsewhere { env_id, at, now } => {
                if let Some(env) = self.find_mut(env_id) {
                    env.became(now, *at);
                }
            }
            Line::Request(entry) if entry.acted => self.order(entry),
            Line::Request(entry) if entry.changed => self.change(entry),
            Line::Request(_) => {}
        }
    }

    fn order(&mut self, entry: &LedgerEntry) {
        self.orders += 1;
        self.tran_ids.extend(entry.tran_id.clone());
        let Some(env_id) = &entry.env_id else {
            return;
        };
        if let Some(env) = self.find_mut(env_id) {
            "postpaid".clone_into(&mut env.info.pay_mode);
            env.info.update_time = vendors_time(entry.at);
            env.bill = bill::ordered(env_id, entry, Some(&env.bill));
            return;
        }
        let param = |name: &str| string(&entry.params, name).unwrap_or_default().to_owned();
        let info = EnvInfo {
            env_id: env_id.clone(),
            source: param("EnvSource"),
            alias: param("Alias"),
            create_time: vendors_time(entry.at),
            update_time: vendors_time(entry.at),
            status: "NORMAL".to_owned(),
            env_channel: param("Channel"),
            pay_mode: "postpaid".to_owned(),
            region: entry.region.as_deref().unwrap_or(REGION).to_owned(),
        };
        let bill = bill::ordered(env_id, entry, None);
        let named = param("EnvAlias");
        self.add(Env { info, bill, named });
    }

    fn add(&mut self, env: Env) {
        self.by_id.insert(env.info.env_id.clone(), self.envs.len());
        self.envs.push(env);
    }

    pub(super) fn find(&self, env_id: &str) -> Option<&Env> {
        self.envs.get(*self.by_id.get(env_id)?)
    }

    pub(super) fn find_mut(&mut self, env_id: &str) -> Option<&mut Env> {
        self.envs.get_mut(*self.by_id.get(env_id)?)
    }

    pub(super) fn remove(&mut self, env_id: &str) {
        if let Some(place) = self.by_id.remove(env_id) {
            self.envs.remove(place);
            for later in self.by_id.values_mut().filter(|it| **it > place) {
                *later -= 1;
            }
        }
    }

    /// One that no order has yet.
    pub(super) fn new_tran_id(&self, at: Timestamp) -> String {
        let mut number = self.orders + 1;
        loop {
            let tran_id = tran_id(at, number);
            // An order that was noted rather than taken may have any number.
            if !self.tran_ids.contains(&tran_id) {
                return tran_id;
            }
            number += 1;
        }
    }
}

/// The vendor's times have no zone, and its documents name none. Its country's is the likeliest.
const BEIJING: Offset = Offset::constant(8);

/// An order number in the vendor's form: the date and a number.
pub(super) fn tran_id(at: Timestamp, number: u64) -> String {
    let date = BEIJING.to_datetime(at).strftime("%Y%m%d");
    format!("{date}{number:06}")
}

pub(super) fn vendors_time(at: Timestamp) -> String {
    BEIJING.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn prepaid(env_id: &str, at: Timestamp) -> EnvInfo {
    EnvInfo {
        env_id: env_id.to_owned(),
        source: "qcloud".to_owned(),
        alias: alias_in(env_id).to_owned(),
        create_time: vendors_time(at),
        update_time: vendors_time(at),
        status: "NORMAL".to_owned(),
        env_channel: "qc_console".to_owned(),
        pay_mode: "prepayment".to_owned(),
        region: REGION.to_owned(),
    }
}

/// A member that is there and not empty.
pub(super) fn string<'a>(params: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    params.get(name)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let mut world = World::default();
        world.apply(&Line::Environment {
            env_id: "cdnheader-v2a".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            postpaid: None,
        });
        world
    }

    #[test]
    fn an_environment_that_exists_is_switched_and_not_made_again() {
        let mut world = world();
        let entry = LedgerEntry {
            call: 1,
            at: Timestamp::UNIX_EPOCH,
            action: String::new(),
            region: None,
            params: Map::new(),
            reached: true,
            acted: true,
            changed: false,
            answer: "ok".to_owned(),
            fault: None,
            tran_id: Some("1".to_owned()),
            env_id: Some("cdnheader-v2a".to_owned()),
            request_id: String::new(),
        };
        assert_eq!(world.envs[0].info.pay_mode, "prepayment");
        assert_eq!(world.envs[0].bill.pay_mode, "PREPAYMENT");
        world.apply(&Line::Request(entry));
        assert_eq!(world.envs.len(), 1);
        assert_eq!(world.envs[0].info.pay_mode, "postpaid");
        assert_eq!(world.envs[0].bill.pay_mode, "POSTPAID");
    }
}
