//! The files of the vendor's command line, tccli: `~/.tccli/PROFILE.credential`, one JSON object each.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::{Credentials, CredentialsError, checked, read_file};
use crate::lang::Text;

/// What a profile says.
#[derive(Debug, Clone)]
pub(in crate::cloud::tencent) struct Entry {
    /// None where the machine's role is to be used.
    pub(in crate::cloud::tencent) key: Option<Credentials>,
    /// When a key for the time of a log-in ends.
    pub(in crate::cloud::tencent) ends: Option<Timestamp>,
    /// Who logged in, as far as the file says.
    pub(in crate::cloud::tencent) logged_in: Option<String>,
    pub(in crate::cloud::tencent) role_arn: Option<String>,
    pub(in crate::cloud::tencent) role_session_name: Option<String>,
    pub(in crate::cloud::tencent) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cloud::tencent) enum Kind {
    Key,
    /// tccli renews the key in the file when it is used.
    Login,
    Machine,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    secret_id: Option<String>,
    secret_key: Option<String>,
    token: Option<String>,
    expires_at: Option<i64>,
    #[serde(rename = "role-arn")]
    role_arn: Option<String>,
    #[serde(rename = "role-session-name")]
    role_session_name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    oauth: Option<Oauth>,
    sso: Option<Sso>,
}

/// What tccli keeps of a log-in, to renew its key with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oauth {
    open_id: Option<String>,
}

/// The same of a log-in by way of a company's own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sso {
    /// The main account; some versions write it as a number.
    uin: Option<serde_json::Value>,
    role_configuration_id: Option<serde_json::Value>,
}

/// Where a profile is kept.
pub(super) fn path(home: &Path, profile: &str) -> PathBuf {
    home.join(".tccli").join(format!("{profile}.credential"))
}

/// The profiles that there are, in order.
pub(super) fn names(home: &Path) -> Vec<String> {
    let files = std::fs::read_dir(home.join(".tccli")).into_iter().flatten();
    let names = files.filter_map(|file| {
        let name = file.ok()?.file_name().into_string().ok()?;
        Some(name.strip_suffix(".credential")?.to_owned())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Seconds since 1970, or milliseconds, which no second of the next thousand years is as large as. What is no time has passed.
fn moment(number: i64) -> Timestamp {
    const MILLISECONDS: i64 = 100_000_000_000;
    let moment = if number.abs() < MILLISECONDS {
        Timestamp::from_second(number)
    } else {
        Timestamp::from_millisecond(number)
    };
    moment.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads a profile.
///
/// # Errors
/// When it can't be read, or is no whole key. No text holds a value.
pub(in crate::cloud::tencent) fn read(file: &Path) -> Result<Entry, CredentialsError> {
    let bytes = read_file(file)
        .map_err(|error| CredentialsError::File { file: file.to_owned(), why: Text::of(&error) })?;
    // serde_json quotes what it did not expect; where it stands says enough.
    let wrong = |error: &serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        CredentialsError::Malformed { file: file.to_owned(), line, column }
    };
    let File { secret_id, secret_key, token, expires_at, role_arn, role_session_name, kind, oauth, sso } =
        serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes))
            .map_err(|error| wrong(&error))?;
    let kind = match kind.as_deref() {
        Some("cvm-role") => Kind::Machine,
        Some("oauth" | "sso") => Kind::Login,
        Some(_) | None => Kind::Key,
    };
    let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
    let key = if kind == Kind::Machine {
        None
    } else {
        let place = file.display().to_string();
        let name = |member: &str| format!("{member} in {place}");
        let (id, key) = (name("secretId"), name("secretKey"));
        Some(Credentials {
            secret_id: checked(secret_id, &id)?.ok_or_else(|| CredentialsError::Missing {
                place: place.clone(),
                name: "secretId".to_owned(),
            })?,
            secret_key: checked(secret_key, &key)?
                .ok_or_else(|| CredentialsError::Missing {
                    place: place.clone(),
                    name: "secretKey".to_owned(),
                })?
                .into(),
            token: checked(token, &name("token"))?.map(Into::into),
        })
    };
    Ok(Entry {
        key,
        ends: expires_at.filter(|_| kind == Kind::Login).map(moment),
        logged_in: filled(oauth.and_then(|oauth| oauth.open_id)).or_else(|| {
            let Sso { uin, role_configuration_id } = sso?;
            Some(format!("{} {}", uin?, role_configuration_id.unwrap_or_default()))
        }),
        role_arn: filled(role_arn),
        role_session_name: filled(role_session_name),
        kind,
    })
}
