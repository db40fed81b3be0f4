//! `DescribeEnvs`, `ModifyEnv` and `DestroyEnv`.
//!
//! Tencent Cloud documents `DestroyEnv` for prepaid environments alone: it isolates a normal one, and `IsForce` deletes an
//! isolated one, or a normal one at once. The sandbox treats every environment so. It is also the sandbox's choice that
//! isolating twice does nothing, that isolation has no end, and that an alias may be changed in it. There are no data or
//! add-on packages, so `BypassCheck` makes no difference.

use serde_json::{Map, Value};

use crate::cloud::tencent::wire::{DescribeEnvs, DestroyEnv, EnvInfo, ModifyEnv};
use crate::sandbox::event::LedgerEntry;
use crate::sandbox::model::{Account, Call, Environment, Members, Rejection, local_time, page, string};
use crate::sandbox::options::ListAlias;

/// The size of a page without a limit. Tencent Cloud documents none; its own tools use this.
const PAGE: u32 = 20;
/// The largest page. A larger limit counts as this one.
const MAX_PAGE: u32 = 100;
/// The longest alias by the newer rule, in characters.
const MAX_ALIAS: usize = 32;

/// Lists environments: of one region, if the call names one, as Tencent Cloud's own tools assume.
pub(super) fn list(account: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    let DescribeEnvs { env_id, is_visible, channels, limit, offset } = call.parse()?;
    let matches = |env: &&Environment| {
        let info = &env.info;
        let channel = channels.as_ref().zip(is_visible);
        env_id.as_deref().is_none_or(|id| id.is_empty() || id == info.env_id)
            && channel.is_none_or(|(channels, visible)| channels.contains(&info.env_channel) == visible)
            && call.region.is_none_or(|region| region == info.region)
    };
    let rows: Vec<EnvInfo> = account
        .envs
        .iter()
        .filter(matches)
        .map(|env| EnvInfo { alias: shown_alias(call.options.list_alias, env), ..env.info.clone() })
        .collect();
    Ok(page("EnvList", &rows, offset, (limit, PAGE, MAX_PAGE)))
}

fn shown_alias(list_alias: ListAlias, env: &Environment) -> String {
    match list_alias {
        ListAlias::Alias => env.info.alias.clone(),
        ListAlias::Capitals => env.info.alias.to_uppercase(),
        ListAlias::EnvAlias => env.env_alias.clone(),
        ListAlias::None => String::new(),
    }
}

pub(super) fn check_modify(
    account: &Account,
    call: &Call<'_>,
    entry: &mut LedgerEntry,
) -> Result<Members, Rejection> {
    let ModifyEnv { env_id, alias, custom_qps: _ } = call.parse()?;
    let env = find(account, env_id)?;
    let alias = alias.filter(|alias| !alias.is_empty());
    if alias.as_deref().is_some_and(|alias| !is_alias(alias)) {
        return Err(Rejection::new(
            "InvalidParameter",
            "`Alias` has at most 32 characters, or starts with a-z and holds a-z, A-Z, 0-9 and - only.",
        ));
    }
    entry.changed = alias.is_some();
    entry.env_id = Some(env.info.env_id.clone());
    Ok(Map::new())
}

/// Whether an alias follows one of the two rules that the documents have had.
fn is_alias(alias: &str) -> bool {
    let is_plain = alias.starts_with(|c: char| c.is_ascii_lowercase())
        && alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    is_plain || alias.chars().count() <= MAX_ALIAS
}

pub(super) fn modify(account: &mut Account, entry: &LedgerEntry) {
    if let Some(env) = account.find_mut(entry.env_id.as_deref().unwrap_or_default())
        && let Some(alias) = string(&entry.params, "Alias")
    {
        alias.clone_into(&mut env.info.alias);
        env.info.update_time = local_time(entry.at);
    }
}

pub(super) fn check_destroy(
    account: &Account,
    call: &Call<'_>,
    entry: &mut LedgerEntry,
) -> Result<Members, Rejection> {
    let DestroyEnv { env_id, is_force, bypass_check: _ } = call.parse()?;
    let env = find(account, env_id)?;
    entry.changed = is_force || !env.is_isolated();
    entry.env_id = Some(env.info.env_id.clone());
    Ok(Map::new())
}

pub(super) fn destroy(account: &mut Account, entry: &LedgerEntry) {
    let env_id = entry.env_id.as_deref().unwrap_or_default();
    if entry.params.get("IsForce") == Some(&Value::Bool(true)) {
        account.remove(env_id);
    } else if let Some(env) = account.find_mut(env_id) {
        env.isolate(entry.at);
    }
}

pub(super) fn find(account: &Account, env_id: Option<String>) -> Result<&Environment, Rejection> {
    let env_id = env_id.filter(|id| !id.is_empty());
    let env_id = env_id.ok_or_else(|| Rejection::new("MissingParameter", "`EnvId` is required."))?;
    let missing = || Rejection::new("ResourceNotFound", "The environment does not exist.");
    account.find(&env_id).ok_or_else(missing)
}
