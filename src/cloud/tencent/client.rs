//! The client and its options. `read` and `write` have its calls.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;

use super::ask::Spacing;
use super::http::{Http, Transport};
use super::keys::Keys;
use super::service::{Api, REGION, Service};
use super::wire::{SERVICE, VERSION};
use crate::clock::Clock;
use crate::cloud::Watcher;
use crate::lang::{Text, text};

const TCB: Api = Api { name: SERVICE, version: VERSION };

/// What a [`TencentClient`] is made of.
#[derive(Clone)]
pub struct ClientOptions {
    /// `https://host`, or `http://host:port`; no path.
    pub endpoint: String,
    pub keys: Arc<Keys>,
    /// X-TC-Region, sent when there is one.
    pub region: Option<String>,
    /// The regions whose environments are listed besides the one that calls are sent with: see [`regions_to_list`].
    pub list_regions: Vec<String>,
    /// X-TC-Language: `en-US` or `zh-CN`.
    pub language: String,
    pub transport: Transport,
    /// For how long a call that only looks is repeated when it fails: [`RETRY_READS_FOR`] unless told. An answer that is
    /// under way then is still waited for.
    pub retry_reads_for: Duration,
    pub clock: Arc<dyn Clock>,
}

/// The regions that a listing asks, each once: those that are named, and whichever `own` one orders are sent with. None is a
/// call that names no region.
///
/// An order is made in the region that it was sent with. A listing without that region would show nothing of it, and whoever
/// takes that for "not made" orders it a second time.
pub fn regions_to_list(own: Option<&str>, named: impl IntoIterator<Item = String>) -> Vec<Option<String>> {
    let mut known = HashSet::new();
    let own = own.map(str::to_owned);
    let mut regions: Vec<_> = named.into_iter().map(Some).chain([own]).collect();
    regions.retain(|region| known.insert(region.clone()));
    regions
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
    /// What can be no name of a machine's role.
    Role {
        role: String,
    },
    /// A variable about proxies that can't be used. What it says of one is left out: it may be a password.
    Proxy {
        variable: &'static str,
        why: Text,
    },
    Http(String),
}

impl ClientError {
    pub fn text(&self) -> Text {
        match self {
            Self::Endpoint { endpoint, why } => {
                text!("`{endpoint}` is no endpoint: {why}", "`{endpoint}` 不是端点：{why:#}")
            }
            Self::Header { what } => text!(
                "the {what} can't be sent in a header: it holds characters other than printable ASCII",
                "{what:#} 无法放入请求头发送：其中有可打印 ASCII 以外的字符"
            ),
            Self::Role { role } => {
                text!("`{role}` can't be the name of a machine's role", "`{role}` 不可能是本机角色的名称")
            }
            Self::Proxy { variable, why } => {
                text!("{variable} can't be used: {why}", "{variable} 无法使用：{why:#}")
            }
            Self::Http(why) => text!("the HTTP client can't be set up: {why}", "无法建立 HTTP 客户端：{why}"),
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
    pub(super) service: Service,
    /// What a listing asks, each once. None is a call that names no region.
    pub(super) regions: Vec<Option<String>>,
    pub(super) retry_reads_for: Duration,
    pub(super) spacing: Spacing,
    /// Hears how far a look has come.
    pub(super) watcher: Option<Watcher>,
}

impl std::fmt::Debug for TencentClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TencentClient").field("service", &self.service).finish_non_exhaustive()
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
            keys,
            region,
            list_regions,
            language,
            transport,
            retry_reads_for,
            clock,
        } = options;
        let regions = regions_to_list(region.as_deref(), list_regions);
        // Tried here, so that no listing fails for it half way.
        for region in regions.iter().flatten() {
            HeaderValue::from_str(region).map_err(|_| ClientError::Header { what: REGION })?;
        }
        let http = Http::new(&endpoint, &transport)?;
        let region = region.as_deref();
        Ok(Self {
            service: Service::new(TCB, http, Some(keys), region, &language, clock)?,
            regions,
            retry_reads_for,
            spacing: Spacing::default(),
            watcher: None,
        })
    }

    /// The regions that a listing asks. None is a call that names no region.
    pub fn regions(&self) -> &[Option<String>] {
        &self.regions
    }

    /// The same, with somebody who hears how far each look at the account has come.
    #[must_use]
    pub fn watched(self, watcher: Option<Watcher>) -> Self {
        Self { watcher, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::cloud::tencent::Credentials;
    use crate::cloud::{CloudWrite as _, Grade, NotSent};
    use crate::model::Attributes;

    fn keys(token: &str) -> Arc<Keys> {
        let credentials = Credentials {
            secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(),
            secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into(),
            token: Some(token.into()),
        };
        Arc::new(Keys::given(credentials))
    }

    fn options(endpoint: &str) -> ClientOptions {
        ClientOptions {
            endpoint: endpoint.to_owned(),
            keys: keys("tokentoken"),
            region: Some("ap-shanghai".to_owned()),
            list_regions: Vec::new(),
            language: "en-US".to_owned(),
            transport: Transport::within(Duration::from_secs(1)),
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
            "http://tcb.tencentcloudapi.com",
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
        bad.keys = keys("a\nb");
        let error = TencentClient::new(bad).unwrap_err();
        assert!(error.to_string().contains("the token"), "{error}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", TencentClient::new(options("http://127.0.0.1:1")).unwrap());
        assert!(text.contains("AKID…MPLE"), "{text}");
        for secret in ["Gu5t9", "tokentoken", "z8krbs"] {
            assert!(!text.contains(secret), "{text}");
        }
    }

    #[tokio::test]
    async fn an_order_that_met_nobody_was_not_sent() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("https://{}", silent.local_addr().unwrap());
        let client = TencentClient::new(options(&endpoint)).unwrap();
        let error = client.create(&Attributes::default()).await.unwrap_err();
        assert_eq!(error.grade, Grade::NotSent(NotSent::Connect), "{error:?}");
        assert!(error.message.en().contains("within"), "{}", error.message);
    }
}
