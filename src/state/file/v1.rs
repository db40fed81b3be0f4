//! The state file, version 1. Frozen: another shape is another version, in a file of its own beside this one.
//!
//! What is wrong with a member's name is found by [`super::members`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::members::{by_address, by_field, required};
use crate::desired::{Address, Attributes, Field, SourceRef};
use crate::lang::{Text, text};
use crate::state::journal::RunId;
use crate::state::{Account, Deposed, Lineage, Origin, Record, Serial, State, Status};

/// The version that this file reads and writes.
pub(super) const VERSION: u64 = 1;

/// What postpay knows that it ordered. Written by postpay; not meant to be edited by hand.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postpay state, version 1")]
pub(super) struct StateV1 {
    #[schemars(range(min = 1, max = 1))]
    pub(super) format_version: u64,
    /// The identity of this state through its whole life.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub(super) lineage: Uuid,
    /// How often it was replaced.
    pub(super) serial: u64,
    /// The version of postpay that wrote it.
    pub(super) tool_version: String,
    /// Whom the environments were ordered from.
    #[serde(deserialize_with = "required")]
    pub(super) account: Option<AccountV1>,
    /// The run that made this serial.
    #[serde(deserialize_with = "required")]
    #[schemars(with = "Option<String>", extend("format" = "uuid"))]
    pub(super) last_run: Option<Uuid>,
    /// By address.
    #[serde(deserialize_with = "by_address")]
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$" }))]
    pub(super) environments: BTreeMap<String, RecordV1>,
    /// Environments that others took the address of, still there and still paid for.
    pub(super) deposed: Vec<DeposedV1>,
}

/// An environment that was replaced.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Deposed")]
pub(super) struct DeposedV1 {
    /// The address that it had.
    pub(super) address: String,
    /// When its replacement was ordered.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) deposed_at: Timestamp,
    /// The run that ordered its replacement.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub(super) deposed_by: Uuid,
    pub(super) record: RecordV1,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Account")]
pub(super) struct AccountV1 {
    /// `sandbox`, or the host of the vendor's endpoint.
    pub(super) endpoint: String,
    /// The number of the main account.
    #[serde(deserialize_with = "required")]
    pub(super) uin: Option<String>,
}

/// One order, or one adopted environment.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Record")]
pub(super) struct RecordV1 {
    pub(super) status: StatusV1,
    #[serde(deserialize_with = "required")]
    pub(super) env_id: Option<String>,
    /// The vendor's order number.
    #[serde(deserialize_with = "required")]
    pub(super) tran_id: Option<String>,
    #[serde(deserialize_with = "required")]
    pub(super) request_id: Option<String>,
    pub(super) origin: OriginV1,
    /// The fields as ordered, by their names in a manifest.
    #[serde(deserialize_with = "by_field")]
    pub(super) attributes: BTreeMap<String, String>,
    /// When the request was about to be sent.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) ordered_at: Timestamp,
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub(super) run: Uuid,
    /// Where it was declared.
    pub(super) source: SourceV1,
    /// The region that was sent with the order, or where an adopted environment was found.
    #[serde(deserialize_with = "required")]
    pub(super) region: Option<String>,
    /// Whether it was last declared as not to be given up.
    pub(super) prevent_destroy: bool,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Status")]
pub(super) enum StatusV1 {
    /// The order number and the environment id are known.
    Created,
    /// The vendor returned an order number, and no environment id yet.
    AwaitingEnvId,
    /// The request may have acted; its answer was lost.
    Unknown,
    /// Given up, and kept in isolation by the vendor.
    Isolated,
    /// Asked to be given up; what became of it was not seen.
    Destroying,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Origin")]
pub(super) enum OriginV1 {
    Ordered,
    Imported,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
pub(super) struct SourceV1 {
    pub(super) file: String,
    pub(super) line: u32,
}

impl From<&State> for StateV1 {
    fn from(state: &State) -> Self {
        let State {
            lineage,
            serial,
            tool_version,
            account,
            last_run,
            environments,
            deposed,
        } = state;
        Self {
            format_version: VERSION,
            lineage: lineage.0,
            serial: serial.0,
            tool_version: tool_version.clone(),
            account: account.as_ref().map(AccountV1::from),
            last_run: last_run.map(|run| run.0),
            environments: environments
                .iter()
                .map(|(address, record)| (address.to_string(), record.into()))
                .collect(),
            deposed: deposed.iter().map(DeposedV1::from).collect(),
        }
    }
}

impl TryFrom<StateV1> for State {
    type Error = Text;

