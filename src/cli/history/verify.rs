//! `postpay history verify`: whether the past is whole and unchanged.

use crate::cli::error::{Exit, Failure};
use crate::cli::ui::Ui;
use crate::i18n::text;
use crate::report::verify::HistoryVerification;
use crate::state::StateStore;
use crate::state::verify::{self, Problem};

/// Verify the receipts' hash chain
///
/// Exits with 1 if a receipt was changed, is damaged or missing, or if the state does not match the receipts.
/// Reads only; takes no lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay history verify
  postpay state verify       also compare the state, field by field")]
pub(super) struct Args {}

pub(super) fn run(Args {}: &Args, store: &dyn StateStore, ui: &mut Ui) -> Result<Exit, Failure> {
    let receipts = verify::read_all(store)?.receipts;
    let found = verify::verify(store)?;
    let view = HistoryVerification::new(&receipts, &found);
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
