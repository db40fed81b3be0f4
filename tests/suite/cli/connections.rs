//! How connections are made and what is said when they are not: proxies, certificate authorities, TLS, time.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use postpay::sandbox::{SECRET_ID, SECRET_KEY};

use crate::endpoint::{certificate, certificate_with, server_config};
use crate::support::{Project, Ran, STATE};

/// A name that nobody has: only a proxy is ever asked for it.
const NOBODY: &str = "https://tcb.postpay.invalid";

fn apply(project: &Project, more: &[&str], variables: &[(&str, &str)]) -> Ran {
    let args = ["apply", "-y", "--retry-for", "0s"];
    let mut command = project.command(args.iter().chain(more));
    command
        .env("TENCENTCLOUD_SECRET_ID", SECRET_ID)
        .env("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)
        .envs(variables.iter().copied());
    if more.contains(&NOBODY) {
        // Which would be Tencent Cloud's own.
        command.env("POSTPAY_STS_ENDPOINT", NOBODY);
    }
    Ran::from(command.output().unwrap())
}

#[test]
fn a_proxy_that_can_not_be_used_is_refused_and_never_gone_around() {
    let project = Project::of(&["one"]);
    for (name, value) in [
        ("HTTPS_PROXY", "http://user:pass word@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://user:pass/word@127.0.0.1:1"),
        ("https_proxy", "ftp://user:password@127.0.0.1:1"),
        ("ALL_PROXY", "garbage:::password"),
        ("all_proxy", "socks5h://user:password@127.0.0.1:1"),
    ] {
        let ran = apply(&project, &["--endpoint", NOBODY], &[(name, value)]).exits(1);
        ran.says(&[name, "cannot be used", "nothing was sent"]).does_not_say(&[
            "pass word",
            "password@",
            ":password",
        ]);
        // Nor is it looked at where it is not for.
        let around = [(name, value), ("NO_PROXY", "*"), ("POSTPAY_CONNECT_TIMEOUT", "1s")];
        apply(&project, &["--endpoint", NOBODY], &around).exits(1).does_not_say(&["cannot be used"]);
    }
    assert!(!project.exists(STATE));
}

#[test]
fn what_a_proxy_refuses_is_told_with_the_proxys_name() {
    let project = Project::of(&["one"]);
    for (answer, said) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP status 407"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy blocked"),
    ] {
        let (proxy, _requests) = crate::endpoint::raw_server(answer.as_bytes().to_vec());
        let value = format!("http://user:password@{proxy}");
        let value = if said.contains("407") { value.replace("word@", "w@rd@") } else { value };
        let ran = apply(&project, &["--endpoint", NOBODY], &[("HTTPS_PROXY", &value)]).exits(1);
        let through = format!("through the proxy {proxy} (HTTPS_PROXY)");
        ran.says(&[&through, said]).does_not_say(&["password@", "rd@", "user:"]);
    }
}

/// A server that gets as far as the handshake, with the certificate in the project, and how often it was asked.
fn handshaking(project: &Project) -> (String, Arc<AtomicUsize>) {
    let config = server_config(project.path());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
        }
    });
    (url, asked)
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_in_words() {
    for (extensions, said) in [
        (
            &["subjectAltName=IP:127.0.0.1", "extendedKeyUsage=clientAuth"][..],
            "its certificate is not meant for a server",
        ),
        (&[], "its certificate has no host name"),
        (&["subjectAltName=DNS:other.example.com"], "its certificate is for another name"),
    ] {
        let project = Project::of(&["one"]);
        if !certificate_with(project.path(), extensions) {
            return;
        }
        // Beside a byte order mark, which some editors begin a file with.
        let pem = project.read("cert.pem");
        project.write("ca.pem", format!("\u{feff}{pem}"));
        let (url, _) = handshaking(&project);
        for roots in ["/etc/ssl/certs/ca-certificates.crt", "nowhere.pem"] {
            let mut command = project.command(["whoami", "--endpoint", &url, "--ca-file", "ca.pem"]);
            command
                .env("SSL_CERT_FILE", roots)
                .env("TENCENTCLOUD_SECRET_ID", SECRET_ID)
                .env("TENCENTCLOUD_SECRET_KEY", SECRET_KEY);
            let ran = Ran::from(command.output().unwrap()).exits(1);
            ran.says(&[said]).does_not_say(&["not accepted", "Other"]);
        }
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_at_once() {
    let project = Project::of(&["one"]);
    if !certificate(project.path()) {
        return;
    }
    let (url, asked) = handshaking(&project);
    let mut command = project.command(["whoami", "--endpoint", &url]);
    command
        // Whom this computer trusts besides is nothing to the test.
        .env("SSL_CERT_FILE", "nowhere.pem")
        .env("TENCENTCLOUD_SECRET_ID", SECRET_ID)
        .env("TENCENTCLOUD_SECRET_KEY", SECRET_KEY);
    let ran = Ran::from(command.output().unwrap()).exits(1);
    ran.says(&["certificate authority is not trusted", "--ca-file"])
        .does_not_say(&["attempts", "UnknownIssuer"]);
    assert_eq!(asked.load(Ordering::Relaxed), 1, "another attempt would meet the same");
}

#[test]
fn an_authority_that_can_not_be_read_is_named() {
    let project = Project::of(&["one"]);
    if !certificate(project.path()) {
        return;
    }
    let good = project.read("cert.pem");
    let bad = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    project.write("both.pem", format!("{good}{bad}"));
    let with = |file: &str| apply(&project, &["--endpoint", NOBODY, "--ca-file", file], &[]).exits(1);
    with("both.pem").says(&["error[ca-file]", "both.pem", "certificate 2"]);
    project.write("none.pem", "hello");
    with("none.pem").says(&["error[ca-file]", "no PEM certificate"]);
}

#[test]
fn the_roots_that_are_used_are_told() {
    let project = Project::of(&["one"]);
    let url = ["--endpoint", NOBODY, "--log", "debug", "--connect-timeout", "1s"];
    let lost = apply(&project, &url, &[("SSL_CERT_FILE", "/nowhere/roots.pem")]);
    lost.says(&["warning[tls-roots]", "/nowhere/roots.pem", "roots=\"bundled\""]);
    if certificate(project.path()) {
        let own = apply(&project, &url, &[("SSL_CERT_FILE", "cert.pem")]);
        own.says(&["roots=\"system\""]).does_not_say(&["tls-roots"]);
    }
}

#[test]
fn the_time_for_a_connection_is_named_with_its_flag() {
    let project = Project::of(&["one"]);
    // It takes the connection and says nothing, so that TLS never comes about.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let _ = stream.read(&mut [0; 10]);
            let _ = stream.flush();
            held.push(stream);
        }
    });
    let more = ["--endpoint", &url, "--connect-timeout", "300ms"];
    apply(&project, &more, &[]).exits(1).says(&["within 300ms (--connect-timeout)"]);
    let more = ["--endpoint", &url, "--timeout", "1s"];
    apply(&project, &more, &[]).exits(1).says(&["within 750ms (--timeout)"]);
}
