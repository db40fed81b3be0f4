//! Bills, in the vendor's form: a prepaid environment that was always there, and what an order makes of one.

use jiff::{SignedDuration, Timestamp};

use super::ledger::LedgerEntry;
use super::world::{string, vendors_time};
use crate::cloud::tencent::wire::{BillInfo, NO_TIME, OrderInfo};

/// What a prepaid environment of the sandbox has been paid for, from when it came to be.
const PAID: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The bill of an environment that was there from the start. No order of it is known.
pub(super) fn prepaid(env_id: &str, at: Timestamp) -> BillInfo {
    let end = at.saturating_add(PAID).unwrap_or(Timestamp::MAX);
    BillInfo {
        env_id: env_id.to_owned(),
        package_id: "baas_personal".to_owned(),
        is_auto_renew: false,
        status: "NORMAL".to_owned(),
        pay_mode: "PREPAYMENT".to_owned(),
        isolated_time: NO_TIME.to_owned(),
        expire_time: vendors_time(end),
        create_time: vendors_time(at),
        update_time: vendors_time(at),
        is_always_free: false,
        payment_channel: "qcloud".to_owned(),
        order_info: None,
        free_quota: String::new(),
    }
}

/// The bill after an order, of a new environment or of the one whose bill was `earlier`.
pub(super) fn ordered(env_id: &str, entry: &LedgerEntry, earlier: Option<&BillInfo>) -> BillInfo {
    let param = |name: &str| string(&entry.params, name).map(str::to_owned);
    let at = vendors_time(entry.at);
    BillInfo {
        env_id: env_id.to_owned(),
        package_id: String::new(),
        is_auto_renew: false,
        status: "NORMAL".to_owned(),
        pay_mode: "POSTPAID".to_owned(),
        isolated_time: NO_TIME.to_owned(),
        expire_time: NO_TIME.to_owned(),
        create_time: earlier.map_or_else(|| at.clone(), |bill| bill.create_time.clone()),
        update_time: at.clone(),
        is_always_free: false,
        payment_channel: param("Source")
            .or_else(|| param("EnvSource"))
            .or_else(|| earlier.map(|bill| bill.payment_channel.clone()))
            .unwrap_or_default(),
        order_info: Some(OrderInfo {
            tran_id: entry.tran_id.clone().unwrap_or_default(),
            package_id: String::new(),
            tran_type: Some(1),
            tran_status: Some(4),
            create_time: at.clone(),
            update_time: at,
            pay_mode: "POSTPAID".to_owned(),
            extension_id: param("ExtensionId").unwrap_or_default(),
            resource_ready: "successful".to_owned(),
            flag: param("Flag").unwrap_or_default(),
            req_body: serde_json::to_string(&entry.params).unwrap_or_default(),
        }),
        free_quota: param("FreeQuota").unwrap_or_default(),
    }
}
