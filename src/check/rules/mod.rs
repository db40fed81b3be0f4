//! The rules for manifests: one file a rule, one line each in [`RULES`].

use super::Options;
use super::model::Manifests;
use crate::diagnostic::Diagnostic;

mod address;
mod alias;
mod channel;
mod control_character;
mod duplicate_address;
mod duplicate_alias;
mod duplicate_env_id;
mod duplicate_ignore_changes;
mod empty_environments;
mod empty_manifest;
mod empty_value;
mod env_source;
pub(super) mod extra;
mod free_quota;
mod ignore_changes;
mod import_mismatch;
mod incomplete_move;
mod invalid_id;
mod long_alias;
mod misplaced_import;
mod missing_alias;
mod missing_env_id;
mod missing_env_source;
mod moved_cycle;
mod moved_declared;
mod moved_to_itself;
mod moved_twice;
mod moved_undeclared;
mod removed_declared;
mod removed_moved;
mod removed_twice;
mod source;
mod unknown_field;
mod unpaired_env_source;
mod version;
mod wrong_type;
mod wx_app_id;

/// A kind of problem, and how to find every case of it.
pub struct Rule {
    /// The code of its diagnostics.
    pub code: &'static str,
    /// What it holds to, in one line.
    pub about: &'static str,
    pub(super) check: Check,
}

pub(super) type Check = fn(&Manifests<'_>, Options, &mut Vec<Diagnostic>);

const fn rule(code: &'static str, about: &'static str, check: Check) -> Rule {
    Rule { code, about, check }
}

/// Every rule, in the order of a manifest: the file, its keys, its addresses, its fields, the life of its environments.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("empty-manifest", "a manifest file declares something", empty_manifest::check),
    rule("missing-version", "a document says which format it is in", version::missing),
    rule("unsupported-version", "the format is one that this version knows", version::unsupported),
    rule("unknown-field", "every key is one that postpay knows", unknown_field::check),
    rule("wrong-type", "every value is of its field's type", wrong_type::check),
    rule("empty-environments", "a document declares something", empty_environments::check),
    rule("invalid-address", "an address is made of a-z, 0-9, `_` and `-`", address::check),
    rule("duplicate-address", "an address is unique over all files", duplicate_address::check),
    rule("empty-value", "a field that has no value is left out", empty_value::check),
    rule("control-character", "a value holds no character that cannot be seen", control_character::check),
    rule("invalid-id", "an id has no white space and no quotes", invalid_id::check),
    rule("unknown-source", "source is one that the vendor names", source::check),
    rule("invalid-free-quota", "free_quota is `basic` or nothing", free_quota::check),
    rule("invalid-env-source", "env_source is miniapp or qcloud", env_source::check),
    rule("unpaired-env-source", "env_source and channel come together", unpaired_env_source::check),
    rule("missing-env-source", "an environment to be created has env_source and channel", missing_env_source::check),
    rule("invalid-channel", "channel is one of those of its env_source", channel::check),
    rule("missing-wx-app-id", "miniapp has a wx_app_id", wx_app_id::check),
    rule("invalid-alias", "an alias is made of a-z, 0-9 and `-`", alias::check),
    rule("long-alias", "an alias has at most 20 characters", long_alias::check),
    rule("missing-alias", "an environment to be created has an alias, unless guard.require_alias is false", missing_alias::check),
    rule("duplicate-alias", "an alias is unique among environments to be created", duplicate_alias::check),
    rule("duplicate-env-id", "an env_id is named by one environment", duplicate_env_id::check),
    rule("invalid-extra", "an extra mapping can be written as JSON", extra::check),
    rule("invalid-ignore-changes", "ignore_changes names fields, and not env_id", ignore_changes::check),
    rule("duplicate-ignore-changes", "ignore_changes names a field once", duplicate_ignore_changes::check),
    rule("misplaced-import", "an import stands in an environment, and not under defaults", misplaced_import::check),
    rule("missing-env-id", "an import names the environment by its env_id", missing_env_id::check),
    rule("import-mismatch", "the env_id of an import is that of its environment", import_mismatch::check),
    rule("incomplete-move", "a move says from where and to where", incomplete_move::check),
    rule("moved-to-itself", "a move leads to another address", moved_to_itself::check),
    rule("moved-twice", "an address is moved once, and has one move that ends at it", moved_twice::check),
    rule("moved-declared", "an address that is moved is no longer declared", moved_declared::check),
    rule("moved-undeclared", "a move ends at an address that is declared, or where another begins", moved_undeclared::check),
    rule("moved-cycle", "moves don't lead back to where they began", moved_cycle::check),
    rule("removed-declared", "an address that is to be forgotten is no longer declared", removed_declared::check),
    rule("removed-moved", "an address is moved or forgotten, and not both", removed_moved::check),
    rule("removed-twice", "an address is listed once to be forgotten", removed_twice::check),
];
