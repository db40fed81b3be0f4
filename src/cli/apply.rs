//! `postpay apply`: plan, ask, order, record.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use jiff::SignedDuration;
use tokio::sync::watch;

use super::Exit;
use super::connect::{Connection, Embedded};
use super::failure::{Failure, NOTHING_SENT};
use super::load::Project;
use super::options::{Api, Format, Global, Select, Strict, time};
use super::rescue;
use super::watch::Watch;
use super::world::World;
use crate::apply::{self, OnError, Parts, Report, Settings, Verdict};
use crate::clock::SystemClock;
use crate::config::{self, endpoint::SANDBOX};
use crate::crash;
use crate::desired::{Address, ManifestHash};
use crate::diagnostic::Diagnostic;
use crate::manifest;
use crate::plan::guard::{self, Approved, Consent, Facts, Limits};
use crate::plan::{Action, Plan, file};
use crate::report::{clean, events, human, json};
use crate::state::journal::RunId;
use crate::state::rescue::RescueFile;
use crate::state::{Snapshot, State, StateError, StateStore, StateWriter, orders_since};

/// Plan, ask for `yes`, order, and record every TranId and EnvId
///
/// Given a PLANFILE, asks nothing, since the file was there to be reviewed, and orders exactly what it says, or nothing: a plan that was altered, used before, or made from
/// another state or other manifests is refused.
///
/// Ctrl-C or SIGTERM starts nothing more and waits for what is under way; a second one leaves at once, and what was
/// under way is recorded as unknown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay apply                                  plan, ask, order
  postpay apply plan.json                        exactly what was reviewed
  postpay apply --auto-approve --max-creates 5   in CI: no question, five orders at most
  postpay apply --endpoint sandbox --fault reset-after@2
                                                 rehearse a lost answer on the embedded endpoint")]
