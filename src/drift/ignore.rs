//! Drift that somebody knows of and accepts, for a while.

use std::str::FromStr;

use jiff::civil::Date;

use crate::i18n::Text;
use crate::model::{Address, AddressError};
use crate::plan::{Code, CodeError, Finding};

/// A kind of finding that does not count, everywhere or at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    pub code: Code,
    /// None: wherever it is found.
    pub address: Option<Address>,
    /// In the words of whoever ignores it.
    pub reason: Text,
    /// The last day on which it holds; None for one that was given on a command line.
    pub until: Option<Date>,
}

/// A text that is no [`Ignore`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    #[error(transparent)]
    Code(#[from] CodeError),
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Ignore {
    /// Whether it is about this finding.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.code == finding.code && (self.address.is_none() || self.address == finding.address)
    }

    /// Whether it does not hold any more.
    pub fn has_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// `CODE` or `CODE:ADDR`, as on a command line.
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
