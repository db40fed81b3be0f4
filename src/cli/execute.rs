//! Checks a plan with the guard, asks for approval and executes it: what `apply`, `destroy` and `import` share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use jiff::SignedDuration;

use super::account::{self, Proven};
use super::connect::{Connection, Embedded};
use super::consent::{Approval, consent};
use super::env;
use super::error::{Exit, Failure, NOTHING_ORDERED, NOTHING_SENT, cannot_print};
use super::keys::Ask;
use super::options::{Api, Format, time};
use super::project::Project;
use super::signals::Signals;
use super::ui::{Stdout, Ui};
use super::watch::Watch;
use super::{refusal, rescue, wait};
use crate::apply::import::{self, Importable};
use crate::apply::offers;
use crate::apply::{self, ApplyError, ApplySummary, OnError, Parts, Settings, Verdict};
use crate::clock::SystemClock;
use crate::cloud::CloudRead as _;
use crate::crash;
use crate::diagnostic::Diagnostic;
use crate::i18n::text;
use crate::manifest;
use crate::model::ManifestHash;
use crate::plan::guard::{self, Approved, CallerIdentity, Consent, Facts, Limits};
use crate::plan::{Action, Blocker, Cost, Plan, Prices, file};
use crate::report::apply::ApplyView;
use crate::report::document::View as _;
use crate::report::import::render_imports;
use crate::report::plan::{Detail, render_plan};
use crate::report::{clean, events};
use crate::state::journal::RunId;
use crate::state::{Snapshot, State, StateError, StateStore, Status, Writer, creates_since, read};

/// How a plan is executed.
#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Do not ask for approval
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub auto_approve: bool,
    /// After a failed step: stop or continue
    ///
    /// An unknown outcome always stops the run.
    #[arg(long, value_name = "WHAT", default_value = "stop", env = "POSTPAY_ON_ERROR")]
    on_error: OnErrorArg,
    /// Start nothing new after this time, for example 5m
    #[arg(long, value_name = "TIME", env = "POSTPAY_DEADLINE", value_parser = time)]
    deadline: Option<Duration>,
    /// How long to retry a request that was certainly not sent
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "2m", env = "POSTPAY_RETRY_FOR", value_parser = time)]
    pub retry_for: Duration,
    /// How long to search for the result of a lost response [default: 60s]
    ///
    /// 10s, and at least one search, after creates that failed or were throttled. 0s: do not search.
    #[arg(long, hide_short_help = true, value_name = "TIME", env = "POSTPAY_SETTLE", value_parser = time)]
    settle: Option<Duration>,
    /// How long to wait for the state lock
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "0s", env = "POSTPAY_LOCK_TIMEOUT", value_parser = time)]
    pub lock_timeout: Duration,
    /// Stream JSON events (--format json: the result)
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub api: Api,
    #[command(flatten)]
    pub embedded: Embedded,
}

/// How long to search the account without `--settle`.
const SETTLE: Duration = Duration::from_secs(60);
const SETTLE_REFUSED: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnErrorArg {
    /// Start nothing more
    Stop,
    /// Continue with the next step, unless every further create would fail too
    Continue,
}

/// A plan to execute, and how.
pub(super) struct Job<'a> {
    pub project: &'a Project,
    pub flags: &'a Flags,
    /// The plan file, if there is one.
    pub kept: Option<&'a Plan>,
    pub limits: Limits,
    pub in_flight: usize,
    pub allow_same_alias: bool,
    pub accept_missing_rows: Option<u64>,
    /// How long to wait until what was created is in use; None not to wait.
    pub wait: Option<Duration>,
    /// `--allow-destroy` is on the command line, not only in the configuration.
    pub asked_to_destroy: bool,
}

