//! What can be created: one module per kind, each a table of fields and rules.
//!
//! Plan, state, apply and reports know no kind by name: they ask [`Attributes`](crate::model::Attributes) by role.

pub mod cloudrun;
pub mod package;
pub mod postpay;
#[cfg(test)]
mod tests;

use crate::model::kind::Kind;

/// The key of a manifest, the state and a plan that names the kind.
pub const KEY: &str = "kind";

/// The kind of whatever names none.
pub const DEFAULT: &Kind = &postpay::KIND;

/// Every kind; the default is the first one.
#[cfg(not(test))]
pub const ALL: &[&Kind] = &[DEFAULT, &package::KIND, &cloudrun::KIND];
#[cfg(test)]
pub const ALL: &[&Kind] = &[DEFAULT, &package::KIND, &cloudrun::KIND, &tests::KIND];

/// Returns the kind with this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name == name)
}

/// Returns the kind of environments with this pay mode.
pub fn paid_as(pay_mode: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.pay_mode == Some(pay_mode))
}
