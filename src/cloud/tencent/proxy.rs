//! The proxy that a host is spoken to through, by the variables that name one. Pure: the command line reads them.
//!
//! The HTTP client passes over a value that it can't use and connects directly, which is what somebody who set it does not
//! want, and may be the one way out that is watched. So the variables are read here first, by the client's own rules: the first
//! of a pair that is set counts, even when it is empty; none does in a CGI program; NO_PROXY goes before all.

use std::ffi::OsString;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::client::ClientError;
use crate::lang::Text;

/// What the variables say of calls over https. http is only spoken to this very computer, without a proxy.
#[derive(Clone, Default)]
pub struct Proxies {
    named: Option<Named>,
    /// NO_PROXY.
    not_for: String,
}

#[derive(Clone)]
struct Named {
    variable: &'static str,
    /// None when it is no text. It may hold a password.
    value: Option<String>,
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let variable = self.named.as_ref().map(|named| named.variable);
        f.debug_struct("Proxies")
            .field("variable", &variable)
            .field("not_for", &self.not_for)
            .finish()
    }
}

/// The proxy between us and a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Through {
    /// Its host and port, without a user name or password.
    pub(super) host: String,
    /// The variable that names it.
    pub(super) variable: &'static str,
}

impl Proxies {
    /// As the variables say; `variable` gives the value of one.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        if variable("REQUEST_METHOD").is_some() {
            // A request's own header would become HTTP_PROXY there.
            return Self::default();
        }
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| {
                Some(Named {
                    variable: name,
                    value: variable(name)?.into_string().ok(),
                })
            })
        };
        let is_set = |named: &Named| named.value.as_deref() != Some("");
        Self {
            named: first(["HTTPS_PROXY", "https_proxy"])
                .filter(is_set)
                .or_else(|| first(["ALL_PROXY", "all_proxy"]).filter(is_set)),
            not_for: first(["NO_PROXY", "no_proxy"])
                .and_then(|named| named.value)
                .unwrap_or_default(),
        }
    }

    /// The proxy to a host; None when it is spoken to directly.
    ///
    /// # Errors
    /// When one is named that can't be used.
    pub(super) fn to(&self, url: &Url) -> Result<Option<Through>, ClientError> {
        let Some(Named { variable, value }) = &self.named else {
            return Ok(None);
        };
        let Ok(uri) = url.as_str().parse::<http::Uri>() else {
            return Ok(None);
        };
        let asked = |proxy: &str| {
            let builder = Matcher::builder().https(proxy.to_owned());
            builder.no(self.not_for.clone()).build().intercept(&uri)
        };
        if asked("http://any").is_none() {
            return Ok(None);
        }
        let refused = |why| ClientError::Proxy { variable, why };
        let proxy = value.as_deref().and_then(asked).ok_or_else(|| {
            refused(Text::fixed(
                "it is no address as http://proxy.example.com:8080; what is special in a user name or password is written as %20",
                "它不是 http://proxy.example.com:8080 这样的地址；用户名或密码中的特殊字符应写成 %20 的形式",
            ))
        })?;
        if !matches!(proxy.uri().scheme_str(), Some("http" | "https")) {
            return Err(refused(Text::fixed(
                "only proxies at http:// and https:// are spoken to",
                "只支持 http:// 和 https:// 的代理",
            )));
        }
        let host = proxy.uri().authority().map(ToString::to_string);
        Ok(Some(Through {
            host: host.unwrap_or_default(),
            variable,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (&'static str, &'static str);

    fn through(variables: &[(&str, &str)]) -> Result<Option<Through>, ClientError> {
        let proxies = Proxies::of(|name| {
            let found = variables.iter().find(|(one, _)| *one == name);
            found.map(|(_, value)| OsString::from(value))
        });
        proxies.to(&Url::parse("https://tcb.tencentcloudapi.com").unwrap())
    }

    #[test]
    fn a_proxy_is_read_as_the_http_client_reads_it() {
        let a = ("HTTPS_PROXY", "http://u:p@a:1");
        let table: [(&[Pair], Option<Pair>); 14] = [
            (&[], None),
            (&[a], Some(("a:1", "HTTPS_PROXY"))),
            (&[("https_proxy", "a:1")], Some(("a:1", "https_proxy"))),
            (&[("https_proxy", "b:1"), a], Some(("a:1", "HTTPS_PROXY"))),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "b:1")], None),
            (
                &[("HTTPS_PROXY", ""), ("ALL_PROXY", "c:1")],
                Some(("c:1", "ALL_PROXY")),
            ),
            (&[("all_proxy", "https://c")], Some(("c", "all_proxy"))),
            (&[("ALL_PROXY", "c:1"), a], Some(("a:1", "HTTPS_PROXY"))),
            (&[("HTTP_PROXY", "c:1")], None),
            (&[a, ("NO_PROXY", "tencentcloudapi.com")], None),
            (&[a, ("no_proxy", "*")], None),
            (
                &[a, ("NO_PROXY", ""), ("no_proxy", "*")],
                Some(("a:1", "HTTPS_PROXY")),
            ),
            (
                &[a, ("NO_PROXY", "other.com")],
                Some(("a:1", "HTTPS_PROXY")),
            ),
            (&[a, ("REQUEST_METHOD", "GET")], None),
        ];
        for (variables, expected) in table {
            let found = through(variables).unwrap();
            let found = found.as_ref().map(|it| (it.host.as_str(), it.variable));
            assert_eq!(found, expected, "{variables:?}");
        }
    }

    #[test]
    fn one_that_can_not_be_used_is_refused_by_its_name() {
        for value in [
            "http://u:pass word@a:1",
            "ftp://u:password@a",
            "garbage:::",
            "socks5h://u:password@a:1",
            "http://",
            " http://a",
        ] {
            let error = through(&[("all_proxy", value)]).unwrap_err();
            assert!(error.text().is_in_both());
            let text = error.to_string();
            assert!(text.contains("all_proxy"), "{value}: {text}");
            assert!(!text.contains("u:pass"), "{value}: {text}");
            // Where it is not for, it is not looked at.
            assert_eq!(
                through(&[("all_proxy", value), ("NO_PROXY", "*")]).unwrap(),
                None
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn one_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let proxies = Proxies::of(|name| {
            (name == "HTTPS_PROXY").then(|| OsString::from_vec(b"http://a\xff:1".to_vec()))
        });
        assert!(proxies.to(&Url::parse("https://x").unwrap()).is_err());
    }
}
