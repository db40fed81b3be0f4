//! The answers to the questions: environments and bills, filtered and paged. Values in, values out.

use std::collections::HashSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::world::{Env, Refusal, World};
use crate::cloud::tencent::wire::{BillInfo, DescribeBillingInfo, DescribeEnvs, EnvInfo};

/// A page of environments that is asked for without a limit. The vendor documents none; its own tools use this.
const PAGE: usize = 20;
/// The largest such page. A larger limit is taken as this one.
const MAX_PAGE: usize = 100;
/// The largest page of bills, and the one without a limit: the vendor's sample.
const MAX_BILLS: usize = 1000;

/// What a list shows as the alias of an environment. The API's documents do not say which of Alias and EnvAlias that is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListAlias {
    /// Alias, as it was sent.
    #[default]
    Alias,
    /// Alias in capitals.
    Capitals,
    /// EnvAlias.
    EnvAlias,
    /// Nothing.
    None,
}

impl ListAlias {
    fn shown(self, env: &Env) -> String {
        match self {
            Self::Alias => env.info.alias.clone(),
            Self::Capitals => env.info.alias.to_uppercase(),
            Self::EnvAlias => env.named.clone(),
            Self::None => String::new(),
        }
    }
}

impl World {
    /// The members of the answer to `DescribeEnvs`: of one region, if the call names one. That is what the vendor's own
    /// tools say of it; its documents are silent.
    pub(super) fn list(
        &self,
        params: Map<String, Value>,
        region: Option<&str>,
        alias: ListAlias,
    ) -> Result<Map<String, Value>, Refusal> {
        let ask: DescribeEnvs = question(params)?;
        let wanted =
            |env: &&Env| wanted(&ask, &env.info) && region.is_none_or(|region| region == env.info.region);
        let listed: Vec<EnvInfo> = self
            .envs
            .iter()
            .filter(wanted)
            .map(|env| EnvInfo { alias: alias.shown(env), ..env.info.clone() })
            .collect();
        let listed: Vec<&EnvInfo> = listed.iter().collect();
        let limit = size(ask.limit).filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(PAGE).min(MAX_PAGE);
        Ok(page("EnvList", &listed, limit, size(ask.offset)))
    }

    /// The members of the answer to `DescribeBillingInfo`: of the environments that are named and exist, or of all.
    pub(super) fn bills(&self, params: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
        let DescribeBillingInfo { env_id, env_ids, limit, offset } = question(params)?;
        let named: Option<HashSet<String>> = match (env_ids, env_id) {
            (Some(ids), _) if !ids.is_empty() => Some(ids.into_iter().collect()),
            (_, Some(id)) if !id.is_empty() => Some(HashSet::from([id])),
            (_, _) => None,
        };
        let listed: Vec<&BillInfo> = self
            .envs
            .iter()
            .map(|env| &env.bill)
            .filter(|bill| named.as_ref().is_none_or(|ids| ids.contains(&bill.env_id)))
            .collect();
        let limit = size(limit).filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(MAX_BILLS).min(MAX_BILLS);
        Ok(page("EnvBillingInfoList", &listed, limit, size(offset)))
    }
}

/// The members of a request; one that is unknown, or of another type, is refused.
pub(super) fn question<T: DeserializeOwned>(params: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(params)).map_err(|error| {
        let message = error.to_string();
        if message.starts_with("unknown field") {
            Refusal::new("UnknownParameter", message)
        } else {
            Refusal::new("InvalidParameter", message)
        }
    })
}

fn page<T: Serialize>(name: &str, listed: &[&T], limit: usize, offset: Option<usize>) -> Map<String, Value> {
    let rows: Vec<&&T> = listed.iter().skip(offset.unwrap_or(0)).take(limit).collect();
    Map::from_iter([(name.to_owned(), json!(rows)), ("Total".to_owned(), json!(listed.len()))])
}

fn size(number: Option<u32>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok())
}

