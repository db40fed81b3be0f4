//! `postpay import`: one environment that exists, adopted under a declared address. Orders nothing.

use super::apply::report_recovered;
use super::connect::Connection;
use super::env;
use super::error::{Exit, Failure, NOTHING_SENT};
use super::execute::{Flags, Job, execute_plan};
use super::options::{Global, id};
use super::project::{Project, unknown_address};
use super::ui::Ui;
use crate::config;
use crate::i18n::{Text, text};
use crate::model::{Address, Import};
use crate::plan::Options;
use crate::plan::guard::Limits;
use crate::report::clean;
use crate::state::Writer;

/// Import an existing environment into the state
///
/// Shows the account's values beside the declared ones, asks for approval, and adds it to the state. An
/// `import` block in the manifest does the same on the next apply and can be reviewed. `postpay generate`
/// writes manifests for undeclared environments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay import shop-prod shop-prod-1a2b3c
  postpay import shop-prod shop-prod-1a2b3c --tran-id 20200603119423 -y")]
pub(super) struct Args {
    /// The declared address
    #[arg(value_name = "ADDR")]
    address: Address,
    /// The EnvId of the environment
    #[arg(value_name = "ENV_ID", value_parser = id)]
    env_id: String,
    /// Its order number [default: from its bill]
    #[arg(long, value_name = "TRAN_ID", value_parser = id)]
    tran_id: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let flags = &args.flags;
    ui.events = flags.json;
    let address = &args.address;
    let project = Project::load(global, &flags.api)?;
    project.guard_reports(global, ui)?;
    let connection = Connection::choose(&project, &flags.embedded, flags.retry_for, ui)?;
    let store = project.store()?;
    let writer = ui.locked(&*store, flags.lock_timeout, || {
        Writer::open(&*store, &env::holder("import"), flags.lock_timeout)
    })?;
    report_recovered(&*store, &writer, ui);
    let mut desired = project.desired(ui)?;
    let state = writer.state();
    let on_record = state.and_then(|state| state.get(address));
    if let Some(record) = on_record {
        let id = match &record.env_id {
            Some(env_id) => Text::same(clean(env_id).into_owned()),
            None => text!("an unknown environment"),
        };
        return Err(Failure::new(
            "import-used",
            text!("`{address}` is already in the state, as {id}", address, id),
        )
        .help(text!(
            "choose another address, or remove it from the state first: `postpay state rm {address}`",
            address
        ))
        .help(NOTHING_SENT));
    }
    let declared = desired.environments.iter_mut().find(|environment| environment.address == *address);
    let Some(environment) = declared else {
        return Err(unknown_address(address, &desired, None).help(text!(
            "declare it first; `postpay generate` writes manifests for undeclared environments"
        )));
    };
    environment.import = Some(Import {
        env_id: args.env_id.clone(),
        tran_id: args.tran_id.clone(),
        source: environment.source.clone(),
    });
    let options = Options { targets: vec![address.clone()], ..Options::default() };
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
        asked_to_destroy: false,
    };
    execute_plan(plan, &job, &connection, &*store, writer, ui)
}
