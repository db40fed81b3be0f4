//! `ModifyEnv` and `DestroyEnv` (the vendor's pages 876/34818 and 876/42149): what changes an environment that is there.
//!
//! Their answers hold nothing but a RequestId, or an error, in the envelope that every action has: `decode_create` reads them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The request for another alias. Members that are None are not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ModifyEnv {
    /// Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// Its rule has changed over time: letters, digits and `-` after a small letter, later any text of up to 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// In the vendor's newer documents. postpay never sends it, so its form does not matter here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_qps: Option<Value>,
}

/// The request to give an environment up. Members that are None or false are not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DestroyEnv {
    /// Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<String>,
    /// Delete it at once rather than isolate it, or out of isolation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_force: bool,
    /// Do not ask whether there are data or add-on packages in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bypass_check: bool,
}

impl ModifyEnv {
    /// What is sent for a new alias.
    pub fn of(env_id: &str, alias: &str) -> Self {
        Self { env_id: Some(env_id.to_owned()), alias: Some(alias.to_owned()), custom_qps: None }
    }
}

impl DestroyEnv {
    /// What is sent to give an environment up.
    pub fn of(env_id: &str, is_force: bool, bypass_check: bool) -> Self {
        Self { env_id: Some(env_id.to_owned()), is_force, bypass_check }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::super::request_body;
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_sent() {
        let text = |body: Vec<u8>| String::from_utf8(body).unwrap();
        let rename = ModifyEnv {
            env_id: Some("cdnheader-v2a".to_owned()),
            alias: Some("我的环境".to_owned()),
            custom_qps: None,
        };
        assert_eq!(text(request_body(&rename)), r#"{"EnvId":"cdnheader-v2a","Alias":"我的环境"}"#);
        let destroy = |is_force, bypass_check| {
            text(request_body(&DestroyEnv {
                env_id: Some("cdnheader-v2a".to_owned()),
                is_force,
                bypass_check,
            }))
        };
        assert_eq!(destroy(false, false), r#"{"EnvId":"cdnheader-v2a"}"#);
        assert_eq!(destroy(true, false), r#"{"EnvId":"cdnheader-v2a","IsForce":true}"#);
        assert_eq!(destroy(false, true), r#"{"EnvId":"cdnheader-v2a","BypassCheck":true}"#);
        assert_eq!(destroy(true, true), r#"{"EnvId":"cdnheader-v2a","IsForce":true,"BypassCheck":true}"#);
    }
}
