//! The values of an environment's fields.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;

use super::address::Address;
use super::kind::{Field, Kind, Role, Shape, Value};
use crate::kinds;

/// What to request for one environment, field by field. An unset field is not sent.
///
/// As JSON, an object in the order of the fields, with the kind unless it is [`kinds::DEFAULT`].
#[derive(Debug, Clone)]
pub struct Attributes {
    kind: &'static Kind,
    /// By the field's index in the table, ascending.
    values: Vec<(usize, Value)>,
}

impl Attributes {
    pub const fn new(kind: &'static Kind) -> Self {
        Self { kind, values: Vec::new() }
    }

    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Returns the value of a field; None also for a field of another kind.
    pub fn get(&self, field: Field) -> Option<&Value> {
        let at = self.find(field)?.ok()?;
        Some(&self.values[at].1)
    }

    /// Returns the value of a field that holds a text.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.get(field)?.as_text()
    }

    /// Sets the value of a field. A field of another kind is ignored.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        match self.find(field) {
            Some(Ok(at)) => self.values[at].1 = value.into(),
            Some(Err(at)) => self.values.insert(at, (field.index, value.into())),
            None => {}
        }
    }

    pub fn unset(&mut self, field: Field) {
        if let Some(Ok(at)) = self.find(field) {
            self.values.remove(at);
        }
    }

    /// Returns where a field is, or where to insert it. None for a field of another kind.
    fn find(&self, field: Field) -> Option<Result<usize, usize>> {
        (field.kind.name == self.kind.name)
            .then(|| self.values.binary_search_by_key(&field.index, |(index, _)| *index))
    }

    /// Returns the fields that are set, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.values.iter().map(|(index, value)| (Field { kind: self.kind, index: *index }, value))
    }

    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the text of the field that has this role.
    pub fn role(&self, role: Role) -> Option<&str> {
        self.text(self.kind.role(role)?)
    }

    /// Sets the field that has this role; does nothing in a kind without such a field.
    pub fn set_role(&mut self, role: Role, value: impl Into<Value>) {
        if let Some(field) = self.kind.role(role) {
            self.set(field, value);
        }
    }

    pub fn unset_role(&mut self, role: Role) {
        if let Some(field) = self.kind.role(role) {
            self.unset(field);
        }
    }

    /// Returns the existing environment that the create refers to.
    pub fn env_id(&self) -> Option<&str> {
        self.role(Role::EnvId)
    }

    pub fn alias(&self) -> Option<&str> {
        self.role(Role::Alias)
    }

    /// Returns the declared region of the create, if any.
    pub fn region(&self) -> Option<&str> {
        self.role(Role::Region)
    }

    pub fn env_alias(&self) -> Option<&str> {
        self.role(Role::EnvAlias)
    }

    /// Returns the addresses that have to be created first.
    pub fn references(&self) -> impl Iterator<Item = (Field, Address)> {
        self.iter()
            .filter(|(field, _)| field.shape == Shape::Reference)
            .filter_map(|(field, value)| Some((field, Address::new(value.as_text()?).ok()?)))
    }

    /// Returns whether the API creates an environment, rather than change or extend an existing one.
    pub fn creates_environment(&self) -> bool {
        !self.kind.shares_env_id && self.env_id().is_none()
    }
}

impl Default for Attributes {
    fn default() -> Self {
        Self::new(kinds::DEFAULT)
    }
}

/// Kinds are equal when their names are.
impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.kind.name == other.kind.name && self.values == other.values
    }
}

impl Eq for Attributes {}

impl std::hash::Hash for Attributes {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.kind.name, &self.values).hash(state);
    }
}

/// Takes the kind from the first field.
impl<V: Into<Value>> FromIterator<(Field, V)> for Attributes {
    fn from_iter<T: IntoIterator<Item = (Field, V)>>(pairs: T) -> Self {
        let mut pairs = pairs.into_iter().peekable();
        let kind = pairs.peek().map_or(kinds::DEFAULT, |(field, _)| field.kind);
        let mut attributes = Self::new(kind);
        for (field, value) in pairs {
            attributes.set(field, value);
        }
        attributes
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.kind.name != kinds::DEFAULT.name {
            map.serialize_entry(kinds::KEY, self.kind.name)?;
        }
        for (field, value) in self.iter() {
            map.serialize_entry(field.name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of fields")
    }

    /// Rejects unknown and duplicate fields: a badly merged file would lose a value.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Attributes, A::Error> {
        let unknown = |name: &str| A::Error::custom(format_args!("unknown field `{}`", name.escape_debug()));
        let mut kind = kinds::DEFAULT;
        let mut fields = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            // Reported here when no kind has it, so that the error has its line.
            if name != kinds::KEY && !kinds::ALL.iter().any(|kind| kind.field(&name).is_some()) {
                return Err(unknown(&name));
            }
            let value = entries.next_value::<Json>()?;
            if name != kinds::KEY {
                fields.push((name, value));
                continue;
            }
            let known = value.as_str().and_then(kinds::find);
            kind = known.ok_or_else(|| A::Error::custom(format_args!("unknown kind {value}")))?;
        }
        let mut attributes = Attributes::new(kind);
        for (name, value) in fields {
            let field = kind.field(&name).ok_or_else(|| unknown(&name))?;
            if attributes.get(field).is_some() {
                return Err(A::Error::custom(format_args!("duplicate key `{name}`")));
            }
            let wrong = || A::Error::custom(format_args!("`{name}` has a value of a wrong type"));
            attributes.set(field, field.read_json(value).ok_or_else(wrong)?);
        }
        Ok(attributes)
    }
}

impl JsonSchema for Attributes {
    fn schema_name() -> Cow<'static, str> {
        "Attributes".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean", "array", "object"]}})
    }
}
