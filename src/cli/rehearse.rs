//! `postpay rehearse`: the real engine on the user's own manifests and a copy of the state, while faults strike.
//!
//! Everything is done in a temporary folder, against the embedded endpoint; what is configured is read and never written
//! or spoken to. After each run the documented recovery is followed: apply again, resolve, and where nothing was made,
//! say so. The ledger takes the place of the person who looks into the account.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Exit;
use super::connect::sandbox_credentials;
use super::edit;
use super::failure::Failure;
use super::load::Project;
use super::options::{Api, Format, Global, Select};
use super::resolve::{self, Case};
use super::shown::Shown;
use super::world::{World, cant_write};
use crate::apply::{self, ApplyError, ApplySummary, OnError, Outcome, Parts, Settings};
use crate::clock::SystemClock;
use crate::cloud::tencent::wire::{CREATE, create_body};
use crate::cloud::tencent::{ClientOptions, CredentialCache, TencentClient, Transport};
use crate::config::{self, Endpoint};
use crate::diagnostic::Diagnostic;
use crate::files;
use crate::lang::{Text, text};
use crate::model::{Address, Desired};
use crate::plan::guard::{self, CallerIdentity, Consent, Facts, Limits};
use crate::plan::{Action, Options, Plan, Target};
use crate::rehearsal::judge::{Evidence, judge};
use crate::rehearsal::scene::Scene;
use crate::rehearsal::{Rehearsal, Run, Settled, chance};
use crate::report::{human, json};
use crate::sandbox::{self, Fault, LedgerEntry, Sandbox, read_ledger};
use crate::state::file::FileStore;
use crate::state::journal::RunId;
use crate::state::{State, Status, Writer, encode_state, read};

/// See what faults would do to your own plan: orders from the embedded endpoint, on a copy of the state
///
/// Carries out the plan for your manifests with the real engine, while answers get lost, connections break and calls are
/// turned away; then recovers as documented, until nothing is left to do. The endpoint's ledger is the judge of what was
/// ordered twice, and of what was lost.
///
/// It needs no credentials, whatever endpoint is configured: that one is never spoken to. The state, its lock and its
/// receipts are not touched. Environments that the state or the manifests name are taken as existing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay rehearse                               ten runs with random faults
  postpay rehearse --random 100 --seed 42        a hundred; the same faults every time
  postpay rehearse --fault reset-after@2         the answer to the second order is lost: what then?
  postpay rehearse --fault hang-after@1 --fault throttle@3-4 --fault list:html@2
                                                 several in one run
  postpay rehearse --real-pace                   at 2 orders a second, as it will be
  postpay rehearse --format json                 for CI

Faults are those of `postpay sandbox serve --help`: KIND@N, where N counts the orders that are sent, from 1.

Exits with 0 when nothing was ordered twice, nothing was lost and every run finished the job, else with 1.")]
pub(super) struct Args {
    /// Fail at a chosen call, in every run: KIND@N, KIND@N-M or KIND@*; repeatable
    #[arg(long = "fault", value_name = "KIND@CALL", env = "POSTPAY_FAULT", value_delimiter = ',')]
    faults: Vec<Fault>,
    /// Make N runs, each with random faults of its own [default: 10, without --fault]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    random: Option<u16>,
    /// Draw the random faults from this, to have the same ones again [default: another one every time]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Order at the pace of a real run instead of as fast as it goes
    #[arg(long)]
    real_pace: bool,
    /// Calls under way at once, 1 to 32 [default: 4]
    #[arg(long, value_name = "N", env = "POSTPAY_IN_FLIGHT", value_parser = clap::value_parser!(u32).range(1..=i64::from(config::MAX_IN_FLIGHT)))]
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
struct Stage<'a> {
    project: Project,
    desired: Desired,
    scene: Scene,
    select: &'a Select,
    settings: Settings,
    /// Orders a second that the endpoint takes.
    limit: u32,
}

