//! `postpay state show`: the state of one address.

use crate::cli::edit::unknown_address;
use crate::cli::error::{Exit, Failure};
use crate::cli::options::{Api, Global};
use crate::cli::project::Project;
use crate::cli::ui::Ui;
use crate::model::Address;
use crate::report::state::StateShow;

/// Show everything the state has for an address
///
/// Deposed environments are included. Reads only; takes no lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay state show shop-prod                  ids, fields, time and run
  postpay state show shop-prod --format json    the record in the state file")]
pub(in crate::cli) struct Args {
    /// The address
    #[arg(value_name = "ADDR")]
    address: Address,
}

pub(super) fn run(Args { address }: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let Some(state) = project.read_state(ui)? else {
        return Err(super::pull::no_state());
    };
    let record = state.get(address);
    let deposed: Vec<_> = state.deposed_at(address).collect();
    if record.is_none() && deposed.is_empty() {
        return Err(unknown_address(address, &state));
    }
    ui.show(&StateShow::new(address, record, &deposed))?;
    Ok(Exit::Fine)
}
