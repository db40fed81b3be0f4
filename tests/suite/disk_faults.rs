//! A disk that is full at every write of a run, in turn: through the real binary, judged by the sandbox's ledger.
//!
//! A limit on the size of files stands for the full disk, set to the middle of what is being written: that write is cut
//! short and fails, and so does every other of its size. The endpoint runs in this process, where no limit binds, so that the
//! ledger tells the truth of everything that arrived.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use postpay::sandbox::{self, LedgerEntry, Sandbox, read_ledger};
use postpay::state::file::FileStore;
use postpay::state::{State, StateStore, Status, read, rescue};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::until;

/// How many environments are there before the run that meets the full disk: enough for its state to be larger than its
/// journal, so that the journal fits where the state does not.
const BEFORE: usize = 8;
/// How many that run orders.
const NEW: usize = 2;

struct Project {
    folder: TempDir,
    runtime: Runtime,
    endpoint: Option<Sandbox>,
    /// Where orders go that find no room beside the state; a folder of this test alone.
    temporary: TempDir,
    new: Vec<String>,
}

impl Project {
    /// With `before` environments in the state and `new` more declared.
    fn new(before: usize, new: usize) -> Self {
        let folder = crate::support::folder();
        let runtime = Runtime::new().unwrap();
        let ledger = folder.path().join("ledger.jsonl");
        let options = sandbox::Options { rate: None, ..sandbox::Options::new(ledger) };
        let endpoint = runtime.block_on(Sandbox::start(options)).unwrap();
        let project = Self {
            folder,
            runtime,
            endpoint: Some(endpoint),
            temporary: crate::support::folder(),
            new: (1..=new).map(|n| format!("new-{n}")).collect(),
        };
        let old: Vec<String> = (1..=before).map(|n| format!("old-{n}")).collect();
        if before > 0 {
            project.declare(&old);
            let output = project.postpay(&["apply", "-y"]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        }
        project.declare(&[&old[..], &project.new].concat());
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn declare(&self, names: &[String]) {
        use std::fmt::Write as _;
        let mut text = "version: 1\nenvironments:\n".to_owned();
        for name in names {
            writeln!(
                text,
                "  {name}: {{alias: {name}, source: qcloud, env_source: qcloud, channel: qc_console}}"
            )
            .unwrap();
        }
        fs::create_dir_all(self.path("environments")).unwrap();
        fs::write(self.path("environments/all.yaml"), text).unwrap();
    }

    fn postpay(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postpay"));
        command.args(arguments);
        self.dress(command)
    }

    /// The same, where no file may grow past so many bytes.
    fn limited(&self, bytes: u64, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec prlimit --fsize=\"$0\" \"$@\""])
            .arg(bytes.to_string())
            .arg(env!("CARGO_BIN_EXE_postpay"))
            .args(arguments);
        self.dress(command)
    }

