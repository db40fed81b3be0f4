//! The vendor's error codes: what each proves about an order, and what a person can do about it.
//!
//! The vendor documents what its codes mean and that throttled calls never reach its back end. How much else a code proves,
//! and every word of advice here, is postpay's own reading. One table, looked up by the whole code first, then by what stands
//! before its dots. [`changes`] says where a code proves or advises something else when it answers no order.

pub mod changes;

use crate::cloud::Reach;

/// What a code in a well-formed answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The gateway turned the call away for its rate; the back end never saw it.
    Throttled,
    /// The signature's time was too far off. Nothing was done, and the clock can be corrected from the answer.
    Clock,
    /// Nothing was done.
    Refused(Reach),
    /// It may have acted.
    Unknown,
}

/// One code, in postpay's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The vendor's code, or the part of one that stands for all below it.
    pub code: &'static str,
    pub verdict: Verdict,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// What to do next, in a sentence.
    pub hint: &'static str,
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

const fn row(
    code: &'static str,
    verdict: Verdict,
    meaning: &'static str,
    hint: &'static str,
) -> Explanation {
    Explanation {
        code,
        verdict,
        meaning,
        hint,
    }
}

const READ_FIRST: &str =
    "Nothing is ordered again before `postpay resolve` has shown whether the environment exists.";
const WAIT: &str = "postpay waits and sends it again; nothing needs doing.";
const MEND: &str = "Mend the manifest as the message says, then plan and apply again.";
const KEYS: &str =
    "Check the key pair in the environment against https://console.cloud.tencent.com/cam/capi.";
const GONE: &str = "The vendor no longer offers the action to this account. Existing environments live on; plan and show still work.";

