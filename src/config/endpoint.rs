//! Where calls are sent: the vendor over https, a loopback address over http, or the sandbox.
//!
//! Signed requests leave nothing to chance: an address is only taken when every part of it is
//! understood, so that there is one way to read it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;
use std::str::FromStr;

use crate::cloud::tencent::is_loopback;
use crate::lang::{Text, text};

/// The name of the embedded endpoint, and of the site that everything on this machine is.
pub const SANDBOX: &str = "sandbox";
/// The host of [`super::DEFAULT_ENDPOINT`].
const DEFAULT_HOST: &str = "tcb.tencentcloudapi.com";

/// The name of the endpoint within the vendor's network.
const INTERNAL: &str = "internal";

/// The vendor's host of this short name: `internal`, or a region's, as `ap-shanghai`.
fn host_of(name: &str) -> Option<String> {
    let is_region = name.split_once('-').is_some_and(|(continent, place)| {
        continent.len() == 2
            && continent.bytes().all(|byte| byte.is_ascii_lowercase())
            && !place.is_empty()
            && !place.ends_with('-')
            && place
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
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

/// An address without path: `https://tcb.tencentcloudapi.com`. Display gives it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    secure: bool,
    host: String,
    port: Option<u16>,
}

/// Why a text is no [`Endpoint`].
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
            Self::Path => text!(
                "an endpoint has no path, query or fragment",
                "endpoint 不能带路径、查询参数或片段"
            ),
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

impl EndpointUrl {
    /// The host as a request names it, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// As it was given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    pub fn is_https(&self) -> bool {
        self.secure
    }

    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl Endpoint {
    /// Whose accounts answer there: what a state remembers of the endpoint that it was made with.
    ///
    /// All the vendor's regional names lead to the same accounts; its international site and its finance regions have
    /// accounts of their own. Whatever listens on this machine is not the vendor.
    pub fn site(&self) -> String {
        const VENDOR: &str = "tencentcloudapi.com";
        const INTERNATIONAL: &str = "intl.tencentcloudapi.com";
        let url = match self {
            Self::Sandbox => return SANDBOX.to_owned(),
            Self::Url(url) if url.is_loopback() => return SANDBOX.to_owned(),
            Self::Url(url) => url,
        };
        let below = |site: &str| {
            url.host
                .strip_suffix(site)
                .is_some_and(|name| name.ends_with('.'))
        };
        match url.port {
            Some(port) if port != 443 => format!("{}:{port}", url.host),
            _ if below(INTERNATIONAL) => INTERNATIONAL.to_owned(),
            _ if below(VENDOR) && !url.host.contains("-fsi.") => VENDOR.to_owned(),
            _ => url.host.clone(),
        }
    }
}

/// The vendor's own.
impl Default for Endpoint {
    fn default() -> Self {
        Self::Url(EndpointUrl {
            secure: true,
            host: DEFAULT_HOST.to_owned(),
            port: None,
        })
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text == SANDBOX {
            return Ok(Self::Sandbox);
        }
        if let Some(host) = host_of(text) {
            return Ok(Self::Url(EndpointUrl {
                secure: true,
                host,
                port: None,
            }));
        }
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(EndpointError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(EndpointError::Path);
        }
        if rest.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let (host, port) = split_port(rest)?;
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(EndpointError::Host);
        }
        if !secure && !is_loopback(&host) {
            return Err(EndpointError::PlainHttp);
        }
        Ok(Self::Url(EndpointUrl { secure, host, port }))
    }
}

fn split_port(rest: &str) -> Result<(&str, Option<u16>), EndpointError> {
    // The colons of an IPv6 address stand inside its brackets.
    let after_host = rest.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = rest[after_host..].find(':') else {
        return Ok((rest, None));
    };
    let (host, port) = rest.split_at(after_host + colon);
    let digits = &port[1..];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EndpointError::Port);
    }
    match digits.parse::<u16>() {
        Ok(port) if port > 0 => Ok((host, Some(port))),
        Ok(_) | Err(_) => Err(EndpointError::Port),
    }
}

fn bracketed(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn is_host(host: &str) -> bool {
    if host.starts_with('[') {
        return bracketed(host).is_some();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last_is_number = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.starts_with(|first: char| first.is_ascii_digit()));
    host.len() <= 253
        && host.split('.').all(label)
        // `127.1` and `0x7f.1` are addresses to some and names to others.
        && (!last_is_number || host.parse::<IpAddr>().is_ok())
}

/// Where a user name and password stand in an address, which nothing may show: between its scheme and its last `@`. Whatever
/// else is in there goes with them.
pub fn user_info(text: &str) -> Option<Range<usize>> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text.rfind('@')?;
    (start < end).then_some(start..end)
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secure, host, port } = self;
        write!(f, "http{}://{host}", if *secure { "s" } else { "" })?;
        match port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
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

    #[test]
    fn the_default_is_the_documented_one() {
        assert_eq!(
            Endpoint::default().to_string(),
            super::super::DEFAULT_ENDPOINT
        );
    }

    #[test]
    fn one_site_is_one_set_of_accounts() {
        let table = [
            ("sandbox", "sandbox"),
            ("http://127.0.0.1:8650", "sandbox"),
            ("https://tcb.tencentcloudapi.com", "tencentcloudapi.com"),
            (
                "https://tcb.ap-shanghai.tencentcloudapi.com",
                "tencentcloudapi.com",
            ),
            (
                "https://tcb.internal.tencentcloudapi.com:443",
                "tencentcloudapi.com",
            ),
            (
                "https://tcb.intl.tencentcloudapi.com",
                "intl.tencentcloudapi.com",
            ),
            (
                "https://tcb.ap-shanghai-fsi.tencentcloudapi.com",
                "tcb.ap-shanghai-fsi.tencentcloudapi.com",
            ),
            ("https://eviltencentcloudapi.com", "eviltencentcloudapi.com"),
            (
                "https://gateway.example.com:8443",
                "gateway.example.com:8443",
            ),
        ];
        for (endpoint, site) in table {
            assert_eq!(endpoint.parse::<Endpoint>().unwrap().site(), site);
        }
    }

    #[test]
    fn what_is_allowed_is_taken_and_written_alike() {
        for (text, shown) in [
            ("sandbox", "sandbox"),
            (
                "https://tcb.tencentcloudapi.com",
                "https://tcb.tencentcloudapi.com",
            ),
            (
                "HTTPS://TCB.tencentcloudapi.com/",
                "https://tcb.tencentcloudapi.com",
            ),
            ("https://10.0.0.8:8443", "https://10.0.0.8:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:80", "http://[::1]:80"),
            ("internal", "https://tcb.internal.tencentcloudapi.com"),
            (
                "ap-shanghai-fsi",
                "https://tcb.ap-shanghai-fsi.tencentcloudapi.com",
            ),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(shown.parse(), Ok(endpoint));
        }
    }

    #[test]
    fn what_is_not_says_why() {
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
            ("https://环境.com", EndpointError::Host),
            ("http://127.1", EndpointError::Host),
            ("http://0x7f.0.0.1", EndpointError::Host),
            ("https://[::1", EndpointError::Port),
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
