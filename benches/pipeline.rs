//! What it costs to validate and to plan, beside the least that it could: the bare scan of the same YAML into events.
//!
//! Every number is a ratio within one run, of timings that took turns, so that a slow or busy computer changes them
//! little. The least of several rounds is taken: whatever disturbs a timing makes it longer.

#![allow(clippy::print_stdout, reason = "a bench is there to print what it found")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use postpay::diagnostic::render::render;
use postpay::i18n::Lang;
use postpay::kinds::postpay as fields;
use postpay::model::{Address, Desired};
use postpay::plan::guard::{self, CallerIdentity, Consent, Facts, Limits};
use postpay::plan::{Options, Plan, file};
use postpay::report::RenderOptions;
use postpay::report::plan::{Detail, render_plan};
use postpay::state::file::FileStore;
use postpay::state::{State, read};
use support::{Project, ratio, recorded, target, timed};

const SIZES: [u32; 4] = [10, 100, 1_000, 10_000];
const ROUNDS: usize = 7;
/// A sample does its work so often that this many environments go through it: small ones would be all noise.
const A_SAMPLE: u32 = 2_000;

/// How the bench calls itself, to measure the memory of one stage alone.
const PEAK: &str = "--peak";

/// What is measured, each with all that it needs from the disk on.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The floor: the files are read and scanned into events, which are thrown away.
    Scan,
    /// Loaded and checked.
    Validate,
    /// Validated, and planned where nothing was ever ordered.
    Plan,
    /// Validated, and planned against a state that holds it all, which is read too.
    NoOp,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Scan, Self::Validate, Self::Plan, Self::NoOp];

    const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Validate => "validate",
            Self::Plan => "plan",
            Self::NoOp => "no-op plan",
        }
    }

    fn run(self, project: &Project) -> Result<()> {
        match self {
            Self::Scan => {
                black_box(scan(project)?);
            }
            Self::Validate => {
                black_box(project.check());
            }
            Self::Plan => {
                let plan = plan(&project.desired()?, None, Options::default());
                ensure!(plan.orders().count() == plan.steps.len());
                black_box(plan);
            }
            Self::NoOp => {
                let desired = project.desired()?;
                let state = read(&FileStore::new(project.state()))?.current();
                let plan = plan(&desired, state.as_ref(), Options::default());
                ensure!(!plan.has_changes());
                black_box(plan);
            }
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if let [_, flag, stage, root] = args.as_slice()
        && flag == PEAK
    {
        return peak_of_this(stage, Path::new(root));
    }
    time()?;
    memory()?;
    show()?;
    odd()
}

/// The events of every file, counted.
fn scan(project: &Project) -> Result<usize> {
    let mut events = 0;
    for file in project.files()? {
        let text = fs::read_to_string(file)?;
        let mut parser = saphyr_parser::Parser::new_from_str(&text);
        while let Some(event) = parser.next_event() {
            black_box(event?);
            events += 1;
        }
    }
    Ok(events)
}

#[expect(clippy::unwrap_used, reason = "no move is declared")]
fn plan(desired: &Desired, state: Option<&State>, selection: Options) -> Plan {
    Plan::make(desired, state, selection, target(), Timestamp::UNIX_EPOCH).unwrap()
}

/// A project of `n` environments, all of them in the state.
fn project(root: &Path, n: u32) -> Result<(Project, Desired)> {
    let project = Project::generate(root, n)?;
    let desired = project.desired()?;
    ensure!(desired.environments.len() == usize::try_from(n)?);
    project.record(&desired)?;
    Ok((project, desired))
}

fn time() -> Result<()> {
    println!("Time, as a multiple of the bare YAML event scan of the same files");
    println!("(aim: 10,000 validated below 4.00, planned below 6.00)\n");
    println!(
        "{:>12} {:>9} {:>10} {:>10} {:>10} {:>10}   {:>18} {:>14}",
        "environments", "KiB", "scan", "validate", "plan", "no-op plan", "scan, each", "no-op, each"
    );
    for n in SIZES {
        let folder = tempfile::tempdir()?;
        let (project, _) = project(folder.path(), n)?;
        let bytes = project.files()?.iter().map(|file| Ok(fs::metadata(file)?.len())).sum::<Result<u64>>()?;
        let times = (A_SAMPLE / n).max(1);
        let mut least = [Duration::MAX; Stage::ALL.len()];
        for _ in 0..ROUNDS {
            for (stage, least) in Stage::ALL.into_iter().zip(&mut least) {
                let (done, took) = timed(|| (0..times).try_for_each(|_| stage.run(&project)));
                done?;
                *least = (*least).min(took / times);
            }
        }
        let [scan, validate, plan, no_op] = least;
        println!(
            "{n:>12} {:>9} {:>7.2} ms {:>9.2}x {:>9.2}x {:>9.2}x   {:>15.2} us {:>11.2} us",
            bytes / 1024,
            scan.as_secs_f64() * 1e3,
            ratio(validate, scan),
            ratio(plan, scan),
            ratio(no_op, scan),
            each(scan, n),
            each(no_op, n),
        );
    }
    Ok(())
}

/// Microseconds an environment.
fn each(took: Duration, n: u32) -> f64 {
    took.as_secs_f64() * 1e6 / f64::from(n)
}

/// The peak of each stage in a process of its own, which has done nothing else.
fn memory() -> Result<()> {
    let n = SIZES[SIZES.len() - 1];
    println!("\nPeak memory at {n} environments (aim: below 100 MB)\n");
    println!("{:>12} {:>10} {:>10}", "", "peak", "of scan");
    let folder = tempfile::tempdir()?;
    let (project, _) = project(folder.path(), n)?;
    let mut floor = None;
    for stage in Stage::ALL {
        let Some(peak) = peak_in_child(stage, &project)? else {
            println!("not known on this system");
            return Ok(());
        };
        let floor = *floor.get_or_insert(peak);
        println!("{:>12} {:>7.1} MB {:>9.2}x", stage.name(), peak / 1e6, peak / floor);
    }
    Ok(())
}

fn peak_in_child(stage: Stage, project: &Project) -> Result<Option<f64>> {
    let output =
        Command::new(std::env::current_exe()?).args([PEAK, stage.name()]).arg(&project.root).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    match text.trim() {
        "" => Ok(None),
        kibibytes => Ok(Some(kibibytes.parse::<f64>()? * 1024.0)),
    }
}

/// In the child: does the stage once and prints the most memory that was ever resident, in KiB, where the system tells.
fn peak_of_this(stage: &str, root: &Path) -> Result<()> {
    let Some(stage) = Stage::ALL.into_iter().find(|one| one.name() == stage) else {
        bail!("no stage is called {stage}");
    };
    stage.run(&Project { root: root.to_owned() })?;
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = line.and_then(|line| line.split_whitespace().next());
        println!("{}", peak.context("the system does not tell the peak")?);
    }
    Ok(())
}

