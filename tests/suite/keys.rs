//! Temporary keys: issued once for many, renewed before they end, and used to their end where renewing fails.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use postpay::clock::{Clock, SystemClock};
use postpay::cloud::tencent::{
    AssumeRoleConfig, AssumeRoleProvider, CredentialCache, Credentials, EndpointUrl, Sts, StsOptions,
    TccliLogin, Transport,
};
use postpay::cloud::{Grade, NotSent};
use postpay::sandbox::{ACCOUNT, SECRET_ID, SECRET_KEY, read_ledger};
use secrecy::{ExposeSecret as _, SecretString};

use crate::endpoint::{PATIENT, sandbox};

/// A clock that stands where it is put, in seconds since 1970.
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

fn options(url: &str, clock: Arc<dyn Clock>) -> StsOptions {
    StsOptions {
        endpoint: url.parse::<EndpointUrl>().unwrap().sts(),
        credentials: None,
        region: None,
        language: "en-US".to_owned(),
        transport: Transport::within(PATIENT),
        retry_for: PATIENT,
        clock,
    }
}

fn sts(url: &str, credentials: Arc<CredentialCache>) -> Sts {
    let options = options(url, Arc::new(SystemClock));
    Sts::new(StsOptions { credentials: Some(credentials), ..options }).unwrap()
}

/// Nobody answers there: whoever asks is found out.
const NOBODY: &str = "http://127.0.0.1:9";

fn base() -> Arc<CredentialCache> {
    Arc::new(CredentialCache::fixed(Credentials {
        secret_id: SECRET_ID.to_owned(),
        secret_key: SECRET_KEY.into(),
        token: None,
    }))
}

fn role() -> AssumeRoleConfig {
    AssumeRoleConfig {
        arn: "qcs::cam::uin/100000000001:roleName/deploy".to_owned(),
        session_name: Some("test".to_owned()),
        duration: None,
        external_id: None,
    }
}

#[tokio::test]
async fn many_who_need_a_key_at_once_have_one_issued() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &["sts:500-before@1"]).await;
    let provider = AssumeRoleProvider::new(role(), sts(&running.url(), base()));
    let keys = Arc::new(CredentialCache::new(provider, Arc::new(SystemClock)));
    assert!(keys.held().is_none(), "none before one is needed");
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let keys = Arc::clone(&keys);
        all.spawn(async move { keys.current().await.unwrap().secret_id.clone() });
    }
    let ids = all.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let asked = read_ledger(running.ledger()).unwrap();
    let answered = asked.iter().filter(|entry| entry.fault.is_none()).count();
    assert_eq!((asked.len(), answered), (2, 1));
    let who = sts(&running.url(), keys).caller().await.unwrap();
    assert_eq!((who.account.as_str(), who.kind.as_deref()), (ACCOUNT, Some("CAMRole")));
}

