//! Roles that are taken with a key, or with a token that another system vouches with: how they are asked for, and what can be
//! none.

use std::path::Path;
use std::time::Duration;

use super::chain::{Chain, CredentialContext};
use super::environment::{agreed, incomplete, read};
use super::{CredentialsError, Source};
use crate::cloud::tencent::issuer::{Role, WebIdentity};
use crate::cloud::tencent::redact::visible;
use crate::lang::text;

/// The session's name where none is given.
const SESSION: &str = "postpay";
/// The longest that the vendor gives a key of a role for.
const LONGEST: Duration = Duration::from_secs(43_200);

/// A role to be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRoleConfig {
    pub arn: String,
    pub session_name: Option<String>,
    pub duration: Option<Duration>,
    pub external_id: Option<String>,
}

/// What the parts of a role are called where they were said, for an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    arn: &'a str,
    session_name: &'a str,
    duration: &'a str,
}

impl Said<'static> {
    pub(super) const BY_FLAGS: Self =
        Self { arn: "--assume-role", session_name: "--role-session-name", duration: "--role-duration" };
    const BY_POD: Self = Self { arn: "TKE_ROLE_ARN", ..Self::BY_FLAGS };
}

impl<'a> Said<'a> {
    /// By a file, with members of these names.
    pub(super) const fn by_file(arn: &'a str, session_name: &'a str) -> Self {
        Self { arn, session_name, duration: Said::BY_FLAGS.duration }
    }
}

impl CredentialContext<'_> {
    /// What the vendor's container service sets in a pod.
    pub(super) fn pods_identity(&self) -> Result<Option<WebIdentity>, CredentialsError> {
        const ROLE: &str = "TKE_ROLE_ARN";
        const PROVIDER: &str = "TKE_PROVIDER_ID";
        const TOKEN: &str = "TKE_WEB_IDENTITY_TOKEN_FILE";
        let names = [ROLE, PROVIDER, TOKEN];
        let values = names.map(|name| self.chosen(name));
        let set = names.iter().zip(&values).find(|(_, value)| value.is_some());
        let Some((found, _)) = set else {
            return Ok(None);
        };
        if let [Some(arn), Some(provider_id), Some(token_file)] = values.clone() {
            let wish = AssumeRoleConfig { arn, ..AssumeRoleConfig::default() };
            let role = taken(&wish, Said::BY_POD)?;
            return Ok(Some(WebIdentity { provider_id, token_file: token_file.into(), role }));
        }
        let lacks = names.iter().zip(&values).find(|(_, value)| value.is_none());
        Err(incomplete(found, lacks.map_or(ROLE, |(name, _)| name)))
    }

    /// A role that the environment names, whatever the key is: as the vendor's Terraform provider reads it.
    pub(super) fn role(&self) -> Result<Option<Role>, CredentialsError> {
        self.role_named("TENCENTCLOUD_ASSUME_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME")
    }

    /// A role for the key in the environment: as tccli reads it.
    pub(super) fn role_of_environment(&self) -> Result<Option<Role>, CredentialsError> {
        let names: &[&'static str] = &["TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_ARN"];
        // Where both are set they have to agree.
        agreed(&|name| self.chosen(name), names)?;
        self.role_named("TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ROLE_SESSION_NAME")
    }

    fn role_named(
        &self,
        arn_name: &'static str,
        session: &'static str,
    ) -> Result<Option<Role>, CredentialsError> {
        const DURATION: &str = "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION";
        const EXTERNAL_ID: &str = "TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID";
        let chosen = |name: &str| self.chosen(name);
        let Some(arn) = read(&chosen, arn_name)? else {
            return Ok(None);
        };
        let seconds = read(&chosen, DURATION)?;
        let seconds = seconds.map(|seconds| seconds.parse().map(Duration::from_secs));
        let duration = seconds.transpose().map_err(|_| CredentialsError::Unfit {
            name: DURATION.to_owned(),
            why: text!("it is no number of seconds", "不是秒数"),
        })?;
        let wish = AssumeRoleConfig {
            arn,
            session_name: read(&chosen, session)?,
            duration,
            external_id: read(&chosen, EXTERNAL_ID)?,
        };
        let said = Said { arn: arn_name, session_name: session, duration: DURATION };
        taken(&wish, said).map(Some)
    }
}

pub(super) fn vouched_for(
    provider: &str,
    file: &Path,
    role: Option<&AssumeRoleConfig>,
) -> Result<Chain, CredentialsError> {
    let Some(role) = role else {
        return Err(CredentialsError::Incomplete {
            found: "--oidc-provider".to_owned(),
            missing: "--assume-role".to_owned(),
        });
    };
    Ok(Chain::of(Source::WebIdentity(WebIdentity {
        provider_id: provider.to_owned(),
        token_file: file.to_owned(),
        role: taken(role, Said::BY_FLAGS)?,
    })))
}

/// A role as it can be asked for.
pub(super) fn taken(wish: &AssumeRoleConfig, said: Said<'_>) -> Result<Role, CredentialsError> {
    let AssumeRoleConfig { arn, session_name, duration, external_id } = wish;
    let unfit = |name: &str, why| Err(CredentialsError::Unfit { name: name.to_owned(), why });
    if !is_arn(arn) {
        let shown: String = visible(arn).chars().take(80).collect();
        return unfit(
            said.arn,
            text!(
                "`{shown}` is not a role ARN: write qcs::cam::uin/UIN:roleName/NAME",
                "`{shown}` 不是角色 ARN：请写成 qcs::cam::uin/UIN:roleName/NAME"
            ),
        );
    }
    let session_name = session_name.clone().unwrap_or_else(|| SESSION.to_owned());
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_+=,@.-".contains(c);
    if !(2..=128).contains(&session_name.len()) || !session_name.chars().all(is_fine) {
        return unfit(
            said.session_name,
            text!(
                "a session name has 2 to 128 letters, digits and _+=,@.-",
                "会话名称由 2 到 128 个字母、数字和 _+=,@.- 组成"
            ),
        );
    }
    if duration.is_some_and(|duration| duration.as_secs() == 0 || duration > LONGEST) {
        return unfit(
            said.duration,
            text!("a role can be taken for 1s up to 12h", "扮演角色的时长为 1s 到 12h"),
        );
    }
    Ok(Role { arn: arn.clone(), session_name, duration: *duration, external_id: external_id.clone() })
}

/// `qcs::cam::uin/UIN:roleName/NAME`, or with the role's number as `role/NUMBER`.
fn is_arn(arn: &str) -> bool {
    let parts = arn.strip_prefix("qcs::cam::uin/").and_then(|rest| rest.split_once(':'));
    let Some((uin, role)) = parts else {
        return false;
    };
    let name = role.strip_prefix("roleName/").or_else(|| role.strip_prefix("role/"));
    let is_number = !uin.is_empty() && uin.chars().all(|c| c.is_ascii_digit());
    is_number && name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic()))
}
