//! What an apply takes beside the least that Tencent Cloud's rate allows, and what an order costs on disk.
//!
//! The runs are the real ones: engine, client and local store, over HTTP, against the sandbox with its rate limit. The
//! floor of n orders is the n-1 pauses between their starts and one call's latency.

#![allow(clippy::print_stdout, reason = "a bench is there to print what it found")]

#[allow(dead_code, reason = "each bench uses its part of what they share")]
mod support;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use postpay::apply::pace::least_time;
use postpay::apply::{self, ApplySummary, CallKind, OnError, Operator, Parts, Settings, Verdict};
use postpay::clock::SystemClock;
use postpay::cloud::tencent::{ClientOptions, CredentialCache, Credentials, TencentClient, Transport};
use postpay::model::{Address, Environment};
use postpay::plan::guard::{self, Approved, CallerIdentity, Consent, Facts, Limits};
use postpay::plan::{Options, Plan};
use postpay::sandbox::{self, Sandbox};
use postpay::state::file::FileStore;
use postpay::state::journal::{EndReason, Event, Evidence, Intent, Outcome, RunEnded, RunId, RunStarted};
use postpay::state::{Holder, Lineage, Writer};
use support::{Project, account, ratio, target, timed};

const RATE: f64 = 2.0;
const IN_FLIGHT: usize = 4;
const LINES: [Line; 8] = [
    Line::quiet("quiet, 0 s latency", Duration::ZERO),
    Line::quiet("quiet, 0.3 s latency", Duration::from_millis(300)),
    Line::quiet("quiet, 1 s latency", Duration::from_secs(1)),
    Line::quiet("quiet, 1.5 s latency", Duration::from_millis(1500)),
    Line { jitter: Duration::from_millis(30), creates: 24, ..Line::quiet("30 ms jitter", Duration::ZERO) },
    Line::congested("congestion of 1 s", 1),
    Line::congested("congestion of 3 s", 3),
    Line::congested("congestion of 10 s", 10),
];

fn main() -> Result<()> {
    pace()?;
    journal()
}

/// One line between client and sandbox.
#[derive(Debug, Clone, Copy)]
struct Line {
    name: &'static str,
    creates: u32,
    latency: Duration,
    jitter: Duration,
    /// How long every create is throttled, from the fifth on, in seconds.
    congestion: u32,
}

impl Line {
    const fn quiet(name: &'static str, latency: Duration) -> Self {
        Self { name, creates: 12, latency, jitter: Duration::ZERO, congestion: 0 }
    }

    const fn congested(name: &'static str, congestion: u32) -> Self {
        Self { congestion, ..Self::quiet(name, Duration::from_millis(300)) }
    }

    fn floor(&self) -> Result<Duration> {
        Ok(least_time(usize::try_from(self.creates)?, RATE) + self.latency)
    }

    fn aim(&self) -> String {
        match (self.congestion, self.jitter.is_zero()) {
            (0, true) => "ratio <= 1.03".to_owned(),
            (0, false) => "ratio <= 1.10".to_owned(),
            (congestion, _) => format!("cost <= {} s", congestion + 4),
        }
    }
}

/// All lines at once: what the runs do most is wait.
fn pace() -> Result<()> {
    println!("Creates at {RATE} per second, at most {IN_FLIGHT} in progress\n");
    println!(
        "{:>20} {:>8} {:>9} {:>9} {:>7} {:>9} {:>10}  {:<14} {:>8} {:>10} {:>9}",
        "line",
        "creates",
        "floor",
        "took",
        "ratio",
        "cost",
        "throttled",
        "aim",
        "order",
        "first send",
        "last end"
    );
    let runs: Vec<_> = LINES.into_iter().map(|line| (line, thread::spawn(move || create(line)))).collect();
    let mut undisturbed = None;
    for (line, run) in runs {
        let ran = run.join().ok().context("a run panicked")??;
        let (took, floor) = (ran.took, line.floor()?);
        if line.name == LINES[1].name {
            undisturbed = Some(took);
        }
        let cost = match undisturbed {
            Some(undisturbed) if line.congestion > 0 => {
                format!("{:.3} s", took.saturating_sub(undisturbed).as_secs_f64())
            }
            _ => "-".to_owned(),
        };
        println!(
            "{:>20} {:>8} {:>7.3} s {:>7.3} s {:>7.4} {cost:>9} {:>10}  {:<14} {:>8} {:>7.1} ms {:>6.1} ms",
            line.name,
            line.creates,
            floor.as_secs_f64(),
            took.as_secs_f64(),
            ratio(took, floor),
            ran.throttled,
            line.aim(),
            if ran.order_is_kept { "kept" } else { "NOT KEPT" },
            ran.first_send.as_secs_f64() * 1e3,
            ran.closing.as_secs_f64() * 1e3,
        );
    }
    println!(
        "\ntook: from the listing that a run begins with until the state and the receipt are on disk\n\
         cost: compared with the quiet line of the same latency\n\
         first send: of that, until the first request; last end: of that, after the last answer\n\
         order: first attempts start in declared order, and none overtakes one that was throttled"
    );
    Ok(())
}

