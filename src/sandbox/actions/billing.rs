//! `DescribeBillingInfo`.

use super::package::ORDER_SHOWN_AFTER;
use crate::cloud::tencent::wire::{BillInfo, DescribeBillingInfo, OrderInfo};
use crate::sandbox::model::{Account, Call, Environment, Members, Rejection, page};

/// The largest page, and the size of one without a limit: that of the documents' sample.
const MAX_PAGE: u32 = 1000;

/// Lists the bills of the environments that are named and exist, or of all.
pub(super) fn list(account: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    let DescribeBillingInfo { env_id, env_ids, limit, offset } = call.parse()?;
    let env_id = env_id.filter(|id| !id.is_empty());
    let wanted = env_ids.filter(|ids| !ids.is_empty()).or(env_id.map(|id| vec![id]));
    let matches = |bill: &&BillInfo| wanted.as_ref().is_none_or(|ids| ids.contains(&bill.env_id));
    let is_named = |env: &Environment| {
        env.created.is_none_or(|created| call.at.duration_since(created) >= ORDER_SHOWN_AFTER)
    };
    let rows = account.envs.iter().filter(|env| matches(&&env.bill)).map(|env| BillInfo {
        order_info: if is_named(env) { env.bill.order_info.clone() } else { Some(OrderInfo::default()) },
        ..env.bill.clone()
    });
    let rows: Vec<BillInfo> = rows.collect();
    Ok(page("EnvBillingInfoList", &rows, offset, (limit, MAX_PAGE, MAX_PAGE)))
}
