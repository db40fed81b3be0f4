//! The client: one signed request over one fresh connection, one answer; and the orders, whose answers are graded.
//!
//! It never sends an order twice; what only looks is beside it, in `read`, and what changes an environment that is there in
//! `change`. Connections are not reused, redirects not followed and nothing is retried below, so that "the connection could
//! not be made" proves that no order left this computer. Whether to try again is the engine's decision.

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use secrecy::ExposeSecret as _;

use super::credentials::Credentials;
use super::endpoint;
use super::evidence::{Reply, judge, no_reply};
use super::read::Spacing;
use super::scrub::Scrub;
use super::sign::{self, Payload};
use super::tls::{self, Roots};
use super::wire::{self, CREATE, SERVICE, VERSION};
use crate::clock::Clock;
use crate::cloud::{CloudError, CloudWrite, Destroy, Done, Grade, Ordered, Reach, Rename, Watcher};
use crate::desired::{Attributes, Field};
use crate::lang::{Text, text};

const JSON: &str = "application/json";
/// The vendor allows `0-9a-zA-Z-_,;.` in X-TC-RequestClient, so no solidus.
pub const REQUEST_CLIENT: &str = concat!("postpay_", env!("CARGO_PKG_VERSION"));
const USER_AGENT: &str = concat!("postpay/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REGION: Text = Text::fixed("region", "地域");

/// What a [`TencentClient`] is made of.
#[derive(Clone)]
pub struct ClientOptions {
    /// `https://host`, or `http://host:port`; no path.
    pub endpoint: String,
    pub credentials: Credentials,
    /// X-TC-Region, sent when there is one.
    pub region: Option<String>,
    /// The regions whose environments are listed, each by its own X-TC-Region. Without any there is one listing, sent as
    /// every other call.
    pub list_regions: Vec<String>,
    /// X-TC-Language: `en-US` or `zh-CN`.
    pub language: String,
    /// For the whole call. Making the connection gets the smaller of ten seconds and three quarters of it.
    pub timeout: Duration,
    /// For how long a call that only looks is repeated when it fails: [`RETRY_READS_FOR`] unless told. An answer that is
    /// under way then is still waited for.
    pub retry_reads_for: Duration,
    pub clock: Arc<dyn Clock>,
}

/// How long a call that only looks is repeated, unless told.
pub const RETRY_READS_FOR: Duration = Duration::from_secs(15);

/// Why there is no client. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    Endpoint {
        endpoint: String,
        why: Text,
    },
    /// A value that no header can hold.
    Header {
        what: Text,
    },
    Http(String),
}

impl ClientError {
    pub fn text(&self) -> Text {
        match self {
            Self::Endpoint { endpoint, why } => text!(
                "`{endpoint}` is no endpoint: {why}",
                "`{endpoint}` 不是接入点：{why:#}"
            ),
            Self::Header { what } => text!(
                "the {what} can't be sent in a header: it holds characters other than printable ASCII",
                "{what:#} 无法放入请求头发送：其中有可打印 ASCII 以外的字符"
            ),
            Self::Http(why) => text!(
                "the HTTP client can't be set up: {why}",
                "无法建立 HTTP 客户端：{why}"
            ),
        }
    }
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().fmt(f)
    }
}

/// Orders environments at the vendor's endpoint, and looks at what is there.
pub struct TencentClient {
    http: reqwest::Client,
    url: Url,
    /// The Host header, which is signed.
    host: String,
    /// The headers that are the same on every call.
    headers: HeaderMap,
    credentials: Credentials,
    pub(super) scrub: Scrub,
    /// Each once, in the order given.
    pub(super) list_regions: Vec<String>,
    timeout: Duration,
    pub(super) retry_reads_for: Duration,
    pub(super) spacing: Spacing,
    /// Hears how far a look has come.
    pub(super) watcher: Option<Watcher>,
    clock: Arc<dyn Clock>,
    /// Seconds that the vendor's clock is ahead of ours, once its answer has said so. Set at most once: a second
    /// complaint is not about the clock.
    ahead: OnceLock<i64>,
}

