//! The bodies of the service `sts`: who owns a key, and temporary keys.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Response, number_of, text_of};
use crate::i18n::Text;

/// The service's name in a signature.
pub const STS_SERVICE: &str = "sts";
/// The API version that the actions belong to.
pub const STS_VERSION: &str = "2018-08-13";
/// Names the account and user that a key belongs to.
pub const CALLER: &str = "GetCallerIdentity";
/// Issues a temporary key for a role.
pub const ASSUME_ROLE: &str = "AssumeRole";
/// The same for an identity that another system vouches for, without a key.
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
    /// Seconds, up to 43200; 7200 when it is left out.
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

/// The owner of a key. Empty values count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerInfo {
    /// The main account.
    pub account_id: Option<String>,
    pub user_id: Option<String>,
    pub arn: Option<String>,
    /// Such as `CAMUser`.
    pub kind: Option<String>,
}

/// A temporary key. It has no Debug: nothing in it may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub secret_id: String,
    pub secret_key: String,
    pub token: String,
    /// When it ends, in seconds since 1970.
    pub ends: i64,
}

/// Reads the answer to `GetCallerIdentity`.
pub fn decode_caller(response: &Response) -> CallerInfo {
    let member = |name: &str| response.get(name).and_then(text_of);
    CallerInfo {
        account_id: member("AccountId"),
        user_id: member("UserId"),
        arn: member("Arn"),
        kind: member("Type"),
    }
}

/// Reads the answer to `AssumeRole` and `AssumeRoleWithWebIdentity`.
///
/// # Errors
/// Without a whole key.
pub fn decode_session(response: &Response) -> Result<Session, Text> {
    let key = response.get("Credentials").and_then(Value::as_object);
    key.and_then(|key| session(key, response))
        .ok_or_else(|| Text::fixed("the response contains neither the requested data nor an error"))
}

/// Reads the answer of a machine's metadata service about its role.
pub fn decode_metadata(body: &[u8]) -> Option<Session> {
    let document: Response = serde_json::from_slice(body).ok()?;
    let is_success = document.get("Code").and_then(Value::as_str) == Some("Success");
    is_success.then(|| session(&document, &document))?
}

fn session(key: &Response, around: &Response) -> Option<Session> {
    let member = |name: &str| key.get(name).and_then(text_of);
    Some(Session {
        secret_id: member("TmpSecretId")?,
        secret_key: member("TmpSecretKey")?,
        token: member("Token")?,
        ends: around.get("ExpiredTime").and_then(number_of)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::answer::parse;
    use super::*;

    fn response(members: &str) -> Response {
        parse(format!(r#"{{"Response":{{{members}"RequestId":"r"}}}}"#).as_bytes()).response.unwrap()
    }

    #[test]
    fn caller_is_read() {
        let members = r#""Arn":"qcs::cam::uin/1:uin/2","AccountId":"1","UserId":"2","PrincipalId":"2","Type":"CAMUser","#;
        let expected = CallerInfo {
            account_id: Some("1".to_owned()),
            user_id: Some("2".to_owned()),
            arn: Some("qcs::cam::uin/1:uin/2".to_owned()),
            kind: Some("CAMUser".to_owned()),
        };
        assert_eq!(decode_caller(&response(members)), expected);
    }

    #[test]
    fn session_without_every_part_of_a_key_is_rejected() {
        let whole = response(
            r#""Credentials":{"Token":"t","TmpSecretId":"i","TmpSecretKey":"k"},"ExpiredTime":1600000000,"Expiration":"2020-09-13T12:26:40Z","#,
        );
        let session = decode_session(&whole).unwrap();
        assert_eq!((session.secret_id.as_str(), session.secret_key.as_str()), ("i", "k"));
        assert_eq!((session.token.as_str(), session.ends), ("t", 1_600_000_000));
        for lacks in [
            "",
            r#""Credentials":{"TmpSecretId":"i","TmpSecretKey":"k"},"ExpiredTime":1,"#,
            r#""Credentials":{"Token":"","TmpSecretId":"i","TmpSecretKey":"k"},"ExpiredTime":1,"#,
            r#""Credentials":{"Token":"t","TmpSecretId":"i","TmpSecretKey":"k"},"#,
        ] {
            assert!(decode_session(&response(lacks)).is_err(), "{lacks}");
        }
    }

    #[test]
    fn machine_role_is_read_only_from_a_success() {
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
