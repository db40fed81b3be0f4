//! `postpay state verify`: state, journal and receipts against each other.

use crate::cli::error::{Exit, Failure};
use crate::cli::options::{Api, Global};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::i18n::text;
use crate::report::verify::StateVerification;
use crate::state::verify::{self, Problem};

/// Cross-check state, journal and receipts
///
/// Checks the hash chain of the receipts, that no run is missing, that all of them belong to this state and
/// this account, and that the state is exactly what the receipts rebuild. Reads only; takes no lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state verify                   exit 1 if there are problems
  postpay state verify --format json     for programs")]
pub(in crate::cli) struct Args {}

pub(super) fn run(Args {}: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let found = verify::verify(&*project.store()?)?;
    let view = StateVerification::new(&found);
    ui.print_view(&view)?;
    let mut told = Vec::new();
    for line in found.problems.iter().flat_map(Problem::help) {
        if !told.contains(&line) {
            ui.status(&text!("help: {line}\n", line));
            told.push(line);
        }
    }
    ui.write_reports(&view)?;
    Ok(if found.problems.is_empty() { Exit::Fine } else { Exit::Error })
}
