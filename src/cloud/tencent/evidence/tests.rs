//! What answers prove, as tables.

use super::*;
use crate::cloud::tencent::Credentials;
use crate::cloud::tencent::wire::{self, Page, text_of};
use crate::cloud::{LOOK_FIRST, Scope};
use crate::model::{Attributes, Role};

const SECRET: &str = "keykeykeykeykeykeykeykey";
const CHANGES: [Action; 2] = [Action::Update, Action::Destroy];
const STEP: Grade = Grade::Refused(Scope::Step);
const RUN: Grade = Grade::Refused(Scope::Run);
const THROTTLED: Grade = Grade::NotSent(NotSent::Throttled);

fn redactor() -> Redactor {
    Redactor::new(&Credentials {
        secret_id: "AKIDEXAMPLE1".to_owned(),
        secret_key: SECRET.into(),
        token: None,
    })
}

fn reply(status: u16, body: &str) -> Reply<'_> {
    Reply { status, body: body.as_bytes(), broken: None, answer: wire::parse(body.as_bytes()) }
}

fn cut_off(body: &str) -> Reply<'_> {
    Reply { broken: Some("the response was cut off".into()), ..reply(200, body) }
}

fn order(env_id: Option<&str>) -> Order {
    let mut attributes = Attributes::default();
    if let Some(env_id) = env_id {
        attributes.set_role(Role::EnvId, env_id);
    }
    Order::from(attributes)
}

/// The answer to a create with the EnvId "asked".
fn created(status: u16, body: &str) -> Result<Ordered, CloudError> {
    graded(Action::Create, classify_create(&reply(status, body), &order(Some("asked")), &redactor()))
}

/// The answer to a create without an EnvId.
fn created_new(body: &str) -> Result<Ordered, CloudError> {
    graded(Action::Create, classify_create(&reply(200, body), &order(None), &redactor()))
}

/// The answer to a change of the environment "asked".
fn changed(action: Action, reply: &Reply<'_>) -> Result<Done, CloudError> {
    graded(action, classify_change(reply, action, "asked", &redactor()))
}

fn graded<T>(action: Action, result: Result<T, CloudError>) -> Result<T, CloudError> {
    result.map_err(|error| advise(action, error))
}

/// The answer to a read of the rows in `EnvList`.
fn read(reply: &Reply<'_>) -> Result<Page<String>, CloudError> {
    let decode =
        |response: &Response| wire::page(response, "EnvList", |row| row.get("EnvId").and_then(text_of));
    classify_read(reply, decode, &redactor()).map(|fetched| fetched.payload)
}

/// An answer with this error, and more members beside it.
fn error(code: &str, more: &str) -> String {
    format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m {SECRET}"}},"RequestId":"r"{more}}}}}"#)
}