pub(super) fn run(args: &Args, global: &Global, world: &mut World) -> Result<Exit, Failure> {
    let seed = seed(args);
    let asked = match (args.random, seed) {
        (Some(runs), _) => runs,
        (None, Some(_)) => RUNS,
        (None, None) => 1,
    };
    let stage = Stage::set(args, global, world)?;
    let mut rehearsal = Rehearsal {
        seed,
        asked: usize::from(asked),
        wanted: stage.scene.wanted.len(),
        assumed: stage.scene.assumed.clone(),
        runs: Vec::new(),
        took: Duration::ZERO,
    };
    if world.format == Format::Human {
        world.print(&human::rehearsal::head(&rehearsal, world.out))?;
    }
    let began = Instant::now();
    let runtime = super::runtime()?;
    // One for all runs, so that no moment between two of them is without ears.
    let mut signal = Box::pin(super::signals::signal());
    for number in 1..=rehearsal.asked {
        let faults = stage.faults(args, seed, number);
        let ended = runtime.block_on(async {
            tokio::select! {
                run = stage.run(number, faults, world) => run.map(Some),
                () = &mut signal => Ok(None),
            }
        });
        let Some(run) = ended? else { break };
        if world.format == Format::Human {
            world.print(&human::rehearsal::run(&run, world.out))?;
        }
        rehearsal.runs.push(run);
    }
    runtime.shutdown_background();
    rehearsal.took = began.elapsed();
    let json = || json::rehearsal::report(&rehearsal);
    let totals = |look| human::rehearsal::totals(&rehearsal, look);
    let whole = |look| human::rehearsal::report(&rehearsal, look);
    world.print_as_asked(Shown::plain(&json, &totals))?;
    world.report(Shown::plain(&json, &whole))?;
    Ok(if rehearsal.is_kept() { Exit::Fine } else { Exit::Error })
}

/// None when every fault is chosen. One that nobody gave is short, so that it can be read out.
fn seed(args: &Args) -> Option<u64> {
    let is_random = args.faults.is_empty() || args.random.is_some() || args.seed.is_some();
    let by_chance =
        || u64::from(RunId::fresh().0.as_fields().3[7]) * 256 + u64::from(RunId::fresh().0.as_fields().3[6]);
    is_random.then(|| args.seed.unwrap_or_else(by_chance))
}

impl<'a> Stage<'a> {
    /// Reads everything that the user has, and holds it against the guard. Writes nothing.
    fn set(args: &'a Args, global: &Global, world: &mut World) -> Result<Self, Failure> {
        let mut project = Project::load(global, &Api::default())?;
        project.guard_reports(global, world)?;
        let recorded = project.recorded(world)?;
        let mut desired = project.desired_creates(recorded.as_ref(), world)?;
        let settings = Settings {
            rate: if args.real_pace { project.rate } else { FAST },
            in_flight: project.in_flight(args.in_flight),
            on_error: OnError::Stop,
            retry_for: Duration::from_secs(30),
            deadline: None,
            // The endpoint lists at once what was ordered: one look tells.
            // One look, and no waiting for another.
            settle: Duration::from_millis(1),
            settle_refused: Duration::ZERO,
            allow_same_alias: false,
            accept_missing_rows: None,
        };
        // From here on the configured endpoint is out of reach.
        project.endpoint = Endpoint::Sandbox;
        let selection = Self::options(&args.select);
        let assumed = only_orders(&mut desired, recorded.as_ref());
        let mut scene = Scene::set(&desired, recorded, project.account(), selection.filter(), world.now());
        scene.assumed.extend(assumed);
        let stage = Self {
            limit: if args.real_pace {
                sandbox::Options::new("").rate.unwrap_or(FAST_LIMIT)
            } else {
                FAST_LIMIT
            },
            project,
            desired,
            scene,
            select: &args.select,
            settings,
        };
        let plan = stage.plan(stage.scene.state.as_ref(), world)?;
        let target = stage.project.target();
        let facts = facts(stage.scene.state.as_ref(), &target);
        let checked = guard::check(plan, &facts)?.in_account(CallerIdentity::Waived)?;
        // A limit is about money, and nothing is paid here; what it would say is worth knowing all the same.
        for blocker in guard::over_limits(checked.plan(), stage.project.limits(None, None), 0) {
            let (code, message, _) = blocker.explain();
            let warning = Diagnostic::warning(code, message);
            world.diagnose(&[warning.help(text!(
                "`postpay apply` would refuse this; it is rehearsed",
                "`postpay apply` 会拒绝它；这里只是演练",
            ))]);
        }
        Ok(stage)
    }

