//! The documented recovery, and the judgement on what it leaves.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use postpay::sandbox::{LedgerEntry, SECRET_ID, SECRET_KEY};
use postpay::state::file::FileStore;

use crate::support::{Project, Ran, Running, STATE};

/// Fast enough that a trial takes a fraction of a second.
pub(super) const RATE: [&str; 2] = ["--rate", "100"];
const SANDBOX_RATE: [&str; 2] = ["--sandbox-rate", "1000"];

/// What was counted.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) trials: usize,
    /// Processes that died.
    pub(super) deaths: usize,
    pub(super) orders: usize,
    /// Orders of an alias that was ordered before.
    pub(super) duplicates: usize,
    /// Orders that neither the state nor a list of what is unknown knew.
    pub(super) losses: usize,
    /// Orders that had to be settled by `resolve`.
    pub(super) settled: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        let Self { trials, deaths, orders, duplicates, losses, settled } = other;
        self.trials += trials;
        self.deaths += deaths;
        self.orders += orders;
        self.duplicates += duplicates;
        self.losses += losses;
        self.settled += settled;
    }
}

/// A project, and the endpoint that it orders from: one within each process, which dies with it, or one outside, which goes
/// on.
pub(super) struct Scene {
    pub(super) project: Project,
    outside: Option<(Running, String)>,
    embedded: Vec<String>,
}

impl Scene {
    pub(super) fn new(aliases: &[&str]) -> Self {
        Self { project: Project::of(aliases).at_real_pace(), outside: None, embedded: Vec::new() }
    }

    /// From here on the endpoint is a process of its own.
    pub(super) fn serve(&mut self, embedded: &[String]) {
        let mut args: Vec<String> =
            ["sandbox", "serve", "--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
        args.extend(SANDBOX_RATE.map(str::to_owned));
        args.extend_from_slice(embedded);
        let mut running = self.project.start(args);
        let mut url = String::new();
        BufReader::new(running.stdout()).read_line(&mut url).unwrap();
        self.outside = Some((running, url.trim().to_owned()));
    }

    /// How the endpoint inside the next process behaves.
    pub(super) fn embed(&mut self, embedded: &[String]) {
        self.embedded = embedded.to_vec();
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.command(args);
        if args[0] == "apply" {
            command.args(RATE);
        }
        match &self.outside {
            Some((_, url)) => {
                command
                    .args(["--endpoint", url])
                    .env("TENCENTCLOUD_SECRET_ID", SECRET_ID)
                    .env("TENCENTCLOUD_SECRET_KEY", SECRET_KEY);
            }
            None if ["apply", "resolve"].contains(&args[0]) => {
                command.args(SANDBOX_RATE).args(&self.embedded);
            }
            None => {}
        }
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Ran {
        let mut ran = Ran::from(self.command(args).output().unwrap());
        ran.line = args.join(" ");
        ran
    }

    /// Runs it up to a crash point.
    pub(super) fn run_to(&self, args: &[&str], point: &str) -> Ran {
        let mut command = self.command(args);
        let mut ran = Ran::from(command.env("POSTPAY_CRASH_AT", point).output().unwrap());
        ran.line = args.join(" ");
        ran
    }

    pub(super) fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Running::new(command)
    }

    fn acted(&self) -> Vec<LedgerEntry> {
        let mut entries =
            if self.project.exists(crate::support::LEDGER) { self.project.ledger() } else { Vec::new() };
        entries.retain(|entry| entry.acted);
        entries
    }

    /// The status of every address, as a reader sees it now: the snapshot with the open journal on top.
    fn shown(&self) -> Result<BTreeMap<String, String>, String> {
        let read = postpay::state::read(&FileStore::new(self.project.file(STATE)));
        let state = read.map_err(|error| format!("what is on disk can't be read: {error}"))?.current();
        let records = state.into_iter().flat_map(|state| state.environments);
        Ok(records.map(|(address, record)| (address.to_string(), record.status.name().to_owned())).collect())
    }

    /// After a crash, before anything else: whatever was ordered is in the state, with its ids or as unknown.
    pub(super) fn losses_now(&self) -> Result<usize, String> {
        let acted = self.acted();
        if acted.is_empty() {
            return Ok(0);
        }
        let shown = self.shown()?;
        Ok(acted.iter().filter(|entry| !shown.contains_key(alias(entry))).count())
    }

    /// How many addresses a reader is told are created, and unknown.
    pub(super) fn told(&self) -> Result<(usize, usize), String> {
        let shown = self.shown()?;
        let count = |wanted: &str| shown.values().filter(|status| *status == wanted).count();
        Ok((count("created"), count("unknown")))
    }

    /// What the documentation says to do, to the end.
    pub(super) fn recover(&self, aliases: &[&str]) -> Result<Tally, String> {
        let mut settled = 0;
        // Once for what the crash left, and once more for what it kept from being ordered.
        for _ in 0..2 {
            let ran = self.run(&["apply", "-y", "--settle", "1s"]);
            match ran.code {
                Some(0) => break,
                Some(4) => settled += self.resolve()?,
                Some(_) | None => return Err(format!("the recovery failed\n{ran}")),
            }
        }
        let ran = self.run(&["plan", "--detailed-exitcode"]);
        if ran.code != Some(0) {
            return Err(format!("something is left to do\n{ran}"));
        }
        let mut tally = self.judge(aliases)?;
        tally.settled = settled;
        Ok(tally)
    }

    /// Adopts what fits, and gives up what the ledger has not.
    fn resolve(&self) -> Result<usize, String> {
        let open = |shown: BTreeMap<String, String>| -> Vec<String> {
            let open = shown.into_iter().filter(|(_, status)| status != "created");
            open.map(|(address, _)| address).collect()
        };
        let before = open(self.shown()?);
        let ran = self.run(&["resolve", "--auto-approve"]);
        if !matches!(ran.code, Some(0 | 4)) {
            return Err(format!("resolve failed\n{ran}"));
        }
        for address in open(self.shown()?) {
            if self.acted().iter().any(|entry| alias(entry) == address) {
                return Err(format!("`{address}` exists, and was not recognised\n{ran}"));
            }
            let ran = self.run(&["resolve", &address, "--not-created", "--force"]);
            if !matches!(ran.code, Some(0 | 4)) {
                return Err(format!("`{address}` can't be given up\n{ran}"));
            }
        }
        Ok(before.len())
    }

    /// Each alias exactly once at Tencent Cloud, and in the state with the very ids that it got there.
    fn judge(&self, aliases: &[&str]) -> Result<Tally, String> {
        let acted = self.acted();
        let state = self.project.json(STATE);
        let mut tally = Tally { trials: 1, orders: acted.len(), ..Tally::default() };
        for name in aliases {
            let orders: Vec<_> = acted.iter().filter(|entry| alias(entry) == *name).collect();
            let Some(last) = orders.last() else {
                return Err(format!("`{name}` was never ordered"));
            };
            tally.duplicates += orders.len() - 1;
            let record = &state["environments"][*name];
            let same = record["env_id"].as_str() == last.env_id.as_deref()
                && record["tran_id"].as_str() == last.tran_id.as_deref()
                && record["status"] == "created";
            tally.losses += usize::from(!same);
        }
        Ok(tally)
    }
}

fn alias(entry: &LedgerEntry) -> &str {
    entry.params["Alias"].as_str().unwrap()
}
