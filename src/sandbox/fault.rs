//! Faults: what goes wrong, and at which call.
//!
//! Written `KIND@N`, `KIND@N-M` or `KIND@*`, where N counts the creates since the server started, from 1, every attempt
//! included. A prefix chooses other calls, which are counted separately: `list:` DescribeEnvs, `bill:` DescribeBillingInfo,
//! `modify:` ModifyEnv, ModifyEnvExtra and ModifyEnvPlan, `destroy:` DestroyEnv, `account:` what is asked before a package is
//! bought, `inside:` DescribeEnvBaseInfo, and `sts:` every call of STS. `throttle-for:TIME` strikes at the chosen call and at
//! every later one within that time.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use crate::i18n::{Text, text};

/// Something that goes wrong at some calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub target: Target,
    pub kind: FaultKind,
    pub calls: Calls,
}

/// The calls that a fault counts and strikes at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    Create,
    List,
    Bills,
    Modify,
    Destroy,
    /// What is asked before a package is bought: the service, the quota, the packages that are sold.
    Account,
    /// What is asked of an environment before CloudRun is opened on it.
    Inside,
    Sts,
}

/// Targets with the prefix of their faults, and what messages call them.
const TARGETS: [(Target, &str, &str); 8] = [
    (Target::Create, "", "CreatePostpayPackage"),
    (Target::List, "list:", "DescribeEnvs"),
    (Target::Bills, "bill:", "DescribeBillingInfo"),
    (Target::Modify, "modify:", "ModifyEnv"),
    (Target::Destroy, "destroy:", "DestroyEnv"),
    (Target::Account, "account:", "DescribeEnvLimit"),
    (Target::Inside, "inside:", "DescribeEnvBaseInfo"),
    (Target::Sts, "sts:", "STS"),
];

impl Target {
    fn names(self) -> (&'static str, &'static str) {
        let row = TARGETS.iter().find(|(target, _, _)| *target == self);
        row.map_or(("", ""), |(_, prefix, calls)| (prefix, calls))
    }
}

impl Fault {
    /// Whether it strikes at this call, counted from 1 for each target.
    pub fn strikes(&self, target: Target, call: u64) -> bool {
        self.target == target
            && match self.calls {
                Calls::Range { first, last } => (first..=last).contains(&call),
                Calls::Every => true,
            }
    }
}

/// The calls that a fault strikes at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Both ends are in it.
    Range {
        first: u64,
        last: u64,
    },
    Every,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The gateway answers RequestLimitExceeded.
    Throttle,
    /// A congestion: the gateway answers RequestLimitExceeded for this long.
    ThrottleFor(SignedDuration),
    /// There is no answer, and the call does not act.
    Before(Break),
    /// There is no answer, but the call acts.
    After(Break),
    /// Acts; the answer stops short of its Content-Length.
    CutBody,
    /// Acts; a web page with status 200 comes instead of the answer.
    Html,
    /// Acts; the answer has `"EnvId": null`.
    NullEnvId,
    /// Acts; the answer has no TranId.
    MissingTranId,
    /// The page lacks its last row, which the Total counts.
    Short,
    /// Every row of the page comes twice.
    Repeat,
    /// Does not act; answers with this code.
    Error(String),
    /// Acts, and answers with this code all the same.
    ErrorAfter(String),
}

/// How an answer fails to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The connection is reset (a real TCP RST).
    Reset,
    /// The connection is closed.
    Eof,
    /// No answer ever comes.
    Hang,
    /// HTTP status 500 without an envelope.
    ServerError,
}

/// The kinds without a value, by name.
const PLAIN: [(&str, FaultKind); 15] = [
    ("throttle", FaultKind::Throttle),
    ("reset-before", FaultKind::Before(Break::Reset)),
    ("reset-after", FaultKind::After(Break::Reset)),
    ("eof-before", FaultKind::Before(Break::Eof)),
    ("eof-after", FaultKind::After(Break::Eof)),
    ("hang-before", FaultKind::Before(Break::Hang)),
    ("hang-after", FaultKind::After(Break::Hang)),
    ("500-before", FaultKind::Before(Break::ServerError)),
    ("500-after", FaultKind::After(Break::ServerError)),
    ("cut-body", FaultKind::CutBody),
    ("html", FaultKind::Html),
    ("null-env-id", FaultKind::NullEnvId),
    ("missing-tran-id", FaultKind::MissingTranId),
    ("short", FaultKind::Short),
    ("repeat", FaultKind::Repeat),
];
const THROTTLE_FOR: &str = "throttle-for";

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    NoCall { text: String },
    Calls { calls: String },
    Kind { kind: String, near: Option<String> },
    NoCode { kind: String },
    NoTime,
    Unfit { kind: String, target: Target },
}

