//! Tencent Cloud's own clients and ours, held against one another by tests/conformance/run.py. What it takes is told there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use postpay::cloud::tencent::sign::{self, Payload};
use serde::Deserialize;

fn script(step: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command
        .arg(root.join("tests/conformance/run.py"))
        .args(["--postpay", env!("CARGO_BIN_EXE_postpay"), "--work"])
        .arg(work())
        .arg(step)
        // It is the sandbox's own key that is used, and nobody's proxy.
        .env_remove("TENCENTCLOUD_SECRET_ID")
        .env_remove("TENCENTCLOUD_SECRET_KEY");
    command
}

/// Beside the tests' own program, which no two checkouts share.
fn work() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    target.join("conformance")
}

/// Whether Tencent Cloud's packages are there; where they can't be had it is said, or is an error where they are required.
fn are_there() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    *THERE.get_or_init(|| {
        let why = match script("environments").output() {
            Ok(output) if output.status.success() => return true,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => format!("python3: {error}"),
        };
        let last = why.trim().lines().last().unwrap_or_default();
        let required = std::env::var("POSTPAY_CONFORMANCE").is_ok_and(|value| value == "require");
        assert!(!required, "Tencent Cloud's packages are required: {why}");
        eprintln!("skipped: Tencent Cloud's packages can't be had here ({last})");
        false
    })
}

fn holds(step: &str) -> Option<Output> {
    if !are_there() {
        return None;
    }
    let output = script(step).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{step}: {said}");
    Some(output)
}

#[test]
fn the_sdk_that_has_the_action_orders_and_lives_with_what_it_ordered() {
    holds("sdk-old");
}

#[test]
fn the_newest_sdk_lists_renames_and_gives_up() {
    holds("sdk-new");
}

#[test]
fn the_vendors_command_line_orders_behind_tls() {
    holds("tccli");
}

#[test]
fn what_we_send_bears_the_vendors_signature() {
    holds("ours");
}

/// A request that the SDK's code signed.
#[derive(Deserialize)]
struct Signed {
    method: String,
    host: String,
    service: String,
    content_type: String,
    timestamp: i64,
    unsigned: bool,
    query: String,
    body: String,
    secret_id: String,
    secret_key: String,
    signature: String,
}

#[test]
fn a_thousand_signatures_are_the_vendors_byte_for_byte() {
    let Some(output) = holds("sign") else {
        return;
    };
    let lines = String::from_utf8(output.stdout).unwrap();
    for line in lines.lines() {
        let signed: Signed = serde_json::from_str(line).unwrap();
        let request = sign::Request {
            method: &signed.method,
            host: &signed.host,
            query: &signed.query,
            content_type: &signed.content_type,
            action: None,
            payload: if signed.unsigned { Payload::Unsigned } else { Payload::Bytes(signed.body.as_bytes()) },
            timestamp: signed.timestamp,
            service: &signed.service,
        };
        let ours = sign::sign(&request, &signed.secret_id, &signed.secret_key).unwrap();
        assert_eq!(ours.authorization, signed.signature, "{line}");
    }
    assert_eq!(lines.lines().count(), 1000);
}