pub(super) struct Args {
    /// A plan that was kept with `postpay plan -o`
    #[arg(value_name = "PLANFILE", conflicts_with_all = ["targets", "excludes", "replaces"])]
    file: Option<PathBuf>,
    /// Do not ask
    #[arg(short = 'y', long, visible_alias = "yes")]
    auto_approve: bool,
    /// Refuse a plan with more orders than this
    #[arg(long, value_name = "N", env = "POSTPAY_MAX_CREATES")]
    max_creates: Option<u32>,
    /// Refuse a plan that would make more orders than this in 24 hours
    #[arg(long, value_name = "N", env = "POSTPAY_MAX_CREATES_PER_DAY")]
    max_creates_per_day: Option<u32>,
    #[command(flatten)]
    strict: Strict,
    /// After an order that was refused. An unknown outcome stops the run in any case
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "stop",
        env = "POSTPAY_ON_ERROR"
    )]
    on_error: OnErrorArg,
    /// Calls under way at once, 1 to 32 [default: 4]
    #[arg(long, value_name = "N", env = "POSTPAY_IN_FLIGHT", value_parser = clap::value_parser!(u32).range(1..=i64::from(config::MAX_IN_FLIGHT)))]
    in_flight: Option<u32>,
    /// Start nothing new after this long, as 90s, 5m
    #[arg(long, value_name = "TIME", env = "POSTPAY_DEADLINE", value_parser = time)]
    deadline: Option<Duration>,
    /// How long an order that provably was not sent is tried again
    #[arg(long, value_name = "TIME", default_value = "30s", env = "POSTPAY_RETRY_FOR", value_parser = time)]
    retry_for: Duration,
    /// How long to look in the account for an order whose answer was lost, or came without an EnvId; 0s: not at all
    #[arg(long, value_name = "TIME", default_value = "60s", env = "POSTPAY_SETTLE", value_parser = time)]
    settle: Duration,
    /// Order although the account has an environment with the same alias that is not on record
    #[arg(long)]
    allow_same_alias: bool,
    /// How long to wait for another writer of this state
    #[arg(long, value_name = "TIME", default_value = "0s", env = "POSTPAY_LOCK_TIMEOUT", value_parser = time)]
    lock_timeout: Duration,
    /// One JSON event a line on standard output, as it happens
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    embedded: Embedded,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnErrorArg {
    /// Start nothing more
    Stop,
    /// Go on with the next, unless every further order would be refused too
    Continue,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let project = Project::load(global, &args.api)?;
    project.guard_reports(global, world)?;
    let kept = args.file.as_deref().map(read_plan).transpose()?;
    let connection = Connection::choose(&project, &args.embedded, args.retry_for, world)?;
    let store = world.store(&project.state);
    let mut writer = store.lock(&world.holder("apply"), args.lock_timeout)?;
    let rescues = rescue::found(&store, writer.state(), world);
    if let Some(run) = writer.recovered() {
        world.diagnose(&[recovered(run, writer.state(), &rescues)]);
    }
    crash::point(crash::LOCKED);
    let plan = if let Some(plan) = &kept {
        plan.clone()
    } else {
        let desired = project.desired(&args.strict, world)?;
        crash::point(crash::MANIFESTS_READ);
        project.plan(
            &desired,
            writer.state(),
            project.options(&args.select),
            world,
        )?
    };
    crash::point(crash::PLANNED);
    if let Err(failure) = show_plan(args, &plan, project.rate, world) {
        if !args.auto_approve && kept.is_none() {
            // Nobody can say yes to what can't be shown.
            return Err(failure.help(NOTHING_SENT));
        }
        world.fail(&failure);
    }

    let target = project.target();
    // What a file says is only believed when the manifests and the state say it too.
    let (manifests, remade) = match &kept {
        Some(kept) => {
            let now = manifests_now(kept);
            let intact = now.iter().all(|(_, hash)| {
                hash.as_ref()
                    .is_some_and(|hash| kept.manifests.contains(hash))
            });
            let remade = intact.then(|| remake(kept, &project, writer.state(), world));
            (now, remade.transpose()?)
        }
        None => (Vec::new(), None),
    };
    let limits = Limits {
        require_alias: project.requires_alias(&args.strict),
        ..project.limits(args.max_creates, args.max_creates_per_day)
    };
    let facts = Facts {
        state: writer.state(),
        target: &target,
        remade: remade.as_ref(),
        manifests: &manifests,
        used_by: if kept.is_some() {
            used_by(&store, &plan)?
        } else {
            None
        },
        orders_last_day: match limits.max_creates_per_day {
            Some(_) => orders_last_day(&store, writer.state(), world)?,
            None => 0,
        },
        limits,
        allow_destroy: project.allows_destroy(args.select.allow_destroy),
    };
    let objections = guard::objections(&plan, &facts);
    if !objections.is_empty() {
        return Err(Failure::from(objections));
    }
    let waits = plan.steps.iter().any(|step| step.action == Action::Wait);
    if plan.orders().next().is_none() && !waits {
        return Ok(close(args, &Report::idle(writer.state()), world));
    }
    let consent = consent(args, &plan, world)?;
    let approved = guard::approve(plan, &facts, consent)?;
    crash::point(crash::APPROVED);
    let settings = Settings {
        rate: project.rate,
        in_flight: project.in_flight(args.in_flight),
        on_error: match args.on_error {
            OnErrorArg::Stop => OnError::Stop,
            OnErrorArg::Continue => OnError::Continue,
        },
        retry_for: args.retry_for,
        deadline: args.deadline,
        settle: args.settle,
        allow_same_alias: args.allow_same_alias,
    };
    let last_sent = last_sent(&store)?;
    let ended = order(
        &approved,
        &settings,
        connection,
        &mut *writer,
        last_sent,
        args.json,
        world,
    )?;
    match ended {
        Some(report) => {
            rescue::keep(&report, &store, world);
            Ok(close(args, &report, world))
        }
        None => Ok(left_at_once(&*writer, &store, world)),
    }
}

fn show_plan(args: &Args, plan: &Plan, rate: f64, world: &mut World) -> Result<(), Failure> {
    if args.json {
        for line in events::planned(plan, world.now()) {
            world.print(&(line + "\n"))?;
        }
        return Ok(());
    }
    match world.format {
        Format::Human => {
            // Whoever is asked below has to see what they are asked about.
            if asks(args) && !world.is_shown() {
                world.say(&human::plan::plan(plan, rate, world.err));
            }
            world.print(&human::plan::plan(plan, rate, world.out))
        }
        Format::Json => {
            world.say(&human::plan::plan(plan, rate, world.err));
            Ok(())
        }
    }
}