/// What a finished plan costs to show.
fn show() -> Result<()> {
    println!("\nShowing a plan that orders everything, as a multiple of the scan\n");
    println!(
        "{:>12} {:>10} {:>10}   {:>18} {:>14}",
        "environments", "human", "json", "human, each", "json, each"
    );
    for n in SIZES {
        let folder = tempfile::tempdir()?;
        let (project, desired) = project(folder.path(), n)?;
        let plan = plan(&desired, None, Options::default());
        let times = (A_SAMPLE / n).max(1);
        let mut least = [Duration::MAX; 3];
        for _ in 0..ROUNDS {
            let works: [&dyn Fn() -> Result<()>; 3] = [
                &|| Stage::Scan.run(&project),
                &|| {
                    black_box(render_plan(&plan, 2.0, Detail::Folded, RenderOptions::PLAIN));
                    Ok(())
                },
                &|| {
                    black_box(file::encode(&plan));
                    Ok(())
                },
            ];
            for (work, least) in works.into_iter().zip(&mut least) {
                let (done, took) = timed(|| (0..times).try_for_each(|_| work()));
                done?;
                *least = (*least).min(took / times);
            }
        }
        let [scan, human, json] = least;
        println!(
            "{n:>12} {:>9.2}x {:>9.2}x   {:>15.2} us {:>11.2} us",
            ratio(human, scan),
            ratio(json, scan),
            each(human, n),
            each(json, n)
        );
    }
    Ok(())
}

/// The part of an odd project that is timed.
type Case = Box<dyn Fn() -> Result<()>>;

/// A project in which a look along a list for every environment would show.
struct Odd {
    name: &'static str,
    make: fn(&Path, u32) -> Result<Case>,
}

const ODD: [Odd; 6] = [
    Odd { name: "one file holds everything", make: one_file },
    Odd { name: "a file each, then the guard", make: a_file_each },
    Odd { name: "a problem in each, shown", make: a_problem_in_each },
    Odd { name: "--target for each", make: a_target_for_each },
    Odd { name: "every key renamed", make: |root, n| all_renamed(root, n, true) },
    Odd { name: "every key renamed, no aliases", make: |root, n| all_renamed(root, n, false) },
];

