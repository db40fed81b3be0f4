//! What an attempt proves: an answer, or the lack of one, becomes an order, a change that is done, or a graded error.
//!
//! The rule: once a connection stood, only a whole answer with status 200 in the vendor's own envelope proves anything. All
//! else is unknown, and every id in it is kept.

mod change;
#[cfg(test)]
mod tests;

pub(super) use change::judge_change;

use super::codes::changes::{self, Change};
use super::codes::{self, Repair, Verdict};
use super::redact::Redactor;
use super::wire::{self, ApiError, Ids, Traces};
use crate::cloud::{CloudError, Grade, LOOK_FIRST, NotSent, Ordered, Scope, SeenIds};
use crate::lang::{Text, text};

/// What came back over a connection.
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    /// As far as it came.
    pub(super) body: &'a [u8],
    /// Why the body is not whole.
    pub(super) broken: Option<Text>,
}

/// Grades the reply to an order. `asked_env_id` is the EnvId that the order named, if any: that one in an answer is an echo,
/// not evidence. `repair` is called when the vendor says that the signature's time or its key
/// is off, and says whether that could be mended.
pub(super) fn judge(
    reply: &Reply<'_>,
    asked_env_id: Option<&str>,
    redactor: &Redactor,
    repair: impl FnOnce(Repair) -> bool,
) -> Result<Ordered, CloudError> {
    let case = Case { reply, asked: Asked::Order, asked_env_id, redactor, traces: wire::traces(reply.body) };
    let ids = case.without_error(repair)?;
    if !case.are_ids(&ids) {
        return Err(case.unknown(&NOT_AN_ID, ids, None));
    }
    if let Some(why) = case.doubt(&ids) {
        return Err(case.unknown(&why, ids, None));
    }
    let request_id = ids.request_id.as_ref().and_then(|id| redactor.id(id));
    match ids.tran_id {
        Some(tran_id) => Ok(Ordered { tran_id, env_id: ids.env_id, request_id }),
        None => Err(case.unknown(&NO_NUMBER, ids, None)),
    }
}

const NOT_AN_ID: Text = Text::fixed(
    "the answer holds something in the place of an id that is not an id",
    "应答中 ID 的位置上不是 ID",
);

const NO_NUMBER: Text =
    Text::fixed("the answer holds neither an order number nor an error", "应答中既没有订单号，也没有错误");

/// What a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Order,
    Change(Change),
}

impl Asked {
    fn verdict(self, code: &str) -> Verdict {
        match self {
            Self::Order => codes::verdict(code),
            Self::Change(change) => changes::verdict(change, code),
        }
    }

    /// Advice where a code's own verdict stands. That of a code from which nothing may be concluded is to look.
    fn hint(self, code: &str) -> Option<Text> {
        match (self.verdict(code), self) {
            (Verdict::Unknown, _) => Some(self.look()),
            (_, Self::Order) => codes::explain(code).map(|row| row.hint.clone()),
            (_, Self::Change(change)) => changes::hint(change, code),
        }
    }

    /// Advice for an answer that proves nothing, whatever code is in it.
    fn look(self) -> Text {
        match self {
            Self::Order => LOOK_FIRST,
            Self::Change(change) => changes::look(change),
        }
    }

    /// Why an error is not believed beside ids that do not belong to it.
    fn contradiction(self) -> Text {
        match self {
            Self::Order => Text::fixed(
                "the answer holds an error and yet traces of an order",
                "应答中有错误，却又有订单的痕迹",
            ),
            Self::Change(_) => Text::fixed(
                "the answer holds an error and yet ids that nobody asked for",
                "应答中有错误，却又有请求中没有的 ID",
            ),
        }
    }
}

/// One reply and what is needed to judge it.
struct Case<'a> {
    reply: &'a Reply<'a>,
    asked: Asked,
    asked_env_id: Option<&'a str>,
    redactor: &'a Redactor,
    traces: Traces,
}

