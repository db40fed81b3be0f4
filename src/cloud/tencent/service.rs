//! One of the vendor's services at one endpoint: signed calls out, answers in.
//!
//! What is the same for `tcb` and for `sts` is here: the headers, the signature, the clock that is mended once, and the key,
//! which may be a temporary one that is renewed.

use std::sync::{Arc, Once, OnceLock};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use super::client::ClientError;
use super::codes::{self, Repair};
use super::credentials::Credentials;
use super::evidence::{Reply, no_reply};
use super::http::{Http, Lost, Received, When};
use super::keys::Keys;
use super::record::{self, Telling};
use super::redact::Redactor;
use super::sign::{self, Payload};
use super::wire;
use crate::clock::Clock;
use crate::cloud::{CloudError, Grade, NotSent};
use crate::lang::{Text, text};

const JSON: &str = "application/json";
/// The vendor allows `0-9a-zA-Z-_,;.` in X-TC-RequestClient, so no solidus.
pub const REQUEST_CLIENT: &str = concat!("postpay_", env!("CARGO_PKG_VERSION"));
pub(super) const REGION: Text = Text::fixed("region", "地域");
/// In the place of a signature, for the calls that have none.
const UNSIGNED: &str = "SKIP";

/// Told once: every service would find the same.
static CLOCK_IS_OFF: Once = Once::new();

/// A service's name, as it is signed, and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Api {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

