//! `postpay history`: what was ever ordered, from the receipts.

mod reconcile;
mod since;
mod verify;

use super::Exit;
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Format, Global};
use super::world::World;
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::model::Address;
use crate::report::history::HistoryView;
use crate::report::verify::{describe_notice, describe_problem};
use crate::state::State;
use crate::state::file::FileStore;
use crate::state::history::{Filter, HistoryEvent, history};
use crate::state::journal::Journal;
use crate::state::verify::{Kept, Notice, Problem, read_all, verify};
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

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &Api::default())?;
    project.guard_reports(global, world)?;
    let store = world.store(&project.state);
    match &args.command {
        Some(Command::Verify(args)) => return verify::run(args, &store, world),
        Some(Command::Reconcile(args)) => return reconcile::run(args, &store, world),
        None => {}
    }
    let past = Past::of(&store)?;
    let filter = Filter {
        all: args.all,
        since: args.since.map(|since| since.from(world.now())),
        addresses: args.addresses.clone(),
    };
    let events: Vec<&HistoryEvent> = past.events.iter().filter(|event| event.matches(&filter)).collect();
    let view = HistoryView::new(&events, &past.problems);
    if args.csv {
        world.format = Format::Csv;
    }
    world.print_view(&view)?;
    world.diagnose(&past.notices);
    world.diagnose(&past.problems);
    world.write_reports(&view)?;
    if events.is_empty()
        && let Some(unknown) = past.never_was(&args.addresses)
    {
        world.diagnose(&[unknown]);
    }
    Ok(past.exit())
}

/// Everything that is known of the past, and what is missing of it.
struct Past {
    events: Vec<HistoryEvent>,
    state: Option<State>,
    /// Why it is not the whole past.
    problems: Vec<Diagnostic>,
    notices: Vec<Diagnostic>,
}

impl Past {
    fn of(store: &FileStore) -> Result<Self, Failure> {
        let Kept { state, journal, receipts, .. } = read_all(store)?;
        let (state, journal) = (state.ok().flatten(), journal.ok().flatten());
        let mut journals: Vec<Journal> =
            receipts.into_iter().filter_map(|(_, journal)| journal.ok()).collect();
        // One that was folded, and that a crash kept from being filed, is over.
        let open = journal
            .as_ref()
            .map(|journal| journal.started.run)
            .filter(|run| state.as_ref().and_then(|state| state.last_run) != Some(*run));
        journals.extend(journal.filter(|journal| {
            let run = journal.started.run;
            journals.iter().all(|filed| filed.started.run != run)
        }));
        let (problems, notices) = troubles(store)?;
        Ok(Self { events: history(&journals, open, state.as_ref()), state, problems, notices })
    }

    fn exit(&self) -> Exit {
        if self.problems.is_empty() { Exit::Fine } else { Exit::Error }
    }

    /// A name that is in no receipt was probably misspelt.
    fn never_was(&self, addresses: &[Address]) -> Option<Diagnostic> {
        let named = |address: &&Address| {
            let filter = Filter { all: true, since: None, addresses: vec![(*address).clone()] };
            !self.events.iter().any(|it| it.matches(&filter))
        };
        let address = addresses.iter().find(named)?;
        let known: Vec<&str> = self.events.iter().map(|event| event.key.address.as_str()).collect();
        let near = crate::check::near::nearest(address.as_str(), &known);
        let diagnostic = Diagnostic::warning(
            "unknown-address",
            text!("the history has nothing about `{address}`", address),
        );
        Some(match near {
            Some(near) => diagnostic.help(text!("did you mean `{near}`?", near)),
            None => diagnostic,
        })
    }
}

/// What keeps the past from being whole, and what is to be known of it.
fn troubles(store: &FileStore) -> Result<(Vec<Diagnostic>, Vec<Diagnostic>), Failure> {
    let found = verify(store)?;
    let problems = found.problems.iter().filter_map(|problem| match problem {
        Problem::Error(error) => {
            let diagnostic = Diagnostic::error(problem.code(), describe_problem(problem));
            Some(error.help().into_iter().fold(diagnostic, Diagnostic::help))
        }
        // `postpay state verify` shows these: they take nothing away from what is shown.
        Problem::Differs(_) | Problem::Shared { .. } | Problem::Unrecorded { .. } => None,
    });
    let notices = found.notices.iter().filter_map(|notice| match notice {
        Notice::BeginningMissing { unverified, .. } => {
            let shown = text!("for earlier runs, only orders that are still in the state are shown");
            let diagnostic = Diagnostic::warning(notice.code(), describe_notice(notice));
            (!unverified.is_empty()).then(|| diagnostic.help(shown))
        }
        Notice::OpenRun { .. }
        | Notice::RescueOpen { .. }
        | Notice::RescueSettled { .. }
        | Notice::RescueUnreadable { .. } => None,
    });
    Ok((problems.collect(), notices.collect()))
}
