//! The result of one step, flat: what JSON, events, the lines of a run, its table and its reports show.

use schemars::JsonSchema;
use serde::Serialize;

use super::text::clean_text;
use super::view::Tone;
use crate::apply::{Outcome, StepResult, What};
use crate::cloud::{CloudError, Grade};
use crate::i18n::{Text, text};
use crate::model::Address;
use crate::plan::Action;
use crate::state::State;

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Result")]
pub(super) struct ResultView<'a> {
    pub address: &'a Address,
    pub action: Action,
    /// It is about a replaced environment of the address.
    pub deposed: bool,
    /// created, updated, destroyed, already_destroyed, isolated, being_destroyed, imported, moved, forgotten, changed_in_state,
    /// failed, unknown or not_attempted.
    pub result: &'static str,
    pub attempts: u32,
    pub tran_id: Option<&'a str>,
    pub env_id: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub code: Option<&'a str>,
    pub message: Option<&'a Text>,
    /// What the error proves: not_sent, refused or unknown.
    pub grade: Option<&'static str>,
    pub took_seconds: Option<f64>,
    /// The answer did not prove it; what the account shows does.
    pub read_back: bool,
    /// An environment that a rejected or throttled create seems to have left behind.
    pub left_behind: Option<&'a str>,
    /// `file:line`
    pub source: String,
    #[serde(skip)]
    pub label: Text,
    #[serde(skip)]
    pub mark: &'static str,
    #[serde(skip)]
    pub tone: Tone,
}

impl<'a> ResultView<'a> {
    /// `state` is the one after the run, where it is known.
    pub(super) fn new(result: &'a StepResult, state: Option<&'a State>) -> Self {
        let (name, label, mark, tone) = describe_result(result);
        let record = state.and_then(|state| state.get(&result.address));
        let record = record.filter(|record| record.env_id.is_some() && record.env_id == result.env_id);
        let known_tran_id = result.tran_id.as_deref().or(record.and_then(|record| record.tran_id.as_deref()));
        let base = Self {
            address: &result.address,
            action: result.action,
            deposed: result.deposed,
            result: name,
            attempts: result.attempts,
            tran_id: known_tran_id,
            env_id: result.env_id.as_deref(),
            request_id: None,
            code: None,
            message: None,
            grade: None,
            took_seconds: None,
            read_back: false,
            left_behind: result.left_behind.as_deref(),
            source: result.source.to_string(),
            label,
            mark,
            tone,
        };
        match &result.outcome {
            Outcome::Ordered { ordered, took, read_back } => Self {
                tran_id: ordered.tran_id.as_deref(),
                env_id: ordered.env_id.as_deref(),
                request_id: ordered.request_id.as_deref(),
                took_seconds: Some(took.as_secs_f64()),
                read_back: *read_back,
                ..base
            },
            Outcome::Done(done) => Self {
                request_id: done.request_id.as_deref(),
                took_seconds: Some(done.took.as_secs_f64()),
                read_back: done.read_back,
                ..base
            },
            Outcome::Failed(error) | Outcome::Unknown(error) => {
                // The ids of an environment that a create replaces are not those of the create.
                let base_ids = if result.is_order() { (None, None) } else { (base.tran_id, base.env_id) };
                Self {
                    tran_id: error.seen.tran_id.as_deref().or(base_ids.0),
                    env_id: error.seen.env_id.as_deref().or(base_ids.1),
                    request_id: error.request_id.as_deref(),
                    code: error.code.as_deref(),
                    message: Some(&error.message),
                    grade: Some(match error.grade {
                        Grade::NotSent(_) => "not_sent",
                        Grade::Refused(_) => "refused",
                        Grade::Unknown => "unknown",
                    }),
                    ..base
                }
            }
            Outcome::Recorded | Outcome::NotAttempted => base,
        }
    }
}

/// Returns the name of a result, its word, its mark and its tone.
fn describe_result(result: &StepResult) -> (&'static str, Text, &'static str, Tone) {
    match &result.outcome {
        Outcome::Ordered { .. } => ("created", text!("created"), "✓", Tone::Good),
        Outcome::Done(done) => match done.what {
            What::Updated => ("updated", text!("updated"), "✓", Tone::Good),
            What::Destroyed => ("destroyed", text!("destroyed"), "✓", Tone::Good),
            What::WasGone => ("already_destroyed", text!("already destroyed"), "✓", Tone::Good),
            What::Isolated => ("isolated", text!("isolated"), "✓", Tone::Change),
            What::BeingDestroyed => ("being_destroyed", text!("being destroyed"), "✓", Tone::Change),
        },
        Outcome::Recorded => {
            let (name, label) = match result.action {
                Action::Forget => ("forgotten", text!("removed from the state")),
                Action::Import => ("imported", text!("imported")),
                Action::Move => ("moved", text!("moved")),
                Action::Create
                | Action::Update
                | Action::Replace
                | Action::Destroy
                | Action::Resolve
                | Action::Wait
                | Action::NoOp => ("changed_in_state", text!("changed in the state")),
            };
            (name, label, "✓", Tone::Good)
        }
        Outcome::Failed(_) => ("failed", text!("failed"), "✗", Tone::Bad),
        Outcome::Unknown(_) => ("unknown", text!("outcome unknown"), "?", Tone::Bad),
        Outcome::NotAttempted => ("not_attempted", text!("not attempted"), " ", Tone::Plain),
    }
}

/// Returns `Code: message (RequestId …)`.
pub(super) fn describe_error(error: &CloudError) -> Text {
    let message = clean_text(&error.message);
    let text = match &error.code {
        Some(code) => {
            let code = clean_text(code);
            text!("{code}: {message}", code, message)
        }
        None => message,
    };
    match &error.request_id {
        Some(id) => {
            let id = clean_text(id);
            text!("{text} (RequestId {id})", text, id)
        }
        None => text,
    }
}
