//! The options, limits and target of a plan.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Address, Money};
use crate::state::Account;

/// The options of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    pub mode: Mode,
    /// Only these addresses; empty for all.
    #[schemars(with = "Vec<String>")]
    pub targets: Vec<Address>,
    /// Not these addresses.
    #[schemars(with = "Vec<String>")]
    pub excludes: Vec<Address>,
    /// The addresses whose environments are replaced; no other is.
    #[schemars(with = "Vec<String>")]
    pub replaces: Vec<Address>,
    /// Destroy environments that are no longer declared.
    pub allow_destroy: bool,
    /// Delete destroyed environments at once, without isolation (IsForce).
    pub purge: bool,
    /// Destroy environments even if they contain resources (BypassCheck).
    pub bypass_check: bool,
}

/// What a plan covers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything that is declared or in the state.
    #[default]
    Normal,
    /// Only destroying the environments at these addresses.
    Destroy(#[schemars(with = "Vec<String>")] Vec<Address>),
    /// Only destroying the deposed environments of these addresses.
    DestroyDeposed(#[schemars(with = "Vec<String>")] Vec<Address>),
}

impl Options {
    /// Returns whether an address is selected. Fast for thousands of addresses and selections.
    pub fn filter(&self) -> impl Fn(&Address) -> bool {
        let targets: HashSet<&Address> = self.targets.iter().collect();
        let excludes: HashSet<&Address> = self.excludes.iter().collect();
        move |address| (targets.is_empty() || targets.contains(address)) && !excludes.contains(address)
    }
}

/// How much a run may create. None for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Creates in one run.
    pub max_creates: Option<usize>,
    /// Creates in 24 hours.
    pub max_creates_per_day: Option<usize>,
    /// What the packages that one run buys may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<Money>,
    /// Every create without an env_id needs an alias.
    pub require_alias: bool,
}

impl Limits {
    /// Returns the stricter of each limit.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
            a.into_iter().chain(b).min()
        }
        Self {
            max_creates: least(self.max_creates, other.max_creates),
            max_creates_per_day: least(self.max_creates_per_day, other.max_creates_per_day),
            max_cost: least(self.max_cost, other.max_cost),
            require_alias: self.require_alias || other.require_alias,
        }
    }
}

/// The guards of a run. None by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    pub limits: Limits,
    /// The accounts that may be used; empty for any.
    pub allowed_accounts: Vec<String>,
}

/// Where a plan's creates are sent and recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub account: Account,
    /// `sandbox`, or a URL.
    pub endpoint: String,
    pub region: Option<String>,
    /// The path of the state file as given.
    pub state_path: String,
}
