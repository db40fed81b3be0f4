//! The endpoint's address, parsed once: what may be one, how it is shown, and the Host header that is signed for it. Pure.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::str::FromStr;

use url::{Host, ParseError, Url};

use super::client::ClientError;
use super::redact::visible;
use crate::lang::{Text, text};

/// An address without path or user name: `https://tcb.tencentcloudapi.com`. Display gives it whole, without the port that its
/// scheme has anyway.
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

impl EndpointError {
    fn text(self) -> Text {
        match self {
            Self::Scheme => text!(
                "an endpoint is `sandbox`, `internal`, a region as ap-shanghai, or an address that starts with https://",
                "endpoint 应为 `sandbox`、`internal`、地域（如 ap-shanghai），或以 https:// 开头的地址"
            ),
            Self::PlainHttp => text!(
                "plain http is only allowed on loopback: use https",
                "http 只能用于本机回环地址：请用 https"
            ),
            Self::Path => {
                text!("an endpoint has no path, query or fragment", "endpoint 不能带路径、查询参数或片段")
            }
            Self::UserInfo => text!(
                "an endpoint has no user name or password: keys are given as credentials",
                "endpoint 不能带用户名或密码：密钥请通过凭证提供"
            ),
            Self::Host => text!(
                "the host of this endpoint is not a host name or an address",
                "该 endpoint 的主机部分不是主机名或 IP 地址"
            ),
            Self::Port => text!(
                "the port of this endpoint is not a number from 1 to 65535",
                "该 endpoint 的端口不是 1 到 65535 的数字"
            ),
        }
    }
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl FromStr for EndpointUrl {
    type Err = EndpointError;

    /// Only what there is one way to read: what the parser would have to change first is refused.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        if !["https", "http"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(EndpointError::Scheme);
        }
        let given = rest.strip_suffix('/').unwrap_or(rest);
        if given.contains(['/', '?', '#', '\\']) {
            return Err(EndpointError::Path);
        }
        if given.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let url = Url::parse(text).map_err(|error| {
            if error == ParseError::InvalidPort { EndpointError::Port } else { EndpointError::Host }
        })?;
        if given.ends_with(':') || url.port() == Some(0) {
            return Err(EndpointError::Port);
        }
        let endpoint = Self(url);
        let known = endpoint.0.port_or_known_default().unwrap_or_default();
        let given = given.to_ascii_lowercase();
        let is_unchanged = match endpoint.0.host() {
            Some(Host::Ipv6(_)) => true,
            Some(Host::Domain(_) | Host::Ipv4(_)) => {
                [endpoint.host_header(), format!("{}:{known}", endpoint.host())].contains(&given)
            }
            None => false,
        };
        if is_unchanged && !endpoint.host().ends_with('.') { Ok(endpoint) } else { Err(EndpointError::Host) }
    }
}

impl EndpointUrl {
    /// The host as a request names it, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// None where it is the scheme's own.
    pub fn port(&self) -> Option<u16> {
        self.0.port()
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is at this very computer.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host())
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

/// As it was asked for by whoever calls.
pub(super) fn parse(endpoint: &str) -> Result<EndpointUrl, ClientError> {
    endpoint.parse().map_err(|error: EndpointError| {
        let start = user_info(endpoint).map_or(0, |range| range.end + 1);
        ClientError::Endpoint {
            endpoint: visible(endpoint.get(start..).unwrap_or_default()),
            why: error.text(),
        }
    })
}

/// Where a user name and password stand in an address, which nothing may show: between its scheme and its last `@`. Whatever
/// else is in there goes with them.
pub fn user_info(text: &str) -> Option<Range<usize>> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text.rfind('@')?;
    (start < end).then_some(start..end)
}

/// Whether a host, an IPv6 address in brackets, is this very computer. No name below `localhost` is: the system's resolver
/// is asked for those, and may answer with another one.
pub fn is_loopback(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    host == "localhost"
        || bracketed.unwrap_or(host).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an address, as `https://host:port`, is at this very computer.
pub fn is_local_address(address: &str) -> bool {
    parse(address).is_ok_and(|endpoint| endpoint.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_signed_as_it_is_sent() {
        let table = [
            ("https://tcb.tencentcloudapi.com", "tcb.tencentcloudapi.com"),
            ("https://tcb.tencentcloudapi.com/", "tcb.tencentcloudapi.com"),
            ("https://tcb.tencentcloudapi.com:443", "tcb.tencentcloudapi.com"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://127.0.0.1:80", "127.0.0.1"),
            ("http://[::1]:8080", "[::1]:8080"),
        ];
        for (endpoint, host) in table {
            assert_eq!(parse(endpoint).unwrap().host_header(), host);
        }
    }

    #[test]
    fn loopback_is_known_by_every_name() {
        for (endpoint, expected) in [
            ("http://localhost:1", true),
            ("http://127.0.0.1:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1", true),
            ("http://sandbox.localhost", false),
            ("https://tcb.tencentcloudapi.com", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_local_address(endpoint), expected, "{endpoint}");
        }
    }

    #[test]
    fn an_address_that_is_refused_is_shown_without_its_password() {
        for endpoint in
            ["x", "https://a:hunter2@x@b", "ftp://a:hunter2@x@b", "https://a:hunter2/x@b/c", "hunter2@x"]
        {
            let error = parse(endpoint).unwrap_err();
            assert!(error.text().is_in_both(), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let error = ClientError::Header { what: Text::fixed("region", "地域") };
        assert!(error.text().is_in_both(), "{error}");
        assert!(ClientError::Http("x".to_owned()).text().is_in_both());
    }
}