impl FaultError {
    pub fn text(&self) -> Text {
        match self {
            Self::NoCall { text } => {
                text!("`{text}` has no call number: write KIND@N, KIND@N-M or KIND@*", text)
            }
            Self::Calls { calls } => {
                text!("`{calls}` is not a call number: write N, N-M or *, counted from 1", calls)
            }
            Self::Kind { kind, near } => {
                let names = PLAIN.map(|(name, _)| name).join(", ");
                let near = match near {
                    Some(near) => text!(", did you mean `{near}`?", near),
                    None => Text::same(""),
                };
                text!(
                    "unknown fault `{kind}`{near}; expected {names}, throttle-for:TIME, error:CODE or error-after:CODE",
                    kind,
                    near,
                    names
                )
            }
            Self::NoCode { kind } => text!(
                "`{kind}` needs an error code of Tencent Cloud: write {kind}:CODE, such as {kind}:InternalError",
                kind
            ),
            Self::NoTime => {
                text!("`throttle-for` needs a duration: write throttle-for:TIME, such as throttle-for:3s")
            }
            Self::Unfit { kind, target } => {
                let ((_, action), fitting) = (target.names(), fitting(*target));
                text!("`{kind}` does not apply to {action}: use one of {fitting}", kind, action, fitting)
            }
        }
    }
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// The kinds that calls of a target can meet, as a list for a message.
fn fitting(target: Target) -> Text {
    let code = || "CODE".to_owned();
    let mut names: Vec<String> = PLAIN
        .into_iter()
        .map(|(_, kind)| kind)
        .chain([FaultKind::Error(code()), FaultKind::ErrorAfter(code())])
        .filter(|kind| kind.fits(target))
        .map(|kind| kind.to_string())
        .collect();
    let last = names.pop().unwrap_or_default();
    let (en, zh) = (names.join(", "), names.join("、"));
    text!("{en} and {last}", en, last; zh)
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, calls) =
            text.trim().rsplit_once('@').ok_or_else(|| FaultError::NoCall { text: text.to_owned() })?;
        // The first target is that without a prefix.
        let (target, name) = TARGETS
            .iter()
            .rev()
            .find_map(|(target, prefix, _)| Some((*target, kind.strip_prefix(prefix)?)))
            .unwrap_or((Target::Create, kind));
        let kind = parse_kind(name)?;
        if !kind.fits(target) {
            return Err(FaultError::Unfit { kind: kind.to_string(), target });
        }
        let calls = parse_calls(calls).ok_or_else(|| FaultError::Calls { calls: calls.to_owned() })?;
        Ok(Self { target, kind, calls })
    }
}

impl FaultKind {
    /// Whether it can happen to a call: a read has no "after", only creates return ids, and only lists have rows.
    fn fits(&self, target: Target) -> bool {
        match self {
            Self::Throttle
            | Self::ThrottleFor(_)
            | Self::Before(_)
            | Self::CutBody
            | Self::Html
            | Self::Error(_) => true,
            Self::After(_) | Self::ErrorAfter(_) => {
                matches!(target, Target::Create | Target::Modify | Target::Destroy)
            }
            Self::NullEnvId | Self::MissingTranId => target == Target::Create,
            Self::Short | Self::Repeat => matches!(target, Target::List | Target::Bills),
        }
    }
}

fn parse_kind(text: &str) -> Result<FaultKind, FaultError> {
    let is_code = |code: &&str| {
        !code.is_empty() && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_')
    };
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let code = || {
        let code = value.filter(is_code).map(str::to_owned);
        code.ok_or_else(|| FaultError::NoCode { kind: name.to_owned() })
    };
    match name {
        "error" => Ok(FaultKind::Error(code()?)),
        "error-after" => Ok(FaultKind::ErrorAfter(code()?)),
        THROTTLE_FOR => value
            .and_then(|time| time.parse().ok())
            .filter(SignedDuration::is_positive)
            .map(FaultKind::ThrottleFor)
            .ok_or(FaultError::NoTime),
        _ => {
            let plain = PLAIN.into_iter().find(|(plain, _)| *plain == text);
            plain.map(|(_, kind)| kind).ok_or_else(|| unknown_kind(text))
        }
    }
}

fn unknown_kind(text: &str) -> FaultError {
    let mut all: Vec<&str> = PLAIN.iter().map(|(name, _)| *name).collect();
    all.extend(["error", "error-after", THROTTLE_FOR]);
    let near = similar::get_close_matches(text, &all, 1, 0.6);
    FaultError::Kind { kind: text.to_owned(), near: near.first().map(|near| (*near).to_owned()) }
}

