//! The local store between real processes: this test binary, started again with one ignored test to run.
#![cfg(unix)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::file::Folder;
use super::*;
use postpay::state::file::FileStore;

/// Tells the other process which state to use.
const STATE: &str = "POSTPAY_TEST_STATE";

fn other_process(mut command: Command, test: &str, folder: &Folder) -> Child {
    command
        .args(["--exact", &format!("store_contract::file_process::{test}")])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .env(STATE, &folder.state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn this_binary() -> PathBuf {
    env::current_exe().unwrap()
}

fn others_store() -> FileStore {
    FileStore::new(env::var_os(STATE).expect("only started by another test"))
}

#[test]
#[ignore = "the other process of a_killed_process_leaves_nothing_to_clear"]
fn holds_the_lock_until_killed() {
    let mut writer = Writer::open(&others_store(), &holder("eve@mill"), NO_WAIT).unwrap();
    let run = run_over(&writer);
    writer.begin(at(1), run).unwrap();
    writer.append(at(2), intent(1, "shop")).unwrap();
    println!("\nheld");
    // Until the other end is gone.
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_killed_process_leaves_nothing_to_clear() {
    let folder = Folder::new();
    let mut child = other_process(Command::new(this_binary()), "holds_the_lock_until_killed", &folder);
    let stdout = BufReader::new(child.stdout.take().unwrap());
    assert!(stdout.lines().any(|line| line.unwrap() == "held"));

    match lock(&folder, "ada@loom").err() {
        Some(StateError::Locked { holder: Some(said), .. }) => {
            assert_eq!((said.who.as_str(), said.pid), ("eve@mill", child.id()));
        }
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();

    // Its words are still there, but they are nobody's.
    assert_eq!(folder.store().lock_status().unwrap(), LockStatus::Free);
    let next = writer(&folder);
    assert!(next.recovered().is_some());
    let record = &next.state().unwrap().get(&address("shop")).unwrap();
    assert_eq!(record.status, Status::Unknown);
}

#[test]
#[ignore = "the other process of a_full_disk_leaves_whole_lines_only"]
fn writes_until_it_may_not() {
    let store = others_store();
    let mut writer = Writer::open(&store, &holder("eve@mill"), NO_WAIT).unwrap();
    let run = run_over(&writer);
    writer.begin(at(1), run).unwrap();
    let mut written = Vec::new();
    let error = loop {
        let step = u32::try_from(written.len()).unwrap() + 1;
        let event = intent(step, &format!("env-{step}"));
        match writer.append(at(2), event.clone()) {
            Ok(()) => written.push(event),
            Err(error) => break error,
        }
        assert!(written.len() < 1000, "there is no limit");
    };
    assert!(matches!(error, StateError::Io { .. }), "{error}");
    assert!(!written.is_empty());
    let bytes = fs::read(store.path().with_file_name("postpay.journal.jsonl")).unwrap();
    assert_eq!(bytes.last(), Some(&b'\n'), "the half line was cut off");
    let entries = postpay::state::read(&store).unwrap().journal.unwrap().entries;
    assert!(entries.into_iter().map(|entry| entry.event).eq(written));
    // What is on disk is known, so that something shorter may still go in.
    let _ = writer.append(at(3), finished());
    println!("\nfull");
}

/// A limit on the size of files stands for a full disk: the write that meets it is cut short, and fails.
#[test]
fn a_full_disk_leaves_whole_lines_only() {
    let folder = Folder::new();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]).arg(this_binary());
    let child = other_process(command, "writes_until_it_may_not", &folder);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("full"), "{said}");

    let next = writer(&folder);
    assert!(next.recovered().is_some());
    let environments = &next.state().unwrap().environments;
    assert!(environments.len() > 1);
    assert!(environments.values().all(|record| record.status == Status::Unknown));
}
