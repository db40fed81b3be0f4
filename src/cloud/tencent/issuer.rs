//! Who issues temporary keys: a role that another key may take, one that another system vouches for, a machine's role, and the
//! vendor's command line.
//!
//! That no key could be had means of an order that it was not sent, whatever became of the question for the key.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::credentials::{Credentials, read_file, tccli};
use super::keys::{Issued, Keys};
use super::metadata::Metadata;
use super::sts::{Sts, StsOptions};
use super::wire::{self, AssumeRole, AssumeRoleWithWebIdentity};
use crate::cloud::{CloudError, Grade, NotSent, SeenIds};
use crate::lang::{Text, text};

/// A role, and how it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub arn: String,
    pub session_name: String,
    /// For how long a key is asked for; the vendor's own two hours when it is not said.
    pub duration: Option<Duration>,
    pub external_id: Option<String>,
}

/// Who another system says that this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebIdentity {
    pub provider_id: String,
    /// Read anew each time: it is replaced from time to time.
    pub token_file: PathBuf,
    pub role: Role,
}

/// Who issues temporary keys.
pub enum Issuer {
    /// Signed with another key.
    Role { role: Role, sts: Sts },
    /// Not signed.
    WebIdentity { identity: WebIdentity, sts: Sts },
    /// The role of the machine that this runs on.
    Machine(Metadata),
    /// The file in which the vendor's command line keeps a key for the time of a log-in.
    Login(Login),
}

/// A log-in, whose key is read anew from where the vendor's command line renews it.
///
/// Somebody may log in as another in the middle of a run: a key that is not the first is asked whose it is, or held against the
/// first where the account was never told.
pub struct Login {
    file: PathBuf,
    sts: StsOptions,
    first: OnceLock<LoggedIn>,
}

#[derive(Clone, PartialEq, Eq)]
struct LoggedIn {
    who: Option<String>,
    secret_id: String,
}

impl LoggedIn {
    /// Where the file does not say who it is, only the very same key is.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.who, &other.who) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.secret_id == other.secret_id,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Issuer {
    /// `account` is the one that the keys were proven to be of, if they were.
    ///
    /// # Errors
    /// When there is none. The grade is that of an order which was to be signed with it.
    pub(super) async fn issue(&self, account: Option<&str>) -> Result<Issued, CloudError> {
        match self {
            Self::Role { role, sts } => {
                let Role { arn, session_name, duration, external_id } = role.clone();
                let body = AssumeRole {
                    duration_seconds: duration.map(|duration| duration.as_secs()),
                    external_id,
                    role_session_name: session_name,
                    role_arn: arn,
                };
                let session = sts.session(wire::ASSUME_ROLE, &body).await;
                session.map_err(|error| of_an_order(error, &role.arn))
            }
            Self::WebIdentity { identity, sts } => {
                let WebIdentity { provider_id, token_file, role } = identity;
                let token = read_token(token_file)?;
                sts.hide(&token);
                let body = AssumeRoleWithWebIdentity {
                    provider_id: provider_id.clone(),
                    web_identity_token: token,
                    role_arn: role.arn.clone(),
                    role_session_name: role.session_name.clone(),
                    duration_seconds: role.duration.map(|duration| duration.as_secs()),
                };
                let session = sts.session(wire::ASSUME_ROLE_WITH_WEB_IDENTITY, &body).await;
                session.map_err(|error| of_an_order(error, &role.arn))
            }
            Self::Machine(metadata) => metadata.key().await,
            Self::Login(login) => login.key(account).await,
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Role { .. } => "role",
            Self::WebIdentity { .. } => "web identity",
            Self::Machine(_) => "machine",
            Self::Login(_) => "log-in",
        }
    }
}

/// What the failure to get a key means for whoever needed it: it was not sent.
fn of_an_order(error: CloudError, role: &str) -> CloudError {
    let said = &error.message;
    let message = text!("no key for the role {role}: {said}", "未能取得角色 {role} 的密钥：{said:#}");
    let (cause, hint) = match error.grade {
        Grade::Refused(_) | Grade::NotSent(NotSent::NoRequest | NotSent::Tls) => (
            NotSent::NoRequest,
            error.hint.or_else(|| {
                Some(Text::fixed(
                    "Check the role's name, and that it trusts whoever asks: https://console.cloud.tencent.com/cam/role",
                    "请检查角色名称，以及它是否信任请求者：https://console.cloud.tencent.com/cam/role",
                ))
            }),
        ),
        Grade::NotSent(_) | Grade::Unknown => (NotSent::NoKey, error.hint),
    };
    CloudError {
        grade: Grade::NotSent(cause),
        message,
        hint,
        // An order has no part in them.
        seen: SeenIds::default(),
        ..error
    }
}

fn read_token(file: &std::path::Path) -> Result<String, CloudError> {
    let shown = file.display().to_string();
    let token = read_file(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match token {
        Ok(token) if !token.trim().is_empty() => Ok(token.trim().to_owned()),
        Ok(_) => Err(no_key(text!(
            "the web identity token file {shown:?} is empty",
            "Web 身份令牌文件 {shown:?} 为空"
        ))),
        Err(error) => {
            let why = Text::of(&error);
            Err(no_key(text!(
                "the web identity token file {shown:?}: {why}",
                "Web 身份令牌文件 {shown:?}：{why:#}"
            )))
        }
    }
}

impl Login {
    pub fn new(file: PathBuf, sts: StsOptions) -> Self {
        Self { file, sts, first: OnceLock::new() }
    }

    /// `account` is the one that was proven, if one was.
    async fn key(&self, account: Option<&str>) -> Result<Issued, CloudError> {
        let entry = tccli::read(&self.file).map_err(|error| no_key(error.text()))?;
        let shown = self.file.display().to_string();
        let Some(credentials) = entry.key else {
            return Err(no_key(text!("there is no log-in in {shown:?} any more", "{shown:?} 中已没有登录")));
        };
        let ends = entry.ends;
        if ends.is_some_and(|ends| ends <= self.sts.clock.now()) {
            return Err(no_key(text!(
                "the log-in in {shown:?} has ended: log in again with tccli",
                "{shown:?} 中的登录已过期：请用 tccli 重新登录"
            )));
        }
        let logged_in = LoggedIn { who: entry.logged_in, secret_id: credentials.secret_id.clone() };
        let first = self.first.get_or_init(|| logged_in.clone());
        if first.secret_id != logged_in.secret_id {
            let is_same = match account {
                Some(account) => self.account_of(&credentials).await? == account,
                None => first.is_same(&logged_in),
            };
            if !is_same {
                return Err(no_key(text!(
                    "the log-in in {shown:?} was replaced in the middle of the run, by another account's as far as is known: run it \
                     again",
                    "{shown:?} 中的登录在运行期间被替换，就目前所知属于另一个账号：请重新执行"
                )));
            }
        }
        Ok(Issued { credentials, ends })
    }

    async fn account_of(&self, key: &Credentials) -> Result<String, CloudError> {
        let options = StsOptions { keys: Some(Arc::new(Keys::given(key.clone()))), ..self.sts.clone() };
        let sts = Sts::new(options).map_err(|error| no_key(error.text()))?;
        let caller = sts
            .caller()
            .await
            .map_err(|error| CloudError { grade: Grade::NotSent(NotSent::NoKey), ..error })?;
        Ok(caller.account)
    }
}

/// There is no key, and to ask again is of no use.
pub(super) fn no_key(why: Text) -> CloudError {
    CloudError::new(Grade::NotSent(NotSent::NoRequest), why)
}
