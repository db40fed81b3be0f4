//! What can be created, as data: a [`Kind`] is an API action and a table of its fields.
//!
//! The table is the only definition of a field: parsing, checks, the JSON Schema, requests, comparison and
//! reports read it. Code that needs a field by its meaning looks up its [`Role`].

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::ids::is_id;

/// Something that can be created by one action of the API.
#[derive(Debug)]
pub struct Kind {
    /// The value of `kind` in a manifest.
    pub name: &'static str,
    pub api: Api,
    /// The action that creates it.
    pub action: &'static str,
    /// In the order in which fields are shown and sent.
    pub fields: &'static [FieldSpec],
    /// Constraints between two fields.
    pub rules: &'static [Rule],
    /// Error codes that mean that nothing was done: those documented for the action only, and common ones whose advice depends
    /// on the kind.
    pub codes: &'static [Code],
    /// Whether the account shows what it may buy of this kind: the quota, and the packages that are sold.
    pub reads_offers: bool,
    /// Whether a create returns an order number. If not, an EnvId alone proves that it was created.
    pub returns_tran_id: bool,
    /// The request member that is the same each time a create is sent, so that the API can recognise a repeat.
    pub request_key: Option<&'static str>,
    /// Whether it lives inside an environment of another address, so that two entries of the state have one
    /// EnvId.
    pub shares_env_id: bool,
    /// The action that shows whether an environment has it, for a kind that lives inside another one.
    pub look: Option<&'static str>,
    /// The pay mode in the account: `postpaid` or `prepayment`. None where the account shows none.
    pub pay_mode: Option<&'static str>,
}

/// A service of Tencent Cloud, with the name that is signed, and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Api {
    pub service: &'static str,
    pub version: &'static str,
}

/// An error code that means that nothing was done.
#[derive(Debug)]
pub struct Code {
    pub code: &'static str,
    /// Whether later creates of the run would fail too.
    pub ends_run: bool,
    pub help: crate::i18n::Text,
}

/// A field of a [`Kind`]: one row of its table.
#[derive(Debug)]
pub struct FieldSpec {
    /// The name in a manifest, in the state and in a plan.
    pub name: &'static str,
    /// The name of the request member.
    pub member: &'static str,
    pub shape: Shape,
    pub encoding: Encoding,
    pub role: Option<Role>,
    pub update: Update,
    pub equality: Equality,
    /// The values that the API accepts; for a list, those of its items. Empty when any value is possible.
    pub values: &'static [&'static str],
    /// Whether a value outside of `values` is a warning rather than an error.
    pub open: bool,
    /// The diagnostic code for a value that is not allowed.
    pub code: &'static str,
    /// Whether an empty text means the same as no value.
    pub empty_is_none: bool,
    /// What null means.
    pub null: Null,
    /// The value of a boolean that is not declared.
    pub default: Option<bool>,
    /// The number of characters above which the API may reject the value.
    pub longest: Option<usize>,
    /// The number of characters above which the API rejects the value.
    pub max: Option<usize>,
    /// The members of a [`Shape::Object`].
    pub members: &'static [Self],
    /// Further advice for a value that is not allowed.
    pub help: &'static [crate::i18n::Text],
    /// For the JSON Schema.
    pub doc: &'static str,
    pub examples: &'static [&'static str],
}

/// What null means as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// The same as leaving it out.
    IsNone,
    /// An error: an unfinished line, or a template with an empty variable, must not change the request.
    IsError,
    /// An error, as is leaving it out.
    Required,
}

/// The type and format of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Text,
    /// An id: see [`is_id`].
    Id,
    /// Starts with a-z and contains a-z, 0-9 and `-`.
    Alias,
    /// Words of a-z and 0-9, joined by single `-`.
    Words,
    /// A text, or a mapping that is sent as a text: compact JSON with sorted keys.
    Json,
    Integer,
    Bool,
    /// Texts.
    List,
    /// Texts by name.
    Map,
    /// The values of [`FieldSpec::members`].
    Object,
    /// The address of another environment, whose EnvId is sent.
    Reference,
}