    /// Replacing and giving up are not rehearsed.
    fn options(select: &Select) -> Options {
        Options { targets: select.targets.clone(), excludes: select.excludes.clone(), ..Options::default() }
    }

    fn faults(&self, args: &Args, seed: Option<u64>, number: usize) -> Vec<Fault> {
        let mut faults = args.faults.clone();
        if let Some(seed) = seed {
            let (run, orders) = (number as u64, self.scene.wanted.len() as u64);
            faults.extend(chance::faults(seed, run, orders));
        }
        faults
    }

    fn plan(&self, state: Option<&State>, world: &World) -> Result<Plan, Failure> {
        let options = Self::options(self.select);
        self.project.plan(&self.desired, state, options, world)
    }

    /// One run: a fresh copy, a fresh endpoint, and applies until nothing is left to do.
    async fn run(&self, number: usize, faults: Vec<Fault>, world: &World) -> Result<Run, Failure> {
        let began = Instant::now();
        let folder = tempfile::Builder::new()
            .prefix("postpay-rehearsal-")
            .tempdir()
            .map_err(|error| cant_write(&std::env::temp_dir(), &error))?;
        let place = files::resolve(folder.path()).map_err(|error| cant_write(folder.path(), &error))?;
        let state = place.join("postpay.state.json");
        if let Some(copy) = &self.scene.state {
            std::fs::write(&state, encode_state(copy)?).map_err(|error| cant_write(&state, &error))?;
        }
        let ledger = place.join("postpay.sandbox.jsonl");
        sandbox::note(&ledger, &self.scene.made, world.now())?;
        let endpoint = Sandbox::start(sandbox::Options {
            faults: faults.clone(),
            rate: Some(self.limit),
            existing: self.scene.existing.clone(),
            ..sandbox::Options::new(&ledger)
        })
        .await?;
        let mut play = Play {
            stage: self,
            store: world.store(&state),
            client: self.client(&endpoint.url())?,
            ledger: &ledger,
            settled: Settled::default(),
            left_behind: Vec::new(),
            world,
        };
        let mut applies = 0;
        let unfinished = loop {
            if play.is_done()? {
                break None;
            }
            if applies == MOST_APPLIES {
                break Some(text!(
                    "{MOST_APPLIES} applies were not enough",
                    "执行了 {MOST_APPLIES} 次 apply 仍未完成"
                ));
            }
            applies += 1;
            if let Some(why) = play.apply().await? {
                break Some(why);
            }
            play.resolve().await?;
        };
        let (settled, left_behind) = (play.settled, play.left_behind);
        let after = read(&play.store)?.current();
        endpoint.shutdown().await;
        let entries = made_since(&ledger, self.scene.made.len())?;
        Ok(Run {
            number,
            faults,
            struck: entries.iter().filter(|entry| entry.fault.is_some()).count(),
            applies,
            judgement: judge(Evidence {
                wanted: &self.scene.wanted,
                before: self.scene.state.as_ref(),
                ledger: &entries,
                after: after.as_ref(),
                left_behind: &left_behind,
            }),
            settled,
            unfinished,
            took: began.elapsed(),
        })
    }

    fn client(&self, endpoint: &str) -> Result<Arc<TencentClient>, Failure> {
        let options = ClientOptions {
            endpoint: endpoint.parse()?,
            credentials: Arc::new(CredentialCache::fixed(sandbox_credentials())),
            // The endpoint's world has one region; what is taken as existing is in no other.
            region: None,
            // An order is looked for where its record says that it was made.
            list_regions: self.project.region.iter().cloned().collect(),
            language: self.project.language.name().to_owned(),
            transport: Transport::within(TIMEOUT.min(self.project.timeout)),
            retry_reads_for: 3 * TIMEOUT,
            clock: Arc::new(SystemClock),
        };
        Ok(Arc::new(TencentClient::new(options)?))
    }
}

