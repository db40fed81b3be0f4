//! Grades an answer: what it proves about its call.
//!
//! Once a connection stood, only a whole answer with status 200 in the API's envelope proves anything. Every other answer
//! leaves the outcome unknown, and every id in it is kept.

use super::codes::{self, Action};
use super::redact::Redactor;
use super::wire::{Answer, Ids, Response};
use crate::cloud::{CloudError, Done, Grade, NotSent, Order, Ordered, SeenIds};
use crate::i18n::{Text, text};
use crate::model::kind::Code;

/// What came back over a connection.
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    /// As far as it came.
    pub(super) body: &'a [u8],
    /// Why the body is not whole.
    pub(super) broken: Option<Text>,
    pub(super) answer: Answer,
}

/// What a read returned.
pub(super) struct Fetched<T> {
    pub(super) payload: T,
    pub(super) request_id: Option<String>,
    /// The length of the answer.
    pub(super) bytes: u64,
}

/// Grades the answer to a create. The EnvId in the request, if any, is an echo in an answer: it proves something only for a
/// kind without order numbers.
pub(super) fn classify_create(
    reply: &Reply<'_>,
    order: &Order,
    redactor: &Redactor,
) -> Result<Ordered, CloudError> {
    let kind = order.attributes.kind();
    let env_id = order.env_id();
    let case = Case { action: Action::Create, codes: kind.codes, env_id, reply, redactor };
    case.response()?;
    case.ordered(kind.returns_tran_id).map_err(|why| case.unknown(&why))
}

/// Grades the answer to a change of the environment `env_id`. It gives nothing out, so any answer without an error will do.
pub(super) fn classify_change(
    reply: &Reply<'_>,
    action: Action,
    env_id: &str,
    redactor: &Redactor,
) -> Result<Done, CloudError> {
    let case = Case { action, codes: &[], env_id: Some(env_id), reply, redactor };
    case.response()?;
    if case.has_new_ids() {
        let why = Text::fixed("the response contains ids that were not requested");
        return Err(case.unknown(&why));
    }
    Ok(Done { request_id: case.request_id() })
}

/// Grades the answer to a read and decodes it. Of the grades, only a refusal means that asking again is no use.
pub(super) fn classify_read<T>(
    reply: &Reply<'_>,
    decode: impl FnOnce(&Response) -> Result<T, Text>,
    redactor: &Redactor,
) -> Result<Fetched<T>, CloudError> {
    let case = Case { action: Action::Read, codes: &[], env_id: None, reply, redactor };
    let payload = decode(case.response()?).map_err(|why| case.unknown(&why))?;
    Ok(Fetched { payload, request_id: case.request_id(), bytes: reply.body.len() as u64 })
}

/// One reply and what is needed to grade it.
struct Case<'a> {
    action: Action,
    /// Those of the kind that is created.
    codes: &'static [Code],
    env_id: Option<&'a str>,
    reply: &'a Reply<'a>,
    redactor: &'a Redactor,
}