/// Shows the plan, and executes it if the guard and the user approve it.
pub(super) fn execute_plan(
    plan: Plan,
    job: &Job<'_>,
    connection: &Connection,
    store: &dyn StateStore,
    mut writer: Writer,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let used_by = match job.kept {
        Some(kept) => used_by(store, kept)?,
        None => None,
    };
    // A plan that was applied is not shown as if it were open.
    if let Some(run) = used_by {
        return Err(Failure::from(vec![Blocker::Used { run }]));
    }
    if let Err(failure) = show_plan(job, &plan, ui) {
        if asks(job) {
            // Nobody can approve a plan that was not shown.
            return Err(failure.help(NOTHING_SENT));
        }
        ui.fail(&failure);
    }
    let target = job.project.target();
    // A plan file is only accepted if the manifests and the state still lead to the same plan.
    let (manifests, remade) = match job.kept {
        Some(kept) => {
            let now = manifests_now(kept);
            let intact =
                now.iter().all(|(_, hash)| hash.as_ref().is_some_and(|hash| kept.manifests.contains(hash)));
            let remade = intact.then(|| remake(kept, job.project, writer.state(), ui));
            (now, remade.transpose()?)
        }
        None => (Vec::new(), None),
    };
    let facts = Facts {
        state: writer.state(),
        target: &target,
        allowed_accounts: &job.project.config.guard.allowed_accounts,
        remade: remade.as_ref(),
        manifests: &manifests,
        used_by,
        orders_last_day: match job.limits.stricter(plan.guards.limits).max_creates_per_day {
            Some(_) => orders_last_day(store, writer.state())?,
            None => 0,
        },
        limits: job.limits,
        allow_destroy: job.project.allows_destroy(job.asked_to_destroy),
    };
    let checked = guard::check(plan, &facts)?;
    let plan = checked.plan();
    refusal::check_unread_manifests(plan, job.project)?;
    refusal::check_receipts(plan, store)?;
    refusal::check_rescue_files(plan, writer.state(), job.project, store)?;
    let waits = plan.steps.iter().any(|step| step.action == Action::Wait);
    if plan.changes().next().is_none() && !waits {
        let report = ApplySummary::idle(writer.state());
        drop(writer);
        close(job, &report, ui);
        return Ok(exit_of(&report));
    }
    // A plan that only changes the state needs no credentials.
    let proven = if plan.calls_api() {
        connection.load_credentials(job.project, Ask::Machine, ui)?;
        let asked = account::ask(connection, job.project, ui);
        Some(super::runtime::start()?.block_on(asked)?)
    } else {
        None
    };
    let identity = proven.as_ref().map_or(CallerIdentity::NotAsked, Proven::identity);
    let checked = checked.in_account(identity)?;
    let prices = prices(checked.plan(), connection, writer.state(), ui)?;
    let checked = checked.at_prices(prices.as_ref())?;
    let plan = checked.plan();
    print_account(proven.as_ref(), connection, job, ui);
    warn_first_account(writer.state(), proven.as_ref(), ui);
    let adoptions = adoptions(plan, connection, job, writer.state(), ui)?;
    let shown = proven.as_ref().and_then(|proven| account::display(proven, connection));
    let url = connection.url().map(ToString::to_string);
    let approval = Approval {
        given: if job.flags.auto_approve { Some(Consent::Auto) } else { job.kept.map(|_| Consent::PlanFile) },
        allows_destroy: job.asked_to_destroy,
        json: job.flags.json,
    };
    let cost = Cost::of(&plan.steps, prices.as_ref().unwrap_or(&Prices::new()));
    let consent = consent(approval, plan, &cost, url.as_deref(), shown.as_deref(), ui)?;
    let approved = checked.approve(consent)?;
    crash::point(crash::APPROVED);
    let earlier = Earlier {
        last_sent: last_sent(store)?,
        // There may be many receipts.
        known_ids: if approved.plan().orders().next().is_none() {
            BTreeSet::new()
        } else {
            job.project.ids_in_receipts()?
        },
    };
    let before = writer.state().cloned();
    let signals = Signals::listen().map_err(|error| no_thread(&error))?;
    let (watch, printer) = Watch::start(approved.plan(), &settings(job), job.flags.json, ui)
        .map_err(|error| no_thread(&error))?;
    ui.stderr.through(printer.queue());
    let mut ended = run(&approved, job, adoptions, earlier, connection, &mut writer, (&watch, &signals));
    let mut rescued = Vec::new();
    if let Ok(Some(report)) = &mut ended {
        rescued = rescue::keep(report, store);
        // The lock is released before the wait, and before output that a stalled reader could block.
        drop(writer);
        if let Some(within) = job.wait {
            let waited = wait::wait(report, within, approved.plan(), connection, (&watch, &signals));
            rescued.extend(waited.err().into_iter().flat_map(|failure| failure.diagnostics));
            rescued.extend(wait::describe(&report.not_ready));
        }
    }
    drop(watch);
    ui.stderr.through(None);
    let Some(report) = ended? else {
        let left = left_at_once(before.as_ref(), store);
        signals.end_with(left.exit);
        printer.abandon(LEAVE);
        return Err(left);
    };
    let exit = exit_of(&report);
    signals.end_with(exit);
    if let Err(error) = printer.finish() {
        if ui.stdout != Stdout::Lost {
            ui.fail(&cannot_print(&error));
        }
        ui.stdout = Stdout::Lost;
    }
    ui.diagnose(&rescued);
    close(job, &report, ui);
    Ok(exit)
}

