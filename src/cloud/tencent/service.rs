//! One of Tencent Cloud's services at one endpoint: signed calls out, answers in.
//!
//! What `tcb` and `sts` have in common is here: headers, signature, the clock that is corrected once, and the credentials.

use std::sync::{Arc, Once, OnceLock};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use super::call_log::{self, CallLog};
use super::codes::{self, Repair};
use super::credentials::cache::CredentialCache;
use super::credentials::types::Credentials;
use super::error::ClientError;
use super::evidence::{Reply, no_reply};
use super::http::{Http, Phase, TransportError};
use super::redact::Redactor;
use super::sign::{self, Payload};
use super::wire;
use crate::clock::Clock;
use crate::cloud::{CloudError, Grade, NotSent};
use crate::i18n::{Text, text};
use crate::model::kind::Api;

const JSON: &str = "application/json";
/// X-TC-RequestClient may hold `0-9a-zA-Z-_,;.`, so no slash.
pub const REQUEST_CLIENT: &str = concat!("postpay_", env!("CARGO_PKG_VERSION"));
pub(super) const REGION: Text = Text::fixed("region");
/// The Authorization header of calls that are not signed.
const UNSIGNED: &str = "SKIP";

/// Warned about once: every service would find the same.
static CLOCK_IS_OFF: Once = Once::new();

/// A service to be called.
pub(super) struct Service {
    api: Api,
    http: Http,
    /// The headers that every call has.
    headers: HeaderMap,
    /// None for calls that are not signed.
    credentials: Option<Arc<CredentialCache>>,
    pub(super) redactor: Redactor,
    clock: Arc<dyn Clock>,
    /// Seconds that Tencent Cloud's clock is ahead of ours, once its answer has said so. Set at most once: a second
    /// complaint is not about the clock.
    ahead: OnceLock<i64>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("api", &self.api)
            .field("url", &self.http.url.as_str())
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// A request to be signed and sent.
pub(super) struct Call<'a> {
    pub(super) action: &'static str,
    /// Instead of the region that is sent otherwise.
    pub(super) region: Option<&'a str>,
    pub(super) body: Vec<u8>,
    /// The most bytes of the answer that are read.
    pub(super) most: usize,
}

/// What a call is made with.
struct Attempt {
    /// How far Tencent Cloud's clock is taken to be ahead.
    ahead: Option<i64>,
    credentials: Option<Arc<Credentials>>,
    headers: HeaderMap,
}

