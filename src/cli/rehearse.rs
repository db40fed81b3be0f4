//! `postpay rehearse`: the user's own manifests and a copy of the state, through the real engine, while faults strike.
//!
//! Everything happens in a temporary folder, against the sandbox; what is configured is read and never written or called. After
//! each apply the documented recovery follows: resolve, and apply again. Where a person would look into the account to say what
//! was created, the ledger is asked.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::connect::{Connection, Embedded, ledger_beside};
use super::edit;
use super::env;
use super::error::{Exit, Failure, cannot_write};
use super::options::{Api, Format, Global, Select};
use super::project::Project;
use super::resolve::{self, Case};
use super::ui::Ui;
use crate::apply::{self, ApplyError, ApplySummary, OnError, Outcome, Parts, Settings};
use crate::clock::SystemClock;
use crate::cloud::tencent::TencentClient;
use crate::config::{self, Endpoint};
use crate::diagnostic::Diagnostic;
use crate::files;
use crate::i18n::{Text, text};
use crate::model::{Address, Desired};
use crate::plan::guard::{self, CallerIdentity, Consent, Facts, Limits};
use crate::plan::{Action, Options, Plan, Target};
use crate::rehearsal::judge::{Evidence, judge, request};
use crate::rehearsal::setup::SimSetup;
use crate::rehearsal::{Rehearsal, Run, random};
use crate::report::rehearsal::{self as report, RehearsalView};
use crate::sandbox::{self, Fault, LedgerEntry, read_ledger};
use crate::state::file::FileStore;
use crate::state::journal::RunId;
use crate::state::{State, Status, Writer, encode_state, read};

/// Rehearse your plan in the sandbox, with injected faults
///
/// Applies the plan of your manifests with the real engine while responses are lost, connections break and
/// calls are rejected; then recovers as documented, until nothing is left to do. The endpoint's ledger shows
/// what was created twice and what was lost.
///
/// Needs no credentials and never contacts the configured endpoint. The state, its lock and its receipts are
/// not changed. Environments in the state or in the manifests count as existing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay rehearse                               ten runs with random faults
  postpay rehearse --random 100 --seed 42        100 runs; the same faults every time
  postpay rehearse --fault reset-after@2         lose the response of the second create

`postpay sandbox serve --help` lists the faults. In KIND@N, N counts the creates that are sent, from 1.
Exits with 0 if nothing was created twice, nothing was lost and every run completed, else with 1.")]
pub(super) struct Args {
    /// Inject a fault at a call: KIND@N, KIND@N-M or KIND@*
    ///
    /// In every run. Repeatable.
    #[arg(long = "fault", value_name = "KIND@CALL", env = "POSTPAY_FAULT", value_delimiter = ',')]
    faults: Vec<Fault>,
    /// Number of runs with random faults [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    random: Option<u16>,
    /// Seed of the random faults [default: a new one]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Create at the pace of a real run
    #[arg(long)]
    real_pace: bool,
    /// Maximum concurrent calls, 1 to 32 [default: 4]
    #[arg(long, hide_short_help = true, value_name = "N", env = "POSTPAY_IN_FLIGHT", value_parser = clap::value_parser!(u32).range(1..=i64::from(config::MAX_IN_FLIGHT)))]
    in_flight: Option<u32>,
    #[command(flatten)]
    select: Select,
}

/// Runs without a word about how many.
const RUNS: u16 = 10;
/// How often a run may apply before the job counts as not done.
const MOST_APPLIES: usize = 20;
/// Orders a second, unless at the real pace.
const FAST: f64 = 50.0;
/// What the endpoint takes then: twice that, so that a busy computer brings no throttling of its own.
const FAST_LIMIT: u32 = 100;
/// How long a call that hangs is waited for. The endpoint is on this computer and answers in milliseconds.
const TIMEOUT: Duration = Duration::from_secs(1);

