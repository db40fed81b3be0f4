//! The real world in, an exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(postpay::cli::main() as u8)
}
