//! The proxy that a host is spoken to through, by the variables that name one. Pure: the command line reads them.
//!
//! An HTTP client passes over a value that it can't use and connects directly, which is what somebody who set it does not
//! want, and may be the one way out that is watched. So the variables are read here, and the client is told what came of it: the
//! first of a pair that is set counts, an empty one is unset, and NO_PROXY goes before all.

use std::ffi::OsString;
use std::net::IpAddr;

use url::{Host, Url};

use super::client::ClientError;
use super::endpoint::EndpointUrl;
use super::redact::visible;
use crate::lang::{Text, text};

/// What the variables say of calls over https. http is only spoken to this very computer, without a proxy.
#[derive(Clone, Default)]
pub struct Proxies {
    named: Option<Named>,
    not_for: Option<Named>,
}

#[derive(Clone)]
struct Named {
    variable: &'static str,
    /// None when it is no text. It may hold a password.
    value: Option<String>,
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |named: &Option<Named>| named.as_ref().map(|named| named.variable);
        f.debug_struct("Proxies")
            .field("named", &name(&self.named))
            .field("not_for", &name(&self.not_for))
            .finish()
    }
}

/// The proxy between us and a host.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Through {
    /// It may hold a password.
    pub(super) url: Url,
    /// Its host and port, without a user name or password.
    pub(super) host: String,
    /// The variable that names it.
    pub(super) variable: &'static str,
}

impl std::fmt::Debug for Through {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Through")
            .field("host", &self.host)
            .field("variable", &self.variable)
            .finish_non_exhaustive()
    }
}

impl Proxies {
    /// As the variables say; `variable` gives the value of one.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = variable(name).filter(|value| !value.is_empty())?;
                Some(Named { variable: name, value: value.into_string().ok() })
            })
        };
        Self {
            named: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            not_for: first(&["NO_PROXY", "no_proxy"]),
        }
    }

    /// The proxy to a host; None when it is spoken to directly.
    ///
    /// # Errors
    /// When one is named that can't be used, or NO_PROXY has a pattern that is not known.
    pub(super) fn to(&self, endpoint: &EndpointUrl) -> Result<Option<Through>, ClientError> {
        let Some(Named { variable, value }) = &self.named else {
            return Ok(None);
        };
        if let Some(not_for) = &self.not_for
            && not_for.names(endpoint)?
        {
            return Ok(None);
        }
        let refused = |why| ClientError::Proxy { variable, why };
        let url = value.as_deref().and_then(proxy).ok_or_else(|| {
            refused(Text::fixed(
                "it is no address as http://proxy.example.com:8080; what is special in a user name or password is written as %20",
                "它不是 http://proxy.example.com:8080 这样的地址；用户名或密码中的特殊字符应写成 %20 的形式",
            ))
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused(Text::fixed(
                "only proxies at http:// and https:// are spoken to",
                "只支持 http:// 和 https:// 的代理",
            )));
        }
        let name = url.host_str().unwrap_or_default();
        Ok(Some(Through {
            host: match url.port() {
                Some(port) => format!("{name}:{port}"),
                None => name.to_owned(),
            },
            url,
            variable,
        }))
    }
}

/// The address of a proxy, which begins with http:// where it says nothing else; None when it is none.
fn proxy(value: &str) -> Option<Url> {
    // The parser would take some of it out.
    if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let url = if value.contains("://") { Url::parse(value) } else { Url::parse(&format!("http://{value}")) };
    let url = url.ok()?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    // A slash in a password would make its beginning the host. The client reads it again, as what http calls an address.
    let is_read = url.as_str().parse::<http::Uri>().is_ok();
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    (is_bare && is_read && has_host && url.port() != Some(0)).then_some(url)
}

impl Named {
    /// Whether the list names the host: by `*`, its name or one above it, with a dot or `*.` before it or without, its address or
    /// a network that it is in; each with a port or without.
    fn names(&self, endpoint: &EndpointUrl) -> Result<bool, ClientError> {
        let Self { variable, value } = self;
        let refused = |why| ClientError::Proxy { variable, why };
        let value = value.as_deref().ok_or_else(|| refused(Text::fixed("it is not text", "它不是文本")))?;
        let mut found = false;
        let patterns = value.split(|c: char| c == ',' || c.is_whitespace());
        for pattern in patterns.filter(|pattern| !pattern.is_empty()) {
            // Every one is looked at, so that one that is not known is refused whatever the others say.
            found |= names(pattern, endpoint).ok_or_else(|| {
                let pattern: String = visible(pattern).chars().take(80).collect();
                refused(text!(
                    "`{pattern}` is not a host, a host with a port, a domain as .example.com or *.example.com, an address, a network \
                     as 10.0.0.0/8, or *",
                    "`{pattern}` 不是主机、带端口的主机、域名（如 .example.com 或 *.example.com）、地址、网段（如 10.0.0.0/8）或 *"
                ))
            })?;
        }
        Ok(found)
    }
}