/// What all runs share.
struct Simulation {
    project: Project,
    desired: Desired,
    setup: SimSetup,
    /// Which addresses are rehearsed. Replacing and destroying are not.
    options: Options,
    settings: Settings,
    /// Creates per second that the sandbox accepts.
    sandbox_rate: u32,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let seed = seed(args);
    let asked = args.random.unwrap_or(if seed.is_some() { RUNS } else { 1 });
    let mut simulation = Simulation::load(args, global, ui)?;
    let mut rehearsal = Rehearsal {
        seed,
        asked: usize::from(asked),
        wanted: simulation.setup.wanted.len(),
        assumed: simulation.setup.assumed.clone(),
        runs: Vec::new(),
        took: Duration::ZERO,
    };
    let is_nothing = rehearsal.wanted == 0;
    if is_nothing {
        rehearsal.asked = 0;
    } else if ui.format == Format::Human {
        ui.print(&report::render_head(&rehearsal, ui.out))?;
    }
    let began = Instant::now();
    let runtime = super::runtime::start()?;
    // One for all runs, so that no signal between two of them is missed.
    let mut signal = Box::pin(super::signals::signal());
    for number in 1..=rehearsal.asked {
        let mut faults = args.faults.clone();
        if let Some(seed) = seed {
            faults.extend(random::faults(seed, number as u64, rehearsal.wanted as u64));
        }
        let ended = runtime.block_on(async {
            tokio::select! {
                run = simulation.run(number, faults, ui) => run.map(Some),
                () = &mut signal => Ok(None),
            }
        });
        let Some(run) = ended? else { break };
        if ui.format == Format::Human {
            ui.print(&report::render_run(&run, ui.out))?;
        }
        rehearsal.runs.push(run);
    }
    runtime.shutdown_background();
    rehearsal.took = began.elapsed();
    let view = RehearsalView::new(&rehearsal);
    if ui.format == Format::Human {
        // The runs were printed as they ended.
        ui.print(&report::render_totals(&rehearsal, ui.out))?;
    } else {
        ui.print_view(&view)?;
    }
    ui.write_reports(&view)?;
    Ok(if rehearsal.is_kept() { Exit::Fine } else { Exit::Error })
}

/// Returns None when every fault is chosen. A seed that was not given is short, so that it can be read out.
fn seed(args: &Args) -> Option<u64> {
    let is_random = args.faults.is_empty() || args.random.is_some() || args.seed.is_some();
    let any =
        || u64::from(RunId::fresh().0.as_fields().3[7]) * 256 + u64::from(RunId::fresh().0.as_fields().3[6]);
    is_random.then(|| args.seed.unwrap_or_else(any))
}

impl Simulation {
    /// Reads everything that the user has, and checks the plan as apply would. Writes nothing.
    fn load(args: &Args, global: &Global, ui: &mut Ui) -> Result<Self, Failure> {
        let mut project = Project::load(global, &Api::default())?;
        project.guard_reports(global, ui)?;
        let recorded = project.read_state(ui)?;
        let mut desired = project.desired_creates(recorded.as_ref(), ui)?;
        let settings = Settings {
            rate: if args.real_pace { project.rate } else { FAST },
            in_flight: project.in_flight(args.in_flight),
            on_error: OnError::Stop,
            retry_for: Duration::from_secs(30),
            deadline: None,
            // The sandbox lists at once what was created: one look is enough.
            settle: Duration::from_millis(1),
            settle_refused: Duration::ZERO,
            allow_same_alias: false,
            accept_missing_rows: None,
        };
        // From here on the configured endpoint is out of reach. An environment of the sandbox is in no other region.
        project.endpoint = Endpoint::Sandbox;
        project.region = None;
        project.timeout = project.timeout.min(TIMEOUT);
        let Select { targets, excludes } = args.select.clone();
        let options = Options { targets, excludes, ..Options::default() };
        let left_out = only_creates(&mut desired, recorded.as_ref());
        let mut setup = SimSetup::new(&desired, recorded, project.account(), options.filter(), env::now());
        setup.assumed.extend(left_out);
        let sandbox_rate = if args.real_pace { sandbox::RATE } else { FAST_LIMIT };
        let simulation = Self { project, desired, setup, options, settings, sandbox_rate };
        let state = simulation.setup.state.as_ref();
        let plan = simulation.plan(state)?;
        let target = simulation.project.target();
        let facts = facts(state, &target);
        let checked = guard::check(plan, &facts)?.in_account(CallerIdentity::Waived)?;
        // A limit is about money, and nothing is paid here; what it would say is worth knowing all the same.
        for blocker in guard::over_limits(checked.plan(), simulation.project.limits(None, None), 0) {
            let (code, message, _) = blocker.explain();
            let warning = Diagnostic::warning(code, message);
            ui.diagnose(&[
                warning.help(text!("`postpay apply` would reject this plan; it is rehearsed anyway"))
            ]);
        }
        Ok(simulation)
    }

