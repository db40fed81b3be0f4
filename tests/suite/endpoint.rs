//! The real client against the real sandbox over loopback: what every kind of trouble proves, and what was really done.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use postpay::clock::{Clock, SystemClock};
use postpay::cloud::tencent::sign::{self, Payload};
use postpay::cloud::tencent::{
    ClientOptions, CredentialCache, Credentials, Proxies, RETRY_READS_FOR, TencentClient, Transport, wire,
};
use postpay::cloud::{CloudError, CloudWrite, Grade, NotSent, Ordered, Scope};
use postpay::kinds::postpay as fields;
use postpay::model::Attributes;
use postpay::sandbox::{
    LedgerEntry, LedgerError, Options, SECRET_ID, SECRET_KEY, Sandbox, SandboxError, read_ledger,
};

use crate::support::server;

/// Long enough for any answer that comes.
pub(super) const PATIENT: Duration = Duration::from_secs(20);
/// For answers that never come. Long enough for a busy computer to get the request through.
pub(super) const SHORT: Duration = Duration::from_secs(3);

pub(super) struct Skewed(pub(super) Duration);

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        Timestamp::now() - self.0
    }
}

pub(super) fn options(endpoint: &str) -> ClientOptions {
    ClientOptions {
        endpoint: endpoint.parse().unwrap(),
        credentials: Arc::new(CredentialCache::fixed(Credentials {
            secret_id: SECRET_ID.to_owned(),
            secret_key: SECRET_KEY.into(),
            token: None,
        })),
        region: None,
        list_regions: Vec::new(),
        language: "en-US".to_owned(),
        transport: Transport::within(PATIENT),
        retry_reads_for: RETRY_READS_FOR,
        clock: Arc::new(SystemClock),
    }
}

pub(super) fn client(endpoint: &str, timeout: Duration) -> TencentClient {
    TencentClient::new(ClientOptions { transport: Transport::within(timeout), ..options(endpoint) }).unwrap()
}

pub(super) fn order(alias: &str) -> Attributes {
    [
        (fields::ENV_SOURCE, "qcloud".to_owned()),
        (fields::CHANNEL, "qc_console".to_owned()),
        (fields::ALIAS, alias.to_owned()),
    ]
    .into_iter()
    .collect()
}

/// A sandbox without a rate limit, where the limit is not what is tried.
pub(super) async fn sandbox(folder: &Path, faults: &[&str]) -> Sandbox {
    Sandbox::start(Options {
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        rate: None,
        ..Options::new(folder.join("ledger.jsonl"))
    })
    .await
    .unwrap()
}

fn creates(ledger: &Path) -> Vec<LedgerEntry> {
    let mut entries = read_ledger(ledger).unwrap();
    entries.retain(|entry| entry.action == "CreatePostpayPackage");
    entries
}

/// What one order against one fault gives, and what the ledger says of it.
async fn struck(fault: &str, timeout: Duration) -> (Result<Ordered, CloudError>, LedgerEntry) {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[&format!("{fault}@1")]).await;
    let result = client(&running.url(), timeout).create(&order("shop").into()).await;
    let entries = creates(running.ledger());
    assert_eq!(entries.len(), 1, "{fault}: one attempt, one request");
    running.shutdown().await;
    (result, entries.into_iter().next().unwrap())
}

#[tokio::test]
async fn an_order_comes_back_with_the_ids_of_the_ledger() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let mut attributes = order("shop");
    attributes.set(fields::ENV_ALIAS, "我的环境");
    attributes.set(fields::EXTRA, r#"{"abc":"def"}"#);
    let ordered = client(&running.url(), PATIENT).create(&attributes.clone().into()).await.unwrap();
    let entry = &creates(running.ledger())[0];
    assert!(entry.acted && entry.reached);
    assert_eq!(entry.answer, "ok");
    assert_eq!(entry.tran_id.as_deref(), ordered.tran_id.as_deref());
    assert_eq!(entry.env_id, ordered.env_id);
    assert_eq!(ordered.request_id.as_deref(), Some(entry.request_id.as_str()));
    assert_eq!(entry.params["EnvAlias"], "我的环境");
    assert_eq!(entry.params.len(), 5);
}

