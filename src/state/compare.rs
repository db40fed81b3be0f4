//! Where two states say different things, by address and field. Pure.

use super::{Account, Deposed, Origin, Record, State, Status};
use crate::desired::{Address, Field};

/// One thing that two states do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A member of the state itself.
    Member {
        name: &'static str,
        found: String,
        expected: String,
    },
    /// The expected state has an environment that the found one has not.
    Missing {
        address: Address,
        record: Box<Record>,
    },
    /// The found state has an environment that the expected one has not.
    Surplus {
        address: Address,
        record: Box<Record>,
    },
    /// Both have the environment. None where one of them says nothing.
    Field {
        address: Address,
        name: &'static str,
        found: Option<String>,
        expected: Option<String>,
    },
}

/// Every difference, the state's own members first, then by address.
pub fn differences(found: &State, expected: &State) -> Vec<Difference> {
    let mut differences = members(found, expected);
    for (address, record) in &expected.environments {
        match found.environments.get(address) {
            None => differences.push(Difference::Missing {
                address: address.clone(),
                record: Box::new(record.clone()),
            }),
            Some(there) => differences.extend(fields(address, there, record)),
        }
    }
    for (address, record) in &found.environments {
        if !expected.environments.contains_key(address) {
            differences.push(Difference::Surplus {
                address: address.clone(),
                record: Box::new(record.clone()),
            });
        }
    }
    differences
}

fn members(found: &State, expected: &State) -> Vec<Difference> {
    // Taken apart, so that a new member does not compile until it is compared.
    let texts = |state: &State| {
        let State {
            lineage,
            serial,
            tool_version,
            account,
            last_run,
            environments: _,
            deposed,
        } = state;
        let deposed: Vec<String> = deposed.iter().map(deposed_text).collect();
        [
            ("lineage", lineage.to_string()),
            ("serial", serial.to_string()),
            ("tool_version", tool_version.clone()),
            ("account", account_text(account.as_ref())),
            (
                "last_run",
                last_run.map_or_else(|| "none".to_owned(), |run| run.to_string()),
            ),
            ("deposed", deposed.join(", ")),
        ]
    };
    texts(found)
        .into_iter()
        .zip(texts(expected))
        .filter(|((_, found), (_, expected))| found != expected)
        .map(|((name, found), (_, expected))| Difference::Member {
            name,
            found,
            expected,
        })
        .collect()
}

/// All of it in one line.
fn deposed_text(deposed: &Deposed) -> String {
    let Deposed {
        address,
        record,
        at,
        by,
    } = deposed;
    let fields = texts(record)
        .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
        .collect::<Vec<_>>();
    format!("`{address}` replaced {at} by {by} ({})", fields.join(", "))
}

fn account_text(account: Option<&Account>) -> String {
    match account {
        None => "none".to_owned(),
        Some(Account {
            endpoint,
            uin: None,
        }) => endpoint.clone(),
        Some(Account {
            endpoint,
            uin: Some(uin),
        }) => format!("{endpoint}, account {uin}"),
    }
}

/// The fields that two records of one address do not agree on.
pub(super) fn fields(address: &Address, found: &Record, expected: &Record) -> Vec<Difference> {
    texts(found)
        .zip(texts(expected))
        .filter(|((_, found), (_, expected))| found != expected)
        .map(|((name, found), (_, expected))| Difference::Field {
            address: address.clone(),
            name,
            found,
            expected,
        })
        .collect()
}

fn texts(record: &Record) -> impl Iterator<Item = (&'static str, Option<String>)> {
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
    let status = match status {
        Status::Created => "created",
        Status::AwaitingEnvId => "awaiting_env_id",
        Status::Unknown => "unknown",
        Status::Isolated => "isolated",
    };
    let origin = match origin {
        Origin::Ordered => "ordered",
        Origin::Imported => "imported",
    };
    let own = [
        ("status", Some(status.to_owned())),
        ("env_id", env_id.clone()),
        ("tran_id", tran_id.clone()),
        ("request_id", request_id.clone()),
        ("origin", Some(origin.to_owned())),
        ("ordered_at", Some(ordered_at.to_string())),
        ("run", Some(run.to_string())),
        ("source", Some(source.to_string())),
        ("region", region.clone()),
        ("prevent_destroy", Some(prevent_destroy.to_string())),
    ];
    let ordered = Field::ALL.map(|field| {
        let value = attributes.get(field).map(str::to_owned);
        (ordered_name(field), value)
    });
    own.into_iter().chain(ordered)
}

/// How a field of the order is named beside a record's own: both have an `env_id` and a `source`.
const fn ordered_name(field: Field) -> &'static str {
    match field {
        Field::EnvId => "attributes.env_id",
        Field::WxAppId => "attributes.wx_app_id",
        Field::Source => "attributes.source",
        Field::FreeQuota => "attributes.free_quota",
        Field::EnvSource => "attributes.env_source",
        Field::Channel => "attributes.channel",
        Field::Alias => "attributes.alias",
        Field::ExtensionId => "attributes.extension_id",
        Field::Flag => "attributes.flag",
        Field::EnvAlias => "attributes.env_alias",
        Field::Extra => "attributes.extra",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::arbitrary::state;

    proptest! {
        /// No difference exactly when they are equal: nothing of a state escapes the comparison.
        #[test]
        fn states_differ_somewhere_or_are_the_same(found in state(), expected in state()) {
            prop_assert_eq!(differences(&found, &found), []);
            let none = differences(&found, &expected).is_empty();
            prop_assert_eq!(none, found == expected);
        }

        #[test]
        fn a_changed_id_is_named(before in state(), id in "[A-Z]{9}") {
            let mut after = before.clone();
            if let Some((address, record)) = after.environments.iter_mut().next() {
                record.tran_id = Some(id.clone());
                let named = Difference::Field {
                    address: address.clone(),
                    name: "tran_id",
                    found: before.environments[address].tran_id.clone(),
                    expected: Some(id),
                };
                prop_assert_eq!(differences(&before, &after), [named]);
            }
        }
    }
}
