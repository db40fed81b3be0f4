//! What a code proves about a change to an environment that is there, and what a person can do about it, where that is
//! not what it is for an order.
//!
//! The vendor's words for its codes are few. Where a hint says "may", it is postpay's guess.

use super::{Verdict, common};
use crate::cloud::Scope;
use crate::lang::Text;

/// The two changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `ModifyEnv`
    Rename,
    /// `DestroyEnv`
    Destroy,
}

/// What a code proves about a change. All codes that are listed for `ModifyEnv` are common ones or of families that only
/// reject; `DestroyEnv` has two more.
pub fn verdict(change: Change, code: &str) -> Verdict {
    match (change, code) {
        (Change::Destroy, INVOICE | OVERDUE) => Verdict::Refused(Scope::Step),
        (Change::Rename | Change::Destroy, code) => common(code).map_or(Verdict::Unknown, |row| row.verdict),
    }
}

/// What to do next, in a sentence or two.
pub fn hint(change: Change, code: &str) -> Option<Text> {
    if verdict(change, code) == Verdict::Unknown {
        return Some(look(change));
    }
    own(change, code).or_else(|| common(code).map(|row| row.hint.clone()))
}

/// What to do when nobody can tell what was done.
pub fn look(change: Change) -> Text {
    match change {
        Change::Rename => Text::fixed(
            "Whether the alias was changed is not known. Look at it at the console, or plan and apply again: to do it twice does no harm.",
            "别名是否已修改，结果未知。在控制台查看，或重新执行 plan 和 apply：重复修改没有害处。",
        ),
        Change::Destroy => Text::fixed(
            "Whether the environment was given up is not known. Look for it at the console, or plan and apply again: to do it twice gives up no other.",
            "环境是否已销毁，结果未知。在控制台查找该环境，或重新执行 plan 和 apply：重复销毁不会影响其他环境。",
        ),
    }
}

/// 当前发票余额不足，无法退费。
const INVOICE: &str = "ResourceUnavailable.InvoiceAmountLack";
/// 资源过期。
const OVERDUE: &str = "ResourceUnavailable.ResourceOverdue";

const READ: Text = Text::fixed("Read the message.", "请看消息。");
const MAYBE_GONE: Text = Text::fixed(
    "The environment may be gone already, or be another account's: look for it at https://tcb.cloud.tencent.com/dev with this account.",
    "环境可能已不存在，或属于另一个账号：用此账号在 https://tcb.cloud.tencent.com/dev 查找。",
);