/// Leaves out what adopts and what forgets: the embedded endpoint has nothing that could be adopted, and the judge holds
/// every record that is gone for a loss. Says what was left out.
fn only_orders(desired: &mut Desired, recorded: Option<&State>) -> Vec<Text> {
    let on_record = |address: &Address| recorded.is_some_and(|state| state.get(address).is_some());
    let targets: HashSet<Address> = desired.moved.iter().map(|moved| moved.to.clone()).collect();
    let mut left_out = Vec::new();
    desired.environments.retain(|environment| {
        let address = &environment.address;
        let kept = environment.import.is_none() || on_record(address) || targets.contains(address);
        if !kept {
            left_out.push(text!("the import of `{address}` is not rehearsed", "不演练 `{address}` 的导入"));
        }
        kept
    });
    for removed in std::mem::take(&mut desired.removed) {
        if on_record(&removed.address) {
            let address = &removed.address;
            left_out.push(text!(
                "that `{address}` is forgotten is not rehearsed",
                "不演练移除 `{address}` 的记录"
            ));
        }
    }
    left_out
}

fn facts<'a>(state: Option<&'a State>, target: &'a Target) -> Facts<'a> {
    Facts {
        state,
        target,
        // The embedded endpoint's own.
        allowed_accounts: &[],
        remade: None,
        manifests: &[],
        used_by: None,
        orders_last_day: 0,
        limits: Limits::default(),
        allow_destroy: false,
    }
}

/// What the endpoint did, without the orders that were noted before it started.
fn made_since(ledger: &Path, noted: usize) -> Result<Vec<LedgerEntry>, Failure> {
    let mut entries = read_ledger(ledger)?;
    Ok(entries.split_off(noted.min(entries.len())))
}

/// One run under way.
struct Play<'a> {
    stage: &'a Stage<'a>,
    store: FileStore,
    client: Arc<TencentClient>,
    ledger: &'a Path,
    settled: Settled,
    /// What refused orders left, as apply reports it.
    left_behind: Vec<String>,
    world: &'a World,
}

