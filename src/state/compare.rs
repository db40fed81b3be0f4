//! Where two states say different things, by address and field. Pure.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;

use super::{Account, Deposed, Record, State};
use crate::lang::text;
use crate::model::{Address, Field};

/// One thing that two states do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A member of the state itself.
    Member { name: &'static str, found: String, expected: String },
    /// The expected state has an environment that the found one has not.
    Missing { place: Place, record: Box<Record> },
    /// The found state has an environment that the expected one has not.
    Surplus { place: Place, record: Box<Record> },
    /// Both have the environment. None where one of them says nothing.
    Field { place: Place, name: Cow<'static, str>, found: Option<String>, expected: Option<String> },
}

impl Difference {
    /// Whether an order or a destroy would go wrong by it: something is not on record and would be ordered again, or another
    /// environment is. The rest only tells of the past, or is what a plan shows.
    pub fn misleads(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Surplus { .. } => true,
            Self::Member { name, .. } => *name == "account",
            Self::Field { name, .. } => {
                ["status", "env_id", "tran_id", "region", "prevent_destroy"].contains(&name.as_ref())
            }
        }
    }
}

/// Where an environment is on record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    At(Address),
    /// Another one took its address. Its id tells it from others that had the same one.
    Deposed {
        address: Address,
        env_id: Option<String>,
    },
}

impl Place {
    /// Every place that a state has.
    pub fn all(state: &State) -> impl Iterator<Item = Self> {
        let standing = state.environments.keys().cloned().map(Self::At);
        standing.chain(state.deposed.iter().map(Self::of))
    }

    pub fn address(&self) -> &Address {
        match self {
            Self::At(address) | Self::Deposed { address, env_id: _ } => address,
        }
    }

    /// The same under another address.
    #[must_use]
    pub fn renamed(&self, to: &Address) -> Self {
        let address = to.clone();
        match self {
            Self::At(_) => Self::At(address),
            Self::Deposed { address: _, env_id } => Self::Deposed { address, env_id: env_id.clone() },
        }
    }

    /// Where a deposed environment is on record.
    pub fn of(deposed: &Deposed) -> Self {
        Self::Deposed { address: deposed.address.clone(), env_id: deposed.record.env_id.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => write!(f, "{address}"),
            Self::Deposed { address, env_id } => {
                let env_id = match env_id {
                    Some(env_id) => crate::lang::Text::same(env_id.clone()),
                    None => crate::lang::Text::fixed("no EnvId", "无 EnvId"),
                };
                text!("{address} (deposed {env_id})", "{address}（已被替换的旧环境 {env_id:#}）").fmt(f)
            }
        }
    }
}

/// Every difference, the state's own members first, then by address, then what was replaced.
pub fn differences(found: &State, expected: &State) -> Vec<Difference> {
    let mut differences = members(found, expected);
    for (address, record) in &expected.environments {
        let place = Place::At(address.clone());
        match found.environments.get(address) {
            None => differences.push(Difference::Missing { place, record: Box::new(record.clone()) }),
            Some(there) => differences.extend(unequal(&place, texts(there), texts(record))),
        }
    }
    for (address, record) in &found.environments {
        if !expected.environments.contains_key(address) {
            differences.push(Difference::Surplus {
                place: Place::At(address.clone()),
                record: Box::new(record.clone()),
            });
        }
    }
    differences.extend(replaced(&found.deposed, &expected.deposed));
    differences
}

