//! `CreateCloudRunEnv` and `DescribeEnvBaseInfo` of tcbr.
//!
//! It is the sandbox's choice that a repeated ReqKey returns what the first request returned and does nothing, that a second
//! request for an environment is rejected, and that each region knows only its own environments. There is no order number, as
//! in the one sample of the documents.

use serde_json::{Map, Value, json};

use crate::cloud::tencent::wire::DescribeEnvBaseInfo;
use crate::sandbox::event::LedgerEntry;
use crate::sandbox::model::{Account, Call, CloudRun, Members, Rejection, local_time, string};

const TEXTS: [&str; 10] =
    ["PackageType", "Alias", "FreeQuota", "Flag", "VpcId", "ReqKey", "Source", "Channel", "EnvId", "EnvType"];

pub(super) fn check(
    account: &Account,
    call: &Call<'_>,
    entry: &mut LedgerEntry,
) -> Result<Members, Rejection> {
    let invalid = |message: &str| Err(Rejection::new("InvalidParameter", message));
    let missing = |name: &str| Rejection::new("MissingParameter", format!("`{name}` is required."));
    for (name, value) in &call.params {
        let fits = if name == "SubNetIds" {
            value.is_array()
        } else if TEXTS.contains(&name.as_str()) {
            value.is_string()
        } else {
            let message = format!("The parameter `{name}` is not recognized.");
            return Err(Rejection::new("UnknownParameter", message));
        };
        if !fits {
            return invalid(&format!("The value of `{name}` has a wrong type."));
        }
    }
    if call.region.is_none() {
        return Err(missing("X-TC-Region"));
    }
    let package = call.param("PackageType").ok_or_else(|| missing("PackageType"))?;
    if !["Trial", "Standard", "Professional", "Enterprise"].contains(&package) {
        return invalid("`PackageType` is Trial, Standard, Professional or Enterprise.");
    }
    let env_id = call.param("EnvId").ok_or_else(|| missing("EnvId"))?;
    let Some(env) =
        account.find(env_id).filter(|env| !env.is_isolated() && call.region == Some(&env.info.region))
    else {
        return invalid("The environment does not exist.");
    };
    let answer = || {
        let ids = [("EnvId", env_id), ("TranId", "")];
        ids.into_iter().map(|(name, id)| (name.to_owned(), Value::from(id))).collect()
    };
    entry.env_id = Some(env_id.to_owned());
    match &env.cloudrun {
        Some(open) if open.req_key.as_deref() == call.param("ReqKey") && open.req_key.is_some() => {
            Ok(answer())
        }
        Some(_) => Err(Rejection::new("ResourceInUse", "CloudRun is open on the environment.")),
        None => {
            entry.acted = true;
            Ok(answer())
        }
    }
}

pub(super) fn open(account: &mut Account, entry: &LedgerEntry) {
    let param = |name: &str| string(&entry.params, name).map(str::to_owned);
    if let Some(env) = account.find_mut(entry.env_id.as_deref().unwrap_or_default()) {
        env.cloudrun = Some(CloudRun {
            req_key: param("ReqKey"),
            package_type: param("PackageType").unwrap_or_default(),
            alias: param("Alias").unwrap_or_default(),
            create_time: local_time(entry.at),
        });
    }
}

/// An environment without CloudRun has an empty answer, as Tencent Cloud's tools found.
pub(super) fn describe(account: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    let DescribeEnvBaseInfo { env_id } = call.parse()?;
    if call.region.is_none() {
        return Err(Rejection::new("MissingParameter", "`X-TC-Region` is required."));
    }
    let env_id = env_id.filter(|id| !id.is_empty());
    let env_id = env_id.ok_or_else(|| Rejection::new("MissingParameter", "`EnvId` is required."))?;
    let env = account
        .find(&env_id)
        .filter(|env| call.region == Some(&env.info.region))
        .ok_or_else(|| Rejection::new("ResourceNotFound", "The environment does not exist."))?;
    let info = env.cloudrun.as_ref().map_or_else(
        || json!({}),
        |open| {
            json!({
                "EnvId": env_id, "PackageType": open.package_type, "Alias": open.alias, "Status": "NORMAL",
                "CreateTime": open.create_time, "Region": env.info.region, "EnvType": "baas", "VpcId": "",
                "SubnetIds": "", "Recycle": "",
            })
        },
    );
    Ok(Map::from_iter([
        ("IsExist".to_owned(), Value::Bool(env.cloudrun.is_some())),
        ("EnvBaseInfo".to_owned(), info),
    ]))
}