/// How a value is encoded in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As is.
    Plain,
    /// A boolean as one of two words.
    Words { yes: &'static str, no: &'static str },
    /// A mapping as a list of objects with `Key` and `Value`.
    Pairs,
}

/// What a field means, for code that does not know the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The id of an existing environment, which the create changes instead of making another.
    EnvId,
    /// The id of the environment that it lives in.
    Inside,
    /// The alias that the EnvId starts with and that the account shows.
    Alias,
    /// A free name that the account may show in place of the alias.
    EnvAlias,
    /// Listed as the environment's source.
    Source,
    /// Listed as its channel.
    Channel,
    /// Billed as the payment channel.
    PaymentChannel,
    /// Billed as the level of free quota.
    FreeQuota,
    /// In the bill's order as its flag.
    Flag,
    /// In the bill's order as its extension.
    ExtensionId,
    /// Where the environment is created. Sent as X-TC-Region, not in the body.
    Region,
    /// Listed and billed as the package.
    Package,
    /// For how many months it is bought.
    Period,
    /// Billed as the switch for use beyond the package.
    Overrun,
    /// Billed as automatic renewal.
    AutoRenew,
    /// Listed as tags.
    Tags,
}

impl Role {
    /// Returns whether the account shows the value, in its list or in a bill.
    pub const fn is_shown(self) -> bool {
        match self {
            Self::Inside | Self::Period => false,
            Self::EnvId
            | Self::Alias
            | Self::EnvAlias
            | Self::Source
            | Self::Channel
            | Self::PaymentChannel
            | Self::FreeQuota
            | Self::Flag
            | Self::ExtensionId
            | Self::Region
            | Self::Package
            | Self::Overrun
            | Self::AutoRenew
            | Self::Tags => true,
        }
    }
}

/// What a changed value means for an existing environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// It must be replaced.
    Replace,
    /// It is updated in place by this action, which takes the EnvId and the field's member and can be repeated.
    /// A value that is no longer declared stays.
    InPlace { action: &'static str },
}

impl Update {
    /// Returns the action that updates the field in place.
    pub const fn action(self) -> Option<&'static str> {
        match self {
            Self::Replace => None,
            Self::InPlace { action } => Some(action),
        }
    }
}

/// When two values mean the same to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equality {
    Exact,
    IgnoreCase,
    /// JSON objects with the same members, in any order and layout.
    Members,
}

/// A constraint between two fields of a kind. Fields are given by name.
#[derive(Debug)]
pub enum Rule {
    /// Both are set, or neither is.
    Together { code: &'static str, fields: [&'static str; 2] },
    /// One of them is set, and only one.
    OneOf { code: &'static str, fields: [&'static str; 2] },
    /// Needed to create an environment, that is, when no field with [`Role::EnvId`] is set.
    NeededToCreate { code: &'static str, field: &'static str },
    /// Needed where one of the fields in `when` has the value beside it.
    NeededWhen { code: &'static str, field: &'static str, when: &'static [(&'static str, &'static str)] },
    /// Which values `field` may have depends on the value of `by`.
    Depends {
        code: &'static str,
        field: &'static str,
        by: &'static str,
        values: &'static [(&'static str, &'static [&'static str])],
    },
    /// `field` needs this item in the list of another field.
    NeedsItem { code: &'static str, field: &'static str, list: &'static str, item: &'static str },
    /// These members of an object are unique among environments.
    Distinct { code: &'static str, field: &'static str, members: [&'static str; 2] },
    /// A value, or an item of a list, that is valid but deserves a warning.
    Discouraged {
        code: &'static str,
        field: &'static str,
        value: &'static str,
        why: crate::i18n::Text,
        help: crate::i18n::Text,
    },
}

impl Rule {
    /// Returns the field that goes together with this one.
    pub fn partner(&self, field: &str) -> Option<&'static str> {
        match self {
            Self::Together { fields: [a, b], .. } if *a == field => Some(b),
            Self::Together { fields: [a, b], .. } if *b == field => Some(a),
            Self::Together { .. }
            | Self::NeededToCreate { .. }
            | Self::NeededWhen { .. }
            | Self::OneOf { .. }
            | Self::Depends { .. }
            | Self::NeedsItem { .. }
            | Self::Distinct { .. }
            | Self::Discouraged { .. } => None,
        }
    }
}