fn members(found: &State, expected: &State) -> Vec<Difference> {
    // Taken apart, so that a new member does not compile until it is compared.
    let texts = |state: &State| {
        let State {
            format_version: _,
            lineage,
            serial,
            tool_version,
            account,
            last_run,
            environments: _,
            deposed: _,
        } = state;
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

/// What was replaced, told apart by address and id, and then by order.
fn replaced(found: &[Deposed], expected: &[Deposed]) -> Vec<Difference> {
    let mut left: HashMap<Place, VecDeque<usize>> = HashMap::new();
    for (at, deposed) in found.iter().enumerate() {
        left.entry(Place::of(deposed)).or_default().push_back(at);
    }
    let mut differences = Vec::new();
    let mut pairs = Vec::new();
    for deposed in expected {
        let place = Place::of(deposed);
        let there = left.get_mut(&place).and_then(VecDeque::pop_front);
        if let Some((at, there)) = there.and_then(|at| Some((at, found.get(at)?))) {
            let texts = (deposed_texts(there), deposed_texts(deposed));
            differences.extend(unequal(&place, texts.0, texts.1));
            pairs.push(at);
        } else {
            differences.push(Difference::Missing { place, record: Box::new(deposed.record.clone()) });
        }
    }
    let unpaired: BTreeSet<usize> = left.into_values().flatten().collect();
    let surplus = unpaired.into_iter().filter_map(|at| found.get(at));
    differences.extend(surplus.map(|deposed| Difference::Surplus {
        place: Place::of(deposed),
        record: Box::new(deposed.record.clone()),
    }));
    if !pairs.is_sorted() {
        let order = |deposed: &[Deposed]| {
            let places: Vec<_> = deposed.iter().map(|it| Place::of(it).to_string()).collect();
            places.join(", ")
        };
        differences.push(Difference::Member {
            name: "deposed",
            found: order(found),
            expected: order(expected),
        });
    }
    differences
}

fn account_text(account: Option<&Account>) -> String {
    account.map_or_else(|| "none".to_owned(), Account::to_string)
}

type Text = (Cow<'static, str>, Option<String>);

/// The fields that two records of one environment do not agree on.
fn unequal(
    place: &Place,
    found: impl Iterator<Item = Text>,
    expected: impl Iterator<Item = Text>,
) -> Vec<Difference> {
    found
        .zip(expected)
        .filter(|((_, found), (_, expected))| found != expected)
        .map(|((name, found), (_, expected))| Difference::Field {
            place: place.clone(),
            name,
            found,
            expected,
        })
        .collect()
}

fn deposed_texts(deposed: &Deposed) -> impl Iterator<Item = Text> {
    let Deposed { address: _, record, at, by } = deposed;
    let own = [("deposed_at", Some(at.to_string())), ("deposed_by", Some(by.to_string()))];
    own.map(|(name, text)| (name.into(), text)).into_iter().chain(texts(record))
}

fn texts(record: &Record) -> impl Iterator<Item = Text> {
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
    let own = [
        ("kind", Some(attributes.kind().name.to_owned())),
        ("status", Some(status.name().to_owned())),
        ("env_id", env_id.clone()),
        ("tran_id", tran_id.clone()),
        ("request_id", request_id.clone()),
        ("origin", Some(origin.name().to_owned())),
        ("ordered_at", Some(ordered_at.to_string())),
        ("run", Some(run.to_string())),
        ("source", Some(source.to_string())),
        ("region", region.clone()),
        ("prevent_destroy", Some(prevent_destroy.to_string())),
    ];
    // Both a record and its attributes have an `env_id` and a `source`.
    let attribute =
        |field: Field| (format!("attributes.{field}").into(), attributes.get(field).map(ToString::to_string));
    let kind = attributes.kind();
    own.map(|(name, text)| (name.into(), text)).into_iter().chain(kind.fields().map(attribute))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::arbitrary::{deposed, state};

    proptest! {
        /// No difference exactly when they are equal: nothing of a state escapes the comparison.
        #[test]
        fn states_differ_somewhere_or_are_the_same(found in state(), expected in state()) {
            prop_assert_eq!(differences(&found, &found), []);
            let none = differences(&found, &expected).is_empty();
            prop_assert_eq!(none, found == expected);
        }

        #[test]
        fn states_that_differ_in_what_was_replaced_alone_differ(
            found in state(),
            deposed in proptest::collection::vec(deposed(), 0..3),
        ) {
            let expected = State { deposed, ..found.clone() };
            let none = differences(&found, &expected).is_empty();
            prop_assert_eq!(none, found == expected);
            let turned = State { deposed: found.deposed.iter().rev().cloned().collect(), ..found.clone() };
            let none = differences(&found, &turned).is_empty();
            prop_assert_eq!(none, found == turned);
        }

        #[test]
        fn a_changed_id_is_named(before in state(), id in "[A-Z]{9}") {
            let mut after = before.clone();
            if let Some((address, record)) = after.environments.iter_mut().next() {
                record.tran_id = Some(id.clone());
                let named = Difference::Field {
                    place: Place::At(address.clone()),
                    name: "tran_id".into(),
                    found: before.environments[address].tran_id.clone(),
                    expected: Some(id),
                };
                prop_assert_eq!(differences(&before, &after), [named]);
            }
        }
    }
}
