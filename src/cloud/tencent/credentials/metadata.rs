//! Credentials of the machine's role, from Tencent Cloud's metadata service.
//!
//! It is the one host off this computer that is asked without TLS: it offers no other way, and its address is link-local. It is sent
//! nothing but the request, and no proxy is used.

use std::sync::OnceLock;
use std::time::Duration;

use super::cache::{CredentialProvider, Fetch, unavailable};
use super::types::Issued;
use crate::cloud::tencent::endpoint::EndpointUrl;
use crate::cloud::tencent::error::ClientError;
use crate::cloud::tencent::http::{Http, Response, Transport};
use crate::cloud::tencent::wire;
use crate::cloud::{CloudError, Grade, NotSent};
use crate::i18n::{Text, text};
use crate::sanitize;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);
const PATH: &str = "/latest/meta-data/cam/security-credentials/";
/// Credentials have some hundred bytes.
const MAX_BODY: usize = 1 << 16;

/// Fetches the credentials of the machine's role.
pub struct Metadata {
    http: Http,
    /// As it was named, or as the service named it first: a run stays with one role.
    role: OnceLock<String>,
}

impl Metadata {
    /// Sets it up, for a role or for whichever the machine has. `endpoint` replaces Tencent Cloud's, and must be on this computer.
    /// Nothing is sent.
    ///
    /// # Errors
    /// When the endpoint is another one, or `role` can't be a name.
    pub fn new(endpoint: Option<&EndpointUrl>, role: Option<String>) -> Result<Self, ClientError> {
        if let Some(role) = role.as_ref().filter(|role| !is_name(role)) {
            let role = sanitize::escape_invisible(role);
            return Err(ClientError(text!("`{role}` is not a valid role name", role)));
        }
        let known = EndpointUrl::metadata();
        let endpoint = endpoint.unwrap_or(&known);
        if *endpoint != known && !endpoint.is_loopback() {
            return Err(ClientError(text!(
                "`{endpoint}` is not allowed: only {known} and this machine can serve metadata",
                endpoint,
                known
            )));
        }
        let transport = Transport { connect_timeout: CONNECT_TIMEOUT, ..Transport::within(TIMEOUT) };
        Ok(Self {
            http: Http::new(endpoint, &transport)?,
            role: role.map(OnceLock::from).unwrap_or_default(),
        })
    }

    /// Returns the name of the machine's role; None when it has none.
    ///
    /// # Errors
    /// When the service does not say: it may later.
    pub async fn role(&self) -> Result<Option<String>, CloudError> {
        if let Some(role) = self.role.get() {
            return Ok(Some(role.clone()));
        }
        let Some(body) = self.get(PATH, &Text::fixed("its metadata service")).await? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&body);
        let Some(name) = text.lines().map(str::trim).find(|name| !name.is_empty()) else {
            return Ok(None);
        };
        if !is_name(name) {
            let start: String = name.chars().take(40).collect();
            let shown = sanitize::escape_invisible(&start);
            return Err(later(text!("its metadata service returned an invalid role name: {shown}", shown)));
        }
        Ok(Some(self.role.get_or_init(|| name.to_owned()).clone()))
    }

    async fn credentials(&self) -> Result<Issued, CloudError> {
        let role = self.role().await.map_err(|error| {
            let why = &error.message;
            later(text!("this machine's role: {why}", why))
        })?;
        let Some(role) = role else {
            return Err(unavailable(Text::fixed(
                "this machine has no role: its metadata service returned none",
            )));
        };
        let asked = text!("the metadata service (credentials of the role {role})", role);
        let body = self.get(&format!("{PATH}{role}"), &asked).await?;
        let session = body.and_then(|body| wire::decode_metadata(&body)).ok_or_else(|| {
            later(text!("the metadata service returned no credentials for the role {role}", role))
        })?;
        Ok(session.into())
    }

    /// Returns a page; None when there is no such page. `asked` begins the message of an error.
    async fn get(&self, path: &str, asked: &Text) -> Result<Option<Vec<u8>>, CloudError> {
        match self.http.get(path, MAX_BODY).await {
            Ok(Response { status: 200, body, broken: None, .. }) => Ok(Some(body)),
            Ok(Response { status: 404, .. }) => Ok(None),
            Ok(Response { broken: Some(why), .. }) => {
                Err(later(text!("{asked}: response interrupted: {why}", asked, why)))
            }
            Ok(Response { status, .. }) => {
                Err(later(text!("{asked} returned HTTP status {status}", asked, status)))
            }
            Err(error) => {
                let why = &error.message;
                Err(later(text!("{asked} did not respond: {why}", asked, why)))
            }
        }
    }
}

impl CredentialProvider for Metadata {
    fn fetch<'a>(&'a self, _account: Option<&'a str>) -> Fetch<'a> {
        Box::pin(self.credentials())
    }
}

/// Returns the error of a source that has no credentials yet.
fn later(why: Text) -> CloudError {
    CloudError::new(Grade::NotSent(NotSent::NoKey), why)
}

/// Whether a text can be the name of a role, which becomes part of a path.
fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.=@+,".contains(c);
    !name.is_empty() && !matches!(name, "." | "..") && name.chars().all(is_allowed)
}
