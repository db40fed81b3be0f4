//! Renaming and giving up, the real client against the real sandbox: what every kind of trouble proves, and what was
//! really done.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postpay::cloud::tencent::{ClientOptions, TencentClient};
use postpay::cloud::{
    Bill, CloudError, CloudRead as _, CloudWrite as _, Destroy, Done, Grade, NotSent, Scope, SeenEnvironment,
    Update,
};
use postpay::kinds::postpay as fields;
use postpay::model::Attributes;
use postpay::sandbox::{LedgerEntry, Options, SAMPLE_ENV_ID, Sandbox, read_ledger};

use crate::endpoint::{PATIENT, SHORT, client, options, order, raw_server, sandbox};
use crate::support::server;

fn rename(env_id: &str, alias: &str) -> Update {
    Update {
        env_id: env_id.to_owned(),
        action: "ModifyEnv",
        field: fields::ALIAS,
        value: alias.into(),
        region: None,
    }
}

fn destroy(env_id: &str, force: bool) -> Destroy {
    Destroy { env_id: env_id.to_owned(), force, bypass_check: false, region: None }
}

/// The requests that are no questions, in the order they came.
fn writes(ledger: &Path) -> Vec<LedgerEntry> {
    let mut entries = read_ledger(ledger).unwrap();
    entries.retain(|entry| !entry.action.starts_with("Describe"));
    entries
}

/// An environment as the two questions show it; None where it is not in the list.
async fn shown(client: &TencentClient, env_id: &str) -> (Option<SeenEnvironment>, Option<Bill>) {
    let listed = client.environments().await.unwrap();
    let bills = client.bills(&[env_id.to_owned()]).await.unwrap().shown;
    let env = listed.into_iter().find(|env| env.env_id == env_id);
    (env, bills.into_iter().next())
}

async fn status(client: &TencentClient, env_id: &str) -> (Option<String>, Option<String>) {
    let (env, bill) = shown(client, env_id).await;
    (env.and_then(|env| env.status), bill.and_then(|bill| bill.status))
}

fn both(status: &str) -> (Option<String>, Option<String>) {
    (Some(status.to_owned()), Some(status.to_owned()))
}

#[tokio::test]
async fn an_environment_that_is_renamed_is_listed_by_its_new_alias() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let client = client(&running.url(), PATIENT);
    let ordered = client.create(&order("shop").into()).await.unwrap();
    let env_id = ordered.env_id.unwrap();
    let (before, bill_before) = shown(&client, &env_id).await;
    let done = client.update(&rename(&env_id, "我的环境")).await.unwrap();
    let (after, bill_after) = shown(&client, &env_id).await;
    assert_eq!(
        after.unwrap(),
        SeenEnvironment { alias: Some("我的环境".to_owned()), ..before.unwrap() },
        "nothing else changed"
    );
    assert_eq!(bill_after, bill_before);
    let [_, entry] = &*writes(running.ledger()) else {
        panic!("one order and one change");
    };
    assert_eq!(entry.action, "ModifyEnv");
    assert_eq!(entry.call, 1, "counted by itself");
    assert!(entry.reached && entry.changed && !entry.acted);
    assert_eq!(entry.env_id.as_deref(), Some(env_id.as_str()));
    assert_eq!(entry.tran_id, None);
    assert_eq!(done.request_id.as_deref(), Some(entry.request_id.as_str()));
}

#[tokio::test]
async fn an_environment_that_is_given_up_is_isolated_and_then_gone() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let client = client(&running.url(), PATIENT);
    let ordered = client.create(&order("shop").into()).await.unwrap();
    let env_id = ordered.env_id.unwrap();
    assert_eq!(status(&client, &env_id).await, both("NORMAL"));
    client.destroy(&destroy(&env_id, false)).await.unwrap();
    assert_eq!(status(&client, &env_id).await, both("ISOLATE"));
    client.destroy(&destroy(&env_id, false)).await.unwrap();
    assert_eq!(status(&client, &env_id).await, both("ISOLATE"));
    let mut again = Attributes::default();
    again.set(fields::ENV_ID, env_id.clone());
    let refused = client.create(&again.clone().into()).await.unwrap_err();
    assert_eq!(refused.grade, Grade::Refused(Scope::Step), "{refused:?}");
    client.destroy(&destroy(&env_id, true)).await.unwrap();
    assert_eq!(status(&client, &env_id).await, (None, None));
    let gone = client.destroy(&destroy(&env_id, true)).await.unwrap_err();
    assert_eq!(gone.code.as_deref(), Some("ResourceNotFound"));
    // A normal one goes at once, if that is asked for.
    let forced = Destroy { bypass_check: true, ..destroy(SAMPLE_ENV_ID, true) };
    client.destroy(&forced).await.unwrap();
    assert!(client.environments().await.unwrap().is_empty());
    let changed: Vec<bool> = writes(running.ledger())
        .iter()
        .filter(|entry| entry.action == "DestroyEnv")
        .map(|entry| entry.changed)
        .collect();
    assert_eq!(changed, [true, false, true, false, true]);
}

