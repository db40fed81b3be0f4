//! What a state holds: plain data, without reading or writing it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::model::{Address, Attributes, InstanceKey, SourceRef, unique};

/// What postpay created and manages, by address. Written by postpay; not meant to be edited by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postpay state, version 1")]
pub struct State {
    pub format_version: FormatVersion,
    /// The identity of this state through its whole life.
    pub lineage: Lineage,
    /// How often it was replaced.
    pub serial: Serial,
    /// The version of postpay that wrote it.
    pub tool_version: String,
    /// Where the environments were created. None before the first run.
    #[serde(deserialize_with = "required")]
    pub account: Option<Account>,
    /// The run that made this serial. Two runs may start from one serial where a state was copied, so the serial alone
    /// does not say whether it holds a run.
    #[serde(deserialize_with = "required")]
    pub last_run: Option<RunId>,
    /// By address, and by address and EnvId for a former environment of the address: one that was replaced and not
    /// destroyed, and that keeps running and keeps billing.
    #[serde(deserialize_with = "unique::map")]
    #[schemars(
        with = "BTreeMap<String, Record>",
        extend("propertyNames" = { "pattern": InstanceKey::PATTERN })
    )]
    pub environments: BTreeMap<InstanceKey, Record>,
}

/// The one version of the format of states, journals and rescue files so far.
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

/// An optional value that is written as null when it is missing. One that is left out was cut out of the file.
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

/// The identity of a state through its whole life: made once, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lineage(#[schemars(with = "String", extend("format" = "uuid"))] pub Uuid);

impl Lineage {
    /// A lineage that no other state has.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How often a state was replaced: 0 before the first run, then one more a run.
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
    /// The number of the main account, where it is known.
    #[serde(deserialize_with = "required")]
    pub uin: Option<String>,
}

impl Account {
    /// The endpoint of whatever is on this machine.
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

/// What is known of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub status: Status,
    #[serde(deserialize_with = "required")]
    pub env_id: Option<String>,
    /// The order number.
    #[serde(deserialize_with = "required")]
    pub tran_id: Option<String>,
    /// Of the create, as long as it is not known which environment it created. The receipts have it for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Origin::is_default")]
    pub origin: Origin,
    /// The fields as they were sent, by their names in a manifest.
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
    /// As last declared: it is kept here because it has to hold when nothing is declared any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prevent_destroy: bool,
    /// When another environment took its address; None for the current environment of an address.
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
    /// The request may have acted; its answer was lost or can't be trusted.
    Unknown,
    /// Destroyed, and kept in isolation by Tencent Cloud before it is deleted.
    Isolated,
    /// A destroy was requested, and its result was not seen.
    Destroying,
}

impl Status {
    /// As in a state file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::AwaitingEnvId => "awaiting_env_id",
            Self::Unknown => "unknown",
            Self::Isolated => "isolated",
            Self::Destroying => "destroying",
        }
    }

    /// True when it is known which order, or which adoption, the record is of.
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

    /// As in a state file.
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
