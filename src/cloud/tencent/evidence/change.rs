//! What the answer to `ModifyEnv` or `DestroyEnv` proves. Both name their environment and give nothing out, so an answer
//! without an error is all that there is to wait for.

use super::{Asked, Case, Reply, acted};
use crate::cloud::tencent::codes::Repair;
use crate::cloud::tencent::codes::changes::Change;
use crate::cloud::tencent::redact::Redactor;
use crate::cloud::tencent::wire;
use crate::cloud::{CloudError, Done};
use crate::lang::Text;

/// Grades the reply to a change of the environment `env_id`, as [`super::judge`] does for an order.
pub(in crate::cloud::tencent) fn judge_change(
    reply: &Reply<'_>,
    change: Change,
    env_id: &str,
    redactor: &Redactor,
    repair: impl FnOnce(Repair) -> bool,
) -> Result<Done, CloudError> {
    let case = Case {
        reply,
        asked: Asked::Change(change),
        asked_env_id: Some(env_id),
        redactor,
        traces: wire::traces(reply.body),
    };
    let ids = case.without_error(repair)?;
    if acted(&ids, &case.traces, case.asked_env_id) {
        // Whatever they are of, they are not lost.
        let why = Text::fixed("the answer holds ids that nobody asked for", "应答中有请求中没有的 ID");
        return Err(case.unknown(&why, ids, None));
    }
    Ok(Done { request_id: ids.request_id.and_then(|id| redactor.id(&id)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tencent::Credentials;
    use crate::cloud::{Grade, NotSent, Scope, SeenIds};

    const SECRET: &str = "keykeykeykeykeykeykeykey";

    fn of_change(change: Change, reply: &Reply<'_>, mends_clock: bool) -> Result<Done, CloudError> {
        let redactor = Redactor::new(&Credentials {
            secret_id: "AKIDEXAMPLE".to_owned(),
            secret_key: SECRET.into(),
            token: None,
        });
        judge_change(reply, change, "asked", &redactor, |what| what == Repair::Clock && mends_clock)
    }

    fn of(change: Change, status: u16, body: &str) -> Result<Done, CloudError> {
        let reply = Reply { status, body: body.as_bytes(), broken: None };
        of_change(change, &reply, true)
    }

    fn error(code: &str, more: &str) -> String {
        format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"r"{more}}}}}"#)
    }

    #[test]
    fn an_answer_without_an_error_is_all_there_is_to_it() {
        for change in [Change::Rename, Change::Destroy] {
            for body in [
                r#"{"Response":{"RequestId":"r"}}"#,
                r#"{"Response":{"RequestId":"r","Error":null}}"#,
                r#"{"Response":{"RequestId":"r","EnvId":"asked","New":[1]}}"#,
            ] {
                let done = of(change, 200, body).unwrap();
                assert_eq!(done.request_id.as_deref(), Some("r"), "{body}");
            }
            let done = of(change, 200, r#"{"Response":{}}"#).unwrap();
            assert_eq!(done, Done::default());
        }
    }

    #[test]
    fn ids_that_nobody_asked_for_are_kept() {
        for (more, tran_id, env_id) in [
            (r#""TranId":"1""#, Some("1"), None),
            (r#""EnvId":"other""#, None, Some("other")),
            (r#""Data":{"EnvId":["other"]}"#, None, Some("other")),
        ] {
            let body = format!(r#"{{"Response":{{"RequestId":"r",{more}}}}}"#);
            let error = of(Change::Destroy, 200, &body).unwrap_err();
            assert_eq!(error.grade, Grade::Unknown, "{body}");
            assert_eq!(error.seen.tran_id.as_deref(), tran_id, "{body}");
            assert_eq!(error.seen.env_id.as_deref(), env_id, "{body}");
            assert!(error.body.is_some(), "{body}");
        }
    }

    #[test]
    fn grades() {
        use Grade::{NotSent as N, Refused, Unknown};
        let (step, run) = (Refused(Scope::Step), Refused(Scope::Run));
        let codes = [
            ("RequestLimitExceeded", N(NotSent::Throttled)),
            ("RequestLimitExceeded.UinLimitExceeded", N(NotSent::Throttled)),
            ("AuthFailure.SignatureExpire", N(NotSent::Repaired)),
            ("AuthFailure.SecretIdNotFound", run),
            ("AuthFailure.SignatureFailure", run),
            ("AuthFailure.TokenFailure", run),
            ("InvalidAction", run),
            ("ActionOffline", run),
            ("UnsupportedRegion", run),
            // As for an order: what a key may not do here it may do to another environment.
            ("UnauthorizedOperation", step),
            ("AuthFailure.UnauthorizedOperation", step),
            ("InvalidParameter", step),
            ("InvalidParameterValue", step),
            ("InvalidParameter.EnvId", step),
            ("MissingParameter", step),
            ("MissingParameter.Param", step),
            ("UnknownParameter", step),
            ("ResourceNotFound", step),
            ("ResourceUnavailable", step),
            ("LimitExceeded", step),
            ("InternalError", Unknown),
            ("InternalError.Timeout", Unknown),
            ("ServiceUnavailable", Unknown),
            ("ResponseSizeLimitExceeded", Unknown),
            ("ResourceInUse", Unknown),
            ("FailedOperation", Unknown),
            ("FailedOperation.AccountInsufficient", Unknown),
            ("ResourceNotFound.UserNotExists", Unknown),
            ("ResourceUnavailable.BalanceNotEnough", Unknown),
            ("LimitExceeded.Request", Unknown),
            ("OperationDenied.ResourceFrozen", Unknown),
            ("FailedOperation.SomethingNew", Unknown),
            ("Oops", Unknown),
        ];
        for change in [Change::Rename, Change::Destroy] {
            for (code, grade) in codes {
                let error = of(change, 200, &error(code, "")).unwrap_err();
                assert_eq!(error.grade, grade, "{change:?} {code}");
                assert_eq!(error.code.as_deref(), Some(code));
                assert_eq!(error.request_id.as_deref(), Some("r"));
                assert!(error.hint.is_some(), "{change:?} {code}");
            }
        }
    }

    #[test]
    fn what_is_no_good_answer_proves_nothing() {
        let ok = r#"{"Response":{"RequestId":"r"}}"#;
        let e = r#""Error":{"Code":"InvalidParameter","Message":"m"}"#;
        let table = [
            // A status that is not 200 proves nothing, whatever the body says.
            (500, ok.to_owned()),
            (201, ok.to_owned()),
            (302, String::new()),
            (429, error("RequestLimitExceeded", "")),
            (500, error("InvalidParameter", "")),
            (204, String::new()),
            (200, String::new()),
            (200, "<html>".to_owned()),
            (200, "{}".to_owned()),
            (200, r#"{"Response":null}"#.to_owned()),
            (200, r#"{"Response":{"RequestId":"#.to_owned()),
            (200, r#"{"Response":{"Error":{}}}"#.to_owned()),
            (200, r#"{"Response":{"Error":false}}"#.to_owned()),
            (200, r#"{"code":1,"codeDesc":"RequestLimitExceeded","message":""}"#.to_owned()),
            // Nobody can tell which of two is meant.
            (200, format!(r#"{{"Response":{{{e}}},"Response":{{}}}}"#)),
            (200, format!(r#"{{"Response":{{}},"Response":{{{e}}}}}"#)),
            (200, format!(r#"{{"Response":{{{e},"Error":null}}}}"#)),
            // Ids that nobody asked for beside an error: something was done.
            (200, error("InvalidParameter", r#","TranId":"1""#)),
            (200, error("RequestLimitExceeded", r#","EnvId":"new""#)),
        ];
        for change in [Change::Rename, Change::Destroy] {
            for (status, body) in &table {
                let error = of(change, *status, body).unwrap_err();
                assert_eq!(error.grade, Grade::Unknown, "{status} {body}");
                assert_eq!(error.http_status, Some(*status));
                assert!(error.hint.unwrap().en().contains("is not known"), "{body}");
            }
        }
        let cut = Reply { status: 200, body: ok.as_bytes(), broken: Some("the answer was cut off".into()) };
        let error = of_change(Change::Rename, &cut, true).unwrap_err();
        assert_eq!(error.grade, Grade::Unknown);
        assert_eq!(error.message.en(), "the answer was cut off");
        assert_eq!(error.request_id.as_deref(), Some("r"));
    }

    #[test]
    fn the_environment_that_was_named_is_an_echo_and_other_ids_are_kept() {
        let echo = error("ResourceNotFound", r#","EnvId":"asked""#);
        let refused = of(Change::Destroy, 200, &echo).unwrap_err();
        assert_eq!(refused.grade, Grade::Refused(Scope::Step));
        assert_eq!(refused.seen, SeenIds::default());
        let other = error("ResourceNotFound", r#","EnvId":"new","TranId":"7""#);
        let unknown = of(Change::Destroy, 200, &other).unwrap_err();
        assert_eq!(unknown.seen.env_id.as_deref(), Some("new"));
        assert_eq!(unknown.seen.tran_id.as_deref(), Some("7"));
        assert!(unknown.message.en().contains("nobody asked for"), "{unknown:?}");
    }

    #[test]
    fn a_clock_that_can_not_be_mended_ends_the_run() {
        let body = error("AuthFailure.SignatureExpire", "");
        let reply = Reply { status: 200, body: body.as_bytes(), broken: None };
        let error = of_change(Change::Rename, &reply, false).unwrap_err();
        assert_eq!(error.grade, Grade::Refused(Scope::Run));
    }

    #[test]
    fn no_secret_comes_back_out_of_an_answer() {
        let bodies = [
            format!(r#"{{"Response":{{"RequestId":"{SECRET}\u001b"}}}}"#),
            format!(
                r#"{{"Response":{{"Error":{{"Code":"X{SECRET}","Message":"bad {SECRET}"}},"RequestId":"{SECRET}"}}}}"#
            ),
            format!(
                r#"{{"Response":{{"Error":{{"Code":"InvalidParameter","Message":"{SECRET}"}},"EnvId":"{SECRET}"}}}}"#
            ),
            format!("<html>{SECRET} AKIDEXAMPLE"),
        ];
        for body in bodies {
            let text = format!("{:?}", of(Change::Destroy, 200, &body));
            assert!(!text.contains(SECRET) && !text.contains("AKIDEXAMPLE"), "{text}");
        }
    }
}
