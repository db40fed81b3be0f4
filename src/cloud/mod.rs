//! The seam to the vendor: what may be asked of it, and how far each answer can be trusted.
//!
//! [`CloudRead`] only looks and repeats itself where that helps, [`CloudWrite`] orders. [`tencent`] speaks the real protocol.
//! Nothing here retries a call that could have acted: that decision is the engine's, and it is made from the [`Grade`].

#![allow(
    clippy::result_large_err,
    reason = "an error carries all the evidence there is; there is one a network call, so its size costs nothing"
)]

pub mod matching;
mod read;
pub mod tencent;
pub mod vendor_time;

use std::future::Future;

pub use read::{
    Bill, BillOrder, Bills, CloudRead, Gap, Listing, Looks, Named, PayMode, Reading, SeenEnvironment,
    Watcher, gaps_text, missing,
};

use crate::lang::Text;
use crate::model::Attributes;

/// The calls that change something at the vendor. The apply engine is the only caller.
pub trait CloudWrite: Send + Sync + 'static {
    /// Gets what the next call needs, a fresh key, before its time is taken. Orders nothing and changes nothing.
    ///
    /// # Errors
    /// When there is none for now, or none at all: nothing was sent then.
    fn ready(&self) -> impl Future<Output = Result<(), CloudError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Makes one attempt at `CreatePostpayPackage` with exactly these attributes.
    ///
    /// # Errors
    /// Everything but an answer that holds a TranId, graded by what it proves.
    fn create(&self, order: &Attributes) -> impl Future<Output = Result<Ordered, CloudError>> + Send;

    /// Makes one attempt at `ModifyEnv` with a new alias. To make it twice does what making it once does.
    ///
    /// # Errors
    /// Everything but an answer without an error, graded by what it proves.
    fn rename(&self, rename: &Rename) -> impl Future<Output = Result<Done, CloudError>> + Send;

    /// Makes one attempt at `DestroyEnv`. It names its environment, so that to make it twice gives up no other.
    ///
    /// # Errors
    /// Everything but an answer without an error, graded by what it proves.
    fn destroy(&self, destroy: &Destroy) -> impl Future<Output = Result<Done, CloudError>> + Send;
}

/// A new alias for an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub env_id: String,
    pub alias: String,
    /// Where it was ordered or found; None where that was never said.
    pub region: Option<String>,
}

/// An environment to be given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroy {
    pub env_id: String,
    /// Delete it at once rather than isolate it, or delete it out of isolation (`IsForce`).
    pub force: bool,
    /// Do not ask whether there is data in it (`BypassCheck`).
    pub bypass_check: bool,
    pub region: Option<String>,
}

/// The vendor did what it was asked for, or has begun to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    pub request_id: Option<String>,
}

/// The vendor took the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The vendor's order number, never empty.
    pub tran_id: String,
    /// None when the vendor answered null, "" or nothing: its documents allow that.
    pub env_id: Option<String>,
    pub request_id: Option<String>,
}

/// Whose key calls are signed with, as the vendor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number of the main account (uin), which pays.
    pub account: String,
    /// The number of the user or role session within it, as the vendor writes it.
    pub user: Option<String>,
    pub arn: Option<String>,
    /// The vendor's word for what it is: a user, a role.
    pub kind: Option<String>,
    pub request_id: Option<String>,
}

/// A call that did not end in an order, or that we can't tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudError {
    pub grade: Grade,
    /// The vendor's error code, as it was sent.
    pub code: Option<String>,
    /// What happened, in the vendor's words where there are any, with secrets and control characters taken out.
    pub message: Text,
    pub request_id: Option<String>,
    /// Absent when no answer came.
    pub http_status: Option<u16>,
    /// Ids that could be read from an answer that is otherwise no good. They are evidence, not a success.
    pub seen: SeenIds,
    /// The start of an answer that could not be read, with secrets taken out.
    pub body: Option<String>,
    /// What to do about it, in postpay's words.
    pub hint: Option<Text>,
}

impl CloudError {
    /// Of a call of which no answer tells.
    pub fn new(grade: Grade, message: Text) -> Self {
        Self {
            grade,
            code: None,
            message,
            request_id: None,
            http_status: None,
            seen: SeenIds::default(),
            body: None,
            hint: None,
        }
    }

    /// Whether this is a refusal by the gateway: the back end never saw the call, so that it can have left nothing behind.
    pub fn is_rejected_by_gateway(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        match self.grade {
            Grade::Refused(_) => REJECTED_BY_GATEWAY.contains(&code) || code.starts_with("AuthFailure"),
            Grade::NotSent(_) | Grade::Unknown => false,
        }
    }
}

/// Besides the `AuthFailure` codes.
const REJECTED_BY_GATEWAY: [&str; 7] = [
    "InvalidAction",
    "IpInBlacklist",
    "IpNotInWhitelist",
    "NoSuchProduct",
    "NoSuchVersion",
    "UnsupportedProtocol",
    "UnsupportedRegion",
];

/// What to do about an order that may have been made, whatever else is known of it. The advice that goes with a refusal or a
/// throttle says that nothing was done, and is not for it.
pub const LOOK_FIRST: Text = Text::fixed(
    "Nothing is ordered again before `postpay resolve` has shown whether the environment exists.",
    "在 `postpay resolve` 查明环境是否存在之前，不会再次订购。",
);

/// Ids found in an answer that does not count as an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenIds {
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
}

/// What an error proves about the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// The vendor's business back end never saw it: it may be sent again.
    NotSent(NotSent),
    /// The vendor saw it and did nothing: sending it again would be refused again.
    Refused(Scope),
    /// It may have acted. Never sent again.
    Unknown,
}

/// Why a call counts as not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// Name resolution, the connection or TLS failed: no byte of the request left.
    Connect,
    /// The other end's certificate or version of TLS is not accepted: no byte of the request left, and the next attempt would
    /// meet the same.
    Tls,
    /// The vendor's gateway turned it away for its rate.
    Throttled,
    /// The vendor turned it away for its time or its temporary key, and that was mended: the next attempt is signed anew.
    Repaired,
    /// No key to sign it with was to be had for now. No request was made.
    NoKey,
    /// No request could be made: a key is refused to us, or a value can't be sent. The next attempt would fare no better.
    NoRequest,
    /// It was announced, and taken back before it was sent.
    Withdrawn,
}

impl NotSent {
    /// As the log and the record name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Throttled => "throttled",
            Self::Repaired => "repaired",
            Self::NoKey => "no_key",
            Self::NoRequest => "no_request",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// How often a call that was mended is made again whatever time there is: once for the clock, and once for the key. The client mends
/// neither for ever, but that is not for anybody's arithmetic to rely on.
pub const FREE_REPAIRS: u32 = 2;

/// How far a refusal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Another order may fare better.
    Step,
    /// Every further order would meet the same answer.
    Run,
}