    fn try_from(wire: StateV1) -> Result<Self, Text> {
        let StateV1 {
            format_version,
            lineage,
            serial,
            tool_version,
            account,
            last_run,
            environments,
            deposed,
        } = wire;
        if format_version != VERSION {
            return Err(text!(
                "`format_version` {format_version} never was one",
                "`format_version` {format_version} 从未存在过"
            ));
        }
        Ok(Self {
            lineage: Lineage(lineage),
            serial: Serial(serial),
            tool_version,
            account: account.map(Account::from),
            last_run: last_run.map(RunId),
            environments: environments
                .into_iter()
                .map(|(address, record)| {
                    let address = Address::new(&address).map_err(|error| Text::of(&error))?;
                    Ok((address, record.try_into()?))
                })
                .collect::<Result<_, Text>>()?,
            deposed: deposed
                .into_iter()
                .map(Deposed::try_from)
                .collect::<Result<_, Text>>()?,
        })
    }
}

impl From<&Deposed> for DeposedV1 {
    fn from(deposed: &Deposed) -> Self {
        let Deposed {
            address,
            record,
            at,
            by,
        } = deposed;
        Self {
            address: address.to_string(),
            deposed_at: *at,
            deposed_by: by.0,
            record: record.into(),
        }
    }
}

impl TryFrom<DeposedV1> for Deposed {
    type Error = Text;

    fn try_from(wire: DeposedV1) -> Result<Self, Text> {
        let DeposedV1 {
            address,
            deposed_at,
            deposed_by,
            record,
        } = wire;
        Ok(Self {
            address: Address::new(&address).map_err(|error| Text::of(&error))?,
            record: record.try_into()?,
            at: deposed_at,
            by: RunId(deposed_by),
        })
    }
}

impl From<&Record> for RecordV1 {
    fn from(record: &Record) -> Self {
        let Record {
            status,
            env_id,
            tran_id,
            request_id,
            origin,
            attributes,
            ordered_at,
            run,
            source,
            region,
            prevent_destroy,
        } = record;
        Self {
            status: match status {
                Status::Created => StatusV1::Created,
                Status::AwaitingEnvId => StatusV1::AwaitingEnvId,
                Status::Unknown => StatusV1::Unknown,
                Status::Isolated => StatusV1::Isolated,
                Status::Destroying => StatusV1::Destroying,
            },
            env_id: env_id.clone(),
            tran_id: tran_id.clone(),
            request_id: request_id.clone(),
            origin: match origin {
                Origin::Ordered => OriginV1::Ordered,
                Origin::Imported => OriginV1::Imported,
            },
            attributes: attributes_to_wire(attributes),
            ordered_at: *ordered_at,
            run: run.0,
            source: source.into(),
            region: region.clone(),
            prevent_destroy: *prevent_destroy,
        }
    }
}

impl TryFrom<RecordV1> for Record {
    type Error = Text;

    fn try_from(wire: RecordV1) -> Result<Self, Text> {
        let RecordV1 {
            status,
            env_id,
            tran_id,
            request_id,
            origin,
            attributes,
            ordered_at,
            run,
            source,
            region,
            prevent_destroy,
        } = wire;
        Ok(Self {
            status: match status {
                StatusV1::Created => Status::Created,
                StatusV1::AwaitingEnvId => Status::AwaitingEnvId,
                StatusV1::Unknown => Status::Unknown,
                StatusV1::Isolated => Status::Isolated,
                StatusV1::Destroying => Status::Destroying,
            },
            env_id,
            tran_id,
            request_id,
            origin: match origin {
                OriginV1::Ordered => Origin::Ordered,
                OriginV1::Imported => Origin::Imported,
            },
            attributes: attributes_from_wire(attributes)?,
            ordered_at,
            run: RunId(run),
            source: source.into(),
            region,
            prevent_destroy,
        })
    }
}

pub(super) fn attributes_to_wire(attributes: &Attributes) -> BTreeMap<String, String> {
    attributes
        .iter()
        .map(|(field, value)| (field.name().to_owned(), value.to_owned()))
        .collect()
}

pub(super) fn attributes_from_wire(wire: BTreeMap<String, String>) -> Result<Attributes, Text> {
    wire.into_iter()
        .map(|(name, value)| match Field::by_name(&name) {
            Some(field) => Ok((field, value)),
            None => Err(text!(
                "`{name}` is not a field of an order",
                "`{name}` 不是订单的字段"
            )),
        })
        .collect()
}

impl From<&Account> for AccountV1 {
    fn from(account: &Account) -> Self {
        let Account { endpoint, uin } = account;
        Self {
            endpoint: endpoint.clone(),
            uin: uin.clone(),
        }
    }
}

impl From<AccountV1> for Account {
    fn from(wire: AccountV1) -> Self {
        let AccountV1 { endpoint, uin } = wire;
        Self { endpoint, uin }
    }
}

impl From<&SourceRef> for SourceV1 {
    fn from(source: &SourceRef) -> Self {
        let SourceRef { file, line } = source;
        Self {
            file: file.clone(),
            line: *line,
        }
    }
}

impl From<SourceV1> for SourceRef {
    fn from(wire: SourceV1) -> Self {
        let SourceV1 { file, line } = wire;
        Self { file, line }
    }
}