/// Growth from 1,000 environments to ten times as many: 1.00 is linear, 10.00 is quadratic.
fn odd() -> Result<()> {
    const SMALL: u32 = 1_000;
    println!("\nOdd projects: time an environment at 10,000, as a multiple of that at 1,000");
    println!("(1.00 is linear, a little more is caches, 10.00 is quadratic)\n");
    println!("{:>30} {:>14} {:>14} {:>8}", "", "1,000, each", "10,000, each", "growth");
    for Odd { name, make } in ODD {
        let folder = tempfile::tempdir()?;
        let small = make(&folder.path().join("small"), SMALL)?;
        let large = make(&folder.path().join("large"), SMALL * 10)?;
        let mut least = [Duration::MAX; 2];
        for _ in 0..3 {
            let (done, took) = timed(|| (0..10).try_for_each(|_| small()));
            done?;
            least[0] = least[0].min(took / 10);
            let (done, took) = timed(&large);
            done?;
            least[1] = least[1].min(took);
        }
        println!(
            "{name:>30} {:>11.2} us {:>11.2} us {:>8.2}",
            each(least[0], SMALL),
            each(least[1], SMALL * 10),
            ratio(least[1], least[0]) / 10.0
        );
    }
    Ok(())
}

fn one_file(root: &Path, n: u32) -> Result<Case> {
    let project = Project::generate(root, n)?;
    let mut whole = String::new();
    for file in project.files()? {
        let text = fs::read_to_string(&file)?;
        match text.split_once("environments:\n") {
            Some((_, environments)) if !whole.is_empty() => whole.push_str(environments),
            _ => whole.push_str(&text),
        }
        fs::remove_file(file)?;
    }
    fs::write(project.manifests().join("all.yaml"), whole)?;
    Ok(Box::new(move || {
        black_box(plan(&project.desired()?, None, Options::default()));
        Ok(())
    }))
}

fn a_file_each(root: &Path, n: u32) -> Result<Case> {
    let project = Project { root: root.to_owned() };
    fs::create_dir_all(project.manifests())?;
    for n in 0..n {
        let text = format!(
            "version: 1\nenvironments:\n  e{n}:\n    env_source: qcloud\n    channel: qc_console\n    alias: e{n}\n"
        );
        fs::write(project.manifests().join(format!("e{n:05}.yaml")), text)?;
    }
    let desired = project.desired()?;
    let now: Vec<_> = desired.manifests.iter().map(|hash| (hash.path.clone(), Some(hash.clone()))).collect();
    Ok(Box::new(move || {
        let plan = plan(&project.desired()?, None, Options::default());
        let target = target();
        let facts = Facts {
            state: None,
            target: &target,
            allowed_accounts: &[],
            remade: None,
            manifests: &now,
            used_by: None,
            orders_last_day: 0,
            limits: Limits::default(),
            allow_destroy: false,
        };
        let checked =
            guard::check(plan, &facts).and_then(|checked| checked.in_account(CallerIdentity::Waived));
        ensure!(checked.and_then(|checked| checked.approve(Consent::Auto)).is_ok());
        Ok(())
    }))
}

fn a_problem_in_each(root: &Path, n: u32) -> Result<Case> {
    let project = Project::generate(root, n)?;
    for file in project.files()? {
        let text = fs::read_to_string(&file)?.replace("free_quota: basic", "free_quotta: basic");
        fs::write(file, text)?;
    }
    Ok(Box::new(move || {
        let diagnostics = project.check().diagnostics;
        ensure!(diagnostics.len() == usize::try_from(n)?);
        black_box(render(&diagnostics, false, Lang::En));
        Ok(())
    }))
}

fn a_target_for_each(root: &Path, n: u32) -> Result<Case> {
    let (_, desired) = project(root, n)?;
    Ok(Box::new(move || {
        let addresses = desired.environments.iter().map(|environment| environment.address.clone());
        let selection = Options { targets: addresses.collect(), excludes: Vec::new(), ..Options::default() };
        let plan = plan(&desired, None, selection);
        ensure!(plan.steps.len() == usize::try_from(n)?);
        Ok(())
    }))
}

/// Each environment declared under another address than it was ordered under, in no order that helps.
fn all_renamed(root: &Path, n: u32, aliases: bool) -> Result<Case> {
    let (_, mut desired) = project(root, n)?;
    if !aliases {
        for environment in &mut desired.environments {
            let kept = environment
                .attributes
                .iter()
                .filter(|(field, _)| *field != fields::ALIAS)
                .map(|(field, value)| (field, value.to_owned()));
            environment.attributes = kept.collect();
        }
    }
    let state = recorded(&desired);
    for environment in &mut desired.environments {
        environment.address = Address::new(&format!("new-{}", environment.address))?;
    }
    desired.environments.reverse();
    Ok(Box::new(move || {
        let plan = plan(&desired, Some(&state), Options::default());
        let from: BTreeSet<_> = plan
            .blocked()
            .filter_map(|step| step.blocker.as_ref())
            .map(|blocker| format!("{blocker:?}"))
            .collect();
        ensure!(from.len() == usize::try_from(n)?);
        Ok(())
    }))
}
