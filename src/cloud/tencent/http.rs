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
use secrecy::ExposeSecret as _;

use super::endpoint::EndpointUrl;
use super::error::ClientError;
use super::proxy::{Proxies, Proxy};
use super::record::Recorder;
use super::tls;
use crate::i18n::{Text, text};

const USER_AGENT: &str = concat!("postpay/", env!("CARGO_PKG_VERSION"));
/// How long making a connection may take by default.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How connections are made.
#[derive(Debug, Clone)]
pub struct Transport {
    /// For a whole call.
    pub timeout: Duration,
    /// For making the connection; at most three quarters of `timeout` are used.
    pub connect_timeout: Duration,
    /// Certificate authorities that are trusted besides the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    pub proxies: Proxies,
    /// Where every call is recorded, if it is to be.
    pub recorder: Option<Arc<Recorder>>,
}

impl Transport {
    /// Returns the defaults with this much time for a whole call.
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

/// A client for one host.
pub(super) struct Http {
    client: reqwest::Client,
    pub(super) url: Url,
    /// The Host header, which is signed.
    pub(super) host: String,
    timeout: Duration,
    connect_timeout: Duration,
    /// The flag that gives the connection more time.
    connect_flag: &'static str,
    proxy: Option<Proxy>,
    pub(super) recorder: Option<Arc<Recorder>>,
}

/// What came back, however little of it came: whatever has a status is a response.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// As far as it came.
    pub(super) body: Vec<u8>,
    /// Why the body is not complete.
    pub(super) broken: Option<Text>,
}

impl Response {
    /// Returns the server's clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = self.headers.get(DATE)?.to_str().ok()?;
        Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())
    }
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct TransportError {
    pub(super) phase: Phase,
    pub(super) message: Text,
    pub(super) hint: Option<Text>,
}

/// How far a call got that brought no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The request could not be built.
    Request,
    /// There was no connection: no byte of the request left.
    Connect,
    /// The same, and the next attempt would fail alike.
    Tls,
    /// There was a connection.
    Response,
}

