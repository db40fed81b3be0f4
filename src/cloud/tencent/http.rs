//! One request over one fresh connection, and whatever comes back. The only place that opens a connection.
//!
//! Connections are not reused, redirects not followed and nothing is retried, so that "the connection could not be made"
//! proves that no byte of a request left this computer.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap};
use reqwest::{RequestBuilder, Url};
use rustls::pki_types::CertificateDer;

use super::client::ClientError;
use super::endpoint::{self, EndpointUrl};
use super::proxy::{Proxies, Through};
use super::record::Recorder;
use super::tls::{self, Fault, Roots};
use crate::lang::{Text, text};

const USER_AGENT: &str = concat!("postpay/", env!("CARGO_PKG_VERSION"));
/// How long making a connection may take, unless told.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How connections are made.
#[derive(Debug, Clone)]
pub struct Transport {
    /// For a whole call.
    pub timeout: Duration,
    /// For making the connection. It gets three quarters of the time of a whole call at most.
    pub connect_timeout: Duration,
    /// Certificate authorities that are trusted besides the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What the variables say of proxies.
    pub proxies: Proxies,
    /// Where every call is recorded, if it is to be.
    pub recorder: Option<Arc<Recorder>>,
}

impl Transport {
    /// As usual, with this much time for a whole call.
    pub fn within(timeout: Duration) -> Self {
        Self {
            timeout,
            connect_timeout: CONNECT_TIMEOUT,
            authorities: Vec::new(),
            proxies: Proxies::default(),
            recorder: None,
        }
    }
}

/// One host that is spoken to.
pub(super) struct Http {
    client: reqwest::Client,
    pub(super) url: Url,
    /// The Host header, which is signed.
    pub(super) host: String,
    pub(super) timeout: Duration,
    connect_timeout: Duration,
    /// The flag to give the connection more time with.
    connect_flag: &'static str,
    through: Option<Through>,
    pub(super) recorder: Option<Arc<Recorder>>,
}

/// What came back. Whatever has a status is an answer, however little of it came.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// As far as it came.
    pub(super) body: Vec<u8>,
    /// Why the body is not whole.
    pub(super) broken: Option<Text>,
}

impl Received {
    /// The answering clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        server_time(&self.headers)
    }
}

/// Nothing came back.
pub(super) struct Lost {
    pub(super) when: When,
    pub(super) why: Text,
    pub(super) hint: Option<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// The request could not even be made.
    Made,
    /// No connection stood: no byte of the request left.
    Connecting,
    /// The same, and the next attempt would meet the same.
    Tls,
    /// Once a connection stood.
    Connected,
}

impl Http {
    /// Sets it up. Nothing is sent and no name is resolved.
    ///
    /// # Errors
    /// When the address can't be one, or the system gives no HTTP client.
    pub(super) fn new(address: &str, transport: &Transport) -> Result<Self, ClientError> {
        let endpoint = endpoint::parse(address)?;
        let loopback = endpoint.is_loopback();
        if !endpoint.is_https() && !loopback {
            return Err(ClientError::Endpoint {
                endpoint: endpoint.host_header(),
                why: Text::fixed(
                    "without TLS only this very computer is spoken to: https://",
                    "不使用 TLS 时只会连接本机：请用 https://",
                ),
            });
        }
        Self::built(&endpoint, transport, loopback)
    }

    /// The same for `known`, or in its place for this very computer: without TLS, and without a proxy between.
    ///
    /// # Errors
    /// When the address is neither, or the system gives no HTTP client.
    pub(super) fn beside(
        address: &str,
        known: &str,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        let endpoint = endpoint::parse(address)?;
        if address != known && !endpoint.is_loopback() {
            return Err(ClientError::Endpoint {
                endpoint: endpoint.host_header(),
                why: text!("only {known} and this very computer are asked", "只会请求 {known} 和本机"),
            });
        }
        let transport = Transport { connect_timeout, ..Transport::within(timeout) };
        Self::built(&endpoint, &transport, true)
    }

    fn built(endpoint: &EndpointUrl, transport: &Transport, direct: bool) -> Result<Self, ClientError> {
        let Transport { timeout, connect_timeout, authorities, proxies, recorder } = transport.clone();
        let is_secure = endpoint.is_https();
        let roots = if is_secure { Roots::SystemOrBundled } else { Roots::None };
        let through = if is_secure && !direct { proxies.to(endpoint)? } else { None };
        let most = timeout / 4 * 3;
        let (connect_timeout, connect_flag) = if connect_timeout <= most {
            (connect_timeout, "--connect-timeout")
        } else {
            (most, "--timeout")
        };
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .http1_only()
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(connect_timeout)
            .timeout(timeout);
        // What the variables say was read already: the client is to read nothing of it in another way.
        let builder = match &through {
            None => builder.no_proxy(),
            Some(through) => builder.proxy(
                reqwest::Proxy::all(through.url.clone()).map_err(|error| ClientError::Http(chain(&error)))?,
            ),
        };
        let client =
            tls::build(builder, roots, &authorities).map_err(|error| ClientError::Http(chain(&error)))?;
        Ok(Self {
            client,
            url: endpoint.url().clone(),
            host: endpoint.host_header(),
            timeout,
            connect_timeout,
            connect_flag,
            through,
            recorder,
        })
    }