/// Bodies that prove nothing for any call, with their status.
fn useless() -> Vec<(u16, String)> {
    vec![
        (500, error("InvalidParameter", "")),
        (302, error("RequestLimitExceeded", "")),
        (429, error("RequestLimitExceeded", "")),
        (500, r#"{"Response":{"TranId":"1","EnvList":[],"RequestId":"r"}}"#.to_owned()),
        (201, r#"{"Response":{"TranId":"1","EnvList":[],"RequestId":"r"}}"#.to_owned()),
        (204, String::new()),
        (302, String::new()),
        (200, String::new()),
        (200, "<html>".to_owned()),
        (200, "{}".to_owned()),
        (200, r#"{"Response":null}"#.to_owned()),
        (200, r#"{"Response":{"RequestId":"#.to_owned()),
        (200, r#"{"Response":{"Error":{}}}"#.to_owned()),
        (200, r#"{"Response":{"Error":false}}"#.to_owned()),
        (200, r#"{"code":1,"codeDesc":"RequestLimitExceeded","message":""}"#.to_owned()),
    ]
}

/// What a code proves for a create, a change and a read is in `codes`; this is that it is asked.
#[test]
fn code_of_a_good_answer_is_graded() {
    let table = [
        ("RequestLimitExceeded", THROTTLED),
        ("AuthFailure.SignatureExpire", RUN),
        ("AuthFailure.TokenFailure", RUN),
        ("InvalidParameter", STEP),
        ("InvalidAction", RUN),
        ("InternalError", Grade::Unknown),
        ("LimitExceeded.Request", Grade::Unknown),
        ("Oops", Grade::Unknown),
    ];
    for (code, grade) in table {
        // The EnvId that was asked for is an echo.
        for more in ["", r#","EnvId":"asked""#, r#","Data":{"EnvId":["asked"]}"#] {
            let body = error(code, more);
            let reply = reply(200, &body);
            let change = |action| changed(action, &reply).unwrap_err();
            let create = created(200, &body).unwrap_err();
            let read = read(&reply).unwrap_err();
            for error in [create, change(Action::Update), change(Action::Destroy), read] {
                assert_eq!(error.grade, grade, "{body}");
                assert_eq!(error.code.as_deref(), Some(code));
                assert_eq!((error.message.en(), error.request_id.as_deref()), ("m [secret key]", Some("r")));
                assert_eq!((error.http_status, error.body), (Some(200), None));
                assert_eq!(error.seen, SeenIds::default());
            }
        }
    }
    assert_eq!(created(200, &error("ResourceUnavailable.BalanceNotEnough", "")).unwrap_err().grade, RUN);
    let not_found = error("ResourceNotFound.UserNotExists", "");
    assert_eq!(read(&reply(200, &not_found)).unwrap_err().grade, STEP);
}

#[test]
fn anything_but_a_whole_answer_with_status_200_proves_nothing() {
    for (status, body) in useless() {
        let reply = reply(status, &body);
        let change = |action| changed(action, &reply).unwrap_err();
        let create = created(status, &body).unwrap_err();
        let read = read(&reply).unwrap_err();
        for error in [&create, &change(Action::Update), &change(Action::Destroy), &read] {
            assert_eq!(error.grade, Grade::Unknown, "{status} {body}");
            assert_eq!(error.http_status, Some(status));
        }
        assert_eq!(create.hint, Some(LOOK_FIRST));
        assert!(change(Action::Destroy).hint.unwrap().en().contains("It is unknown"), "{body}");
    }
    // A whole answer over a connection that then broke may lack what would have followed.
    let body = r#"{"Response":{"TranId":"1","EnvList":[],"RequestId":"r"}}"#;
    let cut = cut_off(body);
    let create = classify_create(&cut, &order(None), &redactor()).unwrap_err();
    for error in [create, changed(Action::Update, &cut).unwrap_err(), read(&cut).unwrap_err()] {
        assert_eq!(
            (error.grade, error.message.en().split(';').next()),
            (Grade::Unknown, Some("the response was cut off"))
        );
        assert_eq!(error.request_id.as_deref(), Some("r"));
    }
}

#[test]
fn help_for_a_code_is_given_only_for_what_it_proves() {
    let body = error("InvalidParameter", "");
    assert!(created(200, &body).unwrap_err().hint.unwrap().en().contains("manifest"));
    assert_eq!(created(500, &body).unwrap_err().hint, Some(LOOK_FIRST));
    assert_eq!(created(200, &error("Oops", "")).unwrap_err().hint, Some(LOOK_FIRST));
    // A read has no outcome, so its help stands, whatever the status.
    let refused = error("AuthFailure.UnauthorizedOperation", "");
    let refused = read(&reply(403, &refused)).unwrap_err();
    assert_eq!(refused.grade, Grade::Unknown);
    assert!(refused.hint.is_some());
    let message = refused.message.en();
    assert!(message.contains("403") && message.ends_with(": m [secret key]"), "{message}");
    assert_eq!(read(&reply(200, &body)).unwrap_err().hint, None);
}

#[test]
fn create_without_an_error_is_an_order_with_or_without_an_env_id() {
    let table = [
        (r#"{"Response":{"TranId":"1","EnvId":null,"RequestId":"r\u001b"}}"#, None, None),
        (r#"{"Response":{"TranId":"1","EnvId":"e"}}"#, Some("e"), None),
        (r#"{"Response":{"Error":null,"TranId":1,"EnvId":"e","RequestId":"r"}}"#, Some("e"), Some("r")),
        (r#"{"Response":{"TranId":"1","EnvId":"e","Env":{"EnvId":"e","TranId":"1"}}}"#, Some("e"), None),
        (r#"{"Response":{"TranId":"1","EnvId":null,"Env":{"EnvId":""},"New":[1]}}"#, None, None),
    ];
    for (body, env_id, request_id) in table {
        let ordered = created_new(body).unwrap();
        assert_eq!((ordered.tran_id.as_deref(), ordered.env_id.as_deref()), (Some("1"), env_id), "{body}");
        assert_eq!(ordered.request_id.as_deref(), request_id, "{body}");
    }
    // An echo of what was asked for is no other id.
    for body in [
        r#"{"Response":{"TranId":"1","EnvId":"asked"}}"#,
        r#"{"Response":{"TranId":"1","Data":{"EnvId":"asked"}}}"#,
    ] {
        assert!(created(200, body).is_ok(), "{body}");
    }
}

#[test]
fn change_without_an_error_is_done_unless_it_returns_new_ids() {
    for action in CHANGES {
        for body in [
            r#"{"Response":{"RequestId":"r"}}"#,
            r#"{"Response":{"RequestId":"r","Error":null}}"#,
            r#"{"Response":{"RequestId":"r","EnvId":"asked","New":[1]}}"#,
        ] {
            let done = changed(action, &reply(200, body)).unwrap();
            assert_eq!(done.request_id.as_deref(), Some("r"), "{body}");
        }
        assert_eq!(changed(action, &reply(200, r#"{"Response":{}}"#)), Ok(Done::default()));
        for (more, tran_id, env_id) in [
            (r#""TranId":"1""#, Some("1"), None),
            (r#""EnvId":"other""#, None, Some("other")),
            (r#""Data":{"EnvId":["other"]}"#, None, Some("other")),
            (r#""Error":{"Code":"ResourceNotFound"},"EnvId":"other","TranId":"1""#, Some("1"), Some("other")),
        ] {
            let body = format!(r#"{{"Response":{{"RequestId":"r",{more}}}}}"#);
            let error = changed(action, &reply(200, &body)).unwrap_err();
            assert_eq!(error.grade, Grade::Unknown, "{body}");
            assert!(error.message.en().contains("not requested"), "{}", error.message);
            assert_eq!(error.seen.tran_id.as_deref(), tran_id, "{body}");
            assert_eq!(error.seen.env_id.as_deref(), env_id, "{body}");
            assert!(error.body.is_some(), "{body}");
        }
    }
}

#[test]
fn read_is_decoded_whatever_ids_are_in_it() {
    let page = |body| read(&reply(200, body));
    let rows = page(r#"{"Response":{"EnvList":[{"EnvId":"a","EnvId":"a"}],"RequestId":"r"}}"#).unwrap().rows;
    assert_eq!(rows, ["a"]);
    let without = page(r#"{"Response":{"RequestId":"r"}}"#).unwrap_err();
    assert_eq!((without.grade, without.request_id.as_deref()), (Grade::Unknown, Some("r")));
    let older = page(r#"{"code":4100,"message":"no","codeDesc":"AuthFailure"}"#).unwrap_err();
    assert_eq!(older.code.as_deref(), Some("AuthFailure"));
    assert!(older.message.en().ends_with(": no"), "{}", older.message);
}

#[test]
fn every_id_of_an_answer_that_proves_nothing_is_kept() {
    let body = r#"{"Response":{"TranId":"1","EnvId":"e","RequestId":"r"}}"#;
    let cut = classify_create(&cut_off(body), &order(None), &redactor()).unwrap_err();
    for error in [cut, created(500, body).unwrap_err(), created(200, &format!("<{body}")).unwrap_err()] {
        assert_eq!(error.grade, Grade::Unknown);
        assert_eq!(error.seen.tran_id.as_deref(), Some("1"));
        assert_eq!(error.seen.env_id.as_deref(), Some("e"));
        assert_eq!(error.request_id.as_deref(), Some("r"));
        assert!(error.body.is_some());
    }
}

/// The body, and the TranId and EnvId that are kept of it.
type Case<'a> = (String, Option<&'a str>, Option<&'a str>);

#[test]
fn ids_beside_an_error_prove_nothing_and_are_kept() {
    let code = "RequestLimitExceeded";
    let e = format!(r#""Error":{{"Code":"{code}","Message":"m"}}"#);
    let long = Some("202006031194230000000000001");
    let table: [Case<'_>; 20] = [
        (error(code, r#","Data":{"TranId":"t0"}"#), Some("t0"), None),
        (error(code, r#","TranId":["t0"]"#), Some("t0"), None),
        (error(code, r#","TranId":{"x":"t0"}"#), Some("t0"), None),
        (error(code, r#","TranId":7"#), Some("7"), None),
        (error(code, r#","TranId":202006031194230000000000001"#), long, None),
        (error(code, r#","Data":{"TranId":202006031194230000000000001}"#), long, None),
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
        let change = changed(Action::Destroy, &reply(200, &body)).unwrap_err();
        for error in [created(200, &body).unwrap_err(), change] {
            assert_eq!(error.grade, Grade::Unknown, "{body}");
            assert_eq!(error.seen.tran_id.as_deref(), tran_id, "{body}");
            assert_eq!(error.seen.env_id.as_deref(), env_id, "{body}");
            assert!(error.body.is_some(), "{body}");
        }
    }
    for nothing in
        [r#","TranId":null,"EnvId":null"#, r#","TranId":"","EnvId":" ""#, r#","TranId":[],"EnvId":{}"#]
    {
        assert_eq!(created(200, &error(code, nothing)).unwrap_err().grade, THROTTLED, "{nothing}");
    }
}

#[test]
fn create_that_names_another_environment_is_unknown() {
    let body = r#"{"Response":{"TranId":"1","EnvId":"other","RequestId":"r"}}"#;
    let error = created(200, body).unwrap_err();
    assert_eq!(error.grade, Grade::Unknown);
    assert_eq!(error.message.en(), "the response is for the environment other, but asked was requested");
    assert_eq!(error.seen.tran_id.as_deref(), Some("1"));
    assert_eq!(error.seen.env_id.as_deref(), Some("other"));
    assert!(error.body.is_some());
}

#[test]
fn create_with_more_ids_than_its_own_is_unknown_and_all_are_kept() {
    let body = |more: &str| format!(r#"{{"Response":{{"TranId":"1","RequestId":"r"{more}}}}}"#);
    let outside = r#"{"TranId":"2","Response":{"TranId":"1","EnvId":"e"}}"#;
    // The body, the EnvId that is kept, and what is in the message.
    let table = [
        (body(r#","Data":{"TranId":"2"}"#), None, "; it also contains the TranId 2"),
        (body(r#","EnvId":"e","Env":{"EnvId":"e2"}"#), Some("e"), "; it also contains the EnvId e2"),
        (outside.to_owned(), Some("e"), "; it also contains the TranId 2"),
        (body(r#","EnvId":["e-1"]"#), Some("e-1"), ""),
        (body(r#","envId":"e-1""#), Some("e-1"), ""),
        (body(r#","Env":{"EnvId":"e-1"}"#), Some("e-1"), ""),
        (body(r#","Extra":"{"EnvId":"e-1"}""#), Some("e-1"), ""),
        (body(r#","EnvId":true"#), None, ""),
    ];
    for (body, env_id, said) in table {
        let error = created_new(&body).unwrap_err();
        assert_eq!(error.grade, Grade::Unknown, "{body}");
        assert_eq!(error.seen.tran_id.as_deref(), Some("1"), "{body}");
        assert_eq!(error.seen.env_id.as_deref(), env_id, "{body}");
        assert!(error.message.en().ends_with(said), "{}", error.message);
        assert_eq!(error.message.en().contains("also"), !said.is_empty(), "{}", error.message);
        assert!(error.body.is_some(), "{body}");
    }
}

/// The last of two would win, and a throttled one would have the order sent again.
#[test]
fn answer_with_a_repeated_key_proves_nothing() {
    let codes = r#""Code":"InternalError","Message":"x","Code":"RequestLimitExceeded""#;
    let order = r#""TranId":"1","EnvId":"asked""#;
    let e = r#""Error":{"Code":"InvalidParameter","Message":"m"}"#;
    for body in [
        format!(r#"{{"Response":{{"Error":{{{codes}}},"RequestId":"r"}}}}"#),
        error("RequestLimitExceeded", r#","RequestId":"r2""#),
        format!(r#"{{"Response":{{{order},"RequestId":"r","RequestId":"r2"}}}}"#),
        format!(r#"{{"Response":{{{e}}},"Response":{{}}}}"#),
        format!(r#"{{"Response":{{}},"Response":{{{e}}}}}"#),
        format!(r#"{{"Response":{{{e},"Error":null}}}}"#),
    ] {
        let change = changed(Action::Update, &reply(200, &body)).unwrap_err();
        for error in [created(200, &body).unwrap_err(), change] {
            assert_eq!(error.grade, Grade::Unknown, "{body}");
            assert!(error.message.en().contains("twice"), "{}", error.message);
            assert!(error.body.is_some(), "{body}");
        }
    }
    let body = r#"{"Response":{"TranId":"t0","TranId":"t1","Data":{"EnvId":"asked"}}}"#;
    let error = created(200, body).unwrap_err();
    assert_eq!(error.message.en(), "the response contains `TranId` twice; it also contains the TranId t0");
    assert_eq!(error.seen.tran_id.as_deref(), Some("t1"));
}

#[test]
fn error_in_no_form_of_its_own_proves_nothing() {
    let answer =
        |error: &str, more: &str| created(200, &format!(r#"{{"Response":{{"Error":{error}{more}}}}}"#));
    let ids = r#","TranId":"t0","EnvId":"new""#;
    for error in ["{}", "[]", r#""text""#, "7", "false"] {
        let unknown = answer(error, ids).unwrap_err();
        assert_eq!(unknown.grade, Grade::Unknown, "{error}");
        assert_eq!(unknown.seen.tran_id.as_deref(), Some("t0"), "{error}");
        assert_eq!(unknown.seen.env_id.as_deref(), Some("new"), "{error}");
        let without = answer(error, "").unwrap_err();
        assert_eq!((without.grade, without.seen), (Grade::Unknown, SeenIds::default()), "{error}");
    }
    let elsewhere = answer("null", r#","Data":{"TranId":"t0"}"#).unwrap_err();
    assert_eq!((elsewhere.grade, elsewhere.seen.tran_id.as_deref()), (Grade::Unknown, Some("t0")));
}

#[test]
fn secret_comes_back_neither_as_an_id_nor_as_a_text() {
    let bodies = [
        format!(r#"{{"Response":{{"TranId":"{SECRET}","EnvId":"{SECRET}","RequestId":"{SECRET}\u001b"}}}}"#),
        format!(
            r#"{{"Response":{{"Error":{{"Code":"X{SECRET}","Message":"bad {SECRET}"}},"RequestId":"{SECRET}"}}}}"#
        ),
        format!(
            r#"{{"Response":{{"Error":{{"Code":"InvalidParameter","Message":"{SECRET}"}},"EnvId":"{SECRET}"}}}}"#
        ),
        format!(r#"{{"Response":{{"EnvList":[],"RequestId":"{SECRET}"}}}}"#),
        format!("<html>{SECRET} AKIDEXAMPLE1"),
        format!(r#"{{"code":"{SECRET}","message":"{SECRET}"}}"#),
    ];
    for body in bodies {
        for status in [200, 500] {
            let reply = reply(status, &body);
            let text = format!(
                "{:?} {:?} {:?}",
                created(status, &body).unwrap_err(),
                changed(Action::Destroy, &reply),
                read(&reply)
            );
            assert!(!text.contains(SECRET) && !text.contains("AKIDEXAMPLE1"), "{text}");
        }
    }
}

/// A key may be a word, at an endpoint that is not Tencent Cloud's.
#[test]
fn id_is_recorded_whole_though_a_short_key_is_a_part_of_it() {
    let redactor = Redactor::new(&Credentials {
        secret_id: "AKIDEXAMPLE1".to_owned(),
        secret_key: "shop".into(),
        token: None,
    });
    let create = |more: &str| {
        let body = format!(
            r#"{{"Response":{{"TranId":"shop-1","EnvId":"shop-abc123","RequestId":"shop-r"{more}}}}}"#
        );
        classify_create(&reply(200, &body), &order(None), &redactor)
    };
    let ordered = create("").unwrap();
    assert_eq!(ordered.tran_id.as_deref(), Some("shop-1"));
    assert_eq!(ordered.env_id.as_deref(), Some("shop-abc123"));
    assert_eq!(ordered.request_id.as_deref(), Some("shop-r"));
    let error = create(r#","Data":{"EnvId":"shop-2"}"#).unwrap_err();
    assert_eq!(error.seen.tran_id.as_deref(), Some("shop-1"));
    assert_eq!(error.seen.env_id.as_deref(), Some("shop-abc123"));
    assert!(error.message.en().contains("shop-2"), "{}", error.message);
}
