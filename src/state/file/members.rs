//! Checks on the names of JSON members, made while reading, so that every complaint has a line and a column.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::desired::{Address, Field};

/// An id that is not there is written as null. One that is left out was cut out.
pub(super) fn required<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Environments by address.
pub(super) fn by_address<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    deserializer.deserialize_map(Unique {
        what: "environments by address",
        check: |key| {
            Address::new(key)
                .map(drop)
                .map_err(|error| error.to_string())
        },
        value: PhantomData,
    })
}

/// The fields of an order by name.
pub(super) fn by_field<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(Unique {
        what: "fields by name",
        check: |key| {
            Field::by_name(key)
                .map(drop)
                .ok_or_else(|| format!("`{}` is not a field of an order", key.escape_debug()))
        },
        value: PhantomData,
    })
}

/// A map that holds no key twice. Of two equal keys a plain map keeps the last, and a badly merged file would lose an
/// environment without a word.
struct Unique<V> {
    what: &'static str,
    check: fn(&str) -> Result<(), String>,
    value: PhantomData<V>,
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            (self.check)(&key).map_err(de::Error::custom)?;
            if map.contains_key(&key) {
                return Err(de::Error::custom(format_args!("`{key}` is here twice")));
            }
            map.insert(key, entries.next_value()?);
        }
        Ok(map)
    }
}
