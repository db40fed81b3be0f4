//! What the manifests declare: environments by [`Address`], in declared order.
//!
//! Shared by every later module. It knows nothing of YAML, files or HTTP.

pub mod address;
pub mod attributes;
pub mod ids;
pub mod instance;
pub mod kind;
pub mod money;
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
pub use money::Money;

/// Everything that the manifests declare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// In declared order: files as found, keys as written.
    pub environments: Vec<Environment>,
    /// Renamed addresses. No two have the same `from` or the same `to`, and they form no cycle.
    pub moved: Vec<Moved>,
    /// Addresses to forget. None of them is declared.
    pub removed: Vec<Removed>,
    /// The files of `environments`, with the hash of the bytes that were read.
    pub manifests: Vec<ManifestHash>,
}

/// One declared environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub address: Address,
    /// What to request, defaults merged in.
    pub attributes: Attributes,
    pub lifecycle: Lifecycle,
    /// Set when it already exists: it is imported, never created.
    pub import: Option<Import>,
    pub source: SourceRef,
}

/// How an environment may change once it is in the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// It is not destroyed, even after it was removed from the manifests.
    pub prevent_destroy: bool,
    /// Differences in these fields are ignored.
    pub ignore_changes: BTreeSet<Field>,
}

/// The existing environment that an address imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub env_id: String,
    /// Its order number, if known.
    pub tran_id: Option<String>,
    /// Where the import is declared.
    pub source: SourceRef,
}

/// A renamed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub from: Address,
    pub to: Address,
    pub source: SourceRef,
}

/// An address to forget: its environment keeps running and is no longer managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub address: Address,
    pub source: SourceRef,
}

/// The hash of a manifest file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestHash {
    /// Relative to the project folder if possible.
    #[serde(serialize_with = "as_shown")]
    pub path: PathBuf,
    /// Lower-case hex.
    pub sha256: String,
}

/// Rejects a path that is not UTF-8: it could not be read back.
fn as_shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Where an environment is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
pub struct SourceRef {
    /// The manifest file as the user would write it, relative to the project folder if possible.
    pub file: String,
    /// Starts at 1.
    pub line: u32,
}

impl fmt::Display for SourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line } = self;
        write!(f, "{file}:{line}")
    }
}