    fn plan(&self, state: Option<&State>) -> Result<Plan, Failure> {
        self.project.plan(&self.desired, state, self.options.clone())
    }

    /// One run: a fresh copy, a fresh sandbox, and applies until nothing is left to do.
    async fn run(&mut self, number: usize, faults: Vec<Fault>, ui: &Ui) -> Result<Run, Failure> {
        let began = Instant::now();
        let folder = tempfile::Builder::new()
            .prefix("postpay-rehearsal-")
            .tempdir()
            .map_err(|error| cannot_write(&std::env::temp_dir(), &error))?;
        let place = files::resolve(folder.path()).map_err(|error| cannot_write(folder.path(), &error))?;
        self.project.use_state(place.join("postpay.state.json"));
        let path = &self.project.state;
        if let Some(copy) = &self.setup.state {
            std::fs::write(path, encode_state(copy)?).map_err(|error| cannot_write(path, &error))?;
        }
        let ledger = ledger_beside(path)?;
        sandbox::add_earlier(&ledger, &self.setup.existing, &self.setup.earlier, env::now())?;
        let embedded =
            Embedded { faults: faults.clone(), sandbox_rate: self.sandbox_rate, ..Embedded::default() };
        let connection = Connection::choose(&self.project, &embedded, 3 * TIMEOUT, ui)?;
        let (client, endpoint) = connection.open(self.setup.state.as_ref()).await?;
        let mut play = Play {
            simulation: self,
            store: FileStore::resolved(path),
            // One line for each run is progress enough.
            client: Arc::new(client.watched(None)),
            ledger,
            run: Run { number, faults, ..Run::default() },
            left_behind: Vec::new(),
        };
        play.run.unfinished = Box::pin(play.finish()).await?;
        let after = read(&play.store)?.current();
        let Play { mut run, left_behind, ledger, .. } = play;
        if let Some(endpoint) = endpoint {
            endpoint.shutdown().await;
        }
        // Without what was there before.
        let entries: Vec<_> = read_ledger(&ledger)?.into_iter().skip(self.setup.earlier.len()).collect();
        run.struck = entries.iter().filter(|entry| entry.fault.is_some()).count();
        run.judgement = judge(Evidence {
            wanted: &self.setup.wanted,
            before: self.setup.state.as_ref(),
            ledger: &entries,
            after: after.as_ref(),
            left_behind: &left_behind,
        });
        run.took = began.elapsed();
        Ok(run)
    }
}

