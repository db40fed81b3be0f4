//! Credentials in the files of Tencent Cloud's command line, tccli: `~/.tccli/PROFILE.credential`, a JSON object each. A log-in's
//! are temporary, and tccli renews them in the file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::Deserialize;

use super::cache::{CredentialCache, CredentialProvider, Fetch, unavailable};
use super::types::{Credentials, CredentialsError, Issued, checked, read_file};
use crate::cloud::tencent::sts::{Sts, StsOptions};
use crate::cloud::{CloudError, Grade, NotSent};
use crate::i18n::{Text, text};

/// A profile.
#[derive(Debug)]
pub(super) struct Entry {
    /// None where the machine's role is to be used.
    pub(super) credentials: Option<Credentials>,
    /// Whether tccli renews them in the file.
    pub(super) is_login: bool,
    /// When a log-in ends.
    pub(super) ends: Option<Timestamp>,
    /// Who logged in, as far as the file says.
    pub(super) logged_in: Option<String>,
    pub(super) role_arn: Option<String>,
    pub(super) role_session_name: Option<String>,
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

/// What tccli renews a log-in with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oauth {
    open_id: Option<String>,
}

/// The same for a log-in through a company's identity provider.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sso {
    /// The main account; some versions write it as a number.
    uin: Option<serde_json::Value>,
    role_configuration_id: Option<serde_json::Value>,
}

/// Returns the file of a profile.
pub(super) fn path(home: &Path, profile: &str) -> PathBuf {
    home.join(".tccli").join(format!("{profile}.credential"))
}

/// Returns the profiles that exist, sorted.
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

/// Converts seconds since 1970, or milliseconds, which no second of the next thousand years is as large as. What is no time has
/// passed.
fn timestamp(number: i64) -> Timestamp {
    const MILLISECONDS: i64 = 100_000_000_000;
    let timestamp = if number.abs() < MILLISECONDS {
        Timestamp::from_second(number)
    } else {
        Timestamp::from_millisecond(number)
    };
    timestamp.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads a profile.
///
/// # Errors
/// When it can't be read, or is not complete.
pub(super) fn read(file: &Path) -> Result<Entry, CredentialsError> {
    let place = file.display().to_string();
    let bytes = read_file(file).map_err(|error| CredentialsError::invalid(&place, &Text::of(&error)))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let File { secret_id, secret_key, token, expires_at, role_arn, role_session_name, kind, oauth, sso } =
        // serde_json quotes what it did not expect; where it is says enough.
        serde_json::from_slice(bytes)
            .map_err(|error| CredentialsError::malformed(file, error.line(), error.column()))?;
    let is_login = matches!(kind.as_deref(), Some("oauth" | "sso"));
    let credentials = if kind.as_deref() == Some("cvm-role") {
        None
    } else {
        let value = |value, name: &str| checked(value, &format!("{name} in {place}"));
        let required = |it, name| value(it, name)?.ok_or_else(|| CredentialsError::missing(&place, name));
        Some(Credentials {
            secret_id: required(secret_id, "secretId")?,
            secret_key: required(secret_key, "secretKey")?.into(),
            token: value(token, "token")?.map(Into::into),
        })
    };
    let not_empty = |value: Option<String>| value.filter(|value| !value.is_empty());
    Ok(Entry {
        credentials,
        is_login,
        ends: expires_at.filter(|_| is_login).map(timestamp),
        logged_in: not_empty(oauth.and_then(|oauth| oauth.open_id)).or_else(|| {
            let Sso { uin, role_configuration_id } = sso?;
            Some(format!("{} {}", uin?, role_configuration_id.unwrap_or_default()))
        }),
        role_arn: not_empty(role_arn),
        role_session_name: not_empty(role_session_name),
    })
}

/// The credentials of a log-in, read from the file that tccli renews them in.
///
/// Somebody may log in as another in the middle of a run. So new credentials must belong to the account that was proven; where none
/// was, the file must say that it is the same person.
pub struct TccliLogin {
    file: PathBuf,
    sts: StsOptions,
    first: OnceLock<LoggedIn>,
}

struct LoggedIn {
    who: Option<String>,
    secret_id: String,
}

impl TccliLogin {
    /// `sts` is asked for the account of new credentials.
    pub fn new(file: PathBuf, sts: StsOptions) -> Self {
        Self { file, sts, first: OnceLock::new() }
    }

    async fn read(&self, account: Option<&str>) -> Result<Issued, CloudError> {
        let Entry { credentials, ends, logged_in: who, .. } =
            read(&self.file).map_err(|error| unavailable(error.text()))?;
        let shown = self.file.display().to_string();
        let Some(credentials) = credentials else {
            return Err(unavailable(text!(
                "the login in {shown} no longer exists",
                shown = format!("{shown:?}")
            )));
        };
        if ends.is_some_and(|ends| ends <= self.sts.clock.now()) {
            return Err(unavailable(text!(
                "the login in {shown} has expired: log in again with tccli",
                shown = format!("{shown:?}")
            )));
        }
        let secret_id = credentials.secret_id.clone();
        let first = self.first.get_or_init(|| LoggedIn { who: who.clone(), secret_id: secret_id.clone() });
        let is_same = first.secret_id == secret_id
            || match account {
                Some(account) => self.account_of(&credentials).await? == account,
                None => who.is_some() && first.who == who,
            };
        if !is_same {
            return Err(unavailable(text!(
                "the login in {shown} was replaced during the run, possibly by another account's: run it again",
                shown = format!("{shown:?}")
            )));
        }
        Ok(Issued { credentials, ends })
    }

    async fn account_of(&self, credentials: &Credentials) -> Result<String, CloudError> {
        let credentials = Some(Arc::new(CredentialCache::fixed(credentials.clone())));
        let options = StsOptions { credentials, ..self.sts.clone() };
        let sts = Sts::new(options).map_err(|error| unavailable(error.0))?;
        let caller = sts.caller().await;
        let caller = caller.map_err(|error| CloudError { grade: Grade::NotSent(NotSent::NoKey), ..error })?;
        Ok(caller.account)
    }
}

impl CredentialProvider for TccliLogin {
    fn fetch<'a>(&'a self, account: Option<&'a str>) -> Fetch<'a> {
        Box::pin(self.read(account))
    }
}