impl FieldSpec {
    /// Returns an optional text that forces replacement.
    pub const fn new(name: &'static str, member: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            member,
            shape,
            encoding: Encoding::Plain,
            role: None,
            update: Update::Replace,
            equality: Equality::Exact,
            values: &[],
            open: false,
            code: "invalid-value",
            empty_is_none: false,
            null: Null::IsNone,
            default: None,
            longest: None,
            max: None,
            members: &[],
            help: &[],
            doc,
            examples: &[],
        }
    }

    /// Whether it says which environment this is, so that another value is another one.
    pub const fn is_identity(&self) -> bool {
        matches!(self.role, Some(Role::EnvId | Role::Inside)) || matches!(self.shape, Shape::Reference)
    }

    /// Returns whether two values mean the same to the API.
    pub fn same(&self, a: &Value, b: &Value) -> bool {
        let members = |value: &Value| {
            let text = value.as_text()?;
            serde_json::from_str::<serde_json::Map<String, Json>>(text).ok()
        };
        a == b
            || match self.equality {
                Equality::Exact => false,
                Equality::IgnoreCase => match (a.as_text(), b.as_text()) {
                    (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
                    (None, _) | (_, None) => false,
                },
                Equality::Members => members(a).is_some_and(|a| members(b) == Some(a)),
            }
    }

    /// Returns whether this text is allowed in a manifest.
    pub fn accepts(&self, text: &str) -> bool {
        let fits = match self.shape {
            Shape::Id => is_id(text),
            Shape::Alias => is_alias(text),
            Shape::Words => is_words(text),
            Shape::Reference => super::address::Address::new(text).is_ok(),
            Shape::Text
            | Shape::Json
            | Shape::Integer
            | Shape::Bool
            | Shape::List
            | Shape::Map
            | Shape::Object => true,
        };
        let fits = fits && self.max.is_none_or(|max| text.chars().count() <= max);
        fits && (self.open || self.values.is_empty() || self.values.contains(&text))
    }

    /// Reads a value that was stored as JSON. None when it has the wrong shape.
    pub(super) fn read_json(&self, json: Json) -> Option<Value> {
        let text = |json| match json {
            Json::String(text) => Some(text),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
        };
        Some(match (self.shape, json) {
            (
                Shape::Text | Shape::Id | Shape::Alias | Shape::Words | Shape::Json | Shape::Reference,
                Json::String(text),
            ) => Value::Text(text),
            (Shape::Integer, Json::Number(number)) => Value::Integer(number.as_i64()?),
            (Shape::Bool, Json::Bool(truth)) => Value::Bool(truth),
            (Shape::List, Json::Array(items)) => {
                Value::List(items.into_iter().map(text).collect::<Option<_>>()?)
            }
            (Shape::Map, Json::Object(members)) => Value::Map(
                members
                    .into_iter()
                    .map(|(name, json)| Some((name, Value::Text(text(json)?))))
                    .collect::<Option<_>>()?,
            ),
            (Shape::Object, Json::Object(members)) => Value::Map(
                members
                    .into_iter()
                    .map(|(name, json)| {
                        let member = self.members.iter().find(|member| member.name == name)?;
                        Some((name, member.read_json(json)?))
                    })
                    .collect::<Option<_>>()?,
            ),
            (_, _) => return None,
        })
    }

    /// Returns the value of the request member; None for a value that is not sent in the body.
    pub fn encode(&self, value: &Value) -> Option<Json> {
        if self.role == Some(Role::Region) {
            return None;
        }
        Some(match (value, self.encoding) {
            (Value::Bool(truth), Encoding::Words { yes, no }) => json!(if *truth { yes } else { no }),
            (Value::Map(members), Encoding::Pairs) => {
                members.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
            }
            (Value::Map(members), Encoding::Plain) if self.shape == Shape::Object => self
                .members
                .iter()
                .filter_map(|member| {
                    Some((member.member.to_owned(), member.encode(members.get(member.name)?)?))
                })
                .collect(),
            (value, _) => json!(value),
        })
    }
}

