//! What a code proves about a change to an environment that is there, and what a person can do about it, where that is
//! not what it is for an order.
//!
//! The vendor's words for its codes are few. Where a hint says "may", it is postpay's guess.

use super::{Verdict, explain, first_part};

/// The two changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `ModifyEnv`
    Rename,
    /// `DestroyEnv`
    Destroy,
}

/// As for an order, but that no failed operation counts as refused: the environment shows what became of it.
pub fn verdict(code: &str) -> Verdict {
    if first_part(code) == "FailedOperation" {
        Verdict::Unknown
    } else {
        super::verdict(code)
    }
}

/// What to do next, in a sentence or two; None for a code that nobody knows.
pub fn hint(change: Change, code: &str) -> Option<&'static str> {
    if verdict(code) == Verdict::Unknown {
        return Some(look(change));
    }
    own(change, code).or_else(|| explain(code).map(|row| row.hint))
}

/// What to do when nobody can tell what was done.
pub fn look(change: Change) -> &'static str {
    match change {
        Change::Rename => {
            "Whether the alias was changed is not known. Look at it at the console, or plan and apply again: to do it twice does no harm."
        }
        Change::Destroy => {
            "Whether the environment was given up is not known. Look for it at the console, or plan and apply again: to do it twice gives up no other."
        }
    }
}

const READ: &str = "Read the message.";
const LATER: &str = "Plan and apply again later.";
const MAYBE_GONE: &str = "The environment may be gone already, or be another account's: look for it at https://tcb.cloud.tencent.com/dev with this account.";

/// The advice that differs from the one for an order.
fn own(change: Change, code: &str) -> Option<&'static str> {
    use Change::{Destroy, Rename};
    let family = first_part(code);
    let hint = match (family, code, change) {
        ("ActionOffline" | "InvalidAction", _, Rename) => {
            "The vendor no longer offers ModifyEnv to this account: change the alias at the console."
        }
        ("ActionOffline" | "InvalidAction", _, Destroy) => {
            "The vendor no longer offers DestroyEnv to this account: give the environment up at the console."
        }
        ("InvalidParameter" | "InvalidParameterValue", _, Rename) => {
            "Mend the alias in the manifest as the message says, then plan and apply again. The vendor's newest rule for it is up to 32 characters."
        }
        (
            "InvalidParameter"
            | "InvalidParameterValue"
            | "InvalidRequest"
            | "MissingParameter"
            | "UnknownParameter",
            _,
            Destroy,
        ) => "Read the message, and check the environment id on record with `postpay show`.",
        ("RequestSizeLimitExceeded", _, _) => {
            "postpay sends a few dozen bytes for this: look for a proxy that changes requests."
        }
        ("LimitExceeded", "LimitExceeded.Request", _) => LATER,
        ("LimitExceeded", "LimitExceeded.Concurrent", _) => {
            "Plan and apply again later, with `--in-flight 1`."
        }
        ("LimitExceeded", _, Rename) => {
            "The vendor does not say which limit this is; it may be how often an alias may be changed. Plan and apply again later."
        }
        ("LimitExceeded", _, Destroy) => {
            "The account's quota of deletions may be used up, for this month or for good: the vendor's DescribeEnvLimit shows it as MaxDeleteMonthly and MaxDeleteTotal."
        }
        ("ResourceNotFound", _, _) => MAYBE_GONE,
        ("ResourceUnavailable", "ResourceUnavailable", Destroy) => {
            "The environment may hold data or add-on packages: look at it at the console, or destroy it with `--bypass-check`, with which the vendor does not look for them."
        }
        // 当前发票余额不足，无法退费。
        ("ResourceUnavailable", "ResourceUnavailable.InvoiceAmountLack", Destroy) => {
            "The vendor says that the invoice balance is too small for a refund: an invoice may have to be given back or settled first, at the console."
        }
        // 资源过期。
        ("ResourceUnavailable", "ResourceUnavailable.ResourceOverdue", Destroy) => {
            "The vendor says that the resource is overdue: there may be a bill to be paid first, at the console."
        }
        ("ResourceInsufficient" | "ResourcesSoldOut" | "UnsupportedOperation", _, _) => READ,
        (_, _, _) => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::super::TABLE;
    use super::*;
    use crate::cloud::Reach;

    const BOTH: [Change; 2] = [Change::Rename, Change::Destroy];

    #[test]
    fn a_code_proves_what_it_proves_about_an_order_but_for_failed_operations() {
        for row in TABLE {
            let expected = if row.code.starts_with("FailedOperation") {
                Verdict::Unknown
            } else {
                row.verdict
            };
            assert_eq!(verdict(row.code), expected, "{}", row.code);
        }
        let step = Verdict::Refused(Reach::Step);
        let table = [
            ("LimitExceeded.OutOfSomething", step),
            ("ResourceUnavailable.InvoiceAmountLack", step),
            ("ResourceUnavailable.ResourceOverdue", step),
            ("ResourceNotFound.EnvNotExists", step),
            ("MissingParameter.Param", step),
            ("FailedOperation.AccountInsufficient", Verdict::Unknown),
            ("Oops", Verdict::Unknown),
        ];
        for (code, expected) in table {
            assert_eq!(verdict(code), expected, "{code}");
        }
    }

    #[test]
    fn no_advice_is_about_orders() {
        for change in BOTH {
            for row in TABLE {
                let hint = hint(change, row.code).unwrap();
                assert!(!hint.contains("order"), "{change:?} {}: {hint}", row.code);
                assert!(hint.ends_with('.'), "{change:?} {}: {hint}", row.code);
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
            (Destroy, "LimitExceeded.Other", "MaxDeleteTotal"),
            (Destroy, "LimitExceeded.Concurrent", "--in-flight 1"),
            (Rename, "ResourceNotFound", "may be gone"),
            (
                Destroy,
                "ResourceNotFound.UserNotExists",
                "may be gone already",
            ),
            (Rename, "ResourceUnavailable", "at the console"),
            (Destroy, "ResourceUnavailable", "--bypass-check"),
            (
                Destroy,
                "ResourceUnavailable.InvoiceAmountLack",
                "may have to be given back",
            ),
            (
                Destroy,
                "ResourceUnavailable.ResourceOverdue",
                "may be a bill",
            ),
            // It does not say what ResourceUnavailable itself does.
            (
                Destroy,
                "ResourceUnavailable.ResourceFrozen",
                "state at the console",
            ),
            (
                Destroy,
                "ResourceUnavailable.BalanceNotEnough",
                "Top up at https",
            ),
            (Rename, "InvalidAction", "no longer offers ModifyEnv"),
            (Destroy, "ActionOffline", "no longer offers DestroyEnv"),
            (Rename, "AuthFailure.SecretIdNotFound", "Check the key pair"),
            (Rename, "InternalError", "alias was changed is not known"),
            (Destroy, "FailedOperation.New", "given up is not known"),
            (Destroy, "Oops", "given up is not known"),
        ];
        for (change, code, expected) in table {
            let hint = hint(change, code).unwrap();
            assert!(hint.contains(expected), "{change:?} {code}: {hint}");
        }
        assert_eq!(hint(Rename, "ResourcesSoldOut.New"), Some(READ));
        assert_eq!(
            hint(Rename, "RequestLimitExceeded"),
            Some(super::super::WAIT)
        );
    }
}
