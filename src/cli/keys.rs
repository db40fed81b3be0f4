//! The credentials that a run signs with, found where Tencent Cloud's tools keep theirs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::failure::{Failure, NOTHING_SENT};
use super::load::Project;
use super::options;
use super::world::World;
use crate::clock::SystemClock;
use crate::cloud::Caller;
use crate::cloud::tencent::{
    AssumeRoleConfig, Chain, CredentialCache, CredentialContext, CredentialOptions, CredentialsError,
    EndpointUrl, Metadata, Source, Sts, StsOptions, Transport,
};
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::report::clean;

/// Who may be asked for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Nobody,
    /// This machine, for its role, where nothing else was found.
    Machine,
}

/// The key to Tencent Cloud's endpoint.
pub(super) struct Session {
    pub(super) credentials: Arc<CredentialCache>,
    pub(super) chain: Chain,
    /// Where it is asked whose the key is.
    pub(super) sts_url: EndpointUrl,
    pub(super) sts: Arc<Sts>,
    pub(super) caller: OnceCell<Caller>,
}

/// Looks for the key. Nothing is sent, but that a machine may be asked for its own role.
pub(super) fn find_session(
    project: &Project,
    url: &EndpointUrl,
    transport: &Transport,
    retry_for: Duration,
    ask: Ask,
    world: &World,
) -> Result<Session, Failure> {
    let options::Keys { sts_endpoint: named, metadata_endpoint, .. } = &project.api.keys;
    let metadata = metadata_endpoint.as_ref();
    let around =
        CredentialContext { variable: &|name| world.variable(name), home: world.home(), now: world.now() };
    let mut chain = Chain::find(&credential_options(&project.api.keys), &around)?;
    tell_open(&chain, world);
    if ask == Ask::Machine {
        find_machine(&mut chain, metadata)?;
    }
    let sts_url = named.clone().unwrap_or_else(|| url.sts());
    // Whatever answers on this computer can't vouch for a key to an endpoint elsewhere.
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
        region: world
            .variable("TKE_REGION")
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

/// Whether this is a machine with a role is only asked where nothing else was found.
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

fn tell_open(chain: &Chain, world: &World) {
    if let Some(file) = &chain.open_to_others {
        let shown = file.display().to_string();
        let shown = clean(&shown);
        world.diagnose(&[Diagnostic::warning(
            "credentials-open",
            text!("{shown} contains credentials and is readable by other users", shown),
        )
        .help(text!("`chmod 600 {shown}`", shown))]);
    }
}