    /// Sends a POST and reads at most `most` bytes of what comes back.
    ///
    /// # Errors
    /// When nothing came back.
    pub(super) async fn post(
        &self,
        headers: HeaderMap,
        body: Vec<u8>,
        most: usize,
    ) -> Result<Received, Lost> {
        let request = self.client.post(self.url.clone());
        self.send(request.headers(headers).body(body), most).await
    }

    /// Asks for a page, and reads at most `most` bytes of it. Nothing is recorded of it.
    ///
    /// # Errors
    /// When nothing came back.
    pub(super) async fn get(&self, path: &str, most: usize) -> Result<Received, Lost> {
        let mut url = self.url.clone();
        url.set_path(path);
        self.send(self.client.get(url), most).await
    }

    async fn send(&self, request: RequestBuilder, most: usize) -> Result<Received, Lost> {
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.lost(&error)),
        };
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        let broken = loop {
            match response.chunk().await {
                Ok(None) => break None,
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => break Some(self.cut_off(&error)),
            }
            if body.len() > most {
                body.truncate(most);
                let most = most >> 10;
                break Some(text!("the answer is longer than {most} KiB", "应答超过 {most} KiB"));
            }
        };
        Ok(Received { status, headers, body, broken })
    }

    fn lost(&self, error: &reqwest::Error) -> Lost {
        if error.is_builder() {
            return Lost { when: When::Made, why: Text::same(chain(error)), hint: None };
        }
        if error.is_connect() {
            return self.unconnected(error);
        }
        let (host, timeout, cause) = (&self.host, self.timeout, chain(error));
        let why = if error.is_timeout() {
            text!("no answer from {host} within {timeout:?}", "{host} 在 {timeout:?} 内没有应答")
        } else {
            text!(
                "the connection to {host} broke before an answer came: {cause}",
                "在收到应答之前，与 {host} 的连接中断：{cause}"
            )
        };
        Lost { when: When::Connected, why, hint: None }
    }

    /// Why there is no connection.
    fn unconnected(&self, error: &reqwest::Error) -> Lost {
        let host = &self.host;
        let to = match &self.through {
            None => Text::same(host.clone()),
            Some(Through { host: proxy, variable, url: _ }) => text!(
                "{host} through the proxy {proxy} ({variable})",
                "{host}（经由 {variable} 的代理 {proxy}）"
            ),
        };
        let fault = tls::fault(error);
        let when = match &fault {
            Some(_) => When::Tls,
            None => When::Connecting,
        };
        let (why, hint) = match fault {
            Some(Fault { why, hint }) => (why, Some(hint)),
            None => (self.no_tunnel(&chain(error)), None),
        };
        let why = if error.is_timeout() {
            let (time, flag) = (self.connect_timeout, self.connect_flag);
            text!(
                "no connection to {to} within {time:?} ({flag})",
                "在 {time:?}（{flag}）内未能连接到 {to:#}"
            )
        } else {
            text!("no connection to {to}: {why}", "无法连接到 {to:#}：{why:#}")
        };
        Lost { when, why, hint }
    }

    /// In words, where it is a proxy that says no; its client has but two for it.
    fn no_tunnel(&self, cause: &str) -> Text {
        if self.through.is_none() {
            return Text::same(cause.to_owned());
        }
        match cause {
            "tunnel error: proxy authorization required" => Text::fixed(
                "the proxy answered with HTTP status 407: it wants a user name and password, or others",
                "代理返回了 HTTP 状态 407：它需要用户名和密码，或提供的不正确",
            ),
            "tunnel error: unsuccessful" => Text::fixed("the proxy did not let it through", "代理没有放行"),
            cause => Text::same(cause.to_owned()),
        }
    }

    fn cut_off(&self, error: &reqwest::Error) -> Text {
        if error.is_timeout() {
            let timeout = self.timeout;
            text!("the answer was not complete within {timeout:?}", "应答在 {timeout:?} 内没有收完")
        } else {
            let cause = chain(error);
            text!("the answer was cut off: {cause}", "应答中断：{cause}")
        }
    }
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
    use reqwest::header::HeaderValue;

    use super::*;

    /// The connection's own limit comes first. If it ever does not, nobody knows how far the call got.
    #[tokio::test]
    async fn a_timeout_of_the_whole_call_is_not_called_not_sent() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", silent.local_addr().unwrap());
        let transport = Transport::within(Duration::from_secs(1));
        let http = Http::new(&address, &transport).unwrap();
        let request = http.client.post(http.url.clone());
        // Shorter than the time for connecting, which `Http::new` never makes it.
        let error = request.timeout(Duration::from_millis(20)).send().await;
        assert_eq!(http.lost(&error.unwrap_err()).when, When::Connected);
        let lost = http.post(HeaderMap::new(), Vec::new(), 1).await.err();
        let lost = lost.unwrap();
        assert_eq!(lost.when, When::Connecting, "{}", lost.why);
        assert!(lost.why.en().contains("within 750ms (--timeout)"), "{}", lost.why);
    }

    #[test]
    fn the_answering_clock_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Wed, 03 Jun 2020 16:00:00 GMT"));
        assert_eq!(server_time(&headers).unwrap().as_second(), 1_591_200_000);
    }
}