struct Ran {
    took: Duration,
    first_send: Duration,
    closing: Duration,
    throttled: usize,
    order_is_kept: bool,
}

/// A run as `postpay apply` does it: the engine beside two worker threads.
fn create(line: Line) -> Result<Ran> {
    let folder = tempfile::tempdir()?;
    let project = Project::generate(folder.path(), line.creates)?;
    let approved = approved(&project)?;
    let settings = Settings {
        rate: RATE,
        in_flight: IN_FLIGHT,
        on_error: OnError::Stop,
        retry_for: Duration::from_secs(120),
        deadline: None,
        settle: Duration::ZERO,
        settle_refused: Duration::ZERO,
        allow_same_alias: false,
        accept_missing_rows: None,
    };
    let faults = match line.congestion {
        0 => Vec::new(),
        seconds => {
            vec![format!("throttle-for:{seconds}s@5").parse().map_err(|error| anyhow::anyhow!("{error}"))?]
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let running = Sandbox::start(sandbox::Options {
            latency: line.latency,
            jitter: line.jitter,
            faults,
            ..sandbox::Options::new(folder.path().join("sandbox.jsonl"))
        })
        .await?;
        let client = TencentClient::new(ClientOptions {
            endpoint: running.url().parse()?,
            credentials: Arc::new(CredentialCache::fixed(Credentials {
                secret_id: sandbox::SECRET_ID.to_owned(),
                secret_key: sandbox::SECRET_KEY.into(),
                token: None,
            })),
            region: None,
            list_regions: Vec::new(),
            language: "en-US".to_owned(),
            transport: Transport::within(Duration::from_secs(60)),
            retry_reads_for: Duration::ZERO,
            clock: Arc::new(SystemClock),
        })?;
        let mut writer = Writer::open(&FileStore::new(project.state()), &holder(), Duration::ZERO)?;
        let (_stop, stopped) = tokio::sync::watch::channel(false);
        let mut begun = Instant::now();
        let mut first_send = None;
        let mut last_end = begun;
        let parts = Parts {
            cloud: Arc::new(client),
            writer: &mut writer,
            clock: &SystemClock,
            operator: Operator { who: holder().who, pid: holder().pid },
            commit: None,
            imports: std::collections::BTreeMap::new(),
            known_ids: std::collections::BTreeSet::new(),
            last_sent: None,
            stop: stopped,
            observe: &mut |progress| match progress {
                apply::Progress::Sending { .. } => {
                    first_send.get_or_insert_with(|| begun.elapsed());
                }
                apply::Progress::Ended(_) => last_end = Instant::now(),
                // What comes before is the list that every run begins with, which costs one more answer.
                apply::Progress::Started { .. } => begun = Instant::now(),
                apply::Progress::Retrying { .. }
                | apply::Progress::Looking { .. }
                | apply::Progress::Found { .. }
                | apply::Progress::Waiting { .. }
                | apply::Progress::Ready { .. }
                | apply::Progress::Stopping { .. } => {}
            },
        };
        let report = apply::run(&approved, &settings, parts).await?;
        let end = Instant::now();
        ensure!(report.verdict() == Verdict::Complete, "{report:?}");
        running.shutdown().await;
        Ok(Ran {
            took: end - begun,
            first_send: first_send.context("nothing was sent")?,
            closing: end - last_end,
            throttled: throttled(&report),
            order_is_kept: order_is_kept(&report),
        })
    })
}

fn throttled(report: &ApplySummary) -> usize {
    let calls = report.results.iter().flat_map(|result| &result.calls);
    calls.filter(|call| call.kind == CallKind::Throttled).count()
}

/// Whether first attempts start in declared order, and none starts between the throttled answer to an earlier one and the next
/// attempt at that one.
fn order_is_kept(report: &ApplySummary) -> bool {
    let mut results = report.results.iter().enumerate();
    results.all(|(at, result)| {
        let later = || report.results[at + 1..].iter().flat_map(|later| &later.calls);
        let is_first = result.calls.first().is_some_and(|first| later().all(|call| call.sent > first.sent));
        let mut retries = result.calls.windows(2);
        is_first
            && retries.all(|pair| {
                let waits = pair[0].answered..pair[1].sent;
                !later().any(|call| waits.contains(&call.sent))
            })
    })
}

fn approved(project: &Project) -> Result<Approved> {
    let plan = Plan::make(&project.desired()?, None, Options::default(), target(), Timestamp::now())
        .map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let target = target();
    let facts = Facts {
        state: None,
        target: &target,
        allowed_accounts: &[],
        remade: None,
        manifests: &[],
        used_by: None,
        orders_last_day: 0,
        limits: Limits::default(),
        allow_destroy: false,
    };
    guard::check(plan, &facts)
        .and_then(|checked| checked.in_account(CallerIdentity::Waived))
        .and_then(|checked| checked.approve(Consent::Auto))
        .map_err(|blockers| anyhow::anyhow!("not approved: {blockers:?}"))
}

