//! The vendor's error codes: what each proves about an order, and what a person can do about it.
//!
//! The vendor documents what its codes mean and that throttled calls never reach its back end. How much else a code proves,
//! and every word of advice here, is postpay's own reading. One table, looked up by the whole code first, then by what stands
//! before its dots. [`changes`] says where a code proves or advises something else when it answers no order.

pub mod changes;

use crate::cloud::{LOOK_FIRST, Reach};
use crate::lang::Text;

/// What a code in a well-formed answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The gateway turned the call away for its rate; the back end never saw it.
    Throttled,
    /// Nothing was done, for something that may be mended.
    Repair(Repair),
    /// Nothing was done.
    Refused(Reach),
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

/// One code, in postpay's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The vendor's code, or the part of one that stands for all below it.
    pub code: &'static str,
    pub verdict: Verdict,
    /// What it means, in a sentence.
    pub meaning: Text,
    /// What to do next, in a sentence.
    pub hint: Text,
}

/// What a code proves. A code that nobody knows proves nothing.
pub fn verdict(code: &str) -> Verdict {
    if let Some(row) = explain(code) {
        return row.verdict;
    }
    let family = first_part(code);
    if TABLE.iter().any(|row| first_part(row.code) == family) {
        // A new member of a family that refuses, such as ResourcesSoldOut.SomethingElse.
        Verdict::Refused(Reach::Step)
    } else {
        Verdict::Unknown
    }
}

/// The row for a code: its own, or that of the longest part of it that has one.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    let mut part = code;
    loop {
        if let Some(row) = TABLE.iter().find(|row| row.code == part) {
            return Some(row);
        }
        part = part.rsplit_once('.')?.0;
    }
}

fn first_part(code: &str) -> &str {
    code.split_once('.').map_or(code, |(first, _)| first)
}

const STEP: Verdict = Verdict::Refused(Reach::Step);
const RUN: Verdict = Verdict::Refused(Reach::Run);

