//! What the manifests ask for: environments by [`Address`], in declared order.
//!
//! The vocabulary that every later module shares. It knows nothing of YAML, files or HTTP.

pub mod address;
pub mod attributes;
pub mod ids;
pub mod instance;
pub mod kind;
pub mod schema;
pub mod unique;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

pub use address::{Address, AddressError};
pub use attributes::Attributes;
pub use ids::{ID_PATTERN, ID_RULE, is_id};
pub use instance::InstanceKey;
pub use kind::{Field, Kind, Null, Role, Shape, Value, is_alias};

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

/// How an environment may change once it is in the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// It is not destroyed, even after it was removed from the manifests.
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestHash {
    /// Relative to the project folder where it can be.
    #[serde(serialize_with = "as_shown")]
    pub path: PathBuf,
    /// Lower-case hex.
    pub sha256: String,
}

/// A path that is not UTF-8 leads nowhere once it is read back.
fn as_shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
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