fn holder() -> Holder {
    Holder {
        who: "bench@localhost".to_owned(),
        pid: std::process::id(),
        since: Timestamp::now(),
        doing: "bench".to_owned(),
    }
}

/// What an order writes, over a small state and over a large one, beside two bare lines written and synced.
fn journal() -> Result<()> {
    const PAIRS: u32 = 400;
    println!("\nThe journal's cost an order: intent and outcome, both on disk; medians of {PAIRS} rounds");
    println!("(aim: neither the size of the state nor the length of the run matters)\n");
    let folder = tempfile::tempdir()?;
    let mut floor = Floor::create(&folder.path().join("floor.jsonl"))?;
    let mut small = Run::open(&folder.path().join("small"), 10)?;
    let mut large = Run::open(&folder.path().join("large"), 10_000)?;
    let mut rounds = Vec::new();
    for pair in 1..=PAIRS {
        let (done, bare) = timed(|| floor.pair());
        done?;
        let (done, over_few) = timed(|| small.pair(pair));
        done?;
        let (done, over_many) = timed(|| large.pair(pair));
        done?;
        rounds.push([bare, over_few, over_many]);
    }
    small.close()?;
    large.close()?;
    // A disk is quick at one time and slow at another, so each round is its own comparison.
    let (first, last) = rounds.split_at(rounds.len() / 2);
    println!("{:>24} {:>10} {:>10} {:>12} {:>11}", "", "an order", "of floor", "first half", "last half");
    for (at, name) in
        ["two bare synced lines", "10 in the state", "10,000 in the state"].into_iter().enumerate()
    {
        let to_floor =
            |rounds: &[[Duration; 3]]| median(rounds.iter().map(|round| ratio(round[at], round[0])));
        println!(
            "{name:>24} {:>7.3} ms {:>9.2}x {:>11.2}x {:>10.2}x",
            median(rounds.iter().map(|round| round[at].as_secs_f64())) * 1e3,
            to_floor(&rounds),
            to_floor(first),
            to_floor(last)
        );
    }
    let grown = median(rounds.iter().map(|round| ratio(round[2], round[1])));
    println!("{:>24} {grown:>20.2}x", "10,000 beside 10");
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least that two durable lines can cost.
struct Floor {
    file: File,
    line: Vec<u8>,
}

impl Floor {
    fn create(path: &Path) -> Result<Self> {
        // About as long as a real one.
        let mut line = vec![b'.'; 599];
        line.push(b'\n');
        Ok(Self { file: File::create(path)?, line })
    }

    fn pair(&mut self) -> Result<()> {
        for _ in 0..2 {
            self.file.write_all(&self.line)?;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// An open run over a state.
struct Run {
    writer: Writer,
    environment: Environment,
}

impl Run {
    fn open(root: &Path, n: u32) -> Result<Self> {
        let project = Project::generate(root, n)?;
        let desired = project.desired()?;
        project.record(&desired)?;
        let mut writer = Writer::open(&FileStore::new(project.state()), &holder(), Duration::ZERO)?;
        let state = writer.state().context("the state is there")?;
        let started = RunStarted {
            format_version: postpay::state::FormatVersion,
            run: RunId::fresh(),
            lineage: Lineage(state.lineage.0),
            base: state.serial,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            account: account(),
            plan: "0".repeat(64),
            who: holder().who,
            pid: holder().pid,
            region: None,
            commit: None,
        };
        writer.begin(Timestamp::now(), started)?;
        Ok(Self {
            writer,
            environment: desired.environments.into_iter().next().context("an environment is declared")?,
        })
    }

    fn pair(&mut self, step: u32) -> Result<()> {
        let address = Address::new(&format!("new-{step}"))?;
        let intent = Intent {
            step,
            attempt: 1,
            address: address.clone(),
            action: self.environment.attributes.kind().action.to_owned(),
            attributes: self.environment.attributes.clone(),
            members: std::collections::BTreeMap::new(),
            source: self.environment.source.clone(),
            replaces: None,
            prevent_destroy: false,
            resends: None,
        };
        let outcome = Outcome {
            step,
            attempt: 1,
            env_id: Some(format!("{address}-8g1h2j3k4l5m6n7")),
            address,
            evidence: Evidence::Ordered,
            tran_id: Some("20240506410001234567890".to_owned()),
            request_id: Some(RunId::fresh().to_string()),
            code: None,
            message: None,
            http_status: Some(200),
            body: None,
            took_ms: 300,
        };
        self.writer.append(Timestamp::now(), Event::Intent(intent))?;
        self.writer.append(Timestamp::now(), Event::Outcome(outcome))?;
        Ok(())
    }

    fn close(mut self) -> Result<()> {
        let reason = EndReason::Finished;
        self.writer.append(Timestamp::now(), Event::RunEnded(RunEnded { reason }))?;
        self.writer.commit()?;
        Ok(())
    }
}
