//! STS, the service that says whose credentials are used, and hands out temporary ones.
//!
//! Asking twice costs nothing, so its calls are repeated as reads are.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::ask::{Asker, Question, Spacing};
use super::credentials::cache::CredentialCache;
use super::credentials::types::Issued;
use super::endpoint::EndpointUrl;
use super::error::ClientError;
use super::evidence::{Fetched, no_reply};
use super::http::{Http, Transport};
use super::service::Service;
use super::wire::{self, CallerInfo, GetCallerIdentity, Response};
use crate::clock::Clock;
use crate::cloud::{Caller, CloudError, Grade};
use crate::i18n::{Text, text};
use crate::model::kind::Api;

const STS: Api = Api { service: wire::STS_SERVICE, version: wire::STS_VERSION };
/// The region that Tencent Cloud's tools send by default.
const REGION: &str = "ap-guangzhou";

/// What a client of STS is made of.
#[derive(Clone)]
pub struct StsOptions {
    pub endpoint: EndpointUrl,
    /// None for calls that are not signed.
    pub credentials: Option<Arc<CredentialCache>>,
    pub region: Option<String>,
    /// X-TC-Language: `zh-CN` or `en-US`.
    pub language: String,
    pub transport: Transport,
    /// How long a call is repeated.
    pub retry_for: Duration,
    pub clock: Arc<dyn Clock>,
}

/// A client of STS.
#[derive(Debug)]
pub struct Sts {
    service: Service,
    spacing: Spacing,
    retry_for: Duration,
}

impl Sts {
    /// Sets the client up. Nothing is sent.
    ///
    /// # Errors
    /// When a value can't be sent.
    pub fn new(options: StsOptions) -> Result<Self, ClientError> {
        let StsOptions { endpoint, credentials, region, language, transport, retry_for, clock } = options;
        let http = Http::new(&endpoint, &transport)?;
        let region = region.as_deref().unwrap_or(REGION);
        Ok(Self {
            service: Service::new(STS, http, credentials, Some(region), &language, clock)?,
            spacing: Spacing::default(),
            retry_for,
        })
    }

    /// Returns whose credentials calls are signed with.
    ///
    /// # Errors
    /// When STS does not say.
    pub async fn caller(&self) -> Result<Caller, CloudError> {
        let decode = |response: &Response| Ok(wire::decode_caller(response));
        let Fetched { payload, request_id, .. } =
            self.ask(wire::CALLER, decode, &GetCallerIdentity {}).await?;
        let CallerInfo { account_id, user_id, arn, kind } = payload;
        let redact = |value: Option<String>| value.map(|value| self.service.redactor.text(&value));
        let is_uin = |id: &String| {
            let digits = id.chars().all(|c| c.is_ascii_digit());
            digits && id.len() <= LONGEST_UIN && id.chars().any(|c| c != '0')
        };
        let account = account_id.filter(is_uin).ok_or_else(|| {
            let action = wire::CALLER;
            let why = text!("{action}: the response has no account", action);
            CloudError {
                request_id: request_id.clone(),
                http_status: Some(200),
                ..no_reply(true, &why, &self.service.redactor)
            }
        })?;
        Ok(Caller { account, user: redact(user_id), arn: redact(arn), kind: redact(kind), request_id })
    }

    /// Returns temporary credentials.
    ///
    /// # Errors
    /// When STS hands out none.
    pub(super) async fn session(
        &self,
        action: &'static str,
        body: &impl Serialize,
    ) -> Result<Issued, CloudError> {
        let issued = Issued::from(self.ask(action, wire::decode_session, body).await?.payload);
        self.service.redactor.learn(&issued.credentials);
        Ok(issued)
    }

    /// Takes a secret that is about to be sent out of what is shown.
    pub(super) fn hide(&self, secret: &str) {
        self.service.redactor.hide(secret);
    }

    fn explain(&self, mut error: CloudError) -> CloudError {
        // What is left of an answer may hold half of somebody's credentials.
        error.body = None;
        if is_no_sts(&error) {
            // Instead of what the code means for a create.
            error.hint = Some(NO_STS);
        }
        if error.grade == Grade::Unknown && error.code.is_none() {
            // It may not be Tencent Cloud that answered.
            let (host, message) = (self.service.host(), &error.message);
            error.message = text!("{host}: {message}", host, message);
        }
        error
    }

    async fn ask<T>(
        &self,
        action: &'static str,
        decode: impl Fn(&Response) -> Result<T, Text>,
        body: &impl Serialize,
    ) -> Result<Fetched<T>, CloudError> {
        let question = Question { action, region: None, decode };
        let asker = Asker { service: &self.service, spacing: &self.spacing, retry_for: self.retry_for };
        asker.ask(&question, body).await.map_err(|error| self.explain(error))
    }
}

/// The digits of the largest 64-bit number.
const LONGEST_UIN: usize = 20;

const NO_STS: Text = Text::fixed("No STS responds there. Set its address with `--sts-endpoint`.");

/// Whether an error says that the endpoint has no STS.
pub fn is_no_sts(error: &CloudError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    ["InvalidAction", "NoSuchVersion", "NoSuchProduct"].contains(&code)
}
