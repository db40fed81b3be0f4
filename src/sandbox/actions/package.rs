//! `CreateEnv`, and what surrounds it: `CheckTcbService`, `DescribeEnvLimit`, `DescribeEnvPlans`, `ModifyEnvExtra` and
//! `ModifyEnvPlan`.
//!
//! It is the sandbox's choice that the bill of a new environment names its order a few seconds later, that a switch other than
//! `true` and `false` changes nothing, and that a period has 30 days a month.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::cloud::tencent::wire::{BillInfo, EnvInfo, ModifyEnvExtra, NO_TIME, OrderInfo, Tag};
use crate::sandbox::event::LedgerEntry;
use crate::sandbox::model::{
    Account, Call, Environment, Members, REGION, Rejection, local_time, new_env_id, string,
};

/// The packages that are sold, with their prices for a month.
const PLANS: [(&str, &str, &str); 5] = [
    ("baas_personal", "个人版", "19.9"),
    ("baas_integration", "集成版", "39.9"),
    ("baas_pf_standard", "标准版", "199"),
    ("baas_pf_enterprise", "企业版", "899"),
    ("baas_pf_enterprise_senior", "企业高级版", "2999"),
];
const RESOURCES: [&str; 4] = ["flexdb", "storage", "function", "postgresql"];
/// How long after the create the bill names its order.
pub(super) const ORDER_SHOWN_AFTER: SignedDuration = SignedDuration::from_secs(5);

pub(super) fn check_create(
    account: &Account,
    call: &Call<'_>,
    entry: &mut LedgerEntry,
) -> Result<Members, Rejection> {
    let invalid = |message: &str| Err(Rejection::new("InvalidParameter", message));
    for (name, value) in &call.params {
        let fits = match name.as_str() {
            "Alias" | "PackageId" | "RenewFlag" | "EnableOverrun" => value.is_string(),
            "Resources" | "Tags" => value.is_array(),
            "Period" => value.is_u64(),
            "AutoVoucher" => value.is_boolean(),
            "ExternalStorage" => value.is_object(),
            _ => {
                let message = format!("The parameter `{name}` is not recognized.");
                return Err(Rejection::new("UnknownParameter", message));
            }
        };
        if !fits {
            return invalid(&format!("The value of `{name}` has a wrong type."));
        }
    }
    let required = |name: &str| {
        let missing = || Rejection::new("MissingParameter", format!("`{name}` is required."));
        call.param(name).ok_or_else(missing)
    };
    let (alias, package) = (required("Alias")?, required("PackageId")?);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let has_edges = alias.starts_with('-') || alias.ends_with('-') || alias.contains("--");
    if alias.len() > 20 || !alias.chars().all(is_plain) || has_edges {
        return invalid("`Alias` has at most 20 characters of a-z, 0-9 and single - within.");
    }
    if PLANS.iter().all(|(id, ..)| *id != package) {
        return invalid("The package is not sold.");
    }
    let resources = call.params.get("Resources").and_then(Value::as_array);
    let resources = resources.filter(|resources| !resources.is_empty());
    let resources =
        resources.ok_or_else(|| Rejection::new("MissingParameter", "`Resources` is required."))?;
    let is_resource = |value: &Value| value.as_str().is_some_and(|name| RESOURCES.contains(&name));
    let is_repeated = |(at, value): (usize, &Value)| resources[..at].contains(value);
    if !resources.iter().all(is_resource) || resources.iter().enumerate().any(is_repeated) {
        return invalid("`Resources` has each of flexdb, storage, function, postgresql at most once.");
    }
    let period = call.params.get("Period").map(Value::as_u64);
    if period.is_some_and(|period| !period.is_some_and(|months| (1..=12).contains(&months) || months == 24)) {
        return invalid("`Period` is 1 to 12, or 24.");
    }
    let renewals = ["NOTIFY_AND_AUTO_RENEW", "NOTIFY_AND_MANUAL_RENEW"];
    if call.param("RenewFlag").is_some_and(|flag| !renewals.contains(&flag)) {
        return invalid("`RenewFlag` is not known.");
    }
    if let Some(storage) = call.params.get("ExternalStorage").and_then(Value::as_object) {
        let text = |name: &str| string(storage, name).is_some();
        if !["BucketName", "Region", "BasePath"].into_iter().all(text) {
            let message = "`ExternalStorage` needs BucketName, Region and BasePath.";
            return Err(Rejection::new("MissingParameter", message));
        }
    }
    if tags(&call.params).is_none() {
        return invalid("`Tags` is a list of Key and Value.");
    }
    if account.envs.len() >= call.options.max_environments {
        return Err(Rejection::new("ResourceInsufficient", "The account has no room for an environment."));
    }
    let env_id = new_env_id(alias);
    entry.acted = true;
    entry.env_id = Some(env_id.clone());
    Ok(Map::from_iter([("EnvId".to_owned(), Value::String(env_id))]))
}

fn tags(params: &Members) -> Option<Vec<Tag>> {
    match params.get("Tags") {
        None => Some(Vec::new()),
        Some(tags) => serde_json::from_value(tags.clone()).ok(),
    }
}

