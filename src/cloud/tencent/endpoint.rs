//! Addresses that requests are sent to: parsed once, and refused here when they cannot be used.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::str::FromStr;

use url::{Host, ParseError, Url};

use crate::i18n::Text;

const STS_HOST: &str = "sts.tencentcloudapi.com";
const METADATA: &str = "http://metadata.tencentyun.com";

/// An address without path or user name: https to any host, http to this computer alone. `Display` leaves out the port that the
/// scheme implies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl(Url);

/// Why a text is no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    Scheme,
    PlainHttp,
    Path,
    UserInfo,
    Host,
    Port,
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Scheme => Text::fixed(
                "the endpoint must be `sandbox`, `internal`, a region such as ap-shanghai, or a URL that starts with https://",
            ),
            Self::PlainHttp => Text::fixed("plain http is only allowed for loopback: use https"),
            Self::Path => Text::fixed("the endpoint must not have a path, query or fragment"),
            Self::UserInfo => Text::fixed(
                "the endpoint must not contain a user name or password: pass credentials separately",
            ),
            Self::Host => Text::fixed("the host of the endpoint is not a host name or an IP address"),
            Self::Port => Text::fixed("the port of the endpoint is not a number from 1 to 65535"),
        };
        text.fmt(f)
    }
}

impl FromStr for EndpointUrl {
    type Err = EndpointError;

    /// Accepts only what can be read in one way: a text that the parser would have to change is refused.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        if !["https", "http"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(EndpointError::Scheme);
        }
        let given = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        if given.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let url = Url::parse(text).map_err(|error| {
            if error == ParseError::InvalidPort { EndpointError::Port } else { EndpointError::Host }
        })?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Path);
        }
        if given.ends_with(':') || url.port() == Some(0) {
            return Err(EndpointError::Port);
        }
        let endpoint = Self(url);
        let with_port =
            format!("{}:{}", endpoint.host(), endpoint.0.port_or_known_default().unwrap_or_default());
        let is_ipv6 = matches!(endpoint.0.host(), Some(Host::Ipv6(_)));
        let is_unchanged = is_ipv6 || [endpoint.host_header(), with_port].contains(&given);
        if !is_unchanged || endpoint.host().ends_with('.') {
            return Err(EndpointError::Host);
        }
        if !endpoint.is_https() && !endpoint.is_loopback() {
            return Err(EndpointError::PlainHttp);
        }
        Ok(endpoint)
    }
}

impl EndpointUrl {
    /// The host as a request names it, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port, unless it is the one that the scheme implies.
    pub fn port(&self) -> Option<u16> {
        self.0.port()
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether the host is this computer. A name below `localhost` is not: the system's resolver may answer with another one.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        host == "localhost"
            || bracketed.unwrap_or(host).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The STS endpoint that belongs to this one: beside it at Tencent Cloud's hosts, the same on this computer, and Tencent Cloud's
    /// own otherwise, because another host gets no credentials that it could pass on.
    #[must_use]
    pub fn sts(&self) -> Self {
        match self.host_header().strip_prefix("tcb.") {
            Some(rest) if self.host().ends_with(".tencentcloudapi.com") => {
                Self::known(&format!("https://sts.{rest}"))
            }
            _ if self.is_loopback() => self.clone(),
            Some(_) | None => Self::known(&format!("https://{STS_HOST}")),
        }
    }

    /// The endpoint of another service that takes the same credentials: beside this one at Tencent Cloud's hosts, else this one.
    #[must_use]
    pub fn of_service(&self, service: &str) -> Self {
        if self.host_header().starts_with(&format!("{service}.")) {
            return self.clone();
        }
        match self.host_header().strip_prefix("tcb.") {
            Some(rest) if self.host().ends_with(".tencentcloudapi.com") => {
                Self::known(&format!("https://{service}.{rest}"))
            }
            Some(_) | None => self.clone(),
        }
    }

    /// The metadata service of Tencent Cloud's machines, the one host off this computer that is asked without TLS: it has no other
    /// way, and its address is link-local.
    pub(super) fn metadata() -> Self {
        Self::known(METADATA)
    }

    #[expect(clippy::expect_used, reason = "a constant, or a host that was parsed before")]
    fn known(address: &str) -> Self {
        Self(Url::parse(address).expect("an address"))
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// The Host header, which is signed.
    pub(super) fn host_header(&self) -> String {
        match self.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.host_header())
    }
}

/// Where a user name and password stand in an address: between its scheme and its last `@`. They are never shown.
pub fn user_info(text: &str) -> Option<Range<usize>> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text.rfind('@')?;
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> EndpointUrl {
        text.parse().unwrap()
    }

    #[test]
    fn the_host_is_signed_as_it_is_sent() {
        for (text, host) in [
            ("https://tcb.tencentcloudapi.com", "tcb.tencentcloudapi.com"),
            ("https://tcb.tencentcloudapi.com/", "tcb.tencentcloudapi.com"),
            ("https://tcb.tencentcloudapi.com:443", "tcb.tencentcloudapi.com"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://127.0.0.1:80", "127.0.0.1"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(endpoint(text).host_header(), host);
        }
    }

    #[test]
    fn loopback_is_recognised_by_every_name() {
        for (text, expected) in [
            ("http://localhost:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1", true),
            ("https://sandbox.localhost", false),
            ("https://tcb.tencentcloudapi.com", false),
            ("https://localhost.example.com", false),
        ] {
            assert_eq!(endpoint(text).is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn sts_is_beside_the_endpoint_and_credentials_go_to_no_other_host() {
        let default = "https://sts.tencentcloudapi.com";
        for (text, expected) in [
            ("https://tcb.tencentcloudapi.com", default),
            ("https://tcb.internal.tencentcloudapi.com", "https://sts.internal.tencentcloudapi.com"),
            ("https://tcb.ap-shanghai.tencentcloudapi.com", "https://sts.ap-shanghai.tencentcloudapi.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://localhost:8443", "https://localhost:8443"),
            ("https://tcb.example.com", default),
            ("https://eviltencentcloudapi.com", default),
            ("https://tcb.eviltencentcloudapi.com", default),
        ] {
            assert_eq!(endpoint(text).sts().to_string(), expected, "{text}");
        }
        assert_eq!(EndpointUrl::metadata().to_string(), METADATA);
    }
}