/// Every code that postpay knows. Where a family and a member differ, the member has its own row.
pub static TABLE: &[Explanation] = &[
    row(
        "ActionOffline",
        RUN,
        "The vendor has taken the ordering action offline.",
        GONE,
    ),
    row(
        "InvalidAction",
        RUN,
        "The endpoint knows no such action.",
        GONE,
    ),
    row(
        "NoSuchProduct",
        RUN,
        "The endpoint serves no such product.",
        "Check `api.endpoint` in postpay.yaml.",
    ),
    row(
        "NoSuchVersion",
        RUN,
        "The endpoint knows no such version of the API.",
        "Check `api.endpoint` in postpay.yaml, and whether there is a newer postpay.",
    ),
    row(
        "AuthFailure",
        RUN,
        "The vendor did not accept the signature or the key.",
        KEYS,
    ),
    row(
        "AuthFailure.InvalidAuthorization",
        RUN,
        "The Authorization header did not have the form that the endpoint expects.",
        "Look for a proxy between here and the endpoint that rewrites headers.",
    ),
    row(
        "AuthFailure.InvalidSecretId",
        RUN,
        "The key id is no API key of this cloud.",
        KEYS,
    ),
    row(
        "AuthFailure.MFAFailure",
        RUN,
        "The account asks for a second factor that a program can't give.",
        "Use a key that may call the API without one.",
    ),
    row(
        "AuthFailure.SecretIdNotFound",
        RUN,
        "The key id does not exist, or it is disabled.",
        KEYS,
    ),
    row(
        "AuthFailure.SignatureExpire",
        Verdict::Clock,
        "This computer's clock is more than five minutes off the vendor's.",
        "Set the clock. postpay corrects its own once, from the vendor's answer.",
    ),
    row(
        "AuthFailure.SignatureFailure",
        RUN,
        "The signature does not match: most often the secret key is not the one of this key id.",
        KEYS,
    ),
    row(
        "AuthFailure.TokenFailure",
        RUN,
        "The token of a temporary key is wrong or has expired.",
        "Get a new temporary key, set all three of its values, then apply again.",
    ),
    row(
        "AuthFailure.UnauthorizedOperation",
        STEP,
        "The account's access rules do not let this key do this.",
        "Have the action allowed for this key in the access management console.",
    ),
    row(
        "UnauthorizedOperation",
        STEP,
        "This key is not allowed to do this.",
        "Have the action allowed for this key in the access management console.",
    ),
    row(
        "IpInBlacklist",
        RUN,
        "The address that this call came from is blocked.",
        "Call from another network, or have the block lifted.",
    ),
    row(
        "IpNotInWhitelist",
        RUN,
        "The address that this call came from is not on the account's list.",
        "Call from an address on the list, or add this one.",
    ),
    row(
        "DryRunOperation",
        STEP,
        "The call asked for a dry run, and was one.",
        "postpay sends no dry runs: look for a proxy that changes requests.",
    ),
    row(
        "InvalidParameter",
        STEP,
        "A value has the wrong form or does not go with another.",
        MEND,
    ),
    row(
        "InvalidParameterValue",
        STEP,
        "A value is not one that the vendor takes.",
        MEND,
    ),
    row(
        "InvalidRequest",
        STEP,
        "The body of the request was malformed.",
        MEND,
    ),
    row(
        "MissingParameter",
        STEP,
        "A value that the vendor requires is not there.",
        MEND,
    ),
    row(
        "UnknownParameter",
        STEP,
        "The vendor does not know a member of the request.",
        MEND,
    ),
    row(
        "UnsupportedOperation",
        STEP,
        "The vendor does not do this here.",
        "Read the message; another kind of environment may be what is wanted.",
    ),
    row(
        "UnsupportedProtocol",
        RUN,
        "The endpoint takes GET and POST only.",
        "Check `api.endpoint` in postpay.yaml, and any proxy on the way.",
    ),
    row(
        "UnsupportedRegion",
        RUN,
        "The region is not served.",
        "Check `api.region` in postpay.yaml.",
    ),
    row(
        "RequestSizeLimitExceeded",
        STEP,
        "The request is too large.",
        "Make `extra` smaller.",
    ),
    row(
        "RequestLimitExceeded",
        Verdict::Throttled,
        "Too many calls a second for this account.",
        WAIT,
    ),
    row(
        "RequestLimitExceeded.UinLimitExceeded",
        Verdict::Throttled,
        "Too many calls a second for the main account.",
        WAIT,
    ),
    row(
        "RequestLimitExceeded.IPLimitExceeded",
        Verdict::Throttled,
        "Too many calls a second from this address.",
        WAIT,
    ),
    row(
        "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
        Verdict::Throttled,
        "Too many calls a second for the main account over all regions.",
        WAIT,
    ),
    row(
        "LimitExceeded",
        STEP,
        "The account has as many environments as its quota allows. This is not the rate limit.",
        "Remove an environment at the console or ask the vendor for more, then apply again.",
    ),
    // The vendor lists these two for sibling actions only, and its back end answers them: that they are throttles is a
    // guess, so postpay does not send such an order again by itself.
    row(
        "LimitExceeded.Request",
        STEP,
        "The back end says that too many requests were made.",
        "Look whether the environment exists at the console; if not, apply again later.",
    ),
    row(
        "LimitExceeded.Concurrent",
        STEP,
        "The back end says that too many requests are under way.",
        "Look whether the environment exists at the console; if not, apply again with `--in-flight 1`.",
    ),
    row(
        "ResourceNotFound",
        STEP,
        "The environment does not exist, or CloudBase is not opened for this account.",
        "Check `env_id`, and open https://tcb.cloud.tencent.com/dev once with this account.",
    ),
    row(
        "ResourceInsufficient",
        STEP,
        "The vendor has no more of this for the account; it may be the number of environments.",
        "Remove an environment at the console or ask the vendor for more, then apply again.",
    ),
    row(
        "ResourceInUse",
        Verdict::Unknown,
        "Something by that name is in use already. It may be an earlier order of ours.",
        READ_FIRST,
    ),
    row(
        "ResourceUnavailable",
        STEP,
        "The resource can't be used now.",
        "Look at the environment's state at the console, then apply again.",
    ),
    row(
        "ResourceUnavailable.BalanceNotEnough",
        RUN,
        "The account's balance is not enough for an order.",
        "Top up at https://console.cloud.tencent.com/expense/recharge, then apply again.",
    ),
    row(
        "ResourcesSoldOut.PostpayPackageNotAvailable",
        RUN,
        "The vendor has stopped selling pay-as-you-go packages to this account.",
        "Nothing more can be ordered. Existing environments live on; plan and show still work.",
    ),
    row(
        "FailedOperation",
        Verdict::Unknown,
        "The operation failed on the vendor's side.",
        READ_FIRST,
    ),
    row(
        "FailedOperation.PlatformError",
        Verdict::Unknown,
        "A platform that the vendor's API depends on failed. The order may stand.",
        READ_FIRST,
    ),
    row(
        "FailedOperation.Timeout",
        Verdict::Unknown,
        "The operation took too long on the vendor's side.",
        READ_FIRST,
    ),
    row(
        "FailedOperation.NetworkError",
        Verdict::Unknown,
        "A network failed on the vendor's side.",
        READ_FIRST,
    ),
    row(
        "FailedOperation.OperationTimeout",
        Verdict::Unknown,
        "The operation took too long on the vendor's side.",
        READ_FIRST,
    ),
    row(
        "FailedOperation.OperationConflict",
        Verdict::Unknown,
        "Another operation on the same thing is under way.",
        READ_FIRST,
    ),
    row(
        "FailedOperation.AccountInsufficient",
        STEP,
        "The account's balance is not enough.",
        "Top up at https://console.cloud.tencent.com/expense/recharge, then apply again.",
    ),
    row(
        "OperationDenied",
        STEP,
        "The vendor denies the operation.",
        "Read the message.",
    ),
    row(
        "OperationDenied.ResourceFrozen",
        STEP,
        "The resource is frozen.",
        "Have it released at the console, then apply again.",
    ),
    row(
        "OperationDenied.FreePackageDenied",
        STEP,
        "An environment with a free package does not allow this.",
        "Change the environment's package at the console.",
    ),
    row(
        "OperationDenied.NonInternalAccount",
        STEP,
        "Only the vendor's own accounts may do this.",
        "This can't be mended from here.",
    ),
    row(
        "InternalError",
        Verdict::Unknown,
        "The vendor's back end failed. The order may stand.",
        READ_FIRST,
    ),
    row(
        "InternalError.Timeout",
        Verdict::Unknown,
        "The vendor's back end took too long. The order may stand.",
        READ_FIRST,
    ),
    row(
        "ServiceUnavailable",
        Verdict::Unknown,
        "The vendor's service is not available. The order may stand.",
        READ_FIRST,
    ),
    row(
        "ResponseSizeLimitExceeded",
        Verdict::Unknown,
        "The answer was too large to be sent, so the order was probably made.",
        READ_FIRST,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

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
            // A key from the environment can't be refreshed; an empty purse meets every further order.
            "AuthFailure.TokenFailure" | "ResourceUnavailable.BalanceNotEnough" => Some(RUN),
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
                "FIX_RETRY" => Verdict::Clock,
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
                row.meaning.ends_with('.') && row.hint.ends_with('.'),
                "{}",
                row.code
            );
        }
        assert_eq!(seen.len(), TABLE.len(), "a code has two rows");
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
            ("AuthFailure.SignatureExpire.Old", Verdict::Clock),
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
