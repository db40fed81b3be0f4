//! Runs [`postpay::cli`] and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(postpay::cli::main() as u8)
}
