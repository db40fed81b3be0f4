//! What a client gets to see: an answer, or what a fault makes of it.

use serde_json::{Map, Value};

use super::fault::FaultKind;
use super::ledger::LedgerEntry;
use super::line::Fate;
use super::world::Refusal;

/// What the client gets to see.
pub(super) enum Show {
    Answer(Map<String, Value>),
    Cut(Map<String, Value>),
    Page,
    ServerError,
    Break(Fate),
    Silence,
}

/// Notes that a fault stood in for the answer.
pub(super) fn strike(entry: &mut LedgerEntry, kind: &FaultKind) {
    entry.fault = Some(kind.to_string());
    entry.answer = kind.to_string();
}

/// What a fault shows instead of letting the back end act; None when it strikes later.
pub(super) fn before(kind: &FaultKind) -> Option<Result<Show, Refusal>> {
    match kind {
        FaultKind::ResetBefore => Some(Ok(Show::Break(Fate::Reset))),
        FaultKind::EofBefore => Some(Ok(Show::Break(Fate::Closed))),
        FaultKind::HangBefore => Some(Ok(Show::Silence)),
        FaultKind::ServerErrorBefore => Some(Ok(Show::ServerError)),
        FaultKind::Error(code) => Some(Err(Refusal::new(code, "This error was asked for."))),
        FaultKind::Throttle
        | FaultKind::ThrottleFor(_)
        | FaultKind::ResetAfter
        | FaultKind::EofAfter
        | FaultKind::HangAfter
        | FaultKind::ServerErrorAfter
        | FaultKind::CutBody
        | FaultKind::Html
        | FaultKind::NullEnvId
        | FaultKind::MissingTranId
        | FaultKind::Short
        | FaultKind::Repeat
        | FaultKind::ErrorAfter(_) => None,
    }
}

/// What a fault makes of the answer to an order or a change that was made, or to a question.
pub(super) fn after(kind: &FaultKind, mut members: Map<String, Value>) -> Result<Show, Refusal> {
    match kind {
        FaultKind::ResetAfter => Ok(Show::Break(Fate::Reset)),
        FaultKind::EofAfter => Ok(Show::Break(Fate::Closed)),
        FaultKind::HangAfter => Ok(Show::Silence),
        FaultKind::ServerErrorAfter => Ok(Show::ServerError),
        FaultKind::CutBody => Ok(Show::Cut(members)),
        FaultKind::Html => Ok(Show::Page),
        FaultKind::NullEnvId => {
            members.insert("EnvId".to_owned(), Value::Null);
            Ok(Show::Answer(members))
        }
        FaultKind::MissingTranId => {
            members.remove("TranId");
            Ok(Show::Answer(members))
        }
        FaultKind::Short => {
            for rows in members.values_mut().filter_map(Value::as_array_mut) {
                rows.pop();
            }
            Ok(Show::Answer(members))
        }
        FaultKind::Repeat => {
            for rows in members.values_mut().filter_map(Value::as_array_mut) {
                rows.extend_from_within(..);
            }
            Ok(Show::Answer(members))
        }
        FaultKind::ErrorAfter(code) => Err(Refusal::new(code, "This error was asked for.")),
        FaultKind::Throttle
        | FaultKind::ThrottleFor(_)
        | FaultKind::ResetBefore
        | FaultKind::EofBefore
        | FaultKind::HangBefore
        | FaultKind::ServerErrorBefore
        | FaultKind::Error(_) => Ok(Show::Answer(members)),
    }
}
