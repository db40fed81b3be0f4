//! Who issues temporary keys: a role that another key may take, one that another system vouches for, a machine's role, and the
//! vendor's command line.
//!
//! That no key could be had means of an order that it was not sent, whatever became of the question for the key.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::credentials::tccli;
use super::keys::Issued;
use super::metadata::Metadata;
use super::sts::Sts;
use super::wire::{self, AssumeRole, AssumeRoleWithWebIdentity};
use crate::clock::Clock;
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
    Login {
        file: PathBuf,
        clock: Arc<dyn Clock>,
    },
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Issuer {
    /// # Errors
    /// When there is none. The grade is that of an order which was to be signed with it.
    pub(super) async fn issue(&self) -> Result<Issued, CloudError> {
        match self {
            Self::Role { role, sts } => {
                let Role {
                    arn,
                    session_name,
                    duration,
                    external_id,
                } = role.clone();
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
                let WebIdentity {
                    provider_id,
                    token_file,
                    role,
                } = identity;
                let token = read_token(token_file)?;
                sts.hide(&token);
                let body = AssumeRoleWithWebIdentity {
                    provider_id: provider_id.clone(),
                    web_identity_token: token,
                    role_arn: role.arn.clone(),
                    role_session_name: role.session_name.clone(),
                    duration_seconds: role.duration.map(|duration| duration.as_secs()),
                };
                let session = sts
                    .session(wire::ASSUME_ROLE_WITH_WEB_IDENTITY, &body)
                    .await;
                session.map_err(|error| of_an_order(error, &role.arn))
            }
            Self::Machine(metadata) => metadata.key().await,
            Self::Login { file, clock } => login(file, clock.now()),
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Role { .. } => "role",
            Self::WebIdentity { .. } => "web identity",
            Self::Machine(_) => "machine",
            Self::Login { .. } => "log-in",
        }
    }
}

/// What the failure to get a key means for whoever needed it: it was not sent.
fn of_an_order(error: CloudError, role: &str) -> CloudError {
    let said = &error.message;
    let message = text!(
        "no key for the role {role}: {said}",
        "未能取得角色 {role} 的密钥：{said:#}"
    );
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
    match std::fs::read_to_string(file) {
        Ok(token) if !token.trim().is_empty() => Ok(token.trim().to_owned()),
        Ok(_) => Err(no_key(text!(
            "the web identity token file {shown:?} is empty",
            "Web 身份令牌文件 {shown:?} 为空"
        ))),
        Err(error) => Err(no_key(text!(
            "the web identity token file {shown:?}: {error}",
            "Web 身份令牌文件 {shown:?}：{error}"
        ))),
    }
}

fn login(file: &std::path::Path, now: Timestamp) -> Result<Issued, CloudError> {
    match tccli::read(file) {
        Ok(tccli::Entry {
            key: Some(credentials),
            ends,
            ..
        }) if ends.is_none_or(|ends| now < ends) => Ok(Issued { credentials, ends }),
        Ok(_) => {
            let shown = file.display().to_string();
            Err(no_key(text!(
                "the log-in in {shown:?} has ended: log in again with tccli",
                "{shown:?} 中的登录已过期：请用 tccli 重新登录"
            )))
        }
        Err(error) => Err(no_key(error.text())),
    }
}

/// There is no key, and to ask again is of no use.
pub(super) fn no_key(why: Text) -> CloudError {
    CloudError::new(Grade::NotSent(NotSent::NoRequest), why)
}
