//! `DescribeEnvs` (the vendor's page 876/34820): the members that postpay and its sandbox use.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::{Page, page};
use super::{Unreadable, text};

/// The request. Members that are None are not sent.
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
    /// The vendor documents no default and no maximum; its own tools allow 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// One environment, as far as it is used. Every text may be empty.
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
    /// prepayment or postpaid; compare without case.
    pub pay_mode: String,
    pub region: String,
}

/// Reads the answer to `DescribeEnvs`.
///
/// # Errors
/// When it is not `{"Response":{…}}` with a list or an error in it.
pub fn decode_envs(body: &[u8]) -> Result<Page<EnvInfo>, Unreadable> {
    page(body, "EnvList", env)
}

fn env(value: &Value) -> Option<EnvInfo> {
    let member = |name: &str| value.get(name).and_then(text);
    Some(EnvInfo {
        env_id: member("EnvId")?,
        source: member("Source").unwrap_or_default(),
        alias: member("Alias").unwrap_or_default(),
        create_time: member("CreateTime").unwrap_or_default(),
        update_time: member("UpdateTime").unwrap_or_default(),
        status: member("Status").unwrap_or_default(),
        env_channel: member("EnvChannel").unwrap_or_default(),
        pay_mode: member("PayMode").unwrap_or_default(),
        region: member("Region").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_asked() {
        let ask = DescribeEnvs { limit: Some(100), offset: Some(0), ..DescribeEnvs::default() };
        assert_eq!(serde_json::to_string(&ask).unwrap(), r#"{"Limit":100,"Offset":0}"#);
    }

    #[test]
    fn a_page_is_read_leniently() {
        let body = r#"{"Response":{"EnvList":[
            {"EnvId":"a","Alias":"我的环境","PayMode":"postpaid","Tags":null,"Source":null},
            {"EnvId":""}, 7, {"EnvId":12}
        ],"Total":"3","RequestId":"r"}}"#;
        let page = decode_envs(body.as_bytes()).unwrap();
        let ids: Vec<&str> = page.rows.iter().map(|env| env.env_id.as_str()).collect();
        assert_eq!(ids, ["a", "12"]);
        assert_eq!(page.rows[0].alias, "我的环境");
        assert_eq!(page.rows[0].source, "");
        assert_eq!((page.total, page.sent), (Some(3), 4));
        let empty = decode_envs(br#"{"Response":{"EnvList":[]}}"#).unwrap();
        assert_eq!((empty.rows.len(), empty.sent, empty.total), (0, 0, None));
        assert!(decode_envs(br#"{"Response":{}}"#).is_err());
        assert!(decode_envs(b"<html>").is_err());
    }

    #[test]
    fn an_error_is_kept() {
        let body = br#"{"Response":{"Error":{"Code":"InternalError","Message":"m"},"RequestId":"r"}}"#;
        let page = decode_envs(body).unwrap();
        assert_eq!(page.error.unwrap().code.as_deref(), Some("InternalError"));
    }
}
