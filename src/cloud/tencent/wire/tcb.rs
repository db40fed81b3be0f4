//! The actions of the service `tcb`: their names, requests, and the rows of its lists, as far as they are used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::cloud::ENV_ID;
use crate::model::{self, Attributes, Field};

/// The endpoint, unless another one is configured.
pub const ENDPOINT: &str = "https://tcb.tencentcloudapi.com";
/// The service's name in a signature.
pub const SERVICE: &str = "tcb";
pub const VERSION: &str = "2018-06-08";
/// Changes the alias of an environment (page 876/34818).
pub const MODIFY: &str = "ModifyEnv";
/// Switches use beyond the package on or off (page 876/137192).
pub const MODIFY_EXTRA: &str = "ModifyEnvExtra";
/// Destroys an environment (page 876/42149).
pub const DESTROY: &str = "DestroyEnv";
/// Lists environments (page 876/34820).
pub const LIST: &str = "DescribeEnvs";
/// Lists the bills of environments (page 876/94390).
pub const BILLS: &str = "DescribeBillingInfo";
/// Shows whether the service was opened in the account.
pub const SERVICE_STATUS: &str = "CheckTcbService";
/// Shows the quotas of the account.
pub const LIMITS: &str = "DescribeEnvLimit";
/// Lists the packages that are sold, with their prices.
pub const PLANS: &str = "DescribeEnvPlans";
/// The most bytes that are read of an answer to a create or a change. A real one has a few hundred.
pub const MAX_BODY: usize = 1 << 20;
/// The most bytes that are read of a page. An environment takes a few kilobytes with its resources and tags.
pub const MAX_PAGE_BODY: usize = 16 << 20;
/// What the API sends in place of a missing time.
pub const NO_TIME: &str = "0000-00-00 00:00:00";

/// A request's members in the order in which they are sent.
struct Members<'a>(Vec<(&'a str, Value)>);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Returns the body of a create: exactly the fields that are set, in the order of their table, compact. `members` has what is
/// sent for fields that refer to other addresses, and members that no field has.
pub fn create_body(attributes: &Attributes, members: &BTreeMap<String, String>) -> Vec<u8> {
    let is_field = |member: &str| attributes.iter().any(|(field, _)| field.member == member);
    let fields = attributes.iter().filter_map(|(field, value)| match members.get(field.member) {
        Some(text) => Some((field.member, Value::from(text.as_str()))),
        None => Some((field.member, field.encode(value)?)),
    });
    let others = members.iter().filter(|(member, _)| !is_field(member));
    let others = others.map(|(member, text)| (member.as_str(), Value::from(text.as_str())));
    request_body(&Members(fields.chain(others).collect()))
}

/// Returns the body of an update of one field.
pub fn update_body(env_id: &str, field: Field, value: &model::Value) -> Vec<u8> {
    let value = field.encode(value).map(|value| (field.member, value));
    request_body(&Members([(ENV_ID, Value::from(env_id))].into_iter().chain(value).collect()))
}

/// Returns a request as compact JSON.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "texts and numbers, into memory: nothing can fail"
)]
pub fn request_body(request: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(request).expect("texts and numbers")
}

/// The request of `DescribeEnvs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeEnvs {
    /// Only this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// With `channels`: true for only those, false for all but those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_visible: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// No default and no maximum is documented; Tencent Cloud's own tools allow 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// One environment of `DescribeEnvs`. Every text may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnvInfo {
    pub env_id: String,
    /// miniapp or qcloud.
    pub source: String,
    pub alias: String,
    /// `2018-08-13 10:52:09`, without a zone.
    pub create_time: String,
    pub update_time: String,
    /// NORMAL or UNAVAILABLE by the documents, more in practice.
    pub status: String,
    pub env_channel: String,
    /// prepayment or postpaid.
    pub pay_mode: String,
    pub region: String,
    pub package_id: String,
    pub tags: Vec<Tag>,
}

/// A tag of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// The request of `DescribeBillingInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeBillingInfo {
    /// Only this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// Only these; wins over `env_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_ids: Option<Vec<String>>,
    /// 1000 in the documented sample.
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
    /// Whether use beyond the package is billed by use.
    pub enable_overrun: bool,
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
    /// The parameters of the order, in an undocumented form.
    pub req_body: String,
}

/// The request of `ModifyEnv`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ModifyEnv {
    /// Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// Its rule has changed over time: letters, digits and `-` after a small letter, later any text of up to 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Never sent by postpay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_qps: Option<Value>,
}

/// The request of `ModifyEnvExtra` (page 876/137192).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ModifyEnvExtra {
    /// Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// `TRUE` or `FALSE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_overrun: Option<String>,
}

/// The request of `DestroyEnv`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DestroyEnv {
    /// Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// Delete it at once rather than isolate it, or delete it out of isolation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_force: bool,
    /// Do not check for data or add-on packages in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bypass_check: bool,
}

impl DestroyEnv {
    pub fn new(env_id: &str, is_force: bool, bypass_check: bool) -> Self {
        Self { env_id: Some(env_id.to_owned()), is_force, bypass_check }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::postpay;

    fn text(body: Vec<u8>) -> String {
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn create_sends_exactly_the_set_fields_in_documented_order() {
        let mut order = Attributes::default();
        let text = |order: &Attributes| text(create_body(order, &BTreeMap::new()));
        assert_eq!(text(&order), "{}");
        order.set(postpay::EXTRA, r#"{"abc":"def"}"#);
        order.set(postpay::ALIAS, "env-alias");
        order.set(postpay::ENV_ALIAS, "我的\n环境");
        order.set(postpay::FREE_QUOTA, "");
        assert_eq!(
            text(&order),
            "{\"FreeQuota\":\"\",\"Alias\":\"env-alias\",\"EnvAlias\":\"我的\\n环境\",\"Extra\":\"{\\\"abc\\\":\\\"def\\\"}\"}"
        );
    }

    #[test]
    fn requests_hold_only_what_is_set() {
        let list = DescribeEnvs { limit: Some(100), offset: Some(0), ..DescribeEnvs::default() };
        let destroy = |force, bypass| request_body(&DestroyEnv::new("e", force, bypass));
        let table = [
            (request_body(&list), r#"{"Limit":100,"Offset":0}"#),
            (update_body("e", postpay::ALIAS, &"我的环境".into()), r#"{"EnvId":"e","Alias":"我的环境"}"#),
            (destroy(false, false), r#"{"EnvId":"e"}"#),
            (destroy(true, false), r#"{"EnvId":"e","IsForce":true}"#),
            (destroy(false, true), r#"{"EnvId":"e","BypassCheck":true}"#),
        ];
        for (body, expected) in table {
            assert_eq!(text(body), expected);
        }
    }
}