fn wanted(ask: &DescribeEnvs, env: &EnvInfo) -> bool {
    let DescribeEnvs { env_id, is_visible, channels, limit: _, offset: _ } = ask;
    let named = env_id.as_deref().is_none_or(|id| id.is_empty() || id == env.env_id);
    let channel = match (channels, is_visible) {
        (Some(channels), Some(visible)) => channels.contains(&env.env_channel) == *visible,
        _ => true,
    };
    named && channel
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::sandbox::ledger::{LedgerEntry, Line};

    fn params(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    fn existing(count: u32) -> World {
        let mut world = World::default();
        for n in 0..count {
            world.apply(&Line::Environment {
                env_id: format!("env-{n}"),
                at: Timestamp::UNIX_EPOCH,
                postpaid: None,
            });
        }
        world
    }

    fn order(env_id: &str, at: Timestamp, asked: Value) -> Line {
        Line::Request(LedgerEntry {
            call: 1,
            at,
            action: "CreatePostpayPackage".to_owned(),
            region: Some("ap-guangzhou".to_owned()),
            params: params(asked),
            reached: true,
            acted: true,
            changed: false,
            answer: "ok".to_owned(),
            fault: None,
            tran_id: Some("20200604000001".to_owned()),
            env_id: Some(env_id.to_owned()),
            request_id: String::new(),
        })
    }

    #[test]
    fn lists_are_paged_and_filtered() {
        let world = existing(130);
        let count = |ask: Value| {
            let answer = world.list(params(ask), None, ListAlias::default()).unwrap();
            (answer["EnvList"].as_array().unwrap().len(), answer["Total"].as_u64().unwrap())
        };
        assert_eq!(count(json!({})), (20, 130));
        assert_eq!(count(json!({"Limit":500})), (100, 130));
        assert_eq!(count(json!({"Limit":100,"Offset":100})), (30, 130));
        assert_eq!(count(json!({"Limit":100,"Offset":1000})), (0, 130));
        assert_eq!(count(json!({"EnvId":"env-7"})), (1, 1));
        assert_eq!(count(json!({"EnvId":"no"})), (0, 0));
        assert_eq!(count(json!({"Channels":["qc_console"],"IsVisible":false})), (0, 0));
        let code = |ask: Value| world.list(params(ask), None, ListAlias::default()).unwrap_err().code;
        assert_eq!(code(json!({"Limit":"x"})), "InvalidParameter");
        assert_eq!(code(json!({"Nope":1})), "UnknownParameter");
        let elsewhere = world.list(Map::new(), Some("ap-guangzhou"), ListAlias::default()).unwrap();
        assert_eq!(elsewhere["Total"], 0);
    }

    #[test]
    fn bills_are_named_or_all_and_paged() {
        let world = existing(5);
        let ids = |ask: Value| {
            let answer = world.bills(params(ask)).unwrap();
            let list = answer["EnvBillingInfoList"].as_array().unwrap().clone();
            let ids: Vec<String> =
                list.iter().map(|bill| bill["EnvId"].as_str().unwrap().to_owned()).collect();
            (ids.join(" "), answer["Total"].as_u64().unwrap())
        };
        let table = [
            (json!({}), "env-0 env-1 env-2 env-3 env-4", 5),
            (json!({"EnvIds":[],"EnvId":""}), "env-0 env-1 env-2 env-3 env-4", 5),
            (json!({"EnvId":"env-1"}), "env-1", 1),
            (json!({"EnvIds":["env-3","no","env-1"],"EnvId":"env-0"}), "env-1 env-3", 2),
            (json!({"Limit":2,"Offset":3}), "env-3 env-4", 5),
            (json!({"Limit":2,"Offset":4}), "env-4", 5),
            (json!({"EnvIds":["no"]}), "", 0),
        ];
        for (ask, expected, total) in table {
            assert_eq!(ids(ask.clone()), (expected.to_owned(), total), "{ask}");
        }
        let code = |ask: Value| world.bills(params(ask)).unwrap_err().code;
        for ask in [
            json!({"Limit":"x"}),
            json!({"Limit":-1}),
            json!({"Offset":1.5}),
            json!({"EnvId":["a"]}),
            json!({"EnvIds":"a"}),
            json!({"EnvIds":[1]}),
        ] {
            assert_eq!(code(ask.clone()), "InvalidParameter", "{ask}");
        }
        assert_eq!(code(json!({"EnvIDs":["a"]})), "UnknownParameter");
    }

    #[test]
    fn a_bill_is_in_the_vendors_form() {
        let mut world = existing(1);
        let at = Timestamp::from_second(1_591_200_000).unwrap();
        world.apply(&order("env-0", at, json!({"EnvId":"env-0","FreeQuota":"basic"})));
        let asked = json!({"EnvSource":"qcloud","Channel":"qq","Flag":"QuickStart","ExtensionId":"ext-1"});
        world.apply(&order("shop-1", at, asked.clone()));
        world.apply(&Line::Environment { env_id: "old-1".to_owned(), at, postpaid: None });
        let answer = world.bills(Map::new()).unwrap();
        let [switched, ordered, prepaid] = [0, 1, 2].map(|n| &answer["EnvBillingInfoList"][n]);
        assert_eq!(switched["PayMode"], "POSTPAID");
        assert_eq!(switched["FreeQuota"], "basic");
        assert_eq!(switched["PaymentChannel"], "qcloud");
        assert_eq!(switched["CreateTime"], "1970-01-01 08:00:00");
        let expected = json!({
            "TranId": "20200604000001", "PackageId": "", "TranType": 1, "TranStatus": 4,
            "CreateTime": "2020-06-04 00:00:00", "UpdateTime": "2020-06-04 00:00:00",
            "PayMode": "POSTPAID", "ExtensionId": "ext-1", "ResourceReady": "successful",
            "Flag": "QuickStart", "ReqBody": asked.to_string()
        });
        assert_eq!(ordered["OrderInfo"], expected);
        assert_eq!(ordered["ExpireTime"], "0000-00-00 00:00:00");
        assert_eq!(prepaid["PayMode"], "PREPAYMENT");
        assert_eq!(prepaid["OrderInfo"], Value::Null);
        assert_eq!(prepaid["ExpireTime"], "2020-07-04 00:00:00");
        let listed = world.list(Map::new(), Some("ap-guangzhou"), ListAlias::default()).unwrap();
        assert_eq!(listed["EnvList"][0]["EnvId"], "shop-1");
        assert_eq!(listed["Total"], 1, "a switched environment stays where it is");
    }
}
