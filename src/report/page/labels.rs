//! What a page says itself, as opposed to what it shows. Codes and commands stay as they are in every language.

use crate::apply::CallKind;
use crate::i18n::{Text, text};
use crate::report::page::{Kind, Level, Tone};

pub(in crate::report) fn findings() -> Text {
    text!("Findings")
}

pub(in crate::report) fn timeline() -> Text {
    text!("Timeline of requests")
}

pub(in crate::report) fn entries(kind: Kind) -> Text {
    match kind {
        Kind::Plan | Kind::Apply | Kind::State => text!("Environments"),
        Kind::Drift => text!("Drift"),
        Kind::Validate => text!("Files"),
    }
}

pub(in crate::report) fn requests() -> Text {
    text!("Requests to be sent")
}

pub(in crate::report) fn tone(tone: Tone) -> Text {
    match tone {
        Tone::Bad => text!("needs attention"),
        Tone::Change => text!("review"),
        Tone::Good | Tone::Plain => text!("OK"),
    }
}

pub(in crate::report) fn level(level: Level) -> Text {
    match level {
        Level::Error => text!("error"),
        Level::Warning => text!("warning"),
        Level::Note => text!("note"),
    }
}

/// What became of a request.
pub(in crate::report) fn call(kind: CallKind) -> Text {
    match kind {
        CallKind::Taken => text!("accepted"),
        CallKind::Throttled => text!("throttled"),
        CallKind::NotSent => text!("not sent"),
        CallKind::Refused => text!("rejected"),
        CallKind::Unknown => text!("unknown"),
    }
}

/// A word of the plan. One that is not known here is shown as it is.
pub(in crate::report) fn action(word: &'static str) -> Text {
    match word {
        "create" => text!("create"),
        "update" => text!("update"),
        "replace" => text!("replace"),
        "destroy" => text!("destroy"),
        "forget" => text!("forget"),
        "import" => text!("import"),
        "move" => text!("move"),
        "resolve" => text!("resolve"),
        "wait" => text!("wait"),
        "no-op" => text!("no-op"),
        "left-over" => text!("not in the configuration"),
        "created" => text!("created"),
        "awaiting_env_id" => text!("awaiting env id"),
        "unknown" => text!("unknown"),
        "isolated" => text!("isolated"),
        "destroying" => text!("destroying"),
        "valid" => text!("valid"),
        "not-valid" => text!("invalid"),
        other => Text::same(other),
    }
}

/// What a page that is limited in length had no room for: findings by level, requests, entries by action.
pub(in crate::report) fn left_out(what: &'static str) -> Text {
    match what {
        "error" => text!("error"),
        "warning" => text!("warning"),
        "note" => text!("note"),
        "request" => text!("request"),
        other => action(other),
    }
}

/// The two groups by which entries of this kind are filtered.
pub(in crate::report) fn groups(kind: Kind) -> (Text, Option<Text>) {
    match kind {
        Kind::Plan => (text!("Action"), None),
        Kind::Apply => (text!("Action"), Some(text!("Outcome"))),
        Kind::Drift => (text!("What"), Some(text!("Counted"))),
        Kind::Validate => (text!("Result"), None),
        Kind::State => (text!("Status"), None),
    }
}

/// What became of a step, or whether a difference counts. One that is not known here is shown as it is.
pub(in crate::report) fn reason(word: &'static str) -> Text {
    match word {
        "ordered" | "created" => text!("created"),
        "updated" => text!("updated"),
        "destroyed" => text!("destroyed"),
        "was_gone" => text!("already destroyed"),
        "isolated" => text!("isolated"),
        "being_destroyed" => text!("being destroyed"),
        "recorded" => text!("recorded"),
        "failed" => text!("failed"),
        "unknown" => text!("unknown"),
        "not_attempted" => text!("not attempted"),
        "counts" => text!("counted"),
        "info" => text!("not counted"),
        "ignored" => text!("ignored"),
        "not_ordered" => text!("not created"),
        "destroying" => text!("destroying"),
        "unchanged" => text!("unchanged"),
        "awaiting_env_id" => text!("awaiting env id"),
        "outcome_unknown" => text!("outcome unknown"),
        "replace_because_cannot_update" => text!("forces replacement"),
        "replace_by_request" => text!("replacement requested"),
        "update_in_place" => text!("updated in place"),
        "protection_changed" => text!("protection changed"),
        "moved" => text!("moved"),
        "import_declared" => text!("import declared"),
        "removed" => text!("removed"),
        "delete_because_no_resource_config" => {
            text!("not in the configuration")
        }
        "delete_by_request" => text!("destroy requested"),
        "deposed" => text!("deposed"),
        "valid" => text!("valid"),
        "not_valid" => text!("invalid"),
        "valid_with_warnings" => text!("valid, with warnings"),
        other => Text::same(other),
    }
}

/// The name of a fact. One that is not known here is shown as it is.
pub(in crate::report) fn fact(name: &str) -> Text {
    match name {
        "endpoint" => text!("endpoint"),
        "state" => text!("state"),
        "serial" => text!("serial"),
        "made" => text!("created at"),
        "run" => text!("run"),
        "took" => text!("duration"),
        "folder" => text!("folder"),
        "commit" => text!("commit"),
        "declared" => text!("declared"),
        "recorded" => text!("in the state"),
        "account" => text!("account"),
        "looked" => text!("account read"),
        "listed" => text!("in the account"),
        "lineage" => text!("lineage"),
        other => Text::same(other.to_owned()),
    }
}