fn parse_calls(text: &str) -> Option<Calls> {
    if text == "*" {
        return Some(Calls::Every);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first >= 1 && first <= last).then_some(Calls::Range { first, last })
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThrottleFor(time) => write!(f, "{THROTTLE_FOR}:{time:#}"),
            Self::ErrorAfter(code) => write!(f, "error-after:{code}"),
            Self::Error(code) => write!(f, "error:{code}"),
            Self::Throttle
            | Self::Before(_)
            | Self::After(_)
            | Self::CutBody
            | Self::Html
            | Self::NullEnvId
            | Self::MissingTranId
            | Self::Short
            | Self::Repeat => {
                let row = PLAIN.iter().find(|(_, kind)| kind == self);
                f.write_str(row.map_or("", |(name, _)| name))
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, kind, calls } = self;
        f.write_str(target.names().0)?;
        match calls {
            Calls::Every => write!(f, "{kind}@*"),
            Calls::Range { first, last } if first == last => write!(f, "{kind}@{first}"),
            Calls::Range { first, last } => write!(f, "{kind}@{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_parsed_as_it_is_displayed() {
        let plain = PLAIN.iter().filter(|(_, kind)| kind.fits(Target::Create));
        let mut texts: Vec<String> = plain.map(|(name, _)| format!("{name}@3")).collect();
        texts.extend(
            [
                "throttle-for:3s@2",
                "list:throttle-for:500ms@*",
                "html@2-5",
                "html@*",
                "error:ResourcesSoldOut.PostpayPackageNotAvailable@1",
                "error-after:InternalError.SYS_ERR@1-2",
                "list:throttle@1",
                "list:error:InternalError@2-3",
                "bill:html@*",
                "list:short@1-3",
                "bill:repeat@*",
                "modify:reset-after@1",
                "modify:error-after:InternalError@2",
                "destroy:500-after@1-2",
                "destroy:error:LimitExceeded@*",
            ]
            .map(str::to_owned),
        );
        for text in texts {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_fault_strikes_where_it_says() {
        let strikes = |text: &str| {
            let fault: Fault = text.parse().unwrap();
            (1..=6).filter(|call| fault.strikes(Target::Create, *call)).collect::<Vec<u64>>()
        };
        assert_eq!(strikes("html@2"), [2]);
        assert_eq!(strikes("list:html@2"), [0; 0]);
        assert_eq!(strikes("destroy:html@2"), [0; 0]);
        assert_eq!(strikes("html@2-4"), [2, 3, 4]);
        assert_eq!(strikes("html@*"), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn errors_name_what_is_allowed() {
        let table = [
            ("reset-after", "has no call number"),
            ("reset-aftr@1", "did you mean `reset-after`?"),
            ("nonsense@1", "expected throttle, reset-before"),
            ("html@0", "counted from 1"),
            ("html@3-2", "is not a call number"),
            ("html@x", "is not a call number"),
            ("error@1", "error:CODE"),
            ("error:@1", "error:CODE"),
            ("error:Bad Code@1", "error:CODE"),
            ("throttle-for@1", "throttle-for:3s"),
            ("throttle-for:-3s@1", "throttle-for:3s"),
            ("throttle-for:long@1", "throttle-for:3s"),
            ("html:InternalError@1", "unknown fault"),
            ("lst:throttle@1", "unknown fault `lst:throttle`"),
            ("list:null-env-id@1", "`null-env-id` does not apply to DescribeEnvs"),
            (
                "bill:error-after:InternalError@1",
                "`error-after:InternalError` does not apply to DescribeBillingInfo",
            ),
            ("list:error@1", "error:CODE"),
            (
                "list:reset-after@1",
                "throttle, reset-before, eof-before, hang-before, 500-before, cut-body, html, short, repeat and error:CODE",
            ),
            ("modify:null-env-id@1", "`null-env-id` does not apply to ModifyEnv"),
            ("short@1", "`short` does not apply to CreatePostpayPackage"),
            ("sts:repeat@1", "`repeat` does not apply to STS"),
            ("destroy:missing-tran-id@1", "`missing-tran-id` does not apply to DestroyEnv"),
            (
                "destroy:null-env-id@1",
                "reset-after, eof-before, eof-after, hang-before, hang-after, 500-before, 500-after, cut-body, html, error:CODE \
                 and error-after:CODE",
            ),
            ("destory:throttle@1", "unknown fault `destory:throttle`"),
        ];
        for (text, expected) in table {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn errors_are_in_both_languages() {
        for text in [
            "throttle",
            "throttle@0",
            "throtle@1",
            "nothing@1",
            "error@1",
            "throttle-for@1",
            "list:reset-after@1",
        ] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.text().is_in_both(), "{error}");
        }
    }
}
