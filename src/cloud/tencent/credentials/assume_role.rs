//! A role that is assumed with other credentials.

use std::time::Duration;

use super::cache::{CredentialProvider, Fetch};
use super::types::{CredentialContext, CredentialsError, Issued};
use crate::cloud::tencent::sts::Sts;
use crate::cloud::tencent::wire::{ASSUME_ROLE, AssumeRole};
use crate::cloud::{CloudError, Grade, NotSent, SeenIds};
use crate::i18n::{Text, text};
use crate::sanitize;

/// The longest that a role can be assumed for.
const LONGEST: Duration = Duration::from_secs(43_200);

/// The flags of a role's ARN, session name and duration.
pub(super) const FLAGS: [&str; 3] = ["--assume-role", "--role-session-name", "--role-duration"];

/// A role to assume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRoleConfig {
    pub arn: String,
    /// `postpay` by default.
    pub session_name: Option<String>,
    /// Two hours by default.
    pub duration: Option<Duration>,
    pub external_id: Option<String>,
}

impl AssumeRoleConfig {
    pub(super) fn session_name(&self) -> &str {
        self.session_name.as_deref().unwrap_or("postpay")
    }

    /// Returns the role, when it can be assumed. `names` are what an error calls its ARN, session name and duration.
    pub(super) fn checked(self, names: [&str; 3]) -> Result<Self, CredentialsError> {
        let [arn, session_name, duration] = names;
        if !is_arn(&self.arn) {
            let shown: String = sanitize::escape_invisible(&self.arn).chars().take(80).collect();
            return Err(CredentialsError::invalid(
                arn,
                &text!("`{shown}` is not a role ARN: write qcs::cam::uin/UIN:roleName/NAME", shown),
            ));
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,@.-".contains(c);
        let name = self.session_name();
        if !(2..=128).contains(&name.len()) || !name.chars().all(is_allowed) {
            return Err(CredentialsError::invalid(
                session_name,
                &Text::fixed("a session name must have 2 to 128 letters, digits and _+=,@.-"),
            ));
        }
        if self.duration.is_some_and(|duration| duration.as_secs() == 0 || duration > LONGEST) {
            return Err(CredentialsError::invalid(
                duration,
                &Text::fixed("the duration of a role session must be from 1s to 12h"),
            ));
        }
        Ok(self)
    }

    /// Reads a role for any credentials, as Tencent Cloud's Terraform provider does.
    pub(super) fn from_environment(
        context: &CredentialContext<'_>,
    ) -> Result<Option<Self>, CredentialsError> {
        Self::from_variables(context, "TENCENTCLOUD_ASSUME_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME")
    }

    /// Reads a role for the credentials in the environment, as tccli does.
    pub(super) fn for_environment(context: &CredentialContext<'_>) -> Result<Option<Self>, CredentialsError> {
        // Where both are set they must agree.
        context.read_any(&["TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_ARN"])?;
        Self::from_variables(context, "TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ROLE_SESSION_NAME")
    }

    fn from_variables(
        context: &CredentialContext<'_>,
        arn_name: &str,
        session_name: &str,
    ) -> Result<Option<Self>, CredentialsError> {
        const DURATION: &str = "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION";
        let Some(arn) = context.read(arn_name)? else {
            return Ok(None);
        };
        let seconds = context.read(DURATION)?.map(|seconds| seconds.parse().map(Duration::from_secs));
        let duration = seconds
            .transpose()
            .map_err(|_| CredentialsError::invalid(DURATION, &Text::fixed("not a number of seconds")))?;
        let role = Self {
            arn,
            session_name: context.read(session_name)?,
            duration,
            external_id: context.read("TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID")?,
        };
        role.checked([arn_name, session_name, DURATION]).map(Some)
    }
}

/// Whether a text is `qcs::cam::uin/UIN:roleName/NAME`, or has the role's number as `role/NUMBER`.
fn is_arn(arn: &str) -> bool {
    let parts = arn.strip_prefix("qcs::cam::uin/").and_then(|rest| rest.split_once(':'));
    let Some((uin, role)) = parts else {
        return false;
    };
    let name = role.strip_prefix("roleName/").or_else(|| role.strip_prefix("role/"));
    let is_number = !uin.is_empty() && uin.chars().all(|c| c.is_ascii_digit());
    is_number && name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic()))
}

/// Fetches the credentials of a role.
#[derive(Debug)]
pub struct AssumeRoleProvider {
    role: AssumeRoleConfig,
    /// Its calls are signed with the other credentials.
    sts: Sts,
}

impl AssumeRoleProvider {
    pub fn new(role: AssumeRoleConfig, sts: Sts) -> Self {
        Self { role, sts }
    }

    async fn assume(&self) -> Result<Issued, CloudError> {
        let role = &self.role;
        let body = AssumeRole {
            duration_seconds: role.duration.map(|duration| duration.as_secs()),
            external_id: role.external_id.clone(),
            role_session_name: role.session_name().to_owned(),
            role_arn: role.arn.clone(),
        };
        let session = self.sts.session(ASSUME_ROLE, &body).await;
        session.map_err(|error| no_role_credentials(error, &role.arn))
    }
}

impl CredentialProvider for AssumeRoleProvider {
    fn fetch<'a>(&'a self, _account: Option<&'a str>) -> Fetch<'a> {
        Box::pin(self.assume())
    }
}

/// Returns what the failure to assume a role means for the call that was to be signed: it was not sent.
pub(super) fn no_role_credentials(error: CloudError, role: &str) -> CloudError {
    let why = &error.message;
    let message = text!("cannot get credentials for the role {role}: {why}", role, why);
    let (cause, hint) = match error.grade {
        Grade::Refused(_) | Grade::NotSent(NotSent::NoRequest | NotSent::Tls) => {
            let check_role = Text::fixed(
                "Check the role's name and its trust policy: https://console.cloud.tencent.com/cam/role",
            );
            (NotSent::NoRequest, error.hint.or(Some(check_role)))
        }
        Grade::NotSent(_) | Grade::Unknown => (NotSent::NoKey, error.hint),
    };
    CloudError { grade: Grade::NotSent(cause), message, hint, seen: SeenIds::default(), ..error }
}