/// How long to wait for output when a second signal ends the run.
const LEAVE: Duration = Duration::from_millis(200);

fn no_thread(error: &std::io::Error) -> Failure {
    Failure::new("resources", text!("cannot start a thread: {error}", error)).help(NOTHING_ORDERED)
}

fn exit_of(report: &ApplySummary) -> Exit {
    match report.verdict() {
        Verdict::Complete => Exit::Fine,
        Verdict::PartWay => Exit::PartWay,
        Verdict::Failed => Exit::Error,
        Verdict::Unknown => Exit::Unknown,
    }
}

fn settings(job: &Job<'_>) -> Settings {
    let flags = job.flags;
    Settings {
        rate: job.project.rate,
        in_flight: job.in_flight,
        on_error: match flags.on_error {
            OnErrorArg::Stop => OnError::Stop,
            OnErrorArg::Continue => OnError::Continue,
        },
        retry_for: flags.retry_for,
        deadline: flags.deadline,
        settle: flags.settle.unwrap_or(SETTLE),
        settle_refused: flags.settle.unwrap_or(SETTLE_REFUSED),
        allow_same_alias: job.allow_same_alias,
        accept_missing_rows: job.accept_missing_rows,
    }
}

fn show_plan(job: &Job<'_>, plan: &Plan, ui: &mut Ui) -> Result<(), Failure> {
    let rate = job.project.rate;
    if job.flags.json {
        for line in events::planned(plan, env::now()) {
            ui.print(&(line + "\n"))?;
        }
        return Ok(());
    }
    if ui.format != Format::Human {
        // Standard output is for the result.
        ui.print_stderr(&render_plan(plan, rate, Detail::Folded, ui.err));
        return Ok(());
    }
    // The plan must be visible where approval is asked for.
    if asks(job) && ui.can_ask() && !ui.is_visible() {
        ui.print_stderr(&render_plan(plan, rate, Detail::Folded, ui.err));
    }
    ui.print(&render_plan(plan, rate, Detail::Folded, ui.out))
}

fn asks(job: &Job<'_>) -> bool {
    !job.flags.auto_approve && job.kept.is_none()
}

/// Reads the environments to import, and shows them above the prompt.
fn adoptions(
    plan: &Plan,
    connection: &Connection,
    job: &Job<'_>,
    state: Option<&State>,
    ui: &mut Ui,
) -> Result<Vec<Importable>, Failure> {
    if plan.changes().all(|step| step.action != Action::Import) {
        return Ok(Vec::new());
    }
    let looked = super::runtime::start()?.block_on(async {
        let (client, _sandbox) = connection.also_listing(plan).open(state).await?;
        let looked = import::look(&client, plan, state).await;
        looked.map_err(|error| Failure::from(ApplyError::Listing(error)))
    })?;
    let adoptions = looked?;
    if !job.flags.json {
        ui.print_stderr(&render_imports(&adoptions, ui.err));
    }
    Ok(adoptions)
}