impl std::fmt::Debug for TencentClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TencentClient")
            .field("url", &self.url.as_str())
            .field("credentials", &self.credentials)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl TencentClient {
    /// Sets a client up. Nothing is sent and no name is resolved.
    ///
    /// # Errors
    /// When an option can't be used, or the system gives no HTTP client.
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let ClientOptions {
            endpoint,
            credentials,
            region,
            mut list_regions,
            language,
            timeout,
            retry_reads_for,
            clock,
        } = options;
        let mut known = HashSet::new();
        list_regions.retain(|region| known.insert(region.clone()));
        // Tried here, so that no listing fails for it half way.
        for region in &list_regions {
            HeaderValue::from_str(region).map_err(|_| ClientError::Header { what: REGION })?;
        }
        let (url, host) = endpoint::parse(&endpoint)?;
        let roots = if url.scheme() == "https" {
            Roots::SystemOrBundled
        } else {
            Roots::None
        };
        let loopback = endpoint::is_loopback(&url);
        let http = tls::build(
            || {
                let builder = reqwest::Client::builder()
                    .user_agent(USER_AGENT)
                    .http1_only()
                    .pool_max_idle_per_host(0)
                    .redirect(reqwest::redirect::Policy::none())
                    .retry(reqwest::retry::never())
                    .referer(false)
                    .connect_timeout(CONNECT_TIMEOUT.min(timeout / 4 * 3))
                    .timeout(timeout);
                // A proxy from the environment would otherwise be asked for this very computer.
                if loopback {
                    builder.no_proxy()
                } else {
                    builder
                }
            },
            roots,
        )
        .map_err(|error| ClientError::Http(chain(&error)))?;
        Ok(Self {
            http,
            host,
            headers: fixed_headers(&credentials, region.as_deref(), &language)?,
            url,
            scrub: Scrub::new(&credentials),
            credentials,
            list_regions,
            timeout,
            retry_reads_for,
            spacing: Spacing::default(),
            watcher: None,
            clock,
            ahead: OnceLock::new(),
        })
    }

    /// The same, with somebody who hears how far each look at the account has come.
    #[must_use]
    pub fn watched(self, watcher: Option<Watcher>) -> Self {
        Self { watcher, ..self }
    }

    /// One request, and what came back of it. Whatever has a status is an answer, however little of it came.
    ///
    /// # Errors
    /// When nothing came back.
    pub(super) async fn post(&self, call: Call<'_>) -> Result<Answer, CloudError> {
        let ahead = self.ahead.get().copied();
        let headers = self.signed_headers(&call, ahead.unwrap_or(0))?;
        let Call { body, most, .. } = call;
        let request = self.http.post(self.url.clone()).headers(headers).body(body);
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.no_response(&error)),
        };
        let status = response.status().as_u16();
        let date = server_time(response.headers());
        let mut received = Vec::new();
        let broken = loop {
            match response.chunk().await {
                Ok(None) => break None,
                Ok(Some(chunk)) => received.extend_from_slice(&chunk),
                Err(error) => break Some(self.cut_off(&error)),
            }
            if received.len() > most {
                received.truncate(most);
                break Some(Text::fixed(
                    "the answer is far longer than any real one",
                    "应答远远长于任何真实的应答",
                ));
            }
        };
        Ok(Answer {
            status,
            body: received,
            broken,
            ahead,
            date,
        })
    }

    fn signed_headers(&self, call: &Call<'_>, ahead: i64) -> Result<HeaderMap, CloudError> {
        let timestamp = self.clock.now().as_second().saturating_add(ahead);
        let request = sign::Request {
            method: "POST",
            host: &self.host,
            query: "",
            content_type: JSON,
            action: Some(call.action),
            payload: Payload::Bytes(&call.body),
            timestamp,
            service: SERVICE,
        };
        let Credentials {
            secret_id,
            secret_key,
            token: _,
        } = &self.credentials;
        let signed = sign::sign(&request, secret_id, secret_key.expose_secret())
            .map_err(|error| self.not_made(&error.text()))?;
        let mut authorization = HeaderValue::from_str(&signed.authorization)
            .map_err(|_| self.not_made(&cant_be_sent("key id", "SecretId")))?;
        authorization.set_sensitive(true);
        let trace = uuid::Uuid::now_v7().to_string();
        let trace = HeaderValue::from_str(&trace)
            .map_err(|_| self.not_made(&cant_be_sent("trace id", "TraceId")))?;
        let host = HeaderValue::from_str(&self.host)
            .map_err(|_| self.not_made(&cant_be_sent("host", "Host")))?;
        let mut headers = self.headers.clone();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(HOST, host);
        headers.insert("x-tc-action", HeaderValue::from_static(call.action));
        if let Some(region) = call.region {
            let region = HeaderValue::from_str(region)
                .map_err(|_| self.not_made(&cant_be_sent("region", "地域")))?;
            headers.insert("x-tc-region", region);
        }
        headers.insert("x-tc-timestamp", HeaderValue::from(timestamp));
        headers.insert("x-tc-traceid", trace);
        Ok(headers)
    }

    /// A request that could not even be made here: the next one could not either.
    fn not_made(&self, why: &Text) -> CloudError {
        CloudError {
            grade: Grade::Refused(Reach::Run),
            ..no_reply(false, why, &self.scrub)
        }
    }

    fn no_response(&self, error: &reqwest::Error) -> CloudError {
        if error.is_builder() {
            return self.not_made(&Text::same(chain(error)));
        }
        let host = &self.host;
        let connected = !error.is_connect();
        let (timeout, cause) = (self.timeout, chain(error));
        let message = match (connected, error.is_timeout()) {
            (false, true) => text!("no connection to {host} in time", "未能及时连接到 {host}"),
            (false, false) => text!(
                "no connection to {host}: {cause}",
                "无法连接到 {host}：{cause}"
            ),
            (true, true) => text!(
                "no answer from {host} within {timeout:?}",
                "{host} 在 {timeout:?} 内没有应答"
            ),
            (true, false) => text!(
                "the connection to {host} broke before an answer came: {cause}",
                "在收到应答之前，与 {host} 的连接中断：{cause}"
            ),
        };
        no_reply(connected, &message, &self.scrub)
    }

    fn cut_off(&self, error: &reqwest::Error) -> Text {
        if error.is_timeout() {
            let timeout = self.timeout;
            text!(
                "the answer was not complete within {timeout:?}",
                "应答在 {timeout:?} 内没有收完"
            )
        } else {
            let cause = chain(error);
            text!("the answer was cut off: {cause}", "应答中断：{cause}")
        }
    }

    /// Takes the vendor's time over from an answer. False when its call was signed with the vendor's time already, or it
    /// has none.
    pub(super) fn correct_clock(&self, ahead: Option<i64>, date: Option<Timestamp>) -> bool {
        let Some(date) = date.filter(|_| ahead.is_none()) else {
            return false;
        };
        // Of several calls under way the first sets it; the others need only be signed again.
        self.ahead
            .get_or_init(|| date.as_second() - self.clock.now().as_second());
        true
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

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    /// As far as it came.
    pub(super) body: Vec<u8>,
    /// Why the body is not whole.
    pub(super) broken: Option<Text>,
    /// How far the vendor's clock was taken to be ahead when the call was signed.
    pub(super) ahead: Option<i64>,
    /// The vendor's time.
    pub(super) date: Option<Timestamp>,
}

