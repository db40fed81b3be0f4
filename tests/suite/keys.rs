//! Temporary keys: issued once for many, renewed before they end, and used to their end where renewing fails.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use postpay::clock::{Clock, SystemClock};
use postpay::cloud::tencent::{
    Credentials, Issuer, Keys, Role, Sts, StsOptions, Transport, sts_endpoint,
};
use postpay::sandbox::{ACCOUNT, SECRET_ID, SECRET_KEY, read_ledger};

use crate::endpoint::{PATIENT, sandbox};

/// A clock that stands where it is put, in seconds since 1970.
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

fn sts(url: &str, keys: Arc<Keys>) -> Sts {
    Sts::new(StsOptions {
        endpoint: sts_endpoint(url),
        keys: Some(keys),
        region: None,
        language: "en-US".to_owned(),
        transport: Transport::within(PATIENT),
        retry_for: PATIENT,
        clock: Arc::new(SystemClock),
    })
    .unwrap()
}

fn base() -> Arc<Keys> {
    Arc::new(Keys::given(Credentials {
        secret_id: SECRET_ID.to_owned(),
        secret_key: SECRET_KEY.into(),
        token: None,
    }))
}

fn role() -> Role {
    Role {
        arn: "qcs::cam::uin/100000000001:roleName/deploy".to_owned(),
        session_name: "test".to_owned(),
        duration: None,
        external_id: None,
    }
}

#[tokio::test]
async fn many_who_need_a_key_at_once_have_one_issued() {
    let folder = tempfile::tempdir().unwrap();
    let running = sandbox(folder.path(), &["sts:500-before@1"]).await;
    let issuer = Issuer::Role {
        role: role(),
        sts: sts(&running.url(), base()),
    };
    let keys = Arc::new(Keys::issued_by(issuer, Arc::new(SystemClock)));
    assert!(keys.at_hand().is_none(), "none before one is needed");
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
    assert_eq!(
        (who.account.as_str(), who.kind.as_deref()),
        (ACCOUNT, Some("CAMRole"))
    );
}

/// What tccli keeps for the time of a log-in.
fn log_in(file: &Path, id: &str, ends: i64) {
    let text = format!(
        r#"{{"type":"oauth","secretId":"{id}","secretKey":"k","token":"t","expiresAt":{ends}}}"#
    );
    fs::write(file, text).unwrap();
}

#[tokio::test]
async fn a_key_is_renewed_in_time_and_used_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("default.credential");
    let clock = Arc::new(Told(AtomicI64::new(1000)));
    let issuer = Issuer::Login {
        file: file.clone(),
        clock: clock.clone(),
    };
    let keys = Keys::issued_by(issuer, clock.clone());
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