impl Case<'_> {
    /// The ids of a whole answer with status 200, in the vendor's envelope, that holds no error.
    fn without_error(&self, repair: impl FnOnce(Repair) -> bool) -> Result<Ids, CloudError> {
        let reply = self.reply;
        let answer = match wire::decode_create(reply.body) {
            Ok(answer) => answer,
            Err(unreadable) => {
                let why = match (&reply.broken, reply.status) {
                    (Some(broken), _) => broken.clone(),
                    (None, 200) => unreadable.why,
                    (None, status) => not_ok(status),
                };
                return Err(self.unknown(&why, unreadable.ids, unreadable.error));
            }
        };
        if let Some(broken) = &reply.broken {
            return Err(self.unknown(broken, answer.ids, answer.error));
        }
        if reply.status != 200 {
            return Err(self.unknown(&not_ok(reply.status), answer.ids, answer.error));
        }
        if let Some(key) = self.traces.repeated {
            let why = text!("the answer holds `{key}` twice", "应答中 `{key}` 出现了两次");
            return Err(self.unknown(&why, answer.ids, answer.error));
        }
        match answer.error {
            Some(error) => Err(self.refused(error, answer.ids, repair)),
            None => Ok(answer.ids),
        }
    }

    /// Whether the ids of an order are ids. A RequestId that is none is left out, and says nothing about the order.
    fn are_ids(&self, ids: &Ids) -> bool {
        // What was asked for is ours, whatever it looks like.
        let is_echo = |id: &String| self.asked_env_id == Some(id.as_str());
        let is_id = |id: &String| self.redactor.is_id(id);
        ids.tran_id.as_ref().is_none_or(is_id)
            && ids.env_id.as_ref().is_none_or(|id| is_id(id) || is_echo(id))
    }

    /// Why an answer to an order, without an error in it, does not say what was ordered.
    fn doubt(&self, ids: &Ids) -> Option<Text> {
        if ids.tran_id.is_none() {
            return Some(NO_NUMBER);
        }
        // Recorded as the one that was asked for, it would be given up in its place.
        if let (Some(asked), Some(named)) = (self.asked_env_id, &ids.env_id)
            && asked != named
        {
            return Some(text!(
                "the answer names the environment {named}, and {asked} was asked for",
                "应答中的环境是 {named}，而请求的是 {asked}"
            ));
        }
        // An order has room for two ids. Rather than lose one, or take the wrong one of two, all are kept as evidence: the
        // bill with the order's number then says which environment is its own.
        let Traces { tran_ids, env_ids, odd, repeated: _ } = &self.traces;
        let own = |id: &&String| ids.env_id.as_ref() == Some(id) || self.asked_env_id == Some(id.as_str());
        let is_all = tran_ids.iter().all(|id| ids.tran_id.as_ref() == Some(id))
            && env_ids.iter().all(|id| own(&id))
            && !odd;
        (!is_all).then(|| {
            Text::fixed(
                "the answer holds an order number, and ids that are not in their place beside it",
                "应答中有订单号，但还有不在应有位置上的 ID",
            )
        })
    }

    /// What an error in an answer proves that is good otherwise.
    fn refused(&self, error: ApiError, ids: Ids, repair: impl FnOnce(Repair) -> bool) -> CloudError {
        if acted(&ids, &self.traces, self.asked_env_id) {
            return self.unknown(&self.asked.contradiction(), ids, Some(error));
        }
        let Some(code) = error.code else {
            let why = Text::fixed("the answer holds an error without a code", "应答中的错误没有错误码");
            return self.unknown(&why, ids, Some(error));
        };
        let grade = match self.asked.verdict(&code) {
            Verdict::Throttled => Grade::NotSent(NotSent::Throttled),
            Verdict::Repair(what) if repair(what) => Grade::NotSent(NotSent::Repaired),
            Verdict::Repair(_) => Grade::Refused(Scope::Run),
            Verdict::Refused(scope) => Grade::Refused(scope),
            Verdict::Unknown => Grade::Unknown,
        };
        CloudError {
            grade,
            hint: self.asked.hint(&code),
            code: Some(self.redactor.text(&code)),
            message: Text::same(self.redactor.text(&error.message)),
            request_id: ids.request_id.and_then(|id| self.redactor.id(&id)),
            http_status: Some(self.reply.status),
            // At most the EnvId that was asked for is in it, and an echo is nothing that the vendor gave.
            seen: SeenIds::default(),
            body: None,
        }
    }

    fn unknown(&self, why: &Text, ids: Ids, error: Option<ApiError>) -> CloudError {
        let Self { reply, asked, asked_env_id, redactor, traces } = self;
        let id = |id: Option<String>| id.and_then(|id| redactor.id(&id));
        let said = error.as_ref().map(|error| error.message.trim());
        let message = match said {
            Some(said) if !said.is_empty() => text!("{why}: {said}", "{why:#}：{said}"),
            _ => why.clone(),
        };
        let mut seen = seen(&ids, traces, *asked_env_id);
        // The digits of a number too long for a machine word, and what a broken body still shows.
        let found = wire::salvage(reply.body);
        seen.tran_id = seen.tran_id.or(found.tran_id);
        seen.env_id = seen.env_id.or(found.env_id);
        let mut message = redactor.say(&message);
        for (name, more) in more(&seen, traces, *asked_env_id) {
            let Some(more) = redactor.id(more) else {
                continue;
            };
            message =
                text!("{message}; it also holds the {name} {more}", "{message:#}；其中还有 {name} {more}");
        }
        let code = error.and_then(|error| error.code);
        CloudError {
            grade: Grade::Unknown,
            hint: Some(asked.look()),
            code: code.map(|code| redactor.text(&code)),
            message,
            request_id: id(ids.request_id),
            http_status: Some(reply.status),
            seen: SeenIds { tran_id: id(seen.tran_id), env_id: id(seen.env_id) },
            body: redactor.body(reply.body),
        }
    }
}