    fn dress(&self, mut command: Command) -> Command {
        let url = self.endpoint.as_ref().map(Sandbox::url).unwrap_or_default();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("POSTPAY_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.folder.path())
            .env("POSTPAY_ENDPOINT", url)
            .env("POSTPAY_RATE", "50")
            .env("TENCENTCLOUD_SECRET_ID", sandbox::SECRET_ID)
            .env("TENCENTCLOUD_SECRET_KEY", sandbox::SECRET_KEY)
            .env("TMPDIR", self.temporary.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    fn ledger(&self) -> Vec<LedgerEntry> {
        read_ledger(&self.path("ledger.jsonl")).unwrap()
    }

    fn store(&self) -> FileStore {
        FileStore::new(self.path("state/postpay.state.json"))
    }

    /// Every rescue file, wherever it went.
    fn rescues(&self) -> Vec<(PathBuf, String)> {
        let folders = [self.path("state"), self.folder.path().to_owned(), self.temporary.path().to_owned()];
        let mut found = Vec::new();
        for folder in folders {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with("postpay.rescue.") {
                    found.push((entry.path(), fs::read_to_string(entry.path()).unwrap()));
                }
            }
        }
        found
    }

    /// Nothing twice and nothing lost, after the disk works again and the next runs were made.
    fn judge(&self, what: &str, unwritten: &str) {
        let plan = self.postpay(&["plan"]).output().unwrap();
        assert_eq!(plan.status.code(), Some(0), "{what}: {}", said(&plan));
        let orders = self.orders();
        let mut again = self.postpay(&["apply", "-y"]).output().unwrap();
        let state = read(&self.store()).unwrap().current().unwrap();
        let unknown = unknown(&state);
        let expected = if unknown.is_empty() { 0 } else { 4 };
        assert_eq!(again.status.code(), Some(expected), "{what}: {}", said(&again));
        for (alias, before) in &orders {
            assert_eq!(self.orders()[alias], *before, "{what}: {alias} again");
        }
        for (alias, count) in self.orders() {
            assert_eq!(count, 1, "{what}: {alias} was ordered {count} times");
        }
        // A third time changes nothing either.
        again = self.postpay(&["apply", "-y"]).output().unwrap();
        assert_eq!(again.status.code(), Some(expected), "{what}");

        let rescued: String = self.rescues().into_iter().map(|(_, text)| text).collect();
        for entry in self.ledger().into_iter().filter(|entry| entry.acted) {
            let tran_id = entry.tran_id.unwrap();
            let alias = entry.params["Alias"].as_str().unwrap();
            let on_record =
                state.environments.values().any(|record| record.tran_id.as_ref() == Some(&tran_id));
            let kept = rescued.contains(&tran_id);
            assert!(
                on_record || kept || unknown.contains(&alias.to_owned()),
                "{what}: {tran_id} of {alias} is lost"
            );
            // What came back and could not be written is told on standard error, id by id.
            if kept {
                assert!(unwritten.contains(&tran_id), "{what}: {unwritten}");
            }
        }
        for name in &self.new {
            assert!(
                state.current().any(|(address, _)| address.as_str() == name),
                "{what}: the next run finished the job"
            );
        }
        let verified = self.postpay(&["state", "verify"]).output().unwrap();
        assert_eq!(verified.status.code(), Some(0), "{what}: {}", said(&verified));
    }

    fn orders(&self) -> BTreeMap<String, usize> {
        let mut orders = BTreeMap::new();
        for entry in self.ledger().into_iter().filter(|entry| entry.acted) {
            let alias = entry.params["Alias"].as_str().unwrap().to_owned();
            *orders.entry(alias).or_default() += 1;
        }
        orders
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.runtime.block_on(endpoint.shutdown());
        }
    }
}

fn unknown(state: &State) -> Vec<String> {
    let unknown = state.environments.iter().filter(|(_, record)| record.status == Status::Unknown);
    unknown.map(|(address, _)| address.to_string()).collect()
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn can_limit() -> bool {
    let probe = Command::new("prlimit").args(["--fsize=9", "true"]).status();
    let can = probe.is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: there is no prlimit here to limit the size of files with");
    }
    can
}

/// Where the lines of a journal end, in bytes, by an undisturbed run of the same kind.
fn rehearsed(count: usize) -> (Vec<u64>, u64, u64) {
    let project = Project::new(count, NEW);
    let before = if count == 0 { 0 } else { size(&project.path("state/postpay.state.json")) };
    let output = project.postpay(&["apply", "-y", "--in-flight", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let receipt = project.store().receipts().unwrap().pop().unwrap();
    let bytes = fs::read(receipt.path).unwrap();
    let ends = (1..=bytes.len()).filter(|length| bytes[length - 1] == b'\n');
    let after = size(&project.path("state/postpay.state.json"));
    (ends.map(|end| end as u64).collect(), before, after)
}

#[test]
fn a_disk_that_is_full_at_any_write_of_a_run_costs_no_order_and_no_id() {
    if !can_limit() {
        return;
    }
    let (ends, _, _) = rehearsed(0);
    let (late_ends, before, after) = rehearsed(BEFORE);
    assert_eq!(ends.len(), 7, "begin, the list, two intents with outcomes, run_ended");
    assert!(late_ends[6] < before, "a journal that fits where a state does not");
    let middle = |line: usize| ends[line - 1].midpoint(ends[line]);
    // What can't be written, how many environments there are before, the limit, the creates that are made all the same, and
    // how the run exits.
    let table = [
        ("the lock", 0, 4, 0, 1),
        ("begin", 0, ends[0] / 2, 0, 1),
        ("the list", 0, middle(1), 0, 1),
        ("the first intent", 0, middle(2), 0, 1),
        ("the first outcome", 0, middle(3), 1, 4),
        ("the second intent", 0, middle(4), 1, 3),
        ("the second outcome", 0, middle(5), 2, 4),
        ("run_ended", 0, middle(6), 2, 3),
        // Found out before anything is paid for.
        ("the state as it was", BEFORE, late_ends[6].midpoint(before), 0, 1),
        ("the state", BEFORE, before.midpoint(after), 2, 3),
    ];
    for (what, count, limit, orders, exit) in table {
        let project = Project::new(count, NEW);
        let output = project.limited(limit, &["apply", "-y", "--in-flight", "1"]).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(exit), "{what}: {text}");
        assert_eq!(project.orders().len(), count + orders, "{what}: {text}");
        let rescues = project.rescues();
        assert_eq!(rescues.len(), usize::from(exit == 4), "{what}: {text}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        for (path, _) in &rescues {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(stderr.contains(name), "{what}: {stderr}");
            assert_eq!(path.parent().unwrap(), project.path("state"), "{what}");
        }
        if exit == 4 {
            // Whoever looks next is pointed to the file, before and after the journal is folded.
            for command in [["plan", "--exclude=new-1"], ["apply", "-y"], ["state", "verify"]] {
                let next = project.postpay(&command).output().unwrap();
                let told = said(&next).contains("postpay.rescue.");
                assert!(told, "{what}: {command:?}: {}", said(&next));
            }
        }
        project.judge(what, &stderr);
        println!("{what:20} limit {limit:5}  exit {exit}  orders {orders}  rescues {}", rescues.len());
    }
}

#[test]
fn a_limit_at_every_hundredth_byte_and_four_in_flight_costs_no_order_and_no_id() {
    if !can_limit() {
        return;
    }
    for limit in (0..3600).step_by(100) {
        let project = Project::new(0, NEW);
        let output = project.limited(limit, &["apply", "-y", "--in-flight", "4"]).output().unwrap();
        let code = output.status.code().unwrap();
        assert!([0, 1, 3, 4].contains(&code), "{limit}: {}", said(&output));
        if code == 1 {
            assert_eq!(project.orders().len(), 0, "{limit}: {}", said(&output));
        }
        project.judge(&format!("limit {limit}"), &said(&output));
    }
}

#[test]
fn a_receipt_that_can_not_be_filed_is_filed_by_the_next_run() {
    let project = Project::new(0, NEW);
    let receipts = project.path("state/receipts");
    // The first order is under way when the journal is there, and the second is a second off.
    let mut command = project.postpay(&["apply", "-y", "--rate", "1"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let journal = project.path("state/postpay.journal.jsonl");
    until("the journal", || journal.exists());
    // Nothing can be listed in it and it can't be made: the journal has nowhere to go.
    fs::remove_dir(&receipts).unwrap();
    std::os::unix::fs::symlink("nowhere", &receipts).unwrap();
    let output = run.unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(journal.exists());
    fs::remove_file(&receipts).unwrap();
    project.judge("the receipt", "");
    assert_eq!(fs::read_dir(&receipts).unwrap().count(), 1);
}

/// Without room beside the state nor in the current folder, the rescue goes to the temporary folder.
#[test]
fn a_rescue_goes_where_there_is_room() {
    let folder = crate::support::folder();
    let store = FileStore::new(folder.path().join("nowhere/postpay.state.json"));
    let run = postpay::state::journal::RunId::fresh();
    let there = folder.path().to_owned();
    let path = rescue::write(&store, &[folder.path().join("full"), there.clone()], run, &[]).unwrap();
    assert_eq!(path, there.join(format!("postpay.rescue.{run}.json")));
}

/// A real full file system, where one may be mounted: the state's folder is a tmpfs that is filled to the last page.
#[test]
fn a_file_system_without_space_costs_no_order_and_no_id() {
    let mut sizes = Vec::new();
    // Pages are 4 KiB, so the journal has to cross several of them; lock, state and backup need theirs too.
    for pages in 1..=12_u64 {
        let project = Project::new(0, 16);
        let state = project.path("state");
        let full = project.path("full");
        fs::create_dir_all(&state).unwrap();
        fs::create_dir_all(&full).unwrap();
        let option = format!("size={}", pages * 4096);
        // A mount of its own name space: nothing is left behind, whatever becomes of this process.
        let script = "mount -t tmpfs -o \"$0\" none state || exit 99; \"$@\"; code=$?; \
                      cp -a state/. full/ || exit 98; exit $code";
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg(option)
            .arg(env!("CARGO_BIN_EXE_postpay"))
            .args(["apply", "-y", "--in-flight", "1"]);
        let output = match project.dress(command).output() {
            Ok(output) if output.status.code() != Some(99) && !refused(&output) => output,
            Ok(_) | Err(_) => {
                eprintln!("skipped: no tmpfs can be mounted here");
                return;
            }
        };
        let code = output.status.code().unwrap();
        assert!([0, 1, 3, 4].contains(&code), "{pages}: {}", said(&output));
        sizes.push(code);
        fs::remove_dir_all(&state).unwrap();
        fs::rename(&full, &state).unwrap();
        project.judge(&format!("{pages} pages"), &said(&output));
    }
    println!("exit codes by pages: {sizes:?}");
    assert!(sizes.iter().any(|code| *code != 0), "never full: {sizes:?}");
}

fn refused(output: &Output) -> bool {
    output.stderr.starts_with(b"unshare:")
}
