//! The error codes of the API: what each proves about a call, and what a user can do about it.
//!
//! A code proves something only if it is documented: listed for the action, or common to all actions. Every other code leaves
//! the outcome unknown, and so do the documented ones that say no more than that something failed (`FailedOperation`,
//! `FailedOperation.PlatformError`, `InternalError`, `ResourceInUse`, `ResponseSizeLimitExceeded`, `ServiceUnavailable`);
//! neither have a row. The exception are unlisted members of the `REJECTING` families.
//!
//! The documents say little about what a code means. Where a help text says "may", it is a guess.

use crate::cloud::{Grade, LOOK_FIRST, NotSent, Scope};
use crate::i18n::Text;
use crate::model::kind::Code;

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The create of a kind, which has codes of its own.
    Create,
    /// `ModifyEnv` and the like
    Update,
    /// `DestroyEnv`
    Destroy,
    /// Any action that changes nothing.
    Read,
}

/// What a call was rejected for, and can be sent again without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// The time of the signature; the answer has the right one.
    Clock,
    /// The temporary key; there may be a new one.
    Token,
}

/// Returns what a code in a well-formed answer proves. `own` are the codes of the kind that is created.
pub fn grade(action: Action, own: &[Code], code: &str) -> Grade {
    if let Some(own) = own.iter().find(|own| own.code == code) {
        return if own.ends_run { RUN } else { STEP };
    }
    match row(action, code) {
        Some((_, _, grade, _)) => *grade,
        // `ResourceNotFound.UserNotExists` is listed for DescribeEnvs. Asking again would not find anything either.
        None if action == Action::Read && code.starts_with("ResourceNotFound.") => STEP,
        None => Grade::Unknown,
    }
}

/// Returns what could be repaired after a call was refused with this code.
pub fn repair(code: &str) -> Option<Repair> {
    match code {
        "AuthFailure.SignatureExpire" => Some(Repair::Clock),
        "AuthFailure.TokenFailure" => Some(Repair::Token),
        _ => None,
    }
}

/// Returns what to do about a code that proves something.
pub fn help(action: Action, own: &[Code], code: &str) -> Option<Text> {
    if let Some(own) = own.iter().find(|own| own.code == code) {
        return Some(own.help.clone());
    }
    let (.., help) = row(action, code)?;
    help.iter().find(|(actions, _)| actions.contains(&action)).map(|(_, text)| text.clone())
}

/// Returns what to do when the outcome of a call is unknown.
pub fn help_unknown(action: Action) -> Option<Text> {
    match action {
        Action::Create => Some(LOOK_FIRST),
        Action::Update => Some(Text::fixed(
            "It is unknown whether the environment was updated. Check it in the console, or plan and apply again: repeating it is safe.",
        )),
        Action::Destroy => Some(Text::fixed(
            "It is unknown whether the environment was destroyed. Check it in the console, or plan and apply again: repeating it cannot destroy another environment.",
        )),
        Action::Read => None,
    }
}

fn row(action: Action, code: &str) -> Option<&'static Row> {
    let find = |code: &str| CODES.iter().find(|(row, actions, ..)| *row == code && actions.contains(&action));
    find(code).or_else(|| match code.split_once('.') {
        Some((family, member)) if !member.is_empty() && REJECTING.contains(&family) => find(family),
        _ => None,
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

/// A code, the actions that it is documented for, what it proves, and what to do about it, for each action.
type Row = (&'static str, &'static [Action], Grade, &'static [(&'static [Action], Text)]);

const ALL: &[Action] = &[Action::Create, Action::Update, Action::Destroy, Action::Read];
const CREATE: &[Action] = &[Action::Create];
const UPDATE: &[Action] = &[Action::Update];
const DESTROY: &[Action] = &[Action::Destroy];
const CHANGE: &[Action] = &[Action::Update, Action::Destroy];
const WRITE: &[Action] = &[Action::Create, Action::Update, Action::Destroy];

const STEP: Grade = Grade::Refused(Scope::Step);
const RUN: Grade = Grade::Refused(Scope::Run);
const THROTTLED: Grade = Grade::NotSent(NotSent::Throttled);

