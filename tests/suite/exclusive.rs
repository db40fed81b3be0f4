//! What other programs do to the lock, the journal and the state while a run is in progress, and to a run's reader and
//! terminal. The endpoint is outside the process, and its ledger outside the state's folder: it witnesses everything that
//! arrives.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use postpay::sandbox::{self, Sandbox, read_ledger};
use tokio::runtime::Runtime;

use crate::support::{JOURNAL, MANIFEST, PATIENT, Project, RECEIPTS, Ran, Running, STATE, manifest, until};

const LOCK: &str = "state/postpay.state.lock";
const NAMES: [&str; 12] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2", "b3"];
/// Of the creates of one run.
const RATE: &str = "10";

/// A project, and the account that it creates in.
struct Account {
    project: Project,
    runtime: Runtime,
    endpoint: Sandbox,
}

impl Account {
    fn new(latency: Duration) -> Self {
        Self::listing_after(latency, Duration::ZERO)
    }

    /// One that lists what was created after a while.
    fn listing_after(latency: Duration, list_delay: Duration) -> Self {
        let project = Project::empty().at_real_pace();
        project.write("postpay.yaml", "version: 1\n");
        project.write(MANIFEST, manifest(&NAMES));
        let options = sandbox::Options {
            rate: None,
            latency,
            list_delay,
            ..sandbox::Options::new(project.file("ledger.jsonl"))
        };
        let runtime = Runtime::new().unwrap();
        let endpoint = runtime.block_on(Sandbox::start(options)).unwrap();
        Self { project, runtime, endpoint }
    }

    fn command(&self, args: &[&str]) -> Command {
        self.command_in(&self.project, args)
    }

    /// In another copy of the project.
    fn command_in(&self, project: &Project, args: &[&str]) -> Command {
        let mut command = project.command(args);
        command
            .env("POSTPAY_ENDPOINT", self.endpoint.url())
            .env("POSTPAY_RATE", RATE)
            .env("TENCENTCLOUD_SECRET_ID", sandbox::SECRET_ID)
            .env("TENCENTCLOUD_SECRET_KEY", sandbox::SECRET_KEY);
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut ran = Ran::from(self.command(args).output().unwrap());
        ran.line = args.join(" ");
        ran
    }

    fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::new(command)
    }

    /// How often each alias was created.
    fn created(&self) -> BTreeMap<String, usize> {
        let mut created = BTreeMap::new();
        for entry in read_ledger(&self.project.file("ledger.jsonl")).unwrap() {
            if entry.acted {
                *created.entry(entry.params["Alias"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        created
    }

    /// Waits until so many were created.
    fn until_created(&self, count: usize) {
        until("a create", || self.created().len() >= count);
    }

    #[track_caller]
    fn nothing_twice(&self) {
        let created = self.created();
        assert!(created.values().all(|times| *times == 1), "created twice: {created:?}");
    }

    /// The ids that rescue files hold.
    fn rescued(&self) -> String {
        let files = self.project.files().into_iter();
        let rescues = files.filter(|(path, _)| path.to_string_lossy().contains(".rescue."));
        rescues.map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect()
    }

    /// Every TranId that the endpoint gave out is in the state or in a rescue file.
    #[track_caller]
    fn nothing_lost(&self) {
        let state = fs::read_to_string(self.project.file(STATE)).unwrap_or_default();
        let known = state + &self.rescued();
        for entry in read_ledger(&self.project.file("ledger.jsonl")).unwrap() {
            if entry.acted {
                let tran_id = entry.tran_id.unwrap();
                assert!(known.contains(&tran_id), "{tran_id} is lost");
            }
        }
    }

    fn finish(self) {
        self.runtime.block_on(self.endpoint.shutdown());
    }
}

fn tampered(what: &str, tamper: impl Fn(&Project)) {
    let account = Account::new(Duration::ZERO);
    let first = account.start(&["apply", "-y"]);
    account.until_created(2);
    tamper(&account.project);
    // Whoever comes now must not take the live run for a dead one.
    let second = account.run(&["apply", "-y"]);
    let first = first.wait();
    account.nothing_twice();
    assert_eq!(first.code, Some(3), "{what}: {first}");
    assert!(first.stderr.contains("fenced-out") && first.stderr.contains("rescue"), "{what}: {first}");
    // The second finds either a run that has stopped, and finishes its work, or one that is still alive.
    assert!([Some(0), Some(1)].contains(&second.code), "{what}: {second}");
    account.nothing_lost();
    account.finish();
}

#[test]
fn a_run_stops_when_its_lock_is_removed() {
    tampered("removed", |project| {
        fs::remove_file(project.file(LOCK)).unwrap();
    });
}

#[test]
fn a_run_stops_when_its_lock_is_replaced() {
    tampered("replaced", |project| {
        project.write("state/new", "");
        fs::rename(project.file("state/new"), project.file(LOCK)).unwrap();
    });
}

#[test]
fn a_run_stops_when_its_state_folder_is_cleaned() {
    tampered("cleaned", |project| {
        for name in [LOCK, JOURNAL] {
            fs::remove_file(project.file(name)).unwrap();
        }
        let _ = fs::remove_dir_all(project.file(RECEIPTS));
    });
}

#[test]
fn a_live_run_without_its_lock_file_is_not_recovered() {
    let account = Account::new(Duration::from_secs(2));
    let first = account.start(&["apply", "-y", "--in-flight", "1"]);
    account.until_created(1);
    fs::remove_file(account.project.file(LOCK)).unwrap();
    account
        .run(&["apply", "-y"])
        .exits(1)
        .says(&["state-locked", "postpay.journal.jsonl is locked by another process"]);
    first.wait().exits(3);
    assert_eq!(account.created().len(), 1);
    account.nothing_lost();
    account.finish();
}

#[test]
fn the_next_run_finishes_what_a_fenced_out_run_left() {
    let account = Account::new(Duration::ZERO);
    let first = account.start(&["apply", "-y"]);
    account.until_created(2);
    fs::remove_file(account.project.file(LOCK)).unwrap();
    first.wait().exits(3);
    account.run(&["apply", "-y"]).exits(0);
    account.nothing_twice();
    account.nothing_lost();
    assert_eq!(account.created().len(), NAMES.len());
    account.run(&["plan", "--detailed-exitcode"]).exits(0);
    account.finish();
}

/// Without an alias the account cannot show what a create made: only the rescue file has its ids.
#[test]
fn ids_that_only_a_rescue_file_has_stop_creates_until_they_are_imported() {
    let account = Account::new(Duration::ZERO);
    account.project.write("postpay.yaml", "version: 1\nguard: {require_alias: false}\n");
    let defaults = "defaults: {env_source: qcloud, channel: qc_console}";
    let environments = NAMES.map(|name| format!("  {name}: {{}}\n")).concat();
    account.project.write(MANIFEST, format!("version: 1\n{defaults}\nenvironments:\n{environments}"));
    let ids = || {
        let entries = read_ledger(&account.project.file("ledger.jsonl")).unwrap();
        entries.into_iter().filter(|entry| entry.acted).filter_map(|entry| entry.env_id).collect::<Vec<_>>()
    };
    let first = account.start(&["apply", "-y"]);
    until("two creates", || ids().len() >= 2);
    for name in [LOCK, JOURNAL] {
        fs::remove_file(account.project.file(name)).unwrap();
    }
    first.wait().exits(3).says(&["in its rescue file, not in the state"]);
    let created = ids();
    account.run(&["apply", "-y"]).exits(1).says(&["rescue-unrecorded", "postpay import ADDR ENV_ID"]);
    assert_eq!(ids(), created, "created again");
    // A rescue file that cannot be read may have ids, too.
    let rescue = account.project.files().into_keys().find(|path| path.to_string_lossy().contains(".rescue."));
    let rescue = account.project.file(rescue.unwrap().to_str().unwrap());
    let bytes = fs::read(&rescue).unwrap();
    fs::write(&rescue, &bytes[..bytes.len() / 2]).unwrap();
    account.run(&["apply", "-y"]).exits(1).says(&["rescue-unreadable"]);
    assert_eq!(ids(), created, "created again");
    fs::write(&rescue, bytes).unwrap();
    for (name, env_id) in NAMES.iter().zip(&created) {
        account.run(&["import", name, env_id, "-y"]).exits(0);
    }
    account.run(&["apply", "-y"]).exits(0);
    assert_eq!(ids().len(), NAMES.len());
    account.finish();
}

#[test]
fn a_run_stops_when_another_state_is_pulled() {
    let account = Account::new(Duration::ZERO);
    account.project.write(MANIFEST, manifest(&NAMES[..1]));
    account.run(&["apply", "-y"]).exits(0);
    account.project.write(MANIFEST, manifest(&NAMES));
    let first = account.start(&["apply", "-y"]);
    account.until_created(3);
    let pulled = account.project.read(STATE).replace("\"serial\": 1", "\"serial\": 7");
    account.project.write("state/pulled", pulled.clone());
    fs::rename(account.project.file("state/pulled"), account.project.file(STATE)).unwrap();
    first.wait().exits(3).says(&["fenced-out", "postpay.state.json"]);
    account.nothing_twice();
    assert!(account.created().len() < NAMES.len(), "nothing more is created");
    assert_eq!(account.project.read(STATE), pulled, "the pulled state is not overwritten");
    for name in ["a2", "a3"] {
        assert!(account.rescued().contains(&format!("\"{name}\"")), "{}", account.rescued());
    }
    account.run(&["apply", "-y"]).exits(1);
    account.nothing_twice();
    account.finish();
}

#[test]
fn receipts_on_another_file_system_are_refused_before_the_first_create() {
    let account = Account::new(Duration::ZERO);
    fs::create_dir_all(account.project.file(RECEIPTS)).unwrap();
    let mount =
        format!("mount -t tmpfs tmpfs {} && exec \"$0\" \"$@\"", account.project.file(RECEIPTS).display());
    let isolated = ["--user", "--map-root-user", "--mount", "--propagation", "private"];
    let probe = Command::new("unshare").args(isolated).args(["sh", "-c", &mount, "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this system allows no mount namespaces");
        return;
    }
    let like = account.command(&["apply", "-y"]);
    let mut command = Command::new("unshare");
    command.args(isolated).args(["sh", "-c", &mount]).arg(like.get_program()).args(like.get_args());
    account.project.settle(&mut command);
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    Ran::from(command.output().unwrap()).exits(1).says(&["cannot move", "receipts"]);
    assert!(account.created().is_empty());
    account.run(&["apply", "-y"]).exits(0);
    account.finish();
}

/// Fills a pipe that nobody reads, so that it takes nothing more.
fn stall(mut writer: std::io::PipeWriter) -> std::thread::JoinHandle<std::io::Result<()>> {
    // A pipe holds 64 KiB: this ends when the reader is dropped.
    std::thread::spawn(move || writer.write_all(&vec![b'.'; 128 * 1024]))
}

#[test]
fn a_stalled_reader_holds_up_no_run() {
    for args in [&["apply", "-y"][..], &["apply", "-y", "--json"], &["apply", "-y", "--log", "debug"]] {
        let account = Account::new(Duration::ZERO);
        let (reader, writer) = std::io::pipe().unwrap();
        let other = writer.try_clone().unwrap();
        let mut command = account.command(args);
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut running = Running::new(command);
        account.until_created(1);
        let filling = stall(other);
        until("the end of the run", || account.project.exists(STATE) && !account.project.exists(JOURNAL));
        assert_eq!(account.created().len(), NAMES.len(), "{args:?}");
        account.nothing_lost();
        // Whoever waits for the state is not held up by the reader either.
        account.run(&["apply", "-y", "--lock-timeout", "30s"]).exits(0);
        running.signal("TERM");
        running.wait().exits(0);
        drop(reader);
        let _ = filling.join();
        account.nothing_twice();
        account.finish();
    }
}

#[test]
fn a_second_signal_ends_a_run_whose_reader_has_stalled() {
    let account = Account::new(Duration::from_secs(5));
    let (reader, writer) = std::io::pipe().unwrap();
    let other = writer.try_clone().unwrap();
    let mut command = account.command(&["apply", "-y"]);
    command.stdout(Stdio::null()).stderr(writer);
    let mut running = Running::new(command);
    account.until_created(1);
    let filling = stall(other);
    let began = Instant::now();
    // Two that come before the first is received count as one.
    for _ in 0..10 {
        running.signal("TERM");
        std::thread::sleep(Duration::from_millis(200));
    }
    running.wait().exits(4);
    assert!(began.elapsed() < PATIENT / 2);
    drop(reader);
    let _ = filling.join();
    account.finish();
}

#[test]
fn a_hangup_ends_a_run_in_order_unless_it_was_ignored() {
    let account = Account::new(Duration::ZERO);
    let mut running = account.start(&["apply", "-y"]);
    account.until_created(2);
    running.signal("HUP");
    running.wait().exits(3);
    let created = account.created().len();
    assert!(created < NAMES.len());
    account.nothing_lost();

    let like = account.command(&["apply", "-y"]);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(like.get_program()).args(like.get_args());
    account.project.settle(&mut command);
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::new(command);
    account.until_created(created + 1);
    running.signal("HUP");
    running.wait().exits(0);
    assert_eq!(account.created().len(), NAMES.len());
    account.nothing_twice();
    account.finish();
}

#[test]
fn too_few_open_files_are_an_error_before_anything_is_sent() {
    for limit in [7, 8, 9, 10, 12, 24, 48, 96] {
        let account = Account::new(Duration::ZERO);
        let like = account.command(&["apply", "-y"]);
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={limit}")).arg(like.get_program()).args(like.get_args());
        account.project.settle(&mut command);
        for (name, value) in like.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        Ran::from(command.output().unwrap()).exits(1);
        assert!(account.created().is_empty(), "{limit}");
        account.run(&["apply", "-y"]).exits(0);
        account.finish();
    }
}

#[test]
fn two_copies_of_a_project_stop_when_they_see_each_other() {
    let account = Account::listing_after(Duration::ZERO, Duration::from_secs(4));
    let copy = Project::empty().at_real_pace();
    copy.write("postpay.yaml", "version: 1\n");
    copy.write(MANIFEST, manifest(&NAMES));
    // Both begin before either sees what the other creates.
    let start = |project: &Project| {
        let mut command = account.command_in(project, &["apply", "-y"]);
        command.env("POSTPAY_RATE", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::new(command)
    };
    let (first, second) = (start(&account.project), start(&copy));
    for run in [first.wait(), second.wait()] {
        let run =
            run.exits(3).says(&["somebody else may be creating from the same manifests", "postpay import"]);
        assert!(run.stdout.contains("not attempted"), "{run}");
    }
    // Best effort: what both created before they saw each other exists twice, and the rest was not created at all.
    assert!(account.created().len() < NAMES.len(), "{:?}", account.created());
    let found = account.run(&["drift"]).exits(2);
    assert!(found.stdout.contains("possible-duplicate"), "{found}");
    account.finish();
}

#[test]
fn an_account_that_does_not_list_what_it_creates_stops_the_first_run() {
    let account = Account::listing_after(Duration::ZERO, Duration::from_secs(3600));
    let mut command = account.command(&["apply", "-y", "--settle", "3s"]);
    command.env("POSTPAY_RATE", "2").stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = Running::new(command).wait().exits(3);
    assert!(run.stdout.contains("does not show a1-"), "{run}");
    assert!(account.created().len() < NAMES.len(), "{:?}", account.created());
    account.nothing_lost();
    account.nothing_twice();
    account.finish();
}
