//! Credentials of a role that an OIDC identity provider vouches for, as in a pod of Tencent Cloud's container service.

use std::path::{Path, PathBuf};

use super::assume_role::{AssumeRoleConfig, no_role_credentials};
use super::cache::{CredentialProvider, Fetch, unavailable};
use super::types::{CredentialContext, CredentialsError, Issued, read_file};
use crate::cloud::CloudError;
use crate::cloud::tencent::sts::Sts;
use crate::cloud::tencent::wire::{ASSUME_ROLE_WITH_WEB_IDENTITY, AssumeRoleWithWebIdentity};
use crate::i18n::{Text, text};

/// An identity provider, the file with its token, and the role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebIdentity {
    pub provider_id: String,
    /// Read for each request: it is replaced from time to time.
    pub token_file: PathBuf,
    pub role: AssumeRoleConfig,
}

impl WebIdentity {
    /// Reads what the container service sets in a pod; None when nothing is set.
    pub(super) fn from_environment(
        context: &CredentialContext<'_>,
    ) -> Result<Option<Self>, CredentialsError> {
        let names = ["TKE_ROLE_ARN", "TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE"];
        let values = names.map(|name| context.get(name));
        let name_of =
            |is_set: bool| names.into_iter().zip(&values).find(|(_, value)| value.is_some() == is_set);
        match (name_of(true), name_of(false)) {
            (None, _) => return Ok(None),
            (Some((found, _)), Some((missing, _))) => {
                return Err(CredentialsError::incomplete(found, missing));
            }
            (Some(_), None) => {}
        }
        let [arn, provider_id, token_file] = values.map(Option::unwrap_or_default);
        let role = AssumeRoleConfig { arn, ..AssumeRoleConfig::default() };
        let role = role.checked(["TKE_ROLE_ARN", "--role-session-name", "--role-duration"])?;
        Ok(Some(Self { provider_id, token_file: token_file.into(), role }))
    }
}

/// Fetches the credentials.
#[derive(Debug)]
pub struct WebIdentityProvider {
    identity: WebIdentity,
    /// Its calls are not signed.
    sts: Sts,
}

impl WebIdentityProvider {
    pub fn new(identity: WebIdentity, sts: Sts) -> Self {
        Self { identity, sts }
    }

    async fn assume(&self) -> Result<Issued, CloudError> {
        let WebIdentity { provider_id, token_file, role } = &self.identity;
        let token = read_token(token_file)?;
        self.sts.hide(&token);
        let body = AssumeRoleWithWebIdentity {
            provider_id: provider_id.clone(),
            web_identity_token: token,
            role_arn: role.arn.clone(),
            role_session_name: role.session_name().to_owned(),
            duration_seconds: role.duration.map(|duration| duration.as_secs()),
        };
        let session = self.sts.session(ASSUME_ROLE_WITH_WEB_IDENTITY, &body).await;
        session.map_err(|error| no_role_credentials(error, &role.arn))
    }
}

impl CredentialProvider for WebIdentityProvider {
    fn fetch<'a>(&'a self, _account: Option<&'a str>) -> Fetch<'a> {
        Box::pin(self.assume())
    }
}

fn read_token(file: &Path) -> Result<String, CloudError> {
    let shown = file.display().to_string();
    let token = read_file(file).map_err(|error| {
        let why = Text::of(&error);
        unavailable(text!("the web identity token file {shown}: {why}", shown = format!("{shown:?}"), why))
    })?;
    match String::from_utf8_lossy(&token).trim() {
        "" => Err(unavailable(text!(
            "the web identity token file {shown} is empty",
            shown = format!("{shown:?}")
        ))),
        token => Ok(token.to_owned()),
    }
}
