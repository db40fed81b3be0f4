//! The errors of calls, graded by what they prove.

use crate::i18n::Text;

/// A call that failed, or whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudError {
    pub grade: Grade,
    /// The API's error code, as it was sent.
    pub code: Option<String>,
    /// What happened, in the API's words where there are any, redacted and without control characters.
    pub message: Text,
    pub request_id: Option<String>,
    /// None when no answer came.
    pub http_status: Option<u16>,
    /// Ids in an answer that is otherwise no good. They are evidence, not a success.
    pub seen: SeenIds,
    /// The start of an answer that could not be read, redacted.
    pub body: Option<String>,
    /// What to do about it.
    pub hint: Option<Text>,
}

impl CloudError {
    /// An error without an answer.
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

    /// Whether the API gateway rejected the call before the back end saw it, so that it can have left nothing behind.
    pub fn is_rejected_by_gateway(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        matches!(self.grade, Grade::Refused(_))
            && (REJECTED_BY_GATEWAY.contains(&code) || code.starts_with("AuthFailure"))
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

/// What to do about a create with an unknown outcome. The help for a refused or throttled call says that nothing was done, and
/// does not apply.
pub const LOOK_FIRST: Text =
    Text::fixed("Nothing is created again until `postpay resolve` has shown whether the environment exists.");

/// Ids in an answer that does not count as a success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenIds {
    pub tran_id: Option<String>,
    pub env_id: Option<String>,
}

/// What an error proves about its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// The back end never saw it: it may be sent again.
    NotSent(NotSent),
    /// The back end did nothing, and would refuse it again.
    Refused(Scope),
    /// It may have acted. Never sent again.
    Unknown,
}

/// Why a call counts as not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// DNS, the connection or TLS failed: no byte of the request left.
    Connect,
    /// The endpoint's certificate or version of TLS is not accepted: no byte of the request left, and the next attempt would
    /// end the same.
    Tls,
    /// The API gateway rejected it for its rate.
    Throttled,
    /// It was rejected for its time or its temporary key, and that was repaired: the next attempt is signed again.
    Repaired,
    /// There were no credentials for now. No request was made.
    NoKey,
    /// No request can be made, now or later: no credentials, or a value that can't be sent.
    NoRequest,
    /// Its intent was recorded, and withdrawn before it was sent.
    Withdrawn,
}

impl NotSent {
    /// The name in the journal and the log.
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

/// How often a repaired call is sent again whatever time is left: once for the clock, and once for the key.
pub const FREE_REPAIRS: u32 = 2;

/// How far a refusal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Another create may succeed.
    Step,
    /// Every further create would be refused.
    Run,
}