pub(super) fn create(account: &mut Account, entry: &LedgerEntry) {
    let tran_id = account.new_tran_id(entry.at);
    account.add_order(&tran_id);
    let param = |name: &str| string(&entry.params, name).unwrap_or_default().to_owned();
    let env_id = entry.env_id.clone().unwrap_or_default();
    let at = local_time(entry.at);
    let months = entry.params.get("Period").and_then(Value::as_i64).unwrap_or(1);
    let expires = entry.at.saturating_add(SignedDuration::from_hours(months * 30 * 24));
    let info = EnvInfo {
        env_id: env_id.clone(),
        source: "qcloud".to_owned(),
        alias: param("Alias"),
        create_time: at.clone(),
        update_time: at.clone(),
        status: "NORMAL".to_owned(),
        env_channel: "qc_console".to_owned(),
        pay_mode: "prepayment".to_owned(),
        region: entry.region.as_deref().unwrap_or(REGION).to_owned(),
        package_id: param("PackageId"),
        tags: tags(&entry.params).unwrap_or_default(),
    };
    let bill = BillInfo {
        env_id,
        package_id: param("PackageId"),
        is_auto_renew: param("RenewFlag") == "NOTIFY_AND_AUTO_RENEW",
        status: "NORMAL".to_owned(),
        pay_mode: "PREPAYMENT".to_owned(),
        isolated_time: NO_TIME.to_owned(),
        expire_time: local_time(expires.unwrap_or(Timestamp::MAX)),
        create_time: at.clone(),
        update_time: at.clone(),
        payment_channel: "qcloud".to_owned(),
        order_info: Some(order(&param("PackageId"), tran_id, 1, &at)),
        enable_overrun: param("EnableOverrun").eq_ignore_ascii_case("true"),
        ..BillInfo::default()
    };
    account.add(Environment {
        info,
        bill,
        env_alias: String::new(),
        created: Some(entry.at),
        cloudrun: None,
    });
}

fn order(package: &str, tran_id: String, tran_type: i64, at: &str) -> OrderInfo {
    OrderInfo {
        tran_id,
        package_id: package.to_owned(),
        tran_type: Some(tran_type),
        tran_status: Some(4),
        create_time: at.to_owned(),
        update_time: at.to_owned(),
        pay_mode: "PREPAYMENT".to_owned(),
        resource_ready: "successful".to_owned(),
        ..OrderInfo::default()
    }
}

pub(super) fn check_extra(
    account: &Account,
    call: &Call<'_>,
    entry: &mut LedgerEntry,
) -> Result<Members, Rejection> {
    let ModifyEnvExtra { env_id, enable_overrun } = call.parse()?;
    let env = super::environments::find(account, env_id)?;
    entry.changed = enable_overrun.is_some_and(|word| truth(&word).is_some());
    entry.env_id = Some(env.info.env_id.clone());
    Ok(Map::new())
}

/// "illegal, absent, empty = unchanged"
fn truth(word: &str) -> Option<bool> {
    word.to_ascii_lowercase().parse().ok()
}

pub(super) fn extra(account: &mut Account, entry: &LedgerEntry) {
    if let Some(env) = account.find_mut(entry.env_id.as_deref().unwrap_or_default())
        && let Some(overrun) = string(&entry.params, "EnableOverrun").and_then(truth)
    {
        env.bill.enable_overrun = overrun;
        env.bill.update_time = local_time(entry.at);
    }
}

pub(super) fn check_plan(
    account: &Account,
    call: &Call<'_>,
    entry: &mut LedgerEntry,
) -> Result<Members, Rejection> {
    if let Some(name) =
        call.params.keys().find(|name| !["EnvId", "PackageId", "AutoVoucher"].contains(&name.as_str()))
    {
        let message = format!("The parameter `{name}` is not recognized.");
        return Err(Rejection::new("UnknownParameter", message));
    }
    let env = super::environments::find(account, call.param("EnvId").map(str::to_owned));
    let env = env.map_err(|error| Rejection { code: "InvalidParameter.EnvId".to_owned(), ..error })?;
    if call.param("PackageId").is_none_or(|package| PLANS.iter().all(|(id, ..)| *id != package)) {
        return Err(Rejection::new("InvalidParameter", "The package is not sold."));
    }
    entry.acted = true;
    entry.env_id = Some(env.info.env_id.clone());
    Ok(Map::new())
}

pub(super) fn change_plan(account: &mut Account, entry: &LedgerEntry) {
    let tran_id = account.new_tran_id(entry.at);
    account.add_order(&tran_id);
    if let Some(env) = account.find_mut(entry.env_id.as_deref().unwrap_or_default()) {
        let package = string(&entry.params, "PackageId").unwrap_or_default();
        let at = local_time(entry.at);
        package.clone_into(&mut env.info.package_id);
        package.clone_into(&mut env.bill.package_id);
        env.bill.order_info = Some(order(package, tran_id, 3, &at));
        env.bill.update_time = at;
    }
}

pub(super) fn service(_: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    no_params(call)?;
    Ok(Map::from_iter([("Initialized".to_owned(), Value::Bool(true))]))
}

pub(super) fn limits(account: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    no_params(call)?;
    Ok(Map::from_iter([
        ("MaxEnvNum".to_owned(), json!(call.options.max_environments)),
        ("CurrentEnvNum".to_owned(), json!(account.envs.len())),
    ]))
}

pub(super) fn plans(_: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    if let Some(name) = call.params.keys().find(|name| *name != "PackageId") {
        let message = format!("The parameter `{name}` is not recognized.");
        return Err(Rejection::new("UnknownParameter", message));
    }
    let wanted = call.param("PackageId");
    let plans = PLANS.iter().filter(|(id, ..)| wanted.is_none_or(|wanted| wanted == *id));
    let plans = plans.map(|(id, title, price)| {
        json!({
            "PackageId": id, "PackageTitle": title, "PackageDescription": title, "UnitPrice": price,
            "PackageType": "default", "ResourceLimit": "{}",
        })
    });
    Ok(Map::from_iter([("PlanList".to_owned(), plans.collect())]))
}

fn no_params(call: &Call<'_>) -> Result<(), Rejection> {
    match call.params.keys().next() {
        None => Ok(()),
        Some(name) => {
            let message = format!("The parameter `{name}` is not recognized.");
            Err(Rejection::new("UnknownParameter", message))
        }
    }
}