fn asks(args: &Args) -> bool {
    !args.auto_approve && args.file.is_none()
}

/// Reads and verifies a plan file.
pub(super) fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let text = std::fs::read(path).map_err(|error| {
        Failure::new(
            "plan-file",
            format!("can't read {}: {error}", path.display()),
        )
        .help("make and review a plan: `postpay plan -o FILE`")
        .help(NOTHING_SENT)
    })?;
    file::decode(&String::from_utf8_lossy(&text)).map_err(|error| Failure::from((path, error)))
}

fn manifests_now(plan: &Plan) -> Vec<(PathBuf, Option<ManifestHash>)> {
    plan.manifests
        .iter()
        .map(|planned| {
            (
                planned.path.clone(),
                manifest::read(Path::new(""), &planned.path)
                    .ok()
                    .map(|(_, hash)| hash),
            )
        })
        .collect()
}

/// The plan that the manifests and the state make now.
fn remake(
    kept: &Plan,
    project: &Project,
    state: Option<&State>,
    world: &World,
) -> Result<Plan, Failure> {
    // That an alias is missing is the guard's to say, of the plan that was kept.
    let strict = Strict::default();
    let desired = project.desired(&strict, world)?;
    project.make(&desired, state, kept.options.clone(), world)
}

/// The run that carried out this very plan, if there was one.
fn used_by(store: &impl StateStore, plan: &Plan) -> Result<Option<RunId>, StateError> {
    let identity = file::identity(plan);
    for receipt in store
        .receipts()?
        .iter()
        .filter(|receipt| receipt.base >= plan.serial)
    {
        if store.receipt(receipt)?.started.plan == identity {
            return Ok(Some(receipt.run));
        }
    }
    Ok(None)
}

/// Orders of the last 24 hours that were taken, or may have been.
fn orders_last_day(
    store: &impl StateStore,
    state: Option<&State>,
    world: &World,
) -> Result<usize, StateError> {
    let since = world.now() - SignedDuration::from_hours(24);
    let mut journals = Vec::new();
    for receipt in store.receipts()?.iter().rev() {
        let journal = store.receipt(receipt)?;
        let last = journal
            .entries
            .last()
            .map_or(journal.started_at, |entry| entry.at);
        if last < since {
            break;
        }
        journals.push(journal);
    }
    Ok(orders_since(state, &journals, since))
}

pub(super) fn last_sent(store: &impl StateStore) -> Result<Option<jiff::Timestamp>, StateError> {
    // A run that sent nothing is rare, several in a row are rarer; older ones are too old to matter.
    for receipt in store.receipts()?.iter().rev().take(5) {
        if let Some(sent) = store.receipt(receipt)?.last_sent_at() {
            return Ok(Some(sent));
        }
    }
    Ok(None)
}

fn recovered(run: RunId, state: Option<&State>, rescues: &[RescueFile]) -> Diagnostic {
    let unknown: Vec<&Address> = state
        .into_iter()
        .flat_map(|state| &state.environments)
        .filter(|(_, record)| record.run == run && record.status == crate::state::Status::Unknown)
        .map(|(address, _)| address)
        .collect();
    let mut diagnostic = Diagnostic::warning(
        "recovered",
        format!("run {run} was cut off; its journal is folded into the state"),
    );
    if unknown.is_empty() {
        return diagnostic.help("nothing of it is unknown");
    }
    let names: Vec<String> = unknown
        .iter()
        .map(|address| format!("`{address}`"))
        .collect();
    diagnostic = diagnostic.help(format!(
        "unknown outcomes: {}; they are not ordered again",
        names.join(", ")
    ));
    for address in unknown {
        for file in rescues.iter().filter(|file| file.about(address).is_some()) {
            diagnostic = diagnostic.help(format!(
                "what came back for `{address}` is in {}",
                file.path.display()
            ));
        }
    }
    diagnostic
}

