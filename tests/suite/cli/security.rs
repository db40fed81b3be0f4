//! The lines of SECURITY.md that no other test holds: what a hostile manifest, plan, state, endpoint or pull request can't do.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postpay::sandbox::{SECRET_ID, SECRET_KEY};

use super::secrets::{serve, serve_by};
use crate::support::{MANIFEST, Project, Ran, STATE};

const KEYS: [(&str, &str); 2] = [
    ("TENCENTCLOUD_SECRET_ID", SECRET_ID),
    ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
];
const ROLE: &str = "qcs::cam::uin/100000000001:roleName/deploy";

fn with_keys(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.envs(KEYS);
    Ran::from(command.output().unwrap())
}

/// Nothing that a terminal would act on.
fn is_plain(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let acts = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(acts), "{ran}");
    }
}

/// A server that answers everything with this body, and keeps what it was sent.
fn answering(body: &str) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let (send, requests) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.ends_with(b"}") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&buffer[..read]),
                }
            }
            let _ = stream.write_all(answer.as_bytes());
            if send
                .send(String::from_utf8_lossy(&request).into_owned())
                .is_err()
            {
                break;
            }
        }
    });
    (url, requests)
}

#[test]
fn without_tls_nobody_but_this_computer_is_spoken_to() {
    let project = Project::of(&["one"]);
    for args in [
        &["whoami", "--endpoint", "http://tcb.tencentcloudapi.com"][..],
        &[
            "whoami",
            "--endpoint",
            "https://tcb.tencentcloudapi.com",
            "--sts-endpoint",
            "http://sts.tencentcloudapi.com",
        ],
        &["apply", "-y", "--endpoint", "http://10.0.0.1"],
    ] {
        let refused = with_keys(&project, args).exits(1);
        assert!(refused.stderr.contains("https"), "{refused}");
        assert!(!project.exists(STATE));
    }
}

#[test]
fn what_an_endpoint_says_is_shown_escaped_and_without_secrets() {
    let message = format!("\\u001b]0;owned\\u0007\\u202e gpj.exe {SECRET_KEY}\\r\\n");
    let project = Project::of(&["one"]);
    // One that is refused for good, and one that nobody knows.
    for code in ["AuthFailure.SignatureFailure", r"Auth\u001b[31mFailure"] {
        let body = format!(
            r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"{message}"}},"RequestId":"r\u001b[2J"}}}}"#
        );
        let (url, _requests) = answering(&body);
        let apply = ["apply", "-y", "--endpoint", &url, "--retry-for", "0s"];
        let ran = with_keys(&project, &apply).exits(1);
        is_plain(&ran);
        ran.says(&["owned", "gpj.exe"]).does_not_say(&[SECRET_KEY]);
    }
}

