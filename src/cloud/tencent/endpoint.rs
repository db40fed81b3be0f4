//! The endpoint's address: what may be one, and the Host header that is signed for it. Pure.

use std::net::IpAddr;

use reqwest::Url;

use super::client::ClientError;
use super::scrub::visible;
use crate::lang::Text;

/// The address, and the Host header to it.
pub(super) fn parse(endpoint: &str) -> Result<(Url, String), ClientError> {
    let refused = |why: Text| ClientError::Endpoint {
        // What stands before an `@` may be a password.
        endpoint: match endpoint.rsplit_once('@') {
            Some((_, host)) => visible(host),
            None => visible(endpoint),
        },
        why,
    };
    let url = Url::parse(endpoint).map_err(|error| refused(Text::same(error.to_string())))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(Text::fixed(
            "it holds a user name or a password",
            "其中有用户名或密码",
        )));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused(Text::fixed(
            "only https:// and http:// are spoken",
            "只支持 https:// 和 http://",
        )));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refused(Text::fixed(
            "it has more than a host and a port",
            "其中有主机和端口以外的内容",
        )));
    }
    let host = url
        .host_str()
        .ok_or_else(|| refused(Text::fixed("it has no host", "其中没有主机")))?;
    // The port is part of the Host header only when it is not the scheme's own, which is what `port` tells.
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    Ok((url, host))
}

/// Whether a host, an IPv6 address in brackets, is this very computer. No name below `localhost` is: the system's resolver
/// is asked for those, and may answer with another one.
pub fn is_loopback(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    host == "localhost"
        || bracketed
            .unwrap_or(host)
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether an address, as `https://host:port`, is at this very computer.
pub fn is_local_address(address: &str) -> bool {
    parse(address).is_ok_and(|(url, _)| is_local(&url))
}

/// Whether an address is at this very computer.
pub(super) fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_signed_as_it_is_sent() {
        let table = [
            ("https://tcb.tencentcloudapi.com", "tcb.tencentcloudapi.com"),
            (
                "https://tcb.tencentcloudapi.com/",
                "tcb.tencentcloudapi.com",
            ),
            (
                "https://tcb.tencentcloudapi.com:443",
                "tcb.tencentcloudapi.com",
            ),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://127.0.0.1:80", "127.0.0.1"),
            ("http://[::1]:8080", "[::1]:8080"),
        ];
        for (endpoint, host) in table {
            assert_eq!(parse(endpoint).unwrap().1, host);
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
            assert_eq!(
                is_local(&Url::parse(endpoint).unwrap()),
                expected,
                "{endpoint}"
            );
        }
    }

    #[test]
    fn what_is_no_endpoint_is_told_in_both_languages() {
        for endpoint in ["x", "https://a@b", "ftp://b", "https://b/c", "data:x"] {
            let error = parse(endpoint).unwrap_err();
            assert!(error.text().is_in_both(), "{error}");
        }
        let error = ClientError::Header {
            what: Text::fixed("region", "地域"),
        };
        assert!(error.text().is_in_both(), "{error}");
        assert!(ClientError::Http("x".to_owned()).text().is_in_both());
    }
}