#[tokio::test]
async fn every_fault_proves_what_it_should_and_no_more() {
    use Grade::{NotSent as N, Refused, Unknown};
    // The fault, the grade, whether the order was made, and the status that was seen.
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
        ("missing-tran-id", Unknown, true, Some(200)),
        ("error:ResourcesSoldOut.PostpayPackageNotAvailable", Refused(Scope::Run), false, Some(200)),
        ("error:ResourceUnavailable.BalanceNotEnough", Refused(Scope::Run), false, Some(200)),
        ("error:ActionOffline", Refused(Scope::Run), false, Some(200)),
        ("error:LimitExceeded", Refused(Scope::Step), false, Some(200)),
        ("error:FailedOperation.PlatformError", Unknown, false, Some(200)),
        ("error-after:InternalError", Unknown, true, Some(200)),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (fault, grade, acted, status) in table {
        all.spawn(async move {
            let timeout = if fault.starts_with("hang") { SHORT } else { PATIENT };
            let (result, entry) = struck(fault, timeout).await;
            let error = result.unwrap_err();
            assert_eq!(error.grade, grade, "{fault}: {error:?}");
            assert_eq!(error.http_status, status, "{fault}: {error:?}");
            assert_eq!(entry.acted, acted, "{fault}");
            assert_eq!(entry.fault.as_deref(), Some(fault));
            assert_eq!(entry.tran_id.is_some(), acted, "{fault}");
            assert!(!error.message.is_empty(), "{fault}");
            let reset = error.message.en().contains("reset by peer");
            assert_eq!(reset, fault.starts_with("reset"), "{fault}: {error:?}");
        });
    }
    all.join_all().await;
}

/// `HTTP_PROXY` captures 127.0.0.1 too, unless a client sees to it. The variable is read once a process, so the test that
/// orders is run in one of its own.
#[test]
fn a_proxy_is_never_asked_for_this_computer() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "endpoint::an_order_comes_back_with_the_ids_of_the_ledger"])
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("http_proxy", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn what_a_broken_answer_still_says_is_kept() {
    let (result, entry) = struck("cut-body", PATIENT).await;
    let error = result.unwrap_err();
    assert_eq!(error.seen.env_id, entry.env_id);
    assert_eq!(error.seen.tran_id, None, "half an order number is none");
    assert_eq!(error.request_id, Some(entry.request_id));
    assert!(error.body.unwrap().contains("TranId"));

    let (result, entry) = struck("missing-tran-id", PATIENT).await;
    assert_eq!(result.unwrap_err().seen.env_id, entry.env_id);

    let (result, _) = struck("html", PATIENT).await;
    let error = result.unwrap_err();
    assert!(error.message.en().contains("web page"), "{}", error.message);
    assert!(error.body.unwrap().contains("log in"));
}

#[tokio::test]
async fn an_order_without_an_env_id_is_an_order() {
    let (result, entry) = struck("null-env-id", PATIENT).await;
    let ordered = result.unwrap();
    assert_eq!(ordered.env_id, None);
    assert_eq!(ordered.tran_id, entry.tran_id);
    assert!(entry.env_id.is_some());
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error =
        client(&format!("http://{address}"), PATIENT).create(&order("shop").into()).await.unwrap_err();
    assert_eq!(error.grade, Grade::NotSent(NotSent::Connect));
    assert!(error.message.en().contains("refused"), "{}", error.message);
    assert_eq!(error.http_status, None);
}

#[tokio::test]
async fn a_name_that_nobody_has_proves_that_nothing_was_sent() {
    // Whether the resolver says no or says nothing in time, no connection stood.
    let error = client("https://postpay.invalid", Duration::from_secs(4))
        .create(&order("shop").into())
        .await
        .unwrap_err();
    assert_eq!(error.grade, Grade::NotSent(NotSent::Connect), "{error:?}");
}

#[tokio::test]
async fn tls_with_a_stranger_proves_that_nothing_was_sent() {
    // A server that speaks no TLS: the handshake fails, and with it everything before the order.
    let (address, requests) = raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let error =
        client(&format!("https://{address}"), PATIENT).create(&order("shop").into()).await.unwrap_err();
    assert_eq!(error.grade, Grade::NotSent(NotSent::Connect), "{error:?}");
    let seen = requests.recv().unwrap();
    assert!(!seen.windows(4).any(|window| window == b"POST"));
}

#[tokio::test]
async fn a_wrong_clock_is_mended_once() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let late = TencentClient::new(ClientOptions {
        clock: Arc::new(Skewed(Duration::from_secs(3600))),
        ..options(&running.url())
    })
    .unwrap();
    let error = late.create(&order("shop").into()).await.unwrap_err();
    assert_eq!(error.grade, Grade::NotSent(NotSent::Repaired));
    assert_eq!(error.code.as_deref(), Some("AuthFailure.SignatureExpire"));
    late.create(&order("shop").into()).await.unwrap();
    let acted: Vec<bool> = creates(running.ledger()).iter().map(|entry| entry.acted).collect();
    assert_eq!(acted, [false, true]);
}

