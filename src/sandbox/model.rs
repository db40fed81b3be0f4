//! The account as plain data: environments, their bills, and every id that was ever given out.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::event::ExternalState;
use super::options::Options;
use crate::cloud::tencent::wire::{BillInfo, EnvInfo, NO_TIME};

pub(super) type Members = Map<String, Value>;

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) code: String,
    pub(super) message: String,
}

impl Rejection {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// A request that the gateway let through.
pub(super) struct Call<'a> {
    pub(super) params: Members,
    pub(super) region: Option<&'a str>,
    /// The secret id that signed it; empty without a signature.
    pub(super) caller: &'a str,
    pub(super) at: Timestamp,
    pub(super) options: &'a Options,
}

impl Call<'_> {
    /// A parameter that is set and not empty.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        string(&self.params, name)
    }

    /// The parameters as one type. A member that is unknown, or of another type, is rejected.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        serde_json::from_value(Value::Object(self.params.clone())).map_err(|error| {
            let message = error.to_string();
            let is_unknown = message.starts_with("unknown field");
            Rejection::new(if is_unknown { "UnknownParameter" } else { "InvalidParameter" }, message)
        })
    }
}

/// The region of an environment whose create names none. Tencent Cloud does not document that it depends on the region.
pub(super) const REGION: &str = "ap-shanghai";
const ISOLATE: &str = "ISOLATE";
/// How long a prepaid environment of the sandbox is paid for, from its creation.
const PAID: SignedDuration = SignedDuration::from_hours(30 * 24);

/// An environment and its bill.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) info: EnvInfo,
    pub(super) bill: BillInfo,
    pub(super) env_alias: String,
    /// When its package was bought here: its bill names the order only later.
    pub(super) created: Option<Timestamp>,
    pub(super) cloudrun: Option<CloudRun>,
}

/// CloudRun on an environment.
#[derive(Debug)]
pub(super) struct CloudRun {
    pub(super) req_key: Option<String>,
    pub(super) package_type: String,
    pub(super) alias: String,
    pub(super) create_time: String,
}

impl Environment {
    /// A prepaid environment that was there from the start.
    pub(super) fn prepaid(env_id: &str, at: Timestamp) -> Self {
        let created = local_time(at);
        let info = EnvInfo {
            env_id: env_id.to_owned(),
            source: "qcloud".to_owned(),
            alias: alias_in(env_id).to_owned(),
            create_time: created.clone(),
            update_time: created.clone(),
            status: "NORMAL".to_owned(),
            env_channel: "qc_console".to_owned(),
            pay_mode: "prepayment".to_owned(),
            region: REGION.to_owned(),
            package_id: "baas_personal".to_owned(),
            tags: Vec::new(),
        };
        let bill = BillInfo {
            env_id: env_id.to_owned(),
            package_id: "baas_personal".to_owned(),
            status: "NORMAL".to_owned(),
            pay_mode: "PREPAYMENT".to_owned(),
            isolated_time: NO_TIME.to_owned(),
            expire_time: local_time(at.saturating_add(PAID).unwrap_or(Timestamp::MAX)),
            create_time: created.clone(),
            update_time: created,
            payment_channel: "qcloud".to_owned(),
            ..BillInfo::default()
        };
        Self { info, bill, env_alias: String::new(), created: None, cloudrun: None }
    }

    pub(super) fn is_isolated(&self) -> bool {
        self.info.status == ISOLATE
    }

    pub(super) fn isolate(&mut self, at: Timestamp) {
        let at = local_time(at);
        ISOLATE.clone_into(&mut self.info.status);
        ISOLATE.clone_into(&mut self.bill.status);
        self.bill.isolated_time.clone_from(&at);
        self.bill.update_time.clone_from(&at);
        self.info.update_time = at;
    }

