//! The service that tells whose a key is, and hands out temporary ones.
//!
//! Its host stands beside the one that orders go to. Asking twice costs nothing, so its questions are repeated as reads are.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::ask::{Asker, Question, Spacing};
use super::client::ClientError;
use super::credentials::Credentials;
use super::endpoint::{self, EndpointUrl};
use super::evidence::{Fetched, no_reply};
use super::http::{Http, Transport};
use super::keys::{Issued, Keys};
use super::service::{Api, Service};
use super::wire::{self, CallerInfo, GetCallerIdentity, Response, Session};
use crate::clock::Clock;
use crate::cloud::{Caller, CloudError, Grade};
use crate::lang::{Text, text};

const STS: Api = Api { name: wire::STS_SERVICE, version: wire::STS_VERSION };
/// Where the vendor answers, when nothing else is known.
pub const STS_ENDPOINT: &str = "https://sts.tencentcloudapi.com";
/// The region that the vendor's own tools name where none is.
const REGION: &str = "ap-guangzhou";

/// What it is set up with.
#[derive(Clone)]
pub struct StsOptions {
    pub endpoint: String,
    /// None for the questions that are not signed.
    pub keys: Option<Arc<Keys>>,
    pub region: Option<String>,
    /// X-TC-Language: `zh-CN` or `en-US`.
    pub language: String,
    pub transport: Transport,
    /// How long a question is repeated.
    pub retry_for: Duration,
    pub clock: Arc<dyn Clock>,
}

/// Asks the service.
#[derive(Debug)]
pub struct Sts {
    service: Service,
    spacing: Spacing,
    retry_for: Duration,
}

impl Sts {
    /// Sets it up. Nothing is sent.
    ///
    /// # Errors
    /// When the endpoint is none, or a value can't be sent.
    pub fn new(options: StsOptions) -> Result<Self, ClientError> {
        let StsOptions { endpoint, keys, region, language, transport, retry_for, clock } = options;
        let http = Http::new(&endpoint, &transport)?;
        let region = region.as_deref().unwrap_or(REGION);
        Ok(Self {
            service: Service::new(STS, http, keys, Some(region), &language, clock)?,
            spacing: Spacing::default(),
            retry_for,
        })
    }

    /// Whose key it is that calls are signed with.
    ///
    /// # Errors
    /// When the vendor does not say.
    pub async fn caller(&self) -> Result<Caller, CloudError> {
        let decode = |response: &Response| Ok(wire::decode_caller(response));
        let Fetched { payload, request_id, .. } =
            self.ask(wire::CALLER, decode, &GetCallerIdentity {}).await?;
        let CallerInfo { account_id, user_id, arn, kind } = payload;
        let clean = |value: Option<String>| value.map(|value| self.service.redactor.text(&value));
        let is_number = |id: &String| {
            let digits = id.chars().all(|c| c.is_ascii_digit());
            digits && id.len() <= LONGEST_UIN && id.chars().any(|c| c != '0')
        };
        let account = account_id.filter(is_number).ok_or_else(|| {
            let action = wire::CALLER;
            let why = text!("{action}: the answer names no account", "{action}：应答中没有账号");
            CloudError {
                request_id: request_id.clone(),
                http_status: Some(200),
                ..no_reply(true, &why, &self.service.redactor)
            }
        })?;
        Ok(Caller { account, user: clean(user_id), arn: clean(arn), kind: clean(kind), request_id })
    }

    /// A temporary key.
    ///
    /// # Errors
    /// When the vendor gives none.
    pub(super) async fn session(
        &self,
        action: &'static str,
        body: &impl Serialize,
    ) -> Result<Issued, CloudError> {
        let issued = issued(self.ask(action, wire::decode_session, body).await?.payload);
        // Whoever speaks of it later, here or elsewhere, must not show it.
        self.service.redactor.learn(&issued.credentials);
        Ok(issued)
    }

    /// What a text may hold that is as good as a key.
    pub(super) fn hide(&self, secret: &str) {
        self.service.redactor.hide(secret);
    }

    /// An error as whoever asked is told of it.
    fn told(&self, mut error: CloudError) -> CloudError {
        // What is left of an answer may hold half a key that nobody knows of.
        error.body = None;
        if is_no_sts(&error) {
            // What a code means for an order is not meant.
            error.hint = Some(NO_STS);
        }
        if error.grade == Grade::Unknown && error.code.is_none() {
            // Whatever answered there, or broke off, in the place of the vendor.
            let (host, said) = (self.service.host(), &error.message);
            error.message = text!("{host}: {said}", "{host}：{said:#}");
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
        asker.ask(&question, body).await.map_err(|error| self.told(error))
    }
}

/// The digits of the largest number that 64 bits hold.
const LONGEST_UIN: usize = 20;

const NO_STS: Text = Text::fixed(
    "No STS answers there. Say where it is with `--sts-endpoint`.",
    "该处没有 STS 应答。请用 `--sts-endpoint` 指定它的位置。",
);

/// Whether an error says that the endpoint has no such service.
pub fn is_no_sts(error: &CloudError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    ["InvalidAction", "NoSuchVersion", "NoSuchProduct"].contains(&code)
}

pub(super) fn issued(session: Session) -> Issued {
    let Session { secret_id, secret_key, token, ends } = session;
    Issued {
        credentials: Credentials { secret_id, secret_key: secret_key.into(), token: Some(token.into()) },
        // An end that is no time is one that has passed.
        ends: Some(Timestamp::from_second(ends).unwrap_or(Timestamp::UNIX_EPOCH)),
    }
}

/// Where the service is for orders that go to `endpoint`: beside it at the vendor's own hosts, on the same port of this very
/// computer, and otherwise where the vendor has it.
pub fn sts_endpoint(endpoint: &str) -> String {
    let Ok(endpoint) = endpoint::parse(endpoint) else {
        return STS_ENDPOINT.to_owned();
    };
    let scheme = if endpoint.is_https() { "https" } else { "http" };
    match endpoint.host_header().strip_prefix("tcb.") {
        Some(rest) if is_vendors(&endpoint) => format!("{scheme}://sts.{rest}"),
        _ if endpoint.is_loopback() => endpoint.to_string(),
        Some(_) | None => STS_ENDPOINT.to_owned(),
    }
}

fn is_vendors(endpoint: &EndpointUrl) -> bool {
    endpoint.host().ends_with(".tencentcloudapi.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_beside_the_endpoint() {
        let table = [
            ("https://tcb.tencentcloudapi.com", STS_ENDPOINT),
            ("https://tcb.internal.tencentcloudapi.com", "https://sts.internal.tencentcloudapi.com"),
            ("https://tcb.ap-shanghai.tencentcloudapi.com", "https://sts.ap-shanghai.tencentcloudapi.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://localhost:8443", "https://localhost:8443"),
            // Somebody's own host gets no key that it could pass on to the vendor.
            ("https://tcb.example.com", STS_ENDPOINT),
            ("https://eviltencentcloudapi.com", STS_ENDPOINT),
            ("https://tcb.eviltencentcloudapi.com", STS_ENDPOINT),
        ];
        for (endpoint, expected) in table {
            assert_eq!(sts_endpoint(endpoint), expected, "{endpoint}");
        }
    }
}