impl Service {
    /// Sets it up. Nothing is sent.
    ///
    /// # Errors
    /// When a value can't be sent in a header.
    pub(super) fn new(
        api: Api,
        http: Http,
        credentials: Option<Arc<CredentialCache>>,
        region: Option<&str>,
        language: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let redactor = Redactor::default();
        if let Some(held) = credentials.as_ref().and_then(|credentials| credentials.held()) {
            // Tried here, so that no create fails for it later.
            add_credentials(&mut HeaderMap::new(), &held)?;
            redactor.learn(&held);
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert("x-tc-version", HeaderValue::from_static(api.version));
        headers.insert("x-tc-requestclient", HeaderValue::from_static(REQUEST_CLIENT));
        headers.insert("x-tc-language", header(language, &Text::fixed("language"))?);
        if let Some(region) = region {
            headers.insert("x-tc-region", header(region, &REGION)?);
        }
        Ok(Self { api, http, headers, credentials, redactor, clock, ahead: OnceLock::new() })
    }

    pub(super) fn host(&self) -> &str {
        &self.http.host
    }

    /// Makes one call and grades its answer with `classify`. The clock or the credentials that it was refused for are repaired,
    /// once.
    ///
    /// # Errors
    /// Without an answer, without credentials, or when the answer is graded as an error.
    pub(super) async fn call<T>(
        &self,
        call: Call<'_>,
        classify: impl FnOnce(&Reply<'_>, &Redactor) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let action = call.action;
        let trace_id = uuid::Uuid::now_v7().to_string();
        let recorder = self.http.recorder.as_deref();
        let mut log = CallLog::new(action, &trace_id, &self.http.host, &self.redactor, recorder);
        let Attempt { ahead, credentials, headers } = match self.prepare(&call, &trace_id).await {
            Ok(attempt) => attempt,
            Err(error) => {
                let result = Err(error);
                log.ended(None, None, None, &result);
                return result;
            }
        };
        log.sends(self.http.url.as_str(), &headers, &call.body);
        match self.http.post(headers, call.body, call.most).await {
            Ok(response) => {
                let reply = Reply {
                    status: response.status,
                    body: &response.body,
                    broken: response.broken.clone(),
                    answer: wire::parse(&response.body),
                };
                let date = response.date();
                let result = classify(&reply, &self.redactor).map_err(|error| {
                    let error = self.repaired(error, ahead, date, credentials.as_ref());
                    with_trace_id(action, &trace_id, error)
                });
                let request_id = reply.answer.ids.request_id.and_then(|id| self.redactor.id(&id));
                log.ended(Some(&response), request_id.as_deref(), None, &result);
                result
            }
            Err(TransportError { phase, message, hint }) => {
                let error = match phase {
                    Phase::Request => self.not_made(&message),
                    Phase::Connect => no_reply(false, &message, &self.redactor),
                    Phase::Tls => CloudError::new(Grade::NotSent(NotSent::Tls), self.redactor.say(&message)),
                    Phase::Response => no_reply(true, &message, &self.redactor),
                };
                let result = Err(with_trace_id(action, &trace_id, CloudError { hint, ..error }));
                log.ended(None, None, Some(&message), &result);
                result
            }
        }
    }

    /// Fetches credentials that last, so that the next call need not wait for them.
    pub(super) async fn ready(&self) -> Result<(), CloudError> {
        self.current_credentials().await.map(|_| ())
    }

    async fn current_credentials(&self) -> Result<Option<Arc<Credentials>>, CloudError> {
        let Some(credentials) = &self.credentials else {
            return Ok(None);
        };
        let credentials = credentials.current().await?;
        self.redactor.learn(&credentials);
        Ok(Some(credentials))
    }

    /// Signs a call and makes its headers.
    async fn prepare(&self, call: &Call<'_>, trace_id: &str) -> Result<Attempt, CloudError> {
        let credentials = self.current_credentials().await?;
        let ahead = self.ahead.get().copied();
        let timestamp = self.clock.now().as_second().saturating_add(ahead.unwrap_or(0));
        let headers = self.headers(call, credentials.as_deref(), timestamp, trace_id);
        let headers = headers.map_err(|ClientError(why)| self.not_made(&why))?;
        Ok(Attempt { ahead, credentials, headers })
    }

    fn headers(
        &self,
        call: &Call<'_>,
        credentials: Option<&Credentials>,
        timestamp: i64,
        trace_id: &str,
    ) -> Result<HeaderMap, ClientError> {
        let mut headers = self.headers.clone();
        let authorization = match credentials {
            None => UNSIGNED.to_owned(),
            Some(credentials) => {
                add_credentials(&mut headers, credentials)?;
                let request = sign::Request {
                    method: "POST",
                    host: &self.http.host,
                    query: "",
                    content_type: JSON,
                    action: Some(call.action),
                    payload: Payload::Bytes(&call.body),
                    timestamp,
                    service: self.api.service,
                };
                let secret_key = credentials.secret_key.expose_secret();
                let signed = sign::sign(&request, &credentials.secret_id, secret_key).ok_or_else(|| {
                    ClientError(text!("the timestamp {timestamp} is not a valid date", timestamp))
                })?;
                self.redactor.hide_signature(&signed.signature);
                signed.authorization
            }
        };
        let mut authorization = header(&authorization, &SECRET_ID)?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(HOST, header(&self.http.host, &Text::same("Host"))?);
        headers.insert("x-tc-action", HeaderValue::from_static(call.action));
        headers.insert("x-tc-timestamp", HeaderValue::from(timestamp));
        headers.insert(HeaderName::from_static("x-tc-traceid"), header(trace_id, &Text::same("TraceId"))?);
        if let Some(region) = call.region {
            headers.insert("x-tc-region", header(region, &REGION)?);
        }
        Ok(headers)
    }

    /// The error of a request that could not even be made here; the next one could not either.
    fn not_made(&self, why: &Text) -> CloudError {
        CloudError::new(Grade::NotSent(NotSent::NoRequest), self.redactor.say(why))
    }

    /// Repairs what a call was refused for, so that it counts as not sent. The second refusal of a call stands.
    fn repaired(
        &self,
        error: CloudError,
        ahead: Option<i64>,
        date: Option<Timestamp>,
        signed_with: Option<&Arc<Credentials>>,
    ) -> CloudError {
        let Grade::Refused(_) = error.grade else {
            return error;
        };
        let is_repaired = match error.code.as_deref().and_then(codes::repair) {
            Some(Repair::Clock) => self.correct_clock(ahead, date),
            Some(Repair::Token) => {
                let rejected = self.credentials.as_ref().zip(signed_with);
                rejected.is_some_and(|(credentials, signed_with)| credentials.reject(signed_with))
            }
            None => false,
        };
        if is_repaired { CloudError { grade: Grade::NotSent(NotSent::Repaired), ..error } } else { error }
    }

    /// Adopts Tencent Cloud's time from an answer. False when its call was signed with that time already, or the answer has
    /// none.
    fn correct_clock(&self, ahead: Option<i64>, date: Option<Timestamp>) -> bool {
        let Some(date) = date.filter(|_| ahead.is_none()) else {
            return false;
        };
        // Of several calls in progress the first sets it; the others need only be signed again.
        self.ahead.get_or_init(|| {
            let ahead = date.as_second() - self.clock.now().as_second();
            CLOCK_IS_OFF.call_once(|| {
                let off = SignedDuration::from_secs(ahead).abs();
                let side = if ahead < 0 { "ahead of" } else { "behind" };
                tracing::warn!(
                    "this computer's clock is {off:#} {side} Tencent Cloud's, which is used instead"
                );
            });
            ahead
        });
        true
    }

    /// How far Tencent Cloud's clock is ahead of ours, as far as its answers have said.
    pub(super) fn ahead(&self) -> SignedDuration {
        SignedDuration::from_secs(self.ahead.get().copied().unwrap_or(0))
    }
}

/// Adds the trace id to the message of a create or change whose outcome is unknown and that has no RequestId: Tencent Cloud's
/// support can find the call by nothing else.
fn with_trace_id(action: &str, trace_id: &str, error: CloudError) -> CloudError {
    if !call_log::acts(action) || error.grade != Grade::Unknown || error.request_id.is_some() {
        return error;
    }
    let message = &error.message;
    CloudError { message: text!("{message} (X-TC-TraceId {trace_id})", message, trace_id), ..error }
}

const SECRET_ID: Text = Text::fixed("secret id");

/// Returns a header's value; `what` names it in an error.
///
/// # Errors
/// When it can't be sent.
pub(super) fn header(value: &str, what: &Text) -> Result<HeaderValue, ClientError> {
    HeaderValue::from_str(value).map_err(|_| {
        ClientError(text!(
            "the {what} cannot be sent in a header: it contains characters other than printable ASCII",
            what
        ))
    })
}

/// Adds the header of temporary credentials. The secret id is checked too, since it will be in one.
fn add_credentials(headers: &mut HeaderMap, credentials: &Credentials) -> Result<(), ClientError> {
    header(&credentials.secret_id, &SECRET_ID)?;
    if let Some(token) = &credentials.token {
        let mut token = header(token.expose_secret(), &Text::fixed("token"))?;
        token.set_sensitive(true);
        headers.insert("x-tc-token", token);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::http::Transport;
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn the_clock_is_corrected_once() {
        let transport = Transport::within(Duration::from_secs(1));
        let http = Http::new(&"http://127.0.0.1:1".parse().unwrap(), &transport).unwrap();
        let api = Api { service: "tcb", version: "2018-06-08" };
        let service = Service::new(api, http, None, None, "en-US", Arc::new(SystemClock)).unwrap();
        let later = Timestamp::now() + Duration::from_secs(3600);
        assert!(!service.correct_clock(None, None), "an answer without a date corrects nothing");
        assert!(service.correct_clock(None, Some(later)));
        assert!(service.correct_clock(None, Some(later)), "another call that was in progress");
        assert!(!service.correct_clock(service.ahead.get().copied(), Some(later)));
    }
}
