//! `postpay apply`: plan, ask, order, record.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connect::Connection;
use super::env;
use super::error::{Exit, Failure, NOTHING_SENT};
use super::execute::{Flags, Job, execute_plan};
use super::options::{Changes, Global, Select, time};
use super::project::Project;
use super::rescue;
use super::ui::Ui;
use crate::config;
use crate::crash;
use crate::diagnostic::Diagnostic;
use crate::files::{self, Links};
use crate::i18n::text;
use crate::model::Address;
use crate::plan::{Plan, file};
use crate::state::journal::RunId;
use crate::state::rescue::RescueFile;
use crate::state::{State, Status, Writer};

/// Plan, ask for approval, and apply
///
/// With a PLANFILE, apply does not ask: it carries out exactly that plan, or nothing. A plan that was edited,
/// was already applied, or no longer matches the state or the manifests is rejected.
///
/// Before the first create, apply lists the account. An environment that matches a declared one by alias (in
/// any case), EnvAlias or EnvId and is not in the state stops the run. So does a list that is still
/// incomplete or inconsistent after three attempts.
///
/// Ctrl-C or SIGTERM starts nothing more and waits for calls in progress. A second one exits at once, and
/// calls in progress are recorded as unknown.
///
/// Run one apply per project at a time: the lock does not see a second clone or another machine. Do not
/// remove or replace the lock file or the journal during a run. Without an alias, the state is the only
/// record of an environment.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay apply                      plan, ask for approval, apply
  postpay apply plan.json            apply exactly the reviewed plan
  postpay apply -y --max-creates 5   in CI: do not ask, at most 5 creates")]
pub(super) struct Args {
    /// A plan saved with `postpay plan -o`
    #[arg(value_name = "PLANFILE", conflicts_with_all = ["targets", "excludes", "replaces"])]
    file: Option<PathBuf>,
    /// Reject a plan with more creates than this
    #[arg(long, value_name = "N", env = "POSTPAY_MAX_CREATES")]
    max_creates: Option<u32>,
    /// Reject a plan that would exceed this many creates in 24 hours
    #[arg(long, hide_short_help = true, value_name = "N", env = "POSTPAY_MAX_CREATES_PER_DAY")]
    max_creates_per_day: Option<u32>,
    /// Maximum concurrent calls, 1 to 32 [default: 4]
    #[arg(long, hide_short_help = true, value_name = "N", env = "POSTPAY_IN_FLIGHT", value_parser = clap::value_parser!(u32).range(1..=i64::from(config::MAX_IN_FLIGHT)))]
    in_flight: Option<u32>,
    /// Create despite a matching environment that is not in the state
    #[arg(long, hide_short_help = true)]
    allow_same_alias: bool,
    /// Create even if the list of the account lacks exactly N environments
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    accept_missing_rows: Option<u64>,
    /// Wait until what was created can be used [default TIME: 10m]
    ///
    /// The state is written and unlocked first. Exits with 3 if the time ends first or Tencent Cloud cannot deliver an
    /// environment.
    #[arg(long, hide_short_help = true, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "10m", value_parser = time)]
    wait: Option<Duration>,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: &Args, global: &Global, ui: &mut Ui) -> Result<Exit, Failure> {
    let flags = &args.flags;
    ui.events = flags.json;
    let project = Project::load(global, &flags.api)?;
    project.guard_reports(global, ui)?;
    if let Some(path) = &args.file {
        ui.reports.check_unused(path)?;
    }
    let kept = args.file.as_deref().map(read_plan).transpose()?;
    let connection = Connection::choose(&project, &flags.embedded, flags.retry_for, ui)?;
    let store = project.store()?;
    let writer = ui.locked(&*store, flags.lock_timeout, || {
        Writer::open(&*store, &env::holder("apply"), flags.lock_timeout)
    })?;
    report_recovered(&*store, &writer, ui);
    crash::point(crash::LOCKED);
    let plan = if let Some(plan) = &kept {
        plan.clone()
    } else {
        let desired = project.desired_creates(writer.state(), ui)?;
        crash::point(crash::MANIFESTS_READ);
        let options = project.options(&args.select, &args.changes);
        project.plan(&desired, writer.state(), options)?
    };
    crash::point(crash::PLANNED);
    let job = Job {
        project: &project,
        flags,
        kept: kept.as_ref(),
        limits: project.limits(args.max_creates, args.max_creates_per_day),
        in_flight: project.in_flight(args.in_flight),
        allow_same_alias: args.allow_same_alias,
        accept_missing_rows: args.accept_missing_rows,
        wait: args.wait,
        asked_to_destroy: args.changes.allow_destroy,
    };
    execute_plan(plan, &job, &connection, &*store, writer, ui)
}

/// Reads and verifies a plan file.
pub(super) fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let text = files::read(path, Links::Followed, file::MAX_BYTES).map_err(|error| {
        let path = path.display();
        Failure::new("plan-file", text!("cannot read {path}: {error}", path, error))
            .help(text!("make and review a plan: `postpay plan -o FILE`"))
            .help(NOTHING_SENT)
    })?;
    file::decode(&String::from_utf8_lossy(&text)).map_err(|error| Failure::from((path, error)))
}

/// Reports the interrupted run that taking the lock recovered, and its rescue files.
pub(super) fn report_recovered(store: &dyn crate::state::StateStore, writer: &Writer, ui: &Ui) {
    let rescues = rescue::found(store, writer.state(), ui);
    if let Some(run) = writer.recovered() {
        ui.diagnose(&[recovered(run, writer.state(), &rescues)]);
    }
}

fn recovered(run: RunId, state: Option<&State>, rescues: &[RescueFile]) -> Diagnostic {
    let unknown: Vec<&Address> = state
        .into_iter()
        .flat_map(State::current)
        .filter(|(_, record)| record.run == run && record.status == Status::Unknown)
        .map(|(address, _)| address)
        .collect();
    let mut diagnostic = Diagnostic::warning(
        "recovered",
        text!("run {run} was interrupted; its journal was merged into the state", run),
    );
    if unknown.is_empty() {
        return diagnostic.help(text!("it has no unknown outcomes"));
    }
    let names: Vec<String> = unknown.iter().map(|address| format!("`{address}`")).collect();
    let (en, zh) = (names.join(", "), names.join("、"));
    diagnostic = diagnostic.help(text!("unknown outcomes: {en}; they will not be created again", en; zh));
    for address in unknown {
        for file in rescues.iter().filter(|file| file.about(address).is_some()) {
            let path = file.path.display();
            diagnostic =
                diagnostic.help(text!("the response for `{address}` was saved to {path}", address, path));
        }
    }
    diagnostic
}