    pub(super) fn change(&mut self, now: &ExternalState, at: Timestamp) {
        let ExternalState { status, pay_mode, source, channel, package, overrun, auto_renew, tags, expires } =
            now;
        let set = |member: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                member.clone_from(value);
            }
        };
        set(&mut self.info.status, status);
        set(&mut self.bill.status, &status.clone().filter(|status| status != "ABNORMAL"));
        set(&mut self.info.pay_mode, pay_mode);
        set(&mut self.bill.pay_mode, &pay_mode.as_deref().map(str::to_uppercase));
        set(&mut self.info.source, source);
        set(&mut self.info.env_channel, channel);
        set(&mut self.info.package_id, package);
        set(&mut self.bill.package_id, package);
        set(&mut self.bill.expire_time, &expires.map(local_time));
        self.bill.enable_overrun = overrun.unwrap_or(self.bill.enable_overrun);
        self.bill.is_auto_renew = auto_renew.unwrap_or(self.bill.is_auto_renew);
        self.info.tags = tags.clone().unwrap_or_else(|| std::mem::take(&mut self.info.tags));
        self.info.update_time = local_time(at);
    }
}

/// Everything that exists.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// In the order of their creation.
    pub(super) envs: Vec<Environment>,
    env_ids: HashSet<String>,
    tran_ids: HashSet<String>,
}

impl Account {
    pub(super) fn add(&mut self, env: Environment) {
        self.env_ids.insert(env.info.env_id.clone());
        self.envs.push(env);
    }

    pub(super) fn add_order(&mut self, tran_id: &str) {
        self.tran_ids.insert(tran_id.to_owned());
    }

    pub(super) fn remove(&mut self, env_id: &str) {
        self.envs.retain(|env| env.info.env_id != env_id);
    }

    pub(super) fn find(&self, env_id: &str) -> Option<&Environment> {
        self.envs.iter().find(|env| env.info.env_id == env_id)
    }

    pub(super) fn find_mut(&mut self, env_id: &str) -> Option<&mut Environment> {
        if !self.env_ids.contains(env_id) {
            return None;
        }
        self.envs.iter_mut().find(|env| env.info.env_id == env_id)
    }

    /// Whether nothing ever existed.
    pub(super) fn is_new(&self) -> bool {
        self.env_ids.is_empty()
    }

    /// Whether an environment with this id exists or existed.
    pub(super) fn had(&self, env_id: &str) -> bool {
        self.env_ids.contains(env_id)
    }

    /// An order number that was not given out yet: the date and a number.
    pub(super) fn new_tran_id(&self, at: Timestamp) -> String {
        let date = BEIJING.to_datetime(at).strftime("%Y%m%d").to_string();
        let mut number = self.tran_ids.len() + 1;
        loop {
            let tran_id = format!("{date}{number:06}");
            // An order that was written into the ledger by hand may have any number.
            if !self.tran_ids.contains(&tran_id) {
                return tran_id;
            }
            number += 1;
        }
    }
}

/// The times of the API have no zone, and its documents name none. That of its country is the likeliest.
const BEIJING: Offset = Offset::constant(8);

pub(super) fn local_time(at: Timestamp) -> String {
    BEIJING.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The alias that a generated id begins with.
pub(super) fn alias_in(env_id: &str) -> &str {
    env_id.rsplit_once('-').map_or(env_id, |(alias, _)| alias)
}

/// A new EnvId: a start and sixteen random characters, as in the ids of Tencent Cloud.
pub(super) fn new_env_id(start: &str) -> String {
    let random = uuid::Uuid::now_v7().simple().to_string();
    let suffix = random.get(random.len() - 16..).unwrap_or(&random);
    format!("{start}-{suffix}")
}

/// A member that is set and not empty.
pub(super) fn string<'a>(params: &'a Members, name: &str) -> Option<&'a str> {
    params.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// One page of rows, and how many there are on all pages. `limit` is (asked for, default, largest).
pub(super) fn page<T: Serialize>(
    name: &str,
    rows: &[T],
    offset: Option<u32>,
    (limit, default, most): (Option<u32>, u32, u32),
) -> Members {
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(default).min(most);
    let page: Vec<&T> = rows.iter().skip(size(offset.unwrap_or(0))).take(size(limit)).collect();
    Map::from_iter([(name.to_owned(), json!(page)), ("Total".to_owned(), json!(rows.len()))])
}
