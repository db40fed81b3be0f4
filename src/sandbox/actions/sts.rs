//! STS: whose credentials a call has, temporary credentials for roles, and the metadata service of a machine.
//!
//! A temporary secret id contains its own end, and its secret and token follow from it, so that a server that restarts
//! knows it still. None of them is a secret: they open this sandbox and nothing else. Which roles exist, and whom they
//! trust, is not checked; what is answered as a caller's type is the sandbox's choice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::sandbox::model::{Account, Call, Members, Rejection};
use crate::sandbox::options::Options;

/// The id of the only permanent secret that the sandbox knows. It is public and opens nothing else.
pub const SECRET_ID: &str = "AKIDpostpaySandboxPublicKeyNotSecret";
/// The secret to [`SECRET_ID`].
pub const SECRET_KEY: &str = "postpaySandboxKeyOpensNothingElse";
/// The user that [`SECRET_ID`] belongs to.
const USER: &str = "100000000002";
/// What a temporary secret id begins with.
const TEMPORARY: &str = "AKIDtmp";
/// How long temporary credentials last by default, and at most, in seconds.
const DEFAULT: i64 = 7200;
const LONGEST: i64 = 43_200;

/// The secret to a secret id, and what else a call with it has to bring.
pub(crate) struct KnownSecret {
    pub(crate) secret_key: String,
    /// The token of temporary credentials, and their end.
    pub(crate) temporary: Option<(String, Timestamp)>,
}

/// Returns the secret to a secret id, however old.
pub(crate) fn known_secret(id: &str) -> Option<KnownSecret> {
    if id == SECRET_ID {
        return Some(KnownSecret { secret_key: SECRET_KEY.to_owned(), temporary: None });
    }
    let ends = id.strip_prefix(TEMPORARY)?.split('x').next()?;
    let ends = Timestamp::from_second(i64::from_str_radix(ends, 16).ok()?).ok()?;
    Some(KnownSecret { secret_key: derive("key", id), temporary: Some((derive("token", id), ends)) })
}

pub(super) fn caller(call: &Call<'_>) -> Members {
    let account = &call.options.account;
    let (arn, kind, user) = if call.caller == SECRET_ID {
        (format!("qcs::cam::uin/{account}:uin/{USER}"), "CAMUser", USER.to_owned())
    } else {
        (format!("qcs::sts:{account}:assumed-role/sandbox"), "CAMRole", format!("{account}:sandbox"))
    };
    let members = [
        ("Arn", arn.as_str()),
        ("AccountId", account),
        ("UserId", &user),
        ("PrincipalId", &user),
        ("Type", kind),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

pub(super) fn assume_role(_: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    session(call, &["RoleArn", "RoleSessionName"])
}

pub(super) fn assume_role_with_web_identity(_: &Account, call: &Call<'_>) -> Result<Members, Rejection> {
    session(call, &["ProviderId", "WebIdentityToken", "RoleArn", "RoleSessionName"])
}

fn session(call: &Call<'_>, required: &[&str]) -> Result<Members, Rejection> {
    if let Some(name) = required.iter().find(|name| call.param(name).is_none()) {
        return Err(Rejection::new("MissingParameter", format!("The parameter `{name}` is missing.")));
    }
    if !call.param("RoleArn").is_some_and(|arn| arn.starts_with("qcs::cam::")) {
        return Err(Rejection::new("InvalidParameter.ResourceError", "`RoleArn` is no role."));
    }
    let parse = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let seconds = call.params.get("DurationSeconds").map_or(Some(DEFAULT), parse);
    let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds)).ok_or_else(|| {
        Rejection::new("InvalidParameter.OverTimeError", "`DurationSeconds` is not between 1 and 43200.")
    })?;
    let (credentials, ends) = issue(call.options, call.at, seconds);
    Ok(Map::from_iter([
        ("Credentials".to_owned(), credentials),
        ("ExpiredTime".to_owned(), ends.as_second().into()),
        ("Expiration".to_owned(), ends.to_string().into()),
    ]))
}

/// What the metadata service answers at a path below that of the credentials; None when there is nothing.
pub(crate) fn metadata(options: &Options, path: &str, now: Timestamp) -> Option<String> {
    let role = options.machine_role.as_deref()?;
    if path.is_empty() {
        return Some(role.to_owned());
    }
    let (mut answer, ends) = issue(options, now, DEFAULT);
    answer["ExpiredTime"] = ends.as_second().into();
    answer["Expiration"] = ends.to_string().into();
    answer["Code"] = "Success".into();
    (path == role).then(|| answer.to_string())
}

fn issue(options: &Options, now: Timestamp, seconds: i64) -> (Value, Timestamp) {
    let asked = SignedDuration::from_secs(seconds);
    let most = options.max_session.and_then(|most| most.try_into().ok());
    let lasts = most.map_or(asked, |most| asked.min(most));
    let ends = now.saturating_add(lasts).unwrap_or(Timestamp::MAX);
    let id = format!("{TEMPORARY}{:x}x{}", ends.as_second(), uuid::Uuid::now_v7().simple());
    let credentials = json!({
        "TmpSecretId": id, "TmpSecretKey": derive("key", &id), "Token": derive("token", &id),
    });
    (credentials, ends)
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn derive(what: &str, id: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET_KEY.as_bytes()).expect("a key of any length");
    mac.update(what.as_bytes());
    mac.update(id.as_bytes());
    format!("{}{what}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