impl Play<'_> {
    /// Whether a plan would find nothing to order, to wait for or to resolve.
    fn is_done(&self) -> Result<bool, Failure> {
        let state = read(&self.store)?.current();
        let plan = self.stage.plan(state.as_ref(), self.world)?;
        Ok(plan.steps.iter().all(|step| match step.action {
            Action::Create
            | Action::Update
            | Action::Replace
            | Action::Import
            | Action::Move
            | Action::Forget
            | Action::Resolve
            | Action::Wait => false,
            // No longer declared, and kept.
            Action::Destroy => step.blocker.is_some(),
            Action::NoOp => true,
        }))
    }

    fn lock(&self) -> Result<Writer, Failure> {
        let holder = self.world.holder("rehearse");
        Ok(Writer::open(&self.store, &holder, Duration::ZERO)?)
    }

    /// `postpay apply --auto-approve`. Some when the job can't be done without a person.
    async fn apply(&mut self) -> Result<Option<Text>, Failure> {
        let mut writer = self.lock()?;
        let plan = self.stage.plan(writer.state(), self.world)?;
        let waits = plan.steps.iter().any(|step| step.action == Action::Wait);
        if plan.changes().next().is_none() && !waits {
            return Ok(None);
        }
        let target = self.stage.project.target();
        let facts = facts(writer.state(), &target);
        let checked = guard::check(plan, &facts)?.in_account(CallerIdentity::Waived)?;
        let approved = checked.approve(Consent::Auto)?;
        let last_sent = super::carry_out::last_sent(&self.store)?;
        // Ctrl-C ends a rehearsal at once: there is nothing to wait for.
        let (_stop, stopped) = watch::channel(false);
        let parts = Parts {
            cloud: Arc::clone(&self.client),
            writer: &mut writer,
            clock: &SystemClock,
            operator: self.world.operator(),
            commit: None,
            imports: BTreeMap::new(),
            // Nothing leaves the state of a rehearsal.
            known_ids: BTreeSet::new(),
            last_sent,
            stop: stopped,
            observe: &mut |_| {},
        };
        match apply::run(&approved, &self.stage.settings, parts).await {
            Ok(report) => Ok(self.note(&report)),
            // Nothing was ordered: apply again.
            Err(ApplyError::Listing(_) | ApplyError::Incomplete { .. }) => Ok(None),
            Err(
                error @ (ApplyError::State(_) | ApplyError::AlreadyThere(_) | ApplyError::Elsewhere { .. }),
            ) => Err(error.into()),
        }
    }

    fn note(&mut self, report: &ApplySummary) -> Option<Text> {
        self.settled.read_back += report.found.len();
        for result in &report.results {
            match &result.outcome {
                Outcome::Ordered { read_back, .. } => {
                    self.settled.read_back += usize::from(*read_back);
                }
                Outcome::Failed(_)
                | Outcome::Unknown(_)
                | Outcome::Done(_)
                | Outcome::Recorded
                | Outcome::NotAttempted => {}
            }
        }
        if let Some(trouble) = &report.trouble {
            return Some(trouble.text());
        }
        let left = report.results.iter().filter_map(|result| result.left_behind.clone());
        self.left_behind.extend(left);
        report.results.iter().find_map(|result| {
            let left = result.left_behind.as_ref()?;
            let address = &result.address;
            Some(text!(
                "the order of `{address}` was refused and left {left} behind; a person has to look before it is ordered again",
                "`{address}` 的订单被拒绝，却留下了 {left}；再次订购之前需要有人查看"
            ))
        })
    }

    /// `postpay resolve --auto-approve`, and then what a person would do who can see what was made.
    async fn resolve(&mut self) -> Result<(), Failure> {
        let mut writer = self.lock()?;
        let Some(state) = writer.state().cloned() else {
            return Ok(());
        };
        let open: Vec<_> = resolve::is_open(&state).collect();
        if open.iter().all(|(_, record)| record.status != Status::Unknown) {
            return Ok(());
        }
        let examined = resolve::examine(&self.store, &state, open, &self.client, self.world).await;
        // It could not be read: the next round tries again.
        let Ok(cases) = examined else { return Ok(()) };
        let mut edits = Vec::new();
        let mut unclaimed = self.unclaimed(&state)?;
        let mut in_doubt = Vec::new();
        for case in &cases {
            match resolve::proposed(case, &cases) {
                Some(candidate) => {
                    unclaimed.retain(|entry| {
                        entry.env_id.as_deref() != Some(candidate.environment.env_id.as_str())
                    });
                    edits.push(resolve::adopt(case, candidate));
                    self.settled.adopted += 1;
                }
                None => in_doubt.push(case),
            }
        }
        for case in in_doubt {
            let settled = match claim(case, &mut unclaimed) {
                Some(env_id) => resolve::adopt_named(case, &env_id, None, true, &state).inspect(|_| {
                    self.settled.adopted += 1;
                }),
                None => resolve::forget(case, &state).inspect(|_| self.settled.not_created += 1),
            };
            // What the command refuses stays open, and the next round sees it again.
            edits.extend(settled.ok());
        }
        if !edits.is_empty() {
            let run = edit::started(&state, "resolve", self.world)?;
            edit::write(&mut writer, run, edits, self.world)?;
        }
        Ok(())
    }

    /// Orders that were made and are on no record.
    fn unclaimed(&self, state: &State) -> Result<Vec<LedgerEntry>, Failure> {
        let is_recorded: HashSet<(Option<&str>, Option<&str>)> = state
            .environments
            .values()
            .filter(|record| record.status == Status::Created)
            .map(|record| (record.env_id.as_deref(), record.tran_id.as_deref()))
            .collect();
        let mut entries = read_ledger(self.ledger)?;
        entries.retain(|entry| {
            let ids = (entry.env_id.as_deref(), entry.tran_id.as_deref());
            entry.acted && entry.action == CREATE && !is_recorded.contains(&ids)
        });
        Ok(entries)
    }
}

/// Takes the order that a case is about out of those that were made; None when it never was.
fn claim(case: &Case, unclaimed: &mut Vec<LedgerEntry>) -> Option<String> {
    let body = create_body(&case.open.record.attributes);
    let params: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&body).unwrap_or_default();
    let place = unclaimed.iter().position(|entry| entry.params == params)?;
    unclaimed.swap_remove(place).env_id
}
