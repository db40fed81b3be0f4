//! What the manifests ask for: environments by [`Address`], in declared order.
//!
//! This is the vocabulary that every later room shares. It knows nothing of YAML, files or HTTP.

mod field;
pub mod unique;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use field::{Field, channels, is_alias};

use crate::lang::{Text, text};

/// What an id looks like, for messages.
pub const ID_RULE: Text = Text::fixed(
    "an id has 1 to 128 characters, without spaces, invisible characters and quotes",
    "ID 由 1 到 128 个字符组成，不含空白、不可见字符和引号",
);

/// As [`is_id`], for a schema.
pub const ID_PATTERN: &str = r#"^[^\s"'`´‘-‟«»‹›「-』＂＇]{1,128}$"#;

/// Whether a text, which holds nothing unseen, may be an id of an environment, an order, an app or an extension.
///
/// An API that trims what it is sent would take an id with a blank for the one without: two addresses, one environment.
pub fn is_id(text: &str) -> bool {
    let is_quote = |c| matches!(c, '"' | '\'' | '`' | '´' | '‘'..='‟' | '«' | '»' | '‹' | '›' | '「'..='』' | '＂' | '＇');
    (1..=128).contains(&text.chars().count())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || is_quote(c))
}

/// Everything that the manifests ask for, in declared order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// In declared order: files in the order they were found, keys as they stand in each.
    pub environments: Vec<Environment>,
    /// Addresses that were renamed. No two have the same `from` or the same `to`, and they form no cycle.
    pub moved: Vec<Moved>,
    /// Addresses that are to be forgotten. None of them is declared.
    pub removed: Vec<Removed>,
    /// The files that `environments` came from, with the hash of the bytes that were read.
    pub manifests: Vec<ManifestHash>,
}

/// One declared environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub address: Address,
    /// What its order will say, defaults merged in.
    pub attributes: Attributes,
    pub lifecycle: Lifecycle,
    /// Set when it exists already: it is adopted then, and never ordered.
    pub import: Option<Import>,
    pub source: SourceRef,
}

/// How an environment may change once it is on record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// It is not given up, even after it has left the manifests.
    pub prevent_destroy: bool,
    /// A difference in these is none.
    pub ignore_changes: BTreeSet<Field>,
}

/// The environment that an address adopts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub env_id: String,
    /// Its order number, where it is known.
    pub tran_id: Option<String>,
    /// Where it is written.
    pub source: SourceRef,
}

/// What was called `from` is called `to` now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub from: Address,
    pub to: Address,
    pub source: SourceRef,
}

/// An address to be forgotten: its environment is left alone, and not managed any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub address: Address,
    pub source: SourceRef,
}

/// The bytes of one manifest file, as they were when it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestHash {
    /// Relative to the project folder where it can be.
    pub path: PathBuf,
    /// Lower-case hex.
    pub sha256: String,
}

/// Where an environment is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
pub struct SourceRef {
    /// The manifest file as the user would name it, relative to the project folder where it can be.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
}

impl fmt::Display for SourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line } = self;
        write!(f, "{file}:{line}")
    }
}

/// The stable name of an environment: its key in the manifests, unique over all files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

/// A text that is no [`Address`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct AddressError(String);

/// English, and Chinese as `{:#}`.
impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, rule) = (self.0.escape_debug(), Address::RULE);
        text!("`{text}` is not an address: {rule}", "`{text}` 不是有效的地址：{rule:#}").fmt(f)
    }
}

impl Address {
    /// What an address looks like, for messages.
    pub const RULE: Text = Text::fixed(
        "an address starts with a-z or 0-9 and holds a-z, 0-9, `_` and `-`, 64 characters at most",
        "地址以 a-z 或 0-9 开头，只能包含 a-z、0-9、`_` 和 `-`，最多 64 个字符",
    );
    const MAX_CHARS: usize = 64;

    /// # Errors
    /// When `text` breaks [`Address::RULE`].
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let starts_well = text.chars().next().is_some_and(plain);
        if starts_well
            && text.len() <= Self::MAX_CHARS
            && text.chars().all(|c| plain(c) || c == '_' || c == '-')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(AddressError(text.to_owned()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::new(&text)
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

/// What an order says, field by field, exactly as it is sent. A field that is not there is not sent.
///
/// [`Field::Extra`] holds its wire form: the text itself, or compact JSON with sorted keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(#[serde(deserialize_with = "unique::map")] BTreeMap<Field, String>);

impl Attributes {
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }

    pub fn set(&mut self, field: Field, value: impl Into<String>) {
        self.0.insert(field, value.into());
    }

    /// Takes a field away.
    pub fn unset(&mut self, field: Field) {
        self.0.remove(&field);
    }

    /// The fields that are there, in the order of [`Field::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0.iter().map(|(field, value)| (*field, value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when the vendor is asked to create the environment, rather than to switch one that exists.
    pub fn creates_environment(&self) -> bool {
        self.get(Field::EnvId).is_none()
    }
}

impl FromIterator<(Field, String)> for Attributes {
    fn from_iter<T: IntoIterator<Item = (Field, String)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}