/// Whether a pattern of NO_PROXY names the host; None when it is not known what it means.
fn names(pattern: &str, endpoint: &EndpointUrl) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    let host = endpoint.url().host()?;
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    if let Some((network, bits)) = pattern.split_once('/') {
        return is_in(address, network.parse().ok()?, bits.parse().ok()?);
    }
    if let Ok(named) = pattern.parse::<IpAddr>() {
        return Some(address == Some(named));
    }
    // The colons of an IPv6 address stand inside its brackets.
    let port = pattern.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
    let (name, port) = match port {
        Some((name, port)) => (name, Some(port.parse::<u16>().ok()?)),
        None => (pattern, None),
    };
    let is_port = port.is_none_or(|port| endpoint.url().port_or_known_default() == Some(port));
    let name = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
    // As hosts are written in addresses, so that it is compared with one.
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.[]:".contains(c));
    let named = Host::parse(name).ok().filter(|_| is_plain)?;
    let is_host = match (&named, host) {
        (Host::Domain(named), Host::Domain(host)) => {
            let above = host.strip_suffix(named.as_str());
            above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        (named, host) => *named == host.to_owned(),
    };
    Some(is_port && is_host)
}

/// Whether an address is in a network; None when there is no such network.
fn is_in(address: Option<IpAddr>, network: IpAddr, bits: u32) -> Option<bool> {
    let (network, of, address) = match (network, address) {
        (IpAddr::V4(network), address) => {
            let address = match address {
                Some(IpAddr::V4(address)) => Some(u128::from(address.to_bits())),
                Some(IpAddr::V6(_)) | None => None,
            };
            (u128::from(network.to_bits()), 32, address)
        }
        (IpAddr::V6(network), address) => {
            let address = match address {
                Some(IpAddr::V6(address)) => Some(address.to_bits()),
                Some(IpAddr::V4(_)) | None => None,
            };
            (network.to_bits(), 128, address)
        }
    };
    let rest = u32::checked_sub(of, bits)?;
    // All of it is shifted out of a network of everything.
    let start = |bits: u128| bits.checked_shr(rest).unwrap_or(0);
    Some(address.is_some_and(|address| start(address) == start(network)))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (&'static str, &'static str);

    fn to(endpoint: &str, variables: &[(&str, &str)]) -> Result<Option<Through>, ClientError> {
        let proxies = Proxies::of(|name| {
            let found = variables.iter().find(|(one, _)| *one == name);
            found.map(|(_, value)| OsString::from(value))
        });
        proxies.to(&endpoint.parse().unwrap())
    }

    fn through(variables: &[(&str, &str)]) -> Result<Option<Through>, ClientError> {
        to("https://tcb.tencentcloudapi.com", variables)
    }

    #[test]
    fn the_first_variable_that_is_set_names_the_proxy() {
        let a = ("HTTPS_PROXY", "http://u:p@a:1");
        let table: [(&[Pair], Option<Pair>); 16] = [
            (&[], None),
            (&[a], Some(("a:1", "HTTPS_PROXY"))),
            (&[("https_proxy", "a:1")], Some(("a:1", "https_proxy"))),
            (&[("https_proxy", "b:1"), a], Some(("a:1", "HTTPS_PROXY"))),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "b:1")], Some(("b:1", "https_proxy"))),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "c:1")], Some(("c:1", "ALL_PROXY"))),
            (&[("all_proxy", "https://c")], Some(("c", "all_proxy"))),
            (&[("ALL_PROXY", "c:1"), a], Some(("a:1", "HTTPS_PROXY"))),
            (&[("HTTP_PROXY", "c:1")], None),
            (&[a, ("NO_PROXY", "tencentcloudapi.com")], None),
            (&[a, ("no_proxy", "*")], None),
            (&[a, ("NO_PROXY", ""), ("no_proxy", "*")], None),
            (&[a, ("NO_PROXY", "other.com")], Some(("a:1", "HTTPS_PROXY"))),
            (&[("ALL_PROXY", "http://[::1]:3128/")], Some(("[::1]:3128", "ALL_PROXY"))),
            // A name and a password of mail addresses, as they are.
            (&[("ALL_PROXY", "http://u@x.com:p@ss@proxy:8080")], Some(("proxy:8080", "ALL_PROXY"))),
            (&[("ALL_PROXY", "u:p%40ss@proxy:8080")], Some(("proxy:8080", "ALL_PROXY"))),
        ];
        for (variables, expected) in table {
            let found = through(variables).unwrap();
            assert!(!format!("{found:?}").contains("ss"), "{found:?}");
            let found = found.as_ref().map(|it| (it.host.as_str(), it.variable));
            assert_eq!(found, expected, "{variables:?}");
        }
    }

    #[test]
    fn a_proxy_that_can_not_be_used_is_refused_by_its_name() {
        for value in [
            "http://u:pass word@a:1",
            "ftp://u:password@a",
            "garbage:::",
            "socks5h://u:password@a:1",
            "http://",
            " http://a",
            "http://a:0",
            "http://u:pass/word@a:1",
            "http://u:1/pass@a:1",
            "http://u:1#pass@a:1",
            "http://u:1?pass@a:1",
        ] {
            let error = through(&[("all_proxy", value)]).unwrap_err();
            assert!(error.text().is_in_both());
            let text = error.to_string();
            assert!(text.contains("all_proxy"), "{value}: {text}");
            assert!(!text.contains("pass@") && !text.contains("u:"), "{value}: {text}");
            // Where it is not for, it is not looked at.
            assert_eq!(through(&[("all_proxy", value), ("NO_PROXY", "*")]).unwrap(), None);
        }
    }

    #[test]
    fn a_pattern_of_no_proxy_is_matched_or_refused() {
        let host = "https://tcb.tencentcloudapi.com";
        let table = [
            (host, "*", Some(true)),
            (host, "tcb.tencentcloudapi.com", Some(true)),
            (host, "TCB.TencentCloudAPI.com", Some(true)),
            (host, "tencentcloudapi.com", Some(true)),
            (host, ".tencentcloudapi.com", Some(true)),
            (host, "*.tencentcloudapi.com", Some(true)),
            (host, "*.tencentcloudapi.com:443", Some(true)),
            (host, "tcb.tencentcloudapi.com:443", Some(true)),
            (host, "tcb.tencentcloudapi.com:8443", Some(false)),
            (host, " localhost , .tencentcloudapi.com ", Some(true)),
            (host, "localhost .tencentcloudapi.com", Some(true)),
            (host, "localhost,127.0.0.1,::1,[::1]:80,10.0.0.0/8,fd00::/8", Some(false)),
            (host, "cloudapi.com", Some(false)),
            (host, "eviltencentcloudapi.com", Some(false)),
            (host, "xtcb.tencentcloudapi.com", Some(false)),
            (host, ",,", Some(false)),
            (host, "tcb.*.com", None),
            (host, "*,10.*", None),
            (host, "*tencentcloudapi.com", None),
            (host, "https://tcb.tencentcloudapi.com", None),
            (host, "tcb.tencentcloudapi.com:https", None),
            (host, "10.0.0.0/33", None),
            (host, "tencentcloudapi.com/8", None),
            (host, "<local>", None),
            (host, ".", None),
            ("https://10.1.2.3:8443", "10.0.0.0/8", Some(true)),
            ("https://10.1.2.3:8443", "0.0.0.0/0", Some(true)),
            ("https://10.1.2.3:8443", "11.0.0.0/8", Some(false)),
            ("https://10.1.2.3:8443", "10.1.2.3", Some(true)),
            ("https://10.1.2.3:8443", "10.1.2.3:8443", Some(true)),
            ("https://10.1.2.3:8443", "10.1.2.3:443", Some(false)),
            ("https://[fd00::1]", "fd00::/8", Some(true)),
            ("https://[fd00::1]", "fd00::1", Some(true)),
            ("https://[fd00::1]", "[fd00::1]", Some(true)),
            ("https://[fd00::1]", "[fd00::1]:443", Some(true)),
            ("https://[fd00::1]", "::/0", Some(true)),
            ("https://[fd00::1]", "0.0.0.0/0", Some(false)),
        ];
        for (endpoint, patterns, expected) in table {
            for variable in ["NO_PROXY", "no_proxy"] {
                let found = to(endpoint, &[("HTTPS_PROXY", "p:1"), (variable, patterns)]);
                if let Some(direct) = expected {
                    assert_eq!(found.unwrap().is_none(), direct, "{endpoint} {patterns}");
                } else {
                    let error = found.unwrap_err();
                    assert!(error.text().is_in_both());
                    assert!(error.to_string().contains(variable), "{error}");
                }
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_text_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        for not_text in ["HTTPS_PROXY", "NO_PROXY"] {
            let proxies = Proxies::of(|name| match name {
                name if name == not_text => Some(OsString::from_vec(b"a\xff:1".to_vec())),
                "HTTPS_PROXY" => Some("a:1".into()),
                _ => None,
            });
            assert!(proxies.to(&"https://x".parse().unwrap()).is_err());
        }
    }
}
