//! The credentials of a command, from the sources of the Tencent Cloud tools.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::env;
use super::error::{Failure, NOTHING_SENT};
use super::options;
use super::project::Project;
use super::ui::Ui;
use crate::clock::SystemClock;
use crate::cloud::Caller;
use crate::cloud::tencent::{
    AssumeRoleConfig, Chain, CredentialCache, CredentialContext, CredentialOptions, CredentialsError,
    EndpointUrl, Metadata, Source, Sts, StsOptions, Transport,
};
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::report::clean;

/// Whether the metadata service may be asked for credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Nobody,
    /// For the role of this machine, as the last source.
    Machine,
}

/// The credentials for an endpoint.
pub(super) struct Session {
    pub(super) credentials: Arc<CredentialCache>,
    pub(super) chain: Chain,
    /// The STS endpoint that returns their account.
    pub(super) sts_url: EndpointUrl,
    pub(super) sts: Arc<Sts>,
    pub(super) caller: OnceCell<Caller>,
}

/// Loads the credentials. Only the metadata service may be asked.
pub(super) fn find_session(
    project: &Project,
    url: &EndpointUrl,
    transport: &Transport,
    retry_for: Duration,
    ask: Ask,
    ui: &Ui,
) -> Result<Session, Failure> {
    let options::Keys { sts_endpoint: named, metadata_endpoint, .. } = &project.api.keys;
    let metadata = metadata_endpoint.as_ref();
    let around = CredentialContext { variable: &env::variable, home: env::home(), now: env::now() };
    let mut chain = Chain::find(&credential_options(&project.api.keys), &around)?;
    warn_readable_file(&chain, ui);
    if ask == Ask::Machine {
        find_machine(&mut chain, metadata)?;
    }
    let sts_url = named.clone().unwrap_or_else(|| url.sts());
    // STS on this machine cannot know credentials for an endpoint elsewhere.
    if sts_url.is_loopback() && !url.is_loopback() {
        return Err(Failure::new(
            "sts-endpoint",
            text!("{sts_url} is on this machine, and {url} is not: it cannot return the account of credentials for that endpoint", sts_url, url),
        )
        .help(text!("remove `--sts-endpoint`, or use an endpoint on this machine too"))
        .help(NOTHING_SENT));
    }
    // A token is sent as it is, so postpay.yaml must not choose the receiver.
    let is_chosen = named.is_some() || project.endpoint_is_given;
    if matches!(chain.source, Source::WebIdentity(_)) && sts_url.is_loopback() && !is_chosen {
        return Err(Failure::new(
            "sts-endpoint",
            text!("the endpoint in postpay.yaml is on this machine, but the web identity token would be sent to {sts_url}", sts_url),
        )
        .help(text!("if this is intended, set it explicitly: `--sts-endpoint {sts_url}`", sts_url))
        .help(NOTHING_SENT));
    }
    let sts = StsOptions {
        endpoint: sts_url.clone(),
        credentials: None,
        region: env::variable("TKE_REGION")
            .filter(|region| !region.is_empty() && matches!(chain.source, Source::WebIdentity(_)))
            .or_else(|| project.region.clone()),
        language: project.language.name().to_owned(),
        transport: transport.clone(),
        retry_for,
        clock: Arc::new(SystemClock),
    };
    let credentials = Arc::new(chain.credentials(&sts, metadata)?);
    let sts = Sts::new(StsOptions { credentials: Some(Arc::clone(&credentials)), ..sts });
    Ok(Session { credentials, chain, sts_url, sts: Arc::new(sts?), caller: OnceCell::new() })
}

fn credential_options(keys: &options::Keys) -> CredentialOptions {
    let options::Keys {
        profile,
        cvm_role,
        assume_role,
        role_session_name,
        role_duration,
        role_external_id,
        oidc_provider,
        oidc_token_file,
        sts_endpoint: _,
        metadata_endpoint: _,
    } = keys.clone();
    CredentialOptions {
        profile,
        machine: cvm_role.map(|name| Some(name).filter(|name| !name.is_empty())),
        role: assume_role.map(|arn| AssumeRoleConfig {
            arn,
            session_name: role_session_name,
            duration: role_duration,
            external_id: role_external_id,
        }),
        web_identity: oidc_provider.zip(oidc_token_file),
    }
}

/// Looks up the role of this machine when no other source has credentials.
fn find_machine(chain: &mut Chain, metadata: Option<&EndpointUrl>) -> Result<(), Failure> {
    let Source::Machine { role, is_asked_for: false } = &mut chain.source else {
        return Ok(());
    };
    let service = Metadata::new(metadata, None)?;
    let why = match super::runtime::start()?.block_on(service.role()) {
        Ok(Some(name)) => {
            *role = Some(name);
            return Ok(());
        }
        Ok(None) => text!("this machine's role: none"),
        Err(error) => {
            let why = error.message;
            text!("this machine's role: {why}", why)
        }
    };
    let mut looked = std::mem::take(&mut chain.looked);
    looked.push(why);
    Err(CredentialsError::Absent { looked }.into())
}

fn warn_readable_file(chain: &Chain, ui: &Ui) {
    if let Some(file) = &chain.open_to_others {
        let shown = file.display().to_string();
        let shown = clean(&shown);
        ui.diagnose(&[Diagnostic::warning(
            "credentials-open",
            text!("{shown} contains credentials and is readable by other users", shown),
        )
        .help(text!("`chmod 600 {shown}`", shown))]);
    }
}
