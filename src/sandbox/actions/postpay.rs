//! `CreatePostpayPackage`: creates a postpaid environment, or switches an existing one.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cloud::tencent::wire::{BillInfo, EnvInfo, NO_TIME, OrderInfo};
use crate::sandbox::event::{LedgerEntry, Purchase};
use crate::sandbox::model::{
    Account, Call, Environment, Members, REGION, Rejection, local_time, new_env_id, string,
};

const MEMBERS: [&str; 11] = [
    "EnvId",
    "WxAppId",
    "Source",
    "FreeQuota",
    "EnvSource",
    "Alias",
    "Channel",
    "ExtensionId",
    "Flag",
    "EnvAlias",
    "Extra",
];

pub(super) fn check(
    account: &Account,
    call: &Call<'_>,
    entry: &mut LedgerEntry,
) -> Result<Members, Rejection> {
    let reject = |code: &str, message: &str| Err(Rejection::new(code, message));
    for (name, value) in &call.params {
        if !MEMBERS.contains(&name.as_str()) {
            return reject("UnknownParameter", &format!("The parameter `{name}` is not recognized."));
        }
        if !value.is_string() {
            return reject("InvalidParameter", &format!("The value of `{name}` is not of type `String`."));
        }
    }
    let get = |name: &str| call.param(name);
    let (source, channel) = (get("EnvSource"), get("Channel"));
    if source.is_some() != channel.is_some() {
        return reject("InvalidParameter", "`EnvSource` and `Channel` go together.");
    }
    if get("EnvId").is_none() && source.is_none() {
        return reject("MissingParameter", "Without `EnvId`, `EnvSource` and `Channel` are required.");
    }
    if get("WxAppId").is_none() && [get("Source"), source].contains(&Some("miniapp")) {
        return reject("MissingParameter", "`WxAppId` is required for miniapp.");
    }
    if get("FreeQuota").is_some_and(|quota| quota != "basic") {
        return reject("InvalidParameterValue", "`FreeQuota` can only be `basic`.");
    }
    if let (Some(source), Some(channel)) = (source, channel) {
        let channels: &[&str] = match source {
            "miniapp" => &["ide", "api"],
            "qcloud" => &["qc_console", "cocos", "qq", "cloudgame", "dcloud", "serverless_framework"],
            _ => return reject("InvalidParameterValue", "`EnvSource` is miniapp or qcloud."),
        };
        if !channels.contains(&channel) {
            let channels = channels.join(", ");
            let message = format!("With EnvSource {source}, `Channel` is one of {channels}.");
            return reject("InvalidParameterValue", &message);
        }
    }
    if get("Alias").is_some_and(|alias| !is_alias(alias)) {
        return reject("InvalidParameterValue", "`Alias` starts with a-z and holds a-z, 0-9 and - only.");
    }
    let env_id = match get("EnvId") {
        Some(env_id) => match account.find(env_id) {
            // What Tencent Cloud does is not documented; here no destroyed environment comes back.
            Some(env) if env.is_isolated() => {
                return reject("ResourceUnavailable", "The environment is isolated.");
            }
            Some(_) => env_id.to_owned(),
            None => return reject("ResourceNotFound", "The environment does not exist."),
        },
        None => new_env_id(get("Alias").or(source).unwrap_or("env")),
    };
    let tran_id = account.new_tran_id(call.at);
    entry.acted = true;
    entry.env_id = Some(env_id.clone());
    entry.tran_id = Some(tran_id.clone());
    let ids = [("EnvId", env_id), ("TranId", tran_id)];
    Ok(ids.into_iter().map(|(name, id)| (name.to_owned(), Value::String(id))).collect())
}

fn is_alias(alias: &str) -> bool {
    alias.starts_with(|c: char| c.is_ascii_lowercase())
        && alias.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

pub(super) fn apply(account: &mut Account, entry: &LedgerEntry) {
    account.add_order(entry.tran_id.as_deref().unwrap_or_default());
    let Some(env_id) = &entry.env_id else {
        return;
    };
    if let Some(env) = account.find_mut(env_id) {
        "postpaid".clone_into(&mut env.info.pay_mode);
        env.info.update_time = local_time(entry.at);
        env.bill = bill(env_id, entry, Some(&env.bill));
        return;
    }
    let param = |name: &str| string(&entry.params, name).unwrap_or_default().to_owned();
    let info = EnvInfo {
        env_id: env_id.clone(),
        source: param("EnvSource"),
        alias: param("Alias"),
        create_time: local_time(entry.at),
        update_time: local_time(entry.at),
        status: "NORMAL".to_owned(),
        env_channel: param("Channel"),
        pay_mode: "postpaid".to_owned(),
        region: entry.region.as_deref().unwrap_or(REGION).to_owned(),
        ..EnvInfo::default()
    };
    account.add(Environment {
        info,
        bill: bill(env_id, entry, None),
        env_alias: param("EnvAlias"),
        created: None,
        cloudrun: None,
    });
}

/// The bill after an order, of a new environment or of the one whose bill was `earlier`.
fn bill(env_id: &str, entry: &LedgerEntry, earlier: Option<&BillInfo>) -> BillInfo {
    let param = |name: &str| string(&entry.params, name).map(str::to_owned);
    let at = local_time(entry.at);
    BillInfo {
        env_id: env_id.to_owned(),
        status: "NORMAL".to_owned(),
        pay_mode: "POSTPAID".to_owned(),
        isolated_time: NO_TIME.to_owned(),
        expire_time: NO_TIME.to_owned(),
        create_time: earlier.map_or_else(|| at.clone(), |bill| bill.create_time.clone()),
        update_time: at.clone(),
        payment_channel: param("Source")
            .or_else(|| param("EnvSource"))
            .or_else(|| earlier.map(|bill| bill.payment_channel.clone()))
            .unwrap_or_default(),
        order_info: Some(OrderInfo {
            tran_id: entry.tran_id.clone().unwrap_or_default(),
            tran_type: Some(1),
            tran_status: Some(4),
            create_time: at.clone(),
            update_time: at,
            pay_mode: "POSTPAID".to_owned(),
            extension_id: param("ExtensionId").unwrap_or_default(),
            resource_ready: "successful".to_owned(),
            flag: param("Flag").unwrap_or_default(),
            req_body: serde_json::to_string(&entry.params).unwrap_or_default(),
            ..OrderInfo::default()
        }),
        free_quota: param("FreeQuota").unwrap_or_default(),
        ..BillInfo::default()
    }
}

/// The order of an environment that was there from the start, as the ledger would have it if it had been made here.
pub(crate) fn purchase(env_id: &str, at: Timestamp, bought: &Purchase) -> LedgerEntry {
    let params = [("Alias", bought.alias.as_str()), ("Channel", "qc_console"), ("EnvSource", "qcloud")];
    LedgerEntry {
        at,
        params: Map::from_iter(params.map(|(name, value)| (name.to_owned(), value.into()))),
        tran_id: Some(bought.tran_id.clone()),
        env_id: Some(env_id.to_owned()),
        ..LedgerEntry::default()
    }
}