fn consent(args: &Args, plan: &Plan, world: &World) -> Result<Consent, Failure> {
    if plan.orders().next().is_none() {
        return Ok(Consent::NotNeeded);
    }
    if args.auto_approve {
        return Ok(Consent::Auto);
    }
    if args.file.is_some() {
        return Ok(Consent::PlanFile);
    }
    if args.json || !world.can_ask() {
        return Err(Failure::new("no-terminal", "there is no terminal to show the plan on and to ask for a `yes`")
            .help("review a plan file and apply it: `postpay plan -o plan.json`, then `postpay apply plan.json`")
            .help("or order without a question: `postpay apply --auto-approve`")
            .help(NOTHING_SENT));
    }
    let orders = match plan.summary().orders {
        1 => "1 pay-as-you-go environment".to_owned(),
        n => format!("{n} pay-as-you-go environments"),
    };
    let endpoint = clean(&plan.account.endpoint);
    let cost = match &*endpoint {
        SANDBOX => "It speaks the vendor's protocol and costs nothing.",
        _ => "What is ordered costs money from then on.",
    };
    if world.ask(&format!(
        "\nOrder {orders} from {endpoint}? {cost}\nOnly `yes` is a yes: "
    )) {
        Ok(Consent::Typed)
    } else {
        Err(Failure::new("declined", "not approved").help(NOTHING_SENT))
    }
}

/// Runs the engine until it ends, or until a second signal asks to leave at once (None).
fn order(
    approved: &Approved,
    settings: &Settings,
    connection: Connection,
    writer: &mut dyn StateWriter,
    last_sent: Option<jiff::Timestamp>,
    events: bool,
    world: &World,
) -> Result<Option<Report>, Failure> {
    let runtime = super::runtime()?;
    let ended = runtime.block_on(async {
        let (client, _sandbox) = connection.open().await?;
        let (stop, stopped) = watch::channel(false);
        let mut watch = Watch::new(approved.plan(), settings.rate, events, world);
        let parts = Parts {
            cloud: Arc::new(client),
            writer,
            clock: &SystemClock,
            operator: world.operator(),
            commit: world.commit(),
            last_sent,
            stop: stopped,
            observe: &mut |progress| watch.observe(progress),
        };
        let ended = tokio::select! {
            report = apply::run(approved, settings, parts) => Some(report?),
            () = two_signals(stop) => None,
        };
        watch.close();
        Ok::<_, Failure>(ended)
    });
    runtime.shutdown_background();
    ended
}

/// Passes the first signal on, and returns at the second.
async fn two_signals(stop: watch::Sender<bool>) {
    signal().await;
    let _ = stop.send(true);
    signal().await;
}

pub(super) async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn left_at_once(writer: &dyn StateWriter, store: &impl StateStore, world: &World) -> Exit {
    let before = writer.state();
    let unknown: Vec<String> = match store.read().map(Snapshot::current) {
        Ok(now) => now
            .iter()
            .flat_map(|state| &state.environments)
            .filter(|(address, record)| {
                record.status == crate::state::Status::Unknown
                    && before.is_none_or(|state| !state.environments.contains_key(address))
            })
            .map(|(address, _)| address.to_string())
            .collect(),
        Err(_) => Vec::new(),
    };
    world.say("Left at once. What was ordered is in the journal; the next command takes it up.\n");
    if unknown.is_empty() {
        return Exit::PartWay;
    }
    world.say(&format!(
        "Unknown, because the answer was not waited for: {}. They may exist and are not ordered again.\n",
        unknown.join(", ")
    ));
    Exit::Unknown
}

fn close(args: &Args, report: &Report, world: &mut World) -> Exit {
    let exit = match report.verdict() {
        Verdict::Complete => Exit::Fine,
        Verdict::PartWay => Exit::PartWay,
        Verdict::Failed => Exit::Error,
        Verdict::Unknown => Exit::Unknown,
    };
    // The run is over and recorded: whether its table can be shown does not change how it ended.
    let shown = if args.json {
        world.print(&(events::finished(report, world.now()) + "\n"))
    } else {
        match world.format {
            Format::Human if report.run.is_none() => {
                // The plan said it already.
                world.say(&human::apply::report(report, world.err));
                Ok(())
            }
            Format::Human => world.print(&human::apply::report(report, world.out)),
            Format::Json => world.print(&json::report(report)),
        }
    };
    let written = world.report(
        || json::report(report),
        |look| human::apply::report(report, look),
    );
    for failure in [shown, written].into_iter().filter_map(Result::err) {
        world.fail(&failure);
    }
    exit
}