#[tokio::test]
async fn a_clock_that_stays_wrong_ends_the_run() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &["error:AuthFailure.SignatureExpire@*"]).await;
    let client = client(&running.url(), PATIENT);
    let grades = [
        client.create(&order("shop").into()).await.unwrap_err().grade,
        client.create(&order("shop").into()).await.unwrap_err().grade,
    ];
    assert_eq!(grades, [Grade::NotSent(NotSent::Repaired), Grade::Refused(Scope::Run)]);
}

#[tokio::test]
async fn a_wrong_key_ends_the_run_and_is_never_shown() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let table = [
        (SECRET_ID, "ThisIsTheWrongSecretKey", "AuthFailure.SignatureFailure"),
        ("AKIDnobodyKnowsThisKeyIdentifier", SECRET_KEY, "AuthFailure.SecretIdNotFound"),
    ];
    for (id, key, code) in table {
        let client = TencentClient::new(ClientOptions {
            credentials: Arc::new(CredentialCache::fixed(Credentials {
                secret_id: id.to_owned(),
                secret_key: key.into(),
                token: Some("ThisIsAToken".into()),
            })),
            ..options(&running.url())
        })
        .unwrap();
        let error = client.create(&order("shop").into()).await.unwrap_err();
        assert_eq!(error.grade, Grade::Refused(Scope::Run));
        assert_eq!(error.code.as_deref(), Some(code));
        let text = format!("{error:?} {client:?}");
        for secret in [key, "ThisIsAToken", id] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(creates(running.ledger()).iter().all(|entry| !entry.acted && !entry.reached));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = elsewhere.local_addr().unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    for status in ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!("HTTP/1.1 {status}\r\nLocation: http://{target}/\r\nContent-Length: 0\r\n\r\n");
        let (address, _requests) = raw_server(answer.into_bytes());
        let error =
            client(&format!("http://{address}"), PATIENT).create(&order("shop").into()).await.unwrap_err();
        assert_eq!(error.grade, Grade::Unknown);
        assert_eq!(error.http_status, Some(status[..3].parse().unwrap()));
    }
    let nobody = elsewhere.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn answers_that_are_no_http_prove_nothing() {
    let whole = r#"{"Response":{"EnvId":"shop-1","RequestId":"r-1","TranId":"7"}}"#;
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n", whole.len());
    let huge = format!("HTTP/1.1 200 OK\r\n\r\n{whole}{}", " ".repeat(wire::MAX_BODY + 10));
    let table: [(&[u8], Option<u16>, bool); 8] = [
        (b"", None, false),
        (b"HTTP/1.1 200", None, false),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None, false),
        (b"\x00\x01\x02 garbage \xff\xff\r\n\r\n", None, false),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", Some(200), false),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some(200), false),
        // The body never ends, or never should have begun: its ids are kept as evidence.
        (chunked.as_bytes(), Some(200), true),
        (huge.as_bytes(), Some(200), true),
    ];
    for (answer, status, seen) in table {
        let name = String::from_utf8_lossy(&answer[..answer.len().min(60)]).into_owned();
        let (address, _requests) = raw_server(answer.to_vec());
        let error =
            client(&format!("http://{address}"), PATIENT).create(&order("shop").into()).await.unwrap_err();
        assert_eq!(error.grade, Grade::Unknown, "{name}: {error:?}");
        assert_eq!(error.http_status, status, "{name}: {error:?}");
        assert_eq!(error.seen.tran_id.is_some(), seen, "{name}: {error:?}");
        assert_eq!(error.seen.env_id.is_some(), seen, "{name}: {error:?}");
    }
}

