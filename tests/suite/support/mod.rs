//! A hermetic place to run the real program in: a folder of its own, an environment of its own, and output in which what
//! differs from run to run has a name instead.

#[cfg(unix)]
pub(crate) mod postgres;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use postpay::sandbox::{LedgerEntry, read_ledger};
use tempfile::TempDir;

pub(crate) const STATE: &str = "state/postpay.state.json";
pub(crate) const JOURNAL: &str = "state/postpay.journal.jsonl";
pub(crate) const LEDGER: &str = "state/postpay.sandbox.jsonl";
pub(crate) const RECEIPTS: &str = "state/receipts";
pub(crate) const MANIFEST: &str = "environments/shop.yaml";

/// Long enough for anything that comes at all, on a busy computer.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

/// A new folder, in memory where the system has a place for that: what is tested dies with a process and not with the
/// computer.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("postpay-").tempdir_in(place).unwrap()
}

/// A folder with a project in it.
pub(crate) struct Project {
    dir: TempDir,
    /// Whether creates are sent at the rate, and as many at a time, as users have it.
    real_pace: bool,
}

impl Project {
    pub(crate) fn empty() -> Self {
        Self { dir: folder(), real_pace: false }
    }

    /// For tests about pace, and those that set it themselves. All others create one after the other, 100 a second.
    pub(crate) fn at_real_pace(mut self) -> Self {
        self.real_pace = true;
        self
    }

    /// A project against the embedded endpoint that declares one environment for each alias.
    pub(crate) fn of(aliases: &[&str]) -> Self {
        let project = Self::empty();
        project.write("postpay.yaml", "version: 1\napi:\n  endpoint: sandbox\n");
        project.declare(aliases);
        project
    }

    /// One that has ordered what it declares.
    pub(crate) fn ordered(aliases: &[&str]) -> Self {
        let project = Self::of(aliases);
        project.run(["apply", "-y"]).exits(0);
        project
    }

    pub(crate) fn declare(&self, aliases: &[&str]) {
        self.write(MANIFEST, manifest(aliases));
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.file(name).symlink_metadata().is_ok()
    }

    /// Replaces `from`, which must be there, by `to` in a file.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no `{from}`:\n{text}");
        self.write(name, text.replace(from, to));
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The program with these arguments, in this folder.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postpay"));
        command.args(args);
        self.settle(&mut command);
        command
    }

    /// As [`Project::command`], where nothing but the program itself keeps what it makes from everybody else.
    pub(crate) fn command_open_to_all<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 000; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_postpay")).args(args);
        self.settle(&mut command);
        command
    }

    /// Any program, in this folder and this environment.
    pub(crate) fn settle(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            // No machine's role is there to be found.
            .env("POSTPAY_METADATA_ENDPOINT", "http://127.0.0.1:9")
            // The user that the snapshots name, whoever runs the tests.
            .env("USER", "unknown")
            .env("COLUMNS", "100")
            // One look is enough where the embedded endpoint lists at once.
            .env("POSTPAY_SETTLE", "0s")
            .stdin(Stdio::null());
        if !self.real_pace {
            command.env("POSTPAY_RATE", "100").env("POSTPAY_IN_FLIGHT", "1");
            if self.is_embedded(command) {
                command.env("POSTPAY_SANDBOX_RATE", "1000");
            }
        }
    }

    /// Whether it serves or uses the embedded endpoint; its flags are rejected beside another one.
    fn is_embedded(&self, command: &Command) -> bool {
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
        let folder = args.iter().position(|arg| arg == "-C").map_or(".", |at| &*args[at + 1]);
        let settings = fs::read_to_string(self.file(folder).join("postpay.yaml")).unwrap_or_default();
        let is_told_another = args.iter().any(|arg| arg.starts_with("--endpoint"));
        args.iter().any(|arg| arg == "serve") || (settings.contains("endpoint: sandbox") && !is_told_another)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let mut ran = Ran::from(self.command(&args).output().unwrap());
        ran.line = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        ran
    }

    /// Starts the program, for tests that talk to it while it runs.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::new(command)
    }

    /// What the embedded endpoint was asked for, in order.
    pub(crate) fn ledger(&self) -> Vec<LedgerEntry> {
        self.ledger_at(LEDGER)
    }

    pub(crate) fn ledger_at(&self, name: &str) -> Vec<LedgerEntry> {
        let mut entries = read_ledger(&self.file(name)).unwrap();
        entries.retain(|entry| {
            ["CreatePostpayPackage", "CreateEnv", "CreateCloudRunEnv"].contains(&entry.action.as_str())
        });
        entries
    }

    /// How often each alias was really ordered.
    pub(crate) fn orders(&self) -> BTreeMap<String, usize> {
        let mut orders = BTreeMap::new();
        for entry in self.ledger().iter().filter(|entry| entry.acted) {
            let alias = entry.params["Alias"].as_str().unwrap().to_owned();
            *orders.entry(alias).or_default() += 1;
        }
        orders
    }

    /// The aliases that were ordered, each exactly once.
    pub(crate) fn ordered_once(&self) -> Vec<String> {
        let orders = self.orders();
        assert!(orders.values().all(|times| *times == 1), "ordered twice: {orders:?}");
        orders.into_keys().collect()
    }

    /// Every byte that says what was done, but for the endpoint's ledger, which holds what was only asked too: a run that does
    /// nothing leaves it alone.
    pub(crate) fn memory(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.files()
            .into_iter()
            .filter(|(path, _)| {
                path.starts_with("state")
                    && path.extension().is_none_or(|it| it != "lock")
                    && *path != Path::new(LEDGER)
            })
            .collect()
    }

    /// Every file below the folder, by its path from there. Links and the like are left out.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let kind = path.symlink_metadata().unwrap();
                if kind.is_dir() {
                    walk(root, &path, found);
                } else if kind.is_file() {
                    let name = path.strip_prefix(root).unwrap().to_owned();
                    found.insert(name, fs::read(path).unwrap());
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self.path(), self.path(), &mut found);
        found
    }

    /// The only receipt's name.
    pub(crate) fn receipt(&self) -> String {
        let mut names: Vec<_> = fs::read_dir(self.file(RECEIPTS))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names.len(), 1, "{names:?}");
        format!("{RECEIPTS}/{}", names.remove(0))
    }
}