/// Whether anything in an answer hints at an order. An EnvId that was asked for does not.
fn acted(ids: &Ids, traces: &Traces, asked_env_id: Option<&str>) -> bool {
    traces.odd
        || ids.tran_id.is_some()
        || !traces.tran_ids.is_empty()
        || traces.env_ids.iter().chain(&ids.env_id).any(|id| Some(id.as_str()) != asked_env_id)
}

/// The ids that an answer is remembered by: the envelope's own, else the first in the body. An EnvId that was asked for
/// comes last, being but an echo.
fn seen(ids: &Ids, traces: &Traces, asked_env_id: Option<&str>) -> SeenIds {
    SeenIds {
        tran_id: ids.tran_id.iter().chain(&traces.tran_ids).next().cloned(),
        env_id: ids
            .env_id
            .iter()
            .chain(&traces.env_ids)
            .find(|id| Some(id.as_str()) != asked_env_id)
            .or(ids.env_id.as_ref())
            .or(traces.env_ids.first())
            .cloned(),
    }
}

/// The ids for which there is no room in `seen`: they are said instead, so that none is lost.
fn more<'a>(seen: &SeenIds, traces: &'a Traces, asked_env_id: Option<&str>) -> Vec<(&'static str, &'a str)> {
    let tran_ids = traces.tran_ids.iter().map(|id| ("TranId", id.as_str()));
    let env_ids = traces.env_ids.iter().map(|id| ("EnvId", id.as_str()));
    tran_ids
        .filter(|(_, id)| seen.tran_id.as_deref() != Some(id))
        .chain(env_ids.filter(|(_, id)| seen.env_id.as_deref() != Some(id) && Some(*id) != asked_env_id))
        .collect()
}

/// Nothing came back. `connected` is false only when it is sure that no byte of the request left.
pub(super) fn no_reply(connected: bool, message: &Text, redactor: &Redactor) -> CloudError {
    let grade = if connected { Grade::Unknown } else { Grade::NotSent(NotSent::Connect) };
    CloudError::new(grade, redactor.say(message))
}

pub(super) fn not_ok(status: u16) -> Text {
    text!("the endpoint answered with HTTP status {status}", "端点返回了 HTTP 状态 {status}")
}
