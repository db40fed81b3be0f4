//! Faults: what goes wrong, and at which call.
//!
//! Written `KIND@N`, `KIND@N-M` or `KIND@*`, where N counts the calls of `CreatePostpayPackage` since the server started,
//! from 1, every attempt included. `list:` before it strikes at the calls of `DescribeEnvs` instead and counts those, `bill:`
//! at those of `DescribeBillingInfo`, `modify:` at those of `ModifyEnv`, `destroy:` at those of `DestroyEnv`, and `sts:` at every
//! question for a key or whose it is. `throttle-for:TIME` strikes at the chosen call and at every later one of the action within
//! that time.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use crate::lang::{Text, text};

/// Something that goes wrong at some calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub target: Target,
    pub kind: FaultKind,
    pub calls: Calls,
}

/// The action whose calls a fault counts and strikes at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Create,
    List,
    Bills,
    Modify,
    Destroy,
    Sts,
}

impl Target {
    const PREFIXED: [Self; 5] = [Self::List, Self::Bills, Self::Modify, Self::Destroy, Self::Sts];

    /// What stands before the kind.
    fn prefix(self) -> &'static str {
        match self {
            Self::Create => "",
            Self::List => "list:",
            Self::Bills => "bill:",
            Self::Modify => "modify:",
            Self::Destroy => "destroy:",
            Self::Sts => "sts:",
        }
    }

    /// The calls that it counts.
    fn action(self) -> &'static str {
        match self {
            Self::Create => "CreatePostpayPackage",
            Self::List => "DescribeEnvs",
            Self::Bills => "DescribeBillingInfo",
            Self::Modify => "ModifyEnv",
            Self::Destroy => "DestroyEnv",
            Self::Sts => "STS",
        }
    }

    /// Whether its calls change nothing.
    fn is_a_question(self) -> bool {
        match self {
            Self::Create | Self::Modify | Self::Destroy => false,
            Self::List | Self::Bills | Self::Sts => true,
        }
    }
}

impl Fault {
    /// Whether it strikes at this call of this action, counted from 1.
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

/// What goes wrong. "Before" is before the back end acts, "after" is when it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The gateway answers RequestLimitExceeded.
    Throttle,
    /// A congestion: the gateway answers RequestLimitExceeded for this long.
    ThrottleFor(SignedDuration),
    /// The connection is reset (a real TCP RST).
    ResetBefore,
    ResetAfter,
    /// The connection is closed without a word.
    EofBefore,
    EofAfter,
    /// No answer ever comes.
    HangBefore,
    HangAfter,
    /// HTTP status 500 without an envelope.
    ServerErrorBefore,
    ServerErrorAfter,
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

/// The kinds without a code, by name.
const PLAIN: [(&str, FaultKind); 15] = [
    ("throttle", FaultKind::Throttle),
    ("reset-before", FaultKind::ResetBefore),
    ("reset-after", FaultKind::ResetAfter),
    ("eof-before", FaultKind::EofBefore),
    ("eof-after", FaultKind::EofAfter),
    ("hang-before", FaultKind::HangBefore),
    ("hang-after", FaultKind::HangAfter),
    ("500-before", FaultKind::ServerErrorBefore),
    ("500-after", FaultKind::ServerErrorAfter),
    ("cut-body", FaultKind::CutBody),
    ("html", FaultKind::Html),
    ("null-env-id", FaultKind::NullEnvId),
    ("missing-tran-id", FaultKind::MissingTranId),
    ("short", FaultKind::Short),
    ("repeat", FaultKind::Repeat),
];
const WITH_CODE: [&str; 2] = ["error", "error-after"];
const THROTTLE_FOR: &str = "throttle-for";

/// A text that is no fault.
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
            Self::NoCall { text } => text!(
                "`{text}` does not say at which call: write KIND@N, KIND@N-M or KIND@*",
                "`{text}` 没有说明是第几次调用：写成 KIND@N、KIND@N-M 或 KIND@*"
            ),
            Self::Calls { calls } => text!(
                "`{calls}` is no call number: write N, N-M or *, counted from 1",
                "`{calls}` 不是调用序号：写成 N、N-M 或 *，从 1 开始计数"
            ),
            Self::Kind { kind, near } => {
                let names = names();
                let near = match near {
                    Some(near) => text!(", did you mean `{near}`?", "，是否想写 `{near}`？"),
                    None => Text::same(""),
                };
                text!(
                    "there is no fault `{kind}`{near}; there are {names}, throttle-for:TIME, error:CODE and error-after:CODE",
                    "没有故障 `{kind}`{near:#}；可用的有 {names}、throttle-for:TIME、error:CODE 和 error-after:CODE"
                )
            }
            Self::NoCode { kind } => text!(
                "`{kind}` needs one of the vendor's codes: write {kind}:CODE, such as {kind}:InternalError",
                "`{kind}` 需要一个腾讯云错误码：写成 {kind}:CODE，例如 {kind}:InternalError"
            ),
            Self::NoTime => text!(
                "`throttle-for` needs a time: write throttle-for:TIME, such as throttle-for:3s",
                "`throttle-for` 需要一个时长：写成 throttle-for:TIME，例如 throttle-for:3s"
            ),
            Self::Unfit { kind, target } => {
                let (action, fitting) = (target.action(), fitting(*target));
                text!(
                    "`{kind}` can't happen to {action}: write one of {fitting}",
                    "`{kind}` 不会发生在 {action} 上：换用其中之一：{fitting:#}"
                )
            }
        }
    }
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

