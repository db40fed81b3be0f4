//! The vendor's error codes: what each proves about an order, and what a person can do about it.
//!
//! A code proves something only if it is documented: listed for the action, or one of the codes that are common to all
//! actions. Every other code leaves the outcome unknown, and so do the documented ones that say no more than that something
//! failed; neither has a row. The exception are new members of `REJECTING` families. [`changes`] has the codes of the
//! actions that create nothing.

pub mod changes;

use crate::cloud::Scope;
use crate::lang::Text;

/// What a code in a well-formed answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The gateway turned the call away for its rate; the back end never saw it.
    Throttled,
    /// Nothing was done, for something that may be mended.
    Repair(Repair),
    /// Nothing was done.
    Refused(Scope),
    /// It may have acted.
    Unknown,
}

/// What a call was turned away for, and can be sent again without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// The signature's time was too far off; the answer tells the right one.
    Clock,
    /// The temporary key is not taken any more; there may be a new one.
    Token,
}

/// A documented code that proves something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub code: &'static str,
    pub verdict: Verdict,
    /// What to do next, in a sentence.
    pub hint: Text,
}

/// What a code proves about an order.
pub fn verdict(code: &str) -> Verdict {
    explain(code).map_or(Verdict::Unknown, |row| row.verdict)
}

/// The row for a code that answers an order; `None` for one that proves nothing.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    LISTED.iter().find(|row| row.code == code).or_else(|| common(code))
}

/// The row for a code that is common to all actions, or for a new member of a family that only rejects.
fn common(code: &str) -> Option<&'static Explanation> {
    let row = |code: &str| COMMON.iter().find(|row| row.code == code);
    row(code).or_else(|| match code.split_once('.') {
        Some((family, member)) if !member.is_empty() && REJECTING.contains(&family) => row(family),
        Some(_) | None => None,
    })
}

/// Families whose members, listed or not, reject the request before anything is done.
const REJECTING: [&str; 6] = [
    "AuthFailure",
    "InvalidParameter",
    "InvalidParameterValue",
    "MissingParameter",
    "UnauthorizedOperation",
    "UnknownParameter",
];

const STEP: Verdict = Verdict::Refused(Scope::Step);
const RUN: Verdict = Verdict::Refused(Scope::Run);

const fn row(code: &'static str, verdict: Verdict, hint: Text) -> Explanation {
    Explanation { code, verdict, hint }
}

const WAIT: Text = Text::fixed(
    "postpay waits and sends it again; nothing needs doing.",
    "postpay 会等待后重新发送，无需处理。",
);
const MEND: Text = Text::fixed(
    "Mend the manifest as the message says, then plan and apply again.",
    "按消息所说修正清单，然后重新执行 plan 和 apply。",
);
const KEYS: Text = Text::fixed(
    "Check the key against https://console.cloud.tencent.com/cam/capi; `postpay whoami` tells which one is used, and where it is from.",
    "将密钥与 https://console.cloud.tencent.com/cam/capi 上的核对；`postpay whoami` 会说明使用的是哪个密钥、来自何处。",
);
const GONE: Text = Text::fixed(
    "The vendor no longer offers the action to this account. Existing environments live on; plan and show still work.",
    "腾讯云不再向此账号提供该接口。已有环境不受影响；plan 和 show 仍可使用。",
);