fn ok_answer() -> String {
    let answer = server::ok(r#"{"Response":{"EnvId":"shop-1","RequestId":"r-1","TranId":"7"}}"#);
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn what_comes_before_the_answer_is_no_answer() {
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let (address, _requests) = raw_server(format!("{early}{}", ok_answer()).into_bytes());
    let ordered = client(&format!("http://{address}"), PATIENT).create(&order("shop").into()).await.unwrap();
    assert_eq!(ordered.tran_id.as_deref(), Some("7"));
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    for answer in [early.to_owned(), format!("{switching}{}", ok_answer())] {
        let (address, _requests) = raw_server(answer.into_bytes());
        let error =
            client(&format!("http://{address}"), PATIENT).create(&order("shop").into()).await.unwrap_err();
        assert_eq!(error.grade, Grade::Unknown, "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_from_a_server_that_has_not_read_is_whole_or_proves_nothing() {
    // What the server has not read makes its end reset the connection, which may overtake the answer.
    for answer in [ok_answer(), "HTTP/1.1 413 Too Large\r\n\r\n".to_owned()] {
        let refuses = answer.contains("413");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(answer.as_bytes());
        });
        let result = client(&format!("http://{address}"), PATIENT).create(&order("shop").into()).await;
        server.join().unwrap();
        match result {
            Ok(ordered) => assert!(!refuses && ordered.tran_id.as_deref() == Some("7"), "{ordered:?}"),
            Err(error) => assert_eq!(error.grade, Grade::Unknown, "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_tls_handshake_that_is_cut_short_proves_that_nothing_was_sent() {
    // The end at once, the end after the greeting, an alert, half a record.
    let answers: [(&[u8], bool); 4] =
        [(b"", false), (b"", true), (&[21, 3, 3, 0, 2, 2, 40], true), (&[22, 3, 3, 0, 200, 2], true)];
    for (answer, reads) in answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            if reads {
                let _ = stream.read(&mut [0; 4096]);
            }
            let _ = stream.write_all(answer);
        });
        let error =
            client(&format!("https://{address}"), PATIENT).create(&order("shop").into()).await.unwrap_err();
        server.join().unwrap();
        assert_eq!(error.grade, Grade::NotSent(NotSent::Connect), "{error:?}");
    }
}

/// The error of a create at a host that only the proxy could resolve.
async fn through_proxy(variables: &[(&str, String)]) -> Grade {
    let mut options = options("https://postpay.invalid");
    options.transport = Transport {
        proxies: Proxies::from_variables(|name| {
            let variable = variables.iter().find(|(known, _)| *known == name);
            variable.map(|(_, value)| value.into())
        }),
        ..Transport::within(Duration::from_secs(4))
    };
    let client = TencentClient::new(options).unwrap();
    client.create(&order("shop").into()).await.unwrap_err().grade
}

#[tokio::test]
async fn a_proxy_that_makes_no_tunnel_proves_that_nothing_was_sent() {
    for answer in [
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n",
        // A tunnel to nowhere: there is no TLS at its end.
        "HTTP/1.1 200 OK\r\n\r\n",
        "",
    ] {
        let (proxy, requests) = raw_server(answer.as_bytes().to_vec());
        let grade = through_proxy(&[("HTTPS_PROXY", format!("http://{proxy}"))]).await;
        assert_eq!(grade, Grade::NotSent(NotSent::Connect), "{answer}");
        let asked = String::from_utf8(requests.recv_timeout(PATIENT).unwrap()).unwrap();
        assert!(asked.starts_with("CONNECT postpay.invalid:443 "), "{asked}");
    }
}

#[tokio::test]
async fn a_host_that_no_proxy_is_for_is_not_asked_of_one() {
    let (proxy, requests) = raw_server(b"HTTP/1.1 403 Forbidden\r\n\r\n".to_vec());
    let variables = [("HTTPS_PROXY", format!("http://{proxy}")), ("NO_PROXY", "postpay.invalid".to_owned())];
    let grade = through_proxy(&variables).await;
    assert_eq!(grade, Grade::NotSent(NotSent::Connect));
    assert!(requests.try_recv().is_err(), "the proxy was asked");
}

/// Makes a certificate for this computer with the `openssl` program; false where there is none.
pub(super) fn certificate(folder: &Path) -> bool {
    certificate_with(folder, &["subjectAltName=IP:127.0.0.1"])
}

/// As [`certificate`], with these extensions.
pub(super) fn certificate_with(folder: &Path, extensions: &[&str]) -> bool {
    std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(extensions.iter().flat_map(|extension| ["-addext", extension]))
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// The system's roots are read once a process, so the test that orders is run in one of its own, with roots of its own.
#[test]
fn tls_that_breaks_after_its_handshake_proves_nothing() {
    let folder = crate::support::folder();
    if !certificate(folder.path()) {
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "endpoint::tls_that_breaks", "--ignored"])
        .env("SSL_CERT_FILE", folder.path().join("cert.pem"))
        .env_remove("SSL_CERT_DIR")
        .env("POSTPAY_TEST_TLS", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "run by tls_that_breaks_after_its_handshake_proves_nothing"]
async fn tls_that_breaks() {
    let Some(folder) = std::env::var_os("POSTPAY_TEST_TLS") else {
        return;
    };
    let config = server_config(Path::new(&folder));
    // What the server does with the order before it closes the connection.
    for step in ["answer", "alert", "garbage", "close"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::clone(&config);
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut tls = rustls::ServerConnection::new(config).unwrap();
            while tls.is_handshaking() {
                tls.complete_io(&mut stream).unwrap();
            }
            let mut got = Vec::new();
            let mut read = rustls::Stream::new(&mut tls, &mut stream);
            while step != "close" && !got.ends_with(b"}") {
                let mut buffer = [0; 4096];
                let length = read.read(&mut buffer).unwrap();
                got.extend_from_slice(&buffer[..length]);
            }
            match step {
                "answer" => read.write_all(ok_answer().as_bytes()).unwrap(),
                "alert" => {
                    tls.send_close_notify();
                    tls.write_tls(&mut stream).unwrap();
                }
                "garbage" => stream.write_all(&[0xff; 64]).unwrap(),
                _ => {}
            }
        });
        let result = client(&format!("https://{address}"), PATIENT).create(&order("shop").into()).await;
        server.join().unwrap();
        match result {
            Ok(ordered) => assert!(step == "answer" && ordered.tran_id.as_deref() == Some("7"), "{step}"),
            Err(error) => {
                assert_eq!(error.grade, Grade::Unknown, "{step}: {error:?}");
                assert_ne!(step, "answer", "{error:?}");
            }
        }
    }
}

pub(super) fn server_config(folder: &Path) -> Arc<rustls::ServerConfig> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

#[tokio::test]
async fn every_attempt_is_signed_anew_on_a_connection_of_its_own() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
    let (address, requests) = raw_server(answer);
    let client = TencentClient::new(ClientOptions {
        region: Some("ap-shanghai".to_owned()),
        ..options(&format!("http://{address}"))
    })
    .unwrap();
    let mut traces = Vec::new();
    for _ in 0..2 {
        client.create(&order("shop").into()).await.unwrap_err();
        let request = requests.recv().unwrap();
        let header = |name: &str| server::header(&request, name).unwrap_or_else(|| panic!("no {name}"));
        let text = String::from_utf8_lossy(&request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST / HTTP/1.1"));
        assert_eq!(body, r#"{"EnvSource":"qcloud","Channel":"qc_console","Alias":"shop"}"#);
        assert_eq!(header("host"), address.to_string());
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(header("x-tc-action"), "CreatePostpayPackage");
        assert_eq!(header("x-tc-version"), "2018-06-08");
        assert_eq!(header("x-tc-region"), "ap-shanghai");
        assert_eq!(header("x-tc-language"), "en-US");
        let caller = header("x-tc-requestclient");
        assert!(caller.chars().all(|c| c.is_ascii_alphanumeric() || "-_,;.".contains(c)), "{caller}");
        assert!(header("authorization").contains("SignedHeaders=content-type;host;x-tc-action,"));
        traces.push(header("x-tc-traceid"));
    }
    assert_ne!(traces[0], traces[1]);
}

#[tokio::test]
async fn the_rate_limit_holds_over_a_restart() {
    let folder = crate::support::folder();
    let start = || Sandbox::start(Options::new(folder.path().join("ledger.jsonl")));
    let running = start().await.unwrap();
    let first = client(&running.url(), PATIENT);
    let orders = ["a", "b", "c"].map(|alias| order(alias).into());
    let (a, b, c) =
        tokio::join!(first.create(&orders[0]), first.create(&orders[1]), first.create(&orders[2]),);
    let results = [a, b, c];
    let entries = creates(running.ledger());
    // On a computer that is busy enough they arrive too far apart to break the limit; then there is nothing to see.
    let spread = entries[2].at.duration_since(entries[0].at);
    if spread.as_millis() < 900 {
        let throttled: Vec<&CloudError> = results.iter().filter_map(|r| r.as_ref().err()).collect();
        assert_eq!(throttled.len(), 1);
        assert_eq!(throttled[0].grade, Grade::NotSent(NotSent::Throttled));
        assert!(!entries[2].acted && !entries[2].reached);
    }
    running.shutdown().await;
    let running = start().await.unwrap();
    let result = client(&running.url(), PATIENT).create(&order("d").into()).await;
    let last = creates(running.ledger()).pop().unwrap();
    if last.at.duration_since(entries[0].at).as_millis() < 900 {
        assert_eq!(result.unwrap_err().grade, Grade::NotSent(NotSent::Throttled));
    }
    assert_eq!(last.call, 1, "calls are counted from each start");
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_no_order_number_comes_twice() {
    let folder = crate::support::folder();
    let mut seen = Vec::new();
    for alias in ["one", "two"] {
        let running = sandbox(folder.path(), &[]).await;
        let ordered = client(&running.url(), PATIENT).create(&order(alias).into()).await.unwrap();
        seen.push((ordered.tran_id, ordered.env_id.unwrap()));
        let mut switch = Attributes::default();
        switch.set(fields::ENV_ID, seen[0].1.clone());
        let switched = client(&running.url(), PATIENT).create(&switch.clone().into()).await.unwrap();
        assert_eq!(switched.env_id.as_deref(), Some(seen[0].1.as_str()));
        assert_ne!(switched.tran_id, seen[0].0);
        running.shutdown().await;
    }
    assert_ne!(seen[0], seen[1]);
    let mut numbers: Vec<String> =
        creates(&folder.path().join("ledger.jsonl")).into_iter().filter_map(|entry| entry.tran_id).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
}

#[tokio::test]
async fn two_sandboxes_do_not_share_a_ledger() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let second = Sandbox::start(Options::new(running.ledger())).await.unwrap_err();
    assert!(matches!(second, SandboxError::Ledger(LedgerError::Busy { .. })), "{second}");
    drop(running);
    sandbox(folder.path(), &[]).await;
}

#[tokio::test]
async fn a_slow_vendor_acts_first_and_answers_late() {
    let folder = crate::support::folder();
    let running = Sandbox::start(Options {
        latency: Duration::from_secs(60),
        ..Options::new(folder.path().join("ledger.jsonl"))
    })
    .await
    .unwrap();
    let error = client(&running.url(), SHORT).create(&order("shop").into()).await.unwrap_err();
    assert_eq!(error.grade, Grade::Unknown);
    assert!(error.message.en().contains("no response"), "{}", error.message);
    assert!(creates(running.ledger())[0].acted);
    running.shutdown().await;
}

/// A call of the sandbox as one of Tencent Cloud's own SDKs makes it.
struct Call<'a> {
    action: &'a str,
    content_type: &'a str,
    body: &'a str,
    unsigned: bool,
    sign_action: bool,
    version: &'a str,
    leave_out: &'a str,
    query: &'a str,
}

const CALL: Call<'_> = Call {
    action: "DescribeEnvs",
    content_type: "application/json",
    body: "{}",
    unsigned: false,
    sign_action: false,
    version: "2018-06-08",
    leave_out: "",
    query: "",
};