impl CloudWrite for TencentClient {
    async fn create(&self, order: &Attributes) -> Result<Ordered, CloudError> {
        let call = Call {
            action: CREATE,
            region: None,
            body: wire::create_body(order),
            most: wire::MAX_BODY,
        };
        let Answer {
            status,
            body,
            broken,
            ahead,
            date,
        } = self.post(call).await?;
        let reply = Reply {
            status,
            body: &body,
            broken,
        };
        judge(&reply, order.get(Field::EnvId), &self.scrub, || {
            self.correct_clock(ahead, date)
        })
    }

    async fn rename(&self, rename: &Rename) -> Result<Done, CloudError> {
        self.modify(rename).await
    }

    async fn destroy(&self, destroy: &Destroy) -> Result<Done, CloudError> {
        self.give_up(destroy).await
    }
}

fn fixed_headers(
    credentials: &Credentials,
    region: Option<&str>,
    language: &str,
) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert("x-tc-version", HeaderValue::from_static(VERSION));
    headers.insert(
        "x-tc-requestclient",
        HeaderValue::from_static(REQUEST_CLIENT),
    );
    let mut add = |name: &'static str, what: Text, value: &str, secret: bool| {
        let mut value = HeaderValue::from_str(value).map_err(|_| ClientError::Header { what })?;
        value.set_sensitive(secret);
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    add(
        "x-tc-language",
        Text::fixed("language", "语言"),
        language,
        false,
    )?;
    if let Some(region) = region {
        add("x-tc-region", REGION, region, false)?;
    }
    if let Some(token) = &credentials.token {
        add(
            "x-tc-token",
            Text::fixed("token", "Token"),
            token.expose_secret(),
            true,
        )?;
    }
    // Tried here, so that no order fails for it later.
    HeaderValue::from_str(&credentials.secret_id).map_err(|_| ClientError::Header {
        what: Text::fixed("key id", "SecretId"),
    })?;
    Ok(headers)
}