/// The common codes that prove something, and `AuthFailure` for members that are not listed. Without a row, because they
/// prove nothing: `FailedOperation`, `InternalError`, `ResourceInUse`, `ResponseSizeLimitExceeded`, `ServiceUnavailable`.
static COMMON: &[Explanation] = &[
    row("ActionOffline", RUN, GONE),
    row("InvalidAction", RUN, GONE),
    row(
        "NoSuchProduct",
        RUN,
        Text::fixed("Check `api.endpoint` in postpay.yaml.", "检查 postpay.yaml 中的 `api.endpoint`。"),
    ),
    row(
        "NoSuchVersion",
        RUN,
        Text::fixed(
            "Check `api.endpoint` in postpay.yaml, and whether there is a newer postpay.",
            "检查 postpay.yaml 中的 `api.endpoint`，并确认是否有更新版本的 postpay。",
        ),
    ),
    row("AuthFailure", RUN, KEYS),
    row(
        "AuthFailure.InvalidAuthorization",
        RUN,
        Text::fixed(
            "Look for a proxy between here and the endpoint that rewrites headers.",
            "检查本机与端点之间是否有改写请求头的代理。",
        ),
    ),
    row("AuthFailure.InvalidSecretId", RUN, KEYS),
    row(
        "AuthFailure.MFAFailure",
        RUN,
        Text::fixed("Use a key that may call the API without one.", "换用调用 API 时无需二次验证的密钥。"),
    ),
    row("AuthFailure.SecretIdNotFound", RUN, KEYS),
    row(
        "AuthFailure.SignatureExpire",
        Verdict::Repair(Repair::Clock),
        Text::fixed(
            "Set the clock. postpay corrects its own once, from the vendor's answer.",
            "校准本机时钟。postpay 会根据腾讯云的应答自行校正一次。",
        ),
    ),
    row("AuthFailure.SignatureFailure", RUN, KEYS),
    row(
        "AuthFailure.TokenFailure",
        Verdict::Repair(Repair::Token),
        Text::fixed(
            "Get a new temporary key, set all three of its values, then apply again.",
            "获取新的临时密钥，设置它的全部三个值，然后重新 apply。",
        ),
    ),
    row(
        "AuthFailure.UnauthorizedOperation",
        STEP,
        Text::fixed(
            "Have the action allowed for this key in the access management console.",
            "在访问管理控制台为该密钥授权此接口。",
        ),
    ),
    row(
        "UnauthorizedOperation",
        STEP,
        Text::fixed(
            "Have the action allowed for this key in the access management console.",
            "在访问管理控制台为该密钥授权此接口。",
        ),
    ),
    row(
        "IpInBlacklist",
        RUN,
        Text::fixed(
            "Call from another network, or have the block lifted.",
            "换一个网络调用，或申请解除封禁。",
        ),
    ),
    row(
        "IpNotInWhitelist",
        RUN,
        Text::fixed(
            "Call from an address on the list, or add this one.",
            "从白名单内的 IP 调用，或将此 IP 加入白名单。",
        ),
    ),
    row(
        "DryRunOperation",
        STEP,
        Text::fixed(
            "postpay sends no dry runs: look for a proxy that changes requests.",
            "postpay 从不发送 DryRun 请求：检查是否有改写请求的代理。",
        ),
    ),
    row("InvalidParameter", STEP, MEND),
    row("InvalidParameterValue", STEP, MEND),
    row("InvalidRequest", STEP, MEND),
    row("MissingParameter", STEP, MEND),
    row("UnknownParameter", STEP, MEND),
    row(
        "UnsupportedOperation",
        STEP,
        Text::fixed(
            "Read the message; another kind of environment may be what is wanted.",
            "请看消息；可能需要另一种环境。",
        ),
    ),
    row(
        "UnsupportedProtocol",
        RUN,
        Text::fixed(
            "Check `api.endpoint` in postpay.yaml, and any proxy on the way.",
            "检查 postpay.yaml 中的 `api.endpoint`，以及途中的代理。",
        ),
    ),
    row(
        "UnsupportedRegion",
        RUN,
        Text::fixed("Check `api.region` in postpay.yaml.", "检查 postpay.yaml 中的 `api.region`。"),
    ),
    row("RequestSizeLimitExceeded", STEP, Text::fixed("Make `extra` smaller.", "缩小 `extra`。")),
    row("RequestLimitExceeded", Verdict::Throttled, WAIT),
    row("RequestLimitExceeded.UinLimitExceeded", Verdict::Throttled, WAIT),
    row("RequestLimitExceeded.IPLimitExceeded", Verdict::Throttled, WAIT),
    row("RequestLimitExceeded.GlobalRegionUinLimitExceeded", Verdict::Throttled, WAIT),
    row(
        "LimitExceeded",
        STEP,
        Text::fixed(
            "Remove an environment at the console or ask the vendor for more, then apply again.",
            "在控制台删除一个环境或向腾讯云申请提高配额，然后重新 apply。",
        ),
    ),
    row(
        "ResourceNotFound",
        STEP,
        Text::fixed(
            "Check `env_id`, and open https://tcb.cloud.tencent.com/dev once with this account.",
            "检查 `env_id`，并用此账号打开一次 https://tcb.cloud.tencent.com/dev 。",
        ),
    ),
    row(
        "ResourceInsufficient",
        STEP,
        Text::fixed(
            "Remove an environment at the console or ask the vendor for more, then apply again.",
            "在控制台删除一个环境或向腾讯云申请提高配额，然后重新 apply。",
        ),
    ),
    row(
        "ResourceUnavailable",
        STEP,
        Text::fixed(
            "Look at the environment's state at the console, then apply again.",
            "在控制台查看环境的状态，然后重新 apply。",
        ),
    ),
];