/// Leaves out imports and `removed` blocks: the sandbox has nothing to import, and to the judge a record that is gone is lost.
/// Returns what was left out.
fn only_creates(desired: &mut Desired, recorded: Option<&State>) -> Vec<Text> {
    let is_recorded = |address: &Address| recorded.is_some_and(|state| state.get(address).is_some());
    let moved_to: HashSet<Address> = desired.moved.iter().map(|moved| moved.to.clone()).collect();
    let mut left_out = Vec::new();
    desired.environments.retain(|environment| {
        let address = &environment.address;
        let is_kept = environment.import.is_none() || is_recorded(address) || moved_to.contains(address);
        if !is_kept {
            left_out.push(text!("the import of `{address}` is not rehearsed", address));
        }
        is_kept
    });
    let removed = std::mem::take(&mut desired.removed);
    for address in removed.iter().map(|removed| &removed.address).filter(|address| is_recorded(address)) {
        left_out.push(text!("the removal of `{address}` from the state is not rehearsed", address));
    }
    left_out
}

fn facts<'a>(state: Option<&'a State>, target: &'a Target) -> Facts<'a> {
    Facts {
        state,
        target,
        allowed_accounts: &[],
        remade: None,
        manifests: &[],
        used_by: None,
        orders_last_day: 0,
        limits: Limits::default(),
        allow_destroy: false,
    }
}

/// One run in progress.
struct Play<'a> {
    simulation: &'a Simulation,
    store: FileStore,
    client: Arc<TencentClient>,
    ledger: PathBuf,
    run: Run,
    /// The EnvIds that refused creates left, as apply reports them.
    left_behind: Vec<String>,
}