#[test]
fn an_endpoint_is_sent_a_signature_for_itself_and_never_the_key() {
    let (url, requests) = answering(r#"{"Response":{"RequestId":"r"}}"#);
    let project = Project::of(&["one"]);
    with_keys(&project, &["whoami", "--endpoint", &url]).exits(1);
    let request = requests.recv().unwrap();
    assert!(!request.contains(SECRET_KEY), "{request}");
    // The host is among what is signed, so that no other one would take it.
    assert!(
        request.contains("SignedHeaders=content-type;host"),
        "{request}"
    );
}

#[test]
fn a_manifest_is_data_that_executes_nothing_and_ends_soon() {
    let project = Project::of(&[]);
    let lines: Vec<String> = (1..30)
        .map(|n| format!("  b{n}: &b{n} [*b{0}, *b{0}, *b{0}, *b{0}]\n", n - 1))
        .collect();
    let bomb = lines.concat();
    let hostile = [
        format!("version: 1\nx:\n  b0: &b0 [a, a]\n{bomb}"),
        "version: 1\nenvironments:\n  one: !!python/object/apply:os.system [touch owned]\n".to_owned(),
        "version: 1\nenvironments:\n  $(touch owned): {alias: x}\n".to_owned(),
        "version: 1\nenvironments:\n  ../../owned: {alias: x}\n".to_owned(),
        "version: 1\nenvironments:\n  one: {alias: \"\\e]0;owned\\a\\u202e\", env_source: \"`touch owned`\"}\n".to_owned(),
        format!("version: 1\nenvironments: {}1{}\n", "[".repeat(5000), "]".repeat(5000)),
    ];
    for manifest in hostile {
        project.write(MANIFEST, &manifest);
        for command in ["validate", "plan"] {
            let ran = project.run([command]).exits(1);
            is_plain(&ran);
        }
    }
    assert!(!project.exists("owned") && !project.exists("../owned"));
    assert!(!project.exists(STATE));
}

#[test]
fn a_plan_file_is_data_that_shows_no_other_file() {
    let project = Project::of(&["one"]);
    project.write("secret.txt", "the-words-of-another-file\n");
    project.run(["plan", "-o", "plan.json"]).exits(0);
    let mut plan = project.json("plan.json");
    plan["manifests"][0]["path"] = "secret.txt".into();
    plan["manifests"][0]["sha256"] = "0".repeat(64).into();
    project.write("plan.json", plan.to_string());
    let ran = project.run(["apply", "plan.json"]).exits(1);
    ran.does_not_say(&["the-words-of-another-file"]);
    assert!(project.ledger().is_empty());
    project
        .run(["show", "plan.json"])
        .does_not_say(&["the-words-of-another-file"]);
}

#[test]
fn a_state_is_data_that_is_shown_escaped() {
    let project = Project::ordered(&["one"]);
    let text = project.read(STATE);
    let hostile = text
        .replace("\"TranId", "")
        .replacen("one-", "\\u001b]0;owned\\u0007-", 1);
    project.write(STATE, hostile);
    for args in [
        &["show"][..],
        &["state", "list"],
        &["plan"],
        &["drift", "--offline"],
        &["state", "verify"],
        &["whoami"],
    ] {
        is_plain(&project.run(args));
    }
}

#[test]
fn a_pull_request_can_not_choose_the_key_or_whom_to_trust() {
    let project = Project::of(&["one"]);
    for setting in [
        "profile: prod",
        "cvm_role: web",
        "assume_role: x",
        "oidc_token_file: /token",
        "sts_endpoint: https://sts.example.com",
        "metadata_endpoint: http://127.0.0.1",
        "ca_file: mine.pem",
        "record: calls.jsonl",
        "allow_unknown_account: true",
    ] {
        project.write(
            "postpay.yaml",
            format!("version: 1\napi: {{endpoint: sandbox, {setting}}}\n"),
        );
        project.run(["validate"]).exits(1).says(&["unknown-field"]);
        project
            .run(["apply", "-y"])
            .exits(1)
            .says(&["unknown-field"]);
    }
    assert!(!project.exists(STATE));
}

#[test]
fn another_endpoint_in_the_settings_gets_nothing_of_a_state_that_is_not_its_own() {
    let project = Project::ordered(&["one"]);
    project.declare(&["one", "two"]);
    let (url, requests) = answering(r#"{"Response":{"RequestId":"r"}}"#);
    let mut state = project.json(STATE);
    state["account"]["endpoint"] = "tcb.tencentcloudapi.com".into();
    project.write(STATE, state.to_string());
    for args in [&["apply", "-y"][..], &["drift"], &["plan", "--refresh"]] {
        let args = [args, &["--endpoint", &url]].concat();
        with_keys(&project, &args).exits(1);
    }
    assert!(requests.try_recv().is_err(), "nothing was sent there");
}

#[test]
fn what_postpay_keeps_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Project::empty();
    // A test that leaves it to the umask can't fail where that is a strict one.
    let (_running, url) = serve_by(|serve| {
        let fault = [
            "--fault",
            "hang-before@2",
            "--ledger",
            "state/deep/served.jsonl",
        ];
        server.command_open_to_all(serve.iter().chain(&fault))
    });
    let project = Project::of(&["one", "two"]);
    let mut apply = project.command_open_to_all([
        "apply",
        "-y",
        "--endpoint",
        &url,
        "--timeout",
        "1s",
        "--record",
        "calls.jsonl",
    ]);
    Ran::from(apply.envs(KEYS).output().unwrap()).exits(4);
    let mut mv = project.command_open_to_all(["state", "mv", "one", "uno", "-y"]);
    Ran::from(mv.output().unwrap()).exits(0);
    for folder in ["state", "state/receipts"] {
        let there = fs::metadata(project.file(folder)).unwrap();
        assert_eq!(there.permissions().mode() & 0o777, 0o700, "{folder}");
    }
    for folder in ["state", "state/deep"] {
        let there = fs::metadata(server.file(folder)).unwrap();
        assert_eq!(there.permissions().mode() & 0o777, 0o700, "{folder}");
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut seen = BTreeSet::new();
    for (root, project) in [(server.path(), &server), (project.path(), &project)] {
        for (name, _) in project.files() {
            let path = root.join(&name);
            if name.starts_with("state") || name == Path::new("calls.jsonl") {
                assert_eq!(mode(&path), 0o600, "{}", name.display());
                seen.insert(name.extension().map(ToOwned::to_owned));
            }
        }
    }
    assert!(seen.len() > 1, "{seen:?}");
    assert!(server.exists("state/deep/served.jsonl"));
}

/// A token or key of the sandbox's STS: 64 digits and a word.
fn has_issued_secret(text: &str) -> bool {
    ["key", "token"].iter().any(|what| {
        text.match_indices(what).any(|(at, _)| {
            let before = &text.as_bytes()[..at];
            before.len() >= 64 && before[at - 64..].iter().all(u8::is_ascii_hexdigit)
        })
    })
}

#[test]
fn secrets_are_in_no_byte_of_a_full_life() {
    let server = Project::empty();
    let faults = [
        "--max-session",
        "2s",
        "--fault",
        "html@3",
        "--fault",
        "list:html@1",
        "--machine-role",
        "web",
    ];
    let (_running, url) = serve(&server, &faults);
    let project = Project::of(&["one", "two", "three"]);
    let web_token = "eyJ.web-identity-token-that-nobody-may-read";
    project.write("token", web_token);
    let file = format!("[default]\nsecret_id = {SECRET_ID}\nsecret_key = {SECRET_KEY}\n");
    project.write(".tencentcloud/credentials", file);
    let role = ["--assume-role", ROLE];
    let oidc = [
        "--assume-role",
        ROLE,
        "--oidc-provider",
        "p",
        "--oidc-token-file",
        "token",
    ];
    let mut wrote = String::new();
    let mut number = 0;
    let mut run = |args: &[&str], keys: &[&str]| {
        number += 1;
        let record = format!("record-{number}.jsonl");
        let mut all: Vec<&str> = args.to_vec();
        all.extend(keys);
        all.extend(["--endpoint", &url, "--log", "trace", "--record", &record]);
        let mut command = project.command(&all);
        command.env("POSTPAY_METADATA_ENDPOINT", &url);
        let ran = Ran::from(command.output().unwrap());
        wrote.push_str(&ran.stdout);
        wrote.push_str(&ran.stderr);
    };
    run(&["whoami"], &[]);
    run(&["whoami", "--format", "json"], &role);
    run(&["whoami"], &oidc);
    run(&["whoami", "--cvm-role"], &[]);
    run(&["plan", "--refresh", "--show-calls"], &role);
    run(
        &[
            "apply",
            "-y",
            "--in-flight",
            "1",
            "--report",
            "r.json",
            "--report",
            "r.html",
        ],
        &role,
    );
    run(&["resolve", "--auto-approve"], &oidc);
    run(&["drift", "--report", "d.sarif", "--report", "d.md"], &oidc);
    run(&["generate"], &["--cvm-role"]);
    run(&["destroy", "one", "-y", "--allow-destroy"], &role);
    run(
        &["apply", "-y", "--sts-endpoint", "http://127.0.0.1:9"],
        &role,
    );
    for part in [
        "GetCallerIdentity",
        "AssumeRole",
        "CreatePostpayPackage",
        "DEBUG",
    ] {
        assert!(wrote.contains(part), "the log tells of {part}");
    }
    let mut all = vec![(PathBuf::from("what was said"), wrote.into_bytes())];
    for project in [&project, &server] {
        all.extend(project.files());
    }
    let is_source =
        |name: &Path| name.ends_with("token") || name.ends_with(".tencentcloud/credentials");
    let mut recorded = 0;
    for (name, bytes) in all.iter().filter(|(name, _)| !is_source(name)) {
        let text = String::from_utf8_lossy(bytes);
        for secret in [SECRET_KEY, web_token, "TC3-HMAC-SHA256 Credential=AKID"] {
            assert!(!text.contains(secret), "{} holds {secret}", name.display());
        }
        assert!(!has_issued_secret(&text), "{}", name.display());
        recorded += usize::from(
            name.to_string_lossy().starts_with("record-") && text.contains("GetCallerIdentity"),
        );
    }
    assert!(recorded > 3, "calls were recorded");
    assert!(has_issued_secret(&format!("{}key", "a".repeat(64))));
}

/// The names of the functions that are run as tests: marked as one, and not left out.
fn tests_in(source: &str) -> BTreeSet<&str> {
    let mut marked = false;
    let mut ignored = false;
    let mut tests = BTreeSet::new();
    for line in source.lines().map(str::trim) {
        match line {
            "#[test]" => marked = true,
            _ if line.starts_with("#[tokio::test") => marked = true,
            // Other marks, and words about it, may stand in between.
            _ if line.starts_with("#[") => ignored |= line.contains("ignore"),
            _ if line.starts_with("//") => {}
            _ => {
                let name = line.trim_start_matches("async ").strip_prefix("fn ");
                let name = name
                    .and_then(|rest| rest.split_once('('))
                    .map(|(name, _)| name);
                tests.extend(name.filter(|_| marked && !ignored));
                (marked, ignored) = (false, false);
            }
        }
    }
    tests
}

#[test]
fn what_is_no_test_or_is_left_out_holds_no_line() {
    let source = "\
#[test]
fn one() {}
fn helper() {}
#[test]
#[ignore = \"slow\"]
fn ignored() {}
#[cfg(unix)]
#[tokio::test(start_paused = true)]
/// Said of it.
async fn two() {}
// fn said() {}
";
    let tests: Vec<&str> = tests_in(source).into_iter().collect();
    assert_eq!(tests, ["one", "two"]);
}

#[test]
fn every_line_of_the_security_page_names_a_test_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut sources = String::new();
    let mut folders = vec![root.join("src"), root.join("tests/suite")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                sources.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let run = tests_in(&sources);
    let lines: Vec<&str> = page.lines().collect();
    let is_head = |at: usize| {
        lines
            .get(at + 1)
            .is_some_and(|next| next.starts_with("|---"))
    };
    let rows: Vec<&str> = (0..lines.len())
        .filter(|at| lines[*at].starts_with("| ") && !is_head(*at))
        .map(|at| lines[at])
        .collect();
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(run.contains(name), "no test `{name}` runs: {row}");
        }
    }
}
