//! `postpay import`: one environment that exists, adopted under a declared address. Orders nothing.

use super::Exit;
use super::apply::tell_recovered;
use super::carry_out::{Flags, Job, carry_out};
use super::connect::Connection;
use super::failure::{Failure, NOTHING_SENT};
use super::load::{Project, unknown_address};
use super::options::{Global, id};
use super::world::World;
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

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let flags = &args.flags;
    world.events = flags.json;
    let address = &args.address;
    let project = Project::load(global, &flags.api)?;
    project.guard_reports(global, world)?;
    let connection = Connection::choose(&project, &flags.embedded, flags.retry_for, world)?;
    let store = world.store(&project.state);
    let writer = world.locked(&store, flags.lock_timeout, || {
        Writer::open(&store, &world.holder("import"), flags.lock_timeout)
    })?;
    tell_recovered(&store, &writer, world);
    let mut desired = project.desired(world)?;
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
    let plan = project.make(&desired, state, options, world)?;
    let job = Job {
        project: &project,
        flags,
        kept: None,
        limits: Limits::default(),
        in_flight: project.in_flight(Some(config::DEFAULT_IN_FLIGHT)),
        allow_same_alias: false,
        accept_missing_rows: None,
        asked_to_destroy: false,
    };
    carry_out(plan, &job, &connection, &store, writer, world)
}
