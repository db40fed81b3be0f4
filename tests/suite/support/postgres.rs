//! A PostgreSQL server of the tests' own, in a temporary folder. It ends with the tests' process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use postpay::state::postgres::{Location, PostgresStore};

/// A running server.
pub(crate) struct Server {
    port: u16,
}

/// Where the server's programs are: in `PATH`, or where Debian puts them. None when there are none, which is an error with
/// `POSTPAY_POSTGRES=require`.
fn programs() -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .chain((12..30).rev().map(|version| format!("/usr/lib/postgresql/{version}/bin").into()))
        .find(|folder| folder.join("initdb").is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("POSTPAY_POSTGRES").is_none_or(|value| value != "require"),
            "PostgreSQL is not installed: apt-get install postgresql"
        );
        eprintln!("skipped: PostgreSQL is not installed");
    }
    found
}

/// The server, started by the first test that needs it; None where PostgreSQL is not installed.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Some(Server::start(&programs()?))).as_ref()
}

/// A command as a user that the server accepts: it refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = postgres_user() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/");
    command
}

/// Debian's user for the server, when this process is root.
fn postgres_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    (id(&["-u"])? == 0).then_some(())?;
    Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    #[expect(clippy::zombie_processes, reason = "the shell ends after this process")]
    pub(crate) fn start(bin: &Path) -> Self {
        let folder = super::folder().keep();
        if let Some((uid, gid)) = postgres_user() {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        let data = folder.join("data");
        let made = unprivileged(&bin.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        // The shell ends the server when this process, which holds its standard input, is gone.
        let script = format!(
            "\"$0\" -D \"$1\" -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=\"$1\" \
             -c max_connections=200 & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf \"$2\""
        );
        let mut shell = unprivileged(Path::new("sh"))
            .args(["-c", &script])
            .args([bin.join("postgres"), data, folder])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Held until this process ends.
        std::mem::forget(shell.stdin.take());
        let mut log = BufReader::new(shell.stderr.take().unwrap());
        let (mut line, mut all) = (String::new(), String::new());
        while !line.contains("ready to accept connections") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended:\n{all}");
            all.push_str(&line);
        }
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { port }
    }

    /// A URL with a project that no other test has.
    pub(crate) fn url(&self) -> String {
        static PROJECTS: AtomicUsize = AtomicUsize::new(0);
        let number = PROJECTS.fetch_add(1, Ordering::Relaxed);
        format!("postgres://postgres@127.0.0.1:{}/postgres?project=test-{number}", self.port)
    }

    /// Runs SQL and returns what it printed.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.sql_in("postgres", sql)
    }

    pub(crate) fn sql_in(&self, database: &str, sql: &str) -> String {
        let output = Command::new("psql")
            .args(["-XAtq", "-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-p"])
            .args([&self.port.to_string(), "-c", sql, database])
            .output()
            .unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// A store at `url`, with rescue files below `folder`.
pub(crate) fn store(url: &str, folder: &Path) -> PostgresStore {
    let location = Location::parse(url, |_| None, |_, _, _, _| Ok(None)).unwrap();
    PostgresStore::new(location, folder.join("postpay.rescue")).unwrap()
}

/// What happens to the connection that sends a certain statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The statement never arrives.
    Request,
    /// It is carried out, and the answer never arrives.
    Answer,
}

/// A proxy that loses one statement or its answer, and the connection with it.
pub(crate) struct Proxy {
    port: u16,
    wanted: Arc<Mutex<Option<(&'static str, Cut)>>>,
}

impl Proxy {
    pub(crate) fn new(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, target) = (listener.local_addr().unwrap().port(), server.port);
        let wanted: Arc<Mutex<Option<(&str, Cut)>>> = Arc::default();
        let shared = Arc::clone(&wanted);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
                let is_deaf = Arc::new(AtomicBool::new(false));
                let (answers, to_client, deaf) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&is_deaf));
                thread::spawn(move || forward(answers, to_client, |_| !deaf.load(Ordering::SeqCst)));
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let other = server.try_clone().unwrap();
                    forward(client, server, |sent| {
                        let mut wanted = shared.lock().unwrap();
                        let Some((_, cut)) = wanted.take_if(|(part, _)| contains(sent, part)) else {
                            return true;
                        };
                        is_deaf.store(true, Ordering::SeqCst);
                        if cut == Cut::Request {
                            drop(other.shutdown(Shutdown::Both));
                        }
                        cut == Cut::Answer
                    });
                });
            }
        });
        Self { port, wanted }
    }

    /// The URL through the proxy.
    pub(crate) fn url(&self, server: &Server, url: &str) -> String {
        url.replace(&format!(":{}/", server.port), &format!(":{}/", self.port))
    }

    /// Cuts the next connection that sends a statement with this in it.
    pub(crate) fn cut(&self, part: &'static str, cut: Cut) {
        *self.wanted.lock().unwrap() = Some((part, cut));
    }

    pub(crate) fn is_done(&self) -> bool {
        self.wanted.lock().unwrap().is_none()
    }
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

/// Copies from one stream to another while `passes` says so, then closes both.
fn forward(mut from: TcpStream, mut to: TcpStream, mut passes: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !passes(&buffer[..count]) || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
