//! How a sandbox behaves.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::fault::Fault;
use crate::i18n::text;

/// Creates per second that Tencent Cloud accepts.
pub const RATE: u32 = 2;
/// The main account that the sandbox's environments belong to. Nobody has it.
pub const ACCOUNT: &str = "100000000001";

/// How a sandbox behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port 0 for any free one.
    pub listen: SocketAddr,
    /// The ledger's file. Created when it is missing, with its folder.
    pub ledger: PathBuf,
    /// How long an answer takes, counted from when the request has acted.
    pub latency: Duration,
    /// Every request arrives up to this much later than it was sent, uniformly distributed.
    pub jitter: Duration,
    /// How long after a write DescribeEnvs and DescribeBillingInfo show it. Tencent Cloud does not document its own delay.
    pub list_delay: Duration,
    /// What DescribeEnvs shows as an alias.
    pub list_alias: ListAlias,
    /// The first that strikes at a call counts.
    pub faults: Vec<Fault>,
    /// Creates per second, or None for no limit; by default [`RATE`]. Other writes always have the documented limit.
    pub rate: Option<u32>,
    /// Prepaid environments that exist beside the sample one, by id.
    pub existing: Vec<String>,
    /// Postpaid environments that exist, as if somebody else had created them.
    pub existing_postpaid: Vec<Postpaid>,
    /// The most environments that the account may have.
    pub max_environments: usize,
    /// The main account that everything belongs to.
    pub account: String,
    /// The longest that temporary credentials last, where that is less than what is asked for.
    pub max_session: Option<Duration>,
    /// The role of the machine; its metadata service is then on the same port.
    pub machine_role: Option<String>,
}

impl Options {
    /// The documented limit, no faults and no delay, on a free port of the loopback.
    pub fn new(ledger: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            ledger: ledger.into(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            list_delay: Duration::ZERO,
            list_alias: ListAlias::default(),
            faults: Vec::new(),
            rate: Some(RATE),
            existing: Vec::new(),
            existing_postpaid: Vec::new(),
            max_environments: 5000,
            account: ACCOUNT.to_owned(),
            max_session: None,
            machine_role: None,
        }
    }
}

/// What a list shows as the alias of an environment. The API's documents do not say which of Alias and EnvAlias that is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListAlias {
    /// Alias, as it was sent.
    #[default]
    Alias,
    /// Alias in capitals.
    Capitals,
    EnvAlias,
    None,
}

/// A postpaid environment that exists from the start, as if it had been created at the console. Written `ENV_ID` or
/// `ENV_ID:ALIAS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postpaid {
    pub env_id: String,
    /// None: the part of the id before its last `-`.
    pub alias: Option<String>,
}

/// A text that names no environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PostpaidError {
    text: String,
}

impl fmt::Display for PostpaidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text } = self;
        text!("`{text}` is not an environment: write ENV_ID or ENV_ID:ALIAS", text).fmt(f)
    }
}

impl FromStr for Postpaid {
    type Err = PostpaidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (env_id, alias) = match text.split_once(':') {
            Some((env_id, alias)) => (env_id, Some(alias)),
            None => (text, None),
        };
        if env_id.is_empty() || alias.is_some_and(str::is_empty) {
            return Err(PostpaidError { text: text.to_owned() });
        }
        Ok(Self { env_id: env_id.to_owned(), alias: alias.map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postpaid_environments_are_parsed_with_and_without_an_alias() {
        let parse = |text: &str| text.parse::<Postpaid>().map(|it| (it.env_id, it.alias));
        assert_eq!(parse("shop-1"), Ok(("shop-1".to_owned(), None)));
        assert_eq!(parse("shop-1:店:2"), Ok(("shop-1".to_owned(), Some("店:2".to_owned()))));
        for bad in ["", ":a", "a:"] {
            let error = parse(bad).unwrap_err().to_string();
            assert!(error.contains("ENV_ID:ALIAS"), "{error}");
        }
    }
}
