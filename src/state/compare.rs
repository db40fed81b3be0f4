//! Compares two states by address and field. Pure.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::model::InstanceKey;
use crate::state::record::{Account, Record, State};

/// A difference between two states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Difference {
    /// In a member of the state itself.
    Member { name: &'static str, found: String, expected: String },
    /// Only the expected state has the environment.
    Missing { key: InstanceKey, record: Box<Record> },
    /// Only the found state has the environment.
    Surplus { key: InstanceKey, record: Box<Record> },
    /// Both have the environment. None where the field is unset.
    Field { key: InstanceKey, name: String, found: Option<String>, expected: Option<String> },
}

impl Difference {
    /// Returns the environment that it is about; None for a member of the state itself.
    pub fn key(&self) -> Option<&InstanceKey> {
        match self {
            Self::Member { .. } => None,
            Self::Missing { key, .. } | Self::Surplus { key, .. } | Self::Field { key, .. } => Some(key),
        }
    }

    /// Returns whether it could make a create or destroy go wrong: an environment is missing and would be
    /// created again, or is another one. Other differences concern the past, or show in a plan.
    pub fn is_dangerous(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Surplus { .. } => true,
            Self::Member { name, .. } => *name == "account",
            Self::Field { name, .. } => {
                ["status", "env_id", "tran_id", "region", "prevent_destroy"].contains(&name.as_str())
            }
        }
    }
}

/// Returns every difference: the members of the state first, then by key.
pub fn differences(found: &State, expected: &State) -> Vec<Difference> {
    let mut differences = members(found, expected);
    for (key, record) in &expected.environments {
        match found.environments.get(key) {
            None => {
                differences.push(Difference::Missing { key: key.clone(), record: Box::new(record.clone()) });
            }
            Some(there) if there != record => differences.extend(record_differences(key, there, record)),
            Some(_) => {}
        }
    }
    for (key, record) in &found.environments {
        if !expected.environments.contains_key(key) {
            differences.push(Difference::Surplus { key: key.clone(), record: Box::new(record.clone()) });
        }
    }
    differences
}

fn members(found: &State, expected: &State) -> Vec<Difference> {
    // Destructured, so that a new member has to be compared.
    let texts = |state: &State| {
        let State { format_version: _, lineage, serial, tool_version, account, last_run, environments: _ } =
            state;
        [
            ("lineage", lineage.to_string()),
            ("serial", serial.to_string()),
            ("tool_version", tool_version.clone()),
            ("account", account_text(account.as_ref())),
            ("last_run", last_run.map_or_else(|| "none".to_owned(), |run| run.to_string())),
        ]
    };
    texts(found)
        .into_iter()
        .zip(texts(expected))
        .filter(|((_, found), (_, expected))| found != expected)
        .map(|((name, found), (_, expected))| Difference::Member { name, found, expected })
        .collect()
}

fn account_text(account: Option<&Account>) -> String {
    account.map_or_else(|| "none".to_owned(), Account::to_string)
}

/// Returns the fields that differ between two records of one environment.
fn record_differences(key: &InstanceKey, found: &Record, expected: &Record) -> Vec<Difference> {
    let (mut found, mut expected) = (fields(found), fields(expected));
    let names: BTreeSet<String> = found.keys().chain(expected.keys()).cloned().collect();
    names
        .into_iter()
        .map(|name| (found.remove(&name), expected.remove(&name), name))
        .filter(|(found, expected, _)| found != expected)
        .map(|(found, expected, name)| Difference::Field { key: key.clone(), name, found, expected })
        .collect()
}

/// Returns the members of a record that are set, as in a state file; attributes as `attributes.alias`.
fn fields(record: &Record) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let record = serde_json::to_value(record).unwrap_or_default();
    for (name, value) in record.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        match value.as_object().filter(|_| name == "attributes") {
            Some(attributes) => {
                fields.extend(
                    attributes.iter().map(|(name, value)| (format!("attributes.{name}"), text(value))),
                );
            }
            None => drop(fields.insert(name.clone(), text(value))),
        }
    }
    fields
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::arbitrary::state;

    proptest! {
        /// No difference if and only if they are equal.
        #[test]
        fn only_equal_states_have_no_difference(found in state(), expected in state()) {
            prop_assert_eq!(differences(&found, &found), []);
            let none = differences(&found, &expected).is_empty();
            prop_assert_eq!(none, found == expected);
        }

        #[test]
        fn changed_id_is_reported(before in state(), id in "[A-Z]{9}") {
            let mut after = before.clone();
            if let Some((key, record)) = after.environments.iter_mut().next() {
                let found = record.tran_id.replace(id.clone());
                let expected =
                    Difference::Field { key: key.clone(), name: "tran_id".to_owned(), found, expected: Some(id) };
                prop_assert_eq!(differences(&before, &after), [expected]);
            }
        }
    }
}
