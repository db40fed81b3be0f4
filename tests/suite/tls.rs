//! Whom the client trusts: nobody whose certificate does not say that they are who is spoken to, and nobody below TLS 1.2.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use postpay::cloud::tencent::{ClientOptions, TencentClient, Transport};
use postpay::cloud::{CloudError, CloudWrite as _, Grade, NotSent, Ordered};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::endpoint::{PATIENT, options, order};

const ANSWER: &str = r#"{"Response":{"TranId":"7","EnvId":"shop-1","RequestId":"r"}}"#;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/fixtures/tls").join(name)
}

/// A server that shows the certificate of this name and answers one order. What it was sent within TLS is what it returns.
fn server(name: &str) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let certificates = ["ca", name].map(|name| {
        let path = fixture(&format!("{name}.pem"));
        CertificateDer::from_pem_file(path).unwrap()
    });
    let [authority, own] = certificates;
    let key = PrivateKeyDer::from_pem_file(fixture(&format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own, authority], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = rustls::Stream::new(&mut tls, &mut stream);
        let mut sent = Vec::new();
        let mut buffer = [0; 4096];
        // It fails where the client goes away, which is what most are to do.
        while let Ok(read @ 1..) = tls.read(&mut buffer) {
            sent.extend_from_slice(&buffer[..read]);
            if sent.ends_with(b"}") {
                let length = ANSWER.len();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                tls.write_all(format!("{head}{ANSWER}").as_bytes()).unwrap();
                break;
            }
        }
        sent
    });
    (address, server)
}

/// One order from there.
async fn ordered(address: SocketAddr, trusted: &[&str]) -> Result<Ordered, CloudError> {
    let authorities = trusted.iter().map(|name| CertificateDer::from_pem_file(fixture(name)));
    let client = TencentClient::new(ClientOptions {
        transport: Transport {
            authorities: authorities.map(Result::unwrap).collect(),
            ..Transport::within(PATIENT)
        },
        ..options(&format!("https://{address}"))
    });
    client.unwrap().create(&order("shop").into()).await
}

#[tokio::test]
async fn whoever_shows_no_certificate_of_the_host_is_sent_nothing() {
    for (name, trusted, what) in [
        ("here", &[][..], "of an authority that nobody trusts"),
        ("here", &["elsewhere.pem"], "of another authority than is trusted"),
        ("elsewhere", &["ca.pem"], "of another host"),
        ("past", &["ca.pem"], "that has run out"),
    ] {
        let (address, server) = server(name);
        let error = ordered(address, trusted).await.expect_err(what);
        assert_eq!(error.grade, Grade::NotSent(NotSent::Tls), "{what}: {error:?}");
        assert_eq!(server.join().unwrap(), b"", "{what}");
    }
    // With all of it right the order arrives: it is the certificate that was at fault above.
    let (address, server) = server("here");
    assert_eq!(ordered(address, &["ca.pem"]).await.unwrap().tran_id.as_deref(), Some("7"));
    assert!(server.join().unwrap().starts_with(b"POST / HTTP/1.1\r\n"));
}

/// A server that knows nothing newer answers the greeting with its version, and the client leaves.
#[tokio::test]
async fn nobody_below_tls_1_2_is_spoken_to() {
    for minor in [0, 1, 2] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut greeting = [0; 4096];
            let length = stream.read(&mut greeting).unwrap();
            // ServerHello: version, 32 random bytes, no session, ECDHE-RSA-AES128-CBC-SHA, no compression.
            let mut hello = vec![2, 0, 0, 38, 3, minor];
            hello.extend([7; 32]);
            hello.extend([0, 0xc0, 0x13, 0]);
            let mut record = vec![22, 3, minor, 0, u8::try_from(hello.len()).unwrap()];
            record.extend(hello);
            stream.write_all(&record).unwrap();
            let mut after = Vec::new();
            let _ = stream.read_to_end(&mut after);
            (greeting[..length].to_vec(), after)
        });
        let error = ordered(address, &["ca.pem"]).await.unwrap_err();
        assert_eq!(error.grade, Grade::NotSent(NotSent::Tls), "{error:?}");
        let (greeting, after) = server.join().unwrap();
        // supported_versions, and in it TLS 1.3 and 1.2 in whichever order, and no other.
        let offered = [[3, 4], [3, 3]].concat();
        let listed = |versions: &[u8]| {
            let extension = [&[0, 43, 0, 5, 4][..], versions].concat();
            greeting.windows(extension.len()).any(|part| part == extension)
        };
        assert!(listed(&offered) || listed(&[3, 3, 3, 4]), "{greeting:?}");
        // An alert, which is 7 bytes long, is all that followed.
        assert!(after.len() <= 7 && after.first().is_none_or(|kind| *kind == 21), "{after:?}");
    }
}
