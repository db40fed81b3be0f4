//! The integration tests: one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm
)]

mod changes;
mod check;
mod cli;
mod conformance;
mod crash;
mod disk_faults;
mod docs;
mod endpoint;
mod exclusive;
mod faults;
mod fuzz;
mod html;
mod keys;
mod kinds;
mod laws;
mod layering;
mod life;
mod reads;
mod recovery;
mod schemas;
#[cfg(unix)]
mod shared_state;
mod state_format;
mod store_contract;
mod support;
mod tls;
mod translations;