/// What tccli keeps for the time of a log-in.
fn log_in(file: &Path, id: &str, ends: i64) {
    log_in_as(file, r#"{"openId":"ada"}"#, id, ends);
}

fn log_in_as(file: &Path, who: &str, id: &str, ends: i64) {
    let text = format!(
        r#"{{"type":"oauth","secretId":"{id}","secretKey":"k","token":"t","expiresAt":{ends},"oauth":{who}}}"#
    );
    fs::write(file, text).unwrap();
}

/// Whose account the keys are of was asked of the first one only.
#[tokio::test]
async fn a_log_in_as_somebody_else_gives_no_key_in_the_middle_of_a_run() {
    let folder = crate::support::folder();
    let file = folder.path().join("default.credential");
    let ada = r#"{"openId":"ada"}"#;
    for (first, second, is_same) in [
        (ada, ada, true),
        (ada, r#"{"openId":"bob"}"#, false),
        (ada, "null", false),
        ("null", ada, false),
        // Nobody knows who it is.
        ("null", "null", false),
    ] {
        let clock = Arc::new(Told(AtomicI64::new(1000)));
        let login = TccliLogin::new(file.clone(), options(NOBODY, clock.clone()));
        let keys = CredentialCache::new(login, clock.clone());
        log_in_as(&file, first, "first", 10_000);
        assert_eq!(keys.current().await.unwrap().secret_id, "first");
        log_in_as(&file, second, "second", 30_000);
        clock.0.store(10_001, Ordering::Relaxed);
        match keys.current().await {
            Ok(key) => assert!(is_same && key.secret_id == "second", "{first} {second}"),
            Err(error) => {
                assert!(!is_same, "{first} {second}: {error:?}");
                assert_eq!(error.grade, Grade::NotSent(NotSent::NoRequest));
                assert!(error.message.en().contains("replaced"), "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_renewed_in_time_and_used_to_its_end() {
    let folder = crate::support::folder();
    let file = folder.path().join("default.credential");
    let clock = Arc::new(Told(AtomicI64::new(1000)));
    let login = TccliLogin::new(file.clone(), options(NOBODY, clock.clone()));
    let keys = CredentialCache::new(login, clock.clone());
    let seen = Mutex::new(Vec::new());
    let at = async |second: i64| {
        clock.0.store(second, Ordering::Relaxed);
        let id = keys.current().await.map(|key| key.secret_id.clone());
        seen.lock().unwrap().push((second, id.ok()));
    };
    log_in(&file, "first", 10_000);
    at(1000).await;
    log_in(&file, "second", 20_000);
    // Five minutes before its end, and not sooner.
    at(9_699).await;
    at(9_700).await;
    // tccli was interrupted: what is at hand lasts.
    fs::write(&file, "{").unwrap();
    at(19_999).await;
    at(20_000).await;
    // One that lasts for a minute is renewed at half its time.
    log_in(&file, "short", 20_060);
    at(20_000).await;
    log_in(&file, "next", 30_000);
    at(20_029).await;
    at(20_030).await;
    let of = |second, id: &str| (second, Some(id.to_owned()));
    let expected = [
        of(1000, "first"),
        of(9_699, "first"),
        of(9_700, "second"),
        of(19_999, "second"),
        (20_000, None),
        of(20_000, "short"),
        of(20_029, "short"),
        of(20_030, "next"),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

/// A log-in that tccli renewed is the same account's by what Tencent Cloud says, whatever the file says.
#[tokio::test]
async fn a_renewed_log_in_is_asked_whose_it_is_before_anything_is_signed_with_it() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let file = folder.path().join("default.credential");
    let provider = AssumeRoleProvider::new(role(), sts(&running.url(), base()));
    let renewed = CredentialCache::new(provider, Arc::new(SystemClock));
    let renewed = renewed.current().await.unwrap();
    let secret = |value: &SecretString| value.expose_secret().to_owned();
    let start = Timestamp::now().as_second();
    for (account, is_same) in [(ACCOUNT, true), ("200000000002", false)] {
        let clock = Arc::new(Told(AtomicI64::new(start)));
        let login = TccliLogin::new(file.clone(), options(&running.url(), Arc::new(SystemClock)));
        let keys = CredentialCache::new(login, clock.clone());
        log_in(&file, "first", start + 7200);
        assert_eq!(keys.current().await.unwrap().secret_id, "first");
        keys.pin_account(account);
        let text = serde_json::json!({
            "type": "sso", "expiresAt": start + 72_000,
            "secretId": renewed.secret_id,
            "secretKey": secret(&renewed.secret_key),
            "token": renewed.token.as_ref().map(secret),
        });
        fs::write(&file, text.to_string()).unwrap();
        clock.0.store(start + 7201, Ordering::Relaxed);
        match keys.current().await {
            Ok(key) => assert!(is_same && key.secret_id == renewed.secret_id, "{account}"),
            Err(error) => {
                assert!(!is_same && error.message.en().contains("replaced"), "{account}: {error:?}");
            }
        }
    }
}