/// Reads what the account may buy, where that is shown for what the plan creates, and returns the prices of packages. Where they
/// cannot be read, a warning says so, and a plan with a limit on its cost is refused later.
///
/// # Errors
/// When Tencent Cloud would reject a create: nothing was sent then.
fn prices(
    plan: &Plan,
    connection: &Connection,
    state: Option<&State>,
    ui: &mut Ui,
) -> Result<Option<Prices>, Failure> {
    if !offers::is_needed(plan) {
        return Ok(None);
    }
    let read = super::runtime::start()?.block_on(async {
        let (client, _sandbox) = connection.open(state).await?;
        Ok::<_, Failure>(client.offers().await)
    })?;
    let blocked = offers::blocked(plan, &read);
    if !blocked.is_empty() {
        return Err(blocked.into());
    }
    let prices = read.packages.map(|sold| {
        let prices = sold.into_iter().filter_map(|offer| Some((offer.package, offer.price?)));
        prices.collect()
    });
    if prices.is_none() {
        ui.diagnose(&[Diagnostic::warning(
            "prices-unknown",
            text!("the prices of packages could not be read"),
        )]);
    }
    Ok(prices)
}

fn manifests_now(plan: &Plan) -> Vec<(PathBuf, Option<ManifestHash>)> {
    plan.manifests
        .iter()
        .map(|planned| {
            (planned.path.clone(), manifest::read(Path::new(""), &planned.path).ok().map(|(_, hash)| hash))
        })
        .collect()
}

/// Returns the plan of the current manifests and state.
fn remake(kept: &Plan, project: &Project, state: Option<&State>, ui: &Ui) -> Result<Plan, Failure> {
    let desired = project.desired_creates(state, ui)?;
    project.make(&desired, state, kept.options.clone())
}

/// Returns the run that applied this plan, if there is one.
fn used_by(store: &dyn StateStore, plan: &Plan) -> Result<Option<RunId>, StateError> {
    let checksum = file::checksum(plan);
    for receipt in store.receipts()?.iter().filter(|receipt| receipt.base >= plan.serial) {
        if store.receipt(receipt)?.started.plan == checksum {
            return Ok(Some(receipt.run));
        }
    }
    Ok(None)
}

/// Prints the account and the credentials, for the log of a pipeline.
fn print_account(proven: Option<&Proven>, connection: &Connection, job: &Job<'_>, ui: &Ui) {
    let (Some(Proven::Account(caller)), Some(session)) = (proven, connection.session()) else {
        return;
    };
    if job.flags.json {
        return;
    }
    let account = clean(&caller.account);
    let key = session.credentials.held().map(|key| key.short_id());
    let key = key.unwrap_or_default();
    let source = session.chain.source.text();
    ui.status(&text!("Account {account}, credentials {key} ({source}).\n", account, key, source));
}

/// Warns that the state, whose account was unknown, gets one.
fn warn_first_account(state: Option<&State>, proven: Option<&Proven>, ui: &Ui) {
    let (Some(state), Some(Proven::Account(caller))) = (state, proven) else {
        return;
    };
    let is_unknown = state.account.as_ref().is_some_and(|account| account.uin.is_none());
    if is_unknown && state.records().next().is_some() {
        let account = clean(&caller.account);
        ui.diagnose(&[Diagnostic::warning(
            "account-first-known",
            text!("the state had no account; this run sets it to {account}", account),
        )
        .help(text!("run `postpay drift` to check that every environment in the state is in that account"))]);
    }
}

/// Counts the creates of the last 24 hours, also those with an unknown outcome.
fn orders_last_day(store: &dyn StateStore, state: Option<&State>) -> Result<usize, StateError> {
    let now = env::now();
    let since = now - SignedDuration::from_hours(24);
    // All receipts, because a wrong clock may have put one of today before older ones.
    let receipts = store.receipts()?;
    let journals: Result<Vec<_>, _> = receipts.iter().map(|it| store.receipt(it)).collect();
    Ok(creates_since(state, &journals?, since, now))
}

