//! Ctrl-C and SIGTERM.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, WeakProgressBar};
use tokio::sync::watch;

/// A run has been begun: from then on Ctrl-C asks it to stop, and its progress is its own.
static RUN: AtomicBool = AtomicBool::new(false);
/// The line of progress that Ctrl-C clears; None before the first, since nobody listens then.
static LINE: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

/// Passes the first signal on, and returns at the second.
pub(super) async fn two_signals(stop: watch::Sender<bool>) {
    RUN.store(true, Ordering::SeqCst);
    signal().await;
    let _ = stop.send(true);
    signal().await;
}

pub(super) async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// What Ctrl-C does by itself, with this line of progress cleared first. For what only looks or waits: a run has an answer of its
/// own, and is never left like this.
pub(super) fn clear_on_interrupt(line: &ProgressBar) {
    let mut shown = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = shown.is_none();
    *shown = Some(line.downgrade());
    if is_first {
        // For good: once a program listens, Ctrl-C does nothing any more by itself.
        std::thread::spawn(listen);
    }
}

#[expect(
    clippy::exit,
    reason = "what a signal does by itself; nothing is under way that could be lost"
)]
fn listen() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return;
    };
    runtime.block_on(async {
        while tokio::signal::ctrl_c().await.is_ok() {
            if RUN.load(Ordering::SeqCst) {
                continue;
            }
            let line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = line.as_ref().and_then(WeakProgressBar::upgrade) {
                line.finish_and_clear();
            }
            // As a shell tells of it.
            std::process::exit(130);
        }
    });
}
