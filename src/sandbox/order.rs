//! The vendor's rules for an order, and the ids that it gets. Values in, values out.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::world::{Refusal, World, string};

/// The members of `CreatePostpayPackage`.
const MEMBERS: [&str; 11] = [
    "EnvId",
    "WxAppId",
    "Source",
    "FreeQuota",
    "EnvSource",
    "Channel",
    "Alias",
    "ExtensionId",
    "Flag",
    "EnvAlias",
    "Extra",
];

/// The ids of an order that the rules allow, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) tran_id: String,
    pub(super) env_id: String,
}

impl World {
    /// Holds an order against the vendor's rules and gives it its ids. Nothing is changed yet.
    pub(super) fn consider(&self, params: &Map<String, Value>, at: Timestamp) -> Result<Order, Refusal> {
        let refuse = |code: &str, message: &str| Err(Refusal::new(code, message));
        for (name, value) in params {
            if !MEMBERS.contains(&name.as_str()) {
                return refuse("UnknownParameter", &format!("The parameter `{name}` is not recognized."));
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
            return refuse("MissingParameter", "Without `EnvId`, `EnvSource` and `Channel` are required.");
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
                    &format!("With EnvSource {source}, `Channel` is one of {}.", channels.join(", ")),
                );
            }
        }
        if get("Alias").is_some_and(|alias| !is_alias(alias)) {
            return refuse("InvalidParameterValue", "`Alias` starts with a-z and holds a-z, 0-9 and - only.");
        }
        let env_id = match get("EnvId") {
            Some(named) => match self.find(named) {
                // What the vendor does is not documented; nothing that was given up comes back here.
                Some(env) if env.is_isolated() => {
                    return refuse("ResourceUnavailable", "The environment is isolated.");
                }
                Some(_) => named.to_owned(),
                None => return refuse("ResourceNotFound", "The environment does not exist."),
            },
            None => new_env_id(get("Alias").or(source).unwrap_or("env")),
        };
        Ok(Order { tran_id: self.new_tran_id(at), env_id })
    }
}

fn channels(source: &str) -> Option<&'static [&'static str]> {
    match source {
        "miniapp" => Some(&["ide", "api"]),
        "qcloud" => Some(&["qc_console", "cocos", "qq", "cloudgame", "dcloud", "serverless_framework"]),
        _ => None,
    }
}

fn is_alias(alias: &str) -> bool {
    alias.starts_with(|c: char| c.is_ascii_lowercase())
        && alias.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
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
    use crate::sandbox::ledger::Line;

    fn world() -> World {
        let mut world = World::default();
        world.apply(&Line::Environment {
            env_id: "cdnheader-v2a".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            postpaid: None,
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
        world().consider(&params(value), Timestamp::from_second(1_591_200_000).unwrap())
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
            (with(json!({"FreeQuota":"basic","Alias":"a-1","Extra":"{}","EnvAlias":"我的","Flag":"X"})), ""),
            (with(json!({"FreeQuota":"","EnvId":"","Alias":""})), ""),
            (json!({"EnvId":"cdnheader-v2a"}), ""),
            (json!({"EnvSource":"miniapp","Channel":"ide","WxAppId":"wx1"}), ""),
            (json!({}), "MissingParameter"),
            (json!({"Alias":"a"}), "MissingParameter"),
            (json!({"EnvSource":"qcloud"}), "InvalidParameter"),
            (json!({"EnvId":"cdnheader-v2a","Channel":"qq"}), "InvalidParameter"),
            (json!({"EnvId":"unknown"}), "ResourceNotFound"),
            (json!({"EnvSource":"miniapp","Channel":"ide"}), "MissingParameter"),
            (with(json!({"Source":"miniapp"})), "MissingParameter"),
            (with(json!({"FreeQuota":"Basic"})), "InvalidParameterValue"),
            (json!({"EnvSource":"qcloud","Channel":"ide"}), "InvalidParameterValue"),
            (json!({"EnvSource":"other","Channel":"ide"}), "InvalidParameterValue"),
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
        assert_eq!(order.tran_id, "20200604000001", "the date in the vendor's country");
        assert!(order.env_id.starts_with("shop-"));
        assert_eq!(order.env_id.len(), "shop-".len() + 16);
        let order = consider(json!({"EnvSource":"qcloud","Channel":"qq"})).unwrap();
        assert!(order.env_id.starts_with("qcloud-"));
    }
}