pub(super) fn last_sent(store: &dyn StateStore) -> Result<Option<jiff::Timestamp>, StateError> {
    // Runs that only changed the state sent nothing. 50 of them take longer than any pause.
    for receipt in store.receipts()?.iter().rev().take(50) {
        if let Some(sent) = store.receipt(receipt)?.last_sent_at() {
            return Ok(Some(sent));
        }
    }
    Ok(None)
}

/// What earlier runs recorded.
struct Earlier {
    last_sent: Option<jiff::Timestamp>,
    known_ids: BTreeSet<String>,
}

/// Runs the engine until it ends; None after a second signal.
fn run(
    approved: &Approved,
    job: &Job<'_>,
    adoptions: Vec<Importable>,
    earlier: Earlier,
    connection: &Connection,
    writer: &mut Writer,
    (watch, signals): (&Watch, &Signals),
) -> Result<Option<ApplySummary>, Failure> {
    let settings = settings(job);
    let adoptions: BTreeMap<_, _> =
        adoptions.into_iter().map(|adoption| (adoption.address.clone(), adoption)).collect();
    let runtime = super::runtime::start()?;
    let ended = runtime.block_on(async {
        let connection = connection.also_listing(approved.plan());
        let (client, _sandbox) = connection.open(writer.state()).await?;
        let parts = Parts {
            // Its progress is part of the run's line.
            cloud: Arc::new(client.watched(watch.watcher())),
            writer,
            clock: &SystemClock,
            operator: env::operator(),
            commit: env::commit(&job.project.sources()),
            imports: adoptions,
            known_ids: earlier.known_ids,
            last_sent: earlier.last_sent,
            stop: signals.stop.clone(),
            observe: &mut |progress| watch.observe(progress),
        };
        let ended = tokio::select! {
            report = apply::run(approved, &settings, parts) => Some(report?),
            () = signals.leave() => None,
        };
        Ok::<_, Failure>(ended)
    });
    runtime.shutdown_background();
    ended
}

/// Explains what a second signal left open.
fn left_at_once(before: Option<&State>, store: &dyn StateStore) -> Failure {
    let unknown: Vec<String> = match read(store).map(Snapshot::current) {
        Ok(now) => now
            .iter()
            .flat_map(State::current)
            .filter(|(address, record)| {
                let before = before.and_then(|state| state.get(address));
                record.status == Status::Unknown
                    && before.is_none_or(|record| record.status != Status::Unknown)
            })
            .map(|(address, _)| address.to_string())
            .collect(),
        Err(_) => Vec::new(),
    };
    let left = Failure::new(
        "left-at-once",
        text!(
            "stopped immediately on a second signal; everything created so far is in the journal, and the next command recovers it"
        ),
    );
    if unknown.is_empty() {
        let failure = left.help(text!("show the state with `postpay show`; continue with `postpay apply`"));
        return Failure { exit: Exit::PartWay, ..failure };
    }
    let (en, zh) = (unknown.join(", "), unknown.join("、"));
    let failure = left
        .help(text!("unknown outcomes, because apply did not wait for the responses: {en}; they may exist and will not be created again", en; zh))
        .help(text!("to find out: `postpay resolve`"));
    Failure { exit: Exit::Unknown, ..failure }
}

/// Shows how the run ended.
fn close(job: &Job<'_>, report: &ApplySummary, ui: &mut Ui) {
    // The run is recorded: output that fails does not change how it ended.
    let path = job.project.state_place();
    let provenance = ui.provenance(Some(job.project.account()), &job.project.sources());
    let view = ApplyView::new(report, &path, ui.diagnostics(), provenance);
    let printed = if job.flags.json {
        ui.print(&(events::finished(report, env::now()) + "\n"))
    } else if ui.format == Format::Human && report.run.is_none() {
        // The plan has the same sentence.
        ui.print_stderr(&view.text(ui.err));
        Ok(())
    } else {
        ui.print_view(&view)
    };
    let written = ui.write_reports(&view);
    for failure in [printed, written].into_iter().filter_map(Result::err) {
        ui.fail(&failure);
    }
}
