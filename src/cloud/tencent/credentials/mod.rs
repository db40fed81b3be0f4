//! Credentials: where they are found, one file per source, and the cache that renews temporary ones.
//!
//! The names are those that Tencent Cloud's own tools read: `environment`, `profile` for the SDKs' file, `tccli` for the command
//! line's, `web_identity` for OIDC, `metadata` for a machine's role, and `assume_role` on top of any. `chain` searches them in order.
//! The environment is read by the command line, through the closure that it passes.

pub(super) mod assume_role;
pub(super) mod cache;
pub(super) mod chain;
mod environment;
pub(super) mod metadata;
mod profile;
pub(super) mod tccli;
#[cfg(test)]
mod tests;
pub(super) mod types;
pub(super) mod web_identity;