impl<'a> Case<'a> {
    /// Returns the content of a whole answer with status 200 that holds no error.
    fn response(&self) -> Result<&'a Response, CloudError> {
        let Reply { status, broken, answer, .. } = self.reply;
        let response = match (broken, status, &answer.response) {
            (Some(broken), _, _) => Err(broken.clone()),
            (None, 200, response) => response.as_ref().map_err(Text::clone),
            (None, status, _) => Err(text!("the endpoint returned HTTP status {status}", status)),
        };
        let response = response.map_err(|why| self.unknown(&why))?;
        // The rows of a list may hold any text.
        if let Some(key) = answer.found.repeated.filter(|_| self.action != Action::Read) {
            let why = text!("the response contains `{key}` twice", key);
            return Err(self.unknown(&why));
        }
        self.check_error()?;
        Ok(response)
    }

    /// Grades the error in an answer that is otherwise good.
    fn check_error(&self) -> Result<(), CloudError> {
        let Some(error) = &self.reply.answer.error else {
            return Ok(());
        };
        if self.has_new_ids() {
            return Err(self.unknown(&match self.action {
                Action::Create => Text::fixed("the response contains an error, but also traces of an order"),
                Action::Update | Action::Destroy | Action::Read => {
                    Text::fixed("the response contains an error, but also ids that were not requested")
                }
            }));
        }
        let Some(code) = &error.code else {
            let why = Text::fixed("the response contains an error without a code");
            return Err(self.unknown(&why));
        };
        Err(CloudError {
            hint: codes::help(self.action, self.codes, code),
            code: Some(self.redactor.text(code)),
            request_id: self.request_id(),
            http_status: Some(self.reply.status),
            ..CloudError::new(
                codes::grade(self.action, self.codes, code),
                Text::same(self.redactor.text(&error.message)),
            )
        })
    }

    /// Whether the answer holds a sign that something was created: any id but the EnvId in the request. A read asks for ids.
    fn has_new_ids(&self) -> bool {
        let found = &self.reply.answer.found;
        self.action != Action::Read
            && (found.odd
                || !found.tran_ids.is_empty()
                || found.env_ids.iter().any(|id| self.env_id != Some(id)))
    }

    /// Reads the ids of an answer to a create, or says why it does not tell what was ordered.
    fn ordered(&self, returns_tran_id: bool) -> Result<Ordered, Text> {
        let Answer { ids: Ids { tran_id, env_id, .. }, found, .. } = &self.reply.answer;
        let is_requested = |id: &str| self.env_id == Some(id);
        let is_id = |id: &String| self.redactor.is_id(id);
        if !tran_id.iter().all(is_id) || !env_id.iter().all(|id| is_id(id) || is_requested(id)) {
            return Err(Text::fixed("the response contains an invalid id"));
        }
        if tran_id.is_none() && (returns_tran_id || env_id.is_none()) {
            return Err(if returns_tran_id {
                Text::fixed("the response contains neither an order number nor an error")
            } else {
                Text::fixed("the response contains neither an EnvId nor an error")
            });
        }
        // Recorded as the requested one, it would be destroyed in its place.
        if let (Some(requested), Some(env_id)) = (self.env_id, env_id)
            && requested != env_id
        {
            return Err(text!(
                "the response is for the environment {env_id}, but {requested} was requested",
                env_id,
                requested
            ));
        }
        // An order has room for two ids. Rather than lose one, or take the wrong one of two, all are kept as evidence: the
        // bill with the order's number then says which environment is its own.
        let is_own = |id: &String| env_id.as_ref() == Some(id) || is_requested(id);
        if found.odd
            || found.tran_ids.iter().any(|id| tran_id.as_ref() != Some(id))
            || !found.env_ids.iter().all(is_own)
        {
            return Err(Text::fixed("the response contains an order number, and ids in unexpected places"));
        }
        let (tran_id, env_id) = (tran_id.clone(), env_id.clone());
        Ok(Ordered { tran_id, env_id, request_id: self.request_id() })
    }

    /// Returns the RequestId, unless it is not an id.
    fn request_id(&self) -> Option<String> {
        self.reply.answer.ids.request_id.as_ref().and_then(|id| self.redactor.id(id))
    }

    /// An answer that proves nothing, with everything that is in it.
    fn unknown(&self, why: &Text) -> CloudError {
        let Self { action, reply, redactor, .. } = self;
        let error = reply.answer.error.as_ref();
        let message = match error.map_or("", |error| error.message.trim()) {
            "" => why.clone(),
            said => text!("{why}: {said}", why, said),
        };
        let mut message = redactor.say(&message);
        let mut seen = SeenIds::default();
        if *action != Action::Read {
            let (tran_ids, env_ids) = self.ids();
            let mut keep = |name: &str, ids: &[String]| {
                let mut ids = ids.iter().filter_map(|id| redactor.id(id));
                let first = ids.next();
                for more in ids {
                    message = text!("{message}; it also contains the {name} {more}", message, name, more);
                }
                first
            };
            seen = SeenIds { tran_id: keep("TranId", &tran_ids), env_id: keep("EnvId", &env_ids) };
        }
        let code = error.and_then(|error| error.code.as_ref());
        CloudError {
            hint: code.and_then(|code| codes::help(*action, self.codes, code)),
            code: code.map(|code| redactor.text(code)),
            request_id: self.request_id(),
            http_status: Some(reply.status),
            seen,
            body: redactor.body(reply.body),
            ..CloudError::new(Grade::Unknown, message)
        }
    }

    /// Returns the TranIds and EnvIds of the answer, each once, the envelope's own first. The EnvId in the request is an echo:
    /// it counts only where there is no other.
    fn ids(&self) -> (Vec<String>, Vec<String>) {
        let Answer { ids, found, .. } = &self.reply.answer;
        let distinct = |own: &Option<String>, found: &[String]| {
            let more = found.iter().filter(|id| own.as_ref() != Some(id));
            own.iter().chain(more).cloned().collect::<Vec<_>>()
        };
        let mut env_ids = distinct(&ids.env_id, &found.env_ids);
        if env_ids.len() > 1 {
            env_ids.retain(|id| self.env_id != Some(id));
        }
        (distinct(&ids.tran_id, &found.tran_ids), env_ids)
    }
}

/// Adds what to do to an error of a call whose outcome is unknown, whether or not an answer came.
pub(super) fn advise(action: Action, error: CloudError) -> CloudError {
    match error.grade {
        Grade::Unknown => CloudError { hint: codes::help_unknown(action).or(error.hint), ..error },
        Grade::NotSent(_) | Grade::Refused(_) => error,
    }
}

/// The error of a call without an answer. `connected` is false only when no byte of the request can have left.
pub(super) fn no_reply(connected: bool, message: &Text, redactor: &Redactor) -> CloudError {
    let grade = if connected { Grade::Unknown } else { Grade::NotSent(NotSent::Connect) };
    CloudError::new(grade, redactor.say(message))
}

#[cfg(test)]
mod tests;