/// A manifest that declares one environment for each alias, under the same name.
pub(crate) fn manifest(aliases: &[&str]) -> String {
    let mut text = "\
version: 1
defaults:
  env_source: qcloud
  channel: qc_console
environments:
"
    .to_owned();
    for alias in aliases {
        let _ = write!(text, "  {alias}:\n    alias: {alias}\n");
    }
    text
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) line: String,
    /// None when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            line: String::new(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Both streams say all of this, together.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        let said = format!("{}{}", self.stdout, self.stderr);
        for text in texts {
            assert!(said.contains(text), "`{text}` is not in\n{self}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn does_not_say(self, texts: &[&str]) -> Self {
        let said = format!("{}{}", self.stdout, self.stderr);
        for text in texts {
            assert!(!said.contains(text), "`{text}` is in\n{self}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

/// As in a terminal, for snapshots.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, code, stdout, stderr } = self;
        writeln!(f, "$ postpay {line}")?;
        match code {
            Some(code) => writeln!(f, "exit: {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name} ---\n{}", text.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}

/// A program that runs. It ends with the test at the latest.
pub(crate) struct Running {
    child: Option<Child>,
    stderr: Option<BufReader<ChildStderr>>,
}

impl Running {
    pub(crate) fn new(mut command: Command) -> Self {
        Self { child: Some(command.spawn().unwrap()), stderr: None }
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    pub(crate) fn id(&mut self) -> u32 {
        self.child().id()
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        let mut stdin = self.child().stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
    }

    /// Reads standard error up to the line that holds `text`, and gives what was read.
    pub(crate) fn told(&mut self, text: &str) -> String {
        let mut told = String::new();
        let stderr = self.stderr();
        while !told.contains(text) {
            let read = stderr.read_line(&mut told).unwrap();
            assert!(read > 0, "it never said `{text}`:\n{told}");
        }
        told
    }

    /// What is left of standard error; for after [`Self::told`].
    pub(crate) fn rest_of_stderr(&mut self) -> String {
        let mut rest = String::new();
        self.stderr().read_to_string(&mut rest).unwrap();
        rest
    }

    fn stderr(&mut self) -> &mut BufReader<ChildStderr> {
        if self.stderr.is_none() {
            let stderr = self.child().stderr.take().unwrap();
            self.stderr = Some(BufReader::new(stderr));
        }
        self.stderr.as_mut().unwrap()
    }

    /// The standard output, for a reader of one's own.
    pub(crate) fn stdout(&mut self) -> std::process::ChildStdout {
        self.child().stdout.take().unwrap()
    }

    /// `TERM`, `INT`, as `kill` names them.
    pub(crate) fn signal(&mut self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill -s {name}");
    }

    /// kill -9
    pub(crate) fn kill(&mut self) {
        self.child().kill().unwrap();
        self.child().wait().unwrap();
    }

    /// kill -9, whether or not it is over. True when it was not.
    pub(crate) fn kill_now(&mut self) -> bool {
        let _ = self.child().kill();
        self.child().wait().unwrap().code().is_none()
    }

    pub(crate) fn wait(mut self) -> Ran {
        Ran::from(self.child.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENT, "it never came: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs every case at the same time: an apply waits more than it works.
pub(crate) fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, run: impl Fn(T) + Sync) {
    let run = &run;
    thread::scope(|scope| {
        let threads: Vec<_> = cases.into_iter().map(|case| scope.spawn(move || run(case))).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// Runs every case, some at a time: for more cases than a computer can run at once.
pub(crate) fn in_parallel<T: Send>(cases: impl IntoIterator<Item = T>, run: impl Fn(T) + Sync) {
    in_parallel_by(4, cases, run);
}

/// As [`in_parallel`], with so many at a time for each core: more where they wait more than they work.
pub(crate) fn in_parallel_by<T: Send>(
    per_core: usize,
    cases: impl IntoIterator<Item = T>,
    run: impl Fn(T) + Sync,
) {
    let cases: Vec<T> = cases.into_iter().collect();
    let cases = std::sync::Mutex::new(cases.into_iter());
    let workers = per_core * thread::available_parallelism().map_or(2, usize::from);
    at_once(0..workers, |_| {
        loop {
            let next = cases.lock().unwrap().next();
            match next {
                Some(case) => run(case),
                None => return,
            }
        }
    });
}

/// What differs from run to run, and what stands in its place.
pub(crate) fn scrubbed() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    for (pattern, instead) in [
        (r"(/private)?/[^ \n:`']*/postpay-[A-Za-z0-9]{6}", "[DIR]"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[UUID]"),
        (r"\b[0-9a-f]{64}\b", "[SHA256]"),
        (r"\b(run|lineage) [0-9a-f-]{36}", "$1 [UUID]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\b20\d{6}(\d{6})\b", "[DAY]$1"),
        // A TranId begins with a day, and an answer may be cut off within it.
        (r#"(?m)"TranId":"20\d+$"#, r#""TranId":"[CUT]"#),
        // Tencent Cloud's times have no zone.
        (r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b", "[VENDOR_TIME]"),
        (r"-[0-9a-f]{16}\b", "-[SUFFIX]"),
        (r"\(\d+\.\d+ s\)", "([TOOK])"),
        (r"（\d+\.\d+ 秒", "（[TOOK]"),
        (r"用时 \d+\.\d+ 秒", "用时 [TOOK]"),
        (r" in \d+\.\d+ s\.", " in [TOOK]."),
        (r"took \d+\.\d+ s", "took [TOOK]"),
        (r" {2,}\d+\.\d+ (s|秒)  ", "  [TOOK]  "),
        (r"again in \d+\.\d+ s", "again in [TIME]"),
        (r#"_seconds": \d+(\.\d+)?(e-\d+)?"#, r#"_seconds": [TOOK]"#),
        (concat!("postpay_", env!("CARGO_PKG_VERSION")), "postpay_[VERSION]"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
        (r"unknown@[^ \n,，]+", "unknown@[HOST]"),
        (r"(process|pid|-INT) \d+", "$1 [PID]"),
    ] {
        settings.add_filter(pattern, instead);
    }
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings
}

/// Holds what a user sees against what was approved.
macro_rules! assert_shown {
    ($name:expr, $shown:expr) => {
        crate::support::scrubbed().bind(|| insta::assert_snapshot!($name, $shown.to_string()))
    };
}
pub(crate) use assert_shown;
