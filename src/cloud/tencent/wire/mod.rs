//! The vendor's bodies: requests as bytes, answers as values.
//!
//! Decoding expects the worst, because an answer that can't be read may still hold the only trace of an order. What a readable
//! answer proves is decided elsewhere; [`salvage`] reads what is left of the others.

mod bills;
mod changes;
mod envs;
mod page;
mod salvage;
mod sts;
mod traces;

use serde::{Serialize, Serializer};
use serde_json::Value;

pub use bills::{BillInfo, DescribeBillingInfo, NO_TIME, OrderInfo, decode_bills};
pub use changes::{DestroyEnv, ModifyEnv};
pub use envs::{DescribeEnvs, EnvInfo, decode_envs};
pub use page::Page;
pub use salvage::salvage;
pub use sts::{
    ASSUME_ROLE, ASSUME_ROLE_WITH_WEB_IDENTITY, AssumeRole, AssumeRoleWithWebIdentity, CALLER, CallerInfo,
    GetCallerIdentity, STS_SERVICE, STS_VERSION, Session, decode_caller, decode_metadata, decode_session,
};
pub use traces::{Traces, traces};

use crate::lang::{Text, text};
use crate::model::Attributes;

/// Where the vendor answers, when nothing else is configured.
pub const ENDPOINT: &str = "https://tcb.tencentcloudapi.com";
/// The service's name in a signature.
pub const SERVICE: &str = "tcb";
/// The API version that the actions belong to.
pub const VERSION: &str = "2018-06-08";
/// The action that orders an environment.
pub const CREATE: &str = "CreatePostpayPackage";
/// The action that gives an environment another alias.
pub const MODIFY: &str = "ModifyEnv";
/// The action that gives an environment up.
pub const DESTROY: &str = "DestroyEnv";
/// The action that lists environments.
pub const LIST: &str = "DescribeEnvs";
/// The action that shows what environments are billed for.
pub const BILLS: &str = "DescribeBillingInfo";
/// The most of an answer to an order or a change that is read. A real one has a few hundred bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The most of a page that is read. An environment takes a few kilobytes with its resources and tags.
pub const MAX_PAGE_BODY: usize = 16 << 20;

/// Returns the body of a create: exactly the fields that are set, in the order of their table, compact.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "text to text, into memory: there is nothing that can fail"
)]
pub fn create_body(order: &Attributes) -> Vec<u8> {
    struct Members<'a>(&'a Attributes);
    impl Serialize for Members<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(field, value)| (field.member, value)))
        }
    }
    serde_json::to_vec(&Members(order)).expect("a map of texts")
}

/// The body of a question or a change.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "texts and numbers, into memory: there is nothing that can fail"
)]
pub fn request_body(request: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(request).expect("texts and numbers")
}

/// The RequestId of any answer, if it has one.
pub fn request_id(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let id = document.pointer("/Response/RequestId")?;
    id.as_str().map(str::to_owned)
}

/// The ids in an answer's envelope, or what [`salvage`] makes of its remains. Empty ones count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
    pub request_id: Option<String>,
}

/// What the vendor says went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// None when there is an error without a code.
    pub code: Option<String>,
    /// In whatever language; may be empty.
    pub message: String,
}

/// A readable answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub ids: Ids,
    pub error: Option<ApiError>,
}

/// An answer that is not in the vendor's envelope, and what could be made of it all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unreadable {
    pub why: Text,
    pub ids: Ids,
    /// From the vendor's older form of answer, `{"code":…,"message":…}`.
    pub error: Option<ApiError>,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.why.fmt(f)
    }
}

/// Reads the answer to `CreatePostpayPackage`, or to a change, whose envelope is the same with fewer ids in it.
///
/// # Errors
/// When it is not `{"Response":{…}}`. The error holds the ids that are in it nevertheless.
pub fn decode_create(body: &[u8]) -> Result<Answer, Unreadable> {
    let response = response(body)?;
    let found = salvage(body);
    Ok(Answer {
        ids: Ids {
            tran_id: id(&response, "TranId", found.tran_id),
            env_id: id(&response, "EnvId", found.env_id),
            request_id: id(&response, "RequestId", found.request_id),
        },
        error: error(&response),
    })
}

/// The object under `Response`.
fn response(body: &[u8]) -> Result<Value, Unreadable> {
    let unreadable = |why: Text, error| Err(Unreadable { why, ids: salvage(body), error });
    if body.iter().all(u8::is_ascii_whitespace) {
        return unreadable(Text::fixed("the answer is empty", "应答为空"), None);
    }
    if body.trim_ascii_start().starts_with(b"<") {
        return unreadable(
            Text::fixed("the answer is a web page, not the API's JSON", "应答是网页，而不是 API 的 JSON"),
            None,
        );
    }
    let mut value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => {
            return unreadable(text!("the answer is not JSON: {error}", "应答不是 JSON：{error}"), None);
        }
    };
    if let Some(response @ Value::Object(_)) = value.get_mut("Response").map(Value::take) {
        Ok(response)
    } else {
        let why = Text::fixed(
            "the answer is JSON, but not the API's `Response`",
            "应答是 JSON，但不是 API 的 `Response`",
        );
        unreadable(why, older_error(&value))
    }
}

fn error(response: &Value) -> Option<ApiError> {
    let error = response.get("Error").filter(|error| !error.is_null())?;
    Some(ApiError {
        code: error.get("Code").and_then(text),
        message: error.get("Message").and_then(text).or_else(|| text(error)).unwrap_or_default(),
    })
}