/// The common codes, then those listed for single actions. `AuthFailure` alone is not documented; its row is for the members
/// without one.
static CODES: &[Row] = &[
    ("ActionOffline", ALL, RUN, &[(UPDATE, NO_UPDATE), (DESTROY, NO_DESTROY), (ALL, NO_ACTION)]),
    ("InvalidAction", ALL, RUN, &[(UPDATE, NO_UPDATE), (DESTROY, NO_DESTROY), (ALL, NO_ACTION)]),
    ("NoSuchProduct", ALL, RUN, &[(ALL, ENDPOINT)]),
    ("NoSuchVersion", ALL, RUN, &[(ALL, ENDPOINT_OR_VERSION)]),
    ("AuthFailure", ALL, RUN, &[(ALL, KEYS)]),
    ("AuthFailure.InvalidAuthorization", ALL, RUN, &[(ALL, HEADERS)]),
    ("AuthFailure.InvalidSecretId", ALL, RUN, &[(ALL, KEYS)]),
    ("AuthFailure.MFAFailure", ALL, RUN, &[(ALL, NO_MFA)]),
    ("AuthFailure.SecretIdNotFound", ALL, RUN, &[(ALL, KEYS)]),
    ("AuthFailure.SignatureExpire", ALL, RUN, &[(ALL, CLOCK)]),
    ("AuthFailure.SignatureFailure", ALL, RUN, &[(ALL, KEYS)]),
    ("AuthFailure.TokenFailure", ALL, RUN, &[(ALL, NEW_KEY)]),
    ("AuthFailure.UnauthorizedOperation", ALL, STEP, &[(ALL, ALLOW)]),
    ("UnauthorizedOperation", ALL, STEP, &[(ALL, ALLOW)]),
    ("IpInBlacklist", ALL, RUN, &[(ALL, BLOCKED_IP)]),
    ("IpNotInWhitelist", ALL, RUN, &[(ALL, UNLISTED_IP)]),
    ("DryRunOperation", ALL, STEP, &[(WRITE, NO_DRY_RUN)]),
    ("InvalidParameter", ALL, STEP, &[(CREATE, MANIFEST), (UPDATE, ALIAS), (DESTROY, ENV_ID_IN_STATE)]),
    ("InvalidParameterValue", ALL, STEP, &[(CREATE, MANIFEST), (UPDATE, ALIAS), (DESTROY, ENV_ID_IN_STATE)]),
    ("InvalidRequest", ALL, STEP, &[(DESTROY, ENV_ID_IN_STATE), (WRITE, MANIFEST)]),
    ("MissingParameter", ALL, STEP, &[(DESTROY, ENV_ID_IN_STATE), (WRITE, MANIFEST)]),
    ("UnknownParameter", ALL, STEP, &[(DESTROY, ENV_ID_IN_STATE), (WRITE, MANIFEST)]),
    ("UnsupportedOperation", ALL, STEP, &[(CREATE, OTHER_KIND), (CHANGE, MESSAGE)]),
    ("UnsupportedProtocol", ALL, RUN, &[(ALL, ENDPOINT_OR_PROXY)]),
    ("UnsupportedRegion", ALL, RUN, &[(ALL, REGION)]),
    ("RequestSizeLimitExceeded", ALL, STEP, &[(CREATE, SMALLER_EXTRA), (CHANGE, SMALL_ALREADY)]),
    ("RequestLimitExceeded", ALL, THROTTLED, &[(ALL, WAIT)]),
    ("RequestLimitExceeded.UinLimitExceeded", ALL, THROTTLED, &[(ALL, WAIT)]),
    ("RequestLimitExceeded.IPLimitExceeded", ALL, THROTTLED, &[(ALL, WAIT)]),
    ("RequestLimitExceeded.GlobalRegionUinLimitExceeded", ALL, THROTTLED, &[(ALL, WAIT)]),
    ("LimitExceeded", ALL, STEP, &[(CREATE, QUOTA), (UPDATE, UPDATE_LIMIT), (DESTROY, DESTROY_QUOTA)]),
    ("ResourceNotFound", ALL, STEP, &[(CREATE, ENV_ID), (CHANGE, MAYBE_GONE)]),
    ("ResourceInsufficient", ALL, STEP, &[(CREATE, QUOTA), (CHANGE, MESSAGE)]),
    ("ResourceUnavailable", ALL, STEP, &[(DESTROY, HOLDS_DATA), (WRITE, STATUS)]),
    ("ResourceUnavailable.InvoiceAmountLack", DESTROY, STEP, &[(DESTROY, INVOICE)]),
    ("ResourceUnavailable.ResourceOverdue", DESTROY, STEP, &[(DESTROY, OVERDUE)]),
];

