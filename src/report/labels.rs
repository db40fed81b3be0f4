//! Words for values of the model that have no text of their own.

use crate::i18n::{Text, text};
use crate::state::history::RequestResult;
use crate::state::journal::Evidence;
use crate::state::{Origin, Record, Status};

pub(super) const fn status_label(status: Status) -> Text {
    match status {
        Status::Created => text!("created"),
        Status::AwaitingEnvId => text!("awaiting EnvId"),
        Status::Unknown => text!("unknown"),
        Status::Isolated => text!("isolated"),
        Status::Destroying => text!("destroying"),
    }
}

/// Returns the status of a record; an imported one is named so.
pub(super) const fn record_label(record: &Record) -> Text {
    match (record.status, record.origin) {
        (Status::Created, Origin::Imported) => text!("imported"),
        (status, Origin::Ordered | Origin::Imported) => status_label(status),
    }
}

/// Returns what a response proves.
pub(super) const fn evidence_label(evidence: Evidence) -> Text {
    match evidence {
        Evidence::Ordered => text!("created"),
        Evidence::Done => text!("done"),
        Evidence::Refused => text!("rejected"),
        Evidence::NotSent => text!("not sent"),
        Evidence::Unknown => text!("unknown"),
    }
}

/// Returns how a request ended.
pub(super) const fn result_label(result: RequestResult) -> Text {
    match result {
        RequestResult::Answered(evidence) => evidence_label(evidence),
        RequestResult::InProgress => text!("in progress"),
        RequestResult::Lost => text!("response lost"),
        RequestResult::InState(status) => status_label(status),
    }
}
