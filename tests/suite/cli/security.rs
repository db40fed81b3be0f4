//! The lines of SECURITY.md that no other test holds: what a hostile manifest, plan, state, endpoint or pull request can't do.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use postpay::plan::file;
use postpay::sandbox::{SECRET_ID, SECRET_KEY};
use postpay::sanitize::invisible;
use postpay::state::journal::Event;
use postpay::state::{decode_journal, encode_journal};

use super::secrets::{serve, serve_by};
use crate::support::{LEDGER, MANIFEST, PATIENT, Project, Ran, STATE, manifest, server};

const KEYS: [(&str, &str); 2] =
    [("TENCENTCLOUD_SECRET_ID", SECRET_ID), ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)];
const ROLE: &str = "qcs::cam::uin/100000000001:roleName/deploy";

fn with_keys(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.envs(KEYS);
    Ran::from(command.output().unwrap())
}

/// What a terminal acts on, what nobody sees, and what makes a line of its own that a CI system takes for a command.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\r\n::error::owned\t\u{85}\u{9b}31m\u{202e}\u{2066}\u{ad}\u{200b}\u{200d}\u{2028}\u{feff}\u{e0041}\u{e0100}";

/// Nothing that a terminal would act on, that would not be seen, or that a line of would be a command.
#[track_caller]
fn is_plain(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let acts = |c: char| (c.is_control() && c != '\n') || (!c.is_ascii() && HOSTILE.contains(c));
        assert!(!text.contains(acts), "{ran}");
        for line in text.lines() {
            assert_eq!(invisible(line).next(), None, "{line:?} of {ran}");
            assert!(!line.starts_with("::error::owned"), "{ran}");
        }
    }
}

/// A server that answers everything with this body.
fn answering(body: &str) -> (String, Receiver<Vec<u8>>) {
    let body = body.to_owned();
    scripted(move |_| body.clone())
}

/// A server that answers each action with the body that `answer` gives.
fn scripted(answer: impl Fn(&str) -> String + Send + 'static) -> (String, Receiver<Vec<u8>>) {
    let (address, requests) = server::serve(move |request| server::ok(&answer(&action_of(request))));
    (format!("http://{address}"), requests)
}

fn action_of(request: &[u8]) -> String {
    server::header(request, "X-TC-Action").unwrap_or_default()
}

fn actions(requests: &Receiver<Vec<u8>>) -> BTreeSet<String> {
    requests.try_iter().map(|request| action_of(&request)).collect()
}

/// Asserts that nothing came to a server whose clients are gone. Connections are taken in their order, so what comes first is
/// ours when there was none before it.
#[track_caller]
fn nothing_came(url: &str, requests: &Receiver<Vec<u8>>) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(b"is anybody there? {}").unwrap();
    let first = requests.recv_timeout(PATIENT).unwrap();
    assert_eq!(first, b"is anybody there? {}", "nothing was to be sent there");
}