/// The codes that are listed for `CreatePostpayPackage` alone. `FailedOperation.PlatformError` is listed too, and proves
/// nothing.
static LISTED: &[Explanation] = &[
    row(
        "ResourceUnavailable.BalanceNotEnough",
        RUN,
        Text::fixed(
            "Top up at https://console.cloud.tencent.com/expense/recharge, then apply again.",
            "在 https://console.cloud.tencent.com/expense/recharge 充值，然后重新 apply。",
        ),
    ),
    row(
        "ResourcesSoldOut.PostpayPackageNotAvailable",
        RUN,
        Text::fixed(
            "Nothing more can be ordered. Existing environments live on; plan and show still work.",
            "无法再订购。已有环境不受影响；plan 和 show 仍可使用。",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    /// The common codes and the listed ones, with their classes.
    const CLASSES: &str = "
        ActionOffline FATAL_ALL
        InvalidAction FATAL_ALL
        NoSuchProduct FATAL_ALL
        NoSuchVersion FATAL_ALL
        AuthFailure.InvalidAuthorization FATAL_ALL
        AuthFailure.InvalidSecretId FATAL_ALL
        AuthFailure.MFAFailure FATAL_ALL
        AuthFailure.SecretIdNotFound FATAL_ALL
        AuthFailure.SignatureExpire CLOCK
        AuthFailure.SignatureFailure FATAL_ALL
        AuthFailure.TokenFailure TOKEN
        AuthFailure.UnauthorizedOperation FATAL
        UnauthorizedOperation FATAL
        IpInBlacklist FATAL_ALL
        IpNotInWhitelist FATAL_ALL
        DryRunOperation FATAL
        InvalidParameter FATAL
        InvalidParameterValue FATAL
        InvalidRequest FATAL
        MissingParameter FATAL
        UnknownParameter FATAL
        UnsupportedOperation FATAL
        UnsupportedProtocol FATAL_ALL
        UnsupportedRegion FATAL_ALL
        RequestSizeLimitExceeded FATAL
        RequestLimitExceeded THROTTLED
        RequestLimitExceeded.UinLimitExceeded THROTTLED
        RequestLimitExceeded.IPLimitExceeded THROTTLED
        RequestLimitExceeded.GlobalRegionUinLimitExceeded THROTTLED
        LimitExceeded FATAL
        ResourceNotFound FATAL
        ResourceInsufficient FATAL
        ResourceInUse UNKNOWN
        ResourceUnavailable FATAL
        FailedOperation UNKNOWN
        InternalError UNKNOWN
        ServiceUnavailable UNKNOWN
        ResponseSizeLimitExceeded UNKNOWN
        FailedOperation.PlatformError UNKNOWN
        ResourceUnavailable.BalanceNotEnough FATAL_ALL
        ResourcesSoldOut.PostpayPackageNotAvailable FATAL_ALL
    ";

    fn classes() -> Vec<(&'static str, Verdict)> {
        let class = |line: &'static str| {
            let (code, class) = line.trim().split_once(' ').unwrap();
            let verdict = match class {
                "FATAL_ALL" => RUN,
                "FATAL" => STEP,
                "THROTTLED" => Verdict::Throttled,
                "TOKEN" => Verdict::Repair(Repair::Token),
                "CLOCK" => Verdict::Repair(Repair::Clock),
                "UNKNOWN" => Verdict::Unknown,
                other => panic!("{other}"),
            };
            (code, verdict)
        };
        CLASSES.trim().lines().map(class).collect()
    }

    #[test]
    fn every_documented_code_has_its_class() {
        let mut proving = 0;
        for (code, expected) in classes() {
            assert_eq!(verdict(code), expected, "{code}");
            match explain(code) {
                Some(row) => {
                    assert_eq!(row.code, code);
                    proving += 1;
                }
                None => assert_eq!(expected, Verdict::Unknown, "{code}"),
            }
        }
        assert_eq!(classes().len(), 38 + 3);
        // All rows were met, but for the one of AuthFailure alone.
        assert_eq!(COMMON.len() + LISTED.len(), proving + 1);
    }

    #[test]
    fn every_row_speaks_both_languages() {
        for row in COMMON.iter().chain(LISTED) {
            assert!(row.hint.is_in_both(), "{}", row.code);
            assert!(row.hint.en().ends_with('.'), "{}", row.code);
            assert!(row.hint.in_lang(Lang::Zh).ends_with('。'), "{}", row.code);
        }
    }

    #[test]
    fn a_member_of_a_documented_code_proves_nothing_unless_its_family_only_rejects() {
        for (code, documented) in classes() {
            let family = code.split('.').next().unwrap();
            let expected = match (family, documented) {
                ("AuthFailure", _) => RUN,
                (family, _) if REJECTING.contains(&family) => STEP,
                (_, _) => Verdict::Unknown,
            };
            for member in [format!("{code}.Other"), format!("{code}.Other.Other")] {
                assert_eq!(verdict(&member), expected, "{member}");
            }
            for misspelled in [
                format!("{code}."),
                format!("{code}X"),
                format!(" {code}"),
                format!("X.{code}"),
                code.to_lowercase(),
            ] {
                let rejects = misspelled.starts_with("AuthFailure.");
                let expected = if rejects { RUN } else { Verdict::Unknown };
                assert_eq!(verdict(&misspelled), expected, "{misspelled}");
            }
        }
    }

    #[test]
    fn an_undocumented_code_proves_nothing() {
        for code in [
            "RequestLimitExceeded.Other",
            "LimitExceeded.Request",
            "LimitExceeded.Concurrent",
            "LimitExceeded.RateLimitExceeded",
            "ResourceUnavailable.ResourceOverdue",
            "ResourceUnavailable.InvoiceAmountLack",
            "ResourceNotFound.UserNotExists",
            "ResourcesSoldOut",
            "ResourcesSoldOut.Other",
            "FailedOperation.AccountInsufficient",
            "FailedOperation.Timeout",
            "InternalError.SYS_ERR",
            "OperationDenied",
            "OperationDenied.ResourceFrozen",
            "UnsupportedOperation.BalanceNotEnough",
            "InsufficientBalance",
            "Oops",
            "",
            ".",
            "..",
            ".InvalidParameter",
        ] {
            assert_eq!(verdict(code), Verdict::Unknown, "{code}");
            assert_eq!(explain(code), None, "{code}");
        }
    }
}
