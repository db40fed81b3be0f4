//! The key of one environment in the state.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::address::{Address, AddressError};
use crate::i18n::text;

/// The current environment of an address, or a former one that was replaced and not destroyed.
///
/// In JSON it is `ADDRESS`, or `ADDRESS/ENV_ID` for a former one.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(inline)]
#[serde(into = "String", try_from = "String")]
pub struct InstanceKey {
    pub address: Address,
    /// The EnvId of a former environment; None for the current one.
    pub deposed: Option<String>,
}

impl InstanceKey {
    /// The format of a key in JSON.
    pub const PATTERN: &str = "^[a-z0-9][a-z0-9_-]{0,63}(/[\\s\\S]*)?$";

    /// Returns the key of the current environment of an address.
    pub const fn current(address: Address) -> Self {
        Self { address, deposed: None }
    }

    /// Returns the key of a former environment of an address.
    pub const fn deposed(address: Address, env_id: String) -> Self {
        Self { address, deposed: Some(env_id) }
    }

    pub const fn is_deposed(&self) -> bool {
        self.deposed.is_some()
    }

    /// Returns the key of the same environment under another address.
    #[must_use]
    pub fn moved_to(&self, address: &Address) -> Self {
        Self { address: address.clone(), deposed: self.deposed.clone() }
    }
}

impl From<InstanceKey> for String {
    fn from(InstanceKey { address, deposed }: InstanceKey) -> Self {
        match deposed {
            Some(env_id) => format!("{address}/{env_id}"),
            None => address.to_string(),
        }
    }
}

impl TryFrom<String> for InstanceKey {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        match text.split_once('/') {
            Some((address, env_id)) => Ok(Self::deposed(address.parse()?, env_id.to_owned())),
            None => Ok(Self::current(Address::try_from(text)?)),
        }
    }
}

impl FromStr for InstanceKey {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::try_from(text.to_owned())
    }
}

/// For messages. English, and Chinese as `{:#}`.
impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, deposed } = self;
        match deposed {
            Some(env_id) => text!("{address} (deposed {env_id})", address, env_id).fmt(f),
            None => address.fmt(f),
        }
    }
}
