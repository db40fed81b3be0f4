//! `postpay history`: what was ever ordered, from the receipts.

mod past;
mod reconcile;
mod since;
mod verify;

use super::env;
use super::error::{Exit, Failure};
use super::options::{Api, Format, Global};
use super::project::Project;
use super::ui::Ui;
use crate::model::Address;
use crate::report::history::HistoryView;
use crate::state::history::{Filter, HistoryEvent};
use past::Past;
use since::Since;

/// List every order, oldest first
///
/// Reads the receipts and the open run. Shows what was requested and when, by whom, from which line of which commit, the response, and what was
/// found out later. Includes every request that may have changed something, and those that were rejected.
/// Reads only; takes no lock and sends nothing.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  postpay history --since 7d           the last week
  postpay history --csv > orders.csv   for a spreadsheet

Exits with 1 if a receipt is damaged or missing; the rest is still shown."
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Also show unsent requests and changes of the state
    #[arg(long)]
    all: bool,
    /// Only since this time, for example 2026-05-01 or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only this address, under all its names; repeatable
    #[arg(long = "address", value_name = "ADDR")]
    addresses: Vec<Address>,
    /// Print CSV, as --format csv
    #[arg(long)]
    csv: bool,
}

impl Args {
    /// It shows rows, and compares nothing.
    pub(super) fn is_list(&self) -> bool {
        self.command.is_none()
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::Args),
    Reconcile(reconcile::Args),
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, ui)?;
    let store = project.store()?;
    match &args.command {
        Some(Command::Verify(args)) => return verify::run(args, &*store, ui),
        Some(Command::Reconcile(args)) => return reconcile::run(args, &*store, ui),
        None => {}
    }
    let past = Past::load(&*store)?;
    let filter = Filter {
        all: args.all,
        since: args.since.map(|since| since.from(env::now())),
        addresses: args.addresses.clone(),
    };
    let events: Vec<&HistoryEvent> = past.events.iter().filter(|event| event.matches(&filter)).collect();
    let view = HistoryView::new(&events, &past.problems);
    if args.csv {
        ui.format = Format::Csv;
    }
    ui.print_view(&view)?;
    ui.diagnose(&past.notices);
    ui.diagnose(&past.problems);
    ui.write_reports(&view)?;
    if events.is_empty()
        && let Some(unknown) = past.check_addresses(&args.addresses)
    {
        ui.diagnose(&[unknown]);
    }
    Ok(past.exit())
}