const NO_ACTION: Text = Text::fixed(
    "Tencent Cloud no longer offers this action to this account. Existing environments are not affected; plan and show still work.",
);
const NO_UPDATE: Text = Text::fixed(
    "Tencent Cloud no longer offers this action to this account: update the environment in the console.",
);
const NO_DESTROY: Text = Text::fixed(
    "Tencent Cloud no longer offers DestroyEnv to this account: destroy the environment in the console.",
);
const ENDPOINT: Text = Text::fixed("Check `api.endpoint` in postpay.yaml.");
const ENDPOINT_OR_VERSION: Text =
    Text::fixed("Check `api.endpoint` in postpay.yaml, and whether a newer postpay is available.");
const ENDPOINT_OR_PROXY: Text =
    Text::fixed("Check `api.endpoint` in postpay.yaml, and any proxy in between.");
const REGION: Text = Text::fixed("Check `api.region` in postpay.yaml.");
const KEYS: Text = Text::fixed(
    "Compare the credentials with https://console.cloud.tencent.com/cam/capi; `postpay whoami` shows the active ones and their source.",
);
const HEADERS: Text = Text::fixed("Check for a proxy that rewrites headers.");
const NO_MFA: Text = Text::fixed("Use credentials that can call the API without a second factor.");
const CLOCK: Text =
    Text::fixed("Set the clock. postpay corrects for it once, from the time in the response.");
const NEW_KEY: Text = Text::fixed("Get new temporary credentials, set all three values, then apply again.");
const ALLOW: Text = Text::fixed("Allow this action for the credentials in the access management console.");
const BLOCKED_IP: Text = Text::fixed("Call from another network, or have the block removed.");
const UNLISTED_IP: Text = Text::fixed("Call from an allowed IP address, or add this one to the list.");
const NO_DRY_RUN: Text = Text::fixed("postpay sends no dry runs: check for a proxy that changes requests.");
const MANIFEST: Text = Text::fixed("Fix the manifest as the message says, then plan and apply again.");
const ALIAS: Text = Text::fixed(
    "Fix the manifest as the message says, then plan and apply again. An alias may have 32 characters by Tencent Cloud's latest rule.",
);
const ENV_ID_IN_STATE: Text =
    Text::fixed("See the message, and check the environment id with `postpay show`.");
const OTHER_KIND: Text = Text::fixed("See the message; another kind of environment may be needed.");
const MESSAGE: Text = Text::fixed("See the message.");
const SMALLER_EXTRA: Text = Text::fixed("Reduce the size of `extra`.");
const SMALL_ALREADY: Text =
    Text::fixed("postpay sends only a few dozen bytes for this: check for a proxy that changes requests.");
const WAIT: Text = Text::fixed("postpay waits and sends it again; no action needed.");
const QUOTA: Text = Text::fixed(
    "Delete an environment in the console or request a higher quota from Tencent Cloud, then apply again.",
);
const UPDATE_LIMIT: Text = Text::fixed(
    "Tencent Cloud does not document which limit this is; it may be how often an alias can be changed. Plan and apply again later.",
);
const DESTROY_QUOTA: Text = Text::fixed(
    "The account may have used up its quota of deletions (monthly or total): see MaxDeleteMonthly and MaxDeleteTotal in DescribeEnvLimit.",
);
const ENV_ID: Text =
    Text::fixed("Check `env_id`, and open https://tcb.cloud.tencent.com/dev once with this account.");
