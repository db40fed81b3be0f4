//! Ctrl-C and SIGTERM, for what has something to finish. What only looks or waits is ended by them as by default, so that a
//! script that it stands in ends too.

use tokio::sync::watch;

use super::Exit;

/// Passes the first signal on, and returns at the second.
pub(super) async fn two_signals(stop: watch::Sender<bool>) {
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

/// A signal ends the process at once from here on, with this code. For the end of a run: all of it is recorded, and what is
/// left is to show it, to a reader that may never come. By itself a signal does nothing any more, once it was listened for.
#[expect(
    clippy::exit,
    reason = "whoever sends a signal now waits for a report that can't be written"
)]
pub(super) fn end_with(exit: Exit) {
    let listen = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if let Ok(runtime) = runtime {
            runtime.block_on(signal());
            std::process::exit(i32::from(exit as u8));
        }
    };
    // Without it the reports are merely waited for.
    let _ = std::thread::Builder::new().spawn(listen);
}
