//! `postpay lock`: who writes to the state now, and which run is open.

use super::error::{Exit, Failure};
use super::options::{Api, Global};
use super::project::Project;
use super::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::report::clean;
use crate::report::lock::LockView;
use crate::state::lock_report;

/// Show the state lock
///
/// The lock belongs to a process and is released when the process ends, however it ends: there is never a
/// stale lock to remove.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Status(StatusArgs),
}

/// Show who holds the state lock, and the open run
///
/// Shows since when and for which command. Exits with 0 whether the lock is held or free. Reads only.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay lock status
  postpay lock status --format json | jq .held")]
pub(super) struct StatusArgs {}

pub(super) fn run(command: &Command, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let Command::Status(StatusArgs {}) = command;
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let found = lock_report(&*project.store()?)?;
    if let Err(error) = &found.open {
        ui.diagnose(&[Diagnostic::warning(
            error.code(),
            error.text().map(|error| clean(error).into_owned()),
        )]);
    }
    ui.show(&LockView::new(&found))?;
    Ok(Exit::Fine)
}