impl Http {
    /// Sets the client up. Nothing is sent and no name is resolved.
    ///
    /// # Errors
    /// When a proxy that is set can't be used, or the system provides no HTTP client.
    pub(super) fn new(endpoint: &EndpointUrl, transport: &Transport) -> Result<Self, ClientError> {
        let Transport { timeout, connect_timeout, authorities, proxies, recorder } = transport.clone();
        let proxy =
            if endpoint.is_https() && !endpoint.is_loopback() { proxies.for_host(endpoint)? } else { None };
        let most = timeout / 4 * 3;
        let (connect_timeout, connect_flag) = if connect_timeout <= most {
            (connect_timeout, "--connect-timeout")
        } else {
            (most, "--timeout")
        };
        let not_set_up = |error: reqwest::Error| {
            let why = chain(&error);
            ClientError(text!("cannot set up the HTTP client: {why}", why))
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
        // The variables were read already: the client must not read them in another way.
        let builder = match &proxy {
            None => builder.no_proxy(),
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.url.expose_secret()).map_err(not_set_up)?),
        };
        let client = tls::build(builder, endpoint.is_https(), &authorities).map_err(not_set_up)?;
        Ok(Self {
            client,
            url: endpoint.url().clone(),
            host: endpoint.host_header(),
            timeout,
            connect_timeout,
            connect_flag,
            proxy,
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
    ) -> Result<Response, TransportError> {
        let request = self.client.post(self.url.clone());
        self.send(request.headers(headers).body(body), most).await
    }

    /// Sends a GET and reads at most `most` bytes of what comes back. It is not recorded.
    ///
    /// # Errors
    /// When nothing came back.
    pub(super) async fn get(&self, path: &str, most: usize) -> Result<Response, TransportError> {
        let mut url = self.url.clone();
        url.set_path(path);
        self.send(self.client.get(url), most).await
    }

    async fn send(&self, request: RequestBuilder, most: usize) -> Result<Response, TransportError> {
        let mut response = request.send().await.map_err(|error| self.failed(&error))?;
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
                break Some(text!("the response is longer than {most} KiB", most));
            }
        };
        Ok(Response { status, headers, body, broken })
    }

    fn failed(&self, error: &reqwest::Error) -> TransportError {
        if error.is_connect() {
            return self.no_connection(error);
        }
        let (host, timeout, cause) = (&self.host, self.timeout, chain(error));
        let (phase, message) = if error.is_builder() {
            (Phase::Request, Text::same(cause))
        } else if error.is_timeout() {
            let message =
                text!("no response from {host} within {timeout}", host, timeout = format!("{timeout:?}"));
            (Phase::Response, message)
        } else {
            let message =
                text!("the connection to {host} broke before a response arrived: {cause}", host, cause);
            (Phase::Response, message)
        };
        TransportError { phase, message, hint: None }
    }

    fn no_connection(&self, error: &reqwest::Error) -> TransportError {
        let host = &self.host;
        let to = match &self.proxy {
            None => Text::same(host.clone()),
            Some(Proxy { host: proxy, variable, url: _ }) => {
                text!("{host} through the proxy {proxy} ({variable})", host, proxy, variable)
            }
        };
        let (phase, why, hint) = match tls::fault(error) {
            Some((why, hint)) => (Phase::Tls, why, Some(hint)),
            None => (Phase::Connect, tunnel_error(chain(error)), None),
        };
        let message = if error.is_timeout() {
            let (time, flag) = (self.connect_timeout, self.connect_flag);
            text!("cannot connect to {to} within {time} ({flag})", to, time = format!("{time:?}"), flag)
        } else {
            text!("cannot connect to {to}: {why}", to, why)
        };
        TransportError { phase, message, hint }
    }

    fn cut_off(&self, error: &reqwest::Error) -> Text {
        if error.is_timeout() {
            let timeout = self.timeout;
            text!("the response was not complete within {timeout}", timeout = format!("{timeout:?}"))
        } else {
            let cause = chain(error);
            text!("the response was cut off: {cause}", cause)
        }
    }
}

/// Puts into words what the HTTP client says of a proxy that makes no tunnel.
fn tunnel_error(cause: String) -> Text {
    match cause.as_str() {
        "tunnel error: proxy authorization required" => Text::fixed(
            "the proxy returned HTTP status 407: it requires a user name and password, or rejected them",
        ),
        "tunnel error: unsuccessful" => Text::fixed("the proxy blocked the request"),
        _ => Text::same(cause),
    }
}

/// Returns the causes of a reqwest error, without its own "error sending request" and without repetitions.
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

    /// The connection's own limit comes first. If it ever does not, nobody knows how far the call got.
    #[tokio::test]
    async fn a_timeout_of_the_whole_call_is_not_graded_as_not_sent() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", silent.local_addr().unwrap());
        let transport = Transport::within(Duration::from_secs(1));
        let http = Http::new(&address.parse().unwrap(), &transport).unwrap();
        let request = http.client.post(http.url.clone());
        // Shorter than the time for connecting, which `Http::new` never makes it.
        let error = request.timeout(Duration::from_millis(20)).send().await;
        assert_eq!(http.failed(&error.unwrap_err()).phase, Phase::Response);
        let error = http.post(HeaderMap::new(), Vec::new(), 1).await.err().unwrap();
        assert_eq!(error.phase, Phase::Connect, "{error}");
        assert!(error.to_string().contains("within 750ms (--timeout)"), "{error}");
    }

    #[test]
    fn the_date_of_a_response_is_read() {
        let headers = HeaderMap::from_iter([(DATE, "Wed, 03 Jun 2020 16:00:00 GMT".parse().unwrap())]);
        let response = Response { status: 200, headers, body: Vec::new(), broken: None };
        assert_eq!(response.date().unwrap().as_second(), 1_591_200_000);
    }
}