/// A server without STS that lists nothing, and answers everything else with what `echo` makes of the request.
fn echoing(echo: fn(&str) -> String) -> (String, Receiver<Vec<u8>>) {
    let (address, requests) = server::serve(move |request| match action_of(request).as_str() {
        "GetCallerIdentity" => {
            server::ok(r#"{"Response":{"Error":{"Code":"InvalidAction","Message":""},"RequestId":"r"}}"#)
        }
        "DescribeEnvs" => server::ok(r#"{"Response":{"EnvList":[],"Total":0,"RequestId":"r"}}"#),
        _ => echo(&String::from_utf8_lossy(request)).into_bytes(),
    });
    (format!("http://{address}"), requests)
}

/// A page of a proxy that shows the request that it could not pass on.
fn bad_gateway(request: &str) -> String {
    let (head, _) = request.split_once("\r\n\r\n").unwrap_or_default();
    let head = head.replace('/', "&#x2F;");
    format!(
        "HTTP/1.1 502 Bad Gateway\r\nVia: 1.1 {ECHOED}\r\nConnection: close\r\n\r\n<html><pre>{head}</pre>"
    )
}

/// An error whose message quotes the request, and whose RequestId is the token.
fn quoted(request: &str) -> String {
    use base64::Engine as _;
    let (head, _) = request.split_once("\r\n\r\n").unwrap_or_default();
    let body = serde_json::json!({"Response": {
        "Error": {
            "Code": "InternalError",
            "Message": format!("{head} {}", base64::engine::general_purpose::STANDARD.encode(head)),
        },
        "RequestId": ECHOED,
    }});
    // As a library that writes ASCII alone may do it.
    let body = body.to_string().replace("token", r"\u0074oken");
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}")
}

const ECHOED: &str = "a-token/that+nobody=may-read";

#[test]
fn a_signature_or_a_token_that_is_echoed_is_in_no_byte() {
    for echo in [bad_gateway, quoted] {
        let (url, requests) = echoing(echo);
        let project = Project::of(&["one"]);
        let mut command = project.command([
            "apply",
            "-y",
            "--endpoint",
            &url,
            "--log",
            "trace",
            "--record",
            "calls.jsonl",
            "--report",
            "r.json",
            "--report",
            "r.html",
            "--settle",
            "0s",
        ]);
        command.envs(KEYS).env("TENCENTCLOUD_SESSION_TOKEN", ECHOED);
        let ran = Ran::from(command.output().unwrap()).exits(4);
        let sent: Vec<String> =
            requests.try_iter().map(|request| String::from_utf8(request).unwrap()).collect();
        let order = sent.iter().find(|it| it.contains("CreatePostpayPackage"));
        let (_, rest) = order.unwrap().split_once("Signature=").unwrap();
        let signature = &rest[..64];
        let mut all = vec![(PathBuf::from("said"), format!("{}{}", ran.stdout, ran.stderr).into_bytes())];
        all.extend(project.files());
        for (name, bytes) in &all {
            let text = String::from_utf8_lossy(bytes);
            for secret in [signature, ECHOED, "a-token", "a-%74oken", r"a-\u0074oken", r"a-\\u0074oken"] {
                assert!(!text.contains(secret), "{}: {secret}: {text}", name.display());
            }
        }
        for name in ["calls.jsonl", project.receipt().as_str()] {
            assert!(project.read(name).contains("[token]"), "{name}");
        }
        assert!(project.read("calls.jsonl").contains("[signature]"));
    }
}

#[test]
fn without_tls_nobody_but_this_computer_is_spoken_to() {
    let project = Project::of(&["one"]);
    // Whatever goes elsewhere would come by here, whether or not there is a network.
    let (proxy, requests) = answering(r#"{"Response":{"RequestId":"r"}}"#);
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
        &["plan", "--refresh", "--endpoint", "http://10.0.0.1"],
        &["drift", "--endpoint", "http://localhost.example.com"],
        &["generate", "--endpoint", "http://0.0.0.0"],
    ] {
        let mut command = project.command(args);
        command.envs(KEYS);
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, &proxy);
        }
        Ran::from(command.output().unwrap())
            .exits(1)
            .says(&["https"])
            .does_not_say(&["10.0.0.1:", "connect"]);
        assert!(!project.exists(STATE));
        nothing_came(&proxy, &requests);
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

/// Whether a command speaks to Tencent Cloud, and so takes where, and has what to record.
fn speaks(command: &str) -> bool {
    !["history", "state", "show"].contains(&command)
}

const TOKEN: &str = "a-session-token-that/nobody-may-read-0123456789";

/// An endpoint that says back what it was sent, in every text that it has.
fn saying_back(create: &'static str) -> (String, Receiver<Vec<u8>>) {
    let said = format!("{TOKEN} {SECRET_KEY} \\u001b]0;owned\\u0007\\u202e\\u00ad");
    scripted(move |action| {
        let response = match action {
            "GetCallerIdentity" => {
                format!(r#""AccountId":"100000000001","UserId":"{said}","Arn":"{said}","Type":"{said}""#)
            }
            "DescribeEnvs" => format!(
                r#""Total":1,"EnvList":[{{"EnvId":"echo-1","Alias":"{said}","Source":"{said}","EnvChannel":"{said}","Status":"{said}","PayMode":"{said}","CreateTime":"{said}","Region":"{said}"}}]"#
            ),
            "DescribeBillingInfo" => format!(
                r#""Total":1,"EnvBillingInfoList":[{{"EnvId":"echo-1","PayMode":"{said}","Status":"{said}","FreeQuota":"{said}","PaymentChannel":"{said}","OrderInfo":{{"TranId":"{said}","Flag":"{said}","ExtensionId":"{said}","CreateTime":"{said}"}}}}]"#
            ),
            "CreatePostpayPackage" => create.replace("SAID", &said),
            action => panic!("{action}"),
        };
        format!(r#"{{"Response":{{{response},"RequestId":"{said}"}}}}"#)
    })
}

/// On every path: who one is, what there is, what it costs, an order that is taken, refused, and not known.
#[test]
fn an_endpoint_that_says_our_token_back_has_it_kept_and_shown_nowhere() {
    for (create, code) in [
        (r#""TranId":"1","EnvId":"env-1""#, 0),
        (r#""TranId":"1""#, 0),
        // Such an id can't be recorded whole, and is not recorded in part.
        (r#""TranId":"1 SAID","EnvId":"env SAID""#, 4),
        (r#""TranId":"1 SAID""#, 4),
        (r#""Error":{"Code":"InvalidParameter","Message":"SAID"}"#, 1),
        (r#""Error":{"Code":"InternalError SAID","Message":"SAID"}"#, 4),
        (r#""Else":"SAID""#, 4),
    ] {
        let (url, requests) = saying_back(create);
        let project = Project::of(&["one"]);
        let mut number = 0;
        let mut run = |args: &[&str]| {
            number += 1;
            let record = format!("record-{number}.jsonl");
            let mut all = args.to_vec();
            all.extend(["--log", "trace"]);
            if speaks(args[0]) {
                all.extend(["--endpoint", &url, "--record", &record]);
            }
            let mut command = project.command(&all);
            command.envs(KEYS).env("TENCENTCLOUD_SESSION_TOKEN", TOKEN);
            let ran = Ran::from(command.output().unwrap());
            is_plain(&ran);
            ran.does_not_say(&[TOKEN, SECRET_KEY])
        };
        run(&["whoami", "--format", "json"]).exits(0).says(&["owned"]);
        run(&["plan", "--refresh", "--format", "json"]).exits(0).says(&["owned"]);
        let reports = ["r.json", "r.txt", "r.md", "r.html", "r.sarif", "r.xml"];
        let reports = reports.iter().flat_map(|name| ["--report", name]);
        let apply: Vec<&str> = ["apply", "-y", "--settle", "0s"].into_iter().chain(reports).collect();
        run(&apply).exits(code);
        run(&["drift"]).says(&["owned"]);
        run(&["drift", "--format", "json"]);
        run(&["generate", "-o", "made.yaml"]);
        run(&["resolve", "--auto-approve"]);
        run(&["history", "--format", "csv"]).exits(0);
        run(&["state", "list", "--format", "json"]);
        let asked = actions(&requests);
        for action in ["GetCallerIdentity", "DescribeEnvs", "DescribeBillingInfo", "CreatePostpayPackage"] {
            assert!(asked.contains(action), "{action} is not in {asked:?}");
        }
        let files = project.files();
        assert!(files.len() > 12, "{:?}", files.keys());
        for (name, bytes) in files {
            let text = String::from_utf8_lossy(&bytes);
            for secret in [TOKEN, SECRET_KEY, &TOKEN.replace('/', "\\/")] {
                assert!(!text.contains(secret), "{} holds it:\n{text}", name.display());
            }
        }
    }
}

#[test]
fn an_endpoint_is_sent_a_signature_for_itself_and_never_the_key() {
    let (url, requests) = answering(r#"{"Response":{"RequestId":"r"}}"#);
    let project = Project::of(&["one"]);
    with_keys(&project, &["whoami", "--endpoint", &url]).exits(1);
    let request = String::from_utf8(requests.recv().unwrap()).unwrap();
    assert!(!request.contains(SECRET_KEY), "{request}");
    // The host is among what is signed, so that no other one would take it.
    assert!(request.contains("SignedHeaders=content-type;host"), "{request}");
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let project = Project::of(&["one"]);
    let address = "https://user:hunter2@host";
    for args in [
        &["plan", "--endpoint", address][..],
        &["plan", "--endpoint", "user:hunter2@host"],
        &["whoami", "--sts-endpoint", address, "--endpoint", "https://127.0.0.1:9"],
        &["plan", "--endpont", address],
        &["plan", address],
        &["plan", "--lang", "zh", "--endpoint=https://user:hunter2 @host"],
    ] {
        let ran = with_keys(&project, args).exits(1);
        ran.says(&["error"]).does_not_say(&["hunter2"]);
    }
    let mut command = project.command(["plan"]);
    command.env("POSTPAY_ENDPOINT", address);
    let ran = Ran::from(command.output().unwrap()).exits(1);
    ran.says(&["…@host"]).does_not_say(&["hunter2"]);
    project.write("postpay.yaml", format!("version: 1\napi: {{endpoint: '{address}', retries: 3}}\n"));
    for args in [
        &["validate", "--report", "v.sarif", "--report", "v.html", "--report", "v.md"][..],
        &["plan", "--format", "json"],
        &["apply", "-y", "--json"],
    ] {
        project.run(args).exits(1).does_not_say(&["hunter2"]);
    }
    for (name, bytes) in project.files() {
        let text = String::from_utf8_lossy(&bytes);
        let is_mine = name == Path::new("postpay.yaml");
        assert!(is_mine || !text.contains("hunter2"), "{}", name.display());
    }
}

#[test]
fn a_manifest_is_data_that_executes_nothing_and_ends_soon() {
    let project = Project::of(&[]);
    let lines: Vec<String> =
        (1..30).map(|n| format!("  b{n}: &b{n} [*b{0}, *b{0}, *b{0}, *b{0}]\n", n - 1)).collect();
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
    let words = "the-words-of-another-file";
    // A file that is no manifest, and one that would be.
    let yaml = format!("version: 1\nenvironments:\n  {words}: {{alias: x, {words}: y}}\n");
    for (name, content) in [("secret.txt", words), ("../secret.yaml", &yaml)] {
        let outside = Project::empty();
        outside.write("in/postpay.yaml", "version: 1\napi: {endpoint: sandbox}\n");
        outside.write(&format!("in/{MANIFEST}"), manifest(&["one"]));
        outside.write(&format!("in/{name}"), content);
        let run = |args: &[&str]| outside.run(["-C", "in"].iter().chain(args));
        run(&["plan", "-o", "plan.json"]).exits(0);
        // Sealed by whoever altered it, so that it is no seal that keeps it from being used.
        let mut plan = file::decode(&outside.read("in/plan.json")).unwrap();
        plan.manifests[0].path = name.into();
        outside.write("in/plan.json", file::encode(&plan));
        for format in ["human", "json", "markdown", "github", "sarif", "junit", "html"] {
            run(&["show", "plan.json", "--format", format]).exits(0).does_not_say(&[words]);
        }
        let reports = ["--report", "r.json", "--report", "r.txt", "--report", "r.html"];
        run(&[&["apply", "plan.json"][..], &reports].concat()).exits(1).does_not_say(&[words]);
        for (path, bytes) in outside.files() {
            let holds = String::from_utf8_lossy(&bytes).contains(words);
            assert_eq!(holds, path.ends_with(name.trim_start_matches("../")), "{}", path.display());
        }
        assert!(!outside.exists(&format!("in/{STATE}")));
        assert!(outside.ledger_at(&format!("in/{LEDGER}")).is_empty());
    }
}

/// A project whose state and receipts agree, and hold what acts on a terminal in every text that they have.
fn hostile() -> Project {
    let project = Project::ordered(&["one"]);
    let receipt = project.receipt();
    let path = project.file(&receipt);
    let mut journal = decode_journal(&path, &fs::read(&path).unwrap()).unwrap();
    let with = |text: &str| format!("{text}{HOSTILE}");
    journal.started.who = with("who");
    journal.started.commit = Some(with("commit"));
    for entry in &mut journal.entries {
        match &mut entry.event {
            Event::Intent(intent) => intent.source.file = with("file"),
            Event::Outcome(outcome) => {
                outcome.tran_id = Some(with("=tran"));
                outcome.env_id = Some(with("env"));
                outcome.request_id = Some(with("request"));
                outcome.code = Some(with("code"));
                outcome.message = Some(with("message"));
            }
            Event::Listed(_) | Event::Edited(_) | Event::RunEnded(_) | Event::Recovered(_) => {}
        }
    }
    project.write(&receipt, encode_journal(&journal).unwrap());
    let mut state = project.json(STATE);
    let record = &mut state["environments"]["one"];
    assert!(record["tran_id"].is_string() && record["source"].is_string());
    record["tran_id"] = with("=tran").into();
    record["env_id"] = with("env").into();
    record["source"] = (with("file") + ":6").into();
    project.write(STATE, state.to_string());
    project
}

#[test]
fn a_state_is_data_that_is_shown_escaped() {
    let project = hostile();
    let pages = ["human", "json", "markdown", "github", "sarif", "junit", "html"];
    let plain = ["human", "json"];
    let list = ["human", "json", "csv"];
    for (args, formats, code, shown) in [
        (&["show"][..], &pages[..], 0, &["env"][..]),
        (&["plan"], &pages, 0, &[]),
        (&["drift", "--offline"], &pages, 0, &[]),
        // What the account has is not what the state says.
        (&["drift"], &pages, 2, &["env"]),
        (&["state", "list"], &plain, 0, &[]),
        (&["state", "show", "one"], &plain, 0, &["=tran", "env", "file"]),
        (&["state", "verify"], &plain, 0, &[]),
        (&["state", "pull"], &["json"], 0, &["=tran", "env", "file"]),
        (&["history"], &list, 0, &["=tran", "env", "request", "file", "who", "commit", "code", "message"]),
        (&["history", "--all"], &list, 0, &["who"]),
        (&["history", "verify"], &plain, 0, &[]),
        (&["lock", "status"], &plain, 0, &[]),
        (&["state", "mv", "one", "uno", "--dry-run"], &plain, 0, &[]),
        (&["state", "rm", "one", "--dry-run", "--force"], &plain, 0, &["env"]),
        (&["plan", "--replace", "one"], &pages, 0, &["env"]),
    ] {
        for format in formats {
            let ran = project.run([args, &["--format", format]].concat());
            is_plain(&ran);
            let ran = ran.exits(code);
            // These are of what was found, and nothing was.
            if ["github", "sarif", "junit"].contains(format) {
                continue;
            }
            for name in shown {
                assert!(ran.stdout.contains(name), "{name} is not in {ran}");
            }
            assert!(shown.is_empty() || ran.stdout.contains("owned"), "{ran}");
        }
    }
    let csv = project.run(["history", "--csv"]).exits(0);
    is_plain(&csv);
    assert_eq!(csv.stdout.lines().count(), 2, "a line for the columns and one for the order: {csv}");
    assert!(csv.stdout.contains(",'=tran\\u{1b}]0;owned\\u{7}\\r\\n::error::owned\\t"), "{csv}");
    // What a program reads of it is what is in the state.
    let pulled = project.run(["state", "pull"]).exits(0).json();
    assert_eq!(pulled["environments"]["one"]["env_id"], format!("env{HOSTILE}"));
}

#[test]
fn a_state_is_printed_as_it_is_written_where_there_is_nothing_to_hide() {
    let project = Project::of(&[]);
    project.write(MANIFEST, manifest(&["one"]) + "    env_alias: 我的商店 ❤\u{fe0f}\n");
    project.run(["apply", "-y"]).exits(0);
    let pulled = project.run(["state", "pull"]).exits(0).stdout;
    assert!(pulled.contains("我的商店 ❤\u{fe0f}"), "{pulled}");
    assert_eq!(pulled, project.read(STATE));
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
        project.write("postpay.yaml", format!("version: 1\napi: {{endpoint: sandbox, {setting}}}\n"));
        project.run(["validate"]).exits(1).says(&["unknown-field"]);
        project.run(["apply", "-y"]).exits(1).says(&["unknown-field"]);
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
    // As a pull request would: where it says so in the repository, and nobody on the command line.
    project.write("postpay.yaml", format!("version: 1\napi: {{endpoint: '{url}'}}\n"));
    for args in [
        &["apply", "-y"][..],
        &["drift"],
        &["plan", "--refresh"],
        &["resolve"],
        &["import", "two", "shop-1", "-y"],
        &["destroy", "one", "-y", "--allow-destroy"],
    ] {
        with_keys(&project, args).exits(1).says(&["error[state-endpoint]"]);
        nothing_came(&url, &requests);
    }
}

#[test]
fn what_postpay_keeps_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Project::empty();
    // A test that leaves it to the umask can't fail where that is a strict one.
    let (_running, url) = serve_by(|serve| {
        let fault = ["--fault", "hang-before@2", "--ledger", "state/deep/served.jsonl"];
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

/// A signature is good for minutes, and for whoever has it.
fn has_signature(text: &str) -> bool {
    text.split("Signature=").skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit);
        digits.count() >= 64
    })
}

#[test]
fn secrets_are_in_no_byte_of_a_full_life() {
    let server = Project::empty();
    let faults = [
        // On a busy computer a call can arrive too soon, and be throttled rather than struck by its fault.
        "--sandbox-rate",
        "1000",
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
    let oidc = ["--assume-role", ROLE, "--oidc-provider", "p", "--oidc-token-file", "token"];
    let mut wrote = String::new();
    let mut number = 0;
    let mut run = |code: i32, args: &[&str], keys: &[&str]| {
        number += 1;
        let record = format!("record-{number}.jsonl");
        let mut all: Vec<&str> = args.to_vec();
        all.extend(keys);
        all.extend(["--log", "trace"]);
        if speaks(args[0]) {
            all.extend(["--endpoint", &url, "--record", &record]);
        }
        let mut command = project.command(&all);
        command.env("POSTPAY_METADATA_ENDPOINT", &url);
        let mut ran = Ran::from(command.output().unwrap());
        ran.line = all.join(" ");
        let ran = ran.exits(code);
        wrote.push_str(&ran.stdout);
        wrote.push_str(&ran.stderr);
    };
    run(0, &["whoami"], &[]);
    run(0, &["whoami", "--format", "json"], &role);
    run(0, &["whoami"], &oidc);
    run(0, &["whoami", "--cvm-role"], &[]);
    run(0, &["plan", "--refresh", "--show-calls"], &role);
    run(0, &["plan", "-o", "plan.json"], &[]);
    for format in ["json", "markdown", "github", "sarif", "junit", "html"] {
        run(0, &["plan", "--format", format], &[]);
        run(0, &["show", "plan.json", "--format", format], &[]);
    }
    let reports = ["r.json", "r.txt", "r.md", "r.html", "r.sarif", "r.xml"];
    let reports = reports.iter().flat_map(|name| ["--report", name]);
    let apply: Vec<&str> = ["apply", "plan.json", "--in-flight", "1"].into_iter().chain(reports).collect();
    run(4, &apply, &role);
    run(0, &["resolve", "--auto-approve"], &oidc);
    run(0, &["apply", "-y", "--json"], &role);
    run(0, &["drift", "--report", "d.sarif", "--report", "d.md"], &oidc);
    run(0, &["drift", "--format", "junit"], &oidc);
    run(0, &["generate"], &["--cvm-role"]);
    for format in ["human", "json", "csv"] {
        run(0, &["history", "--format", format], &[]);
    }
    for args in [
        &["show"][..],
        &["state", "list"],
        &["state", "show", "one"],
        &["state", "pull"],
        &["state", "verify"],
        &["history", "verify"],
    ] {
        run(0, &[args, &["--format", "json"]].concat(), &[]);
    }
    project.declare(&["two", "three"]);
    run(0, &["destroy", "one", "-y", "--allow-destroy"], &role);
    project.declare(&["two", "three", "four"]);
    run(1, &["apply", "-y", "--sts-endpoint", "http://127.0.0.1:9", "--retry-for", "0s"], &role);
    for part in ["GetCallerIdentity", "AssumeRole", "CreatePostpayPackage", "DEBUG"] {
        assert!(wrote.contains(part), "the log tells of {part}");
    }
    let mut all = vec![(PathBuf::from("what was said"), wrote.into_bytes())];
    for project in [&project, &server] {
        all.extend(project.files());
    }
    let is_source = |name: &Path| name.ends_with("token") || name.ends_with(".tencentcloud/credentials");
    let mut recorded = 0;
    for (name, bytes) in all.iter().filter(|(name, _)| !is_source(name)) {
        let text = String::from_utf8_lossy(bytes);
        for secret in [SECRET_KEY, web_token, "TC3-HMAC-SHA256 Credential=AKID"] {
            assert!(!text.contains(secret), "{} holds {secret}", name.display());
        }
        assert!(!has_issued_secret(&text), "{}", name.display());
        assert!(!has_signature(&text), "{} holds one", name.display());
        recorded +=
            usize::from(name.to_string_lossy().starts_with("record-") && text.contains("GetCallerIdentity"));
    }
    assert!(recorded > 3, "calls were recorded");
    assert!(has_issued_secret(&format!("{}key", "a".repeat(64))));
    assert!(has_signature(&format!("Signature={}", "a".repeat(64))));
}

/// An id is checked where it comes in: what holds our token, however it is spelt, is recorded and shown nowhere.
#[test]
fn what_is_no_id_is_never_recorded_as_one_and_the_outcome_is_unknown() {
    let units = TOKEN.bytes().map(|byte| format!(r"\u{byte:04x}"));
    let escaped = units.collect::<Vec<_>>().concat();
    let spellings = [
        TOKEN.replace('/', "%2F"),
        TOKEN.replace('/', "&#x2F;"),
        TOKEN.replace('/', ""),
        TOKEN.to_uppercase(),
        TOKEN[..TOKEN.len() - 1].to_owned(),
        escaped.replace('\\', r"\\"),
        escaped,
        TOKEN.chars().rev().collect(),
        "a".repeat(1000),
        "env 1".to_owned(),
    ];
    crate::support::in_parallel(spellings, |spelling| {
        let said = spelling.clone();
        let (url, _requests) = scripted(move |action| {
            let response = match action {
                "GetCallerIdentity" => r#""AccountId":"100000000001""#.to_owned(),
                "DescribeEnvs" => r#""Total":0,"EnvList":[]"#.to_owned(),
                _ => format!(r#""TranId":"20200603119423","EnvId":"{said}""#),
            };
            format!(r#"{{"Response":{{{response},"RequestId":"{said}"}}}}"#)
        });
        let project = Project::of(&["one"]);
        let mut command = project.command([
            "apply",
            "-y",
            "--settle",
            "0s",
            "--endpoint",
            &url,
            "--log",
            "debug",
            "--report",
            "r.json",
        ]);
        command.envs(KEYS).env("TENCENTCLOUD_SESSION_TOKEN", TOKEN);
        let ran = Ran::from(command.output().unwrap()).exits(4);
        let record = &project.json(STATE)["environments"]["one"];
        assert_eq!(record["status"], "unknown", "{spelling}");
        assert_eq!(record["tran_id"], "20200603119423", "{spelling}");
        assert!(record["env_id"].is_null(), "{record}");
        let mut texts = vec![ran.stdout.clone(), ran.stderr.clone()];
        let files = project.files().into_values();
        texts.extend(files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        if spelling.len() < 1000 && spelling != "env 1" {
            for text in texts {
                let plain = text.to_lowercase().replace("\\u00", "");
                for part in ["session-token", "nekot-noisses", "may-read-0123", "2d746f6b656e2d74"] {
                    assert!(!plain.contains(part), "{spelling}: {text}");
                }
            }
        }
    });
}

/// A row whose EnvId is no id is one that is missing, so the listing is not complete and nothing is created by it.
#[test]
fn a_row_without_a_proper_id_makes_a_listing_incomplete() {
    let (url, requests) = scripted(move |action| {
        let response = match action {
            "GetCallerIdentity" => r#""AccountId":"100000000001""#,
            _ => r#""Total":2,"EnvList":[{"EnvId":"a-1"},{"EnvId":"b 2"}]"#,
        };
        format!(r#"{{"Response":{{{response},"RequestId":"r"}}}}"#)
    });
    let project = Project::of(&["one"]);
    with_keys(&project, &["apply", "-y", "--endpoint", &url]).exits(1);
    let asked = actions(&requests);
    assert!(!asked.contains("CreatePostpayPackage"), "{asked:?}");
}
