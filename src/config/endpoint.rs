//! Where calls are sent: Tencent Cloud, another endpoint, or the sandbox.

use std::fmt;
use std::str::FromStr;

pub use crate::cloud::tencent::{EndpointError, EndpointUrl, user_info};

/// The name of the embedded endpoint, and the site of every endpoint on this machine.
pub const SANDBOX: &str = "sandbox";
/// The public endpoint of Tencent Cloud.
pub const DEFAULT_ENDPOINT: &str = "https://tcb.tencentcloudapi.com";
/// The name of the endpoint within Tencent Cloud's network.
const INTERNAL: &str = "internal";

/// Returns Tencent Cloud's host for a short name: `internal`, or a region as `ap-shanghai`.
fn host_of(name: &str) -> Option<String> {
    let is_region = name.split_once('-').is_some_and(|(continent, place)| {
        continent.len() == 2
            && continent.bytes().all(|byte| byte.is_ascii_lowercase())
            && !place.is_empty()
            && !place.ends_with('-')
            && place.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    });
    (name == INTERNAL || is_region).then(|| format!("tcb.{name}.tencentcloudapi.com"))
}

/// Where calls are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// The embedded endpoint.
    Sandbox,
    Url(EndpointUrl),
}

impl Endpoint {
    /// Returns the site whose accounts the endpoint serves, which a state records.
    ///
    /// Tencent Cloud's regional hosts serve the same accounts; its international site and its finance regions
    /// have others.
    pub fn site(&self) -> String {
        const DOMESTIC: &str = "tencentcloudapi.com";
        const INTERNATIONAL: &str = "intl.tencentcloudapi.com";
        let url = match self {
            Self::Sandbox => return SANDBOX.to_owned(),
            Self::Url(url) if url.is_loopback() => return SANDBOX.to_owned(),
            Self::Url(url) => url,
        };
        let below = |site: &str| url.host().strip_suffix(site).is_some_and(|name| name.ends_with('.'));
        match url.port() {
            Some(port) => format!("{}:{port}", url.host()),
            _ if below(INTERNATIONAL) => INTERNATIONAL.to_owned(),
            _ if below(DOMESTIC) && !url.host().contains("-fsi.") => DOMESTIC.to_owned(),
            _ => url.host().to_owned(),
        }
    }
}

/// Tencent Cloud's default endpoint.
impl Default for Endpoint {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "it is a constant, and a test reads it")]
        DEFAULT_ENDPOINT.parse().expect("an address")
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text == SANDBOX {
            return Ok(Self::Sandbox);
        }
        match host_of(text) {
            Some(host) => format!("https://{host}").parse().map(Self::Url),
            None => text.parse().map(Self::Url),
        }
    }
}

/// `sandbox`, or the address.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sandbox => f.write_str("sandbox"),
            Self::Url(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, assert_chinese};
    use crate::i18n::Text;

    #[test]
    fn default_is_the_documented_endpoint() {
        assert_eq!(Endpoint::default().to_string(), DEFAULT_ENDPOINT);
    }

    #[test]
    fn site_is_one_set_of_accounts() {
        let table = [
            ("sandbox", "sandbox"),
            ("http://127.0.0.1:8650", "sandbox"),
            ("https://tcb.tencentcloudapi.com", "tencentcloudapi.com"),
            ("https://tcb.ap-shanghai.tencentcloudapi.com", "tencentcloudapi.com"),
            ("https://tcb.internal.tencentcloudapi.com:443", "tencentcloudapi.com"),
            ("https://tcb.intl.tencentcloudapi.com", "intl.tencentcloudapi.com"),
            ("https://tcb.ap-shanghai-fsi.tencentcloudapi.com", "tcb.ap-shanghai-fsi.tencentcloudapi.com"),
            ("https://eviltencentcloudapi.com", "eviltencentcloudapi.com"),
            ("https://gateway.example.com:8443", "gateway.example.com:8443"),
        ];
        for (endpoint, site) in table {
            assert_eq!(endpoint.parse::<Endpoint>().unwrap().site(), site);
        }
    }

    #[test]
    fn valid_endpoints_round_trip() {
        for (text, shown) in [
            ("sandbox", "sandbox"),
            ("https://tcb.tencentcloudapi.com", "https://tcb.tencentcloudapi.com"),
            ("HTTPS://TCB.tencentcloudapi.com/", "https://tcb.tencentcloudapi.com"),
            ("https://10.0.0.8:8443", "https://10.0.0.8:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:80", "http://[::1]"),
            ("internal", "https://tcb.internal.tencentcloudapi.com"),
            ("ap-shanghai-fsi", "https://tcb.ap-shanghai-fsi.tencentcloudapi.com"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(shown.parse(), Ok(endpoint));
        }
    }

    #[test]
    fn invalid_endpoints_are_rejected_with_the_reason() {
        for (text, error) in [
            ("", EndpointError::Scheme),
            ("tcb.tencentcloudapi.com", EndpointError::Scheme),
            ("Sandbox", EndpointError::Scheme),
            ("ap-", EndpointError::Scheme),
            ("apx-shanghai", EndpointError::Scheme),
            ("ap-shanghai.evil.com", EndpointError::Scheme),
            ("Internal", EndpointError::Scheme),
            ("ftp://x", EndpointError::Scheme),
            ("http://tcb.tencentcloudapi.com", EndpointError::PlainHttp),
            ("http://127.0.0.1.evil.com", EndpointError::PlainHttp),
            ("http://[::2]", EndpointError::PlainHttp),
            ("http://localhost.evil.com", EndpointError::PlainHttp),
            ("http://sandbox.localhost", EndpointError::PlainHttp),
            ("https://x/v1", EndpointError::Path),
            ("https://x//", EndpointError::Path),
            ("https://x?y", EndpointError::Path),
            ("https://x#y", EndpointError::Path),
            ("https://x\\y", EndpointError::Path),
            ("https://user:secret@x", EndpointError::UserInfo),
            ("https://", EndpointError::Host),
            ("https://a b", EndpointError::Host),
            ("https://x.", EndpointError::Host),
            ("https:x", EndpointError::Scheme),
            (" https://x", EndpointError::Scheme),
            ("https://x\t", EndpointError::Host),
            ("https://%78", EndpointError::Host),
            ("https://环境.com", EndpointError::Host),
            ("http://127.1", EndpointError::Host),
            ("http://0x7f.0.0.1", EndpointError::Host),
            ("https://[::1", EndpointError::Host),
            ("https://x:", EndpointError::Port),
            ("https://x:0", EndpointError::Port),
            ("https://x:65536", EndpointError::Port),
            ("https://x:+1", EndpointError::Port),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(error), "{text}");
            assert_chinese(&[Diagnostic::error("invalid-value", Text::of(&error))]);
        }
    }
}