fn cant_be_sent(en: &'static str, zh: &'static str) -> Text {
    text!(
        "the {en} can't be sent in a header",
        "{zh} 无法放入请求头发送"
    )
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(date.timestamp())
}

/// What reqwest has to say, without its own "error sending request" and without saying anything twice.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        let repeats = parts.last().is_some_and(|last| last.contains(&text));
        if !repeats && !text.starts_with("client error (") {
            parts.push(text);
        }
        source = cause.source();
    }
    if parts.is_empty() {
        parts.push(error.to_string());
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::cloud::NotSent;

    fn options(endpoint: &str) -> ClientOptions {
        ClientOptions {
            endpoint: endpoint.to_owned(),
            credentials: Credentials {
                secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(),
                secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into(),
                token: Some("tokentoken".into()),
            },
            region: Some("ap-shanghai".to_owned()),
            list_regions: Vec::new(),
            language: "en-US".to_owned(),
            timeout: Duration::from_secs(1),
            retry_reads_for: RETRY_READS_FOR,
            clock: Arc::new(SystemClock),
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for bad in [
            "",
            "tcb.tencentcloudapi.com",
            "ftp://x",
            "https://x/path",
            "https://x/?a=b",
            "https://user:hunter2@x",
            "https://user:hunter2@",
        ] {
            let error = TencentClient::new(options(bad)).unwrap_err().to_string();
            assert!(error.contains("is no endpoint"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_can_not_be_sent_in_a_header_is_refused_at_once() {
        let mut bad = options("http://127.0.0.1:1");
        bad.region = Some("ap\nshanghai".to_owned());
        let error = TencentClient::new(bad).unwrap_err();
        assert!(error.to_string().contains("region"), "{error}");
        let mut bad = options("http://127.0.0.1:1");
        bad.list_regions = vec!["ap-shanghai".to_owned(), "ap\nguangzhou".to_owned()];
        let error = TencentClient::new(bad).unwrap_err();
        assert!(error.to_string().contains("region"), "{error}");
        let mut bad = options("http://127.0.0.1:1");
        bad.credentials.token = Some("a\nb".into());
        let error = TencentClient::new(bad).unwrap_err();
        assert!(error.to_string().contains("the token"), "{error}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!(
            "{:?}",
            TencentClient::new(options("http://127.0.0.1:1")).unwrap()
        );
        assert!(text.contains("AKID…MPLE"), "{text}");
        for secret in ["Gu5t9", "tokentoken", "z8krbs"] {
            assert!(!text.contains(secret), "{text}");
        }
    }

    /// The connection's own limit comes first. If it ever does not, nobody knows how far the call got.
    #[tokio::test]
    async fn a_timeout_of_the_whole_call_is_not_called_not_sent() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("https://{}", silent.local_addr().unwrap());
        let client = TencentClient::new(options(&endpoint)).unwrap();
        let request = client.http.post(client.url.clone());
        // Shorter than the time for connecting, which `TencentClient::new` never makes it.
        let error = request.timeout(Duration::from_millis(20)).send().await;
        let error = client.no_response(&error.unwrap_err());
        assert_eq!(error.grade, Grade::Unknown, "{error:?}");
        let error = client.create(&Attributes::default()).await.unwrap_err();
        assert_eq!(error.grade, Grade::NotSent(NotSent::Connect), "{error:?}");
        assert!(error.message.en().contains("in time"), "{}", error.message);
    }

    #[test]
    fn the_vendors_clock_is_taken_over_once() {
        let client = TencentClient::new(options("http://127.0.0.1:1")).unwrap();
        let later = Timestamp::now() + Duration::from_secs(3600);
        assert!(
            !client.correct_clock(None, None),
            "an answer without a date mends nothing"
        );
        assert!(client.correct_clock(None, Some(later)));
        assert!(
            client.correct_clock(None, Some(later)),
            "another call that was under way"
        );
        assert!(!client.correct_clock(client.ahead.get().copied(), Some(later)));
        let mut headers = HeaderMap::new();
        headers.insert(
            DATE,
            HeaderValue::from_static("Wed, 03 Jun 2020 16:00:00 GMT"),
        );
        assert_eq!(server_time(&headers).unwrap().as_second(), 1_591_200_000);
    }
}
