//! Every document that a command prints as JSON.

use serde_json::Value;

use super::document::schema;
use super::{apply, bill, drift, edits, fmt, generate, history, lock, rehearsal, resolve, restore, state};
use super::{validate, verify, whoami};

/// A document's name, what prints it, and its JSON Schema.
pub type Published = (&'static str, &'static str, fn() -> Value);

#[rustfmt::skip]
pub const PUBLISHED: &[Published] = &[
    ("apply", "`apply --format json`", schema::<apply::ApplyView<'_>>),
    ("drift", "`drift --format json`", schema::<drift::DriftView<'_>>),
    ("failure", "`--report FILE.json` of a plan, drift, apply or validate that has no result", schema::<validate::FailureView<'_>>),
    ("fmt", "`fmt --format json`", schema::<fmt::FmtView<'_>>),
    ("generate", "`generate --format json`", schema::<generate::GenerateView<'_>>),
    ("history", "`history --format json`", schema::<history::HistoryView<'_>>),
    ("history-reconcile", "`history reconcile --format json`", schema::<bill::BillView<'_>>),
    ("history-verify", "`history verify --format json`", schema::<verify::HistoryVerification<'_>>),
    ("lock-status", "`lock status --format json`", schema::<lock::LockView>),
    ("rehearse", "`rehearse --format json`", schema::<rehearsal::RehearsalView<'_>>),
    ("resolve", "`resolve --format json`", schema::<resolve::ResolveView<'_>>),
    ("state-edit", "`state mv|rm|push --format json`", schema::<edits::EditView<'_>>),
    ("state-list", "`state list --format json`", schema::<state::StateList<'_>>),
    ("state-restore", "`state restore --format json`", schema::<restore::RestoreView<'_>>),
    ("state-show", "`state show --format json`", schema::<state::StateShow<'_>>),
    ("state-verify", "`state verify --format json`", schema::<verify::StateVerification<'_>>),
    ("validate", "`validate --format json`", schema::<validate::ValidateView<'_>>),
    ("whoami", "`whoami --format json`", schema::<whoami::Identity>),
];