fn names() -> String {
    PLAIN.map(|(name, _)| name).join(", ")
}

/// The kinds that calls of an action can meet, in words.
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
    text!("{en} and {last}", "{zh} 和 {last}")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, calls) =
            text.trim().rsplit_once('@').ok_or_else(|| FaultError::NoCall { text: text.to_owned() })?;
        let (target, name) = Target::PREFIXED
            .into_iter()
            .find_map(|target| Some((target, kind.strip_prefix(target.prefix())?)))
            .unwrap_or((Target::Create, kind));
        let kind = parse_kind(name)?;
        if !kind.fits(target) {
            return Err(FaultError::Unfit { kind: kind.to_string(), target });
        }
        Ok(Self {
            target,
            kind,
            calls: parse_calls(calls).ok_or_else(|| FaultError::Calls { calls: calls.to_owned() })?,
        })
    }
}

impl FaultKind {
    /// Whether it can happen to a call: for one that changes nothing there is no "after", and only orders get ids.
    fn fits(&self, target: Target) -> bool {
        match self {
            Self::Throttle
            | Self::ThrottleFor(_)
            | Self::ResetBefore
            | Self::EofBefore
            | Self::HangBefore
            | Self::ServerErrorBefore
            | Self::CutBody
            | Self::Html
            | Self::Error(_) => true,
            Self::ResetAfter
            | Self::EofAfter
            | Self::HangAfter
            | Self::ServerErrorAfter
            | Self::ErrorAfter(_) => !target.is_a_question(),
            Self::NullEnvId | Self::MissingTranId => target == Target::Create,
            Self::Short | Self::Repeat => matches!(target, Target::List | Target::Bills),
        }
    }
}

fn parse_kind(text: &str) -> Result<FaultKind, FaultError> {
    let (name, code) = match text.split_once(':') {
        Some((name, code)) => (name, Some(code)),
        None => (text, None),
    };
    match (name, code) {
        ("error", Some(code)) if is_code(code) => Ok(FaultKind::Error(code.to_owned())),
        ("error-after", Some(code)) if is_code(code) => Ok(FaultKind::ErrorAfter(code.to_owned())),
        (THROTTLE_FOR, time) => time
            .and_then(|time| time.parse().ok())
            .filter(SignedDuration::is_positive)
            .map(FaultKind::ThrottleFor)
            .ok_or(FaultError::NoTime),
        ("error" | "error-after", _) => Err(FaultError::NoCode { kind: name.to_owned() }),
        _ => PLAIN
            .into_iter()
            .find(|(plain, _)| *plain == text)
            .map(|(_, kind)| kind)
            .ok_or_else(|| unknown_kind(text)),
    }
}

