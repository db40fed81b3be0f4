//! Ctrl-C, SIGTERM and SIGHUP, for commands that have something to finish. Every other command is ended by them as by
//! default.

use super::error::Exit;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

/// How long to wait for a stalled reader after a second signal.
const GRACE: Duration = Duration::from_secs(1);
/// No exit code.
const NONE: u8 = u8::MAX;

/// The signals of a run, received by a thread.
pub(super) struct Signals {
    /// Turns true at the first signal: start nothing more.
    pub stop: watch::Receiver<bool>,
    /// Turns true at the second signal. The process ends soon after, whatever it is waiting for.
    leave: watch::Receiver<bool>,
    code: Arc<AtomicU8>,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// When no thread can be started, or the system delivers no signals.
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stops, stop) = watch::channel(false);
        let (leaves, leave) = watch::channel(false);
        let code = Arc::new(AtomicU8::new(NONE));
        let signals = Self { stop, leave, code: Arc::clone(&code) };
        let listen = move || {
            let leave_if_over = || match code.load(Ordering::Relaxed) {
                NONE => {}
                code => leave_now(code),
            };
            runtime.block_on(async {
                let mut signal = Signal::new();
                signal.received().await;
                leave_if_over();
                let _ = stops.send(true);
                signal.received().await;
                leave_if_over();
                let _ = leaves.send(true);
                tokio::time::sleep(GRACE).await;
                leave_if_over();
                leave_now(Exit::Unknown as u8);
            });
        };
        thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
        Ok(signals)
    }

    /// Returns at the second signal.
    pub(super) async fn leave(&self) {
        let mut leave = self.leave.clone();
        if leave.wait_for(|leave| *leave).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// From here on a signal ends the process with this code: the run is recorded, and only output is left.
    pub(super) fn end_with(self, exit: Exit) {
        self.code.store(exit as u8, Ordering::Relaxed);
    }
}

#[expect(clippy::exit, reason = "whoever sends a signal now waits for output that can't be written")]
fn leave_now(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

/// Returns at Ctrl-C, SIGTERM or SIGHUP, which counts only if it was not ignored at the start (`nohup`).
pub(super) async fn signal() {
    Signal::new().received().await;
}

#[cfg(unix)]
struct Signal(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signal {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!ignores_hangup()).then(SignalKind::hangup);
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        Self(kinds.into_iter().chain(hangup).filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn received(&mut self) {
        std::future::poll_fn(|context| {
            let ready = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

/// Whether SIGHUP was ignored when the process started. Only Linux shows it without unsafe code; elsewhere it counts as not
/// ignored, so that a run that loses its terminal ends in order.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    static IGNORED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *IGNORED.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        // SIGHUP is signal 1, the lowest bit.
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
    })
}

#[cfg(not(unix))]
struct Signal;

#[cfg(not(unix))]
impl Signal {
    fn new() -> Self {
        Self
    }

    async fn received(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