/// A service to be called.
pub(super) struct Service {
    api: Api,
    http: Http,
    /// The headers that are the same on every call.
    headers: HeaderMap,
    /// None for calls that are not signed.
    keys: Option<Arc<Keys>>,
    pub(super) redactor: Redactor,
    clock: Arc<dyn Clock>,
    /// Seconds that the vendor's clock is ahead of ours, once its answer has said so. Set at most once: a second
    /// complaint is not about the clock.
    ahead: OnceLock<i64>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("api", &self.api)
            .field("url", &self.http.url.as_str())
            .field("keys", &self.keys)
            .field("timeout", &self.http.timeout)
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

/// What became of a request.
enum Posted {
    Answer(Received, Signed),
    Nothing {
        /// Why nothing came back of what was sent; None when nothing was sent.
        lost: Option<Text>,
        error: CloudError,
    },
}

/// What a call was signed with, and the vendor's time when it answered.
struct Signed {
    /// How far the vendor's clock was taken to be ahead.
    ahead: Option<i64>,
    date: Option<Timestamp>,
    key: Option<Arc<Credentials>>,
}

impl Service {
    /// Sets it up. Nothing is sent.
    ///
    /// # Errors
    /// When a value can't stand in a header.
    pub(super) fn new(
        api: Api,
        http: Http,
        keys: Option<Arc<Keys>>,
        region: Option<&str>,
        language: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let redactor = Redactor::default();
        if let Some(key) = keys.as_ref().and_then(|keys| keys.at_hand()) {
            // Tried here, so that no order fails for it later.
            key_headers(&key)?;
            redactor.learn(&key);
        }
        Ok(Self {
            api,
            http,
            headers: fixed_headers(api, region, language)?,
            keys,
            redactor,
            clock,
            ahead: OnceLock::new(),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.http.host
    }

    /// Makes one call and grades its answer with `classify`. What an answer says of the clock or the key is repaired, once.
    ///
    /// # Errors
    /// Without an answer, without a key to sign with, or when the answer is graded as an error.
    pub(super) async fn call<T>(
        &self,
        call: Call<'_>,
        classify: impl FnOnce(&Reply<'_>, &Redactor) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let action = call.action;
        let trace_id = uuid::Uuid::now_v7().to_string();
        let recorder = self.http.recorder.as_deref();
        let mut told = Telling::new(action, &trace_id, &self.http.host, &self.redactor, recorder);
        let mut request_id = None;
        let (answer, lost, result) = match self.post(call, &mut told).await {
            Posted::Answer(received, signed) => {
                let reply = Reply {
                    status: received.status,
                    body: &received.body,
                    broken: received.broken.clone(),
                    answer: wire::parse(&received.body),
                };
                let result = classify(&reply, &self.redactor);
                request_id = reply.answer.ids.request_id.and_then(|id| self.redactor.id(&id));
                (Some(received), None, result.map_err(|error| self.repaired(error, &signed)))
            }
            Posted::Nothing { lost, error } => (None, lost, Err(error)),
        };
        let result = result.map_err(|error| traced(action, &trace_id, error));
        told.ended(answer.as_ref(), request_id.as_deref(), lost.as_ref().map(Text::en), &result);
        result
    }

    /// Has a key that lasts, so that the next call need not wait for one.
    pub(super) async fn ready(&self) -> Result<(), CloudError> {
        self.key().await.map(|_| ())
    }

    async fn key(&self) -> Result<Option<Arc<Credentials>>, CloudError> {
        let Some(keys) = &self.keys else {
            return Ok(None);
        };
        let key = keys.current().await?;
        self.redactor.learn(&key);
        Ok(Some(key))
    }

    /// One request, and what came back of it.
    async fn post(&self, call: Call<'_>, told: &mut Telling<'_>) -> Posted {
        let not_sent = |error| Posted::Nothing { lost: None, error };
        let key = match self.key().await {
            Ok(key) => key,
            Err(error) => return not_sent(error),
        };
        let ahead = self.ahead.get().copied();
        let skew = ahead.unwrap_or(0);
        let headers = match self.headers(&call, key.as_deref(), skew, told.trace_id) {
            Ok(headers) => headers,
            Err(error) => return not_sent(error),
        };
        let Call { body, most, .. } = call;
        told.sends(self.http.url.as_str(), &headers, &body);
        match self.http.post(headers, body, most).await {
            Ok(received) => {
                let date = received.date();
                Posted::Answer(received, Signed { ahead, date, key })
            }
            Err(Lost { when, why, hint }) => {
                let error = match when {
                    When::Made => self.not_made(&why),
                    When::Connecting => no_reply(false, &why, &self.redactor),
                    When::Tls => CloudError::new(Grade::NotSent(NotSent::Tls), self.redactor.say(&why)),
                    When::Connected => no_reply(true, &why, &self.redactor),
                };
                Posted::Nothing { error: CloudError { hint, ..error }, lost: Some(why) }
            }
        }
    }

    fn headers(
        &self,
        call: &Call<'_>,
        key: Option<&Credentials>,
        ahead: i64,
        trace_id: &str,
    ) -> Result<HeaderMap, CloudError> {
        let timestamp = self.clock.now().as_second().saturating_add(ahead);
        let authorization = match key {
            None => UNSIGNED.to_owned(),
            Some(key) => {
                let request = sign::Request {
                    method: "POST",
                    host: &self.http.host,
                    query: "",
                    content_type: JSON,
                    action: Some(call.action),
                    payload: Payload::Bytes(&call.body),
                    timestamp,
                    service: self.api.name,
                };
                let signed = sign::sign(&request, &key.secret_id, key.secret_key.expose_secret())
                    .map_err(|error| self.not_made(&error.text()))?;
                self.redactor.hide_signature(&signed.authorization);
                signed.authorization
            }
        };
        let mut headers = self.headers.clone();
        if let Some(key) = key {
            let of_key = key_headers(key).map_err(|error| self.not_made(&error.text()))?;
            headers.extend(of_key);
        }
        let values = [
            (AUTHORIZATION, authorization.as_str(), Text::fixed("key id", "SecretId")),
            (HOST, &self.http.host, Text::fixed("host", "Host")),
            (HeaderName::from_static("x-tc-action"), call.action, Text::fixed("action", "接口名")),
            (HeaderName::from_static("x-tc-traceid"), trace_id, Text::fixed("trace id", "TraceId")),
        ];
        let region = call.region.map(|region| (HeaderName::from_static("x-tc-region"), region, REGION));
        for (name, value, what) in values.into_iter().chain(region) {
            let value = HeaderValue::from_str(value).map_err(|_| {
                let error = ClientError::Header { what };
                self.not_made(&error.text())
            });
            let mut value = value?;
            value.set_sensitive(name == AUTHORIZATION);
            headers.insert(name, value);
        }
        headers.insert("x-tc-timestamp", HeaderValue::from(timestamp));
        Ok(headers)
    }

    /// A request that could not even be made here: the next one could not either.
    fn not_made(&self, why: &Text) -> CloudError {
        CloudError::new(Grade::NotSent(NotSent::NoRequest), self.redactor.say(why))
    }

    /// Repairs what a call was refused for, so that it counts as not sent.
    fn repaired(&self, error: CloudError, signed: &Signed) -> CloudError {
        let repair = error.code.as_deref().and_then(codes::repair);
        match (error.grade, repair) {
            (Grade::Refused(_), Some(what)) if self.repair(what, signed) => {
                CloudError { grade: Grade::NotSent(NotSent::Repaired), ..error }
            }
            _ => error,
        }
    }

    /// Repairs what a call was refused for, once. False when the call had been repaired already.
    fn repair(&self, what: Repair, signed: &Signed) -> bool {
        match what {
            Repair::Clock => self.correct_clock(signed.ahead, signed.date),
            Repair::Token => match (&self.keys, &signed.key) {
                (Some(keys), Some(key)) => keys.turned_away(key),
                _ => false,
            },
        }
    }

    /// Takes the vendor's time over from an answer. False when its call was signed with the vendor's time already, or it
    /// has none.
    fn correct_clock(&self, ahead: Option<i64>, date: Option<Timestamp>) -> bool {
        let Some(date) = date.filter(|_| ahead.is_none()) else {
            return false;
        };
        // Of several calls under way the first sets it; the others need only be signed again.
        self.ahead.get_or_init(|| {
            let ahead = date.as_second() - self.clock.now().as_second();
            CLOCK_IS_OFF.call_once(|| {
                let off = SignedDuration::from_secs(ahead).abs();
                let side = if ahead < 0 { "ahead of" } else { "behind" };
                tracing::warn!("this computer's clock is {off:#} {side} the vendor's, which is used instead");
            });
            ahead
        });
        true
    }

    /// How far the vendor's clock is ahead of ours, as far as its answers have said.
    pub(super) fn ahead(&self) -> SignedDuration {
        SignedDuration::from_secs(self.ahead.get().copied().unwrap_or(0))
    }
}

/// An order or a change of which nobody knows what became has the trace id in what is said of it, where there is no RequestId:
/// it is the only name by which the vendor's support could find the call.
fn traced(action: &str, trace_id: &str, error: CloudError) -> CloudError {
    if !record::acts(action) || error.grade != Grade::Unknown || error.request_id.is_some() {
        return error;
    }
    let said = &error.message;
    CloudError {
        message: text!("{said} (X-TC-TraceId {trace_id})", "{said:#}（X-TC-TraceId {trace_id}）"),
        ..error
    }
}

fn fixed_headers(api: Api, region: Option<&str>, language: &str) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert("x-tc-version", HeaderValue::from_static(api.version));
    headers.insert("x-tc-requestclient", HeaderValue::from_static(REQUEST_CLIENT));
    let language = Some(("x-tc-language", Text::fixed("language", "语言"), language));
    let region = region.map(|region| ("x-tc-region", REGION, region));
    for (name, what, value) in language.into_iter().chain(region) {
        let value = HeaderValue::from_str(value).map_err(|_| ClientError::Header { what })?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// The header that a temporary key brings with it. Its id is tried too, since it will stand in one.
fn key_headers(key: &Credentials) -> Result<HeaderMap, ClientError> {
    HeaderValue::from_str(&key.secret_id)
        .map_err(|_| ClientError::Header { what: Text::fixed("key id", "SecretId") })?;
    let mut headers = HeaderMap::new();
    if let Some(token) = &key.token {
        let mut token = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
            let what = Text::fixed("token", "Token");
            ClientError::Header { what }
        })?;
        token.set_sensitive(true);
        headers.insert("x-tc-token", token);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::http::Transport;
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn the_vendors_clock_is_taken_over_once() {
        let transport = Transport::within(Duration::from_secs(1));
        let http = Http::new("http://127.0.0.1:1", &transport).unwrap();
        let api = Api { name: "tcb", version: "2018-06-08" };
        let service = Service::new(api, http, None, None, "en-US", Arc::new(SystemClock)).unwrap();
        let later = Timestamp::now() + Duration::from_secs(3600);
        assert!(!service.correct_clock(None, None), "an answer without a date mends nothing");
        assert!(service.correct_clock(None, Some(later)));
        assert!(service.correct_clock(None, Some(later)), "another call that was under way");
        assert!(!service.correct_clock(service.ahead.get().copied(), Some(later)));
    }
}