/// The advice that differs from the one for an order.
fn own(change: Change, code: &str) -> Option<Text> {
    use Change::{Destroy, Rename};
    let family = code.split('.').next().unwrap_or_default();
    let hint = match (family, code, change) {
        ("ActionOffline" | "InvalidAction", _, Rename) => Text::fixed(
            "The vendor no longer offers ModifyEnv to this account: change the alias at the console.",
            "腾讯云不再向此账号提供 ModifyEnv：在控制台修改别名。",
        ),
        ("ActionOffline" | "InvalidAction", _, Destroy) => Text::fixed(
            "The vendor no longer offers DestroyEnv to this account: give the environment up at the console.",
            "腾讯云不再向此账号提供 DestroyEnv：在控制台销毁环境。",
        ),
        ("InvalidParameter" | "InvalidParameterValue", _, Rename) => Text::fixed(
            "Mend the alias in the manifest as the message says, then plan and apply again. The vendor's newest rule for it is up to 32 characters.",
            "按消息所说修正清单中的别名，然后重新执行 plan 和 apply。腾讯云对别名的最新规则是最多 32 个字符。",
        ),
        (
            "InvalidParameter"
            | "InvalidParameterValue"
            | "InvalidRequest"
            | "MissingParameter"
            | "UnknownParameter",
            _,
            Destroy,
        ) => Text::fixed(
            "Read the message, and check the environment id on record with `postpay show`.",
            "请看消息，并用 `postpay show` 核对记录中的环境 ID。",
        ),
        ("RequestSizeLimitExceeded", _, _) => Text::fixed(
            "postpay sends a few dozen bytes for this: look for a proxy that changes requests.",
            "postpay 为此只发送几十个字节：检查是否有改写请求的代理。",
        ),
        ("LimitExceeded", _, Rename) => Text::fixed(
            "The vendor does not say which limit this is; it may be how often an alias may be changed. Plan and apply again later.",
            "腾讯云没有说明这是哪项限制；可能是别名的修改次数限制。稍后重新执行 plan 和 apply。",
        ),
        ("LimitExceeded", _, Destroy) => Text::fixed(
            "The account's quota of deletions may be used up, for this month or for good: the vendor's DescribeEnvLimit shows it as MaxDeleteMonthly and MaxDeleteTotal.",
            "账号的删除配额可能已用完（本月的或总的）：腾讯云的 DescribeEnvLimit 以 MaxDeleteMonthly 和 MaxDeleteTotal 显示该配额。",
        ),
        ("ResourceNotFound", _, _) => MAYBE_GONE,
        ("ResourceUnavailable", "ResourceUnavailable", Destroy) => Text::fixed(
            "The environment may hold data or add-on packages: look at it at the console, or destroy it with `--bypass-check`, with which the vendor does not look for them.",
            "环境中可能有数据或增值包：在控制台查看，或用 `--bypass-check` 销毁，此时腾讯云不会检查它们。",
        ),
        (_, INVOICE, Destroy) => Text::fixed(
            "The vendor says that the invoice balance is too small for a refund: an invoice may have to be given back or settled first, at the console.",
            "腾讯云称发票余额不足，无法退费：可能需要先在控制台退还发票或结清。",
        ),
        (_, OVERDUE, Destroy) => Text::fixed(
            "The vendor says that the resource is overdue: there may be a bill to be paid first, at the console.",
            "腾讯云称资源已过期：可能需要先在控制台结清账单。",
        ),
        ("ResourceInsufficient" | "UnsupportedOperation", _, _) => READ,
        (_, _, _) => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::super::{COMMON, LISTED};
    use super::*;

    const BOTH: [Change; 2] = [Change::Rename, Change::Destroy];

    #[test]
    fn only_codes_that_are_listed_for_the_change_or_common_prove_anything() {
        for change in BOTH {
            for row in COMMON {
                assert_eq!(verdict(change, row.code), row.verdict, "{}", row.code);
            }
            for row in LISTED {
                assert_eq!(verdict(change, row.code), Verdict::Unknown, "{}", row.code);
            }
        }
        let step = Verdict::Refused(Scope::Step);
        let table = [
            ("MissingParameter.Param", step, step),
            (INVOICE, Verdict::Unknown, step),
            (OVERDUE, Verdict::Unknown, step),
            ("ResourceUnavailable.Other", Verdict::Unknown, Verdict::Unknown),
            ("ResourceUnavailable.ResourceOverdue.Other", Verdict::Unknown, Verdict::Unknown),
            ("LimitExceeded.Request", Verdict::Unknown, Verdict::Unknown),
            ("RequestLimitExceeded.Other", Verdict::Unknown, Verdict::Unknown),
            ("ResourceNotFound.EnvNotExists", Verdict::Unknown, Verdict::Unknown),
            ("FailedOperation", Verdict::Unknown, Verdict::Unknown),
            ("Oops", Verdict::Unknown, Verdict::Unknown),
        ];
        for (code, rename, destroy) in table {
            assert_eq!(verdict(Change::Rename, code), rename, "{code}");
            assert_eq!(verdict(Change::Destroy, code), destroy, "{code}");
        }
    }

    #[test]
    fn no_advice_is_about_orders() {
        for change in BOTH {
            for row in COMMON.iter().chain(LISTED) {
                let hint = hint(change, row.code).unwrap();
                assert!(!hint.en().contains("order"), "{change:?} {}: {hint}", row.code);
                assert!(hint.en().ends_with('.'), "{change:?} {}: {hint}", row.code);
                assert!(hint.is_in_both(), "{change:?} {}: {hint}", row.code);
                let zh = hint.in_lang(crate::lang::Lang::Zh);
                assert!(!zh.contains("订"), "{change:?} {}: {zh}", row.code);
            }
        }
    }

    #[test]
    fn advice_that_differs() {
        use Change::{Destroy, Rename};
        let table = [
            (Rename, "InvalidParameter", "32 characters"),
            (Destroy, "InvalidParameter.EnvId", "postpay show"),
            (Rename, "MissingParameter", "Mend the manifest"),
            (Rename, "LimitExceeded", "may be how often"),
            (Destroy, "LimitExceeded", "MaxDeleteMonthly"),
            (Rename, "ResourceNotFound", "may be gone"),
            (Destroy, "ResourceNotFound", "may be gone already"),
            (Rename, "ResourceUnavailable", "at the console"),
            (Destroy, "ResourceUnavailable", "--bypass-check"),
            (Destroy, "ResourceUnavailable.InvoiceAmountLack", "may have to be given back"),
            (Destroy, "ResourceUnavailable.ResourceOverdue", "may be a bill"),
            (Rename, "InvalidAction", "no longer offers ModifyEnv"),
            (Destroy, "ActionOffline", "no longer offers DestroyEnv"),
            (Rename, "AuthFailure.SecretIdNotFound", "Check the key against"),
            (Rename, "InternalError", "alias was changed is not known"),
            (Destroy, "FailedOperation.New", "given up is not known"),
            (Destroy, "Oops", "given up is not known"),
        ];
        for (change, code, expected) in table {
            let hint = hint(change, code).unwrap();
            assert!(hint.en().contains(expected), "{change:?} {code}: {hint}");
        }
        assert_eq!(hint(Rename, "ResourceInsufficient"), Some(READ));
        assert_eq!(hint(Rename, "RequestLimitExceeded"), Some(super::super::WAIT));
    }
}