const MAYBE_GONE: Text = Text::fixed(
    "The environment may no longer exist, or belong to another account: look it up at https://tcb.cloud.tencent.com/dev with this account.",
);
const STATUS: Text = Text::fixed("Check the environment's status in the console, then apply again.");
const HOLDS_DATA: Text = Text::fixed(
    "The environment may contain data or add-on packages: check it in the console, or destroy it with `--bypass-check`, which skips that check.",
);
/// 当前发票余额不足，无法退费。
const INVOICE: Text = Text::fixed(
    "Tencent Cloud reports that the invoice balance is too small for a refund: an invoice may have to be returned or settled in the console first.",
);
/// 资源过期。
const OVERDUE: Text = Text::fixed(
    "Tencent Cloud reports that the resource is overdue: a bill may have to be paid in the console first.",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    /// The 38 common codes, then those listed for an action.
    const CLASSES: &str = "
        ActionOffline FATAL_ALL
        InvalidAction FATAL_ALL
        NoSuchProduct FATAL_ALL
        NoSuchVersion FATAL_ALL
        AuthFailure.InvalidAuthorization FATAL_ALL
        AuthFailure.InvalidSecretId FATAL_ALL
        AuthFailure.MFAFailure FATAL_ALL
        AuthFailure.SecretIdNotFound FATAL_ALL
        AuthFailure.SignatureExpire FATAL_ALL
        AuthFailure.SignatureFailure FATAL_ALL
        AuthFailure.TokenFailure FATAL_ALL
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
        ResourceUnavailable.InvoiceAmountLack FATAL DESTROY
        ResourceUnavailable.ResourceOverdue FATAL DESTROY
    ";

    /// Every documented code, what it proves, and for which actions.
    fn classes() -> Vec<(&'static str, Grade, &'static [Action])> {
        let class = |line: &'static str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let grade = match words[1] {
                "FATAL_ALL" => RUN,
                "FATAL" => STEP,
                "THROTTLED" => THROTTLED,
                "UNKNOWN" => Grade::Unknown,
                other => panic!("{other}"),
            };
            let actions = match words.get(2) {
                None => ALL,
                Some(&"DESTROY") => DESTROY,
                Some(other) => panic!("{other}"),
            };
            (words[0], grade, actions)
        };
        CLASSES.trim().lines().map(class).collect()
    }

    #[test]
    fn every_documented_code_has_its_class() {
        for action in ALL {
            for (code, class, actions) in classes() {
                let expected = if actions.contains(action) { class } else { Grade::Unknown };
                assert_eq!(grade(*action, &[], code), expected, "{action:?} {code}");
            }
        }
        let proving = classes().iter().filter(|(_, class, _)| *class != Grade::Unknown).count();
        assert_eq!(classes().len(), 38 + 3);
        assert_eq!(CODES.len(), proving + 1, "all rows were met, except that of AuthFailure alone");
    }

    #[test]
    fn help_is_a_sentence_in_both_languages_about_its_action() {
        for (code, actions, _, texts) in CODES {
            for action in WRITE.iter().filter(|action| actions.contains(action)) {
                assert!(help(*action, &[], code).is_some(), "{action:?} {code}");
            }
            for (_, text) in *texts {
                assert!(text.is_in_both(), "{code}");
                assert!(text.en().ends_with('.'), "{code}");
                assert!(text.in_lang(Lang::Zh).ends_with('。'), "{code}");
            }
            for text in
                [help(Action::Update, &[], code), help(Action::Destroy, &[], code)].into_iter().flatten()
            {
                assert!(!text.en().contains("order"), "{code}: {text}");
                assert!(!text.in_lang(Lang::Zh).contains("订"), "{code}: {text}");
            }
        }
    }

    #[test]
    fn help_fits_the_action() {
        use Action::{Create, Destroy, Read, Update};
        let table = [
            (Create, "InvalidParameter.EnvId", "Fix the manifest"),
            (Update, "InvalidParameter", "32 characters"),
            (Destroy, "InvalidParameter.EnvId", "postpay show"),
            (Update, "MissingParameter", "Fix the manifest"),
            (Update, "LimitExceeded", "may be how often"),
            (Destroy, "LimitExceeded", "MaxDeleteMonthly"),
            (Update, "ResourceNotFound", "may no longer exist"),
            (Update, "ResourceUnavailable", "in the console"),
            (Destroy, "ResourceUnavailable", "--bypass-check"),
            (Destroy, "ResourceUnavailable.InvoiceAmountLack", "may have to be returned"),
            (Destroy, "ResourceUnavailable.ResourceOverdue", "a bill may have"),
            (Update, "InvalidAction", "update the environment in the console"),
            (Destroy, "ActionOffline", "no longer offers DestroyEnv"),
            (Read, "ActionOffline", "no longer offers this action"),
            (Update, "AuthFailure.SecretIdNotFound", "Compare the credentials"),
            (Read, "AuthFailure.SecretIdNotFound", "Compare the credentials"),
            // What is wrong with a manifest is not wrong with a read.
            (Read, "InvalidParameter", ""),
            (Read, "LimitExceeded", ""),
            (Destroy, "InternalError", ""),
        ];
        for (action, code, expected) in table {
            let help = help(action, &[], code);
            let fits = help.as_ref().map_or("", Text::en);
            assert!(
                fits.contains(expected) && fits.is_empty() == expected.is_empty(),
                "{action:?} {code}: {fits}"
            );
        }
    }

    #[test]
    fn unlisted_member_of_a_family_proves_nothing_unless_the_family_only_rejects() {
        for action in WRITE {
            for (code, ..) in classes() {
                let family = code.split('.').next().unwrap();
                let expected = match family {
                    "AuthFailure" => RUN,
                    family if REJECTING.contains(&family) => STEP,
                    _ => Grade::Unknown,
                };
                for member in [format!("{code}.Other"), format!("{code}.Other.Other")] {
                    assert_eq!(grade(*action, &[], &member), expected, "{member}");
                }
                for misspelled in [
                    format!("{code}."),
                    format!("{code}X"),
                    format!(" {code}"),
                    format!("X.{code}"),
                    code.to_lowercase(),
                ] {
                    let rejects = misspelled.starts_with("AuthFailure.");
                    let expected = if rejects { RUN } else { Grade::Unknown };
                    assert_eq!(grade(*action, &[], &misspelled), expected, "{misspelled}");
                }
            }
        }
    }

    #[test]
    fn undocumented_code_proves_nothing() {
        for code in [
            "RequestLimitExceeded.Other",
            "LimitExceeded.Request",
            "LimitExceeded.Concurrent",
            "LimitExceeded.RateLimitExceeded",
            "ResourceUnavailable.Other",
            "ResourceUnavailable.ResourceOverdue.Other",
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
            for action in WRITE {
                assert_eq!(grade(*action, &[], code), Grade::Unknown, "{code}");
                assert_eq!(help(*action, &[], code), None, "{code}");
            }
        }
        assert_eq!(grade(Action::Read, &[], "ResourceNotFound.UserNotExists"), STEP);
    }

    /// The codes of a kind hold for its create alone, and not for what is spelled otherwise.
    #[test]
    fn codes_of_a_kind_refuse_its_create() {
        let own = crate::kinds::postpay::KIND.codes;
        for Code { code, help: text, .. } in own {
            assert_eq!(grade(Action::Create, own, code), RUN, "{code}");
            assert_eq!(help(Action::Create, own, code).as_ref(), Some(text));
            let common = CODES.iter().find(|(row, ..)| row == code).map(|(_, _, grade, _)| *grade);
            for action in ALL {
                assert_eq!(grade(*action, &[], code), common.unwrap_or(Grade::Unknown), "{code}");
                assert_eq!(grade(*action, own, &format!("{code}.Other")), Grade::Unknown, "{code}");
            }
        }
    }
}