/// Returns whether `CreatePostpayPackage` and its successors accept a text as an alias (page 876/45287).
pub fn is_alias(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Returns whether `CreateEnv` accepts a text as an alias, apart from its length (page 876/128592).
pub fn is_words(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// The pattern of [`is_words`], for a JSON Schema.
pub const WORDS_PATTERN: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";

/// The pattern of [`is_alias`], for a JSON Schema.
pub const ALIAS_PATTERN: &str = "^[a-z][a-z0-9-]*$";

impl Kind {
    pub fn fields(&'static self) -> impl DoubleEndedIterator<Item = Field> {
        (0..self.fields.len()).map(move |index| Field { kind: self, index })
    }

    /// Returns the field with this manifest name.
    pub fn field(&'static self, name: &str) -> Option<Field> {
        self.fields().find(|field| field.name == name)
    }

    /// Returns the field that has this role.
    pub fn role(&'static self, role: Role) -> Option<Field> {
        self.fields().find(|field| field.role == Some(role))
    }

    /// Returns the values that a field may have beside this value of another. None when they don't depend on
    /// it.
    pub fn values_beside(&self, field: &str, by: &str, value: &str) -> Option<&'static [&'static str]> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Depends { field: it, by: other, values, .. } if *it == field && *other == by => {
                values.iter().find(|(name, _)| *name == value).map(|(_, values)| *values)
            }
            Rule::Depends { .. }
            | Rule::Together { .. }
            | Rule::NeededToCreate { .. }
            | Rule::NeededWhen { .. }
            | Rule::OneOf { .. }
            | Rule::NeedsItem { .. }
            | Rule::Distinct { .. }
            | Rule::Discouraged { .. } => None,
        })
    }
}

/// A field of a known kind. Derefs to its [`FieldSpec`].
#[derive(Clone, Copy)]
pub struct Field {
    pub kind: &'static Kind,
    pub(super) index: usize,
}

impl Field {
    /// Returns the row of the table.
    pub fn spec(self) -> &'static FieldSpec {
        &self.kind.fields[self.index]
    }

    /// Returns the field of this name, for constants. Fails to compile when there is none.
    ///
    /// # Panics
    /// When the kind has no such field.
    #[expect(clippy::panic, reason = "for constants: it fails to compile")]
    pub const fn by_name(kind: &'static Kind, name: &str) -> Self {
        let mut index = 0;
        while index < kind.fields.len() {
            if is_same(kind.fields[index].name.as_bytes(), name.as_bytes()) {
                return Self { kind, index };
            }
            index += 1;
        }
        panic!("no field of this name")
    }
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    a.len() == b.len() && at == a.len()
}

impl Deref for Field {
    type Target = FieldSpec;

    fn deref(&self) -> &FieldSpec {
        self.spec()
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Field {}

impl PartialOrd for Field {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Field {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.kind.name, self.index).cmp(&(other.kind.name, other.index))
    }
}

impl Hash for Field {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.kind.name, self.index).hash(state);
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// The value of a field. [`Shape::Json`] is a text as it is sent, [`Shape::Reference`] the text of an
/// address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<String>),
    /// [`Shape::Map`] and [`Shape::Object`].
    Map(BTreeMap<String, Self>),
}

impl Value {
    /// Returns the approximate size in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Integer(_) | Self::Bool(_) => 8,
            Self::List(texts) => texts.iter().map(String::len).sum(),
            Self::Map(values) => values.iter().map(|(name, value)| name.len() + value.bytes()).sum(),
        }
    }

    /// Returns the value at a name of a mapping.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(values) => values.get(name),
            Self::Text(_) | Self::Integer(_) | Self::Bool(_) | Self::List(_) => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Bool(_) | Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&Self> for Value {
    fn from(value: &Self) -> Self {
        value.clone()
    }
}

/// A text as is, anything else as compact JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.pad(text),
            Self::Integer(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::List(_) | Self::Map(_) => f.pad(&serde_json::to_string(self).unwrap_or_default()),
        }
    }
}
