//! Roles that are taken with a key, or with a token that another system vouches with: how they are asked for, and what can be
//! none.

use std::path::Path;
use std::time::Duration;

use super::chain::{Chain, Surroundings};
use super::environment::{incomplete, read, read_token};
use super::{CredentialsError, Source};
use crate::cloud::tencent::issuer::{Role, WebIdentity};
use crate::lang::text;

/// The session's name where none is given.
const SESSION: &str = "postpay";
/// The longest that the vendor gives a key of a role for.
const LONGEST: Duration = Duration::from_secs(43_200);

/// A role to be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleWish {
    pub arn: String,
    pub session_name: Option<String>,
    pub duration: Option<Duration>,
    pub external_id: Option<String>,
}

impl Surroundings<'_> {
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
            let role = taken(&RoleWish {
                arn,
                ..RoleWish::default()
            })?;
            return Ok(Some(WebIdentity {
                provider_id,
                token_file: token_file.into(),
                role,
            }));
        }
        let lacks = names.iter().zip(&values).find(|(_, value)| value.is_none());
        Err(incomplete(found, lacks.map_or(ROLE, |(name, _)| name)))
    }

    /// A role that the environment names, whatever the key is: as the vendor's Terraform provider reads it.
    pub(super) fn role(&self) -> Result<Option<Role>, CredentialsError> {
        self.role_named(
            "TENCENTCLOUD_ASSUME_ROLE_ARN",
            "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME",
        )
    }

    /// A role for the key in the environment: as tccli reads it.
    pub(super) fn role_of_environment(&self) -> Result<Option<Role>, CredentialsError> {
        let names: &[&'static str] = &["TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_ARN"];
        // Where both are set they have to agree.
        read_token(&|name| self.chosen(name), names)?;
        self.role_named("TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ROLE_SESSION_NAME")
    }

    fn role_named(
        &self,
        arn: &'static str,
        session: &'static str,
    ) -> Result<Option<Role>, CredentialsError> {
        const DURATION: &str = "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION";
        let chosen = |name: &str| self.chosen(name);
        let Some(arn) = read(&chosen, arn)? else {
            return Ok(None);
        };
        let seconds = read(&chosen, DURATION)?;
        let seconds = seconds.map(|seconds| seconds.parse().map(Duration::from_secs));
        let duration = seconds.transpose().map_err(|_| CredentialsError::Unfit {
            name: DURATION.to_owned(),
            why: text!("it is no number of seconds", "不是秒数"),
        })?;
        taken(&RoleWish {
            arn,
            session_name: read(&chosen, session)?,
            duration,
            external_id: None,
        })
        .map(Some)
    }
}

pub(super) fn vouched_for(
    provider: &str,
    file: &Path,
    role: Option<&RoleWish>,
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
        role: taken(role)?,
    })))
}

/// A role as it can be asked for.
pub(super) fn taken(wish: &RoleWish) -> Result<Role, CredentialsError> {
    let RoleWish {
        arn,
        session_name,
        duration,
        external_id,
    } = wish;
    let unfit = |name: &str, why| {
        Err(CredentialsError::Unfit {
            name: name.to_owned(),
            why,
        })
    };
    if !arn.starts_with("qcs::") || arn.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return unfit(
            "role",
            text!(
                "it is no role's name, which begins with `qcs::cam::`",
                "不是角色名称，角色名称以 `qcs::cam::` 开头"
            ),
        );
    }
    let session_name = session_name.clone().unwrap_or_else(|| SESSION.to_owned());
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_+=,@.-".contains(c);
    if !(2..=128).contains(&session_name.len()) || !session_name.chars().all(is_fine) {
        return unfit(
            "role session name",
            text!(
                "2 to 128 letters, digits and _+=,@.- are taken",
                "只能是 2 到 128 个字母、数字和 _+=,@.-"
            ),
        );
    }
    if duration.is_some_and(|duration| duration.is_zero() || duration > LONGEST) {
        return unfit(
            "role duration",
            text!(
                "more than nothing and up to 12h are taken",
                "必须大于 0，最长 12h"
            ),
        );
    }
    Ok(Role {
        arn: arn.clone(),
        session_name,
        duration: *duration,
        external_id: external_id.clone(),
    })
}
