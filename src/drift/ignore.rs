//! Accepted drift, with an end date.

use std::str::FromStr;

use jiff::civil::Date;

use crate::i18n::Text;
use crate::model::{Address, AddressError};
use crate::plan::{Code, CodeError, Finding};

/// Findings to ignore, at one address or everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    pub code: Code,
    /// None for every address.
    pub address: Option<Address>,
    /// As given by the user.
    pub reason: Text,
    /// The last day on which it applies; None for one from the command line.
    pub until: Option<Date>,
}

/// A text that is not an [`Ignore`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    #[error(transparent)]
    Code(#[from] CodeError),
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Ignore {
    /// Returns whether it applies to this finding.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.code == finding.code && (self.address.is_none() || self.address == finding.address)
    }

    /// Returns whether its last day is over.
    pub fn has_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// Parses `CODE` or `CODE:ADDR`, as on the command line.
impl FromStr for Ignore {
    type Err = IgnoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (code, address) = match text.split_once(':') {
            Some((code, address)) => (code, Some(address.parse()?)),
            None => (text, None),
        };
        Ok(Self { code: code.parse()?, address, reason: Text::fixed("from the command line"), until: None })
    }
}
