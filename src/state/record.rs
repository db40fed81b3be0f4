//! The content of a state.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::model::{Address, Attributes, InstanceKey, SourceRef, unique};

/// The environments that postpay created and manages, by address. Written by postpay; do not edit by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postpay state, version 1")]
pub struct State {
    pub format_version: FormatVersion,
    /// The identity of this state, which never changes.
    pub lineage: Lineage,
    /// How often it was written.
    pub serial: Serial,
    /// The version of postpay that wrote it.
    pub tool_version: String,
    /// Where the environments were created. None before the first run.
    #[serde(deserialize_with = "required")]
    pub account: Option<Account>,
    /// The run that wrote this serial. In a forked state two runs have the same serial, so the serial alone
    /// does not identify the run.
    #[serde(deserialize_with = "required")]
    pub last_run: Option<RunId>,
    /// By address; a former environment, which was replaced and not destroyed and keeps running and billing,
    /// by address and EnvId.
    #[serde(deserialize_with = "unique::map")]
    #[schemars(
        with = "BTreeMap<String, Record>",
        extend("propertyNames" = { "pattern": InstanceKey::PATTERN })
    )]
    pub environments: BTreeMap<InstanceKey, Record>,
}

/// The format version of states, journals and rescue files. Only one exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u64", try_from = "u64")]
pub struct FormatVersion;

impl FormatVersion {
    pub const NUMBER: u64 = 1;
}

impl From<FormatVersion> for u64 {
    fn from(_: FormatVersion) -> Self {
        FormatVersion::NUMBER
    }
}

impl TryFrom<u64> for FormatVersion {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        if number == Self::NUMBER { Ok(Self) } else { Err(format!("unknown `format_version` {number}")) }
    }
}

impl JsonSchema for FormatVersion {
    fn schema_name() -> Cow<'static, str> {
        "FormatVersion".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "const": Self::NUMBER })
    }
}

/// Reads an optional value that is written as null. A missing member was cut out of the file.
pub(crate) fn required<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) const fn is_false(value: &bool) -> bool {
    !*value
}

impl State {
    /// Returns the record of the current environment of an address.
    pub fn get(&self, address: &Address) -> Option<&Record> {
        self.environments.get(&InstanceKey::current(address.clone()))
    }

    /// Returns the current environments by address.
    pub fn current(&self) -> impl Iterator<Item = (&Address, &Record)> {
        let current = self.environments.iter().filter(|(key, _)| !key.is_deposed());
        current.map(|(key, record)| (&key.address, record))
    }

    /// Returns every record, former environments included, with the address that it has or had.
    pub fn records(&self) -> impl Iterator<Item = (&Address, &Record)> {
        self.environments.iter().map(|(key, record)| (&key.address, record))
    }

    /// Returns every EnvId in the state, and its address.
    pub fn env_ids(&self) -> impl Iterator<Item = (&Address, &str)> {
        self.records().filter_map(|(address, record)| Some((address, record.env_id.as_deref()?)))
    }

    /// Returns the environments that were replaced and not destroyed.
    pub fn deposed(&self) -> impl Iterator<Item = (&InstanceKey, &Record)> {
        self.environments.iter().filter(|(key, _)| key.is_deposed())
    }

    /// Returns the former environments of an address.
    pub fn deposed_at(&self, address: &Address) -> impl Iterator<Item = (&InstanceKey, &Record)> {
        let first = InstanceKey::current(address.clone());
        let same_address = move |key: &InstanceKey| key.address == first.address;
        let from = InstanceKey::deposed(address.clone(), String::new());
        self.environments.range(from..).take_while(move |(key, _)| same_address(key))
    }
}

/// The identity of a state: created once, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lineage(#[schemars(with = "String", extend("format" = "uuid"))] pub Uuid);

impl Lineage {
    /// Returns a new unique lineage.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How often a state was written: 0 before the first run, then one more per run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Serial(pub u64);

impl Serial {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where a state's environments were created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// `sandbox` for an endpoint on this machine, else Tencent Cloud's site, or the host of another endpoint.
    pub endpoint: String,
    /// The number of the main account, if known.
    #[serde(deserialize_with = "required")]
    pub uin: Option<String>,
}

impl Account {
    /// The `endpoint` of everything on this machine.
    pub const SANDBOX: &str = "sandbox";
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, uin } = self;
        f.write_str(endpoint)?;
        match uin {
            Some(uin) => write!(f, ", account {uin}"),
            None => Ok(()),
        }
    }
}

/// One environment in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub status: Status,
    #[serde(deserialize_with = "required")]
    pub env_id: Option<String>,
    /// The order number.
    #[serde(deserialize_with = "required")]
    pub tran_id: Option<String>,
    /// The RequestId of the create, until the EnvId is known. The receipts keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Origin::is_default")]
    pub origin: Origin,
    /// The fields as sent, by their names in a manifest.
    pub attributes: Attributes,
    /// When the request was about to be sent.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ordered_at: Timestamp,
    pub run: RunId,
    /// Where it was declared: `FILE:LINE`.
    #[serde(with = "source_text")]
    #[schemars(with = "String")]
    pub source: SourceRef,
    /// The region that was sent with the create, or where an imported environment was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// As last declared; it also applies once the declaration is gone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prevent_destroy: bool,
    /// When it was replaced at its address; None for the current environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub deposed_at: Option<Timestamp>,
}

/// A [`SourceRef`] as `FILE:LINE`.
mod source_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::model::SourceRef;

    pub(super) fn serialize<S: Serializer>(source: &SourceRef, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(source)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SourceRef, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (file, line) =
            text.rsplit_once(':').ok_or_else(|| de::Error::custom("a source is `FILE:LINE`"))?;
        let line = line.parse().map_err(|_| de::Error::custom("the line of a source is a number"))?;
        Ok(SourceRef { file: file.to_owned(), line })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The order number and the EnvId are known.
    Created,
    /// An order number was returned, and no EnvId yet.
    AwaitingEnvId,
    /// The request may have acted; its response was lost or can't be trusted.
    Unknown,
    /// Destroyed, and isolated by Tencent Cloud before it is deleted.
    Isolated,
    /// A destroy was requested, and its result is not known.
    Destroying,
}

impl Status {
    /// Returns the name in a state file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::AwaitingEnvId => "awaiting_env_id",
            Self::Unknown => "unknown",
            Self::Isolated => "isolated",
            Self::Destroying => "destroying",
        }
    }

    /// Returns whether it is known which order or import the record belongs to.
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Created | Self::AwaitingEnvId | Self::Isolated | Self::Destroying => true,
            Self::Unknown => false,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    #[default]
    Ordered,
    Imported,
}

impl Origin {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the name in a state file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Imported => "imported",
        }
    }
}

/// The identity of a run: a version 7 UUID, so that runs sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RunId(#[schemars(with = "String", extend("format" = "uuid"))] pub Uuid);

impl RunId {
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