/// `{"code":4100,"codeDesc":"AuthFailure","message":"…"}`, as the API before version 3 answered.
fn older_error(value: &Value) -> Option<ApiError> {
    let code = text(value.get("code")?);
    Some(ApiError {
        code: value.get("codeDesc").and_then(text).or(code),
        message: value.get("message").and_then(text).unwrap_or_default(),
    })
}

/// A member that should be a text and may be a number. A number too long for a machine word is taken from the body's own
/// digits, `found`, so that none is lost; one with a point or an exponent is no id, and written out it would be another one
/// than the vendor's.
fn id(response: &Value, name: &str, found: Option<String>) -> Option<String> {
    let value = response.get(name)?;
    if value.is_f64() { found } else { text(value) }
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::postpay;

    fn ids(tran: &str, env: &str, request: &str) -> Ids {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ids { tran_id: some(tran), env_id: some(env), request_id: some(request) }
    }

    #[test]
    fn a_request_holds_exactly_what_is_set_in_the_vendors_order() {
        let mut order = Attributes::default();
        assert_eq!(create_body(&order), b"{}");
        order.set(postpay::EXTRA, r#"{"abc":"def"}"#);
        order.set(postpay::ALIAS, "env-alias");
        order.set(postpay::ENV_ALIAS, "我的\n环境");
        order.set(postpay::FREE_QUOTA, "");
        assert_eq!(
            String::from_utf8(create_body(&order)).unwrap(),
            "{\"FreeQuota\":\"\",\"Alias\":\"env-alias\",\"EnvAlias\":\"我的\\n环境\",\"Extra\":\"{\\\"abc\\\":\\\"def\\\"}\"}"
        );
    }

    #[test]
    fn answers_in_the_envelope_are_read() {
        let table = [
            (
                r#"{"Response":{"EnvId":"cdnheader-v2a","RequestId":"r","TranId":"20200603119423"}}"#,
                ids("20200603119423", "cdnheader-v2a", "r"),
            ),
            (r#"{"Response":{"EnvId":null,"RequestId":"r","TranId":"1"}}"#, ids("1", "", "r")),
            (r#"{"Response":{"EnvId":" ","RequestId":"r","TranId":"1"}}"#, ids("1", "", "r")),
            (r#"{"Response":{"RequestId":"r","TranId":"1"}}"#, ids("1", "", "r")),
            (
                r#"{"Response":{"TranId":20200603119423,"EnvId":{},"New":[1]},"X":1}"#,
                ids("20200603119423", "", ""),
            ),
            (
                r#"{"Response":{"TranId":202006031194230000000000001}}"#,
                ids("202006031194230000000000001", "", ""),
            ),
            (r#"{"Response":{"TranId":"","EnvId":"","RequestId":""}}"#, ids("", "", "")),
            (r#"{"Response":{"TranId":true,"Error":null}}"#, ids("", "", "")),
            (r#"{"Response":{}}"#, ids("", "", "")),
        ];
        for (body, expected) in table {
            let answer = decode_create(body.as_bytes()).unwrap();
            assert_eq!(answer.ids, expected, "{body}");
            assert_eq!(answer.error, None, "{body}");
        }
    }

    #[test]
    fn errors_are_read_however_they_are_written() {
        let table = [
            (r#"{"Code":"LimitExceeded","Message":"m"}"#, Some("LimitExceeded"), "m"),
            (r#"{"Code":"LimitExceeded"}"#, Some("LimitExceeded"), ""),
            (r#"{"Code":42,"Message":7}"#, Some("42"), "7"),
            ("{}", None, ""),
            (r#""no""#, None, "no"),
            ("[]", None, ""),
        ];
        for (error, code, message) in table {
            let body = format!(r#"{{"Response":{{"Error":{error},"RequestId":"r"}}}}"#);
            let answer = decode_create(body.as_bytes()).unwrap();
            let expected = ApiError { code: code.map(str::to_owned), message: message.to_owned() };
            assert_eq!(answer.error, Some(expected), "{body}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_said_to_be_none() {
        let deep = "[".repeat(100_000);
        let table: [(&[u8], &str); 11] = [
            (b"", "empty"),
            (b" \r\n", "empty"),
            (b"<!DOCTYPE html><html></html>", "web page"),
            (b"hello", "not JSON"),
            (br#"{"Response":{"TranId":"1"#, "not JSON"),
            (b"{\"Response\":{\"TranId\":\"\xff\"}}", "not JSON"),
            (deep.as_bytes(), "not JSON"),
            (b"[]", "but not"),
            (b"null", "but not"),
            (br#"{"Response":null}"#, "but not"),
            (br#"{"Response":"text"}"#, "but not"),
        ];
        for (body, why) in table {
            let error = decode_create(body).unwrap_err();
            assert!(error.why.en().contains(why), "{}", error.why);
        }
    }

    #[test]
    fn the_older_form_of_answer_is_reported_and_its_ids_kept() {
        let body = br#"{"code":4100,"message":"no","codeDesc":"AuthFailure","TranId":"7"}"#;
        let error = decode_create(body).unwrap_err();
        assert_eq!(error.ids, ids("7", "", ""));
        let api = error.error.unwrap();
        assert_eq!(api.code.as_deref(), Some("AuthFailure"));
        assert_eq!(api.message, "no");
    }
}
