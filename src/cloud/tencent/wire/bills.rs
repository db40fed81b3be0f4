//! `DescribeBillingInfo` (the vendor's page 876/94390): the members that postpay and its sandbox use.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::{Page, number, page, yes};
use super::{Unreadable, text};

/// What stands where there is no time.
pub const NO_TIME: &str = "0000-00-00 00:00:00";

/// The request. Members that are None are not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeBillingInfo {
    /// Only this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// Only these; wins over `env_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_ids: Option<Vec<String>>,
    /// The vendor's sample has 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// The bill of one environment. Every text may be empty, and a time may be [`NO_TIME`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BillInfo {
    pub env_id: String,
    pub package_id: String,
    pub is_auto_renew: bool,
    /// NORMAL or ISOLATE; empty while it is being set up.
    pub status: String,
    /// PREPAYMENT or POSTPAID, in capitals here.
    pub pay_mode: String,
    pub isolated_time: String,
    pub expire_time: String,
    pub create_time: String,
    pub update_time: String,
    pub is_always_free: bool,
    /// miniapp or qcloud.
    pub payment_channel: String,
    /// The latest order.
    pub order_info: Option<OrderInfo>,
    /// `basic`, or empty.
    pub free_quota: String,
}

/// The order that a bill names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderInfo {
    pub tran_id: String,
    pub package_id: String,
    /// 1 buy, 2 renew, 3 change.
    pub tran_type: Option<i64>,
    /// 1 unpaid, 2 paying, 3 delivering, 4 delivered, 5 delivery failed, 6 refunded, 7 cancelled, 100 deleted.
    pub tran_status: Option<i64>,
    pub create_time: String,
    pub update_time: String,
    pub pay_mode: String,
    pub extension_id: String,
    /// successful, failed, doing or init.
    pub resource_ready: String,
    pub flag: String,
    /// The parameters of the order, in a form that is not documented.
    pub req_body: String,
}

/// Reads the answer to `DescribeBillingInfo`.
///
/// # Errors
/// When it is not `{"Response":{…}}` with a list or an error in it.
pub fn decode_bills(body: &[u8]) -> Result<Page<BillInfo>, Unreadable> {
    page(body, "EnvBillingInfoList", bill)
}

fn bill(value: &Value) -> Option<BillInfo> {
    let member = |name: &str| value.get(name).and_then(text);
    let is = |name: &str| value.get(name).is_some_and(yes);
    Some(BillInfo {
        env_id: member("EnvId")?,
        package_id: member("PackageId").unwrap_or_default(),
        is_auto_renew: is("IsAutoRenew"),
        status: member("Status").unwrap_or_default(),
        pay_mode: member("PayMode").unwrap_or_default(),
        isolated_time: member("IsolatedTime").unwrap_or_default(),
        expire_time: member("ExpireTime").unwrap_or_default(),
        create_time: member("CreateTime").unwrap_or_default(),
        update_time: member("UpdateTime").unwrap_or_default(),
        is_always_free: is("IsAlwaysFree"),
        payment_channel: member("PaymentChannel").unwrap_or_default(),
        order_info: value.get("OrderInfo").filter(|it| it.is_object()).map(order),
        free_quota: member("FreeQuota").unwrap_or_default(),
    })
}

fn order(value: &Value) -> OrderInfo {
    let member = |name: &str| value.get(name).and_then(text).unwrap_or_default();
    OrderInfo {
        tran_id: member("TranId"),
        package_id: member("PackageId"),
        tran_type: value.get("TranType").and_then(number),
        tran_status: value.get("TranStatus").and_then(number),
        create_time: member("CreateTime"),
        update_time: member("UpdateTime"),
        pay_mode: member("PayMode"),
        extension_id: member("ExtensionId"),
        resource_ready: member("ResourceReady"),
        flag: member("Flag"),
        req_body: member("ReqBody"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_read_however_its_values_are_written() {
        let body = r#"{"Response":{"EnvBillingInfoList":[
            {"EnvId":"a","IsAutoRenew":"true","IsAlwaysFree":0,"PayMode":"POSTPAID","Status":"","New":[1],
             "IsolatedTime":"0000-00-00 00:00:00","OrderInfo":{
                "TranId":20200603119423,"TranType":"1","TranStatus":"4","CreateTime":"2018-08-13 10:52:09",
                "Flag":null,"ResourceReady":"successful","Oops":{}}},
            {"EnvId":"b","OrderInfo":null}, {"EnvId":"c","OrderInfo":"none"}, {"EnvId":null}, 7
        ],"Total":"5","RequestId":"r"}}"#;
        let page = decode_bills(body.as_bytes()).unwrap();
        assert_eq!((page.rows.len(), page.sent, page.total), (3, 5, Some(5)));
        let bill = &page.rows[0];
        assert!(bill.is_auto_renew && !bill.is_always_free);
        assert_eq!(bill.isolated_time, NO_TIME);
        let order = bill.order_info.as_ref().unwrap();
        assert_eq!(order.tran_id, "20200603119423");
        assert_eq!((order.tran_type, order.tran_status), (Some(1), Some(4)));
        assert_eq!((order.flag.as_str(), order.req_body.as_str()), ("", ""));
        assert!(page.rows[1..].iter().all(|bill| bill.order_info.is_none()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bill = BillInfo {
            env_id: "a".to_owned(),
            is_always_free: true,
            expire_time: NO_TIME.to_owned(),
            order_info: Some(OrderInfo {
                tran_id: "1".to_owned(),
                tran_status: Some(4),
                req_body: r#"{"Alias":"a"}"#.to_owned(),
                ..OrderInfo::default()
            }),
            ..BillInfo::default()
        };
        let body = serde_json::json!({"Response": {"EnvBillingInfoList": [bill], "Total": 1}});
        let page = decode_bills(body.to_string().as_bytes()).unwrap();
        assert_eq!(page.rows, [bill]);
    }

    #[test]
    fn an_answer_without_a_list_is_not_an_empty_list() {
        assert!(decode_bills(br#"{"Response":{"Total":0}}"#).is_err());
        assert!(decode_bills(br#"{"Response":{"EnvBillingInfoList":{}}}"#).is_err());
        let none = decode_bills(br#"{"Response":{"EnvBillingInfoList":null}}"#).unwrap();
        assert_eq!((none.rows.len(), none.sent, none.total), (0, 0, None));
    }
}
