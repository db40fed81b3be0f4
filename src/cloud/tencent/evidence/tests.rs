//! What the answers to orders prove.

use super::*;
use crate::cloud::tencent::Credentials;

const SECRET: &str = "keykeykeykeykeykeykeykey";

fn redactor() -> Redactor {
    Redactor::new(&Credentials {
        secret_id: "AKIDEXAMPLE".to_owned(),
        secret_key: SECRET.into(),
        token: None,
    })
}

/// The answer to an order that names the environment "asked".
fn of(status: u16, body: &str) -> Result<Ordered, CloudError> {
    asking(Some("asked"), status, body)
}

/// The answer to an order that has one created.
fn of_new(body: &str) -> Result<Ordered, CloudError> {
    asking(None, 200, body)
}

fn asking(asked: Option<&str>, status: u16, body: &str) -> Result<Ordered, CloudError> {
    let reply = Reply { status, body: body.as_bytes(), broken: None };
    judge(&reply, asked, &redactor(), |what| what == Repair::Clock)
}

fn error(code: &str, more: &str) -> String {
    format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"r"{more}}}}}"#)
}

#[test]
fn grades() {
    use Grade::{NotSent as N, Refused, Unknown};
    let table = [
        (200, error("RequestLimitExceeded", ""), N(NotSent::Throttled)),
        (200, error("AuthFailure.SignatureExpire", ""), N(NotSent::Repaired)),
        (200, error("AuthFailure.TokenFailure", ""), Refused(Scope::Run)),
        (200, error("InvalidParameter", ""), Refused(Scope::Step)),
        // The EnvId that was asked for is an echo.
        (200, error("ResourceNotFound", r#","EnvId":"asked""#), Refused(Scope::Step)),
        (200, error("ResourceUnavailable.BalanceNotEnough", ""), Refused(Scope::Run)),
        (200, error("InternalError", ""), Unknown),
        (200, error("Oops", ""), Unknown),
        // Ids beside an error: something was done.
        (200, error("RequestLimitExceeded", r#","TranId":"1""#), Unknown),
        (200, error("InvalidParameter", r#","EnvId":"new""#), Unknown),
        // A status that is not 200 proves nothing, whatever the body says.
        (500, error("InvalidParameter", ""), Unknown),
        (302, error("RequestLimitExceeded", ""), Unknown),
        (429, String::new(), Unknown),
        (204, String::new(), Unknown),
        (201, r#"{"Response":{"TranId":"1"}}"#.to_owned(), Unknown),
        (200, String::new(), Unknown),
        (200, "<html>".to_owned(), Unknown),
        (200, r#"{"Response":{"RequestId":"r"}}"#.to_owned(), Unknown),
        (200, r#"{"Response":{"EnvId":"new","RequestId":"r"}}"#.to_owned(), Unknown),
        (200, r#"{"Response":{"Error":{}}}"#.to_owned(), Unknown),
        (200, r#"{"code":1,"codeDesc":"RequestLimitExceeded","message":""}"#.to_owned(), Unknown),
    ];
    for (status, body, grade) in table {
        let error = of(status, &body).unwrap_err();
        assert_eq!(error.grade, grade, "{status} {body}");
        assert_eq!(error.http_status, Some(status));
        // That it will be sent again, or may be, is said of nothing that is unknown.
        let looks = error.hint == Some(LOOK_FIRST);
        assert_eq!(looks, grade == Unknown, "{status} {body}: {:?}", error.hint);
    }
}

#[test]
fn an_order_is_one_with_or_without_an_env_id() {
    let order = of(200, r#"{"Response":{"TranId":"1","EnvId":null,"RequestId":"r\u001b"}}"#).unwrap();
    assert_eq!((order.tran_id.as_str(), order.env_id), ("1", None));
    assert_eq!(order.request_id, None, "it is no id");
    let order = of_new(r#"{"Response":{"TranId":"1","EnvId":"e"}}"#).unwrap();
    assert_eq!(order.env_id.as_deref(), Some("e"));
    assert_eq!(order.request_id, None);
}

#[test]
fn every_id_of_an_answer_that_proves_nothing_is_kept() {
    let body = r#"{"Response":{"TranId":"1","EnvId":"e","RequestId":"r"}}"#;
    let broken = Reply { status: 200, body: body.as_bytes(), broken: Some("the answer was cut off".into()) };
    let cut = judge(&broken, None, &redactor(), |what| what == Repair::Clock).unwrap_err();
    assert_eq!(cut.message.en(), "the answer was cut off");
    for error in [cut, of(500, body).unwrap_err(), of(200, &format!("<{body}")).unwrap_err()] {
        assert_eq!(error.grade, Grade::Unknown);
        assert_eq!(error.seen.tran_id.as_deref(), Some("1"));
        assert_eq!(error.seen.env_id.as_deref(), Some("e"));
        assert_eq!(error.request_id.as_deref(), Some("r"));
        assert!(error.body.is_some());
    }
}

/// The body, and the TranId and EnvId that are to be kept of it.
type Case<'a> = (String, Option<&'a str>, Option<&'a str>);

#[test]
fn traces_of_an_order_beside_an_error_prove_nothing_and_are_kept() {
    let code = "RequestLimitExceeded";
    let e = format!(r#""Error":{{"Code":"{code}","Message":"m"}}"#);
    let table: [Case<'_>; 20] = [
        (error(code, r#","Data":{"TranId":"t0"}"#), Some("t0"), None),
        (error(code, r#","TranId":["t0"]"#), Some("t0"), None),
        (error(code, r#","TranId":{"x":"t0"}"#), Some("t0"), None),
        (error(code, r#","TranId":7"#), Some("7"), None),
        (error(code, r#","TranId":202006031194230000000000001"#), Some("202006031194230000000000001"), None),
        (
            error(code, r#","Data":{"TranId":202006031194230000000000001}"#),
            Some("202006031194230000000000001"),
            None,
        ),
        (error(code, r#","TranId":true"#), None, None),
        (error(code, r#","TranId":[null]"#), None, None),
        (error(code, r#","tranId":"t0""#), Some("t0"), None),
        (error(code, r#","Data":"{\"TranId\":\"t0\"}""#), Some("t0"), None),
        (error(code, r#","Data":{"EnvId":"new"}"#), None, Some("new")),
        (error(code, r#","EnvId":"asked","Data":{"EnvId":"new"}"#), None, Some("new")),
        (error(code, r#","EnvId":["asked","new"]"#), None, Some("new")),
        (format!(r#"{{"TranId":"t0","Response":{{{e}}}}}"#), Some("t0"), None),
        (format!(r#"{{"Response":{{"TranId":"t0"}},"Response":{{{e}}}}}"#), Some("t0"), None),
        (format!(r#"{{"Response":{{}},"Response":{{{e}}}}}"#), None, None),
        (
            format!(r#"{{"Response":{{{e}}},"Response":{{"TranId":"t0","EnvId":"new"}}}}"#),
            Some("t0"),
            Some("new"),
        ),
        (format!(r#"{{"Response":{{{e},{e}}}}}"#), None, None),
        (error(code, r#","TranId":"t0","TranId":null"#), Some("t0"), None),
        (r#"{"Response":{"Error":{"Code":"InvalidParameter","TranId":"t0"}}}"#.to_owned(), Some("t0"), None),
    ];
    for (body, tran_id, env_id) in table {
        let error = of(200, &body).unwrap_err();
        assert_eq!(error.grade, Grade::Unknown, "{body}");
        assert_eq!(error.seen.tran_id.as_deref(), tran_id, "{body}");
        assert_eq!(error.seen.env_id.as_deref(), env_id, "{body}");
        assert!(error.body.is_some(), "{body}");
    }
}

#[test]
fn an_environment_that_was_not_asked_for_is_not_what_was_ordered() {
    let body = r#"{"Response":{"TranId":"1","EnvId":"other","RequestId":"r"}}"#;
    let error = of(200, body).unwrap_err();
    assert_eq!(error.grade, Grade::Unknown);
    assert_eq!(error.message.en(), "the answer names the environment other, and asked was asked for");
    assert_eq!(error.seen.tran_id.as_deref(), Some("1"));
    assert_eq!(error.seen.env_id.as_deref(), Some("other"));
    assert!(error.body.is_some());
    // Its own is an echo, and without one nothing is contradicted.
    for (env_id, expected) in [(r#""asked""#, Some("asked")), ("null", None)] {
        let body = format!(r#"{{"Response":{{"TranId":"1","EnvId":{env_id}}}}}"#);
        assert_eq!(of(200, &body).unwrap().env_id.as_deref(), expected);
    }
}

#[test]
fn an_order_with_more_ids_than_its_own_is_unknown_and_all_are_kept() {
    let body = |more: &str| format!(r#"{{"Response":{{"TranId":"1","RequestId":"r"{more}}}}}"#);
    let outside = r#"{"TranId":"2","Response":{"TranId":"1","EnvId":"e"}}"#;
    // The body, the EnvId that is kept, and what has no place but in the message.
    let table = [
        (body(r#","Data":{"TranId":"2"}"#), None, "the TranId 2"),
        (body(r#","EnvId":"e","Env":{"EnvId":"e2"}"#), Some("e"), "the EnvId e2"),
        (outside.to_owned(), Some("e"), "the TranId 2"),
        (body(r#","EnvId":["e-1"]"#), Some("e-1"), ""),
        (body(r#","envId":"e-1""#), Some("e-1"), ""),
        (body(r#","Env":{"EnvId":"e-1"}"#), Some("e-1"), ""),
        (body(r#","Extra":"{"EnvId":"e-1"}""#), Some("e-1"), ""),
        (body(r#","EnvId":true"#), None, ""),
    ];
    for (body, env_id, said) in table {
        let error = of_new(&body).unwrap_err();
        assert_eq!(error.grade, Grade::Unknown, "{body}");
        assert_eq!(error.seen.tran_id.as_deref(), Some("1"), "{body}");
        assert_eq!(error.seen.env_id.as_deref(), env_id, "{body}");
        assert!(error.message.en().contains(said), "{}", error.message);
        assert!(error.body.is_some(), "{body}");
    }
    for fine in
        [r#","EnvId":"e","Env":{"EnvId":"e","TranId":"1"}"#, r#","EnvId":null,"Env":{"EnvId":""},"New":[1]"#]
    {
        assert!(of_new(&body(fine)).is_ok(), "{fine}");
    }
    // An echo of what was asked for is no other id.
    assert!(of(200, &body(r#","Data":{"EnvId":"asked"}"#)).is_ok());
}

/// The last of two would win, and one that tells of a throttle would have the order sent again.
#[test]
fn an_answer_that_says_a_thing_twice_proves_nothing() {
    let codes = r#""Code":"InternalError","Message":"x","Code":"RequestLimitExceeded""#;
    let order = r#""TranId":"1","EnvId":"asked""#;
    for body in [
        format!(r#"{{"Response":{{"Error":{{{codes}}},"RequestId":"r"}}}}"#),
        error("RequestLimitExceeded", r#","RequestId":"r2""#),
        format!(r#"{{"Response":{{{order},"RequestId":"r","RequestId":"r2"}}}}"#),
    ] {
        let error = of(200, &body).unwrap_err();
        assert_eq!(error.grade, Grade::Unknown, "{body}");
        assert!(error.message.en().contains("twice"), "{}", error.message);
        assert!(error.body.is_some(), "{body}");
    }
}

#[test]
fn ids_without_a_place_of_their_own_are_said() {
    let body = r#"{"Response":{"TranId":"t0","TranId":"t1","Data":{"EnvId":"asked"}}}"#;
    let error = of(200, body).unwrap_err();
    assert_eq!(error.grade, Grade::Unknown);
    assert_eq!(error.message.en(), "the answer holds `TranId` twice; it also holds the TranId t0");
    assert_eq!(error.seen.tran_id.as_deref(), Some("t1"));
}

#[test]
fn nothing_beside_an_error_is_nothing_and_an_echo_is_no_evidence() {
    for more in [
        "",
        r#","TranId":null,"EnvId":null"#,
        r#","TranId":"","EnvId":" ""#,
        r#","TranId":[],"EnvId":{}"#,
        r#","EnvId":"asked""#,
        r#","Data":{"EnvId":["asked"]}"#,
    ] {
        let throttled = of(200, &error("RequestLimitExceeded", more)).unwrap_err();
        assert_eq!(throttled.grade, Grade::NotSent(NotSent::Throttled), "{more}");
        assert_eq!(throttled.seen, SeenIds::default(), "{more}");
        let refused = of(200, &error("InvalidParameter", more)).unwrap_err();
        assert_eq!(refused.grade, Grade::Refused(Scope::Step), "{more}");
        assert_eq!(refused.seen, SeenIds::default(), "{more}");
    }
}

#[test]
fn an_error_in_no_form_of_its_own() {
    let answer = |error: &str, more: &str| of(200, &format!(r#"{{"Response":{{"Error":{error}{more}}}}}"#));
    let ids = r#","TranId":"t0","EnvId":"new""#;
    let null = format!(r#"{{"Response":{{"Error":null{ids}}}}}"#);
    assert_eq!(of_new(&null).unwrap().tran_id, "t0");
    for error in ["{}", "[]", r#""text""#, "7", "false"] {
        let unknown = answer(error, ids).unwrap_err();
        assert_eq!(unknown.grade, Grade::Unknown, "{error}");
        assert_eq!(unknown.seen.tran_id.as_deref(), Some("t0"), "{error}");
        assert_eq!(unknown.seen.env_id.as_deref(), Some("new"), "{error}");
    }
    for error in ["null", "{}", "[]", r#""text""#] {
        let unknown = answer(error, "").unwrap_err();
        assert_eq!(unknown.grade, Grade::Unknown, "{error}");
        assert_eq!(unknown.seen, SeenIds::default(), "{error}");
    }
    let elsewhere = answer("null", r#","Data":{"TranId":"t0"}"#).unwrap_err();
    assert_eq!(elsewhere.grade, Grade::Unknown);
    assert_eq!(elsewhere.seen.tran_id.as_deref(), Some("t0"));
}

#[test]
fn no_secret_comes_back_as_an_id() {
    let body = format!(r#"{{"Response":{{"TranId":"{SECRET}","EnvId":"{SECRET}","RequestId":"{SECRET}"}}}}"#);
    let kept = of_new(&body).unwrap_err();
    assert_eq!(kept.grade, Grade::Unknown, "no id is told");
    assert_eq!(kept.seen, SeenIds::default());
    let text = format!("{kept:?} {:?}", of(500, &body).unwrap_err());
    assert!(!text.contains(SECRET), "{text}");
    let refused = of(200, &error("LimitExceeded", "").replace(r#""r""#, &format!("\"{SECRET}\"")));
    assert_eq!(refused.unwrap_err().request_id, None);
}

/// A key may be a word, at an endpoint that is not the vendor's.
#[test]
fn an_id_is_recorded_whole_though_the_key_is_a_part_of_it() {
    let redactor = Redactor::new(&Credentials {
        secret_id: "AKIDEXAMPLE".to_owned(),
        secret_key: "shop".into(),
        token: None,
    });
    let of = |more: &str| {
        let body = format!(
            r#"{{"Response":{{"TranId":"shop-1","EnvId":"shop-abc123","RequestId":"shop-r"{more}}}}}"#
        );
        let reply = Reply { status: 200, body: body.as_bytes(), broken: None };
        judge(&reply, None, &redactor, |_| false)
    };
    let ordered = of("").unwrap();
    assert_eq!(ordered.tran_id, "shop-1");
    assert_eq!(ordered.env_id.as_deref(), Some("shop-abc123"));
    assert_eq!(ordered.request_id.as_deref(), Some("shop-r"));
    let error = of(r#","Data":{"EnvId":"shop-2"}"#).unwrap_err();
    assert_eq!(error.seen.tran_id.as_deref(), Some("shop-1"));
    assert_eq!(error.seen.env_id.as_deref(), Some("shop-abc123"));
    assert!(error.message.en().contains("shop-2"), "{}", error.message);
}

#[test]
fn a_clock_that_can_not_be_mended_ends_the_run() {
    let body = error("AuthFailure.SignatureExpire", "");
    let reply = Reply { status: 200, body: body.as_bytes(), broken: None };
    let error = judge(&reply, None, &redactor(), |_| false).unwrap_err();
    assert_eq!(error.grade, Grade::Refused(Scope::Run));
}

#[test]
fn no_secret_comes_back_out_of_an_answer() {
    let bodies = [
        format!(r#"{{"Response":{{"Error":{{"Code":"X{SECRET}","Message":"bad {SECRET}"}}}}}}"#),
        format!("<html>{SECRET} AKIDEXAMPLE"),
        format!(r#"{{"code":"{SECRET}","message":"{SECRET}"}}"#),
    ];
    for body in bodies {
        let text = format!("{:?}", of(200, &body).unwrap_err());
        assert!(!text.contains(SECRET) && !text.contains("AKIDEXAMPLE"), "{text}");
    }
}