const fn row(code: &'static str, verdict: Verdict, meaning: Text, hint: Text) -> Explanation {
    Explanation {
        code,
        verdict,
        meaning,
        hint,
    }
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

/// Every code that postpay knows. Where a family and a member differ, the member has its own row.
pub static TABLE: &[Explanation] = &[
    row(
        "ActionOffline",
        RUN,
        Text::fixed(
            "The vendor has taken the ordering action offline.",
            "腾讯云已下线订购接口。",
        ),
        GONE,
    ),
    row(
        "InvalidAction",
        RUN,
        Text::fixed("The endpoint knows no such action.", "端点没有这个接口。"),
        GONE,
    ),
    row(
        "NoSuchProduct",
        RUN,
        Text::fixed("The endpoint serves no such product.", "端点不提供该产品。"),
        Text::fixed(
            "Check `api.endpoint` in postpay.yaml.",
            "检查 postpay.yaml 中的 `api.endpoint`。",
        ),
    ),
    row(
        "NoSuchVersion",
        RUN,
        Text::fixed(
            "The endpoint knows no such version of the API.",
            "端点没有这个 API 版本。",
        ),
        Text::fixed(
            "Check `api.endpoint` in postpay.yaml, and whether there is a newer postpay.",
            "检查 postpay.yaml 中的 `api.endpoint`，并确认是否有更新版本的 postpay。",
        ),
    ),
    row(
        "AuthFailure",
        RUN,
        Text::fixed(
            "The vendor did not accept the signature or the key.",
            "腾讯云不接受该签名或密钥。",
        ),
        KEYS,
    ),
    row(
        "AuthFailure.InvalidAuthorization",
        RUN,
        Text::fixed(
            "The Authorization header did not have the form that the endpoint expects.",
            "Authorization 请求头的格式不符合端点的要求。",
        ),
        Text::fixed(
            "Look for a proxy between here and the endpoint that rewrites headers.",
            "检查本机与端点之间是否有改写请求头的代理。",
        ),
    ),
    row(
        "AuthFailure.InvalidSecretId",
        RUN,
        Text::fixed(
            "The key id is no API key of this cloud.",
            "该 SecretId 不是腾讯云的 API 密钥。",
        ),
        KEYS,
    ),
    row(
        "AuthFailure.MFAFailure",
        RUN,
        Text::fixed(
            "The account asks for a second factor that a program can't give.",
            "账号要求二次验证，程序无法完成。",
        ),
        Text::fixed(
            "Use a key that may call the API without one.",
            "换用调用 API 时无需二次验证的密钥。",
        ),
    ),
    row(
        "AuthFailure.SecretIdNotFound",
        RUN,
        Text::fixed(
            "The key id does not exist, or it is disabled.",
            "该 SecretId 不存在或已被禁用。",
        ),
        KEYS,
    ),
    row(
        "AuthFailure.SignatureExpire",
        Verdict::Repair(Repair::Clock),
        Text::fixed(
            "This computer's clock is more than five minutes off the vendor's.",
            "本机时钟与腾讯云相差超过五分钟。",
        ),
        Text::fixed(
            "Set the clock. postpay corrects its own once, from the vendor's answer.",
            "校准本机时钟。postpay 会根据腾讯云的应答自行校正一次。",
        ),
    ),
    row(
        "AuthFailure.SignatureFailure",
        RUN,
        Text::fixed(
            "The signature does not match: most often the secret key is not the one of this key id.",
            "签名不匹配：最常见的原因是 SecretKey 与该 SecretId 不是一对。",
        ),
        KEYS,
    ),
    row(
        "AuthFailure.TokenFailure",
        Verdict::Repair(Repair::Token),
        Text::fixed(
            "The token of a temporary key is wrong or has expired.",
            "临时密钥的 Token 有误或已过期。",
        ),
        Text::fixed(
            "Get a new temporary key, set all three of its values, then apply again.",
            "获取新的临时密钥，设置它的全部三个值，然后重新 apply。",
        ),
    ),
    row(
        "AuthFailure.UnauthorizedOperation",
        STEP,
        Text::fixed(
            "The account's access rules do not let this key do this.",
            "账号的访问策略不允许该密钥执行此操作。",
        ),
        Text::fixed(
            "Have the action allowed for this key in the access management console.",
            "在访问管理控制台为该密钥授权此接口。",
        ),
    ),
    row(
        "UnauthorizedOperation",
        STEP,
        Text::fixed(
            "This key is not allowed to do this.",
            "该密钥无权执行此操作。",
        ),
        Text::fixed(
            "Have the action allowed for this key in the access management console.",
            "在访问管理控制台为该密钥授权此接口。",
        ),
    ),
    row(
        "IpInBlacklist",
        RUN,
        Text::fixed(
            "The address that this call came from is blocked.",
            "发起调用的 IP 已被封禁。",
        ),
        Text::fixed(
            "Call from another network, or have the block lifted.",
            "换一个网络调用，或申请解除封禁。",
        ),
    ),
    row(
        "IpNotInWhitelist",
        RUN,
        Text::fixed(
            "The address that this call came from is not on the account's list.",
            "发起调用的 IP 不在账号的白名单中。",
        ),
        Text::fixed(
            "Call from an address on the list, or add this one.",
            "从白名单内的 IP 调用，或将此 IP 加入白名单。",
        ),
    ),
    row(
        "DryRunOperation",
        STEP,
        Text::fixed(
            "The call asked for a dry run, and was one.",
            "该调用请求的是 DryRun，也确实只做了 DryRun。",
        ),
        Text::fixed(
            "postpay sends no dry runs: look for a proxy that changes requests.",
            "postpay 从不发送 DryRun 请求：检查是否有改写请求的代理。",
        ),
    ),
    row(
        "InvalidParameter",
        STEP,
        Text::fixed(
            "A value has the wrong form or does not go with another.",
            "某个值格式有误，或与另一个值不能同时使用。",
        ),
        MEND,
    ),
    row(
        "InvalidParameterValue",
        STEP,
        Text::fixed(
            "A value is not one that the vendor takes.",
            "某个值不是腾讯云接受的取值。",
        ),
        MEND,
    ),
    row(
        "InvalidRequest",
        STEP,
        Text::fixed("The body of the request was malformed.", "请求体格式有误。"),
        MEND,
    ),
    row(
        "MissingParameter",
        STEP,
        Text::fixed(
            "A value that the vendor requires is not there.",
            "缺少腾讯云要求的值。",
        ),
        MEND,
    ),
    row(
        "UnknownParameter",
        STEP,
        Text::fixed(
            "The vendor does not know a member of the request.",
            "请求中有腾讯云不认识的参数。",
        ),
        MEND,
    ),
    row(
        "UnsupportedOperation",
        STEP,
        Text::fixed(
            "The vendor does not do this here.",
            "腾讯云在此处不支持该操作。",
        ),
        Text::fixed(
            "Read the message; another kind of environment may be what is wanted.",
            "请看消息；可能需要另一种环境。",
        ),
    ),
    row(
        "UnsupportedProtocol",
        RUN,
        Text::fixed(
            "The endpoint takes GET and POST only.",
            "端点只接受 GET 和 POST。",
        ),
        Text::fixed(
            "Check `api.endpoint` in postpay.yaml, and any proxy on the way.",
            "检查 postpay.yaml 中的 `api.endpoint`，以及途中的代理。",
        ),
    ),
    row(
        "UnsupportedRegion",
        RUN,
        Text::fixed("The region is not served.", "不支持该地域。"),
        Text::fixed(
            "Check `api.region` in postpay.yaml.",
            "检查 postpay.yaml 中的 `api.region`。",
        ),
    ),
    row(
        "RequestSizeLimitExceeded",
        STEP,
        Text::fixed("The request is too large.", "请求过大。"),
        Text::fixed("Make `extra` smaller.", "缩小 `extra`。"),
    ),
    row(
        "RequestLimitExceeded",
        Verdict::Throttled,
        Text::fixed(
            "Too many calls a second for this account.",
            "该账号每秒调用次数过多。",
        ),
        WAIT,
    ),
    row(
        "RequestLimitExceeded.UinLimitExceeded",
        Verdict::Throttled,
        Text::fixed(
            "Too many calls a second for the main account.",
            "主账号每秒调用次数过多。",
        ),
        WAIT,
    ),
    row(
        "RequestLimitExceeded.IPLimitExceeded",
        Verdict::Throttled,
        Text::fixed(
            "Too many calls a second from this address.",
            "该 IP 每秒调用次数过多。",
        ),
        WAIT,
    ),
    row(
        "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
        Verdict::Throttled,
        Text::fixed(
            "Too many calls a second for the main account over all regions.",
            "主账号在所有地域的每秒调用次数之和过多。",
        ),
        WAIT,
    ),
    row(
        "LimitExceeded",
        STEP,
        Text::fixed(
            "The account has as many environments as its quota allows. This is not the rate limit.",
            "账号的环境数量已达配额上限。这不是频率限制。",
        ),
        Text::fixed(
            "Remove an environment at the console or ask the vendor for more, then apply again.",
            "在控制台删除一个环境或向腾讯云申请提高配额，然后重新 apply。",
        ),
    ),
    // The vendor lists these two for sibling actions only, and its back end answers them: that they are throttles is a
    // guess, so postpay does not send such an order again by itself.
    row(
        "LimitExceeded.Request",
        STEP,
        Text::fixed(
            "The back end says that too many requests were made.",
            "后端称请求次数过多。",
        ),
        Text::fixed(
            "Look whether the environment exists at the console; if not, apply again later.",
            "在控制台查看环境是否已存在；如不存在，稍后重新 apply。",
        ),
    ),
    row(
        "LimitExceeded.Concurrent",
        STEP,
        Text::fixed(
            "The back end says that too many requests are under way.",
            "后端称同时进行的请求过多。",
        ),
        Text::fixed(
            "Look whether the environment exists at the console; if not, apply again with `--in-flight 1`.",
            "在控制台查看环境是否已存在；如不存在，加上 `--in-flight 1` 重新 apply。",
        ),
    ),
    row(
        "ResourceNotFound",
        STEP,
        Text::fixed(
            "The environment does not exist, or CloudBase is not opened for this account.",
            "环境不存在，或此账号未开通云开发 CloudBase。",
        ),
        Text::fixed(
            "Check `env_id`, and open https://tcb.cloud.tencent.com/dev once with this account.",
            "检查 `env_id`，并用此账号打开一次 https://tcb.cloud.tencent.com/dev 。",
        ),
    ),
    row(
        "ResourceInsufficient",
        STEP,
        Text::fixed(
            "The vendor has no more of this for the account; it may be the number of environments.",
            "腾讯云没有更多此类资源可供该账号使用；可能是指环境数量。",
        ),
        Text::fixed(
            "Remove an environment at the console or ask the vendor for more, then apply again.",
            "在控制台删除一个环境或向腾讯云申请提高配额，然后重新 apply。",
        ),
    ),
    row(
        "ResourceInUse",
        Verdict::Unknown,
        Text::fixed(
            "Something by that name is in use already. It may be an earlier order of ours.",
            "同名的资源已被占用。它可能来自我们之前的订购。",
        ),
        LOOK_FIRST,
    ),
    row(
        "ResourceUnavailable",
        STEP,
        Text::fixed("The resource can't be used now.", "资源当前不可用。"),
        Text::fixed(
            "Look at the environment's state at the console, then apply again.",
            "在控制台查看环境的状态，然后重新 apply。",
        ),
    ),
    row(
        "ResourceUnavailable.BalanceNotEnough",
        RUN,
        Text::fixed(
            "The account's balance is not enough for an order.",
            "账号余额不足以订购。",
        ),
        Text::fixed(
            "Top up at https://console.cloud.tencent.com/expense/recharge, then apply again.",
            "在 https://console.cloud.tencent.com/expense/recharge 充值，然后重新 apply。",
        ),
    ),
    row(
        "ResourcesSoldOut.PostpayPackageNotAvailable",
        RUN,
        Text::fixed(
            "The vendor has stopped selling pay-as-you-go packages to this account.",
            "腾讯云已停止向此账号出售按量付费套餐。",
        ),
        Text::fixed(
            "Nothing more can be ordered. Existing environments live on; plan and show still work.",
            "无法再订购。已有环境不受影响；plan 和 show 仍可使用。",
        ),
    ),
    row(
        "FailedOperation",
        Verdict::Unknown,
        Text::fixed(
            "The operation failed on the vendor's side.",
            "操作在腾讯云一侧失败。",
        ),
        LOOK_FIRST,
    ),
    row(
        "FailedOperation.PlatformError",
        Verdict::Unknown,
        Text::fixed(
            "A platform that the vendor's API depends on failed. The order may stand.",
            "腾讯云 API 依赖的平台出错。订单可能已生效。",
        ),
        LOOK_FIRST,
    ),
    row(
        "FailedOperation.Timeout",
        Verdict::Unknown,
        Text::fixed(
            "The operation took too long on the vendor's side.",
            "操作在腾讯云一侧超时。",
        ),
        LOOK_FIRST,
    ),
    row(
        "FailedOperation.NetworkError",
        Verdict::Unknown,
        Text::fixed(
            "A network failed on the vendor's side.",
            "腾讯云一侧网络出错。",
        ),
        LOOK_FIRST,
    ),
    row(
        "FailedOperation.OperationTimeout",
        Verdict::Unknown,
        Text::fixed(
            "The operation took too long on the vendor's side.",
            "操作在腾讯云一侧超时。",
        ),
        LOOK_FIRST,
    ),
    row(
        "FailedOperation.OperationConflict",
        Verdict::Unknown,
        Text::fixed(
            "Another operation on the same thing is under way.",
            "同一资源上有另一项操作正在进行。",
        ),
        LOOK_FIRST,
    ),
    row(
        "FailedOperation.AccountInsufficient",
        STEP,
        Text::fixed("The account's balance is not enough.", "账号余额不足。"),
        Text::fixed(
            "Top up at https://console.cloud.tencent.com/expense/recharge, then apply again.",
            "在 https://console.cloud.tencent.com/expense/recharge 充值，然后重新 apply。",
        ),
    ),
    row(
        "OperationDenied",
        STEP,
        Text::fixed("The vendor denies the operation.", "腾讯云拒绝了该操作。"),
        Text::fixed("Read the message.", "请看消息。"),
    ),
    row(
        "OperationDenied.ResourceFrozen",
        STEP,
        Text::fixed("The resource is frozen.", "资源已被冻结。"),
        Text::fixed(
            "Have it released at the console, then apply again.",
            "在控制台解除冻结，然后重新 apply。",
        ),
    ),
    row(
        "OperationDenied.FreePackageDenied",
        STEP,
        Text::fixed(
            "An environment with a free package does not allow this.",
            "免费套餐的环境不允许此操作。",
        ),
        Text::fixed(
            "Change the environment's package at the console.",
            "在控制台更换环境的套餐。",
        ),
    ),
    row(
        "OperationDenied.NonInternalAccount",
        STEP,
        Text::fixed(
            "Only the vendor's own accounts may do this.",
            "只有腾讯云的内部账号可以执行此操作。",
        ),
        Text::fixed("This can't be mended from here.", "在这里无法解决。"),
    ),
    row(
        "InternalError",
        Verdict::Unknown,
        Text::fixed(
            "The vendor's back end failed. The order may stand.",
            "腾讯云后端出错。订单可能已生效。",
        ),
        LOOK_FIRST,
    ),
    row(
        "InternalError.Timeout",
        Verdict::Unknown,
        Text::fixed(
            "The vendor's back end took too long. The order may stand.",
            "腾讯云后端超时。订单可能已生效。",
        ),
        LOOK_FIRST,
    ),
    row(
        "ServiceUnavailable",
        Verdict::Unknown,
        Text::fixed(
            "The vendor's service is not available. The order may stand.",
            "腾讯云服务不可用。订单可能已生效。",
        ),
        LOOK_FIRST,
    ),
    row(
        "ResponseSizeLimitExceeded",
        Verdict::Unknown,
        Text::fixed(
            "The answer was too large to be sent, so the order was probably made.",
            "应答过大而未能返回，因此订单很可能已经产生。",
        ),
        LOOK_FIRST,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    /// The classes as they were gathered from the vendor's documents, row by row.
    const CLASSES: &str = "
        ActionOffline FATAL_ALL
        InvalidAction FATAL_ALL
        NoSuchProduct FATAL_ALL
        NoSuchVersion FATAL_ALL
        AuthFailure.InvalidAuthorization FATAL_ALL
        AuthFailure.InvalidSecretId FATAL_ALL
        AuthFailure.MFAFailure FATAL_ALL
        AuthFailure.SecretIdNotFound FATAL_ALL
        AuthFailure.SignatureExpire FIX_RETRY
        AuthFailure.SignatureFailure FATAL_ALL
        AuthFailure.TokenFailure FIX_RETRY
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
        ResourceUnavailable.BalanceNotEnough FATAL
        ResourcesSoldOut.PostpayPackageNotAvailable FATAL_ALL
        LimitExceeded.Request THROTTLED
        LimitExceeded.Concurrent THROTTLED
        FailedOperation.Timeout UNKNOWN
        FailedOperation.NetworkError UNKNOWN
        FailedOperation.OperationTimeout UNKNOWN
        InternalError.Timeout UNKNOWN
        FailedOperation.OperationConflict UNKNOWN
        FailedOperation.AccountInsufficient FATAL
        OperationDenied FATAL
        OperationDenied.ResourceFrozen FATAL
        OperationDenied.FreePackageDenied FATAL
        OperationDenied.NonInternalAccount FATAL
    ";

    /// Where postpay is stricter than the class, on purpose.
    fn stricter(code: &str) -> Option<Verdict> {
        match code {
            // An empty purse meets every further order.
            "ResourceUnavailable.BalanceNotEnough" => Some(RUN),
            // Less certain to be throttles: not sent again.
            "LimitExceeded.Request" | "LimitExceeded.Concurrent" => Some(STEP),
            _ => None,
        }
    }

    #[test]
    fn the_whole_table_has_the_documented_classes() {
        let mut seen = Vec::new();
        for line in CLASSES.trim().lines() {
            let (code, class) = line.trim().split_once(' ').unwrap();
            let expected = stricter(code).unwrap_or(match class {
                "FATAL_ALL" => RUN,
                "FATAL" => STEP,
                "THROTTLED" => Verdict::Throttled,
                "FIX_RETRY" if code.ends_with("TokenFailure") => Verdict::Repair(Repair::Token),
                "FIX_RETRY" => Verdict::Repair(Repair::Clock),
                "UNKNOWN" => Verdict::Unknown,
                other => panic!("{other}"),
            });
            assert_eq!(verdict(code), expected, "{code}");
            assert_eq!(explain(code).unwrap().code, code);
            seen.push(code);
        }
        // The bare family is no code that the vendor lists as common; it catches new members.
        seen.push("AuthFailure");
        for row in TABLE {
            assert!(seen.contains(&row.code), "{} has no class", row.code);
            assert!(
                row.meaning.en().ends_with('.') && row.hint.en().ends_with('.'),
                "{}",
                row.code
            );
        }
        assert_eq!(seen.len(), TABLE.len(), "a code has two rows");
    }

    #[test]
    fn every_row_speaks_chinese_too() {
        for row in TABLE {
            for text in [&row.meaning, &row.hint] {
                assert!(text.is_in_both(), "{}: {text}", row.code);
                assert!(text.in_lang(Lang::Zh).ends_with('。'), "{text:#}");
            }
        }
    }

    #[test]
    fn a_code_without_a_row_takes_its_familys() {
        let table = [
            ("FailedOperation.SomethingNew", Verdict::Unknown),
            ("InternalError.SYS_ERR", Verdict::Unknown),
            ("ResourceInUse.Alias", Verdict::Unknown),
            ("InvalidParameter.EnvId", STEP),
            ("LimitExceeded.RateLimitExceeded", STEP),
            ("RequestLimitExceeded.Other", Verdict::Throttled),
            ("ResourceUnavailable.ResourceOverdue", STEP),
            ("ResourceUnavailable.BalanceNotEnough.Again", RUN),
            ("ResourcesSoldOut.SomethingElse", STEP),
            ("AuthFailure.SomethingNew", RUN),
            (
                "AuthFailure.SignatureExpire.Old",
                Verdict::Repair(Repair::Clock),
            ),
            // Nobody knows these.
            ("Oops", Verdict::Unknown),
            ("Oops.RequestLimitExceeded", Verdict::Unknown),
            ("requestlimitexceeded", Verdict::Unknown),
            (" RequestLimitExceeded", Verdict::Unknown),
            ("RequestLimitExceededByFar", Verdict::Unknown),
            ("", Verdict::Unknown),
            (".", Verdict::Unknown),
        ];
        for (code, expected) in table {
            assert_eq!(verdict(code), expected, "{code}");
        }
        assert_eq!(explain("Oops"), None);
    }
}