#[tokio::test]
async fn what_the_sandbox_refuses_changes_nothing() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let client = client(&running.url(), PATIENT);
    let refused = |error: CloudError, code: &str, hint: &str| {
        assert_eq!(error.grade, Grade::Refused(Scope::Step), "{error:?}");
        assert_eq!(error.code.as_deref(), Some(code), "{error:?}");
        assert!(error.hint.as_ref().unwrap().en().contains(hint), "{error:?}");
        assert!(error.request_id.is_some() && !error.message.is_empty());
    };
    let long = "环".repeat(33);
    let table = [
        (rename(SAMPLE_ENV_ID, &long), "InvalidParameter", "alias"),
        (rename("nobody", "shop"), "ResourceNotFound", "may no longer exist"),
        (rename("", "shop"), "MissingParameter", "Fix"),
    ];
    for (rename, code, hint) in table {
        refused(client.update(&rename).await.unwrap_err(), code, hint);
    }
    let table = [
        (destroy("nobody", true), "ResourceNotFound", "may no longer exist"),
        (destroy("", false), "MissingParameter", "postpay show"),
    ];
    for (destroy, code, hint) in table {
        refused(client.destroy(&destroy).await.unwrap_err(), code, hint);
    }
    for entry in writes(running.ledger()) {
        assert!(entry.reached && !entry.changed && !entry.acted, "{entry:?}");
    }
    assert_eq!(status(&client, SAMPLE_ENV_ID).await, both("NORMAL"));
}

/// What one change of the sample environment gives, what the ledger says of it, and how the environment is listed then.
async fn struck(
    fault: &str,
    timeout: Duration,
) -> (Result<Done, CloudError>, LedgerEntry, Option<SeenEnvironment>) {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[&format!("{fault}@1")]).await;
    let url = running.url();
    let hasty = client(&url, timeout);
    let result = if fault.starts_with("modify:") {
        hasty.update(&rename(SAMPLE_ENV_ID, "new")).await
    } else {
        hasty.destroy(&destroy(SAMPLE_ENV_ID, false)).await
    };
    let entries = writes(running.ledger());
    assert_eq!(entries.len(), 1, "{fault}: one attempt, one request");
    let (env, _) = shown(&client(&url, PATIENT), SAMPLE_ENV_ID).await;
    running.shutdown().await;
    (result, entries.into_iter().next().unwrap(), env)
}

