//! The client and its options. `read` and `write` have its calls.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::ask::Spacing;
use super::credentials::cache::CredentialCache;
use super::endpoint::EndpointUrl;
use super::error::ClientError;
use super::http::{Http, Transport};
use super::service::{REGION, Service, header};
use super::wire::{self, SERVICE, VERSION};
use crate::clock::Clock;
use crate::cloud::Watcher;
use crate::model::Kind;
use crate::model::kind::Api;

const TCB: Api = Api { service: SERVICE, version: VERSION };
const TCBR: Api = Api { service: wire::TCBR_SERVICE, version: wire::TCBR_VERSION };

/// What a [`TencentClient`] is made of.
#[derive(Clone)]
pub struct ClientOptions {
    pub endpoint: EndpointUrl,
    pub credentials: Arc<CredentialCache>,
    /// X-TC-Region, if it is sent.
    pub region: Option<String>,
    /// The regions whose environments are listed besides `region`: see [`regions_to_list`].
    pub list_regions: Vec<String>,
    /// X-TC-Language: `en-US` or `zh-CN`.
    pub language: String,
    pub transport: Transport,
    /// How long a call that only reads is repeated when it fails: by default [`RETRY_READS_FOR`]. A call that is in progress then
    /// is still waited for.
    pub retry_reads_for: Duration,
    pub clock: Arc<dyn Clock>,
}

/// Returns the regions that a listing asks, each once: those in `named`, and the one that creates are sent with. None is a call
/// without a region.
///
/// An environment is created in the region that the call was sent with. A listing without that region would not show it, and
/// whoever concludes that it was not created creates it a second time.
pub fn regions_to_list(own: Option<&str>, named: impl IntoIterator<Item = String>) -> Vec<Option<String>> {
    let mut known = HashSet::new();
    let own = own.map(str::to_owned);
    let mut regions: Vec<_> = named.into_iter().map(Some).chain([own]).collect();
    regions.retain(|region| known.insert(region.clone()));
    regions
}

/// How long a call that only reads is repeated by default.
pub const RETRY_READS_FOR: Duration = Duration::from_secs(15);

/// Creates environments at Tencent Cloud's endpoint, and reads what is there.
pub struct TencentClient {
    pub(super) service: Service,
    /// CloudRun's.
    pub(super) tcbr: Service,
    /// The regions that a listing asks, each once. None is a call without a region.
    pub(super) regions: Vec<Option<String>>,
    pub(super) retry_reads_for: Duration,
    pub(super) spacing: Spacing,
    /// Called with the progress of a listing.
    pub(super) watcher: Option<Watcher>,
}

impl std::fmt::Debug for TencentClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TencentClient").field("service", &self.service).finish_non_exhaustive()
    }
}

impl TencentClient {
    /// Sets the client up. Nothing is sent and no name is resolved.
    ///
    /// # Errors
    /// When an option can't be used, or the system gives no HTTP client.
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let ClientOptions {
            endpoint,
            credentials,
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
            header(region, &REGION)?;
        }
        let http = Http::new(&endpoint, &transport)?;
        let region = region.as_deref();
        let beside = Http::new(&endpoint.of_service(TCBR.service), &transport)?;
        let service = |api, http| {
            Service::new(api, http, Some(Arc::clone(&credentials)), region, &language, Arc::clone(&clock))
        };
        Ok(Self {
            service: service(TCB, http)?,
            tcbr: service(TCBR, beside)?,
            regions,
            retry_reads_for,
            spacing: Spacing::default(),
            watcher: None,
        })
    }

    /// Returns the service of a kind.
    pub(super) fn service_of(&self, kind: &Kind) -> &Service {
        if kind.api == TCBR { &self.tcbr } else { &self.service }
    }

    /// Returns the regions that a listing asks. None is a call without a region.
    pub fn regions(&self) -> &[Option<String>] {
        &self.regions
    }

    /// Returns the client with a function that is called with the progress of each listing.
    #[must_use]
    pub fn watched(self, watcher: Option<Watcher>) -> Self {
        Self { watcher, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::cloud::tencent::credentials::types::Credentials;
    use crate::cloud::{CloudWrite as _, Grade, NotSent, Order};
    use crate::model::Attributes;

    fn credentials(token: &str) -> Arc<CredentialCache> {
        let credentials = Credentials {
            secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(),
            secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into(),
            token: Some(token.into()),
        };
        Arc::new(CredentialCache::fixed(credentials))
    }

    fn options(endpoint: &str) -> ClientOptions {
        ClientOptions {
            endpoint: endpoint.parse().unwrap(),
            credentials: credentials("tokentoken"),
            region: Some("ap-shanghai".to_owned()),
            list_regions: Vec::new(),
            language: "en-US".to_owned(),
            transport: Transport::within(Duration::from_secs(1)),
            retry_reads_for: RETRY_READS_FOR,
            clock: Arc::new(SystemClock),
        }
    }

    #[test]
    fn values_that_no_header_can_hold_are_refused_at_once() {
        let mut bad = options("http://127.0.0.1:1");
        bad.region = Some("ap\nshanghai".to_owned());
        let error = TencentClient::new(bad).unwrap_err();
        assert!(error.to_string().contains("region"), "{error}");
        let mut bad = options("http://127.0.0.1:1");
        bad.list_regions = vec!["ap-shanghai".to_owned(), "ap\nguangzhou".to_owned()];
        let error = TencentClient::new(bad).unwrap_err();
        assert!(error.to_string().contains("region"), "{error}");
        let mut bad = options("http://127.0.0.1:1");
        bad.credentials = credentials("a\nb");
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
    async fn a_create_without_a_connection_was_not_sent() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("https://{}", silent.local_addr().unwrap());
        let client = TencentClient::new(options(&endpoint)).unwrap();
        let order = Order::from(Attributes::default());
        let error = client.create(&order).await.unwrap_err();
        assert_eq!(error.grade, Grade::NotSent(NotSent::Connect), "{error:?}");
        assert!(error.message.en().contains("within"), "{}", error.message);
    }
}
