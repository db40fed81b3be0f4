//! A served sandbox, and keys that it rejects.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use postpay::sandbox::SECRET_ID;

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
fn wrong_keys_end_the_run_and_order_nothing() {
    let server = Project::empty();
    let (_running, url) = serve(&server, &[]);
    let project = Project::of(&["one", "two"]);
    let secret = "notTheRightKeyAtAll0123456789";
    let mut command = project.command(["apply", "-y", "--on-error", "continue", "--endpoint", &url]);
    command.env("TENCENTCLOUD_SECRET_ID", SECRET_ID).env("TENCENTCLOUD_SECRET_KEY", secret);
    Ran::from(command.output().unwrap())
        .exits(1)
        .says(&["AuthFailure.SignatureFailure", "nothing was created"])
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
        .says(&["cannot listen on"]);
    server.run(["sandbox", "serve", "--listen", "0.0.0.0:0"]).exits(1).says(&["not a loopback address"]);
}