impl Call<'_> {
    fn send(&self, running: &Sandbox) -> Vec<u8> {
        let host = running.address().to_string();
        let timestamp = Timestamp::now().as_second();
        let method = if self.query.is_empty() { "POST" } else { "GET" };
        let signed = sign::sign(
            &sign::Request {
                method,
                host: &host,
                query: self.query,
                content_type: self.content_type,
                action: self.sign_action.then_some(self.action),
                payload: if self.unsigned { Payload::Unsigned } else { Payload::Bytes(self.body.as_bytes()) },
                timestamp,
                service: "tcb",
            },
            SECRET_ID,
            SECRET_KEY,
        )
        .unwrap();
        let target = if self.query.is_empty() { "/".to_owned() } else { format!("/?{}", self.query) };
        let headers = [
            ("Host", host),
            ("Authorization", signed.authorization),
            ("Content-Type", self.content_type.to_owned()),
            ("X-TC-Action", self.action.to_owned()),
            ("X-TC-Version", self.version.to_owned()),
            ("X-TC-Timestamp", timestamp.to_string()),
            ("X-TC-Content-SHA256", if self.unsigned { "UNSIGNED-PAYLOAD" } else { "-" }.to_owned()),
            ("Content-Length", self.body.len().to_string()),
            ("Connection", "close".to_owned()),
        ];
        let mut text = format!("{method} {target} HTTP/1.1\r\n");
        for (name, value) in headers.iter().filter(|(name, _)| *name != self.leave_out) {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        text.push_str(self.body);
        let mut stream = TcpStream::connect(running.address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        answer.split_off(at + 4)
    }

    fn code(&self, running: &Sandbox) -> String {
        // The envelope and its error are the same for every action.
        wire::parse(&self.send(running)).error.and_then(|error| error.code).unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_takes_every_way_to_sign_and_refuses_the_rest() {
    let folder = crate::support::folder();
    let running = sandbox(folder.path(), &[]).await;
    let table = [
        ("as SDKs sign", Call { ..CALL }, ""),
        ("as the pages sign", Call { sign_action: true, ..CALL }, ""),
        ("charset", Call { content_type: "application/json; charset=utf-8", ..CALL }, ""),
        ("charset in capitals", Call { content_type: "application/json; charset=UTF-8", ..CALL }, ""),
        ("unsigned payload", Call { unsigned: true, ..CALL }, ""),
        (
            "GET",
            Call {
                query: "Limit=10&Offset=0",
                content_type: "application/x-www-form-urlencoded",
                body: "",
                ..CALL
            },
            "",
        ),
        ("other kind", Call { content_type: "text/plain", ..CALL }, "InvalidParameter"),
        ("no such action", Call { action: "DestroyEverything", ..CALL }, "InvalidAction"),
        ("no such version", Call { version: "2017-03-12", ..CALL }, "NoSuchVersion"),
        ("no version", Call { leave_out: "X-TC-Version", ..CALL }, "MissingParameter"),
        ("no action", Call { leave_out: "X-TC-Action", ..CALL }, "MissingParameter"),
        ("no time", Call { leave_out: "X-TC-Timestamp", ..CALL }, "MissingParameter"),
        ("no signature", Call { leave_out: "Authorization", ..CALL }, "AuthFailure.InvalidAuthorization"),
        ("no JSON", Call { body: "{", ..CALL }, "InvalidParameter"),
        ("no object", Call { body: "[]", ..CALL }, "InvalidParameter"),
        ("unknown member", Call { body: r#"{"Nope":1}"#, ..CALL }, "UnknownParameter"),
        (
            "no such environment",
            Call { action: "CreatePostpayPackage", body: r#"{"EnvId":"nope"}"#, ..CALL },
            "ResourceNotFound",
        ),
        (
            "the sample environment",
            Call {
                action: "CreatePostpayPackage",
                body: r#"{"EnvId":"cdnheader-v2a","FreeQuota":"basic"}"#,
                ..CALL
            },
            "",
        ),
        (
            "another alias",
            Call {
                action: "ModifyEnv",
                body: r#"{"EnvId":"cdnheader-v2a","Alias":"我的CloudBase环境"}"#,
                ..CALL
            },
            "",
        ),
        (
            "a member of another action",
            Call { action: "ModifyEnv", body: r#"{"EnvId":"cdnheader-v2a","IsForce":true}"#, ..CALL },
            "UnknownParameter",
        ),
        (
            "giving up by GET",
            Call {
                action: "DestroyEnv",
                query: "EnvId=cdnheader-v2a&IsForce=true&BypassCheck=false",
                content_type: "application/x-www-form-urlencoded",
                body: "",
                ..CALL
            },
            "",
        ),
        (
            "what is gone by now",
            Call { action: "DestroyEnv", body: r#"{"EnvId":"cdnheader-v2a"}"#, ..CALL },
            "ResourceNotFound",
        ),
    ];
    for (name, call, code) in table {
        assert_eq!(call.code(&running), code, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_environment_is_listed_once_over_the_pages() {
    let folder = crate::support::folder();
    let running = Sandbox::start(Options {
        rate: None,
        existing: (0..24).map(|n| format!("old-{n}")).collect(),
        ..Options::new(folder.path().join("ledger.jsonl"))
    })
    .await
    .unwrap();
    let ordered = client(&running.url(), PATIENT).create(&order("shop").into()).await.unwrap();
    let mut envs = Vec::new();
    for offset in [0, 10, 20, 30] {
        let body = serde_json::to_string(&wire::DescribeEnvs {
            limit: Some(10),
            offset: Some(offset),
            ..wire::DescribeEnvs::default()
        })
        .unwrap();
        let response = wire::parse(&Call { body: &body, ..CALL }.send(&running)).response.unwrap();
        assert_eq!(response["Total"], 26);
        envs.extend(response["EnvList"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(envs.len(), 26);
    let new = envs.iter().find(|env| env["EnvId"].as_str() == ordered.env_id.as_deref()).unwrap();
    assert_eq!((&new["Alias"], &new["Source"]), (&"shop".into(), &"qcloud".into()));
    assert_eq!((&new["EnvChannel"], &new["PayMode"]), (&"qc_console".into(), &"postpaid".into()));
}

/// A server that answers everything with these bytes.
pub(super) fn raw_server(answer: Vec<u8>) -> (std::net::SocketAddr, mpsc::Receiver<Vec<u8>>) {
    server::serve(move |_| answer.clone())
}