#[tokio::test]
async fn every_fault_proves_what_it_should_and_no_more() {
    use Grade::{NotSent as N, Refused, Unknown};
    // The fault, the grade, whether the change was made, and the status that was seen.
    let table = [
        ("throttle", N(NotSent::Throttled), false, Some(200)),
        ("reset-before", Unknown, false, None),
        ("reset-after", Unknown, true, None),
        ("eof-before", Unknown, false, None),
        ("eof-after", Unknown, true, None),
        ("hang-before", Unknown, false, None),
        ("hang-after", Unknown, true, None),
        ("500-before", Unknown, false, Some(500)),
        ("500-after", Unknown, true, Some(500)),
        ("cut-body", Unknown, true, Some(200)),
        ("html", Unknown, true, Some(200)),
        ("error:ResourceUnavailable", Refused(Scope::Step), false, Some(200)),
        ("error:LimitExceeded", Refused(Scope::Step), false, Some(200)),
        ("error:ActionOffline", Refused(Scope::Run), false, Some(200)),
        ("error:AuthFailure.TokenFailure", Refused(Scope::Run), false, Some(200)),
        ("error:FailedOperation", Unknown, false, Some(200)),
        ("error-after:InternalError", Unknown, true, Some(200)),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (kind, grade, changed, seen) in table {
        for target in ["modify", "destroy"] {
            let fault = format!("{target}:{kind}");
            all.spawn(async move {
                let hangs = kind.starts_with("hang");
                let timeout = if hangs { SHORT } else { PATIENT };
                let (result, entry, env) = struck(&fault, timeout).await;
                let error = result.unwrap_err();
                assert_eq!(error.grade, grade, "{fault}: {error:?}");
                assert_eq!(error.http_status, seen, "{fault}: {error:?}");
                assert!(!error.message.is_empty(), "{fault}");
                assert!(error.hint.is_some(), "{fault}: {error:?}");
                assert_eq!(entry.changed, changed, "{fault}");
                assert!(!entry.acted, "{fault}: a change is no order");
                assert_eq!(entry.fault.as_deref(), Some(kind), "{fault}");
                let env = env.unwrap();
                let (alias, status) = match (target, changed) {
                    ("modify", true) => ("new", "NORMAL"),
                    ("destroy", true) => ("cdnheader", "ISOLATE"),
                    _ => ("cdnheader", "NORMAL"),
                };
                assert_eq!(env.alias.as_deref(), Some(alias), "{fault}");
                assert_eq!(env.status.as_deref(), Some(status), "{fault}");
            });
        }
    }
    all.join_all().await;
}

#[tokio::test]
async fn a_fault_strikes_at_its_own_action_alone() {
    let folder = crate::support::folder();
    let faults = ["modify:throttle@2", "destroy:throttle@1"];
    let running = sandbox(folder.path(), &faults).await;
    let client = client(&running.url(), PATIENT);
    client.create(&order("shop").into()).await.unwrap();
    client.update(&rename(SAMPLE_ENV_ID, "one")).await.unwrap();
    client.destroy(&destroy(SAMPLE_ENV_ID, false)).await.unwrap_err();
    client.update(&rename(SAMPLE_ENV_ID, "two")).await.unwrap_err();
    client.create(&order("blog").into()).await.unwrap();
    client.update(&rename(SAMPLE_ENV_ID, "two")).await.unwrap();
    client.destroy(&destroy(SAMPLE_ENV_ID, false)).await.unwrap();
}

#[tokio::test]
async fn answers_that_are_no_http_prove_nothing() {
    let whole = r#"{"Response":{"RequestId":"r-1"}}"#;
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n", whole.len());
    let table: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        chunked.as_bytes(),
    ];
    for answer in table {
        let name = String::from_utf8_lossy(answer).into_owned();
        let (address, _requests) = raw_server(answer.to_vec());
        let client = client(&format!("http://{address}"), PATIENT);
        for error in [
            client.update(&rename("a-1", "b")).await.unwrap_err(),
            client.destroy(&destroy("a-1", true)).await.unwrap_err(),
        ] {
            assert_eq!(error.grade, Grade::Unknown, "{name}: {error:?}");
            assert!(error.hint.unwrap().en().contains("It is unknown"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_change_says_no_more_than_it_must_and_goes_where_its_environment_is() {
    let body = r#"{"Response":{"RequestId":"r-1"}}"#;
    let (address, requests) = raw_server(server::ok(body));
    let of = |region: Option<&str>| {
        TencentClient::new(ClientOptions {
            region: region.map(str::to_owned),
            ..options(&format!("http://{address}"))
        })
        .unwrap()
    };
    let sent = || {
        let request = requests.recv().unwrap();
        let text = String::from_utf8_lossy(&request);
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let header = |name| server::header(&request, name);
        (header("x-tc-action").unwrap(), header("x-tc-region"), body.to_owned())
    };
    let some = |text: &str| Some(text.to_owned());
    let (home, nowhere) = (of(Some("ap-shanghai")), of(None));

    let done = home.update(&rename("a-1", "我的")).await.unwrap();
    assert_eq!(done.request_id.as_deref(), Some("r-1"));
    let expected = r#"{"EnvId":"a-1","Alias":"我的"}"#.to_owned();
    assert_eq!(sent(), ("ModifyEnv".to_owned(), some("ap-shanghai"), expected));
    let mut there = rename("a-1", "b");
    there.region = some("ap-guangzhou");
    for client in [&home, &nowhere] {
        client.update(&there).await.unwrap();
        assert_eq!(sent().1, some("ap-guangzhou"));
    }
    // One that was recorded empty is none.
    there.region = some("");
    home.update(&there).await.unwrap();
    assert_eq!(sent().1, some("ap-shanghai"));

    let mut there = destroy("a-1", false);
    nowhere.destroy(&there).await.unwrap();
    let expected = r#"{"EnvId":"a-1"}"#.to_owned();
    assert_eq!(sent(), ("DestroyEnv".to_owned(), None, expected));
    there.region = some("ap-singapore");
    there.force = true;
    there.bypass_check = true;
    home.destroy(&there).await.unwrap();
    let expected = r#"{"EnvId":"a-1","IsForce":true,"BypassCheck":true}"#.to_owned();
    assert_eq!(sent(), ("DestroyEnv".to_owned(), some("ap-singapore"), expected));

    there.region = some("ap\nshanghai");
    let error = home.destroy(&there).await.unwrap_err();
    assert_eq!(error.grade, Grade::Refused(Scope::Step));
    assert!(error.message.en().contains("the region of a-1"), "{error:?}");
    assert!(requests.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn changes_have_limits_of_their_own_that_orders_know_nothing_of() {
    let folder = crate::support::folder();
    let start = || Sandbox::start(Options::new(folder.path().join("ledger.jsonl")));
    let running = start().await.unwrap();
    let hasty = Arc::new(client(&running.url(), PATIENT));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let hasty = Arc::clone(&hasty);
        all.spawn(async move { hasty.destroy(&destroy(SAMPLE_ENV_ID, false)).await });
    }
    let results = all.join_all().await;
    let entries = writes(running.ledger());
    let at = |entry: &LedgerEntry| entry.at;
    let first = entries.iter().map(at).min().unwrap();
    let last = entries.iter().map(at).max().unwrap();
    let passed = entries.iter().filter(|entry| entry.reached).count();
    // On a computer that is busy enough they arrive too far apart to break the limit; then there is nothing to see.
    if last.duration_since(first).as_millis() < 900 {
        assert_eq!(passed, 20);
    }
    let throttled = results.iter().filter_map(|result| result.as_ref().err());
    let mut count = 0;
    for error in throttled {
        assert_eq!(error.grade, Grade::NotSent(NotSent::Throttled));
        count += 1;
    }
    assert_eq!(count, entries.len() - passed);
    let changed = entries.iter().filter(|entry| entry.changed).count();
    assert_eq!(changed, 1, "to isolate it again changes nothing");
    // Two orders a second, and the changes did not count.
    hasty.create(&order("shop").into()).await.unwrap();
    running.shutdown().await;
    let running = start().await.unwrap();
    let hasty = client(&running.url(), PATIENT);
    hasty.create(&order("blog").into()).await.unwrap();
}

#[tokio::test]
async fn a_restart_forgets_no_change() {
    let folder = crate::support::folder();
    let start = || {
        Sandbox::start(Options {
            rate: None,
            existing: ["old-1", "old-2", "old-3"].map(str::to_owned).to_vec(),
            existing_postpaid: vec!["shop-1:店".parse().unwrap()],
            ..Options::new(folder.path().join("ledger.jsonl"))
        })
    };
    let running = start().await.unwrap();
    let first = client(&running.url(), PATIENT);
    let all: Vec<String> = [SAMPLE_ENV_ID, "old-1", "old-2", "old-3", "shop-1"].map(str::to_owned).to_vec();
    first.update(&rename("old-1", "new")).await.unwrap();
    first.update(&rename("shop-1", "Laden")).await.unwrap();
    first.destroy(&destroy("old-2", false)).await.unwrap();
    first.destroy(&destroy("old-3", true)).await.unwrap();
    let before = (first.environments().await.unwrap(), first.bills(&all).await.unwrap());
    running.shutdown().await;
    let running = start().await.unwrap();
    let second = client(&running.url(), PATIENT);
    let after = (second.environments().await.unwrap(), second.bills(&all).await.unwrap());
    assert_eq!(after, before);
    let told: Vec<String> = after
        .0
        .iter()
        .map(|env| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            [env.env_id.clone(), text(&env.alias), text(&env.status), text(&env.pay_mode)].join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "cdnheader-v2a cdnheader NORMAL prepayment",
            "old-1 new NORMAL prepayment",
            "old-2 old ISOLATE prepayment",
            "shop-1 Laden NORMAL postpaid",
        ],
        "and what is gone does not come back for being named again"
    );
    let bill = after.1.shown.iter().find(|bill| bill.env_id == "shop-1").unwrap();
    assert!(!bill.order.as_ref().unwrap().tran_id.is_empty());
}

#[tokio::test]
async fn what_was_just_changed_is_listed_as_it_was() {
    let folder = crate::support::folder();
    let start = |list_delay| {
        Sandbox::start(Options {
            list_delay,
            existing: vec!["old-1".to_owned()],
            ..Options::new(folder.path().join("ledger.jsonl"))
        })
    };
    let running = start(Duration::from_secs(3600)).await.unwrap();
    let slow = client(&running.url(), PATIENT);
    let before = slow.environments().await.unwrap();
    slow.update(&rename(SAMPLE_ENV_ID, "new")).await.unwrap();
    slow.destroy(&destroy("old-1", true)).await.unwrap();
    assert_eq!(slow.environments().await.unwrap(), before);
    assert_eq!(status(&slow, "old-1").await, both("NORMAL"));
    // The back end knows all the same.
    let gone = slow.destroy(&destroy("old-1", true)).await.unwrap_err();
    assert_eq!(gone.code.as_deref(), Some("ResourceNotFound"));
    running.shutdown().await;
    let running = start(Duration::ZERO).await.unwrap();
    let seen = client(&running.url(), PATIENT).environments().await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].alias.as_deref(), Some("new"));
}
