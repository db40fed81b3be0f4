//! What a plan is asked for, what limits it, and where it is carried out.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Address;
use crate::state::Account;

/// What the plan was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    pub mode: Mode,
    /// Only these addresses, unless it is empty.
    #[schemars(with = "Vec<String>")]
    pub targets: Vec<Address>,
    /// Not these addresses.
    #[schemars(with = "Vec<String>")]
    pub excludes: Vec<Address>,
    /// The addresses whose environments are replaced; no other is.
    #[schemars(with = "Vec<String>")]
    pub replaces: Vec<Address>,
    /// What is no longer declared is destroyed.
    pub allow_destroy: bool,
    /// What is destroyed is deleted at once, without isolation (IsForce).
    pub purge: bool,
    /// What is destroyed is destroyed whatever is in it (BypassCheck).
    pub bypass_check: bool,
}

/// What a plan is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything that is declared or in the state.
    #[default]
    Normal,
    /// Destroying the environments at these addresses, and nothing else.
    Destroy(#[schemars(with = "Vec<String>")] Vec<Address>),
    /// Destroying the environments that were replaced at these addresses, and nothing else.
    DestroyDeposed(#[schemars(with = "Vec<String>")] Vec<Address>),
}

impl Options {
    /// Returns whether the plan is about an address. Called for thousands, with thousands selected.
    pub fn filter(&self) -> impl Fn(&Address) -> bool {
        let targets: HashSet<&Address> = self.targets.iter().collect();
        let excludes: HashSet<&Address> = self.excludes.iter().collect();
        move |address| (targets.is_empty() || targets.contains(address)) && !excludes.contains(address)
    }
}

/// How much a run may create. A missing limit is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Creates in one run.
    pub max_creates: Option<usize>,
    /// Creates in 24 hours.
    pub max_creates_per_day: Option<usize>,
    /// Every create without an env_id needs an alias.
    pub require_alias: bool,
}

impl Limits {
    /// Returns the stricter of each limit.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let least = |a: Option<usize>, b: Option<usize>| a.into_iter().chain(b).min();
        Self {
            max_creates: least(self.max_creates, other.max_creates),
            max_creates_per_day: least(self.max_creates_per_day, other.max_creates_per_day),
            require_alias: self.require_alias || other.require_alias,
        }
    }
}

/// What limits a run. By default nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    pub limits: Limits,
    /// The accounts that may be worked in; empty for any.
    pub allowed_accounts: Vec<String>,
}

/// Where a plan's creates are sent, and where they are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub account: Account,
    /// `sandbox`, or a URL.
    pub endpoint: String,
    pub region: Option<String>,
    /// The path of the state file as it was given.
    pub state_path: String,
}
