//! The secret key is in no byte that is written or shown.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use postpay::sandbox::{SECRET_ID, SECRET_KEY};

use crate::support::{Project, Ran, Running};

/// `sandbox serve` on a port of its own, and its address.
pub(super) fn serve(project: &Project, args: &[&str]) -> (Running, String) {
    serve_by(|serve| project.command(serve.iter().chain(args)))
}

/// As [`serve`], by a command of one's own.
pub(super) fn serve_by(command: impl FnOnce(&[&str]) -> Command) -> (Running, String) {
    let mut command = command(&["sandbox", "serve", "--listen", "127.0.0.1:0"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::new(command);
    let mut stdout = BufReader::new(running.stdout());
    let mut url = String::new();
    stdout.read_line(&mut url).unwrap();
    (running, url.trim().to_owned())
}

#[test]
fn no_byte_holds_the_secret_key() {
    let server = Project::empty();
    let (mut running, url) = serve(&server, &["--fault", "html@2", "--ledger", "ledger.jsonl"]);
    let project = Project::of(&["one", "two"]);
    let mut logged = false;
    let token = "token-that-nobody-may-read";
    for args in [
        &["plan", "--show-calls"][..],
        &["apply", "-y", "--report", "r.json", "--report", "r.txt"],
        &["apply", "-y", "--json"],
    ] {
        let mut command = project.command(args.iter().chain(&["--endpoint", &url, "--log", "trace"]));
        command.env("TENCENTCLOUD_SECRET_ID", SECRET_ID).env("TENCENTCLOUD_SECRET_KEY", SECRET_KEY);
        if args[0] == "plan" {
            command.env("TENCENTCLOUD_SESSION_TOKEN", token);
        }
        let ran = Ran::from(command.output().unwrap());
        logged |= ran.stderr.contains("INFO");
        ran.does_not_say(&[SECRET_KEY, token, "TC3-HMAC", "Signature="]);
    }
    assert!(logged, "there was a log");
    assert_eq!(server.ledger_at("ledger.jsonl").len(), 2, "signed, and taken");
    for (name, bytes) in project.files() {
        for secret in [SECRET_KEY, token] {
            let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!found, "{} holds a secret", name.display());
        }
    }
    assert!(project.exists("r.json") && project.exists("r.txt"));
    assert!(!project.files().is_empty());
    running.signal("TERM");
    running.wait().exits(0);
}

#[test]
fn the_state_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::of(&["one"]);
    let mut apply = project.command_open_to_all(["apply", "-y"]);
    Ran::from(apply.output().unwrap()).exits(0);
    for (name, expected) in [
        ("state/postpay.state.json", 0o600),
        (&project.receipt(), 0o600),
        ("state", 0o700),
        ("state/receipts", 0o700),
    ] {
        let mode = project.file(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected, "{name}");
    }
}

#[test]
fn wrong_keys_end_the_run_and_order_nothing() {
    let server = Project::empty();
    let (_running, url) = serve(&server, &[]);
    let project = Project::of(&["one", "two"]);
    let secret = "notTheRightKeyAtAll0123456789";
    let mut command = project.command(["apply", "-y", "--on-error", "continue", "--endpoint", &url]);
    command.env("TENCENTCLOUD_SECRET_ID", SECRET_ID).env("TENCENTCLOUD_SECRET_KEY", secret);
    Ran::from(command.output().unwrap())
        .exits(1)
        .says(&["AuthFailure.SignatureFailure", "nothing was ordered"])
        .does_not_say(&[secret]);
    assert!(server.orders().is_empty());
    assert!(server.ledger().is_empty(), "no order fares better");
}

#[test]
fn a_server_in_use_says_so() {
    let server = Project::empty();
    let (_running, url) = serve(&server, &[]);
    server.run(["sandbox", "reset"]).exits(1).says(&["in use by another process"]);
    let address = url.strip_prefix("http://").unwrap();
    server
        .run(["sandbox", "serve", "--listen", address, "--ledger", "other.jsonl"])
        .exits(1)
        .says(&["can't listen on"]);
    server.run(["sandbox", "serve", "--listen", "0.0.0.0:0"]).exits(1).says(&["not a loopback address"]);
}