fn unknown_kind(text: &str) -> FaultError {
    let mut all: Vec<&str> = PLAIN.iter().map(|(name, _)| *name).collect();
    all.extend(WITH_CODE);
    all.push(THROTTLE_FOR);
    let near = similar::get_close_matches(text, &all, 1, 0.6);
    FaultError::Kind { kind: text.to_owned(), near: near.first().map(|near| (*near).to_owned()) }
}

fn is_code(code: &str) -> bool {
    !code.is_empty() && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_')
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
        match PLAIN.iter().find(|(_, kind)| kind == self) {
            Some((name, _)) => f.write_str(name),
            None => match self {
                Self::ThrottleFor(time) => write!(f, "{THROTTLE_FOR}:{time:#}"),
                Self::ErrorAfter(code) => write!(f, "error-after:{code}"),
                Self::Error(code) => write!(f, "error:{code}"),
                // Unreachable as long as PLAIN is whole, which a test holds.
                Self::Throttle
                | Self::ResetBefore
                | Self::ResetAfter
                | Self::EofBefore
                | Self::EofAfter
                | Self::HangBefore
                | Self::HangAfter
                | Self::ServerErrorBefore
                | Self::ServerErrorAfter
                | Self::CutBody
                | Self::Html
                | Self::NullEnvId
                | Self::MissingTranId
                | Self::Short
                | Self::Repeat => write!(f, "{self:?}"),
            },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, kind, calls } = self;
        f.write_str(target.prefix())?;
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
    fn every_fault_is_read_as_it_is_written() {
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
    fn what_is_no_fault_is_explained() {
        let table = [
            ("reset-after", "at which call"),
            ("reset-aftr@1", "did you mean `reset-after`?"),
            ("nonsense@1", "there are throttle, reset-before"),
            ("html@0", "counted from 1"),
            ("html@3-2", "is no call number"),
            ("html@x", "is no call number"),
            ("error@1", "error:CODE"),
            ("error:@1", "error:CODE"),
            ("error:Bad Code@1", "error:CODE"),
            ("throttle-for@1", "throttle-for:3s"),
            ("throttle-for:-3s@1", "throttle-for:3s"),
            ("throttle-for:long@1", "throttle-for:3s"),
            ("html:InternalError@1", "there is no fault"),
            ("lst:throttle@1", "there is no fault `lst:throttle`"),
            ("list:null-env-id@1", "`null-env-id` can't happen to DescribeEnvs"),
            (
                "bill:error-after:InternalError@1",
                "`error-after:InternalError` can't happen to DescribeBillingInfo",
            ),
            ("list:error@1", "error:CODE"),
            (
                "list:reset-after@1",
                "one of throttle, reset-before, eof-before, hang-before, 500-before, cut-body, html, short, repeat and error:CODE",
            ),
            ("modify:null-env-id@1", "`null-env-id` can't happen to ModifyEnv"),
            ("short@1", "`short` can't happen to CreatePostpayPackage"),
            ("sts:repeat@1", "`repeat` can't happen to STS"),
            ("destroy:missing-tran-id@1", "`missing-tran-id` can't happen to DestroyEnv"),
            (
                "destroy:null-env-id@1",
                "reset-after, eof-before, eof-after, hang-before, hang-after, 500-before, 500-after, cut-body, html, error:CODE \
                 and error-after:CODE",
            ),
            ("destory:throttle@1", "there is no fault `destory:throttle`"),
        ];
        for (text, expected) in table {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_is_no_fault_is_told_in_both_languages() {
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
