//! The back end: the environments, the vendor's rules for an order, and what an order does. Values in, values out. What
//! of it is shown is in [`super::look`].

use std::collections::{HashMap, HashSet};

use jiff::{Timestamp, tz::Offset};
use serde_json::{Map, Value};

use super::bill;
use super::ledger::{LedgerEntry, Line};
use crate::cloud::tencent::wire::{BillInfo, EnvInfo, is_create_member};

/// What the vendor would say no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// The ids of an order that the rules allow, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) tran_id: String,
    pub(super) env_id: String,
}

/// Where an environment is made when the order names no region. Whether the vendor goes by the region of an order is not
/// documented; its own tools take it to.
const REGION: &str = "ap-shanghai";

/// An environment and its bill.
#[derive(Debug)]
pub(super) struct Env {
    pub(super) info: EnvInfo,
    pub(super) bill: BillInfo,
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
            Line::Environment { env_id, at } => self.add(Env {
                info: prepaid(env_id, *at),
                bill: bill::prepaid(env_id, *at),
            }),
            Line::Request(entry) if entry.acted => self.order(entry),
            Line::Request(_) => {}
        }
    }

    fn order(&mut self, entry: &LedgerEntry) {
        self.orders += 1;
        self.tran_ids.extend(entry.tran_id.clone());
        let Some(env_id) = &entry.env_id else {
            return;
        };
        if let Some(env) = self.by_id.get(env_id).and_then(|at| self.envs.get_mut(*at)) {
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
        self.add(Env { info, bill });
    }

    fn add(&mut self, env: Env) {
        self.by_id.insert(env.info.env_id.clone(), self.envs.len());
        self.envs.push(env);
    }

    /// Holds an order against the vendor's rules and gives it its ids. Nothing is changed yet.
    pub(super) fn consider(
        &self,
        params: &Map<String, Value>,
        at: Timestamp,
    ) -> Result<Order, Refusal> {
        let refuse = |code: &str, message: &str| Err(Refusal::new(code, message));
        for (name, value) in params {
            if !is_create_member(name) {
                return refuse(
                    "UnknownParameter",
                    &format!("The parameter `{name}` is not recognized."),
                );
            }
            if !value.is_string() {
                return refuse(
                    "InvalidParameter",
                    &format!("The value of `{name}` is not of type `String`."),
                );
            }
        }
        let get = |name: &str| string(params, name);
        let (source, channel) = (get("EnvSource"), get("Channel"));
        if source.is_some() != channel.is_some() {
            return refuse("InvalidParameter", "`EnvSource` and `Channel` go together.");
        }
        if get("EnvId").is_none() && source.is_none() {
            return refuse(
                "MissingParameter",
                "Without `EnvId`, `EnvSource` and `Channel` are required.",
            );
        }
        if get("WxAppId").is_none() && [get("Source"), source].contains(&Some("miniapp")) {
            return refuse("MissingParameter", "`WxAppId` is required for miniapp.");
        }
        if get("FreeQuota").is_some_and(|quota| quota != "basic") {
            return refuse("InvalidParameterValue", "`FreeQuota` can only be `basic`.");
        }
        if let (Some(source), Some(channel)) = (source, channel) {
            let Some(channels) = channels(source) else {
                return refuse("InvalidParameterValue", "`EnvSource` is miniapp or qcloud.");
            };
            if !channels.contains(&channel) {
                return refuse(
                    "InvalidParameterValue",
                    &format!(
                        "With EnvSource {source}, `Channel` is one of {}.",
                        channels.join(", ")
                    ),
                );
            }
        }
        if get("Alias").is_some_and(|alias| !is_alias(alias)) {
            return refuse(
                "InvalidParameterValue",
                "`Alias` starts with a-z and holds a-z, 0-9 and - only.",
            );
        }
        let env_id = match get("EnvId") {
            Some(known) if self.by_id.contains_key(known) => known.to_owned(),
            Some(_) => return refuse("ResourceNotFound", "The environment does not exist."),
            None => new_env_id(get("Alias").or(source).unwrap_or("env")),
        };
        Ok(Order {
            tran_id: self.new_tran_id(at),
            env_id,
        })
    }

    /// In the vendor's form: the date and a number, which no order has yet.
    fn new_tran_id(&self, at: Timestamp) -> String {
        let date = BEIJING.to_datetime(at).strftime("%Y%m%d").to_string();
        let mut number = self.orders + 1;
        loop {
            let tran_id = format!("{date}{number:06}");
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

pub(super) fn vendors_time(at: Timestamp) -> String {
    BEIJING
        .to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

fn prepaid(env_id: &str, at: Timestamp) -> EnvInfo {
    EnvInfo {
        env_id: env_id.to_owned(),
        source: "qcloud".to_owned(),
        alias: env_id
            .rsplit_once('-')
            .map_or(env_id, |(alias, _)| alias)
            .to_owned(),
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

fn channels(source: &str) -> Option<&'static [&'static str]> {
    match source {
        "miniapp" => Some(&["ide", "api"]),
        "qcloud" => Some(&[
            "qc_console",
            "cocos",
            "qq",
            "cloudgame",
            "dcloud",
            "serverless_framework",
        ]),
        _ => None,
    }
}

fn is_alias(alias: &str) -> bool {
    alias.starts_with(|c: char| c.is_ascii_lowercase())
        && alias
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// As the vendor's ids look: a start that says something, and sixteen characters that don't.
fn new_env_id(start: &str) -> String {
    let random = uuid::Uuid::now_v7().simple().to_string();
    let tail = random.get(random.len() - 16..).unwrap_or(&random);
    format!("{start}-{tail}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn world() -> World {
        let mut world = World::default();
        world.apply(&Line::Environment {
            env_id: "cdnheader-v2a".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        });
        world
    }

    fn params(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    fn consider(value: Value) -> Result<Order, Refusal> {
        world().consider(
            &params(value),
            Timestamp::from_second(1_591_200_000).unwrap(),
        )
    }

    #[test]
    fn the_vendors_rules() {
        let ok = json!({"EnvSource":"qcloud","Channel":"qc_console"});
        let with = |more: Value| {
            let mut all = params(ok.clone());
            all.extend(params(more));
            Value::Object(all)
        };
        let table = [
            (ok.clone(), ""),
            (
                with(
                    json!({"FreeQuota":"basic","Alias":"a-1","Extra":"{}","EnvAlias":"我的","Flag":"X"}),
                ),
                "",
            ),
            (with(json!({"FreeQuota":"","EnvId":"","Alias":""})), ""),
            (json!({"EnvId":"cdnheader-v2a"}), ""),
            (
                json!({"EnvSource":"miniapp","Channel":"ide","WxAppId":"wx1"}),
                "",
            ),
            (json!({}), "MissingParameter"),
            (json!({"Alias":"a"}), "MissingParameter"),
            (json!({"EnvSource":"qcloud"}), "InvalidParameter"),
            (
                json!({"EnvId":"cdnheader-v2a","Channel":"qq"}),
                "InvalidParameter",
            ),
            (json!({"EnvId":"unknown"}), "ResourceNotFound"),
            (
                json!({"EnvSource":"miniapp","Channel":"ide"}),
                "MissingParameter",
            ),
            (with(json!({"Source":"miniapp"})), "MissingParameter"),
            (with(json!({"FreeQuota":"Basic"})), "InvalidParameterValue"),
            (
                json!({"EnvSource":"qcloud","Channel":"ide"}),
                "InvalidParameterValue",
            ),
            (
                json!({"EnvSource":"other","Channel":"ide"}),
                "InvalidParameterValue",
            ),
            (with(json!({"Alias":"Shop"})), "InvalidParameterValue"),
            (with(json!({"Alias":"1shop"})), "InvalidParameterValue"),
            (with(json!({"Alias":"a_b"})), "InvalidParameterValue"),
            (with(json!({"Region":"x"})), "UnknownParameter"),
            (with(json!({"Flag":1})), "InvalidParameter"),
            (with(json!({"Extra":{"a":1}})), "InvalidParameter"),
        ];
        for (body, code) in table {
            let got = consider(body.clone()).err().map(|refusal| refusal.code);
            assert_eq!(got.unwrap_or_default(), code, "{body}");
        }
    }

    #[test]
    fn ids_look_like_the_vendors() {
        let order = consider(json!({"EnvSource":"qcloud","Channel":"qq","Alias":"shop"})).unwrap();
        assert_eq!(
            order.tran_id, "20200604000001",
            "the date in the vendor's country"
        );
        assert!(order.env_id.starts_with("shop-"));
        assert_eq!(order.env_id.len(), "shop-".len() + 16);
        let order = consider(json!({"EnvSource":"qcloud","Channel":"qq"})).unwrap();
        assert!(order.env_id.starts_with("qcloud-"));
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
