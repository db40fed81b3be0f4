//! The proxy that a host is reached through, by the environment variables that name one. The command line reads them.
//!
//! An HTTP client ignores a value that it can't use and connects directly, which whoever set it does not want. So the variables
//! are interpreted here, and what can't be used is refused: the first of a pair that is set counts, an empty one is unset, and
//! NO_PROXY comes first.

use std::ffi::OsString;
use std::net::IpAddr;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::endpoint::EndpointUrl;
use super::error::ClientError;
use crate::i18n::{Text, text};
use crate::sanitize;

/// The proxy variables for https. Plain http goes to this computer alone, without a proxy.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    proxy: Option<Variable>,
    no_proxy: Option<Variable>,
}

#[derive(Debug, Clone)]
struct Variable {
    name: &'static str,
    /// None when it is not text. It may hold a password.
    value: Option<SecretString>,
}

impl Variable {
    fn unusable(&self, why: &Text) -> ClientError {
        let name = self.name;
        ClientError(text!("{name} cannot be used: {why}", name, why))
    }
}

/// The proxy between this computer and a host.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    /// It may hold a password.
    pub(super) url: SecretString,
    /// Its host and port, without a user name or password.
    pub(super) host: String,
    /// The variable that names it.
    pub(super) variable: &'static str,
}

impl Proxies {
    /// Reads the variables; `variable` returns the value of one.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = variable(name).filter(|value| !value.is_empty())?;
                Some(Variable { name, value: value.into_string().ok().map(Into::into) })
            })
        };
        Self {
            proxy: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            no_proxy: first(&["NO_PROXY", "no_proxy"]),
        }
    }

    /// Returns the proxy for a host, or None when it is reached directly.
    ///
    /// # Errors
    /// When the proxy that is set can't be used, or NO_PROXY has a pattern that is not understood.
    pub(super) fn for_host(&self, endpoint: &EndpointUrl) -> Result<Option<Proxy>, ClientError> {
        let Some(variable) = &self.proxy else {
            return Ok(None);
        };
        if let Some(no_proxy) = &self.no_proxy
            && excludes(no_proxy, endpoint)?
        {
            return Ok(None);
        }
        let value = variable.value.as_ref().map(ExposeSecret::expose_secret);
        let url = value.and_then(parse_proxy).ok_or_else(|| {
            variable.unusable(&Text::fixed("not a URL such as http://proxy.example.com:8080; write special characters in a user name or password as %20"))
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(variable.unusable(&Text::fixed("only http:// and https:// proxies are supported")));
        }
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Some(Proxy { host, url: String::from(url).into(), variable: variable.name }))
    }
}

/// Parses the address of a proxy; its scheme is http where none is given.
fn parse_proxy(value: &str) -> Option<Url> {
    // The parser would remove them.
    if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let url = if value.contains("://") { Url::parse(value) } else { Url::parse(&format!("http://{value}")) };
    let url = url.ok()?;
    // A slash in a password would end the host early.
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    // The client parses it once more, by other rules.
    let is_uri = url.as_str().parse::<http::Uri>().is_ok();
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    (is_bare && is_uri && has_host && url.port() != Some(0)).then_some(url)
}

/// Returns whether NO_PROXY excludes the host: by `*`, its name or a domain above it, its address or network, each with or
/// without a port.
fn excludes(no_proxy: &Variable, endpoint: &EndpointUrl) -> Result<bool, ClientError> {
    let value = no_proxy.value.as_ref().map(ExposeSecret::expose_secret);
    let value = value.ok_or_else(|| no_proxy.unusable(&Text::fixed("not valid text")))?;
    let mut found = false;
    let patterns = value.split(|c: char| c == ',' || c.is_whitespace());
    for pattern in patterns.filter(|pattern| !pattern.is_empty()) {
        // All are read, so that one that is not understood is refused whatever the others say.
        found |= matches(pattern, endpoint).ok_or_else(|| {
            let pattern: String = sanitize::escape_invisible(pattern).chars().take(80).collect();
            no_proxy.unusable(&text!("`{pattern}` is not a host, a host with a port, a domain such as .example.com or *.example.com, an address, a network such as 10.0.0.0/8, or *", pattern))
        })?;
    }
    Ok(found)
}

/// Returns whether a pattern of NO_PROXY matches the host, or None when it is not understood.
fn matches(pattern: &str, endpoint: &EndpointUrl) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    let host = endpoint.url().host()?;
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    if let Ok(pattern) = pattern.parse::<IpAddr>() {
        return Some(address == Some(pattern));
    }
    if pattern.contains('/') {
        let network = pattern.parse::<IpNet>().ok()?;
        return Some(address.is_some_and(|address| network.contains(&address)));
    }
    // The colons of an IPv6 address are inside its brackets.
    let (name, port) = match pattern.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((name, port)) => (name, Some(port.parse::<u16>().ok()?)),
        None => (pattern, None),
    };
    let is_port = port.is_none_or(|port| endpoint.url().port_or_known_default() == Some(port));
    let name = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.[]:".contains(c));
    let pattern = Host::parse(name).ok().filter(|_| is_plain)?;
    let is_host = match (&pattern, host) {
        (Host::Domain(domain), Host::Domain(host)) => {
            let below = host.strip_suffix(domain.as_str());
            below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
        }
        (pattern, host) => *pattern == host.to_owned(),
    };
    Some(is_port && is_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (&'static str, &'static str);

    fn to(endpoint: &str, variables: &[(&str, &str)]) -> Result<Option<Proxy>, ClientError> {
        let proxies = Proxies::from_variables(|name| {
            let found = variables.iter().find(|(one, _)| *one == name);
            found.map(|(_, value)| OsString::from(value))
        });
        proxies.for_host(&endpoint.parse().unwrap())
    }

    fn through(variables: &[(&str, &str)]) -> Result<Option<Proxy>, ClientError> {
        to("https://tcb.tencentcloudapi.com", variables)
    }

    #[test]
    fn the_first_variable_that_is_set_counts() {
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
            // A mail address as a user name, unescaped.
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
    fn an_unusable_proxy_is_refused_and_its_variable_named() {
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
            assert!(error.0.is_in_both());
            let text = error.to_string();
            assert!(text.contains("all_proxy"), "{value}: {text}");
            assert!(!text.contains("pass@") && !text.contains("u:"), "{value}: {text}");
            // It is not read for a host that it is not used for.
            assert!(through(&[("all_proxy", value), ("NO_PROXY", "*")]).unwrap().is_none());
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
                    assert!(error.0.is_in_both());
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
            let proxies = Proxies::from_variables(|name| match name {
                name if name == not_text => Some(OsString::from_vec(b"a\xff:1".to_vec())),
                "HTTPS_PROXY" => Some("a:1".into()),
                _ => None,
            });
            assert!(proxies.for_host(&"https://x".parse().unwrap()).is_err());
        }
    }
}
