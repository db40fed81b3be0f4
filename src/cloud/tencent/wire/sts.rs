//! The bodies of the service that tells whose a key is and hands out temporary ones.

use serde::Serialize;
use serde_json::Value;

use super::page::{Page, number};
use super::{Unreadable, error, response, salvage, text};
use crate::lang::Text;

/// The service's name in a signature.
pub const STS_SERVICE: &str = "sts";
/// The API version that the actions belong to.
pub const STS_VERSION: &str = "2018-08-13";
/// The action that tells whose key a call is signed with.
pub const CALLER: &str = "GetCallerIdentity";
/// The action that hands out a temporary key for a role.
pub const ASSUME_ROLE: &str = "AssumeRole";
/// The same for whoever another system vouches for, without a key.
pub const ASSUME_ROLE_WITH_WEB_IDENTITY: &str = "AssumeRoleWithWebIdentity";

/// The body of `GetCallerIdentity`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GetCallerIdentity {}

/// The body of `AssumeRole`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRole {
    pub role_arn: String,
    pub role_session_name: String,
    /// Seconds, up to 43200; the vendor takes 7200 when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// The body of `AssumeRoleWithWebIdentity`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleWithWebIdentity {
    pub provider_id: String,
    /// As good as a key.
    pub web_identity_token: String,
    pub role_arn: String,
    pub role_session_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
}

/// Whose key it is. What is empty counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerInfo {
    /// The main account.
    pub account_id: Option<String>,
    pub user_id: Option<String>,
    pub arn: Option<String>,
    /// Such as `CAMUser`.
    pub kind: Option<String>,
}

/// A temporary key as it was handed out. It has no Debug: there is nothing in it that may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub secret_id: String,
    pub secret_key: String,
    pub token: String,
    /// When it ends, in seconds since 1970.
    pub ends: i64,
}

/// Reads the answer to `GetCallerIdentity`: one row, or an error.
///
/// # Errors
/// When it is not `{"Response":{…}}`.
pub fn decode_caller(body: &[u8]) -> Result<Page<CallerInfo>, Unreadable> {
    single(body, |response| {
        let member = |name: &str| response.get(name).and_then(text);
        Some(CallerInfo {
            account_id: member("AccountId"),
            user_id: member("UserId"),
            arn: member("Arn"),
            kind: member("Type"),
        })
    })
}

/// Reads the answer to `AssumeRole` and `AssumeRoleWithWebIdentity`: one row, or an error.
///
/// # Errors
/// When it is not `{"Response":{…}}`, or has neither a whole key nor an error.
pub fn decode_session(body: &[u8]) -> Result<Page<Session>, Unreadable> {
    single(body, |response| session(response.get("Credentials")?, response))
}

/// Reads what a machine's metadata service answers about its role.
pub fn decode_metadata(body: &[u8]) -> Option<Session> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let is_success = document.get("Code").and_then(Value::as_str) == Some("Success");
    is_success.then(|| session(&document, &document))?
}

fn session(key: &Value, around: &Value) -> Option<Session> {
    let member = |name: &str| key.get(name).and_then(text);
    Some(Session {
        secret_id: member("TmpSecretId")?,
        secret_key: member("TmpSecretKey")?,
        token: member("Token")?,
        ends: around.get("ExpiredTime").and_then(number)?,
    })
}

fn single<T>(body: &[u8], row: impl FnOnce(&Value) -> Option<T>) -> Result<Page<T>, Unreadable> {
    let response = response(body)?;
    let error = error(&response);
    let request_id = response.get("RequestId").and_then(text);
    let row = match error {
        Some(_) => None,
        None => Some(row(&response).ok_or_else(|| Unreadable {
            why: Text::fixed(
                "the answer holds neither what was asked for nor an error",
                "应答中既没有所请求的内容，也没有错误",
            ),
            ids: salvage(body),
            error: None,
        })?),
    };
    Ok(Page {
        bytes: body.len() as u64,
        sent: u32::from(row.is_some()),
        rows: row.into_iter().collect(),
        total: None,
        request_id,
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_read() {
        let body = br#"{"Response":{"Arn":"qcs::cam::uin/1:uin/2","AccountId":"1","UserId":"2","PrincipalId":"2","Type":"CAMUser","RequestId":"r"}}"#;
        let page = decode_caller(body).unwrap();
        assert_eq!(page.request_id.as_deref(), Some("r"));
        let expected = CallerInfo {
            account_id: Some("1".to_owned()),
            user_id: Some("2".to_owned()),
            arn: Some("qcs::cam::uin/1:uin/2".to_owned()),
            kind: Some("CAMUser".to_owned()),
        };
        assert_eq!(page.rows, [expected]);
        let refused = br#"{"Response":{"Error":{"Code":"AuthFailure.SecretIdNotFound","Message":"m"},"RequestId":"r"}}"#;
        let page = decode_caller(refused).unwrap();
        assert!(page.rows.is_empty() && page.error.is_some());
    }

    #[test]
    fn a_session_is_whole_or_none() {
        let body = |members: &str| format!(r#"{{"Response":{{{members}"RequestId":"r"}}}}"#);
        let whole = body(
            r#""Credentials":{"Token":"t","TmpSecretId":"i","TmpSecretKey":"k"},"ExpiredTime":1600000000,"Expiration":"2020-09-13T12:26:40Z","#,
        );
        let page = decode_session(whole.as_bytes()).unwrap();
        let session = &page.rows[0];
        assert_eq!((session.secret_id.as_str(), session.secret_key.as_str()), ("i", "k"));
        assert_eq!((session.token.as_str(), session.ends), ("t", 1_600_000_000));
        for lacks in [
            "",
            r#""Credentials":{"TmpSecretId":"i","TmpSecretKey":"k"},"ExpiredTime":1,"#,
            r#""Credentials":{"Token":"","TmpSecretId":"i","TmpSecretKey":"k"},"ExpiredTime":1,"#,
            r#""Credentials":{"Token":"t","TmpSecretId":"i","TmpSecretKey":"k"},"#,
        ] {
            assert!(decode_session(body(lacks).as_bytes()).is_err(), "{lacks}");
        }
    }

    #[test]
    fn a_machines_role_is_read_when_it_is_a_success() {
        let body = |code: &str| {
            format!(
                r#"{{"TmpSecretId":"i","TmpSecretKey":"k","Token":"t","ExpiredTime":1600000000,"Expiration":"x","Code":"{code}"}}"#
            )
        };
        assert!(decode_metadata(body("Success").as_bytes()).is_some());
        assert!(decode_metadata(body("NotFound").as_bytes()).is_none());
        assert!(decode_metadata(b"<html>").is_none());
    }
}
