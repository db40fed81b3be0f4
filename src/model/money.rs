//! Amounts of money, exact to a hundredth.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::i18n::{Text, text};

/// An amount in hundredths of the account's currency, which the API does not name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u64);

impl Money {
    /// The pattern of an amount, for a JSON Schema.
    pub const PATTERN: &str = r"^[0-9]{1,12}(\.[0-9]{1,2})?$";

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

/// `39.9` and `500`: at most twelve digits before the point and two behind it.
impl FromStr for Money {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        let error = || text!("an amount such as 500 or 39.90");
        let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
        let is_number = |digits: &str, most| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
        };
        if !is_number(whole, 12) || !is_number(part, 2) {
            return Err(error());
        }
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| error());
        let hundredths = number(part)? * if part.len() == 1 { 10 } else { 1 };
        Ok(Self(number(whole)? * 100 + hundredths))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": Self::PATTERN})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, shown) in [("39.9", "39.90"), ("500", "500.00"), ("0.05", "0.05"), ("199.00", "199.00")] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), shown);
        }
        for text in ["", ".5", "5.", "1.234", "-1", "1e3", "1,000", "free", "9999999999999"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
        let price: Money = "39.9".parse().unwrap();
        assert_eq!(price.times(3).plus("0.3".parse().unwrap()).to_string(), "120.00");
    }
}
