//! The runtime that calls are made in.

use tokio::runtime::{Builder, Runtime};

use super::error::{Failure, NOTHING_SENT};
use crate::i18n::text;

/// Threads of the runtime for calls, and of its pool for name resolution.
const WORKERS: usize = 2;
const RESOLVERS: usize = 2;
/// Threads beside the runtime: signals, output and its caller's other needs.
const OTHER_THREADS: usize = 4;
/// Files and sockets that a run with the most calls under way may have open at once.
const FILES: usize = 100;

/// A runtime that has all its threads, or an error before anything is sent: tokio would panic, or hang, later.
pub(super) fn start() -> Result<Runtime, Failure> {
    let cant_start = |error: std::io::Error| {
        let why = text!(
            "cannot start: {error}; postpay needs about ten threads and {FILES} open files",
            error,
            FILES
        );
        Failure::new("resources", why)
            .help(text!("raise the limits (`ulimit -u`, `ulimit -n`), then run the command again"))
            .help(NOTHING_SENT)
    };
    check_threads(WORKERS + RESOLVERS + OTHER_THREADS)
        .and_then(|()| check_files(FILES))
        .map_err(cant_start)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(RESOLVERS)
        .thread_keep_alive(std::time::Duration::MAX)
        .enable_all()
        .build()
        .map_err(cant_start)?;
    // The pool starts its threads when they are first needed, and none after that.
    let started = std::sync::Arc::new(std::sync::Barrier::new(RESOLVERS + 1));
    for _ in 0..RESOLVERS {
        let started = std::sync::Arc::clone(&started);
        drop(runtime.spawn_blocking(move || started.wait()));
    }
    started.wait();
    Ok(runtime)
}

/// Fails when the system does not allow so many threads at once.
fn check_threads(count: usize) -> std::io::Result<()> {
    let mut threads = Vec::new();
    let started = (0..count).try_for_each(|_| {
        let (hold, wait) = std::sync::mpsc::channel::<()>();
        threads.push((std::thread::Builder::new().spawn(move || wait.recv())?, hold));
        Ok(())
    });
    for (thread, hold) in threads {
        drop(hold);
        let _ = thread.join();
    }
    started
}

/// Fails when the system does not allow so many open files at once.
fn check_files(count: usize) -> std::io::Result<()> {
    let first = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    let opened: std::io::Result<Vec<_>> = (1..count).map(|_| first.try_clone()).collect();
    opened.map(drop)
}