impl Play<'_> {
    /// Applies and resolves until nothing is left to do. Returns why the job could not be finished.
    async fn finish(&mut self) -> Result<Option<Text>, Failure> {
        loop {
            let writer = self.lock()?;
            let plan = self.simulation.plan(writer.state())?;
            let is_settled = |action, is_refused| match action {
                Action::NoOp => true,
                // Not in the configuration, and kept.
                Action::Destroy => is_refused,
                Action::Create
                | Action::Update
                | Action::Replace
                | Action::Import
                | Action::Move
                | Action::Forget
                | Action::Resolve
                | Action::Wait => false,
            };
            if plan.steps.iter().all(|step| is_settled(step.action, step.blocker.is_some())) {
                return Ok(None);
            }
            if self.run.applies == MOST_APPLIES {
                return Ok(Some(text!("not finished after {MOST_APPLIES} applies", MOST_APPLIES)));
            }
            self.run.applies += 1;
            if let Some(why) = self.apply(plan, writer).await? {
                return Ok(Some(why));
            }
            self.resolve().await?;
        }
    }

    fn lock(&self) -> Result<Writer, Failure> {
        Ok(Writer::open(&self.store, &env::holder("rehearse"), Duration::ZERO)?)
    }

    /// `postpay apply --auto-approve`. Returns a reason when the job can't be finished without a person.
    async fn apply(&mut self, plan: Plan, mut writer: Writer) -> Result<Option<Text>, Failure> {
        if plan.changes().next().is_none() && plan.steps.iter().all(|step| step.action != Action::Wait) {
            return Ok(None);
        }
        let target = self.simulation.project.target();
        let facts = facts(writer.state(), &target);
        let checked = guard::check(plan, &facts)?.in_account(CallerIdentity::Waived)?;
        let approved = checked.approve(Consent::Auto)?;
        let last_sent = super::execute::last_sent(&self.store)?;
        // Ctrl-C ends a rehearsal at once: there is nothing to wait for.
        let (_stop, stopped) = watch::channel(false);
        let parts = Parts {
            cloud: Arc::clone(&self.client),
            writer: &mut writer,
            clock: &SystemClock,
            operator: env::operator(),
            commit: None,
            imports: BTreeMap::new(),
            // Nothing leaves the state of a rehearsal.
            known_ids: BTreeSet::new(),
            last_sent,
            stop: stopped,
            observe: &mut |_| {},
        };
        match apply::run(&approved, &self.simulation.settings, parts).await {
            Ok(report) => Ok(self.note(&report)),
            // Nothing was created: apply again.
            Err(ApplyError::Listing(_) | ApplyError::Incomplete { .. }) => Ok(None),
            Err(
                error @ (ApplyError::State(_) | ApplyError::AlreadyThere(_) | ApplyError::Elsewhere { .. }),
            ) => Err(error.into()),
        }
    }

    fn note(&mut self, report: &ApplySummary) -> Option<Text> {
        let read_back = |outcome: &Outcome| matches!(outcome, Outcome::Ordered { read_back: true, .. });
        let results = report.results.iter();
        self.run.settled.read_back += results.filter(|result| read_back(&result.outcome)).count();
        self.run.settled.read_back += report.found.len();
        if let Some(trouble) = &report.trouble {
            return Some(trouble.text());
        }
        self.left_behind.extend(report.results.iter().filter_map(|result| result.left_behind.clone()));
        report.results.iter().find_map(|result| {
            let left = result.left_behind.as_ref()?;
            let address = &result.address;
            Some(text!(
                "the create of `{address}` failed and left {left} behind; check it before creating it again",
                address,
                left
            ))
        })
    }

    /// `postpay resolve --auto-approve`, and then what a person would do who can see what was created.
    async fn resolve(&mut self) -> Result<(), Failure> {
        let mut writer = self.lock()?;
        let Some(state) = writer.state().cloned() else {
            return Ok(());
        };
        let open: Vec<_> = resolve::is_open(&state).collect();
        if open.iter().all(|(_, record)| record.status != Status::Unknown) {
            return Ok(());
        }
        let examined = resolve::examine(&self.store, &state, open, &self.client).await;
        // It could not be read: the next round tries again.
        let Ok(cases) = examined else { return Ok(()) };
        let settled = &mut self.run.settled;
        let mut edits = Vec::new();
        let mut unclaimed = unrecorded_creates(read_ledger(&self.ledger)?, &state);
        let (proposed, in_doubt): (Vec<_>, Vec<_>) = cases
            .iter()
            .map(|case| (case, resolve::proposed(case, &cases)))
            .partition(|(_, it)| it.is_some());
        for (case, candidate) in proposed.into_iter().filter_map(|(case, it)| Some((case, it?))) {
            let env_id = candidate.environment.env_id.as_str();
            unclaimed.retain(|entry| entry.env_id.as_deref() != Some(env_id));
            edits.push(resolve::adopt(case, candidate));
            settled.adopted += 1;
        }
        for (case, _) in in_doubt {
            let (edit, count) = match claim(case, &mut unclaimed) {
                Some(env_id) => {
                    (resolve::adopt_by_id(case, &env_id, None, true, &state), &mut settled.adopted)
                }
                None => (resolve::forget(case, &state), &mut settled.not_created),
            };
            // What the command rejects stays open, and the next round sees it again.
            if let Ok(edit) = edit {
                edits.push(edit);
                *count += 1;
            }
        }
        if !edits.is_empty() {
            let run = edit::started(&state, "resolve")?;
            edit::write(&mut writer, run, edits)?;
        }
        Ok(())
    }
}

/// Creates that are not in the state.
fn unrecorded_creates(mut entries: Vec<LedgerEntry>, state: &State) -> Vec<LedgerEntry> {
    let records = state.environments.values().filter(|record| record.status == Status::Created);
    let recorded: HashSet<(Option<&str>, Option<&str>)> =
        records.map(|record| (record.env_id.as_deref(), record.tran_id.as_deref())).collect();
    entries.retain(|entry| {
        let ids = (entry.env_id.as_deref(), entry.tran_id.as_deref());
        entry.acted && !recorded.contains(&ids)
    });
    entries
}

/// Takes the create that a case is about out of those that were made; None when there is none.
fn claim(case: &Case, unclaimed: &mut Vec<LedgerEntry>) -> Option<String> {
    let params = request(&case.open.record.attributes);
    let place = unclaimed.iter().position(|entry| entry.params == params)?;
    unclaimed.swap_remove(place).env_id
}
