//! The name of a declared environment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::i18n::{Text, text};

/// The stable name of an environment: its key in the manifests, unique over all files.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(inline)]
#[serde(try_from = "String")]
pub struct Address(String);

/// A text that is not an [`Address`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct AddressError(String);

/// English, and Chinese as `{:#}`.
impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, rule) = (self.0.escape_debug(), Address::RULE);
        text!("`{text}` is not an address: {rule}", text, rule).fmt(f)
    }
}

impl Address {
    /// The format of an address, for messages.
    pub const RULE: Text = Text::fixed(
        "an address starts with a-z or 0-9 and contains only a-z, 0-9, `_` and `-`, at most 64 characters",
    );
    /// The characters of [`Self::RULE`], for a JSON Schema, which has the length separately.
    pub const PATTERN: &'static str = "^[a-z0-9][a-z0-9_-]*$";
    pub const MAX_CHARS: usize = 64;

    /// Fails when `text` breaks [`Address::RULE`].
    pub fn new(text: &str) -> Result<Self, AddressError> {
        Self::try_from(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if text.bytes().next().is_some_and(plain)
            && text.len() <= Self::MAX_CHARS
            && text.bytes().all(|byte| plain(byte) || byte == b'_' || byte == b'-')
        {
            Ok(Self(text))
        } else {
            Err(AddressError(text))
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::new(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
