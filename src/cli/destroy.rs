//! `postpay destroy`: destroys environments that are no longer declared, by address.

use std::collections::BTreeSet;

use super::apply::report_recovered;
use super::connect::Connection;
use super::env;
use super::error::{Exit, Failure, NOTHING_SENT};
use super::execute::{Flags, Job, execute_plan};
use super::options::Global;
use super::project::Project;
use super::ui::Ui;
use crate::check::near;
use crate::config;
use crate::i18n::text;
use crate::model::Address;
use crate::plan::guard::Limits;
use crate::plan::{Mode, Options};
use crate::state::journal::{Event, Journal};
use crate::state::{State, StateStore, Writer};

/// Destroy environments by address
///
/// The plan contains only the named addresses. They must not be in the manifests any more, because the next
/// apply would create them again. Asks for each address to be typed. Tencent Cloud does not document what
/// DestroyEnv does to a pay-as-you-go environment: postpay lists the account afterwards, and reports and
/// records the result (destroyed or isolated).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay destroy old --allow-destroy             asks for the address
  postpay destroy shop --deposed --allow-destroy  not shop itself
  postpay destroy old --allow-destroy -y          in CI: do not ask")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct Args {
    /// The addresses to destroy
    #[arg(value_name = "ADDR", required = true)]
    addresses: Vec<Address>,
    /// Destroy the deposed environment of the address
    #[arg(long)]
    deposed: bool,
    /// Delete at once, also from isolation (IsForce)
    #[arg(long)]
    purge: bool,
    /// Destroy even if it has data or packages (BypassCheck)
    #[arg(long)]
    bypass_check: bool,
    /// Allow destroying; always required with -y
    ///
    /// Otherwise not required if postpay.yaml has `guard: {allow_destroy: true}`.
    #[arg(long)]
    allow_destroy: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let flags = &args.flags;
    ui.events = flags.json;
    let project = Project::load(global, &flags.api)?;
    project.guard_reports(global, ui)?;
    let connection = Connection::choose(&project, &flags.embedded, flags.retry_for, ui)?;
    let store = project.store()?;
    let writer = ui.locked(&*store, flags.lock_timeout, || {
        Writer::open(&*store, &env::holder("destroy"), flags.lock_timeout)
    })?;
    report_recovered(&*store, &writer, ui);
    let desired = project.desired(ui)?;
    let state = writer.state();
    let mut wanted = Vec::new();
    for address in args.addresses.iter().collect::<BTreeSet<_>>() {
        if is_there(state, address, args.deposed) {
            wanted.push(address.clone());
        } else if !args.deposed && was_there(&*store, address)? {
            ui.status(&text!(
                "`{address}` is not in the state any more: it was already destroyed, moved or removed.\n",
                address
            ));
        } else {
            return Err(unknown(address, state, args.deposed));
        }
    }
    let mode = if args.deposed { Mode::DestroyDeposed(wanted) } else { Mode::Destroy(wanted) };
    let options = Options {
        mode,
        allow_destroy: project.allows_destroy(args.allow_destroy),
        purge: args.purge,
        bypass_check: args.bypass_check,
        ..Options::default()
    };
    let plan = project.make(&desired, state, options)?;
    let job = Job {
        project: &project,
        flags,
        kept: None,
        limits: Limits::default(),
        in_flight: project.in_flight(Some(config::DEFAULT_IN_FLIGHT)),
        allow_same_alias: false,
        accept_missing_rows: None,
        wait: None,
        asked_to_destroy: args.allow_destroy,
    };
    execute_plan(plan, &job, &connection, &*store, writer, ui)
}

fn is_there(state: Option<&State>, address: &Address, deposed: bool) -> bool {
    state.is_some_and(|state| {
        if deposed { state.deposed_at(address).next().is_some() } else { state.get(address).is_some() }
    })
}

/// Whether a receipt has the address, so that it is not misspelt.
fn was_there(store: &dyn StateStore, address: &Address) -> Result<bool, Failure> {
    for receipt in store.receipts()? {
        if store_had(&store.receipt(&receipt)?, address) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn store_had(journal: &Journal, address: &Address) -> bool {
    journal.entries.iter().any(|entry| match &entry.event {
        Event::Intent(intent) => intent.address == *address,
        Event::Edited(edited) => edited.edit.is_about(address),
        Event::Listed(_) | Event::Outcome(_) | Event::RunEnded(_) | Event::Recovered(_) => false,
    })
}

fn unknown(address: &Address, state: Option<&State>, deposed: bool) -> Failure {
    let what = if deposed {
        text!("the state has no deposed environment at `{address}`", address)
    } else {
        text!("`{address}` is not in the state", address)
    };
    let known: Vec<&str> = state
        .into_iter()
        .flat_map(|state| {
            let keys = state.environments.keys().filter(move |key| key.is_deposed() == deposed);
            keys.map(|key| key.address.as_str())
        })
        .collect();
    let failure = Failure::new("unknown-address", what);
    match near::nearest(address.as_str(), &known) {
        Some(near) => failure.help(text!("did you mean `{near}`?", near)),
        None => failure.help(text!("run `postpay state list` to list the addresses")),
    }
    .help(NOTHING_SENT)
}
